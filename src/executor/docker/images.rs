//! Which images jobs may have, fetching one, and what is in it.

use super::{
    DockerOptions,
    container::Container,
    engine::{Engine, Fault, lock},
    flights::{Flights, Progress, Step},
    hardening, helper, state,
};
use crate::{Error, Result, needs::Python};
use bollard::{
    models::ImageInspect,
    query_parameters::{CreateImageOptionsBuilder, ListImagesOptionsBuilder},
};
use futures_util::{FutureExt, StreamExt};
use serde::Deserialize;
use std::{
    collections::{BTreeMap, HashMap, HashSet},
    fmt,
    str::FromStr,
    sync::{Arc, Mutex},
    time::Duration,
};

/// How long it may take to fetch an image.
const PULL: Duration = Duration::from_secs(900);
/// How long an interpreter may take to say what it is.
const PROBE: Duration = Duration::from_secs(30);
/// How long it is believed that a name still means the same image.
const NAME_KEPT: Duration = Duration::from_secs(60);
const NAMES_MAX: u64 = 1000;
/// How long it is remembered which Python an image has.
const INTERPRETER_KEPT: Duration = Duration::from_secs(30 * 24 * 3600);
const NAME_BYTES_MAX: usize = 255;

/// Says what becomes of a job whose image is not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ImagePull {
    /// The image is fetched, and that is said.
    #[default]
    Missing,
    /// The job is refused.
    Never,
}

/// The name of an image, in the form that people use: `python:3.13-slim`, `ghcr.io/acme/base:1`. It has a tag or a digest.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct ImageName(String);

impl ImageName {
    /// Returns whether a pattern of [`DockerOptions::allowed_images`] matches; in there `*` is anything.
    fn matches(&self, pattern: &str) -> bool {
        let (text, pattern) = (self.0.as_bytes(), pattern.as_bytes());
        let (mut at, mut next, mut star) = (0, 0, None);
        while at < text.len() {
            match pattern.get(next) {
                Some(b'*') => {
                    star = Some((next, at));
                    next += 1;
                }
                Some(byte) if *byte == text[at] => (at, next) = (at + 1, next + 1),
                // The last star takes one more.
                _ => match star {
                    Some((place, taken)) => {
                        star = Some((place, taken + 1));
                        (at, next) = (taken + 1, place + 1);
                    }
                    None => return false,
                },
            }
        }
        pattern[next..].iter().all(|byte| *byte == b'*')
    }
}

impl ImageName {
    /// Returns the name without its tag and its digest.
    fn repository(&self) -> &str {
        let tagged = self.0.split_once('@').map_or(self.0.as_str(), |(tagged, _)| tagged);
        match tagged.rsplit_once(':') {
            Some((path, tag)) if !tag.contains('/') => path,
            _ => tagged,
        }
    }

    /// Returns the name as the daemon lists it: with a digest it has no tag.
    fn as_listed(&self) -> ImageName {
        match self.0.split_once('@') {
            Some((_, digest)) => ImageName(format!("{}@{digest}", self.repository())),
            None => self.clone(),
        }
    }
}

impl fmt::Display for ImageName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for ImageName {
    type Err = Error;

    fn from_str(text: &str) -> Result<ImageName> {
        let wrong = |why: &str| {
            let start: String = text.chars().take(NAME_BYTES_MAX).collect();
            Error::invalid(format!(
                "{start:?} is not the name of an image ({why}): write one like \"python:3.13-slim\""
            ))
        };
        if text.is_empty() || text.len() > NAME_BYTES_MAX {
            return Err(wrong("it is empty or too long"));
        }
        let (rest, digest) = match text.split_once('@') {
            Some((rest, digest)) => (rest, Some(digest)),
            None => (text, None),
        };
        if let Some(digest) = digest {
            let hex = digest.strip_prefix("sha256:").unwrap_or_default();
            if hex.len() != 64 || !hex.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) {
                return Err(wrong("its digest is not sha256:… with 64 hexadecimal digits"));
            }
        }
        // A colon before a slash belongs to a port.
        let (path, tag) = match rest.rsplit_once(':') {
            Some((path, tag)) if !tag.contains('/') => (path, Some(tag)),
            _ => (rest, None),
        };
        if let Some(tag) = tag {
            let inner = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte);
            let first = tag.bytes().next().is_some_and(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
            if !first || tag.len() > 128 || !tag.bytes().all(inner) {
                return Err(wrong("its tag has other than letters, digits, '_', '.' and '-'"));
            }
        }
        let mut parts: Vec<&str> = path.split('/').collect();
        let has_registry = parts.len() > 1 && (parts[0].contains(['.', ':']) || parts[0] == "localhost");
        if has_registry && !is_registry(parts[0]) {
            return Err(wrong("its registry is not a host name"));
        }
        if !parts[usize::from(has_registry)..].iter().all(|part| is_component(part)) {
            return Err(wrong("its path has other than small letters and digits, and single separators"));
        }
        // Three ways to write the same.
        if has_registry && matches!(parts[0], "docker.io" | "index.docker.io") {
            parts.remove(0);
            if parts.len() == 2 && parts[0] == "library" {
                parts.remove(0);
            }
        }
        let path = parts.join("/");
        Ok(ImageName(match (tag, digest) {
            (None, None) => format!("{path}:latest"),
            (Some(tag), None) => format!("{path}:{tag}"),
            (None, Some(digest)) => format!("{path}@{digest}"),
            (Some(tag), Some(digest)) => format!("{path}:{tag}@{digest}"),
        }))
    }
}

