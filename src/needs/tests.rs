use super::*;

/// Lists needs: `module distribution urgency place`, `Capability what urgency place`, `python<=3.11 module …`.
fn show(needs: &Needs) -> Vec<String> {
    let mut lines = Vec::new();
    for Module { name, distribution, urgency, place, perhaps_own: _, imported: _ } in &needs.modules {
        lines.push(format!("{name} {} {urgency:?} {place}", distribution.as_deref().unwrap_or("-")));
    }
    for Use { capability, what, urgency, place } in &needs.uses {
        lines.push(format!("{capability:?} {what} {urgency:?} {place}"));
    }
    for (sign, bound) in [("<=", &needs.python_at_most), (">=", &needs.python_at_least)] {
        if let Some(Bound { python, module, urgency, place }) = bound {
            lines.push(format!("python{sign}{python} {module} {urgency:?} {place}"));
        }
    }
    lines.extend(needs.overlooked.clone());
    lines
}

fn found(source: &str) -> Needs {
    Needs::of(&Project::script(source.to_owned()), "main.py", false).expect("needs")
}

fn needs(source: &str) -> Vec<String> {
    show(&Needs::of(&Project::script(source.to_owned()), "main.py", false).unwrap())
}

fn of_files(files: &[(&str, &str)], entrypoint: &str) -> Vec<String> {
    let files = files.iter().map(|&(path, content)| (path, content.to_owned()));
    show(&Needs::of(&Project::files(files).unwrap(), entrypoint, false).unwrap())
}

#[track_caller]
fn check(table: &[(&str, &[&str])]) {
    for (source, expected) in table {
        assert_eq!(needs(source), *expected, "{source}");
    }
}

#[test]
fn the_standard_library_is_no_need() {
    check(&[
        ("", &[]),
        ("print('hello')", &[]),
        ("import os, sys, json, re, asyncio, sqlite3, os.path, xml.etree.ElementTree as ET", &[]),
        ("from __future__ import annotations\nfrom collections.abc import Iterable", &[]),
        ("import threading, socket, subprocess, multiprocessing, ctypes, signal, urllib.request, http.client", &[]),
        ("import winreg, msvcrt, _thread", &[]),
        ("import tomllib", &["python>=3.11 tomllib Required main.py:1"]),
        ("import annotationlib\nimport tomllib", &["python>=3.14 annotationlib Required main.py:1"]),
    ]);
}

#[test]
fn modules_that_the_program_puts_in_place_are_its_own() {
    check(&[
        ("import sys\nsys.modules['torch'] = sys.modules['torch.nn'] = object()\nimport torch.nn as nn", &[]),
        ("import sys\nsys.modules.update({'torch': 1})\nimport torch", &[]),
        ("from unittest.mock import patch\nwith patch.dict('sys.modules', {'boto3': 1}):\n    import boto3", &[]),
        ("import sys\nsys.modules['x'] = 1\nimport torch", &["torch torch Required main.py:3"]),
    ]);
}

#[test]
fn what_is_handed_on_or_gone_through_is_called() {
    let threads = "Threads threading.Thread";
    for (code, expected) in [
        ("def f():\n    threading.Thread(target=print).start()\nfor g in (len, f):\n    g()", "Guarded"),
        (
            "def f():\n    threading.Thread(target=print).start()\nall = [('a', f)]\nfor n, g in all:\n    g()",
            "Guarded",
        ),
        (
            "def f():\n    threading.Thread(target=print).start()\nd = {'a': f}\nfor n, g in d.items():\n    g()",
            "Guarded",
        ),
        ("def f():\n    threading.Thread(target=print).start()\ndef timed(n, g):\n    g()\ntimed('x', f)", "Guarded"),
        ("def f():\n    threading.Thread(target=print).start()\nd = {'a': f}\nd[input()]()", "Later"),
        ("t = threading.Thread(target=print)\nprint(t.name)", "Later"),
        ("t = threading.Thread(target=print)\nt.start()", "Required"),
    ] {
        let needs = found(&format!("import threading\n{code}"));
        let found = needs.uses.iter().map(|found| format!("{:?} {} {:?}", found.capability, found.what, found.urgency));
        let expected = match expected {
            "Guarded" => [format!("{threads} Guarded"), format!("{threads} Required")],
            other => [format!("{threads} {other}"), String::new()],
        };
        assert!(found.into_iter().all(|found| expected.contains(&found)), "{code}: {:?}", needs.uses);
    }
}

#[test]
fn code_for_another_interpreter_needs_its_packages() {
    let code = "import subprocess, sys\nsubprocess.run([sys.executable, '-c', 'import numpy as np; print(np)'])";
    let needs = found(code);
    assert!(needs.modules.iter().any(|module| module.name == "numpy"), "{needs:?}");
}

#[test]
fn code_in_texts_needs_its_packages_where_another_interpreter_is_started() {
    for (code, found) in [
        ("c = 'import numpy'\nsubprocess.run([sys.executable, '-c', c])", "numpy Required"),
        ("subprocess.run(['python3', '-c', textwrap.dedent('\\n    import numpy\\n')])", "numpy Required"),
        ("await asyncio.create_subprocess_exec(sys.executable, '-c', 'import numpy')", "numpy Required"),
        ("open('x.py', 'w').write('import numpy\\n')\nsubprocess.run([sys.executable, 'x.py'])", "numpy Guarded"),
        (
            "p.write_text('\\n  import numpy\\n  f()')\ncmd = [sys.executable, str(p)]\nsubprocess.run(cmd)",
            "numpy Guarded",
        ),
        ("open('x.py', 'w').write('import numpy\\n')\nsubprocess.run(['cat', 'x.py'])", ""),
        ("open('x.py', 'w').write('import numpy\\n')\nsubprocess.run([sys.executable, '-m', 'x'])", ""),
        ("print('You import more than you export')\nsubprocess.run([sys.executable, 'x.py'])", ""),
    ] {
        let needs = found_in(&format!("import asyncio, subprocess, sys, textwrap\n{code}"));
        assert_eq!(needs, found, "{code}");
    }
}

/// Returns the packages of a program, with how urgent they are.
fn found_in(source: &str) -> String {
    let modules = found(source).modules.into_iter();
    modules.map(|module| format!("{} {:?}", module.name, module.urgency)).collect::<Vec<_>>().join(", ")
}

