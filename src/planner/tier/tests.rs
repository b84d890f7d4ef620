use super::*;
use crate::{Error, Project, needs::Needs, outcome::CapabilityMiss};

const OFF: &str = "the Docker tier is off; turn it on with PYEXEC_FALLBACK=on";

struct Case<'a> {
    source: &'a str,
    asked: Asked<'a>,
    docker: bool,
    allow_network: bool,
    packages: Packages<'a>,
}

impl<'a> Case<'a> {
    fn new(source: &'a str) -> Case<'a> {
        Case { source, asked: Asked::default(), docker: true, allow_network: true, packages: Packages::Fit }
    }

    fn asking(self, change: impl FnOnce(&mut Asked<'a>)) -> Case<'a> {
        let mut asked = self.asked;
        change(&mut asked);
        Case { asked, ..self }
    }

    fn without_docker(self) -> Case<'a> {
        Case { docker: false, ..self }
    }

    fn lacking(self, native: &'a [String]) -> Case<'a> {
        Case { packages: Packages::Native(native), ..self }
    }

    fn unknown(self) -> Case<'a> {
        Case { packages: Packages::Unknown, ..self }
    }

    fn network_forbidden(self) -> Case<'a> {
        Case { allow_network: false, ..self }
    }

    /// Returns the route in a line: `wasm: reason`, `docker [3.12] [network]: reason`, `impossible: message`.
    fn route(&self) -> String {
        let needs = Needs::of(&Project::script(self.source.to_owned()), "main.py", false).unwrap();
        let off = Error::invalid(OFF);
        let docker = if self.docker { Ok(()) } else { Err(&off) };
        let tiers = Tiers { docker, allow_network: self.allow_network, packages: self.packages };
        match route(&needs, &self.asked, &tiers) {
            Ok(Route::Wasm { reason }) => format!("wasm: {reason}"),
            Err(error) => format!("impossible: {error}"),
            Ok(Route::Docker { reason, python, network }) => {
                let python = python.map_or(String::new(), |python| format!(" {python}"));
                format!("docker{python}{}: {reason}", if network { " network" } else { "" })
            }
        }
    }

    #[track_caller]
    fn goes(self, expected: &str) {
        assert_eq!(self.route(), expected, "{}", self.source);
    }
}

const NOTHING: &str = "wasm: needs nothing beyond WebAssembly";
const THREAD: &str = "import threading\nthreading.Thread(target=print).start()";
const LATER: &str = "import threading\ndef f():\n    threading.Thread(target=print).start()";
const GUARDED: &str =
    "import threading\ntry:\n    threading.Thread(target=print).start()\nexcept Exception as e:\n    print(e)";
const FETCH: &str = "import urllib.request\nurllib.request.urlopen(url)";
const FETCH_IF_POSSIBLE: &str =
    "import urllib.request\ntry:\n    urllib.request.urlopen(url)\nexcept OSError:\n    pass";
const FETCH_LATER: &str = "import urllib.request\ndef f():\n    urllib.request.urlopen(url)";

#[test]
fn the_code_decides() {
    for (source, expected) in [
        ("print(1)", NOTHING),
        ("import threading, socket, subprocess", NOTHING),
        ("import attr", NOTHING),
        ("try:\n    import numpy\nexcept ImportError:\n    numpy = None", NOTHING),
        ("import js", NOTHING),
        ("import numpy", NOTHING),
        (THREAD, "docker: starts a thread (threading.Thread, main.py:2)"),
        (
            LATER,
            "wasm: needs nothing for certain beyond WebAssembly, but maybe starts a thread (threading.Thread, main.py:3)",
        ),
        (GUARDED, "docker: starts a thread (threading.Thread, main.py:3)"),
        (&format!("{LATER}\nf()"), "docker: starts a thread (threading.Thread, main.py:3)"),
        ("import os\nos.system('ls')", "docker: starts a process (os.system, main.py:2)"),
        ("import socket\nsocket.socket()", "docker: opens a socket (socket.socket, main.py:2)"),
        ("import ctypes\nctypes.CDLL('x')", "docker: loads a native library (ctypes.CDLL, main.py:2)"),
        ("import signal\nsignal.alarm(1)", "docker: waits for a signal (signal.alarm, main.py:2)"),
        ("import dbm.gnu", "docker: imports dbm.gnu, which WebAssembly lacks (main.py:1)"),
        ("import ssl", NOTHING),
        ("import cgi", "docker 3.12: imports cgi, which Python has up to 3.12 (main.py:1)"),
        ("import imp", "docker 3.11: imports imp, which Python has up to 3.11 (main.py:1)"),
        ("import tomllib", NOTHING),
    ] {
        Case::new(source).goes(expected);
    }
}

#[test]
fn the_request_decides() {
    Case::new("").asking(|asked| asked.python = Some(Python::V3_11)).goes("docker 3.11: asks for Python 3.11");
    Case::new("").asking(|asked| asked.python = Some(Python::V3_14)).goes(NOTHING);
    Case::new("")
        .asking(|asked| asked.docker_image = Some("python:3.12"))
        .goes("docker: asks for the image python:3.12");
    Case::new("").asking(|asked| asked.pre_commands = true).goes("docker: has pre_commands");
    Case::new("").asking(|asked| asked.memory_bytes = 4096 << 20).goes(NOTHING);
    Case::new("")
        .asking(|asked| asked.memory_bytes = 8192 << 20)
        .goes("docker: asks for 8192 MB of memory, more than the 4096 MB of WebAssembly");
    // Whoever asks for a version gets it, even where a module is missing in it.
    Case::new("import cgi").asking(|asked| asked.python = Some(Python::V3_14)).goes(NOTHING);
    Case::new("import imp")
        .asking(|asked| asked.python = Some(Python::V3_12))
        .goes("docker 3.12: asks for Python 3.12");
}

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(ToString::to_string).collect()
}

