use super::*;
use crate::{Job, environment::Refusal, executor::docker::Interpreter, needs::Needs, outcome::CapabilityMiss};
use std::collections::BTreeMap;

/// What installing packages comes to: installed with these packages, or refused.
type Answer = Result<&'static [&'static str], Reason>;

/// Answers, by the names of the packages.
type Index = &'static [(&'static str, fn() -> Answer)];

/// Everything that there is to know, found out as it is asked for.
struct World {
    job: Job,
    wasm: Index,
    linux: Index,
    image_has: &'static [(&'static str, &'static str)],
    misnamed: &'static [&'static str],
    /// The package that pip does not find in a build container.
    not_built: Option<&'static str>,
    docker: Docker,
    policy: Policy,
    met: Option<(&'static str, &'static str)>,
}

impl World {
    fn of(code: &str) -> World {
        let policy = Policy { detect_packages: true, allow_network: true, docker: Ok(()) };
        World {
            job: Job::code(code.to_owned()),
            wasm: &[],
            linux: &[],
            image_has: &[],
            misnamed: &[],
            not_built: None,
            docker: Docker::Usable,
            policy,
            met: None,
        }
    }

    fn without_docker(mut self) -> World {
        self.policy.docker = Err(Error::invalid("containers are off"));
        self
    }

    /// Chooses until everything is known, and returns the facts that it took and what came of it.
    fn ends(self) -> String {
        let World { job, wasm, linux, image_has, misnamed, not_built, docker, policy, met } = self;
        let job = job.resolve().unwrap();
        let needs = Needs::of(&job.project, &job.script, false).unwrap();
        let mut analysis = Analysis::new(needs, true);
        if let Some((kind, detail)) = met {
            analysis.meet(&CapabilityMiss { kind: kind.to_owned(), detail: detail.to_owned() });
        }
        let mut knowledge = Knowledge::default();
        let mut steps = Vec::new();
        for _ in 0..20 {
            let fact = match choose(&job, &analysis, &knowledge, &policy) {
                Err(error) => return told(steps, format!("error: {error}")),
                Ok(Decision::Ready(Chosen { target: Target::Docker(_), .. })) => unreachable!("there are no images"),
                Ok(Decision::Ready(Chosen { target: Target::Wasm(packages), reason, .. })) => {
                    let with = packages.map_or(String::new(), |packages| names(&packages.wanted));
                    return told(steps, format!("wasm [{with}]: {reason}"));
                }
                Ok(Decision::Need(fact)) => fact,
            };
            match fact {
                Fact::Docker { .. } => {
                    steps.push("docker?".to_owned());
                    knowledge.docker = docker.clone();
                }
                Fact::Packages { wanted, platform } => {
                    let name = names(&wanted);
                    let (where_, answers) = if platform == Platform::WASM { ("wasm", wasm) } else { ("linux", linux) };
                    steps.push(format!("{where_} {name}?"));
                    let (_, answer) = answers.iter().find(|(of, _)| *of == name).expect(&name);
                    let result = answer().map(Installed::of_packages).map_err(Refusal::of);
                    let misnamed = misnamed.iter().map(ToString::to_string).collect();
                    knowledge.know_install(wanted, platform, result, misnamed);
                }
                Fact::Interpreter(_) => {
                    steps.push("image?".to_owned());
                    let packages: BTreeMap<_, _> =
                        image_has.iter().map(|(name, version)| (name.to_string(), version.to_string())).collect();
                    knowledge.know_interpreter(Interpreter {
                        python: Python::V3_14,
                        machine: "x86_64".to_owned(),
                        libc: docker::Libc::Glibc { major: 2, minor: 41 },
                        packages: Arc::new(packages),
                    });
                }
                Fact::Image(Placement { packages: docker::Packages::Build(lines), .. })
                    if lines.iter().any(|line| Some(&**line) == not_built) =>
                {
                    steps.push(format!("build of {}?", lines.join(" ")));
                    let missing = not_built.unwrap_or_default().to_owned();
                    knowledge.know_image(docker::Packages::Build(lines), Made::NoSuchPackage(missing));
                }
                Fact::Image(Placement { packages, reason, network, .. }) => {
                    let with = match packages {
                        docker::Packages::None => "nothing".to_owned(),
                        docker::Packages::Folder(_) => "a folder".to_owned(),
                        docker::Packages::Build(lines) => format!("a build of {}", lines.join(" ")),
                        docker::Packages::File(text) => format!("a file of {text}"),
                    };
                    let network = if network { " and the network" } else { "" };
                    return told(steps, format!("docker with {with}{network}: {reason}"));
                }
            }
        }
        panic!("it does not end: {steps:?}");
    }

