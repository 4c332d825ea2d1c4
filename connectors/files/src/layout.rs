//! From the configured path to tables and their files. Nothing here reads a file.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use inflowave_types::{Error, Result, SqlState};

use crate::error;
use crate::partitions;
use crate::store::Object;

/// Folders in one another below a table, at most.
pub(crate) const DEPTH_MAX: usize = 32;
/// Files of one table, at most.
const FILES_MAX: usize = 1_000_000;
/// What makes a path a pattern.
pub(crate) const WILDCARDS: [char; 3] = ['*', '?', '['];

/// What a file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Format {
    Parquet,
    Csv,
    Json,
}

impl Format {
    /// By the word of the parameter `format`.
    pub fn named(word: &str) -> Option<Format> {
        match word {
            "parquet" => Some(Format::Parquet),
            "csv" => Some(Format::Csv),
            "json" => Some(Format::Json),
            _ => None,
        }
    }

    pub(crate) fn by_extension(path: &Path) -> Option<Format> {
        match path.extension()?.to_str()?.to_ascii_lowercase().as_str() {
            "parquet" => Some(Format::Parquet),
            "csv" | "tsv" => Some(Format::Csv),
            "json" | "jsonl" | "ndjson" => Some(Format::Json),
            _ => None,
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            Format::Parquet => "parquet",
            Format::Csv => "csv",
            Format::Json => "json",
        }
    }
}

/// A file as it was found.
#[derive(Debug, Clone)]
pub struct DataFile {
    /// Where it is: a path of the file system, or for messages a URL.
    pub path: PathBuf,
    pub format: Format,
    pub size: u64,
    pub modified: SystemTime,
    /// Its Hive partitions in the order of its folders: column and value.
    pub partitions: Vec<(String, String)>,
    /// The version that was listed, if it is in an object store.
    pub object: Option<Arc<Object>>,
}

/// Where the files of a source are, and how they make tables.
#[derive(Debug, Clone)]
pub struct Layout {
    path: PathBuf,
    format: Option<Format>,
    table: Option<String>,
    hive: bool,
    pattern: Option<glob::Pattern>,
}

/// Where the files of one table are.
#[derive(Debug, Clone)]
enum Place {
    File(PathBuf),
    Folder(PathBuf),
    Pattern,
}

impl Layout {
    /// # Errors
    /// `22023` for a pattern that cannot be read.
    pub fn new(
        path: PathBuf,
        format: Option<Format>,
        table: Option<String>,
        hive: bool,
    ) -> Result<Layout> {
        let text = path.to_str().unwrap_or_default();
        // A file may have such characters in its name.
        let wild = text.contains(WILDCARDS) && !path.exists();
        let pattern = wild
            .then(|| glob::Pattern::new(text))
            .transpose()
            .map_err(|e| {
                Error::new(
                    SqlState::InvalidParameterValue,
                    format!("invalid value {text:?} for parameter \"path\": {e}"),
                )
                .with_hint("Wildcards are *, ?, [..] and, as a whole part of the path, **.")
            })?;
        Ok(Layout {
            path,
            format,
            table,
            hive,
            pattern,
        })
    }

    /// The names of the tables.
    ///
    /// # Errors
    /// As the file system has it.
    pub fn tables(&self) -> Result<Vec<String>> {
        Ok(self.places()?.into_keys().collect())
    }

    /// The files of a table in a stable order, `None` if there is no such table.
    ///
    /// # Errors
    /// `58P01` if the path is gone or the table has no file, `42P16` if its files are of more than
    /// one format or partitioned in more than one way.
    pub fn files(&self, table: &str) -> Result<Option<Vec<DataFile>>> {
        let places = self.places()?;
        let Some(place) = places.get(table) else {
            return Ok(None);
        };
        let mut files = Vec::new();
        match place {
            Place::File(path) => files.push(self.data_file(path, path.parent())?),
            Place::Folder(folder) => {
                let mut walk = self.walk()?;
                walk.below(folder, 0)?;
                for path in walk.found {
                    files.push(self.data_file(&path, Some(folder))?);
                }
            }
            Place::Pattern => {
                let root = self.fixed_part();
                for path in self.matches()? {
                    files.push(self.data_file(&path, Some(&root))?);
                }
            }
        }
        if files.is_empty() {
            let what = self.path.display();
            return Err(Error::new(
                SqlState::UndefinedFile,
                format!("no file of table \"{table}\" is at \"{what}\""),
            )
            .with_hint("Check the path of the catalog and the extensions of the files."));
        }
        files.sort_by(|a, b| a.path.cmp(&b.path));
        check_one_kind(table, &files)?;
        Ok(Some(files))
    }

