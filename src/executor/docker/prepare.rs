//! All that must be there before a job can run: its image, and a layer with what it asked for.

use super::{
    images::{Base, Images},
    installers,
    interpreter::Interpreter,
    layers::{Layers, Lease},
    placement::Placement,
    progress::Progress,
    recipe::{Recipe, Seen},
    versions::{Chosen, Versions},
};
use crate::{Error, Project, Result};
use std::sync::Arc;

/// An image in which a job can run, made from a [`Placement`]. Its layer is kept while this lives.
#[derive(Debug, Clone)]
pub struct Prepared {
    placement: Arc<Placement>,
    recipe: Arc<Recipe>,
    layer: Option<Arc<Lease>>,
}

impl Prepared {
    /// Returns what it was made from.
    pub fn placement(&self) -> &Placement {
        &self.placement
    }

    /// Returns the image, as the daemon finds it.
    pub(crate) fn image(&self) -> String {
        self.layer.as_ref().map_or_else(|| self.base().id.clone(), |layer| layer.image())
    }

    pub(crate) fn base(&self) -> &Base {
        &self.recipe.base
    }
}

/// Prepares places for jobs.
pub(crate) struct Preparation {
    images: Arc<Images>,
    layers: Arc<Layers>,
    versions: Versions,
}

impl Preparation {
    pub(crate) fn new(images: Arc<Images>, layers: Arc<Layers>, versions: Versions) -> Arc<Preparation> {
        Arc::new(Preparation { images, layers, versions })
    }

    /// Returns what `placement` takes, if that is an image with nothing added, which was looked at a short while ago.
    pub(crate) async fn known(&self, placement: &Placement) -> Option<Prepared> {
        if !placement.is_bare() {
            return None;
        }
        let base = self.versions.known(placement).await?;
        if placement.image.is_some() && !self.images.knows_interpreter(&base) {
            return None;
        }
        let recipe = Recipe::new(base, None, placement);
        Some(Prepared { placement: Arc::new(placement.clone()), recipe: Arc::new(recipe), layer: None })
    }

    /// Fetches and makes what `placement` takes.
    pub(crate) async fn prepare(&self, placement: &Placement, progress: &Progress) -> Result<Prepared> {
        let Chosen { base, note } = Box::pin(self.versions.choose(placement, progress)).await?;
        if placement.image.is_some() {
            // A stranger's image may have no Python, or an old one; the operator's own are not asked each time.
            self.images.interpreter(&base).await?;
        }
        let seen = match &placement.project {
            Some(project) if installers::look_around(&placement.pre_commands) => Some(see(project.clone()).await?),
            _ => None,
        };
        let recipe = Recipe::new(base, seen, placement);
        let layer = match recipe.is_empty() {
            true => None,
            false => Some(Arc::new(self.layers.ensure(&recipe, progress).await?)),
        };
        let mut placement = placement.clone();
        if let Some(note) = note {
            placement.reason = format!("{}; {note}", placement.reason);
        }
        Ok(Prepared { placement: Arc::new(placement), recipe: Arc::new(recipe), layer })
    }

    /// Returns which Python the image for `placement` has.
    pub(crate) async fn interpreter(&self, placement: &Placement, progress: &Progress) -> Result<Interpreter> {
        let chosen = self.versions.choose(placement, progress).await?;
        self.images.interpreter(&chosen.base).await
    }

    /// Forgets what was prepared, because somebody removed it.
    pub(crate) async fn forget(&self, prepared: &Prepared) {
        if let Some(layer) = &prepared.layer {
            self.layers.forget(layer);
        }
        self.images.forget(&prepared.base().name).await;
    }
}

async fn see(project: Project) -> Result<Seen> {
    let seen = tokio::task::spawn_blocking(move || Seen::of(&project)).await;
    seen.unwrap_or_else(|fault| Err(Error::caused("reading the project failed", fault)))
}
