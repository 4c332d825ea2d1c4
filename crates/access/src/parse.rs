//! The grammar of `CREATE ROLE`, `GRANT` and their like, over the engine's tokens.

use inflowave_engine::{Privilege, Words};
use inflowave_types::{Error, Result, Secret, SqlState};

/// Bytes of a name, at most, as in PostgreSQL.
const NAME_BYTES_MAX: usize = 63;

#[derive(Debug, Clone)]
pub(crate) enum Statement {
    CreateRole {
        name: String,
        /// `CREATE USER`: it may log in.
        user: bool,
        options: Vec<RoleOption>,
    },
    AlterRole {
        name: String,
        options: Vec<RoleOption>,
    },
    RenameRole {
        name: String,
        to: String,
    },
    DropRole {
        names: Vec<String>,
        if_exists: bool,
    },
    GrantRole {
        roles: Vec<String>,
        members: Vec<String>,
        admin: bool,
    },
    RevokeRole {
        roles: Vec<String>,
        members: Vec<String>,
        /// `ADMIN OPTION FOR`
        admin_only: bool,
    },
    Grant {
        privileges: Privileges,
        target: Target,
        grantees: Vec<String>,
        grantable: bool,
    },
    Revoke {
        privileges: Privileges,
        target: Target,
        grantees: Vec<String>,
        /// `GRANT OPTION FOR`
        option_only: bool,
        cascade: bool,
    },
}

#[derive(Debug, Clone)]
pub(crate) enum RoleOption {
    Superuser(bool),
    Login(bool),
    Inherit(bool),
    CreateRole(bool),
    CreateCatalog(bool),
    BypassPolicies(bool),
    /// Negative is without a limit.
    ConnectionLimit(i64),
    /// `None` takes it away.
    Password(Option<Secret>),
    /// As it is written.
    ValidUntil(String),
    /// `IN ROLE`: the new role becomes a member of these.
    InRoles(Vec<String>),
    /// `ROLE` and `ADMIN`: these become members of the new role.
    Members(Vec<String>, bool),
}

/// What is granted or revoked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Privileges {
    /// All that there are for the object.
    All,
    /// Each with columns, or with none for the whole.
    Listed(Vec<(Privilege, Vec<String>)>),
}

/// What it is on, as it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Target {
    Relations(Vec<Vec<String>>),
    AllTablesIn(Vec<Vec<String>>),
    Schemas(Vec<Vec<String>>),
    Catalogs(Vec<String>),
}

/// A statement of this crate; `None` for another.
pub(crate) fn statement(words: &Words) -> Option<Result<Statement>> {
    let mut at = At { words, at: 2 };
    let role = matches!(words.upper(1).as_str(), "ROLE" | "USER" | "GROUP");
    let user = words.upper(1) == "USER";
    let parsed = match words.upper(0).as_str() {
        "CREATE" if role && words.upper(2) != "MAPPING" => at.create(user),
        "ALTER" if role && words.upper(2) != "MAPPING" => at.alter(),
        "DROP" if role && words.upper(2) != "MAPPING" => at.drop(),
        "GRANT" => {
            at.at = 1;
            at.grant()
        }
        "REVOKE" => {
            at.at = 1;
            at.revoke()
        }
        _ => return None,
    };
    Some(parsed.and_then(|statement| words.end(at.at).map(|()| statement)))
}

/// A place in the tokens.
struct At<'a> {
    words: &'a Words<'a>,
    at: usize,
}

