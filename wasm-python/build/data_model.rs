//! Gives CPython's C code the data model of 64-bit Linux: `long`, `size_t` and all that follows have 8 bytes.
//!
//! Python programs see these types: in `sys.maxsize`, hashes and the order of sets, the length of a range, the codes of
//! `struct` and `array`, and wherever a number is refused for its size. WebAssembly has them in 4 bytes, as pointers
//! are; that is a convention of its compilers, which have no option for it. So the words are replaced in the source.
//! Functions of libc keep their types, and the compiler converts where they are called. Where that is not enough (an
//! error code of all ones, a callback, an allocation), `patches/data-model.patch` helps. Patches can write
//! `__SIZE_TYPE__` for the `size_t` of libc.

use crate::Result;
use std::{fs, path::Path};

/// Folders of C code; the rest of the source tree stays as it is.
const FOLDERS: [&str; 6] = ["Include", "Modules", "Objects", "Parser", "Programs", "Python"];

/// C libraries with interfaces of their own, which other code is compiled against as well.
const LIBRARIES: [&str; 3] = ["Modules/_hacl", "Modules/expat", "Include/pyexpat.h"];

/// Names that belong to a type, and those that belong to its wider replacement.
const NAMES: [(&str, &str); 23] = [
    ("LONG_MAX", "LLONG_MAX"),
    ("LONG_MIN", "LLONG_MIN"),
    ("SIZE_MAX", "ULLONG_MAX"),
    ("SSIZE_MAX", "LLONG_MAX"),
    ("ULONG_MAX", "ULLONG_MAX"),
    ("__builtin_clzl", "__builtin_clzll"),
    ("__builtin_ctzl", "__builtin_ctzll"),
    ("__builtin_popcountl", "__builtin_popcountll"),
    ("labs", "llabs"),
    ("ldiv", "lldiv"),
    ("ldiv_t", "lldiv_t"),
    ("lrint", "llrint"),
    ("lround", "llround"),
    ("offsetof", "(unsigned long long)offsetof"),
    ("size_t", "unsigned long long"),
    ("sizeof", "(unsigned long long)sizeof"),
    ("strlen", "(unsigned long long)strlen"),
    ("strtol", "strtoll"),
    ("strtoul", "strtoull"),
    ("wcslen", "(unsigned long long)wcslen"),
    ("wcstol", "wcstoll"),
    ("wcstoul", "wcstoull"),
    ("__builtin_smull_overflow", "__builtin_smulll_overflow"),
];

/// Functions of libc that take a format, and those of CPython that pass theirs on to them.
const PRINTF: [&str; 7] =
    ["PyOS_snprintf", "PySys_WriteStderr", "PySys_WriteStdout", "fprintf", "printf", "snprintf", "sprintf"];

/// Replaces the types in every C file below `tree`.
pub fn widen(tree: &Path) -> Result<()> {
    FOLDERS.iter().try_for_each(|folder| widen_folder(tree, folder))
}

fn widen_folder(tree: &Path, folder: &str) -> Result<()> {
    let fail = |e: std::io::Error| format!("cannot widen the types in {folder}: {e}");
    for entry in fs::read_dir(tree.join(folder)).map_err(fail)? {
        let path = entry.map_err(fail)?.path();
        let name = format!("{folder}/{}", path.file_name().unwrap_or_default().to_string_lossy());
        if LIBRARIES.contains(&name.as_str()) {
            continue;
        }
        if path.is_dir() {
            widen_folder(tree, &name)?;
        } else if path.extension().is_some_and(|extension| extension == "c" || extension == "h") {
            let text = fs::read_to_string(&path).map_err(fail)?;
            fs::write(&path, widened(&text)).map_err(fail)?;
        }
    }
    Ok(())
}

