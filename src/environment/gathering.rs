//! Files of unpacked wheels, brought together for WebAssembly: without native parts, and with what must be shown before a
//! package may do without its own.

use super::{Pin, disk, site, wasm::PACK_BYTES_MAX};
use crate::pack::{NATIVE_PARTS, Packed, SITE_PACKAGES};
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    fs,
    io::{self, Read},
    path::Path,
};

/// What wheels have beside modules that nothing imports; programs need a shell, and bytecode is made by another Python.
const LEFT_OUT: [&str; 2] = ["bin", "__pycache__"];

/// What is brought together is in memory as a whole. Bytecode takes about as much again.
pub(super) const FILES_BYTES_MAX: u64 = PACK_BYTES_MAX / 2;

/// Holds what was brought together.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    /// By name.
    pub(super) pins: Vec<Pin>,
    /// Below `/usr`.
    pub(super) files: BTreeMap<String, Packed>,
    /// Packages with their versions, and the paths of those of the files that are theirs.
    pub(super) owned: Vec<(String, Vec<String>)>,
    /// What the files have. When it is more than may be in memory, none of them was read further.
    pub(super) bytes: u64,
    /// The package with the most of it, and how much that is.
    pub(super) largest: Option<(u64, String)>,
    /// Those that came from wheels with native parts.
    pub(super) suspects: Vec<Suspect>,
    /// Native modules without another one of the same name, of all packages.
    parts: BTreeSet<String>,
}

impl Gathered {
    /// Adds the list of what was taken away, for the guest.
    pub(super) fn list_native_parts(&mut self) {
        // Nobody else's.
        self.files.remove(NATIVE_PARTS);
        if !self.parts.is_empty() {
            let content = self.parts.iter().flat_map(|part| [part, "\n"]).collect::<String>().into_bytes();
            let list = Packed { path: NATIVE_PARTS.to_owned(), content, code: Vec::new() };
            self.files.insert(list.path.clone(), list);
        }
    }
}

/// A package that has to show that it can do without its native parts.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Suspect {
    /// With its version.
    pub(super) pin: String,
    /// What others import of it.
    pub(super) modules: Vec<String>,
    /// Native modules without another one of the same name, by their full names: it must look for them.
    pub(super) parts: Vec<String>,
    /// Whether it has programs or libraries that are no modules.
    pub(super) has_programs: bool,
    /// All of it, unpacked.
    pub(super) bytes: u64,
}

/// Adds what was installed into a folder, and must be all of `pins`. `native` is whether it comes from wheels with native
/// parts.
pub(super) fn gather(into: &mut Gathered, folder: &Path, pins: &[String], native: bool) -> io::Result<()> {
    // What has no files at all is not there, and nothing to install is a folder, too.
    fs::create_dir_all(folder)?;
    let mut records = HashMap::new();
    for file in disk::files(folder)? {
        let path = file.path.as_str();
        let info = path.strip_suffix(".dist-info/RECORD").filter(|info| !info.contains('/'));
        if let Some((name, version)) = info.and_then(|info| info.split_once('-')) {
            let record = site::read(&folder.join(path))?;
            let paths: BTreeSet<_> = site::recorded(&record).map(str::to_owned).collect();
            let pin = site::pin(&folder.join(path).with_file_name(""), name, version);
            records.insert(path.to_owned(), (pin.ok_or_else(|| incomplete(path))?, paths));
        }
    }
    into.pins.extend(site::complete(records.values().map(|(pin, _)| pin.clone()).collect(), pins)?);
    into.pins.sort_by(|a, b| a.name.cmp(&b.name));
    let mut suspects: Vec<_> = records.values().map(|(pin, paths)| (suspect(pin), paths)).collect();
    let mut owned: Vec<_> = records.values().map(|(pin, paths)| (paths, (pin.pinned(), Vec::new()), 0)).collect();
    for file in disk::files(folder)? {
        let path = file.path.as_str();
        let mut suspect = suspects.iter_mut().find(|(_, paths)| paths.contains(path)).map(|(suspect, _)| suspect);
        if let Some(suspect) = &mut suspect {
            suspect.bytes += file.metadata.len();
        }
        let is_native = has_native_name(path);
        let part = native_module(path).filter(|(_, source)| !folder.join(source).is_file()).map(|(module, _)| module);
        into.parts.extend(part.clone());
        let is_program = native && !is_native && !path.ends_with(".py") && is_machine_code(&folder.join(path))?;
        if native && (is_native || is_program) {
            let suspect = suspect.ok_or_else(|| io::Error::other(format!("{path} is nobody's")))?;
            suspect.parts.extend(part);
            suspect.has_programs |= is_program;
        }
        // What a wheel for every machine has is data to most of them.
        if (native && is_native) || path == ".lock" || is_left_out(path) {
            continue;
        }
        let packed = format!("{SITE_PACKAGES}{path}");
        into.bytes = into.bytes.saturating_add(file.metadata.len());
        if let Some((_, (_, owned), bytes)) = owned.iter_mut().find(|(paths, ..)| paths.contains(path)) {
            owned.push(packed.clone());
            *bytes += file.metadata.len();
        }
        if into.bytes > FILES_BYTES_MAX {
            into.files.clear();
            continue;
        }
        let content = fs::read(folder.join(path))?;
        into.files.insert(packed.clone(), Packed { path: packed, content, code: Vec::new() });
    }
    let largest = owned.iter().map(|(_, (pin, _), bytes)| (*bytes, pin.clone())).max();
    into.largest = into.largest.take().into_iter().chain(largest).max();
    into.owned.extend(owned.into_iter().map(|(_, owned, _)| owned));
    if native {
        into.suspects.extend(suspects.into_iter().map(|(suspect, _)| suspect));
        into.suspects.sort_by(|a, b| a.pin.cmp(&b.pin));
    }
    Ok(())
}

