//! Reads JSON objects member by member: what is wrong is named, what is unknown is noticed, and nothing is taken apart
//! further than it is needed.

use crate::config::distance;
use serde::{
    Deserialize, Deserializer,
    de::{self, Error as _, MapAccess, SeqAccess, Visitor},
};
use serde_json::value::RawValue;
use std::{
    borrow::Cow,
    collections::{HashMap, hash_map::Entry},
    fmt, iter,
    marker::PhantomData,
};

/// Members of one object.
const MEMBERS_MAX: usize = 1000;

/// Elements of one list. Each costs some dozen bytes, however short it is.
const ELEMENTS_MAX: usize = 10_000;

/// Unknown members that are named.
const NAMED_MAX: usize = 10;
const NAME_CHARS_MAX: usize = 60;
/// What is said of a value that is not as it should be.
const MESSAGE_CHARS_MAX: usize = 300;

/// Warnings about one request.
const WARNINGS_MAX: usize = 50;

/// Names that other services use for what these are here.
const SYNONYMS: &[(&str, &str)] = &[
    ("input", "stdin"),
    ("source", "code"),
    ("source_code", "code"),
    ("script", "code"),
    ("packages", "requirements_txt"),
    ("dependencies", "requirements_txt"),
    ("environment_variables", "env_vars"),
    ("run_timeout", "timeout_seconds"),
    ("memory_limit", "memory_mb"),
];

/// The members of an object that nobody has asked for yet.
pub(crate) struct Members<'a> {
    left: Vec<(Cow<'a, str>, &'a RawValue)>,
    /// Names that stood there more than once.
    repeated: Vec<String>,
    asked: Vec<&'static str>,
    /// Numbers that were 0.
    zeros: Vec<&'static str>,
    /// Stands before names in messages.
    path: &'static str,
}

impl<'a> Members<'a> {
    /// Splits an object.
    pub(crate) fn of(json: &'a str) -> Result<Members<'a>, String> {
        let object: Object<'a> = serde_json::from_str(json).map_err(|e| e.to_string())?;
        Ok(object.members(""))
    }

    /// Splits the object that a text starts with; what follows is noted, as the first service read one value and no more.
    pub(crate) fn at_start_of(json: &'a str, warnings: &mut Vec<String>) -> Result<Members<'a>, String> {
        let mut values = serde_json::Deserializer::from_str(json);
        let object = Object::deserialize(&mut values).map_err(|e| e.to_string())?;
        if values.end().is_err() {
            warn(warnings, || "what follows the JSON object was ignored".to_owned());
        }
        Ok(object.members(""))
    }

    /// Takes a member; absent and null are the default, as clients in Go send null for what they leave out.
    pub(crate) fn take<T: Deserialize<'a> + Default>(&mut self, name: &'static str) -> Result<T, String> {
        let Some(value) = self.value(name) else { return Ok(T::default()) };
        let parsed: Option<T> = serde_json::from_str(value.get()).map_err(|e| self.wrong(name, &e))?;
        Ok(parsed.unwrap_or_default())
    }

    /// Takes a member that is text.
    pub(crate) fn text(&mut self, name: &'static str) -> Result<String, String> {
        self.optional_text(name).map(Option::unwrap_or_default)
    }

    /// Takes a member that is text, or is not there.
    pub(crate) fn optional_text(&mut self, name: &'static str) -> Result<Option<String>, String> {
        self.take::<Option<Text<'a>>>(name).map(|text| text.map(|Text(text)| text.into_owned()))
    }

    /// Takes a member that is a list of texts, of bounded length.
    pub(crate) fn texts(&mut self, name: &'static str) -> Result<Vec<String>, String> {
        let texts: Vec<Text<'a>> = self.list(name)?;
        Ok(texts.into_iter().map(|Text(text)| text.into_owned()).collect())
    }

    /// Takes a member that is a list of bounded length.
    pub(crate) fn list<T: Deserialize<'a>>(&mut self, name: &'static str) -> Result<Vec<T>, String> {
        self.take(name).map(|List(list)| list)
    }

    /// Takes a number that is not negative; 0 stands for nothing.
    pub(crate) fn number(&mut self, name: &'static str) -> Result<Option<f64>, String> {
        let Some(number) = self.take::<Option<f64>>(name)? else { return Ok(None) };
        if number == 0.0 {
            self.zeros.push(name);
        }
        if number < 0.0 {
            return Err(format!("{}{name} is {number}; it cannot be negative", self.path));
        }
        Ok((number > 0.0).then_some(number))
    }

