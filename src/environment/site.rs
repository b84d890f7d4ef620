//! What uv has unpacked: which packages, whether they have native parts, and which modules are theirs.

use super::{Pin, disk, requirements::normalised};
use std::{
    collections::BTreeSet,
    fs,
    io::{self, Read},
    path::Path,
};

/// Of a file with metadata, in bytes. The list of the files of the largest packages has a few million.
const METADATA_BYTES_MAX: u64 = 32 << 20;
/// Of a script that starts a program, in bytes.
const SCRIPT_BYTES_MAX: u64 = 1 << 20;

/// Folders beside modules that hold none.
const NO_MODULES: [&str; 6] = ["bin", "share", "etc", "include", "lib", "__pycache__"];

/// Makes the folder independent of the machine that installed it.
pub(super) fn tidy(packages: &Path) -> io::Result<()> {
    match fs::remove_file(packages.join(".lock")) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let programs = packages.join("bin");
    if !programs.is_dir() {
        return Ok(());
    }
    for program in fs::read_dir(programs)? {
        let path = program?.path();
        if fs::metadata(&path)?.len() > SCRIPT_BYTES_MAX {
            continue;
        }
        let content = fs::read(&path)?;
        if let Some(script) = with_any_python(&content) {
            fs::write(path, script)?;
        }
    }
    Ok(())
}

/// Has a script run by any Python, instead of the one that uv was given.
fn with_any_python(script: &[u8]) -> Option<Vec<u8>> {
    // In a path that is long or has blanks, the shell finds it.
    let through_shell = script.starts_with(b"#!/bin/sh\n'''exec' ");
    let directly = script.starts_with(b"#!/") && first_line(script).windows(6).any(|part| part == b"python");
    if !through_shell && !directly {
        return None;
    }
    let lines = if through_shell { 3 } else { 1 };
    let rest = script.splitn(lines + 1, |&byte| byte == b'\n').nth(lines).unwrap_or_default();
    Some([b"#!/usr/bin/env python3\n", rest].concat())
}

fn first_line(script: &[u8]) -> &[u8] {
    script.split(|&byte| byte == b'\n').next().unwrap_or_default()
}

/// Finds the packages that were to be installed, each of which must be there.
pub(super) fn packages(folder: &Path, pins: &[String]) -> io::Result<Vec<Pin>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let Some(stem) = name.to_str().and_then(|name| name.strip_suffix(".dist-info")) else { continue };
        let found_pin = stem.split_once('-').and_then(|(name, version)| pin(&entry.path(), name, version));
        found.push(found_pin.ok_or_else(|| io::Error::other(format!("{stem}.dist-info is incomplete")))?);
    }
    complete(found, pins)
}

/// Returns what was found, by name, if it is what was to be installed.
pub(super) fn complete(mut found: Vec<Pin>, pins: &[String]) -> io::Result<Vec<Pin>> {
    found.sort_by(|a, b| a.name.cmp(&b.name));
    let same = |pin: &Pin, wanted: &str| wanted.split_once("==").is_some_and(|(name, _)| name == pin.name);
    let complete = found.len() == pins.len() && pins.iter().all(|wanted| found.iter().any(|pin| same(pin, wanted)));
    let missing = || io::Error::other(format!("not all of {} were installed", pins.join(", ")));
    complete.then_some(found).ok_or_else(missing)
}

/// Reads a package from the folder with its metadata.
pub(super) fn pin(info: &Path, name: &str, version: &str) -> Option<Pin> {
    let wheel = read(&info.join("WHEEL")).ok()?;
    let mut tags = wheel.lines().filter_map(|line| line.strip_prefix("Tag:")).map(str::trim).peekable();
    let pure = tags.peek().is_some() && tags.all(|tag| tag.ends_with("-none-any"));
    let record = read(&info.join("RECORD")).ok()?;
    Some(Pin { name: normalised(name)?, version: version.to_owned(), pure, modules: modules(&record) })
}

/// Reads a file with metadata of a package.
pub(super) fn read(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    let bytes = fs::File::open(path)?.take(METADATA_BYTES_MAX + 1).read_to_string(&mut text)?;
    if bytes as u64 > METADATA_BYTES_MAX {
        return Err(io::Error::other(format!("{} is too large", path.display())));
    }
    Ok(text)
}

/// Returns the files of a package, as its `RECORD` lists them.
pub(super) fn recorded(record: &str) -> impl Iterator<Item = &str> {
    record.lines().filter_map(|line| match line.strip_prefix('"') {
        Some(quoted) => quoted.split('"').next(),
        None => line.split(',').next(),
    })
}

/// Returns the top-level modules of a package, from the list of its files.
fn modules(record: &str) -> Vec<String> {
    let top = recorded(record).filter_map(|path| {
        let (name, below) = path.split_once('/').map_or((path, false), |(folder, _)| (folder, true));
        let module = match below {
            true if NO_MODULES.contains(&name) => return None,
            true => name,
            false if name.ends_with(".py") || name.ends_with(".so") || name.ends_with(".pyc") => {
                name.split('.').next()?
            }
            false => return None,
        };
        let identifier = module.chars().all(|c| c.is_alphanumeric() || c == '_') && !module.is_empty();
        identifier.then(|| module.to_owned())
    });
    top.collect::<BTreeSet<_>>().into_iter().collect()
}

/// Counts the bytes of all files.
pub(super) fn bytes(files: &[disk::Listed]) -> u64 {
    files.iter().map(|file| file.metadata.len()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scripts_forget_the_python_of_the_host() {
        let any = |script: &str| with_any_python(script.as_bytes()).map(|script| String::from_utf8(script).unwrap());
        assert_eq!(any("#!/opt/venv/bin/python\nimport x\n").unwrap(), "#!/usr/bin/env python3\nimport x\n");
        let long = "#!/bin/sh\n'''exec' '/a b/python' \"$0\" \"$@\"\n' '''\nimport x\n";
        assert_eq!(any(long).unwrap(), "#!/usr/bin/env python3\nimport x\n");
        assert_eq!(any("#!/opt/python").unwrap(), "#!/usr/bin/env python3\n");
        for other in ["#!/bin/sh\necho\n", "\x7fELF python", "", "import x"] {
            assert_eq!(any(other), None);
        }
    }

    #[test]
    fn modules_are_read_from_the_list_of_files() {
        let record = "bin/isympy,sha256=x,1\nsympy/__init__.py,,\nsympy/core/x.py,,\nisympy.py,,\n_cffi_backend.cpython-313-\
                      x86_64-linux-gnu.so,,\n\"with, comma/x.py\",,\nsympy-1.dist-info/RECORD,,\nnumpy.libs/x.so,,\nREADME.md,,\n";
        assert_eq!(modules(record), ["_cffi_backend", "isympy", "sympy"]);
    }
}
