//! The image of a job: that of the Python version which it asks for or its code needs, or the usual one.
//!
//! An image that is not there is fetched. Where no registry gives one of the newest version, it is made: Debian's packages,
//! in an image of Debian with an older version that is there. It is kept under a name of its own, for all instances on the
//! daemon; removing it has it made again. Where that cannot be done either, code that does not need the newest version runs
//! on the newest that is there, which is said.

use super::{
    build::Builder,
    image_name::ImageName,
    images::{Base, Images, MADE, choose, made_name, names_of},
    options::{DockerOptions, ImagePull},
    placement::Placement,
    progress::{Progress, Step},
    state,
};
use crate::{Error, ErrorKind, Result, python::Python, sync::lock};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

/// How long it is believed that an image can be neither fetched nor made.
const FAILURE_KEPT: Duration = Duration::from_secs(600);

/// Versions that could not be had, and why.
#[derive(Default)]
struct Failures(Mutex<HashMap<Python, (Instant, String)>>);

impl Failures {
    fn of(&self, python: Python) -> Option<String> {
        let known =
            lock(&self.0).get(&python).filter(|(at, _)| at.elapsed() < FAILURE_KEPT).map(|(_, why)| why.clone());
        known.or_else(|| state::recent(&failure_name(python), FAILURE_KEPT))
    }

    fn add(&self, python: Python, why: &str) {
        lock(&self.0).insert(python, (Instant::now(), why.to_owned()));
        state::note(&failure_name(python), why);
    }
}

fn failure_name(python: Python) -> String {
    format!("python-{python}.failed")
}

/// An image to run in.
pub(crate) struct Chosen {
    pub(crate) base: Arc<Base>,
    /// That it has another version than it should, and why.
    pub(crate) note: Option<String>,
}

impl From<Arc<Base>> for Chosen {
    fn from(base: Arc<Base>) -> Chosen {
        Chosen { base, note: None }
    }
}

/// Finds the image of each version, once for all jobs.
pub(crate) struct Versions {
    images: Arc<Images>,
    builder: Arc<Builder>,
    failures: Failures,
}

impl Versions {
    pub(crate) fn new(images: Arc<Images>, builder: Arc<Builder>) -> Versions {
        Versions { images, builder, failures: Failures::default() }
    }

    fn options(&self) -> &DockerOptions {
        self.images.containers().daemon().options()
    }

    /// Returns the image that `placement` gets, fetched or made where need be.
    pub(crate) async fn choose(&self, placement: &Placement, progress: &Progress) -> Result<Chosen> {
        let options = self.options();
        let (asked, image) = (placement.python.as_deref(), placement.image.as_deref());
        let name = choose(options, asked, image)?;
        if image.is_some() {
            return Ok(self.images.base(&name, progress).await?.into());
        }
        if let Some(python) = asked.and_then(|asked| asked.parse().ok()) {
            if let Some(oldest) = placement.or_older_to {
                let will_do = Python::all().filter(|other| (oldest..=python).contains(other));
                if let Some((there, name)) = self.first_there(will_do).await? {
                    let note = (there != python).then(|| format!("on Python {there}, of which there is an image"));
                    return Ok(Chosen { base: self.images.base(&name, progress).await?, note });
                }
            }
            return Ok(self.of_version(python, progress).await?.into());
        }
        let least = placement.python_at_least.unwrap_or(Python::V3_10);
        let Some(usual) = version_of(options, &name) else {
            // The operator's own image, of whatever version.
            let base = self.images.base(&name, progress).await?;
            if least == Python::V3_10 || self.images.interpreter(&base).await?.python >= least {
                return Ok(base.into());
            }
            return Ok(self.of_version(least, progress).await?.into());
        };
        let wanted = usual.max(least);
        match self.of_version(wanted, progress).await {
            Ok(base) => Ok(base.into()),
            // Docker that does not answer is not asked again.
            Err(error) if error.kind() == ErrorKind::NoImage => self.another(least, wanted, error, progress).await,
            Err(error) => Err(error),
        }
    }

    /// Returns the image that `placement` gets, if the daemon need not be asked.
    pub(crate) async fn known(&self, placement: &Placement) -> Option<Arc<Base>> {
        let options = self.options();
        let (asked, image) = (placement.python.as_deref(), placement.image.as_deref());
        let name = choose(options, asked, image).ok()?;
        if image.is_some() {
            return self.images.known(&name).await;
        }
        let least = placement.python_at_least.unwrap_or(Python::V3_10);
        let version = match asked {
            // Which of several is there is a question for the daemon.
            Some(_) if placement.or_older_to.is_some() => return None,
            Some(asked) => asked.parse().ok()?,
            None => match version_of(options, &name) {
                Some(usual) => usual.max(least),
                None if least == Python::V3_10 => return self.images.known(&name).await,
                None => return None,
            },
        };
        for name in names_of(options, version).ok()?.iter().rev() {
            if let Some(base) = self.images.known(name).await {
                return Some(base);
            }
        }
        None
    }

