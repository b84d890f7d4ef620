//! Which packages may be installed.

use super::{
    Pin, Wanted, families,
    refusal::{Reason, Refusal},
    requirements,
};
use crate::{Error, Result};
use std::collections::BTreeSet;

/// Holds what the operator allows.
#[derive(Debug)]
pub(super) struct Policy {
    pub(super) allow: Option<BTreeSet<String>>,
    pub(super) deny: BTreeSet<String>,
}

impl Policy {
    pub(super) fn check(&self, package: &str, asked: bool) -> Result<(), Refusal> {
        let allowed = self.allow.as_ref().is_none_or(|allow| allow.contains(package));
        if allowed && !self.deny.contains(package) {
            return Ok(());
        }
        Err(Refusal::new(Reason::Denied { package: package.to_owned(), asked }, "by the settings"))
    }

    pub(super) fn check_pinned<'a>(
        &self,
        wanted: &Wanted,
        names: impl Iterator<Item = &'a str>,
    ) -> Result<(), Refusal> {
        let asked = wanted.requirements.names(&wanted.platform);
        for name in names {
            // A name may have extras behind it.
            let name = requirements::normalised(name.split('[').next().unwrap_or(name))
                .ok_or_else(|| Refusal::fault(format!("{name:?} is no name of a package")))?;
            self.check(&name, asked.contains(&&*name))?;
        }
        Ok(())
    }

    /// Checks packages that may have been installed under other settings.
    pub(super) fn check_all(&self, wanted: &Wanted, pins: &[Pin]) -> Result<(), Refusal> {
        self.check_pinned(wanted, pins.iter().map(|pin| &*pin.name))
    }
}

/// Reads the names in a list of the operator's, normalised.
pub(super) fn names(list: &[String]) -> Result<BTreeSet<String>> {
    let normalised = list.iter().map(|name| {
        let name = requirements::normalised(name)
            .ok_or_else(|| Error::unavailable(format!("{name:?} in a list of packages is not the name of one")))?;
        // It is what is installed in its place.
        Ok(families::headless(&name).to_owned())
    });
    normalised.collect()
}
