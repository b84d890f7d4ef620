//! Settings of the tier: which daemon, which images, and what containers may take.

use super::{instance::Instance, subnet::Subnet};
use crate::Limits;
use std::{collections::BTreeMap, time::Duration};

/// Settings of a [`DockerExecutor`](super::DockerExecutor).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct DockerOptions {
    /// The daemon: the path of a socket, or `tcp://host:port`.
    ///
    /// # Security
    ///
    /// Gives root on the daemon's machine to whoever may talk to it.
    pub socket: String,
    /// On whose behalf: names the containers, networks and layers of one service or user.
    pub instance: Instance,
    /// The image of jobs that ask for no version of Python.
    pub default_image: String,
    /// The image for a Python version, which takes the place of `{version}`.
    pub image: String,
    /// Images for single versions, instead of [`DockerOptions::image`].
    pub images: BTreeMap<String, String>,
    /// Images that jobs may ask for beside these: names, with `*` for anything.
    pub allowed_images: Vec<String>,
    /// Says what becomes of a job whose image is not there.
    pub image_pull: ImagePull,
    /// Jobs that run at the same time; more wait.
    pub slots: u32,
    /// Processes and threads of a job, with two of ours.
    pub pids_max: u32,
    /// Weight of a job that asks for none, when there is less CPU than is wanted; 1024 is a usual program's.
    pub cpu_shares: u32,
    /// The network of jobs that may have one.
    pub network_mode: NetworkMode,
    /// Private networks that jobs on [`NetworkMode::Isolated`] may reach, beside the public internet: RFC 1918's, the shared
    /// addresses 100.64.0.0/10, 192.0.0.0/24 and Azure's 168.63.129.16 are refused otherwise. Names are looked up all the
    /// same.
    ///
    /// # Security
    ///
    /// All jobs with a network reach what is there, and so do commands and packages without wheels while a layer is made.
    pub private_networks: Vec<Subnet>,
    /// Name servers of jobs with a network; none leaves it to the daemon.
    pub dns: Vec<String>,
    /// Containers of each class that are kept started, with the runner waiting in them: a job that finds one needs
    /// milliseconds. A class is an image with [`DockerOptions::pool_limits`] and everything else as it is usually; the
    /// default image's is kept always, others from their first use. 0 is no pool.
    pub pool: u32,
    /// Such containers of all classes together. The classes used last have them.
    pub pool_max: u32,
    /// Memory, in bytes, that all of them may take while they wait.
    pub pool_memory_bytes: u64,
    /// How long a class is kept without being used.
    pub pool_idle: Duration,
    /// The limits of these containers: a job whose limits on memory, disk and files are different starts its own.
    pub pool_limits: Limits,
    /// How long a session may have no call before its container is paused, until its next call.
    pub session_idle: Duration,
    /// Modules that these containers have imported beforehand, if they are installed. A job sees no difference but the
    /// time, and its peak of memory; one that would (by a variable that modules read at their import, or a module of
    /// that name of its own) gets a process without.
    pub preload: Vec<String>,
    /// Layers that are made at the same time; more wait.
    pub builds: u32,
    /// How long it may take to make one.
    pub build_timeout: Duration,
    /// What one may take on the disk, in bytes. It is measured each second.
    pub build_disk_bytes: u64,
    /// Environment variables of commands and of pip while a layer is made, such as `PIP_INDEX_URL`.
    ///
    /// # Security
    ///
    /// Whoever may send `pre_commands` or packages without wheels can read them.
    pub build_env: Vec<(String, String)>,
    /// What all layers together may take on the disk beyond their base images, in bytes. Those not used for longest go.
    pub layers_max_bytes: u64,
    /// Whether a daemon will do that does not hold limits, as without root on the first version of control groups.
    ///
    /// # Security
    ///
    /// On such a daemon a job can use all memory and all processes of the machine.
    pub allow_unenforced_limits: bool,
}

impl Default for DockerOptions {
    fn default() -> DockerOptions {
        DockerOptions {
            socket: "/var/run/docker.sock".to_owned(),
            instance: Instance::default(),
            default_image: "python:3.14-slim".to_owned(),
            image: "python:{version}-slim".to_owned(),
            images: BTreeMap::new(),
            allowed_images: vec!["python:*".to_owned()],
            image_pull: ImagePull::default(),
            // A container is a few processes and some ten MB: two on each core keep it busy while others come and go.
            slots: std::thread::available_parallelism().map_or(4, |cores| (2 * cores.get() as u32).max(4)),
            pids_max: 128,
            cpu_shares: 1024,
            network_mode: NetworkMode::default(),
            private_networks: Vec::new(),
            dns: Vec::new(),
            pool: 0,
            pool_max: 8,
            pool_memory_bytes: 2 << 30,
            pool_idle: Duration::from_secs(600),
            pool_limits: Limits::default(),
            session_idle: Duration::from_secs(60),
            preload: ["numpy", "pandas"].map(str::to_owned).to_vec(),
            builds: 2,
            build_timeout: Duration::from_secs(600),
            build_disk_bytes: 10 << 30,
            build_env: Vec::new(),
            layers_max_bytes: 20 << 30,
            allow_unenforced_limits: false,
        }
    }
}

/// Says what becomes of a job whose image is not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ImagePull {
    /// The image is fetched, and that is said.
    #[default]
    Missing,
    /// The job is refused.
    Never,
}

/// The network of jobs that may have one, and of containers in which layers are made.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum NetworkMode {
    /// A bridge of the instance's own: the public internet and [`DockerOptions::private_networks`], but neither the Docker
    /// host nor other containers.
    #[default]
    Isolated,
    /// An existing network, or `host`, as it is.
    ///
    /// # Security
    ///
    /// Nothing is walled off: jobs reach what that network reaches, with `host` all services of the machine.
    Named(String),
}