#[test]
fn packages_that_webassembly_lacks_decide() {
    let numpy = names(&["numpy"]);
    for (source, expected) in [
        ("print(1)", NOTHING),
        ("import numpy", "docker: imports numpy, which has no pure-Python wheel (main.py:1)"),
        (
            "def f():\n    import numpy",
            "wasm: needs nothing for certain beyond WebAssembly, but maybe imports numpy, which has no pure-Python wheel \
             (main.py:2)",
        ),
        (
            "try:\n    import numpy\nexcept Exception as e:\n    print(e)",
            "docker: imports numpy, which has no pure-Python wheel (main.py:2)",
        ),
        ("try:\n    import numpy\nexcept ImportError:\n    numpy = None", NOTHING),
        ("import sympy, numpy", "docker: imports numpy, which has no pure-Python wheel (main.py:1)"),
        ("import seaborn", "docker: imports seaborn, which needs numpy, which has no pure-Python wheel (main.py:1)"),
        (
            "import seaborn\ndef f():\n    import sympy",
            "docker: needs numpy for seaborn and sympy, which has no pure-Python wheel",
        ),
        (
            "import numpy\nimport os\nos.fork()",
            "docker: imports numpy, which has no pure-Python wheel (main.py:1) and starts a process (os.fork, main.py:3)",
        ),
    ] {
        Case::new(source).lacking(&numpy).goes(expected);
    }
    let two = names(&["contourpy", "numpy"]);
    Case::new("import seaborn")
        .lacking(&two)
        .goes("docker: imports seaborn, which needs contourpy and numpy, which have no pure-Python wheel (main.py:1)");
    Case::new("import numpy").asking(|asked| asked.detect_packages = false).lacking(&numpy).goes(NOTHING);
    let required = |list| Case::new("import numpy").asking(|asked| asked.requirements = list).lacking(&numpy);
    let rich = names(&["rich"]);
    required(&numpy).goes("docker: requires numpy, which has no pure-Python wheel");
    required(&rich).goes("docker: imports numpy, which has no pure-Python wheel (main.py:1)");
}

