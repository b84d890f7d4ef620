//! Which jobs take a container, and what comes back from there.

use super::{Site, THREAD};
use crate::{
    server::support::{Event, Form, could_not_run, until},
    support::docker::{image_with_packages, layers_of},
};
use serde_json::{Value, json};

const VERSION: &str = "import sys\nprint('%d.%d' % sys.version_info[:2])";

fn ran_on(result: &Value, tier: &str, reason: &str) {
    assert_eq!((&result["status"], &result["executor"]), (&json!("completed"), &json!(tier)), "{result}");
    assert!(result["route_reason"].as_str().is_some_and(|found| found.contains(reason)), "{reason:?}: {result}");
}

#[test]
fn code_goes_where_it_can_run() {
    let Some(site) = Site::start(&[]) else { return };
    for (request, tier, reason, printed) in [
        (json!({"code": "print(1)"}), "wasm", "needs nothing beyond WebAssembly", "1\n"),
        (json!({"code": THREAD}), "docker", "starts a thread", "in a thread\n"),
        (json!({"code": "print(2)", "executor": "docker"}), "docker", "the job asks for docker", "2\n"),
        (json!({"code": VERSION, "executor": "wasm"}), "wasm", "the job asks for wasm", "3.14\n"),
        (json!({"code": VERSION, "python_version": "3.14"}), "wasm", "needs nothing", "3.14\n"),
        (json!({"code": VERSION, "python_version": "3.11"}), "docker", "asks for Python 3.11", "3.11\n"),
        (
            json!({"code": VERSION, "docker_image": "python:3.11-slim"}),
            "docker",
            "the image python:3.11-slim",
            "3.11\n",
        ),
    ] {
        let result = site.eval(&request);
        ran_on(&result, tier, reason);
        assert_eq!((&result["stdout"], &result["exit_code"]), (&json!(printed), &json!(0)), "{result}");
    }
    // WebAssembly alone: the miss is the script's to handle.
    let hidden = "import threading\ngetattr(threading, 'Thr' + 'ead')(target=print).start()";
    let result = site.eval(&json!({"code": hidden, "executor": "wasm"}));
    ran_on(&result, "wasm", "asks for wasm");
    assert_eq!((&result["exit_code"], &result["error_type"]), (&json!(1), &json!("RuntimeError")), "{result}");
    assert_eq!(result["capability_misses"][0]["kind"], "thread", "{result}");
}

#[test]
fn containers_find_the_files_of_a_workspace_and_leave_theirs() {
    let Some(site) = Site::start(&[]) else { return };
    let id = site.call("POST", "/api/v1/workspaces", &[], b"").json()["id"].as_str().expect("an id").to_owned();
    let files = format!("/api/v1/workspaces/{id}/files");
    for (path, content) in [("in.csv", "1,2"), ("old.txt", "old"), ("sub/change.txt", "before")] {
        assert_eq!(site.call("PUT", &format!("{files}/{path}"), &[], content.as_bytes()).status, 200);
    }
    let code = "import os\nprint(open('in.csv').read())\nos.remove('old.txt')\n\
                open('sub/change.txt', 'w').write('after')\nopen('new.txt', 'w').write('new')\nos.remove('main.py')";
    let result = site.eval(&json!({"code": code, "workspace": id, "executor": "docker"}));
    ran_on(&result, "docker", "asks for docker");
    assert_eq!(result["stdout"], "1,2\n", "{result}");
    assert_eq!(result["workspace"], json!({"id": id, "written": 2, "deleted": 1}), "{result}");
    assert_eq!(site.get(&format!("{files}/sub/change.txt")).text(), "after");
    // One that is out of time as well, with what it started.
    let code = "import os, subprocess, sys, time\nopen('hung.txt', 'w').write('kept')\nos.remove('new.txt')\n\
                subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\nprint(1, flush=True)\n\
                time.sleep(60)";
    let limits = json!({"timeout_seconds": 3});
    let result = site.eval(&json!({"code": code, "workspace": id, "executor": "docker", "config": limits}));
    assert_eq!((&result["error_kind"], &result["stdout"]), (&json!("time_limit"), &json!("1\n")), "{result}");
    assert_eq!(result["workspace"], json!({"id": id, "written": 1, "deleted": 1}), "{result}");
    let found = site.get(&files).json();
    let found: Vec<_> = found["files"].as_array().expect("files").iter().map(|file| file["path"].clone()).collect();
    assert_eq!(found, ["hung.txt", "in.csv", "sub/change.txt"]);
}