fn is_registry(text: &str) -> bool {
    let (host, port) = text.split_once(':').unwrap_or((text, "0"));
    let edge = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric());
    let is_label = |label: &str| {
        edge(label.bytes().next())
            && edge(label.bytes().last())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    host.split('.').all(is_label) && port.parse::<u16>().is_ok()
}

/// Returns whether a part of a name is small letters and digits, with separators between them.
fn is_component(text: &str) -> bool {
    let edge = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"._-".contains(&byte);
    edge(text.bytes().next()) && edge(text.bytes().last()) && text.bytes().all(inner) && !text.contains("..")
}

/// The interpreter of an image, as far as it matters for packages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Interpreter {
    pub(crate) python: Python,
    /// As `uname` has it: `x86_64`, `aarch64`.
    pub(crate) machine: String,
    pub(crate) libc: Libc,
    /// Versions of the packages that it has, by normalised name.
    pub(crate) packages: Arc<BTreeMap<String, String>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Libc {
    Glibc { major: u16, minor: u16 },
    Musl,
}

/// Holds what an image said of itself.
#[derive(Debug, Deserialize)]
struct Said {
    python: String,
    machine: String,
    libc: String,
    #[serde(default)]
    packages: BTreeMap<String, String>,
}

impl Interpreter {
    fn parse(image: &ImageName, said: &str) -> Result<Interpreter> {
        let odd = || Error::unavailable(format!("the image {image} does not say which Python it has"));
        let said: Said = serde_json::from_str(said).map_err(|_| odd())?;
        let python = said.python.parse().map_err(|_| {
            let version: String = said.python.chars().take(16).collect();
            Error::invalid(format!("the image {image} has Python {version}: take one with 3.10 to 3.14"))
        })?;
        let usual = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        if said.machine.is_empty() || said.machine.len() > 32 || !said.machine.bytes().all(usual) {
            return Err(odd());
        }
        let libc = match said.libc.strip_prefix("glibc ").and_then(|version| version.split_once('.')) {
            Some((major, minor)) => {
                Libc::Glibc { major: major.parse().map_err(|_| odd())?, minor: minor.parse().map_err(|_| odd())? }
            }
            None => Libc::Musl,
        };
        let packages = said.packages.into_iter().map(|(name, version)| (normalised(&name), version)).collect();
        Ok(Interpreter { python, machine: said.machine, libc, packages: Arc::new(packages) })
    }
}

/// Returns the name of a package as PEP 503 compares it.
fn normalised(name: &str) -> String {
    let words = name.split(['-', '_', '.']).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join("-").to_ascii_lowercase()
}

/// An image that jobs can run in: it is there, and declares no volumes.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Base {
    pub(crate) name: ImageName,
    /// Of exactly this image, whatever its name comes to mean.
    pub(crate) id: String,
}

/// The images of one daemon, as far as they have been looked at.
pub(crate) struct Images {
    by_name: moka::future::Cache<ImageName, Arc<Base>>,
    by_id: Mutex<HashMap<String, Interpreter>>,
    flights: Flights<Arc<Base>>,
}

impl Images {
    pub(crate) fn new() -> Images {
        Images {
            by_name: moka::future::Cache::builder().max_capacity(NAMES_MAX).time_to_live(NAME_KEPT).build(),
            by_id: Mutex::default(),
            flights: Flights::new(),
        }
    }

    /// Returns the image of that name, if it was looked at a short while ago.
    pub(crate) async fn known(&self, name: &ImageName) -> Option<Arc<Base>> {
        self.by_name.get(name).await
    }

