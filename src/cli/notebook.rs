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
    /// Where each cell with code starts in the script.
    pub(crate) cells: Vec<CellStart>,
}

/// The place of a cell in the script.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct CellStart {
    /// Counts cells of code, from 1.
    number: usize,
    /// The line of the script in which its code starts, from 1.
    line: usize,
    /// Lines of the cell that stand before that, such as `%%time`.
    skipped: usize,
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
        let mut cells_found = Vec::new();
        let mut ends_quietly = false;
        for (number, cell) in cells.into_iter().filter(|cell| cell.cell_type == "code").enumerate() {
            let source = match cell.source {
                Source::Text(text) => text,
                Source::Lines(lines) => lines.concat(),
            };
            let code = converter.cell(&source);
            if !code.trim().is_empty() {
                ends_quietly = code.trim_end().ends_with(';');
                let skipped = usize::from(source.trim_start().starts_with("%%"))
                    + source.lines().take_while(|line| line.trim().is_empty()).count();
                // Behind the comment with its number.
                let line = script.lines().count() + 2;
                cells_found.push(CellStart { number: number + 1, line, skipped });
                let code = if skipped > 0 { code.trim_start_matches('\n') } else { &code };
                let _ = write!(script, "# In [{}]\n{}\n\n", number + 1, code.trim_end());
            }
        }
        // As in a notebook, a last value before a semicolon is not shown.
        if ends_quietly {
            script.push_str("None\n");
        }
        Ok(converter.finish(&script, cells_found))
    }
}

#[derive(Default)]
struct Converter {
    /// Lines that install packages, and whose place a statement or a value has taken.
    installing: String,
    unknown: BTreeSet<String>,
    uses_shell: bool,
    uses_display: bool,
    /// Says whether there are cells that IPython would run many times.
    is_timed: bool,
}

