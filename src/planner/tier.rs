//! Chooses the tier of a job: a pure function of what it needs, what it asks for and what there is.
//!
//! The rules, in this order:
//!
//! 1. What cannot be is refused at once, such as a tier that contradicts the rest of the request.
//! 2. A tier that the job asks for is taken.
//! 3. What the code is certain to reach decides: where WebAssembly can do it, also with packages as far as it takes them,
//!    it runs there, and else in a container. Needs that it has a substitute for are no needs.
//! 4. What it may reach is tried in WebAssembly, which does no harm: `retry` has the rest.
//! 5. Where Docker is off, a need that is certain is refused, unless the code handles it when it is missing.
//!
//! Code that uses the network without permission to runs without one, as on a machine that has none.

use super::reason::{Demand, NetworkNote, PackageTrouble, RouteReason, Wanted, What, Why, in_words};
use crate::{
    Error, Hint, Result, TierChoice,
    needs::{Bound, Capability, Needs, Urgency},
    python::Python,
};

/// Memory that an interpreter in WebAssembly can have.
pub(crate) const WASM_MEMORY_BYTES_MAX: u64 = 4096 << 20;

/// Holds what the request says about where to run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked<'a> {
    pub(crate) tier: TierChoice,
    pub(crate) python: Option<Python>,
    pub(crate) docker_image: Option<&'a str>,
    pub(crate) pre_commands: bool,
    /// Distributions that it and its script require, normalised.
    pub(crate) requirements: &'a [String],
    /// Whether packages that the code imports are installed (`requirements_txt: "-"` says no).
    pub(crate) detect_packages: bool,
    /// After clamping.
    pub(crate) memory_bytes: u64,
    /// Permission to use the network.
    pub(crate) network: bool,
}

impl Default for Asked<'_> {
    /// Asks for nothing.
    fn default() -> Self {
        Asked {
            tier: TierChoice::Auto,
            python: None,
            docker_image: None,
            pre_commands: false,
            requirements: &[],
            detect_packages: true,
            memory_bytes: 0,
            network: false,
        }
    }
}

/// Holds what there is to run on.
pub(crate) struct Tiers<'a> {
    /// Whether containers can be used; if not, why and how to turn them on, as a sentence without a full stop.
    pub(crate) docker: Result<(), &'a Error>,
    /// The server's setting.
    pub(crate) allow_network: bool,
    /// What is known of the packages that the job needs.
    pub(crate) packages: Packages<'a>,
}

/// Whether WebAssembly takes the packages that a job needs, with those that they need in turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Packages<'a> {
    /// It does, as far as is known.
    Fit,
    /// It does not take these, normalised, which the job needs itself or for others.
    Native(&'a [String]),
    /// That cannot be found out.
    Unknown,
}

/// Says where a job runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Route {
    /// In WebAssembly.
    Wasm { reason: RouteReason },
    /// In a container.
    Docker {
        reason: RouteReason,
        /// The version of Python, unless any does. An image that the job names comes before it.
        python: Option<Python>,
        /// Whether it gets a network.
        network: bool,
    },
}

