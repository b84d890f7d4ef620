use super::*;
use crate::ErrorKind;
use std::{fs, os::unix::fs::PermissionsExt};

const KEY: &str = "0123456789abcdef";

fn environment(variables: &[(&str, &str)]) -> Sources {
    let pair = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    Sources { environment: variables.iter().map(pair).collect(), ..Sources::default() }
}

fn flags(flags: &[(&str, &str)]) -> Sources {
    let pair = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    Sources { flags: flags.iter().map(pair).collect(), ..Sources::default() }
}

/// Loads a file; the folder lives as long as the test needs it to.
fn file(text: &str) -> (tempfile::TempDir, Sources) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("settings.toml");
    fs::write(&path, text).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    (folder, Sources { file: Some(path), ..Sources::default() })
}

fn settings(sources: &Sources) -> Settings {
    Settings::load(sources).unwrap().settings
}

fn problems(sources: &Sources) -> Vec<String> {
    match Settings::load(sources) {
        Err(error) if error.kind() == ErrorKind::InvalidSettings => error.problems().to_vec(),
        other => panic!("{other:?}"),
    }
}

/// Asserts that there is one problem, and that it has all these parts.
fn refused(sources: &Sources, parts: &[&str]) {
    let problems = problems(sources);
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert!(parts.iter().all(|part| problems[0].contains(part)), "{problems:?} lacks some of {parts:?}");
}

#[test]
fn without_sources_there_are_the_documented_defaults() {
    let loaded = Settings::load(&Sources::default()).unwrap();
    assert!(loaded.warnings.is_empty());
    assert!(loaded.values.iter().all(|value| value.source == Source::Default));
    assert_eq!(loaded.values.len(), KEYS.len());
    let settings = loaded.settings;
    assert_eq!(settings.host, Ipv4Addr::LOCALHOST);
    assert_eq!(settings.port, 8080);
    assert_eq!(settings.log_level, "info");
    assert_eq!(settings.defaults, Limits::default());
    assert_eq!(settings.maxima, Limits::MAXIMA);
    assert!(settings.slots >= 4);
    assert_eq!((settings.queue, settings.queue_bytes, settings.queue_ttl), (1000, 256 << 20, None));
    assert_eq!((settings.code_max_bytes, settings.files_max_bytes), (102_400, 16 << 20));
    assert_eq!(settings.results_bytes, 256 << 20);
    assert_eq!(settings.upload_max_bytes, 2 << 30);
    assert_eq!(settings.body_max_bytes, 24 << 20);
    assert_eq!(settings.idle_timeout, Duration::from_secs(75));
    assert_eq!(settings.rate_limit, None);
    assert_eq!(Some(settings.data_dir), super::data_folder());
    assert!(settings.page_reuse && settings.allow_network && !settings.allow_anonymous);
}

#[test]
fn each_source_overrides_the_one_before() {
    let (_folder, mut sources) = file("port = 1\nslots = 1\nqueue = 1");
    sources.environment = environment(&[("PYEXEC_SLOTS", "2"), ("PYEXEC_QUEUE", "2")]).environment;
    sources.flags = flags(&[("queue", "3")]).flags;
    let loaded = Settings::load(&sources).unwrap();
    assert_eq!((loaded.settings.port, loaded.settings.slots, loaded.settings.queue), (1, 2, 3));
    let source = |name| loaded.values.iter().find(|value| value.key.name == name).map(|value| value.source);
    assert_eq!(
        ["host", "port", "slots", "queue"].map(source),
        [Source::Default, Source::File, Source::Environment, Source::Flag].map(Some)
    );
}