    /// Takes a member that is an object.
    pub(crate) fn object(&mut self, name: &'static str, path: &'static str) -> Result<Option<Members<'a>>, String> {
        let Some(value) = self.value(name) else { return Ok(None) };
        let object: Option<Object<'a>> = serde_json::from_str(value.get()).map_err(|e| self.wrong(name, &e))?;
        Ok(object.map(|object| object.members(path)))
    }

    /// Takes a member that is a list of objects.
    pub(crate) fn objects(&mut self, name: &'static str, path: &'static str) -> Result<Vec<Members<'a>>, String> {
        let list: Vec<&RawValue> = self.list(name)?;
        let object = |value: &'a RawValue| {
            let object: Object<'a> = serde_json::from_str(value.get()).map_err(|e| self.wrong(name, &e))?;
            Ok(object.members(path))
        };
        list.into_iter().map(object).collect()
    }

    /// Takes a member as it was written.
    pub(crate) fn value(&mut self, name: &'static str) -> Option<&'a RawValue> {
        self.asked.push(name);
        // As the first service did, for which the case of letters made no difference.
        let at = self.left.iter().position(|(found, _)| found.eq_ignore_ascii_case(name))?;
        Some(self.left.remove(at).1)
    }

    /// Returns a member as it was written, and leaves it where it is.
    pub(crate) fn peek(&self, name: &str) -> Option<&'a RawValue> {
        self.left.iter().find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| *value)
    }

    /// Takes all members that are left.
    pub(crate) fn into_entries(self) -> impl Iterator<Item = (Cow<'a, str>, &'a RawValue)> {
        self.left.into_iter()
    }

    /// Says what was not asked for; `elsewhere` are names that stand in another object, and its name.
    ///
    /// # Errors
    ///
    /// When a name is likely a slip for a known one: it must not be ignored.
    pub(crate) fn unknown(self, elsewhere: (&[&str], &str), warnings: &mut Vec<String>) -> Result<(), String> {
        let Members { left, repeated, asked, zeros, path } = self;
        for name in zeros {
            warn(warnings, || format!("{path}{name} is 0, which stands for this server's default"));
        }
        for name in repeated {
            warn(warnings, || format!("member \"{path}{name}\" is given more than once: the last one counts"));
        }
        let more = left.len().saturating_sub(NAMED_MAX);
        for (name, _) in left.iter().take(NAMED_MAX) {
            let shown = format!("\"{path}{}\"", shown(name));
            let (others, place) = elsewhere;
            if others.iter().any(|other| other.eq_ignore_ascii_case(name)) {
                return Err(format!("unknown member {shown}: it belongs {place}"));
            }
            let all = || asked.iter().chain(others).copied();
            let synonym = SYNONYMS.iter().find(|(word, known)| *word == &**name && all().any(|name| name == *known));
            if synonym.is_none() {
                if let Some(close) = asked.iter().find(|known| is_slip(name, known)) {
                    return Err(format!("unknown member {shown}: did you mean \"{path}{close}\"?"));
                }
                if let Some(close) = others.iter().find(|known| is_slip(name, known)) {
                    return Err(format!("unknown member {shown}: did you mean \"{close}\"? That belongs {place}"));
                }
            }
            let related = all().find(|known| known.strip_suffix(&**name).is_some_and(|rest| rest.ends_with('_')));
            let hint = synonym.map(|(_, known)| *known).or(related);
            let hint = hint.map_or_else(String::new, |known| format!(" (\"{known}\" is known)"));
            warn(warnings, || format!("unknown member {shown} was ignored{hint}"));
        }
        if more > 0 {
            warn(warnings, || format!("{more} more unknown members were ignored"));
        }
        Ok(())
    }

    fn wrong(&self, name: &str, error: &serde_json::Error) -> String {
        // The position is that in the member, which nobody sees.
        let text = error.to_string();
        let text = text.rsplit_once(" at line ").map_or(&*text, |(text, _)| text);
        // It may quote a value as large as the body.
        let text: String = text.chars().take(MESSAGE_CHARS_MAX).collect();
        format!("{}{name}: {}", self.path, text.replace("expected f64", "expected a number"))
    }
}

/// Adds a warning, unless there are many already, or the same one.
pub(crate) fn warn(warnings: &mut Vec<String>, warning: impl FnOnce() -> String) {
    if warnings.len() < WARNINGS_MAX {
        let warning = warning();
        if !warnings.contains(&warning) {
            warnings.push(warning);
        }
    }
}

