//! What modules may know of each other.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

/// Folders of `src/` whose modules import each other in one direction only; empty is `src/` itself.
const WITHOUT_CIRCLES: [&str; 2] = ["executor/docker", "planner"];

/// Holds the imports between the modules of a folder, by module, with a file that has each.
type Imports = BTreeMap<String, BTreeMap<String, PathBuf>>;

#[test]
fn modules_import_each_other_in_one_direction() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for folder in WITHOUT_CIRCLES {
        let imports = imports(&source, folder);
        assert!(imports.len() > 1, "there are no modules in {folder:?}");
        if let Some(circle) = circle(&imports) {
            panic!("modules of {folder:?} import each other in a circle:\n{}", described(&circle, &imports, &source));
        }
    }
}

#[test]
fn a_circle_is_found_however_it_is_written() {
    let written: [&[(&str, &str)]; 6] = [
        &[("a/x.rs", "use super::y::Y;"), ("a/y.rs", "use super::x::X;")],
        &[("a/x.rs", "use crate::{b::B, a::{c::C, y}};"), ("a/y.rs", "fn f() { super::x::f() }")],
        &[("a/x.rs", "use super::Y;"), ("a/y.rs", "pub struct Y(crate::a::x::X);"), ("a.rs", "pub use y::{self, Y};")],
        &[("a/x.rs", "use super::y;"), ("a/y/z.rs", "use super::super::x::{self as other};"), ("a/y.rs", "mod z;")],
        &[("a/x.rs", "use super::y;"), ("a/y.rs", "use super::z;"), ("a/z.rs", "use super::x;")],
        &[("a/x.rs", "use super::Helper;"), ("a/y.rs", ""), ("a.rs", "struct Helper;\nuse x::X;")],
    ];
    for files in written {
        let imports = imports(in_folder(files).path(), "a");
        assert!(circle(&imports).is_some(), "{files:?}: {imports:?}");
    }
    let one_way = [
        ("a/x.rs", "use super::{y::Y, z::Z};\n// use super::x::X;\n#[cfg(test)]\nmod tests { use super::super::w; }"),
        ("a/y.rs", "use super::z; const TEXT: &str = \"super::x::X\";"),
        ("a/z.rs", "use crate::other::Thing; use std::fmt;"),
        ("a/w.rs", "use super::x;"),
        ("a.rs", "mod x; mod y; mod z; use x::X;"),
    ];
    let imports = imports(in_folder(&one_way).path(), "a");
    assert_eq!(circle(&imports), None, "{imports:?}");
    assert_eq!(imports["x"].keys().collect::<Vec<_>>(), ["y", "z"]);
}

fn in_folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let source = tempfile::tempdir().expect("a folder");
    for (path, text) in files {
        let path = source.path().join(path);
        fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        fs::write(path, text).expect("written");
    }
    source
}

/// Reads what the modules of a folder import of each other: files below a module belong to it, and the folder's own file,
/// which names them all, is a module called `super`.
fn imports(source: &Path, folder: &str) -> Imports {
    let own_files = match folder {
        "" => vec![source.join("lib.rs")],
        folder => vec![source.join(format!("{folder}.rs")), source.join(folder).join("mod.rs")],
    };
    let segments: Vec<&str> = folder.split('/').filter(|segment| !segment.is_empty()).collect();
    let files: Vec<_> = files(&source.join(folder)).into_iter().filter(|file| !is_root(source, file)).collect();
    let module = |file: &Path| {
        let path = file.strip_prefix(source).expect("below it").with_extension("");
        let mut path: Vec<_> = path.iter().map(|part| part.to_str().expect("UTF-8").to_owned()).collect();
        if path.last().is_some_and(|last| last == "mod") {
            path.pop();
        }
        path
    };
    let children: BTreeSet<String> =
        files.iter().filter_map(|file| module(file).get(segments.len()).cloned()).collect();
    let mut reexports = BTreeMap::new();
    let mut imports: Imports = children.iter().map(|child| (child.clone(), BTreeMap::new())).collect();
    let own: BTreeMap<String, PathBuf> = own_files
        .iter()
        .filter_map(|file| Some((file, fs::read_to_string(file).ok()?)))
        .flat_map(|(file, text)| {
            let mut found = Vec::new();
            for path in used(&code(&text)) {
                let path = if path.first().is_some_and(|first| first == "self") { &path[1..] } else { &path };
                if let Some(child) = path.first().filter(|first| children.contains(*first)) {
                    let name = path.last().expect("not empty");
                    reexports.insert(name.clone(), child.clone());
                    found.push((child.clone(), file.clone()));
                }
            }
            found
        })
        .collect();
    imports.insert("super".to_owned(), own);
    for file in &files {
        let own = module(file);
        let Some(child) = own.get(segments.len()) else { continue };
        let text = fs::read_to_string(file).expect("it can be read");
        for path in paths(&code(&text)) {
            let Some(path) = absolute(&path, &own) else { continue };
            let Some(rest) = path.strip_prefix(segments.as_slice()) else { continue };
            let Some(first) = rest.first() else { continue };
            let used = match children.get(*first) {
                Some(module) => module.clone(),
                None => reexports.get(*first).cloned().unwrap_or_else(|| "super".to_owned()),
            };
            if used != *child {
                imports.entry(child.clone()).or_default().entry(used).or_insert_with(|| file.clone());
            }
        }
    }
    imports
}

