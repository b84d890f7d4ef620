//! Lines of notebooks that install packages, and calls that do: what they ask for is installed before the job runs.
//!
//! # The rule
//!
//! A line is an *installing line* when, after blanks, it is `!` or `%`, then, after blanks, perhaps `sudo`, then one of the
//! commands `pip`, `python -m pip`, `{sys.executable} -m pip`, `uv pip`, `conda` and `mamba`, where `pip` and `python` may
//! have a version behind them, then `install`, and then a blank or the line's end. Lines after it belong to it as long as
//! the one before ends in a backslash.
//!
//! Python has no such lines. Whoever compiles a job's script, on either tier, does so first as it is. When that fails with
//! a `SyntaxError` at an installing line, it is replaced by `pass` behind its own blanks, and the lines that belong to it
//! by empty ones, so that all others keep their numbers; then it is compiled again, as often as that happens. A text in
//! quotes that has such a line in it is thus left alone. Both tiers have that from one file, `_pyexec_common.py` of the
//! `wasm-python` crate; [`without_installing_lines`] does the same for the parser, and reads what is installed.

use crate::Requirements;
use ruff_python_ast::{Arguments, Expr, InterpolatedStringElement};
use std::borrow::Cow;

/// Installing lines that are read of one file.
const LINES_MAX: usize = 100;
/// What one installation may ask for.
const WORDS_MAX: usize = 200;

/// Holds what an installation asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Installation {
    /// Each of them a requirement that is accepted.
    pub(super) requirements: Vec<String>,
    /// Files with more of them, as they are written.
    pub(super) files: Vec<String>,
    /// What is not installed, and what to do about it.
    pub(super) refusals: Vec<String>,
}

/// An installing line of a file.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct InstallingLine {
    pub(super) line: u32,
    pub(super) installation: Installation,
}

/// Returns the source with `pass` in the place of installing lines, and these.
pub(super) fn without_installing_lines(source: &str) -> (Cow<'_, str>, Vec<InstallingLine>) {
    if !source.contains("install") {
        return (Cow::Borrowed(source), Vec::new());
    }
    let (mut python, mut found) = (String::new(), Vec::new());
    let mut quotes = Quotes::default();
    let mut continued: Option<String> = None;
    for (at, line) in source.split_inclusive('\n').enumerate() {
        let text = line.trim_end_matches(['\n', '\r']);
        let end = &line[text.len()..];
        let (goes_on, part) = text.strip_suffix('\\').map_or((false, text), |part| (true, part));
        if let Some(command) = &mut continued {
            command.push_str(part);
        } else if !quotes.are_open() && is_installing_line(text) && found.len() < LINES_MAX {
            found.push((at, String::new()));
            continued = Some(part.trim_start().trim_start_matches(['!', '%']).to_owned());
            python.push_str(&text[..text.len() - text.trim_start().len()]);
            python.push_str("pass");
        } else {
            quotes.read(text);
            python.push_str(text);
        }
        python.push_str(end);
        if !goes_on && let (Some(command), Some((_, last))) = (continued.take(), found.last_mut()) {
            *last = command;
        }
    }
    if let (Some(command), Some((_, last))) = (continued, found.last_mut()) {
        *last = command;
    }
    if found.is_empty() {
        return (Cow::Borrowed(source), Vec::new());
    }
    let lines = found.into_iter().map(|(at, command)| InstallingLine {
        line: u32::try_from(at + 1).unwrap_or(u32::MAX),
        installation: of_shell(&command).unwrap_or_default(),
    });
    (Cow::Owned(python), lines.collect())
}

/// Returns whether a line of a notebook, such as `!pip install x`, installs packages.
///
/// A script may have such lines: what they name is installed before a job runs, and the interpreter never sees them.
pub fn is_installing_line(line: &str) -> bool {
    let Some(command) = line.trim_start().strip_prefix(['!', '%']) else { return false };
    let words: Vec<_> = command.trim_end_matches('\\').split_whitespace().take(5).collect();
    installer_of(&words).is_some()
}

/// Names the program whose options an installation has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Installer {
    Pip,
    Conda,
}