#[test]
fn distributions_that_are_asked_about_are_needed() {
    for (code, found) in [
        ("import importlib.metadata\nprint(importlib.metadata.version('python_dateutil'))", "python-dateutil Required"),
        ("from importlib import metadata as m\nm.requires('requests')", "requests Required"),
        ("from importlib.metadata import version as v\ndef f():\n    v('requests')", "requests Later"),
        (
            "from importlib.metadata import *\ntry:\n    print(version('requests'))\nexcept PackageNotFoundError:\n    print('no')",
            "requests Guarded",
        ),
        (
            "from importlib.metadata import version\ntry:\n    v = version('requests')\nexcept Exception:\n    v = None",
            "",
        ),
        ("from importlib.metadata import version\nversion('a-project-of-my-own')", ""),
        ("import requests\nfrom importlib.metadata import version\nversion('requests')", "requests Required"),
        // Nobody who handles that catches what an import raises.
        (
            "from importlib.metadata import version, PackageNotFoundError\ntry:\n    import requests\nexcept PackageNotFoundError:\n    requests = None",
            "requests Guarded",
        ),
    ] {
        assert_eq!(found_in(code), found, "{code}");
    }
    let printed = "Traceback\nModuleNotFoundError: No module named 'yaml'\n";
    assert_eq!(Needs::missed_by_child(printed).as_deref(), Some("pyyaml"));
    assert_eq!(Needs::missed_by_child("ModuleNotFoundError: No module named 'of_nobody'"), None);
    assert_eq!(Needs::missed_by_child("No module named 'yaml'"), None);
}

#[test]
fn what_starts_nothing_needs_no_container() {
    for code in [
        "from rich.progress import Progress\nwith Progress(disable=True) as p: pass",
        "from rich.live import Live\nLive(auto_refresh=False)",
        "import multiprocessing as m\nlock, value, q = m.Lock(), m.Value('i', 0), m.Queue()",
        "from multiprocessing import shared_memory, Process\nProcess(target=print)",
    ] {
        let certain = found(code).uses.into_iter().filter(|found| found.urgency <= Urgency::Guarded);
        assert_eq!(certain.count(), 0, "{code}");
    }
    for code in [
        "from rich.progress import track\nfor x in track([1], disable=True): pass",
        "from rich.progress import Progress\nProgress(disable=quiet)",
        "import multiprocessing as m\nlock = m.Lock()\nm.Process(target=print).start()",
    ] {
        assert!(found(code).uses.iter().any(|found| found.urgency == Urgency::Required), "{code}");
    }
}

#[test]
fn objects_are_followed_to_their_methods() {
    let worker = "import threading\nclass W:\n    def go(self):\n        threading.Thread(target=print).start()\n";
    for code in [
        "def main(w):\n    w.go()\nmain(W())",
        "def main(n, *, w=None):\n    w.go()\nx = W()\nmain(1, w=x)",
        "class A:\n    def __init__(self, w):\n        self.w = w\n    def run(self):\n        self.w.go()\nA(W()).run()",
        "class V(W): pass\nclass U(V): pass\ndef make(): return U()\nu = make()\nu.go()",
        "def inner(a):\n    a.go()\ndef outer(b):\n    inner(b)\nouter(W())",
        "a = W()\nb = a\nb.go()",
    ] {
        let needs = found(&format!("{worker}{code}"));
        let starts = needs.use_of(Capability::Threads).map(|found| found.urgency);
        assert_eq!(starts, Some(Urgency::Required), "{code}");
    }
    let needs = found(&format!("{worker}def main(w):\n    w.go()\nmain(other())"));
    assert_eq!(needs.use_of(Capability::Threads).map(|found| found.urgency), Some(Urgency::Later));
    let grandchild =
        "import threading\nclass A(threading.Thread): pass\nclass B(A): pass\nclass C(B): pass\nC().start()";
    assert_eq!(found(grandchild).use_of(Capability::Threads).map(|found| found.urgency), Some(Urgency::Required));
    // Names that stand for each other end somewhere.
    found("a = b\nb = a\na.f()\ndef f(x):\n    return f(x)\ny = f(f)\ny.go()\nf(y)");
}

#[test]
fn a_connection_to_nobody_knows_where_may_be_to_itself() {
    for (address, expected) in [
        ("('example.com', 80)", Capability::Network),
        ("(HOST, 80)", Capability::Network),
        ("(HERE, port)", Capability::Sockets),
        ("(host, port)", Capability::Sockets),
        ("address", Capability::Sockets),
    ] {
        let source = format!(
            "import socket\nHOST, _ = 'x', 1\nHOST = 'example.com'\nHERE = '127.0.0.1'\nwith socket.create_connection({address}) as s: pass"
        );
        let uses: Vec<_> = found(&source).uses.into_iter().map(|found| found.capability).collect();
        assert_eq!(uses, [expected], "{address}");
    }
}

#[test]
fn to_note_an_error_is_no_substitute() {
    for (handler, urgency) in [
        ("as e:\n    err = str(e)", Urgency::Guarded),
        (":\n    results['numpy'] = 'missing'", Urgency::Guarded),
        (":\n    np = None", Urgency::Optional),
        (":\n    sys.modules['np'] = object()", Urgency::Optional),
    ] {
        let needs = found(&format!("results = {{}}\ntry:\n    import numpy\nexcept ImportError {handler}"));
        assert_eq!(needs.modules.first().map(|module| module.urgency), Some(urgency), "{handler}");
    }
}

#[test]
fn third_party_modules_are_found_with_their_distribution() {
    check(&[
        ("import numpy", &["numpy numpy Required main.py:1"]),
        ("\nimport numpy as np, os\n", &["numpy numpy Required main.py:2"]),
        ("import matplotlib.pyplot as plt", &["matplotlib matplotlib Required main.py:1"]),
        ("from sklearn.linear_model import Ridge", &["sklearn scikit-learn Required main.py:1"]),
        ("from PIL import Image, ImageDraw", &["PIL pillow Required main.py:1"]),
        ("from pandas import *", &["pandas pandas Required main.py:1"]),
        ("import importlib\nm = importlib.import_module('yaml.nodes')", &["yaml pyyaml Required main.py:2"]),
        ("from importlib import import_module as load\nload(name='bs4')", &["bs4 beautifulsoup4 Required main.py:2"]),
        ("m = __import__('cv2')", &["cv2 opencv-python-headless Required main.py:1"]),
        ("import importlib\nimportlib.import_module(name)\n__import__(f'{x}')\n__import__('')", &[]),
        (
            "from google.cloud import storage, unheard_of",
            &["google.cloud - Required main.py:1", "google.cloud.storage google-cloud-storage Required main.py:1"],
        ),
        ("import numpy; import numpy.linalg; from numpy import array", &["numpy numpy Required main.py:1"]),
        ("class A:\n    import numpy", &["numpy numpy Required main.py:2"]),
        ("x = [__import__('numpy') for _ in range(2)]", &["numpy numpy Required main.py:1"]),
        ("import js", &["js - Required main.py:1"]),
        ("'import numpy'\n# import numpy\n'''\nimport numpy\n'''", &[]),
        ("import nümpy", &["nümpy - Required main.py:1"]),
        ("for numpy in x: pass\ndef requests(): pass", &[]),
    ]);
}