#[test]
fn the_environment_can_name_the_file_and_a_flag_goes_before_it() {
    let (folder, mut sources) = file("port = 1");
    let other = folder.path().join("other.toml");
    fs::write(&other, "port = 2").unwrap();
    sources.environment = environment(&[("PYEXEC_CONFIG", other.to_str().unwrap())]).environment;
    assert_eq!(settings(&sources).port, 1);
    sources.file = None;
    assert_eq!(settings(&sources).port, 2);
    refused(&environment(&[("PYEXEC_CONFIG", "/nowhere.toml")]), &["/nowhere.toml", "cannot read it"]);
}

#[test]
fn port_counts_only_without_our_own_variable() {
    assert_eq!(settings(&environment(&[("PORT", "90")])).port, 90);
    assert_eq!(settings(&environment(&[("PYEXEC_PORT", "91"), ("PORT", "90")])).port, 91);
    assert_eq!(settings(&environment(&[("PYEXEC_PORT", "tcp://10.0.0.1:80"), ("PORT", "90")])).port, 90);
    refused(&environment(&[("PORT", "x")]), &["port = \"x\" (variable PORT): allowed: 0 to 65535"]);
}

#[test]
fn unknown_names_are_refused_with_the_nearest_known_one() {
    refused(&environment(&[("PYEXEC_PRT", "1")]), &["PYEXEC_PRT", "nearest is PYEXEC_PORT"]);
    refused(&environment(&[("PYEXEC_SERVERS", "1")]), &["nearest is PYEXEC_SERVER"]);
    refused(&flags(&[("slot", "1")]), &["\"slot\"", "nearest is slots"]);
    let (_folder, sources) = file("max-timeout = 3");
    refused(&sources, &["\"max-timeout\"", "settings.toml", "nearest is max_timeout"]);
}

#[test]
fn what_others_set_is_ignored() {
    let loaded = Settings::load(&environment(&[
        ("PYEXEC_SERVICE_HOST", "10.0.0.1"),
        ("PYEXEC_SERVICE_PORT_HTTP", "80"),
        ("PYEXEC_PORT", "tcp://10.0.0.1:80"),
        ("PYEXEC_PORT_80_TCP_ADDR", "10.0.0.1"),
        ("PYEXEC_API_SERVICE_HOST", "10.0.0.1"),
        ("PYEXEC_API_PORT_80_TCP_PROTO", "tcp"),
        ("PYEXEC_API_PORT", "tcp://10.0.0.1:80"),
        ("PYEXEC_SERVER", "http://localhost:1"),
        ("PYEXEC_API_KEY", "x"),
        ("PYEXEC_BUILD_CACHE", "/x"),
        ("HOME", "/root"),
    ]))
    .unwrap();
    assert_eq!(loaded, Settings::load(&Sources::default()).unwrap());
}

#[test]
fn an_address_of_docker_is_not_taken_for_what_others_set() {
    let socket = "tcp://docker-proxy:2375";
    assert_eq!(settings(&environment(&[("PYEXEC_DOCKER_SOCKET", socket)])).containers.docker.socket, socket);
}

#[test]
fn bad_values_are_named_with_their_source_and_what_is_allowed() {
    for (name, bad, allowed) in [
        ("port", "65536", "0 to 65535"),
        ("port", "-1", "0 to 65535"),
        ("port", "+80", "0 to 65535"),
        ("slots", "-", "0 to 1024"),
        ("max_timeout", "NaN", "0.001 to 604800 seconds"),
        ("max_timeout", "0", "0.001 to 604800 seconds"),
        ("max_timeout", "1e3", "0.001 to 604800 seconds"),
        ("max_memory_mb", "1000000000000000000000", "1 to 1048576"),
        ("page_reuse", "maybe", "true or false"),
        ("allowed_hosts", "http://a.org", "a name or an address"),
        ("allowed_hosts", "a.org:80", "a name or an address"),
        ("host", "example.org", "an IP address, or localhost"),
        ("log_format", "xml", "human or json"),
        ("log_level", "info,", "error, warn, info, debug, trace, off"),
        ("log_level", "debgu", "error, warn, info, debug, trace, off"),
        ("log_level", "info,hyper=loud", "error, warn, info, debug, trace, off"),
        ("cors_origins", "https://a.org/path", "as in https://"),
        ("cors_origins", "https://a.org,", "as in https://"),
        ("cors_origins", "null", "as in https://"),
    ] {
        let value = format!("{name} = {bad:?}");
        refused(&flags(&[(name, bad)]), &[&value, "flag --", allowed]);
        let variable = keys::variable(name);
        refused(&environment(&[(&variable, bad)]), &[&value, &format!("(variable {variable})"), allowed]);
    }
    refused(&environment(&[("PYEXEC_DATA_DIR", "/\u{FFFD}")]), &["data_dir", "not valid UTF-8"]);
}