#[test]
fn what_packages_are_may_not_be_known() {
    for (source, expected) in [
        ("print(1)", NOTHING),
        ("import yaml", "docker: imports yaml, a third-party package (main.py:1)"),
        (
            "import yaml\nimport os\nos.fork()",
            "docker: imports yaml, a third-party package (main.py:1) and starts a process (os.fork, main.py:3)",
        ),
        (
            "import emoji, numpy, rich, six, yaml",
            "docker: imports emoji, a third-party package (main.py:1), imports numpy, a third-party package (main.py:1), \
             imports rich, a third-party package (main.py:1) and 2 more",
        ),
    ] {
        Case::new(source).unknown().goes(expected);
    }
    let rich = names(&["rich"]);
    Case::new("")
        .asking(|asked| asked.requirements = &rich)
        .unknown()
        .goes("docker: requires rich, a third-party package");
}

#[test]
fn inline_metadata_decides() {
    for (block, expected) in [
        ("# dependencies = ['rich']\n", NOTHING),
        ("# requires-python = '>=3.11'\n", NOTHING),
        ("# requires-python = '<3.13'\n", "docker 3.12: requires Python <3.13, that is 3.12"),
        (
            "# requires-python = '>=3.15'\n",
            "impossible: the script requires Python >=3.15; there are 3.10, 3.11, 3.12, 3.13 and 3.14",
        ),
    ] {
        Case::new(&format!("# /// script\n{block}# ///\n")).goes(expected);
    }
    let older = "# /// script\n# requires-python = '>=3.10'\n# ///\nimport imp\n";
    Case::new(older).goes("docker 3.11: imports imp, which Python has up to 3.11 (main.py:4)");
    let newer = "# /// script\n# requires-python = '<3.14'\n# ///\nimport tomllib\n";
    Case::new(newer).asking(|asked| asked.python = Some(Python::V3_14)).goes(NOTHING);
}

#[test]
fn network_takes_a_need_and_permission() {
    let permitted = |source| Case::new(source).asking(|asked| asked.network = true);
    let none = "wasm: needs nothing beyond WebAssembly; without the network, for which it has no permission";
    for (source, without, with) in [
        ("", NOTHING, NOTHING),
        (FETCH, none, "docker network: uses the network (urllib.request.urlopen, main.py:2)"),
        (FETCH_IF_POSSIBLE, none, "docker network: uses the network (urllib.request.urlopen, main.py:3)"),
        (
            FETCH_LATER,
            none,
            "wasm: needs nothing for certain beyond WebAssembly, but maybe uses the network (urllib.request.urlopen, \
             main.py:3)",
        ),
        (
            THREAD,
            "docker: starts a thread (threading.Thread, main.py:2)",
            "docker network: starts a thread (threading.Thread, main.py:2)",
        ),
        (
            "import socket\ns = socket.socket()\ns.bind(('127.0.0.1', 0))",
            "docker: opens a socket (socket.socket, main.py:2)",
            "docker network: opens a socket (socket.socket, main.py:2)",
        ),
    ] {
        Case::new(source).goes(without);
        permitted(source).goes(with);
    }
}

#[test]
fn a_server_can_forbid_the_network() {
    let forbidden = |source| Case::new(source).network_forbidden();
    let permitted = |source| forbidden(source).asking(|asked| asked.network = true);
    let note = "without the network, which this service does not allow";
    forbidden(FETCH)
        .goes("wasm: needs nothing beyond WebAssembly; without the network, for which it has no permission");
    permitted(FETCH).goes(&format!("wasm: needs nothing beyond WebAssembly; {note}"));
    permitted("").goes(NOTHING);
    permitted(THREAD).goes(&format!("docker: starts a thread (threading.Thread, main.py:2); {note}"));
}

#[test]
fn what_was_met_before_takes_a_container() {
    let mut needs = Needs::of(&Project::script("print(1)"), "main.py", false).unwrap();
    needs.met = Some(CapabilityMiss { kind: "thread".to_owned(), detail: "start of a thread".to_owned() });
    let tiers = Tiers { docker: Ok(()), allow_network: true, packages: Packages::Fit };
    let Ok(Route::Docker { reason, .. }) = route(&needs, &Asked::default(), &tiers) else { panic!("a container") };
    assert_eq!(reason.to_string(), "uses what WebAssembly lacks (thread: start of a thread)");
}

