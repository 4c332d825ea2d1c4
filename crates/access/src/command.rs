//! What the statements do: who may, what is written.

use std::collections::BTreeSet;
use std::sync::Arc;

use async_trait::async_trait;
use inflowave_engine::{
    Command, GrantInfo, MembershipInfo, Object, PUBLIC, Privilege, StatementView,
};
use inflowave_metastore::Transaction;
use inflowave_query_api::{Notice, Severity};
use inflowave_types::{Error, Result, SqlState};

use crate::Access;
use crate::model::{Model, Role};
use crate::objects::{owner, owns_nothing, resolved};
use crate::parse::{RoleOption, Statement};
use crate::scram::Verifier;
use crate::store;

#[derive(Debug)]
pub(crate) struct AccessCommand {
    pub access: Arc<Access>,
    pub statement: Statement,
}

#[async_trait]
impl Command for AccessCommand {
    fn tag(&self) -> &'static str {
        match &self.statement {
            Statement::CreateRole { .. } => "CREATE ROLE",
            Statement::AlterRole { .. } | Statement::RenameRole { .. } => "ALTER ROLE",
            Statement::DropRole { .. } => "DROP ROLE",
            Statement::GrantRole { .. } => "GRANT ROLE",
            Statement::RevokeRole { .. } => "REVOKE ROLE",
            Statement::Grant { .. } => "GRANT",
            Statement::Revoke { .. } => "REVOKE",
        }
    }

    fn shown(&self, sql: &str) -> String {
        match &self.statement {
            // A password stands in them.
            Statement::CreateRole { name, .. } => format!("CREATE ROLE \"{name}\" .."),
            Statement::AlterRole { name, .. } => format!("ALTER ROLE \"{name}\" .."),
            _ => sql.to_owned(),
        }
    }

    async fn run(&self, view: &StatementView) -> Result<Vec<Notice>> {
        let by = By {
            role: view.role().to_owned(),
            user: view.user().to_owned(),
        };
        let objects = match &self.statement {
            Statement::Grant {
                privileges, target, ..
            }
            | Statement::Revoke {
                privileges, target, ..
            } => resolved(view, privileges, target).await?,
            _ => Vec::new(),
        };
        let owners: Vec<Option<String>> = objects
            .iter()
            .map(|(_, object)| owner(view, object))
            .collect();
        if let Statement::DropRole { names, .. } = &self.statement {
            owns_nothing(view, names)?;
        }
        let (access, statement) = (Arc::clone(&self.access), self.statement.clone());
        let work = move || {
            let mut notices = Vec::new();
            access.change(|model, t| {
                let change = Change {
                    model,
                    t,
                    by: &by,
                    configured: access
                        .superusers
                        .iter()
                        .map(|(name, _)| name.as_str())
                        .collect(),
                };
                change.run(&statement, &objects, &owners, &mut notices)
            })?;
            Ok(notices)
        };
        let done = view.io().spawn_blocking(work).await;
        done.unwrap_or_else(|_| Err(Error::internal("the task that writes the metastore died")))
    }
}

/// Who does it.
struct By {
    /// The current role.
    role: String,
    /// The user of the session.
    user: String,
}

impl By {
    /// A role as a statement names it.
    fn resolve<'a>(&'a self, name: &'a str) -> &'a str {
        match name {
            "current_user" | "current_role" => &self.role,
            "session_user" => &self.user,
            name => name,
        }
    }
}

/// One statement within its transaction.
struct Change<'a> {
    model: &'a Model,
    t: &'a Transaction<'a>,
    by: &'a By,
    /// The superusers of the configuration.
    configured: Vec<&'a str>,
}