#[test]
fn required_and_imported_packages_are_installed_and_that_is_told() {
    let Some(site) = Site::start(&[]) else { return };
    let code = "import six\nprint(six.__name__)";
    let request = json!({"code": code, "executor": "docker", "stream": true}).to_string();
    let events: Vec<_> = site.follow("POST", "/api/v1/eval", &[], request.as_bytes()).collect();
    let [told, printed] = ["progress", "stdout"].map(|kind| events.iter().position(|event| event.kind == kind));
    let told = told.expect("progress");
    assert!(printed.is_some_and(|printed| told < printed), "{events:?}");
    let result = &events.last().expect("a result").data;
    ran_on(result, "docker", "asks for docker");
    assert_eq!(result["stdout"], "six\n", "{result}");

    // Another list of packages, and so another installation.
    let metadata = json!({"requirements_txt": "six>=1.15\npython-dateutil  # one more\n", "executor": "docker"});
    let id = site.submit_with("import six, dateutil\nprint(six.__name__, dateutil.__name__)", &metadata);
    let progress = until("it tells what it does", || {
        let state = site.get(&format!("/api/v1/executions/{id}")).json();
        assert!(matches!(state["status"].as_str(), Some("pending" | "running")), "{state}");
        state["progress"].as_str().map(str::to_owned)
    });
    assert!(!progress.is_empty());
    let result = site.result_of(&id);
    ran_on(&result, "docker", "asks for docker");
    assert_eq!((&result["stdout"], &result["progress"]), (&json!("six dateutil\n"), &Value::Null), "{result}");

    // Nothing is installed that was turned off.
    let result = site.eval(&json!({"code": "import six", "requirements_txt": "-", "executor": "docker"}));
    assert_eq!((&result["error_type"], &result["exit_code"]), (&json!("ModuleNotFoundError"), &json!(1)), "{result}");
}

#[test]
fn packages_that_an_image_has_are_not_installed_again() {
    let Some(site) = Site::start(&[("PYEXEC_ALLOWED_IMAGES", "pyexec-test-packages:*")]) else { return };
    let image = image_with_packages();
    let job = |code: &str, list: &str| {
        let request = json!({"code": code, "docker_image": image, "requirements_txt": list});
        let result = site.eval(&request);
        assert_eq!((&result["status"], &result["exit_code"]), (&json!("completed"), &json!(0)), "{result}");
        result["stdout"].as_str().expect("text").to_owned()
    };
    let version = job("import numpy\nprint(numpy.__version__)", "");
    assert_eq!(job("import numpy, pandas\nprint(numpy.__version__)", "numpy>1\nPandas"), version);
    assert_eq!(layers_of(&site.instance), Vec::<String>::new(), "nothing was installed");
    // What it does not have still is.
    assert_eq!(job("import numpy, six\nprint(six.__name__)", ""), "six\n");
    assert_eq!(layers_of(&site.instance).len(), 1);
}

