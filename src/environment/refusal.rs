//! Why there is no environment: in words for the client, and with uv's own for the log.

use std::{fmt, sync::Arc};

/// Says why packages could not be provided. Its text is for the client: it names no paths, hosts or secrets of the
/// service.
#[derive(Debug, Clone)]
pub struct Refusal {
    /// Why, for who can do something about it.
    pub reason: Reason,
    /// For the log; it may hold paths and the index.
    log: Arc<str>,
}

/// Says what a caller can tell apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// Packages exist, but not as wheels for the platform: a container that builds them may do.
    NoWheel {
        /// Names, with versions where these matter.
        packages: Vec<String>,
        /// In words.
        platform: String,
    },
    /// The index has no such package, or not that version.
    NotFound {
        /// Its name, with the version where it is about that.
        package: String,
    },
    /// Requirements contradict each other, or what there is.
    Conflict {
        /// The explanation of the resolver.
        text: String,
    },
    /// The operator does not allow lines that have an address.
    NotAccepted {
        /// The line, and what to do.
        text: String,
    },
    /// What the index has of a package cannot be unpacked.
    Broken {
        /// Its name and version.
        package: String,
    },
    /// What the index has of a package is not what the requirements say.
    HashMismatch {
        /// Its name and version.
        package: String,
    },
    /// The operator does not allow a package.
    Denied {
        /// Its name.
        package: String,
        /// Whether it was asked for itself, and not by another package.
        asked: bool,
    },
    /// The index cannot be reached, or does not answer as one.
    IndexDown,
    /// The service may not use the network, and does not have the packages.
    Offline,
    /// Installing took longer than it may.
    Timeout {
        /// How long it may take.
        seconds: u64,
    },
    /// The packages are larger than the store may be.
    TooLarge {
        /// What it may be.
        bytes_max: u64,
    },
    /// There is no uv, or no Python for it.
    NoUv,
    /// This program is built without what installs packages.
    NotBuiltIn,
    /// A fault of the service; the log says which.
    Fault,
}

impl Reason {
    /// Returns the metric label of a reason.
    pub(crate) fn label(&self) -> &'static str {
        match self {
            Reason::NoWheel { .. } => "no_wheel",
            Reason::NotFound { .. } => "not_found",
            Reason::Conflict { .. } => "conflict",
            Reason::NotAccepted { .. } => "not_accepted",
            Reason::Broken { .. } => "broken",
            Reason::HashMismatch { .. } => "hash_mismatch",
            Reason::Denied { .. } => "denied",
            Reason::IndexDown => "index_down",
            Reason::Offline => "offline",
            Reason::Timeout { .. } => "timeout",
            Reason::TooLarge { .. } => "too_large",
            Reason::NoUv => "no_uv",
            Reason::NotBuiltIn => "not_built_in",
            Reason::Fault => "fault",
        }
    }
}

impl Refusal {
    #[cfg(test)]
    pub(crate) fn of(reason: Reason) -> Refusal {
        Refusal::new(reason, "")
    }

    pub(super) fn new(reason: Reason, log: impl Into<String>) -> Refusal {
        Refusal { reason, log: log.into().into() }
    }

    pub(super) fn fault(log: impl Into<String>) -> Refusal {
        Refusal::new(Reason::Fault, log)
    }

    /// Returns whether nothing was heard from the index, which then is not asked again at once. What it says of one
    /// package, or of one file, says nothing of others.
    pub(super) fn is_of_whole_index(&self) -> bool {
        const SILENT: [&str; 4] = ["error sending request", "502 Bad Gateway", "503 Service", "504 Gateway"];
        self.reason == Reason::IndexDown
            && file_name(&self.log).is_none()
            && SILENT.iter().any(|words| self.log.contains(words))
    }

    /// Returns the text for the log.
    pub fn log(&self) -> &str {
        &self.log
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.reason.fmt(f)
    }
}