    async fn of_version(&self, python: Python, progress: &Progress) -> Result<Arc<Base>> {
        let name = choose(self.options(), Some(&python.to_string()), None)?;
        if python != MADE.0 {
            return self.images.base(&name, progress).await;
        }
        let made = made_name()?;
        // Not asked again for each job.
        if let Some(base) = self.images.known(&made).await {
            return Ok(base);
        }
        let present = self.images.present([name.clone(), made.clone()]).await?;
        if let Some(there) = [&name, &made].into_iter().find(|name| present.contains(name)) {
            return self.images.base(there, progress).await;
        }
        if let Some(why) = self.failures.of(python) {
            return Err(Error::new(ErrorKind::NoImage, why));
        }
        let not_fetched = match self.images.base(&name, progress).await {
            Err(error) if error.kind() == ErrorKind::NoImage => error,
            fetched => return fetched,
        };
        if self.options().image_pull == ImagePull::Never {
            return Err(not_fetched);
        }
        match self.make(python, &made, progress).await {
            Ok(base) => Ok(base),
            Err(not_made) => {
                let why = format!("{not_fetched}; nor can one be made of Debian's packages: {not_made}");
                self.failures.add(python, &why);
                Err(Error::new(ErrorKind::NoImage, why))
            }
        }
    }

    /// Makes the image, once for all processes on this machine.
    async fn make(&self, python: Python, name: &ImageName, progress: &Progress) -> Result<Arc<Base>> {
        let lock = state::lock(&format!("python-{python}"));
        let _turn = tokio::task::spawn_blocking(move || lock.map(|lock| lock.lock())).await;
        if self.images.present([name.clone()]).await?.is_empty() {
            let debian = self.first_there(Python::all().filter(|other| *other < python)).await?;
            let (_, debian) =
                debian.ok_or_else(|| Error::new(ErrorKind::NoImage, "no image with another version is there"))?;
            let base = self.images.base(&debian, progress).await?;
            progress(Step::Phase(format!("making an image of Python {python} from {debian} and Debian's packages")));
            self.builder.python(&base, python, MADE.1, progress).await?;
        }
        self.images.base(name, progress).await
    }

    /// Returns the first of these versions whose image is there.
    async fn first_there(&self, versions: impl Iterator<Item = Python>) -> Result<Option<(Python, ImageName)>> {
        let names =
            versions.map(|python| Ok(names_of(self.options(), python)?.into_iter().map(move |name| (python, name))));
        let names: Vec<_> = names.collect::<Result<Vec<_>>>()?.into_iter().flatten().collect();
        let present = self.images.present(names.iter().map(|(_, name)| name.clone())).await?;
        Ok(names.into_iter().find(|(_, name)| present.contains(name)))
    }

    /// Chooses another version that will do and whose image is there, newer rather than older.
    async fn another(&self, least: Python, wanted: Python, error: Error, progress: &Progress) -> Result<Chosen> {
        let newer: Vec<_> = Python::all().filter(|python| *python > wanted).collect();
        let older = Python::all().filter(|python| (least..wanted).contains(python));
        let (python, base) = match self.first_there(newer.into_iter().rev().chain(older)).await? {
            Some((python, name)) => (python, self.images.base(&name, progress).await?),
            None if wanted < MADE.0 => (MADE.0, self.of_version(MADE.0, progress).await?),
            None => {
                return Err(match least {
                    Python::V3_10 => error,
                    least => error.reworded(|message| {
                        format!("the code needs Python {least}, of which there is no image: {message}")
                    }),
                });
            }
        };
        let note = format!("on Python {python}, for there is no image of {wanted}: {error}");
        tracing::warn!("jobs run {note}");
        progress(Step::Phase(format!("running {note}")));
        Ok(Chosen { base, note: Some(note) })
    }
}

/// Returns the version in the name of the usual image, where it is that of a version.
fn version_of(options: &DockerOptions, name: &ImageName) -> Option<Python> {
    Python::all().find(|python| choose(options, Some(&python.to_string()), None).is_ok_and(|of| of == *name))
}