/// Chooses the tier.
///
/// # Errors
///
/// When there is none for it: what it needs and what to do about it, for the client.
pub(super) fn route(needs: &Needs, asked: &Asked<'_>, tiers: &Tiers<'_>) -> Result<Route> {
    let python = python(needs, asked)?;
    let mut demands = demands_of_the_request(asked, needs, python);
    if asked.tier == TierChoice::Wasm {
        // What else its code needs it shall come upon; what is to be installed must be.
        demands.extend(demands_for_packages(needs, asked, tiers).into_iter().filter(Demand::is_fatal));
        return match demands.first() {
            None => Ok(wasm(Why::AsksForWasm, None)),
            Some(demand) => {
                let message = format!("the job asks for wasm, but {demand}, which takes docker");
                Err(Error::invalid(message).with_hint(Hint::LeaveOutTier))
            }
        };
    }
    let met = needs.met.as_ref().map(|met| What::Met { kind: met.kind.clone(), detail: met.detail.clone() });
    demands.extend(met.map(Demand::now));
    demands.extend(demands_for_packages(needs, asked, tiers));
    demands.extend(demands_of_the_code(needs, asked));
    let network = network(needs, asked, tiers);
    demands.extend(network.demand(needs));

    if asked.tier == TierChoice::Docker {
        return match tiers.docker {
            Ok(()) => Ok(network.docker(Why::AsksForDocker, python)),
            Err(off) => Err(off.clone().reworded(|off| format!("the job asks for docker: {off}"))),
        };
    }
    if demands.is_empty() {
        let uses_network = needs.use_of(Capability::Network).is_some();
        return Ok(wasm(Why::NothingBeyond, network.note.filter(|_| uses_network)));
    }
    match tiers.docker {
        Ok(()) => {
            let (certain, possible): (Vec<_>, Vec<_>) = demands.into_iter().partition(Demand::is_certain);
            if certain.is_empty() {
                return Ok(wasm(Why::Maybe(possible), network.note));
            }
            Ok(network.docker(Why::Takes(certain), python))
        }
        Err(off) => {
            if !demands.iter().any(Demand::is_fatal) {
                return Ok(wasm(Why::MayDoWithout { demands, off: off.message().into() }, None));
            }
            demands.retain(Demand::is_fatal);
            let what = in_words(&demands);
            Err(off.clone().reworded(|off| format!("this job {what}, which takes docker: {off}")))
        }
    }
}

fn wasm(why: Why, note: Option<NetworkNote>) -> Route {
    Route::Wasm { reason: RouteReason { why, note, packages: Vec::new() } }
}

/// Returns the version to run on, where one is asked for or needed.
fn python(needs: &Needs, asked: &Asked<'_>) -> Result<Option<Python>> {
    if asked.python.is_some() {
        return Ok(asked.python);
    }
    let bound = needs.python_at_most.as_ref().filter(|bound| bound.urgency != Urgency::Optional);
    let at_most = bound.map_or(Python::WASM, |bound| bound.python);
    let required = needs.script.as_ref().and_then(|script| script.requires_python.as_ref());
    let Some(required) = required else { return Ok(bound.map(|bound| bound.python)) };
    // What the script says of itself comes before what was found out.
    let allowed = Python::newest_allowed(required, at_most).or_else(|| Python::newest_allowed(required, Python::WASM));
    match allowed {
        Some(Python::WASM) => Ok(None),
        Some(python) => Ok(Some(python)),
        None => Err(Error::invalid(format!(
            "the script requires Python {required}; there are 3.10, 3.11, 3.12, 3.13 and 3.14"
        ))),
    }
}

fn demands_of_the_request(asked: &Asked<'_>, needs: &Needs, python: Option<Python>) -> Vec<Demand> {
    let mut demands = Vec::new();
    if let Some(image) = asked.docker_image {
        demands.push(Demand::now(What::Image(image.to_owned())));
    }
    if asked.pre_commands {
        demands.push(Demand::now(What::PreCommands));
    }
    if let Some(asked) = asked.python.filter(|&python| python != Python::WASM) {
        demands.push(Demand::now(What::AsksForPython(asked)));
    }
    let script = needs.script.as_ref().filter(|_| asked.python.is_none());
    if let Some(required) = script.and_then(|script| script.requires_python.as_ref())
        && Python::newest_allowed(required, Python::WASM) != Some(Python::WASM)
        && let Some(python) = python
    {
        demands.push(Demand::now(What::RequiresPython { required: required.to_string(), python }));
    }
    if asked.memory_bytes > WASM_MEMORY_BYTES_MAX {
        let (asked_mb, most_mb) = (asked.memory_bytes >> 20, WASM_MEMORY_BYTES_MAX >> 20);
        demands.push(Demand::now(What::Memory { asked_mb, most_mb }));
    }
    demands
}

