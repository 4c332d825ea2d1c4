//! Who may do what: what the engine asks, and an extension answers.
//!
//! What stands in a catalog is reached through three doors: its catalog and its schema have to be
//! usable, and the relation, or each of the columns that a statement needs, has to be readable. A
//! grant of `SELECT` on a schema or a catalog is one on all that is in it, now and later, and opens
//! the doors before it.

use std::fmt::{self, Debug};

use inflowave_metastore::Transaction;
use inflowave_types::{Error, Result, SqlState};

/// The role that every role is a member of.
pub const PUBLIC: &str = "public";

/// A role, as others see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleInfo {
    pub name: String,
    pub superuser: bool,
    pub login: bool,
    pub inherit: bool,
    pub create_role: bool,
    pub create_catalog: bool,
    pub bypass_policies: bool,
    /// Sessions at once; `None` is without a limit of its own.
    pub connection_limit: Option<u32>,
    /// When its password ends, in microseconds since 1970.
    pub valid_until: Option<i64>,
    pub has_password: bool,
}

/// `member` is a member of `role`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MembershipInfo {
    pub role: String,
    pub member: String,
    pub grantor: String,
    pub admin: bool,
}

/// What a privilege is on, by its full name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Object {
    Catalog(String),
    Schema(String, String),
    Relation([String; 3]),
    /// Of a relation.
    Column([String; 3], String),
}

impl Object {
    pub fn catalog(&self) -> &str {
        match self {
            Object::Catalog(catalog) | Object::Schema(catalog, _) => catalog,
            Object::Relation([catalog, ..]) | Object::Column([catalog, ..], _) => catalog,
        }
    }
}

impl fmt::Display for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Object::Catalog(catalog) => write!(f, "catalog \"{catalog}\""),
            Object::Schema(catalog, schema) => write!(f, "schema \"{catalog}.{schema}\""),
            Object::Relation(path) => write!(f, "table \"{}\"", path.join(".")),
            Object::Column(path, column) => {
                write!(f, "column \"{column}\" of table \"{}\"", path.join("."))
            }
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Privilege {
    /// Of a catalog: to connect to it and to name what is in it. Of a schema: to name what is in it.
    Usage,
    /// To read.
    Select,
    /// Of a schema of the server's own: to make views in it.
    Create,
}

impl Privilege {
    pub fn name(self) -> &'static str {
        match self {
            Privilege::Usage => "USAGE",
            Privilege::Select => "SELECT",
            Privilege::Create => "CREATE",
        }
    }
}

/// A privilege that was granted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GrantInfo {
    pub object: Object,
    pub privilege: Privilege,
    /// [`PUBLIC`] for all.
    pub grantee: String,
    pub grantor: String,
    pub grantable: bool,
}

/// What the engine asks. Roles are told apart by their names; one that is not there may nothing.
pub trait Authority: Debug + Send + Sync + 'static {
    /// Sorted by name.
    fn roles(&self) -> Vec<RoleInfo>;

    fn memberships(&self) -> Vec<MembershipInfo>;

    fn grants(&self) -> Vec<GrantInfo>;

    fn role(&self, name: &str) -> Option<RoleInfo>;

    /// `false` where everyone may do everything.
    fn restricts(&self) -> bool {
        true
    }

    fn is_superuser(&self, role: &str) -> bool {
        self.role(role).is_some_and(|r| r.superuser)
    }

    /// May `role` become `of` by `SET ROLE`? A superuser may become any.
    fn is_member(&self, role: &str, of: &str) -> bool;

    /// Does `role` have the privileges of `of` without becoming it?
    fn inherits(&self, role: &str, of: &str) -> bool;

    /// Was the privilege granted on the object, or on what it stands in?
    fn allows(&self, role: &str, privilege: Privilege, object: &Object) -> bool;

    /// May a column of the relation be read?
    fn allows_any_column(&self, role: &str, relation: &[String; 3]) -> bool;

    /// An object is gone, and all that is in it: so are the grants on it.
    ///
    /// # Errors
    /// Of the store.
    fn dropped(&self, t: &Transaction, object: &Object) -> Result<()>;

    /// # Errors
    /// Of the store.
    fn renamed(&self, t: &Transaction, catalog: &str, to: &str) -> Result<()>;

    /// What was written is read again.
    ///
    /// # Errors
    /// Of the store.
    fn reload(&self, t: &Transaction) -> Result<()>;
}

/// Everyone may do everything: for demonstrations, tests and commands in the server's own process.
#[derive(Debug, Clone, Copy, Default)]
pub struct Unrestricted;

impl Authority for Unrestricted {
    fn roles(&self) -> Vec<RoleInfo> {
        Vec::new()
    }

    fn memberships(&self) -> Vec<MembershipInfo> {
        Vec::new()
    }

    fn grants(&self) -> Vec<GrantInfo> {
        Vec::new()
    }

    fn role(&self, name: &str) -> Option<RoleInfo> {
        Some(RoleInfo {
            name: name.to_owned(),
            superuser: false,
            login: true,
            inherit: true,
            create_role: false,
            create_catalog: true,
            bypass_policies: false,
            connection_limit: None,
            valid_until: None,
            has_password: false,
        })
    }

    fn is_member(&self, role: &str, of: &str) -> bool {
        role == of
    }

    fn inherits(&self, _role: &str, _of: &str) -> bool {
        true
    }

    fn restricts(&self) -> bool {
        false
    }

    fn allows(&self, _role: &str, _privilege: Privilege, _object: &Object) -> bool {
        true
    }

    fn allows_any_column(&self, _role: &str, _relation: &[String; 3]) -> bool {
        true
    }

    fn dropped(&self, _t: &Transaction, _object: &Object) -> Result<()> {
        Ok(())
    }

    fn renamed(&self, _t: &Transaction, _catalog: &str, _to: &str) -> Result<()> {
        Ok(())
    }

    fn reload(&self, _t: &Transaction) -> Result<()> {
        Ok(())
    }
}

/// `42501`, of which nothing but the name is told.
pub fn denied(privilege: Privilege, object: &Object) -> Error {
    let what = match object {
        Object::Catalog(catalog) => format!("catalog {catalog}"),
        Object::Schema(_, schema) => format!("schema {schema}"),
        Object::Relation([.., table]) | Object::Column([.., table], _) => format!("table {table}"),
    };
    let on = match object {
        Object::Catalog(catalog) => format!("CATALOG {catalog}"),
        Object::Schema(catalog, schema) => format!("SCHEMA {catalog}.{schema}"),
        Object::Relation(path) | Object::Column(path, _) => path.join("."),
    };
    let hint = format!("GRANT {} ON {on} TO ...", privilege.name());
    Error::new(
        SqlState::InsufficientPrivilege,
        format!("permission denied for {what}"),
    )
    .with_hint(format!("Who may grant it can say: {hint}"))
}