impl std::error::Error for Refusal {}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reason::NoWheel { packages, platform } => {
                let has = if packages.len() == 1 { "has" } else { "have" };
                write!(
                    f,
                    "{} {has} no wheel for {platform}: choose another version of the package or of Python, or one that \
                     needs no building",
                    in_words(packages)
                )
            }
            Reason::NotFound { package } => {
                write!(f, "{package} is not in the package index: check the name and the version")
            }
            Reason::Conflict { text } => write!(f, "the requirements cannot be met together: {text}"),
            Reason::NotAccepted { text } => f.write_str(text),
            Reason::Broken { package } => {
                write!(f, "{package} in the package index is broken: name another version, or leave it out")
            }
            Reason::HashMismatch { package } => write!(
                f,
                "{package} in the package index has another hash than the requirements say: check the version and the \
                 hashes, which may be those of other wheels"
            ),
            Reason::Denied { package, asked: true } => {
                write!(f, "{package} is not allowed on this service: remove it from the requirements")
            }
            Reason::Denied { package, asked: false } => write!(
                f,
                "{package} is not allowed on this service, and the requirements need it: remove what depends on it"
            ),
            Reason::IndexDown => f.write_str("the package index cannot be reached: try again later"),
            Reason::Offline => {
                f.write_str("this service is offline and does not have these packages: use those that it has")
            }
            Reason::Timeout { seconds } => write!(
                f,
                "installing the packages took longer than {seconds} seconds: try again, or require fewer of them"
            ),
            Reason::TooLarge { bytes_max } => {
                write!(f, "the packages have more than {} MB: require fewer of them", bytes_max >> 20)
            }
            Reason::NoUv => f.write_str("packages cannot be installed, because uv or a Python for it is missing"),
            Reason::NotBuiltIn => f.write_str("this program is built without packages: leave them out"),
            Reason::Fault => f.write_str("installing the packages failed; the log of the service says why"),
        }
    }
}

fn in_words(names: &[String]) -> String {
    match names.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, others)) => format!("{} and {last}", others.join(", ")),
        None => "a package".to_owned(),
    }
}

/// Reads the reason from an explanation of uv 0.13. It is prose, and another version may word it otherwise: what is not
/// recognised is a conflict with the explanation itself if it is one, else a fault.
pub(super) fn understood(stderr: &str, platform: &str) -> Refusal {
    let words: Vec<&str> = stderr.split_whitespace().collect();
    let said = words.join(" ");
    let has = |texts: &[&str]| texts.iter().any(|text| said.contains(text));
    let reason = if has(&["network was disabled", "was not found in the cache", "network connectivity is disabled"]) {
        Reason::Offline
    } else if has(&["No interpreter found", "Failed to inspect Python", "Querying Python"]) {
        Reason::NoUv
    } else if let Some(package) = said.contains("Hash mismatch for").then(|| after(&words, "for")).flatten() {
        Reason::HashMismatch { package }
    } else if let Some(package) = broken(&words, &said) {
        Reason::Broken { package }
    } else if has(&["No solution found"]) {
        let unusable = without_wheels(&words);
        let missing = before(&words, &["was", "not", "found", "in", "the", "package", "registry"]);
        match (missing, unusable.is_empty()) {
            (Some(package), _) => Reason::NotFound { package: package.to_owned() },
            (None, false) => Reason::NoWheel { packages: unusable, platform: platform.to_owned() },
            (None, true) => match only_version(&words) {
                Some(package) => Reason::NotFound { package },
                None => Reason::Conflict { text: explanation(stderr) },
            },
        }
    } else if has(&["error sending request", "Failed to fetch", "Failed to download", "Request failed", "HTTP status"])
    {
        Reason::IndexDown
    } else {
        Reason::Fault
    };
    Refusal::new(reason, bounded(stderr.trim(), 8000))
}

/// Returns the package whose file is not what it should be, or is not there.
fn broken(words: &[&str], said: &str) -> Option<String> {
    let has = |texts: &[&str]| texts.iter().any(|text| said.contains(text));
    if has(&["Failed to extract archive", "Failed to install:", "(404 Not Found)", "(410 Gone)"]) {
        let file = file_name(said).map(|file| file.splitn(3, '-').take(2).collect::<Vec<_>>().join("=="));
        return file.map(|file| plain(&file).to_owned()).filter(|file| !file.is_empty());
    }
    let invalid = ["has", "an", "invalid", "package", "format"];
    let metadata = ["has", "invalid", "metadata"];
    before(words, &invalid).or_else(|| before(words, &metadata)).map(str::to_owned)
}

/// Returns the file of a package that a failure is about.
fn file_name(said: &str) -> Option<&str> {
    let failed = ["Failed to fetch: ", "Failed to extract archive: ", "Failed to install: "];
    let rest = failed.iter().find_map(|failed| Some(said.split_once(failed)?.1))?;
    let place = rest.split_whitespace().next()?.trim_matches('`').split(['?', '#']).next()?;
    let file = place.rsplit('/').next()?;
    [".whl", ".whl.metadata", ".tar.gz", ".zip"].iter().any(|ending| file.ends_with(ending)).then_some(file)
}

/// Returns the first word in backquotes after another.
fn after(words: &[&str], phrase: &str) -> Option<String> {
    let at = words.iter().position(|word| *word == phrase)?;
    words.get(at + 1).map(|word| plain(word).to_owned()).filter(|word| !word.is_empty())
}