    #[track_caller]
    fn ends_as(self, expected: &str) {
        assert_eq!(self.ends(), expected);
    }
}

fn told(mut steps: Vec<String>, end: String) -> String {
    steps.push(end);
    steps.join(" -> ")
}

fn names(wanted: &Requirements) -> String {
    wanted.to_string().lines().collect::<Vec<_>>().join(" ")
}

fn no_wheel(package: &str) -> Answer {
    Err(Reason::NoWheel { packages: vec![package.to_owned()], platform: "WebAssembly".to_owned() })
}

fn not_found(package: &str) -> Answer {
    Err(Reason::NotFound { package: package.to_owned() })
}

#[test]
fn plain_code_takes_nothing() {
    World::of("print(1)").ends_as("wasm []: needs nothing beyond WebAssembly");
}

#[test]
fn pure_packages_are_installed_for_webassembly() {
    World { wasm: &[("sympy", || Ok(&["sympy", "mpmath"]))], ..World::of("import sympy") }
        .ends_as("wasm sympy? -> wasm [sympy]: needs nothing beyond WebAssembly, with sympy");
}

#[test]
fn a_package_without_a_pure_wheel_goes_to_a_container() {
    let pandas = || World { wasm: &[("pandas", || no_wheel("numpy==2.3"))], ..World::of("import pandas") };
    World { linux: &[("pandas", || Ok(&["pandas", "numpy"]))], ..pandas() }.ends_as(
        "wasm pandas? -> docker? -> image? -> linux pandas? -> docker with a folder: \
         imports pandas, which needs numpy, which has no pure-Python wheel (main.py:1)",
    );
    // Without a wheel for Linux it is built, in a container of its own.
    World { linux: &[("pandas", || no_wheel("pandas"))], ..pandas() }.ends_as(
        "wasm pandas? -> docker? -> image? -> linux pandas? -> docker with a build of pandas: \
         imports pandas, which needs numpy, which has no pure-Python wheel (main.py:1)",
    );
    // What the image has is not installed again.
    World { image_has: &[("pandas", "3.0")], ..pandas() }.ends_as(
        "wasm pandas? -> docker? -> image? -> docker with nothing: \
         imports pandas, which needs numpy, which has no pure-Python wheel (main.py:1)",
    );
    pandas().without_docker().ends_as(
        "wasm pandas? -> error: this job imports pandas, which needs numpy, which has no pure-Python wheel (main.py:1), \
         which takes docker: containers are off",
    );
    World { docker: Docker::Unusable(Error::unavailable("no daemon")), ..pandas() }.ends_as(
        "wasm pandas? -> docker? -> error: this job imports pandas, which needs numpy, which has no pure-Python wheel \
         (main.py:1), which takes docker: no daemon",
    );
}

#[test]
fn what_the_code_handles_is_left_out_where_there_is_no_container() {
    let code = "import sympy\ntry:\n    import numpy\nexcept Exception as e:\n    print(e)";
    World {
        wasm: &[("numpy sympy", || no_wheel("numpy")), ("sympy", || Ok(&["sympy"]))],
        ..World::of(code).without_docker()
    }
    .ends_as(
        "wasm numpy sympy? -> wasm sympy? -> wasm [sympy]: may do without, but imports numpy, which has no pure-Python \
         wheel (main.py:3), which takes docker: containers are off, with sympy",
    );
}

