//! `cargo xtask test`: everything that has to hold before a change lands, the cheapest first.
//!
//! Format and tidy are both looked at; if either fails, nothing is compiled. Lints come before
//! tests, and tests run to the end even when some fail. What was skipped is told at the end: a skip
//! is a failure under `--strict`, so that a continuous integration run cannot pass by not testing.

use std::io::{BufRead, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::output::TestOutput;
use crate::services::Services;
use crate::tidy;

/// # Errors
/// What failed, after the summary has been printed.
pub fn run(root: &Path, strict: bool, with_services: bool) -> Result<(), String> {
    let mut run = Run::default();
    let mut output = TestOutput::default();
    run.step("format", || cargo(root, &["fmt", "--all", "--check"]));
    run.step("tidy", || tidy::run(root).map(|()| String::new()));
    if run.passes() {
        run.step("clippy", || {
            let arguments = ["clippy", "--workspace", "--all-targets"];
            cargo(root, &locked(&arguments, strict, &["--", "-D", "warnings"]))
        });
    }
    if run.passes() {
        let mut services = None;
        if with_services {
            run.step("services", || {
                let started = Services::start(root)?;
                let (what, problems) = (started.describe(), started.problems.clone());
                services = Some(started);
                for problem in &problems {
                    output.take(&format!("skipped: services ({problem})"));
                }
                Ok(what)
            });
        } else {
            output.take("skipped: services (--no-services)");
        }
        let env = services.as_ref().map_or(&[][..], |s| &s.env);
        // Tests run the program as a person does: it is made of what is tested.
        run.step("program", || {
            cargo(root, &locked(&["build", "--workspace"], strict, &[]))
        });
        if run.passes() {
            run.step("tests", || test(root, strict, env, &mut output));
        }
    }
    if strict && output.skips() > 0 {
        run.failures.push(format!(
            "{} skipped (with --strict nothing may be)",
            output.skips()
        ));
    }
    run.summary(&output);
    if run.passes() {
        Ok(())
    } else {
        Err(run.failures.join("; "))
    }
}

#[derive(Default)]
struct Run {
    /// Name, `ok` or `FAILED`, time, note.
    steps: Vec<(&'static str, bool, Duration, String)>,
    failures: Vec<String>,
}

impl Run {
    fn passes(&self) -> bool {
        self.failures.is_empty()
    }

    fn step(&mut self, name: &'static str, work: impl FnOnce() -> Result<String, String>) {
        println!("\n== {name}");
        let start = Instant::now();
        let result = work();
        let passed = result.is_ok();
        if !passed {
            self.failures.push(format!("{name} failed"));
        }
        let note = result.unwrap_or_else(|problem| problem);
        if !note.is_empty() {
            println!("{note}");
        }
        let seconds = start.elapsed();
        println!("{name}: {:.1} s", seconds.as_secs_f64());
        let first_line = note.lines().next().unwrap_or_default().to_owned();
        self.steps.push((name, passed, seconds, first_line));
    }

    fn summary(&self, output: &TestOutput) {
        println!("\n== summary");
        for (name, passed, time, note) in &self.steps {
            let word = if *passed { "ok" } else { "FAILED" };
            let line = format!("{word:<7} {name:<9} {:>7.1} s  {note}", time.as_secs_f64());
            println!("{}", line.trim_end());
        }
        if output.binaries > 0 {
            println!(
                "{} passed, {} failed, {} ignored in {} test binaries",
                output.passed, output.failed, output.ignored, output.binaries
            );
        }
        for test in &output.failed_tests {
            println!("failed: {test}");
        }
        if output.skips() == 0 && output.binaries > 0 {
            println!("nothing was skipped");
        }
        for (what, times) in &output.skipped {
            println!("skipped ({times}x): {what}");
        }
        if output.ignored > 0 {
            println!("skipped ({}x): tests marked to be ignored", output.ignored);
        }
    }
}

/// Runs the tests, their output passed through as it comes.
fn test(
    root: &Path,
    strict: bool,
    env: &[(String, String)],
    output: &mut TestOutput,
) -> Result<String, String> {
    // Tests that pass say why they skipped something: the runner has to show their output too.
    let arguments = ["test", "--workspace", "--no-fail-fast"];
    let mut command = cargo_command(root, &locked(&arguments, strict, &["--", "--show-output"]));
    for (key, value) in env {
        // A server of one's own, named in the environment, is taken instead of ours.
        if std::env::var_os(key).is_none() {
            command.env(key, value);
        }
    }
    let mut child = command
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|e| format!("cargo test: {e}"))?;
    if let Some(stdout) = child.stdout.take() {
        let mut out = std::io::stdout();
        let mut lines = BufReader::new(stdout);
        let mut line = Vec::new();
        // Lines of bytes: a test may print what is no text.
        while matches!(lines.read_until(b'\n', &mut line), Ok(n) if n > 0) {
            if output.take(&String::from_utf8_lossy(&line)) {
                let _ = out.write_all(&line);
                let _ = out.flush();
            }
            line.clear();
        }
    }
    let status = child.wait().map_err(|e| format!("cargo test: {e}"))?;
    if !status.success() {
        return Err(format!("cargo test: {status}"));
    }
    if output.passed == 0 {
        return Err("no test ran".to_owned());
    }
    Ok(String::new())
}

fn cargo(root: &Path, arguments: &[&str]) -> Result<String, String> {
    let status = cargo_command(root, arguments)
        .status()
        .map_err(|e| format!("cargo {}: {e}", arguments.join(" ")))?;
    if status.success() {
        Ok(String::new())
    } else {
        Err(format!("cargo {}: {status}", arguments.join(" ")))
    }
}

/// Cargo as a person would call it.
pub fn cargo_command(root: &Path, arguments: &[&str]) -> Command {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.current_dir(root).args(arguments);
    // `cargo run` sets these for this program; they would make cargo think that crates have changed.
    for (key, _) in std::env::vars_os() {
        if key.to_string_lossy().starts_with("CARGO_PKG_") || key == "CARGO_MANIFEST_DIR" {
            command.env_remove(key);
        }
    }
    command
}

/// Under `--strict` a stale `Cargo.lock` is a failure, not something to mend on the way.
fn locked<'a>(arguments: &[&'a str], strict: bool, rest: &[&'a str]) -> Vec<&'a str> {
    let mut all = arguments.to_vec();
    if strict {
        all.push("--locked");
    }
    all.extend(rest);
    all
}
