//! Which tier a job runs on: a pure function of what it needs, what it asks for and what there is.
//!
//! The rules, in this order:
//!
//! 1. What cannot be is refused at once: a tier that contradicts the rest of the request, network without permission.
//! 2. A tier that the job asks for is taken.
//! 3. What WebAssembly can do runs there. Needs that the code can do without are no needs, but for the network: code that
//!    uses it, with permission to, is meant to have it.
//! 4. The rest goes to Docker. Where that is off, a need that is certain is refused; one that may never come up, because
//!    it is in a function, is tried in WebAssembly, which does no harm.

use crate::{
    TierChoice,
    needs::{Bound, Capability, Needs, Python, Urgency, Use},
};
use std::fmt;

/// Memory that an interpreter in WebAssembly can have.
pub(crate) const WASM_MEMORY_BYTES_MAX: u64 = 4096 << 20;

/// What the request says about where to run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked<'a> {
    pub(crate) tier: TierChoice,
    pub(crate) python: Option<Python>,
    pub(crate) docker_image: Option<&'a str>,
    pub(crate) pre_commands: bool,
    /// Distributions that it requires, by name.
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

/// What there is to run on.
pub(crate) struct Tiers<'a> {
    /// Whether containers can be used; if not, why and how to turn them on, as a sentence without a full stop.
    pub(crate) docker: Result<(), &'a str>,
    /// The server's setting.
    pub(crate) allow_network: bool,
    /// What is known of a distribution.
    pub(crate) package: &'a dyn Fn(&str) -> Package,
}

/// What is known of a distribution.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(not(test), expect(dead_code, reason = "nothing is known of packages yet"))]
pub(crate) enum Package {
    /// It runs in WebAssembly.
    PurePython,
    /// It has no wheel that does.
    Native,
    /// Nothing.
    Unknown,
}

/// Where a job runs.
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
    let mut demands = demands_of_the_request(asked, needs, python, tiers);
    if asked.tier == TierChoice::Wasm {
        return match demands.first() {
            None => Ok(Route::Wasm { reason: "the job asks for wasm".to_owned() }),
            Some(demand) => {
                Err(format!("the job asks for wasm, but {demand}, which takes docker: leave one of them out"))
            }
        };
    }
    demands.extend(demands_of_the_code(needs, asked, tiers));
    let network = network(needs, asked, tiers)?;
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
    let words = in_words(&demands);
    match tiers.docker {
        Ok(()) => Ok(Route::Docker { reason: network.explain(&words), python, network: network.on }),
        Err(off) if demands.iter().all(|demand| demand.later) => {
            Ok(Route::Wasm { reason: format!("may not need it, but {words}, which takes docker: {off}") })
        }
        Err(off) => {
            let certain: Vec<_> = demands.into_iter().filter(|demand| !demand.later).collect();
            Err(format!("this job {}, which takes docker: {off}", in_words(&certain)))
        }
    }
}

/// A reason for Docker.
struct Demand {
    /// Follows "this job".
    what: String,
    /// It may never come up.
    later: bool,
}

impl Demand {
    fn now(what: impl Into<String>) -> Demand {
        Demand { what: what.into(), later: false }
    }
}

impl fmt::Display for Demand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

fn in_words(demands: &[Demand]) -> String {
    const NAMED: usize = 3;
    let mut words: Vec<_> = demands.iter().take(NAMED).map(|demand| demand.what.clone()).collect();
    if demands.len() > NAMED {
        words.push(format!("{} more", demands.len() - NAMED));
    }
    match words.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, others)) => format!("{} and {last}", others.join(", ")),
        None => String::new(),
    }
}

/// The version to run on, where one is asked for or needed.
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

fn demands_of_the_request(asked: &Asked<'_>, needs: &Needs, python: Option<Python>, tiers: &Tiers<'_>) -> Vec<Demand> {
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
    let written = needs.script.iter().flat_map(|script| &script.dependencies);
    for requirement in asked.requirements.iter().chain(written) {
        let name = distribution(requirement);
        demands.extend(match (tiers.package)(&name) {
            Package::PurePython => None,
            Package::Native => Some(Demand::now(format!("requires {name}, which has no pure-Python wheel"))),
            Package::Unknown => Some(Demand::now(format!("requires {name}, a third-party package"))),
        });
    }
    demands
}

fn demands_of_the_code(needs: &Needs, asked: &Asked<'_>, tiers: &Tiers<'_>) -> Vec<Demand> {
    let mut demands = Vec::new();
    let mut add = |urgency, what: String| match urgency {
        Urgency::Required => demands.push(Demand { what, later: false }),
        Urgency::Later => demands.push(Demand { what, later: true }),
        Urgency::Optional => {}
    };
    for module in needs.modules.iter().filter(|_| asked.detect_packages) {
        // What nobody can install is missed as well elsewhere.
        let Some(distribution) = &module.distribution else { continue };
        if module.perhaps_own {
            // It is found out by running it: see `service::plan`.
            continue;
        }
        let (name, place) = (&module.name, &module.place);
        match (tiers.package)(distribution) {
            Package::PurePython => {}
            Package::Native => add(module.urgency, format!("imports {name}, which has no pure-Python wheel ({place})")),
            Package::Unknown => add(module.urgency, format!("imports {name}, a third-party package ({place})")),
        }
    }
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
    /// With permission to, code that uses it is meant to have it, even where it could do without.
    fn demand(&self, needs: &Needs) -> Option<Demand> {
        let found = needs.use_of(Capability::Network).filter(|_| self.on)?;
        Some(Demand { what: uses_network(found), later: found.urgency != Urgency::Required })
    }

    fn explain(&self, reason: &str) -> String {
        self.note.map_or_else(|| reason.to_owned(), |note| format!("{reason}; {note}"))
    }
}

fn network(needs: &Needs, asked: &Asked<'_>, tiers: &Tiers<'_>) -> Result<Network, String> {
    const FORBIDDEN: &str = "which this server does not allow (PYEXEC_ALLOW_NETWORK=false)";
    let found = needs.use_of(Capability::Network);
    if let Some(found) = found.filter(|found| found.urgency == Urgency::Required) {
        let words = uses_network(found);
        if !tiers.allow_network {
            return Err(format!("this job {words}, {FORBIDDEN}"));
        }
        if !asked.network {
            return Err(format!("this job {words} and has no permission to: set \"network\": true, or give --network"));
        }
    }
    let note = match (asked.network, tiers.allow_network) {
        (true, false) => Some("without the network, which this server does not allow (PYEXEC_ALLOW_NETWORK=false)"),
        (false, _) if found.is_some() => Some("without the network, for which it has no permission"),
        _ => None,
    };
    Ok(Network { on: asked.network && tiers.allow_network, note })
}

fn uses_network(found: &Use) -> String {
    format!("uses the network ({}, {})", found.what, found.place)
}

/// The distribution that a requirement names, normalised.
fn distribution(requirement: &str) -> String {
    let end =
        requirement.find(|c: char| !(c.is_ascii_alphanumeric() || "-_.".contains(c))).unwrap_or(requirement.len());
    let parts: Vec<_> = requirement[..end].split(['-', '_', '.']).filter(|part| !part.is_empty()).collect();
    parts.join("-").to_ascii_lowercase()
}

#[cfg(test)]
mod tests;
