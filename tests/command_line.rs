//! The `pyexec` command, as a user runs it.

use crate::support::{docker::without_docker, pyexec, repository};
use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
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
    let ran = run(&["eval", "--executor", "wasm", "--image", "python:3.12-slim", "1"]);
    assert!(ran.code == 1 && ran.stderr.starts_with("error: "), "{}", ran.stderr);
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

/// As [`run`], with packages in a folder that nobody else uses.
fn run_in(folder: &std::path::Path, arguments: &[&str]) -> Ran {
    pyexec();
    let output = Command::new(env!("CARGO_BIN_EXE_pyexec"))
        .args(arguments)
        .env("PYEXEC_ENVIRONMENTS_DIR", folder.join("environments"))
        .env("PYEXEC_BAKE_PACKAGES", "false")
        .env("PYEXEC_FALLBACK", "off")
        .stdin(Stdio::null())
        .output()
        .expect("starts");
    Ran {
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        code: output.status.code().expect("an exit code"),
    }
}

#[test]
fn an_import_installs_a_package_and_says_so_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let code = "import tabulate; tabulate.tabulate([[1]])";
    let ran = run_in(folder.path(), &["eval", code]);
    assert_eq!((ran.stdout.as_str(), ran.code), ("'-\\n1\\n-'\n", 0), "{}", ran.stderr);
    assert!(
        ran.stderr.starts_with("pyexec: resolving 1 requirement\npyexec: installing 1 package\n"),
        "{}",
        ran.stderr
    );
    let again = run_in(folder.path(), &["eval", code]);
    assert_eq!((again.stdout, again.stderr.as_str()), (ran.stdout, ""));
    let other = tempfile::tempdir().expect("a folder");
    assert_eq!(run_in(other.path(), &["eval", "-q", code]).stderr, "");
    let ran = run_in(folder.path(), &["eval", "import numpy"]);
    assert!(ran.code == 1 && ran.stderr.contains("imports numpy, which has no pure-Python wheel"), "{}", ran.stderr);
    assert!(ran.stderr.contains("\nhint: PYEXEC_FALLBACK=off"), "{}", ran.stderr);
}

#[test]
fn environments_are_created_listed_warmed_used_and_removed() {
    let folder = tempfile::tempdir().expect("a folder");
    let env = |arguments: &[&str]| run_in(folder.path(), &[&["env"], arguments].concat());
    assert_eq!((env(&["list"]).stdout.as_str(), env(&["list"]).stderr.as_str()), ("", "pyexec: there are none\n"));

    let created = env(&["create", "tabulate", "--preload", "tabulate"]);
    assert_eq!(created.code, 0, "{}", created.stderr);
    let id = created.stdout.trim_end();
    assert!(id.len() == 64 && created.stderr.contains("pyexec: tabulate "), "{}{}", created.stdout, created.stderr);
    let again = env(&["create", "-q", "Tabulate", "--preload", "tabulate"]);
    assert_eq!((again.stdout.trim_end(), again.stderr.as_str()), (id, ""));
    let older = env(&["create", "-q", "--python", "3.13", "six"]);
    assert_eq!(older.code, 0, "{}", older.stderr);
    let native = env(&["create", "numpy"]);
    assert!(native.code == 0 && native.stderr.contains("WebAssembly does not take numpy:"), "{}", native.stderr);

    // Imported beforehand, it is there.
    let line = |id: &str| {
        let listed = env(&["list"]).stdout;
        let line = listed.lines().find(|line| line.starts_with(&id[..12])).unwrap_or_else(|| panic!("{listed}"));
        line.split_whitespace().map(str::to_owned).collect::<Vec<_>>()
    };
    // The image may be there already: it is the same for everyone.
    assert_eq!(line(id)[1..3], ["3.14", "wasm"]);
    assert_eq!(line(older.stdout.trim_end())[1..3], ["3.13", "docker"]);
    assert_eq!(line(native.stdout.trim_end())[2], "docker");
    let warmed = env(&["warm", &id[..10]]);
    assert_eq!((warmed.stdout.trim_end(), warmed.code), (id, 0), "{}", warmed.stderr);
    assert_eq!(line(id)[5], "yes");
    let ran = run_in(folder.path(), &["eval", "--environment", &id[..10], "import tabulate; tabulate.tabulate([[1]])"]);
    assert_eq!((ran.stdout.as_str(), ran.stderr.as_str()), ("'-\\n1\\n-'\n", ""));

    assert_eq!(env(&["rm", &id[..8]]).stdout.trim_end(), id);
    let ran = run_in(folder.path(), &["eval", "--environment", id, "1"]);
    assert!(ran.code == 1 && ran.stderr.contains("environment: there is none with the id"), "{}", ran.stderr);
    for arguments in [["rm", id], ["warm", id]] {
        let ran = env(&arguments);
        assert!(ran.code == 2 && ran.stderr.contains("see pyexec env list"), "{}", ran.stderr);
    }
}

