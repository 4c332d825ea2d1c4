//! The metastore's tables in memory: read again after each write, so that they never say what is
//! not on the disk.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use inflowave_metastore::Transaction;
use inflowave_types::{Error, Result, SqlState};

use super::OWN;
use super::comment::Comment;
use super::store::{self, Stored};
use super::view::{self, Used, View};
use crate::authority::Object;

#[derive(Debug, Default)]
pub(crate) struct Kept {
    pub catalogs: BTreeMap<String, Stored>,
    pub views: BTreeMap<String, Arc<View>>,
    pub comments: Vec<Comment>,
}

impl Kept {
    pub fn read(t: &Transaction) -> Result<Kept> {
        let catalogs = store::catalogs(t)?.into_iter();
        let views = store::views(t)?.into_iter();
        Ok(Kept {
            catalogs: catalogs.map(|c| (c.name.clone(), c)).collect(),
            views: views.map(|v| (v.name.clone(), Arc::new(v))).collect(),
            comments: store::comments(t)?,
        })
    }

    /// What was there and is not in `now`.
    pub fn gone(&self, now: &Kept) -> Vec<Object> {
        let catalogs = self
            .catalogs
            .keys()
            .filter(|c| !now.catalogs.contains_key(*c));
        let views = self.views.keys().filter(|v| !now.views.contains_key(*v));
        let views =
            views.map(|v| Object::Relation([OWN.to_owned(), view::SCHEMA.to_owned(), v.clone()]));
        catalogs
            .map(|c| Object::Catalog(c.clone()))
            .chain(views)
            .collect()
    }

    /// The views that stand on what `on` picks, directly or on such a view, sorted.
    pub fn standing(&self, on: impl Fn(&Used) -> bool) -> Vec<String> {
        let mut found: BTreeSet<&str> = BTreeSet::new();
        loop {
            let before = found.len();
            for view in self.views.values() {
                let stands = |u: &Used| on(u) || found.iter().any(|name| u.is_view(name));
                if view.used.iter().any(stands) {
                    found.insert(&view.name);
                }
            }
            if found.len() == before {
                return found.into_iter().map(str::to_owned).collect();
            }
        }
    }
}

/// `2BP01`: views stand on what should go.
pub(crate) fn stood_on(what: &str, verb: &str, views: &[String], hint: &str) -> Error {
    const SHOWN_MAX: usize = 20;
    let mut shown: Vec<String> = views
        .iter()
        .take(SHOWN_MAX)
        .map(|v| format!("inflowave.public.{v}"))
        .collect();
    if views.len() > SHOWN_MAX {
        shown.push(format!("and {} more", views.len() - SHOWN_MAX));
    }
    Error::new(
        SqlState::DependentObjectsStillExist,
        format!("cannot {verb} {what} because views stand on it"),
    )
    .with_detail(format!("The views are: {}.", shown.join(", ")))
    .with_hint(hint)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::OWN;
    use crate::catalog::view::SCHEMA;

    /// A view over relations written `catalog.schema.relation`.
    fn view(name: &str, over: &[&str]) -> (String, Arc<View>) {
        let used = over.iter().map(|path| {
            let parts: Vec<&str> = path.split('.').collect();
            Used {
                catalog: parts[0].to_owned(),
                schema: parts[1].to_owned(),
                relation: parts[2].to_owned(),
                whole: false,
                columns: Vec::new(),
            }
        });
        let view = View {
            name: name.to_owned(),
            query: String::new(),
            default_catalog: String::new(),
            owner: String::new(),
            columns: Vec::new(),
            used: used.collect(),
        };
        (name.to_owned(), Arc::new(view))
    }

    #[test]
    fn what_stands_on_a_thing_is_found_through_views() {
        let own = |name: &str| format!("{OWN}.{SCHEMA}.{name}");
        let kept = Kept {
            views: BTreeMap::from([
                view("a", &["crm.public.t", "lake.files.u"]),
                view("b", &[&own("a")]),
                view("c", &[&own("b"), "lake.files.u"]),
                view("d", &["lake.files.a"]),
            ]),
            ..Kept::default()
        };
        assert_eq!(kept.standing(|u| u.catalog == "crm"), ["a", "b", "c"]);
        assert_eq!(kept.standing(|u| u.catalog == "lake"), ["a", "b", "c", "d"]);
        assert_eq!(kept.standing(|u| u.is_view("b")), ["c"]);
        assert!(kept.standing(|u| u.is_view("c")).is_empty());
        let error = stood_on("view \"a\"", "drop", &["b".to_owned()], "Hint.");
        assert_eq!(error.sqlstate().code(), "2BP01");
        assert_eq!(error.detail(), Some("The views are: inflowave.public.b."));
    }
}
