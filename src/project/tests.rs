use super::*;

fn round_trip(project: &Project) -> Project {
    let mut archive = Vec::new();
    project.to_tar(&mut archive).expect("packed");
    Project::tar(archive).expect("read back")
}

#[test]
fn archives_made_of_a_project_hold_the_same_project() {
    let long = format!("{}/deep.py", ["a-folder-with-a-rather-long-name"; 8].join("/"));
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::create_dir_all(folder.path().join("sub/empty")).expect("made");
    std::fs::create_dir_all(folder.path().join(".git")).expect("made");
    std::fs::write(folder.path().join("sub/file"), "from disk").expect("written");
    std::fs::write(folder.path().join(".git/HEAD"), "").expect("written");
    let project = Project::folder(folder.path()).expect("read");
    let project = project.with_file("main.py", "print(1)").and_then(|p| p.with_file(&long, "x")).expect("added");

    let once = round_trip(&project);
    let twice = round_trip(&once);
    for copy in [once, twice] {
        assert_eq!(copy.entries.keys().collect::<Vec<_>>(), project.entries.keys().collect::<Vec<_>>());
        assert_eq!(copy.read("main.py").expect("there"), "print(1)");
        assert_eq!(copy.read("sub/file").expect("there"), "from disk");
        assert_eq!(copy.read(&long).expect("there"), "x");
        assert!(matches!(copy.entries.get("sub/empty"), Some(Entry::Folder)));
        assert!(!copy.entries.contains_key(".git/HEAD"));
    }
}

#[test]
fn links_stay_links_in_an_archive() {
    let mut builder = Builder::default();
    builder.add("to.txt".into(), Entry::Memory("x".into())).expect("added");
    builder.link("link".into(), Some("to.txt".into())).expect("added");
    let copy = round_trip(&builder.finish(None).expect("a project"));
    assert!(matches!(copy.entries.get("link"), Some(Entry::Link { target }) if target == "to.txt"));
    assert_eq!(copy.read("link").expect("there"), "x");
}

#[test]
fn links_of_a_folder_are_kept_when_they_stay_in_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let root = folder.path().canonicalize().expect("a folder");
    std::fs::create_dir_all(root.join("app")).expect("made");
    std::fs::write(root.join("app/cli.py"), "print(1)").expect("written");
    let link = |target: &Path, name: &str| std::os::unix::fs::symlink(target, root.join(name)).expect("linked");
    link(Path::new("app/cli.py"), "run.py");
    link(Path::new("../app"), "app/again");
    link(&root.join("app/cli.py"), "app/absolute.py");
    link(Path::new("../elsewhere"), "out");
    link(Path::new("/usr/bin/python3"), "python3");
    link(Path::new("run.py"), "again.py");
    link(Path::new("gone.py"), "dangling.py");
    let project = Project::folder(&root).expect("read");
    for (name, script) in [
        ("run.py", "app/cli.py"),
        ("app/again/cli.py", "app/cli.py"),
        ("app/absolute.py", "app/absolute.py"),
        ("again.py", "app/cli.py"),
    ] {
        assert_eq!(project.read(name).expect(name), "print(1)", "{name}");
        assert_eq!(project.entrypoint(Some(name)).expect(name), script);
    }
    assert_eq!(project.entrypoint_candidates(), ["again.py", "run.py"]);
    assert!(project.entrypoint(Some("dangling.py")).is_err() && project.read("dangling.py").is_err());
    assert_eq!(project.notes(), ["2 symbolic links that lead out of the project were left out: out, python3"]);
}

#[test]
fn a_script_is_chosen_when_it_is_clear_which() {
    for (paths, candidates) in [
        (&["main.py", "app.py", "__main__.py"][..], &["main.py"][..]),
        (&["__main__.py", "app.py", "sub/main.py"], &["__main__.py"]),
        (&["app.py", "lib/x.py", "lib/main.py"], &["app.py"]),
        (&["._app.py", "app.py", "__MACOSX/._app.py", ".venv/lib/x.py", "data.txt"], &["app.py"]),
        (&["one.py", "two.py"], &["one.py", "two.py"]),
        (&["top/app/x.py", "top/main.py", "a/b/c/main.py"], &["top/main.py"]),
        (&["top/x.py", "top/pkg/__main__.py"], &["top/pkg/__main__.py"]),
        (&["top/x.py", "top/y.py", "__MACOSX/main.py"], &["top/x.py", "top/y.py"]),
        (&["readme.md", "._x.py", "node_modules/x.py"], &[]),
    ] {
        let project = Project::files(paths.iter().map(|path| (*path, ""))).expect("a project");
        assert_eq!(project.entrypoint_candidates(), candidates, "{paths:?}");
    }
}

#[test]
fn a_file_that_got_shorter_is_not_packed() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("main.py"), "print(1)").expect("written");
    let project = Project::folder(folder.path()).expect("read");
    std::fs::write(folder.path().join("main.py"), "p").expect("written");
    assert_eq!(project.to_tar(Vec::new()).expect_err("too short").kind(), io::ErrorKind::UnexpectedEof);
}