impl Change<'_> {
    fn run(
        &self,
        statement: &Statement,
        objects: &[(Privilege, Object)],
        owners: &[Option<String>],
        notices: &mut Vec<Notice>,
    ) -> Result<()> {
        match statement {
            Statement::CreateRole {
                name,
                user,
                options,
            } => self.create(name, *user, options),
            Statement::AlterRole { name, options } => self.alter(name, options),
            Statement::RenameRole { name, to } => self.rename(name, to),
            Statement::DropRole { names, if_exists } => {
                for name in names {
                    self.drop(name, *if_exists, notices)?;
                }
                Ok(())
            }
            Statement::GrantRole {
                roles,
                members,
                admin,
            } => self.grant_roles(roles, members, *admin),
            Statement::RevokeRole {
                roles,
                members,
                admin_only,
            } => self.revoke_roles(roles, members, *admin_only),
            Statement::Grant {
                grantees,
                grantable,
                ..
            } => self.grant(objects, owners, grantees, *grantable),
            Statement::Revoke {
                grantees,
                option_only,
                cascade,
                ..
            } => self.revoke(objects, owners, grantees, *option_only, *cascade),
        }
    }

    fn is_superuser(&self) -> bool {
        self.model.is_superuser(&self.by.role)
    }

    fn role(&self, name: &str) -> Result<&Role> {
        let name = self.by.resolve(name);
        self.model.roles.get(name).ok_or_else(|| {
            Error::new(
                SqlState::UndefinedObject,
                format!("role \"{name}\" does not exist"),
            )
        })
    }

    /// Roles are made and changed by superusers and by those that may make roles; superusers by
    /// superusers only.
    fn manages(&self, to: &str, superuser: bool) -> Result<()> {
        let own = self.model.roles.get(&self.by.role);
        let may = own.is_some_and(|r| r.superuser || (r.create_role && !superuser));
        match may {
            true => Ok(()),
            false if superuser => Err(denied(format!("must be superuser to {to} superusers"))),
            false => Err(denied(format!("permission denied to {to} role"))),
        }
    }

    fn create(&self, name: &str, user: bool, options: &[RoleOption]) -> Result<()> {
        let mut role = Role::new(name.to_owned(), user);
        apply(&mut role, options)?;
        self.manages("create", role.superuser || role.bypass_policies)?;
        if self.model.roles.contains_key(name) {
            return Err(Error::new(
                SqlState::DuplicateObject,
                format!("role \"{name}\" already exists"),
            ));
        }
        store::put_role(self.t, &role)?;
        let membership = |role: &str, member: &str, admin| MembershipInfo {
            role: role.to_owned(),
            member: member.to_owned(),
            grantor: self.by.role.clone(),
            admin,
        };
        for option in options {
            match option {
                RoleOption::InRoles(roles) => {
                    for above in roles {
                        let above = &self.role(above)?.name;
                        self.may_give(above)?;
                        store::put_membership(self.t, &membership(above, name, false))?;
                    }
                }
                RoleOption::Members(members, admin) => {
                    for member in members {
                        let member = &self.role(member)?.name;
                        store::put_membership(self.t, &membership(name, member, *admin))?;
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn alter(&self, name: &str, options: &[RoleOption]) -> Result<()> {
        let old = self.role(name)?;
        let mut role = old.clone();
        apply(&mut role, options)?;
        // Everybody may change their own password.
        let own_password = old.name == self.by.role && matches!(options, [RoleOption::Password(_)]);
        if !own_password {
            let superuser = old.superuser || role.superuser;
            let policies = old.bypass_policies != role.bypass_policies;
            self.manages("alter", superuser || policies)?;
        }
        if self.configured.contains(&old.name.as_str()) && !(role.superuser && role.login) {
            return Err(configured(&old.name));
        }
        store::put_role(self.t, &role)
    }

    fn rename(&self, name: &str, to: &str) -> Result<()> {
        let old = self.role(name)?;
        if old.name == self.by.user {
            return Err(Error::unsupported("session user cannot be renamed"));
        }
        self.manages("rename", old.superuser)?;
        if self.configured.contains(&old.name.as_str()) {
            return Err(configured(&old.name));
        }
        if self.model.roles.contains_key(to) {
            return Err(Error::new(
                SqlState::DuplicateObject,
                format!("role \"{to}\" already exists"),
            ));
        }
        store::rename_role(self.t, &old.name, to)
    }

    fn drop(&self, name: &str, if_exists: bool, notices: &mut Vec<Notice>) -> Result<()> {
        let role = match self.role(name) {
            Ok(role) => role,
            Err(_) if if_exists => {
                notices.push(Notice {
                    severity: Severity::Notice,
                    sqlstate: SqlState::SuccessfulCompletion,
                    message: format!("role \"{name}\" does not exist, skipping"),
                });
                return Ok(());
            }
            Err(error) => return Err(error),
        };
        self.manages("drop", role.superuser)?;
        if role.name == self.by.role || role.name == self.by.user {
            return Err(Error::new(
                SqlState::ObjectInUse,
                "current user cannot be dropped",
            ));
        }
        if self.configured.contains(&role.name.as_str()) {
            return Err(configured(&role.name));
        }
        let granted = self
            .model
            .grants
            .iter()
            .filter(|g| g.grantee == role.name || g.grantor == role.name);
        let granted: BTreeSet<String> = granted.map(|g| g.object.to_string()).collect();
        if !granted.is_empty() {
            let listed: Vec<String> = granted.into_iter().take(20).collect();
            return Err(Error::new(
                SqlState::DependentObjectsStillExist,
                format!(
                    "role \"{}\" cannot be dropped because some objects depend on it",
                    role.name
                ),
            )
            .with_detail(format!(
                "It has or gave privileges on {}.",
                listed.join(", ")
            ))
            .with_hint("REVOKE them first."));
        }
        store::drop_role(self.t, &role.name)
    }

    fn may_give(&self, role: &str) -> Result<()> {
        let own = self.model.roles.get(&self.by.role);
        let creates = own.is_some_and(|r| r.create_role) && !self.model.is_superuser(role);
        if creates || self.model.is_admin(&self.by.role, role) {
            return Ok(());
        }
        Err(denied(format!("must have admin option on role \"{role}\"")))
    }

    fn grant_roles(&self, roles: &[String], members: &[String], admin: bool) -> Result<()> {
        for role in roles {
            let role = &self.role(role)?.name;
            self.may_give(role)?;
            for member in members {
                let member = &self.role(member)?.name;
                if self.model.is_member_of(role, member) {
                    return Err(Error::new(
                        SqlState::InvalidGrantOperation,
                        format!("role \"{role}\" is a member of role \"{member}\""),
                    ));
                }
                let mut before = self.model.memberships.iter();
                let had = before.any(|m| m.role == *role && m.member == *member && m.admin);
                store::put_membership(
                    self.t,
                    &MembershipInfo {
                        role: role.clone(),
                        member: member.clone(),
                        grantor: self.by.role.clone(),
                        admin: admin || had,
                    },
                )?;
            }
        }
        Ok(())
    }

    fn revoke_roles(&self, roles: &[String], members: &[String], admin_only: bool) -> Result<()> {
        for role in roles {
            let role = &self.role(role)?.name;
            self.may_give(role)?;
            for member in members {
                let member = &self.role(member)?.name;
                let mut memberships = self.model.memberships.iter();
                let Some(held) = memberships.find(|m| m.role == *role && m.member == *member)
                else {
                    continue;
                };
                if admin_only {
                    let without = MembershipInfo {
                        admin: false,
                        ..held.clone()
                    };
                    store::put_membership(self.t, &without)?;
                } else {
                    store::drop_membership(self.t, role, member)?;
                }
            }
        }
        Ok(())
    }

    fn grantee(&self, name: &str) -> Result<String> {
        if name == PUBLIC {
            return Ok(PUBLIC.to_owned());
        }
        Ok(self.role(name)?.name.clone())
    }

    /// In whose name the current role grants: the owner's, where it has the owner's privileges.
    fn grantor(
        &self,
        privilege: Privilege,
        object: &Object,
        owner: Option<&String>,
    ) -> Result<String> {
        if let Some(owner) = owner
            && self.model.inherits(&self.by.role, owner)
        {
            return Ok(owner.clone());
        }
        if self.is_superuser() || self.model.may_grant(&self.by.role, privilege, object) {
            return Ok(self.by.role.clone());
        }
        Err(inflowave_engine::denied(privilege, object))
    }

    fn grant(
        &self,
        objects: &[(Privilege, Object)],
        owners: &[Option<String>],
        grantees: &[String],
        grantable: bool,
    ) -> Result<()> {
        for ((privilege, object), owner) in objects.iter().zip(owners) {
            let grantor = self.grantor(*privilege, object, owner.as_ref())?;
            for grantee in grantees {
                let grantee = self.grantee(grantee)?;
                if grantable && grantee == PUBLIC {
                    return Err(Error::new(
                        SqlState::InvalidGrantOperation,
                        "grant options can only be granted to roles",
                    ));
                }
                let same = |g: &&GrantInfo| {
                    g.object == *object
                        && g.privilege == *privilege
                        && g.grantee == grantee
                        && g.grantor == grantor
                };
                let had = self
                    .model
                    .grants
                    .iter()
                    .find(same)
                    .is_some_and(|g| g.grantable);
                let grant = GrantInfo {
                    object: object.clone(),
                    privilege: *privilege,
                    grantee: grantee.clone(),
                    grantor: grantor.clone(),
                    grantable: grantable || had,
                };
                store::put_grant(self.t, &grant)?;
            }
        }
        Ok(())
    }

    fn revoke(
        &self,
        objects: &[(Privilege, Object)],
        owners: &[Option<String>],
        grantees: &[String],
        option_only: bool,
        cascade: bool,
    ) -> Result<()> {
        for ((privilege, object), owner) in objects.iter().zip(owners) {
            let grantor = self.grantor(*privilege, object, owner.as_ref())?;
            for grantee in grantees {
                let grantee = self.grantee(grantee)?;
                // A superuser takes away whatever anybody gave, an owner and others what they did.
                let own = |g: &&GrantInfo| {
                    g.privilege == *privilege
                        && g.grantee == grantee
                        && (g.grantor == grantor || self.is_superuser())
                        && is_or_is_column_of(&g.object, object)
                };
                let gone: Vec<GrantInfo> = self.model.grants.iter().filter(own).cloned().collect();
                self.take(gone, option_only, cascade)?;
            }
        }
        Ok(())
    }

    /// Takes grants away, and with them those that stand on them.
    fn take(&self, first: Vec<GrantInfo>, option_only: bool, cascade: bool) -> Result<()> {
        let mut open = first;
        let mut done: Vec<GrantInfo> = Vec::new();
        let mut outermost = true;
        while !open.is_empty() {
            let mut next = Vec::new();
            for grant in open {
                if done.contains(&grant) {
                    continue;
                }
                let standing = self.model.grants.iter().filter(|g| {
                    grant.grantable
                        && g.grantor == grant.grantee
                        && g.privilege == grant.privilege
                        && is_or_is_column_of(&g.object, &grant.object)
                });
                let standing: Vec<GrantInfo> = standing.cloned().collect();
                if !standing.is_empty() && !cascade {
                    return Err(Error::new(
                        SqlState::DependentObjectsStillExist,
                        "dependent privileges exist",
                    )
                    .with_hint("Use CASCADE to revoke them too."));
                }
                next.extend(standing);
                match option_only && outermost {
                    true => {
                        let without = GrantInfo {
                            grantable: false,
                            ..grant.clone()
                        };
                        store::put_grant(self.t, &without)?;
                    }
                    false => store::drop_grant(self.t, &grant)?,
                }
                done.push(grant);
            }
            open = next;
            outermost = false;
        }
        Ok(())
    }
}

/// `REVOKE` on a table takes what was granted on its columns, too.
fn is_or_is_column_of(granted: &Object, object: &Object) -> bool {
    granted == object
        || matches!((granted, object), (Object::Column(path, _), Object::Relation(of)) if path == of)
}

fn apply(role: &mut Role, options: &[RoleOption]) -> Result<()> {
    for option in options {
        match option {
            RoleOption::Superuser(on) => role.superuser = *on,
            RoleOption::Login(on) => role.login = *on,
            RoleOption::Inherit(on) => role.inherit = *on,
            RoleOption::CreateRole(on) => role.create_role = *on,
            RoleOption::CreateCatalog(on) => role.create_catalog = *on,
            RoleOption::BypassPolicies(on) => role.bypass_policies = *on,
            RoleOption::ConnectionLimit(n) if *n < -1 => {
                return Err(Error::new(
                    SqlState::InvalidParameterValue,
                    format!("invalid connection limit: {n}"),
                ));
            }
            RoleOption::ConnectionLimit(n) => role.connection_limit = u32::try_from(*n).ok(),
            RoleOption::Password(None) => role.verifier = None,
            RoleOption::Password(Some(password)) => {
                role.verifier = Some(Verifier::of_password(password)?);
            }
            RoleOption::ValidUntil(text) => role.valid_until = until(text)?,
            RoleOption::InRoles(_) | RoleOption::Members(..) => {}
        }
    }
    Ok(())
}

/// Microseconds since 1970, in UTC where no zone is given; `None` for `infinity`.
fn until(text: &str) -> Result<Option<i64>> {
    use chrono::{DateTime, NaiveDate, NaiveDateTime};
    let text = text.trim();
    if text.eq_ignore_ascii_case("infinity") {
        return Ok(None);
    }
    let with_zone = ["%Y-%m-%d %H:%M:%S%.f%#z", "%Y-%m-%dT%H:%M:%S%.f%#z"];
    for format in with_zone {
        if let Ok(time) = DateTime::parse_from_str(text, format) {
            return Ok(Some(time.timestamp_micros()));
        }
    }
    for format in [
        "%Y-%m-%d %H:%M:%S%.f",
        "%Y-%m-%dT%H:%M:%S%.f",
        "%Y-%m-%d %H:%M",
    ] {
        if let Ok(time) = NaiveDateTime::parse_from_str(text, format) {
            return Ok(Some(time.and_utc().timestamp_micros()));
        }
    }
    if let Ok(date) = NaiveDate::parse_from_str(text, "%Y-%m-%d") {
        return Ok(Some(
            date.and_time(chrono::NaiveTime::MIN)
                .and_utc()
                .timestamp_micros(),
        ));
    }
    Err(Error::new(
        SqlState::InvalidDatetimeFormat,
        format!("invalid input syntax for type timestamp with time zone: \"{text}\""),
    )
    .with_hint("Write it as 2027-01-31 12:00:00+00."))
}

fn denied(message: String) -> Error {
    Error::new(SqlState::InsufficientPrivilege, message)
}

fn configured(name: &str) -> Error {
    denied(format!(
        "role \"{name}\" is the superuser of the configuration"
    ))
    .with_hint("Change access.superuser there.")
}
