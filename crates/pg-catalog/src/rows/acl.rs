//! Grants as `aclitem` writes them: `grantee=privileges/grantor`.

use inflowave_engine::{Object, PUBLIC, Privilege};

use crate::snapshot::Snapshot;
use crate::value::Value;

/// The grants on an object; NULL where there are none.
pub(super) fn of(snapshot: &Snapshot, object: &Object) -> Value {
    let grants = snapshot.view.authority().grants();
    let mut items: Vec<(String, String, String)> = Vec::new();
    for grant in grants.into_iter().filter(|g| g.object == *object) {
        let letter = match (grant.privilege, object) {
            (Privilege::Select, _) => "r",
            (Privilege::Usage, Object::Catalog(_)) => "c",
            (Privilege::Usage, _) => "U",
            (Privilege::Create, _) => "C",
        };
        let letter = format!("{letter}{}", if grant.grantable { "*" } else { "" });
        let grantee = match grant.grantee.as_str() {
            PUBLIC => String::new(),
            grantee => quoted(grantee),
        };
        let grantor = quoted(&grant.grantor);
        match items
            .iter_mut()
            .find(|(g, _, by)| *g == grantee && *by == grantor)
        {
            Some((_, letters, _)) => letters.push_str(&letter),
            None => items.push((grantee, letter, grantor)),
        }
    }
    if items.is_empty() {
        return Value::Null;
    }
    let items = items.into_iter();
    let items =
        items.map(|(grantee, letters, by)| Value::Text(format!("{grantee}={letters}/{by}")));
    Value::List(items.collect())
}

/// A name with other characters than letters, digits and underscores stands in quotes.
fn quoted(name: &str) -> String {
    match name.chars().all(|c| c.is_alphanumeric() || c == '_') {
        true => name.to_owned(),
        false => format!("\"{}\"", name.replace('"', "\"\"")),
    }
}
