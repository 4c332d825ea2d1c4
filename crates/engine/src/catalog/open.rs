//! From a specification to an opened source.

use std::sync::Arc;
use std::time::Duration;

use inflowave_connector_api::{Connector, Descriptor, OpenContext, Params};
use inflowave_types::{Error, Result, SqlState};

use super::policy::CatalogPolicy;
use super::source::Origin;
use super::store::Stored;
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
        let params =
            Params::check(connector.descriptor().params, spec.params).map_err(in_catalog)?;
        let context = OpenContext {
            catalog: name.clone(),
            io: self.io.clone(),
            base_dir: spec.base_dir,
        };
        let source = connector.open(params, context).await.map_err(in_catalog)?;
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
        let specs = connector.descriptor().params;
        let params = stored
            .params
            .0
            .iter()
            .map(|(key, text)| {
                let spec = specs.iter().find(|s| s.name == *key);
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