/// Returns the installer that a command calls, and its arguments.
fn installer_of<S: AsRef<str>>(words: &[S]) -> Option<(Installer, &[S])> {
    let words = words.get(usize::from(words.first().is_some_and(|word| word.as_ref() == "sudo"))..)?;
    let word = |at: usize| words.get(at).map(AsRef::as_ref).unwrap_or_default();
    let program = word(0).rsplit('/').next().unwrap_or_default();
    let plain = program.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
    let (installer, length) = match (plain, word(1), word(2), word(3)) {
        ("pip", "install", ..) => (Installer::Pip, 2),
        ("conda" | "mamba", "install", ..) => (Installer::Conda, 2),
        ("uv", "pip", "install", _) => (Installer::Pip, 3),
        ("python" | "{sys.executable}", "-m", "pip", "install") => (Installer::Pip, 4),
        _ => return None,
    };
    Some((installer, words.get(length..)?))
}

/// Returns what a command of a shell installs, if it does.
pub(super) fn of_shell(command: &str) -> Option<Installation> {
    let mut found: Option<Installation> = None;
    for words in commands(command) {
        if let Some((installer, arguments)) = installer_of(&words) {
            let more = of_arguments(installer, arguments);
            let all = found.get_or_insert_default();
            all.requirements.extend(more.requirements);
            all.files.extend(more.files);
            all.refusals.extend(more.refusals);
        }
    }
    found
}

/// Returns what a call installs whose arguments are literals; `function` is its full name.
pub(super) fn of_call(function: &str, arguments: &Arguments) -> Option<Installation> {
    let (module, name) = function.rsplit_once('.')?;
    match (module, name) {
        ("subprocess", "run" | "call" | "check_call" | "check_output" | "Popen" | "getoutput" | "getstatusoutput")
        | ("os", "system" | "popen") => of_command(arguments.args.first()?),
        ("pip" | "pip._internal" | "pip._internal.cli.main", "main") => {
            let words = words(arguments.args.first()?)?;
            let (first, rest) = words.split_first()?;
            (first == "install").then(|| of_arguments(Installer::Pip, rest))
        }
        _ => None,
    }
}

fn of_command(command: &Expr) -> Option<Installation> {
    match command {
        Expr::StringLiteral(_) | Expr::FString(_) => of_shell(&text(command)?),
        // "pip install x".split()
        Expr::Call(call) => {
            let method = call.func.as_attribute_expr().filter(|method| method.attr.as_str() == "split")?;
            of_shell(&text(&method.value)?)
        }
        _ => {
            let words = words(command)?;
            let (installer, arguments) = installer_of(&words)?;
            Some(of_arguments(installer, arguments))
        }
    }
}

/// Returns a list of literals.
fn words(list: &Expr) -> Option<Vec<String>> {
    let elements = match list {
        Expr::List(list) => &list.elts,
        Expr::Tuple(tuple) => &tuple.elts,
        _ => return None,
    };
    elements.iter().take(WORDS_MAX).map(text).collect()
}

/// Returns a literal; `sys.executable` is a Python.
fn text(expression: &Expr) -> Option<String> {
    let is_python = |value: &Expr| {
        let attribute = value.as_attribute_expr().filter(|attribute| attribute.attr.as_str() == "executable");
        attribute.and_then(|attribute| attribute.value.as_name_expr()).is_some_and(|name| name.id == "sys")
    };
    match expression {
        Expr::StringLiteral(literal) => Some(literal.value.to_str().to_owned()),
        Expr::FString(literal) => {
            let parts = literal.value.elements().map(|element| match element {
                InterpolatedStringElement::Literal(text) => Some(&*text.value),
                InterpolatedStringElement::Interpolation(hole) => is_python(&hole.expression).then_some("python"),
            });
            parts.collect()
        }
        other => is_python(other).then(|| "python".to_owned()),
    }
}