/// Returns whether a file is that of a crate, which no other imports by its name.
fn is_root(source: &Path, file: &Path) -> bool {
    file.parent() == Some(source) && matches!(file.file_stem().and_then(|stem| stem.to_str()), Some("lib" | "main"))
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut entries: Vec<_> =
        fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()).collect();
    entries.sort();
    for path in entries {
        if path.file_stem() == Some("tests".as_ref()) {
            continue;
        }
        if path.is_dir() {
            found.extend(files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found
}

/// Returns the text without its comments, its strings, and the tests at its end.
fn code(text: &str) -> String {
    let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    let mut code = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(['/', '"', '\'']) {
        code.push_str(&rest[..at]);
        rest = &rest[at..];
        let raw = code.len() - code.trim_end_matches('#').len();
        let length = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with('"') && code.trim_end_matches('#').ends_with('r') {
            let end = format!("\"{}", "#".repeat(raw));
            rest[1..].find(&end).map_or(rest.len(), |at| 1 + at + end.len())
        } else if let Some(inner) = rest.strip_prefix('"') {
            let mut escaped = false;
            let end = inner.find(|c| {
                let ends = c == '"' && !escaped;
                escaped = c == '\\' && !escaped;
                ends
            });
            end.map_or(rest.len(), |at| at + 2)
        } else if rest.starts_with("'\"'") {
            3
        } else if let Some(inner) = rest.strip_prefix("'\\") {
            inner.find('\'').map_or(rest.len(), |at| at + 3)
        } else {
            code.push_str(&rest[..1]);
            1
        };
        rest = &rest[length..];
    }
    code + rest
}

/// Returns all paths that begin with `crate` or `super`, those in braces one by one.
fn paths(code: &str) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    for start in ["crate", "super"] {
        for (at, _) in code.match_indices(&format!("{start}::")) {
            let before = code[..at].chars().next_back();
            if !before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == ':') {
                expand(&code[at..], &mut Vec::new(), &mut found);
            }
        }
    }
    found
}

/// Returns all paths of `use` declarations.
fn used(code: &str) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    for (at, text) in code.match_indices("use ") {
        if code[..at].chars().next_back().is_none_or(char::is_whitespace) {
            expand(&code[at + text.len()..], &mut Vec::new(), &mut found);
        }
    }
    found
}

/// Adds the paths of one tree, as in `a::{b, c::d}`, and returns what follows it.
fn expand<'t>(tree: &'t str, stem: &mut Vec<String>, found: &mut Vec<Vec<String>>) -> &'t str {
    let depth = stem.len();
    let mut rest = tree.trim_start();
    loop {
        if let Some(inner) = rest.strip_prefix('{') {
            rest = inner.trim_start();
            while !rest.is_empty() && !rest.starts_with('}') {
                let before = rest.len();
                rest = expand(rest, stem, found).trim_start();
                // A name that it goes by here.
                rest = rest.trim_start_matches(|c: char| c.is_alphanumeric() || c == '_' || c == ' ');
                rest = rest.strip_prefix(',').unwrap_or(rest).trim_start();
                if rest.len() == before {
                    break;
                }
            }
            rest = rest.strip_prefix('}').unwrap_or(rest);
            break;
        }
        let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
        // `self` in braces is what stands before them.
        if end > 0 && (stem.is_empty() || rest[..end] != *"self") {
            stem.push(rest[..end].to_owned());
        }
        rest = &rest[end..];
        match rest.strip_prefix("::") {
            Some(more) if more.starts_with(|c: char| c.is_alphabetic() || c == '_' || c == '{') => rest = more,
            _ => {
                found.push(stem.clone());
                break;
            }
        }
    }
    stem.truncate(depth);
    rest
}

/// Returns the path from the crate on, of what a module says; nothing when it leaves the crate.
fn absolute<'p>(path: &'p [String], module: &'p [String]) -> Option<Vec<&'p str>> {
    let (first, mut rest) = path.split_first()?;
    let mut base = match first.as_str() {
        "crate" => Vec::new(),
        _ => module.split_last()?.1.iter().map(String::as_str).collect(),
    };
    while let Some(("super", more)) = rest.split_first().map(|(first, more)| (first.as_str(), more)) {
        base.pop()?;
        rest = more;
    }
    base.extend(rest.iter().map(String::as_str));
    Some(base)
}

/// Returns modules each of which imports the next, and the last the first, if there are any.
fn circle(imports: &Imports) -> Option<Vec<String>> {
    fn visit(
        module: &str,
        imports: &Imports,
        path: &mut Vec<String>,
        done: &mut BTreeSet<String>,
    ) -> Option<Vec<String>> {
        if let Some(at) = path.iter().position(|on| on == module) {
            return Some(path[at..].to_vec());
        }
        if done.contains(module) {
            return None;
        }
        path.push(module.to_owned());
        let found =
            imports.get(module).into_iter().flat_map(BTreeMap::keys).find_map(|next| visit(next, imports, path, done));
        path.pop();
        done.insert(module.to_owned());
        found
    }
    let mut done = BTreeSet::new();
    imports.keys().find_map(|module| visit(module, imports, &mut Vec::new(), &mut done))
}

fn described(circle: &[String], imports: &Imports, source: &Path) -> String {
    let next = circle.iter().cycle().skip(1);
    let line = |(module, next): (&String, &String)| {
        let file = imports[module][next].strip_prefix(source).expect("below it").display();
        format!("{module} imports {next} in src/{file}")
    };
    circle.iter().zip(next).map(line).collect::<Vec<_>>().join("\n")
}
