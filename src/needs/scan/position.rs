//! How what was met stands in its file, and how urgent that makes it.

use crate::needs::{
    Urgency,
    reach::{Reached, ScopeId, Way},
};

/// Says how a statement stands in its function.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Context {
    /// It runs only if something else happens: a condition holds, an exception is raised.
    pub(super) possible: bool,
    /// It runs as often as a loop goes round, which is not known; as a rule it does.
    pub(super) looped: bool,
    /// It never runs here, or only if something is missing that will be there.
    pub(super) needless: bool,
    /// The code around puts something else in the place of an import that fails.
    pub(super) substituted: bool,
    /// The same for a distribution that is asked about.
    pub(super) substituted_distribution: bool,
    /// The code around handles exceptions, and goes on.
    pub(super) guarded: bool,
}

/// Ways in which what stands further down may not be reached.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Left {
    /// The function or the program may have ended.
    pub(super) returned: bool,
    /// An exception may have been raised.
    pub(super) raised: bool,
    /// The present round of a loop may have ended.
    pub(super) skipped: bool,
}

/// Says where in a file something was found.
#[derive(Debug, Clone, Copy)]
pub(super) struct Position {
    pub(super) scope: ScopeId,
    /// It runs whenever its scope does.
    pub(super) certain: bool,
    pub(super) looped: bool,
    pub(super) needless: bool,
    pub(super) substituted: bool,
    pub(super) substituted_distribution: bool,
    pub(super) guarded: bool,
}

impl Position {
    /// Returns how urgent an import is that stands there.
    pub(super) fn of_import(self, reached: &Reached) -> Urgency {
        self.of_package(self.substituted, reached)
    }

    /// Returns how urgent a distribution is that is asked about there.
    pub(super) fn of_distribution(self, reached: &Reached) -> Urgency {
        self.of_package(self.substituted_distribution, reached)
    }

    fn of_package(self, substituted: bool, reached: &Reached) -> Urgency {
        match substituted {
            true => Urgency::Optional,
            false if self.looped => self.of_use(reached).max(Urgency::Later),
            false => self.of_use(reached),
        }
    }

    /// Returns how urgent anything else is.
    pub(super) fn of_use(self, reached: &Reached) -> Urgency {
        match reached.how(self.scope).filter(|_| self.certain) {
            _ if self.needless => Urgency::Optional,
            Some(Way::Open) if !self.guarded && !self.looped => Urgency::Required,
            Some(_) => Urgency::Guarded,
            None => Urgency::Later,
        }
    }
}