    /// Returns whether an image of that name was looked at a short while ago.
    pub(crate) fn is_known(&self, name: &ImageName) -> bool {
        self.by_name.contains_key(name)
    }

    /// Forgets what `name` means, which may have changed.
    pub(crate) async fn forget(&self, name: &ImageName) {
        self.by_name.invalidate(name).await;
    }
}

/// Chooses the image of a job, by the Python version and the image that it asks for.
pub(crate) fn choose(options: &DockerOptions, python: Option<&str>, image: Option<&str>) -> Result<ImageName> {
    if let Some(python) = python {
        python.parse::<Python>().map_err(|unsupported| Error::invalid(unsupported.to_string()))?;
    }
    let own = |python: &str| {
        let name = options.images.get(python).cloned().unwrap_or_else(|| options.image.replace("{version}", python));
        name.parse::<ImageName>()
    };
    let Some(image) = image else { return python.map_or_else(|| options.default_image.parse(), own) };
    let name: ImageName = image.parse()?;
    let is_own = || {
        let versions = Python::all().filter_map(|python| own(&python.to_string()).ok());
        options.default_image.parse().into_iter().chain(versions).any(|own: ImageName| own == name)
    };
    if options.allowed_images.iter().any(|pattern| name.matches(pattern)) || is_own() {
        return Ok(name);
    }
    let allowed = options.allowed_images.join(", ");
    Err(Error::invalid(format!(
        "the image {name} is not allowed (allowed: {allowed}): the service's operator can add it to PYEXEC_ALLOWED_IMAGES"
    )))
}

/// Returns the image `name`, fetched and looked at where need be.
pub(crate) async fn base(engine: &Arc<Engine>, name: &ImageName, progress: &Progress) -> Result<Arc<Base>> {
    let images = engine.images();
    if let Some(base) = images.by_name.get(name).await {
        return Ok(base);
    }
    let begin = |tell: Progress| {
        let (engine, name) = (Arc::clone(engine), name.clone());
        async move { look(&engine, name, &tell).await }.boxed()
    };
    let base = images.flights.join(&name.0, progress, begin).await?;
    images.by_name.insert(name.clone(), Arc::clone(&base)).await;
    Ok(base)
}

/// Returns which of these images the daemon has, with one question at most.
pub(crate) async fn present(engine: &Engine, names: impl IntoIterator<Item = ImageName>) -> Result<HashSet<ImageName>> {
    let by_name = &engine.images().by_name;
    let (mut present, unknown): (HashSet<_>, HashSet<_>) =
        names.into_iter().partition(|name| by_name.contains_key(name));
    if unknown.is_empty() {
        return Ok(present);
    }
    let filters = HashMap::from([("reference", unknown.iter().map(ImageName::repository).collect())]);
    let options = ListImagesOptionsBuilder::default().filters(&filters).build();
    let listed = engine
        .ask(engine.docker().list_images(Some(options)))
        .await
        .map_err(|fault| Error::caused("Docker does not say which images it has", fault.to_string()))?;
    let listed: HashSet<ImageName> = listed
        .iter()
        .flat_map(|image| image.repo_tags.iter().chain(&image.repo_digests))
        .filter_map(|name| name.parse().ok())
        .collect();
    present.extend(unknown.into_iter().filter(|name| listed.contains(&name.as_listed())));
    Ok(present)
}

async fn look(engine: &Arc<Engine>, name: ImageName, tell: &Progress) -> Result<Arc<Base>> {
    let unknown =
        |fault: Fault| Error::caused(format!("Docker does not say what the image {name} is"), fault.to_string());
    let image = match engine.ask(engine.docker().inspect_image(&name.0)).await {
        Err(Fault::Refused { status: 404, .. }) => {
            pull(engine, &name, tell).await?;
            engine.ask(engine.docker().inspect_image(&name.0)).await.map_err(unknown)?
        }
        found => found.map_err(unknown)?,
    };
    refuse_volumes(&name, &image)?;
    let Some(id) = image.id else {
        return Err(Error::unavailable(format!("Docker does not say what the image {name} is")));
    };
    Ok(Arc::new(Base { name, id }))
}

/// Returns the interpreter of an image. It takes a container to find out, once for all processes: what an id stands for
/// never changes.
pub(crate) async fn interpreter(engine: &Arc<Engine>, base: &Base) -> Result<Interpreter> {
    let known = lock(&engine.images().by_id).get(&base.id).cloned();
    if let Some(interpreter) = known {
        return Ok(interpreter);
    }
    let note = note_of(&base.id);
    let noted = note.as_deref().and_then(|note| state::recent(note, INTERPRETER_KEPT));
    let interpreter = match noted.and_then(|said| Interpreter::parse(&base.name, &said).ok()) {
        Some(interpreter) => interpreter,
        None => {
            let said = probe(engine, &base.name, &base.id).await?;
            let interpreter = Interpreter::parse(&base.name, &said)?;
            if let Some(note) = note {
                state::note(&note, &said);
            }
            interpreter
        }
    };
    lock(&engine.images().by_id).insert(base.id.clone(), interpreter.clone());
    Ok(interpreter)
}