#[test]
fn values_of_every_kind_are_read() {
    let settings = settings(&flags(&[
        ("host", "::1"),
        ("header_timeout", "0.25"),
        ("shutdown_grace", "0"),
        ("log_level", "warn,pyexec=debug"),
        ("log_format", "json"),
        ("cors_origins", "https://A.org:8443, http://[::1]"),
        ("rate_limit", "60"),
        ("cache_dir", "/cache"),
        ("page_reuse", "false"),
    ]));
    assert!(settings.host.is_ipv6() && settings.host.is_loopback());
    assert_eq!(settings.header_timeout, Duration::from_millis(250));
    assert_eq!(settings.shutdown_grace, Duration::ZERO);
    assert_eq!(settings.log_level, "warn,pyexec=debug");
    assert_eq!(settings.log_format, LogFormat::Json);
    assert_eq!(settings.cors_origins, ["https://a.org:8443", "http://[::1]"]);
    assert_eq!(settings.rate_limit, Some(60));
    assert_eq!(settings.cache_dir, Some("/cache".into()));
    assert!(!settings.page_reuse);
}

#[test]
fn truth_is_written_in_many_ways() {
    for (text, yes) in [
        ("true", true),
        ("TRUE", true),
        ("True", true),
        ("t", true),
        ("T", true),
        ("1", true),
        ("yes", true),
        ("Yes", true),
        ("on", true),
        ("false", false),
        ("False", false),
        ("f", false),
        ("F", false),
        ("0", false),
        ("no", false),
        ("NO", false),
        ("off", false),
    ] {
        let settings = settings(&environment(&[("PYEXEC_AUTO_DETECT_IMPORTS", text)]));
        assert_eq!(settings.containers.detect_packages, yes, "{text}");
        let fallback = settings_of_fallback(text);
        assert_eq!(fallback, if yes { FallbackMode::On } else { FallbackMode::Off }, "{text}");
    }
    let loaded = Settings::load(&environment(&[("PYEXEC_PAGE_REUSE", "off")])).unwrap();
    assert_eq!(loaded.values.iter().find(|value| value.key.name == "page_reuse").unwrap().json(), false);
}

fn settings_of_fallback(text: &str) -> FallbackMode {
    settings(&environment(&[("PYEXEC_FALLBACK", text)])).containers.fallback
}

