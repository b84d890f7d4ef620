//! What a setting is: its name, and everything that follows from it.

use super::Settings;
use std::{fmt, path::PathBuf, time::Duration};

/// One setting: its name in a file, and everything that follows from it.
pub struct Key {
    /// In a TOML file.
    pub name: &'static str,
    /// As text; empty for nothing.
    pub default: &'static str,
    /// What it means, and in which unit.
    pub help: &'static str,
    /// Whether its value must never be shown.
    pub secret: bool,
    /// Whether it also matters to a job that runs without a server.
    pub(super) local: bool,
    pub(super) kind: Kind,
    pub(super) shown: Option<fn(&Settings) -> String>,
}

/// Says how a setting is written, and where it goes.
pub(super) enum Kind {
    /// A whole number, from the first to the second.
    Number(u64, u64, fn(&mut Settings, u64)),
    /// Seconds with up to three decimals, from the first to the second.
    Seconds(f64, f64, fn(&mut Settings, Duration)),
    Flag(fn(&mut Settings, bool)),
    /// Separated by commas in text; what each may be, in words.
    List(&'static str, fn(&mut Settings, &[&str]) -> Result<(), String>),
    /// What it may be, in words.
    Text(&'static str, fn(&mut Settings, &str) -> Result<(), String>),
    /// Empty is `None`.
    Path(fn(&mut Settings, Option<PathBuf>) -> Result<(), String>),
}

impl Key {
    /// Returns the variable's name in the environment.
    pub fn variable(&self) -> String {
        variable(self.name)
    }

    /// Returns the flag's name, without its dashes.
    pub fn flag(&self) -> String {
        self.name.replace('_', "-")
    }

    /// Returns what stands for the value in a usage text.
    pub fn placeholder(&self) -> &'static str {
        match self.kind {
            Kind::Number(..) => "NUMBER",
            Kind::Seconds(..) => "SECONDS",
            Kind::Flag(_) => "true|false",
            Kind::List(..) => "LIST",
            Kind::Text(..) => "TEXT",
            Kind::Path(_) => "PATH",
        }
    }

    /// Returns which values it takes.
    pub fn allowed(&self) -> String {
        match self.kind {
            Kind::Number(from, to, _) => format!("{from} to {to}"),
            Kind::Seconds(from, to, _) => format!("{from} to {to} seconds"),
            Kind::Flag(_) => "true or false".to_owned(),
            Kind::List(each, _) => format!("a list, {each}"),
            Kind::Text(what, _) => what.to_owned(),
            Kind::Path(_) => "a path".to_owned(),
        }
    }

    /// Reads its value from text; an error says what is allowed, and shows nothing of the value.
    pub(super) fn set(&self, settings: &mut Settings, text: &str) -> Result<(), String> {
        let wrong = || format!("allowed: {}", self.allowed());
        match self.kind {
            Kind::Number(from, to, set) => {
                let number = digits(text).and_then(|()| text.parse().ok()).filter(|n| (from..=to).contains(n));
                set(settings, number.ok_or_else(wrong)?);
            }
            Kind::Seconds(from, to, set) => {
                let (whole, decimals) = text.split_once('.').unwrap_or((text, "0"));
                let number = digits(whole).and_then(|()| digits(decimals)).and_then(|()| text.parse().ok());
                let number = number.filter(|n| (from..=to).contains(n)).ok_or_else(wrong)?;
                set(settings, Duration::from_millis((number * 1000.0).round() as u64));
            }
            Kind::Flag(set) => set(settings, boolean(text).ok_or_else(wrong)?),
            Kind::List(_, set) => set(settings, &entries(text))?,
            Kind::Text(_, set) => set(settings, text)?,
            Kind::Path(set) => set(settings, (!text.is_empty()).then(|| PathBuf::from(text)))?,
        }
        Ok(())
    }

    pub(super) const fn secret(mut self) -> Key {
        self.secret = true;
        self
    }

    pub(super) const fn local(mut self) -> Key {
        self.local = true;
        self
    }

    /// Sets how to show a value that in the end is another than was written.
    pub(super) const fn shown(mut self, shown: fn(&Settings) -> String) -> Key {
        self.shown = Some(shown);
        self
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({})", self.name)
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Key) -> bool {
        self.name == other.name
    }
}

impl Eq for Key {}

/// Returns the name in the environment of what has this name in a file.
pub(super) fn variable(name: &str) -> String {
    format!("PYEXEC_{}", name.to_ascii_uppercase())
}

/// Returns the entries of a list in text.
pub(super) fn entries(text: &str) -> Vec<&str> {
    if text.is_empty() { Vec::new() } else { text.split(',').map(str::trim).collect() }
}

type SetText = fn(&mut Settings, &str) -> Result<(), String>;
type SetList = fn(&mut Settings, &[&str]) -> Result<(), String>;
type SetPath = fn(&mut Settings, Option<PathBuf>) -> Result<(), String>;

const fn key(name: &'static str, default: &'static str, help: &'static str, kind: Kind) -> Key {
    Key { name, default, help, secret: false, local: false, kind, shown: None }
}

pub(super) const fn number(
    name: &'static str,
    default: &'static str,
    help: &'static str,
    from: u64,
    to: u64,
    set: fn(&mut Settings, u64),
) -> Key {
    key(name, default, help, Kind::Number(from, to, set))
}

pub(super) const fn seconds(
    name: &'static str,
    default: &'static str,
    help: &'static str,
    from: f64,
    to: f64,
    set: fn(&mut Settings, Duration),
) -> Key {
    key(name, default, help, Kind::Seconds(from, to, set))
}

pub(super) const fn flag(
    name: &'static str,
    default: &'static str,
    help: &'static str,
    set: fn(&mut Settings, bool),
) -> Key {
    key(name, default, help, Kind::Flag(set))
}

pub(super) const fn list(
    name: &'static str,
    default: &'static str,
    help: &'static str,
    each: &'static str,
    set: SetList,
) -> Key {
    key(name, default, help, Kind::List(each, set))
}

pub(super) const fn text(
    name: &'static str,
    default: &'static str,
    help: &'static str,
    what: &'static str,
    set: SetText,
) -> Key {
    key(name, default, help, Kind::Text(what, set))
}

pub(super) const fn path(name: &'static str, default: &'static str, help: &'static str, set: SetPath) -> Key {
    key(name, default, help, Kind::Path(set))
}

/// Reads a truth value in any of the usual spellings.
pub(super) fn boolean(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "t" | "1" | "yes" | "y" | "on" => Some(true),
        "false" | "f" | "0" | "no" | "n" | "off" => Some(false),
        _ => None,
    }
}

fn digits(text: &str) -> Option<()> {
    (!text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())).then_some(())
}

pub(super) fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
