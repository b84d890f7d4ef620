//! The `pyexec` command, as a user runs it.

use crate::support::{pyexec, repository};
use std::{
    fs,
    io::Write,
    process::{Command, Stdio},
};

struct Ran {
    stdout: String,
    stderr: String,
    code: i32,
}

fn run_with(arguments: &[&str], stdin: &[u8]) -> Ran {
    // Makes the cached image, so that its progress lines are not in the way.
    pyexec();
    let mut child = Command::new(env!("CARGO_BIN_EXE_pyexec"))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("starts");
    // A command that does not read its input closes it.
    let _ = child.stdin.take().expect("piped").write_all(stdin);
    let output = child.wait_with_output().expect("ends");
    Ran {
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        code: output.status.code().expect("an exit code"),
    }
}

fn run(arguments: &[&str]) -> Ran {
    run_with(arguments, b"")
}

#[test]
fn a_project_runs_with_input_and_arguments() {
    let project = repository("examples/word-count");
    let ran = run_with(&["run", project.to_str().expect("UTF-8"), "--", "--top", "2"], b"a b a\nc a b\n");
    assert_eq!((ran.stdout.as_str(), ran.code), ("3 a\n2 b\n", 0), "{}", ran.stderr);
    assert_eq!(ran.stderr, "");
}

#[test]
fn a_file_an_archive_and_standard_input_run() {
    let folder = tempfile::tempdir().expect("a folder");
    let script = folder.path().join("my_script.py");
    fs::write(&script, "import sys\nprint(sys.argv, input())\nsys.exit(4)").expect("written");
    let ran = run_with(&["run", script.to_str().expect("UTF-8"), "--", "-x"], b"typed\n");
    assert_eq!((ran.stdout.as_str(), ran.code), ("['my_script.py', '-x'] typed\n", 4));

    let archive = folder.path().join("project.tar");
    let mut builder = tar::Builder::new(fs::File::create(&archive).expect("created"));
    builder.append_path_with_name(&script, "app/tool.py").expect("added");
    builder.finish().expect("written");
    let ran = run_with(&["run", archive.to_str().expect("UTF-8")], b"typed\n");
    assert_eq!((ran.stdout.as_str(), ran.code), ("['app/tool.py'] typed\n", 4), "{}", ran.stderr);

    for arguments in [&["run"][..], &["run", "-"]] {
        assert_eq!(run_with(arguments, b"print('from stdin')").stdout, "from stdin\n");
    }
}

#[test]
fn eval_prints_the_last_value() {
    let ran = run(&["eval", "x = 20; print('side')\nx * 2 + 2"]);
    assert_eq!((ran.stdout.as_str(), ran.code), ("side\n42\n", 0));
    assert_eq!(run(&["eval", "--no-result", "42"]).stdout, "");
    assert_eq!(run_with(&["eval"], b"'from stdin'").stdout, "'from stdin'\n");
    let ran = run(&["eval", "1/0"]);
    assert!(ran.stderr.ends_with("ZeroDivisionError: division by zero\n") && ran.code == 1);
    assert_eq!(run(&["eval", "--python", "3.14", "1"]).stdout, "1\n");
    let ran = run(&["eval", "--python", "2.7", "1"]);
    assert!(ran.stderr.contains("supported versions: 3.10, 3.11") && ran.code == 2, "{}", ran.stderr);
}

#[test]
fn exit_codes_tell_what_happened() {
    let ran = run(&["eval", "--timeout", "0.3", "while True: pass"]);
    assert_eq!(ran.code, 124);
    assert!(
        ran.stderr.contains("time limit of 0.3 s exceeded") && ran.stderr.contains("hint: --timeout"),
        "{}",
        ran.stderr
    );
    assert_eq!(run(&["eval", "--fuel", "5000000", "while True: pass"]).code, 124);
    assert_eq!(run(&["eval", "--memory", "64", "x = []\nwhile True: x.append(bytes(1000))"]).code, 1);
    assert_eq!(run(&["run", "/no/such/file.py"]).code, 2);
    assert_eq!(run(&["run", "--no-such-flag"]).code, 2);
    let ran = run(&["eval", "-e", "SURELY_NOT_SET_ANYWHERE", "1"]);
    assert!(ran.code == 2 && ran.stderr.contains("hint: write SURELY_NOT_SET_ANYWHERE=VALUE"), "{}", ran.stderr);
    let ran = run(&["eval", "--memory", "1", "1"]);
    assert!(ran.code == 2 && ran.stderr.contains("64 MiB"), "{}", ran.stderr);
}