/// Reads what an installer is to install.
fn of_arguments<S: AsRef<str>>(installer: Installer, words: &[S]) -> Installation {
    let mut found = Installation::default();
    let mut words = words.iter().map(AsRef::as_ref).take(WORDS_MAX);
    while let Some(word) = words.next() {
        if !word.starts_with('-') {
            match Requirements::from_list([word]) {
                Ok(requirement) if requirement.direct().next().is_some() => {
                    found.refusals.push(format!("{word}: URLs are not accepted here; name them in the requirements"));
                }
                Ok(requirement) => found.requirements.extend(requirement.to_string().lines().map(str::to_owned)),
                Err(error) => found.refusals.push(error.to_string()),
            }
            continue;
        }
        let (option, value) = word.split_once('=').map_or((word, None), |(option, value)| (option, Some(value)));
        let mut value = || value.or_else(|| words.next()).unwrap_or_default().to_owned();
        match option {
            "-r" | "--requirement" | "--requirements" => found.files.push(value()),
            "-i" | "--index-url" | "--extra-index-url" | "--index" | "--default-index" | "-f" | "--find-links"
            | "--trusted-host" => {
                value();
                found.refusals.push(format!("{option}: the operator of this service chooses the package index"));
            }
            "-e" | "--editable" => {
                let code = value();
                found.refusals.push(format!("{option} {code}: put the code into the project and import it"));
            }
            "-c" | "--channel" | "-n" | "--name" | "-p" if installer == Installer::Conda => drop(value()),
            "-c" | "--constraint" => {
                value();
                found.refusals.push(format!("{option}: write the versions behind the names, as in name<2"));
            }
            "-t" | "--target" | "--prefix" | "--root" | "--progress-bar" | "--timeout" | "--retries"
            | "--upgrade-strategy" | "--root-user-action" | "--cache-dir" | "--python" | "--log"
            | "--exists-action" | "--only-binary" | "--no-binary" | "--platform" | "--python-version"
            | "--implementation" | "--abi" | "--cert" | "--proxy" => drop(value()),
            // Others say how, not what.
            _ => {}
        }
    }
    found
}

/// Returns the commands of a line for a shell, as words. What goes to another command or a file is left out.
fn commands(line: &str) -> Vec<Vec<String>> {
    let mut all = vec![Vec::new()];
    let mut word: Option<String> = None;
    let mut is_left_out = false;
    let mut characters = line.chars().peekable();
    fn end(all: &mut [Vec<String>], word: &mut Option<String>, is_left_out: bool) {
        if let (Some(word), Some(words), false) = (word.take(), all.last_mut(), is_left_out) {
            words.push(word);
        }
    }
    while let Some(c) = characters.next() {
        match c {
            '\'' | '"' => {
                let word = word.get_or_insert_default();
                for inner in characters.by_ref().take_while(|&inner| inner != c) {
                    word.push(inner);
                }
            }
            '\\' => word.get_or_insert_default().extend(characters.next()),
            '#' if word.is_none() => break,
            ';' | '&' | '|' => {
                // 2>&1, &>file
                if word.as_ref().is_some_and(|word| word.ends_with('>')) || characters.peek() == Some(&'>') {
                    word.get_or_insert_default().push(c);
                    continue;
                }
                end(&mut all, &mut word, is_left_out);
                let is_pipe = c == '|' && characters.peek() != Some(&'|');
                characters.next_if_eq(&c);
                is_left_out = is_pipe;
                if !is_pipe {
                    all.push(Vec::new());
                }
            }
            c if c.is_whitespace() => end(&mut all, &mut word, is_left_out),
            c => word.get_or_insert_default().push(c),
        }
    }
    end(&mut all, &mut word, is_left_out);
    all.into_iter().map(without_redirections).collect()
}

/// Removes redirections, but not `name>=2`, which is meant as a version.
fn without_redirections(words: Vec<String>) -> Vec<String> {
    let mut kept = Vec::new();
    let mut words = words.into_iter();
    while let Some(word) = words.next() {
        let operator = word.trim_start_matches(|c: char| c.is_ascii_digit() || c == '&');
        if !operator.starts_with(['>', '<']) || operator.starts_with(">=") && operator.len() > 2 {
            kept.push(word);
        } else if operator.trim_start_matches(['>', '<', '&']).is_empty() {
            words.next();
        }
    }
    kept
}

/// Whether a line starts within a text in triple quotes.
#[derive(Default)]
struct Quotes {
    open: Option<&'static str>,
}

impl Quotes {
    fn are_open(&self) -> bool {
        self.open.is_some()
    }

