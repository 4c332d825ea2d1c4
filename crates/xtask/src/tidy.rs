//! `cargo xtask tidy`: the house rules that a compiler does not know.
//!
//! One rule a file, each over plain data ([`Workspace`], [`SourceFile`]), with its tests at the
//! foot. Reading the workspace happens here and nowhere else.

mod bundle;
mod floors;
mod inherit;
mod text;

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

/// What is wrong in which file, and what would be right.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    pub file: String,
    pub wrong: String,
    pub right: String,
}

impl Problem {
    fn new(file: &str, wrong: impl Into<String>, right: impl Into<String>) -> Self {
        Problem {
            file: file.to_owned(),
            wrong: wrong.into(),
            right: right.into(),
        }
    }
}

/// A crate of the workspace, as `cargo metadata` tells of it.
#[derive(Debug, Clone, Default)]
pub struct Package {
    pub name: String,
    /// Relative to the workspace, such as `crates/types/Cargo.toml`.
    pub manifest: String,
    pub dependencies: Vec<Dependency>,
}

#[derive(Debug, Clone, Default)]
pub struct Dependency {
    pub name: String,
    /// Not only for tests.
    pub ships: bool,
    /// An absolute path, for a dependency that is none of a registry.
    pub path: Option<String>,
}

/// A file that git knows, or would.
#[derive(Debug)]
pub struct SourceFile {
    /// Relative to the workspace.
    pub path: String,
    pub text: String,
}

/// Everything that the rules look at.
#[derive(Debug, Default)]
pub struct Workspace {
    pub root: String,
    pub packages: Vec<Package>,
    pub files: Vec<SourceFile>,
}

impl Workspace {
    fn file(&self, path: &str) -> Option<&SourceFile> {
        self.files.iter().find(|file| file.path == path)
    }
}

/// # Errors
/// How many rules are broken; each has been printed.
pub fn run(root: &Path) -> Result<(), String> {
    let workspace = read(root)?;
    let mut problems = check(&workspace);
    problems.sort();
    for problem in &problems {
        println!("{}: {}", problem.file, problem.wrong);
        println!("    {}", problem.right);
    }
    match problems.len() {
        0 => {
            println!(
                "tidy: {} crates and {} files are in order",
                workspace.packages.len(),
                workspace.files.len()
            );
            Ok(())
        }
        n => Err(format!("tidy found {n} problem(s)")),
    }
}

fn check(workspace: &Workspace) -> Vec<Problem> {
    let mut problems = floors::check(workspace);
    problems.extend(inherit::check(workspace));
    problems.extend(bundle::check(workspace));
    for file in &workspace.files {
        problems.extend(text::check(file));
    }
    problems
}

fn read(root: &Path) -> Result<Workspace, String> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let metadata = output(Command::new(cargo).current_dir(root).args([
        "metadata",
        "--format-version",
        "1",
        "--no-deps",
    ]))?;
    let metadata = serde_json::from_str(&metadata).map_err(|e| format!("cargo metadata: {e}"))?;
    // In a container the checkout often belongs to another user, which git refuses to read.
    let listed = output(Command::new("git").current_dir(root).args([
        "-c",
        "safe.directory=*",
        "ls-files",
        "-z",
        "--cached",
        "--others",
        "--exclude-standard",
    ]))?;
    let files = listed
        .split('\0')
        .filter(|path| !path.is_empty())
        .filter_map(|path| {
            // Deleted but not committed, or no text.
            let text = fs::read_to_string(root.join(path)).ok()?;
            let path = path.to_owned();
            Some(SourceFile { path, text })
        })
        .collect();
    let (root, packages) = packages(&metadata);
    Ok(Workspace {
        root,
        packages,
        files,
    })
}

fn output(command: &mut Command) -> Result<String, String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command.output().map_err(|e| format!("{name}: {e}"))?;
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    } else {
        let complaint = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        Err(format!("{name}: {complaint}"))
    }
}

/// The workspace's root and crates from the JSON of `cargo metadata`.
fn packages(metadata: &Value) -> (String, Vec<Package>) {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let root = text(&metadata["workspace_root"]);
    let packages = list(&metadata["packages"])
        .iter()
        .map(|package| Package {
            name: text(&package["name"]),
            manifest: text(&package["manifest_path"])
                .trim_start_matches(&root)
                .trim_start_matches('/')
                .to_owned(),
            dependencies: list(&package["dependencies"])
                .iter()
                .map(|dependency| Dependency {
                    name: text(&dependency["name"]),
                    ships: dependency["kind"].as_str() != Some("dev"),
                    path: dependency["path"].as_str().map(str::to_owned),
                })
                .collect(),
        })
        .collect();
    (root, packages)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_of_cargo_is_read() {
        let metadata = serde_json::json!({
            "workspace_root": "/w",
            "packages": [{
                "name": "inflowave-types",
                "manifest_path": "/w/crates/types/Cargo.toml",
                "dependencies": [
                    {"name": "thiserror", "kind": null},
                    {"name": "inflowave-testkit", "kind": "dev", "path": "/w/crates/testkit"},
                    {"name": "cc", "kind": "build"},
                ],
            }],
        });
        let (root, packages) = packages(&metadata);
        assert_eq!(root, "/w");
        assert_eq!(packages[0].manifest, "crates/types/Cargo.toml");
        let ships: Vec<_> = packages[0].dependencies.iter().map(|d| d.ships).collect();
        assert_eq!(ships, [true, false, true]);
        assert_eq!(
            packages[0].dependencies[1].path.as_deref(),
            Some("/w/crates/testkit")
        );
    }
}
