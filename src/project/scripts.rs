//! Which script of a project is meant when none is named.

use super::Project;
use crate::{Error, Hint, Result};

/// Scripts that a message names.
const NAMED_MAX: usize = 8;
/// Scripts that are compared; of more it is asked which is meant.
const COMPARED_MAX: usize = 50;

/// Chooses among several: the one that no other imports, or else the one that asks whether it is the main one.
///
/// # Errors
///
/// When that is none or more than one.
pub(super) fn choose<'a>(project: &Project, candidates: &[&'a str]) -> Result<&'a str> {
    if candidates.len() <= COMPARED_MAX {
        let mut sources = Vec::new();
        for path in candidates {
            sources.push((*path, String::from_utf8_lossy(&project.read(path)?).into_owned()));
        }
        let is_imported = |path: &str| sources.iter().any(|(other, source)| *other != path && imports(source, path));
        let outermost: Vec<_> = sources.iter().filter(|(path, _)| !is_imported(path)).collect();
        let main: Vec<_> = outermost.iter().filter(|(_, source)| source.contains("__name__")).collect();
        if let ([(path, _)], _) | (_, [(path, _)]) = (outermost.as_slice(), main.as_slice()) {
            return Ok(path);
        }
    }
    let more = candidates.len().saturating_sub(NAMED_MAX);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let named = candidates.iter().take(NAMED_MAX).copied().collect::<Vec<_>>().join(", ");
    let message = format!("the project has no main.py and more than one script: {named}{more}");
    Err(Error::invalid(message).with_hint(Hint::NameEntrypoint))
}

/// Returns whether a source imports the module of a file, as far as its lines tell.
fn imports(source: &str, path: &str) -> bool {
    let module = path.rsplit('/').next().and_then(|name| name.strip_suffix(".py")).unwrap_or(path);
    let is_it = |name: &str| name.split(['.', ' ', '\t', '#', ';']).find(|part| !part.is_empty()) == Some(module);
    source.lines().map(str::trim_start).any(|line| {
        let imported =
            line.strip_prefix("import ").is_some_and(|names| names.split(',').any(|name| is_it(name.trim())));
        imported || line.strip_prefix("from ").is_some_and(|name| is_it(name.trim_start()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_script_is_the_one_that_no_other_imports() {
        let chosen = |files: &[(&'static str, &'static str)]| {
            Project::files(files.iter().copied()).expect("a project").entrypoint(None)
        };
        assert_eq!(chosen(&[("lib.py", "V = 1"), ("tool.py", "import os, lib as l\n")]).expect("clear"), "tool.py");
        assert_eq!(chosen(&[("a.py", "if __name__ == '__main__': pass"), ("b.py", "")]).expect("clear"), "a.py");
        assert_eq!(chosen(&[("main.py", ""), ("b.py", "import main")]).expect("clear"), "main.py");
        let nested = [("x/a.py", "from .b import c\n"), ("x/b.py", ""), ("x/__init__.py", "from . import b\n")];
        assert!(chosen(&nested).is_err());
        let unclear = chosen(&[("a.py", "print(1)"), ("b.py", "print(2)")]).expect_err("unclear");
        assert!(unclear.message().contains("a.py, b.py"), "{unclear}");
        assert_eq!(unclear.hint(), Some(&Hint::NameEntrypoint));
    }

    #[test]
    fn imports_are_seen_in_lines() {
        for (line, imported) in [
            ("import lib", true),
            ("    from lib.x import y", true),
            ("import os, lib.x as z", true),
            ("from .lib import y", true),
            ("import library", false),
            ("# import lib", false),
            ("x = 'from lib'", false),
        ] {
            assert_eq!(imports(line, "src/lib.py"), imported, "{line}");
        }
    }
}
