//! `pyexec session` and `pyexec repl`, as a user types them.

use crate::{server::support::Server, support::pyexec};
use serde_json::Value;
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

fn run_with(server: Option<&Server>, arguments: &[&str], stdin: &[u8]) -> Ran {
    // Makes the cached image, so that its progress lines are not in the way.
    pyexec();
    let mut command = Command::new(env!("CARGO_BIN_EXE_pyexec"));
    command.args(arguments).env("PYEXEC_SERVER", server.map_or("", Server::url)).env("PYEXEC_FALLBACK", "off");
    let command = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("starts");
    // A command that does not read its input closes it.
    let _ = child.stdin.take().expect("piped").write_all(stdin);
    let output = child.wait_with_output().expect("ends");
    Ran {
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        code: output.status.code().expect("an exit code"),
    }
}

#[test]
fn a_session_is_made_used_and_removed() {
    let server = Server::start(&[], &[]);
    let run = |arguments: &[&str]| run_with(Some(&server), &[&["session"], arguments].concat(), b"");
    let done = |arguments: &[&str]| {
        let ran = run(arguments);
        assert!(ran.code == 0 && ran.stderr.is_empty(), "{arguments:?}: {} {}", ran.code, ran.stderr);
        ran.stdout
    };
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data.bin");
    fs::write(&data, b"\xffseven").expect("written");
    let data = data.to_str().expect("text");
    let id = done(&["new", "--file", data, "--env", "NAME=value"]);
    let id = id.trim_end();
    assert_eq!(done(&["call", id, "import os\nx = os.environ['NAME']\nprint('out')\nx"]), "out\n'value'\n");
    assert_eq!(done(&["call", id, "display([1])\nlen(open('data.bin', 'rb').read())"]), "[1]\n6\n");
    let failed = run(&["call", id, "1 / 0"]);
    assert!(failed.code == 1 && failed.stderr.ends_with("ZeroDivisionError: division by zero\n"), "{}", failed.stderr);
    let late = run(&["call", id, "while True: pass", "--timeout", "0.2"]);
    assert!(late.code == 124 && late.stderr.contains("time"), "{} {}", late.code, late.stderr);
    let piped = run_with(Some(&server), &["session", "call", id, "-", "-q"], b"y = 5\nx * 2");
    assert_eq!((&*piped.stdout, piped.code), ("'valuevalue'\n", 0), "{}", piped.stderr);
    let whole: Value = serde_json::from_str(&done(&["call", id, "y", "--json"])).expect("JSON");
    assert_eq!((&whole["result"], &whole["session_id"]), (&Value::from("5"), &Value::from(id)), "{whole:#}");
    assert!(done(&["variables", id]).contains("y     int"), "{}", done(&["variables", id]));
    done(&["put", id, data, "a/b.bin"]);
    assert!(
        done(&["files", id]).ends_with("s   a/b.bin\n6      0s   data.bin\n")
            || done(&["files", id]).contains("a/b.bin")
    );
    let back = folder.path().join("back.bin");
    done(&["get", id, "a/b.bin", back.to_str().expect("text")]);
    assert_eq!(fs::read(back).expect("a file"), b"\xffseven");
    done(&["checkpoint", id, "before"]);
    assert_eq!(done(&["checkpoint", id]), "before\n");
    let fork = done(&["fork", id]);
    let fork = fork.trim_end();
    done(&["call", id, "y = 6"]);
    assert_eq!((done(&["call", fork, "y"]), done(&["call", id, "y"])), ("5\n".to_owned(), "6\n".to_owned()));
    done(&["rollback", id, "before"]);
    let unknown = run(&["rollback", id, "nope"]);
    assert!(
        unknown.code == 2
            && unknown.stderr.contains("under \"nope\", but under before\nhint: pyexec session checkpoint"),
        "{}",
        unknown.stderr
    );
    assert_eq!(done(&["call", id, "y"]), "5\n");
    assert!(done(&["show", id]).contains("state:        live"), "{}", done(&["show", id]));
    let listed = done(&["list"]);
    assert!(listed.starts_with("ID") && listed.contains(id) && listed.contains(fork), "{listed}");
    // An SVG that the code shows is a file.
    let figures = folder.path().join("figures");
    let svg = "display({'image/svg+xml': '<svg/>'}, raw=True)";
    run(&["call", id, svg, "--out", figures.to_str().expect("text")]);
    assert_eq!(fs::read(figures.join("figure-1.svg")).expect("a file"), b"<svg/>");
    done(&["rm", id, fork]);
    let gone = run(&["show", id]);
    assert!(gone.code == 2 && gone.stderr.contains("hint: pyexec session list"), "{} {}", gone.code, gone.stderr);
    assert_eq!(run(&["show", "../x"]).code, 2);
    // Ids of old may begin like flags.
    let gone = run(&["call", "-67Yr6Zb3jvsqAT5jiag4", "1"]);
    assert!(gone.code == 2 && gone.stderr.contains("there is no session"), "{}", gone.stderr);
}

