//! Reads JSON objects member by member: what is wrong is named, what is unknown is noticed, and nothing is taken apart
//! further than it is needed.

use crate::config::distance;
use serde::{
    Deserialize, Deserializer,
    de::{self, DeserializeSeed, Error as _, MapAccess, SeqAccess, Visitor},
};
use serde_json::value::RawValue;
use std::{borrow::Cow, collections::HashSet, fmt, marker::PhantomData};

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
    asked: Vec<&'static str>,
    /// Stands before names in messages.
    path: &'static str,
}

impl<'a> Members<'a> {
    /// Splits an object.
    pub(crate) fn of(json: &'a str) -> Result<Members<'a>, String> {
        let Object(left) = serde_json::from_str(json).map_err(|e| e.to_string())?;
        Ok(Members { left, asked: Vec::new(), path: "" })
    }

    /// Takes a member; absent and null are the default, as clients in Go send null for what they leave out.
    pub(crate) fn take<T: Deserialize<'a> + Default>(&mut self, name: &'static str) -> Result<T, String> {
        let Some(value) = self.value(name) else { return Ok(T::default()) };
        let parsed: Option<T> = serde_json::from_str(value.get()).map_err(|e| self.wrong(name, &e))?;
        Ok(parsed.unwrap_or_default())
    }

    /// Takes a member that is text.
    pub(crate) fn text(&mut self, name: &'static str) -> Result<String, String> {
        self.take(name)
    }

    /// Takes a member that is a list of bounded length.
    pub(crate) fn list<T: Deserialize<'a>>(&mut self, name: &'static str) -> Result<Vec<T>, String> {
        self.take(name).map(|List(list)| list)
    }

    /// Takes a number that is not negative; 0 stands for nothing.
    pub(crate) fn number(&mut self, name: &'static str) -> Result<Option<f64>, String> {
        let number: f64 = self.take(name)?;
        if number < 0.0 {
            return Err(format!("{}{name} is {number}; it cannot be negative", self.path));
        }
        Ok((number > 0.0).then_some(number))
    }

    /// Takes a member that is an object.
    pub(crate) fn object(&mut self, name: &'static str, path: &'static str) -> Result<Option<Members<'a>>, String> {
        let Some(value) = self.value(name) else { return Ok(None) };
        let object: Option<Object<'a>> = serde_json::from_str(value.get()).map_err(|e| self.wrong(name, &e))?;
        Ok(object.map(|Object(left)| Members { left, asked: Vec::new(), path }))
    }

    /// Takes a member that is a list of objects.
    pub(crate) fn objects(&mut self, name: &'static str, path: &'static str) -> Result<Vec<Members<'a>>, String> {
        let list: Vec<&RawValue> = self.list(name)?;
        let object = |value: &'a RawValue| {
            let Object(left) = serde_json::from_str(value.get()).map_err(|e| self.wrong(name, &e))?;
            Ok(Members { left, asked: Vec::new(), path })
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

    /// Says what was not asked for; `elsewhere` are names that stand in another object, and its name.
    ///
    /// # Errors
    ///
    /// When a name is likely a slip for a known one: it must not be ignored.
    pub(crate) fn unknown(self, elsewhere: (&[&str], &str), warnings: &mut Vec<String>) -> Result<(), String> {
        let Members { left, asked, path } = self;
        let more = left.len().saturating_sub(NAMED_MAX);
        for (name, _) in left.iter().take(NAMED_MAX) {
            let shown = format!("\"{path}{}\"", shown(name));
            let (others, place) = elsewhere;
            if others.iter().any(|other| other.eq_ignore_ascii_case(name)) {
                return Err(format!("unknown member {shown}: it belongs {place}"));
            }
            if let Some(close) = asked.iter().find(|known| is_slip(name, known)) {
                return Err(format!("unknown member {shown}: did you mean \"{path}{close}\"?"));
            }
            let all = || asked.iter().chain(others).copied();
            let synonym = SYNONYMS.iter().find(|(word, known)| *word == &**name && all().any(|name| name == *known));
            let related = all().find(|known| {
                let rest = |rest: &str| rest.starts_with('_') || rest.ends_with('_');
                known.strip_prefix(&**name).is_some_and(rest) || known.strip_suffix(&**name).is_some_and(rest)
            });
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
    let plain = |name: &str| name.chars().filter(|c| !matches!(c, '_' | '-')).collect::<String>().to_ascii_lowercase();
    let (name, known) = (plain(name), plain(known));
    if known.len() < 6 {
        // Short words are many: `mode` is none for `code`.
        return name.chars().next() == known.chars().next() && distance(&name, &known) <= 1;
    }
    distance(&name, &known) <= 2
}

/// Returns whether a name has the words of a known one, each as it is or shortened: `timeout_secs`.
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
    known.len() > 1
        && name.len() == known.len()
        && name.iter().zip(&known).all(|(word, known)| known.starts_with(word.as_str()))
}

struct Object<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

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
        let mut known = HashSet::new();
        while let Some(name) = map.next_key_seed(Name)? {
            if members.len() == MEMBERS_MAX {
                return Err(A::Error::custom(format!("there are more than {MEMBERS_MAX} members")));
            }
            if !known.insert(name.to_ascii_lowercase()) {
                return Err(A::Error::custom(format!("duplicate member \"{}\"", shown(&name))));
            }
            members.push((name, map.next_value()?));
        }
        Ok(Object(members))
    }
}

/// A name, borrowed unless it has escapes.
struct Name;

impl<'de> DeserializeSeed<'de> for Name {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, value: D) -> Result<Cow<'de, str>, D::Error> {
        value.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Name {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_borrowed_str<E: de::Error>(self, name: &'de str) -> Result<Cow<'de, str>, E> {
        Ok(Cow::Borrowed(name))
    }

    fn visit_str<E: de::Error>(self, name: &str) -> Result<Cow<'de, str>, E> {
        Ok(Cow::Owned(name.to_owned()))
    }
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
        assert_eq!(
            members.list::<String>("env_vars").unwrap_err(),
            "env_vars: invalid type: integer `1`, expected a string"
        );
        let mut config = members.object("config", "config.").unwrap().unwrap();
        assert_eq!(
            config.number("memory_mb").unwrap_err(),
            "config.memory_mb: invalid type: string \"1G\", expected a number"
        );
        assert_eq!(config.number("disk_mb").unwrap_err(), "config.disk_mb is -1; it cannot be negative");
        for bad in ["", "[]", "null", "7", "{\"a\":1,\"a\":2}", "{\"a\":1,\"A\":2}", "{} x"] {
            assert!(Members::of(bad).is_err(), "{bad}");
        }
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
        ] {
            let error = unknown(&format!(r#"{{"{slip}": 1}}"#)).unwrap_err();
            assert!(error.contains(slip) && error.contains("did you mean"), "{error}");
        }
        for other in ["atdin", "python_ms", "version_python", "p"] {
            assert!(unknown(&format!(r#"{{"{other}": 1}}"#)).is_ok(), "{other}");
        }
        let error = unknown(r#"{"timeout_seconds": 5}"#).unwrap_err();
        assert_eq!(error, "unknown member \"timeout_seconds\": it belongs into \"config\"");
        assert!(unknown(r#"{"timeout": 5}"#).unwrap()[0].contains("\"timeout_seconds\" is known"));
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
