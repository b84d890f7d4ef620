//! Hostile and foreign projects: an archive is refused as a whole, with the reason, or unpacked inside the project
//! directory, without what leads out of it.

use crate::support::pyexec;
use pyexec::{Job, Project};
use tar::{Builder, EntryType, Header};

/// An archive of entries as (name, kind, link target, content); names are written as they are, however bad.
fn archive(entries: &[(&str, EntryType, &str, &[u8])]) -> Vec<u8> {
    let mut builder = Builder::new(Vec::new());
    for (name, kind, target, content) in entries {
        let mut header = Header::new_gnu();
        header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
        header.as_old_mut().linkname[..target.len()].copy_from_slice(target.as_bytes());
        header.set_entry_type(*kind);
        header.set_mode(0o4755);
        header.set_size(content.len() as u64);
        header.set_cksum();
        builder.append(&header, *content).expect("written");
    }
    builder.into_inner().expect("written")
}

fn refused(bytes: Vec<u8>) -> String {
    match Project::tar(bytes) {
        Err(error) if error.is_invalid_job() => error.message().to_owned(),
        other => panic!("{other:?}"),
    }
}

const FILE: EntryType = EntryType::Regular;

#[test]
fn an_archive_runs() {
    let bytes = archive(&[
        ("./", EntryType::Directory, "", b""),
        ("./main.py", FILE, "", b"import lib.x, os\nprint(lib.x.V, os.readlink('link'), open('link').read(), oct(os.stat('main.py').st_mode))"),
        ("./lib/x.py", FILE, "", b"V = 1"),
        ("./data.txt", FILE, "", b"data"),
        ("./link", EntryType::Symlink, "lib/../data.txt", b""),
    ]);
    let outcome = pyexec().run_blocking(Job::project(Project::tar(bytes).expect("accepted"))).expect("an outcome");
    assert_eq!(outcome.stdout.text, "1 lib/../data.txt data 0o100644\n", "{}", outcome.stderr.text);
}

#[test]
fn names_that_lead_outside_are_refused() {
    for name in ["../main.py", "a/../../main.py", "/main.py", "/etc/passwd"] {
        let message = refused(archive(&[(name, FILE, "", b"")]));
        assert!(message.contains("bad file name"), "{message}");
    }
}

/// What is in an archive when it is read, and what was left out of it.
fn read(bytes: Vec<u8>) -> (Vec<String>, String) {
    let project = Project::tar(bytes).expect("accepted");
    (project.paths().map(str::to_owned).collect(), project.notes().join("; "))
}

#[test]
fn links_that_lead_outside_are_left_out() {
    for target in ["/etc", "../..", "../a/../..", "../../x", "x/../../../y", "/work/main.py", ""] {
        let (paths, notes) = read(archive(&[("a/link", EntryType::Symlink, target, b""), ("main.py", FILE, "", b"")]));
        assert_eq!(paths, ["main.py"]);
        assert_eq!(notes, "1 symbolic link that leads out of the project was left out: a/link");
    }
    let python = [(".venv/bin/python3", "/usr/bin/python3"), (".venv/bin/python", "python3"), (".venv/lib64", "lib")];
    let links = python.map(|(name, target)| (name, EntryType::Symlink, target, &b""[..]));
    let (paths, notes) = read(archive(&[&links[..], &[("main.py", FILE, "", b"")]].concat()));
    assert_eq!(paths, [".venv/bin/python", ".venv/lib64", "main.py"]);
    assert_eq!(notes, "1 symbolic link that leads out of the project was left out: .venv/bin/python3");
}

#[test]
fn nothing_is_written_through_a_link() {
    let (paths, notes) = read(archive(&[("link", EntryType::Symlink, "dir", b""), ("link/x", FILE, "", b"x")]));
    assert_eq!(
        (paths, &*notes),
        (vec!["link/x".to_owned()], "1 symbolic link that is also a folder was left out: link")
    );
    // The other way round: a folder that becomes a link.
    let (paths, notes) = read(archive(&[("dir/x", FILE, "", b"x"), ("dir", EntryType::Symlink, "other", b"")]));
    assert_eq!((paths, &*notes), (vec!["dir/x".to_owned()], "1 symbolic link that is also a folder was left out: dir"));
    // And the last entry of a name is the one that counts.
    let project = Project::tar(archive(&[
        ("to", FILE, "", b"to"),
        ("x", EntryType::Symlink, "to", b""),
        ("x", FILE, "", b"own"),
        ("y", FILE, "", b"own"),
        ("y", EntryType::Symlink, "to", b""),
    ]))
    .expect("accepted");
    assert_eq!((&*project.read("x").expect("there"), &*project.read("y").expect("there")), (&b"own"[..], &b"to"[..]));
}

#[test]
fn a_script_may_be_a_link() {
    let bytes = archive(&[
        ("app/cli.py", FILE, "", b"import helper, sys\nprint(helper.V, sys.path[0], __name__)"),
        ("app/helper.py", FILE, "", b"V = 'beside the file'"),
        ("run.py", EntryType::Symlink, "app/cli.py", b""),
        ("app/same.py", EntryType::Symlink, "cli.py", b""),
        ("folder", EntryType::Symlink, "app", b""),
        ("loop.py", EntryType::Symlink, "loop.py", b""),
    ]);
    let project = Project::tar(bytes).expect("accepted");
    for name in [Some("run.py"), Some("app/same.py"), Some("folder/cli.py"), None] {
        let mut job = Job::project(project.clone());
        if let Some(name) = name {
            job = job.entrypoint(name);
        }
        let outcome = pyexec().run_blocking(job).expect("an outcome");
        assert_eq!(outcome.stdout.text, "beside the file /work/app __main__\n", "{}", outcome.stderr.text);
    }
    assert!(pyexec().run_blocking(Job::project(project).entrypoint("loop.py")).is_err());
}