#[test]
fn an_environment_that_cannot_be_made_is_none() {
    let folder = tempfile::tempdir().expect("a folder");
    let env = |arguments: &[&str]| run_in(folder.path(), &[&["env"], arguments].concat());
    for (arguments, code, part) in [
        (&["create", "surely-published-by-nobody-1a2b"][..], 1, "is not in the package index"),
        (&["create", "jinja2==3.1.4", "markupsafe<2"], 1, "the requirements cannot be met together"),
        (&["create", "six", "--preload", "no module"], 2, "cannot be preloaded"),
        (&["create", "-e ."], 2, "error: "),
        (&["create"], 2, "REQUIREMENT"),
    ] {
        let ran = env(arguments);
        assert!(
            ran.code == code && ran.stderr.contains(part) && ran.stdout.is_empty(),
            "{arguments:?}: {}",
            ran.stderr
        );
    }
    assert_eq!(env(&["list"]).stderr, "pyexec: there are none\n");
}

#[test]
fn what_jobs_have_made_is_listed_and_warmed_as_well() {
    let folder = tempfile::tempdir().expect("a folder");
    let env = |arguments: &[&str]| run_in(folder.path(), &[&["env"], arguments].concat());
    run_in(folder.path(), &["eval", "import tabulate"]);
    let listed = env(&["list"]).stdout;
    let line = listed.lines().nth(1).unwrap_or_else(|| panic!("{listed}"));
    assert!(line.contains("wasm") && line.ends_with("tabulate"), "{listed}");
    let warmed = env(&["warm", "-q", &line[..12]]);
    assert_eq!((warmed.code, warmed.stderr.as_str()), (0, ""));
    let listed = env(&["list"]).stdout;
    assert!(listed.lines().count() == 2 && listed.contains(&warmed.stdout[..12]) && listed.contains("yes"), "{listed}");
}

#[test]
fn an_image_that_is_built_gets_environments_for_either_tier() {
    let folder = tempfile::tempdir().expect("a folder");
    let into = folder.path().join("prepared");
    let into = into.to_str().expect("UTF-8");
    let elsewhere = tempfile::tempdir().expect("a folder");
    for arguments in [&["tabulate"][..], &["six", "--python", "3.13"]] {
        let ran = run_in(elsewhere.path(), &[&["env", "create", "--into", into], arguments].concat());
        assert_eq!(ran.code, 0, "{}", ran.stderr);
    }
    pyexec();
    let mut command = Command::new(env!("CARGO_BIN_EXE_pyexec"));
    command
        .env("PYEXEC_PREPARED_ENVIRONMENTS", into)
        .env("PYEXEC_ENVIRONMENTS_DIR", elsewhere.path().join("environments"));
    command.env("PYEXEC_OFFLINE", "true").env("PYEXEC_BAKE_PACKAGES", "false").env("PYEXEC_FALLBACK", "off");
    let output = command.args(["eval", "import tabulate; 7"]).output().expect("starts");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!((&*String::from_utf8_lossy(&output.stdout), &*stderr), ("7\n", ""));
}

