//! Both tiers as one: which of them a job goes to by itself, that it ends the same on either, and what happens when it has
//! to change.

use crate::{
    programs::{Seen, stdin},
    support::{docker::without_docker, for_each, name, pyexec, scripts},
};
use pyexec::{
    Event, Job, Limits, Outcome, Project, Pyexec, Stdin, TierChoice,
    executor::docker::DockerOptions,
    outcome::{Ending, StopReason, Tier},
};
use std::{
    fs,
    path::PathBuf,
    sync::{Arc, Mutex},
    time::Duration,
};

/// Programs that rightly differ: they use, or show in a message, what the Python 3.13 of the containers does not have.
const ONLY_IN_3_14: &[&str] = &[
    "algo_calculator_tokenizer",
    "end_coroutine_never_awaited",
    "end_unraisable_hook",
    "io_glob_fnmatch_filecmp",
    "io_pathlib_files",
    "io_pathlib_pure",
    "lang_big_ints",
    "lang_context_managers",
    "lang_coroutine_scheduler",
    "lang_exceptions_flow",
    "lang_protocols_numeric_tower",
    "lang_py314_features",
    "lang_sets_dicts_tuples",
    "lang_type_params_pep695",
    "lang_walrus_and_unpacking",
    "stdlib_annotationlib_deferred",
    "stdlib_argparse_cli",
    "stdlib_compression_package",
    "stdlib_compression_zstd",
    "stdlib_contextvars_usage",
    "stdlib_datetime_arithmetic",
    "stdlib_dis_opnames",
    "stdlib_doctest_run",
    "stdlib_functools_tools",
    "stdlib_getopt_optparse",
    "stdlib_heapq_bisect",
    "stdlib_json_errors",
    "stdlib_math_functions",
    "stdlib_module_search",
    "stdlib_random_seeded",
    "stdlib_strftime_directives",
    "stdlib_symtable_scopes",
    "stdlib_template_strings",
    "stdlib_tomllib_config",
    "stdlib_typing_runtime",
    "stdlib_uuid_namespace",
    "sys_errno_table",
    "sys_identity",
];

/// Others: the order of a set of tasks is by address, the frames below the script's and a handler of one signal are the
/// runner's, and a container has a C library and a patch release of Python of its own: mathematics may differ in the last
/// digit, constants of terminals by glibc, sizes and words of errors by release.
const DIFFERENT: &[&str] = &[
    "asyncio_taskgroup_errors",
    "numbers_getsizeof",
    "numbers_sizes_and_limits",
    "stdlib_faulthandler_signals",
    "stdlib_math_last_digit",
    "stdlib_math_users",
    "stdlib_traceback_formatting",
    "sys_constants",
    "sys_signals",
];

fn run(job: Job) -> Outcome {
    pyexec().run_blocking(job.limits(Limits { wall_clock_ms: 60_000, ..Limits::default() })).expect("an outcome")
}

fn ran_on(outcome: &Outcome, tier: Tier, reason: &str) {
    assert_eq!(outcome.tier, tier, "{outcome:#?}");
    assert!(outcome.route_reason.contains(reason), "{outcome:#?}");
}

#[test]
fn the_same_programs_end_the_same_on_both_tiers() {
    if without_docker() {
        return;
    }
    let agree = |path: &PathBuf| !ONLY_IN_3_14.contains(&name(path)) && !DIFFERENT.contains(&name(path));
    let programs: Vec<_> = scripts("tests/programs").into_iter().filter(agree).collect();
    assert!(programs.len() >= 60, "only {} programs", programs.len());
    for_each(&programs, |path| {
        let source = fs::read_to_string(path).expect("readable");
        let script = path.file_name().and_then(|name| name.to_str()).expect("a name");
        let on = |tier| -> Seen {
            let project = Project::files([(script, source.clone())]).expect("a project");
            let limits = Limits { wall_clock_ms: 60_000, ..Limits::default() };
            let job = Job::project(project).stdin(stdin(&source)).limits(limits).tier(tier);
            pyexec().run_blocking(job).expect("an outcome").into()
        };
        let (wasm, docker) = (on(TierChoice::Wasm), on(TierChoice::Docker));
        if wasm == docker { Ok(()) } else { Err(format!("{}:\n  wasm {wasm:?}\n  docker {docker:?}", name(path))) }
    });
}

