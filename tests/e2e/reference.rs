//! The reference in `docs`: made of what the code says, and held to it.
//!
//! `cargo xtask docs` writes it anew. The keys of `inflowave.toml` come from the table that reading
//! it goes by, parameters and capabilities from the connectors' descriptors, what is pushed from
//! what `EXPLAIN (FEDERATION)` answers, types and limits from the connectors' own documentation.

mod pretend;

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use inflowave_config::{KEYS, Key, KeyKind, SECTIONS};
use inflowave_connector_api::{Capability, Descriptor, ParamKind, ParamSpec};

use crate::command::binary;
use crate::server;

const HEAD: &str = "<!-- Made of the code by `cargo xtask docs`: change it there. -->\n\n";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

#[test]
fn the_reference_says_what_the_code_does() {
    let update = std::env::var_os("UPDATE_EXPECT").is_some();
    let mut stale = Vec::new();
    for (name, wanted) in pages() {
        let path = root().join("docs").join(&name);
        if std::fs::read_to_string(&path).is_ok_and(|there| there == wanted) {
            continue;
        }
        if update {
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, wanted).unwrap();
        } else {
            stale.push(name);
        }
    }
    assert!(
        stale.is_empty(),
        "docs/{} is not what the code says: run cargo xtask docs",
        stale.join(", docs/")
    );
}

/// A page that no connector has any more would stay for ever.
#[test]
fn every_page_of_a_connector_has_one() {
    let names: Vec<&str> = connectors().iter().map(|d| d.name).collect();
    for entry in std::fs::read_dir(root().join("docs/connectors")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        assert!(names.contains(&name.as_str()), "{}", path.display());
    }
}

fn connectors() -> Vec<&'static Descriptor> {
    let connectors = inflowave_bundle::connectors();
    connectors.iter().map(|c| c.descriptor()).collect()
}

/// Each page by its path below `docs`.
fn pages() -> Vec<(String, String)> {
    let mut pages = vec![
        ("configuration.md".to_owned(), configuration()),
        ("commands.md".to_owned(), commands()),
    ];
    for descriptor in connectors() {
        let name = format!("connectors/{}.md", descriptor.name);
        pages.push((name, connector(descriptor)));
    }
    pages
}

fn configuration() -> String {
    let mut out = format!(
        "{HEAD}# Configuration\n\n`inflowave.toml` is read by every command; `--config FILE` names \
         another. A key that is not given has its default, an unknown one is an error that names \
         the line and the valid keys. A relative path starts at the folder of the file. \
         `inflowave check` reads the file and connects to every source.\n\n\
         ```toml\n[server]\npg_listen = \"127.0.0.1:5480\"\n\n[catalog.crm]\nconnector = \"postgres\"\n\
         url       = \"postgres://app@127.0.0.1:5432/crm\"\npassword  = \"${{env:CRM_PASSWORD}}\"\n```\n"
    );
    for section in SECTIONS {
        write!(out, "\n## [{}]\n\n{}\n\n", section.name, section.doc).unwrap();
        out.push_str("| key | value | default | what it is | example |\n|---|---|---|---|---|\n");
        for key in KEYS.iter().filter(|k| k.section == section.name) {
            writeln!(
                out,
                "| `{}` | {} | `{}` | {} | `{}` |",
                key.name,
                kind(key),
                key.default,
                cell(key.doc),
                key.example
            )
            .unwrap();
        }
    }
    out.push_str(
        "\n## [catalog.NAME]\n\nA source, seen as the catalog NAME. `connector` says of which \
         kind; the other keys are that connector's parameters:\n\n| connector | what it reads |\n|---|---|\n",
    );
    for d in connectors() {
        writeln!(
            out,
            "| [`{0}`](connectors/{0}.md) | {1} |",
            d.name,
            cell(d.doc)
        )
        .unwrap();
    }
    out.push_str(
        "\nIn a text, `${env:NAME}` stands for an environment variable and `${file:PATH}` for what \
         a file holds, its last line break left out. NAME is not `inflowave` or `system`: these \
         catalogs are the server's own.\n",
    );
    out
}

fn kind(key: &Key) -> String {
    match key.kind {
        KeyKind::Integer { min, max } if max == i64::MAX as u64 => {
            format!("{}, from {min}", key.unit)
        }
        KeyKind::Integer { min, max } => format!("{}, {min} to {max}", key.unit),
        KeyKind::Address => "address and port".to_owned(),
        KeyKind::Text => "text".to_owned(),
        KeyKind::Choice(choices) => format!("one of {}", choices.join(", ")),
        KeyKind::Path => "path".to_owned(),
        KeyKind::Paths => "list of paths".to_owned(),
        KeyKind::Urls => "list of starts of URLs".to_owned(),
        KeyKind::Texts => "list of texts".to_owned(),
        KeyKind::Boolean => "true or false".to_owned(),
    }
}

/// What `--help` says, command by command.
fn commands() -> String {
    let help = |args: &[&str]| {
        // As wide as a page, wherever this runs.
        let output = Command::new(binary())
            .args(args)
            .env("COLUMNS", "100")
            .output()
            .unwrap();
        assert!(output.status.success(), "{args:?}");
        let text = String::from_utf8(output.stdout).unwrap();
        let lines: Vec<&str> = text.trim_end().lines().map(str::trim_end).collect();
        lines.join("\n")
    };
    let whole = help(&["--help"]);
    let listed = whole.split("Commands:\n").nth(1).unwrap();
    let names: Vec<&str> = listed
        .lines()
        .take_while(|l| l.starts_with("  "))
        .filter_map(|l| l.strip_prefix("  ")?.split_whitespace().next())
        .filter(|name| *name != "help")
        .collect();
    let mut out = format!("{HEAD}# Commands\n\n```text\n{whole}\n```\n");
    for name in names {
        write!(
            out,
            "\n## inflowave {name}\n\n```text\n{}\n```\n",
            help(&[name, "--help"])
        )
        .unwrap();
    }
    out
}