/// Returns a word of a client's for a message, bounded.
pub(crate) fn shown(word: &str) -> String {
    word.chars().take(NAME_CHARS_MAX).collect::<String>().escape_debug().to_string()
}

/// Returns whether a name is more likely a known one, mistyped or written as elsewhere, than another.
fn is_slip(name: &str, known: &str) -> bool {
    if name.len() > NAME_CHARS_MAX {
        return false;
    }
    if is_short_for(name, known) {
        return true;
    }
    if starts_mistyped(name, known) {
        return true;
    }
    let plain = |name: &str| name.chars().filter(|c| !matches!(c, '_' | '-')).collect::<String>().to_ascii_lowercase();
    let (name, known) = (plain(name), plain(known));
    if known.len() < 6 {
        // Short words are many: `mode` is none for `code`.
        return name.chars().next() == known.chars().next() && distance(&name, &known) <= 1 || is_turned(&name, &known);
    }
    distance(&name, &known) <= 2
}

/// Returns whether a name is the first words of a known one, mistyped, as `tiemout`.
fn starts_mistyped(name: &str, known: &str) -> bool {
    const LETTERS_MIN: usize = 6;
    let words = name.split(['_', '-']).count();
    let start: Vec<_> = known.split('_').take(words).collect();
    let start = start.join("_");
    start.len() >= LETTERS_MIN && start.len() < known.len() && distance(&name.to_ascii_lowercase(), &start) <= 2
}

/// Returns whether two letters that follow each other have changed places, and nothing else.
fn is_turned(name: &str, known: &str) -> bool {
    let (name, known) = (name.as_bytes(), known.as_bytes());
    let Some(at) = name.iter().zip(known).position(|(a, b)| a != b) else { return false };
    let (Some([a, b, rest @ ..]), Some([c, d, others @ ..])) = (name.get(at..), known.get(at..)) else { return false };
    a == d && b == c && rest == others
}

/// Returns whether a name has the words of a known one, each as it is or shortened, as `timeout_secs`, or the first ones as
/// they are, as `timeout`.
fn is_short_for(name: &str, known: &str) -> bool {
    let mut spaced = String::new();
    for c in name.chars() {
        // As some languages write it: `timeoutSecs`.
        if c.is_ascii_uppercase() {
            spaced.push('_');
        }
        spaced.push(c.to_ascii_lowercase());
    }
    let words = |name: &str| -> Vec<String> {
        name.split(['_', '-']).filter(|word| !word.is_empty()).map(str::to_owned).collect()
    };
    let (name, known) = (words(&spaced), words(known));
    let is_short = |word: &str, known: &str| {
        known.starts_with(word) || known.ends_with('s') && word.strip_suffix('s').is_some_and(|w| known.starts_with(w))
    };
    let shortened = || name.iter().zip(&known).all(|(word, known)| is_short(word, known));
    known.len() > 1 && (name.len() == known.len() && shortened() || !name.is_empty() && known.starts_with(&name))
}

struct Object<'a> {
    members: Vec<(Cow<'a, str>, &'a RawValue)>,
    repeated: Vec<String>,
}

impl<'a> Object<'a> {
    fn members(self, path: &'static str) -> Members<'a> {
        Members { left: self.members, repeated: self.repeated, asked: Vec::new(), zeros: Vec::new(), path }
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Object<'a> {
    fn deserialize<D: Deserializer<'de>>(value: D) -> Result<Object<'a>, D::Error> {
        value.deserialize_map(ObjectVisitor(PhantomData))
    }
}

struct ObjectVisitor<'a>(PhantomData<&'a ()>);

impl<'de: 'a, 'a> Visitor<'de> for ObjectVisitor<'a> {
    type Value = Object<'a>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object<'a>, A::Error> {
        let mut members: Vec<(Cow<'a, str>, &'a RawValue)> = Vec::new();
        let mut places = HashMap::new();
        let mut repeated = Vec::new();
        for count in 0.. {
            let Some(Text(name)) = map.next_key::<Text<'de>>()? else { break };
            if count == MEMBERS_MAX {
                return Err(A::Error::custom(format!("there are more than {MEMBERS_MAX} members")));
            }
            let value = map.next_value()?;
            // As in the first service, the last one counts, whatever the case of its letters.
            match places.entry(name.to_ascii_lowercase()) {
                Entry::Vacant(place) => {
                    place.insert(members.len());
                    members.push((name, value));
                }
                Entry::Occupied(place) => {
                    if repeated.len() < NAMED_MAX {
                        repeated.push(shown(&name));
                    }
                    // Null changes nothing there.
                    if value.get() != "null" {
                        members[*place.get()] = (name, value);
                    }
                }
            }
        }
        Ok(Object { members, repeated })
    }
}