#[test]
fn pure_code_stays_in_wasm() {
    let outcome = run(Job::code("import json\nprint(json.dumps([1]))"));
    ran_on(&outcome, Tier::Wasm, "needs nothing beyond WebAssembly");
    assert_eq!(outcome.stdout.text, "[1]\n");
}

#[test]
fn a_package_is_installed_because_it_is_imported() {
    if without_docker() {
        return;
    }
    let outcome = run(Job::code("import numpy as np\nprint(np.arange(6).reshape(2, 3).sum(axis=0).tolist())"));
    ran_on(&outcome, Tier::Docker, "imports numpy");
    assert_eq!(outcome.stdout.text, "[3, 5, 7]\n", "{outcome:#?}");
}

#[test]
fn data_frames_and_figures_work() {
    if without_docker() {
        return;
    }
    let code = "import pandas as pd\nimport matplotlib.pyplot as plt\n\
                frame = pd.DataFrame({'a': [1, 2, 3], 'b': [4.0, 5.5, 6.0]})\nprint(frame.describe().loc['mean'].tolist())\n\
                frame.plot(x='a', y='b')\nplt.show()\nplt.figure()\nplt.plot([1, 2])\n";
    let outcome = run(Job::code(code));
    assert_eq!((outcome.stdout.text.as_str(), outcome.stderr.text.as_str()), ("[2.0, 5.166666666666667]\n", ""));
    let kinds: Vec<_> = outcome.outputs.iter().map(|output| output.mime.as_str()).collect();
    assert_eq!(kinds, ["image/png", "image/png"], "{outcome:#?}");
    // The signature of a PNG in base64.
    assert!(outcome.outputs.iter().all(|output| output.data.starts_with("iVBORw0KGgo")));
}

#[test]
fn a_thread_that_is_seen_goes_to_docker_at_once() {
    if without_docker() {
        return;
    }
    let code = "import threading\nthread = threading.Thread(target=print, args=('in a thread',))\nthread.start()\nthread.join()";
    let outcome = run(Job::code(code));
    ran_on(&outcome, Tier::Docker, "starts a thread");
    assert_eq!(outcome.stdout.text, "in a thread\n");
}

#[test]
fn a_thread_that_is_not_seen_is_replayed_with_its_input() {
    if without_docker() {
        return;
    }
    let code = "import sys, importlib\nprint('begins', input())\nsys.stdout.flush()\nopen('made', 'x').close()\n\
                threading = importlib.import_module('thr' + 'eading')\n\
                thread = getattr(threading, 'Thr' + 'ead')(target=lambda: print('in a thread', input()))\n\
                thread.start()\nthread.join()\n";
    let events = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&events);
    let observer = move |event: Event<'_>| match event {
        Event::Stdout(bytes) => seen.lock().expect("sound").push(String::from_utf8_lossy(bytes).into_owned()),
        Event::Restarted(reason) => seen.lock().expect("sound").push(format!("RESTARTED {reason}")),
        _ => {}
    };
    let job = Job::code(code).stdin(Stdin::Reader(Box::new(&b"one\ntwo\n"[..])));
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let outcome = runtime.block_on(pyexec().run_observed(job, observer)).expect("an outcome");
    ran_on(&outcome, Tier::Docker, "run again: WebAssembly lacks what it used (thread");
    assert_eq!(outcome.stdout.text, "begins one\nin a thread two\n", "{outcome:#?}");
    let events = events.lock().expect("sound").concat();
    let (before, after) = events.split_once("RESTARTED").expect("it says so");
    assert_eq!(before, "begins one\n");
    assert!(after.ends_with("begins one\nin a thread two\n"), "{after}");
}

/// What is in a function is not certain to run.
fn hidden(body: &str) -> String {
    let body = body.replace('\n', "\n    ");
    format!("import sys\ndef work():\n    {body}\nif sys.argv:\n    work()\n")
}