#[test]
fn what_is_not_certain_to_run_is_needed_later() {
    check(&[
        ("def f():\n    import numpy", &["numpy numpy Later main.py:2"]),
        ("async def f():\n    from numpy import array", &["numpy numpy Later main.py:2"]),
        ("f = lambda: __import__('numpy')", &["numpy numpy Later main.py:1"]),
        ("class A:\n    def f(self):\n        import numpy", &["numpy numpy Later main.py:3"]),
        ("def f():\n    import numpy\nimport numpy", &["numpy numpy Required main.py:3"]),
        ("if __name__ == '__main__':\n    import numpy", &["numpy numpy Required main.py:2"]),
        (
            "@__import__('numpy').vectorize\ndef f(x=__import__('pandas')): pass",
            &["numpy numpy Required main.py:1", "pandas pandas Required main.py:2"],
        ),
        (
            "if x:\n    import numpy\nelse:\n    import pandas",
            &["numpy numpy Later main.py:2", "pandas pandas Later main.py:4"],
        ),
        ("DEBUG = False\nif DEBUG:\n    import torch", &["torch torch Later main.py:3"]),
        ("for x in y:\n    import numpy", &["numpy numpy Later main.py:2"]),
        ("while x:\n    import numpy", &["numpy numpy Later main.py:2"]),
        ("match x:\n    case 1:\n        import numpy", &["numpy numpy Later main.py:3"]),
        ("x and __import__('numpy')", &["numpy numpy Later main.py:1"]),
        ("__import__('numpy') and x", &["numpy numpy Required main.py:1"]),
        ("x = __import__('numpy') if y else 1", &["numpy numpy Later main.py:1"]),
        ("x = [__import__('numpy') for _ in y]", &["numpy numpy Later main.py:1"]),
        ("if x:\n    exit()\nimport numpy", &["numpy numpy Later main.py:3"]),
        ("import sys\nif len(sys.argv) < 2:\n    sys.exit(1)\nimport numpy", &["numpy numpy Later main.py:4"]),
    ]);
}

#[test]
fn loops_over_what_is_not_empty_run() {
    for over in [
        "[1]",
        "(1, 2)",
        "{1}",
        "{1: 2}",
        "'text'",
        "range(3)",
        "range(1, 3)",
        "enumerate([1])",
        "zip([1], 'ab')",
        "{1: 2}.items()",
        "known",
        "range(n)",
        "sorted(known)",
        "map(f, known)",
    ] {
        let source = format!("known = [1, 2]\nn = 4\nfor x in {over}:\n    import numpy");
        assert_eq!(needs(&source), ["numpy numpy Required main.py:4"], "{over}");
    }
    for over in ["[]", "range(0)", "range(m)", "unknown", "zip([1], unknown)", "[*unknown]", "()", "''", "open('x')"] {
        let source = format!("for x in {over}:\n    import numpy");
        assert_eq!(needs(&source), ["numpy numpy Later main.py:2"], "{over}");
    }
    check(&[
        ("while True:\n    import numpy", &["numpy numpy Required main.py:2"]),
        ("while True:\n    if x: break\n    import numpy", &["numpy numpy Later main.py:3"]),
        (
            "for x in [1]:\n    if x: continue\n    import numpy\nimport yaml",
            &["numpy numpy Later main.py:3", "yaml pyyaml Required main.py:4"],
        ),
        ("known = [1]\nfor known in x: pass\nfor y in known:\n    import numpy", &["numpy numpy Later main.py:4"]),
    ]);
}

#[test]
fn calls_are_followed_from_the_first_line() {
    for program in [
        "def f():\n    USE\nf()",
        "def f():\n    USE\ndef main():\n    f()\nif __name__ == '__main__':\n    main()",
        "async def main():\n    USE\nimport asyncio\nasyncio.run(main())",
        "class A:\n    def __init__(self):\n        USE\nA()",
        "class A:\n    def f(self):\n        USE\nA().f()",
        "class A:\n    def f(self):\n        self.g()\n    def g(self):\n        USE\na = A()\na.f()",
        "class A:\n    def __init__(self): self.b = B()\n    def f(self): self.b.g()\nclass B:\n    def g(self):\n        USE\nA().f()",
        "class A:\n    def f(self):\n        USE\nclass B(A): pass\nB().f()",
        "class A:\n    def __enter__(self):\n        USE\nwith A() as a: pass",
        "class A:\n    def f(self):\n        USE\nwith A() as a:\n    a.f()",
        "def work(n):\n    USE\nfrom concurrent.futures import Executor\nwith Executor() as pool:\n    list(pool.map(work, x))",
        "def outer():\n    def inner():\n        USE\n    inner()\nouter()",
        "def f():\n    try:\n        USE\n    finally:\n        pass\nf()",
        "def f():\n    try: x()\n    except ValueError: return\n    USE\nf()",
    ] {
        let source = program.replace("USE", "import numpy");
        let found = needs(&source);
        assert!(found.iter().any(|line| line.starts_with("numpy numpy Required")), "{source}: {found:?}");
    }
    for program in [
        "def f():\n    USE\nif x:\n    f()",
        "def f():\n    USE\nx = f",
        "def f():\n    if x: return\n    USE\nf()",
        "def f():\n    USE\ndef f():\n    pass\nf()",
        "class A:\n    def f(self):\n        USE\nA()",
        "class A:\n    def f(self):\n        USE\na = b()\na.f()",
        "import sys\nsys.exit()\nUSE",
    ] {
        let source = program.replace("USE", "import numpy");
        let found = needs(&source);
        assert!(found.iter().any(|line| line.starts_with("numpy numpy Later")), "{source}: {found:?}");
    }
}

