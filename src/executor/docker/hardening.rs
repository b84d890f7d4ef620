//! All that a container may do: what a job's may, what one in which a layer is made may, and what our own helpers may.
//! What is not set here is the daemon's default.

use super::subnet::Subnet;
use crate::Limits;
use bollard::models::{
    ContainerCreateBody, HealthConfig, HostConfig, HostConfigCgroupnsModeEnum, HostConfigLogConfig, ResourcesUlimits,
};
use std::collections::HashMap;

/// Which instance a container belongs to.
pub(crate) const INSTANCE_LABEL: &str = "pyexec.instance";
/// Which process has it.
pub(crate) const HOLDER_LABEL: &str = "pyexec.holder";
/// What it is for.
pub(crate) const KIND_LABEL: &str = "pyexec.kind";

/// The project directory.
pub(crate) const PROJECT: &str = "/work";
/// The name of the machine, as a job sees it.
const HOST: &str = "pyexec";
/// Where other services have a project: in there `data` is a link.
const MNT: &str = "/mnt";
/// Where what a job's commands leave is kept in its image.
pub(crate) const KEPT: &str = "/.pyexec";
/// The home folder of a job, and of its commands.
pub(crate) const HOME: &str = "/tmp";
/// Where a job sees installed packages.
pub(crate) const ENVIRONMENT: &str = "/environment";

/// Users of jobs: each running container has one of its own, for the kernel counts by user what no control group holds
/// (watched files, message queues, signals and descriptors under way). No image has any of them, and those of a daemon
/// without root end at 65535.
pub(crate) const USERS: std::ops::Range<u32> = 20_000..60_000;
/// nobody, in every image: the user of our helpers.
const USER: &str = "65534:65534";
const ROOT: &str = "0:0";

/// Makes modules of the others.
const LOAD: &str = include_str!("../../../fallback/runner/load.py");
const FIGURES: &str = include_str!("../../../fallback/runner/figures.py");
/// Modules of the runner, each after those that it imports.
const RUNNER: [(&str, &str); 10] = [
    ("_pyexec_common", wasm_python::COMMON_SOURCE),
    ("frames", include_str!("../../../fallback/runner/frames.py")),
    ("project", include_str!("../../../fallback/runner/project.py")),
    ("image", include_str!("../../../fallback/runner/image.py")),
    ("stack", include_str!("../../../fallback/runner/stack.py")),
    ("imports", include_str!("../../../fallback/runner/imports.py")),
    ("script", include_str!("../../../fallback/runner/script.py")),
    ("process", include_str!("../../../fallback/runner/process.py")),
    ("watch", include_str!("../../../fallback/runner/watch.py")),
    ("main", include_str!("../../../fallback/runner/main.py")),
];
/// Modules that only sessions have, each after those that it imports, with those that [`wasm_python`] has for them between.
const SESSION_TIER: (&str, &str) = ("_pyexec_tier", include_str!("../../../fallback/runner/tier.py"));
const SESSION: [(&str, &str); 2] = [
    ("cells", include_str!("../../../fallback/runner/cells.py")),
    ("calls", include_str!("../../../fallback/runner/calls.py")),
];
const PROBE: &str = include_str!("../../../fallback/probe.py");
const FIREWALL: &str = include_str!("../../../fallback/firewall.py");
/// Puts a version of Python into an image of Debian's.
pub(crate) const DEBIAN_PYTHON: &str = include_str!("../../../fallback/python.sh");
/// Puts installed packages in order.
pub(crate) const ARRANGE: &str = include_str!("../../../fallback/arrange.py");
/// Keeps what the commands of a job change.
pub(crate) const COMMANDS: &str = include_str!("../../../fallback/commands.py");
/// Ends when this process does, since its input then ends.
const STAY: &str = "import sys; sys.stdin.read()";
const SECCOMP: &str = include_str!("../../../fallback/seccomp.json");

/// `localhost` is `::1` as well in every container, and without this that address is not there.
const LOOPBACK_IPV6: [&str; 2] = ["net.ipv6.conf.lo.disable_ipv6", "0"];

