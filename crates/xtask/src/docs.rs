//! `cargo xtask docs`: writes what is made of the code.
//!
//! The tests that hold these pages to the code also write them: they see every crate, and this one
//! stays small.

use std::path::Path;

use crate::test_run::cargo_command;

/// # Errors
/// The step that failed.
pub fn run(root: &Path) -> Result<(), String> {
    // The pages hold what the program says of itself.
    cargo(root, &["build", "--workspace"])?;
    let tests = ["test", "--workspace", "--test", "e2e", "--"];
    cargo(root, &[&tests[..], &["reference::", "readme::"]].concat())
}

fn cargo(root: &Path, arguments: &[&str]) -> Result<(), String> {
    let status = cargo_command(root, arguments)
        .env("UPDATE_EXPECT", "1")
        .status()
        .map_err(|e| format!("cargo: {e}"))?;
    match status.success() {
        true => Ok(()),
        false => Err(format!("cargo {} failed", arguments.join(" "))),
    }
}