/// Returns the packages that have no usable wheels, as the explanation says.
fn without_wheels(words: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for (at, window) in words.windows(3).enumerate() {
        let says_so = matches!(window, ["has" | "have", "no", "usable" | "wheels"]);
        let Some(package) = says_so.then(|| at.checked_sub(1).and_then(|at| words.get(at))).flatten() else { continue };
        let package = plain(package);
        // Of versions that differ in their reason one is enough.
        let same = |known: &String| name_of(known) == name_of(package);
        if !package.is_empty() && !found.iter().any(same) {
            found.push(package.to_owned());
        }
    }
    found
}

/// Returns the version that does not exist, if that is all there is to say.
fn only_version(words: &[&str]) -> Option<String> {
    let at = words.windows(5).position(|window| window == ["there", "is", "no", "version", "of"])?;
    let package = plain(words.get(at + 5)?);
    let alone = !words.contains(&"depends") && !words.contains(&"available:");
    (alone && !package.is_empty()).then(|| package.to_owned())
}

/// Returns the word before a phrase.
fn before<'a>(words: &[&'a str], phrase: &[&str]) -> Option<&'a str> {
    let at = words.windows(phrase.len()).position(|window| window == phrase)?;
    at.checked_sub(1).and_then(|at| words.get(at)).map(|word| plain(word)).filter(|word| !word.is_empty())
}

/// Returns the part of a word that can be a name with versions.
fn plain(word: &str) -> &str {
    let name = |c: char| c.is_ascii_alphanumeric() || "._-+=<>!~,*[]".contains(c);
    let word = word.trim_matches(['`', ',', '.', ':', '(', ')']);
    if word.len() <= 200 && word.chars().all(name) { word } else { "" }
}

fn name_of(package: &str) -> &str {
    package.split(['=', '<', '>', '!', '~', '[']).next().unwrap_or(package)
}

/// Returns the resolver's sentences, without what is the service's own.
fn explanation(stderr: &str) -> String {
    let sentences = stderr.split_once("cause:").map_or(stderr, |(_, rest)| rest);
    let lines = sentences.lines().take_while(|line| !line.starts_with("hint:") && !line.starts_with("warning:"));
    let words = lines.flat_map(str::split_whitespace);
    let words: Vec<_> = words.filter(|word| !word.contains("://") && !word.contains('/')).collect();
    bounded(&words.join(" "), 1000)
}

