//! Jupyter notebooks: their cells as one script.
//!
//! Lines for IPython are turned into what they do, where a script can do it: shell commands, the working directory,
//! environment variables, files that are written. Lines that install packages stay: a job's script may have them. What only
//! concerns a display is left out; so is the rest, of which the user is told.

use pyexec::is_installing_line;
use ruff_python_ast::token::TokenKind;
use ruff_python_parser::{Mode, ParseOptions, parse_unchecked};
use serde::Deserialize;
use std::{collections::BTreeSet, fmt::Write};

/// `display` as a terminal has it.
const DISPLAY: &str = "def display(*values, **_):\n    for value in values:\n        print(repr(value))\n\n";
const SUBPROCESS: &str = "import subprocess as _subprocess\n";

/// A notebook, as far as it is to be run.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Notebook {
    pub(crate) script: String,
    /// For the user.
    pub(crate) remarks: Vec<String>,
}

#[derive(Deserialize)]
struct File {
    #[serde(default)]
    metadata: Metadata,
    cells: Option<Vec<Cell>>,
    /// Instead of cells, before the fourth version of the format.
    #[serde(default)]
    worksheets: Vec<Worksheet>,
}

#[derive(Default, Deserialize)]
struct Metadata {
    #[serde(default)]
    kernelspec: Language,
    #[serde(default)]
    language_info: Language,
}

#[derive(Default, Deserialize)]
struct Language {
    /// Of a kernel.
    language: Option<String>,
    /// Of a language.
    name: Option<String>,
}

#[derive(Deserialize)]
struct Worksheet {
    cells: Vec<Cell>,
}

#[derive(Deserialize)]
struct Cell {
    cell_type: String,
    #[serde(default, alias = "input")]
    source: Source,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Source {
    Text(String),
    Lines(Vec<String>),
}

impl Default for Source {
    fn default() -> Source {
        Source::Lines(Vec::new())
    }
}

impl Notebook {
    /// Reads the file of a notebook.
    pub(crate) fn parse(json: &[u8]) -> Result<Notebook, String> {
        let File { metadata, cells, worksheets } = serde_json::from_slice(json).map_err(|e| e.to_string())?;
        let Metadata { kernelspec, language_info } = metadata;
        if let Some(language) = kernelspec.language.or(language_info.name)
            && !language.to_ascii_lowercase().contains("python")
        {
            return Err(format!("its cells are in {language}, not in Python"));
        }
        let cells = cells.unwrap_or_else(|| worksheets.into_iter().flat_map(|sheet| sheet.cells).collect());
        let mut converter = Converter::default();
        let mut script = String::new();
        let mut ends_quietly = false;
        for (number, cell) in cells.into_iter().filter(|cell| cell.cell_type == "code").enumerate() {
            let source = match cell.source {
                Source::Text(text) => text,
                Source::Lines(lines) => lines.concat(),
            };
            let code = converter.cell(&source);
            if !code.trim().is_empty() {
                ends_quietly = code.trim_end().ends_with(';');
                let _ = write!(script, "# In [{}]\n{}\n\n", number + 1, code.trim_end());
            }
        }
        // As in a notebook, a last value before a semicolon is not shown.
        if ends_quietly {
            script.push_str("None\n");
        }
        Ok(converter.finish(&script))
    }
}

#[derive(Default)]
struct Converter {
    /// Lines that install packages, and whose place a statement or a value has taken.
    installing: String,
    unknown: BTreeSet<String>,
    uses_shell: bool,
    uses_display: bool,
}

impl Converter {
    fn cell(&mut self, source: &str) -> String {
        let source = source.replace("\r\n", "\n");
        let start = source.trim_start();
        let Some(magic) = start.strip_prefix("%%") else { return self.lines(&source) };
        let (line, body) = magic.split_once('\n').unwrap_or((magic, ""));
        let (name, arguments) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        match name {
            "time" | "timeit" | "capture" | "prun" | "python" | "python3" => self.lines(body),
            "bash" | "sh" | "script" | "!" => {
                self.uses_shell = true;
                let shell = if name == "sh" { "sh" } else { "bash" };
                format!("_subprocess.run([{}, \"-c\", {}], check=True)\n", text(shell), text(body))
            }
            "writefile" | "file" => {
                let mode = if arguments.split_whitespace().any(|word| word == "-a") { "a" } else { "w" };
                let path = arguments.split_whitespace().find(|word| !word.starts_with('-')).unwrap_or_default();
                format!("with open({}, {}) as _file:\n    _file.write({})\n", text(path), text(mode), text(body))
            }
            "html" | "HTML" | "javascript" | "js" | "latex" | "markdown" | "svg" | "SVG" => String::new(),
            _ => {
                self.unknown.insert(format!("%%{name}"));
                String::new()
            }
        }
    }