#[test]
fn times_and_sizes_have_units() {
    let ran = run(&["eval", "--timeout", "200ms", "while True: pass"]);
    assert!(ran.code == 124 && ran.stderr.contains("0.2 s exceeded"), "{}", ran.stderr);
    for limits in [["--timeout", "2m"], ["--timeout", "1.5"], ["--memory", "1G"], ["--memory", "0"], ["--disk", "64m"]]
    {
        assert_eq!(run(&["eval", limits[0], limits[1], "1"]).stdout, "1\n", "{limits:?}");
    }
    let ran = run(&["eval", "--memory", "1X", "1"]);
    assert!(ran.code == 2 && ran.stderr.contains("such as 512M or 1.5G"), "{}", ran.stderr);
    let ran = run(&["eval", "--memory", "100M", "x = bytearray(200 << 20)"]);
    assert!(ran.code == 1 && ran.stderr.contains("MemoryError"), "{}", ran.stderr);
    assert!(ran.stderr.ends_with("hint: --memory SIZE allows more\n"), "{}", ran.stderr);
}

#[test]
fn flags_of_the_first_client_are_taken_by_every_verb() {
    assert_eq!(run(&["--timeout", "5", "--memory", "256", "-q", "--network=false", "eval", "7"]).stdout, "7\n");
    assert_eq!(run(&["--async=false", "eval", "--cpu", "0", "--timeout", "0", "7"]).stdout, "7\n");
    for verb in ["version", "run", "eval", "submit", "follow", "kill", "list"] {
        let flags =
            ["--timeout=1", "--memory=64", "--disk=1", "--cpu=2", "--image=x", "--network", "--async", "--help"];
        for quiet in ["-q", "--quiet", "-v", "--verbose"] {
            let ran = run(&[&[quiet][..], &flags[..7], &[verb, "--help"]].concat());
            let behind = run(&[&[verb, quiet][..], &flags].concat());
            assert_eq!((ran.code, behind.code), (0, 0), "{verb} {quiet}: {}{}", ran.stderr, behind.stderr);
        }
    }
}

#[test]
fn what_is_refused_is_json_where_that_was_asked_for() {
    for arguments in [
        &["run", "--json", "/no/such/file.py"][..],
        &["eval", "--json", "--memory", "x", "1"],
        &["eval", "--no-such-flag", "--json", "1"],
        &["config", "--json", "--port", "x"],
    ] {
        let ran = run(arguments);
        let refusal: serde_json::Value = serde_json::from_str(&ran.stdout).expect("JSON and nothing else");
        assert_eq!((ran.code, &refusal["exit_code"]), (2, &serde_json::json!(2)), "{arguments:?}");
        let error = refusal["error"].as_str().expect("a text");
        assert!(!error.starts_with("error:") && ran.stderr.starts_with(&format!("error: {error}")), "{}", ran.stderr);
    }
    let ran = run(&["eval", "--json", "--executor", "wasm", "--image", "python:3.12-slim", "1"]);
    let refusal: serde_json::Value = serde_json::from_str(&ran.stdout).expect("JSON and nothing else");
    assert_eq!((ran.code, &refusal["exit_code"]), (1, &serde_json::json!(1)));
    let ran = run(&["run", "/no/such/file.py", "--", "--json"]);
    assert_eq!((ran.stdout.as_str(), ran.code), ("", 2));
}

/// Reads one line of what a command prints, and goes away.
fn one_line_of(arguments: &[&str]) -> Ran {
    pyexec();
    let mut child = Command::new(env!("CARGO_BIN_EXE_pyexec"))
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("starts");
    let mut stdout = String::new();
    BufReader::new(child.stdout.take().expect("piped")).read_line(&mut stdout).expect("a line");
    let output = child.wait_with_output().expect("ends");
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    Ran { stdout, stderr, code: output.status.code().expect("an exit code") }
}

