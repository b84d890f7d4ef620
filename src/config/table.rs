//! The one table of settings.

use super::{
    Key, api_keys, containers,
    keys::{flag, list, milliseconds, number, path, seconds, text},
    services, values,
};

/// Every setting, in the order in which people are shown them. Numbers were checked for their range when they are set.
pub const KEYS: &[Key] = &[
    text(
        "host",
        "127.0.0.1",
        "address to listen on; other than this machine's own it needs API keys",
        values::HOST,
        values::host,
    ),
    number(
        "port",
        "8080",
        "port to listen on (0: any free one); PORT is used when PYEXEC_PORT is not set",
        0,
        65_535,
        |s, n| s.port = n as u16,
    ),
    text(
        "log_level",
        "info",
        "what is logged: a level, or TARGET=LEVEL, several with commas",
        values::LEVELS,
        values::log_level,
    ),
    text("log_format", "human", "how the log is written", values::FORMATS, values::log_format),
    list("api_keys", "", "API keys, each as key or name:key", values::KEY_LENGTH, values::keys).secret(),
    path("api_keys_file", "", "file of more API keys, one per line, that only its owner can read", |s, path| {
        path.map_or(Ok(()), |path| api_keys::add_file(&mut s.api_keys, &path))
    }),
    text(
        "api_key_header",
        "X-API-Key",
        "header that an API key may come in, besides Authorization",
        services::HEADER,
        services::api_key_header,
    ),
    flag("allow_anonymous", "false", "whether other machines may run code here without any API key", |s, yes| {
        s.allow_anonymous = yes;
    }),
    seconds("default_timeout", "300", "wall clock of a job that asks for nothing", TICK, WEEK, |s, time| {
        s.defaults.wall_clock_ms = milliseconds(time);
    })
    .shown(|s| (s.defaults.wall_clock_ms as f64 / 1000.0).to_string()),
    number("default_memory_mb", "1024", "memory of a job that asks for nothing, in MiB", 1, TIB_IN_MIB, |s, n| {
        s.defaults.memory_bytes = n * MIB;
    })
    .shown(|s| (s.defaults.memory_bytes / MIB).to_string()),
    number("default_disk_mb", "2048", "disk of a job that asks for nothing, in MiB", 1, TIB_IN_MIB, |s, n| {
        s.defaults.disk_bytes = n * MIB;
    })
    .shown(|s| (s.defaults.disk_bytes / MIB).to_string()),
    number(
        "default_cpu_shares",
        "1024",
        "CPU weight of a job in a container; in WebAssembly all are equal",
        2,
        262_144,
        |s, n| s.containers.docker.cpu_shares = n as u32,
    ),
    seconds("max_timeout", "3600", "most wall clock that a job may ask for", TICK, WEEK, |s, time| {
        s.maxima.wall_clock_ms = milliseconds(time);
    }),
    number(
        "max_memory_mb",
        "4096",
        "most memory that a job may ask for, in MiB; above 4096 it takes a container",
        1,
        TIB_IN_MIB,
        |s, n| {
            s.maxima.memory_bytes = n * MIB;
        },
    ),
    number("max_disk_mb", "20480", "most disk that a job may ask for, in MiB", 1, TIB_IN_MIB, |s, n| {
        s.maxima.disk_bytes = n * MIB;
    }),
    number(
        "default_output_bytes",
        "0",
        "bytes kept of each of stdout and stderr of a job that asks for nothing (0: max_output_bytes if that is set, else \
         10000000)",
        0,
        OUTPUT_BYTES_MAX,
        |s, n| {
            s.defaults.output_bytes = n;
        },
    )
    .shown(|s| s.defaults.output_bytes.to_string()),
    number(
        "max_output_bytes",
        "0",
        "most bytes kept of each of stdout and stderr that a job may ask for (0: 100000000)",
        0,
        OUTPUT_BYTES_MAX,
        |s, n| {
            s.maxima.output_bytes = n;
        },
    )
    .shown(|s| s.maxima.output_bytes.to_string()),
    number("slots", "0", "jobs that run at the same time (0: 2 per core, at least 4)", 0, SLOTS_MAX as u64, |s, n| {
        s.slots = n as u32;
    })
    .shown(|s| s.slots.to_string()),
    number(
        "queue",
        "1000",
        "jobs that may wait for a slot, of each tier; past it the answer is 429; each API key has places of its own",
        0,
        1_000_000,
        |s, n| s.queue = n as usize,
    ),
    number("queue_mb", "256", "most memory of jobs that wait, of each tier, in MiB", 1, TIB_IN_MIB, |s, n| {
        s.queue_bytes = n * MIB;
    }),
    seconds("queue_ttl", "0", "longest that an async execution may wait (0: no limit)", 0.0, WEEK, |s, time| {
        s.queue_ttl = (!time.is_zero()).then_some(time);
    }),
    seconds("cleanup_ttl", "300", "how long a finished execution is kept", TICK, WEEK, |s, time| s.cleanup_ttl = time),
    number("results_max", "10000", "most finished executions kept", 1, 10_000_000, |s, n| s.results_max = n as usize),
    number("results_mb", "256", "most memory for finished executions, in MiB", 1, TIB_IN_MIB, |s, n| {
        s.results_bytes = n * MIB;
    }),
    number("upload_max_mb", "2048", "largest upload, in MiB", 1, TIB_IN_MIB, |s, n| s.upload_max_bytes = n * MIB),
    number(
        "uploads_mb",
        "16384",
        "most disk of all uploads that are received, wait or run, in MiB; of several API keys each may use half",
        1,
        TIB_IN_MIB,
        |s, n| s.uploads_bytes = n * MIB,
    ),
    number("body_max_kb", "24576", "largest JSON body, in KiB", 1, 1 << 20, |s, n| {
        s.body_max_bytes = (n << 10) as usize
    }),
    number(
        "code_max_bytes",
        "102400",
        "most Python source in a JSON body: `code`, or files whose names end in .py together",
        1,
        1 << 30,
        |s, n| s.code_max_bytes = n as usize,
    ),
    number("files_max_kb", "16384", "most content of all files in a JSON body, in KiB", 1, 1 << 20, |s, n| {
        s.files_max_bytes = (n << 10) as usize;
    }),
    number("connections_max", "1024", "connections at the same time", 1, 1_000_000, |s, n| {
        s.connections_max = n as usize;
    }),
    number(
        "connections_share",
        "0",
        "most connections of one client address (IPv6: of its /64) once there are `connections_max` (0: half of them)",
        0,
        1_000_000,
        |s, n| s.connections_share = (n > 0).then_some(n as usize),
    ),
    seconds("header_timeout", "10", "longest that the head of a request may take", TICK, DAY, |s, time| {
        s.header_timeout = time;
    }),
    seconds("body_timeout", "30", "longest that a body may pause", TICK, DAY, |s, time| s.body_timeout = time),
    seconds("idle_timeout", "75", "longest that a connection may be idle", TICK, DAY, |s, time| s.idle_timeout = time),
    number("rate_limit", "0", "requests per minute for each API key (0: no limit)", 0, 1_000_000, |s, n| {
        s.rate_limit = (n > 0).then_some(n as u32);
    }),
    list(
        "allowed_hosts",
        "",
        "names that this server is called by, besides localhost and that of its machine; asked of requests when there are \
         no API keys",
        values::HOSTS,
        values::allowed_hosts,
    ),
    list("cors_origins", "", "web pages of which origins may call the API", values::ORIGINS, values::cors_origins),
    seconds(
        "shutdown_grace",
        "30",
        "how long running jobs have left when the server is to stop",
        0.0,
        DAY,
        |s, time| {
            s.shutdown_grace = time;
        },
    ),
    path("data_dir", "", "folder for workspaces, sessions and uploads, made if need be; empty: pyexec in the user's data folder", |s, path| {
        s.data_dir = path.unwrap_or_default();
        Ok(())
    })
    .shown(|s| s.data_dir.display().to_string()),
    seconds(
        "workspace_ttl",
        "86400",
        "how long a workspace is kept after its last use",
        TICK,
        YEAR,
        |s, time| s.workspaces.time_to_live = time,
    ),
    number("workspace_mb", "1024", "most bytes of the files of a workspace, in MiB", 1, TIB_IN_MIB, |s, n| {
        s.workspaces.bytes_max = n * MIB;
    }),
    number("workspace_files", "10000", "most files of a workspace", 1, 50_000, |s, n| s.workspaces.files_max = n),
    number(
        "workspaces_mb",
        "10240",
        "most bytes of all workspaces of one API key, in MiB",
        1,
        TIB_IN_MIB,
        |s, n| s.workspaces.owner_bytes_max = n * MIB,
    ),
    number("workspaces_max", "1000", "most workspaces of one API key", 1, 1_000_000, |s, n| {
        s.workspaces.owner_workspaces_max = n;
    }),
    path("cache_dir", "", "folder for compiled code; empty: pyexec/images in the user's cache folder", |s, path| {
        s.cache_dir = path;
        Ok(())
    }),
    flag("page_reuse", "true", "whether slots keep their memory from job to job, reset, which is faster", |s, yes| {
        s.page_reuse = yes;
    }),
    flag("allow_network", "true", "whether a job may be given network when it asks", |s, yes| s.allow_network = yes)
        .local(),
    flag(
        "default_network",
        "false",
        "whether a job that does not say may use the network; true is what the original service did",
        |s, yes| s.default_network = yes,
    ),
    text(
        "service",
        "auto",
        "whose clients /execute is for; one of them brings its port, its limits and its names of variables; auto: each \
         request says it",
        services::SERVICES,
        services::service,
    ),
    list(
        "code_policy",
        "os.system,os.popen,os.exec*,os.spawn*,os.posix_spawn*,os.fork*,subprocess,pty",
        "names that code for the code executor may not have; code that hides them gets past, so this keeps nobody in",
        services::RULES,
        services::code_policy,
    ),
    list(
        "code_modules",
        "numpy,pandas,matplotlib,scipy,sklearn",
        "modules beyond the standard library that code for the code executor may import",
        services::CODE_MODULES,
        services::code_modules,
    ),
    text(
        "fallback",
        "auto",
        "whether jobs that WebAssembly cannot run go to containers; auto: when Docker can be used",
        containers::MODES,
        containers::fallback,
    )
    .local(),
    text(
        "docker_socket",
        "/var/run/docker.sock",
        "where Docker listens; who may use it is root on its machine",
        containers::SOCKETS,
        containers::socket,
    )
    .local(),
    text(
        "instance",
        "",
        "names this server's containers, which it removes when it starts again; empty: from host name and port, or at random \
         for port 0",
        containers::NAMES,
        containers::instance,
    ),
    text(
        "default_image",
        "python:3.14-slim",
        "image of jobs that ask for no version of Python",
        "the name of an image",
        containers::default_image,
    )
    .local(),
    text(
        "version_image",
        "python:{version}-slim",
        "image of jobs that ask for a version of Python, which takes the place of {version}",
        "the name of an image",
        containers::version_image,
    )
    .local(),
    text(
        "image_pull",
        "missing",
        "whether an image that is not there is fetched",
        containers::PULLS,
        containers::image_pull,
    )
    .local(),
    list(
        "allowed_images",
        "python:*",
        "images that a job may ask for by name",
        containers::IMAGES,
        containers::allowed_images,
    )
    .local(),
    number("docker_slots", "0", "jobs in containers at the same time (0: 2 per core, at least 4)", 0, 1024, |s, n| {
        s.containers.docker.slots = n as u32;
    })
    .shown(|s| s.containers.docker.slots.to_string()),
    number("pids_max", "128", "processes and threads of a job in a container", 8, 1024, |s, n| {
        s.containers.docker.pids_max = n as u32;
    })
    .local(),
    text(
        "network_mode",
        "bridge",
        "network of jobs that may use one; bridge: a network of their own, without a way to this machine",
        containers::NETWORKS,
        containers::network_mode,
    )
    .local(),
    list(
        "private_networks",
        "",
        "private networks that jobs on the bridge may reach; 0.0.0.0/0: all, but never this machine",
        containers::SUBNETS,
        containers::private_networks,
    )
    .local(),
    list("dns_servers", "", "name servers of jobs with a network", containers::ADDRESSES, containers::dns).local(),
    number("pool", "2", "containers kept ready for each image in use (0: none)", 0, 64, |s, n| {
        s.containers.docker.pool = n as u32;
    }),
    number("pool_max", "8", "containers kept ready in all", 0, 1024, |s, n| s.containers.docker.pool_max = n as u32),
    number("pool_memory_mb", "2048", "memory of the containers kept ready, in MiB", 0, TIB_IN_MIB, |s, n| {
        s.containers.docker.pool_memory_bytes = n * MIB;
    }),
    seconds("pool_idle", "600", "how long containers of an image that nobody uses are kept", TICK, WEEK, |s, time| {
        s.containers.docker.pool_idle = time;
    }),
    seconds("session_idle", "60", "after how long without a call a session in a container is paused", TICK, WEEK, |s, time| {
        s.containers.docker.session_idle = time;
    }),
    list(
        "preload",
        "numpy,pandas",
        "modules that containers kept ready have imported, where they are installed",
        containers::MODULES,
        containers::preload,
    ),
    flag(
        "allow_unenforced_limits",
        "false",
        "whether a Docker will do that does not hold limits, as without root on cgroup v1",
        |s, yes| s.containers.docker.allow_unenforced_limits = yes,
    )
    .local(),
    flag("auto_detect_imports", "true", "whether packages that code imports are installed", |s, yes| {
        s.containers.detect_packages = yes;
    })
    .local(),
    flag(
        "allow_requirement_urls",
        "false",
        "whether requirements may have URLs, links to repositories and other indexes; pip follows them in a build container",
        |s, yes| s.containers.environments.allow_urls = yes,
    )
    .local(),
    path("uv", "", "the uv program, which installs packages; empty: from the PATH", |s, path| {
        s.containers.environments.uv = path;
        Ok(())
    })
    .local(),
    text("index_url", "", "package index to install from; empty: the usual one", "a URL", containers::index_url)
        .local(),
    path(
        "constraints",
        "",
        "file like a requirements.txt: versions that packages must have if they are installed",
        |s, path| containers::constraints(s, path.as_deref()),
    )
    .local(),
    flag("offline", "false", "whether packages come from what is installed or prepared only", |s, yes| {
        s.containers.environments.offline = yes;
    })
    .local(),
    list("allow_packages", "", "packages that may be installed; empty: all", containers::PACKAGES, |s, entries| {
        let packages = containers::packages(entries)?;
        s.containers.environments.allow = (!packages.is_empty()).then_some(packages);
        Ok(())
    })
    .local(),
    list("deny_packages", "", "packages that are never installed", containers::PACKAGES, |s, entries| {
        s.containers.environments.deny = containers::packages(entries)?;
        Ok(())
    })
    .local(),
    path(
        "environments_dir",
        "",
        "folder for installed packages; empty: pyexec/environments in the user's cache folder",
        |s, path| {
            s.containers.environments.folder = path;
            Ok(())
        },
    )
    .local(),
    path("prepared_environments", "", "folder of environments that are installed already", |s, path| {
        s.containers.environments.prepared = path.into_iter().collect();
        Ok(())
    })
    .local(),
    flag("bake_packages", "true", "whether packages that jobs use are imported once, for later jobs", |s, yes| {
        s.containers.bake = yes;
    })
    .local(),
    path("baked_dir", "", "folder for packages that are imported; empty: that of compiled code", |s, path| {
        s.containers.baked_folder = path;
        Ok(())
    })
    .local(),
    number("baked_mb", "8192", "most disk for packages that are imported, in MiB", 1, TIB_IN_MIB, |s, n| {
        s.containers.baked_bytes_max = n * MIB;
    })
    .local(),
    number("environments_mb", "10240", "most disk for installed packages, in MiB", 1, TIB_IN_MIB, |s, n| {
        s.containers.environments.bytes_max = n * MIB;
    })
    .local(),
    seconds("install_timeout", "300", "longest that installing packages may take", TICK, DAY, |s, time| {
        s.containers.environments.install_timeout = time;
    })
    .local(),
    seconds("build_timeout", "600", "longest that preparing a container image may take", TICK, DAY, |s, time| {
        s.containers.docker.build_timeout = time;
    })
    .local(),
    number(
        "build_disk_mb",
        "10240",
        "most disk that preparing a container image may take, in MiB",
        1,
        TIB_IN_MIB,
        |s, n| {
            s.containers.docker.build_disk_bytes = n * MIB;
        },
    )
    .local(),
    number("layers_mb", "20480", "most disk for prepared container images, in MiB", 1, TIB_IN_MIB, |s, n| {
        s.containers.docker.layers_max_bytes = n * MIB;
    })
    .local(),
];

/// Settings of other versions: accepted, so that an old environment still starts, and warned about.
pub(super) const WITHOUT_EFFECT: &[&str] = &["consul_addr", "consul_token", "consul_prefix"];

/// Most slots: each reserves several GiB of address space.
pub(super) const SLOTS_MAX: u32 = 1024;

const OUTPUT_BYTES_MAX: u64 = 1_000_000_000;
const MIB: u64 = 1 << 20;
const TIB_IN_MIB: u64 = 1 << 20;
const TICK: f64 = 0.001;
const DAY: f64 = 86_400.0;
const WEEK: f64 = 7.0 * DAY;
const YEAR: f64 = 366.0 * DAY;