#[test]
fn commands_prepare_the_container_and_see_what_the_job_has() {
    let Some(site) = Site::start(&[]) else { return };
    let metadata = json!({
        "pre_commands": ["touch /usr/local/there", "cat data.txt > /usr/local/found; env >> /usr/local/found"],
        "env_vars": ["TOKEN=of-the-job"],
    });
    let code = "import os\nprint(os.path.exists('/usr/local/there'), open('data.txt').read())\n\
                found = open('/usr/local/found').read()\nprint(open('data.txt').read() in found, os.environ['TOKEN'] in found)";
    let files = [("main.py", code), ("data.txt", "the project's")];
    let form = Form::new().tar(&files).field("metadata", "", metadata.to_string().as_bytes());
    let result = site.post_form("/api/v1/exec/sync", &[], &form).json();
    ran_on(&result, "docker", "has pre_commands");
    assert_eq!(result["stdout"], "True the project's\nTrue True\n", "{result}");
    // One that fails is the job's own fault.
    let result = site.eval(&json!({"code": "1", "pre_commands": ["echo because; exit 3"]}));
    assert_eq!((&result["status"], &result["error_kind"]), (&json!("failed"), &json!("invalid")), "{result}");
    let error = result["error"].as_str().expect("an error");
    assert!(error.contains("status 3") && error.contains("because"), "{error}");
    assert_eq!((&result["exit_code"], could_not_run(&result).as_str()), (&json!(3), error));
}

#[test]
fn results_are_as_whole_as_from_webassembly() {
    let Some(site) = Site::start(&[]) else { return };
    let code = "import sys\nprint(input(), sys.argv[1:], file=sys.stderr)\nopen('made.txt', 'w').write('é')\n\
                open('made.bin', 'wb').write(b'\\xff')\nprint('printed')\n{'six': 6 * 7}";
    let request = json!({
        "code": code, "stdin": "typed\n", "script_args": ["a"], "eval_last_expr": true, "collect_files": true,
    });
    let result = site.in_docker(request.clone());
    assert_eq!(
        (&result["status"], &result["exit_code"], &result["stdout"], &result["stderr"], &result["outputs"]),
        (&json!("completed"), &json!(0), &json!("printed"), &json!("typed ['a']\n"), &json!([])),
        "{result}"
    );
    assert_eq!((&result["result"], &result["result_json"]), (&json!("{'six': 42}"), &json!({"six": 42})), "{result}");
    let files = result["files"].as_array().expect("files");
    let found: Vec<_> = files.iter().map(|file| (&file["path"], &file["content"], &file["content_base64"])).collect();
    assert_eq!(
        found,
        [(&json!("made.bin"), &Value::Null, &json!("/w==")), (&json!("made.txt"), &json!("é"), &Value::Null)]
    );
    assert_eq!(site.get(files[0]["url"].as_str().expect("a path")).body, b"\xff");
    for (used, least) in [("peak_memory_bytes", 1 << 20), ("cpu_us", 1000), ("wall_us", 1000), ("disk_bytes", 3)] {
        assert!(result["usage"][used].as_u64().is_some_and(|number| number >= least), "{used}: {result}");
    }
    // The same as from WebAssembly, but for where and how fast.
    let mut wasm = site.eval(&request);
    assert_eq!(wasm["executor"], "wasm", "{wasm}");
    for field in [
        "execution_id",
        "executor",
        "route_reason",
        "duration_ms",
        "duration_us",
        "started_at",
        "finished_at",
        "usage",
        "files",
    ] {
        wasm[field] = result[field].clone();
    }
    assert_eq!(wasm, result);

    let called =
        json!({"code": "def f(a, b): return a + b", "entry_function": {"name": "f", "arguments": {"a": 1, "b": 2}}});
    assert_eq!(site.in_docker(called)["result_json"], 3);
    let failed = site.in_docker(json!({"code": "x = 1\nraise ValueError('no')"}));
    assert_eq!(
        (&failed["status"], &failed["exit_code"], &failed["error_type"], &failed["error_line"]),
        (&json!("completed"), &json!(1), &json!("ValueError"), &json!(2)),
        "{failed}"
    );
}

