//! The guest as a Python on Linux where the native interpreter of the build is no measure: what OpenSSL brings, what a
//! container has around it, cells of notebooks, and how signals look from outside.

use crate::support::pyexec;
use pyexec::{Job, Outcome, Project, TierChoice, Want, outcome::Ending};
use serde_json::json;

fn run(job: Job) -> Outcome {
    pyexec().run_blocking(job.tier(TierChoice::Wasm)).expect("an outcome")
}

fn script(code: &str) -> Outcome {
    run(Job::code(code.to_owned()))
}

fn cell(code: &str) -> Outcome {
    run(Job::code(code.to_owned()).want(Want::LastExpression))
}

/// What code prints that must succeed, without a complaint and without missing anything.
fn prints(code: &str) -> String {
    let outcome = script(code);
    assert!(outcome.success() && outcome.stderr.text.is_empty(), "{code}\n{outcome:#?}");
    assert_eq!(outcome.capability_misses, [], "{code}");
    outcome.stdout.text
}

fn result(code: &str) -> String {
    let outcome = cell(code);
    assert!(outcome.success(), "{code}\n{outcome:#?}");
    outcome.result.unwrap_or_default()
}

#[test]
fn hash_functions_of_openssl_give_its_digests() {
    // From OpenSSL 3.5.
    for (name, shown, digest_size, block_size, digest) in [
        ("ripemd160", "ripemd160", 20, 64, "8eb208f7e05d987a9b044a8e98c6b087f15a0bfc"),
        ("sm3", "sm3", 32, 64, "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"),
        ("sha512_224", "sha512_224", 28, 128, "4634270f707b6a54daae7530460842e20e37ed265ceee9a43e8924aa"),
        ("sha512_256", "sha512_256", 32, 128, "53048e2681941ef99b2e29b76b4c7dabe4c2d0c634fc6d46e0e2f13107e7af23"),
        ("md5-sha1", "md5-sha1", 36, 64, "900150983cd24fb0d6963f7d28e17f72a9993e364706816aba3e25717850c26c9cd0d89d"),
        ("keccak-256", "undefined", 32, 136, "4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45"),
        ("sha256-192", "undefined", 24, 64, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9c"),
    ] {
        let code = format!(
            "import hashlib, hmac\n\
             one = hashlib.new({name:?}, b'ab', usedforsecurity=False)\ntwo = one.copy()\none.update(b'c')\n\
             print(one.name, one.digest_size, one.block_size, one.hexdigest())\n\
             print(two.hexdigest() != one.hexdigest(), one.digest().hex() == one.hexdigest())\n\
             long = bytes(range(256)) * 40\npieces = hashlib.new({name:?})\n\
             for at in range(0, len(long), 77): pieces.update(long[at:at + 77])\n\
             print(pieces.digest() == hashlib.new({name:?}, long).digest())\n\
             print(hmac.new(b'k', b'm', {name:?}).digest() == hmac.digest(b'k', b'm', {name:?}))\n"
        );
        let expected = format!("{shown} {digest_size} {block_size} {digest}\nTrue True\nTrue\nTrue\n");
        assert_eq!(prints(&code), expected, "{name}");
    }
}

#[test]
fn hash_functions_have_all_of_their_names() {
    let code = "
import hashlib
for name in '''sha256 SHA256 sha-256 Sha-256 SHA2-256 sha3-256 SHA3-256 sha3_256 blake2b512 BLAKE2b-512 blake2s256 shake128
        SHAKE-256 sha-1 MD5 RIPEMD-160 rmd160 SM3 sha512-256 SHA-512/256 2.16.840.1.101.3.4.2.1'''.split():
    print(hashlib.new(name).name, end=' ')
print()
for name in ('SHA3_256', 'BLAKE2B', 'sha_256', 'sha512/256', 'md4', '', 'sha256 ', '\\ud800'):
    try:
        print(hashlib.new(name))
    except ValueError as error:
        print(ascii(str(error)))
print(sorted(hashlib.algorithms_available - hashlib.algorithms_guaranteed))
print(hashlib.pbkdf2_hmac('sm3', b'pw', b'salt', 3).hex()[:16], hashlib.pbkdf2_hmac('SHA3-256', b'pw', b'salt', 3).hex()[:16])
print(hashlib.pbkdf2_hmac('blake2b512', b'pw', b'salt', 3, 8).hex(), hashlib.pbkdf2_hmac('keccak-256', b'pw', b'salt', 3, 8).hex())
";
    let names = "sha256 sha256 sha256 sha256 sha256 sha3_256 sha3_256 sha3_256 blake2b blake2b blake2s shake_128 shake_256 \
                 sha1 md5 ripemd160 ripemd160 sm3 sha512_256 sha512_256 sha256 \n";
    let refused: String = ["SHA3_256", "BLAKE2B", "sha_256", "sha512/256", "md4", "", "sha256 ", "\\ud800"]
        .map(|name| format!("'unsupported hash type {name}'\n"))
        .concat();
    let rest = "['md5-sha1', 'ripemd160', 'sha512_224', 'sha512_256', 'sm3']\n76b8bd7bfd8c44e2 aed9faa5b67ac054\n\
                b8af03a148b71b1d 3a95339e0438559d\n";
    assert_eq!(prints(code), format!("{names}{refused}{rest}"));
}

#[test]
fn the_environment_is_that_of_a_container_with_the_jobs_variables_on_top() {
    let code =
        "import os, socket\nprint({name: os.environ[name] for name in sorted(os.environ)}, socket.gethostname())";
    let path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
    let expected = format!(
        "{{'HOME': '/elsewhere', 'HOSTNAME': 'pyexec', 'LANG': 'C.UTF-8', 'MINE': '1', 'PATH': '{path}', 'PWD': '/work', \
         'USER': 'user'}} pyexec\n"
    );
    let outcome = run(Job::code(code).env("HOME", "/elsewhere").env("MINE", "1"));
    assert_eq!(outcome.stdout.text, expected, "{outcome:#?}");
    let code = "import os, pathlib\n(pathlib.Path.home() / '.cache').mkdir()\nprint(os.path.expanduser('~/x'))";
    assert_eq!(prints(code), "/tmp/x\n", "the home folder can be written to");
}

#[test]
fn flags_are_those_of_a_plain_script() {
    let code =
        "import sys\nprint(sys.flags.utf8_mode, sys.flags.dont_write_bytecode, sys.dont_write_bytecode, sys.orig_argv)";
    assert_eq!(prints(code), "0 0 False ['python3', 'main.py']\n");
    let project = Project::files([("app.py", "import sys; print(sys.orig_argv)")]).expect("a project");
    let outcome = run(Job::project(project).args(["-v", "é"]));
    assert_eq!(outcome.stdout.text, "['python3', 'app.py', '-v', 'é']\n");
}

#[test]
fn bytecode_of_the_project_is_not_left_behind() {
    let files = [("main.py", "import other, os\nprint(sorted(os.listdir()))"), ("other.py", "x = 1")];
    let outcome = run(Job::project(Project::files(files).expect("a project")).collect_files(true));
    assert_eq!((outcome.stdout.text.as_str(), outcome.files.len()), ("['main.py', 'other.py']\n", 0), "{outcome:#?}");
}

#[test]
fn looking_around_is_no_miss() {
    let code = "
import asyncio, concurrent.futures, ctypes.util, getpass, multiprocessing, platform, shutil, socket, tempfile, uuid, webbrowser
asyncio.run(asyncio.sleep(0))
platform.platform(), platform.processor(), platform.architecture(), platform.uname(), platform.libc_ver()
uuid.getnode(), uuid.uuid1(), ctypes.util.find_library('m'), ctypes.util.find_library('nothing'), getpass.getuser()
shutil.which('ls'), tempfile.mkdtemp(), multiprocessing.cpu_count(), multiprocessing.get_start_method()
socket.getfqdn(), socket.gethostbyname('localhost'), socket.gethostbyaddr('127.0.0.1'), shutil.get_terminal_size()
concurrent.futures.ThreadPoolExecutor().shutdown()
print('done')
";
    assert_eq!(prints(code), "done\n");
}

#[test]
fn signals_to_itself_end_a_job_as_a_shell_tells_of_it() {
    for (code, status) in [
        ("os.kill(os.getpid(), signal.SIGTERM)", 143),
        ("os.kill(os.getpid(), signal.SIGKILL)", 137),
        ("os.killpg(os.getpgid(0), signal.SIGHUP)", 129),
        ("signal.raise_signal(signal.SIGSEGV)", 139),
        ("os.abort()", 134),
        ("os.kill(os.getpid(), signal.SIGINT)", 130),
        ("signal.signal(signal.SIGINT, signal.SIG_DFL); signal.raise_signal(2)", 130),
        ("signal.raise_signal(signal.SIGRTMAX)", 192),
        ("signal.signal(signal.SIGTERM, lambda *_: sys.exit(3)); os.kill(os.getpid(), 15)", 3),
        ("signal.raise_signal(signal.SIGTSTP); signal.raise_signal(signal.SIGCHLD)", 0),
    ] {
        let outcome = script(&format!("import os, signal, sys\nprint('before')\n{code}"));
        assert_eq!(outcome.ending, Ending::Exited { exit_code: status }, "{code}\n{outcome:#?}");
        assert_eq!((outcome.stdout.text.as_str(), outcome.capability_misses.len()), ("before\n", 0), "{code}");
        assert!(!outcome.stderr.text.contains("pyexec") && !outcome.stderr.text.contains("signal:"), "{outcome:#?}");
    }
}

#[test]
fn what_only_others_send_is_a_miss() {
    for code in ["signal.alarm(1)", "signal.setitimer(signal.ITIMER_REAL, 1)", "signal.pause()", "signal.sigwait([10])"]
    {
        let outcome = script(&format!("import signal\n{code}"));
        assert_eq!(outcome.capability_misses.len(), 1, "{code}: {outcome:#?}");
    }
}

#[test]
fn no_frame_of_ours_is_in_a_traceback() {
    let shown = |outcome: Outcome| outcome.stderr.text;
    let text = shown(cell("total = 0\nfor n in range(3)\n    total += n\ntotal"));
    assert!(text.starts_with("  File \"/work/main.py\", line 2\n") && text.contains("expected ':'"), "{text}");
    let text = shown(cell("import asyncio\nasync def f():\n    await asyncio.sleep(0)\n    1/0\nawait f()"));
    let lines: Vec<_> = text.lines().filter(|line| line.contains("File")).collect();
    let expected = ["  File \"/work/main.py\", line 5, in <module>", "  File \"/work/main.py\", line 4, in f"];
    assert_eq!(lines, expected, "{text}");
    let call = |code: &str, arguments| {
        let want = Want::Call { function: "f".to_owned(), arguments };
        shown(run(Job::code(code.to_owned()).want(want)))
    };
    let text =
        call("def f(x):\n    import traceback; traceback.print_stack()\n    raise ValueError(x)", json!([1]).into());
    assert_eq!(text.matches("File").count(), 2, "{text}");
    let text = call("async def f():\n    raise ValueError(1)", json!({}).into());
    assert_eq!(text.matches("File").count(), 1, "{text}");
    assert!(!call("x = 1", json!([]).into()).contains("Traceback"));
    let text = shown(script("import threading\nthreading.Thread(target=print).start()"));
    assert!(text.contains("threading.py") && !text.contains("_pyexec"), "{text}");
    let limits = pyexec::Limits { wall_clock_ms: 300, ..pyexec::Limits::default() };
    let text = shown(run(Job::code("import asyncio\nasyncio.run(asyncio.sleep(60))").limits(limits)));
    assert!(text.contains("line 2, in <module>") && !text.contains("_pyexec"), "{text}");
}

#[test]
fn cells_await_at_top_level_beside_loops_of_their_own() {
    let code = "import asyncio\nasync def double(n):\n    await asyncio.sleep(0.001)\n    return n * 2\n\
                assert asyncio.run(double(1)) == 2\nawait asyncio.gather(double(2), double(5))";
    assert_eq!(result(code), "[4, 10]");
    let code = "import asyncio\ntask = asyncio.create_task(asyncio.sleep(0.001, 5))\n\
                values = [asyncio.run(asyncio.sleep(0, 3))]\nloop = asyncio.new_event_loop()\n\
                values.append(loop.run_until_complete(asyncio.sleep(0, 4)))\nvalues.append(await task)\n\
                assert asyncio.current_task() is not None\nvalues";
    assert_eq!(result(code), "[3, 4, 5]");
    assert_eq!(result("async def g():\n    yield 1\n    yield 2\n[x async for x in g()]"), "[1, 2]");
    assert_eq!(
        cell("import sys, asyncio\nawait asyncio.sleep(0)\nsys.exit(4)").ending,
        Ending::Exited { exit_code: 4 }
    );
    let outcome = script("import asyncio\nawait asyncio.sleep(0)");
    assert!(outcome.stderr.text.contains("'await' outside function"), "a script is plain Python: {outcome:#?}");
}

#[test]
fn lines_of_notebooks_are_taken_out_or_named() {
    let code = "%pip install -q\nif True:\n    !uv pip install -q \\\n        -U\n    x = 1\ntext = '''\n!pip install no\n\
                '''\n!{sys.executable} -m pip install -q\n1 / 0";
    for outcome in [script(code), cell(code)] {
        assert_eq!(outcome.exception.as_ref().and_then(|error| error.line), Some(10), "{outcome:#?}");
    }
    assert_eq!(result("%matplotlib inline\n%load_ext autoreload\n6 * 7"), "42");
    assert_eq!(result("!sudo pip install -q\n%conda install -c y -q\n6 * 7"), "42");
    assert!(cell("!pip install-q").exception.is_some());
    for (code, said) in [
        ("x = 1\n!ls -la", "subprocess.run('ls -la', shell=True)"),
        ("%%time\nx = 1", "take %%time out"),
        ("%timeit sum(range(3))", "take %timeit out"),
        ("x = !ls", "subprocess.run('ls', shell=True)"),
    ] {
        let error = cell(code).exception.expect("told");
        assert_eq!(error.kind, "SyntaxError");
        assert!(error.message.contains(said), "{code}: {}", error.message);
    }
    assert!(script("!ls").exception.expect("told").message.starts_with("invalid syntax"));
}

#[test]
fn cells_display_objects() {
    let outcome = cell("display([1, 'a'], None)\ndisplay({'b': 2})");
    assert_eq!((outcome.stdout.text.as_str(), outcome.result), ("[1, 'a']\nNone\n{'b': 2}\n", None));
    assert_eq!(script("display(1)").exception.expect("told").kind, "NameError");
}

#[test]
fn exceptions_are_looked_at_only_while_one_of_a_miss_is_there() {
    let tools = "import sys\ndef tools():\n    return [sys.monitoring.get_tool(number) for number in range(6)]\n";
    let library =
        |code: &str| format!("exec(compile({code:?}, '/usr/lib/python3.14/library.py', 'exec'))\nbefore = tools()\n");
    let handled = library("import os\ntry:\n    os.fork()\nexcept OSError:\n    pass");
    let kept = library("import os\ntry:\n    os.fork()\nexcept OSError as error:\n    kept = error");
    let failing = "for _ in range(1000):\n    try:\n        int('x')\n    except ValueError:\n        pass\n\
                   'pyexec' in before, 'pyexec' in tools()";
    assert_eq!(result(&format!("{tools}{handled}{failing}")), "(True, False)");
    assert_eq!(result(&format!("{tools}{kept}{failing}")), "(True, True)");
}

#[test]
fn json_is_told_only_where_it_is_the_same_value() {
    for code in [
        "{'z': [1, 2.5, None, True, 'é'], 'a': {}}",
        "10**40",
        "(1, [2])",
        "__import__('collections').Counter('aab')",
        "__import__('collections').OrderedDict(b=1, a=2)",
    ] {
        assert!(cell(code).result_json.is_some(), "{code}");
    }
    for code in [
        "{1: 'a'}",
        "{'a': [{True: 1}]}",
        "{None: 1}",
        "{(1, 2): 3}",
        "float('nan')",
        "[1e400]",
        "{1, 2}",
        "b'x'",
        "'\\ud800'",
        "__import__('signal').SIGINT",
        "[__import__('enum').StrEnum('S', 'A').A]",
        "__import__('collections').namedtuple('P', 'x y')(1, 2)",
        "type('T', (list,), {})([1])",
        "x = []; x.append(x); x",
    ] {
        let outcome = cell(code);
        assert!(outcome.result.is_some() && outcome.result_json.is_none(), "{code}: {outcome:#?}");
    }
}