/// Returns the name of the note about an image; `None` for an id that is no digest.
fn note_of(id: &str) -> Option<String> {
    let hex = id.strip_prefix("sha256:")?;
    (hex.len() == 64 && hex.bytes().all(|byte| byte.is_ascii_hexdigit())).then(|| format!("interpreter-{hex}"))
}

/// Volumes are writable folders on the host's disk, without a limit.
fn refuse_volumes(name: &ImageName, image: &ImageInspect) -> Result<()> {
    let volumes = image.config.as_ref().and_then(|config| config.volumes.as_deref()).unwrap_or_default();
    if volumes.is_empty() {
        return Ok(());
    }
    Err(Error::unavailable(format!(
        "the image {name} declares volumes ({}), which no limit holds: make one without VOLUME",
        volumes.join(", ")
    )))
}

async fn pull(engine: &Engine, name: &ImageName, tell: &Progress) -> Result<()> {
    if engine.options().image_pull == ImagePull::Never {
        return Err(Error::unavailable(format!(
            "Docker has no image {name}, and this service fetches none: `docker pull {name}` on its machine, or set \
             PYEXEC_IMAGE_PULL=missing"
        )));
    }
    let failed =
        |why: &str| Error::unavailable(format!("cannot fetch the image {name}: {why} (try `docker pull {name}`)"));
    tracing::info!(image = %name, "pulling an image");
    tell(Step::Pulling { image: name.to_string() });
    let options = CreateImageOptionsBuilder::default().from_image(&name.0).build();
    let docker = engine.docker().clone().with_timeout(PULL);
    let pulling = async {
        let mut news = docker.create_image(Some(options), None, None);
        let mut last = None;
        while let Some(info) = news.next().await {
            let info = info.map_err(Fault::from).map_err(|fault| failed(&fault.to_string()))?;
            if let Some(message) = info.error_detail.and_then(|detail| detail.message) {
                return Err(failed(&message));
            }
            // A bar that grows is the same news again and again.
            let line = info.status.map(|status| match info.id {
                Some(id) => format!("{id}: {status}"),
                None => status,
            });
            if let Some(line) = line.filter(|line| last.as_ref() != Some(line)) {
                tell(Step::Line(line.clone()));
                last = Some(line);
            }
        }
        Ok(())
    };
    let pulled = tokio::time::timeout(PULL, pulling).await;
    pulled.unwrap_or_else(|_| Err(failed(&format!("it takes longer than {} s", PULL.as_secs()))))
}

