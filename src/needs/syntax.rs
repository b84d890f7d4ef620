//! Parsing that hostile code cannot crash: the parser recurses, so how deep it would go is found out first.

use crate::python::Python;
use ruff_python_ast::{ModModule, PythonVersion, token::TokenKind};
use ruff_python_parser::{Mode, ParseOptions, Parsed, UnsupportedSyntaxErrorKind};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// The deepest tree that is built. CPython refuses brackets deeper than 200 and blocks deeper than 100, and compiles
/// few expressions of some thousands of operators.
const DEPTH_MAX: usize = 2_000;
/// Up to here the caller's stack is used.
const DEPTH_INLINE_MAX: usize = 60;
/// The deepest tree takes a fifth of it without optimisation, a fourteenth with.
const STACK_BYTES: usize = 64 << 20;

/// The oldest version that has all of a file's syntax, where that is not the oldest of all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Newest {
    pub(super) python: Python,
    /// What is new in it.
    pub(super) what: &'static str,
    pub(super) line: u32,
}

impl Newest {
    pub(super) fn of(parsed: &Parsed<ModModule>, source: &str) -> Option<Newest> {
        let versions = parsed.unsupported_syntax_errors().iter().filter_map(|found| {
            let (python, what) = added(&found.kind)?;
            Some((python, what, found.range.start().to_usize()))
        });
        let (python, what, at) = versions.max_by_key(|(python, _, at)| (*python, std::cmp::Reverse(*at)))?;
        let before = source.as_bytes().get(..at).unwrap_or_default();
        let line = before.iter().filter(|&&byte| byte == b'\n').count() + 1;
        Some(Newest { python, what, line: u32::try_from(line).unwrap_or(u32::MAX) })
    }
}

/// Returns the version that a kind of syntax came with, of those that there are.
fn added(kind: &UnsupportedSyntaxErrorKind) -> Option<(Python, &'static str)> {
    use UnsupportedSyntaxErrorKind as Kind;
    Some(match kind {
        Kind::ExceptStar => (Python::V3_11, "except*"),
        Kind::StarExpressionInIndex | Kind::StarAnnotation => (Python::V3_11, "a star in an index or annotation"),
        Kind::TypeParameterList => (Python::V3_12, "type parameters"),
        Kind::TypeAliasStatement => (Python::V3_12, "a type statement"),
        Kind::Pep701FString(_) => (Python::V3_12, "any expression in an f-string"),
        Kind::TypeParamDefault => (Python::V3_13, "a default of a type parameter"),
        Kind::UnparenthesizedExceptionTypes => (Python::V3_14, "except without parentheses"),
        Kind::TemplateStrings => (Python::V3_14, "a template string"),
        // Older than all, or newer.
        _ => return None,
    })
}

/// Calls `look` with what was parsed of `source`, or says why that was not done. Where there are errors in the syntax, the tree
/// has what could be recovered.
pub(super) fn with_syntax<T: Send>(
    source: &str,
    look: impl FnOnce(&Parsed<ModModule>) -> T + Send,
) -> Result<T, &'static str> {
    const GAVE_UP: &str = "the parser failed";
    // What came with a later version is named, and parsed all the same.
    let options = ParseOptions::from(Mode::Module).with_target_version(PythonVersion::PY310);
    let parse = || {
        // A defect of the parser must not be one of the service. Nothing is shared that a panic could leave half-made.
        catch_unwind(AssertUnwindSafe(|| {
            let parsed = ruff_python_parser::parse_unchecked(source, options);
            parsed.try_into_module().map(|module: Parsed<ModModule>| look(&module))
        }))
        .ok()
        .flatten()
        .ok_or(GAVE_UP)
    };
    let depth = depth(source);
    if depth <= DEPTH_INLINE_MAX {
        return parse();
    }
    if depth > DEPTH_MAX {
        return Err("it is nested too deeply");
    }
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(STACK_BYTES).spawn_scoped(scope, parse);
        thread.map_err(|_| "no thread to parse it on")?.join().unwrap_or(Err(GAVE_UP))
    })
}

