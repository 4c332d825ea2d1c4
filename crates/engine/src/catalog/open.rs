//! From a specification to an opened source.

use std::sync::Arc;
use std::time::Duration;

use inflowave_connector_api::{COMMON, Connector, Descriptor, OpenContext, ParamSpec, Params};
use inflowave_types::{Error, Result, Secret, SqlState};

use super::policy::CatalogPolicy;
use super::source::Origin;
use super::store::Stored;
use super::unpushed::Unpushed;
use super::{CatalogSpec, SourceCatalog};
use crate::suggest;

/// What is needed to open a source, whoever asks for it.
pub(crate) struct Opener {
    pub connectors: Vec<Arc<dyn Connector>>,
    pub policy: CatalogPolicy,
    pub metadata_ttl: Duration,
    pub io: tokio::runtime::Handle,
}

impl std::fmt::Debug for Opener {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Opener").finish_non_exhaustive()
    }
}

impl Opener {
    /// # Errors
    /// `42704` naming the connectors that there are.
    pub fn connector(&self, name: &str) -> Result<&Arc<dyn Connector>> {
        let found = self.connectors.iter().find(|c| c.descriptor().name == name);
        found.ok_or_else(|| {
            let names: Vec<String> = self
                .connectors
                .iter()
                .map(|c| c.descriptor().name.to_owned())
                .collect();
            Error::new(
                SqlState::UndefinedObject,
                format!("unknown connector \"{name}\""),
            )
            .with_hint(suggest::hint("connector", name, &names))
        })
    }

    pub fn descriptor(&self, connector: &str) -> Option<&'static Descriptor> {
        self.connector(connector).ok().map(|c| c.descriptor())
    }

    /// # Errors
    /// `42704`, `22023`; each names the catalog.
    pub async fn open(&self, spec: CatalogSpec, origin: Origin) -> Result<SourceCatalog> {
        let name = spec.name;
        let in_catalog = |e: Error| e.context(format!("catalog \"{name}\""));
        let connector = self.connector(&spec.connector).map_err(in_catalog)?;
        let descriptor = connector.descriptor();
        for (key, value) in &spec.params {
            ParamSpec::find(descriptor.all_params(), key)
                .and_then(|spec| spec.check(value))
                .map_err(in_catalog)?;
        }
        let (common, own): (Vec<_>, Vec<_>) = spec
            .params
            .into_iter()
            .partition(|(key, _)| COMMON.iter().any(|s| s.name == key));
        let params = Params::check(descriptor.params, own).map_err(in_catalog)?;
        let pushes = |(key, value): &(String, Secret)| key != "pushdown" || value.reveal() == "on";
        let context = OpenContext {
            catalog: name.clone(),
            io: self.io.clone(),
            base_dir: spec.base_dir,
        };
        let mut source = connector.open(params, context).await.map_err(in_catalog)?;
        if !common.iter().all(pushes) {
            source = Arc::new(Unpushed::new(source));
        }
        Ok(SourceCatalog::new(
            name,
            source,
            origin,
            self.metadata_ttl,
            self.io.clone(),
        ))
    }

    /// Opens a catalog made by SQL, under the policy as it is now.
    ///
    /// # Errors
    /// As [`Opener::open`]; `42501` for a reference or a path that is not allowed.
    pub async fn open_stored(&self, stored: &Stored) -> Result<SourceCatalog> {
        let in_catalog = |e: Error| e.context(format!("catalog \"{}\"", stored.name));
        let connector = self.connector(&stored.connector).map_err(in_catalog)?;
        let descriptor = connector.descriptor();
        let params = stored
            .params
            .0
            .iter()
            .map(|(key, text)| {
                let spec = descriptor.all_params().find(|s| s.name == *key);
                Ok((key.clone(), self.policy.resolve(spec, key, text)?))
            })
            .collect::<Result<_>>()
            .map_err(in_catalog)?;
        let spec = CatalogSpec {
            name: stored.name.clone(),
            connector: stored.connector.clone(),
            params,
            base_dir: self.policy.base_dir.clone(),
        };
        self.open(spec, Origin::Sql).await
    }
}
