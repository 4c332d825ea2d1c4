//! From a URL to tables and their objects, as `layout.rs` does it for folders: the same shapes, names
//! and rules, over listings that come in pages and have a limit.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures::future::BoxFuture;
use futures::{FutureExt, StreamExt, TryStreamExt};
use inflowave_types::{Error, Result, SqlState};
use object_store::list::{PaginatedListOptions, PaginatedListStore};
use object_store::{GetOptions, ListResult, ObjectMeta, ObjectStore};

use super::address::{Address, Kind};
use super::error::{self, Doing};
use super::object::{Object, Store};
use crate::layout::{
    DEPTH_MAX, DataFile, Format, WILDCARDS, check_one_kind, has_wildcard, named_tables, stem,
};
use crate::partitions;

/// Folders that are looked into at once.
const FOLDERS_AT_ONCE: usize = 8;

pub struct StoreLayout {
    pub store: Arc<Store>,
    /// `None` for a web server, which lists nothing.
    lister: Option<Arc<dyn PaginatedListStore>>,
    key: String,
    is_folder: bool,
    format: Option<Format>,
    table: Option<String>,
    hive: bool,
    pattern: Option<glob::Pattern>,
}

impl std::fmt::Debug for StoreLayout {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "StoreLayout({}/{})", self.store.root, self.key)
    }
}

/// Where the objects of one table are.
#[derive(Debug, Clone)]
enum Place {
    Object(Box<ObjectMeta>),
    /// All below this key.
    Folder(String),
    Pattern,
}

impl StoreLayout {
    /// # Errors
    /// `22023` for a pattern that cannot be read, `0A000` for a folder of a web server.
    pub fn new(
        store: Arc<Store>,
        lister: Option<Arc<dyn PaginatedListStore>>,
        address: Address,
        format: Option<Format>,
        table: Option<String>,
        hive: bool,
    ) -> Result<StoreLayout> {
        if address.kind == Kind::Http && address.is_folder {
            return Err(Error::unsupported(
                "a web server does not list its files, and \"path\" ends in a slash",
            )
            .with_hint("Give the URL of one file, such as https://host/folder/readings.parquet."));
        }
        let wild = address.kind != Kind::Http && address.key.contains(WILDCARDS);
        let pattern = wild
            .then(|| glob::Pattern::new(&address.key))
            .transpose()
            .map_err(|e| {
                Error::new(
                    SqlState::InvalidParameterValue,
                    format!("invalid pattern in parameter \"path\": {e}"),
                )
                .with_hint("Wildcards are *, ?, [..] and, as a whole part of the path, **.")
            })?;
        Ok(StoreLayout {
            store,
            lister,
            key: address.key,
            is_folder: address.is_folder,
            format,
            table,
            hive,
            pattern,
        })
    }