    fn read(&mut self, line: &str) {
        let bytes = line.as_bytes();
        let mut at = 0;
        let mut single = None;
        while let Some(&byte) = bytes.get(at) {
            let triple = ["\"\"\"", "'''"].into_iter().find(|triple| bytes[at..].starts_with(triple.as_bytes()));
            at += match (self.open, single, byte) {
                (_, _, b'\\') if self.open.is_some() || single.is_some() => 2,
                (Some(open), ..) if triple == Some(open) => {
                    self.open = None;
                    3
                }
                (Some(_), ..) => 1,
                (None, Some(quote), _) => {
                    single = single.filter(|_| byte != quote);
                    1
                }
                (None, None, b'#') => return,
                (None, None, b'"' | b'\'') if triple.is_some() => {
                    self.open = triple;
                    3
                }
                (None, None, b'"' | b'\'') => {
                    single = Some(byte);
                    1
                }
                _ => 1,
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn requirements(command: &str) -> Vec<String> {
        of_shell(command).unwrap_or_else(|| panic!("{command} installs nothing")).requirements
    }

    #[test]
    fn commands_say_what_is_installed() {
        for (command, wanted) in [
            ("pip install tabulate", &["tabulate"][..]),
            ("pip install -q -U tabulate==0.9.0 rich", &["tabulate==0.9.0", "rich"]),
            ("pip3 install 'numpy>=1.20,<3' \"requests[socks]\"", &["numpy<3,>=1.20", "requests[socks]"]),
            ("pip install numpy>=1.20 pandas<3", &["numpy>=1.20", "pandas<3"]),
            ("python -m pip install --upgrade pip", &["pip"]),
            ("/usr/bin/python3.11 -m pip install x", &["x"]),
            ("{sys.executable} -m pip install x", &["x"]),
            ("uv pip install --system x", &["x"]),
            ("pip3.11 install x y", &["x", "y"]),
            ("sudo pip install x", &["x"]),
            ("conda install -y -c conda-forge x", &["x"]),
            ("mamba install --channel=conda-forge -n base x", &["x"]),
            ("pip install x > /dev/null 2>&1", &["x"]),
            ("pip install x >/dev/null 2>/dev/null", &["x"]),
            ("pip install x &> log", &["x"]),
            ("pip install x | tail -n 1", &["x"]),
            ("pip install x && pip install y; echo done", &["x", "y"]),
            ("pip install --progress-bar off --root-user-action=ignore x # y", &["x"]),
            ("pip install", &[]),
        ] {
            assert_eq!(requirements(command), wanted, "{command}");
        }
        for other in
            ["pip list", "pip uninstall x", "pipx install x", "ls", "", "uv run x", "uv add x", "echo pip install x"]
        {
            assert_eq!(of_shell(other), None, "{other}");
        }
    }

    #[test]
    fn what_cannot_be_installed_is_said() {
        let found = of_shell("pip install -r more.txt -i https://x.example git+https://x.example/y -e . ok").unwrap();
        assert_eq!((&*found.requirements, &*found.files), (&["ok".to_owned()][..], &["more.txt".to_owned()][..]));
        assert_eq!(found.refusals.len(), 3, "{found:?}");
        assert!(found.refusals[1].contains("URLs are not accepted"), "{found:?}");
    }

    #[test]
    fn installing_lines_become_statements() {
        let source = "!pip install -q a \\\n  b\nimport a\nif a:\n    %pip install c\r\n\ttext = '''\n!pip install d\n'''\n\
                      x = \"it's\" # '''\n  ! python -m pip install e";
        let (python, lines) = without_installing_lines(source);
        let expected =
            "pass\n\nimport a\nif a:\n    pass\r\n\ttext = '''\n!pip install d\n'''\nx = \"it's\" # '''\n  pass";
        assert_eq!(python, expected);
        let found: Vec<_> = lines.iter().map(|it| (it.line, it.installation.requirements.join(" "))).collect();
        assert_eq!(found, [(1, "a b".to_owned()), (5, "c".to_owned()), (10, "e".to_owned())]);
        for other in
            ["import pip\n", "print('!pip install x')\n", "!pipx install y\n", "# !pip install x\n", "!ls # pip\n"]
        {
            assert!(
                matches!(without_installing_lines(other), (Cow::Borrowed(_), lines) if lines.is_empty()),
                "{other}"
            );
        }
    }

    #[test]
    fn any_text_is_read() {
        for unit in [
            "!pip install ",
            "!pip install x\\\n",
            "'''",
            "\"",
            "\\",
            "é'",
            "!pip install 'é",
            "pip\n",
            "%pip install;&&|",
        ] {
            let _ = without_installing_lines(&unit.repeat(2_000));
        }
    }
}
