//! Lints, edition and licence stand once, in the workspace; a dependency by path stays inside it.

use super::{Problem, Workspace};

const INHERITED: [&str; 5] = ["version", "edition", "rust-version", "license", "publish"];

pub fn check(workspace: &Workspace) -> Vec<Problem> {
    let mut problems = Vec::new();
    for package in &workspace.packages {
        let manifest = &package.manifest;
        let text = workspace.file(manifest).map_or("", |file| &file.text);
        if !inherits_lints(text) {
            problems.push(Problem::new(
                manifest,
                "the crate does not inherit the workspace's lints",
                "Add a table [lints] with the line `workspace = true`.",
            ));
        }
        let missing: Vec<_> = INHERITED
            .iter()
            .filter(|key| !lines_of(text, "package").any(|l| l == format!("{key}.workspace=true")))
            .copied()
            .collect();
        if !missing.is_empty() {
            problems.push(Problem::new(
                manifest,
                format!("the crate has its own {}", missing.join(", ")),
                "Write `KEY.workspace = true` for each in [package].",
            ));
        }
        for dependency in &package.dependencies {
            let outside = dependency
                .path
                .as_ref()
                .filter(|path| !path.starts_with(&format!("{}/", workspace.root)));
            if let Some(path) = outside {
                problems.push(Problem::new(
                    manifest,
                    format!(
                        "{} comes from {path}, outside the workspace",
                        dependency.name
                    ),
                    "Take it from a registry, or move it into the workspace.",
                ));
            }
        }
    }
    problems
}

fn inherits_lints(manifest: &str) -> bool {
    lines_of(manifest, "lints").any(|line| line == "workspace=true")
        || manifest
            .lines()
            .any(|line| squeeze(line) == "lints.workspace=true")
}

/// The lines of one table of a manifest, without blanks.
fn lines_of<'a>(manifest: &'a str, table: &str) -> impl Iterator<Item = String> + 'a {
    let header = format!("[{table}]");
    manifest
        .lines()
        .map(squeeze)
        .skip_while(move |line| *line != header)
        .skip(1)
        .take_while(|line| !line.starts_with('['))
}

fn squeeze(line: &str) -> String {
    line.chars().filter(|c| !c.is_whitespace()).collect()
}

#[cfg(test)]
mod tests {
    use super::super::{Dependency, Package, SourceFile};
    use super::*;

    const GOOD: &str = "[package]\nname = \"x\"\nversion.workspace = true\nedition.workspace = true\n\
        rust-version.workspace = true\nlicense.workspace = true\npublish.workspace = true\n\n\
        [lints]\nworkspace = true\n\n[dependencies]\n";

    fn wrong(manifest: &str, path: Option<&str>) -> Vec<String> {
        let workspace = Workspace {
            root: "/w".to_owned(),
            packages: vec![Package {
                name: "inflowave-x".to_owned(),
                manifest: "crates/x/Cargo.toml".to_owned(),
                dependencies: vec![Dependency {
                    name: "y".to_owned(),
                    ships: true,
                    path: path.map(str::to_owned),
                }],
            }],
            files: vec![SourceFile {
                path: "crates/x/Cargo.toml".to_owned(),
                text: manifest.to_owned(),
            }],
        };
        check(&workspace).into_iter().map(|p| p.wrong).collect()
    }

    #[test]
    fn a_manifest_inherits_what_the_workspace_says() {
        assert_eq!(wrong(GOOD, Some("/w/crates/y")), [""; 0]);
        assert_eq!(
            wrong(&GOOD.replace("[lints]\nworkspace = true", ""), None),
            ["the crate does not inherit the workspace's lints"]
        );
        assert_eq!(
            wrong(
                &GOOD.replace("edition.workspace = true", "edition = \"2021\""),
                None
            ),
            ["the crate has its own edition"]
        );
        // Another table's line does not count.
        assert_eq!(
            wrong(
                &GOOD.replace("[lints]", "[lib]\nname = \"y\"\n[badges]"),
                None
            ),
            ["the crate does not inherit the workspace's lints"]
        );
    }

    #[test]
    fn a_path_leads_into_the_workspace() {
        assert_eq!(
            wrong(GOOD, Some("/work-of-others/y")),
            ["y comes from /work-of-others/y, outside the workspace"]
        );
    }
}