/// Of the compose file and the Nomad job of the first service, and of the README of its client.
#[test]
fn documented_environments_of_the_first_service_start_with_a_line_for_keys() {
    let compose = [
        ("PYEXEC_PORT", "8080"),
        ("PYEXEC_HOST", "0.0.0.0"),
        ("PYEXEC_LOG_LEVEL", "info"),
        ("PYEXEC_DOCKER_SOCKET", "/var/run/docker.sock"),
        ("PYEXEC_DEFAULT_TIMEOUT", "300"),
        ("PYEXEC_DEFAULT_MEMORY_MB", "1024"),
        ("PYEXEC_DEFAULT_DISK_MB", "2048"),
        ("PYEXEC_DEFAULT_CPU_SHARES", "1024"),
        ("PYEXEC_DEFAULT_IMAGE", "python:3.12-slim"),
    ];
    let consul = [
        ("PYEXEC_CONSUL_ADDR", "10.0.0.1:8500"),
        ("PYEXEC_CONSUL_TOKEN", ""),
        ("PYEXEC_CONSUL_PREFIX", "python-executor"),
    ];
    let others = [
        ("PYEXEC_SERVER", "http://localhost:8080"),
        ("PYEXEC_NETWORK_MODE", "host"),
        ("PYEXEC_DNS_SERVERS", "8.8.8.8, 8.8.4.4,"),
        ("PYEXEC_AUTO_DETECT_IMPORTS", "yes"),
        ("PYEXEC_CLEANUP_TTL", "300"),
        ("PYEXEC_LOG_LEVEL", "warning"),
        ("PYEXEC_DEFAULT_TIMEOUT", ""),
        ("PYEXEC_PORT", ""),
    ];
    for more in [&[][..], &consul, &others] {
        let all = [&compose[..], more].concat();
        refused(&environment(&all), &["PYEXEC_API_KEYS"]);
        let loaded = Settings::load(&environment(&[&all[..], &[("PYEXEC_API_KEYS", KEY)]].concat())).unwrap();
        assert_eq!((loaded.settings.port, loaded.settings.defaults.wall_clock_ms), (8080, 300_000));
        assert_eq!(loaded.settings.containers.docker.default_image, "python:3.12-slim");
    }
    let others = settings(&environment(&others));
    assert_eq!(others.containers.docker.dns, ["8.8.8.8", "8.8.4.4"]);
    assert_eq!(others.log_level, "warn");
    let loaded = Settings::load(&environment(&[("PYEXEC_NETWORK_MODE", "host")])).unwrap();
    assert!(loaded.warnings[0].contains("network_mode=host"), "{:?}", loaded.warnings);
}

#[test]
fn private_networks_are_out_of_reach_unless_they_are_named() {
    assert!(settings(&Sources::default()).containers.docker.private_networks.is_empty());
    let named = settings(&environment(&[("PYEXEC_PRIVATE_NETWORKS", "10.0.0.0/8, 192.168.1.7")]));
    let networks: Vec<_> = named.containers.docker.private_networks.iter().map(ToString::to_string).collect();
    assert_eq!(networks, ["10.0.0.0/8", "192.168.1.7/32"]);
    refused(&environment(&[("PYEXEC_PRIVATE_NETWORKS", "10.0.0.1/8")]), &["private_networks", "\"10.0.0.1/8\""]);
}

#[test]
fn what_silence_about_the_network_means_is_a_setting() {
    assert!(!settings(&Sources::default()).default_network);
    assert!(settings(&environment(&[("PYEXEC_DEFAULT_NETWORK", "on")])).default_network);
    refused(&environment(&[("PYEXEC_DEFAULT_NETWORK", "on"), ("PYEXEC_ALLOW_NETWORK", "off")]), &["default_network"]);
}

#[test]
fn the_default_of_output_follows_its_maximum() {
    let of = |variables: &[(&str, &str)]| {
        let settings = settings(&environment(variables));
        (settings.defaults.output_bytes, settings.maxima.output_bytes)
    };
    const DEFAULT: &str = "PYEXEC_DEFAULT_OUTPUT_BYTES";
    const MAX: &str = "PYEXEC_MAX_OUTPUT_BYTES";
    assert_eq!(of(&[]), (10_000_000, 100_000_000));
    assert_eq!(of(&[(MAX, "20000000")]), (20_000_000, 20_000_000));
    assert_eq!(of(&[(MAX, "4096")]), (4096, 4096));
    assert_eq!(of(&[(DEFAULT, "200000000")]), (200_000_000, 200_000_000));
    assert_eq!(of(&[(DEFAULT, "5"), (MAX, "7")]), (5, 7));
    refused(&environment(&[(DEFAULT, "8"), (MAX, "7")]), &["must not be above max_output_bytes"]);
}

