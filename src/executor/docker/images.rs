//! Which images jobs may have, fetching one, and what is in it.

use super::{
    container::Container,
    containers::Containers,
    daemon::{Daemon, Fault},
    hardening, helper,
    image_name::ImageName,
    interpreter::{Interpreter, Libc},
    options::{DockerOptions, ImagePull},
    progress::{Progress, Step},
    state,
};
use crate::{Error, ErrorKind, Hint, Result, python::Python, single_flight::SingleFlight, sync::lock};
use bollard::{
    models::ImageInspect,
    query_parameters::{CreateImageOptionsBuilder, ListImagesOptionsBuilder},
};
use futures_util::{FutureExt, StreamExt};
use serde::Deserialize;
use std::{
    collections::{BTreeMap, HashMap, HashSet},
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
/// The version that can be put into an image of another, and the release of Debian that has it.
pub(crate) const MADE: (Python, &str) = (Python::WASM, "forky");
/// The name of images with a version of Python that was put into them.
pub(crate) const MADE_REPOSITORY: &str = "pyexec-python";

/// Holds what the interpreter of an image reports of itself.
#[derive(Debug, Deserialize)]
struct ProbeReport {
    python: String,
    machine: String,
    libc: String,
    #[serde(default)]
    packages: BTreeMap<String, String>,
}

impl Interpreter {
    fn parse(image: &ImageName, text: &str) -> Result<Interpreter> {
        let odd = || Error::unavailable(format!("the image {image} does not say which Python it has"));
        let report: ProbeReport = serde_json::from_str(text).map_err(|_| odd())?;
        let python = report.python.parse().map_err(|_| {
            let version: String = report.python.chars().take(16).collect();
            Error::invalid(format!("the image {image} has Python {version}: take one with 3.10 to 3.14"))
        })?;
        let usual = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        if report.machine.is_empty() || report.machine.len() > 32 || !report.machine.bytes().all(usual) {
            return Err(odd());
        }
        let libc = match report.libc.strip_prefix("glibc ").and_then(|version| version.split_once('.')) {
            Some((major, minor)) => {
                Libc::Glibc { major: major.parse().map_err(|_| odd())?, minor: minor.parse().map_err(|_| odd())? }
            }
            None => Libc::Musl,
        };
        let packages = report.packages.into_iter().map(|(name, version)| (normalised(&name), version)).collect();
        Ok(Interpreter { python, machine: report.machine, libc, packages: Arc::new(packages) })
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

/// Looks at the images of one daemon, and fetches them.
pub(crate) struct Images {
    containers: Arc<Containers>,
    by_name: moka::future::Cache<ImageName, Arc<Base>>,
    by_id: Mutex<HashMap<String, Interpreter>>,
    looks: SingleFlight<ImageName, Arc<Base>, Step>,
}

impl Images {
    pub(crate) fn new(containers: Arc<Containers>) -> Arc<Images> {
        Arc::new(Images {
            containers,
            by_name: moka::future::Cache::builder().max_capacity(NAMES_MAX).time_to_live(NAME_KEPT).build(),
            by_id: Mutex::default(),
            looks: SingleFlight::new(Step::lasts),
        })
    }

    /// Returns the containers in which images are looked at, and all others of this process.
    pub(crate) fn containers(&self) -> &Arc<Containers> {
        &self.containers
    }

    fn daemon(&self) -> &Daemon {
        self.containers.daemon()
    }

    fn options(&self) -> &DockerOptions {
        self.daemon().options()
    }

    /// Returns the image of that name, if it was looked at a short while ago.
    pub(crate) async fn known(&self, name: &ImageName) -> Option<Arc<Base>> {
        self.by_name.get(name).await
    }

    /// Forgets what `name` means, which may have changed.
    pub(crate) async fn forget(&self, name: &ImageName) {
        self.by_name.invalidate(name).await;
    }

    /// Returns the image `name`, fetched and looked at where need be.
    pub(crate) async fn base(self: &Arc<Images>, name: &ImageName, progress: &Progress) -> Result<Arc<Base>> {
        if let Some(base) = self.by_name.get(name).await {
            return Ok(base);
        }
        let begin = |tell: Progress| {
            let (images, name) = (Arc::clone(self), name.clone());
            async move { images.look(name, &tell).await }.boxed()
        };
        let base = self.looks.join(name.clone(), progress, begin).await?;
        self.by_name.insert(name.clone(), Arc::clone(&base)).await;
        Ok(base)
    }

    /// Returns which of these images the daemon has, with one question at most.
    pub(crate) async fn present(&self, names: impl IntoIterator<Item = ImageName>) -> Result<HashSet<ImageName>> {
        let (mut present, unknown): (HashSet<_>, HashSet<_>) =
            names.into_iter().partition(|name| self.by_name.contains_key(name));
        if unknown.is_empty() {
            return Ok(present);
        }
        let filters = HashMap::from([("reference", unknown.iter().map(ImageName::repository).collect())]);
        let options = ListImagesOptionsBuilder::default().filters(&filters).build();
        let listed = self.daemon().ask(self.daemon().client().list_images(Some(options))).await;
        let listed =
            listed.map_err(|fault| Error::caused("Docker does not say which images it has", fault.to_string()))?;
        let listed: HashSet<ImageName> = listed
            .iter()
            .flat_map(|image| image.repo_tags.iter().chain(&image.repo_digests))
            .filter_map(|name| name.parse().ok())
            .collect();
        present.extend(unknown.into_iter().filter(|name| listed.contains(&name.as_listed())));
        Ok(present)
    }

    /// Returns an image of the operator's that is there, for helpers of ours.
    pub(crate) async fn for_helpers(self: &Arc<Images>) -> Result<Arc<Base>> {
        let silent: Progress = Arc::new(|_| ());
        let usual = choose(self.options(), None, None)?;
        let versions = Python::all().filter_map(|python| names_of(self.options(), python).ok()).flatten();
        let names: Vec<_> = std::iter::once(usual.clone()).chain(versions).collect();
        let there = match self.by_name.contains_key(&usual) {
            true => None,
            false => {
                let present = self.present(names.clone()).await?;
                names.into_iter().find(|name| present.contains(name))
            }
        };
        self.base(&there.unwrap_or(usual), &silent).await
    }

    /// Returns the interpreter of an image. It takes a container to find out, once for all processes: what an id stands
    /// for never changes.
    pub(crate) async fn interpreter(&self, base: &Base) -> Result<Interpreter> {
        let known = lock(&self.by_id).get(&base.id).cloned();
        if let Some(interpreter) = known {
            return Ok(interpreter);
        }
        let note = note_of(&base.id);
        let noted = note.as_deref().and_then(|note| state::recent(note, INTERPRETER_KEPT));
        let interpreter = match noted.and_then(|text| Interpreter::parse(&base.name, &text).ok()) {
            Some(interpreter) => interpreter,
            None => {
                let text = self.probe(&base.name, &base.id).await?;
                let interpreter = Interpreter::parse(&base.name, &text)?;
                if let Some(note) = note {
                    state::note(&note, &text);
                }
                interpreter
            }
        };
        lock(&self.by_id).insert(base.id.clone(), interpreter.clone());
        Ok(interpreter)
    }

    /// Returns whether it is known which interpreter an image has.
    pub(crate) fn knows_interpreter(&self, base: &Base) -> bool {
        lock(&self.by_id).contains_key(&base.id)
    }

    async fn inspect(&self, name: &ImageName) -> Result<ImageInspect, Fault> {
        self.daemon().ask(self.daemon().client().inspect_image(&name.to_string())).await
    }

    async fn look(&self, name: ImageName, tell: &Progress) -> Result<Arc<Base>> {
        let unknown =
            |fault: Fault| Error::caused(format!("Docker does not say what the image {name} is"), fault.to_string());
        let image = match self.inspect(&name).await {
            Err(Fault::Refused { status: 404, .. }) => {
                self.pull(&name, tell).await?;
                self.inspect(&name).await.map_err(unknown)?
            }
            found => found.map_err(unknown)?,
        };
        refuse_volumes(&name, &image)?;
        let Some(id) = image.id else {
            return Err(Error::unavailable(format!("Docker does not say what the image {name} is")));
        };
        Ok(Arc::new(Base { name, id }))
    }

    async fn pull(&self, name: &ImageName, tell: &Progress) -> Result<()> {
        if self.options().image_pull == ImagePull::Never {
            let message = format!("Docker has no image {name}, and none is to be fetched");
            return Err(Error::new(ErrorKind::NoImage, message).with_hint(Hint::FetchImage(name.to_string())));
        }
        let failed = |why: &str| {
            let message = format!("cannot fetch the image {name}: {why}");
            Error::new(ErrorKind::NoImage, message).with_hint(format!("`docker pull {name}` says more"))
        };
        tracing::info!(image = %name, "pulling an image");
        tell(Step::Pulling { image: name.to_string() });
        let options = CreateImageOptionsBuilder::default().from_image(&name.to_string()).build();
        let docker = self.daemon().client().clone().with_timeout(PULL);
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

    async fn probe(&self, name: &ImageName, id: &str) -> Result<String> {
        let body = hardening::probe_body(id, self.daemon().instance());
        let container = Container::make(&self.containers, body).await?;
        let output = helper::run(container, PROBE).await?;
        match output.status {
            0 => Ok(output.stdout.trim().to_owned()),
            helper::NOT_EXECUTABLE | helper::NOT_FOUND => Err(Error::invalid(format!(
                "the image {name} has no python3 ({}): take one with Python 3.10 to 3.14",
                output.last_complaint()
            ))),
            status => Err(Error::invalid(format!(
                "python3 of the image {name} does not work (status {status}): {}",
                output.last_complaint()
            ))),
        }
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
    let message = format!("the image {name} is not allowed (allowed: {allowed})");
    Err(Error::invalid(message).with_hint(Hint::AllowImage(name.to_string())))
}

/// Returns the names that an image of this version may have, the best first.
pub(crate) fn names_of(options: &DockerOptions, python: Python) -> Result<Vec<ImageName>> {
    let name = choose(options, Some(&python.to_string()), None)?;
    Ok(if python == MADE.0 { vec![name, made_name()?] } else { vec![name] })
}

/// Returns the name of the image with the version that was put into it.
pub(crate) fn made_name() -> Result<ImageName> {
    format!("{MADE_REPOSITORY}:{}", MADE.0).parse()
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

#[cfg(test)]
mod tests {
    use super::*;

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
        assert!(refused.contains("mine/base:9") && refused.contains("not allowed"), "{refused}");
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
        let parsed = |text| Interpreter::parse(&name, text);
        let good = parsed(r#"{"python": "3.13", "machine": "x86_64", "libc": "glibc 2.36"}"#).expect("known");
        assert_eq!((good.python.to_string().as_str(), good.libc), ("3.13", Libc::Glibc { major: 2, minor: 36 }));
        let musl = parsed(r#"{"python": "3.10", "machine": "aarch64", "libc": "musl"}"#).expect("known");
        assert_eq!(musl.libc, Libc::Musl);
        let packages = r#"{"python": "3.13", "machine": "x", "libc": "musl", "packages": {"Zope.interface__x": "1"}}"#;
        assert_eq!(parsed(packages).expect("known").packages.get("zope-interface-x").map(String::as_str), Some("1"));
        let old = parsed(r#"{"python": "2.7", "machine": "x86_64", "libc": "glibc 2.36"}"#).expect_err("too old");
        assert!(old.to_string().contains("has Python 2.7: take one with 3.10 to 3.14"), "{old}");
        for wrong in [
            "",
            "{}",
            r#"{"python": "3.13", "machine": "../x", "libc": "musl"}"#,
            r#"{"python": "3.13", "machine": "x", "libc": "glibc 2.x"}"#,
        ] {
            assert!(parsed(wrong).is_err(), "{wrong}");
        }
    }
}