#[test]
fn a_reader_that_goes_away_ends_it_quietly() {
    for (arguments, code) in [
        (&["config"][..], 0),
        (&["completions", "bash"], 0),
        (&["man"], 0),
        (&["eval", "while True: print('x' * 1000)"], 141),
        (&["eval", "import sys\nwhile True: sys.stdout.write('x' * 9 + chr(10))"], 141),
    ] {
        let ran = one_line_of(arguments);
        assert_eq!((ran.stderr.as_str(), ran.code), ("", code), "{arguments:?}");
        assert!(!ran.stdout.is_empty(), "{arguments:?}");
    }
    // Files that are wanted come out all the same.
    let folder = tempfile::tempdir().expect("a folder");
    let code = "for i in range(1000): print('x' * 1000)\nopen('made', 'w').write('done')";
    let ran = one_line_of(&["eval", "--out", folder.path().to_str().expect("UTF-8"), code]);
    assert_eq!((ran.stderr.as_str(), ran.code), ("", 0));
    assert_eq!(fs::read_to_string(folder.path().join("made")).expect("made"), "done");
}

#[test]
fn a_closed_stderr_and_a_full_disk_are_no_crash() {
    pyexec();
    let full = fs::File::options().write(true).open("/dev/full").expect("a device");
    let mut command = Command::new(env!("CARGO_BIN_EXE_pyexec"));
    let output = command.args(["eval", "'x'"]).stdout(full.try_clone().expect("a device")).output().expect("starts");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() == Some(125) && stderr.contains("cannot write to stdout"), "{stderr}");
    for arguments in [
        &["--help"][..],
        &["--version"],
        &["run", "--help"],
        &["version"],
        &["completions", "bash"],
        &["man"],
        &["config"],
    ] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_pyexec"));
        let output = command.args(arguments).stdout(full.try_clone().expect("a device")).output().expect("starts");
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(125), "{arguments:?}: {stderr}");
        assert!(stderr.contains("cannot write to stdout"), "{arguments:?}: {stderr}");
        let (reader, writer) = std::io::pipe().expect("a pipe");
        drop(reader);
        let mut command = Command::new(env!("CARGO_BIN_EXE_pyexec"));
        let output = command.args(arguments).stdout(writer).output().expect("starts");
        assert_eq!((&*output.stderr, output.status.code()), (&b""[..], Some(0)), "{arguments:?}");
    }
    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    let mut command = Command::new(env!("CARGO_BIN_EXE_pyexec"));
    let output = command.args(["eval", "-v", "import sys; sys.stderr.write('x'); 7"]).stderr(writer).output();
    let output = output.expect("starts");
    assert_eq!((&*output.stdout, output.status.code()), (&b"7\n"[..], Some(0)));
}

#[test]
fn all_that_a_script_prints_is_passed_on() {
    let ran = run(&["eval", "import sys\nfor i in range(300): _ = sys.stdout.write('x' * 99_999 + chr(10))"]);
    assert_eq!((ran.stdout.len(), ran.stderr.as_str(), ran.code), (30_000_000, "", 0));
    let ran = run(&["eval", "--json", "--max-output", "2K", "print('x' * 9000)"]);
    let outcome: serde_json::Value = serde_json::from_str(&ran.stdout).expect("JSON and nothing else");
    assert_eq!((&outcome["stdout"]["truncated"], &outcome["stdout"]["bytes"]), (&true.into(), &9001.into()));
    assert!(outcome["stdout"]["text"].as_str().expect("a text").len() < 2200);
    let said = "pyexec: stdout was cut: the script wrote 9001 bytes\nhint: --max-output SIZE keeps more\n";
    assert_eq!(ran.stderr, said);
}

#[test]
fn a_quiet_run_says_why_it_failed() {
    let ran = run(&["eval", "-q", "import sys; print('out'); print('err', file=sys.stderr); 1/0"]);
    assert_eq!((ran.stdout.as_str(), ran.code), ("out\n", 1));
    assert!(ran.stderr.starts_with("err\nTraceback") && ran.stderr.ends_with("by zero\n"), "{}", ran.stderr);
}