#[test]
fn all_problems_are_reported_together() {
    let (_folder, mut sources) = file("prot = 1\nslots = \"many\"");
    sources.environment = environment(&[("PYEXEC_QUEUE", "x"), ("PYEXEC_NONSENSE", "1")]).environment;
    sources.flags = flags(&[("port", "x"), ("host", "0.0.0.0"), ("api_keys", "short")]).flags;
    assert_eq!(problems(&sources).len(), 6, "{:?}", problems(&sources));
}

#[test]
fn types_in_a_file_are_those_of_the_settings() {
    let (_folder, sources) = file(&format!(
        "port = 1\nidle_timeout = 1.5\npage_reuse = false\nhost = \"::1\"\napi_keys = [\"a:{KEY}\"]\ncors_origins = []"
    ));
    let settings = settings(&sources);
    assert_eq!(settings.idle_timeout, Duration::from_millis(1500));
    assert_eq!(settings.api_keys[0].name, "a");
    for (line, expected) in [
        ("port = \"1\"", "port (file"),
        ("port = \"1\"", "is a string, but must be a whole number"),
        ("port = 1.5", "is a float, but must be a whole number"),
        ("page_reuse = 1", "must be true or false"),
        ("host = 1", "must be a string, in quotes"),
        ("cors_origins = \"*\"", "must be a list of strings"),
        ("cors_origins = [1]", "must be a list of strings"),
        ("cors_origins = [\"http://a,http://b\"]", "must not contain a comma"),
        ("[port]", "is a table, but must be"),
    ] {
        let (_folder, sources) = file(line);
        refused(&sources, &[expected]);
    }
}

#[test]
fn a_broken_file_is_reported_by_line_without_showing_it() {
    let (_folder, sources) = file(&format!("port = 1\napi_keys = [\"{KEY}]"));
    refused(&sources, &["settings.toml, line 2: "]);
    assert!(!problems(&sources)[0].contains(KEY));
}

#[test]
fn a_secret_is_never_shown() {
    let sources = environment(&[("PYEXEC_API_KEYS", &format!("alice:{KEY},fedcba9876543210"))]);
    let loaded = Settings::load(&sources).unwrap();
    assert_eq!(loaded.settings.api_keys.len(), 2);
    let shown = format!("{loaded:?}");
    assert!(shown.contains("(2 keys)") && !shown.contains(KEY) && !shown.contains("fedcba"), "{shown}");
    let sources = environment(&[("PYEXEC_API_KEYS", "alice:secret")]);
    refused(&sources, &["api_keys (variable PYEXEC_API_KEYS): key 1", "at least 16"]);
    assert!(!problems(&sources)[0].contains("secret"));
    refused(&environment(&[("PYEXEC_API_KEYS", "")]), &["is empty"]);
    refused(&environment(&[("PYEXEC_API_KEYS", &format!("{KEY},"))]), &["key 2"]);
}

#[test]
fn a_public_address_needs_a_key_or_permission() {
    for host in ["0.0.0.0", "::", "192.0.2.1", "::ffff:192.0.2.1"] {
        let host = ("PYEXEC_HOST", host);
        refused(&environment(&[host]), &["PYEXEC_API_KEYS", "PYEXEC_ALLOW_ANONYMOUS=true"]);
        assert_eq!(settings(&environment(&[host, ("PYEXEC_API_KEYS", KEY)])).api_keys.len(), 1);
        assert!(settings(&environment(&[host, ("PYEXEC_ALLOW_ANONYMOUS", "true")])).allow_anonymous);
    }
    for host in ["127.0.0.1", "127.1.2.3", "::1", "::ffff:127.0.0.1", "localhost"] {
        assert!(settings(&environment(&[("PYEXEC_HOST", host)])).api_keys.is_empty());
    }
}