    fn places(&self) -> Result<BTreeMap<String, Place>> {
        if self.pattern.is_some() {
            let name = self.table.clone().unwrap_or_else(|| self.pattern_name());
            return Ok([(name, Place::Pattern)].into());
        }
        let metadata = fs::metadata(&self.path).map_err(|e| error::of_file(&self.path, &e))?;
        if metadata.is_file() {
            let name = self.table.clone().unwrap_or_else(|| stem(&self.path));
            return Ok([(name, Place::File(self.path.clone()))].into());
        }
        self.places_of_folder()
    }

    fn places_of_folder(&self) -> Result<BTreeMap<String, Place>> {
        let mut walk = self.walk()?;
        let (mut files, mut folders) = (Vec::new(), Vec::new());
        for path in walk.entries(&self.path)? {
            if path.is_dir() {
                folders.push(path);
            } else if self.format_of(&path).is_some() {
                files.push(path);
            }
        }
        let is_partition = |p: &PathBuf| partitions::of_folder(&file_name(p)).is_some();
        if self.hive && folders.iter().any(is_partition) {
            let name = self.table.clone().unwrap_or_else(|| file_name(&self.path));
            return Ok([(name, Place::Folder(self.path.clone()))].into());
        }
        let mut with_data = Vec::with_capacity(folders.len());
        for folder in folders {
            walk.found.clear();
            walk.below(&folder, 0)?;
            if !walk.found.is_empty() {
                with_data.push(folder);
            }
        }
        let place = |path, is_folder| match is_folder {
            true => Place::Folder(path),
            false => Place::File(path),
        };
        Ok(named_tables(with_data, files, place))
    }

    fn data_file(&self, path: &Path, root: Option<&Path>) -> Result<DataFile> {
        let metadata = fs::metadata(path).map_err(|e| error::of_file(path, &e))?;
        let folders = root.and_then(|root| path.parent()?.strip_prefix(root).ok());
        Ok(DataFile {
            path: path.to_owned(),
            format: self.format_of(path).ok_or_else(|| {
                Error::new(
                    SqlState::InvalidParameterValue,
                    format!("the format of file \"{}\" is unknown", path.display()),
                )
                .with_hint("Set the parameter format of the catalog to parquet, csv or json.")
            })?,
            size: metadata.len(),
            modified: metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH),
            partitions: match folders {
                Some(folders) if self.hive => folders
                    .components()
                    .filter_map(|part| partitions::of_folder(&part.as_os_str().to_string_lossy()))
                    .collect(),
                _ => Vec::new(),
            },
            object: None,
        })
    }

    fn format_of(&self, path: &Path) -> Option<Format> {
        self.format.or_else(|| Format::by_extension(path))
    }

    fn walk(&self) -> Result<Walk<'_>> {
        let root = self.fixed_part();
        Ok(Walk {
            layout: self,
            root: fs::canonicalize(&root).map_err(|e| error::of_file(&root, &e))?,
            seen: HashSet::new(),
            found: Vec::new(),
        })
    }

    /// The files that fit the pattern.
    fn matches(&self) -> Result<BTreeSet<PathBuf>> {
        let Some(pattern) = &self.pattern else {
            return Ok(BTreeSet::new());
        };
        let options = glob::MatchOptions {
            require_literal_separator: true,
            require_literal_leading_dot: true,
            ..glob::MatchOptions::new()
        };
        let root = self.fixed_part();
        let mut walk = self.walk()?;
        walk.below(&root, 0)?;
        let fits = |path: &PathBuf| pattern.matches_path_with(path, options);
        Ok(walk.found.into_iter().filter(fits).collect())
    }

    /// The path up to its first wildcard.
    fn fixed_part(&self) -> PathBuf {
        if self.pattern.is_none() {
            return match self.path.parent() {
                Some(parent) if self.path.is_file() => parent.to_owned(),
                _ => self.path.clone(),
            };
        }
        let plain = |part: &Component<'_>| !has_wildcard(&part.as_os_str().to_string_lossy());
        self.path.components().take_while(plain).collect()
    }

    fn pattern_name(&self) -> String {
        let last = file_name(&self.path);
        let head = head_of_pattern(&last);
        if head.is_empty() {
            file_name(&self.fixed_part())
        } else {
            head.to_owned()
        }
    }
}

