//! What a call of a session shows beside its output, within bounds.

use crate::outcome::{Display, JsonText};
use serde::Deserialize;
use std::collections::BTreeMap;

const DISPLAYS_MAX: usize = 256;
/// Of all that a call shows.
const BYTES_MAX: usize = 16 << 20;
/// Formats of one object.
const FORMATS_MAX: usize = 50;
const PLAIN: &str = "text/plain";

/// Takes what a guest shows, in the order in which it does.
#[derive(Debug, Default)]
pub(crate) struct Displays {
    found: Vec<Display>,
    bytes: usize,
    left_out: u64,
    /// What the value has beside its `repr`, which comes later.
    value: Option<Shown>,
}

/// As the guest writes it (`_pyexec_display.py`).
#[derive(Debug, Deserialize)]
struct Shown {
    data: BTreeMap<String, JsonText>,
    #[serde(default)]
    metadata: Option<JsonText>,
    #[serde(default)]
    is_result: bool,
}

impl Displays {
    /// Takes something that is shown, and returns it; nothing when it is no JSON, too much, or the value without its `repr`.
    pub(crate) fn add(&mut self, json: &str) -> Option<&Display> {
        // Before it is looked at: a guest may say anything, again and again.
        if !self.has_room(json.len()) {
            return None;
        }
        let shown: Shown = serde_json::from_str(json).ok()?;
        let is_sane = shown.data.len() <= FORMATS_MAX && shown.data.values().all(JsonText::is_shallow);
        if !is_sane {
            return None;
        }
        if shown.is_result {
            self.value = Some(shown);
            return None;
        }
        self.push(Display::new(shown.data, shown.metadata))
    }

    /// Takes the `repr` of the value, and returns all of what it is shown as.
    pub(crate) fn add_value(&mut self, text: &str) -> Option<&Display> {
        let (mut data, mut metadata) = (BTreeMap::new(), None);
        if let Some(value) = self.value.take() {
            if value.data.is_empty() {
                // It has shown itself.
                return None;
            }
            (data, metadata) = (value.data, value.metadata);
        }
        if !data.contains_key(PLAIN) {
            if !self.has_room(text.len()) {
                return None;
            }
            data.insert(PLAIN.to_owned(), JsonText::from(serde_json::Value::from(text)));
        }
        self.push(Display { is_result: true, ..Display::new(data, metadata) })
    }

    /// Takes a figure, as PNG in base64.
    pub(crate) fn add_png(&mut self, base64: &str) -> Option<&Display> {
        if !self.has_room(base64.len()) {
            return None;
        }
        let data = BTreeMap::from([("image/png".to_owned(), JsonText::from(serde_json::Value::from(base64)))]);
        self.push(Display::new(data, None))
    }

    /// Takes room for so many bytes, or counts what has none.
    fn has_room(&mut self, bytes: usize) -> bool {
        if self.found.len() >= DISPLAYS_MAX || self.bytes + bytes > BYTES_MAX {
            self.left_out = self.left_out.saturating_add(1);
            return false;
        }
        self.bytes += bytes;
        true
    }

    fn push(&mut self, display: Display) -> Option<&Display> {
        self.found.push(display);
        self.found.last()
    }

    /// Says what is missing, if anything is.
    pub(crate) fn cut(&self) -> Option<String> {
        (self.left_out > 0).then(|| {
            format!(
                "pyexec: {} more displays were left out: {DISPLAYS_MAX} of {} MiB together come back\n",
                self.left_out,
                BYTES_MAX >> 20
            )
        })
    }

    /// Returns all of them.
    pub(crate) fn take(&mut self) -> Vec<Display> {
        std::mem::take(self).found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(displays: &mut Displays) -> Vec<(Vec<String>, bool)> {
        displays.take().into_iter().map(|it| (it.data.into_keys().collect(), it.is_result)).collect()
    }

    #[test]
    fn the_value_is_shown_with_its_repr() {
        let mut displays = Displays::default();
        assert!(displays.add(r#"{"data":{"text/html":"<b>"},"metadata":{},"is_result":true}"#).is_none());
        assert!(displays.add(r#"{"data":{"text/plain":"x"}}"#).is_some());
        assert_eq!(displays.add_value("'é'").and_then(|it| it.text("text/plain")).as_deref(), Some("'é'"));
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        assert_eq!(
            texts(&mut displays),
            [(names(&["text/plain"]), false), (names(&["text/html", "text/plain"]), true)]
        );
        assert!(displays.add(r#"{"data":{},"is_result":true}"#).is_none() && displays.add_value("x").is_none());
        assert!(displays.add("{").is_none() && displays.take().is_empty());
    }

    #[test]
    fn what_is_shown_is_bounded_and_what_is_missing_is_said() {
        let mut displays = Displays::default();
        for _ in 0..DISPLAYS_MAX + 3 {
            displays.add(r#"{"data":{"text/plain":"x"}}"#);
        }
        assert!(displays.cut().is_some_and(|cut| cut.starts_with("pyexec: 3 more displays")), "{:?}", displays.cut());
        assert_eq!(displays.take().len(), DISPLAYS_MAX);
        // What is nonsense takes room as well, so that nobody looks at it again and again.
        let nonsense = "x".repeat(BYTES_MAX / 2);
        assert!((0..3).all(|_| displays.add(&nonsense).is_none()) && displays.cut().is_some());
        let deep = format!(r#"{{"data":{{"application/json":{}{}}}}}"#, "[".repeat(1000), "]".repeat(1000));
        assert!(Displays::default().add(&deep).is_none());
    }
}