#[test]
fn flags_choose_what_is_printed() {
    let code = "import sys; print('out'); print('err', file=sys.stderr); 7";
    let ran = run(&["eval", "-q", code]);
    assert_eq!((ran.stdout.as_str(), ran.stderr.as_str()), ("out\n7\n", ""));
    let ran = run(&["eval", "-v", code]);
    assert!(ran.stderr.contains("pyexec: Wasm: ") && ran.stderr.contains("fuel"), "{}", ran.stderr);
    let ran = run(&["eval", "--json", code]);
    let outcome: serde_json::Value = serde_json::from_str(&ran.stdout).expect("JSON and nothing else");
    assert_eq!(outcome["result_json"], 7);
    assert_eq!(outcome["stdout"]["text"], "out\n");
    assert_eq!(outcome["ending"], "exited");
    assert_eq!(ran.stderr, "");
}

#[test]
fn environment_and_files_go_in_and_files_come_out() {
    let folder = tempfile::tempdir().expect("a folder");
    let (one, two) = (folder.path().join("one.txt"), folder.path().join("two.txt"));
    fs::write(&one, "1").expect("written");
    fs::write(&two, "2").expect("written");
    let files = format!("{},{}", one.display(), two.display());
    let out = folder.path().join("out");
    let code =
        "import os\nopen('made.txt', 'w').write(open('one.txt').read() + open('two.txt').read() + os.environ['A'])";
    let ran = run(&["eval", "-q", "--file", &files, "-e", "A=b=c", "--out", out.to_str().expect("UTF-8"), code]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert_eq!(fs::read_to_string(out.join("made.txt")).expect("made"), "12b=c");
    assert!(!out.join("one.txt").exists(), "only what was made or changed");
}

#[test]
fn what_webassembly_lacks_is_said() {
    let ran = run(&["eval", "--executor", "wasm", "import threading\nthreading.Thread(target=print).start()"]);
    assert!(ran.stderr.contains("RuntimeError: can't start new thread"), "{}", ran.stderr);
    assert!(ran.stderr.contains("not available in WebAssembly: thread"), "{}", ran.stderr);
}

#[test]
fn the_embedding_example_runs() {
    pyexec();
    // Cargo builds examples for tests, beside the folder that this test is in.
    let tests = std::env::current_exe().expect("a path");
    let example = tests.ancestors().nth(2).expect("a target folder").join("examples/embed");
    let output = Command::new(example).output().expect("starts");
    let stdout = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(stdout.contains("live: so far") && stdout.contains("TimeLimit"), "{stdout}");
}

#[test]
fn help_and_versions_are_printed() {
    assert!(run(&["--help"]).stdout.contains("Exit codes"));
    assert!(run(&["run", "--help"]).stdout.contains("Examples:"));
    assert!(run(&["version"]).stdout.contains("CPython 3.14"));
    assert_eq!(run(&["prepare", "-q"]).code, 0);
}

#[test]
fn settings_are_printed_or_everything_wrong_with_them_is() {
    let config = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_pyexec"));
        let output =
            command.arg("config").args(arguments).env_clear().env("PYEXEC_SLOTS", "3").output().expect("starts");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (text(&output.stdout), text(&output.stderr), output.status.code())
    };
    let (stdout, stderr, code) = config(&["--port", "81", "--json"]);
    assert_eq!((stderr.as_str(), code), ("", Some(0)));
    let settings: serde_json::Value = serde_json::from_str(&stdout).expect("JSON");
    assert_eq!(settings["port"], serde_json::json!({ "value": 81, "source": "flag" }));
    assert_eq!(settings["slots"], serde_json::json!({ "value": 3, "source": "environment" }));
    let (stdout, stderr, code) = config(&["--port", "x", "--queue", "y"]);
    assert_eq!((stdout.as_str(), code), ("", Some(2)));
    assert_eq!(stderr.matches("error: ").count(), 2, "{stderr}");
}
