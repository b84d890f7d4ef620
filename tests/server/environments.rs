//! Packages: found out about at the first use, and environments that have a name.

use super::support::{Form, Server, until};
use crate::support::docker::{containers_of, without_docker};
use serde_json::{Value, json};
use std::{
    path::Path,
    thread,
    time::{Duration, Instant},
};
use tempfile::TempDir;

/// Where nobody listens.
const NO_INDEX: &str = "http://127.0.0.1:9/simple";

/// A server that has never seen a package.
struct Site {
    server: Server,
    folder: TempDir,
}

impl Site {
    fn start(settings: &[(&str, &str)]) -> Site {
        let folder = tempfile::tempdir().expect("a folder");
        let server = Site::server_in(folder.path(), settings);
        Site { server, folder }
    }

    fn server_in(folder: &Path, settings: &[(&str, &str)]) -> Server {
        let folder = folder.join("environments");
        let folder = folder.to_str().expect("UTF-8");
        // What is baked stays in the cache, and makes no difference to what a job sees.
        let usual = [("PYEXEC_ENVIRONMENTS_DIR", folder), ("PYEXEC_BAKE_PACKAGES", "false")];
        Server::start(&[&usual, settings].concat(), &[])
    }

    fn create(&self, request: &Value) -> Value {
        let answer = self.server.post_json("/api/v1/environments", request);
        assert!(matches!(answer.status, 200 | 202), "{}", answer.text());
        let environment = answer.json();
        assert_eq!(answer.status == 202, environment["status"] == "preparing", "{environment}");
        environment
    }

    fn look(&self, id: &str) -> Value {
        let answer = self.server.get(&format!("/api/v1/environments/{id}"));
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.json()
    }

    /// The environment when it is made, or has failed.
    fn made(&self, request: &Value) -> Value {
        let id = self.create(request)["id"].as_str().expect("an id").to_owned();
        until("the environment is made", || {
            let environment = self.look(&id);
            (environment["status"] != "preparing").then_some(environment)
        })
    }

    /// How many environments were installed.
    fn installed(&self, tier: &str, result: &str) -> f64 {
        let name = format!("pyexec_environments_total{{tier=\"{tier}\",result=\"{result}\"}}");
        self.server.metric(&name).unwrap_or(0.0)
    }
}

fn ran(result: &Value, tier: &str, stdout: &str) {
    assert_eq!((&result["status"], &result["executor"]), (&json!("completed"), &json!(tier)), "{result}");
    assert_eq!(result["stdout"], stdout, "{result}");
}

#[test]
fn a_package_is_there_because_it_is_imported() {
    let site = Site::start(&[]);
    let code = json!({"code": "import sympy\nprint(sympy.sqrt(8))", "stream": true});
    let events = site.server.follow("POST", "/api/v1/eval", &[], code.to_string().as_bytes());
    let events: Vec<_> = events.collect();
    let phases: Vec<_> =
        events.iter().filter(|event| event.kind == "progress").map(|event| &event.data["text"]).collect();
    assert_eq!(phases[..2], [&json!("resolving 1 requirement"), &json!("installing 2 packages")], "{phases:?}");
    let result = &events.last().expect("events").data;
    ran(result, "wasm", "2*sqrt(2)\n");
    assert_eq!(result["route_reason"], "needs nothing beyond WebAssembly, with sympy");
    assert_eq!(result.get("progress"), None, "{result}");
    // It is there now: nothing is told, and nothing installed.
    let events = site.server.follow("POST", "/api/v1/eval", &[], code.to_string().as_bytes());
    assert!(events.into_iter().all(|event| event.kind != "progress"));
    assert_eq!(site.installed("wasm", "ready"), 1.0);
}

