use super::*;
use futures_util::TryStreamExt as _;
use std::{fs, path::Path};
use tempfile::TempDir;

fn options(folder: &Path) -> WorkspaceOptions {
    WorkspaceOptions {
        folder: Some(folder.to_owned()),
        bytes_max: 1 << 20,
        files_max: 10,
        owner_bytes_max: 3 << 19,
        owner_workspaces_max: 3,
        time_to_live: Duration::from_secs(60),
    }
}

fn kept() -> (TempDir, Workspaces) {
    let folder = tempfile::tempdir().expect("a folder");
    let workspaces = Workspaces::new(options(folder.path()));
    (folder, workspaces)
}

async fn put(workspaces: &Workspaces, id: &str, path: &str, content: &[u8]) -> Result<WorkspaceFile> {
    let mut upload = workspaces.write("alice", id, path, None).await?;
    upload.write(content).await?;
    upload.finish().await
}

async fn content(reading: Reading) -> Vec<u8> {
    let all = 0..reading.file.bytes;
    let parts: Vec<Bytes> = reading.part(all).await.expect("open").try_collect().await.expect("read");
    parts.concat()
}

async fn paths(workspaces: &Workspaces, id: &str) -> Vec<String> {
    workspaces.files("alice", id).await.expect("listed").into_iter().map(|file| file.path).collect()
}

/// Counts the objects on the disk, finished or not.
fn objects(folder: &Path, id: &str) -> usize {
    fs::read_dir(folder.join("workspaces").join(id).join("objects")).map_or(0, Iterator::count)
}

#[tokio::test]
async fn files_are_there_as_they_were_written_and_after_a_restart() {
    let (folder, workspaces) = kept();
    let id = workspaces.create("alice").await.expect("made").id;
    let large: Vec<u8> = (0..700_001_u32).map(|n| n as u8).collect();
    for (path, bytes) in [("a/b.txt", &b"b"[..]), ("empty", b""), ("#1", b"hash"), ("large.bin", &large)] {
        let file = put(&workspaces, &id, path, bytes).await.expect("written");
        assert_eq!((file.path.as_str(), file.bytes), (path, bytes.len() as u64));
    }
    put(&workspaces, &id, "./a//b.txt", b"again").await.expect("replaced");
    for workspaces in [workspaces, Workspaces::new(options(folder.path()))] {
        assert_eq!(paths(&workspaces, &id).await, ["#1", "a/b.txt", "empty", "large.bin"]);
        assert_eq!(content(workspaces.read("alice", &id, "large.bin").await.expect("there")).await, large);
        assert_eq!(content(workspaces.read("alice", &id, "empty").await.expect("there")).await, b"");
        let again = workspaces.read("alice", &id, "a/b.txt").await.expect("there");
        assert_eq!(again.file.sha256, "b4c9e14061c2fd453b36700e3b0da008db2189c711ac629f0f583089164e267d");
        assert_eq!(content(again).await, b"again");
        assert_eq!(objects(folder.path(), &id), 4);
        let described = workspaces.describe_one("alice", &id).await.expect("there");
        assert_eq!((described.files, described.bytes), (4, 700_001 + 4 + 5));
        assert_eq!(workspaces.list("alice").await.expect("listed").len(), 1);
    }
}

#[tokio::test]
async fn nobody_else_is_told_that_it_is_there() {
    let (_folder, workspaces) = kept();
    let id = workspaces.create("alice").await.expect("made").id;
    put(&workspaces, &id, "secret", b"x").await.expect("written");
    for (owner, id) in
        [("bob", &*id), ("", &id), ("alice", "AAAAAAAAAAAAAAAAAAAAA"), ("alice", ".."), ("alice", "../../etc")]
    {
        let errors = [
            workspaces.describe_one(owner, id).await.err(),
            workspaces.files(owner, id).await.err(),
            workspaces.read(owner, id, "secret").await.err(),
            workspaces.write(owner, id, "secret", None).await.err(),
            workspaces.remove(owner, id, "secret").await.err(),
            workspaces.delete(owner, id).await.err(),
        ];
        assert!(errors.iter().all(|error| matches!(error, Some(WorkspaceError::NotFound))), "{owner} {id}: {errors:?}");
    }
    assert!(workspaces.list("bob").await.expect("listed").is_empty());
    assert_eq!(paths(&workspaces, &id).await, ["secret"]);
}

#[tokio::test]
async fn names_that_lead_out_or_are_files_and_folders_are_refused() {
    let (_folder, workspaces) = kept();
    let id = workspaces.create("alice").await.expect("made").id;
    put(&workspaces, &id, "a/b", b"x").await.expect("written");
    let long = "x".repeat(256);
    for path in ["../x", "/etc/passwd", "a/../../x", "", ".", "a\0b", &long, &"x/".repeat(70), "a", "a/b/c"] {
        let error = put(&workspaces, &id, path, b"x").await.expect_err("refused");
        assert!(matches!(error, WorkspaceError::Invalid(_)), "{path:?}: {error}");
    }
    assert_eq!(paths(&workspaces, &id).await, ["a/b"]);
}