#[test]
fn what_the_code_handles_is_made_good_as_well() {
    if without_docker() {
        return;
    }
    for (body, stdout, miss) in [
        (
            "import threading\ntry:\n    threading.Thread(target=print, args=['ran']).start()\nexcept Exception as e:\n    print(e)",
            "ran\n",
            "thread",
        ),
        (
            "import subprocess\ntry:\n    print(subprocess.check_output(['echo', 'ran'], text=True), end='')\nexcept OSError:\n    print('no')",
            "ran\n",
            "process",
        ),
        (
            "import os\ntry:\n    os.waitpid(os.fork() or os._exit(0), 0)\n    print('ran')\nexcept OSError as e:\n    print(e)",
            "ran\n",
            "process",
        ),
        (
            "import ctypes\ntry:\n    print(ctypes.CDLL('libc.so.6').abs(-3))\nexcept Exception as e:\n    print(e)",
            "3\n",
            "library",
        ),
        ("import signal\ntry:\n    print(signal.alarm(9))\nexcept Exception as e:\n    print(e)", "0\n", "signal"),
        (
            "from socket import socketpair\ntry:\n    a, b = socketpair()\n    print('ran')\nexcept Exception as e:\n    print(e)",
            "ran\n",
            "socket",
        ),
        (
            "from multiprocessing.shared_memory import SharedMemory as S\ntry:\n    print(S(create=True, size=8).unlink())\nexcept OSError as e:\n    print(e)",
            "None\n",
            "process: shared memory",
        ),
        (
            "import asyncio\nasync def main():\n    try:\n        print(await asyncio.to_thread(lambda: 5))\n    except Exception as e:\n        print(e)\nasyncio.run(main())",
            "5\n",
            "thread",
        ),
        (
            "import multiprocessing as m\ntry:\n    p = m.get_context('fork').Process(target=print)\n    p.start()\n    p.join()\nexcept Exception as e:\n    print(e)",
            "\n",
            "process",
        ),
    ] {
        let outcome = run(Job::code(hidden(body)));
        ran_on(&outcome, Tier::Docker, &format!("run again: WebAssembly lacks what it used ({miss}"));
        assert_eq!(outcome.stdout.text, stdout, "{body}: {outcome:#?}");
    }
}

#[test]
fn a_package_that_may_be_imported_is_installed_when_it_is() {
    if without_docker() {
        return;
    }
    let guarded = |module: &str| {
        hidden(&format!(
            "try:\n    import {module}\n    print({module}.__name__)\nexcept Exception as e:\n    print(e)"
        ))
    };
    let outcome = run(Job::code(guarded("iniconfig")));
    ran_on(&outcome, Tier::Wasm, "run again with iniconfig: it may import iniconfig, and did");
    assert_eq!(outcome.stdout.text, "iniconfig\n", "{outcome:#?}");
    let outcome = run(Job::code(guarded("numpy")));
    ran_on(&outcome, Tier::Docker, "run again with numpy: it may import numpy, and did");
    assert_eq!(outcome.stdout.text, "numpy\n", "{outcome:#?}");
}

#[test]
fn what_a_library_imports_in_code_that_it_makes_is_its_own_affair() {
    let code = "import sympy\nx = sympy.Symbol('x')\nprint(sympy.lambdify(x, x ** 2 + 1)(0.5))\n";
    let outcome = run(Job::code(code));
    ran_on(&outcome, Tier::Wasm, "needs nothing beyond WebAssembly, with sympy");
    assert_eq!(outcome.stdout.text, "1.25\n", "{outcome:#?}");
    // The program's own code in a text is its own.
    let outcome = run(Job::code("exec('import ' + 'inico'[:3] + 'config')\nprint(iniconfig.__name__)"));
    assert_eq!(outcome.stdout.text, "iniconfig\n", "{outcome:#?}");
}

#[test]
fn a_distribution_that_is_asked_about_is_installed() {
    let outcome = run(Job::code("from importlib.metadata import version\nprint(version('iniconfig')[0])"));
    ran_on(&outcome, Tier::Wasm, "needs nothing beyond WebAssembly, with iniconfig");
    assert_eq!(outcome.stdout.text, "2\n", "{outcome:#?}");
    let hidden = "import importlib.metadata as m\nfor name in ['ini' + 'config']:\n    try:\n        print(len(m.version(name)) > 0)\n    except m.PackageNotFoundError as e:\n        print(e)";
    let outcome = run(Job::code(hidden));
    ran_on(&outcome, Tier::Wasm, "run again with iniconfig: it may ask about it, and did");
    assert_eq!(outcome.stdout.text, "True\n", "{outcome:#?}");
    let own = "import importlib.metadata as m\ntry:\n    m.version('a-project-of-my-own')\nexcept m.PackageNotFoundError as e:\n    print(e)";
    let outcome = run(Job::code(own));
    ran_on(&outcome, Tier::Wasm, "needs nothing beyond WebAssembly");
    assert!(outcome.stdout.text.starts_with("No package metadata"), "{outcome:#?}");
}

