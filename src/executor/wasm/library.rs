//! The read-only `/usr` of every job: the standard library, and the packages of the job's environment.

use crate::pack::{Pack, SITE_PACKAGES};
use bytes::Bytes;
use std::collections::BTreeSet;

/// Holds what is served below `/usr`. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Library {
    stdlib: Pack,
    packages: Option<Pack>,
}

/// Says what is at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Node {
    File(Bytes),
    Folder,
}

/// Says what an import finds. Code is marshalled, or empty where there is only source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Importable {
    Module(Bytes),
    Package(Bytes),
    /// A folder without `__init__.py`: a part of a namespace package.
    Namespace,
}

/// Where modules of the standard library are.
const STDLIB: &str = "lib/python3.14/";

impl Library {
    /// Reads the library; `None` when the bytes are not what `wasm-python` makes.
    pub(crate) fn new(stdlib: &'static [u8]) -> Option<Library> {
        Some(Library { stdlib: Pack::open(Bytes::from_static(stdlib))?, packages: None })
    }

    /// Adds the packages of an environment.
    pub(crate) fn with_packages(&self, packages: Pack) -> Library {
        Library { packages: Some(packages), ..self.clone() }
    }

    /// Returns what is at this path below `/usr`; the empty path is `/usr` itself.
    pub(crate) fn node(&self, path: &str) -> Option<Node> {
        if path.is_empty() {
            return Some(Node::Folder);
        }
        if let Some(file) = self.packs().find_map(|pack| pack.find(path)) {
            return Some(Node::File(file.content));
        }
        let prefix = format!("{path}/");
        self.packs().any(|pack| pack.has_below(&prefix)).then_some(Node::Folder)
    }

    /// Lists the names in a folder, and whether each is a folder itself.
    pub(crate) fn list(&self, path: &str) -> Vec<(String, bool)> {
        let prefix = if path.is_empty() { String::new() } else { format!("{path}/") };
        let mut names = BTreeSet::new();
        for below in self.packs().flat_map(|pack| pack.below(&prefix)) {
            let (name, is_folder) = below.split_once('/').map_or((below, false), |(folder, _)| (folder, true));
            names.insert((name, is_folder));
        }
        names.into_iter().map(|(name, is_folder)| (name.to_owned(), is_folder)).collect()
    }

    /// Returns what an import finds at a path below `/usr` that has no suffix.
    pub(crate) fn importable(&self, stem: &str) -> Option<Importable> {
        let code = |path: String| self.packs().find_map(|pack| pack.find(&path)).map(|file| file.code);
        if let Some(code) = code(format!("{stem}/__init__.py")) {
            return Some(Importable::Package(code));
        }
        if let Some(code) = code(format!("{stem}.py")) {
            return Some(Importable::Module(code));
        }
        let folder = format!("{stem}/");
        self.packs().any(|pack| pack.has_below(&folder)).then_some(Importable::Namespace)
    }

    /// Returns whether the standard library has a module of this name at its top.
    pub(crate) fn has_standard(&self, module: &str) -> bool {
        self.importable(&format!("{STDLIB}{module}")).is_some()
    }

    /// Returns whether the packages have a module of this name at their top.
    pub(crate) fn has_packaged(&self, module: &str) -> bool {
        self.packages.is_some() && self.importable(&format!("{SITE_PACKAGES}{module}")).is_some()
    }

    fn packs(&self) -> impl Iterator<Item = &Pack> {
        std::iter::once(&self.stdlib).chain(&self.packages)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pack::Packed;

    fn with_packages(paths: &[&str]) -> Library {
        let file = |path: &&str| Packed {
            path: format!("{SITE_PACKAGES}{path}"),
            content: path.as_bytes().to_vec(),
            code: if path.ends_with(".py") { b"code".to_vec() } else { Vec::new() },
        };
        let pack = Pack::build(paths.iter().map(file).collect()).unwrap();
        Library::new(wasm_python::STDLIB).unwrap().with_packages(Pack::open(pack.into()).unwrap())
    }

    #[test]
    fn packages_are_beside_the_standard_library() {
        let library = with_packages(&["six.py", "tool/__init__.py", "tool/data.txt"]);
        assert!(library.list("lib/python3.14").contains(&("site-packages".to_owned(), true)));
        assert!(library.list("lib/python3.14").contains(&("json".to_owned(), true)));
        let listed = library.list("lib/python3.14/site-packages");
        assert_eq!(listed, [("six.py".to_owned(), false), ("tool".to_owned(), true)]);
        let data = library.node("lib/python3.14/site-packages/tool/data.txt");
        assert_eq!(data, Some(Node::File(Bytes::from_static(b"tool/data.txt"))));
        assert!(library.has_standard("json") && !library.has_standard("six"));
        assert!(library.has_packaged("six") && library.has_packaged("tool") && !library.has_packaged("json"));
    }

    #[test]
    fn imports_find_packages_before_modules_before_namespaces() {
        let library = with_packages(&["a.py", "a/__init__.py", "b.py", "b/c.py", "n/d.py"]);
        let found = |name: &str| library.importable(&format!("{SITE_PACKAGES}{name}"));
        let code = Bytes::from_static(b"code");
        assert_eq!(found("a"), Some(Importable::Package(code.clone())));
        assert_eq!(found("b"), Some(Importable::Module(code.clone())));
        assert_eq!(found("n"), Some(Importable::Namespace));
        assert_eq!(found("n/d"), Some(Importable::Module(code)));
        assert_eq!(found("e"), None);
    }
}