#[test]
fn what_a_job_waits_for_is_seen_and_it_can_be_killed_meanwhile() {
    // A server that takes connections and never answers.
    let index = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}/simple", index.local_addr().expect("an address"));
    let site = Site::start(&[("PYEXEC_INDEX_URL", &url), ("PYEXEC_SLOTS", "1"), ("PYEXEC_QUEUE", "1")]);
    let ids: Vec<_> = (0..2).map(|_| site.server.submit("import sympy", &[])).collect();
    for id in &ids {
        let result = until("it says what it waits for", || {
            let result = site.server.get(&format!("/api/v1/executions/{id}")).json();
            result.get("progress").is_some().then_some(result)
        });
        assert_eq!((&result["status"], &result["progress"]), (&json!("running"), &json!("resolving 1 requirement")));
    }
    // They have no slot, and keep nobody waiting that needs none of it.
    let began = Instant::now();
    ran(&site.server.eval(&json!({"code": "print(1)"})), "wasm", "1\n");
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    // But there are no more of them than slots and places in the queue.
    let upload = Form::new().tar(&[("main.py", "import sympy")]).field("metadata", "", br#"{"entrypoint":"main.py"}"#);
    assert_eq!(site.server.post_form("/api/v1/exec/async", &[], &upload).status, 429);
    for id in &ids {
        let answer = site.server.delete(&format!("/api/v1/executions/{id}"));
        assert_eq!(answer.json(), json!({"status": "killed"}));
    }
    let id = site.server.submit("import sympy", &[]);
    site.server.delete(&format!("/api/v1/executions/{id}"));
}

#[test]
fn many_first_uses_are_one_installation() {
    let site = Site::start(&[("PYEXEC_SLOTS", "4"), ("PYEXEC_QUEUE", "60")]);
    let code = json!({"code": "import tabulate\nprint(tabulate.tabulate([[1]]))"});
    thread::scope(|scope| {
        let uses: Vec<_> = (0..50).map(|_| scope.spawn(|| site.server.eval(&code))).collect();
        for result in uses {
            ran(&result.join().expect("a result"), "wasm", "-\n1\n-\n");
        }
    });
    let entries = std::fs::read_dir(site.folder.path().join("environments")).expect("readable").flatten();
    let environments = entries.filter(|entry| entry.path().join("meta.json").exists()).count();
    assert_eq!(environments, 1);
    assert_eq!(site.server.log().matches("installing").count(), 0);
}

#[test]
fn modules_of_the_project_come_before_packages() {
    let site = Site::start(&[("PYEXEC_INDEX_URL", NO_INDEX)]);
    let files = json!([
        {"name": "main.py", "content": "import sympy, yaml\nprint(sympy.NAME, yaml.NAME)"},
        {"name": "sympy.py", "content": "NAME = 'mine'"},
        {"name": "yaml/__init__.py", "content": "from .parts import NAME"},
        {"name": "yaml/parts.py", "content": "NAME = 'mine, too'"},
    ]);
    let result = site.server.eval(&json!({"files": files}));
    ran(&result, "wasm", "mine mine, too\n");
    assert_eq!(result["route_reason"], "needs nothing beyond WebAssembly");
    assert_eq!(site.server.get("/metrics").text().matches("pyexec_environments_total{").count(), 0);
}

#[test]
fn without_containers_a_native_package_is_refused_with_what_to_do() {
    let site = Site::start(&[]);
    let refused = |module: &str| {
        format!(
            "this job imports {module}, which has no pure-Python wheel (main.py:1), which takes docker: containers are \
             off"
        )
    };
    let result = site.server.eval(&json!({"code": "import regex"}));
    assert_eq!((&result["status"], &result["error"]), (&json!("failed"), &json!(refused("regex"))));
    assert_eq!(result["error_kind"], "invalid");
    assert!(result["hint"].as_str().is_some_and(|hint| hint.contains("PYEXEC_FALLBACK=auto")), "{result}");
    // Of that one it is known by now, of numpy from the start, and nothing need be tried.
    for module in ["regex", "numpy"] {
        let error = site.server.failed(&json!({"code": format!("import {module}")}));
        assert_eq!(error, refused(module));
    }
    let result = site.server.eval(&json!({"code": "import seaborn"}));
    let error = result["error"].as_str().expect("an error");
    assert!(error.contains("imports seaborn, which needs ") && error.contains("numpy"), "{error}");
    // What may never be needed is left out.
    let result = site.server.eval(&json!({"code": "def f():\n    import numpy\nimport tabulate\nprint('ok')"}));
    ran(&result, "wasm", "ok\n");
    let error = site.server.failed(&json!({"code": "import numpy", "executor": "wasm"}));
    let asked =
        "the job asks for wasm, but imports numpy, which has no pure-Python wheel (main.py:1), which takes docker";
    assert_eq!(error, asked);
}

