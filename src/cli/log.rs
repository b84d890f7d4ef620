//! The server's log: each event is one line of bounded length, whatever is told in it.

use super::{Failure, Result};
use pyexec::config::{LogFormat, Settings};
use serde_json::Value;
use std::{
    borrow::Cow,
    io::{self, IsTerminal as _, Write},
};
use tracing_subscriber::{EnvFilter, fmt::MakeWriter};

/// Longest line; what jobs and daemons say may be megabytes.
const LINE_BYTES_MAX: usize = 16 << 10;
/// Bounds one text in a line that is too long, in bytes.
const TEXT_BYTES_MAX: usize = 1 << 10;

pub(crate) fn start(settings: &Settings) -> Result<()> {
    let filter = EnvFilter::try_new(&settings.log_level)
        .map_err(|e| Failure::Usage(format!("log_level: {:?}: {e}", settings.log_level)))?;
    let filter = match "rmcp=warn".parse() {
        // It has a line for each message, which nobody else has.
        Ok(directive) if !settings.log_level.contains("rmcp") => filter.add_directive(directive),
        _ => filter,
    };
    let colors = io::stderr().is_terminal();
    let log = tracing_subscriber::fmt().with_env_filter(filter);
    let started = match settings.log_format {
        LogFormat::Human => log.with_ansi(colors).with_writer(Lines { json: false, colors }).try_init(),
        LogFormat::Json => log.json().with_writer(Lines { json: true, colors: false }).try_init(),
    };
    started.map_err(|e| Failure::Fault(format!("cannot start the log: {e}")))
}

/// Writes events to standard error, each of which comes in one piece.
#[derive(Debug, Clone, Copy)]
struct Lines {
    json: bool,
    /// The formatter's own, which escapes those of others.
    colors: bool,
}

impl MakeWriter<'_> for Lines {
    type Writer = Lines;

    fn make_writer(&self) -> Lines {
        *self
    }
}

impl Write for Lines {
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(event);
        let text = text.strip_suffix('\n').unwrap_or(&text);
        let mut line = if self.json { json_line(text) } else { line(text, self.colors) }.into_owned();
        line.push('\n');
        io::stderr().lock().write_all(line.as_bytes())?;
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}

/// Escapes what would end the line or change how it is shown.
fn line(text: &str, colors: bool) -> Cow<'_, str> {
    let is_plain = |c: char| {
        let ends_line = matches!(c, '\u{2028}' | '\u{2029}');
        let turns = matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        !(c.is_control() || ends_line || turns) || colors && c == '\x1b'
    };
    if text.len() <= LINE_BYTES_MAX && text.chars().all(is_plain) {
        return text.into();
    }
    let mut line = String::new();
    for c in cut(text, LINE_BYTES_MAX).chars() {
        if is_plain(c) { line.push(c) } else { line.extend(c.escape_default()) }
    }
    if text.len() > LINE_BYTES_MAX {
        line.push_str(&format!("… ({} bytes)", text.len()));
    }
    line.into()
}

/// Cuts the texts in a line that is too long. JSON has no line breaks.
fn json_line(text: &str) -> Cow<'_, str> {
    if text.len() <= LINE_BYTES_MAX {
        return text.into();
    }
    let Ok(mut event) = serde_json::from_str(text) else { return line(text, false) };
    shorten(&mut event);
    event.to_string().into()
}

fn shorten(value: &mut Value) {
    match value {
        Value::String(text) if text.len() > TEXT_BYTES_MAX => {
            *text = format!("{}… ({} bytes)", cut(text, TEXT_BYTES_MAX), text.len());
        }
        Value::Array(values) => values.iter_mut().for_each(shorten),
        Value::Object(members) => members.values_mut().for_each(shorten),
        _ => {}
    }
}

fn cut(text: &str, bytes_max: usize) -> &str {
    &text[..text.floor_char_boundary(bytes_max)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_one_line_that_shows_what_it_is() {
        assert_eq!(line("INFO pyexec: ended id=é", false), "INFO pyexec: ended id=é");
        assert_eq!(
            line("x\n2030-01-01 ERROR pyexec: forged\r\x1b[2J\u{2028}\u{202e}", true),
            "x\\n2030-01-01 ERROR pyexec: forged\\r\x1b[2J\\u{2028}\\u{202e}"
        );
        assert_eq!(line("\x1b[2J\u{9b}", false), "\\u{1b}[2J\\u{9b}");
    }

    #[test]
    fn an_event_is_of_bounded_length() {
        let long = "é\n".repeat(1 << 20);
        assert!(line(&long, false).len() < 2 * LINE_BYTES_MAX && line(&long, false).ends_with("… (3145728 bytes)"));
        let event = serde_json::json!({"level": "ERROR", "fields": {"error": long, "list": [long]}}).to_string();
        let shown: Value = serde_json::from_str(&json_line(&event)).expect("JSON still");
        assert_eq!(shown["level"], "ERROR");
        assert!(json_line(&event).len() < LINE_BYTES_MAX);
    }
}