#[test]
fn only_a_substitute_makes_an_import_optional() {
    let tries = |exceptions: &str, handler: &str| {
        format!("import subprocess, os, sys\ntry:\n    import numpy\nexcept{exceptions}:\n    {handler}\n")
    };
    for (exceptions, handler, urgency) in [
        (" ImportError", "numpy = None", "Optional"),
        (" ModuleNotFoundError as e", "import json as numpy", "Optional"),
        (" (ImportError, ModuleNotFoundError)", "HAVE = False", "Optional"),
        (" builtins.ImportError", "def array(x): return x", "Optional"),
        (" ImportError", "print('no numpy'); HAVE = False", "Optional"),
        (" ImportError", "class numpy: pass", "Optional"),
        (" ImportError", "pass", "Guarded"),
        (" ImportError", "print('no numpy')", "Guarded"),
        (" (ValueError, ImportError)", "numpy = None", "Guarded"),
        (" Exception", "numpy = None", "Guarded"),
        (" Exception as e", "print(e)", "Guarded"),
        ("", "numpy = None", "Guarded"),
        (" ValueError", "pass", "Guarded"),
        (" ImportError", "raise", "Required"),
        (" ImportError", "raise SystemExit('install numpy')", "Required"),
        (" ImportError", "print('install numpy'); sys.exit(1)", "Required"),
        (" ImportError", "exit()", "Required"),
        ("", "quit(1)", "Required"),
        (" ImportError", "subprocess.check_call([sys.executable, '-m', 'pip', 'install', 'numpy'])", "Required"),
        (" ImportError", "os.system('pip install numpy')", "Required"),
    ] {
        let source = tries(exceptions, handler);
        let found = needs(&source);
        assert_eq!(found.first(), Some(&format!("numpy numpy {urgency} main.py:3")), "{source}");
        assert!(found.iter().skip(1).all(|line| line.contains("Optional")), "{source}: {found:?}");
    }
    check(&[
        ("try:\n    import numpy\nfinally:\n    pass", &["numpy numpy Required main.py:2"]),
        (
            "from contextlib import suppress\nwith suppress(ImportError):\n    import numpy",
            &["numpy numpy Optional main.py:3"],
        ),
        (
            "import contextlib as c\nwith c.suppress(ImportError, ModuleNotFoundError):\n    import numpy",
            &["numpy numpy Optional main.py:3"],
        ),
        (
            "from contextlib import suppress as quiet\nmissing = quiet(ImportError)\nwith missing, open('x') as f:\n    import numpy",
            &["numpy numpy Optional main.py:4"],
        ),
        (
            "from contextlib import suppress\nwith suppress(Exception):\n    import numpy",
            &["numpy numpy Guarded main.py:3"],
        ),
        (
            "from contextlib import suppress\nwith suppress(KeyError):\n    raise KeyError\nimport numpy",
            &["numpy numpy Required main.py:4"],
        ),
        (
            "def suppress(x): return x\nwith suppress(ImportError):\n    import numpy",
            &["numpy numpy Required main.py:3"],
        ),
        (
            "try:\n    try:\n        import numpy\n    except ValueError:\n        pass\nexcept ImportError:\n    numpy = None",
            &["numpy numpy Optional main.py:3"],
        ),
        ("def f():\n    import numpy\ntry:\n    f()\nexcept Exception:\n    pass", &["numpy numpy Guarded main.py:2"]),
        (
            "def f():\n    import numpy\ntry:\n    f()\nexcept Exception:\n    pass\nf()",
            &["numpy numpy Required main.py:2"],
        ),
        ("from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import numpy", &["numpy numpy Optional main.py:3"]),
        ("try:\n    pass\nexcept ImportError:\n    pass\nelse:\n    import numpy", &["numpy numpy Required main.py:6"]),
        ("try:\n    import numpy\nexcept ImportError:\n    pass\nimport numpy", &["numpy numpy Required main.py:5"]),
        ("if sys.platform == 'win32':\n    import win32api", &["win32api - Optional main.py:2"]),
        (
            "if os.name == 'nt':\n    import win32api\nelse:\n    import sh",
            &["sh sh Required main.py:4", "win32api - Optional main.py:2"],
        ),
    ]);
    let optional = |source: &str| Needs::of(&Project::script(source.to_owned()), "main.py", false).unwrap().optional;
    let substituted = "try:\n    import ujson as json\nexcept ImportError:\n    import json\n";
    assert_eq!(optional(substituted).into_iter().collect::<Vec<_>>(), ["ujson"]);
    assert!(optional(&format!("{substituted}def f():\n    import ujson")).is_empty());
}

#[test]
fn a_substitute_is_needed_only_where_the_first_choice_is_missing() {
    check(&[
        (
            "try:\n    import tomllib\nexcept ImportError:\n    import tomli as tomllib",
            &["tomli tomli Optional main.py:4", "python>=3.11 tomllib Optional main.py:2"],
        ),
        (
            "if sys.version_info >= (3, 11):\n    import tomllib\nelse:\n    import tomli as tomllib",
            &["tomli tomli Optional main.py:4", "python>=3.11 tomllib Required main.py:2"],
        ),
        ("try:\n    import ujson as json\nexcept ImportError:\n    import json", &["ujson ujson Optional main.py:2"]),
        (
            "try:\n    import ujson as json\nexcept ImportError:\n    import orjson as json",
            &["orjson orjson Required main.py:4", "ujson ujson Optional main.py:2"],
        ),
        ("try:\n    work()\nexcept Exception:\n    import rich", &["rich rich Later main.py:4"]),
    ]);
}

#[test]
fn removed_modules_ask_for_the_newest_python_that_has_them() {
    check(&[
        ("import cgi", &["python<=3.12 cgi Required main.py:1"]),
        ("import cgi\nimport imp\nimport cgitb", &["python<=3.11 imp Required main.py:2"]),
        ("from distutils.core import setup", &["python<=3.11 distutils Required main.py:1"]),
        ("import binhex, asyncore", &["python<=3.10 binhex Required main.py:1"]),
        ("def f():\n    import imp\nimport cgi", &["python<=3.12 cgi Required main.py:3"]),
        (
            "try:\n    import imp\nexcept ImportError:\n    import importlib as imp",
            &["python<=3.11 imp Optional main.py:2"],
        ),
    ]);
}

#[test]
fn modules_that_wasm_lacks_are_needs() {
    check(&[
        ("import ssl, curses.textpad, readline", &[]),
        ("from multiprocessing import shared_memory", &[]),
        (
            "from multiprocessing import shared_memory as m\nm.SharedMemory(create=True, size=8)",
            &["Processes multiprocessing.shared_memory.SharedMemory Required main.py:2"],
        ),
        ("try:\n    import dbm.gnu\nexcept ImportError:\n    pass", &["Modules dbm.gnu Guarded main.py:2"]),
        (
            "try:\n    from dbm import ndbm\nexcept ImportError:\n    ndbm = None",
            &["Modules dbm.ndbm Optional main.py:2"],
        ),
        ("from dbm import gnu", &["Modules dbm.gnu Required main.py:1"]),
        ("import dbm, compression.zlib", &["python>=3.14 compression Required main.py:1"]),
    ]);
}

