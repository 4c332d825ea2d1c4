//! The commands of the binary, as a person runs them.

use std::path::PathBuf;
use std::process::Command;

/// The binary beside this test's folder; `cargo xtask test` builds it first.
pub fn binary() -> PathBuf {
    let mut path = std::env::current_exe().unwrap();
    path.pop();
    path.pop();
    path.push("inflowave");
    assert!(
        path.exists(),
        "{} is not there: run cargo build first",
        path.display()
    );
    path
}

#[test]
fn the_demo_prints_its_showcase_and_ends_with_0() {
    let dir = tempfile::tempdir().unwrap();
    let output = Command::new(binary())
        .args(["demo", "--once", "--data-dir"])
        .arg(dir.path())
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}\n{text}");
    let shown = text.lines().filter(|l| l.starts_with("time: ")).count();
    assert!(shown >= 10, "{shown} queries were shown");
    // Each is followed by what its sources were asked.
    assert_eq!(
        text.matches("explain (federation):").count(),
        shown,
        "{text}"
    );
    assert!(text.matches("shop runs: SELECT").count() >= shown, "{text}");
}

#[test]
fn sql_prints_rows_in_each_format_and_errors_with_their_code() {
    let run = |args: &[&str]| {
        Command::new(binary())
            .arg("sql")
            .args(args)
            .output()
            .unwrap()
    };
    let text = |out: std::process::Output| String::from_utf8(out.stdout).unwrap();
    let sql = "select 1 as a, null as b, 'x,y' as c";
    assert_eq!(text(run(&[sql, "--format", "csv"])), "a,b,c\n1,,\"x,y\"\n");
    assert_eq!(
        text(run(&[sql, "--format", "json"])),
        "{\"a\":1,\"b\":null,\"c\":\"x,y\"}\n"
    );
    assert_eq!(
        text(run(&[sql])),
        " a | b |  c  \n---+---+-----\n 1 |   | x,y\n(1 row)\n"
    );
    let failed = run(&["select 1/0"]);
    assert!(!failed.status.success());
    assert_eq!(
        String::from_utf8_lossy(&failed.stderr)
            .lines()
            .next()
            .unwrap(),
        "ERROR:  22012: division by zero"
    );
}

#[test]
fn check_says_a_line_of_each_source_and_fails_if_one_does() {
    let dir = tempfile::tempdir().unwrap();
    let csv = dir.path().join("list.csv");
    std::fs::write(csv, "a\n1\n").unwrap();
    let check = |catalogs: &str| {
        let config = dir.path().join("inflowave.toml");
        std::fs::write(&config, catalogs).unwrap();
        let output = Command::new(binary())
            .args(["check", "--config"])
            .arg(&config)
            .output()
            .unwrap();
        let lines = String::from_utf8(output.stdout).unwrap();
        (output.status.code(), lines)
    };
    let good = "[catalog.lists]\nconnector = 'files'\npath = 'list.csv'\n";
    let (code, lines) = check(good);
    assert_eq!(code, Some(0));
    assert!(lines.starts_with("lists  files  ok "), "{lines}");
    // Port 1 is nobody's; the password is no part of what is printed.
    let (code, lines) = check(&format!(
        "{good}[catalog.crm]\nconnector = 'postgres'\nurl = 'postgres://u:hunter2@127.0.0.1:1/x'\n\
         [catalog.odd]\nconnector = 'files'\npaht = 'x'\n"
    ));
    assert_eq!(code, Some(1));
    let lines: Vec<&str> = lines.lines().collect();
    assert!(
        lines[0].starts_with("crm    postgres  failed  08001: "),
        "{lines:?}"
    );
    assert!(
        lines.iter().any(|l| l.starts_with("lists  files     ok ")),
        "{lines:?}"
    );
    let odd = lines
        .iter()
        .find(|l| l.starts_with("odd    files     failed  22023: "));
    assert!(odd.is_some_and(|l| l.contains("paht")), "{lines:?}");
    assert!(!lines.concat().contains("hunter2"), "{lines:?}");
}