pub(super) fn bounded(text: &str, chars: usize) -> String {
    match text.char_indices().nth(chars) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the reason for what uv 0.13.8 said.
    fn reason(stderr: &str) -> Reason {
        let refusal = understood(stderr, "Python 3.13");
        assert_eq!(refusal.log(), stderr.trim());
        refusal.reason
    }

    fn no_wheel(packages: &[&str]) -> Reason {
        let packages = packages.iter().map(ToString::to_string).collect();
        Reason::NoWheel { packages, platform: "Python 3.13".to_owned() }
    }

    #[test]
    fn missing_wheels_are_told_from_missing_packages() {
        let unusable = "error: No solution found when resolving dependencies\n  cause: Because numpy==1.19.0 has no usable \
                        wheels and you require numpy==1.19.0, we can conclude that your requirements are \
                        unsatisfiable.\nhint: Wheels are required for `numpy` because building from source is disabled \
                        for all packages (i.e., with `--no-build`)\n";
        assert_eq!(reason(unusable), no_wheel(&["numpy==1.19.0"]));
        let all = unusable.replace("numpy==1.19.0 has", "all versions of docopt have");
        assert_eq!(reason(&all), no_wheel(&["docopt"]));
        let tags = "error: No solution found when resolving dependencies\n  cause: Because pywin32<=306 has no wheels with \
                    a matching Python ABI tag (e.g., `cp313`) and only the following versions of pywin32 are available:\n\
                    \x20            pywin32<=306\n             pywin32>=307\n         we can conclude that pywin32<307 \
                    cannot be used.\n         And because pywin32>=307 has no wheels with a matching platform tag (e.g., \
                    `manylinux_2_28_x86_64`) and you require pywin32, we can conclude that your requirements are \
                    unsatisfiable.";
        assert_eq!(reason(tags), no_wheel(&["pywin32<=306"]));
        let missing = "error: No solution found when resolving dependencies\n  cause: Because nothing-like-it was not found \
                       in the package registry and you require nothing-like-it, we can conclude that your requirements \
                       are unsatisfiable.";
        assert_eq!(reason(missing), Reason::NotFound { package: "nothing-like-it".to_owned() });
        let version = "error: No solution found when resolving dependencies\n  cause: Because there is no version of \
                       numpy==99.0 and you require numpy==99.0, we can conclude that your requirements are unsatisfiable.";
        assert_eq!(reason(version), Reason::NotFound { package: "numpy==99.0".to_owned() });
    }

    #[test]
    fn a_conflict_is_explained() {
        let stderr = "error: No solution found when resolving dependencies\n  cause: Because jinja2==3.1.4 depends on \
                      markupsafe>=2.0 and you require jinja2==3.1.4, we can conclude that you require markupsafe>=2.0.\n  \
                      \x20      And because you require markupsafe<2.0, we can conclude that your requirements are \
                      unsatisfiable.\nhint: see http://user:secret@index.example and /root/x";
        let Reason::Conflict { text } = reason(stderr) else { panic!("{:?}", reason(stderr)) };
        assert!(text.starts_with("Because jinja2==3.1.4 depends on markupsafe>=2.0 and"), "{text}");
        assert!(text.ends_with("unsatisfiable."), "{text}");
        let long = stderr.replace("depends on", &"depends on /root/x http://secret ".repeat(1000));
        let Reason::Conflict { text } = understood(&long, "").reason else { panic!() };
        assert!(text.len() < 1100 && !text.contains("secret") && !text.contains("/root"), "{text}");
    }

    #[test]
    fn a_broken_package_is_not_a_broken_index() {
        let of = |package: &str| Reason::Broken { package: package.to_owned() };
        let archive = "error: Failed to download `link==1.0`\n  cause: Failed to extract archive: \
                       link-1.0-py3-none-any.whl\n  cause: I/O operation failed during extraction\n  cause: failed to \
                       create directory `/root/link`: File exists (os error 17)";
        assert_eq!(reason(archive), of("link==1.0"));
        let install = "error: Failed to install: no_wheel-1.0-py3-none-any.whl (no-wheel==1.0)\n  cause: failed to open \
                       file `/x/WHEEL`: No such file or directory (os error 2)";
        assert_eq!(reason(install), of("no_wheel==1.0"));
        let format = "error: No solution found when resolving dependencies\n  cause: Because garbage==1.0 has an invalid \
                      package format and only garbage==1.0 is available, we can conclude that all versions of garbage \
                      cannot be used.";
        assert_eq!(reason(format), of("garbage==1.0"));
        assert_eq!(reason(&format.replace("an invalid package format", "invalid metadata")), of("garbage==1.0"));
        let gone = "error: Failed to fetch: http://127.0.0.1/f404-1.0-py3-none-any.whl\n  cause: HTTP status client \
                    error (404 Not Found) for url (http://127.0.0.1/f404-1.0-py3-none-any.whl)";
        assert_eq!(reason(gone), of("f404==1.0"));
        let hash = "error: Failed to download `tabulate==0.9.0`\n  cause: Hash mismatch for `tabulate==0.9.0`\n\n  \
                    Expected:\n    sha256:0\n\n  Computed:\n    sha256:1";
        assert_eq!(reason(hash), Reason::HashMismatch { package: "tabulate==0.9.0".to_owned() });
    }

    #[test]
    fn only_silence_is_of_the_whole_index() {
        let fetch = |what: &str, why: &str| format!("error: Failed to fetch: http://127.0.0.1/{what}\n  cause: {why}");
        let silence = "error sending request for url (http://127.0.0.1/)\n  cause: operation timed out";
        for (stderr, whole) in [
            (fetch("simple/x/", silence), true),
            (fetch("simple/x/", "HTTP status server error (503 Service Unavailable) for url"), true),
            (fetch("simple/x/", "HTTP status server error (500 Internal Server Error) for url"), false),
            (fetch("x-1.0-py3-none-any.whl", silence), false),
            (fetch("x-1.0-py3-none-any.whl.metadata", silence), false),
            ("error: Failed to download `cut==1.0`\n  cause: error reading a body from connection".to_owned(), false),
        ] {
            let refusal = understood(&stderr, "");
            assert_eq!((&refusal.reason, refusal.is_of_whole_index()), (&Reason::IndexDown, whole), "{stderr}");
        }
    }

    #[test]
    fn faults_of_the_index_are_not_the_clients() {
        let down = "error: Request failed after 1 retry in 1.4s\n  cause: Failed to fetch: \
                    http://127.0.0.1:9/simple/sympy/\n  cause: error sending request for url\n  cause: Connection refused";
        assert_eq!(reason(down), Reason::IndexDown);
        assert!(!understood(down, "").to_string().contains("127.0.0.1"));
        let offline = "error: No solution found when resolving dependencies\n  cause: Because sympy was not found in the \
                       cache and you require sympy, we can conclude that your requirements are unsatisfiable.\nhint: \
                       Packages were unavailable because the network was disabled.";
        assert_eq!(reason(offline), Reason::Offline);
        assert_eq!(reason("error: No interpreter found at path `/nonexistent/python`"), Reason::NoUv);
        assert_eq!(reason("error: something else in /root/secret"), Reason::Fault);
    }
}