#[test]
fn calls_that_need_a_full_linux_are_found_by_any_name() {
    for (source, what) in [
        ("import threading\nthreading.Thread(target=f).start()", "Threads threading.Thread"),
        ("import threading as t\nx = t.Thread(target=f)\nx.start()", "Threads threading.Thread"),
        ("from threading import Thread as T\nT(target=f).start()", "Threads threading.Thread"),
        ("from threading import *\nThread(target=f).start()", "Threads threading.Thread"),
        ("import threading\nthreading.Timer(1, f).start()", "Threads threading.Timer"),
        ("import _thread\n_thread.start_new_thread(f, ())", "Threads _thread.start_new_thread"),
        (
            "from concurrent.futures import ThreadPoolExecutor\nwith ThreadPoolExecutor() as pool: pass",
            "Threads concurrent.futures.ThreadPoolExecutor",
        ),
        (
            "import concurrent.futures\nx = concurrent.futures.ThreadPoolExecutor(4)",
            "Threads concurrent.futures.ThreadPoolExecutor",
        ),
        (
            "from concurrent import futures\nx = futures.ProcessPoolExecutor(4)",
            "Processes concurrent.futures.ProcessPoolExecutor",
        ),
        ("from multiprocessing.pool import ThreadPool\nThreadPool(2)", "Threads multiprocessing.pool.ThreadPool"),
        ("import multiprocessing as mp\nmp.Process(target=f).start()", "Processes multiprocessing.Process"),
        ("from multiprocessing import Pool\nwith Pool(2) as p: p.map(f, x)", "Processes multiprocessing.Pool"),
        (
            "import multiprocessing\nmultiprocessing.get_context('spawn').Pool()",
            "Processes multiprocessing.get_context",
        ),
        ("import asyncio\nawait asyncio.to_thread(f)", "Threads asyncio.to_thread"),
        ("import asyncio\nasyncio.get_event_loop().run_in_executor(None, f)", "Threads run_in_executor"),
        ("import asyncio\nawait asyncio.create_subprocess_exec('ls')", "Processes asyncio.create_subprocess_exec"),
        ("import subprocess\nsubprocess.run(['ls'])", "Processes subprocess.run"),
        ("from subprocess import check_output as sh\nprint(sh('ls'))", "Processes subprocess.check_output"),
        ("import subprocess\nprint(subprocess.Popen('ls').communicate()[0].decode())", "Processes subprocess.Popen"),
        ("import os\nos.system('ls')", "Processes os.system"),
        ("import os\nos.popen('ls').read()", "Processes os.popen"),
        ("import os\npid = os.fork()", "Processes os.fork"),
        ("import os\nos.execvp('ls', [])", "Processes os.execvp"),
        ("from os import spawnl\nspawnl(0, 'ls')", "Processes os.spawnl"),
        ("import os\nos.posix_spawn('ls', [], {})", "Processes os.posix_spawn"),
        ("import pty\npty.spawn('sh')", "Processes pty.spawn"),
        ("import socket\ns = socket.socket()", "Sockets socket.socket"),
        ("from socket import *\ns = socket(AF_INET, SOCK_STREAM)", "Sockets socket.socket"),
        ("import socket\na, b = socket.socketpair()", "Sockets socket.socketpair"),
        ("import http.server\nhttp.server.HTTPServer(('', 80), H)", "Sockets http.server.HTTPServer"),
        ("import socketserver\nsocketserver.TCPServer(('', 80), H)", "Sockets socketserver.TCPServer"),
        ("import asyncio\nawait asyncio.start_server(f, 'localhost', 1)", "Sockets asyncio.start_server"),
        ("import socket\nsocket.create_connection(('localhost', 80))", "Sockets socket.create_connection"),
        (
            "import urllib.request\nurllib.request.urlopen(f'http://127.0.0.1:{port}/x')",
            "Sockets urllib.request.urlopen",
        ),
        ("import urllib.request\nurllib.request.urlopen(url)", "Network urllib.request.urlopen"),
        ("from urllib.request import urlopen\nurlopen('https://example.com')", "Network urllib.request.urlopen"),
        ("from urllib import request\nrequest.urlretrieve(url=u)", "Network urllib.request.urlretrieve"),
        ("import http.client\nhttp.client.HTTPSConnection('example.com')", "Network http.client.HTTPSConnection"),
        ("import smtplib\nwith smtplib.SMTP('mail.example.com') as s: pass", "Network smtplib.SMTP"),
        ("import ftplib\nftplib.FTP('ftp.example.com')", "Network ftplib.FTP"),
        ("import socket\nsocket.create_connection(('example.com', 80))", "Network socket.create_connection"),
        ("import socket\nsocket.gethostbyname('example.com')", "Network socket.gethostbyname"),
        ("import asyncio\nawait asyncio.open_connection('example.com', 80)", "Network asyncio.open_connection"),
        ("import asyncio\nawait asyncio.open_connection('127.0.0.1', 80)", "Sockets asyncio.open_connection"),
        ("import ctypes\nctypes.CDLL('libc.so.6')", "Libraries ctypes.CDLL"),
        ("from ctypes import cdll\ncdll.LoadLibrary('libc.so.6')", "Libraries ctypes.cdll.LoadLibrary"),
        ("import ctypes\nctypes.cdll.msvcrt.printf(b'x')", "Libraries ctypes.cdll.msvcrt.printf"),
        ("import signal\nsignal.alarm(1)", "Signals signal.alarm"),
        ("import signal\nsignal.setitimer(signal.ITIMER_REAL, 1)", "Signals signal.setitimer"),
    ] {
        let line = 2;
        assert_eq!(needs(source), [format!("{what} Required main.py:{line}")], "{source}");
    }
}

#[test]
fn calls_that_wasm_can_do_are_no_needs() {
    for source in [
        "import threading\nthreading.Lock(); threading.current_thread(); threading.local()",
        "import multiprocessing\nmultiprocessing.cpu_count(); multiprocessing.freeze_support()",
        "import asyncio\nasyncio.run(main()); asyncio.sleep(1); asyncio.gather()",
        "import socket\nsocket.gethostname(); socket.inet_aton('1.2.3.4'); socket.gethostbyname(socket.gethostname())",
        "import signal\nsignal.signal(signal.SIGTERM, f)",
        "import ctypes\nctypes.c_int(3); ctypes.Structure",
        "import os\nos.getcwd(); os.path.join('a', 'b'); os.kill(os.getpid(), 0)",
        "import urllib.request\nurllib.request.Request('http://x'); urllib.request.urlopen('file:///work/x')",
        "import urllib.parse\nurllib.parse.quote('x')",
        "import subprocess\nx = subprocess.PIPE; y: subprocess.Popen = None",
        "def run(): pass\nrun()\nsubprocess.run()",
        "from mine import Thread\nclass X:\n    def system(self): pass\nX().system()",
        "import queue\nqueue.Queue()",
    ] {
        let found: Vec<_> = needs(source).into_iter().filter(|line| !line.starts_with("mine")).collect();
        assert!(found.is_empty(), "{source}: {found:?}");
    }
}