#[test]
fn a_guess_that_nobody_publishes_is_left_out() {
    let site = Site::start(&[]);
    let code = "import tabulate\ntry:\n    print(tabulate.tabulate([[1]]))\nfinally:\n    import surely_published_by_nobody_1a2b";
    let result = site.server.eval(&json!({"code": code}));
    assert_eq!((&result["executor"], &result["error_type"]), (&json!("wasm"), &json!("ModuleNotFoundError")));
    assert_eq!((&result["stdout"], &result["exit_code"]), (&json!("-\n1\n-\n"), &json!(1)));
    assert_eq!(result["route_reason"], "needs nothing beyond WebAssembly, with tabulate");
    let required = json!({"code": "1", "requirements_txt": "surely-published-by-nobody-1a2b"});
    let result = site.server.eval(&required);
    let error = "surely-published-by-nobody-1a2b is not in the package index: check the name and the version";
    assert_eq!((&result["status"], &result["error"]), (&json!("failed"), &json!(error)));
}

#[test]
fn an_index_that_is_down_is_said() {
    let site = Site::start(&[("PYEXEC_INDEX_URL", NO_INDEX)]);
    let result = site.server.eval(&json!({"code": "import sympy"}));
    assert_eq!((&result["status"], &result["error_kind"]), (&json!("failed"), &json!("unavailable")));
    assert_eq!(result["error"], "the package index cannot be reached: try again later (required: sympy)", "{result}");
    assert_eq!(site.installed("wasm", "index_down"), 1.0);
    let environment = site.made(&json!({"requirements": ["sympy"]}));
    assert_eq!(environment["status"], "failed");
    assert_eq!(environment["error"], result["error"]);
}

#[test]
fn an_environment_is_made_used_listed_and_removed() {
    let site = Site::start(&[]);
    let request = json!({"requirements": ["beautifulsoup4>=4", "Tabulate"], "preload": ["bs4"]});
    let made = site.made(&request);
    let id = made["id"].as_str().expect("an id");
    assert_eq!((&made["status"], &made["tier"]), (&json!("ready"), &json!("wasm")), "{made}");
    assert_eq!(made["requirements"], json!(["beautifulsoup4>=4", "tabulate"]));
    let names: Vec<_> = made["packages"].as_array().expect("packages").iter().map(|it| &it["name"]).collect();
    assert!(names.contains(&&json!("beautifulsoup4")) && names.contains(&&json!("soupsieve")), "{names:?}");
    assert!(made["bytes"].as_u64() > Some(100_000), "{made}");
    until("it is baked", || (site.look(id)["baked"] == true).then_some(()));
    // The same again is the same, and there.
    let answer = site.server.post_json("/api/v1/environments", &request);
    assert_eq!((answer.status, answer.json()["id"].as_str()), (200, Some(id)));

    let code = "import bs4, soupsieve\nprint(bs4.BeautifulSoup('<p>hello', 'html.parser').p.text)";
    let result = site.server.eval(&json!({"code": code, "environment": id}));
    ran(&result, "wasm", "hello\n");
    let metadata = json!({"entrypoint": "main.py", "environment": id}).to_string();
    let form = Form::new().tar(&[("main.py", code)]).field("metadata", "", metadata.as_bytes());
    ran(&site.server.post_form("/api/v1/exec/sync", &[], &form).json(), "wasm", "hello\n");
    // Nothing else was installed for them, although they import more than was asked for.
    assert_eq!(site.installed("wasm", "ready"), 1.0);

    let other = site.made(&json!({"requirements": "tabulate\n"}))["id"].clone();
    let listed = site.server.get("/api/v1/environments").json();
    let ids: Vec<_> = listed["environments"].as_array().expect("a list").iter().map(|it| &it["id"]).collect();
    assert!(ids.len() == 2 && ids.contains(&&made["id"]) && ids.contains(&&other), "{ids:?}");
    let path = format!("/api/v1/environments/{id}");
    assert_eq!(site.server.delete(&path).status, 204);
    assert_eq!((site.server.get(&path).status, site.server.delete(&path).status), (404, 404));
    assert_eq!(site.server.get("/api/v1/environments").json()["environments"].as_array().map(Vec::len), Some(1));
    let refused = site.server.failed(&json!({"code": "1", "environment": id}));
    let error = format!("environment: there is none with the id {id:?}; create it, or leave it out");
    assert_eq!(refused, error);
}