#[test]
fn packages_that_another_interpreter_misses_are_installed() {
    if without_docker() {
        return;
    }
    let code = "import subprocess, sys\nname = 'tabu' + 'late'\n\
                r = subprocess.run([sys.executable, '-c', f'import {name}; print({name}.__name__)'], capture_output=True, text=True)\n\
                print(r.stdout, r.stderr)";
    let outcome = run(Job::code(code));
    ran_on(&outcome, Tier::Docker, "run again with tabulate: another interpreter that it started missed it");
    assert_eq!(outcome.stdout.text, "tabulate\n \n", "{outcome:#?}");
}

#[test]
fn what_is_never_reached_costs_nothing() {
    let code = "DEBUG = False\nif DEBUG:\n    import torch\ndef unused():\n    import numpy, threading\n    \
                threading.Thread(target=print).start()\nprint('done')";
    let outcome = run(Job::code(code));
    ran_on(&outcome, Tier::Wasm, "needs nothing for certain beyond WebAssembly");
    assert_eq!((outcome.stdout.text.as_str(), outcome.capability_misses.len()), ("done\n", 0), "{outcome:#?}");
}

#[test]
fn an_import_with_a_substitute_is_optional() {
    let code = "try:\n    import numpy as np\nexcept ImportError:\n    np = None\nprint(np)";
    let outcome = run(Job::code(code));
    ran_on(&outcome, Tier::Wasm, "needs nothing beyond WebAssembly");
    assert_eq!(outcome.stdout.text, "None\n");
}

#[test]
fn what_a_library_handles_inside_itself_stands_silently() {
    let code = "import asyncio, platform, uuid, warnings\nasyncio.run(asyncio.sleep(0))\nplatform.processor()\n\
                print(uuid.getnode() > 0)";
    let outcome = run(Job::code(code));
    ran_on(&outcome, Tier::Wasm, "needs nothing beyond WebAssembly");
    assert!(outcome.capability_misses.is_empty(), "{outcome:#?}");
    assert_eq!((outcome.stdout.text.as_str(), outcome.stderr.text.as_str()), ("True\n", ""));
}

#[test]
fn without_containers_a_miss_stands_and_is_listed() {
    let pyexec = Pyexec::builder().slots(1).without_docker("turn it on").build().expect("the interpreter");
    let handled =
        "import threading\ntry:\n    threading.Thread(target=print).start()\nexcept RuntimeError as e:\n    print(e)";
    for (pyexec, job) in [
        (&pyexec, Job::code(handled)),
        (&pyexec, Job::code(hidden(handled))),
        (crate::support::pyexec(), Job::code(handled).tier(TierChoice::Wasm)),
    ] {
        let outcome = pyexec.run_blocking(job).expect("an outcome");
        ran_on(&outcome, Tier::Wasm, "");
        assert_eq!(outcome.stdout.text, "can't start new thread\n");
        let kinds: Vec<_> = outcome.capability_misses.iter().map(|miss| miss.kind.as_str()).collect();
        assert_eq!((kinds, outcome.ended_in_miss), (vec!["thread"], false), "{outcome:#?}");
    }
    let unhandled = hidden("import threading\nthreading.Thread(target=print).start()");
    let outcome = pyexec.run_blocking(Job::code(unhandled)).expect("an outcome");
    assert!(outcome.ended_in_miss, "{outcome:#?}");
    assert!(outcome.stderr.text.ends_with("what takes a container (thread: start of a thread): turn it on\n"));
}

#[test]
fn both_attempts_share_one_deadline() {
    if without_docker() {
        return;
    }
    let code = "import time, threading\ntime.sleep(1.2)\ngetattr(threading, 'Thr' + 'ead')(target=print).start()\ntime.sleep(60)";
    let job = Job::code(code).limits(Limits { wall_clock_ms: 2000, ..Limits::default() });
    let began = std::time::Instant::now();
    let outcome = pyexec().run_blocking(job).expect("an outcome");
    assert_eq!(outcome.ending, Ending::Stopped { reason: StopReason::TimeLimit });
    assert_eq!(outcome.tier, Tier::Docker);
    assert!(began.elapsed() < Duration::from_secs(4), "{:?}", began.elapsed());
}

