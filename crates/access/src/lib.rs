//! Who is connected, and what they may do.
//!
//! **Owns**: users and roles, their passwords (as SCRAM verifiers), memberships, grants, the rules by
//! which clients prove who they are, and the statements that change all that.
//! **Never**: a protocol, a source. What is asked of it stands in `query-api` ([`Authenticator`]) and in
//! the engine ([`Authority`]).
//! **Start reading at**: [`Access`], then `model`.
//!
//! The nouns are PostgreSQL's: a *user* is a role that may log in; a *member* of a role has its
//! privileges; *public* stands for all roles.
//!
//! [`Authenticator`]: inflowave_query_api::Authenticator
//! [`Authority`]: inflowave_engine::Authority

mod authenticate;
mod command;
mod model;
mod objects;
mod parse;
mod rules;
mod scram;
mod store;

use std::sync::Arc;

use inflowave_engine::{Authority, Command, Extension, Words};
use inflowave_metastore::{Domain, Metastore};
use inflowave_types::{Result, Secret};
use parking_lot::RwLock;

use crate::model::Model;
pub use crate::rules::{Connection, Method, Names, Rule};
pub use crate::scram::Verifier;

/// The tables of this crate in the metastore.
pub const METASTORE_DOMAINS: &[Domain] = &[store::DOMAIN];

/// The superuser that a configuration names: it is always there.
#[derive(Debug, Clone)]
pub struct Superuser {
    pub name: String,
    /// Without one it cannot log in by password, unless `ALTER ROLE` has given it one.
    pub password: Option<Secret>,
}

/// Users, roles, grants and rules of a server.
#[derive(Debug)]
pub struct Access {
    store: Arc<Metastore>,
    rules: Vec<Rule>,
    superusers: Vec<(String, Option<Verifier>)>,
    model: RwLock<Arc<Model>>,
    /// Salts for users that are not there, so that they look like others.
    mock: [u8; 32],
}

impl Access {
    /// Reads what the store keeps. The first rule that fits a client decides; one that none fits is
    /// refused.
    ///
    /// # Errors
    /// Of the store; `22023` for a password that cannot be kept; `XX000` without random numbers.
    pub fn open(
        store: Arc<Metastore>,
        rules: Vec<Rule>,
        superusers: Vec<Superuser>,
    ) -> Result<Arc<Access>> {
        let superusers = superusers.into_iter().map(|s| {
            let verifier = s.password.as_ref().map(Verifier::of_password);
            Ok((s.name, verifier.transpose()?))
        });
        let superusers: Vec<_> = superusers.collect::<Result<_>>()?;
        let mut model = store.read(Model::read)?;
        for (name, verifier) in &superusers {
            model.put_superuser(name, verifier.as_ref());
        }
        Ok(Arc::new(Access {
            store,
            rules,
            superusers,
            model: RwLock::new(Arc::new(model)),
            mock: scram::random()?,
        }))
    }

    /// Is there a role that may connect?
    pub fn can_anybody_log_in(&self) -> bool {
        self.model().roles.values().any(|r| r.login)
    }

    fn model(&self) -> Arc<Model> {
        Arc::clone(&self.model.read())
    }

    fn reread(&self, t: &inflowave_metastore::Transaction) -> Result<Model> {
        let mut model = Model::read(t)?;
        for (name, verifier) in &self.superusers {
            model.put_superuser(name, verifier.as_ref());
        }
        Ok(model)
    }

    /// Changes the store, then what is in memory.
    fn change(
        &self,
        work: impl FnOnce(&Model, &inflowave_metastore::Transaction) -> Result<()>,
    ) -> Result<()> {
        self.store.write(|t| work(&self.reread(t)?, t))?;
        // Shown while the store is held, so that what was written last is shown last.
        self.store.read(|t| self.reload(t))
    }
}

/// The extension, for the composition root: the statements of this crate.
#[derive(Debug)]
pub struct AccessStatements(pub Arc<Access>);

impl Extension for AccessStatements {
    fn name(&self) -> &'static str {
        "access"
    }

    fn statement(&self, words: &Words) -> Option<Result<Arc<dyn Command>>> {
        let parsed = parse::statement(words)?;
        Some(parsed.map(|statement| {
            Arc::new(command::AccessCommand {
                access: Arc::clone(&self.0),
                statement,
            }) as Arc<dyn Command>
        }))
    }
}

impl Authority for Access {
    fn roles(&self) -> Vec<inflowave_engine::RoleInfo> {
        self.model().roles.values().map(|r| r.info()).collect()
    }

    fn memberships(&self) -> Vec<inflowave_engine::MembershipInfo> {
        self.model().memberships.clone()
    }

    fn grants(&self) -> Vec<inflowave_engine::GrantInfo> {
        self.model().grants.clone()
    }

    fn role(&self, name: &str) -> Option<inflowave_engine::RoleInfo> {
        self.model().roles.get(name).map(model::Role::info)
    }

    fn is_superuser(&self, role: &str) -> bool {
        self.model().is_superuser(role)
    }

    fn is_member(&self, role: &str, of: &str) -> bool {
        self.model().is_member(role, of)
    }

    fn inherits(&self, role: &str, of: &str) -> bool {
        self.model().inherits(role, of)
    }

    fn allows(
        &self,
        role: &str,
        privilege: inflowave_engine::Privilege,
        object: &inflowave_engine::Object,
    ) -> bool {
        self.model().allows(role, privilege, object)
    }

    fn allows_any_column(&self, role: &str, relation: &[String; 3]) -> bool {
        self.model().allows_any_column(role, relation)
    }

    fn dropped(
        &self,
        t: &inflowave_metastore::Transaction,
        object: &inflowave_engine::Object,
    ) -> Result<()> {
        store::drop_grants_on(t, object)
    }

    fn renamed(&self, t: &inflowave_metastore::Transaction, catalog: &str, to: &str) -> Result<()> {
        store::rename_catalog(t, catalog, to)
    }

    fn reload(&self, t: &inflowave_metastore::Transaction) -> Result<()> {
        let model = self.reread(t)?;
        *self.model.write() = Arc::new(model);
        Ok(())
    }
}
