//! All that a container may do, in one function. What is not set here is the daemon's default.

use crate::Limits;
use bollard::models::{
    ContainerCreateBody, HealthConfig, HostConfig, HostConfigCgroupnsModeEnum, HostConfigLogConfig, Mount, MountType,
    ResourcesUlimits,
};
use std::collections::HashMap;

/// Which instance a container belongs to.
pub(crate) const INSTANCE_LABEL: &str = "pyexec.instance";
/// What it is for.
pub(crate) const KIND_LABEL: &str = "pyexec.kind";

/// The project directory.
pub(crate) const PROJECT: &str = "/work";
/// Where a job sees installed packages.
pub(crate) const ENVIRONMENT: &str = "/environment";

/// nobody, in every image.
const USER: &str = "65534:65534";

const RUNNER: &str = include_str!("../../../fallback/runner.py");
const FIGURES: &str = include_str!("../../../fallback/figures.py");
const SECCOMP: &str = include_str!("../../../fallback/seccomp.json");

/// Memory for the runner, page tables and pipes, beside what the job may have.
const OVERHEAD_BYTES: u64 = 64 << 20;
/// `/dev/shm`, as Docker has it; it counts as the job's memory.
const SHARED_MEMORY_BYTES_MAX: u64 = 64 << 20;
const PAGE_BYTES: u64 = 4096;

/// What tells one container from another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Spec {
    pub(crate) image: String,
    pub(crate) limits: Held,
    pub(crate) network: Option<String>,
    pub(crate) environment: Option<String>,
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

/// A container that waits for a job on its standard input.
pub(crate) fn body(spec: &Spec, instance: &str) -> ContainerCreateBody {
    ContainerCreateBody {
        image: Some(spec.image.clone()),
        entrypoint: Some(["python3", "-c", RUNNER, FIGURES].map(str::to_owned).to_vec()),
        cmd: Some(spec.preload.clone()),
        user: Some(USER.to_owned()),
        // Nothing there that the runner could import by mistake; it goes to the project by itself.
        working_dir: Some("/".to_owned()),
        env: Some(vec!["HOME=/tmp".to_owned(), "LANG=C.UTF-8".to_owned()]),
        hostname: Some("pyexec".to_owned()),
        attach_stdin: Some(true),
        attach_stdout: Some(true),
        attach_stderr: Some(true),
        open_stdin: Some(true),
        // When this process dies, the runner reads the end of its input, and ends.
        stdin_once: Some(true),
        tty: Some(false),
        healthcheck: Some(HealthConfig { test: Some(vec!["NONE".to_owned()]), ..HealthConfig::default() }),
        labels: Some(HashMap::from([
            (INSTANCE_LABEL.to_owned(), instance.to_owned()),
            (KIND_LABEL.to_owned(), "run".to_owned()),
        ])),
        host_config: Some(host_config(spec)),
        ..ContainerCreateBody::default()
    }
}

fn host_config(spec: &Spec) -> HostConfig {
    let Held { memory_bytes, disk_bytes, disk_files } = spec.limits;
    // Files are memory, too: so much that a full disk is a full disk, and not the end of the job.
    let memory = signed(memory_bytes.saturating_add(disk_bytes).saturating_add(OVERHEAD_BYTES));
    // 0 would mean no limit.
    let size = disk_bytes.max(PAGE_BYTES);
    let tmpfs = |rest: &str| {
        let files = disk_files.saturating_add(1); // the folder itself
        format!("rw,exec,nosuid,nodev,size={size},nr_inodes={files},{rest}")
    };
    let mounts = spec.environment.iter().map(|volume| Mount {
        target: Some(ENVIRONMENT.to_owned()),
        source: Some(volume.clone()),
        typ: Some(MountType::VOLUME),
        read_only: Some(true),
        ..Mount::default()
    });
    HostConfig {
        cap_drop: Some(vec!["ALL".to_owned()]),
        security_opt: Some(vec!["no-new-privileges:true".to_owned(), format!("seccomp={SECCOMP}")]),
        privileged: Some(false),
        readonly_rootfs: Some(true),
        network_mode: Some(spec.network.clone().unwrap_or_else(|| "none".to_owned())),
        dns: spec.network.as_ref().map(|_| spec.dns.clone()).filter(|dns| !dns.is_empty()),
        ipc_mode: Some("private".to_owned()),
        cgroupns_mode: Some(HostConfigCgroupnsModeEnum::PRIVATE),
        memory: Some(memory),
        memory_swap: Some(memory),
        // Before anything of the host is.
        oom_score_adj: Some(500),
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
            (PROJECT.to_owned(), tmpfs("mode=0755,uid=65534,gid=65534")),
            ("/tmp".to_owned(), tmpfs("mode=1777")),
        ])),
        shm_size: Some(signed(memory_bytes.clamp(PAGE_BYTES, SHARED_MEMORY_BYTES_MAX))),
        mounts: Some(mounts.collect()),
        log_config: Some(HostConfigLogConfig { typ: Some("none".to_owned()), config: None }),
        // Collects the processes that nobody waits for.
        init: Some(true),
        auto_remove: Some(false),
        ..HostConfig::default()
    }
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
            network: None,
            environment: None,
            cpu_shares: 512,
            pids_max: 128,
            dns: vec!["10.0.0.1".into()],
            preload: Vec::new(),
        }
    }

    /// Whoever weakens a container has to say so here, too.
    #[test]
    fn a_container_may_do_exactly_this() {
        let mut found = serde_json::to_value(host_config(&spec())).expect("JSON");
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
            "Init": true,
            "IpcMode": "private",
            "LogConfig": {"Type": "none"},
            "Memory": 174 << 20,
            "MemorySwap": 174 << 20,
            "Mounts": [],
            "NetworkMode": "none",
            "OomScoreAdj": 500,
            "PidsLimit": 128,
            "Privileged": false,
            "ReadonlyRootfs": true,
            "SecurityOpt": ["no-new-privileges:true"],
            "ShmSize": 64 << 20,
            "Tmpfs": {
                "/tmp": "rw,exec,nosuid,nodev,size=10485760,nr_inodes=51,mode=1777",
                "/work": "rw,exec,nosuid,nodev,size=10485760,nr_inodes=51,mode=0755,uid=65534,gid=65534",
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
        let config = host_config(&Spec { limits, ..spec() });
        let tmpfs = config.tmpfs.expect("mounted");
        assert!(tmpfs["/work"].contains("size=4096,nr_inodes=1,"), "{tmpfs:?}");
        assert!(config.memory.is_some_and(|bytes| bytes > 0) && config.shm_size.is_some_and(|bytes| bytes > 0));
    }

    #[test]
    fn packages_are_read_only_and_a_network_is_named() {
        let asked = Spec { environment: Some("packages".into()), network: Some("jobs".into()), ..spec() };
        let config = host_config(&asked);
        let mount = config.mounts.and_then(|mut mounts| mounts.pop()).expect("mounted");
        assert_eq!((mount.source.as_deref(), mount.read_only), (Some("packages"), Some(true)));
        assert_eq!(config.network_mode.as_deref(), Some("jobs"));
        assert_eq!(config.dns, Some(vec!["10.0.0.1".to_owned()]));
    }
}