/// Memory for the runner, page tables and pipes, beside what the job may have.
const OVERHEAD_BYTES: u64 = 64 << 20;
/// `/dev/shm`, as Docker has it; it counts as the job's memory.
const SHARED_MEMORY_BYTES_MAX: u64 = 64 << 20;
const PAGE_BYTES: u64 = 4096;
/// For our own small scripts.
const HELPER_BYTES: i64 = 128 << 20;
/// For installers and compilers.
pub(crate) const BUILD_MEMORY_BYTES: u64 = 2 << 30;
const BUILD_PIDS_MAX: i64 = 1024;
/// What apt, dpkg and pip need as root: to give files away and to use those of others, and to become the user that
/// downloads.
const BUILD_CAPABILITIES: [&str; 6] = ["CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "SETGID", "SETUID"];

/// Says what a container is attached to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Attachment {
    None,
    /// Our own bridge, by its id. Nothing of a stranger runs before its walls are up.
    Guarded(String),
    Named(String),
}

impl Attachment {
    /// Returns the network's mode, as the daemon wants it.
    pub(crate) fn mode(&self) -> &str {
        match self {
            Attachment::None => "none",
            Attachment::Guarded(network) | Attachment::Named(network) => network,
        }
    }
}

/// Holds what tells one container from another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Spec {
    pub(crate) image: String,
    pub(crate) limits: Held,
    pub(crate) network: Attachment,
    pub(crate) cpu_shares: u32,
    pub(crate) pids_max: u32,
    pub(crate) dns: Vec<String>,
    /// Modules that are imported before the job comes.
    pub(crate) preload: Vec<String>,
}

/// Those of a job's limits that its container holds; the others are held from here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Held {
    pub(crate) memory_bytes: u64,
    pub(crate) disk_bytes: u64,
    pub(crate) disk_files: u64,
}

impl From<Limits> for Held {
    fn from(limits: Limits) -> Held {
        let Limits { memory_bytes, disk_bytes, disk_files, wall_clock_ms: _, cpu_fuel: _, output_bytes: _ } = limits;
        Held { memory_bytes, disk_bytes, disk_files }
    }
}

/// Holds what tells one container in which a layer is made from another.
#[derive(Debug, Clone)]
pub(crate) struct BuildSpec {
    pub(crate) image: String,
    pub(crate) network: Attachment,
    pub(crate) dns: Vec<String>,
    pub(crate) disk_bytes: u64,
}

/// Describes a container that waits for a job on its standard input.
pub(crate) fn body(spec: &Spec, user: u32, instance: &str) -> ContainerCreateBody {
    let modules = RUNNER.into_iter().flat_map(|(name, source)| [name, source]);
    let sessions = [SESSION_TIER].into_iter().chain(wasm_python::SESSION_SOURCES).chain(SESSION);
    let sessions = sessions.flat_map(|(name, source)| [name, source]);
    let entrypoint =
        ["python3", "-c", LOAD, FIGURES].into_iter().chain(modules).chain(["-"]).chain(sessions).chain(["--"]);
    ContainerCreateBody {
        entrypoint: Some(entrypoint.map(str::to_owned).collect()),
        cmd: Some(spec.preload.clone()),
        hostname: Some(HOST.to_owned()),
        // As in the other tier.
        env: Some(vec![
            format!("HOME={HOME}"),
            "LANG=C.UTF-8".to_owned(),
            format!("PWD={PROJECT}"),
            "USER=user".to_owned(),
        ]),
        ..waiting(&spec.image, LOAD, &format!("{user}:{user}"), "run", instance, host_config(spec, user))
    }
}

/// Describes a container in which strangers' commands make a layer, as root, with a network.
pub(crate) fn build_body(spec: &BuildSpec, instance: &str) -> ContainerCreateBody {
    ContainerCreateBody {
        hostname: Some("pyexec-build".to_owned()),
        ..waiting(&spec.image, STAY, ROOT, "build", instance, build_config(spec))
    }
}

/// Describes a container that says what is in `image`.
pub(crate) fn probe_body(image: &str, instance: &str) -> ContainerCreateBody {
    waiting(image, PROBE, USER, "probe", instance, helper_config())
}

/// Describes a helper that isolates the network of `container`, and sees the host's processes. Nothing of a job is in
/// it: the image is the operator's, the script ours, and its input empty.
pub(crate) fn firewall_body(
    image: &str,
    container: &str,
    private_networks: &[Subnet],
    instance: &str,
) -> ContainerCreateBody {
    let config = HostConfig {
        cap_add: Some(vec!["NET_ADMIN".to_owned()]),
        network_mode: Some(format!("container:{container}")),
        pid_mode: Some("host".to_owned()),
        ..helper_config()
    };
    ContainerCreateBody {
        cmd: Some(private_networks.iter().map(Subnet::to_string).collect()),
        ..waiting(image, FIREWALL, ROOT, "firewall", instance, config)
    }
}