#[test]
fn an_inferred_package_that_nobody_publishes_is_left_out_on_both_tiers() {
    let code = "import sympy, bs4";
    World {
        wasm: &[("beautifulsoup4 sympy", || not_found("sympy")), ("beautifulsoup4", || Ok(&["beautifulsoup4"]))],
        ..World::of(code)
    }
    .ends_as(
        "wasm beautifulsoup4 sympy? -> wasm beautifulsoup4? -> wasm [beautifulsoup4]: needs nothing beyond WebAssembly, \
         with beautifulsoup4",
    );
    World {
        linux: &[("beautifulsoup4 sympy", || not_found("sympy")), ("beautifulsoup4", || Ok(&["beautifulsoup4"]))],
        met: Some(("thread", "start of a thread")),
        ..World::of(code)
    }
    .ends_as(
        "docker? -> image? -> linux beautifulsoup4 sympy? -> linux beautifulsoup4? -> docker with a folder: \
         uses what WebAssembly lacks (thread: start of a thread)",
    );
}

#[test]
fn what_pip_does_not_find_is_built_without_once() {
    World {
        linux: &[("beautifulsoup4 sympy", || Err(Reason::NoUv)), ("beautifulsoup4", || Err(Reason::NoUv))],
        not_built: Some("sympy"),
        met: Some(("thread", "start of a thread")),
        ..World::of("import sympy, bs4")
    }
    .ends_as(
        "docker? -> image? -> linux beautifulsoup4 sympy? -> build of beautifulsoup4 sympy? -> linux beautifulsoup4? -> \
         docker with a build of beautifulsoup4: uses what WebAssembly lacks (thread: start of a thread)",
    );
}

#[test]
fn a_package_that_has_not_the_module_is_left_out() {
    World { wasm: &[("sympy", || Ok(&["sympy"]))], misnamed: &["sympy"], ..World::of("import sympy") }
        .ends_as("wasm sympy? -> wasm []: needs nothing beyond WebAssembly");
}

#[test]
fn what_is_required_and_cannot_be_had_is_an_error() {
    let mut world = World { wasm: &[("nobodys-package", || not_found("nobodys-package"))], ..World::of("print(1)") };
    world.job = world.job.requirements(Requirements::parse("nobodys-package").unwrap());
    assert!(world.ends().starts_with("wasm nobodys-package? -> error: "));
}

#[test]
fn without_an_index_containers_are_asked_and_may_have_it() {
    let world = || World { wasm: &[("sympy", || Err(Reason::Offline))], ..World::of("import sympy") };
    World { image_has: &[("sympy", "1.14")], ..world() }.ends_as(
        "wasm sympy? -> docker? -> image? -> docker with nothing: imports sympy, a third-party package (main.py:1)",
    );
    assert!(World { linux: &[("sympy", || Err(Reason::Offline))], ..world() }.ends().contains("-> error: "));
    // It is not the packages that are at fault, and nothing else is said.
    let refused = world().without_docker().ends();
    assert!(refused.starts_with("wasm sympy? -> error: ") && !refused.contains("containers are off"), "{refused}");
}

#[test]
fn a_job_with_the_network_has_all_that_it_may_import() {
    let code = "import urllib.request\nurllib.request.urlopen(x)\ndef f():\n    import yaml";
    let mut world = World { linux: &[("pyyaml", || Ok(&["pyyaml"]))], ..World::of(code) };
    world.job = world.job.network(true);
    world.ends_as(
        "docker? -> image? -> linux pyyaml? -> docker with a folder and the network: \
         uses the network (urllib.request.urlopen, main.py:2)",
    );
}