fn suspect(pin: &Pin) -> Suspect {
    let public = |module: &&String| !module.starts_with('_') && !matches!(&***module, "test" | "tests");
    Suspect { pin: pin.pinned(), modules: pin.modules.iter().filter(public).cloned().collect(), ..Suspect::default() }
}

fn incomplete(record: &str) -> io::Error {
    io::Error::other(format!("{record} is incomplete"))
}

fn is_left_out(path: &str) -> bool {
    let mut folders = path.split('/');
    folders.next_back();
    let mut folders = folders.peekable();
    folders.peek() == Some(&LEFT_OUT[0]) || folders.any(|folder| folder == LEFT_OUT[1])
}

/// Returns whether a file's name is one of machine code, or of use only with some.
fn has_native_name(path: &str) -> bool {
    let (folders, name) = path.rsplit_once('/').unwrap_or(("", path));
    folders.split('/').any(|folder| folder.ends_with(".libs"))
        || [".pyd", ".dll", ".dylib", ".a"].iter().any(|suffix| name.ends_with(suffix))
        || is_shared_object(name)
}

/// Returns whether a name is like `x.so` or `x.so.1.2`.
fn is_shared_object(name: &str) -> bool {
    let number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let without_version = name.rsplit('.').skip_while(|part| number(part)).collect::<Vec<_>>();
    matches!(&*without_version, [last, stem, ..] if *last == "so" && !stem.is_empty())
}

/// Returns the module that a file would be on Linux, and the file with the same in Python.
fn native_module(path: &str) -> Option<(String, String)> {
    let (folders, name) = path.rsplit_once('/').unwrap_or(("", path));
    if !is_shared_object(name) || folders.split('/').any(|folder| folder.ends_with(".libs")) {
        return None;
    }
    let stem = name.split('.').next()?;
    let place = if folders.is_empty() { stem.to_owned() } else { format!("{folders}/{stem}") };
    let module = place.strip_suffix("/__init__").unwrap_or(&place).replace('/', ".");
    Some((module, format!("{place}.py")))
}

