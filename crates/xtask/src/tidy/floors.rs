//! Floors: a crate imports only from floors below its own, so the way of a query has no way back.
//!
//! The table is the one in `ARCHITECTURE.md`, with a row for every crate that exists. Dependencies
//! of tests are free; the top floor may import anything, its own neighbours too.

use super::{Problem, Workspace};

const FILE: &str = "crates/xtask/src/tidy/floors.rs";
const PREFIX: &str = "inflowave-";
/// Wiring: the only place that sees everything.
const TOP: u8 = 7;

struct Room {
    /// Without the prefix.
    name: &'static str,
    floor: u8,
    /// The only crates of ours that it may import, where that is less than all floors below.
    only: Option<&'static [&'static str]>,
    /// Foreign crates that it must not import; `datafusion*` stands for every crate so begun.
    never: &'static [&'static str],
}

const fn room(floor: u8, name: &'static str, never: &'static [&'static str]) -> Room {
    Room {
        name,
        floor,
        only: None,
        never,
    }
}

const fn walled(
    floor: u8,
    name: &'static str,
    only: &'static [&'static str],
    never: &'static [&'static str],
) -> Room {
    Room {
        name,
        floor,
        only: Some(only),
        never,
    }
}

const NO_DRIVER: &[&str] = &["rusqlite", "tokio-postgres", "mysql_async", "pgwire"];
const SOURCE: &[&str] = &["types", "connector-api", "dialect"];
const PROTOCOL: &[&str] = &["types", "config", "query-api"];
/// A source and a protocol do not know the engine, under its other name either.
const NO_ENGINE: &[&str] = &["datafusion"];
const NO_DATAFUSION: &[&str] = &["datafusion*", "rusqlite", "tokio-postgres", "mysql_async"];

const ROOMS: &[Room] = &[
    room(0, "types", &["datafusion*", "arrow*", "tokio*"]),
    room(1, "config", &["datafusion*", "arrow*", "tokio*"]),
    room(1, "telemetry", &["datafusion*", "arrow*", "tokio*"]),
    room(
        1,
        "connector-api",
        &[
            "datafusion",
            "rusqlite",
            "tokio-postgres",
            "mysql_async",
            "pgwire",
        ],
    ),
    room(1, "query-api", NO_DATAFUSION),
    room(
        2,
        "dialect",
        &["tokio*", "rusqlite", "mysql_async", "pgwire"],
    ),
    room(2, "pg-semantics", NO_DRIVER),
    // Its store is SQLite; it knows neither sources nor queries.
    walled(
        2,
        "metastore",
        &["types"],
        &["datafusion*", "arrow*", "tokio*", "mysql_async", "pgwire"],
    ),
    // It asks as a client does.
    walled(2, "verify", &["types", "query-api"], NO_DATAFUSION),
    room(3, "federation", NO_DRIVER),
    walled(3, "sqlite", SOURCE, NO_ENGINE),
    // Its tables are DataFusion's own: it is native.
    walled(3, "files", SOURCE, &[]),
    walled(3, "postgres", SOURCE, NO_ENGINE),
    walled(3, "mysql", SOURCE, NO_ENGINE),
    room(4, "engine", NO_DRIVER),
    room(5, "testkit", &[]),
    room(5, "pg-catalog", NO_DRIVER),
    room(5, "access", NO_DRIVER),
    walled(6, "pg-frontend", PROTOCOL, NO_DATAFUSION),
    room(TOP, "bundle", &[]),
    room(TOP, "server", &[]),
    room(TOP, "xtask", &[]),
    room(TOP, "tests", &[]),
    room(TOP, "benches", &[]),
];

/// Crates for tests only: what ships must not import them.
const FOR_TESTS: &[&str] = &["testkit"];
const MAY_TEST: &[&str] = &["tests", "benches"];

pub fn check(workspace: &Workspace) -> Vec<Problem> {
    let mut problems = Vec::new();
    for package in &workspace.packages {
        let manifest = &package.manifest;
        let Some(own) = package.name.strip_prefix(PREFIX) else {
            problems.push(Problem::new(
                manifest,
                format!("the package is called {}", package.name),
                format!("A package of this workspace is called {PREFIX}NAME, its folder NAME."),
            ));
            continue;
        };
        let Some(own) = find(own) else {
            problems.push(Problem::new(
                manifest,
                format!("{own} stands on no floor"),
                format!("Add a row for it to ROOMS in {FILE} and to the table in ARCHITECTURE.md."),
            ));
            continue;
        };
        for dependency in package.dependencies.iter().filter(|d| d.ships) {
            let broken = match dependency.name.strip_prefix(PREFIX) {
                Some(other) => ours(own, other),
                None => foreign(own, &dependency.name),
            };
            if let Some((wrong, right)) = broken {
                problems.push(Problem::new(manifest, wrong, right));
            }
        }
    }
    for room in ROOMS {
        let name = format!("{PREFIX}{}", room.name);
        if !workspace.packages.iter().any(|p| p.name == name) {
            problems.push(Problem::new(
                FILE,
                format!(
                    "the table has a row for {}, which does not exist",
                    room.name
                ),
                "Remove the row.",
            ));
        }
    }
    problems
}

