//! Roles, memberships and grants, and what follows from them. Pure.

use std::collections::{BTreeMap, BTreeSet};

use inflowave_engine::{GrantInfo, MembershipInfo, Object, PUBLIC, Privilege, RoleInfo};
use inflowave_metastore::Transaction;
use inflowave_types::Result;

use crate::scram::Verifier;
use crate::store;

/// The server's own catalog and the schema of its views: everybody may connect to it.
const OWN: (&str, &str) = ("inflowave", "public");

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Role {
    pub name: String,
    pub superuser: bool,
    pub login: bool,
    pub inherit: bool,
    pub create_role: bool,
    pub create_catalog: bool,
    pub bypass_policies: bool,
    pub connection_limit: Option<u32>,
    /// In microseconds since 1970.
    pub valid_until: Option<i64>,
    pub verifier: Option<Verifier>,
}

impl Role {
    /// With PostgreSQL's defaults.
    pub fn new(name: String, login: bool) -> Role {
        Role {
            name,
            superuser: false,
            login,
            inherit: true,
            create_role: false,
            create_catalog: false,
            bypass_policies: false,
            connection_limit: None,
            valid_until: None,
            verifier: None,
        }
    }

    pub fn info(&self) -> RoleInfo {
        RoleInfo {
            name: self.name.clone(),
            superuser: self.superuser,
            login: self.login,
            inherit: self.inherit,
            create_role: self.create_role,
            create_catalog: self.create_catalog,
            bypass_policies: self.bypass_policies,
            connection_limit: self.connection_limit,
            valid_until: self.valid_until,
            has_password: self.verifier.is_some(),
        }
    }
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Model {
    pub roles: BTreeMap<String, Role>,
    pub memberships: Vec<MembershipInfo>,
    pub grants: Vec<GrantInfo>,
}

impl Model {
    /// # Errors
    /// Of the store.
    pub fn read(t: &Transaction) -> Result<Model> {
        let roles = store::roles(t)?.into_iter();
        Ok(Model {
            roles: roles.map(|r| (r.name.clone(), r)).collect(),
            memberships: store::memberships(t)?,
            grants: store::grants(t)?,
        })
    }

    /// The superuser of the configuration. The password that it gives holds, whatever SQL has set.
    pub fn put_superuser(&mut self, name: &str, verifier: Option<&Verifier>) {
        let role = self
            .roles
            .entry(name.to_owned())
            .or_insert_with(|| Role::new(name.to_owned(), true));
        (role.superuser, role.login) = (true, true);
        if let Some(verifier) = verifier {
            role.verifier = Some(verifier.clone());
        }
    }

    pub fn is_superuser(&self, role: &str) -> bool {
        self.roles.get(role).is_some_and(|r| r.superuser)
    }

    /// `role` and all that it is a member of; over roles that inherit only, if `inheriting`.
    fn above(&self, role: &str, inheriting: bool) -> BTreeSet<&str> {
        let mut found = BTreeSet::new();
        let Some((role, _)) = self.roles.get_key_value(role) else {
            return found;
        };
        let mut open = vec![role.as_str()];
        while let Some(role) = open.pop() {
            let goes_on = !inheriting || self.roles.get(role).is_some_and(|r| r.inherit);
            if found.insert(role) && goes_on {
                let above = self.memberships.iter().filter(|m| m.member == role);
                open.extend(above.map(|m| m.role.as_str()));
            }
        }
        found
    }

    pub fn is_member(&self, role: &str, of: &str) -> bool {
        self.is_superuser(role) || self.above(role, false).contains(of)
    }

    /// Is it a member by memberships alone?
    pub fn is_member_of(&self, role: &str, of: &str) -> bool {
        self.above(role, false).contains(of)
    }

    pub fn inherits(&self, role: &str, of: &str) -> bool {
        self.is_superuser(role) || self.above(role, true).contains(of)
    }