#[test]
fn an_error_of_the_configuration_names_file_line_key_and_the_valid_choices() {
    let dir = tempfile::tempdir().unwrap();
    let config = dir.path().join("inflowave.toml");
    let file = config.display().to_string();
    for (text, error, hint) in [
        (
            "[server]\n\npg_lisen = '127.0.0.1:0'\n",
            "F0000: FILE: line 3: unknown key \"pg_lisen\" in [server]",
            "The keys of [server] are: pg_listen, data_dir, file_roots, url_roots.",
        ),
        (
            "[limits]\nbatch_rows = 'many'\n",
            "F0000: FILE: line 2: invalid value 'many' for limits.batch_rows",
            "Valid is a whole number from 1 to 65536.",
        ),
        (
            "[limit]\nbatch_rows = 1\n",
            "F0000: FILE: line 1: unknown section [limit]",
            "The sections are: [server], [limits], [access], [tls], [secrets], [log] and [catalog.NAME].",
        ),
        (
            "[catalog.a]\nconnector = 'file'\n",
            "F0000: FILE: line 2: catalog \"a\": unknown connector \"file\"",
            "The connectors are: ",
        ),
        (
            "[catalog.a]\nconnector = 'sqlite'\npath = 'a.db'\npooled = true\n",
            "22023: FILE: line 4: catalog \"a\": unknown parameter \"pooled\"",
            "The valid parameters are: path, pool_size_max, pool_timeout_ms, busy_timeout_ms, pushdown.",
        ),
        (
            "[catalog.a]\nconnector = 'postgres'\nurl = 'nonsense'\n",
            "22023: FILE: line 1: catalog \"a\": ",
            "",
        ),
    ] {
        std::fs::write(&config, text).unwrap();
        for command in [&["sql", "select 1"][..], &["serve"], &["verify"]] {
            let output = Command::new(binary())
                .args(command)
                .arg("--config")
                .arg(&config)
                .output()
                .unwrap();
            assert_eq!(output.status.code(), Some(1), "{text}");
            let errors = String::from_utf8(output.stderr).unwrap();
            let wanted = format!("ERROR:  {}", error.replace("FILE", &file));
            assert!(errors.starts_with(&wanted), "{wanted}\n{errors}");
            let wanted = format!("HINT:  {hint}");
            assert!(errors.contains(&wanted), "{wanted}\n{errors}");
        }
    }
}

#[test]
fn help_teaches_and_bash_completes() {
    let output = Command::new(binary()).arg("--help").output().unwrap();
    assert!(output.status.success());
    let help = String::from_utf8(output.stdout).unwrap();
    for part in [
        "Where to begin:",
        "inflowave demo --once",
        "[catalog.crm]",
        "verify",
    ] {
        assert!(help.contains(part), "{help}");
    }
    // The script is sourced and asked, as bash asks it when TAB is pressed.
    let complete = |words: &[&str]| {
        let script = r#"
            source <("$INFLOWAVE" completions bash)
            complete -p inflowave >/dev/null || exit 3
            COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
            _inflowave inflowave "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
            printf '%s\n' "${COMPREPLY[@]}"
        "#;
        let output = Command::new("bash")
            .args(["--norc", "-c", script, "bash"])
            .args(words)
            .env("INFLOWAVE", binary())
            .output()
            .unwrap();
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{words:?}: {errors}");
        String::from_utf8(output.stdout)
            .unwrap()
            .split_whitespace()
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    assert_eq!(complete(&["inflowave", "ver"]), ["verify"]);
    assert_eq!(complete(&["inflowave", "verify", "--se"]), ["--seed"]);
    assert_eq!(
        complete(&["inflowave", "sql", "--format", ""]),
        ["table", "csv", "json", "arrow"]
    );
    let commands = complete(&["inflowave", ""]);
    for command in ["serve", "demo", "check", "verify", "sql", "completions"] {
        assert!(commands.iter().any(|c| c == command), "{commands:?}");
    }
}