fn connector(d: &'static Descriptor) -> String {
    let mut out = format!(
        "{HEAD}# {}\n\n{} Tried with {}.\n\n",
        d.name, d.doc, d.tried_with
    );
    // What must be given, and the secret, which is given by reference. Of several only some belong
    // together: their section below says which.
    let is_secret = |s: &&ParamSpec| s.kind == ParamKind::Secret;
    let one_secret = d.params.iter().filter(is_secret).count() == 1;
    let shown = |s: &&ParamSpec| s.required || one_secret && is_secret(s);
    let width = d.params.iter().filter(shown).map(|s| s.name.len()).max();
    let width = width.unwrap_or(0).max("connector".len());
    write!(
        out,
        "```toml\n[catalog.NAME]\n{:width$} = \"{}\"\n",
        "connector", d.name
    )
    .unwrap();
    for spec in d.params.iter().filter(shown) {
        writeln!(out, "{:width$} = \"{}\"", spec.name, spec.example).unwrap();
    }
    let options: Vec<String> = d
        .params
        .iter()
        .filter(|s| s.required)
        .map(|s| format!("{} = '{}'", s.name, s.example))
        .collect();
    write!(
        out,
        "```\n\n```sql\nCREATE CATALOG name USING {} WITH ({});\n```\n\n## Parameters\n\n\
         | parameter | value | default | secret | what it is | example |\n|---|---|---|---|---|---|\n",
        d.name,
        options.join(", ")
    )
    .unwrap();
    for spec in d.all_params() {
        writeln!(
            out,
            "| `{}` | {} | {} | {} | {} | `{}` |",
            spec.name,
            cell(&spec.kind.valid()),
            match (spec.required, spec.default) {
                (true, _) => "required".to_owned(),
                (false, Some("")) => "empty".to_owned(),
                (false, Some(default)) => format!("`{default}`"),
                (false, None) => "none".to_owned(),
            },
            match spec.kind {
                ParamKind::Secret => "yes",
                _ => "no",
            },
            cell(spec.doc),
            spec.example
        )
        .unwrap();
    }
    out.push_str(&pushed(d));
    for (title, text) in documented(d.name) {
        write!(out, "\n## {title}\n\n{text}\n").unwrap();
    }
    out
}

/// What the source is asked for, as its connector declares it and as `EXPLAIN (FEDERATION)` shows
/// it for one expression after the other.
fn pushed(d: &'static Descriptor) -> String {
    let mut out = String::from("\n## What is pushed\n\n");
    if d.capabilities.is_empty() {
        out.push_str(
            "Nothing is sent anywhere: the files are read here, with the columns, partitions and \
             row groups left out that a query does not need.\n",
        );
        return out;
    }
    let (can, cannot): (Vec<_>, Vec<_>) = Capability::ALL
        .iter()
        .partition(|c| d.capabilities.contains(c));
    let names = |all: &[&Capability]| -> String {
        let names: Vec<String> = all.iter().map(|c| c.name().replace('_', " ")).collect();
        names.join(", ")
    };
    writeln!(out, "Declared: {}.", names(&can)).unwrap();
    if !cannot.is_empty() {
        writeln!(out, "Never pushed: {}.", names(&cannot)).unwrap();
    }
    write!(
        out,
        "\nEach expression is asked for by itself. *Exact* is computed by the source with our \
         meaning; *superset* is sent as a filter and checked again here; the rest is computed here, \
         for the reason given. {}\n\n| asked | answer | why not |\n|---|---|---|\n",
        pretend::columns_doc(d.name)
    )
    .unwrap();
    for answer in server::run(pretend::answers(d)) {
        writeln!(
            out,
            "| `{}` | {} | {} |",
            answer.shown.replace('|', "\\|"),
            answer.verdict,
            cell(&answer.reason)
        )
        .unwrap();
    }
    out
}

/// The sections of a connector's own documentation: those of its `lib.rs` that have a heading, and
/// the mapping of types where `types.rs` has a table of it.
fn documented(name: &str) -> Vec<(String, String)> {
    let source = |file: &str| {
        let path = root().join("connectors").join(name).join("src").join(file);
        let text = std::fs::read_to_string(path).unwrap_or_default();
        let lines = text.lines().map_while(|l| l.strip_prefix("//!"));
        let lines: Vec<String> = lines
            .map(|l| l.strip_prefix(' ').unwrap_or(l).to_owned())
            .collect();
        lines
    };
    let mut sections: Vec<(String, String)> = Vec::new();
    for line in source("lib.rs") {
        match (line.strip_prefix("# "), sections.last_mut()) {
            (Some(title), _) => sections.push((title.to_owned(), String::new())),
            (None, Some((_, text))) => {
                text.push_str(&line);
                text.push('\n');
            }
            (None, None) => {}
        }
    }
    let types = source("types.rs");
    if !sections.iter().any(|(title, _)| title == "Types")
        && types.iter().any(|l| l.starts_with('|'))
    {
        // Its first paragraph says what the module is.
        let text = types.iter().skip_while(|l| !l.is_empty());
        let text: Vec<&str> = text.map(String::as_str).collect();
        sections.insert(0, ("Types".to_owned(), text.join("\n")));
    }
    for (_, text) in &mut sections {
        *text = text.trim().to_owned();
    }
    sections
}

/// A text as a cell of a table.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}
