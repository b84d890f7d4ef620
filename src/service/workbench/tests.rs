//! The workbench with the real interpreter, and real packages on it.

use super::*;
use crate::{
    Requirements,
    environment::{EnvironmentOptions, Environments, Installed, Platform, Reason, tests::uv},
    executor::wasm::WasmOptions,
    pack::{NATIVE_PARTS, Packed, SITE_PACKAGES},
};
use std::{
    path::Path,
    sync::{LazyLock, Mutex},
    time::Instant,
};

fn wasm() -> Arc<WasmExecutor> {
    static WASM: LazyLock<Arc<WasmExecutor>> =
        LazyLock::new(|| Arc::new(WasmExecutor::new(&WasmOptions::default(), &|_| {}).expect("an interpreter")));
    Arc::clone(&WASM)
}

fn sandbox() -> Sandbox {
    Sandbox::new(wasm())
}

fn packed(files: &[(&str, &str)]) -> Pack {
    let file = |(path, content): &(&str, &str)| Packed {
        path: format!("{SITE_PACKAGES}{path}"),
        content: content.as_bytes().to_vec(),
        code: Vec::new(),
    };
    Pack::open(Pack::build(files.iter().map(file).collect()).unwrap().into()).unwrap()
}

/// Returns what a script prints that can import a pack.
async fn printed(pack: &Pack, script: &str) -> String {
    let packages = Packages::new("test", pack.clone(), Vec::new());
    let job = Job::code(script.to_owned());
    let run = wasm().run_with(job.resolve().unwrap(), Some(&packages), None, Box::new(|_: crate::Event<'_>| ())).await;
    let outcome = run.unwrap().outcome().unwrap();
    assert!(outcome.success(), "{outcome:?}");
    outcome.stdout.text
}

#[tokio::test]
async fn bytecode_is_that_of_the_place_where_it_is_imported() {
    let deep = format!("x = {}1{}", "(".repeat(3000), ")".repeat(3000));
    let wide = format!("x = {}", "-".repeat(200_000) + "1");
    let files = [
        ("bad.py", "x ="),
        ("deep.py", &*deep),
        ("latin.py", "# coding: latin-1\nx = 1"),
        ("nul.py", "x = 1\0"),
        ("one/__init__.py", "import inspect\ndef where(): return inspect.currentframe().f_code.co_filename"),
        ("one/data.txt", "text"),
        ("warns.py", "x = 1 is 1"),
        ("wide.py", &*wide),
    ];
    let pack = packed(&files);
    let mut compiled = sandbox().compile(&pack).await.unwrap();
    compiled.sort();
    let paths: Vec<_> = compiled.iter().filter_map(|(path, _)| path.strip_prefix(SITE_PACKAGES)).collect();
    assert_eq!(paths, ["latin.py", "one/__init__.py", "warns.py"]);
    let with_code = pack.files().map(|file| Packed {
        path: file.path.to_owned(),
        // Other source, to see which of the two is run.
        content: if file.path.ends_with("latin.py") { b"x = 2".to_vec() } else { file.content.to_vec() },
        code: compiled.iter().find(|(path, _)| path == file.path).map(|(_, code)| code.clone()).unwrap_or_default(),
    });
    let pack = Pack::open(Pack::build(with_code.collect()).unwrap().into()).unwrap();
    let script = "import latin, one\nprint(latin.x, one.where(), one.__file__)\ntry:\n import bad\nexcept SyntaxError as e:\n \
                  print(e.filename)";
    let folder = "/usr/lib/python3.14/site-packages";
    let expected = format!("1 {folder}/one/__init__.py {folder}/one/__init__.py\n{folder}/bad.py\n");
    assert_eq!(printed(&pack, script).await, expected);
}

#[test]
fn codes_are_read_as_far_as_they_came() {
    let whole = [&3u32.to_le_bytes()[..], b"abc", &0u32.to_le_bytes(), &2u32.to_le_bytes(), b"de"].concat();
    assert_eq!(codes(&whole), [&b"abc"[..], b"", b"de"]);
    assert_eq!(codes(&whole[..whole.len() - 1]), [&b"abc"[..], b""]);
    assert!(codes(&whole[..6]).is_empty() && codes(&[]).is_empty() && codes(&[255; 5]).is_empty());
}

#[tokio::test]
async fn imports_say_what_they_looked_for() {
    let pack = packed(&[
        ("relative/__init__.py", "try:\n    from ._speedups import x\nexcept ImportError:\n    x = 1"),
        ("listed/__init__.py", "try:\n    from . import _c\nexcept ImportError:\n    pass"),
        ("failing.py", "import nothing_there"),
        ("raising.py", "class E(Exception):\n    def __str__(self): raise E\nraise E"),
        ("leaving.py", "import sys; sys.exit(0)"),
        ("quiet.py", "x = 1"),
    ]);
    let modules = ["relative", "listed", "failing", "raising", "leaving", "quiet", "absent"].map(str::to_owned);
    let imported = sandbox().try_imports(&pack, &modules).await.unwrap();
    let seen: Vec<_> = imported.iter().map(|it| (&*it.module, it.failed.as_deref(), it.asked_for.join(" "))).collect();
    let expected = [
        ("relative", None, "relative._speedups"),
        ("listed", None, "listed._c"),
        ("failing", Some("ModuleNotFoundError: No module named 'nothing_there'"), "nothing_there"),
        ("raising", Some("an exception without a text"), ""),
        ("leaving", Some("SystemExit: 0"), ""),
        ("quiet", None, ""),
        ("absent", Some("ModuleNotFoundError: No module named 'absent'"), "absent"),
    ];
    assert_eq!(seen, expected.map(|(module, failed, asked_for)| (module, failed, asked_for.to_owned())));

    let pack = packed(&[("fine.py", ""), ("crashing.py", "import os; os._exit(0)")]);
    let modules = ["fine", "crashing"].map(str::to_owned);
    let imported = sandbox().try_imports(&pack, &modules).await.unwrap();
    assert!(imported.iter().all(|it| it.failed.is_some()) && imported.len() == 2, "{imported:?}");
}

fn environments(folder: &Path) -> Environments {
    let (uv, folder) = (Some(uv()), Some(folder.join("store")));
    let options = EnvironmentOptions { uv, folder, ..EnvironmentOptions::default() };
    Environments::with_workbench(options, Some(Arc::new(sandbox()))).unwrap()
}

async fn prepared(environments: &Environments, text: &str, phases: &Mutex<Vec<(String, Instant)>>) -> Arc<Installed> {
    let progress = |phase: &str| phases.lock().unwrap().push((phase.to_owned(), Instant::now()));
    let requirements = Requirements::parse(text).unwrap();
    let installed = environments.prepare(&requirements, Platform::WASM, &progress).await;
    installed.unwrap_or_else(|refusal| panic!("{text}: {refusal}: {}", refusal.log()))
}

const COMMON: &str = "sympy\nnetworkx\nbeautifulsoup4\npython-dateutil\ntabulate\nattrs\njinja2\npyyaml\nrich\n\
                      more-itertools";

#[tokio::test(flavor = "multi_thread")]
async fn common_packages_work() {
    let folder = tempfile::tempdir().unwrap();
    let environments = environments(folder.path());
    let phases = Mutex::default();
    let start = Instant::now();
    let installed = prepared(&environments, COMMON, &phases).await;
    let phases = phases.into_inner().unwrap();
    let names: Vec<_> = phases.iter().map(|(phase, at)| format!("{:?} {phase}", *at - start)).collect();
    eprintln!("{:?} in all, {} bytes: {names:?}", start.elapsed(), installed.bytes());
    assert!(names.iter().any(|name| name.ends_with("trying 2 packages without native parts")), "{names:?}");
    let script = "
import attr, bs4, dateutil.parser, importlib.metadata, importlib.resources, jinja2, markupsafe, more_itertools, networkx
import rich.text, sympy, tabulate, yaml
print(sympy.sqrt(8), yaml.safe_load('[1, 2]'), jinja2.Template('{{ x }}').render(x='<'), markupsafe.escape('<'))
print(importlib.metadata.version('pyyaml'), yaml.__version__, networkx.path_graph(3).size())
print(importlib.resources.files('attr').joinpath('py.typed').is_file(), dateutil.parser.parse('1 May 2020').month)
print(bs4.BeautifulSoup('<p>text', 'html.parser').p.text, tabulate.tabulate([[1]], tablefmt='plain'))
";
    let out = printed(&installed.pack().unwrap(), script).await;
    let lines: Vec<_> = out.lines().collect();
    assert_eq!(lines[0], "2*sqrt(2) [1, 2] < &lt;");
    let versions: Vec<_> = lines[1].split(' ').collect();
    assert!(versions[0] == versions[1] && versions[2] == "2", "{out}");
    assert_eq!(&lines[2..], ["True 5", "text 1"]);

    // Another environment with the same package compiles nothing.
    let phases = Mutex::default();
    let start = Instant::now();
    prepared(&environments, "sympy", &phases).await;
    eprintln!("sympy again: {:?}", start.elapsed());
    let phases = phases.into_inner().unwrap();
    assert!(!phases.iter().any(|(phase, _)| phase.starts_with("compiling")), "{phases:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn packages_with_optional_native_parts_are_told_from_others() {
    let folder = tempfile::tempdir().unwrap();
    let environments = environments(folder.path());
    for (name, module) in [
        ("markupsafe", "markupsafe"),
        ("pyyaml", "yaml"),
        ("msgpack", "msgpack"),
        ("wrapt", "wrapt"),
        ("simplejson", "simplejson"),
        ("multidict", "multidict"),
    ] {
        let phases = Mutex::default();
        let installed = prepared(&environments, name, &phases).await;
        let pack = installed.pack().unwrap();
        assert!(!pack.files().any(|file| file.path.contains(".so")), "{name}");
        // Some have a wheel for every machine, too.
        let lists_them = pack.find(NATIVE_PARTS).is_some_and(|list| list.content.starts_with(module.as_bytes()));
        assert!(lists_them || installed.is_pure(), "{name}");
    }
    for (name, culprit) in [
        ("lxml", "lxml"),
        ("pillow", "pillow"),
        ("cryptography", "c"),
        ("pydantic", "pydantic-core"),
        ("numpy", "numpy"),
        ("ruff", "ruff"),
    ] {
        let start = Instant::now();
        let requirements = Requirements::parse(name).unwrap();
        let refusal = environments.prepare(&requirements, Platform::WASM, &|_| {}).await.map(|_| ()).unwrap_err();
        let Reason::NoWheel { packages, .. } = &refusal.reason else { panic!("{name}: {refusal}: {}", refusal.log()) };
        assert!(packages.iter().any(|package| package.starts_with(culprit)), "{name}: {packages:?}");
        eprintln!("{name}: {packages:?} in {:?}: {}", start.elapsed(), refusal.log());
    }
}