#[test]
fn limits_end_jobs_in_containers_and_say_which() {
    let Some(site) = Site::start(&[("PYEXEC_MAX_OUTPUT_BYTES", "2048")]) else { return };
    // Shared memory, which Python does not count.
    let hog = "import mmap\nprint('before', flush=True)\nm = mmap.mmap(-1, 1 << 30)\nfor i in range(0, 1 << 30, 4096): m[i] = 1";
    let result = site.in_docker(json!({"code": hog, "config": {"memory_mb": 64, "disk_mb": 1}}));
    assert_eq!((&result["status"], &result["error_kind"]), (&json!("failed"), &json!("memory_limit")), "{result}");
    assert_eq!((&result["stdout"], &result["limits_hit"]), (&json!("before\n"), &json!(["memory"])), "{result}");

    let slow = "import time\nprint('partial', flush=True)\ntime.sleep(60)";
    let result = site.in_docker(json!({"code": slow, "config": {"timeout_seconds": 4}}));
    assert_eq!((&result["status"], &result["error_kind"]), (&json!("failed"), &json!("time_limit")), "{result}");
    assert_eq!((&result["stdout"], &result["error"]), (&json!("partial\n"), &json!("execution timeout after 4s")));
    assert!(result["stderr"].as_str().is_some_and(|text| text.contains("line 3")), "{result}");

    let result = site.in_docker(json!({"code": "print('head', 'x' * 100000, 'tail')"}));
    assert_eq!((&result["status"], &result["stdout_bytes"]), (&json!("completed"), &json!(100_011)), "{result}");
    assert_eq!((&result["stdout_truncated"], &result["stderr_truncated"]), (&json!(true), &json!(false)));
    let stdout = result["stdout"].as_str().expect("text");
    assert!(stdout.starts_with("head x") && stdout.ends_with("x tail\n") && stdout.len() < 3000, "{stdout}");
}

#[test]
fn a_replayed_job_says_so_and_begins_again() {
    let Some(site) = Site::start(&[]) else { return };
    let code = "import threading\nprint('begins', input(), flush=True)\n\
                thread = getattr(threading, 'Thr' + 'ead')(target=print, args=('in a thread',))\nthread.start()\nthread.join()";
    let request = json!({"code": code, "stdin": "one\n", "stream": true}).to_string();
    let events: Vec<Event> = site.follow("POST", "/api/v1/eval", &[], request.as_bytes()).collect();
    let restarted = events.iter().position(|event| event.kind == "restarted").expect("it says so");
    let reason = events[restarted].data["reason"].as_str().expect("a reason");
    assert!(reason.contains("WebAssembly lacks what it used (thread"), "{reason}");
    let printed = |events: &[Event]| -> String {
        events.iter().filter(|event| event.kind == "stdout").filter_map(|event| event.data["text"].as_str()).collect()
    };
    let (before, after) = events.split_at(restarted);
    assert_eq!((printed(before).as_str(), printed(after).as_str()), ("begins one\n", "begins one\nin a thread\n"));
    let result = &events.last().expect("a result").data;
    ran_on(result, "docker", reason);
    assert_eq!((&result["stdout"], &result["stderr"]), (&json!("begins one\nin a thread\n"), &json!("")), "{result}");
    assert_eq!(site.metric("pyexec_replays_total"), Some(1.0));
    // A budget in fuel holds in WebAssembly alone: there is no second attempt without it.
    let budgeted = site.eval(&json!({"code": code, "stdin": "one\n", "config": {"cpu_fuel": 1_000_000_000_000_u64}}));
    assert_eq!(
        (&budgeted["executor"], &budgeted["error_type"]),
        (&json!("wasm"), &json!("RuntimeError")),
        "{budgeted}"
    );
    // Who comes later sees the same.
    let id = result["execution_id"].as_str().expect("an id");
    let again: Vec<_> = site.follow("GET", &format!("/api/v1/executions/{id}/events"), &[], b"").collect();
    assert_eq!(again, events);
}

/// As the README of the code executor has it.
#[test]
fn a_client_of_the_code_executor_has_pandas() {
    let Some(site) = Site::start(&[]) else { return };
    let code = "import pandas as pd; df = pd.DataFrame({\"A\": [1, 2, 3]}); print(df.mean())";
    let request = json!({"code": code, "language": "python", "timeout": 300, "max_memory_mb": 2048});
    let result = site.post_json("/execute", &request).json();
    let expected = (&json!("completed"), &json!("A    2.0\ndtype: float64\n"), &json!(""), &json!(0));
    assert_eq!((&result["status"], &result["stdout"], &result["stderr"], &result["exit_code"]), expected, "{result}");
}
