//! Which tier a job runs on: a pure function of what it needs, what it asks for and what there is.
//!
//! The rules, in this order:
//!
//! 1. What cannot be is refused at once, such as a tier that contradicts the rest of the request.
//! 2. A tier that the job asks for is taken.
//! 3. What the code is certain to reach decides: where WebAssembly can do it, also with packages as far as it takes them,
//!    it runs there, and else in a container. Needs that it has a substitute for are no needs.
//! 4. What it may reach is tried in WebAssembly, which does no harm: `service::retry` has the rest.
//! 5. Where Docker is off, a need that is certain is refused, unless the code handles it when it is missing.
//!
//! Code that uses the network without permission to runs without one, as on a machine that has none.

use crate::{
    TierChoice,
    needs::{Bound, Capability, Needs, Place, Python, Urgency, Use},
};
use std::fmt;

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
    pub(crate) docker: Result<(), &'a str>,
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
    Wasm {
        /// In words.
        reason: String,
    },
    /// In a container.
    Docker {
        /// In words.
        reason: String,
        /// The version of Python, unless any does. An image that the job names comes before it.
        python: Option<Python>,
        /// Whether it gets a network.
        network: bool,
    },
    /// Nowhere.
    Impossible {
        /// What it needs and what to do about it, for the client.
        message: String,
    },
}

/// Decides.
pub(crate) fn route(needs: &Needs, asked: &Asked<'_>, tiers: &Tiers<'_>) -> Route {
    decide(needs, asked, tiers).unwrap_or_else(|message| Route::Impossible { message })
}

fn decide(needs: &Needs, asked: &Asked<'_>, tiers: &Tiers<'_>) -> Result<Route, String> {
    let python = python(needs, asked)?;
    let mut demands = demands_of_the_request(asked, needs, python);
    if asked.tier == TierChoice::Wasm {
        // What else its code needs it shall come upon; what is to be installed must be.
        demands.extend(demands_for_packages(needs, asked, tiers).into_iter().filter(Demand::is_fatal));
        return match demands.first() {
            None => Ok(Route::Wasm { reason: "the job asks for wasm".to_owned() }),
            Some(demand) => {
                Err(format!("the job asks for wasm, but {demand}, which takes docker: leave one of them out"))
            }
        };
    }
    demands.extend(needs.met.as_deref().map(Demand::now));
    demands.extend(demands_for_packages(needs, asked, tiers));
    demands.extend(demands_of_the_code(needs, asked));
    let network = network(needs, asked, tiers);
    demands.extend(network.demand(needs));

    if asked.tier == TierChoice::Docker {
        return match tiers.docker {
            Ok(()) => {
                Ok(Route::Docker { reason: network.explain("the job asks for docker"), python, network: network.on })
            }
            Err(off) => Err(format!("the job asks for docker: {off}")),
        };
    }
    if demands.is_empty() {
        let reason = "needs nothing beyond WebAssembly";
        let uses_network = needs.use_of(Capability::Network).is_some();
        let reason = if uses_network { network.explain(reason) } else { reason.to_owned() };
        return Ok(Route::Wasm { reason });
    }
    match tiers.docker {
        Ok(()) => {
            let (certain, possible): (Vec<_>, Vec<_>) = demands.into_iter().partition(Demand::is_certain);
            if certain.is_empty() {
                let reason = format!("needs nothing for certain beyond WebAssembly, but maybe {}", in_words(&possible));
                return Ok(Route::Wasm { reason: network.explain(&reason) });
            }
            Ok(Route::Docker { reason: network.explain(&in_words(&certain)), python, network: network.on })
        }
        Err(off) => {
            let words = in_words(&demands);
            let fatal: Vec<_> = demands.into_iter().filter(Demand::is_fatal).collect();
            if fatal.is_empty() {
                return Ok(Route::Wasm { reason: format!("may do without, but {words}, which takes docker: {off}") });
            }
            Err(format!("this job {}, which takes docker: {off}", in_words(&fatal)))
        }
    }
}