    /// Whether something is there: one or two requests, however many tables there are.
    ///
    /// # Errors
    /// Those of the store; `58P01` if nothing is there.
    pub fn reach(self: &Arc<Self>) -> BoxFuture<'static, Result<()>> {
        let this = Arc::clone(self);
        let reached = async move {
            let is_object = this.pattern.is_none() && !this.is_folder;
            if is_object && this.object().await?.is_some() {
                return Ok(());
            }
            let mut any = false;
            this.pages(&this.fixed_part(), true, |page| {
                any = !page.objects.is_empty() || !page.common_prefixes.is_empty();
                Ok(false)
            })
            .await?;
            if any || this.key.is_empty() || this.pattern.is_some() {
                return Ok(());
            }
            let missing = error::missing(&this.store.root, &this.key);
            Err(this.store.named(missing))
        };
        Arc::clone(&self.store).run_boxed(reached.boxed())
    }

    /// The names of the tables.
    ///
    /// # Errors
    /// Those of the store; `58P01` if nothing is there.
    pub fn tables(self: &Arc<Self>) -> BoxFuture<'static, Result<Vec<String>>> {
        let this = Arc::clone(self);
        let listed = async move { Ok(this.places(None).await?.into_keys().collect()) };
        Arc::clone(&self.store).run_boxed(listed.boxed())
    }

    /// The objects of a table in a stable order, `None` if there is no such table.
    ///
    /// # Errors
    /// As those of a folder, and `54000` beyond the limit of listed objects.
    pub fn files(
        self: &Arc<Self>,
        table: &str,
    ) -> BoxFuture<'static, Result<Option<Vec<DataFile>>>> {
        let (this, table) = (Arc::clone(self), table.to_owned());
        let listed = async move { this.files_of(&table).await };
        Arc::clone(&self.store).run_boxed(listed.boxed())
    }

    async fn files_of(&self, table: &str) -> Result<Option<Vec<DataFile>>> {
        // The name of a pattern is known without asking for its folder.
        let mut places = match self.pattern {
            Some(_) => [(self.pattern_name(), Place::Pattern)].into(),
            None => self.places(Some(table)).await?,
        };
        let Some(place) = places.remove(table) else {
            return Ok(None);
        };
        let (root, found) = match place {
            Place::Object(meta) => {
                let key = meta.location.as_ref();
                let root = key.rsplit_once('/').map_or("", |(folder, _)| folder);
                (root.to_owned(), vec![*meta])
            }
            Place::Folder(folder) => {
                let found = self.below(&folder, |_| true).await?;
                (folder, found)
            }
            Place::Pattern => {
                let root = self.fixed_part();
                let found = self.below(&root, |key| self.fits(key)).await?;
                (root, found)
            }
        };
        let mut files = Vec::with_capacity(found.len());
        for meta in found {
            files.push(self.data_file(meta, &root)?);
        }
        if files.is_empty() {
            let what = error::object(&self.store.root, &self.key);
            return Err(self.store.named(
                Error::new(
                    SqlState::UndefinedFile,
                    format!("no object of table \"{table}\" is at {what}"),
                )
                .with_hint("Check the path of the catalog and the extensions of the objects."),
            ));
        }
        files.sort_by(|a, b| a.path.cmp(&b.path));
        check_one_kind(table, &files)?;
        Ok(Some(files))
    }

    /// The tables; those that are named, where only one is looked for.
    async fn places(&self, only: Option<&str>) -> Result<BTreeMap<String, Place>> {
        if self.pattern.is_some() {
            // Whether the store is there, and lists: one page is enough.
            self.pages(&self.fixed_part(), false, |_| Ok(false)).await?;
            return Ok([(self.pattern_name(), Place::Pattern)].into());
        }
        if !self.is_folder
            && let Some(meta) = self.object().await?
        {
            let path = Path::new(meta.location.as_ref());
            let name = self.table.clone().unwrap_or_else(|| stem(path));
            return Ok([(name, Place::Object(Box::new(meta)))].into());
        }
        self.places_of_folder(only).await
    }

    /// The object that the path names, if there is one.
    async fn object(&self) -> Result<Option<ObjectMeta>> {
        let told = |e| self.store.told(&self.key, Doing::Listing, &e);
        let location = object_store::path::Path::parse(&self.key).map_err(|e| told(e.into()))?;
        let options = GetOptions {
            head: true,
            ..GetOptions::default()
        };
        match self.store.client.get_opts(&location, options).await {
            // Azure has entries for folders; they are empty.
            Ok(answer) if answer.meta.size == 0 && self.format_of(&self.key).is_none() => Ok(None),
            Ok(answer) => Ok(Some(answer.meta)),
            Err(object_store::Error::NotFound { .. }) if self.lister.is_some() => Ok(None),
            // A refused HEAD has no text that says why, and who may not list is refused a key that is
            // not there: listing gives the better answer.
            Err(
                e @ (object_store::Error::PermissionDenied { .. }
                | object_store::Error::Unauthenticated { .. }),
            ) if self.lister.is_some() => {
                let mut any = false;
                self.pages(&self.key, false, |page| {
                    any = !page.objects.is_empty();
                    Ok(false)
                })
                .await?;
                if any { Ok(None) } else { Err(told(e)) }
            }
            Err(e) => Err(told(e)),
        }
    }

    async fn places_of_folder(&self, only: Option<&str>) -> Result<BTreeMap<String, Place>> {
        let (mut objects, mut folders) = (BTreeMap::new(), Vec::new());
        let mut any = false;
        self.pages(&self.key, true, |page| {
            any = any || !page.objects.is_empty() || !page.common_prefixes.is_empty();
            for meta in page.objects {
                if self.is_data(&meta, &self.key) {
                    objects.insert(meta.location.to_string(), meta);
                }
            }
            let shown = |f: &String| !hidden(last_part(f));
            folders.extend(
                page.common_prefixes
                    .iter()
                    .map(ToString::to_string)
                    .filter(shown),
            );
            Ok(true)
        })
        .await?;
        if !any && !self.key.is_empty() {
            let missing = error::missing(&self.store.root, &self.key);
            return Err(self.store.named(missing));
        }
        let is_partition = |f: &String| partitions::of_folder(last_part(f)).is_some();
        if self.hive && folders.iter().any(is_partition) {
            let name = self
                .table
                .clone()
                .unwrap_or_else(|| self.folder_name(&self.key));
            return Ok([(name, Place::Folder(self.key.clone()))].into());
        }
        // A subfolder matters for a table of its name, and for the name of a file beside it.
        if let Some(table) = only {
            let short = stem(Path::new(table));
            folders.retain(|f| last_part(f) == table || last_part(f) == short);
        }
        let with_data: Vec<Option<String>> = futures::stream::iter(folders)
            .map(|folder| async move {
                let mut found = false;
                self.pages(&folder, false, |page| {
                    found = page.objects.iter().any(|meta| self.is_data(meta, &folder));
                    Ok(!found)
                })
                .await?;
                Ok::<_, Error>(found.then_some(folder))
            })
            .buffered(FOLDERS_AT_ONCE)
            .try_collect()
            .await?;
        let folders = with_data.into_iter().flatten().map(PathBuf::from).collect();
        let files = objects.keys().map(PathBuf::from).collect();
        let place = |path: PathBuf, is_folder: bool| {
            let key = path.to_string_lossy().into_owned();
            match objects.get(&key) {
                Some(meta) if !is_folder => Place::Object(Box::new(meta.clone())),
                _ => Place::Folder(key),
            }
        };
        Ok(named_tables(folders, files, place))
    }

    /// The data objects below a folder, at any depth.
    async fn below(&self, folder: &str, fits: impl Fn(&str) -> bool) -> Result<Vec<ObjectMeta>> {
        let mut found = Vec::new();
        self.pages(folder, false, |page| {
            for meta in page.objects {
                if self.is_data(&meta, folder) && fits(meta.location.as_ref()) {
                    found.push(meta);
                }
            }
            Ok(true)
        })
        .await?;
        Ok(found)
    }

    /// Lists a folder page by page, until `each` has enough.
    async fn pages(
        &self,
        folder: &str,
        one_level: bool,
        mut each: impl FnMut(ListResult) -> Result<bool>,
    ) -> Result<()> {
        let Some(lister) = &self.lister else {
            return Err(Error::unsupported("a web server does not list its files")
                .with_hint("Give the URL of one file."));
        };
        let prefix = (!folder.is_empty()).then(|| format!("{folder}/"));
        let (mut listed, mut page_token) = (0, None);
        loop {
            let options = PaginatedListOptions {
                delimiter: one_level.then(|| "/".into()),
                page_token,
                ..PaginatedListOptions::default()
            };
            let page = lister
                .list_paginated(prefix.as_deref(), options)
                .await
                .map_err(|e| self.store.told(folder, Doing::Listing, &e))?;
            listed += page.result.objects.len() + page.result.common_prefixes.len();
            let max = self.store.listed_objects_max;
            if listed > max {
                let what = error::object(&self.store.root, folder);
                return Err(self.store.named(
                    Error::new(
                        SqlState::ProgramLimitExceeded,
                        format!("{what} has more than {max} objects"),
                    )
                    .with_hint("Point the catalog at a narrower prefix, or raise its parameter listed_objects_max."),
                ));
            }
            page_token = page.page_token.filter(|token| !token.is_empty());
            if !each(page.result)? || page_token.is_none() {
                return Ok(());
            }
        }
    }

    /// Whether an object is a file of data, by its name below `root`. An empty one without an
    /// extension stands for a folder.
    fn is_data(&self, meta: &ObjectMeta, root: &str) -> bool {
        let key = meta.location.as_ref();
        let below = key
            .strip_prefix(root)
            .unwrap_or(key)
            .trim_start_matches('/');
        let mut parts = below.split('/');
        let marker = meta.size == 0 && Format::by_extension(Path::new(key)).is_none();
        !below.is_empty()
            && !marker
            && below.split('/').count() <= DEPTH_MAX
            && !parts.any(hidden)
            && self.format_of(key).is_some()
    }

    fn data_file(&self, meta: ObjectMeta, root: &str) -> Result<DataFile> {
        let key = meta.location.to_string();
        let format = self.format_of(&key).ok_or_else(|| {
            let what = error::object(&self.store.root, &key);
            let unknown = Error::new(
                SqlState::InvalidParameterValue,
                format!("the format of object {what} is unknown"),
            );
            self.store.named(
                unknown
                    .with_hint("Set the parameter format of the catalog to parquet, csv or json."),
            )
        })?;
        let below = key.strip_prefix(root).unwrap_or(&key);
        let folders = below.rsplit_once('/').map_or("", |(folders, _)| folders);
        let partitions = match self.hive {
            true => folders
                .split('/')
                .filter_map(partitions::of_folder)
                .collect(),
            false => Vec::new(),
        };
        Ok(DataFile {
            path: PathBuf::from(format!("{}/{key}", self.store.root)),
            format,
            size: meta.size,
            modified: meta.last_modified.into(),
            partitions,
            object: Some(Arc::new(Object {
                store: Arc::clone(&self.store),
                meta,
            })),
        })
    }

    fn format_of(&self, key: &str) -> Option<Format> {
        self.format.or_else(|| Format::by_extension(Path::new(key)))
    }

    fn fits(&self, key: &str) -> bool {
        let options = glob::MatchOptions {
            require_literal_separator: true,
            require_literal_leading_dot: true,
            ..glob::MatchOptions::new()
        };
        let pattern = self.pattern.as_ref();
        pattern.is_some_and(|p| p.matches_with(key, options))
    }

    /// The key up to the part with the first wildcard.
    fn fixed_part(&self) -> String {
        if self.pattern.is_none() {
            return self.key.clone();
        }
        let plain: Vec<&str> = self
            .key
            .split('/')
            .take_while(|p| !has_wildcard(p))
            .collect();
        plain.join("/")
    }

    fn pattern_name(&self) -> String {
        if let Some(table) = &self.table {
            return table.clone();
        }
        let head = crate::layout::head_of_pattern(last_part(&self.key));
        if head.is_empty() {
            self.folder_name(&self.fixed_part())
        } else {
            head.to_owned()
        }
    }

    /// The last part of a key, or the bucket.
    fn folder_name(&self, key: &str) -> String {
        let bucket = self.store.root.rsplit('/').next().unwrap_or_default();
        let bucket = bucket.split('@').next().unwrap_or_default();
        let name = if key.is_empty() {
            bucket
        } else {
            last_part(key)
        };
        name.to_owned()
    }
}

fn last_part(key: &str) -> &str {
    key.rsplit('/').next().unwrap_or_default()
}

fn hidden(part: &str) -> bool {
    part.starts_with(['.', '_'])
}