/// Returns what WebAssembly does not take of the packages that the job is known to need.
fn demands_for_packages(needs: &Needs, asked: &Asked<'_>, tiers: &Tiers<'_>) -> Vec<Demand> {
    let wanted = wanted(needs, asked);
    let demand = |(wanted, urgency): &(Wanted, Urgency), trouble| Demand {
        what: What::Package { wanted: wanted.clone(), trouble },
        urgency: *urgency,
    };
    let native = match tiers.packages {
        Packages::Fit => return Vec::new(),
        Packages::Native(native) => native,
        Packages::Unknown => {
            return wanted.iter().map(|package| demand(package, PackageTrouble::Unknown)).collect();
        }
    };
    let itself = |(package, _): &&(Wanted, Urgency)| native.contains(&package.distribution);
    let found: Vec<_> =
        wanted.iter().filter(itself).map(|package| demand(package, PackageTrouble::NoPureWheel)).collect();
    if !found.is_empty() {
        return found;
    }
    // They are needed by others, and of several it is not known by which.
    match &*wanted {
        [] => Vec::new(),
        [package] => vec![demand(package, PackageTrouble::Needs(native.to_vec()))],
        several => {
            let of = several.iter().map(|(package, _)| package.distribution.clone()).collect();
            let urgency = several.iter().map(|(_, urgency)| *urgency).min().unwrap_or(Urgency::Required);
            vec![Demand { what: What::NativeDependencies { native: native.to_vec(), of }, urgency }]
        }
    }
}

/// Returns the packages that the job is known to need, and how surely.
fn wanted(needs: &Needs, asked: &Asked<'_>) -> Vec<(Wanted, Urgency)> {
    let required = asked.requirements.iter();
    let required = required.map(|name| Wanted { distribution: name.clone(), import: None });
    let mut wanted: Vec<_> = required.map(|package| (package, Urgency::Required)).collect();
    for module in needs.modules.iter().filter(|_| asked.detect_packages) {
        // What nobody can install is missed as well elsewhere. What may be its own is found out by running it: see
        // `retry`.
        let Some(distribution) = module.distribution.as_deref().filter(|_| !module.perhaps_own) else { continue };
        if module.urgency != Urgency::Optional && !asked.requirements.iter().any(|name| name == distribution) {
            let import = module.imported.then(|| (module.name.clone(), module.place.clone()));
            wanted.push((Wanted { distribution: distribution.to_owned(), import }, module.urgency));
        }
    }
    wanted
}

fn demands_of_the_code(needs: &Needs, asked: &Asked<'_>) -> Vec<Demand> {
    let mut demands = Vec::new();
    let mut add = |urgency, what| {
        if urgency != Urgency::Optional {
            demands.push(Demand { what, urgency });
        }
    };
    if let (None, Some(bound)) = (asked.python, &needs.python_at_most) {
        let Bound { python, module, place, urgency } = bound.clone();
        add(urgency, What::RemovedModule { module, python, place });
    }
    // Of the network see `network`.
    for found in needs.uses.iter().filter(|found| found.capability != Capability::Network) {
        add(found.urgency, What::Uses(found.clone()));
    }
    demands
}

struct Network {
    on: bool,
    note: Option<NetworkNote>,
}

impl Network {
    fn demand(&self, needs: &Needs) -> Option<Demand> {
        let found = needs.use_of(Capability::Network).filter(|_| self.on)?;
        let demand = Demand { what: What::Network(found.clone()), urgency: found.urgency };
        Some(demand).filter(|demand| demand.urgency != Urgency::Optional)
    }

    fn docker(&self, why: Why, python: Option<Python>) -> Route {
        let reason = RouteReason { why, note: self.note, packages: Vec::new() };
        Route::Docker { reason, python, network: self.on }
    }
}

fn network(needs: &Needs, asked: &Asked<'_>, tiers: &Tiers<'_>) -> Network {
    let is_used = needs.use_of(Capability::Network).is_some();
    let note = match (asked.network, tiers.allow_network) {
        (true, false) => Some(NetworkNote::NotAllowed),
        (false, _) if is_used => Some(NetworkNote::NoPermission),
        _ => None,
    };
    Network { on: asked.network && tiers.allow_network, note }
}

#[cfg(test)]
mod tests;