#[tokio::test]
async fn quotas_hold_and_what_does_not_fit_leaves_nothing() {
    let (folder, workspaces) = kept();
    let id = workspaces.create("alice").await.expect("made").id;
    let half = vec![1; 1 << 19];
    put(&workspaces, &id, "half", &half).await.expect("fits");
    assert!(matches!(put(&workspaces, &id, "more", &vec![2; (1 << 19) + 1]).await, Err(WorkspaceError::Full(_))));
    assert!(matches!(workspaces.write("alice", &id, "more", Some(1 << 20)).await, Err(WorkspaceError::Full(_))));
    // Each would fit alone.
    let mut uploads = Vec::new();
    for path in ["one", "two"] {
        let mut upload = workspaces.write("alice", &id, path, None).await.expect("open");
        upload.write(&half).await.expect("fits");
        uploads.push(upload);
    }
    let second = uploads.pop().expect("an upload").finish().await.is_ok();
    let first = uploads.pop().expect("an upload").finish().await;
    assert!(second && matches!(first, Err(WorkspaceError::Full(_))));
    // What replaces itself takes nothing more.
    put(&workspaces, &id, "half", &half).await.expect("fits");
    let other = workspaces.create("alice").await.expect("made").id;
    assert!(matches!(put(&workspaces, &other, "x", &vec![1; (1 << 19) + 1]).await, Err(WorkspaceError::Full(_))));
    put(&workspaces, &other, "x", &half).await.expect("the owner has that");
    workspaces.remove("alice", &id, "two").await.expect("removed");
    for n in 0..9 {
        put(&workspaces, &id, &format!("small{n}"), b"").await.expect("fits");
    }
    assert!(matches!(put(&workspaces, &id, "eleventh", b"").await, Err(WorkspaceError::Full(_))));
    workspaces.create("alice").await.expect("made");
    assert!(matches!(workspaces.create("alice").await, Err(WorkspaceError::Full(_))));
    workspaces.create("bob").await.expect("another owner");
    assert_eq!(objects(folder.path(), &id), 10);
}

#[tokio::test]
async fn who_reads_a_file_reads_on_when_it_is_replaced() {
    let (folder, workspaces) = kept();
    let id = workspaces.create("alice").await.expect("made").id;
    put(&workspaces, &id, "file", b"old").await.expect("written");
    let reading = workspaces.read("alice", &id, "file").await.expect("there");
    put(&workspaces, &id, "file", b"new").await.expect("replaced");
    workspaces.sweep_older(Duration::ZERO).await.expect("swept");
    assert_eq!(objects(folder.path(), &id), 2);
    assert_eq!(content(reading).await, b"old");
    for _ in 0..1000 {
        tokio::time::sleep(Duration::from_millis(5)).await;
        if objects(folder.path(), &id) == 1 {
            return;
        }
    }
    panic!("what nobody reads any more is still there");
}

#[tokio::test]
async fn what_a_process_left_is_swept_and_what_goes_on_is_not() {
    let (folder, workspaces) = kept();
    let id = workspaces.create("alice").await.expect("made").id;
    put(&workspaces, &id, "file", b"kept").await.expect("written");
    let mut upload = workspaces.write("alice", &id, "slow", None).await.expect("open");
    upload.write(&vec![0; 600_000]).await.expect("written");
    let whole = folder.path().join("workspaces").join(&id);
    // As a process leaves it that was killed: unfinished, finished but not named, and without an index.
    fs::write(whole.join("objects").join("unfinished#1"), "x").expect("written");
    fs::write(whole.join("objects").join("unnamed"), "x").expect("written");
    fs::write(whole.join("index.json#7"), "{").expect("written");
    let gone = folder.path().join("workspaces").join("BBBBBBBBBBBBBBBBBBBBB");
    fs::create_dir_all(gone.join("objects")).expect("made");
    fs::write(gone.join("objects").join("left"), "x").expect("written");
    workspaces.sweep().await.expect("swept");
    assert!(objects(folder.path(), &id) == 4 && gone.exists());
    upload.finish().await.expect("written");
    workspaces.sweep_older(Duration::ZERO).await.expect("swept");
    // Folders go when they are found empty.
    workspaces.sweep_older(Duration::ZERO).await.expect("swept");
    assert_eq!((objects(folder.path(), &id), gone.exists(), whole.join("index.json#7").exists()), (2, false, false));
    assert_eq!(paths(&workspaces, &id).await, ["file", "slow"]);
}