    /// May `role` give membership in `of` to others?
    pub fn is_admin(&self, role: &str, of: &str) -> bool {
        let above = self.above(role, false);
        let mut memberships = self.memberships.iter();
        self.is_superuser(role)
            || memberships.any(|m| m.role == of && m.admin && above.contains(m.member.as_str()))
    }

    /// Was the privilege granted on the object itself, to the role or to one whose privileges it has?
    fn has(&self, role: &str, privilege: Privilege, object: &Object) -> bool {
        if !self.roles.contains_key(role) {
            return false;
        }
        let above = self.above(role, true);
        let mut grants = self.grants.iter();
        grants.any(|g| {
            g.privilege == privilege
                && g.object == *object
                && (g.grantee == PUBLIC || above.contains(g.grantee.as_str()))
        })
    }

    /// May `role` grant the privilege on the object?
    pub fn may_grant(&self, role: &str, privilege: Privilege, object: &Object) -> bool {
        let above = self.above(role, true);
        let mut grants = self.grants.iter();
        self.is_superuser(role)
            || grants.any(|g| {
                g.privilege == privilege
                    && g.grantable
                    && (g.object == *object || holds(&g.object, object))
                    && above.contains(g.grantee.as_str())
            })
    }

    pub fn allows(&self, role: &str, privilege: Privilege, object: &Object) -> bool {
        if self.is_superuser(role) {
            return true;
        }
        if !self.roles.contains_key(role) {
            return false;
        }
        let (own, public) = OWN;
        match (privilege, object) {
            // Everybody may connect to the server itself, and look at which views there are.
            (Privilege::Usage, Object::Catalog(catalog)) if catalog == own => true,
            (Privilege::Usage, Object::Schema(catalog, schema))
                if catalog == own && schema == public =>
            {
                true
            }
            (Privilege::Usage, Object::Catalog(_)) => {
                self.has(role, Privilege::Usage, object) || self.reads_within(role, object)
            }
            (Privilege::Usage, Object::Schema(..)) => {
                self.has(role, Privilege::Usage, object) || self.reads_all(role, object)
            }
            (Privilege::Select, _) => self.reads_all(role, object),
            _ => self.has(role, privilege, object),
        }
    }

    /// `SELECT` on the object, or on what it stands in.
    fn reads_all(&self, role: &str, object: &Object) -> bool {
        let mut object = Some(object.clone());
        while let Some(now) = object {
            if self.has(role, Privilege::Select, &now) {
                return true;
            }
            object = container(&now);
        }
        false
    }

    /// `SELECT` on a whole catalog, or on a whole schema of it.
    fn reads_within(&self, role: &str, catalog: &Object) -> bool {
        let mut wholes = self.grants.iter().filter(|g| {
            g.privilege == Privilege::Select
                && matches!(g.object, Object::Catalog(_) | Object::Schema(..))
                && g.object.catalog() == catalog.catalog()
        });
        wholes.any(|g| self.has(role, Privilege::Select, &g.object))
    }