#[test]
fn files_that_nobody_asked_for_are_named() {
    let code = "for name in 'abcde': _ = open(name + '.txt', 'w').write('x')\nopen('.hidden', 'w').close()";
    let ran = run(&["eval", code]);
    let said = "pyexec: the script wrote a.txt, b.txt, c.txt and 2 more, which --out DIR would have kept\n";
    assert_eq!((ran.stderr.as_str(), ran.code), (said, 0));
    assert_eq!(run(&["eval", "-q", code]).stderr, said);
    assert_eq!(run(&["eval", "--json", code]).stderr, said);
    let file = tempfile::NamedTempFile::new().expect("a file");
    let below = file.path().join("out");
    let ran = run(&["eval", "--out", below.to_str().expect("UTF-8"), "print('ran')"]);
    assert!(ran.code == 2 && ran.stdout.is_empty() && ran.stderr.contains("cannot write there"), "{}", ran.stderr);
}

#[test]
fn a_folder_with_several_scripts_asks_for_one() {
    let folder = tempfile::tempdir().expect("a folder");
    for name in ["one.py", "two.py", "._one.py"] {
        fs::write(folder.path().join(name), format!("print({name:?})")).expect("written");
    }
    let path = folder.path().to_str().expect("UTF-8");
    let ran = run(&["run", path]);
    assert!(ran.code == 2 && ran.stderr.contains("more than one script: one.py, two.py\nhint: "), "{}", ran.stderr);
    assert_eq!(run(&["run", path, "--entrypoint", "two.py"]).stdout, "two.py\n");
    let ran = run(&["run", path, "--entrypoint", "nope.py"]);
    assert!(ran.code == 2 && ran.stderr.contains("no file \"nope.py\""), "{} {}", ran.code, ran.stderr);
    fs::remove_file(folder.path().join("one.py")).expect("removed");
    assert_eq!(run(&["run", path]).stdout, "two.py\n");
    std::os::unix::fs::symlink("two.py", folder.path().join("main.py")).expect("linked");
    std::os::unix::fs::symlink("/etc/passwd", folder.path().join("passwd")).expect("linked");
    let ran = run(&["run", path]);
    let note = "pyexec: 1 symbolic link that leads out of the project was left out: passwd\n";
    assert_eq!((ran.stdout.as_str(), ran.stderr.as_str()), ("two.py\n", note));
    assert_eq!(run(&["run", "-q", path]).stderr, "");
    let files = ["two.py", "._one.py"].map(|name| folder.path().join(name).display().to_string());
    assert_eq!(run(&["run", "--file", &files[0], "--file", &files[1]]).stdout, "two.py\n");
}

#[test]
fn archives_and_notebooks_run() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name).to_str().expect("UTF-8").to_owned();
    fs::create_dir(path("project")).expect("made");
    fs::write(path("project/main.py"), "import lib; print(lib.V)").expect("written");
    fs::write(path("project/lib.py"), "V = 'from the archive'").expect("written");
    let python = |code: &str| {
        let status = Command::new("python3").args(["-c", code]).current_dir(&folder).status().expect("starts");
        assert!(status.success(), "{code}");
    };
    python("import tarfile; t = tarfile.open('a.tgz', 'w:gz'); t.add('project', '.'); t.close()");
    python("import tarfile; t = tarfile.open('a.tar.gz', 'w:gz'); t.add('project'); t.close()");
    python("import tarfile; t = tarfile.open('a.tar', 'w:gz'); t.add('project', '.'); t.close()");
    python("import shutil; shutil.make_archive('a', 'zip', 'project')");
    for name in ["a.tgz", "a.tar.gz", "a.tar", "a.zip"] {
        let ran = run(&["run", &path(name)]);
        assert_eq!((ran.stdout.as_str(), ran.stderr.as_str(), ran.code), ("from the archive\n", "", 0), "{name}");
    }
    fs::rename(path("project/main.py"), path("project/__main__.py")).expect("renamed");
    python("import zipapp; zipapp.create_archive('project', 'a.pyz', interpreter='/usr/bin/python3')");
    assert_eq!(run(&["run", &path("a.pyz")]).stdout, "from the archive\n");
    python("import tarfile; t = tarfile.open('a.tar.xz', 'w:xz'); t.add('project', '.'); t.close()");
    let ran = run(&["run", &path("a.tar.xz")]);
    assert!(ran.code == 2 && ran.stderr.contains("packed with xz"), "{}", ran.stderr);

    let notebook = r##"{"cells": [{"cell_type": "markdown", "source": ["# Title"]}, {"cell_type": "code", "source":
        ["%matplotlib inline\n", "x = 20\n", "print(__file__)"]}, {"cell_type": "code", "source": ["x * 2 + 2"]}],
        "metadata": {"kernelspec": {"language": "python"}}, "nbformat": 4}"##;
    fs::write(path("analysis.ipynb"), notebook).expect("written");
    let ran = run(&["run", &path("analysis.ipynb")]);
    assert_eq!((ran.stdout.as_str(), ran.stderr.as_str(), ran.code), ("/work/analysis.py\n42\n", "", 0));
    fs::write(path("analysis.ipynb"), "print(1)").expect("written");
    let ran = run(&["run", &path("analysis.ipynb")]);
    assert!(ran.code == 2 && ran.stderr.contains("is not a notebook"), "{}", ran.stderr);
}

