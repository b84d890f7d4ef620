//! All that must be there before a job can run: its image, and a layer with what it asked for.

use super::{
    Placement,
    engine::Engine,
    flights::Progress,
    images::{self, Base},
    installers,
    layers::{self, Lease, Recipe, Seen},
    versions::{self, Chosen},
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

    /// Forgets what was prepared, because somebody removed it.
    pub(crate) async fn forget(&self, engine: &Engine) {
        if let Some(layer) = &self.layer {
            engine.layers().forget(layer);
        }
        engine.images().forget(&self.base().name).await;
    }
}

/// Fetches and makes what `placement` takes.
pub(crate) async fn prepare(engine: &Arc<Engine>, placement: &Placement, progress: &Progress) -> Result<Prepared> {
    let Chosen { base, note } = Box::pin(versions::choose(engine, placement, progress)).await?;
    if placement.image.is_some() {
        // A stranger's image may have no Python, or an old one; the operator's own are not asked each time.
        images::interpreter(engine, &base).await?;
    }
    let seen = match &placement.project {
        Some(project) if installers::look_around(&placement.pre_commands) => Some(see(project.clone()).await?),
        _ => None,
    };
    let recipe = Recipe {
        base,
        pre_commands: placement.pre_commands.clone(),
        env: placement.env.clone(),
        seen,
        packages: placement.packages.clone(),
        owner: placement.owner,
    };
    let layer = match recipe.is_empty() {
        true => None,
        false => Some(Arc::new(layers::ensure(engine, &recipe, progress).await?)),
    };
    let mut placement = placement.clone();
    if let Some(note) = note {
        placement.reason = format!("{}; {note}", placement.reason);
    }
    Ok(Prepared { placement: Arc::new(placement), recipe: Arc::new(recipe), layer })
}

async fn see(project: Project) -> Result<Seen> {
    let seen = tokio::task::spawn_blocking(move || Seen::of(&project)).await;
    seen.unwrap_or_else(|fault| Err(Error::caused("reading the project failed", fault)))
}