    /// Converts code with lines for IPython in it.
    fn lines(&mut self, source: &str) -> String {
        let parsed = parse_unchecked(source, ParseOptions::from(Mode::Ipython));
        let (mut code, mut copied, mut is_value) = (String::new(), 0, false);
        for token in parsed.tokens() {
            let (kind, range) = token.as_tuple();
            let (from, to) = (range.start().to_usize(), range.end().to_usize());
            match kind {
                TokenKind::IpyEscapeCommand => {
                    code.push_str(source.get(copied..from).unwrap_or_default());
                    code.push_str(&self.escape(source.get(from..to).unwrap_or_default(), is_value));
                    copied = to;
                }
                // Help for what is before it: nobody would see it.
                TokenKind::Question => {
                    let line = source.get(..from).and_then(|before| before.rfind('\n')).map_or(0, |end| end + 1);
                    code.push_str(source.get(copied..line).unwrap_or_default());
                    copied = copied.max(to);
                }
                TokenKind::Name if source.get(from..to) == Some("display") => self.uses_display = true,
                _ => {}
            }
            is_value = kind == TokenKind::Equal;
        }
        code.push_str(source.get(copied..).unwrap_or_default());
        code
    }

    /// Converts a line for IPython into a statement, or into a value.
    fn escape(&mut self, line: &str, is_value: bool) -> String {
        let line = line.replace("\\\n", " ");
        let nothing = if is_value { "None" } else { "pass" };
        if let Some(command) = line.strip_prefix('!') {
            return self.shell(command.trim_start_matches('!').trim(), is_value, nothing);
        }
        let Some(magic) = line.strip_prefix('%') else { return nothing.to_owned() };
        let magic = magic.trim();
        let (name, arguments) = magic.split_once(char::is_whitespace).unwrap_or((magic, ""));
        let arguments = arguments.trim();
        match name {
            "pip" | "conda" | "mamba" | "uv" => {
                self.installing(magic, is_value, nothing).unwrap_or_else(|| self.leave_out(name, nothing))
            }
            "time" if !arguments.is_empty() => arguments.to_owned(),
            "cd" => format!("__import__(\"os\").chdir({})", text(arguments.trim_matches(['"', '\'']))),
            "env" | "set_env" if !arguments.is_empty() => {
                let (variable, value) =
                    arguments.split_once('=').or_else(|| arguments.split_once(' ')).unwrap_or((arguments, ""));
                format!("__import__(\"os\").environ.update({{{}: {}}})", text(variable.trim()), text(value.trim()))
            }
            "time" | "timeit" | "matplotlib" | "pylab" | "load_ext" | "reload_ext" | "autoreload" | "config"
            | "precision" | "env" => nothing.to_owned(),
            _ => self.leave_out(name, nothing),
        }
    }

    fn shell(&mut self, command: &str, is_value: bool, nothing: &str) -> String {
        if let Some(line) = self.installing(command, is_value, nothing) {
            return line;
        }
        self.uses_shell = true;
        let command = text(command);
        match is_value {
            true => {
                format!("_subprocess.run({command}, shell=True, capture_output=True, text=True).stdout.splitlines()")
            }
            // The value of a command is nothing that a notebook shows.
            false => format!("_subprocess.run({command}, shell=True) and None"),
        }
    }

    fn leave_out(&mut self, name: &str, nothing: &str) -> String {
        self.unknown.insert(format!("%{name}"));
        nothing.to_owned()
    }

    /// Returns a line that installs packages, if the command is one; as a value it is nothing, and the line goes first.
    fn installing(&mut self, command: &str, is_value: bool, nothing: &str) -> Option<String> {
        let line = format!("!{command}");
        if !is_installing_line(&line) {
            return None;
        }
        if is_value {
            let _ = writeln!(self.installing, "{line}");
            return Some(nothing.to_owned());
        }
        Some(line)
    }