fn find(name: &str) -> Option<&'static Room> {
    ROOMS.iter().find(|room| room.name == name)
}

/// What is wrong with `own` importing our crate `other`, if anything.
fn ours(own: &Room, other: &str) -> Option<(String, String)> {
    if FOR_TESTS.contains(&other) && !MAY_TEST.contains(&own.name) {
        return Some((
            format!("{} ships {other}, which is for tests", own.name),
            "Move it to [dev-dependencies].".to_owned(),
        ));
    }
    // A crate without a row is reported by its own manifest.
    let other = find(other)?;
    if own.floor == TOP {
        return None;
    }
    let allowed: Vec<_> = match own.only {
        Some(only) => only.to_vec(),
        None => ROOMS
            .iter()
            .filter(|room| room.floor < own.floor && !FOR_TESTS.contains(&room.name))
            .map(|room| room.name)
            .collect(),
    };
    if allowed.contains(&other.name) {
        return None;
    }
    Some((
        format!(
            "{} (floor {}) imports {} (floor {})",
            own.name, own.floor, other.name, other.floor
        ),
        format!(
            "It may import {} (and anything in [dev-dependencies]).",
            if allowed.is_empty() {
                "nothing of ours".to_owned()
            } else {
                allowed.join(", ")
            }
        ),
    ))
}

/// What is wrong with `own` importing the foreign crate `other`, if anything.
fn foreign(own: &Room, other: &str) -> Option<(String, String)> {
    let banned = own
        .never
        .iter()
        .find(|never| match never.strip_suffix('*') {
            Some(start) => other.starts_with(start),
            None => other == **never,
        })?;
    Some((
        format!("{} imports {other}", own.name),
        format!("It must not know {banned}: see what each crate never does in ARCHITECTURE.md."),
    ))
}

#[cfg(test)]
mod tests {
    use super::super::{Dependency, Package};
    use super::*;

    fn package(name: &str, dependencies: &[&str]) -> Package {
        Package {
            name: format!("{PREFIX}{name}"),
            manifest: format!("crates/{name}/Cargo.toml"),
            dependencies: dependencies
                .iter()
                .map(|dependency| Dependency {
                    name: dependency.trim_start_matches("dev:").to_owned(),
                    ships: !dependency.starts_with("dev:"),
                    path: None,
                })
                .collect(),
        }
    }

    /// What is wrong with one crate, in a workspace that otherwise has every room.
    fn wrong(name: &str, dependencies: &[&str]) -> Vec<String> {
        let mut packages = vec![package(name, dependencies)];
        packages.extend(
            ROOMS
                .iter()
                .filter(|room| room.name != name)
                .map(|room| package(room.name, &[])),
        );
        let workspace = Workspace {
            packages,
            ..Workspace::default()
        };
        check(&workspace).into_iter().map(|p| p.wrong).collect()
    }

    #[test]
    fn a_crate_imports_from_floors_below() {
        assert_eq!(
            wrong("engine", &["inflowave-types", "inflowave-federation"]),
            [""; 0]
        );
        assert_eq!(
            wrong("federation", &["inflowave-engine"]),
            ["federation (floor 3) imports engine (floor 4)"]
        );
    }

    #[test]
    fn neighbours_do_not_import_each_other_but_on_the_top_floor() {
        assert_eq!(
            wrong("pg-semantics", &["inflowave-dialect"]),
            ["pg-semantics (floor 2) imports dialect (floor 2)"]
        );
        assert_eq!(
            wrong("server", &["inflowave-bundle", "inflowave-engine"]),
            [""; 0]
        );
    }

    #[test]
    fn sources_and_protocols_do_not_see_the_engine() {
        assert_eq!(
            wrong("pg-frontend", &["inflowave-query-api", "inflowave-engine"]),
            ["pg-frontend (floor 6) imports engine (floor 4)"]
        );
        assert_eq!(
            wrong("sqlite", &["datafusion"]),
            ["sqlite imports datafusion"]
        );
        assert_eq!(wrong("sqlite", &["datafusion-common", "rusqlite"]), [""; 0]);
        assert_eq!(
            wrong("mysql", &["inflowave-pg-semantics"]),
            ["mysql (floor 3) imports pg-semantics (floor 2)"]
        );
    }

    #[test]
    fn dependencies_of_tests_are_free_and_testkit_is_only_one() {
        assert_eq!(
            wrong("types", &["dev:inflowave-engine", "dev:tokio"]),
            [""; 0]
        );
        assert_eq!(
            wrong("server", &["inflowave-testkit"]),
            ["server ships testkit, which is for tests"]
        );
        assert_eq!(wrong("benches", &["inflowave-testkit"]), [""; 0]);
    }

    #[test]
    fn a_crate_without_a_floor_and_a_floor_without_a_crate_are_told() {
        assert_eq!(wrong("utils", &[]), ["utils stands on no floor"]);
        assert_eq!(
            wrong("types", &["tokio-util"]),
            ["types imports tokio-util"]
        );
        let nothing = check(&Workspace::default());
        assert_eq!(nothing.len(), ROOMS.len());
        assert_eq!(
            nothing[0].wrong,
            "the table has a row for types, which does not exist"
        );
    }
}