#[test]
fn sources_are_read_as_python_reads_them() {
    let folder = tempfile::tempdir().expect("a folder");
    let script = folder.path().join("script.py");
    for (source, printed) in [
        (&b"\xef\xbb\xbfprint('bom')\n"[..], "bom\n"),
        (b"#!/usr/bin/env python3\r\nif True:\r\n    print('crlf')\r\n", "crlf\n"),
        (b"print('cr')\rprint('two')\r", "cr\ntwo\n"),
        (b"# -*- coding: latin-1 -*-\nprint('\xe9', len('\xe9'))\n", "\u{e9} 1\n"),
        (b"#!/usr/bin/python3\n# vim: set fileencoding=cp1252 :\nprint('\x80')\n", "\u{20ac}\n"),
        (b"print(repr('''a\r\nb'''))\r\n", "'a\\nb'\n"),
    ] {
        fs::write(&script, source).expect("written");
        let ran = run(&["run", script.to_str().expect("UTF-8")]);
        assert_eq!((ran.stdout.as_str(), ran.stderr.as_str(), ran.code), (printed, "", 0));
        let ran = run_with(&["run", "-"], source);
        assert_eq!((ran.stdout.as_str(), ran.code), (printed, 0), "{}", ran.stderr);
    }
}

/// It is not known before it runs that it takes a container.
const PERHAPS_A_THREAD: &str = "
import time
print('run', time.time_ns())
if input() == 'typed':
    import threading
    thread = threading.Thread(target=print, args=('in a thread',))
    thread.start()
    thread.join()
";

#[test]
fn only_the_output_of_the_last_run_is_passed_on() {
    if without_docker() {
        return;
    }
    let ran = run_with(&["eval", PERHAPS_A_THREAD], b"typed\n");
    let lines: Vec<_> = ran.stdout.lines().collect();
    assert!(
        lines.len() == 2 && lines[0].starts_with("run ") && lines[1] == "in a thread",
        "{}{}",
        ran.stdout,
        ran.stderr
    );
    assert!(!ran.stderr.contains("run again"), "{}", ran.stderr);
}