#[test]
fn a_module_of_the_project_is_not_installed() {
    // A stranger publishes a package of this name.
    let files = [
        ("main.py", "from helper import greet\nfrom requests import get\nprint(greet(), get())"),
        ("helper.py", "def greet(): return 'local'"),
    ];
    let project = Project::files(files).expect("a project").with_file("requests/__init__.py", "get = lambda: 'own'");
    let outcome = run(Job::project(project.expect("a project")));
    ran_on(&outcome, Tier::Wasm, "needs nothing beyond WebAssembly");
    assert_eq!(outcome.stdout.text, "local own\n");
}

#[test]
fn a_module_that_the_program_makes_is_not_installed() {
    // Strangers publish packages of these names.
    let code = "import sys, pathlib\npathlib.Path('lib').mkdir()\npathlib.Path('lib/mypkg.py').write_text('x = 1')\n\
                sys.path.insert(0, 'lib')\nimport mypkg\nprint(mypkg.x)";
    let outcome = run(Job::code(code));
    ran_on(&outcome, Tier::Wasm, "needs nothing beyond WebAssembly");
    assert_eq!(outcome.stdout.text, "1\n");
}

#[test]
fn a_module_that_turns_out_to_be_a_package_is_installed_then() {
    let outcome = run(Job::code("print('with pyfunny')\nimport iniconfig\nprint('iniconfig', iniconfig.__name__)"));
    ran_on(&outcome, Tier::Wasm, "run again: iniconfig is not the program's own");
    assert_eq!(outcome.stdout.text, "with pyfunny\niniconfig iniconfig\n");
}

#[test]
fn a_module_that_nobody_publishes_is_missed_where_it_is_imported() {
    if without_docker() {
        return;
    }
    let outcome = run(Job::code("print('first')\nimport surely_nobody_has_published_this_module_yet_q8"));
    assert_eq!((outcome.tier, outcome.stdout.text.as_str()), (Tier::Wasm, "first\n"), "{outcome:#?}");
    assert_eq!(outcome.exception.expect("one").kind, "ModuleNotFoundError");
}

#[test]
fn a_name_that_says_nothing_is_no_package() {
    // Strangers publish packages of all these names.
    for module in ["utils", "maths", "helpers", "config"] {
        let outcome = run(Job::code(format!("print('first')\nfrom {module} import something")));
        let exception = outcome.exception.as_ref().expect("one");
        let message = format!("No module named '{module}'");
        assert_eq!((&*exception.kind, &*exception.message), ("ModuleNotFoundError", &*message), "{outcome:#?}");
        assert_eq!(outcome.stdout.text, "first\n");
    }
}

#[test]
fn packages_that_no_import_names_are_installed_with_the_library() {
    let code = "from bs4 import BeautifulSoup\nsoup = BeautifulSoup('<table><tr><td>a<td>b</table>', 'html5lib')\n\
                print([cell.text for cell in soup.find_all('td')], soup.tbody is not None)";
    let outcome = run(Job::code(code));
    ran_on(&outcome, Tier::Wasm, "needs nothing beyond WebAssembly, with beautifulsoup4 and html5lib");
    assert_eq!(outcome.stdout.text, "['a', 'b'] True\n");
}

#[test]
fn a_job_with_packages_that_comes_upon_what_webassembly_lacks_has_them_in_its_container() {
    if without_docker() {
        return;
    }
    let code = "import six, threading\nprint(six.__name__)\ngetattr(threading, 'Thr' + 'ead')(target=print, args=['ran']).start()";
    let outcome = run(Job::code(code));
    ran_on(&outcome, Tier::Docker, "run again: WebAssembly lacks what it used (thread");
    assert_eq!(outcome.stdout.text, "six\nran\n", "{outcome:#?}");
}

#[test]
fn an_apt_job_runs_by_what_the_script_says() {
    if without_docker() {
        return;
    }
    let code = "# /// script\n# [tool.pyexec]\n# pre-commands = ['apt-get update', 'apt-get install -y --no-install-recommends hello']\n\
                # ///\nimport subprocess\nprint(subprocess.run(['hello'], capture_output=True, text=True).stdout)";
    let outcome = run(Job::code(code));
    ran_on(&outcome, Tier::Docker, "has pre_commands");
    assert_eq!(outcome.stdout.text, "Hello, world!\n\n", "{outcome:#?}");
}

