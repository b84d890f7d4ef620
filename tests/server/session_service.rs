//! The sessions service, by the examples of its README, and what no client of it can do.

use super::support::{Answer, Form, Server, until};
use serde_json::{Value, json};

const KEY: &str = "your-secret-key-goes-here";
const OTHER: &str = "another-secret-key-goes-here";
const ID: &str = "your-unique-session-id-here";

fn server() -> Server {
    Server::start(&[("PYEXEC_API_KEYS", &format!("first:{KEY},second:{OTHER}"))], &[])
}

fn post(server: &Server, key: &str, path: &str, body: &Value) -> Answer {
    let headers = [("x-api-key", key), ("content-type", "application/json")];
    server.call("POST", path, &headers, body.to_string().as_bytes())
}

fn get(server: &Server, key: &str, path: &str) -> Answer {
    server.call("GET", path, &[("x-api-key", key)], b"")
}

fn upload(server: &Server, key: &str, session: &str, name: &str, content: &[u8]) -> Answer {
    let form = Form::new().field("session_id", "", session.as_bytes());
    let form = form.field("file", &format!("; filename=\"{name}\""), content);
    server.post_form("/upload", &[("x-api-key", key)], &form)
}

/// The status of a task once it is neither running nor installing.
fn ended(server: &Server, key: &str, queued: &Value) -> Value {
    let url = queued["status_url"].as_str().expect("a URL").to_owned();
    until("the task has ended", || {
        let answer = get(server, key, &url);
        assert_eq!(answer.status, 200, "{}", answer.text());
        let status = answer.json();
        let goes_on = status == json!({"status": "running"}) || status == json!({"status": "installing", "logs": ""});
        (!goes_on).then_some(status)
    })
}

fn run(server: &Server, key: &str, session: &str, code: &str) -> Value {
    let answer = post(server, key, "/execute", &json!({"session_id": session, "code": code}));
    assert_eq!(answer.status, 202, "{}", answer.text());
    ended(server, key, &answer.json())
}

fn download(server: &Server, key: &str, session: &str, name: &str) -> Answer {
    get(server, key, &format!("/download?session_id={session}&filename={name}"))
}

#[test]
fn the_readmes_steps_work() {
    let server = server();
    let answer = upload(&server, KEY, ID, "AAPL.csv", b"day,close\n1,2.5\n");
    assert_eq!((answer.status, answer.json()), (200, json!({"filename": "AAPL.csv", "storage": "local"})));
    let code = "import csv, os\nprint(list(csv.DictReader(open(\"AAPL.csv\"))), os.environ['NAME'])\n\
                open('made.txt', 'w').write('made')";
    let request = json!({"session_id": ID, "code": code, "env": {"NAME": "value"}});
    let answer = post(&server, KEY, "/execute", &request);
    assert_eq!(answer.status, 202, "{}", answer.text());
    let queued = answer.json();
    let task = queued["task_id"].as_str().expect("an id");
    let digits = task.strip_prefix(&format!("exec-{ID}-")).expect("the session's");
    assert!(digits.len() == 8 && digits.bytes().all(|c| c.is_ascii_hexdigit()), "{task}");
    let url = format!("/status/execute/{task}");
    assert_eq!(queued, json!({"status": "execute_queued", "task_id": task, "status_url": url}));
    let output = "[{'day': '1', 'close': '2.5'}] value\n";
    let expected = json!({"status": "success", "output": output, "errors": "", "exit_code": 0});
    assert_eq!(ended(&server, KEY, &queued), expected);

    // The folder stays, the process does not, and the script's file was never there.
    let status = run(&server, KEY, ID, "import os\nprint(sorted(os.listdir()), open('made.txt').read())");
    assert_eq!(status["output"], "['AAPL.csv', 'made.txt', 'temp_code.py'] made\n", "{status}");
    let file = download(&server, KEY, ID, "made.txt");
    assert_eq!((file.status, file.text().as_str()), (200, "made"));
    assert_eq!(file.header("content-disposition"), Some("attachment; filename=\"made.txt\""));
    for missing in ["none.txt", "temp_code.py"] {
        let answer = download(&server, KEY, ID, missing);
        assert_eq!((answer.status, answer.json()), (404, json!({"detail": "File not found."})));
    }

    let session = json!({"session_id": ID});
    let message = |answer: Answer| (answer.status, answer.json());
    let gone = json!({"status": "success", "message": format!("Session {ID} terminated successfully.")});
    assert_eq!(message(post(&server, KEY, "/terminate", &session)), (200, gone));
    let none = json!({"status": "success", "message": format!("Session {ID} not found.")});
    assert_eq!(message(post(&server, KEY, "/terminate", &session)), (200, none));
    assert_eq!(download(&server, KEY, ID, "made.txt").status, 404);
}