#[test]
fn a_prompt_is_passed_on_and_another_run_after_it_is_told() {
    if without_docker() {
        return;
    }
    pyexec();
    let mut command = Command::new(env!("CARGO_BIN_EXE_pyexec"));
    command.args(["eval", PERHAPS_A_THREAD]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("starts");
    let mut stdout = BufReader::new(child.stdout.take().expect("piped"));
    let (mut prompt, mut rest) = (String::new(), String::new());
    stdout.read_line(&mut prompt).expect("a line");
    child.stdin.take().expect("piped").write_all(b"typed\n").expect("written");
    stdout.read_to_string(&mut rest).expect("text");
    let output = child.wait_with_output().expect("ends");
    let stderr = String::from_utf8_lossy(&output.stderr);
    let again = prompt.starts_with("run ") && rest.starts_with("run ") && rest.ends_with("\nin a thread\n");
    assert!(again, "{prompt}{rest}{stderr}");
    assert!(stderr.contains("pyexec: run again: ") && stderr.contains("; only the output from here on counts\n"));
}

#[test]
fn docker_is_where_its_own_command_says_or_refused_by_name() {
    pyexec();
    let run_with = |variable: &str, value: &str, code: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_pyexec"));
        command.args(["eval", "--executor", "auto", code]).env(variable, value).env_remove("PYEXEC_DOCKER_SOCKET");
        let output = command.stdin(Stdio::null()).output().expect("starts");
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let run = |host: &str, code: &str| run_with("DOCKER_HOST", host, code);
    let (code, stderr) = run_with("DOCKER_CONTEXT", "no-such", "import subprocess\nsubprocess.run(['true'])");
    assert!(code == Some(125) && stderr.contains("there is no Docker context no-such"), "{code:?} {stderr}");
    assert_eq!(run("ssh://me@there", "7"), (Some(0), String::new()));
    for host in ["ssh://me@there", "unix:///no/such/socket"] {
        let (code, stderr) = run(host, "import subprocess\nsubprocess.run(['true'])");
        let address = host.trim_start_matches("unix://");
        assert!(code == Some(125) && stderr.contains(address), "{code:?} {stderr}");
    }
}

#[test]
fn of_several_scripts_one_is_asked_for_wherever_they_come_from() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("a.py"), "print('a')").expect("written");
    fs::write(folder.path().join("b.py"), "print('b')").expect("written");
    let mut archive = tar::Builder::new(fs::File::create(folder.path().join("x.tar")).expect("made"));
    for name in ["a.py", "b.py"] {
        archive.append_path_with_name(folder.path().join(name), name).expect("written");
    }
    archive.finish().expect("written");
    let archive = folder.path().join("x.tar");
    for project in [folder.path(), &archive] {
        let project = project.to_str().expect("UTF-8");
        let ran = run(&["run", project]);
        assert_eq!((ran.stdout.as_str(), ran.code), ("", 2), "{}", ran.stderr);
        assert!(ran.stderr.contains("a.py, b.py") && ran.stderr.contains("\nhint: "), "{}", ran.stderr);
        assert!(ran.stderr.contains("--entrypoint"), "{}", ran.stderr);
        assert_eq!(run(&["run", project, "--entrypoint", "b.py"]).stdout, "b\n");
    }
}

#[test]
fn what_is_no_python_is_refused_before_anything_in_it_counts() {
    let folder = tempfile::tempdir().expect("a folder");
    let sample = "# Title\n```\n!pip install no-such-package-of-anybody\n```\n";
    for (name, content, what) in [
        ("README.md", sample.as_bytes(), "Markdown"),
        ("x.rar", b"Rar!\x1a\x07", "a RAR archive"),
        ("x.dat", b"\x01\x00\x02", "binary"),
        ("x.py", b"x = '\xe4'", "not UTF-8"),
    ] {
        let path = folder.path().join(name);
        fs::write(&path, content).expect("written");
        let ran = run(&["run", path.to_str().expect("UTF-8")]);
        assert_eq!((ran.stdout.as_str(), ran.code), ("", 2), "{name}: {}", ran.stderr);
        assert!(ran.stderr.contains(what) && ran.stderr.contains("not Python"), "{name}: {}", ran.stderr);
    }
    // By no name either.
    let path = folder.path().join("script.py");
    fs::write(&path, sample).expect("written");
    let ran = run(&["run", path.to_str().expect("UTF-8")]);
    assert!(ran.code == 1 && ran.stderr.contains("SyntaxError"), "{}", ran.stderr);
    assert!(!ran.stderr.contains("no-such-package"), "{}", ran.stderr);
}

