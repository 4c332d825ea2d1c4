//! The real servers of the tests: a thin layer over `tests/services/services.sh`, which knows them.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use clap::ValueEnum;

const SCRIPT: &str = "tests/services/services.sh";

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Action {
    /// Install the servers' packages (Debian and Ubuntu, as root)
    Install,
    /// Start what is not running
    Up,
    /// Stop
    Down,
    /// Say what runs
    Status,
}

impl Action {
    fn word(self) -> &'static str {
        match self {
            Action::Install => "install",
            Action::Up => "up",
            Action::Down => "down",
            Action::Status => "status",
        }
    }
}

/// Runs one action of the script, its output passed through.
pub fn run(root: &Path, action: Action) -> Result<(), String> {
    let status = script(root, &[action.word()])
        .status()
        .map_err(|e| format!("{SCRIPT} cannot be run: {e}"))?;
    match (status.success(), action) {
        (true, _) => Ok(()),
        (false, Action::Status) => Err("not every server is up".to_owned()),
        (false, _) => Err(format!("services {} failed", action.word())),
    }
}

/// The servers of one test run. What it owns stops when this is dropped, or, should this process be
/// killed, when the script's watcher finds it gone. Servers that a person started run on.
pub struct Services {
    root: PathBuf,
    started: Vec<String>,
    /// Names and addresses for the tests: `INFLOWAVE_TEST_POSTGRES` and its like.
    pub env: Vec<(String, String)>,
    /// Why something is missing, one line each.
    pub problems: Vec<String>,
}

impl Services {
    /// Installs what is missing where that is possible, and starts what is not running.
    pub fn start(root: &Path) -> Result<Services, String> {
        let mut services = Services {
            root: root.to_path_buf(),
            started: Vec::new(),
            env: Vec::new(),
            problems: Vec::new(),
        };
        // Not having packages is no reason to stop: one of the servers may be there.
        let installed = call(root, &["install"])?;
        let up = call(root, &["up"])?;
        services.started = started(&up.stdout);
        for answer in [installed, up] {
            if !answer.ok {
                services
                    .problems
                    .extend(answer.stderr.lines().map(str::to_owned));
            }
        }
        services.env = pairs(&call(root, &["env"])?.stdout);
        Ok(services)
    }

    pub fn describe(&self) -> String {
        if self.started.is_empty() {
            "nothing to start".to_owned()
        } else {
            format!("started {}", self.started.join(", "))
        }
    }
}

impl Drop for Services {
    fn drop(&mut self) {
        // The script knows what this process owns.
        match call(&self.root, &["down"]) {
            Ok(answer) if answer.ok => {}
            Ok(answer) => eprintln!("the servers may still run: {}", answer.stderr.trim()),
            Err(problem) => eprintln!("the servers may still run: {problem}"),
        }
    }
}

fn script(root: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new("bash");
    command.arg(root.join(SCRIPT)).args(arguments);
    command
}

struct Answer {
    ok: bool,
    stdout: String,
    stderr: String,
}

fn call(root: &Path, arguments: &[&str]) -> Result<Answer, String> {
    let output = script(root, arguments)
        .env("INFLOWAVE_SERVICES_OWNER", std::process::id().to_string())
        .stdin(Stdio::null())
        .output()
        .map_err(|e| format!("{SCRIPT} cannot be run: {e}"))?;
    Ok(Answer {
        ok: output.status.success(),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    })
}

/// `started postgres` -> `postgres`.
fn started(stdout: &str) -> Vec<String> {
    stdout
        .lines()
        .filter_map(|line| line.strip_prefix("started "))
        .map(str::to_owned)
        .collect()
}

/// `KEY=VALUE` lines.
fn pairs(stdout: &str) -> Vec<(String, String)> {
    stdout
        .lines()
        .filter_map(|line| line.split_once('='))
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scripts_words_are_understood() {
        assert_eq!(started("running postgres\nstarted mariadb\n"), ["mariadb"]);
        assert_eq!(
            pairs("A=postgres://h:1/d?x=y\n\nB=\n"),
            [
                ("A".to_owned(), "postgres://h:1/d?x=y".to_owned()),
                ("B".to_owned(), String::new())
            ]
        );
    }
}
