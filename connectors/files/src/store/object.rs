//! A store, and one version of an object in it. Every read asks for that version and checks that it
//! got it, so that an object that is written while it is read gives an error and never a mix.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use futures::FutureExt;
use futures::future::BoxFuture;
use inflowave_types::{Error, Result, SqlState};
use object_store::path::Path;
use object_store::{GetOptions, GetRange, ObjectMeta, ObjectStore, coalesce_ranges};
use tokio::runtime::Handle;
use tokio::task::JoinHandle;

use super::address::Kind;
use super::error::{self, Doing};
use super::footer::Footers;

/// Ranges that are closer than this are read by one request.
const COALESCE_BYTES: u64 = 256 << 10;

#[derive(Debug)]
pub struct Store {
    pub catalog: String,
    pub kind: Kind,
    /// What keys are appended to in messages.
    pub root: String,
    pub client: Arc<dyn ObjectStore>,
    /// Requests run there, whoever waits for them.
    pub io: Handle,
    pub listed_objects_max: usize,
    pub footers: Footers,
}

impl Store {
    /// An error of the store, naming the catalog.
    pub fn told(&self, key: &str, doing: Doing, error: &object_store::Error) -> Error {
        self.named(error::told(self.kind, &self.root, key, doing, error))
    }

    pub fn named(&self, error: Error) -> Error {
        error.context(format!("catalog \"{}\"", self.catalog))
    }

    /// As [`Store::named`], for an error that may name the catalog already.
    pub fn named_once(&self, error: Error) -> Error {
        let named = error.message().starts_with("catalog \"");
        if named { error } else { self.named(error) }
    }

    /// Runs work with the store where I/O is done. It ends when the caller no longer waits.
    pub async fn run<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T>> + Send + 'static,
    ) -> Result<T> {
        let mut task = AbortOnDrop(self.io.spawn(work));
        match (&mut task.0).await {
            Ok(done) => done,
            Err(_) => Err(Error::internal("a task of the files connector failed")),
        }
    }
}

impl Store {
    /// As [`Store::run`], for callers that cannot name what they wait for.
    pub fn run_boxed<T: Send + 'static>(
        self: Arc<Self>,
        work: BoxFuture<'static, Result<T>>,
    ) -> BoxFuture<'static, Result<T>> {
        async move { self.run(work).await }.boxed()
    }
}

struct AbortOnDrop<T>(JoinHandle<T>);

impl<T> Drop for AbortOnDrop<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// One version of an object.
#[derive(Debug)]
pub struct Object {
    pub store: Arc<Store>,
    pub meta: ObjectMeta,
}

impl Object {
    /// Where it is, in quotes.
    pub fn label(&self) -> String {
        error::object(&self.store.root, self.meta.location.as_ref())
    }

    /// A name for this version that no other object and no other version has.
    pub fn version(&self) -> Path {
        let meta = &self.meta;
        let tag = meta.e_tag.as_deref().unwrap_or_default();
        let version = meta.version.as_deref().unwrap_or_default();
        let time = meta.last_modified.timestamp_micros();
        Path::from_iter([
            meta.location.as_ref(),
            &format!("{tag}\u{1}{version}\u{1}{time}\u{1}{}", meta.size),
        ])
    }

    pub async fn range(self: &Arc<Self>, range: Range<u64>) -> Result<Bytes> {
        let this = Arc::clone(self);
        self.store
            .run(async move { this.fetch(Some(range)).await })
            .await
    }

    /// The ranges in their order; those that are close together are read by one request.
    pub async fn ranges(self: &Arc<Self>, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        let (this, ranges) = (Arc::clone(self), ranges.to_vec());
        let work = async move {
            let fetch = |range| {
                let this = Arc::clone(&this);
                async move { this.fetch(Some(range)).await }
            };
            coalesce_ranges(&ranges, fetch, COALESCE_BYTES).await
        };
        self.store.run(work).await
    }

    /// All of it: by a request that every web server knows.
    pub async fn whole(self: &Arc<Self>) -> Result<Bytes> {
        let this = Arc::clone(self);
        self.store.run(async move { this.fetch(None).await }).await
    }

    async fn fetch(&self, range: Option<Range<u64>>) -> Result<Bytes> {
        let wanted = range.clone().unwrap_or(0..self.meta.size);
        if wanted.is_empty() {
            return Ok(Bytes::new());
        }
        let options = GetOptions {
            if_match: self.strong_tag(),
            if_unmodified_since: self.date_without_tag(),
            version: self.meta.version.clone(),
            range: range.map(GetRange::Bounded),
            ..GetOptions::default()
        };
        let key = self.meta.location.as_ref();
        let told = |e: object_store::Error| self.store.told(key, Doing::Reading, &e);
        let answer = self.store.client.get_opts(&self.meta.location, options);
        let answer = answer.await.map_err(told)?;
        // Not every store heeds the condition.
        if !same_version(&self.meta, &answer.meta) {
            return Err(self
                .store
                .named(error::changed(&self.label(), "it was written anew")));
        }
        let bytes = answer.bytes().await.map_err(told)?;
        if bytes.len() as u64 != wanted.end - wanted.start {
            return Err(self.store.named(Error::new(
                SqlState::ConnectionFailure,
                format!("{} ended early while it was read", self.label()),
            )));
        }
        Ok(bytes)
    }

    /// The condition for servers that give no tags. One that tells no date either has given the start
    /// of time.
    fn date_without_tag(&self) -> Option<DateTime<Utc>> {
        let date = self.meta.last_modified;
        (self.meta.e_tag.is_none() && date.timestamp() > 0).then_some(date)
    }

    /// A weak tag never matches (RFC 9110, 13.1.1): for it the answer is looked at.
    fn strong_tag(&self) -> Option<String> {
        let tag = self.meta.e_tag.as_deref()?;
        if tag.starts_with("W/") {
            return None;
        }
        // Azure lists its tags without quotes.
        Some(if tag.starts_with('"') {
            tag.to_owned()
        } else {
            format!("\"{tag}\"")
        })
    }
}

/// Whether two answers speak of one version.
pub fn same_version(a: &ObjectMeta, b: &ObjectMeta) -> bool {
    fn plain(tag: &str) -> &str {
        tag.trim_start_matches("W/").trim_matches('"')
    }
    if a.size != b.size {
        return false;
    }
    match (&a.e_tag, &b.e_tag) {
        (Some(a), Some(b)) => plain(a) == plain(b),
        // Headers give seconds.
        _ => a.last_modified.timestamp() == b.last_modified.timestamp(),
    }
}
