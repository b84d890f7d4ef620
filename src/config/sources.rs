//! Where settings come from, read to text.

use super::{
    Key, Settings, Value,
    docker_host::{self, DockerHost},
    keys::{Kind, entries, variable},
    services::Service,
    table::{KEYS, WITHOUT_EFFECT},
};
use std::{
    collections::BTreeMap,
    env, fmt, fs,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

const PREFIX: &str = "PYEXEC_";

/// Names the file of settings; `--config` goes before it.
const FILE_VARIABLE: &str = "PYEXEC_CONFIG";

/// What platforms tell a server its port by.
const PORT_VARIABLE: &str = "PORT";

/// Variables of other parts of pyexec: of its client, and of its build.
const OTHER_VARIABLES: &[&str] = &[
    FILE_VARIABLE,
    "PYEXEC_SERVER",
    "PYEXEC_API_KEY",
    "PYEXEC_BUILD_CACHE",
    "PYEXEC_CPYTHON_TARBALL",
    "PYEXEC_PREBUILT_MODULE",
    "PYEXEC_PREBUILT_STDLIB",
];

/// All that settings are read from. It has no `Debug`, because there are secrets in it.
#[derive(Clone, Default)]
pub struct Sources {
    /// Flags by the name of their setting.
    pub flags: BTreeMap<String, String>,
    /// Variables of the environment.
    pub environment: Vec<(String, String)>,
    /// A TOML file; without one it is what `PYEXEC_CONFIG` names.
    pub file: Option<PathBuf>,
}

/// Says where the value of a setting comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Source {
    /// The table.
    Default,
    /// The TOML file.
    File,
    /// A variable.
    Environment,
    /// A flag.
    Flag,
}

/// Text for every setting, and what was noticed on the way.
pub(super) struct Gathered {
    /// One for each of [`KEYS`], in that order.
    pub(super) given: Vec<Given>,
    pub(super) problems: Vec<String>,
    pub(super) warnings: Vec<String>,
    /// The daemon that Docker's own command would use, where that is none that can be used here.
    pub(super) unusable_docker: Option<DockerHost>,
}

/// Text for one setting.
pub(super) struct Given {
    pub(super) key: &'static Key,
    pub(super) text: String,
    pub(super) source: Source,
    /// The source with its name.
    origin: String,
}

impl Sources {
    /// Returns the environment of this process.
    pub fn of_process(flags: BTreeMap<String, String>, file: Option<PathBuf>) -> Sources {
        // What is not UTF-8 is refused later, if it is ours.
        let text = |text: std::ffi::OsString| text.to_string_lossy().into_owned();
        let environment = env::vars_os().map(|(name, value)| (text(name), text(value))).collect();
        Sources { flags, environment, file }
    }

    /// Reads all sources, of which later ones override earlier ones.
    pub(super) fn gather(&self) -> Gathered {
        let given = KEYS.iter().map(|key| Given {
            key,
            text: key.default.to_owned(),
            source: Source::Default,
            origin: "default".to_owned(),
        });
        let mut gathered =
            Gathered { given: given.collect(), problems: Vec::new(), warnings: Vec::new(), unusable_docker: None };
        let named = || self.environment.iter().find(|(name, _)| name == FILE_VARIABLE).map(|(_, value)| value.into());
        if let Some(path) = self.file.clone().or_else(named) {
            gathered.file(&path);
        }
        gathered.environment(&self.environment);
        gathered.flags(&self.flags);
        gathered.service(&self.environment);
        gathered.docker(&self.environment);
        gathered
    }
}