/// Returns C code with its types replaced; comments, strings and characters stay.
fn widened(code: &str) -> String {
    let mut out = String::with_capacity(code.len() + code.len() / 64);
    let mut rest = code;
    // Where in `out` the words that make up one type begin, and how they count.
    let mut run: Option<Specifiers> = None;
    let (mut printf, mut variadic) = (Call::default(), Call::default());
    while let Some(first) = rest.chars().next() {
        let length = token_length(rest, first);
        let (token, after) = rest.split_at(length);
        rest = after;
        if token.trim().is_empty() {
            out.push_str(token);
            continue;
        }
        if matches!(token, "long" | "unsigned" | "signed" | "int" | "double") {
            let words = run.get_or_insert_default();
            out.push_str(token);
            match token {
                "long" => {
                    words.longs += 1;
                    words.end = out.len();
                }
                "double" => words.double = true,
                _ => {}
            }
            continue;
        }
        if let Some(words) = run.take()
            && words.longs == 1
            && !words.double
        {
            out.insert_str(words.end, " long");
        }
        match token {
            "(" => [&mut printf, &mut variadic].into_iter().for_each(Call::open),
            ")" => [&mut printf, &mut variadic].into_iter().for_each(Call::close),
            "va_arg" => variadic.called = true,
            // Its alignment is that of pointers only where it is a member.
            "Py_ssize_t" if variadic.inside() => {
                out.push_str("long long");
                continue;
            }
            _ if PRINTF.contains(&token) => printf.called = true,
            _ if printf.inside() && token.starts_with('"') => {
                out.push_str(&widened_format(token));
                continue;
            }
            _ => {}
        }
        // Variables may have the names of functions.
        let call = token == "sizeof" || rest.trim_start().starts_with('(');
        match NAMES.iter().find(|(narrow, wide)| *narrow == token && (call || !wide.starts_with('('))) {
            Some((_, wide)) => out.push_str(wide),
            None if is_long_literal(token) => {
                out.push_str(token);
                out.push('L');
            }
            None => out.push_str(token),
        }
    }
    out
}

/// The words of one type, such as `unsigned long int`.
#[derive(Default)]
struct Specifiers {
    longs: usize,
    double: bool,
    /// End of the last `long` in the output.
    end: usize,
}

/// Whether the code is between the parentheses of a call.
#[derive(Default)]
struct Call {
    called: bool,
    depth: usize,
}

impl Call {
    fn inside(&self) -> bool {
        self.depth > 0
    }

    fn open(&mut self) {
        if self.called || self.depth > 0 {
            self.called = false;
            self.depth += 1;
        }
    }

    fn close(&mut self) {
        self.depth = self.depth.saturating_sub(1);
    }
}

/// Returns a format for printf with its conversions of `long` and `size_t` replaced.
fn widened_format(format: &str) -> String {
    let mut out = String::with_capacity(format.len() + 4);
    let mut rest = format;
    while let Some(at) = rest.find('%') {
        let flags = rest[at + 1..].find(|c: char| !"-+ #.*0123456789".contains(c)).unwrap_or(0);
        let (before, conversion) = rest.split_at(at + 1 + flags);
        out.push_str(before);
        let length = match conversion.as_bytes() {
            [b'l' | b'z', b'd' | b'i' | b'o' | b'u' | b'x' | b'X', ..] => 1,
            [b'%', ..] => {
                out.push('%');
                rest = &conversion[1..];
                continue;
            }
            _ => 0,
        };
        if length == 1 {
            out.push_str("ll");
        }
        rest = &conversion[length..];
    }
    out.push_str(rest);
    out
}

fn token_length(rest: &str, first: char) -> usize {
    let until = |end: &str| rest[2..].find(end).map_or(rest.len(), |at| at + 2 + end.len());
    if rest.starts_with("//") {
        return rest.find('\n').unwrap_or(rest.len());
    }
    if rest.starts_with("/*") {
        return until("*/");
    }
    if first == '"' || first == '\'' {
        let mut escaped = false;
        for (at, c) in rest.char_indices().skip(1) {
            match c {
                _ if escaped => escaped = false,
                '\\' => escaped = true,
                // An apostrophe in the text of an #error ends with its line.
                '\n' => return at,
                _ if c == first => return at + 1,
                _ => {}
            }
        }
        return rest.len();
    }
    let same = |c: char| match first {
        '0'..='9' => c.is_ascii_alphanumeric() || c == '.',
        'a'..='z' | 'A'..='Z' | '_' => c.is_ascii_alphanumeric() || c == '_',
        _ if first.is_whitespace() => c.is_whitespace(),
        _ => false,
    };
    rest.char_indices().skip(1).find(|&(_, c)| !same(c)).map_or(rest.len(), |(at, _)| at)
}

/// Whether this is a number such as `1L` or `0x10UL`.
fn is_long_literal(token: &str) -> bool {
    token.starts_with(|c: char| c.is_ascii_digit())
        && token.ends_with('L')
        && !token.ends_with("LL")
        && !token.contains('.')
}