#[test]
fn network_calls_of_packages_are_found() {
    for (source, what) in [
        ("import requests\nrequests.get(url)", "requests.get"),
        ("import requests as r\nr.request('GET', 'https://example.com')", "requests.request"),
        ("from httpx import AsyncClient\nAsyncClient()", "httpx.AsyncClient"),
        ("import aiohttp\naiohttp.ClientSession()", "aiohttp.ClientSession"),
        ("import pandas as pd\npd.read_csv('https://example.com/x.csv')", "pandas.read_csv"),
    ] {
        let expected = format!("Network {what} Required main.py:2");
        assert!(needs(source).contains(&expected), "{source}: {:?}", needs(source));
    }
    for source in [
        "import requests\nrequests.Request('GET', url)",
        "import pandas as pd\npd.read_csv('x.csv')\npd.read_csv(path)",
        "import requests\nrequests.get('http://localhost:8000/')",
        "import requests\nrequests.request('GET', 'http://localhost:8000/')",
    ] {
        assert!(!needs(source).iter().any(|line| line.starts_with("Network")), "{source}");
    }
}

#[test]
fn a_socket_that_connects_outside_uses_the_network() {
    check(&[
        (
            "import socket\ns = socket.socket()\ns.connect(('example.com', 80))",
            &["Sockets socket.socket Required main.py:2", "Network connect Required main.py:3"],
        ),
        (
            "import socket\ns = socket.socket()\ns.connect(('127.0.0.1', 80))",
            &["Sockets socket.socket Required main.py:2"],
        ),
        ("import socket\ns = socket.socket()\ns.connect((host, port))", &["Sockets socket.socket Required main.py:2"]),
        ("import sqlite3\nsqlite3.connect(('example.com', 80))", &[]),
    ]);
}

#[test]
fn calls_whose_failure_is_handled_are_needed_all_the_same() {
    for (exception, call, handler, urgency) in [
        ("Exception", "threading.Thread(target=f).start()", "print(e)", "Guarded"),
        ("RuntimeError", "threading.Thread(target=f).start()", "pass", "Guarded"),
        ("OSError", "subprocess.run('ls')", "x = None", "Guarded"),
        ("OSError", "subprocess.run('ls')", "raise", "Required"),
        ("subprocess.CalledProcessError", "subprocess.run('ls')", "sys.exit(1)", "Required"),
        ("urllib.error.URLError", "urllib.request.urlopen(u)", "print(e)", "Guarded"),
    ] {
        let imports = "import threading, subprocess, sys, urllib.request, urllib.error";
        let source = format!("{imports}\ntry:\n    {call}\nexcept {exception} as e:\n    {handler}\n");
        let found = needs(&source);
        assert!(found.len() == 1 && found[0].contains(&format!(" {urgency} main.py:3")), "{source}: {found:?}");
    }
    check(&[
        (
            "import os\ntry:\n    def f():\n        os.fork()\nexcept OSError:\n    pass",
            &["Processes os.fork Later main.py:4"],
        ),
        ("import os\ntry:\n    x()\nexcept ValueError:\n    os.fork()", &["Processes os.fork Later main.py:5"]),
    ]);
}

#[test]
fn subclasses_of_threads_and_processes_count_once_used() {
    check(&[
        ("import threading\nclass Worker(threading.Thread):\n    pass", &["Threads threading.Thread Later main.py:2"]),
        (
            "from multiprocessing import Process\nclass W(Process): pass",
            &["Processes multiprocessing.Process Later main.py:2"],
        ),
        (
            "import threading\nclass Worker(threading.Thread):\n    pass\nWorker().start()",
            &["Threads threading.Thread Required main.py:2"],
        ),
        ("import threading\nclass Data(threading.local): pass", &[]),
    ]);
}

#[test]
fn the_projects_own_modules_are_never_packages() {
    for (files, expected) in [
        (&[("main.py", "from helper import greet"), ("helper.py", "")][..], &[][..]),
        (&[("main.py", "import requests"), ("requests.py", "")], &[]),
        (
            &[("main.py", "import requests.api"), ("requests/__init__.py", ""), ("requests/api.py", "import numpy")],
            &["numpy numpy Required requests/api.py:1"],
        ),
        (
            &[("main.py", "from utils import helper"), ("utils/helper.py", "import numpy")],
            &["numpy numpy Required utils/helper.py:1"],
        ),
        (&[("main.py", "import utils.helper as h"), ("utils/helper.py", "")], &[]),
        (
            &[("main.py", "import helper"), ("helper.py", "import numpy"), ("unused.py", "import pandas")],
            &["numpy numpy Required helper.py:1"],
        ),
        (&[("main.py", "import threading\nthreading.Thread()"), ("threading.py", "")], &[]),
        (
            &[("main.py", "import a"), ("a.py", "import b"), ("b.py", "import a, main, numpy")],
            &["numpy numpy Required b.py:1"],
        ),
        (&[("main.py", "import redis"), ("redis/redis.conf", "")], &["redis redis Required main.py:1"]),
        (
            &[("main.py", "import fast"), ("fast.cpython-312.so", "")],
            &["Libraries fast.cpython-312.so Required main.py:1"],
        ),
        (
            &[
                ("main.py", "import importlib\nimportlib.import_module('plugins.one')"),
                ("plugins/one.py", "import numpy"),
            ],
            &["numpy numpy Required plugins/one.py:1"],
        ),
    ] {
        assert_eq!(of_files(files, "main.py"), expected, "{files:?}");
    }
}

#[test]
fn packages_are_followed_through_relative_imports() {
    let files = [
        ("main.py", "from app.core import run"),
        ("app/__init__.py", "from . import settings\nfrom .core import *"),
        ("app/settings.py", "import yaml"),
        (
            "app/core/__init__.py",
            "from ..tools.net import fetch as f\nfrom importlib import import_module\nimport_module('.late', __package__)",
        ),
        ("app/core/late.py", "import rich"),
        ("app/tools/net.py", "import requests\n\ndef fetch(url):\n    return requests.get(url)"),
        ("app/tools/unused.py", "import pandas"),
    ];
    assert_eq!(
        of_files(&files, "main.py"),
        [
            "requests requests Required app/tools/net.py:1",
            "rich rich Required app/core/late.py:1",
            "yaml pyyaml Required app/settings.py:1",
            "Network requests.get Later app/tools/net.py:4",
        ]
    );
}

#[test]
fn a_file_is_as_urgent_as_what_imports_it() {
    let helper = ("helper.py", "import numpy, os\nif __name__ == '__main__':\n    os.fork()");
    for (main, urgency) in [
        ("import helper", "Required"),
        ("def f():\n    import helper", "Later"),
        ("try:\n    import helper\nexcept ImportError:\n    pass", "Guarded"),
        ("try:\n    import helper\nexcept ImportError:\n    helper = None", "Optional"),
        (
            "def f():\n    import helper\ntry:\n    import helper\nexcept ImportError:\n    pass\nimport other",
            "Required",
        ),
    ] {
        let files = [("main.py", main), helper, ("other.py", "from helper import x")];
        let expected =
            [format!("numpy numpy {urgency} helper.py:1"), "Processes os.fork Optional helper.py:3".to_owned()];
        assert_eq!(of_files(&files, "main.py"), expected, "{main}");
    }
}