    pub fn allows_any_column(&self, role: &str, relation: &[String; 3]) -> bool {
        let mut columns = self.grants.iter().filter(|g| {
            matches!(&g.object, Object::Column(path, _) if path == relation)
                && g.privilege == Privilege::Select
        });
        self.allows(role, Privilege::Select, &Object::Relation(relation.clone()))
            || columns.any(|g| self.has(role, Privilege::Select, &g.object))
    }
}

/// What an object stands in.
fn container(object: &Object) -> Option<Object> {
    match object {
        Object::Catalog(_) => None,
        Object::Schema(catalog, _) => Some(Object::Catalog(catalog.clone())),
        Object::Relation([catalog, schema, _]) => {
            Some(Object::Schema(catalog.clone(), schema.clone()))
        }
        Object::Column(path, _) => Some(Object::Relation(path.clone())),
    }
}

/// Does `object` stand in `outer`?
fn holds(outer: &Object, object: &Object) -> bool {
    let mut now = container(object);
    while let Some(object) = now {
        if object == *outer {
            return true;
        }
        now = container(&object);
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn model(grants: &[(Object, Privilege, &str)]) -> Model {
        let role = |name: &str, inherit: bool| {
            let role = Role {
                inherit,
                ..Role::new(name.to_owned(), true)
            };
            (name.to_owned(), role)
        };
        let membership = |role: &str, member: &str, admin| MembershipInfo {
            role: role.to_owned(),
            member: member.to_owned(),
            grantor: "root".to_owned(),
            admin,
        };
        let mut model = Model {
            roles: [
                role("ann", true),
                role("bob", true),
                role("cy", false),
                role("readers", true),
                role("all", true),
            ]
            .into(),
            memberships: vec![
                membership("readers", "ann", false),
                membership("readers", "cy", true),
                membership("all", "readers", false),
            ],
            grants: Vec::new(),
        };
        model.grants = grants
            .iter()
            .map(|(object, privilege, grantee)| GrantInfo {
                object: object.clone(),
                privilege: *privilege,
                grantee: (*grantee).to_owned(),
                grantor: "root".to_owned(),
                grantable: false,
            })
            .collect();
        model
    }

    fn path(name: &str) -> [String; 3] {
        ["shop", "sales", name].map(str::to_owned)
    }

    fn table(name: &str) -> Object {
        Object::Relation(path(name))
    }

    #[test]
    fn nothing_is_allowed_that_was_not_granted() {
        let model = model(&[]);
        for object in [Object::Catalog("shop".into()), table("t")] {
            for privilege in [Privilege::Usage, Privilege::Select, Privilege::Create] {
                assert!(!model.allows("ann", privilege, &object));
            }
        }
        assert!(model.allows(
            "ann",
            Privilege::Usage,
            &Object::Catalog("inflowave".into())
        ));
        assert!(!model.allows(
            "nobody",
            Privilege::Usage,
            &Object::Catalog("inflowave".into())
        ));
    }

    #[test]
    fn members_have_what_their_roles_have_unless_they_do_not_inherit() {
        let model = model(&[(table("t"), Privilege::Select, "all")]);
        let reads = |role| model.allows(role, Privilege::Select, &table("t"));
        assert!(reads("ann") && reads("readers") && reads("all"));
        assert!(!reads("bob") && !reads("cy"));
        assert!(model.is_member("cy", "all") && !model.inherits("cy", "all"));
        assert!(!model.is_member("all", "ann"));
        assert!(model.is_admin("cy", "readers") && !model.is_admin("ann", "readers"));
    }

    #[test]
    fn a_grant_on_a_whole_holds_for_its_parts() {
        let schema = Object::Schema("shop".into(), "sales".into());
        let model = model(&[(schema.clone(), Privilege::Select, PUBLIC)]);
        assert!(model.allows("bob", Privilege::Select, &table("t")));
        assert!(model.allows(
            "bob",
            Privilege::Select,
            &Object::Column(path("t"), "a".into())
        ));
        assert!(model.allows("bob", Privilege::Usage, &schema));
        assert!(model.allows("bob", Privilege::Usage, &Object::Catalog("shop".into())));
        let other = Object::Schema("shop".into(), "other".into());
        assert!(!model.allows("bob", Privilege::Usage, &other));
        assert!(!model.allows("bob", Privilege::Select, &Object::Catalog("shop".into())));
    }

    #[test]
    fn a_column_is_not_its_table() {
        let model = model(&[(
            Object::Column(path("t"), "a".into()),
            Privilege::Select,
            "bob",
        )]);
        assert!(!model.allows("bob", Privilege::Select, &table("t")));
        assert!(model.allows_any_column("bob", &path("t")));
        assert!(!model.allows_any_column("bob", &path("u")));
        assert!(!model.allows(
            "bob",
            Privilege::Select,
            &Object::Column(path("t"), "b".into())
        ));
    }
}