fn waiting(
    image: &str,
    script: &str,
    user: &str,
    kind: &str,
    instance: &str,
    config: HostConfig,
) -> ContainerCreateBody {
    ContainerCreateBody {
        image: Some(image.to_owned()),
        entrypoint: Some(["python3", "-c", script].map(str::to_owned).to_vec()),
        cmd: Some(Vec::new()),
        user: Some(user.to_owned()),
        // Nothing there that a script could import by mistake; the runner goes to the project by itself.
        working_dir: Some("/".to_owned()),
        attach_stdin: Some(true),
        attach_stdout: Some(true),
        attach_stderr: Some(true),
        open_stdin: Some(true),
        // When this process dies, the script reads the end of its input, and ends.
        stdin_once: Some(true),
        tty: Some(false),
        healthcheck: Some(HealthConfig { test: Some(vec!["NONE".to_owned()]), ..HealthConfig::default() }),
        labels: Some(HashMap::from([
            (INSTANCE_LABEL.to_owned(), instance.to_owned()),
            (KIND_LABEL.to_owned(), kind.to_owned()),
        ])),
        host_config: Some(config),
        ..ContainerCreateBody::default()
    }
}

/// Returns the configuration that every container starts from.
fn base_config() -> HostConfig {
    HostConfig {
        cap_drop: Some(vec!["ALL".to_owned()]),
        security_opt: Some(vec!["no-new-privileges:true".to_owned(), format!("seccomp={SECCOMP}")]),
        privileged: Some(false),
        readonly_rootfs: Some(true),
        network_mode: Some("none".to_owned()),
        ipc_mode: Some("private".to_owned()),
        cgroupns_mode: Some(HostConfigCgroupnsModeEnum::PRIVATE),
        // Before anything of the host is.
        oom_score_adj: Some(500),
        log_config: Some(HostConfigLogConfig { typ: Some("none".to_owned()), config: None }),
        // Collects the processes that nobody waits for.
        init: Some(true),
        auto_remove: Some(false),
        ..HostConfig::default()
    }
}

fn helper_config() -> HostConfig {
    HostConfig {
        memory: Some(HELPER_BYTES),
        memory_swap: Some(HELPER_BYTES),
        pids_limit: Some(16),
        ulimits: Some(vec![ulimit("core", 0)]),
        ..base_config()
    }
}

fn build_config(spec: &BuildSpec) -> HostConfig {
    HostConfig {
        cap_add: Some(BUILD_CAPABILITIES.map(str::to_owned).to_vec()),
        readonly_rootfs: Some(false),
        network_mode: Some(spec.network.mode().to_owned()),
        dns: dns(&spec.network, &spec.dns),
        memory: Some(signed(BUILD_MEMORY_BYTES)),
        memory_swap: Some(signed(BUILD_MEMORY_BYTES)),
        // Jobs that run come first.
        cpu_shares: Some(256),
        pids_limit: Some(BUILD_PIDS_MAX),
        ulimits: Some(vec![
            ulimit("core", 0),
            ulimit("nofile", 4096),
            ulimit("fsize", signed(spec.disk_bytes.max(PAGE_BYTES))),
        ]),
        ..base_config()
    }
}