impl At<'_> {
    fn taken(&mut self, words: &[&str]) -> bool {
        let here = (self.at..)
            .zip(words)
            .all(|(i, w)| self.words.upper(i) == *w);
        if here {
            self.at += words.len();
        }
        here
    }

    fn expect(&mut self, word: &str) -> Result<()> {
        match self.taken(&[word]) {
            true => Ok(()),
            false => Err(self.words.unexpected(self.at)),
        }
    }

    fn name(&mut self) -> Result<String> {
        let name = self.words.identifier(self.at)?;
        self.at += 1;
        Ok(name)
    }

    fn names(&mut self) -> Result<Vec<String>> {
        let mut names = vec![self.name()?];
        while self.words.is_comma(self.at) {
            self.at += 1;
            names.push(self.name()?);
        }
        Ok(names)
    }

    fn path(&mut self) -> Result<Vec<String>> {
        let (path, next) = self.words.path_from(self.at)?;
        self.at = next;
        Ok(path)
    }

    fn paths(&mut self) -> Result<Vec<Vec<String>>> {
        let mut paths = vec![self.path()?];
        while self.words.is_comma(self.at) {
            self.at += 1;
            paths.push(self.path()?);
        }
        Ok(paths)
    }

    /// A name for a new role.
    fn new_name(&mut self) -> Result<String> {
        let at = self.at;
        let name = self.name()?;
        let reserved = [
            "public",
            "none",
            "current_user",
            "current_role",
            "session_user",
        ];
        if reserved.contains(&name.as_str()) || name.starts_with("pg_") {
            let error = Error::new(
                SqlState::ReservedName,
                format!("role name \"{name}\" is reserved"),
            );
            return Err(match self.words.position(at) {
                Some(position) => error.with_position(position),
                None => error,
            });
        }
        if name.is_empty() || name.len() > NAME_BYTES_MAX {
            return Err(Error::new(
                SqlState::NameTooLong,
                format!("the name of a role has 1 to {NAME_BYTES_MAX} bytes"),
            ));
        }
        Ok(name)
    }

    /// A role that is there, by its name or as who is connected; names are resolved later.
    fn role(&mut self) -> Result<String> {
        self.taken(&["GROUP"]);
        self.name()
    }

    fn roles(&mut self) -> Result<Vec<String>> {
        let mut roles = vec![self.role()?];
        while self.words.is_comma(self.at) {
            self.at += 1;
            roles.push(self.role()?);
        }
        Ok(roles)
    }

    fn create(&mut self, user: bool) -> Result<Statement> {
        let name = self.new_name()?;
        let options = self.options(true)?;
        Ok(Statement::CreateRole {
            name,
            user,
            options,
        })
    }

    fn alter(&mut self) -> Result<Statement> {
        let name = self.name()?;
        if self.taken(&["RENAME", "TO"]) {
            let to = self.new_name()?;
            return Ok(Statement::RenameRole { name, to });
        }
        if matches!(self.words.upper(self.at).as_str(), "SET" | "RESET" | "IN") {
            return Err(Error::unsupported("settings of roles are not supported")
                .with_hint("A client sets them when it connects: options=-cname=value."));
        }
        let options = self.options(false)?;
        Ok(Statement::AlterRole { name, options })
    }

    fn drop(&mut self) -> Result<Statement> {
        let if_exists = self.taken(&["IF", "EXISTS"]);
        let names = self.names()?;
        Ok(Statement::DropRole { names, if_exists })
    }

    fn options(&mut self, new: bool) -> Result<Vec<RoleOption>> {
        self.taken(&["WITH"]);
        let mut options = Vec::new();
        while self.words.token(self.at).is_some() {
            let word = self.words.upper(self.at);
            let at = self.at;
            self.at += 1;
            let (name, on) = match word.strip_prefix("NO") {
                Some(name) if !name.is_empty() => (name, false),
                _ => (word.as_str(), true),
            };
            options.push(match name {
                "SUPERUSER" => RoleOption::Superuser(on),
                "LOGIN" => RoleOption::Login(on),
                "INHERIT" => RoleOption::Inherit(on),
                "CREATEROLE" => RoleOption::CreateRole(on),
                "CREATEDB" => RoleOption::CreateCatalog(on),
                "BYPASSRLS" => RoleOption::BypassPolicies(on),
                "REPLICATION" if !on => continue,
                "REPLICATION" => {
                    return Err(Error::unsupported("replication is not supported"));
                }
                "CONNECTION" => {
                    self.expect("LIMIT")?;
                    RoleOption::ConnectionLimit(self.number()?)
                }
                "ENCRYPTED" => {
                    self.expect("PASSWORD")?;
                    RoleOption::Password(self.password()?)
                }
                "PASSWORD" => RoleOption::Password(self.password()?),
                "VALID" => {
                    self.expect("UNTIL")?;
                    RoleOption::ValidUntil(self.text()?)
                }
                "IN" if new => {
                    if !self.taken(&["ROLE"]) {
                        self.expect("GROUP")?;
                    }
                    RoleOption::InRoles(self.names()?)
                }
                "ROLE" | "USER" if new => RoleOption::Members(self.names()?, false),
                "ADMIN" if new => RoleOption::Members(self.names()?, true),
                _ => return Err(self.words.unexpected(at)),
            });
        }
        Ok(options)
    }

    fn number(&mut self) -> Result<i64> {
        let negative = self.words.is_minus(self.at);
        self.at += usize::from(negative);
        let number = self.words.number(self.at)?;
        self.at += 1;
        Ok(if negative { -number } else { number })
    }

    fn text(&mut self) -> Result<String> {
        let text = self.words.text(self.at)?;
        self.at += 1;
        Ok(text)
    }

    fn password(&mut self) -> Result<Option<Secret>> {
        if self.taken(&["NULL"]) {
            return Ok(None);
        }
        Ok(Some(Secret::new(self.text()?)))
    }

    /// Is it about an object, and not about membership?
    fn is_on_object(&self) -> bool {
        let mut at = self.at;
        while self.words.token(at).is_some() {
            match self.words.upper(at).as_str() {
                "ON" => return true,
                "TO" | "FROM" => return false,
                _ => at += 1,
            }
        }
        false
    }

    fn grant(&mut self) -> Result<Statement> {
        if !self.is_on_object() {
            let roles = self.names()?;
            self.expect("TO")?;
            let members = self.roles()?;
            let admin = self.taken(&["WITH", "ADMIN", "OPTION"]);
            self.granted_by()?;
            return Ok(Statement::GrantRole {
                roles,
                members,
                admin,
            });
        }
        let privileges = self.privileges()?;
        let target = self.target()?;
        self.expect("TO")?;
        let grantees = self.roles()?;
        let grantable = self.taken(&["WITH", "GRANT", "OPTION"]);
        self.granted_by()?;
        Ok(Statement::Grant {
            privileges,
            target,
            grantees,
            grantable,
        })
    }

    fn revoke(&mut self) -> Result<Statement> {
        if !self.is_on_object() {
            let admin_only = self.taken(&["ADMIN", "OPTION", "FOR"]);
            let roles = self.names()?;
            self.expect("FROM")?;
            let members = self.roles()?;
            self.granted_by()?;
            self.behavior();
            return Ok(Statement::RevokeRole {
                roles,
                members,
                admin_only,
            });
        }
        let option_only = self.taken(&["GRANT", "OPTION", "FOR"]);
        let privileges = self.privileges()?;
        let target = self.target()?;
        self.expect("FROM")?;
        let grantees = self.roles()?;
        self.granted_by()?;
        let cascade = self.behavior();
        Ok(Statement::Revoke {
            privileges,
            target,
            grantees,
            option_only,
            cascade,
        })
    }

    /// Who grants is who is connected.
    fn granted_by(&mut self) -> Result<()> {
        if !self.taken(&["GRANTED", "BY"]) {
            return Ok(());
        }
        match self.words.upper(self.at).as_str() {
            "CURRENT_USER" | "CURRENT_ROLE" | "SESSION_USER" => {
                self.at += 1;
                Ok(())
            }
            _ => Err(Error::unsupported("grantor must be current user")),
        }
    }

    fn behavior(&mut self) -> bool {
        let cascade = self.taken(&["CASCADE"]);
        if !cascade {
            self.taken(&["RESTRICT"]);
        }
        cascade
    }

    fn privileges(&mut self) -> Result<Privileges> {
        if self.taken(&["ALL"]) {
            self.taken(&["PRIVILEGES"]);
            return Ok(Privileges::All);
        }
        let mut listed = Vec::new();
        loop {
            let at = self.at;
            let word = self.words.upper(at);
            self.at += 1;
            let privilege = match word.as_str() {
                "SELECT" => Privilege::Select,
                "USAGE" | "CONNECT" => Privilege::Usage,
                "CREATE" => Privilege::Create,
                "INSERT" | "UPDATE" | "DELETE" | "TRUNCATE" | "REFERENCES" | "TRIGGER"
                | "MAINTAIN" | "TEMPORARY" | "TEMP" | "EXECUTE" => {
                    return Err(Error::unsupported(format!(
                        "privilege {word} cannot be granted"
                    ))
                    .with_hint(
                        "Sources are read only: the privileges are SELECT, USAGE (CONNECT) and CREATE.",
                    ));
                }
                _ => {
                    return Err(self
                        .words
                        .error_at(at, &format!("unrecognized privilege type \"{word}\""))
                        .with_hint("The privileges are SELECT, USAGE (CONNECT) and CREATE."));
                }
            };
            let columns = if self.words.is_open(self.at) {
                self.at += 1;
                let columns = self.names()?;
                if !self.words.is_close(self.at) {
                    return Err(self.words.unexpected(self.at));
                }
                self.at += 1;
                columns
            } else {
                Vec::new()
            };
            listed.push((privilege, columns));
            if !self.words.is_comma(self.at) {
                return Ok(Privileges::Listed(listed));
            }
            self.at += 1;
        }
    }

    fn target(&mut self) -> Result<Target> {
        self.expect("ON")?;
        if self.taken(&["ALL", "TABLES", "IN", "SCHEMA"]) {
            return Ok(Target::AllTablesIn(self.paths()?));
        }
        if self.taken(&["SCHEMA"]) {
            return Ok(Target::Schemas(self.paths()?));
        }
        if self.taken(&["CATALOG"]) || self.taken(&["DATABASE"]) {
            return Ok(Target::Catalogs(self.names()?));
        }
        let other = self.words.upper(self.at);
        let known = [
            "SEQUENCE",
            "FUNCTION",
            "PROCEDURE",
            "ROUTINE",
            "LANGUAGE",
            "LARGE",
            "TABLESPACE",
            "TYPE",
            "DOMAIN",
            "FOREIGN",
            "PARAMETER",
        ];
        if known.contains(&other.as_str())
            && self.words.token(self.at + 1).is_some()
            && !matches!(self.words.upper(self.at + 1).as_str(), "TO" | "FROM")
        {
            return Err(Error::unsupported(format!(
                "privileges on {} are not supported",
                other.to_lowercase()
            )));
        }
        self.taken(&["TABLE"]);
        Ok(Target::Relations(self.paths()?))
    }
}