#[test]
fn without_docker_certain_needs_are_refused_and_others_tried() {
    Case::new("").without_docker().goes(NOTHING);
    for (source, what) in [
        (THREAD, "starts a thread (threading.Thread, main.py:2)"),
        ("import cgi", "imports cgi, which Python has up to 3.12 (main.py:1)"),
        ("import os\nos.fork()\ndef f():\n    import yaml", "starts a process (os.fork, main.py:2)"),
    ] {
        Case::new(source).without_docker().goes(&format!("impossible: this job {what}, which takes docker: {OFF}"));
    }
    let numpy = names(&["numpy"]);
    let what = "imports numpy, which has no pure-Python wheel (main.py:1)";
    let case = Case::new("import numpy").without_docker().lacking(&numpy);
    case.goes(&format!("impossible: this job {what}, which takes docker: {OFF}"));
    let case = Case::new("def f(): import numpy").without_docker().lacking(&numpy);
    case.goes(&format!("wasm: may do without, but {what}, which takes docker: {OFF}"));
    Case::new(LATER).without_docker().goes(&format!(
        "wasm: may do without, but starts a thread (threading.Thread, main.py:3), which takes docker: {OFF}"
    ));
    Case::new(GUARDED).without_docker().goes(&format!(
        "wasm: may do without, but starts a thread (threading.Thread, main.py:3), which takes docker: {OFF}"
    ));
    Case::new("")
        .without_docker()
        .asking(|asked| asked.pre_commands = true)
        .goes(&format!("impossible: this job has pre_commands, which takes docker: {OFF}"));
    Case::new(FETCH).without_docker().asking(|asked| asked.network = true).goes(&format!(
        "impossible: this job uses the network (urllib.request.urlopen, main.py:2), which takes docker: {OFF}"
    ));
}

#[test]
fn a_tier_can_be_forced() {
    let forced = |source, tier| Case::new(source).asking(|asked| asked.tier = tier);
    forced("", TierChoice::Wasm).goes("wasm: the job asks for wasm");
    forced(THREAD, TierChoice::Wasm).goes("wasm: the job asks for wasm");
    forced("import numpy", TierChoice::Wasm).goes("wasm: the job asks for wasm");
    forced(FETCH, TierChoice::Wasm).goes("wasm: the job asks for wasm");
    forced("", TierChoice::Docker).goes("docker: the job asks for docker");
    forced("import cgi", TierChoice::Docker).goes("docker 3.12: the job asks for docker");
    forced("", TierChoice::Docker).asking(|asked| asked.network = true).goes("docker network: the job asks for docker");
    forced("", TierChoice::Docker).without_docker().goes(&format!("impossible: the job asks for docker: {OFF}"));
    forced(FETCH, TierChoice::Docker)
        .goes("docker: the job asks for docker; without the network, for which it has no permission");
}

#[test]
fn a_forced_wasm_contradicts_what_only_docker_has() {
    type Change = fn(&mut Asked<'_>);
    let changes: [(Change, &str); 4] = [
        (|asked| asked.python = Some(Python::V3_12), "asks for Python 3.12"),
        (|asked| asked.docker_image = Some("python:3.12"), "asks for the image python:3.12"),
        (|asked| asked.pre_commands = true, "has pre_commands"),
        (|asked| asked.memory_bytes = 1 << 33, "asks for 8192 MB of memory, more than the 4096 MB of WebAssembly"),
    ];
    let expect = |what| format!("impossible: the job asks for wasm, but {what}, which takes docker");
    for (change, what) in changes {
        let case = Case::new("").asking(|asked| {
            asked.tier = TierChoice::Wasm;
            change(asked);
        });
        case.goes(&expect(what));
    }
    let (rich, numpy) = (names(&["rich"]), names(&["numpy"]));
    let wasm = |source, requirements| {
        Case::new(source).asking(|asked| {
            asked.tier = TierChoice::Wasm;
            asked.requirements = requirements;
        })
    };
    wasm("import numpy", &rich).goes("wasm: the job asks for wasm");
    wasm("", &numpy).lacking(&numpy).goes(&expect("requires numpy, which has no pure-Python wheel"));
    wasm("import numpy", &rich)
        .lacking(&numpy)
        .goes(&expect("imports numpy, which has no pure-Python wheel (main.py:1)"));
    wasm("def f(): import numpy", &rich).lacking(&numpy).goes("wasm: the job asks for wasm");
}