#[test]
fn an_environment_in_use_stays() {
    let site = Site::start(&[]);
    let made = site.made(&json!({"requirements": ["tabulate"]}));
    let id = made["id"].as_str().expect("an id");
    let metadata = json!({"entrypoint": "main.py", "environment": id}).to_string();
    let code = "import tabulate, time\nprint('runs', flush=True)\ntime.sleep(60)";
    let form = Form::new().tar(&[("main.py", code)]).field("metadata", "", metadata.as_bytes());
    let accepted = site.server.post_form("/api/v1/exec/async", &[], &form).json();
    let execution = accepted["execution_id"].as_str().expect("an id");
    site.server.has_printed(execution);
    let answer = site.server.delete(&format!("/api/v1/environments/{id}"));
    assert_eq!(answer.status, 409, "{}", answer.text());
    site.server.delete(&format!("/api/v1/executions/{execution}"));
    until("nobody uses it", || (site.server.delete(&format!("/api/v1/environments/{id}")).status == 204).then_some(()));
}

#[test]
fn environments_outlive_the_server() {
    let site = Site::start(&[]);
    let made = site.made(&json!({"requirements": ["tabulate"]}));
    let id = made["id"].as_str().expect("an id").to_owned();
    let Site { server, folder } = site;
    drop(server);
    let site = Site { server: Site::server_in(folder.path(), &[("PYEXEC_OFFLINE", "true")]), folder };
    let found = site.look(&id);
    for name in ["status", "tier", "packages", "bytes", "reason", "created_at"] {
        assert_eq!(found[name], made[name], "{name}");
    }
    ran(&site.server.eval(&json!({"code": "import tabulate\nprint(1)", "environment": id})), "wasm", "1\n");
}

#[test]
fn an_environment_that_cannot_be_had_says_why() {
    let site = Site::start(&[("PYEXEC_DENY_PACKAGES", "rich")]);
    for (requirements, part) in [
        (json!(["jinja2==3.1.4", "markupsafe<2"]), "the requirements cannot be met together: Because "),
        (json!(["surely-published-by-nobody-1a2b"]), "surely-published-by-nobody-1a2b is not in the package index"),
        (json!(["rich"]), "rich is not allowed on this service"),
        (
            json!(["numpy"]),
            "needs numpy, which has no pure-Python wheel, which takes docker: containers are off: turn containers on",
        ),
    ] {
        let made = site.made(&json!({"requirements": requirements}));
        let error = made["error"].as_str().unwrap_or_default();
        assert!(made["status"] == "failed" && error.contains(part), "{made}");
        assert_eq!((made.get("tier"), &made["packages"]), (None, &json!([])), "{made}");
    }
    let made = site.made(&json!({"requirements": ["six"], "python_version": "3.12"}));
    let error = made["error"].as_str().unwrap_or_default();
    assert!(
        error.starts_with("the environment asks for Python 3.12, which takes docker: containers are off"),
        "{made}"
    );
}

