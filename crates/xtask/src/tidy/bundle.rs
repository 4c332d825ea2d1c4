//! Every kind of source is in the bundle: a folder in `connectors/` that the binary does not know
//! would be dead code that looks alive.

use super::{Problem, Workspace};

const MANIFEST: &str = "connectors/bundle/Cargo.toml";
const REGISTRY: &str = "connectors/bundle/src/lib.rs";

pub fn check(workspace: &Workspace) -> Vec<Problem> {
    let bundle = workspace.packages.iter().find(|p| p.manifest == MANIFEST);
    let registry = workspace.file(REGISTRY).map_or("", |file| &file.text);
    let mut problems = Vec::new();
    for package in &workspace.packages {
        let is_source = package.manifest.starts_with("connectors/") && package.manifest != MANIFEST;
        if !is_source {
            continue;
        }
        let name = &package.name;
        if !bundle.is_some_and(|b| b.dependencies.iter().any(|d| d.ships && d.name == *name)) {
            problems.push(Problem::new(
                MANIFEST,
                format!("{name} is not among the dependencies"),
                format!("Add `{name} = {{ workspace = true }}` to [dependencies]."),
            ));
        }
        let path = name.replace('-', "_");
        if !registry.contains(&format!("{path}::")) {
            problems.push(Problem::new(
                REGISTRY,
                format!("{name} is not registered"),
                format!("Add the connector of `{path}` to the list."),
            ));
        }
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::super::{Dependency, Package, SourceFile};
    use super::*;

    fn package(manifest: &str, name: &str, dependencies: &[&str]) -> Package {
        Package {
            name: name.to_owned(),
            manifest: manifest.to_owned(),
            dependencies: dependencies
                .iter()
                .map(|name| Dependency {
                    name: (*name).to_owned(),
                    ships: true,
                    path: None,
                })
                .collect(),
        }
    }

    #[test]
    fn a_source_is_a_dependency_of_the_bundle_and_named_in_it() {
        let mut workspace = Workspace {
            packages: vec![
                package("connectors/foo/Cargo.toml", "inflowave-foo", &[]),
                package(MANIFEST, "inflowave-bundle", &["inflowave-foo"]),
            ],
            files: vec![SourceFile {
                path: REGISTRY.to_owned(),
                text: "pub const ALL: &[&dyn Connector] = &[&inflowave_foo::CONNECTOR];".to_owned(),
            }],
            ..Workspace::default()
        };
        assert_eq!(check(&workspace), []);

        workspace
            .packages
            .push(package("connectors/bar/Cargo.toml", "inflowave-bar", &[]));
        let wrong: Vec<_> = check(&workspace).into_iter().map(|p| p.wrong).collect();
        assert_eq!(
            wrong,
            [
                "inflowave-bar is not among the dependencies",
                "inflowave-bar is not registered"
            ]
        );
    }
}