#[test]
fn a_pipe_is_read_piece_by_piece() {
    let server = Server::shared();
    let code = "x = 20\nx + 1\ndef f(n):\n    if n:\n        return 1\n\n    else:\n        return 2\n# no end\nf(0)\ntext = \
                '''a\nb'''\nif x:\n    print('yes', end='')\nelse:\n    print('no')\n1 / 0\nimport asyncio\nawait \
                asyncio.sleep(0)\n'end'";
    for server in [None, Some(&*server)] {
        let ran = run_with(server, &["repl"], code.as_bytes());
        assert_eq!(ran.stdout, "21\n2\nyes\n'end'\n", "{}", ran.stderr);
        assert!(ran.stderr.ends_with("ZeroDivisionError: division by zero\n") && ran.code == 1, "{}", ran.stderr);
    }
    let left = server.get("/api/v1/sessions").json();
    assert!(left["sessions"].as_array().is_some_and(|all| all.iter().all(|it| it["calls"] != 10)), "{left:#}");
    let bad = run_with(None, &["repl", "--keep"], b"");
    assert!(bad.code == 2 && bad.stderr.contains("hint: --server"), "{}", bad.stderr);
    assert_eq!(run_with(Some(&*server), &["repl", "--session", "AAAAAAAAAAAAAAAAAAAAA"], b"1").code, 2);
}

/// Types into a terminal, each text when the one before it was answered, and prints all that was seen.
const TERMINAL: &str = r#"
import os, pty, select, sys, time
pid, terminal = pty.fork()
if pid == 0:
    os.execv(sys.argv[1], sys.argv[1:])
seen = b""
def until(text):
    global seen
    deadline, before = time.time() + 60, len(seen)
    while text not in seen[before:] and time.time() < deadline:
        if select.select([terminal], [], [], 1)[0]:
            try:
                seen += os.read(terminal, 65536)
            except OSError:
                break
    assert text in seen[before:], (text, seen)
until(b">>> ")
for line, answer in [
    (b"x = 20\r", b">>> "), (b"x + 1\r", b"21"), (b"def f():\r", b"... "), (b"return x\r", b"... "), (b"\r", b">>> "),
    (b"f()\r", b"20"), (b"many_words = 7\r", b">>> "), (b"many_w\t\r", b"7"), (b"wrong\x03", b">>> "),
    (b"import time\r", b">>> "), (b"print('sleeps'); time.sleep(60)\r", b"\nsleeps"), (b"\x03", b"KeyboardInterrupt"),
    (b"x\r", b"20"), (b"\x1b[A\r", b"20"),
]:
    os.write(terminal, line)
    until(answer)
time.sleep(0.2)
os.write(terminal, b"\x04")
_, status = os.waitpid(pid, 0)
sys.exit(os.waitstatus_to_exitcode(status))
"#;

#[test]
fn a_terminal_has_lines_to_edit_and_ctrl_c() {
    pyexec();
    let server = Server::shared();
    for url in ["", server.url()] {
        let state = tempfile::tempdir().expect("a folder");
        let typed = Command::new("python3")
            .args(["-c", TERMINAL, env!("CARGO_BIN_EXE_pyexec"), "repl"])
            .envs([("PYEXEC_SERVER", url), ("PYEXEC_FALLBACK", "off"), ("TERM", "xterm")])
            .env("XDG_STATE_HOME", state.path())
            .output()
            .expect("python3 starts");
        assert!(typed.status.success(), "{}", String::from_utf8_lossy(&typed.stderr));
        let history = fs::read_to_string(state.path().join("pyexec/history")).expect("a history");
        assert!(history.contains("many_words = 7") && !history.contains("wrong"), "{history}");
    }
}