/// Goes through folders: hidden names and links that lead outside are left out, and no folder is
/// entered twice.
struct Walk<'a> {
    layout: &'a Layout,
    root: PathBuf,
    seen: HashSet<PathBuf>,
    found: Vec<PathBuf>,
}

impl Walk<'_> {
    /// Adds the data files in and below a folder.
    fn below(&mut self, folder: &Path, depth: usize) -> Result<()> {
        let real = fs::canonicalize(folder).map_err(|e| error::of_file(folder, &e))?;
        if depth > DEPTH_MAX || !self.seen.insert(real) {
            return Ok(());
        }
        for path in self.entries(folder)? {
            if path.is_dir() {
                self.below(&path, depth + 1)?;
            } else if self.layout.format_of(&path).is_some() {
                self.found.push(path);
            }
            if self.found.len() > FILES_MAX {
                return Err(Error::new(
                    SqlState::ProgramLimitExceeded,
                    format!(
                        "folder \"{}\" has more than {FILES_MAX} files",
                        folder.display()
                    ),
                ));
            }
        }
        Ok(())
    }

    fn entries(&self, folder: &Path) -> Result<Vec<PathBuf>> {
        let entries: io::Result<Vec<PathBuf>> = fs::read_dir(folder)
            .and_then(|entries| entries.map(|entry| Ok(entry?.path())).collect());
        let mut entries = entries.map_err(|e| error::of_file(folder, &e))?;
        entries.retain(|path| {
            let Some(name) = path.file_name().and_then(|n| n.to_str()) else {
                return false;
            };
            !name.starts_with(['.', '_']) && self.is_inside(path)
        });
        entries.sort();
        Ok(entries)
    }

    /// Also false for a link that leads nowhere.
    fn is_inside(&self, path: &Path) -> bool {
        !path.is_symlink() || fs::canonicalize(path).is_ok_and(|p| p.starts_with(&self.root))
    }
}

/// # Errors
/// `42P16` for files of more than one format, or partitioned in more than one way.
pub(crate) fn check_one_kind(table: &str, files: &[DataFile]) -> Result<()> {
    let first = &files[0];
    let keys = |f: &DataFile| f.partitions.iter().map(|p| p.0.clone()).collect::<Vec<_>>();
    for file in files {
        let (a, b) = (first.path.display(), file.path.display());
        if file.format != first.format {
            return Err(unsuitable(format!(
                "table \"{table}\" has files of two formats: \"{a}\" and \"{b}\""
            ))
            .with_hint("Keep one format in a folder, or point the catalog at a pattern such as folder/*.csv."));
        }
        if keys(file) != keys(first) {
            return Err(unsuitable(format!(
                "table \"{table}\" is partitioned in two ways: \"{a}\" and \"{b}\""
            ))
            .with_hint(
                "Give all files the same column=value folders, or set hive_partitions to false.",
            ));
        }
    }
    Ok(())
}

/// The tables of a folder: its subfolders by their names, its files by theirs without the extension,
/// unless two would have one name.
pub(crate) fn named_tables<P>(
    folders: Vec<PathBuf>,
    files: Vec<PathBuf>,
    place: impl Fn(PathBuf, bool) -> P,
) -> BTreeMap<String, P> {
    let mut stems: BTreeMap<String, usize> = BTreeMap::new();
    for path in &files {
        *stems.entry(stem(path)).or_default() += 1;
    }
    let mut places = BTreeMap::new();
    for folder in folders {
        let name = file_name(&folder);
        *stems.entry(name.clone()).or_default() += 1;
        places.insert(name, place(folder, true));
    }
    for path in files {
        let short = stem(&path);
        let name = if stems[&short] > 1 {
            file_name(&path)
        } else {
            short
        };
        places.insert(name, place(path, false));
    }
    places
}

/// What the last part of a pattern says before its first wildcard.
pub(crate) fn head_of_pattern(last: &str) -> &str {
    let head = last.split(WILDCARDS).next().unwrap_or_default();
    head.trim_end_matches(['-', '_', '.', ' ', '='])
}

pub(crate) fn has_wildcard(part: &str) -> bool {
    part.contains(WILDCARDS)
}

pub(crate) fn stem(path: &Path) -> String {
    path.file_stem()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

fn file_name(path: &Path) -> String {
    path.file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

fn unsuitable(message: String) -> Error {
    Error::new(SqlState::InvalidTableDefinition, message)
}
