//! Definitions of environments.

use super::{
    bench::{ANY, Wheels, prepare_wasm},
    *,
};
use crate::Python;
use std::fs::FileTimes;

fn definition(text: &str) -> Definition {
    Definition { requirements: required(text), ..Definition::default() }
}

#[test]
fn the_same_is_defined_once() {
    let folder = tempfile::tempdir().unwrap();
    let environments = Environments::new(options(folder.path())).unwrap();
    let preloaded = |modules: &[&str]| Definition {
        preload: modules.iter().map(ToString::to_string).collect(),
        python: Some(Python::WASM),
        ..definition("sympy\nrich>=1")
    };
    let first = environments.define(&preloaded(&["sympy", "os.path", "sympy"])).unwrap();
    assert_eq!((first.id.len(), &*first.definition.preload), (64, &["os.path".to_owned(), "sympy".to_owned()][..]));
    let mut again = preloaded(&["os.path", "sympy"]);
    again.requirements = required("Rich >= 1 # x\nSymPy");
    assert_eq!(environments.define(&again).unwrap(), first);
    assert_eq!(environments.defined(&first.id).unwrap().unwrap(), first);
    let path = folder.path().join("store/names").join(format!("{}.json", first.id));
    assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o600);

    let other = |change: &dyn Fn(&mut Definition)| {
        let mut definition = preloaded(&["sympy"]);
        change(&mut definition);
        environments.define(&definition).unwrap().id
    };
    let others = [
        first.id.clone(),
        other(&|_| {}),
        other(&|definition| definition.python = None),
        other(&|definition| definition.requirements = required("sympy")),
    ];
    assert_eq!(others.iter().collect::<BTreeSet<_>>().len(), others.len());
    let index = EnvironmentOptions { index_url: Some("https://x.example".into()), ..options(folder.path()) };
    assert_ne!(Environments::new(index).unwrap().define(&again).unwrap().id, first.id);
    assert_eq!(environments.definitions().unwrap().len(), 5);
}

#[test]
fn definitions_are_found_by_the_beginnings_of_their_ids() {
    let folder = tempfile::tempdir().unwrap();
    let environments = Environments::new(options(folder.path())).unwrap();
    assert!(environments.definitions().unwrap().is_empty() && environments.defined(&"0".repeat(8)).unwrap().is_none());
    let defined = environments.define(&definition("sympy")).unwrap();
    let id = &defined.id;
    assert_eq!(environments.defined(&id[..8]).unwrap().unwrap().id, *id);
    for other in ["", &id[..7], "../names", &"0".repeat(64), &"0".repeat(12), &id.to_uppercase()] {
        assert!(environments.defined(other).unwrap().is_none() && !environments.forget(other).unwrap(), "{other}");
    }
    let name = |id: &str| folder.path().join("store/names").join(format!("{id}.json"));
    let twin = format!("{}{}", &id[..60], if id.ends_with("0000") { "1111" } else { "0000" });
    fs::copy(name(id), name(&twin)).unwrap();
    assert!(environments.defined(&id[..8]).unwrap_err().to_string().contains("use more of it"));
    assert_eq!(environments.defined(id).unwrap().unwrap().id, *id);
    // One that cannot be read is no reason to hide the others.
    fs::write(name(&twin), "{").unwrap();
    assert!(environments.defined(&twin).is_err());
    assert_eq!(environments.definitions().unwrap().len(), 1);
    assert!(environments.forget(&twin).unwrap() && environments.forget(&id[..8]).unwrap());
    assert!(environments.definitions().unwrap().is_empty());
}

#[test]
fn only_modules_are_preloaded() {
    let folder = tempfile::tempdir().unwrap();
    let environments = Environments::new(options(folder.path())).unwrap();
    let define = |preload: Vec<String>| environments.define(&Definition { preload, ..definition("sympy") });
    for module in ["", ".", "a.", "1a", "a b", "a;b", "../a", "a\nb", &"a".repeat(201)] {
        let error = define(vec![module.to_owned()]).unwrap_err().to_string();
        assert!(error.contains("not the name of a module"), "{module}: {error}");
    }
    let many = |count: usize| (0..count).map(|n| format!("m{n}")).collect();
    assert!(define(many(101)).unwrap_err().to_string().contains("at most 100"));
    assert!(define(many(100)).is_ok() && define(vec!["été._x.y1".to_owned()]).is_ok());
}

#[test]
fn definitions_that_are_not_used_are_forgotten_when_there_are_too_many() {
    let folder = tempfile::tempdir().unwrap();
    let environments = Environments::new(options(folder.path())).unwrap();
    let [used, unused] = ["used", "unused"].map(|name| environments.define(&definition(name)).unwrap().id);
    let names = folder.path().join("store/names");
    let age = |id: &str, hours: u64| {
        let time = SystemTime::now() - Duration::from_secs(3600 * hours);
        File::open(names.join(format!("{id}.json"))).unwrap().set_times(FileTimes::new().set_modified(time)).unwrap();
    };
    for n in 0..9_998 {
        fs::copy(names.join(format!("{used}.json")), names.join(format!("{n:064}.json"))).unwrap();
    }
    [&used, &unused].into_iter().for_each(|id| age(id, 2));
    assert!(environments.defined(&used).unwrap().unwrap().last_used.elapsed().unwrap() < Duration::from_secs(60));
    environments.define(&definition("another")).unwrap();
    assert!(environments.defined(&unused).unwrap().is_none() && environments.defined(&used).unwrap().is_some());
    assert_eq!(fs::read_dir(&names).unwrap().count(), 10_000);
}

#[tokio::test]
async fn what_was_made_from_a_definition_goes_with_it() {
    let wheels = Wheels::new("");
    wheels.add("one", ANY, &[("one.py", "x = 1")]);
    let environments = Bench::default().environments(wheels.options());
    let with = |python, preload: &[&str]| Definition {
        python,
        preload: preload.iter().map(ToString::to_string).collect(),
        ..definition("one")
    };
    let first = environments.define(&with(None, &[])).unwrap();
    let second = environments.define(&with(Some(Python::WASM), &["one"])).unwrap();
    let installed = prepare_wasm(&environments, "one").await.unwrap();
    let id = installed.id().to_owned();
    // Another definition comes to the same.
    assert!(environments.forget(&first.id).unwrap() && !environments.forget(&first.id).unwrap());
    let listed = || environments.list().unwrap().into_iter().map(|listed| listed.id).collect::<Vec<_>>();
    assert_eq!(listed(), [&*id]);
    let error = environments.forget(&second.id).unwrap_err().to_string();
    assert!(error.contains("in use") && environments.defined(&second.id).unwrap().is_some(), "{error}");
    drop(installed);
    assert!(environments.forget(&second.id).unwrap());
    assert!(listed().is_empty() && environments.definitions().unwrap().is_empty());
    assert!(environments.known(&required("one"), Platform::WASM).is_none());

    // What was made of other requirements, or for another Python, stays.
    prepare_wasm(&environments, "one\ntwo").await.unwrap();
    prepare_wasm(&environments, "one").await.unwrap();
    let older = environments.define(&with(Some("3.12".parse().unwrap()), &[])).unwrap();
    assert!(environments.forget(&older.id).unwrap());
    assert_eq!(listed().len(), 2);
}