/// Returns an upper bound for the depth of the syntax tree, and of the parser's recursion. It counts brackets and
/// blocks that are open, and all operators since the last comma in each of the brackets.
fn depth(source: &str) -> usize {
    struct Level {
        closer: TokenKind,
        operators: usize,
        lambdas: usize,
    }
    let mut lexer = ruff_python_parser::lexer::lex(source, Mode::Module);
    let mut levels = vec![Level { closer: TokenKind::EndOfFile, operators: 0, lambdas: 0 }];
    let (mut open, mut blocks, mut most) = (0, 0usize, 0);
    loop {
        let token = lexer.next_token();
        let outermost = levels.len() == 1;
        let Some(level) = levels.last_mut() else { return usize::MAX };
        let closer = match token {
            TokenKind::Lpar => Some(TokenKind::Rpar),
            TokenKind::Lsqb => Some(TokenKind::Rsqb),
            TokenKind::Lbrace => Some(TokenKind::Rbrace),
            TokenKind::FStringStart => Some(TokenKind::FStringEnd),
            TokenKind::TStringStart => Some(TokenKind::TStringEnd),
            _ => None,
        };
        match token {
            TokenKind::EndOfFile => return most,
            TokenKind::Indent => blocks += 1,
            TokenKind::Dedent => blocks = blocks.saturating_sub(1),
            // Only the closer that belongs here closes: the parser skips others.
            token if token == level.closer => {
                open -= level.operators + level.lambdas;
                levels.pop();
                continue;
            }
            TokenKind::Newline | TokenKind::Semi if outermost => {
                open = 0;
                *level = Level { closer: TokenKind::EndOfFile, operators: 0, lambdas: 0 };
            }
            // Parameters of a lambda have commas too.
            TokenKind::Lambda => {
                level.lambdas += 1;
                open += 1;
            }
            TokenKind::Comma => {
                open -= level.operators;
                level.operators = 0;
            }
            TokenKind::Name
            | TokenKind::Int
            | TokenKind::Float
            | TokenKind::Complex
            | TokenKind::String
            | TokenKind::FStringMiddle
            | TokenKind::TStringMiddle
            | TokenKind::Comment
            | TokenKind::Newline
            | TokenKind::NonLogicalNewline => {}
            _ => {
                level.operators += 1;
                open += 1;
            }
        }
        if let Some(closer) = closer {
            levels.push(Level { closer, operators: 0, lambdas: 0 });
        }
        most = most.max(open + blocks);
        if most > DEPTH_MAX {
            return most;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn statements(source: &str) -> Result<usize, &'static str> {
        with_syntax(source, |parsed| parsed.syntax().body.len())
    }

    #[test]
    fn ordinary_code_is_shallow() {
        for source in [
            "import os\nprint(os.getcwd())\n",
            "def f(a, b=[1, 2, {3: (4, 5)}]):\n    if a:\n        for x in b:\n            print(f\"{x!r:>{a}}\")\n",
            "df = (df.a().b().c().d().e().f().g().h())\n",
            &format!("data = [{}]\n", "(-1, 2.5, 'x'),\n".repeat(10_000)),
            &"x = 1 + 2\n".repeat(10_000),
        ] {
            assert!(depth(source) <= DEPTH_INLINE_MAX, "{}", depth(source));
            assert!(statements(source).is_ok());
        }
    }

    /// Shapes that recurse, each as `open * n + middle + close * n`.
    const NESTED: [(&str, &str, &str); 34] = [
        ("(", "1", ")"),
        ("[", "1", "]"),
        ("{", "1", "}"),
        ("{1:", "1", "}"),
        ("f(", "1", ")"),
        ("f(a, b, ", "1", ")"),
        ("f(x=", "1", ")"),
        ("a[", "1", "]"),
        ("a[1:", "1", "]"),
        ("-", "1", ""),
        ("not ", "1", ""),
        ("await ", "1", ""),
        ("lambda: ", "1", ""),
        ("lambda a, b: ", "1", ""),
        ("lambda a=(1, 2), *b: ", "1", ""),
        ("1 + ", "1", ""),
        ("2 ** ", "1", ""),
        ("x if y else ", "1", ""),
        ("a.b.", "c", ""),
        ("", "a", "()"),
        ("", "a", "[0]"),
        ("", "a", ".b(1, 2)"),
        ("[x for x in ", "y", "]"),
        ("(yield ", "1", ")"),
        ("(a := ", "1", ")"),
        ("f'{", "1", "}'"),
        ("f'{a:{", "1", "}}'"),
        ("f\"\"\"{", "1", "}\"\"\""),
        ("*", "a", ""),
        ("(*", "a", ")"),
        ("(a, ", "1", ")"),
        ("a < b and c or not (", "1", ")"),
        ("x = y = ", "1", ""),
        ("if x: ", "pass", ""),
    ];

    #[test]
    fn nesting_of_any_shape_and_depth_crashes_nothing() {
        for (open, middle, close) in NESTED {
            for depth in [50, 300, 600, 1_500, 100_000] {
                for (before, closers) in [("", depth), ("", 0), ("print(", depth), ("match ", depth), ("with ", depth)]
                {
                    let source = format!("{before}{}{middle}{}", open.repeat(depth), close.repeat(closers));
                    let _ = statements(&source);
                }
            }
        }
    }

    #[test]
    fn wrong_closers_do_not_hide_depth() {
        for unit in ["(]", "f(]", "[)", "{)", "f(]}", "f'{]", "f({)", "(,", "lambda x, ", "f(a b", "[a b", "{a: b c "] {
            let source = unit.repeat(100_000);
            let _ = statements(&source);
        }
        assert!(statements(&"f(]".repeat(100_000)).is_err());
    }

    #[test]
    fn blocks_are_counted() {
        let mut source: String = (0..5_000).map(|depth| format!("{}if x:\n", " ".repeat(depth))).collect();
        assert_eq!(statements(&source), Err("it is nested too deeply"));
        source = (0..90).map(|depth| format!("{}if x:\n", " ".repeat(depth))).collect();
        source.push_str(&format!("{}pass\n", " ".repeat(90)));
        assert_eq!(statements(&source), Ok(1));
    }

    #[test]
    fn long_code_of_any_shape_is_read() {
        for unit in [
            "a = 1\n",
            "(\n",
            ")\n",
            "f'''{",
            "f'{",
            "f\"{a",
            "'''",
            "with (a, b",
            "match (a, b",
            "match x:\n case ",
            "if x:\n",
            "  ",
            "\\\n",
            "@",
            "case ",
            "type ",
            "x: ",
            "a b ",
            "[\n",
            "{a\n",
            "f(a,\n",
            "else:\n",
            "\0",
            "é",
            "\t \n",
            "# c\n",
            "lazy import ",
            "from . import (",
            "import a.",
            "...",
            "$",
            "?",
            "!",
            "f'{a!",
            "f'{a:",
            "`",
        ] {
            let _ = statements(&unit.repeat(100_000 / unit.len()));
        }
        assert_eq!(statements(&"a = 1\n".repeat(20_000)), Ok(20_000));
    }

    #[test]
    fn broken_code_is_recovered() {
        let source = "import numpy\ndef f(:\n    pass\nimport pandas\nprint 'x'\nimport yaml\n";
        let imports =
            with_syntax(source, |parsed| parsed.syntax().body.iter().filter(|stmt| stmt.is_import_stmt()).count());
        assert_eq!(imports, Ok(3));
    }

    #[test]
    fn the_version_that_syntax_came_with_is_known() {
        for (source, newest) in [
            ("x = 1\nmatch x:\n    case 1: pass\nwith (open(a) as b, open(c) as d): pass\n", None),
            ("try: pass\nexcept (A, B): pass\n", None),
            ("x = f'{a!r:>{b}}'\n", None),
            ("try: pass\nexcept* A: pass\n", Some((Python::V3_11, 2))),
            ("a[*b]\n", Some((Python::V3_11, 1))),
            ("def f(*args: *Ts): pass\n", Some((Python::V3_11, 1))),
            ("def f[T](x: T) -> T: return x\n", Some((Python::V3_12, 1))),
            ("\n\ntype X = int\n", Some((Python::V3_12, 3))),
            ("x = f'{a['b']}'\n", Some((Python::V3_12, 1))),
            ("class A[T = int]: pass\n", Some((Python::V3_13, 1))),
            ("type X = int\ntry: pass\nexcept A, B: pass\n", Some((Python::V3_14, 3))),
            ("x = 1\ny = t'{x}'\n", Some((Python::V3_14, 2))),
        ] {
            let found = with_syntax(source, |parsed| Newest::of(parsed, source)).expect("parsed");
            assert_eq!(found.map(|newest| (newest.python, newest.line)), newest, "{source}");
        }
    }
}
