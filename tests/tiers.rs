//! Both tiers as one: which of them a job goes to by itself, that it ends the same on either, and what happens when it has
//! to change.

use crate::{
    programs::{Seen, stdin},
    support::{docker::without_docker, for_each, name, pyexec, scripts},
};
use pyexec::{
    Error, Event, Job, Limits, Outcome, Project, Pyexec, Stdin, TierChoice,
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
    "stdlib_random_seeded",
    "stdlib_strftime_directives",
    "stdlib_symtable_scopes",
    "stdlib_template_strings",
    "stdlib_tomllib_config",
    "stdlib_typing_runtime",
    "stdlib_uuid_namespace",
];

/// Others: the order of a set of tasks is by address, the frames below the script's are the runner's, and a container has
/// a C library of its own, whose mathematics may differ in the last digit.
const DIFFERENT: &[&str] = &[
    "asyncio_taskgroup_errors",
    "stdlib_math_last_digit",
    "stdlib_math_users",
    "stdlib_traceback_formatting",
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

#[test]
fn a_miss_that_the_code_handles_stands() {
    let code = "import threading\ntry:\n    getattr(threading, 'Thr' + 'ead')(target=print).start()\n\
                except RuntimeError:\n    print('alone')\n";
    let outcome = run(Job::code(code));
    ran_on(&outcome, Tier::Wasm, "");
    assert_eq!((outcome.stdout.text.as_str(), outcome.capability_misses.len()), ("alone\n", 1), "{outcome:#?}");
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
    // The image of containers could have had it.
    assert_eq!((outcome.tier, outcome.stdout.text.as_str()), (Tier::Docker, "first\n"), "{outcome:#?}");
    assert_eq!(outcome.exception.expect("one").kind, "ModuleNotFoundError");
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
        assert!(
            matches!(refusal, Error::InvalidJob { .. }) && text.contains(need) && text.contains("turn it on"),
            "{text}"
        );
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
    let refusal = pyexec().run_blocking(Job::code(code)).expect_err("refused").to_string();
    assert!(refusal.contains("has no permission") && refusal.contains("network"), "{refusal}");
    let outcome = run(Job::code(code).network(true));
    ran_on(&outcome, Tier::Docker, "uses the network");
    assert_eq!(outcome.exception.expect("no such host").kind, "URLError");
    // Permission alone changes nothing.
    ran_on(&run(Job::code("print(1)").network(true)), Tier::Wasm, "needs nothing");
}
