//! Which modules are the standard library's, in which versions, and which of them WebAssembly lacks.

use crate::python::Python;
use std::{collections::HashSet, sync::LazyLock};

/// The versions that have a module.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Lifetime {
    pub(crate) oldest: Python,
    pub(crate) newest: Python,
}

/// Returns the versions in which a top-level module belongs to the standard library, if any.
pub(crate) fn lifetime(module: &str) -> Option<Lifetime> {
    let (oldest, newest) = match module {
        "tomllib" => (Python::V3_11, Python::V3_14),
        "annotationlib" | "compression" => (Python::V3_14, Python::V3_14),
        "binhex" => (Python::V3_10, Python::V3_10),
        "asynchat" | "asyncore" | "distutils" | "imp" | "smtpd" => (Python::V3_10, Python::V3_11),
        "aifc" | "audioop" | "cgi" | "cgitb" | "chunk" | "crypt" | "imghdr" | "lib2to3" | "mailcap" | "nis"
        | "nntplib" | "ossaudiodev" | "pipes" | "sndhdr" | "spwd" | "sunau" | "telnetlib" | "uu" | "xdrlib" => {
            (Python::V3_10, Python::V3_12)
        }
        _ if NAMES.contains(module) => (Python::V3_10, Python::V3_14),
        _ => return None,
    };
    Some(Lifetime { oldest, newest })
}

/// Returns the module of the standard library, `name` or a parent of it, that a full Linux has and WebAssembly does
/// not.
pub(crate) fn missing_in_wasm(name: &str) -> Option<&'static str> {
    const MISSING: [&str; 4] = ["concurrent.interpreters", "dbm.gnu", "dbm.ndbm", "ensurepip"];
    MISSING.into_iter().find(|missing| {
        name.strip_prefix(missing).is_some_and(|submodule| submodule.is_empty() || submodule.starts_with('.'))
    })
}

static NAMES: LazyLock<HashSet<&str>> = LazyLock::new(|| {
    include_str!("stdlib.txt").lines().filter(|line| !line.starts_with('#')).flat_map(str::split_whitespace).collect()
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn removed_modules_have_a_newest_version() {
        for (module, oldest, newest) in [
            ("binhex", "3.10", "3.10"),
            ("imp", "3.10", "3.11"),
            ("distutils", "3.10", "3.11"),
            ("asyncore", "3.10", "3.11"),
            ("cgi", "3.10", "3.12"),
            ("telnetlib", "3.10", "3.12"),
            ("lib2to3", "3.10", "3.12"),
            ("tomllib", "3.11", "3.14"),
            ("annotationlib", "3.14", "3.14"),
            ("json", "3.10", "3.14"),
            ("__future__", "3.10", "3.14"),
            ("_thread", "3.10", "3.14"),
            ("winreg", "3.10", "3.14"),
            ("test", "3.10", "3.14"),
        ] {
            let found = lifetime(module).map(|found| (found.oldest.to_string(), found.newest.to_string()));
            assert_eq!(found, Some((oldest.to_owned(), newest.to_owned())), "{module}");
        }
    }

    #[test]
    fn packages_are_not_the_standard_library() {
        for module in
            ["numpy", "requests", "yaml", "pip", "setuptools", "typing_extensions", "tomli", "", "#", "Modules"]
        {
            assert_eq!(lifetime(module), None, "{module}");
        }
    }

    #[test]
    fn what_wasm_lacks_is_found_by_whole_names() {
        assert_eq!(missing_in_wasm("dbm.gnu"), Some("dbm.gnu"));
        for present in [
            "dbm",
            "ssl",
            "curses.ascii",
            "socket",
            "concurrent.futures",
            "compression.zstd",
            "multiprocessing",
            "syslog",
        ] {
            assert_eq!(missing_in_wasm(present), None, "{present}");
        }
    }
}