fn host_config(spec: &Spec, user: u32) -> HostConfig {
    let Held { memory_bytes, disk_bytes, disk_files } = spec.limits;
    // Files are memory, too: so much that a full disk is a full disk, and not the end of the job.
    let memory = signed(memory_bytes.saturating_add(disk_bytes).saturating_add(OVERHEAD_BYTES));
    // 0 would mean no limit.
    let size = disk_bytes.max(PAGE_BYTES);
    let tmpfs = |rest: &str| {
        let files = disk_files.saturating_add(1); // the folder itself
        format!("rw,exec,nosuid,nodev,size={size},nr_inodes={files},{rest}")
    };
    HostConfig {
        network_mode: Some(spec.network.mode().to_owned()),
        dns: dns(&spec.network, &spec.dns),
        memory: Some(memory),
        memory_swap: Some(memory),
        cpu_shares: Some(spec.cpu_shares.into()),
        pids_limit: Some(spec.pids_max.into()),
        ulimits: Some(vec![
            ulimit("core", 0),
            // More than 1024, where the runner keeps its own.
            ulimit("nofile", 4096),
            // A file with a hole has a size, though it takes no space. One without fills the disk first.
            ulimit("fsize", signed(size.saturating_add(PAGE_BYTES))),
        ]),
        tmpfs: Some(HashMap::from([
            (PROJECT.to_owned(), tmpfs(&format!("mode=0755,uid={user},gid={user}"))),
            ("/tmp".to_owned(), tmpfs("mode=1777")),
            // For a link to the project's folder.
            (MNT.to_owned(), format!("rw,noexec,nosuid,nodev,size=4096,nr_inodes=2,mode=0755,uid={user},gid={user}")),
        ])),
        sysctls: has_own_loopback(&spec.network).then(|| HashMap::from([LOOPBACK_IPV6.map(str::to_owned).into()])),
        // Where there is a network, Docker gives it the address there.
        extra_hosts: (spec.network == Attachment::None).then(|| vec![format!("{HOST}:127.0.0.1")]),
        shm_size: Some(signed(memory_bytes.clamp(PAGE_BYTES, SHARED_MEMORY_BYTES_MAX))),
        ..base_config()
    }
}

/// Leaves out what a kernel without IPv6 refuses.
pub(crate) fn without_ipv6(mut body: ContainerCreateBody) -> ContainerCreateBody {
    if let Some(config) = &mut body.host_config {
        config.sysctls = None;
    }
    body
}

/// Returns whether the container has a network namespace that is nobody else's.
fn has_own_loopback(network: &Attachment) -> bool {
    match network {
        Attachment::None | Attachment::Guarded(_) => true,
        Attachment::Named(network) => network != "host" && !network.starts_with("container:"),
    }
}

fn dns(network: &Attachment, servers: &[String]) -> Option<Vec<String>> {
    (*network != Attachment::None && !servers.is_empty()).then(|| servers.to_vec())
}

fn ulimit(name: &str, value: i64) -> ResourcesUlimits {
    ResourcesUlimits { name: Some(name.to_owned()), soft: Some(value), hard: Some(value) }
}