#[test]
fn keys_of_a_file_come_on_top() {
    let keys = tempfile::NamedTempFile::new().unwrap();
    fs::write(keys.path(), "bob:fedcba9876543210").unwrap();
    let path = keys.path().to_str().unwrap();
    let loaded = Settings::load(&environment(&[("PYEXEC_API_KEYS", KEY), ("PYEXEC_API_KEYS_FILE", path)])).unwrap();
    let names: Vec<_> = loaded.settings.api_keys.iter().map(|key| &*key.name).collect();
    assert!(names[0].starts_with("key-") && names[1..] == ["bob"], "{names:?}");
    fs::set_permissions(path, fs::Permissions::from_mode(0o644)).unwrap();
    refused(&environment(&[("PYEXEC_HOST", "::"), ("PYEXEC_API_KEYS_FILE", path)]), &["chmod 600", path]);
}

#[test]
fn a_default_is_lowered_to_its_maximum_and_a_wish_is_refused() {
    let loaded =
        Settings::load(&environment(&[("PYEXEC_MAX_TIMEOUT", "2.5"), ("PYEXEC_MAX_MEMORY_MB", "64")])).unwrap();
    assert_eq!(loaded.settings.defaults.wall_clock_ms, 2500);
    let shown = |name| loaded.values.iter().find(|value| value.key.name == name).map(|value| value.text.as_str());
    assert_eq!((shown("default_timeout"), shown("default_memory_mb")), (Some("2.5"), Some("64")));
    refused(
        &environment(&[("PYEXEC_MAX_TIMEOUT", "2"), ("PYEXEC_DEFAULT_TIMEOUT", "3")]),
        &["default_timeout = \"3\"", "must not be above max_timeout"],
    );
    assert_eq!(settings(&flags(&[("max_output_bytes", "4096")])).defaults.output_bytes, 4096);
}

#[test]
fn what_has_no_effect_is_said() {
    let (_folder, mut sources) = file("consul_token = \"x\"");
    sources.environment = environment(&[
        ("PYEXEC_CONSUL_ADDR", "http://x"),
        ("PYEXEC_API_KEYS", KEY),
        ("PYEXEC_ALLOW_ANONYMOUS", "true"),
    ])
    .environment;
    let warnings = Settings::load(&sources).unwrap().warnings;
    let named = ["consul_token", "PYEXEC_CONSUL_ADDR", "allow_anonymous"];
    assert_eq!(warnings.len(), named.len(), "{warnings:?}");
    for (warning, name) in warnings.iter().zip(named) {
        assert!(warning.starts_with(name) && warning.contains("has no effect"), "{warning}");
    }
}

#[test]
fn keys_in_a_file_that_others_can_read_are_warned_about() {
    let (_folder, sources) = file(&format!("api_keys = [\"{KEY}\"]"));
    assert!(Settings::load(&sources).unwrap().warnings.is_empty());
    fs::set_permissions(sources.file.as_ref().unwrap(), fs::Permissions::from_mode(0o644)).unwrap();
    assert!(Settings::load(&sources).unwrap().warnings[0].contains("chmod 600"));
}

#[test]
fn the_example_has_every_setting_at_its_default() {
    let (_folder, sources) = file(&example());
    assert_eq!(settings(&sources), settings(&Sources::default()));
    let live: String = example().lines().filter_map(|line| line.strip_prefix('#')).fold(String::new(), |text, line| {
        // Prose has a space after its mark.
        if line.starts_with(' ') { text } else { text + line + "\n" }
    });
    let (_folder, sources) = file(&live);
    let loaded = Settings::load(&sources).unwrap();
    assert_eq!(loaded.settings, settings(&Sources::default()));
    assert!(loaded.values.iter().all(|value| value.source == Source::File));
}

#[test]
fn the_readme_has_the_table() {
    let readme = include_str!("../../README.md");
    let (_, rest) = readme.split_once("<!-- settings -->\n").unwrap();
    let (table, _) = rest.split_once("<!-- /settings -->").unwrap();
    assert_eq!(table.trim(), markdown_table().trim());
}