#[test]
fn scripts_import_from_their_own_folder_and_the_root() {
    let files = [
        ("tools/run.py", "import near\nimport app.model\nimport far"),
        ("tools/near.py", ""),
        ("app/model.py", ""),
        ("elsewhere/far.py", ""),
    ];
    assert_eq!(of_files(&files, "tools/run.py"), ["far - Required tools/run.py:3"]);
}

#[test]
fn a_changed_path_makes_any_folder_one_to_import_from() {
    let with = |main: &str| {
        of_files(&[("main.py", main), ("src/deep/helper.py", "import numpy"), ("src/pkg/__init__.py", "")], "main.py")
    };
    assert_eq!(with("import helper, pkg"), ["helper - Required main.py:1", "pkg - Required main.py:1"]);
    let numpy = ["numpy numpy Required src/deep/helper.py:1"];
    assert_eq!(with("import sys\nsys.path.insert(0, 'src/deep')\nimport helper, pkg"), numpy);
    assert_eq!(with("import helper\nimport sys\nsys.path += ['src/deep']"), numpy);

    let project = Project::files([("main.py", "import helper"), ("lib/helper.py", "")]).unwrap();
    assert_eq!(Needs::of(&project, "main.py", true).unwrap(), Needs::default());
}

#[test]
fn links_lead_to_own_modules() {
    let mut archive = tar::Builder::new(Vec::new());
    let mut add = |path: &str, kind: tar::EntryType, text: &str| {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(kind);
        header.set_mode(0o644);
        match kind {
            tar::EntryType::Symlink => {
                header.set_size(0);
                archive.append_link(&mut header, path, text).unwrap();
            }
            _ => {
                header.set_size(text.len() as u64);
                archive.append_data(&mut header, path, text.as_bytes()).unwrap();
            }
        }
    };
    add("main.py", tar::EntryType::Regular, "import helper, pkg.mod, loop");
    add("real/src/helper.py", tar::EntryType::Regular, "import numpy");
    add("helper.py", tar::EntryType::Symlink, "real/src/helper.py");
    add("real/pkg/__init__.py", tar::EntryType::Regular, "");
    add("real/pkg/mod.py", tar::EntryType::Regular, "import yaml");
    add("pkg", tar::EntryType::Symlink, "./real/../real/pkg");
    add("loop", tar::EntryType::Symlink, "loop");
    add("loop.py", tar::EntryType::Symlink, "loop.py");
    let project = Project::tar(archive.into_inner().unwrap()).unwrap();
    let found = show(&Needs::of(&project, "main.py", false).unwrap());
    assert_eq!(
        found,
        [
            "loop - Required main.py:1",
            "numpy numpy Required real/src/helper.py:1",
            "yaml pyyaml Required real/pkg/mod.py:1"
        ]
    );
}

#[test]
fn inline_metadata_of_the_entry_script_counts() {
    let block = "# /// script\n# requires-python = '<3.13'\n# dependencies = ['rich']\n# ///\n";
    let script = |main: &str, helper: &str| {
        let project = Project::files([("main.py", main.to_owned()), ("helper.py", helper.to_owned())]).unwrap();
        Needs::of(&project, "main.py", false).unwrap().script
    };
    assert_eq!(script(block, "").unwrap().dependencies, ["rich"]);
    assert_eq!(script("import helper", block), None);
    assert!(Needs::of(&Project::script("# /// script\n# dependencies = 3\n# ///\n"), "main.py", false).is_err());
}

#[test]
fn broken_code_needs_nothing_as_it_ends_before_it_runs() {
    check(&[
        ("import numpy\nprint 'hello'\nimport pandas", &[]),
        ("import\nfrom x import\nfrom . import (", &[]),
        ("import numpy as\n\0\u{feff}import", &[]),
        // Text with a sample in it.
        ("# /// script\n# dependencies = ['rich']\n# ///\n```\n!pip install six\nimport numpy\n```", &[]),
        ("\u{feff}import numpy", &["numpy numpy Required main.py:1"]),
        ("import numpy\r\nimport yaml\r\n", &["numpy numpy Required main.py:1", "yaml pyyaml Required main.py:2"]),
    ]);
    let latin = Project::script(b"# caf\xe9\nimport numpy\n".to_vec());
    assert_eq!(show(&Needs::of(&latin, "main.py", false).unwrap()), ["numpy numpy Required main.py:2"]);
}

#[test]
fn a_hostile_project_costs_little() {
    let needs = |files: Vec<(String, String)>| {
        let project = Project::files(files).unwrap();
        show(&Needs::of(&project, "main.py", false).unwrap())
    };
    let file = |path: &str, content: String| (path.to_owned(), content);

    let large =
        needs(vec![file("main.py", "import big\nimport numpy".into()), file("big.py", "x = 1\n".repeat(1 << 18))]);
    assert_eq!(large, ["numpy numpy Required main.py:2", "big.py and more: the project is too large"]);

    let chain = (0..2_000).map(|n| file(&format!("m{n}.py"), format!("import m{}", n + 1)));
    let many = needs(chain.chain([file("main.py", "import m0".into())]).collect());
    assert_eq!(many, [format!("m{}.py and more: the project is too large", FILES_MAX - 1)]);

    let imports: String = (0..50_000).map(|n| format!("import p{n}\n")).collect();
    let imported = needs(vec![file("main.py", imports)]);
    assert_eq!(imported.len(), 1 + IMPORTS_MAX);
    assert_eq!(imported.last().map(String::as_str), Some("main.py and more: it has too many imports"));

    let deep = needs(vec![file("main.py", "(".repeat(1_000_000))]);
    assert_eq!(deep, ["main.py: it is nested too deeply"]);

    for unit in ["# /// script\n", "try:\n import a\nexcept:\n", "class a(a):\n", "f'{", "a\\\n", "a()()"] {
        let _ = needs(vec![file("main.py", unit.repeat((1 << 20) / unit.len()))]);
    }

    let dotted =
        needs(vec![file("main.py", format!("import {}\nfrom {} import a", "a.".repeat(100_000), ".".repeat(100_000)))]);
    assert!(dotted.iter().all(|line| line.starts_with("a ") || line.contains("nested")), "{dotted:?}");
}

/// Returns the modules with their distributions, by name.
fn distributions(source: &str) -> Vec<String> {
    let needs = Needs::of(&Project::script(source.to_owned()), "main.py", false).unwrap();
    let shown = |module: &Module| {
        let own = if module.perhaps_own { "?" } else { "" };
        format!("{} {}{own}", module.name, module.distribution.as_deref().unwrap_or("-"))
    };
    needs.modules.iter().map(shown).collect()
}