#[test]
fn environments_that_make_no_sense_are_refused() {
    let site = Site::start(&[("PYEXEC_INDEX_URL", NO_INDEX)]);
    let modules: Vec<_> = (0..101).map(|number| format!("m{number}")).collect();
    let lines: Vec<_> = (0..501).map(|number| format!("p{number}")).collect();
    for (request, part) in [
        (json!({}), "requirements: there are none"),
        (json!({"requirements": null}), "requirements: there are none"),
        (json!({"requirements": "# nothing\n"}), "requirements: there are none"),
        (json!({"requirements": ["-e ."]}), "requirements: "),
        (json!({"requirements": "six\n--no-such-option\n"}), "line 2"),
        (json!({"requirements": 7}), "invalid JSON"),
        (json!({"requirements": ["six"], "python_version": "2.7"}), "supported versions: 3.10"),
        (json!({"requirements": ["six"], "preload": ["../x"]}), "cannot be preloaded"),
        (json!({"requirements": ["six"], "preload": modules}), "at most 100 modules"),
        (json!({"requirements": lines}), "requirements: "),
        (json!({"requirements": "six\n".repeat(40_000)}), "requirements: "),
    ] {
        let answer = site.server.post_json("/api/v1/environments", &request);
        assert_eq!(answer.status, 400, "{}", answer.text());
        let error = answer.error();
        assert!(error.contains(part), "{error}");
    }
    for path in ["1", "x", &"0".repeat(64), &"g".repeat(64)] {
        assert_eq!(site.server.get(&format!("/api/v1/environments/{path}")).status, 404);
        assert_eq!(site.server.delete(&format!("/api/v1/environments/{path}")).status, 404);
    }
    for (field, value) in [("environment", "0".repeat(64)), ("environment", "../../etc".into())] {
        let error = site.server.failed(&json!({"code": "1", field: value}));
        assert!(error.starts_with("environment: "), "{error}");
    }
    assert_eq!(site.server.get("/api/v1/environments").json(), json!({"environments": []}));
}

#[test]
fn environments_take_a_key_where_there_are_keys() {
    let site = Site::start(&[("PYEXEC_API_KEYS", "0123456789abcdef")]);
    for (method, path) in [("GET", ""), ("POST", ""), ("GET", "/0"), ("DELETE", "/0")] {
        let answer = site.server.call(method, &format!("/api/v1/environments{path}"), &[], b"");
        assert_eq!(answer.status, 401, "{method} {path}");
    }
}

#[test]
fn native_packages_go_to_a_container() {
    if without_docker() {
        return;
    }
    let instance = format!("test-{}", uuid::Uuid::new_v4().simple());
    let settings = [("PYEXEC_FALLBACK", "on"), ("PYEXEC_INSTANCE", &*instance), ("PYEXEC_POOL", "0")];
    let site = Site::start(&settings);
    let first = json!({"code": "import numpy\nprint(int(numpy.arange(4).sum()))", "stream": true});
    let events: Vec<_> = site.server.follow("POST", "/api/v1/eval", &[], first.to_string().as_bytes()).collect();
    let result = &events.last().expect("events").data;
    ran(result, "docker", "6\n");
    assert_eq!(result["route_reason"], "imports numpy, which has no pure-Python wheel (main.py:1)");
    // Nothing ran before it went there.
    assert!(events.iter().all(|event| event.kind != "restarted"), "{events:?}");
    assert!(events.iter().any(|event| event.kind == "progress"), "{events:?}");
    assert_eq!(site.server.metric("pyexec_replays_total"), Some(0.0));

    let code = "import pydantic\nclass A(pydantic.BaseModel):\n    x: int\nprint(A(x='3').x)";
    let result = site.server.eval(&json!({"code": code}));
    ran(&result, "docker", "3\n");
    assert_eq!(
        result["route_reason"],
        "imports pydantic, which needs pydantic-core, which has no pure-Python wheel (main.py:1)"
    );

    let made = site.made(&json!({"requirements": ["numpy"]}));
    assert_eq!((&made["status"], &made["tier"], &made["baked"]), (&json!("ready"), &json!("docker"), &json!(false)));
    assert_eq!(made["reason"], "needs numpy, which has no pure-Python wheel");
    let result = site.server.eval(&json!({"code": "import numpy\nprint(1)", "environment": made["id"]}));
    ran(&result, "docker", "1\n");
    let made = site.made(&json!({"requirements": ["six"], "python_version": "3.11"}));
    assert_eq!((&made["tier"], &made["reason"]), (&json!("docker"), &json!("asks for Python 3.11")), "{made}");
    let code = "import sys, six\nprint(sys.version_info[:2])";
    let result = site.server.eval(&json!({"code": code, "environment": made["id"]}));
    ran(&result, "docker", "(3, 11)\n");
    let other = json!({"code": code, "environment": made["id"], "python_version": "3.14"});
    assert!(site.server.failed(&other).starts_with("environment: it is for Python 3.11"));

    site.server.signal(rustix::process::Signal::TERM);
    assert_eq!(site.server.ended().code(), Some(0), "{}", site.server.log());
    assert!(containers_of(&instance).is_empty());
    crate::support::docker::remove_layers(&instance);
}