fn signed(bytes: u64) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec() -> Spec {
        Spec {
            image: "python:3.13-slim".into(),
            limits: Held { memory_bytes: 100 << 20, disk_bytes: 10 << 20, disk_files: 50 },
            network: Attachment::None,
            cpu_shares: 512,
            pids_max: 128,
            dns: vec!["10.0.0.1".into()],
            preload: Vec::new(),
        }
    }

    /// Whoever weakens a container has to say so here, too.
    #[test]
    fn a_container_may_do_exactly_this() {
        let mut found = serde_json::to_value(host_config(&spec(), 20_001)).expect("JSON");
        let seccomp = found["SecurityOpt"].as_array_mut().and_then(Vec::pop).expect("a profile");
        let profile: serde_json::Value =
            serde_json::from_str(seccomp.as_str().and_then(|text| text.strip_prefix("seccomp=")).expect("inline"))
                .expect("JSON");
        assert_eq!(profile["defaultAction"], "SCMP_ACT_ERRNO");
        let expected = serde_json::json!({
            "AutoRemove": false,
            "CapDrop": ["ALL"],
            "CgroupnsMode": "private",
            "CpuShares": 512,
            "ExtraHosts": ["pyexec:127.0.0.1"],
            "Init": true,
            "IpcMode": "private",
            "LogConfig": {"Type": "none"},
            "Memory": 174 << 20,
            "MemorySwap": 174 << 20,
            "NetworkMode": "none",
            "OomScoreAdj": 500,
            "PidsLimit": 128,
            "Privileged": false,
            "ReadonlyRootfs": true,
            "SecurityOpt": ["no-new-privileges:true"],
            "ShmSize": 64 << 20,
            "Sysctls": {"net.ipv6.conf.lo.disable_ipv6": "0"},
            "Tmpfs": {
                "/mnt": "rw,noexec,nosuid,nodev,size=4096,nr_inodes=2,mode=0755,uid=20001,gid=20001",
                "/tmp": "rw,exec,nosuid,nodev,size=10485760,nr_inodes=51,mode=1777",
                "/work": "rw,exec,nosuid,nodev,size=10485760,nr_inodes=51,mode=0755,uid=20001,gid=20001",
            },
            "Ulimits": [
                {"Name": "core", "Soft": 0, "Hard": 0},
                {"Name": "nofile", "Soft": 4096, "Hard": 4096},
                {"Name": "fsize", "Soft": (10 << 20) + 4096, "Hard": (10 << 20) + 4096},
            ],
        });
        assert_eq!(found, expected);
    }

    #[test]
    fn a_limit_of_zero_is_not_unlimited() {
        let limits = Held { memory_bytes: 0, disk_bytes: 0, disk_files: 0 };
        let config = host_config(&Spec { limits, ..spec() }, 20_001);
        let tmpfs = config.tmpfs.expect("mounted");
        assert!(tmpfs["/work"].contains("size=4096,nr_inodes=1,"), "{tmpfs:?}");
        assert!(config.memory.is_some_and(|bytes| bytes > 0) && config.shm_size.is_some_and(|bytes| bytes > 0));
    }

    /// And whoever weakens one in which strangers' commands are root.
    #[test]
    fn a_build_container_may_do_exactly_this() {
        let spec = BuildSpec {
            image: "python:3.13-slim".into(),
            network: Attachment::Guarded("pyexec-test".into()),
            dns: Vec::new(),
            disk_bytes: 1 << 30,
        };
        let mut found = serde_json::to_value(build_config(&spec)).expect("JSON");
        let seccomp = found["SecurityOpt"].as_array_mut().and_then(Vec::pop).expect("a profile");
        assert_eq!(seccomp, format!("seccomp={SECCOMP}"));
        let expected = serde_json::json!({
            "AutoRemove": false,
            "CapAdd": ["CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "SETGID", "SETUID"],
            "CapDrop": ["ALL"],
            "CgroupnsMode": "private",
            "CpuShares": 256,
            "Init": true,
            "IpcMode": "private",
            "LogConfig": {"Type": "none"},
            "Memory": 2_u64 << 30,
            "MemorySwap": 2_u64 << 30,
            "NetworkMode": "pyexec-test",
            "OomScoreAdj": 500,
            "PidsLimit": 1024,
            "Privileged": false,
            "ReadonlyRootfs": false,
            "SecurityOpt": ["no-new-privileges:true"],
            "Ulimits": [
                {"Name": "core", "Soft": 0, "Hard": 0},
                {"Name": "nofile", "Soft": 4096, "Hard": 4096},
                {"Name": "fsize", "Soft": 1 << 30, "Hard": 1 << 30},
            ],
        });
        assert_eq!(found, expected);
        let body = build_body(&spec, "one");
        assert_eq!((body.env, body.volumes), (None, None));
    }

    /// What the helper that sees the host's processes has beyond any other.
    #[test]
    fn a_helper_may_do_exactly_this() {
        let config = |body: ContainerCreateBody| serde_json::to_value(body.host_config).expect("JSON");
        let firewall = config(firewall_body("python:3.13-slim", "job", &[], "one"));
        let mut probe = config(probe_body("python:3.13-slim", "one"));
        assert_eq!((&probe["NetworkMode"], &probe["ReadonlyRootfs"]), (&"none".into(), &true.into()));
        for (key, value) in [
            ("CapAdd", serde_json::json!(["NET_ADMIN"])),
            ("NetworkMode", "container:job".into()),
            ("PidMode", "host".into()),
        ] {
            probe[key] = value;
        }
        assert_eq!(firewall, probe);
    }

    #[test]
    fn a_network_is_named() {
        let asked = Spec { network: Attachment::Named("jobs".into()), ..spec() };
        let config = host_config(&asked, 20_001);
        assert_eq!(config.network_mode.as_deref(), Some("jobs"));
        assert_eq!(config.dns, Some(vec!["10.0.0.1".to_owned()]));
        assert!(config.sysctls.is_some());
        // Whose namespace it is, is whose settings these are.
        for shared in ["host", "container:other"] {
            let config = host_config(&Spec { network: Attachment::Named(shared.into()), ..spec() }, 20_001);
            assert_eq!(config.sysctls, None, "{shared}");
        }
    }

    #[test]
    fn a_kernel_without_ipv6_is_not_asked_for_it() {
        let body = without_ipv6(body(&spec(), 20_001, "one"));
        assert_eq!(body.host_config, Some(HostConfig { sysctls: None, ..host_config(&spec(), 20_001) }));
    }
}