#[test]
fn names_are_unique_and_derived() {
    let mut names: Vec<_> = KEYS.iter().map(|key| key.name).collect();
    names.extend(table::WITHOUT_EFFECT);
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), KEYS.len() + table::WITHOUT_EFFECT.len());
    let key = KEYS.iter().find(|key| key.name == "max_memory_mb").unwrap();
    assert_eq!((key.variable().as_str(), key.flag().as_str()), ("PYEXEC_MAX_MEMORY_MB", "max-memory-mb"));
}

#[test]
fn values_have_their_type_in_json() {
    let loaded = Settings::load(&flags(&[("idle_timeout", "1.5"), ("cors_origins", "*")])).unwrap();
    let json = |name| loaded.values.iter().find(|value| value.key.name == name).unwrap().json();
    assert_eq!(json("port"), 8080);
    assert_eq!(json("idle_timeout"), 1.5);
    assert_eq!(json("page_reuse"), true);
    assert_eq!(json("host"), "127.0.0.1");
    assert_eq!(json("cors_origins"), serde_json::json!(["*"]));
    assert!(json("cache_dir").is_null() && json("api_keys").is_null());
}

#[test]
fn constraints_are_read_from_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("constraints.txt");
    let given = |text: &str| {
        fs::write(&path, text).unwrap();
        environment(&[("PYEXEC_CONSTRAINTS", path.to_str().unwrap())])
    };
    assert_eq!(settings(&given("numpy<3\n")).containers.environments.constraints, "numpy<3\n");
    refused(&given("-r other.txt\n"), &["PYEXEC_CONSTRAINTS", "line 1"]);
    fs::remove_file(&path).unwrap();
    refused(&environment(&[("PYEXEC_CONSTRAINTS", path.to_str().unwrap())]), &["PYEXEC_CONSTRAINTS", "cannot read it"]);
}

#[test]
fn a_job_without_a_server_keeps_nothing_ready_and_ends_nobody() {
    let docker =
        |list: &[(&str, &str)]| Settings::without_server(environment(list).environment).unwrap().containers.docker;
    let usual =
        docker(&[("PYEXEC_INSTANCE", "of-a-server"), ("PYEXEC_PORT", "x"), ("PYEXEC_NO_SUCH", "x"), ("PORT", "x")]);
    assert_eq!((usual.pool, usual.instance), (0, Instance::default()));
    assert_eq!(usual.socket, "/var/run/docker.sock");
    for (list, socket) in [
        (&[("DOCKER_HOST", "unix:///run/docker.sock")][..], "/run/docker.sock"),
        (&[("DOCKER_HOST", "tcp://h:1")], "tcp://h:1"),
        (&[("DOCKER_HOST", "ssh://me@there")], "ssh://me@there"),
        (&[("DOCKER_HOST", "ssh://me@there"), ("PYEXEC_DOCKER_SOCKET", "/x")], "/x"),
    ] {
        assert_eq!(docker(list).socket, socket, "{list:?}");
        assert_eq!(settings(&environment(list)).containers.docker.socket, socket, "{list:?}");
    }
    let values = Settings::load(&environment(&[("DOCKER_HOST", "tcp://h:1")])).unwrap().values;
    let socket = values.iter().find(|value| value.key.name == "docker_socket").unwrap();
    assert_eq!((&*socket.text, socket.source), ("tcp://h:1", Source::Environment));
}

#[test]
fn only_uv_gets_the_password_of_the_package_index() {
    let url = "https://user:secret@index.example/simple";
    let settings = settings(&environment(&[("PYEXEC_INDEX_URL", url)]));
    assert_eq!(settings.containers.environments.index_url.as_deref(), Some(url));
    let env = [("PIP_INDEX_URL".to_owned(), "https://index.example/simple".to_owned())];
    assert_eq!(settings.containers.docker.build_env, env);
}