/// A string, borrowed unless it has escapes. Surrogates without their other half are replaced, as the first service did.
pub(crate) struct Text<'a>(pub(crate) Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(value: D) -> Result<Text<'a>, D::Error> {
        // Asked for text, the parser would refuse them.
        value.deserialize_bytes(TextVisitor(PhantomData))
    }
}

struct TextVisitor<'a>(PhantomData<&'a ()>);

impl<'de: 'a, 'a> Visitor<'de> for TextVisitor<'a> {
    type Value = Text<'a>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_borrowed_bytes<E: de::Error>(self, text: &'de [u8]) -> Result<Text<'a>, E> {
        Ok(Text(without_surrogates(text)))
    }

    fn visit_bytes<E: de::Error>(self, text: &[u8]) -> Result<Text<'a>, E> {
        Ok(Text(Cow::Owned(without_surrogates(text).into_owned())))
    }
}

/// Replaces surrogates that are encoded as if they were characters, in what is UTF-8 otherwise.
fn without_surrogates(text: &[u8]) -> Cow<'_, str> {
    // The first byte of such an encoding, which only the two that follow it are invalid without.
    const FIRST_BYTE: u8 = 0xED;
    replacing(text, |invalid| usize::from(invalid.first() == Some(&FIRST_BYTE)))
}

/// Returns bytes as text, with a replacement character for each that is not UTF-8, as the first service read them.
pub(crate) fn utf8(bytes: &[u8]) -> Cow<'_, str> {
    replacing(bytes, <[u8]>::len)
}

fn replacing(bytes: &[u8], replacements: impl Fn(&[u8]) -> usize) -> Cow<'_, str> {
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Cow::Borrowed(text);
    }
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(iter::repeat_n(char::REPLACEMENT_CHARACTER, replacements(chunk.invalid())));
    }
    Cow::Owned(text)
}

/// A list of bounded length.
struct List<T>(Vec<T>);