impl Converter {
    fn cell(&mut self, source: &str) -> String {
        let source = source.replace("\r\n", "\n");
        let start = source.trim_start();
        let Some(magic) = start.strip_prefix("%%") else { return self.lines(&source) };
        let (line, body) = magic.split_once('\n').unwrap_or((magic, ""));
        let (name, arguments) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        match name {
            "time" | "timeit" | "capture" | "prun" | "python" | "python3" => {
                self.is_timed |= name == "timeit";
                self.lines(body)
            }
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
            "time" | "matplotlib" | "pylab" | "load_ext" | "reload_ext" | "autoreload" | "config" | "precision"
            | "env" => nothing.to_owned(),
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

    fn finish(self, script: &str, mut cells: Vec<CellStart>) -> Notebook {
        let shell = if self.uses_shell { SUBPROCESS } else { "" };
        let display = if self.uses_display { DISPLAY } else { "" };
        let mut remarks = Vec::new();
        if !self.unknown.is_empty() {
            let names = self.unknown.into_iter().collect::<Vec<_>>().join(", ");
            remarks.push(format!("left out of the notebook, as only IPython has it: {names}"));
        }
        if self.is_timed {
            remarks.push("run once, and not timed: cells with %%timeit".to_owned());
        }
        let before = format!("{}{shell}{display}", self.installing);
        for cell in &mut cells {
            cell.line += before.lines().count();
        }
        Notebook { script: format!("{before}{script}"), remarks, cells }
    }
}

/// The cells of a notebook, by which what names lines of its script can name theirs.
#[derive(Debug)]
pub(crate) struct Cells {
    notebook: String,
    /// Precedes the number of a line of the script in a traceback.
    place: String,
    script: String,
    starts: Vec<CellStart>,
    /// The beginning of a line that may be such a place.
    held: Vec<u8>,
}

impl Cells {
    /// Takes the cells of the notebook with this name, whose script goes by another.
    pub(crate) fn new(notebook: &str, script: &str, starts: Vec<CellStart>) -> Cells {
        let place = format!("File \"/work/{script}\", line ");
        Cells { notebook: notebook.to_owned(), place, script: script.to_owned(), starts, held: Vec::new() }
    }

    /// Returns output with places in cells, but for the beginning of a line, which is held back.
    pub(crate) fn named(&mut self, bytes: &[u8]) -> Vec<u8> {
        self.held.extend_from_slice(bytes);
        let whole = self.held.iter().rposition(|&byte| byte == b'\n').map_or(0, |end| end + 1);
        let mut named = Vec::with_capacity(self.held.len());
        for line in self.held[..whole].split_inclusive(|&byte| byte == b'\n') {
            named.extend(self.line(line));
        }
        self.held.drain(..whole);
        if !self.may_be_place(&self.held) {
            named.append(&mut self.held);
        }
        named
    }

    /// Returns what was held back.
    pub(crate) fn rest(&mut self) -> Vec<u8> {
        let rest = std::mem::take(&mut self.held);
        self.line(&rest)
    }

    /// Returns a text with places in cells.
    pub(crate) fn in_text(&self, text: &str) -> String {
        let lines = text.split_inclusive('\n').flat_map(|line| self.line(line.as_bytes()));
        String::from_utf8_lossy(&lines.collect::<Vec<_>>()).into_owned()
    }

    /// Returns the file and the line of a frame as those of a cell.
    pub(crate) fn frame(&self, file: &str, line: u32) -> Option<(String, u32)> {
        let (cell, line) = self.cell(usize::try_from(line).ok()?).filter(|_| file == self.script)?;
        Some((format!("{}, cell {cell}", self.notebook), u32::try_from(line).ok()?))
    }

    fn may_be_place(&self, start: &[u8]) -> bool {
        let start = start.trim_ascii_start();
        let place = self.place.as_bytes();
        let common = start.len().min(place.len());
        start[..common] == place[..common]
    }

    fn line(&self, line: &[u8]) -> Vec<u8> {
        let named = || {
            let text = str::from_utf8(line).ok()?;
            let (indent, rest) = text.split_once(&self.place).filter(|(indent, _)| indent.trim().is_empty())?;
            let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
            let (number, rest) = rest.split_at(digits);
            let (cell, line) = self.cell(number.parse().ok()?)?;
            Some(format!("{indent}File \"{}\", cell {cell}, line {line}{rest}", self.notebook).into_bytes())
        };
        named().unwrap_or_else(|| line.to_vec())
    }

    /// Returns the cell that a line of the script is in, and the line there.
    fn cell(&self, line: usize) -> Option<(usize, usize)> {
        let start = self.starts.iter().rfind(|start| start.line <= line)?;
        Some((start.number, line - start.line + 1 + start.skipped))
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
    fn places_are_those_in_cells() {
        let read = notebook(&["import os\n\ndisplay(1)", "# a", "%%time\nx = 1\n1 / 0"]);
        let line = read.script.lines().position(|line| line == "1 / 0").expect("the line") + 1;
        let mut cells = Cells::new("a b.ipynb", "a b.py", read.cells);
        let text = format!(
            "Traceback:\n  File \"/work/a b.py\", line {line}, in <module>\n    1 / 0\n  File \"/work/c.py\", line 5\n"
        );
        let expected = text.replace(&format!("/work/a b.py\", line {line}"), "a b.ipynb\", cell 3, line 3");
        assert_eq!(cells.in_text(&text), expected);
        let mut streamed = Vec::new();
        for byte in text.as_bytes() {
            streamed.extend(cells.named(&[*byte]));
        }
        streamed.extend(cells.rest());
        assert_eq!(String::from_utf8(streamed).expect("text"), expected);
        assert_eq!(cells.named(b"  progress 5 %"), b"  progress 5 %", "it is shown at once");
        assert_eq!(cells.frame("a b.py", u32::try_from(line).expect("small")), Some(("a b.ipynb, cell 3".into(), 3)));
        assert_eq!(cells.frame("c.py", 9), None);
    }

    #[test]
    fn what_is_to_be_timed_is_told() {
        let read = notebook(&["%timeit f()", "%%timeit\nf()"]);
        assert_eq!(read.remarks.len(), 2, "{:?}", read.remarks);
        assert!(read.remarks[0].contains("%timeit") && read.remarks[1].contains("not timed"), "{:?}", read.remarks);
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