async fn probe(engine: &Arc<Engine>, name: &ImageName, id: &str) -> Result<String> {
    let body = hardening::probe_body(id, engine.options().instance.name());
    let container = Container::make(engine, body, None).await?;
    let said = helper::run(engine, container, PROBE).await?;
    match said.status {
        0 => Ok(said.stdout.trim().to_owned()),
        helper::NOT_EXECUTABLE | helper::NOT_FOUND => Err(Error::invalid(format!(
            "the image {name} has no python3 ({}): take one with Python 3.10 to 3.14",
            said.last_complaint()
        ))),
        status => Err(Error::invalid(format!(
            "python3 of the image {name} does not work (status {status}): {}",
            said.last_complaint()
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_one_form() {
        for (text, expected) in [
            ("python", "python:latest"),
            ("python:3.13-slim", "python:3.13-slim"),
            ("docker.io/library/python:3.13", "python:3.13"),
            ("docker.io/acme/base:1", "acme/base:1"),
            ("localhost:5000/base", "localhost:5000/base:latest"),
            ("ghcr.io/a/b__c/d-e:X_1", "ghcr.io/a/b__c/d-e:X_1"),
        ] {
            assert_eq!(text.parse::<ImageName>().expect(text).to_string(), expected);
        }
        let digest = format!("python:3.13@sha256:{}", "a".repeat(64));
        let name = digest.parse::<ImageName>().expect("a name");
        assert_eq!(name.to_string(), digest);
        assert_eq!(name.as_listed().to_string(), digest.replace(":3.13", ""));
        for (text, repository) in [("python", "python"), ("localhost:5000/base:1", "localhost:5000/base")] {
            let name = text.parse::<ImageName>().expect(text);
            assert_eq!((name.repository(), name.as_listed()), (repository, name.clone()));
        }
        let long = "a".repeat(256);
        for wrong in [
            "",
            "Python",
            "python:",
            "python:-x",
            "python:a b",
            "-v",
            "--privileged",
            "../python",
            "a//b",
            "a/",
            "/a",
            "a..b",
            "a@sha256:1",
            "a\nb",
            "python:3.13;rm",
            "é",
            "a:b:c",
            "host:port/a",
            "http://x/y",
            "a/b:80/c",
            "-.x/a",
            &long,
        ] {
            assert!(matches!(wrong.parse::<ImageName>(), Err(Error::InvalidJob { .. })), "{wrong:?}");
        }
    }

    #[test]
    fn patterns_match_whole_names() {
        for (name, pattern, expected) in [
            ("python:3.13", "python:*", true),
            ("python:3.13", "python:3.13", true),
            ("python:3.13-slim", "python:*-slim", true),
            ("python:3.13", "python:*-slim", false),
            ("pythons:3.13", "python:*", false),
            ("evil/python:3.13", "python:*", false),
            ("evil.io/python:3.13", "python:*", false),
            ("ghcr.io/acme/a/b:1", "ghcr.io/acme/*", true),
            ("ghcr.io/acmes/b:1", "ghcr.io/acme/*", false),
            ("anything", "*", true),
            ("anything", "", false),
        ] {
            assert_eq!(name.parse::<ImageName>().expect("a name").matches(pattern), expected, "{name} {pattern}");
        }
    }

    #[test]
    fn only_allowed_images_and_the_operators_own_are_chosen() {
        let options = DockerOptions {
            default_image: "mine/base:3.13".to_owned(),
            image: "mine/base:{version}".to_owned(),
            images: [("3.12".to_owned(), "other:1".to_owned())].into(),
            ..DockerOptions::default()
        };
        let chosen = |python, image| choose(&options, python, image).map(|name| name.to_string());
        assert_eq!(chosen(None, None).expect("allowed"), "mine/base:3.13");
        assert_eq!(chosen(Some("3.12"), None).expect("allowed"), "other:1");
        for allowed in ["python:3.11", "mine/base:3.10", "other:1"] {
            assert_eq!(chosen(None, Some(allowed)).expect("allowed"), allowed);
        }
        let refused = chosen(None, Some("mine/base:9")).expect_err("refused").to_string();
        assert!(refused.contains("mine/base:9") && refused.contains("PYEXEC_ALLOWED_IMAGES"), "{refused}");
        assert!(chosen(Some("2.7"), None).is_err());
        assert!(chosen(Some("x/y"), None).is_err());
    }

    #[test]
    fn notes_are_about_digests_only() {
        let id = format!("sha256:{}", "0a".repeat(32));
        assert_eq!(note_of(&id), Some(format!("interpreter-{}", "0a".repeat(32))));
        for wrong in ["", "sha256:", "python:3.13", &format!("sha256:{}", "../".repeat(22)[..64].to_owned()), &id[1..]]
        {
            assert_eq!(note_of(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn what_an_image_says_is_not_believed_blindly() {
        let name: ImageName = "python:3.13".parse().expect("a name");
        let said = |text| Interpreter::parse(&name, text);
        let good = said(r#"{"python": "3.13", "machine": "x86_64", "libc": "glibc 2.36"}"#).expect("known");
        assert_eq!((good.python.to_string().as_str(), good.libc), ("3.13", Libc::Glibc { major: 2, minor: 36 }));
        let musl = said(r#"{"python": "3.10", "machine": "aarch64", "libc": "musl"}"#).expect("known");
        assert_eq!(musl.libc, Libc::Musl);
        let packages = r#"{"python": "3.13", "machine": "x", "libc": "musl", "packages": {"Zope.interface__x": "1"}}"#;
        assert_eq!(said(packages).expect("known").packages.get("zope-interface-x").map(String::as_str), Some("1"));
        let old = said(r#"{"python": "2.7", "machine": "x86_64", "libc": "glibc 2.36"}"#).expect_err("too old");
        assert!(old.to_string().contains("has Python 2.7: take one with 3.10 to 3.14"), "{old}");
        for wrong in [
            "",
            "{}",
            r#"{"python": "3.13", "machine": "../x", "libc": "musl"}"#,
            r#"{"python": "3.13", "machine": "x", "libc": "glibc 2.x"}"#,
        ] {
            assert!(said(wrong).is_err(), "{wrong}");
        }
    }
}