/// A reason for Docker.
struct Demand {
    /// Follows "this job".
    what: String,
    urgency: Urgency,
}

impl Demand {
    fn now(what: impl Into<String>) -> Demand {
        Demand { what: what.into(), urgency: Urgency::Required }
    }

    /// Returns whether the code reaches it whenever it runs.
    fn is_certain(&self) -> bool {
        self.urgency <= Urgency::Guarded
    }

    /// Returns whether the code ends where it is missing.
    fn is_fatal(&self) -> bool {
        self.urgency == Urgency::Required
    }
}

impl fmt::Display for Demand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

fn in_words(demands: &[Demand]) -> String {
    listed(&demands.iter().map(|demand| demand.what.clone()).collect::<Vec<_>>())
}

/// Lists the first few, and how many more there are.
pub(crate) fn listed(words: &[String]) -> String {
    const NAMED: usize = 3;
    let mut named: Vec<_> = words.iter().take(NAMED).cloned().collect();
    if words.len() > NAMED {
        named.push(format!("{} more", words.len() - NAMED));
    }
    match named.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, others)) => format!("{} and {last}", others.join(", ")),
        None => String::new(),
    }
}

/// Returns the version to run on, where one is asked for or needed.
fn python(needs: &Needs, asked: &Asked<'_>) -> Result<Option<Python>, String> {
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
        None => Err(format!("the script requires Python {required}; there are 3.10, 3.11, 3.12, 3.13 and 3.14")),
    }
}

fn demands_of_the_request(asked: &Asked<'_>, needs: &Needs, python: Option<Python>) -> Vec<Demand> {
    let mut demands = Vec::new();
    if let Some(image) = asked.docker_image {
        demands.push(Demand::now(format!("asks for the image {image}")));
    }
    if asked.pre_commands {
        demands.push(Demand::now("has pre_commands"));
    }
    if let Some(asked) = asked.python.filter(|&python| python != Python::WASM) {
        demands.push(Demand::now(format!("asks for Python {asked}")));
    }
    let script = needs.script.as_ref().filter(|_| asked.python.is_none());
    if let Some(required) = script.and_then(|script| script.requires_python.as_ref())
        && Python::newest_allowed(required, Python::WASM) != Some(Python::WASM)
        && let Some(python) = python
    {
        demands.push(Demand::now(format!("requires Python {required}, that is {python}")));
    }
    if asked.memory_bytes > WASM_MEMORY_BYTES_MAX {
        demands.push(Demand::now(format!(
            "asks for {} MB of memory, more than the {} MB of WebAssembly",
            asked.memory_bytes >> 20,
            WASM_MEMORY_BYTES_MAX >> 20
        )));
    }
    demands
}

/// Returns what WebAssembly does not take of the packages that the job is known to need.
fn demands_for_packages(needs: &Needs, asked: &Asked<'_>, tiers: &Tiers<'_>) -> Vec<Demand> {
    let wanted = wanted(needs, asked);
    let native = match tiers.packages {
        Packages::Fit => return Vec::new(),
        Packages::Native(native) => native,
        Packages::Unknown => {
            return wanted.iter().map(|package| package.demand("a third-party package")).collect();
        }
    };
    let itself = |package: &&Wanted<'_>| native.iter().any(|name| *name == package.distribution);
    let found: Vec<_> =
        wanted.iter().filter(itself).map(|package| package.demand("which has no pure-Python wheel")).collect();
    if !found.is_empty() {
        return found;
    }
    // They are needed by others, and of several it is not known by which.
    let (names, has) = (listed(native), if native.len() == 1 { "has" } else { "have" });
    match &*wanted {
        [] => Vec::new(),
        [package] => vec![package.demand(&format!("which needs {names}, which {has} no pure-Python wheel"))],
        several => {
            let by: Vec<_> = several.iter().map(|package| package.distribution.to_owned()).collect();
            let what = format!("needs {names} for {}, which {has} no pure-Python wheel", listed(&by));
            let urgency = several.iter().map(|package| package.urgency).min().unwrap_or(Urgency::Required);
            vec![Demand { what, urgency }]
        }
    }
}

