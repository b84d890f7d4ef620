//! Which modules are the project's own: what is beside the script is imported, never installed.

use super::packages;
use crate::project::{Located, Project, is_of_macos};
use std::collections::{HashMap, HashSet};

/// Paths looked at when any folder of the project may be one to import from.
const PATHS_INDEXED_MAX: usize = 20_000;

/// Archives of modules that are looked into, in bytes together.
const ARCHIVES_BYTES_MAX: u64 = 32 << 20;

/// The project's modules, as its entry script can import them.
pub(super) struct Own<'p> {
    project: &'p Project,
    /// Folders to import from: the script's, then the project's, which is the working directory. The latter is not on
    /// `sys.path`, but what is named like a module of the job's is never meant to come from an index.
    roots: Vec<String>,
    everywhere: Option<HashMap<String, String>>,
    /// What can be imported from archives, once they were looked into.
    archived: Option<HashSet<String>>,
}

/// Holds what an import of the project's own leads to.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Found {
    /// Sources that it runs, in order.
    pub(super) files: Vec<String>,
    /// An extension module that it loads.
    pub(super) extension: Option<String>,
}

enum Step {
    Package { folder: String, init: String },
    Module(String),
    Extension(String),
    Namespace(String),
}

impl<'p> Own<'p> {
    pub(super) fn new(project: &'p Project, entrypoint: &str) -> Own<'p> {
        let mut roots = vec![folder_of(entrypoint).to_owned(), String::new()];
        roots.dedup();
        Own { project, roots, everywhere: None, archived: None }
    }

    /// Returns whether the project has a module or package of that top-level name.
    pub(super) fn has(&self, name: &str) -> bool {
        self.absolute(&[name], &[]).is_some()
    }

    /// Finds what `import a.b` (`parts`), or `from a.b import c, d` (with `names`), leads to.
    pub(super) fn absolute(&self, parts: &[&str], names: &[&str]) -> Option<Found> {
        self.roots.iter().find_map(|root| self.find(root, parts, names))
    }

    /// Finds a module like [`Own::absolute`], but anywhere, for a project that changes the path.
    pub(super) fn anywhere(&mut self, parts: &[&str], names: &[&str]) -> Option<Found> {
        let project = self.project;
        let top = *parts.first()?;
        let index = self.everywhere.get_or_insert_with(|| index(project));
        if let Some(root) = index.get(top).cloned()
            && let Some(found) = self.find(&root, parts, names)
        {
            return Some(found);
        }
        let archived = self.archived.get_or_insert_with(|| archived(project));
        archived.contains(top).then(Found::default)
    }

    /// Returns what `from ..a import b` leads to in the file at `path`. Nothing when it leaves the project.
    pub(super) fn relative(&self, path: &str, level: u32, parts: &[&str], names: &[&str]) -> Found {
        let mut folder = folder_of(path);
        for _ in 1..level {
            if folder.is_empty() {
                return Found::default();
            }
            folder = folder_of(folder);
        }
        if !parts.is_empty() {
            return self.find(folder, parts, names).unwrap_or_default();
        }
        let mut found = Found::default();
        if let Some(Located::File { path, .. }) = self.project.locate(&join(folder, "__init__.py")) {
            found.files.push(path);
        }
        self.submodules(folder, names, &mut found);
        found
    }

    fn find(&self, root: &str, parts: &[&str], names: &[&str]) -> Option<Found> {
        let mut found = Found::default();
        let mut folder = root.to_owned();
        let mut certain = false;
        for (at, part) in parts.iter().enumerate() {
            match self.step(&folder, part) {
                Some(Step::Package { folder: inside, init }) => {
                    found.files.push(init);
                    folder = inside;
                    certain = true;
                }
                Some(Step::Namespace(inside)) => {
                    folder = inside;
                    certain |= at > 0 && at + 1 == parts.len();
                }
                Some(Step::Module(file)) => {
                    found.files.push(file);
                    return Some(found);
                }
                Some(Step::Extension(file)) => {
                    found.extension = Some(file);
                    return Some(found);
                }
                None if certain => return Some(found),
                None => return None,
            }
        }
        let resolved = self.submodules(&folder, names, &mut found);
        // A folder without __init__.py gives way to an installed package of its name, so it must have what is asked for.
        let is_own = certain || resolved || (names.is_empty() && self.has_python_below(&folder));
        is_own.then_some(found)
    }

    /// Adds the modules among `names`; whether there was one.
    fn submodules(&self, folder: &str, names: &[&str], found: &mut Found) -> bool {
        let mut any = false;
        for name in names {
            match self.step(folder, name) {
                Some(Step::Package { init: file, .. } | Step::Module(file)) => found.files.push(file),
                Some(Step::Extension(file)) => found.extension = Some(file),
                Some(Step::Namespace(_)) => {}
                None => continue,
            }
            any = true;
        }
        any
    }

    fn step(&self, folder: &str, name: &str) -> Option<Step> {
        if name.is_empty() {
            return None;
        }
        let stem = join(folder, name);
        let inside = match self.project.locate(&stem) {
            Some(Located::Folder { path }) => Some(path),
            _ => None,
        };
        if let Some(inside) = &inside
            && let Some(Located::File { path, .. }) = self.project.locate(&join(inside, "__init__.py"))
        {
            return Some(Step::Package { folder: inside.clone(), init: path });
        }
        let extension = |path: &&str| path.ends_with(".so") && !path[stem.len()..].contains('/');
        if let Some(path) = self.project.paths_from(&format!("{stem}.")).find(extension) {
            return Some(Step::Extension(path.to_owned()));
        }
        if let Some(Located::File { path, .. }) = self.project.locate(&format!("{stem}.py")) {
            return Some(Step::Module(path));
        }
        inside.map(Step::Namespace)
    }

    fn has_python_below(&self, folder: &str) -> bool {
        let below = if folder.is_empty() { String::new() } else { format!("{folder}/") };
        self.project.paths_from(&below).take(PATHS_INDEXED_MAX).any(|path| path.ends_with(".py") && !is_of_macos(path))
    }
}

/// Returns the folder that a path is in; `""` is the project itself.
pub(super) fn folder_of(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

fn join(folder: &str, name: &str) -> String {
    if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") }
}

/// Indexes folders by the names that can be imported from them. The one nearest to the root wins, and of two that are
/// as near a module or package before a folder that only has some.
fn index(project: &Project) -> HashMap<String, String> {
    let mut found: HashMap<String, (usize, bool, String)> = HashMap::new();
    let mut add = |name: &str, folder: &str, is_namespace: bool| {
        let depth = if folder.is_empty() { 0 } else { 1 + folder.matches('/').count() };
        match found.get(name) {
            Some(known) if (known.0, known.1) <= (depth, is_namespace) => {}
            _ => drop(found.insert(name.to_owned(), (depth, is_namespace, folder.to_owned()))),
        }
    };
    let mut seen = HashSet::new();
    for path in project.paths().take(PATHS_INDEXED_MAX).filter(|path| !is_of_macos(path)) {
        let folder = folder_of(path);
        let name = &path[if folder.is_empty() { 0 } else { folder.len() + 1 }..];
        if let Some((stem, "so")) =
            name.split_once('.').map(|(stem, rest)| (stem, rest.rsplit('.').next().unwrap_or(rest)))
        {
            add(stem, folder, false);
        }
        let Some(stem) = name.strip_suffix(".py") else { continue };
        let mut above = folder;
        if stem == "__init__" {
            add(folder.rsplit_once('/').map_or(folder, |(_, name)| name), folder_of(folder), false);
            above = folder_of(folder);
        } else {
            add(stem, folder, false);
        }
        // Folders without __init__.py can be imported as well. An installed package comes before those.
        while !above.is_empty() && seen.insert(above) {
            let name = above.rsplit_once('/').map_or(above, |(_, name)| name);
            if packages::distribution_of(name).is_guess {
                add(name, folder_of(above), true);
            }
            above = folder_of(above);
        }
    }
    found.into_iter().map(|(name, (.., folder))| (name, folder)).collect()
}

/// Lists the modules and packages in the project's archives, by their top-level names.
fn archived(project: &Project) -> HashSet<String> {
    let is_archive = |path: &&str| [".zip", ".whl", ".egg", ".pyz"].iter().any(|ending| path.ends_with(ending));
    let mut left = ARCHIVES_BYTES_MAX;
    let mut found = HashSet::new();
    for path in project.paths().take(PATHS_INDEXED_MAX).filter(is_archive) {
        let Some(Located::File { path, bytes }) = project.locate(path) else { continue };
        let Some(rest) = left.checked_sub(bytes) else { continue };
        left = rest;
        let Ok(content) = project.read(&path) else { continue };
        found.extend(names_in_zip(&content).filter_map(|name| {
            let (top, rest) = name.split_once('/').map_or((name, None), |(top, rest)| (top, Some(rest)));
            match rest {
                None => top.strip_suffix(".py").map(str::to_owned),
                Some(rest) => rest.ends_with(".py").then(|| top.to_owned()),
            }
        }));
    }
    found
}

/// Lists the files in a zip archive, by the directory at its end.
fn names_in_zip(archive: &[u8]) -> impl Iterator<Item = &str> {
    const END: &[u8] = b"PK\x05\x06";
    const ENTRY: &[u8] = b"PK\x01\x02";
    const END_BYTES: usize = 22;
    const ENTRY_BYTES: usize = 46;
    let number = move |at: usize, bytes: usize| -> usize {
        let digits = archive.get(at..at + bytes).unwrap_or_default();
        digits.iter().rev().fold(0, |number, &digit| number << 8 | usize::from(digit))
    };
    // A comment of up to 64 KiB may stand behind it.
    let first = archive.len().saturating_sub(END_BYTES + 0xffff);
    let end = archive[first..].windows(END.len()).rposition(|window| window == END).map(|at| first + at);
    let mut at = end.map_or(archive.len(), |end| end.saturating_sub(number(end + 12, 4)));
    std::iter::from_fn(move || {
        archive.get(at..)?.starts_with(ENTRY).then_some(())?;
        let name = archive.get(at + ENTRY_BYTES..at + ENTRY_BYTES + number(at + 28, 2))?;
        at += ENTRY_BYTES + number(at + 28, 2) + number(at + 30, 2) + number(at + 32, 2);
        Some(std::str::from_utf8(name).unwrap_or_default())
    })
    .take(PATHS_INDEXED_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn project(paths: &[&str]) -> Project {
        Project::files(paths.iter().map(|path| (*path, ""))).unwrap()
    }

    #[test]
    fn modules_packages_and_namespaces_are_found() {
        let project = project(&[
            "main.py",
            "helper.py",
            "pkg/__init__.py",
            "pkg/mod.py",
            "pkg/sub/__init__.py",
            "space/part.py",
            "space/inner/deep.py",
            "redis/redis.conf",
            "fast.cpython-312-x86_64-linux-gnu.so",
            "yaml/notes.py",
        ]);
        let own = Own::new(&project, "main.py");
        let none: &[&str] = &[];
        for (parts, names, files) in [
            (&["helper"][..], none, Some(&["helper.py"][..])),
            (&["helper"], &["greet"], Some(&["helper.py"])),
            (&["pkg"], none, Some(&["pkg/__init__.py"])),
            (&["pkg", "mod"], none, Some(&["pkg/__init__.py", "pkg/mod.py"])),
            (&["pkg"], &["mod", "other"], Some(&["pkg/__init__.py", "pkg/mod.py"])),
            (&["pkg", "nothing"], none, Some(&["pkg/__init__.py"])),
            (&["pkg", "sub"], &["x"], Some(&["pkg/__init__.py", "pkg/sub/__init__.py"])),
            (&["space"], none, Some(&[])),
            (&["space", "part"], none, Some(&["space/part.py"])),
            (&["space"], &["part"], Some(&["space/part.py"])),
            (&["space", "inner"], none, Some(&[])),
            (&["space", "inner", "deep"], none, Some(&["space/inner/deep.py"])),
            (&["yaml"], &["safe_load"], None),
            (&["yaml"], &["notes"], Some(&["yaml/notes.py"])),
            (&["space", "nothing"], none, None),
            (&["redis"], none, None),
            (&["numpy"], none, None),
            (&["hel"], none, None),
            (&[""], none, None),
        ] {
            let found = own.absolute(parts, names).map(|found| found.files);
            let files = files.map(|files| files.iter().map(|&file| file.to_owned()).collect::<Vec<_>>());
            assert_eq!(found, files, "{parts:?} {names:?}");
        }
        let fast = own.absolute(&["fast"], &[]).unwrap();
        assert_eq!(fast.extension.as_deref(), Some("fast.cpython-312-x86_64-linux-gnu.so"));
    }

    #[test]
    fn what_lies_beside_the_script_comes_before_the_root() {
        let project = project(&["helper.py", "top.py", "scripts/run.py", "scripts/helper.py"]);
        let own = Own::new(&project, "scripts/run.py");
        assert_eq!(own.absolute(&["helper"], &[]).unwrap().files, ["scripts/helper.py"]);
        assert!(own.has("top"));
        assert!(own.has("scripts"));
        assert!(!own.has("requests"));
    }

    #[test]
    fn relative_imports_stay_in_the_project() {
        let project = project(&["main.py", "a/__init__.py", "a/x.py", "a/b/__init__.py", "a/b/y.py"]);
        let own = Own::new(&project, "main.py");
        for (level, parts, names, files) in [
            (1, &["y"][..], &[][..], &["a/b/y.py"][..]),
            (1, &[], &["y"], &["a/b/__init__.py", "a/b/y.py"]),
            (2, &["x"], &["thing"], &["a/x.py"]),
            (2, &[], &["x"], &["a/__init__.py", "a/x.py"]),
            (3, &["main"], &[], &["main.py"]),
            (4, &["main"], &[], &[]),
            (u32::MAX, &["main"], &[], &[]),
            (1, &["nothing"], &[], &[]),
        ] {
            assert_eq!(own.relative("a/b/y.py", level, parts, names).files, files, "{level} {parts:?} {names:?}");
        }
    }

    #[test]
    fn any_folder_counts_where_the_path_is_changed() {
        let tree = project(&["main.py", "src/deep/helper.py", "lib/helper.py", "src/pkg/__init__.py", "src/pkg/m.py"]);
        let mut own = Own::new(&tree, "main.py");
        assert!(own.absolute(&["helper"], &[]).is_none());
        assert_eq!(own.anywhere(&["helper"], &[]).unwrap().files, ["lib/helper.py"]);
        assert_eq!(own.anywhere(&["pkg", "m"], &[]).unwrap().files, ["src/pkg/__init__.py", "src/pkg/m.py"]);
        assert!(own.anywhere(&["numpy"], &[]).is_none());
        let others = project(&["main.py", "src/space/part.py", "src/numpy/demo.py", "lib/fast.abi3.so", "a/b/c.py"]);
        let mut own = Own::new(&others, "main.py");
        assert_eq!(own.anywhere(&["space", "part"], &[]).unwrap().files, ["src/space/part.py"]);
        assert_eq!(own.anywhere(&["b"], &["c"]).unwrap().files, ["a/b/c.py"]);
        assert_eq!(own.anywhere(&["fast"], &[]).unwrap().extension.as_deref(), Some("lib/fast.abi3.so"));
        assert!(own.anywhere(&["numpy"], &[]).is_none(), "an installed package comes before it");
    }

    /// Returns the directory of a zip archive, which is what is read of one.
    fn zip(names: &[&str]) -> Vec<u8> {
        let mut archive = b"#!/usr/bin/env python3\n".to_vec();
        let start = archive.len();
        for name in names {
            let mut entry = [0; 46];
            entry[..4].copy_from_slice(b"PK\x01\x02");
            entry[28] = u8::try_from(name.len()).unwrap();
            entry[32] = 1;
            archive.extend(entry);
            archive.extend(name.as_bytes());
            archive.push(b'!');
        }
        let mut end = [0; 22];
        end[..4].copy_from_slice(b"PK\x05\x06");
        end[12..16].copy_from_slice(&u32::try_from(archive.len() - start).unwrap().to_le_bytes());
        archive.extend(end);
        archive.extend(b"a comment");
        archive
    }

    #[test]
    fn modules_in_archives_are_the_projects_own() {
        let names = ["one.py", "pkg/__init__.py", "data/x.txt", "deep/er/y.py", "README"];
        assert_eq!(names_in_zip(&zip(&names)).collect::<Vec<_>>(), names);
        let files = [("main.py", Vec::new()), ("libs/vendor.zip", zip(&names)), ("bad.whl", b"PK\x05\x06".to_vec())];
        let project = Project::files(files).unwrap();
        let mut own = Own::new(&project, "main.py");
        for (module, is_own) in [("one", true), ("pkg", true), ("deep", true), ("data", false), ("README", false)] {
            assert_eq!(own.anywhere(&[module], &[]).is_some(), is_own, "{module}");
        }
    }

    #[test]
    fn any_bytes_are_read_as_an_archive() {
        let whole = zip(&["a.py", "b.py"]);
        for length in 0..whole.len() {
            let _ = names_in_zip(&whole[..length]).count();
            let mut spoiled = whole.clone();
            spoiled[length] = 0xff;
            let _ = names_in_zip(&spoiled).count();
        }
    }
}
