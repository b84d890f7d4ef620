//! Inline script metadata (PEP 723): a block of comments in the entry script that says what it requires.

use crate::python::Requirement;
use crate::{Error, Result};
use serde::Deserialize;

/// Holds the metadata of a block.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Script {
    /// Versions of Python that it runs on.
    pub(crate) requires_python: Option<Requirement>,
    /// Requirements, as written.
    pub(crate) dependencies: Vec<String>,
    /// What its table `tool.pyexec` says.
    pub(crate) container: Container,
}

/// The container that a script asks for: `[tool.pyexec]`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Container {
    /// The image to run in.
    pub(crate) image: Option<String>,
    /// Shell commands that prepare it.
    pub(crate) pre_commands: Vec<String>,
}

#[derive(Deserialize)]
struct Content {
    #[serde(rename = "requires-python")]
    requires_python: Option<String>,
    #[serde(default)]
    dependencies: Vec<String>,
    #[serde(default)]
    tool: Tool,
}

/// Other tools have tables of their own.
#[derive(Default, Deserialize)]
struct Tool {
    #[serde(default)]
    pyexec: Container,
}

impl Script {
    /// Finds the block in a source, if it has one.
    pub(crate) fn find(source: &str) -> Result<Option<Script>> {
        let mut blocks = blocks(source);
        let Some(block) = blocks.next() else { return Ok(None) };
        if blocks.next().is_some() {
            return Err(Error::invalid("the script has two '# /// script' blocks: leave one"));
        }
        let bad = |why: String| Error::invalid(format!("bad '# /// script' block: {}", why.trim()));
        let content: Content = toml::from_str(&block).map_err(|e| bad(e.to_string()))?;
        let requires_python = match content.requires_python.as_deref().map(str::parse) {
            None => None,
            Some(Ok(requirement)) => Some(requirement),
            Some(Err(why)) => return Err(bad(format!("requires-python: {why}"))),
        };
        let container = content.tool.pyexec;
        Ok(Some(Script { requires_python, dependencies: content.dependencies, container }))
    }
}

/// Contents of the blocks of type `script`. One without an end is none, says the PEP; its end is the last line `# ///`
/// among the comment lines that follow.
fn blocks(source: &str) -> impl Iterator<Item = String> {
    let mut lines = source.lines();
    std::iter::from_fn(move || {
        loop {
            lines.find(|line| line.trim_end() == "# /// script")?;
            let mut content = String::new();
            let mut end = None;
            let mut ahead = lines.clone();
            while let Some(line) = ahead.next() {
                let line = line.trim_end();
                if line == "# ///" {
                    end = Some((content.len(), ahead.clone()));
                }
                match line.strip_prefix("# ").or((line == "#").then_some("")) {
                    Some(text) => content.extend([text, "\n"]),
                    None => break,
                }
            }
            let Some((length, rest)) = end else {
                lines = ahead; // another opening line among these comments has no end either
                continue;
            };
            content.truncate(length);
            lines = rest;
            return Some(content);
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requirements_and_version_are_read() {
        let source = "#!/usr/bin/env python3\n# /// script\n# requires-python = \">=3.11\"\n# dependencies = [\n#   \
                      \"requests<3\",\n#\n#   'rich',\n# ]\n# ///\n\nimport requests\n";
        let script = Script::find(source).unwrap().unwrap();
        assert_eq!(script.dependencies, ["requests<3", "rich"]);
        assert_eq!(script.requires_python.unwrap().to_string(), ">=3.11");
        assert_eq!(Script::find(&source.replace('\n', "\r\n")).unwrap().unwrap().dependencies.len(), 2);
    }

    #[test]
    fn other_comments_are_not_metadata() {
        for source in [
            "",
            "import os",
            "# /// script\n# dependencies = ['x']\nimport os\n",
            "# /// script\n# dependencies = ['x']\n",
            " # /// script\n# dependencies = ['x']\n# ///\n",
            "# /// pyproject\n# dependencies = ['x']\n# ///\n",
            "#/// script\n# dependencies = ['x']\n# ///\n",
        ] {
            assert_eq!(Script::find(source).unwrap(), None, "{source}");
        }
    }

    #[test]
    fn an_empty_block_requires_nothing() {
        assert_eq!(Script::find("# /// script\n# ///\n").unwrap(), Some(Script::default()));
        let tool = "# /// script\n# [tool.uv]\n# exclude-newer = 'x'\n# ///\n";
        assert_eq!(Script::find(tool).unwrap(), Some(Script::default()));
    }

    #[test]
    fn a_script_may_say_what_container_it_needs() {
        let source =
            "# /// script\n# [tool.pyexec]\n# image = 'python:3.12-slim'\n# pre-commands = ['apt-get update']\n# ///\n";
        let container = Script::find(source).unwrap().unwrap().container;
        assert_eq!(container.image.as_deref(), Some("python:3.12-slim"));
        assert_eq!(container.pre_commands, ["apt-get update"]);
    }

    #[test]
    fn a_bad_block_is_refused_with_the_reason() {
        for (source, reason) in [
            ("# /// script\n# [tool.pyexec]\n# network = true\n# ///\n", "unknown field `network`"),
            ("# /// script\n# dependencies = 'x'\n# ///\n", "invalid type"),
            ("# /// script\n# dependencies = [\n# ///\n", "bad '# /// script' block"),
            ("# /// script\n# requires-python = 'new'\n# ///\n", "requires-python"),
            ("# /// script\n# ///\n\n# /// script\n# ///\n", "two '# /// script' blocks"),
        ] {
            let error = Script::find(source).unwrap_err().to_string();
            assert!(error.contains(reason), "{source}: {error}");
        }
    }
}