#[test]
fn the_traceback_of_a_notebook_names_its_cells() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("n.ipynb");
    let cells = [r#"{"cell_type": "code", "source": "%timeit f()\ndef f():\n    return 1 / 0"}"#; 1].join(",");
    let last = r#"{"cell_type": "code", "source": "x = 1\nf()"}"#;
    fs::write(&path, format!(r#"{{"cells": [{cells}, {last}], "metadata": {{}}, "nbformat": 4}}"#)).expect("written");
    let path = path.to_str().expect("UTF-8");
    for arguments in [&["run", path][..], &["run", path, "-q"]] {
        let ran = run(arguments);
        assert_eq!(ran.code, 1, "{}", ran.stderr);
        assert!(ran.stderr.contains("File \"n.ipynb\", cell 2, line 2, in <module>"), "{}", ran.stderr);
        assert!(ran.stderr.contains("File \"n.ipynb\", cell 1, line 3, in f"), "{}", ran.stderr);
        assert_eq!(ran.stderr.contains("%timeit"), arguments.len() == 2, "{}", ran.stderr);
    }
    let ran = run(&["run", path, "--json"]);
    assert!(ran.stdout.contains("\"file\":\"n.ipynb, cell 1\",\"line\":3"), "{}", ran.stdout);
}

#[test]
fn limits_of_nothing_and_of_too_much_are_told() {
    for flag in ["--timeout", "--memory", "--disk"] {
        let ran = run(&["eval", "1", flag, "0"]);
        assert_eq!((ran.stdout.as_str(), ran.code), ("1\n", 0), "{}", ran.stderr);
        assert!(ran.stderr.contains(&format!("{flag} 0")) && ran.stderr.contains("default"), "{}", ran.stderr);
    }
    for (size, words) in [("1.5", "2 MiB are too little"), ("900T", "MiB of this machine")] {
        let ran = run(&["eval", "1", "--memory", size]);
        assert!(ran.code == 2 && ran.stderr.contains(words), "{}", ran.stderr);
    }
}

#[test]
fn files_that_are_lost_are_named_whatever_is_printed() {
    for flag in ["--json", "-q", "-v"] {
        let ran = run(&["eval", "open('made.txt', 'w').close()", flag]);
        assert!(ran.code == 0 && ran.stderr.contains("the script wrote made.txt, which --out DIR"), "{}", ran.stderr);
    }
}

#[test]
fn the_json_of_a_job_has_its_exit_code_and_the_limits_that_it_hit() {
    let json = |arguments: &[&str]| -> serde_json::Value {
        let ran = run(&[&["eval", "--json"], arguments].concat());
        let json: serde_json::Value = serde_json::from_str(&ran.stdout).expect("JSON");
        assert_eq!(json["exit_code"], ran.code, "{}", ran.stdout);
        json
    };
    let slow = json(&["import time; time.sleep(9)", "--timeout", "0.2"]);
    assert_eq!((&slow["exit_code"], &slow["limits_hit"][0]), (&124.into(), &"wall_clock".into()), "{slow}");
    // One allocation that there is no room for, and many.
    for code in ["bytes(10 ** 12)", "x = []\nwhile True: x.append(bytes(10 ** 6))"] {
        let large = json(&[code]);
        assert_eq!((&large["exit_code"], &large["limits_hit"][0]), (&1.into(), &"memory".into()), "{large}");
    }
    // Python's own limit is none of the job's.
    let deep = json(&["def f(): f()\nf()"]);
    assert_eq!((&deep["exception"]["kind"], &deep["limits_hit"]), (&"RecursionError".into(), &serde_json::json!([])));
}

#[test]
fn code_for_notebooks_is_told_from_mistakes() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("script.py");
    for (code, words) in [
        ("import asyncio\nawait asyncio.sleep(0)", "hint: `pyexec eval` and cells of a notebook take await"),
        ("display(1)", "hint: display is there in `pyexec eval`"),
        ("%timeit 1", "hint: lines that start with % or !"),
    ] {
        fs::write(&path, code).expect("written");
        let ran = run(&["run", path.to_str().expect("UTF-8")]);
        assert!(ran.code == 1 && ran.stderr.contains(words), "{code}: {}", ran.stderr);
    }
}

#[test]
fn a_need_for_the_network_is_told_once() {
    let ran = run(&["eval", "import urllib.request\nurllib.request.urlopen('http://example.invalid')"]);
    assert!(ran.stderr.contains("hint: --network allows it"), "{}", ran.stderr);
    assert!(!ran.stderr.contains("not available in WebAssembly"), "{}", ran.stderr);
}