impl Gathered {
    fn file(&mut self, path: &Path) {
        let origin = format!("file {}", path.display());
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(e) => return self.problems.push(format!("{origin}: cannot read it: {e}")),
        };
        let table: toml::Table = match toml::from_str(&text) {
            Ok(table) => table,
            // The error's own text quotes the line, and there may be a key in it.
            Err(e) => {
                let start = e.span().map_or(0, |span| span.start);
                let line = text.bytes().take(start).filter(|byte| *byte == b'\n').count() + 1;
                return self.problems.push(format!("{origin}, line {line}: {}", e.message()));
            }
        };
        for (name, value) in &table {
            match self.given.iter_mut().find(|given| given.key.name == name) {
                Some(given) => match text_of(given.key, value) {
                    Ok(text) => given.take(text, Source::File, &origin),
                    Err(problem) => self.problems.push(format!("{name} ({origin}): {problem}")),
                },
                None if WITHOUT_EFFECT.contains(&name.as_str()) => self.without_effect(name, &origin),
                None => {
                    let known = KEYS.iter().map(|key| key.name.to_owned());
                    self.problems.push(format!("{origin}: there is no setting {name:?}{}", did_you_mean(name, known)));
                }
            }
        }
        let open = fs::metadata(path).is_ok_and(|metadata| metadata.mode() & 0o066 != 0);
        if open
            && self.given.iter().any(|given| given.key.secret && given.source == Source::File && !given.text.is_empty())
        {
            self.warnings.push(format!(
                "{origin} has API keys, and other users can read or change it\nhint: chmod 600 {}",
                path.display()
            ));
        }
    }

    fn environment(&mut self, variables: &[(String, String)]) {
        let ours = |(name, value): &&(String, String)| name.starts_with(PREFIX) && !is_injected(name, value);
        let port = variables.iter().filter(|(name, value)| name == PORT_VARIABLE && !value.is_empty());
        // Before our own variables, so that PYEXEC_PORT overrides PORT.
        for (name, value) in port.chain(variables.iter().filter(ours)) {
            let origin = format!("variable {name}");
            let is_key =
                |given: &&mut Given| given.key.variable() == *name || name == PORT_VARIABLE && given.key.name == "port";
            match self.given.iter_mut().find(is_key) {
                Some(given) if value.contains(char::REPLACEMENT_CHARACTER) => {
                    self.problems.push(format!("{} ({origin}): is not valid UTF-8", given.key.name));
                }
                // A template that has nothing to fill in leaves it so. Of a list, empty is a value.
                Some(given) if value.is_empty() && !matches!(given.key.kind, Kind::List(..)) => {}
                Some(given) => {
                    given.take(value.clone(), Source::Environment, &origin);
                    self.problems.extend(given.empty_secret());
                }
                None if OTHER_VARIABLES.contains(&name.as_str()) => {}
                None if WITHOUT_EFFECT.iter().any(|setting| variable(setting) == *name) => {
                    self.without_effect(name, "environment");
                }
                None => {
                    let known = KEYS.iter().map(Key::variable).chain(OTHER_VARIABLES.iter().map(ToString::to_string));
                    self.problems.push(format!("environment: there is no setting {name}{}", did_you_mean(name, known)));
                }
            }
        }
    }

    /// Takes over what the service has that this server stands in for. Whatever is said in our own names goes before it.
    fn service(&mut self, variables: &[(String, String)]) {
        let named = self.given.iter().find(|given| given.key.name == "service");
        let Some((service, name)) = named.and_then(|given| Some((Service::of(&given.text)?, given.text.clone())))
        else {
            return;
        };
        let mut open = |setting: &str, text: String, source, origin: &str| {
            let is_open = |given: &&mut Given| given.key.name == setting && given.source < Source::Environment;
            if let Some(given) = self.given.iter_mut().find(is_open).filter(|given| given.source <= source) {
                given.take(text, source, origin);
            }
        };
        for (setting, value) in service.defaults() {
            open(setting, (*value).to_owned(), Source::Default, &format!("default of service {name}"));
        }
        let set = |own: &str| variables.iter().find(|(name, value)| name == own && !value.is_empty());
        for (own, setting) in service.variables() {
            let Some((_, value)) = set(own) else { continue };
            // The service has one key, in which a colon is as good as any other character.
            let text = if *setting == "api_keys" { format!("{name}:{value}") } else { value.clone() };
            open(setting, text, Source::Environment, &format!("variable {own}"));
        }
        for own in service.without_effect() {
            if set(own).is_some() {
                self.without_effect(own, "environment");
            }
        }
    }

    /// Takes the daemon of Docker's own command, where nobody names one.
    fn docker(&mut self, variables: &[(String, String)]) {
        let is_open = |given: &&mut Given| given.key.name == "docker_socket" && given.source == Source::Default;
        let Some(given) = self.given.iter_mut().find(is_open) else { return };
        match docker_host::find(variables) {
            Some(host) if host.is_usable() => given.take(host.address, Source::Environment, &host.origin),
            host => self.unusable_docker = host,
        }
    }

    fn flags(&mut self, flags: &BTreeMap<String, String>) {
        for (name, value) in flags {
            match self.given.iter_mut().find(|given| given.key.name == name) {
                Some(given) => {
                    let origin = format!("flag --{}", given.key.flag());
                    given.take(value.clone(), Source::Flag, &origin);
                    self.problems.extend(given.empty_secret());
                }
                None => {
                    let known = KEYS.iter().map(|key| key.name.to_owned());
                    self.problems.push(format!("flags: there is no setting {name:?}{}", did_you_mean(name, known)));
                }
            }
        }
    }

    fn without_effect(&mut self, name: &str, origin: &str) {
        self.warnings.push(format!("{name} ({origin}) has no effect in this version"));
    }
}

impl Given {
    /// Words a problem with this value, in one sentence.
    pub(super) fn problem(&self, what: &str) -> String {
        let Given { key, text, origin, .. } = self;
        if key.secret {
            format!("{} ({origin}): {what}", key.name)
        } else {
            format!("{} = {text:?} ({origin}): {what}", key.name)
        }
    }

