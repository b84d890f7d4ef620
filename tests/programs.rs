//! Ordinary programs behave as under native CPython: same stdout, same exit code, same last line on stderr.

use crate::support::{for_each, name, native, pyexec, scripts};
use pyexec::{
    Job, Limits, Outcome, Project, TierChoice,
    outcome::{Ending, StopReason},
};
use std::{fs, io::Write, os::unix::process::ExitStatusExt, path::Path, process::Stdio};

#[derive(Debug, PartialEq, Eq)]
pub struct Seen {
    pub stdout: String,
    exit_code: i32,
    last_line: String,
}

#[test]
fn programs_behave_as_under_native_python() {
    for_each(&scripts("tests/programs"), |path| {
        let source = fs::read_to_string(path).expect("readable");
        let (expected, found) = (native_run(path, &source), sandbox_run(path, &source));
        if expected == found {
            return Ok(());
        }
        let difference = if expected.stdout == found.stdout {
            String::new()
        } else {
            let first = expected.stdout.lines().zip(found.stdout.lines()).position(|(a, b)| a != b);
            let at = first.unwrap_or(expected.stdout.lines().count().min(found.stdout.lines().count()));
            format!(
                "\n  stdout line {}: native {:?}\n  {:>width$} sandbox {:?}",
                at + 1,
                expected.stdout.lines().nth(at),
                "",
                found.stdout.lines().nth(at),
                width = 8 + (at + 1).to_string().len()
            )
        };
        Err(format!(
            "{}: exit {} / {}\n  last line: native {:?}\n            sandbox {:?}{difference}",
            name(path),
            expected.exit_code,
            found.exit_code,
            expected.last_line,
            found.last_line
        ))
    });
}

/// Lines `#< text` at the top are its standard input.
pub fn stdin(source: &str) -> String {
    source.lines().filter_map(|line| line.strip_prefix("#< ")).map(|line| format!("{line}\n")).collect()
}

/// Lines of the service's own do not count.
fn last_line(stderr: &str) -> String {
    let is_the_programs = |line: &&str| !line.trim().is_empty() && !line.starts_with("pyexec: ");
    stderr.lines().rev().find(is_the_programs).unwrap_or_default().to_owned()
}

fn native_run(path: &Path, source: &str) -> Seen {
    let folder = tempfile::tempdir().expect("a folder");
    let script = path.file_name().expect("a name");
    fs::copy(path, folder.path().join(script)).expect("copied");
    let mut child = native()
        .arg(script)
        .current_dir(folder.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("native Python starts");
    // A program that does not read its input closes it.
    let _ = child.stdin.take().expect("piped").write_all(stdin(source).as_bytes());
    let output = child.wait_with_output().expect("native Python ends");
    Seen {
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        exit_code: output.status.code().or(output.status.signal().map(|signal| 128 + signal)).expect("an end"),
        last_line: last_line(&String::from_utf8_lossy(&output.stderr)),
    }
}

fn sandbox_run(path: &Path, source: &str) -> Seen {
    let script = path.file_name().and_then(|name| name.to_str()).expect("a name");
    let job = Job::project(Project::files([(script, source.to_owned())]).expect("a project"))
        .tier(TierChoice::Wasm)
        .stdin(stdin(source))
        .limits(Limits { wall_clock_ms: 60_000, ..Limits::default() });
    pyexec().run_blocking(job).expect("an outcome").into()
}

impl From<Outcome> for Seen {
    fn from(outcome: Outcome) -> Seen {
        let exit_code = match outcome.ending {
            Ending::Exited { exit_code } => exit_code.into(),
            Ending::Stopped { reason: StopReason::TimeLimit } => -1,
            Ending::Stopped { .. } | Ending::Failed { .. } => -2,
        };
        Seen { stdout: outcome.stdout.text, exit_code, last_line: last_line(&outcome.stderr.text) }
    }
}

#[test]
fn local_time_follows_the_environment() {
    let code = "import time, datetime\nprint(time.strftime('%H:%M %Z', time.localtime(0)), time.tzname, time.timezone)\n\
                print(datetime.datetime.fromtimestamp(0), datetime.datetime(1970, 1, 1).astimezone().utcoffset())";
    let stdout = |zone: Option<&str>| {
        let job = Job::code(code).tier(TierChoice::Wasm);
        let job = zone.into_iter().fold(job, |job, zone| job.env("TZ", zone));
        pyexec().run_blocking(job).expect("an outcome").stdout.text
    };
    assert_eq!(stdout(None), "00:00 UTC ('UTC', 'UTC') 0\n1970-01-01 00:00:00 0:00:00\n");
    let tokyo = "09:00 JST ('JST', 'JST') -32400\n1970-01-01 09:00:00 9:00:00\n";
    assert_eq!(stdout(Some("Asia/Tokyo")), tokyo);
    let by_rule = "18:30 NST ('NST', 'NDT') 19800\n1969-12-31 18:30:00 -1 day, 18:30:00\n";
    assert_eq!(stdout(Some("NST5:30NDT,M3.2.0,M11.1.0")), by_rule);
}
