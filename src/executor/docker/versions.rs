//! The image of a job: that of the Python version which it asks for or its code needs, or the usual one.
//!
//! An image that is not there is fetched. Where no registry gives one of the newest version, it is made: Debian's packages,
//! in an image of Debian with an older version that is there. It is kept under a name of its own, for all instances on the
//! daemon; removing it has it made again. Where that cannot be done either, code that does not need the newest version runs
//! on the newest that is there, which is said.

use super::{
    DockerOptions, Placement,
    build::{self, PYTHON},
    engine::{Engine, lock},
    flights::{Progress, Step},
    images::{self, Base, ImageName, ImagePull},
    state,
};
use crate::{Error, Result, needs::Python};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

/// The version that can be made, and the release of Debian that has it.
const MADE: (Python, &str) = (Python::WASM, "forky");
/// How long it is believed that an image can be neither fetched nor made.
const FAILURE_KEPT: Duration = Duration::from_secs(600);

/// Versions that could not be had, and why.
#[derive(Default)]
pub(crate) struct Failures(Mutex<HashMap<Python, (Instant, String)>>);

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

/// Returns the image that `placement` gets, fetched or made where need be.
pub(crate) async fn choose(engine: &Arc<Engine>, placement: &Placement, progress: &Progress) -> Result<Chosen> {
    let options = engine.options();
    let (asked, image) = (placement.python.as_deref(), placement.image.as_deref());
    let name = images::choose(options, asked, image)?;
    if image.is_some() {
        return Ok(images::base(engine, &name, progress).await?.into());
    }
    if let Some(python) = asked.and_then(|asked| asked.parse().ok()) {
        if let Some(oldest) = placement.or_older_to {
            let will_do = Python::all().filter(|other| (oldest..=python).contains(other));
            if let Some((there, name)) = first_there(engine, will_do).await? {
                let note = (there != python).then(|| format!("on Python {there}, of which there is an image"));
                return Ok(Chosen { base: images::base(engine, &name, progress).await?, note });
            }
        }
        return Ok(of_version(engine, python, progress).await?.into());
    }
    let least = placement.python_at_least.unwrap_or(Python::V3_10);
    let Some(usual) = version_of(options, &name) else {
        // The operator's own image, of whatever version.
        let base = images::base(engine, &name, progress).await?;
        if least == Python::V3_10 || images::interpreter(engine, &base).await?.python >= least {
            return Ok(base.into());
        }
        return Ok(of_version(engine, least, progress).await?.into());
    };
    let wanted = usual.max(least);
    match of_version(engine, wanted, progress).await {
        Ok(base) => Ok(base.into()),
        // Docker that does not answer is a cause, and is not asked again.
        Err(error @ Error::Unavailable { cause: None, .. }) => another(engine, least, wanted, error, progress).await,
        Err(error) => Err(error),
    }
}

/// Returns an image of the operator's that is there, for helpers of ours.
pub(crate) async fn any(engine: &Arc<Engine>) -> Result<Arc<Base>> {
    let silent: Progress = Arc::new(|_| ());
    let usual = images::choose(engine.options(), None, None)?;
    let versions = Python::all().filter_map(|python| names_of(engine, python).ok()).flatten();
    let names: Vec<_> = std::iter::once(usual.clone()).chain(versions).collect();
    let there = match engine.images().is_known(&usual) {
        true => None,
        false => {
            let present = images::present(engine, names.clone()).await?;
            names.into_iter().find(|name| present.contains(name))
        }
    };
    images::base(engine, &there.unwrap_or(usual), &silent).await
}

/// Returns the version in the name of the usual image, where it is that of a version.
fn version_of(options: &DockerOptions, name: &ImageName) -> Option<Python> {
    Python::all().find(|python| images::choose(options, Some(&python.to_string()), None).is_ok_and(|of| of == *name))
}

/// Returns the names that an image of this version may have, the best first.
fn names_of(engine: &Engine, python: Python) -> Result<Vec<ImageName>> {
    let name = images::choose(engine.options(), Some(&python.to_string()), None)?;
    Ok(if python == MADE.0 { vec![name, made_name()?] } else { vec![name] })
}