#[test]
fn output_errors_and_exit_codes_come_apart() {
    let server = server();
    let status = run(&server, KEY, "s", "import sys\nprint('out')\nprint('err', file=sys.stderr)");
    assert_eq!(status, json!({"status": "success", "output": "out\n", "errors": "err\n", "exit_code": 0}));
    let status = run(&server, KEY, "s", "print('so far')\nraise SystemExit(3)");
    assert_eq!(status, json!({"status": "failed", "output": "so far\n", "errors": "", "exit_code": 3}));
    let status = run(&server, KEY, "s", "1 / 0");
    assert_eq!((&status["status"], &status["exit_code"]), (&json!("failed"), &json!(1)), "{status}");
    let errors = status["errors"].as_str().expect("text");
    assert!(errors.contains("temp_code.py\", line 1") && errors.ends_with("division by zero\n"), "{errors}");
    let server = Server::start(&[("PYEXEC_DEFAULT_TIMEOUT", "0.5")], &[]);
    let status = run(&server, KEY, "s", "print('so far', flush=True)\nwhile True: pass");
    assert_eq!((&status["status"], &status["output"]), (&json!("failed"), &json!("so far\n")), "{status}");
    assert!(status["errors"].as_str().is_some_and(|text| text.contains("execution timeout after 500ms")), "{status}");
    assert_eq!(status["exit_code"], 124);
}

#[test]
fn a_task_is_found_at_once_and_for_its_owner_only() {
    let server = server();
    let request = json!({"session_id": "s", "code": "import time; time.sleep(1)"});
    let queued = post(&server, KEY, "/execute", &request).json();
    let url = queued["status_url"].as_str().expect("a URL");
    assert_eq!(get(&server, KEY, url).json(), json!({"status": "running"}));
    let unknown = json!({"detail": "Task not found."});
    for (key, url) in [(OTHER, url), (KEY, "/status/execute/exec-s-00000000"), (KEY, "/status/install/install-s")] {
        let answer = get(&server, key, url);
        assert_eq!((answer.status, answer.json()), (404, unknown.clone()), "{url}");
    }
    assert_eq!(ended(&server, KEY, &queued)["status"], "success");
}

#[test]
fn keys_are_asked_for_in_the_services_words() {
    let server = server();
    let body = json!({"session_id": "s", "code": "1"}).to_string();
    for (method, path) in [
        ("POST", "/execute"),
        ("POST", "/install"),
        ("GET", "/status/execute/x"),
        ("POST", "/upload"),
        ("GET", "/download?session_id=s&filename=x"),
        ("POST", "/terminate"),
    ] {
        let none = server.call(method, path, &[], body.as_bytes());
        assert_eq!((none.status, none.json()), (403, json!({"detail": "Not authenticated"})), "{path}");
        let wrong = server.call(method, path, &[("x-api-key", "no such key at all")], body.as_bytes());
        let detail = json!({"detail": "Could not validate credentials"});
        assert_eq!((wrong.status, wrong.json()), (403, detail), "{path}");
    }
    assert_eq!(server.get("/health").json(), json!({"status": "ok"}));
    // Other routes keep their own.
    assert_eq!(server.get("/api/v1/executions").status, 401);
}

/// A session's name is any text, and leads nowhere.
#[test]
fn no_name_of_a_session_or_a_file_leads_out() {
    let server = server();
    let names = ["../..", "/etc", "..", ".", "", "a/../../b", "%2e%2e", "\u{0}", "ä\n", "C:\\x", "~"];
    for (n, name) in names.iter().enumerate() {
        let status =
            run(&server, KEY, name, &format!("print(sorted(__import__('os').listdir()))\nopen('f', 'w').write('{n}')"));
        assert_eq!(status["output"], "['temp_code.py']\n", "{name:?}: each is another session, and new: {status}");
    }
    for (n, name) in names.iter().enumerate() {
        let status = run(&server, KEY, name, "print(open('f').read())");
        assert_eq!(status["output"], format!("{n}\n"), "{name:?}");
    }
    for file in ["../x", "/etc/passwd", "a/../../x", "..", "", "x\u{0}y"] {
        let answer = upload(&server, KEY, "s", file, b"x");
        assert!(matches!(answer.status, 400 | 422), "{file:?}: {}", answer.text());
        assert!(!answer.json()["detail"].is_null(), "{file:?}: {}", answer.text());
    }
    for file in ["..%2f..%2fetc%2fpasswd", "%2fetc%2fpasswd", "..", "", "%00", "f%2f.."] {
        let answer = download(&server, KEY, "..%2f..", file);
        assert_eq!((answer.status, answer.json()), (404, json!({"detail": "File not found."})), "{file}");
    }
    assert_eq!(download(&server, KEY, "..%2F..", "f").text(), "0");
}