#[tokio::test]
async fn a_workspace_that_nobody_uses_goes_and_use_renews_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let short = WorkspaceOptions { time_to_live: Duration::from_millis(400), ..options(folder.path()) };
    let workspaces = Workspaces::new(short);
    let (used, unused) =
        (workspaces.create("alice").await.expect("made").id, workspaces.create("alice").await.expect("made").id);
    for _ in 0..6 {
        tokio::time::sleep(Duration::from_millis(100)).await;
        workspaces.files("alice", &used).await.expect("there");
    }
    assert!(matches!(workspaces.files("alice", &unused).await, Err(WorkspaceError::NotFound)));
    assert_eq!(workspaces.list("alice").await.expect("listed").len(), 1);
    workspaces.sweep_older(Duration::ZERO).await.expect("swept");
    assert!(!folder.path().join("workspaces").join(&unused).exists());
    assert!(folder.path().join("workspaces").join(&used).exists());
}

#[tokio::test]
async fn archives_are_unpacked_whole_or_not_at_all_and_packed_again() {
    let (folder, workspaces) = kept();
    let id = workspaces.create("alice").await.expect("made").id;
    let archive = |bytes: &[u8]| {
        let mut file = tempfile::tempfile().expect("a file");
        io::Write::write_all(&mut file, bytes).expect("written");
        file
    };
    let mut links = tar::Builder::new(Vec::new());
    for (name, kind, content, target) in [
        ("a.txt", tar::EntryType::Regular, &b"a"[..], ""),
        ("sub/b.txt", tar::EntryType::Regular, b"b", ""),
        ("in", tar::EntryType::Symlink, b"", "a.txt"),
        ("out", tar::EntryType::Symlink, b"", "/etc/passwd"),
    ] {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(kind);
        header.set_size(content.len() as u64);
        match target {
            "" => links.append_data(&mut header, name, content).expect("added"),
            target => links.append_link(&mut header, name, target).expect("added"),
        }
    }
    let notes = workspaces.unpack("alice", &id, archive(&links.into_inner().expect("packed"))).await.expect("unpacked");
    assert!(notes.len() == 2 && notes.iter().all(|note| note.contains("left out")), "{notes:?}");
    assert_eq!(paths(&workspaces, &id).await, ["a.txt", "sub/b.txt"]);

    let tar_of = |files: &[(&str, Vec<u8>)]| {
        let mut packed = Vec::new();
        let project = crate::Project::files(files.iter().map(|(path, content)| (*path, content.clone())));
        project.expect("files").to_tar(&mut packed).expect("packed");
        packed
    };
    let too_many: Vec<_> = (0..9).map(|n| format!("n{n}")).collect();
    let too_many: Vec<_> = too_many.iter().map(|path| (path.as_str(), Vec::new())).collect();
    for (bytes, full) in [
        (tar_of(&[("x", vec![0; 1 << 19]), ("y", vec![0; (1 << 19) + 1])]), true),
        (tar_of(&too_many), true),
        (tar_of(&[("x", Vec::new()), ("sub", Vec::new())]), false),
        (b"no archive at all".to_vec(), false),
    ] {
        let error = workspaces.unpack("alice", &id, archive(&bytes)).await.expect_err("refused");
        assert_eq!(matches!(error, WorkspaceError::Full(_)), full, "{error}");
        assert_eq!(paths(&workspaces, &id).await, ["a.txt", "sub/b.txt"]);
    }
    assert_eq!(objects(folder.path(), &id), 2);

    for format in [ArchiveFormat::TarGz, ArchiveFormat::Tar, ArchiveFormat::Zip] {
        let file = tempfile::tempfile().expect("a file");
        let packed = workspaces.pack::<WorkspaceError>("alice", &id, format, file, |bytes| {
            assert_eq!(bytes, 2);
            Ok(())
        });
        let project = crate::Project::archive_file(packed.await.expect("packed"), 1 << 20).expect("an archive");
        assert_eq!(project.paths().collect::<Vec<_>>(), ["a.txt", "sub/b.txt"], "{format:?}");
        assert_eq!(project.read("sub/b.txt").expect("there"), "b");
    }
}

#[tokio::test]
async fn processes_that_share_a_folder_lose_nothing_of_each_other() {
    let folder = tempfile::tempdir().expect("a folder");
    let many = WorkspaceOptions { files_max: 100, ..options(folder.path()) };
    let (one, other) = (Workspaces::new(many.clone()), Workspaces::new(many));
    let id = one.create("alice").await.expect("made").id;
    let writing = (0..40).map(|n| {
        let workspaces = if n % 2 == 0 { one.clone() } else { other.clone() };
        let id = id.clone();
        tokio::spawn(async move { put(&workspaces, &id, &format!("file{n}"), b"x").await.map(drop) })
    });
    for written in writing.collect::<Vec<_>>() {
        written.await.expect("no panic").expect("written");
    }
    assert_eq!(paths(&one, &id).await.len(), 40);
    let another = other.create("alice").await.expect("made").id;
    let listed = one.list("alice").await.expect("listed");
    assert!(listed.iter().any(|workspace| workspace.id == another));
}