fn made_name() -> Result<ImageName> {
    format!("{PYTHON}:{}", MADE.0).parse()
}

async fn of_version(engine: &Arc<Engine>, python: Python, progress: &Progress) -> Result<Arc<Base>> {
    let name = images::choose(engine.options(), Some(&python.to_string()), None)?;
    if python != MADE.0 {
        return images::base(engine, &name, progress).await;
    }
    let made = made_name()?;
    // Not asked again for each job.
    if let Some(base) = engine.images().known(&made).await {
        return Ok(base);
    }
    let present = images::present(engine, [name.clone(), made.clone()]).await?;
    if let Some(there) = [&name, &made].into_iter().find(|name| present.contains(name)) {
        return images::base(engine, there, progress).await;
    }
    if let Some(why) = engine.failures().of(python) {
        return Err(Error::unavailable(why));
    }
    let not_fetched = match images::base(engine, &name, progress).await {
        Err(error @ Error::Unavailable { cause: None, .. }) => error,
        fetched => return fetched,
    };
    if engine.options().image_pull == ImagePull::Never {
        return Err(not_fetched);
    }
    match make(engine, python, &made, progress).await {
        Ok(base) => Ok(base),
        Err(not_made) => {
            let why = format!("{not_fetched}; nor can one be made of Debian's packages: {not_made}");
            engine.failures().add(python, &why);
            Err(Error::unavailable(why))
        }
    }
}

/// Makes the image, once for all processes on this machine.
async fn make(engine: &Arc<Engine>, python: Python, name: &ImageName, progress: &Progress) -> Result<Arc<Base>> {
    let lock = state::lock(&format!("python-{python}"));
    let _turn = tokio::task::spawn_blocking(move || lock.map(|lock| lock.lock())).await;
    if images::present(engine, [name.clone()]).await?.is_empty() {
        let debian = first_there(engine, Python::all().filter(|other| *other < python)).await?;
        let (_, debian) = debian.ok_or_else(|| Error::unavailable("no image with another version is there"))?;
        let base = images::base(engine, &debian, progress).await?;
        progress(Step::Phase(format!("making an image of Python {python} from {debian} and Debian's packages")));
        build::python(engine, &base, python, MADE.1, progress).await?;
    }
    images::base(engine, name, progress).await
}

/// Returns the first of these versions whose image is there.
async fn first_there(
    engine: &Arc<Engine>,
    versions: impl Iterator<Item = Python>,
) -> Result<Option<(Python, ImageName)>> {
    let names = versions.map(|python| Ok(names_of(engine, python)?.into_iter().map(move |name| (python, name))));
    let names: Vec<_> = names.collect::<Result<Vec<_>>>()?.into_iter().flatten().collect();
    let present = images::present(engine, names.iter().map(|(_, name)| name.clone())).await?;
    Ok(names.into_iter().find(|(_, name)| present.contains(name)))
}

/// Chooses another version that will do and whose image is there, newer rather than older.
async fn another(
    engine: &Arc<Engine>,
    least: Python,
    wanted: Python,
    error: Error,
    progress: &Progress,
) -> Result<Chosen> {
    let newer: Vec<_> = Python::all().filter(|python| *python > wanted).collect();
    let older = Python::all().filter(|python| (least..wanted).contains(python));
    let (python, base) = match first_there(engine, newer.into_iter().rev().chain(older)).await? {
        Some((python, name)) => (python, images::base(engine, &name, progress).await?),
        None if wanted < MADE.0 => (MADE.0, of_version(engine, MADE.0, progress).await?),
        None => {
            let Error::Unavailable { message, cause } = error else { return Err(error) };
            let message = match least {
                Python::V3_10 => message,
                least => format!("the code needs Python {least}, of which there is no image: {message}"),
            };
            return Err(Error::Unavailable { message, cause });
        }
    };
    let note = format!("on Python {python}, for there is no image of {wanted}: {error}");
    tracing::warn!("jobs run {note}");
    progress(Step::Phase(format!("running {note}")));
    Ok(Chosen { base, note: Some(note) })
}