#[test]
fn another_keys_session_of_the_same_name_is_another_one() {
    let server = server();
    assert_eq!(upload(&server, KEY, "shared", "secret.txt", b"secret").status, 200);
    assert_eq!(download(&server, OTHER, "shared", "secret.txt").status, 404);
    let status = run(&server, OTHER, "shared", "print(__import__('os').path.exists('secret.txt'))");
    assert_eq!(status["output"], "False\n");
    let answer = post(&server, OTHER, "/terminate", &json!({"session_id": "shared"}));
    assert_eq!(answer.json()["message"], "Session shared terminated successfully.");
    assert_eq!(download(&server, KEY, "shared", "secret.txt").text(), "secret");
    // Nor can one name the other's by what its id is made of.
    for name in ["first", "session%20files%20shared", "first%00shared"] {
        assert_eq!(download(&server, OTHER, name, "secret.txt").status, 404);
    }
}

#[test]
fn what_is_wrong_is_said_member_by_member() {
    let server = server();
    for (path, body, wrong) in [
        ("/execute", r#"{"session_id": "s"}"#, vec![("missing", "code")]),
        ("/execute", r#"{"session_id": 5, "code": []}"#, vec![("string_type", "session_id"), ("string_type", "code")]),
        ("/execute", r#"{"session_id": "s", "code": "1", "env": {"A": 1}}"#, vec![("string_type", "env")]),
        ("/execute", r#"{"session_id": "s", "code": "1", "env": []}"#, vec![("dict_type", "env")]),
        ("/install", r#"{"packages": "numpy"}"#, vec![("missing", "session_id"), ("list_type", "packages")]),
        ("/install", r#"{"session_id": "s", "packages": null}"#, vec![("list_type", "packages")]),
        ("/terminate", "{}", vec![("missing", "session_id")]),
    ] {
        let headers = [("x-api-key", KEY)];
        let answer = server.call("POST", path, &headers, body.as_bytes());
        assert_eq!(answer.status, 422, "{body}: {}", answer.text());
        let detail = answer.json();
        let found: Vec<_> = detail["detail"].as_array().expect("a list").iter().collect();
        assert_eq!(found.len(), wrong.len(), "{detail}");
        for (found, (kind, name)) in found.iter().zip(wrong) {
            assert_eq!((&found["type"], &found["loc"]), (&json!(kind), &json!(["body", name])), "{detail}");
            assert!(found["msg"].is_string() && found.get("input").is_some(), "{detail}");
        }
    }
    for body in ["", "{", "[1]", "null", "\"x\"", &"[".repeat(100_000), "{\"session_id\": \"\u{0}\"}"] {
        for path in ["/execute", "/install", "/terminate"] {
            let answer = server.call("POST", path, &[("x-api-key", KEY)], body.as_bytes());
            assert_eq!(answer.status, 422, "{path} {}: {}", &body[..body.len().min(20)], answer.text());
            assert!(answer.json()["detail"].is_array());
        }
    }
    let long = "x".repeat(2000);
    let answer = post(&server, KEY, "/execute", &json!({"session_id": long, "code": "1"}));
    assert_eq!((answer.status, &answer.json()["detail"][0]["type"]), (422, &json!("string_too_long")));
    let form = Form::new().field("session_id", "", b"s");
    let answer = server.post_form("/upload", &[("x-api-key", KEY)], &form);
    assert_eq!((answer.status, &answer.json()["detail"][0]["loc"]), (422, &json!(["body", "file"])));
    let answer = get(&server, KEY, "/download?session_id=s");
    assert_eq!((answer.status, &answer.json()["detail"][0]["loc"]), (422, &json!(["query", "filename"])));
}

#[test]
fn what_is_too_large_is_refused_and_leaves_nothing() {
    let keys = format!("first:{KEY}");
    let small = [("PYEXEC_API_KEYS", &*keys), ("PYEXEC_UPLOAD_MAX_MB", "1"), ("PYEXEC_WORKSPACE_MB", "2")];
    let server = Server::start(&small, &[]);
    let answer = upload(&server, KEY, "s", "large", &vec![0; (1 << 20) + 1]);
    assert_eq!(answer.status, 413, "{}", answer.text());
    assert!(answer.json()["detail"].is_string());
    assert_eq!(upload(&server, KEY, "s", "one", &vec![1; 1 << 20]).status, 200);
    assert_eq!(upload(&server, KEY, "s", "two", &vec![2; 1 << 20]).status, 200);
    let answer = upload(&server, KEY, "s", "three", b"3");
    assert_eq!(answer.status, 507, "{}", answer.text());
    assert_eq!(download(&server, KEY, "s", "three").status, 404);
    assert_eq!(download(&server, KEY, "s", "two").body, vec![2; 1 << 20]);
    let code = "x".repeat(200_000);
    let answer = post(&server, KEY, "/execute", &json!({"session_id": "s", "code": code}));
    assert_eq!(answer.status, 413, "{}", answer.text());
}

#[test]
fn packages_stay_for_the_session() {
    let folder = tempfile::tempdir().expect("a folder");
    let environments = folder.path().join("environments");
    let environments = environments.to_str().expect("UTF-8");
    let keys = format!("first:{KEY}");
    let settings = [
        ("PYEXEC_API_KEYS", &*keys),
        ("PYEXEC_ENVIRONMENTS_DIR", environments),
        ("PYEXEC_BAKE_PACKAGES", "false"),
        ("PYEXEC_AUTO_DETECT_IMPORTS", "false"),
    ];
    let server = Server::start(&settings, &[]);
    let import = "import six\nprint(six.__version__)";
    assert_eq!(run(&server, KEY, "s", import)["status"], "failed");
    let install = |packages: Value| {
        let answer = post(&server, KEY, "/install", &json!({"session_id": "s", "packages": packages}));
        let url = "/status/install/install-s";
        let queued = json!({"status": "install_queued", "session_id": "s", "task_id": "install-s", "status_url": url});
        assert_eq!((answer.status, answer.json()), (202, queued.clone()));
        ended(&server, KEY, &queued)
    };
    let status = install(json!(["six==1.16.0", "idna"]));
    assert_eq!(status["status"], "success", "{status}");
    assert!(status["logs"].as_str().is_some_and(|logs| logs.contains("six-1.16.0")), "{status}");
    assert_eq!(run(&server, KEY, "s", import)["output"], "1.16.0\n");
    // Asked for again, it is another one, and what was there stays.
    assert_eq!(install(json!(["six==1.17.0"]))["status"], "success");
    assert_eq!(run(&server, KEY, "s", &format!("{import}\nimport idna"))["output"], "1.17.0\n");
    for (packages, why) in [
        (json!(["-r /etc/passwd"]), "-r"),
        (json!(["no-such-package-anywhere-at-all"]), "no-such-package-anywhere-at-all"),
        (json!([]), "at least one package"),
    ] {
        let status = install(packages);
        assert_eq!(status["status"], "failed", "{status}");
        assert!(status["error"].as_str().is_some_and(|error| error.contains(why)), "{status}");
    }
    // What failed has changed nothing.
    assert_eq!(run(&server, KEY, "s", import)["output"], "1.17.0\n");
    assert_eq!(run(&server, KEY, "other", import)["status"], "failed");
    post(&server, KEY, "/terminate", &json!({"session_id": "s"}));
    assert_eq!(run(&server, KEY, "s", import)["status"], "failed");
}

#[test]
fn a_server_that_stands_in_for_it_takes_its_variables() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().to_str().expect("UTF-8");
    let key = "a:key:with:colons:in:it";
    let variables = [
        ("PYEXEC_SERVICE", "sessions"),
        ("PYEXEC_DATA_DIR", ""),
        ("API_KEY", key),
        ("API_KEY_NAME", "X-Own-Key"),
        ("BASE_SESSION_PATH", path),
        ("REDIS_URL", "redis://localhost:6379/0"),
    ];
    let server = Server::start(&variables, &[]);
    let headers = [("x-own-key", key)];
    let body = json!({"session_id": "s", "code": "print(1)"}).to_string();
    let answer = server.call("POST", "/execute", &headers, body.as_bytes());
    assert_eq!(answer.status, 202, "{}", answer.text());
    assert_eq!(server.call("POST", "/execute", &[("x-api-key", key)], body.as_bytes()).status, 403);
    assert!(folder.path().join("workspaces").exists());
    assert!(server.log().contains("REDIS_URL"), "{}", server.log());
    let execution = json!({"code": "1"}).to_string();
    let result = server.call("POST", "/api/v1/eval", &headers, execution.as_bytes()).json();
    assert_eq!(
        (&result["limits"]["memory_mb"], &result["limits"]["cpu_shares"]),
        (&json!(256), &json!(512)),
        "{result}"
    );
    // A script for another service is none here.
    let answer = server.call("POST", "/execute", &headers, br#"{"script": "def main(): return 1"}"#);
    assert_eq!(answer.status, 422, "{}", answer.text());
}
