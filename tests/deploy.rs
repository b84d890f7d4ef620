//! What `deploy/` and `fallback/Dockerfile` make: images are built of them, and the compose files started, for real.

mod images;
mod stack;

use crate::{
    server::support::Form,
    support::{docker::docker, repository},
};
use images::{Image, containers_with};
use serde_json::{Value, json};
use stack::{API_KEY, Stack, compose};
use std::{
    thread::sleep,
    time::{Duration, Instant},
};

const COMPOSE_FILES: [&str; 3] = ["compose.yaml", "compose.fallback.yaml", "compose.proxy.yaml"];

const THREAD: &str = "import threading\nt = threading.Thread(target=print, args=('thread',)); t.start(); t.join()";

/// Whether the tests were told to do without Docker.
fn left_out() -> bool {
    std::env::var_os("PYEXEC_TEST_NO_DOCKER").is_some_and(|value| value == "1")
}

/// Prints this much, in this tier.
#[track_caller]
fn prints(result: &Value, tier: &str, stdout: &str) {
    let found = (result["executor"].as_str(), result["stdout"].as_str(), result["exit_code"].as_i64());
    assert_eq!(found, (Some(tier), Some(stdout), Some(0)), "{result:#}");
}

/// What holds for the service's container with each of the compose files.
fn is_shut(stack: &Stack) {
    let found = stack.inspect();
    let host = &found["HostConfig"];
    assert_eq!(found["Config"]["User"], "10001:10001");
    assert_eq!((&host["ReadonlyRootfs"], &host["Privileged"]), (&json!(true), &json!(false)));
    assert_eq!(host["CapDrop"], json!(["ALL"]));
    assert!(host["CapAdd"].as_array().is_none_or(Vec::is_empty), "{host:#}");
    assert_eq!(host["SecurityOpt"], json!(["no-new-privileges:true"]));
    assert!(host["Memory"].as_i64() > Some(0) && host["MemorySwap"] == host["Memory"], "{host:#}");
    assert!(host["PidsLimit"].as_i64() > Some(0), "{host:#}");
    for published in host["PortBindings"]["8080/tcp"].as_array().expect("published") {
        assert_eq!(published["HostIp"], "127.0.0.1");
    }
    let inside =
        "id -u; grep -E '^(CapEff|CapBnd|NoNewPrivs):' /proc/1/status | cut -f2; touch /x 2>&1 | grep -o Read-only";
    assert_eq!(stack.inside(&["sh", "-c", inside]), "10001\n0000000000000000\n0000000000000000\n1\nRead-only");
    // Nobody but the service itself reads its cache; and it was made with the image.
    assert_eq!(stack.inside(&["stat", "-c", "%a %U", "/opt/pyexec/images"]), "700 pyexec");
    assert!(!stack.log().contains("snapshot"), "{}", stack.log());
    let (status, refused) = stack.post("/api/v1/eval", "application/json", "wrong", br#"{"code":"1"}"#);
    assert_eq!(status, 401, "{refused}");
}

#[test]
fn the_service_runs_without_a_docker_socket() {
    if left_out() {
        return;
    }
    let image = Image::service();
    let stack = Stack::up("compose.yaml", &image, &[]);
    is_shut(&stack);
    prints(&stack.eval("print(6 * 7)".into()), "wasm", "42\n");
    let mounts = stack.inspect()["Mounts"].take();
    assert!(mounts.as_array().is_some_and(|mounts| mounts.iter().all(|mount| mount["Type"] == "volume")), "{mounts:#}");
    assert_eq!(stack.inside(&["sh", "-c", "find / -xdev -name docker.sock 2>/dev/null; true"]), "");
    // What WebAssembly cannot run says so, and how that can be changed.
    let request = json!({"code": THREAD}).to_string();
    let (status, refused) = stack.post("/api/v1/eval", "application/json", API_KEY, request.as_bytes());
    assert!(status == 200 && refused["status"] == "failed", "{refused}");
    assert!(refused["stderr"].as_str().is_some_and(|text| text.contains("PYEXEC_FALLBACK")), "{refused}");
    stack.down();
}

#[test]
fn the_service_runs_jobs_in_containers() {
    if left_out() {
        return;
    }
    let image = Image::service();
    let jobs = Image::for_jobs("jobs", &["--build-arg", "APT=jq", "--build-arg", "REQUIREMENTS=tabulate"]);
    let allowed = format!("python:*,{}", jobs.name);
    let stack = Stack::up("compose.fallback.yaml", &image, &[("PYEXEC_ALLOWED_IMAGES", &allowed)]);
    is_shut(&stack);
    jobs_of_all_kinds_run(&stack);

    let own = "import os, subprocess, tabulate\n\
        print(os.getuid() > 0, tabulate.tabulate([[1]], tablefmt='plain'), subprocess.run(['jq', '-n', '1+1'], capture_output=True).stdout)";
    prints(&stack.eval(json!({"code": own, "docker_image": jobs.name})), "docker", "True 1 b'2\\n'\n");
    let stranger = json!({"code": "print(1)", "docker_image": image.name}).to_string();
    let (status, refused) = stack.post("/api/v1/eval", "application/json", API_KEY, stranger.as_bytes());
    assert!(status == 200 && refused["status"] == "failed", "{refused}");
    assert!(refused["stderr"].as_str().is_some_and(|text| text.contains("PYEXEC_ALLOWED_IMAGES")), "{refused}");

    a_service_that_was_killed_is_cleaned_up_after(&stack);
    stack.down();
}

#[test]
fn the_calls_that_the_proxy_allows_are_enough() {
    if left_out() {
        return;
    }
    let image = Image::service();
    let context = repository("tests/deploy/proxy");
    let proxy = Image::build("proxy", &[context.to_str().expect("UTF-8")], "");
    let stack = Stack::up("compose.proxy.yaml", &image, &[("DOCKER_PROXY_IMAGE", &proxy.name)]);
    is_shut(&stack);
    assert_eq!(stack.inside(&["sh", "-c", "find / -xdev -name docker.sock 2>/dev/null; true"]), "");
    jobs_of_all_kinds_run(&stack);
    a_service_that_was_killed_is_cleaned_up_after(&stack);
    let log = stack.log();
    assert!(log.contains("allowed POST") && !log.contains("refused"), "{log}");
    stack.down();
}

/// A pure job, one that needs threads, one with a native package, one with a command before it, one of another Python.
fn jobs_of_all_kinds_run(stack: &Stack) {
    prints(&stack.eval("print(6 * 7)".into()), "wasm", "42\n");
    prints(&stack.eval(THREAD.into()), "docker", "thread\n");
    prints(&stack.eval("import numpy\nprint(numpy.arange(4).sum())".into()), "docker", "6\n");
    let old = json!({"code": "import sys\nprint(sys.version_info[:2])", "python_version": "3.11"});
    prints(&stack.eval(old), "docker", "(3, 11)\n");

    let script =
        "import subprocess\nprint(subprocess.run(['hello', '-g', 'hi'], capture_output=True, text=True).stdout)";
    let metadata = json!({
        "entrypoint": "main.py",
        "pre_commands": ["apt-get update -qq && apt-get install -y -qq --no-install-recommends hello"],
    });
    let form = Form::new().tar(&[("main.py", script)]).field("metadata", "", metadata.to_string().as_bytes());
    let (status, result) = stack.post("/api/v1/exec/sync", &Form::content_type(), API_KEY, &form.end());
    assert_eq!(status, 200, "{result}");
    prints(&result, "docker", "hi\n\n");

    let (escape, reached) = ("import os\nprint(os.path.exists('/var/run/docker.sock'))", "False\n");
    prints(&stack.eval(json!({"code": escape, "executor": "docker"})), "docker", reached);
}

/// `kill -9` of the service, in the middle of a job.
fn a_service_that_was_killed_is_cleaned_up_after(stack: &Stack) {
    let form = Form::new().tar(&[("main.py", "import time\ntime.sleep(300)")]);
    let form = form.field("metadata", "", br#"{"entrypoint": "main.py", "executor": "docker"}"#);
    let (status, accepted) = stack.post("/api/v1/exec/async", &Form::content_type(), API_KEY, &form.end());
    assert_eq!(status, 202, "{accepted}");
    let began = Instant::now();
    let patient = |since: Instant| assert!(since.elapsed() < Duration::from_secs(30), "{}", stack.log());
    while !running(stack, &accepted) {
        patient(began);
        sleep(Duration::from_millis(100));
    }
    let before = containers_with(&stack.instance());
    assert_ne!(before, [""; 0], "the job has a container");
    docker(&["kill", "--signal", "KILL", &stack.service()]);
    // A new container, not the old one.
    stack.start(&["--force-recreate"]);
    let began = Instant::now();
    while containers_with(&stack.instance()).iter().any(|id| before.contains(id)) {
        patient(began);
        sleep(Duration::from_millis(100));
    }
    prints(&stack.eval(THREAD.into()), "docker", "thread\n");
}

fn running(stack: &Stack, accepted: &Value) -> bool {
    let id = accepted["execution_id"].as_str().expect("an id");
    stack.get(&format!("/api/v1/executions/{id}"))["status"] == "running"
}

#[test]
fn prepared_packages_need_no_index() {
    if left_out() {
        return;
    }
    let image = Image::service_with("data", &["--build-arg", "ENVIRONMENTS=data"]);
    let mut stack = Stack::up("compose.fallback.yaml", &image, &[("PYEXEC_OFFLINE", "true")]);
    stack.cut_off();
    prints(&stack.eval("import numpy\nprint(numpy.arange(4).sum())".into()), "docker", "6\n");
    let all = "import matplotlib.pyplot as plt, numpy as np, pandas as pd, scipy.optimize, sklearn.linear_model\n\
        table = pd.DataFrame({'x': np.arange(5.0)}); table['y'] = 2 * table.x + 1\n\
        line = sklearn.linear_model.LinearRegression().fit(table[['x']].values, table.y)\n\
        print(round(float(line.coef_[0]), 6), round(scipy.optimize.brentq(lambda x: x * x - 4, 0, 9), 6))\n\
        plt.plot(table.x, table.y)";
    let result = stack.eval(all.into());
    prints(&result, "docker", "2.0 2.0\n");
    assert_eq!(result["outputs"][0]["mime"], "image/png", "{result:#}");
    let missing = stack.eval("import tabulate".into()).to_string();
    assert!(missing.contains("tabulate") && missing.contains("offline"), "{missing}");
    stack.down();
}

#[test]
fn compose_files_without_a_key_are_refused() {
    if left_out() {
        return;
    }
    let variable = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let (key, group) = (variable("PYEXEC_API_KEYS", "test:0123456789abcdef"), variable("DOCKER_GID", "1"));
    let config = |file: &str, variables: &[(String, String)]| {
        let output = compose(file, variables).arg("config").output().expect("compose runs");
        (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    for file in COMPOSE_FILES {
        let (accepted, said) = config(file, &[key.clone(), group.clone()]);
        assert!(accepted, "{file}: {said}");
        for empty in [None, Some(variable("PYEXEC_API_KEYS", ""))] {
            let (accepted, said) =
                config(file, &[Some(group.clone()), empty].into_iter().flatten().collect::<Vec<_>>());
            assert!(!accepted && said.contains("openssl rand -hex 24"), "{file}: {said}");
        }
        let (accepted, said) = config(file, std::slice::from_ref(&key));
        let asks = file != "compose.yaml";
        assert!(accepted != asks && (!asks || said.contains("stat -c %g")), "{file}: {said}");
    }
}