/// A package that the job is known to need.
struct Wanted<'a> {
    distribution: &'a str,
    /// The module that its code imports, and where; otherwise it is required.
    import: Option<(&'a str, &'a Place)>,
    urgency: Urgency,
}

impl Wanted<'_> {
    /// Makes a demand; `why` says what is the matter.
    fn demand(&self, why: &str) -> Demand {
        let what = match self.import {
            Some((module, place)) => format!("imports {module}, {why} ({place})"),
            None => format!("requires {}, {why}", self.distribution),
        };
        Demand { what, urgency: self.urgency }
    }
}

fn wanted<'a>(needs: &'a Needs, asked: &Asked<'a>) -> Vec<Wanted<'a>> {
    let required = asked.requirements.iter();
    let mut wanted: Vec<_> =
        required.map(|distribution| Wanted { distribution, import: None, urgency: Urgency::Required }).collect();
    for module in needs.modules.iter().filter(|_| asked.detect_packages) {
        // What nobody can install is missed as well elsewhere. What may be its own is found out by running it: see
        // `service::plan`.
        let Some(distribution) = module.distribution.as_deref().filter(|_| !module.perhaps_own) else { continue };
        if module.urgency != Urgency::Optional && !asked.requirements.iter().any(|name| name == distribution) {
            let import = module.imported.then_some((&*module.name, &module.place));
            wanted.push(Wanted { distribution, import, urgency: module.urgency });
        }
    }
    wanted
}

fn demands_of_the_code(needs: &Needs, asked: &Asked<'_>) -> Vec<Demand> {
    let mut demands = Vec::new();
    let mut add = |urgency, what: String| {
        if urgency != Urgency::Optional {
            demands.push(Demand { what, urgency });
        }
    };
    if let (None, Some(bound)) = (asked.python, &needs.python_at_most) {
        let Bound { python, module, place, urgency } = bound;
        add(*urgency, format!("imports {module}, which Python has up to {python} ({place})"));
    }
    for found in &needs.uses {
        let Use { capability, what, urgency, place } = found;
        match capability {
            Capability::Threads => add(*urgency, format!("starts a thread ({what}, {place})")),
            Capability::Processes => add(*urgency, format!("starts a process ({what}, {place})")),
            Capability::Sockets => add(*urgency, format!("opens a socket ({what}, {place})")),
            Capability::Libraries => add(*urgency, format!("loads a native library ({what}, {place})")),
            Capability::Signals => add(*urgency, format!("waits for a signal ({what}, {place})")),
            Capability::Modules => add(*urgency, format!("imports {what}, which WebAssembly lacks ({place})")),
            Capability::Network => {} // see `network`
        }
    }
    demands
}

struct Network {
    on: bool,
    /// Said after the reason.
    note: Option<&'static str>,
}

impl Network {
    fn demand(&self, needs: &Needs) -> Option<Demand> {
        let found = needs.use_of(Capability::Network).filter(|_| self.on)?;
        let what = format!("uses the network ({}, {})", found.what, found.place);
        Some(Demand { what, urgency: found.urgency }).filter(|demand| demand.urgency != Urgency::Optional)
    }

    fn explain(&self, reason: &str) -> String {
        self.note.map_or_else(|| reason.to_owned(), |note| format!("{reason}; {note}"))
    }
}

fn network(needs: &Needs, asked: &Asked<'_>, tiers: &Tiers<'_>) -> Network {
    let is_used = needs.use_of(Capability::Network).is_some();
    let note = match (asked.network, tiers.allow_network) {
        (true, false) => Some("without the network, which this server does not allow (PYEXEC_ALLOW_NETWORK=false)"),
        (false, _) if is_used => Some("without the network, for which it has no permission"),
        _ => None,
    };
    Network { on: asked.network && tiers.allow_network, note }
}

#[cfg(test)]
mod tests;