#[test]
fn hard_links_are_second_names_of_files_in_the_archive() {
    let project = Project::tar(archive(&[
        ("one.txt", FILE, "", b"text"),
        ("two.txt", EntryType::Link, "one.txt", b""),
        ("later", EntryType::Link, "three.txt", b""),
        ("outside", EntryType::Link, "/etc/passwd", b""),
        ("above", EntryType::Link, "../one.txt", b""),
        ("three.txt", FILE, "", b""),
    ]))
    .expect("accepted");
    assert_eq!(project.read("two.txt").expect("there"), "text");
    assert_eq!(
        project.notes(),
        ["3 hard links to files that are not in the archive were left out: above, later, outside"]
    );
}

#[test]
fn what_is_neither_file_nor_folder_nor_link_is_left_out() {
    for kind in [EntryType::Char, EntryType::Block, EntryType::Fifo, EntryType::new(b'Q')] {
        let (paths, notes) = read(archive(&[("thing", kind, "main.py", b""), ("main.py", FILE, "", b"")]));
        assert_eq!((paths, &*notes), (vec!["main.py".to_owned()], "1 device, pipe or socket was left out: thing"));
    }
    // Its own header is part of what is bad about it.
    assert!(refused(archive(&[("thing", EntryType::GNUSparse, "main.py", b"")])).contains("bad archive"));
    let mut sparse = Builder::new(Vec::new());
    sparse.append_pax_extensions([("GNU.sparse.major", &b"1"[..]), ("GNU.sparse.minor", b"0")]).expect("written");
    sparse.append(Header::from_byte_slice(&archive(&[("holes", FILE, "", b"")])[..512]), &b""[..]).expect("written");
    let (paths, notes) = read(sparse.into_inner().expect("written"));
    assert_eq!((paths.len(), &*notes), (0, "1 sparse file was left out: holes"));
}

#[test]
fn an_archive_from_a_mac_runs() {
    let mut mac = Builder::new(Vec::new());
    // As bsdtar writes them: attributes in pax headers, and beside each file one with what only macOS knows of it.
    let double = b"\x00\x05\x16\x07\x00\x02\x00\x00Mac OS X        \x00\x02";
    for (name, content) in [
        ("._.", &double[..]),
        ("._app.py", double),
        ("app.py", b"import lib, pathlib\nprint(lib.V, __file__, sorted(map(str, pathlib.Path('.').glob('*.py'))))"),
        ("._lib.py", double),
        ("lib.py", b"V = 1"),
        (".DS_Store", b"\x00\x00\x00\x01Bud1"),
        ("__MACOSX/._app.py", double),
    ] {
        let extensions = [("LIBARCHIVE.xattr.com.apple.provenance", &b"AQ"[..]), ("mtime", b"1770000000.25")];
        mac.append_pax_extensions(extensions).expect("written");
        let mut header = Header::new_ustar();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        mac.append_data(&mut header, name, content).expect("written");
    }
    let project = Project::tar(mac.into_inner().expect("written")).expect("accepted");
    let outcome = pyexec().run_blocking(Job::project(project)).expect("an outcome");
    // glob takes files that begin with a dot, as it does natively with pathlib.
    let listed = "1 /work/app.py ['._app.py', '._lib.py', 'app.py', 'lib.py']\n";
    assert_eq!(outcome.stdout.text, listed, "{}", outcome.stderr.text);
}

#[test]
fn damaged_archives_are_refused() {
    let whole = archive(&[("main.py", FILE, "", &[b'#'; 5000])]);
    assert!(refused(whole[..2000].to_vec()).contains("ends within"));
    let mut flipped = whole.clone();
    flipped[5] ^= 0x20;
    assert!(refused(flipped).contains("bad archive"));
    assert!(refused(b"not an archive, but long enough to be a block of one".repeat(20)).contains("bad archive"));
    let mut lying = Header::new_gnu();
    lying.set_path("main.py").expect("fits");
    lying.set_size(1 << 60);
    lying.set_cksum();
    assert!(refused(lying.as_bytes().to_vec()).contains("ends within"));
}

#[test]
fn bad_names_are_refused_or_left_out() {
    let mut header = Header::new_gnu();
    header.as_old_mut().name[..3].copy_from_slice(b"a\xff.");
    header.set_size(0);
    header.set_cksum();
    let (paths, notes) = read(header.as_bytes().to_vec());
    assert_eq!((paths.len(), &*notes), (0, "1 file whose name is not UTF-8 was left out: a\u{fffd}."));
    let deep = "d/".repeat(80) + "x";
    assert!(Project::files([(deep.as_str(), "")]).is_err_and(|error| error.to_string().contains("too deep")));
    let long = "n".repeat(300);
    assert!(Project::files([(long.as_str(), "")]).is_err());
    assert!(Project::files([("a\0b", "")]).is_err());
    assert!(Project::files([("a", ""), ("./a", "")]).is_err_and(|error| error.to_string().contains("two files")));
}

#[test]
fn an_archive_larger_than_the_disk_limit_is_refused() {
    let bytes = archive(&[("main.py", FILE, "", &[b'#'; 5000])]);
    let limits = pyexec::Limits { disk_bytes: 4000, ..Default::default() };
    let job = Job::project(Project::tar(bytes).expect("accepted")).limits(limits);
    assert!(pyexec().run_blocking(job).is_err_and(|error| error.to_string().contains("disk limit")));
}