    fn finish(self, script: &str) -> Notebook {
        let shell = if self.uses_shell { SUBPROCESS } else { "" };
        let display = if self.uses_display { DISPLAY } else { "" };
        let remarks = match self.unknown.is_empty() {
            true => Vec::new(),
            false => vec![format!(
                "left out of the notebook, as only IPython has it: {}",
                self.unknown.into_iter().collect::<Vec<_>>().join(", ")
            )],
        };
        Notebook { script: format!("{}{shell}{display}{script}", self.installing), remarks }
    }
}

/// Returns a Python literal. What JSON escapes, and how, Python does as well.
fn text(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn notebook(cells: &[&str]) -> Notebook {
        let cells: Vec<_> = cells.iter().map(|source| json!({"cell_type": "code", "source": source})).collect();
        Notebook::parse(json!({"cells": cells, "nbformat": 4}).to_string().as_bytes()).expect("a notebook")
    }

    fn code(cell: &str) -> String {
        let script = notebook(&[cell]).script;
        script.split_once("# In [1]\n").map_or("", |(_, code)| code).trim_end().to_owned()
    }

    #[test]
    fn cells_are_joined_in_order() {
        let file = json!({
            "metadata": {"kernelspec": {"language": "python", "name": "python3"}},
            "cells": [
                {"cell_type": "markdown", "source": ["# Title"]},
                {"cell_type": "code", "source": ["x = 1\n", "y = 2"], "outputs": []},
                {"cell_type": "code", "source": []},
                {"cell_type": "code", "source": "x + y"},
            ],
        });
        let read = Notebook::parse(file.to_string().as_bytes()).expect("a notebook");
        assert_eq!(read.script, "# In [1]\nx = 1\ny = 2\n\n# In [3]\nx + y\n\n");
        let old = json!({"worksheets": [{"cells": [{"cell_type": "code", "input": ["print(1)"]}]}]});
        assert_eq!(Notebook::parse(old.to_string().as_bytes()).expect("a notebook").script, "# In [1]\nprint(1)\n\n");
        assert_eq!(notebook(&["1;"]).script, "# In [1]\n1;\n\nNone\n");
    }

    #[test]
    fn lines_for_ipython_become_what_they_do() {
        for (line, expected) in [
            ("%matplotlib inline", "pass"),
            ("if True:\n    %time f()", "if True:\n    f()"),
            ("x = %time f()", "x = f()"),
            ("%cd data", "__import__(\"os\").chdir(\"data\")"),
            ("%env A=b c", "__import__(\"os\").environ.update({\"A\": \"b c\"})"),
            ("!ls \"a b\"", "_subprocess.run(\"ls \\\"a b\\\"\", shell=True) and None"),
            ("x = !ls", "x = _subprocess.run(\"ls\", shell=True, capture_output=True, text=True).stdout.splitlines()"),
            ("print(1)\nstr?", "print(1)\n"),
            ("?str", "pass"),
            ("%%time\nf()", "f()"),
            ("%%html\n<b>", ""),
            ("%%writefile a.py\nx = 1\n", "with open(\"a.py\", \"w\") as _file:\n    _file.write(\"x = 1\\n\")"),
            ("%%bash\nls", "_subprocess.run([\"bash\", \"-c\", \"ls\"], check=True)"),
            ("x = 10\ny = x\\\n % 3\ns = '''\n%cd x\n!ls\n'''", "x = 10\ny = x\\\n % 3\ns = '''\n%cd x\n!ls\n'''"),
            ("a = [1\n  % 2]", "a = [1\n  % 2]"),
        ] {
            assert_eq!(code(line), expected.trim_end(), "{line}");
        }
        assert!(notebook(&["!ls"]).script.starts_with(SUBPROCESS));
        assert!(notebook(&["display(1)"]).script.starts_with(DISPLAY));
    }

    #[test]
    fn lines_that_install_stay() {
        for (line, expected) in [
            ("!pip install -q 'numpy<3' pandas  # why", "!pip install -q 'numpy<3' pandas  # why"),
            ("if True:\n    %pip install --upgrade \\\n  tabulate", "if True:\n    !pip install --upgrade    tabulate"),
            ("!!sudo pip install -r more.txt -e .", "!sudo pip install -r more.txt -e ."),
            ("%conda install -c conda-forge scipy", "!conda install -c conda-forge scipy"),
        ] {
            assert_eq!(code(line), expected, "{line}");
            assert!(!notebook(&[line]).script.contains("subprocess"));
        }
        assert_eq!(notebook(&["x = !pip install six"]).script, "!pip install six\n# In [1]\nx = None\n\n");
    }

    #[test]
    fn what_cannot_be_done_is_told() {
        let read = notebook(&["%who", "%%R\nx <- 1", "%pip list"]);
        assert_eq!(read.remarks, ["left out of the notebook, as only IPython has it: %%R, %pip, %who"]);
        let julia = json!({"metadata": {"kernelspec": {"language": "julia"}}, "cells": []});
        assert!(Notebook::parse(julia.to_string().as_bytes()).unwrap_err().contains("julia"));
        assert!(Notebook::parse(b"print(1)").is_err());
    }
}
