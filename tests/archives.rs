//! Hostile projects: an archive is refused as a whole, with the reason, or unpacked inside the project directory.

use crate::support::pyexec;
use pyexec::{Error, Job, Project};
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
        Err(Error::InvalidJob { message, .. }) => message,
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

#[test]
fn links_that_lead_outside_are_refused() {
    for target in ["/etc", "../..", "../a/../..", "../../x", "x/../../../y"] {
        let message = refused(archive(&[("a/link", EntryType::Symlink, target, b"")]));
        assert!(message.contains("leads out of the project"), "{message}");
    }
    refused(archive(&[("link", EntryType::Symlink, "/etc/passwd", b"")]));
}

#[test]
fn nothing_is_written_through_a_link() {
    let message = refused(archive(&[("link", EntryType::Symlink, "dir", b""), ("link/x", FILE, "", b"x")]));
    assert!(message.contains("goes through the link"), "{message}");
    // The other way round: a folder that becomes a link.
    refused(archive(&[("dir/x", FILE, "", b"x"), ("dir", EntryType::Symlink, "other", b"")]));
}

#[test]
fn what_is_neither_file_nor_folder_nor_link_is_refused() {
    for (kind, words) in [
        (EntryType::Link, "a hard link"),
        (EntryType::Char, "a device"),
        (EntryType::Block, "a device"),
        (EntryType::Fifo, "a FIFO"),
        // Its own header is part of what is bad about it.
        (EntryType::GNUSparse, "bad archive"),
    ] {
        let message = refused(archive(&[("thing", kind, "main.py", b"")]));
        assert!(message.contains(words), "{message}");
    }
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
fn bad_names_are_refused() {
    let mut header = Header::new_gnu();
    header.as_old_mut().name[..3].copy_from_slice(b"a\xff.");
    header.set_size(0);
    header.set_cksum();
    assert!(refused(header.as_bytes().to_vec()).contains("not UTF-8"));
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