/// Returns whether a file without such a name is a Linux program or library all the same.
fn is_machine_code(path: &Path) -> io::Result<bool> {
    let mut start = Vec::new();
    fs::File::open(path)?.take(4).read_to_end(&mut start)?;
    Ok(start == b"\x7fELF")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn native_parts_are_known_by_their_names() {
        for name in
            ["a/_b.cpython-314-x86_64-linux-gnu.so", "b.so", "c.so.1.2", "a/x.pyd", "n.libs/x", "l.a", "d.dylib"]
        {
            assert!(has_native_name(name), "{name}");
        }
        for name in ["a/so.py", ".so", "a/b.so.py", "x.libs", "readme.so.txt", "a/data.1"] {
            assert!(!has_native_name(name), "{name}");
        }
    }

    #[test]
    fn a_native_module_has_a_name_and_a_twin_in_python() {
        let module = |module: &str, source: &str| Some((module.to_owned(), source.to_owned()));
        assert_eq!(native_module("a/b/_c.cpython-314-x86_64-linux-gnu.so"), module("a.b._c", "a/b/_c.py"));
        assert_eq!(native_module("_c.abi3.so"), module("_c", "_c.py"));
        assert_eq!(native_module("a/__init__.so"), module("a", "a/__init__.py"));
        assert_eq!(native_module("a/libx.so.1"), module("a.libx", "a/libx.py"));
        assert_eq!(native_module("a.libs/libx.so.1"), None);
        assert_eq!(native_module("a/x.a"), None);
    }

    fn write(folder: &Path, path: &str, content: impl AsRef<[u8]>) {
        let path = folder.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    #[test]
    fn files_are_not_read_beyond_what_may_be_in_memory() {
        let folder = tempfile::tempdir().unwrap();
        let packages = folder.path();
        write(packages, "one.py", "x = 1");
        write(packages, "one-1.dist-info/WHEEL", "Tag: py3-none-any\n");
        write(packages, "one-1.dist-info/RECORD", "one.py,,\nlarge,,\none-1.dist-info/RECORD,,\n");
        // It has no blocks on disk, and would be read as zeros.
        let large = fs::File::create(packages.join("large")).unwrap();
        large.set_len(1 << 40).unwrap();
        let mut gathered = Gathered::default();
        gather(&mut gathered, packages, &["one==1".into()], false).unwrap();
        assert!(gathered.bytes > 1 << 40 && gathered.files.is_empty(), "{}", gathered.bytes);
        assert_eq!(gathered.largest.unwrap().1, "one==1");
        large.set_len(0).unwrap();
        fs::File::create(packages.join("one-1.dist-info/RECORD")).unwrap().set_len(1 << 40).unwrap();
        assert!(gather(&mut Gathered::default(), packages, &["one==1".into()], false).is_err());
    }

    #[test]
    fn what_is_packed_has_no_native_parts_and_says_what_is_missing() {
        let folder = tempfile::tempdir().unwrap();
        let packages = folder.path().join("packages");
        let files = [
            ("one/__init__.py", "x = 1"),
            ("one/_fast.abi3.so", ""),
            ("one/twin.so", ""),
            ("one/twin.py", ""),
            ("one/data.txt", "data"),
            ("one.libs/libc.so.6", ""),
            ("bin/one", "#!/bin/sh"),
            ("one/__pycache__/x.pyc", ""),
            ("_one/__init__.py", ""),
            ("tests/test_one.py", ""),
            ("one-1.dist-info/WHEEL", "Tag: cp314-cp314-linux_x86_64\n"),
        ];
        let mut record: String = files.iter().map(|(path, _)| format!("{path},,\n")).collect();
        record.push_str("one-1.dist-info/RECORD,,\n");
        for (path, content) in files {
            write(&packages, path, content);
        }
        write(&packages, "one-1.dist-info/RECORD", record);
        write(&packages, ".lock", "");
        let mut gathered = Gathered::default();
        gather(&mut gathered, &packages, &["one==1".into()], true).unwrap();
        gathered.list_native_parts();
        assert_eq!(gathered.files.remove(NATIVE_PARTS).unwrap().content, b"one._fast\n");
        let paths: Vec<_> = gathered.files.keys().filter_map(|path| path.strip_prefix(SITE_PACKAGES)).collect();
        let packed = [
            "_one/__init__.py",
            "one-1.dist-info/RECORD",
            "one-1.dist-info/WHEEL",
            "one/__init__.py",
            "one/data.txt",
            "one/twin.py",
            "tests/test_one.py",
        ];
        assert_eq!(paths, packed);
        assert_eq!(gathered.owned[0].1.len(), packed.len());
        let suspect = &gathered.suspects[0];
        assert_eq!(
            (&*suspect.pin, &*suspect.modules, &*suspect.parts),
            ("one==1", &["one".to_owned()][..], &["one._fast".to_owned()][..])
        );
        assert!(!suspect.has_programs && suspect.bytes > 0);

        write(&packages, "bin/one", b"\x7fELF and so on");
        let mut gathered = Gathered::default();
        gather(&mut gathered, &packages, &["one==1".into()], true).unwrap();
        assert!(gathered.suspects[0].has_programs);
        let missing = gather(&mut Gathered::default(), &packages, &["one==1".into(), "two==1".into()], true);
        assert!(missing.unwrap_err().to_string().contains("not all of one==1, two==1"));
        write(&packages, "stray.so", "");
        assert!(gather(&mut Gathered::default(), &packages, &["one==1".into()], true).is_err());
    }
}
