//! Entrances for fuzzing: each takes any bytes, as somebody hostile may send them, and panics where a promise is broken.
//!
//! They are run from `fuzz/`, guided by coverage, and here in the tests: on what was found before (`fuzz/corpus/`) and on
//! inputs made from that at random, the same ones each time.

pub use crate::{
    executor::{docker::fuzzing::frames, wasm::fuzzing::wasi},
    server::fuzzing::request,
};

use crate::{Limits, Project, Requirements, blocking::StillWanted, needs::Needs, project::Workspace};
use cap_std::fs::MetadataExt;
use std::{
    io::{Seek, Write},
    path::Path,
};

#[path = "cli/sse.rs"]
mod sse;

/// Bytes that an archive may unpack to.
const UNPACKED_BYTES_MAX: u64 = 1 << 20;

/// Reads an archive of any kind, and lays out what it says.
///
/// # Panics
///
/// If something of it is outside of the project's folder, or what the project says of itself is wrong.
pub fn archive(bytes: &[u8]) {
    let mut file = tempfile::tempfile().expect("a temporary file");
    file.write_all(bytes).expect("room for an archive");
    file.rewind().expect("a file");
    crate::project::is_tar(file.try_clone().expect("a second handle"));
    let Ok(project) = Project::archive_file(file, UNPACKED_BYTES_MAX) else { return };
    let (size, names) = project.size();
    for path in project.paths() {
        let inside = Path::new(path).components().all(|part| matches!(part, std::path::Component::Normal(_)));
        assert!(inside && !path.is_empty(), "a project has {path:?}");
    }
    if project.fits(&Limits { disk_bytes: UNPACKED_BYTES_MAX, ..Limits::default() }).is_err() {
        return;
    }
    // An archive may be cut in the middle of a file, which is found out here.
    let Ok(workspace) = Workspace::create(&project, &StillWanted::always()) else { return };
    let (mut found, mut found_names) = (0, 0);
    let mut pending = vec![workspace.root.open_dir("work").expect("the project's folder")];
    while let Some(folder) = pending.pop() {
        for entry in folder.entries().expect("a folder").flatten() {
            found_names += 1;
            let metadata = entry.metadata().expect("an entry");
            assert!(metadata.is_dir() || metadata.is_file() || metadata.is_symlink(), "a file of another kind");
            if metadata.is_dir() {
                pending.push(entry.open_dir().expect("a folder"));
            } else if metadata.is_file() {
                assert_eq!(metadata.nlink(), 1, "a file with two names");
                found += metadata.len();
            }
        }
    }
    assert_eq!((found, found_names), (size, names), "the quota starts with another number");
}

/// Reads requirements.
///
/// # Panics
///
/// If they mean something else when they are written down and read again.
pub fn requirements(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let Ok(requirements) = Requirements::parse(&text) else { return };
    let written = requirements.to_string();
    match Requirements::parse(&written) {
        Ok(again) => assert_eq!(again.to_string(), written, "of {text:?}"),
        Err(error) => panic!("{written:?} of {text:?} is refused: {error}"),
    }
}

/// Looks for what a script needs, and for the packages that it installs.
pub fn script(bytes: &[u8]) {
    let Ok(needs) = Needs::of(&Project::script(bytes.to_vec()), "main.py", false) else { return };
    needs.hints(None);
    needs.oldest_python();
}

/// Reads server-sent events, in pieces.
///
/// # Panics
///
/// If other pieces of the same bytes are other events.
pub fn events(bytes: &[u8]) {
    let Some((&piece, bytes)) = bytes.split_first() else { return };
    let read = |piece: usize| {
        let (mut parser, mut frames) = (sse::Parser::default(), Vec::new());
        let parsed = bytes.chunks(piece.max(1)).try_for_each(|piece| parser.push(piece, &mut frames));
        parsed.map(|()| frames)
    };
    assert_eq!(read(piece.into()), read(bytes.len()));
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    /// Runs a target on its corpus, and on inputs made of it.
    fn run(name: &str, count: usize, target: fn(&[u8])) {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(name);
        let mut paths: Vec<_> = fs::read_dir(&folder).expect("a corpus").map(|entry| entry.unwrap().path()).collect();
        paths.sort();
        let corpus: Vec<_> = paths.iter().map(|path| fs::read(path).expect("an input")).collect();
        assert!(!corpus.is_empty(), "{} is empty", folder.display());
        for (path, input) in paths.iter().zip(&corpus) {
            eprintln!("{}", path.display());
            target(input);
        }
        let mut random = Random(0x9e37_79b9_7f4a_7c15);
        for n in 0..count {
            let input = random.mutated(&corpus);
            // Said before it is run, for what ends the process.
            eprintln!("{name} {n}: {:02x?}", &input[..input.len().min(200)]);
            target(&input);
        }
    }

    /// Numbers that are the same each time (xorshift).
    struct Random(u64);

    impl Random {
        fn next(&mut self) -> u64 {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            self.0
        }

        fn below(&mut self, bound: usize) -> usize {
            (self.next() % bound.max(1) as u64) as usize
        }

        /// An input of the corpus with some changes, or bytes of any kind.
        fn mutated(&mut self, corpus: &[Vec<u8>]) -> Vec<u8> {
            if self.below(8) == 0 {
                return (0..self.below(400)).map(|_| self.next() as u8).collect();
            }
            let mut input = corpus[self.below(corpus.len())].clone();
            for _ in 0..=self.below(6) {
                let at = self.below(input.len());
                let end = (at + self.below(32)).min(input.len());
                match self.below(6) {
                    0 if !input.is_empty() => input[at] ^= 1 << self.below(8),
                    1 if !input.is_empty() => input[at] = [0, 1, 0x7f, 0x80, 0xff, b'/', b'.', b'\n'][self.below(8)],
                    2 => drop(input.drain(at..end)),
                    3 => {
                        let part = input[at..end].to_vec();
                        input.splice(at..at, part);
                    }
                    4 => {
                        let other = &corpus[self.below(corpus.len())];
                        let from = self.below(other.len());
                        let part = other[from..(from + self.below(200)).min(other.len())].to_vec();
                        input.splice(at..at, part);
                    }
                    _ => input.insert(at, self.next() as u8),
                }
            }
            input
        }
    }

    #[test]
    fn archives_of_any_bytes_do_no_harm() {
        run("archive", 1000, super::archive);
    }

    #[test]
    fn events_of_any_bytes_do_no_harm() {
        run("events", 3000, super::events);
    }

    #[test]
    fn frames_of_any_bytes_do_no_harm() {
        run("frames", 3000, super::frames);
    }

    #[test]
    fn scripts_of_any_bytes_do_no_harm() {
        run("script", 2000, super::script);
    }

    #[test]
    fn requests_of_any_bytes_do_no_harm() {
        run("request", 3000, super::request);
    }

    #[test]
    fn requirements_of_any_bytes_do_no_harm() {
        run("requirements", 3000, super::requirements);
    }

    #[test]
    fn system_calls_of_any_bytes_do_no_harm() {
        run("wasi", 200, super::wasi);
    }
}