    /// Returns the value as it may be shown once all settings are known.
    pub(super) fn shown(&self, settings: &Settings) -> Value {
        let text = match (self.key.secret, self.key.shown) {
            (true, _) => match entries(&self.text).len() {
                0 => String::new(),
                1 => "(1 key)".to_owned(),
                count => format!("({count} keys)"),
            },
            (false, Some(shown)) => shown(settings),
            (false, None) => self.text.clone(),
        };
        Value { key: self.key, text, source: self.source }
    }

    fn take(&mut self, text: String, source: Source, origin: &str) {
        self.text = text;
        self.source = source;
        origin.clone_into(&mut self.origin);
    }

    /// Reports a secret that is empty: it is more likely lost than not wanted.
    fn empty_secret(&self) -> Option<String> {
        (self.key.secret && self.text.is_empty()).then(|| self.problem("is empty: unset it if no key is wanted"))
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Source::Default => "default",
            Source::File => "file",
            Source::Environment => "environment",
            Source::Flag => "flag",
        })
    }
}

/// Returns the value's text, if it has the type of the setting.
fn text_of(key: &Key, value: &toml::Value) -> Result<String, String> {
    use toml::Value as Toml;
    match (&key.kind, value) {
        (Kind::Number(..) | Kind::Seconds(..), Toml::Integer(number)) => Ok(number.to_string()),
        (Kind::Seconds(..), Toml::Float(number)) => Ok(number.to_string()),
        (Kind::Flag(_), Toml::Boolean(yes)) => Ok(yes.to_string()),
        (Kind::Text(..) | Kind::Path(_), Toml::String(text)) => Ok(text.clone()),
        (Kind::List(..), Toml::Array(values)) => {
            let texts: Option<Vec<_>> = values.iter().map(toml::Value::as_str).collect();
            let texts = texts.ok_or("must be a list of strings")?;
            if texts.iter().any(|text| text.contains(',')) {
                return Err("an entry must not contain a comma".to_owned());
            }
            Ok(texts.join(","))
        }
        (kind, _) => {
            let expected = match kind {
                Kind::Number(..) => "a whole number, without quotes",
                Kind::Seconds(..) => "a number, without quotes",
                Kind::Flag(_) => "true or false, without quotes",
                Kind::List(..) => "a list of strings, as in [\"a\", \"b\"]",
                Kind::Text(..) | Kind::Path(_) => "a string, in quotes",
            };
            Err(format!("is {}, but must be {expected}", with_article(value.type_str())))
        }
    }
}

fn with_article(noun: &str) -> String {
    format!("{} {noun}", if noun.starts_with(['a', 'i']) { "an" } else { "a" })
}

/// Returns whether an orchestrator set this variable for a service called pyexec, or pyexec-something.
fn is_injected(name: &str, value: &str) -> bool {
    let numbered_port =
        name.split_once("_PORT_").is_some_and(|(_, rest)| rest.starts_with(|c: char| c.is_ascii_digit()));
    // As in PYEXEC_PORT=tcp://10.0.0.1:80; under another name it may be ours.
    let link = name.ends_with("_PORT") && ["tcp://", "udp://"].iter().any(|scheme| value.starts_with(scheme));
    link || name.starts_with("PYEXEC_SERVICE_")
        || name.starts_with("PYEXEC_PORT_")
        || name.ends_with("_SERVICE_HOST")
        || name.ends_with("_SERVICE_PORT")
        || name.contains("_SERVICE_PORT_")
        || numbered_port
}

fn did_you_mean(name: &str, known: impl Iterator<Item = String>) -> String {
    let nearest = known.min_by_key(|known| distance(name, known));
    nearest.map(|nearest| format!("\nhint: the nearest is {nearest}")).unwrap_or_default()
}

/// Counts the letters to put in, take out or change to make one the other.
pub(crate) fn distance(one: &str, other: &str) -> usize {
    // Names are short; what is longer only costs time.
    let (one, other): (Vec<char>, Vec<char>) = (one.chars().take(64).collect(), other.chars().collect());
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (i, a) in one.iter().enumerate() {
        let mut next = vec![i + 1];
        for ((b, above), diagonal) in other.iter().zip(row.iter().skip(1)).zip(&row) {
            let left = next.last().copied().unwrap_or(0);
            next.push((diagonal + usize::from(a != b)).min(above + 1).min(left + 1));
        }
        row = next;
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distance_counts_changed_letters() {
        for (one, other, expected) in [("", "", 0), ("port", "prt", 1), ("kitten", "sitting", 3), ("", "abc", 3)] {
            assert_eq!(distance(one, other), expected, "{one} {other}");
            assert_eq!(distance(other, one), expected, "{other} {one}");
        }
    }
}
