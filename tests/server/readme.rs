//! The README's examples of the server, as they are printed there.

use super::support::Server;
use crate::support::repository;
use std::{fs, os::unix::fs::symlink, process::Command};

/// Stands for what is left out.
const ANYTHING: char = '…';

#[test]
fn the_examples_in_the_readme_answer_as_printed() {
    let readme = fs::read_to_string(repository("README.md")).expect("README.md");
    let examples = examples(&readme);
    assert!(examples.iter().filter(|example| example.command.starts_with("curl ")).count() >= 8, "{examples:?}");
    let server = Server::start(&[], &[]);
    let folder = tempfile::tempdir().expect("a folder");
    symlink(repository("examples"), folder.path().join("examples")).expect("a link");
    let mut id = String::new();
    for example in &examples {
        let command = example.command.replace("localhost:8080", &server.addr().to_string()).replace("exe_…", &id);
        let output = Command::new("sh").args(["-c", &command]).current_dir(&folder).output().expect("sh starts");
        let answer = String::from_utf8(output.stdout).expect("text");
        assert!(
            output.status.success(),
            "{}: {} (curl and tar must be installed)\n{}",
            example.command,
            output.status,
            String::from_utf8_lossy(&output.stderr)
        );
        assert!(
            matches(&example.answer, &answer),
            "{}\nanswers\n{answer}\nThe README has\n{}",
            example.command,
            example.answer
        );
        id = execution_id(&answer).unwrap_or(id);
    }
}

#[derive(Debug)]
struct Example {
    command: String,
    answer: String,
}

/// Those of the section about the server.
fn examples(readme: &str) -> Vec<Example> {
    let section = readme.split("\n## ").find(|section| section.starts_with("The server\n")).expect("the section");
    let mut examples: Vec<Example> = Vec::new();
    for block in section.split("```console\n").skip(1).filter_map(|rest| rest.split("```").next()) {
        for line in block.lines() {
            match (line.strip_prefix("$ "), examples.last_mut()) {
                (Some(command), _) => examples.push(Example { command: command.to_owned(), answer: String::new() }),
                (None, Some(example)) => example.answer.extend([line, "\n"]),
                (None, None) => panic!("no command before {line:?}"),
            }
        }
    }
    examples
}

/// Whether the text has all that is printed, in its order, and nothing else but where that says so.
fn matches(printed: &str, text: &str) -> bool {
    let (printed, text) = (printed.trim(), text.trim());
    let pieces: Vec<_> = printed.split(ANYTHING).map(str::trim).collect();
    let (Some(first), Some(last)) = (pieces.first(), pieces.last()) else { return false };
    let mut rest = text;
    text.starts_with(first)
        && text.ends_with(last)
        && (pieces.len() > 1 || printed == text)
        && pieces.iter().all(|piece| match rest.split_once(piece) {
            Some((_, after)) => {
                rest = after;
                true
            }
            None => false,
        })
}

fn execution_id(text: &str) -> Option<String> {
    let (_, after) = text.split_once("exe_")?;
    let digits: String = after.chars().take_while(|&c| c.is_ascii_hexdigit() || c == '-').collect();
    Some(format!("exe_{digits}"))
}

#[test]
fn what_is_left_out_can_be_anything_and_the_rest_cannot() {
    assert!(matches("{\"a\":\"exe_…\",…}", "{\"a\":\"exe_12\",\"b\":1}"));
    assert!(matches("…\nevent: x\n…\n", "id: 1\nevent: x\n\nid: 2\n"));
    assert!(matches("", "\n"));
    assert!(!matches("{\"a\":1}", "{\"a\":1,\"b\":1}"));
    assert!(!matches("{\"a\":1,…}", "[{\"a\":1,\"b\":1}"));
    assert!(!matches("x…y…x", "yx"));
    assert!(!matches("…b…a…", "ab"));
}