#[test]
fn a_name_that_nobody_is_known_by_is_no_distribution() {
    let needs = Needs::of(&Project::script("from utils import helper\nimport maths, js".to_owned()), "main.py", false);
    let needs = needs.unwrap();
    assert!(needs.modules.iter().all(|module| module.distribution.is_none()), "{:?}", needs.modules);
    let hint = |message: &str| needs.hint_about("ModuleNotFoundError", message);
    let text = "utils is not a well-known package: name it in the requirements to have it installed";
    assert_eq!(hint("No module named 'utils'").as_deref(), Some(text));
    assert_eq!(hint("No module named 'utils.x'").as_deref(), Some(text));
    for message in ["No module named 'js'", "No module named 'utilsx'", "No module named 'numpy'", "x", "'"] {
        assert_eq!(hint(message), None, "{message}");
    }
    assert_eq!(needs.hint_about("ImportError", "No module named 'utils'"), None);
    assert_eq!(Needs::named_by_error("ImportError", "pip install openpyxl").as_deref(), Some("openpyxl"));
    assert_eq!(needs.hints(Some(("ModuleNotFoundError", "No module named 'utils'"))), [text]);
}

#[test]
fn what_the_program_writes_itself_comes_first() {
    for (source, modules) in [
        ("open('yaml.py', 'w').write('x = 1')\nimport yaml", &["yaml pyyaml?"][..]),
        ("open('lib/numpy/__init__.py', 'w')\nimport numpy", &["numpy numpy?"]),
        ("print('yaml, numpy and numpy.python')\nimport yaml, numpy", &["numpy numpy", "yaml pyyaml"]),
        ("open('cowsay', 'w')\nimport cowsay", &["cowsay cowsay?"]),
        ("import cowsay", &["cowsay cowsay"]),
    ] {
        assert_eq!(distributions(source), modules, "{source}");
    }
}

#[test]
fn libraries_take_packages_that_no_import_names() {
    for (source, all) in [
        ("import pandas as pd\npd.DataFrame().to_excel('x.xlsx')", "openpyxl pandas"),
        ("import pandas as pd\nf = load()\nf[['a']].to_markdown()", "pandas tabulate"),
        ("from pandas import read_html as r\nr(x)", "lxml pandas"),
        ("import pandas as pd\npd.read_html(x, flavor=['bs4'])", "beautifulsoup4 html5lib lxml pandas"),
        ("import pandas as pd\npd.read_excel('old.xls')", "openpyxl pandas xlrd"),
        ("import pandas as pd\npd.ExcelWriter(x, engine='xlsxwriter')", "openpyxl pandas xlsxwriter"),
        ("import pandas\nf.to_parquet(p)\nf.style.format('x').to_html()", "jinja2 pandas pyarrow"),
        ("import pandas\nf.plot(kind='bar')\nf['x'].plot.hist()", "matplotlib pandas"),
        ("import pandas, numpy as np\nnp.plot(1)\nprint('openpyxl')", "numpy pandas"),
        ("from bs4 import BeautifulSoup as B\nB(text, 'html5lib')", "beautifulsoup4 html5lib"),
        ("import bs4\nbs4.BeautifulSoup(text, features='lxml')", "beautifulsoup4 lxml"),
        ("import bs4\nbs4.BeautifulSoup(text, 'html.parser').find('xml')", "beautifulsoup4"),
        ("import plotly.express as px", "pandas plotly"),
        (
            "from sqlalchemy import create_engine\nURL = 'postgresql://u@h/d'\ncreate_engine(URL)",
            "psycopg2-binary sqlalchemy",
        ),
        ("import sqlalchemy\nsqlalchemy.create_engine(f'mysql+pymysql://{u}@h/d')", "pymysql sqlalchemy"),
        ("import sqlalchemy\nsqlalchemy.create_engine('sqlite:///x.db')", "sqlalchemy"),
        ("import networkx as nx\nnx.draw(g)", "matplotlib networkx"),
        ("from fastapi.testclient import TestClient", "fastapi httpx"),
        ("from pydantic import BaseModel, EmailStr", "email-validator pydantic"),
        ("import pytest\n@pytest.mark.asyncio()\ndef f(): pass", "pytest pytest-asyncio"),
        ("import httpx\nhttpx.AsyncClient(http2=True)", "h2 httpx"),
        ("import psycopg", "psycopg psycopg-binary"),
        ("import pkg_resources", "setuptools"),
        ("f.to_excel('x')\nread_html(x)", ""),
    ] {
        let mut found: Vec<_> =
            distributions(source).iter().filter_map(|line| Some(line.split_once(' ')?.1.to_owned())).collect();
        found.sort_unstable();
        assert_eq!(found.join(" "), all, "{source}");
    }
}

#[test]
fn own_modules_are_no_packages_of_libraries() {
    let files = [("main.py", "import pandas\nf.to_excel(x)".to_owned()), ("openpyxl.py", String::new())];
    let needs = Needs::of(&Project::files(files).unwrap(), "main.py", false).unwrap();
    assert_eq!(needs.modules.len(), 1);
}

#[test]
fn what_the_code_installs_is_required() {
    let of = |files: &[(&str, &str)]| {
        let files = files.iter().map(|&(path, content)| (path, content.to_owned()));
        Needs::of(&Project::files(files).unwrap(), "main.py", false).unwrap()
    };
    let installed = |source: &str| of(&[("main.py", source)]).script.unwrap_or_default().dependencies;
    for (source, requirements) in [
        ("!pip install -q tabulate\nimport tabulate\n", &["tabulate"][..]),
        ("import os\nos.system('pip install rich')", &["rich"]),
        (
            "import subprocess, sys\nsubprocess.run([sys.executable, '-m', 'pip', 'install', 'a', 'b>=1'])",
            &["a", "b>=1"],
        ),
        ("import subprocess as s\ns.check_call('pip install -U a'.split())", &["a"]),
        ("import os, sys\nos.system(f'{sys.executable} -m pip install a')", &["a"]),
        ("import os\nos.system('pip list')\nos.system(x)\nos.system(f'pip install {x}')", &[]),
        ("# /// script\n# dependencies = ['z']\n# ///\n%pip install a", &["z", "a"]),
    ] {
        assert_eq!(installed(source), requirements, "{source}");
    }
    let needs = of(&[("main.py", "!pip install -r more.txt -r ../x.txt ./y\n"), ("more.txt", "rich # why\n")]);
    assert_eq!(needs.script.unwrap().dependencies, ["rich"]);
    assert_eq!(needs.refused_installs.len(), 2, "{:?}", needs.refused_installs);
    assert!(needs.refused_installs[0].starts_with("not installed (main.py, line 1): "), "{:?}", needs.refused_installs);
    // Where it may not come to that, it says what the module is.
    let later =
        "try:\n    import q8_thing\nexcept ImportError:\n    import os\n    os.system('pip install q8-thing')\n";
    assert_eq!(distributions(later), ["q8_thing q8-thing"]);
    assert!(installed(later).is_empty());
}