#[test]
fn older_versions_of_python_are_containers() {
    if without_docker() {
        return;
    }
    for version in ["3.11", "3.13"] {
        let job =
            Job::code("import sys\nprint('%d.%d' % sys.version_info[:2])").python(version.parse().expect("known"));
        let outcome = run(job);
        assert_eq!(outcome.stdout.text.trim(), version, "{outcome:#?}");
        ran_on(&outcome, Tier::Docker, &format!("asks for Python {version}"));
    }
    // The standard library of 3.11 is the last with this module.
    let outcome = run(Job::code("import imp\nprint(imp.find_module('os')[0] is not None)"));
    ran_on(&outcome, Tier::Docker, "imports imp");
}

#[test]
fn without_docker_what_needs_it_is_refused_at_once() {
    let pyexec = Pyexec::builder().slots(1).without_docker("turn it on").build().expect("the interpreter");
    for (code, need) in [
        ("import numpy", "imports numpy"),
        ("import subprocess\nsubprocess.run(['ls'])", "starts a process"),
        ("import socket\nsocket.create_server(('', 0))", "opens a socket"),
    ] {
        let refusal = pyexec.run_blocking(Job::code(code)).expect_err("refused");
        let text = refusal.to_string();
        assert!(refusal.is_invalid_job() && text.contains(need) && text.contains("turn it on"), "{text}");
    }
    // What may never come up is tried.
    let later = "def rarely():\n    import numpy\nprint('well')";
    assert_eq!(pyexec.run_blocking(Job::code(later)).expect("an outcome").stdout.text, "well\n");
}

#[test]
fn a_docker_that_is_not_there_is_named_and_wasm_goes_on() {
    let mut options = DockerOptions::default();
    options.socket = "/nowhere/docker.sock".to_owned();
    let pyexec = Pyexec::builder().slots(1).docker(options).build().expect("the interpreter");
    let refusal = pyexec.run_blocking(Job::code("import numpy")).expect_err("refused").to_string();
    assert!(refusal.contains("imports numpy") && refusal.contains("/nowhere/docker.sock"), "{refusal}");
    assert_eq!(pyexec.run_blocking(Job::code("print(1)")).expect("an outcome").stdout.text, "1\n");
    // Nothing is replayed to nowhere: the outcome of the first attempt stands.
    let hidden = "import threading\ngetattr(threading, 'Thr' + 'ead')(target=print).start()";
    let outcome = pyexec.run_blocking(Job::code(hidden)).expect("an outcome");
    assert!(outcome.ended_in_miss && outcome.tier == Tier::Wasm, "{outcome:#?}");
}

#[test]
fn network_is_for_those_who_may() {
    if without_docker() {
        return;
    }
    let code = "import urllib.request\nprint(urllib.request.urlopen('http://example.invalid'))";
    let outcome = run(Job::code(code));
    ran_on(&outcome, Tier::Wasm, "without the network, for which it has no permission");
    let message = outcome.exception.expect("no network").message;
    assert_eq!(message, "<urlopen error [Errno -3] Temporary failure in name resolution>");
    let lines: Vec<_> = outcome.stderr.text.lines().rev().take(2).collect();
    assert!(
        lines[1].starts_with("pyexec: this job has no permission to use the network")
            && lines[0] == "hint: let the job use the network",
        "{lines:?}"
    );
    let outcome = run(Job::code(code).network(true));
    ran_on(&outcome, Tier::Docker, "uses the network");
    assert_eq!(outcome.exception.expect("no such host").kind, "URLError");
    let outcome = run(Job::code(hidden(code)).network(true));
    ran_on(&outcome, Tier::Docker, "run again: WebAssembly lacks what it used (network: ");
    // Permission alone changes nothing.
    ran_on(&run(Job::code("print(1)").network(true)), Tier::Wasm, "needs nothing");
}

#[test]
fn a_server_of_its_own_takes_no_permission() {
    if without_docker() {
        return;
    }
    let code = "import http.server, threading, urllib.request\n\
                class H(http.server.BaseHTTPRequestHandler):\n    def do_GET(self):\n        self.send_response(200); \
                self.end_headers(); self.wfile.write(b'hello')\n    def log_message(self, *a): pass\n\
                server = http.server.HTTPServer(('127.0.0.1', 0), H)\n\
                threading.Thread(target=server.serve_forever, daemon=True).start()\n\
                print(urllib.request.urlopen(f'http://127.0.0.1:{server.server_port}/').read().decode())";
    let outcome = run(Job::code(code));
    ran_on(&outcome, Tier::Docker, "opens a socket");
    assert_eq!((outcome.stdout.text.as_str(), outcome.stderr.text.as_str()), ("hello\n", ""), "{outcome:#?}");
}