impl<T> Default for List<T> {
    fn default() -> List<T> {
        List(Vec::new())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for List<T> {
    fn deserialize<D: Deserializer<'de>>(value: D) -> Result<List<T>, D::Error> {
        value.deserialize_seq(ListVisitor(PhantomData))
    }
}

struct ListVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for ListVisitor<T> {
    type Value = List<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<List<T>, A::Error> {
        let mut elements = Vec::new();
        while let Some(element) = list.next_element()? {
            if elements.len() == ELEMENTS_MAX {
                return Err(A::Error::custom(format!("there are more than {ELEMENTS_MAX} elements")));
            }
            elements.push(element);
        }
        Ok(List(elements))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unknown(json: &str) -> Result<Vec<String>, String> {
        let mut members = Members::of(json)?;
        let (_, _): (String, String) = (members.text("stdin")?, members.text("python_version")?);
        let mut warnings = Vec::new();
        members.unknown((&["timeout_seconds"], "into \"config\""), &mut warnings)?;
        Ok(warnings)
    }

    #[test]
    fn members_are_taken_whatever_their_case_and_null_is_nothing() {
        let mut members = Members::of(r#"{"Stdin": "a", "n": null, "list": [1, 2], "deep": {"x": [[]]}}"#).unwrap();
        assert_eq!(members.text("stdin").unwrap(), "a");
        assert_eq!((members.text("n").unwrap(), members.text("absent").unwrap()), (String::new(), String::new()));
        assert_eq!(members.list::<u8>("list").unwrap(), [1, 2]);
        assert_eq!(members.value("deep").map(RawValue::get), Some(r#"{"x": [[]]}"#));
    }

    #[test]
    fn what_is_wrong_is_named() {
        let mut members = Members::of(r#"{"config": {"memory_mb": "1G", "disk_mb": -1}, "env_vars": [1]}"#).unwrap();
        assert_eq!(members.texts("env_vars").unwrap_err(), "env_vars: invalid type: integer `1`, expected a string");
        let mut config = members.object("config", "config.").unwrap().unwrap();
        assert_eq!(
            config.number("memory_mb").unwrap_err(),
            "config.memory_mb: invalid type: string \"1G\", expected a number"
        );
        assert_eq!(config.number("disk_mb").unwrap_err(), "config.disk_mb is -1; it cannot be negative");
        for bad in ["", "[]", "null", "7", "{", "{} x"] {
            assert!(Members::of(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_last_of_equal_members_counts_and_text_after_the_object_does_not() {
        let mut warnings = Vec::new();
        let json = r#"{"a": "1", "b": "x", "A": "2", "a": "3", "b": null} {"a": "4"}"#;
        let mut members = Members::at_start_of(json, &mut warnings).unwrap();
        assert_eq!((members.text("a").unwrap(), members.text("b").unwrap()), ("3".to_owned(), "x".to_owned()));
        members.unknown((&[], ""), &mut warnings).unwrap();
        assert_eq!(
            warnings,
            [
                "what follows the JSON object was ignored",
                "member \"A\" is given more than once: the last one counts",
                "member \"a\" is given more than once: the last one counts",
                "member \"b\" is given more than once: the last one counts",
            ]
        );
        for bad in ["", "[]", "x {}", "{\"a\" 1}"] {
            assert!(Members::at_start_of(bad, &mut warnings).is_err(), "{bad}");
        }
    }

    #[test]
    fn halves_of_surrogate_pairs_are_replaced_wherever_text_is() {
        let json =
            r#"{"\ud800": 1, "a": "\ud800x\uD83D\uDE00\udc00\ud800\ud800", "list": ["\udfffé", "\\ud800"], "n": "7"}"#;
        let mut members = Members::of(json).unwrap();
        assert_eq!(members.text("a").unwrap(), "\u{fffd}x\u{1f600}\u{fffd}\u{fffd}\u{fffd}");
        assert_eq!(members.texts("list").unwrap(), ["\u{fffd}é", "\\ud800"]);
        assert_eq!(members.optional_text("n").unwrap().as_deref(), Some("7"));
        let mut warnings = Vec::new();
        members.unknown((&[], ""), &mut warnings).unwrap();
        assert_eq!(warnings, ["unknown member \"\u{fffd}\" was ignored"]);
        for bad in [r#"{"a": 1}"#, r#"{"a": ["x"]}"#, r#"{"a": "\ud8"}"#, r#"{"a": {}}"#] {
            assert!(Members::of(bad).is_err() || Members::of(bad).unwrap().text("a").is_err(), "{bad}");
        }
        assert_eq!(utf8(b"a\xE2\x82b\xFF\xC3\xA9"), "a\u{fffd}\u{fffd}b\u{fffd}é");
    }

    #[test]
    fn unknown_members_are_named_and_slips_refused() {
        assert_eq!(unknown(r#"{"stdin": "x"}"#).unwrap(), Vec::<String>::new());
        assert_eq!(
            unknown(r#"{"input": "x", "version": 3, "language": [[{}]]}"#).unwrap(),
            [
                "unknown member \"input\" was ignored (\"stdin\" is known)",
                "unknown member \"version\" was ignored (\"python_version\" is known)",
                "unknown member \"language\" was ignored",
            ]
        );
        for slip in [
            "stdn",
            "std_in",
            "pythonVersion",
            "python-version",
            "pyhton_version",
            "py_version",
            "pyVersion",
            "python_v",
            "python",
            "Python",
            "timeout",
            "timeout_secs",
            "timeoutSeconds",
            "tiemout",
            "timeuot",
            "sdtin",
        ] {
            let error = unknown(&format!(r#"{{"{slip}": 1}}"#)).unwrap_err();
            assert!(error.contains(slip) && error.contains("did you mean"), "{error}");
        }
        for other in ["atdin", "python_ms", "version_python", "p"] {
            assert!(unknown(&format!(r#"{{"{other}": 1}}"#)).is_ok(), "{other}");
        }
        let error = unknown(r#"{"timeout_seconds": 5}"#).unwrap_err();
        assert_eq!(error, "unknown member \"timeout_seconds\": it belongs into \"config\"");
        let error = unknown(r#"{"timeout": 5}"#).unwrap_err();
        assert_eq!(error, "unknown member \"timeout\": did you mean \"timeout_seconds\"? That belongs into \"config\"");
    }

    #[test]
    fn what_is_many_is_bounded() {
        let members: Vec<_> = (0..=MEMBERS_MAX).map(|n| format!(r#""x{n}":0"#)).collect();
        assert!(Members::of(&format!("{{{}}}", members.join(","))).is_err());
        let some = unknown(&format!("{{{}}}", members[..30].join(","))).unwrap();
        assert_eq!((some.len(), &*some[10]), (11, "20 more unknown members were ignored"));
        let list = format!(r#"{{"a": [{}0]}}"#, "0,".repeat(ELEMENTS_MAX));
        assert!(Members::of(&list).unwrap().list::<u8>("a").unwrap_err().contains("more than 10000"));
    }
}
