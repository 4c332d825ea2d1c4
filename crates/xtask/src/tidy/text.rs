//! Rules over the text of single files: the module's first line, length, words that postpone, paths
//! of one machine.

use super::{Problem, SourceFile};

const LINES_MAX: usize = 700;

// Written in parts, so that this file keeps its own rules.
const POSTPONING: [&str; 4] = [
    concat!("TO", "DO"),
    concat!("FIX", "ME"),
    concat!("XX", "X"),
    concat!("HA", "CK"),
];
const MACHINE_PATHS: [&str; 3] = [
    concat!("/wo", "rk"),
    concat!("/ro", "ot"),
    concat!("/ho", "me"),
];
const IGNORED_TEST: &str = concat!("#[ig", "nore");

/// Made by tools or by others: their text is not ours to judge.
const FOREIGN: [&str; 2] = ["Cargo.lock", "LICENSE"];

pub fn check(file: &SourceFile) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut tell =
        |wrong: String, right: &str| problems.push(Problem::new(&file.path, wrong, right));
    if FOREIGN.contains(&file.path.as_str()) {
        return problems;
    }
    if file.path.ends_with(".rs") {
        if !file.text.starts_with("//!") {
            tell(
                "the module does not open with `//!`".to_owned(),
                "Say in its first line what it owns.",
            );
        }
        let lines = file.text.lines().count();
        if lines > LINES_MAX {
            tell(
                format!("{lines} lines"),
                "A file has 700 lines at most: make a room of one of its parts.",
            );
        }
    }
    for (number, line) in (1..).zip(file.text.lines()) {
        for word in POSTPONING {
            if has_word(line, word) {
                tell(
                    format!("line {number} says {word}"),
                    "Do it, or write down the limit where a reader looks for it.",
                );
            }
        }
        for path in MACHINE_PATHS {
            if has_path(line, path) {
                tell(
                    format!("line {number} holds a path of one machine ({path})"),
                    "Use a relative path, a temporary folder, or a variable.",
                );
            }
        }
        if file.path.ends_with(".rs") && line.contains(IGNORED_TEST) {
            tell(
                format!("line {number} ignores a test"),
                "A test that needs something prints `skipped: NAME (reason)` when it is missing.",
            );
        }
    }
    problems
}

/// `word` between characters that are no part of a name.
fn has_word(line: &str, word: &str) -> bool {
    let part_of_name = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(word).any(|(at, _)| {
        !line[..at].ends_with(part_of_name) && !line[at + word.len()..].starts_with(part_of_name)
    })
}

/// `path` at the start of an absolute path: neither `a/path` nor `/pathology`.
fn has_path(line: &str, path: &str) -> bool {
    line.match_indices(path).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let inside = before.is_some_and(|c| c.is_alphanumeric() || "._-}*)".contains(c));
        !inside && line[at + path.len()..].starts_with('/')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrong(path: &str, text: &str) -> Vec<String> {
        let file = SourceFile {
            path: path.to_owned(),
            text: text.to_owned(),
        };
        check(&file).into_iter().map(|p| p.wrong).collect()
    }

    #[test]
    fn a_module_opens_with_what_it_owns() {
        assert_eq!(wrong("a.rs", "//! Rows.\nfn f() {}\n"), [""; 0]);
        assert_eq!(
            wrong("a.rs", "fn f() {}\n"),
            ["the module does not open with `//!`"]
        );
        assert_eq!(wrong("a.toml", "a = 1\n"), [""; 0]);
    }

    #[test]
    fn a_file_has_a_limit() {
        assert_eq!(wrong("a.rs", &"//! x\n".repeat(700)), [""; 0]);
        assert_eq!(wrong("a.rs", &"//! x\n".repeat(701)), ["701 lines"]);
        assert_eq!(wrong("a.slt", &"x\n".repeat(5_000)), [""; 0]);
    }

    #[test]
    fn words_that_postpone_are_found_whole() {
        let word = POSTPONING[0];
        assert_eq!(
            wrong("a.toml", &format!("a\n# {word}: later\n")),
            [format!("line 2 says {word}")]
        );
        assert_eq!(
            wrong("a.md", &format!("{word}S and METHOD{word}\n")),
            [""; 0]
        );
        assert_eq!(wrong("Cargo.lock", &format!("{word}\n")), [""; 0]);
    }

    #[test]
    fn paths_of_one_machine_are_found() {
        for path in MACHINE_PATHS {
            assert_eq!(
                wrong("a.sh", &format!("cd {path}/x\n")),
                [format!("line 1 holds a path of one machine ({path})")]
            );
            assert_eq!(wrong("a.sh", &format!("cd ${{HOME}}{path}/x\n")), [""; 0]);
        }
        assert_eq!(
            wrong("a.md", "a/work/b, crates/workload, https://x.org/home/y\n"),
            [""; 0]
        );
    }

    #[test]
    fn a_test_is_not_ignored() {
        assert_eq!(
            wrong("a.rs", &format!("//! x\n{IGNORED_TEST}]\n")),
            ["line 2 ignores a test"]
        );
    }
}
