//! The code executor, by the examples of its README and more.

use super::support::{Answer, Server};
use serde_json::{Value, json};

fn execute(server: &Server, request: &Value) -> Value {
    let answer = server.post_json("/execute", request);
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()
}

fn is_uuid(text: &str) -> bool {
    let lengths: Vec<_> = text.split('-').map(str::len).collect();
    lengths == [8, 4, 4, 4, 12] && text.bytes().all(|c| c.is_ascii_hexdigit() || c == b'-')
}

#[test]
fn the_readmes_examples_work() {
    let server = Server::shared();
    for (code, stdout) in [("print(\"Hello, World!\")", "Hello, World!\n"), ("print(\"Test\")", "Test\n")] {
        let mut result = execute(&server, &json!({"code": code, "language": "python"}));
        assert!(result["execution_id"].as_str().is_some_and(is_uuid), "{result}");
        assert!(result["execution_time"].as_f64().is_some_and(|time| time > 0.0 && time < 60.0), "{result}");
        for varying in ["execution_id", "execution_time"] {
            result.as_object_mut().expect("an object").remove(varying);
        }
        assert_eq!(result, json!({"status": "completed", "stdout": stdout, "stderr": "", "exit_code": 0}));
    }
    let result = execute(&server, &json!({"code": "import tensorflow; print(\"Hi\")", "language": "python"}));
    let stderr =
        "ImportError: No module named 'tensorflow'\nEnsure required modules are installed and in ALLOWED_MODULES.";
    assert_eq!((&result["stdout"], &result["stderr"]), (&json!(""), &json!(stderr)));
    assert_eq!((&result["status"], &result["exit_code"]), (&json!("completed"), &json!(1)));
    let answer = server.post_json("/execute", &json!({"code": "import os; os.system(\"ls\")", "language": "python"}));
    assert_eq!((answer.status, answer.json()), (400, json!({"detail": "Unsafe code detected"})));
}

#[test]
fn a_module_that_is_allowed_is_there() {
    let server = Server::start(&[("PYEXEC_CODE_MODULES", "six,numpy")], &[]);
    let result = execute(&server, &json!({"code": "import six; print(six.PY3)", "language": "python", "timeout": 60}));
    assert_eq!((&result["stdout"], &result["stderr"]), (&json!("True\n"), &json!("")), "{result}");
    // One that is not is missing, and a script may do without.
    let code = "try:\n    import idna\nexcept ImportError as e:\n    print(e)";
    assert_eq!(execute(&server, &json!({"code": code}))["stdout"], "No module named 'idna'\n");
    let any = Server::start(&[("PYEXEC_CODE_MODULES", "*")], &[]);
    let result = execute(&any, &json!({"code": "import idna; print(idna.encode('x'))"}));
    assert_eq!(result["stdout"], "b'x'\n", "{result}");
}

#[test]
fn code_ends_as_there() {
    let server = Server::shared();
    let result = execute(&server, &json!({"code": "print(1)\nraise SystemExit(3)", "execution_id": "my own id"}));
    assert_eq!((&result["execution_id"], &result["exit_code"]), (&json!("my own id"), &json!(3)));
    let result = execute(&server, &json!({"code": "print('so far', flush=True)\nwhile True: pass", "timeout": 1}));
    assert_eq!((&result["status"], &result["exit_code"]), (&json!("timeout"), &json!(-9)), "{result}");
    assert_eq!(result["stdout"], "so far\n");
    let result = execute(&server, &json!({"code": "x = bytearray(200_000_000)", "max_memory_mb": 100}));
    assert_eq!((&result["status"], &result["exit_code"]), (&json!("completed"), &json!(1)), "{result}");
    assert!(result["stderr"].as_str().is_some_and(|text| text.contains("MemoryError")), "{result}");
    let result = execute(&server, &json!({"code": "if", "timeout": null, "max_memory_mb": "512"}));
    assert!(result["stderr"].as_str().is_some_and(|text| text.contains("SyntaxError")), "{result}");
}

#[test]
fn the_policy_is_a_setting() {
    let refused = |server: &Server, code: &str| {
        let answer = server.post_json("/execute", &json!({"code": code}));
        answer.status == 400 && answer.json() == json!({"detail": "Unsafe code detected"})
    };
    let server = Server::shared();
    for code in
        ["import subprocess; subprocess.run(['ls'])", "from os import popen", "import os as o; o.execv('x', [])"]
    {
        assert!(refused(&server, code), "{code}");
    }
    let deep = format!("import os\nx = {}1\nos.system('ls')", "-".repeat(5000));
    assert!(refused(&server, &deep), "what cannot be looked through is not harmless");
    for code in ["import os; print(os.getcwd())", "print('os.system')", "open('x', 'w').write('y')"] {
        assert!(!refused(&server, code), "{code}");
    }
    let own = Server::start(&[("PYEXEC_CODE_POLICY", "eval,sys")], &[]);
    assert!(refused(&own, "print(eval('1'))") && refused(&own, "import sys"));
    assert!(!refused(&own, "import os; os.getcwd()"));
    let none = Server::start(&[("PYEXEC_CODE_POLICY", "")], &[]);
    assert!(!refused(&none, "import os; print(os.system)"));
    let Err(ended) = Server::try_start(&[("PYEXEC_CODE_POLICY", "os.sys tem")], &["--port", "0"]) else {
        panic!("it is no name");
    };
    assert!(ended.log.contains("code_policy") && ended.log.contains("subprocess"), "{}", ended.log);
}

#[test]
fn what_is_wrong_is_said_member_by_member() {
    let server = Server::shared();
    let wrong = |body: &str| -> Answer { server.call("POST", "/execute", &[], body.as_bytes()) };
    for (body, kind, name) in [
        (r#"{"code": 5}"#, "string_type", "code"),
        (r#"{"code": "1", "timeout": "soon"}"#, "int_type", "timeout"),
        (r#"{"code": "1", "timeout": -1}"#, "int_type", "timeout"),
        (r#"{"code": "1", "timeout": 1e300}"#, "int_type", "timeout"),
        (r#"{"code": "1", "max_memory_mb": 1.5}"#, "int_type", "max_memory_mb"),
        (r#"{"code": "1", "language": []}"#, "string_type", "language"),
    ] {
        let answer = wrong(body);
        assert_eq!(answer.status, 422, "{body}: {}", answer.text());
        let detail = answer.json();
        assert_eq!((&detail["detail"][0]["type"], &detail["detail"][0]["loc"]), (&json!(kind), &json!(["body", name])));
    }
    let answer = wrong(r#"{"code": "1", "language": "ruby"}"#);
    assert_eq!((answer.status, answer.json()), (400, json!({"detail": "Language ruby not supported"})));
    let answer = server.post_json("/execute", &json!({"code": "x".repeat(200_000)}));
    assert_eq!(answer.status, 413, "{}", answer.text());
    // For none of the services.
    let answer = wrong(r#"{"language": "python"}"#);
    assert!(answer.status == 400 && answer.error().contains("session_id and code"), "{}", answer.text());
    for body in ["", "[]", "{", "nul"] {
        assert_eq!(wrong(body).status, 422, "{body}");
    }
}

#[test]
fn a_server_that_stands_in_for_it_takes_its_variables() {
    let variables = [
        ("PYEXEC_SERVICE", "code-executor"),
        ("EXECUTION_TIMEOUT", "1"),
        ("MAX_MEMORY_MB", "512"),
        ("MAX_OUTPUT_SIZE", "1000"),
        ("ALLOWED_MODULES", "numpy"),
        ("BYPASS_SETUP", "true"),
    ];
    let server = Server::start(&variables, &[]);
    assert_eq!(server.get("/health").json()["status"], "healthy");
    let result = execute(&server, &json!({"code": "while True: pass"}));
    assert_eq!((&result["status"], result["stderr"].is_string()), (&json!("timeout"), true), "{result}");
    let result = execute(&server, &json!({"code": "print('x' * 5000)"}));
    assert!(result["stdout"].as_str().is_some_and(|text| text.len() < 1500), "{result}");
    assert_eq!(server.eval(&json!({"code": "1"}))["limits"]["memory_mb"], 512);
    assert!(server.log().contains("BYPASS_SETUP"), "{}", server.log());
    let answer = server.post_json("/execute", &json!({"script": "def main(): return 1"}));
    assert_eq!((answer.status, &answer.json()["detail"][0]["loc"]), (422, &json!(["body", "code"])));
    let Err(ended) = Server::try_start(&[("PYEXEC_SERVICE", "flask")], &["--port", "0"]) else {
        panic!("there is no such service");
    };
    assert!(ended.log.contains("code-executor"), "{}", ended.log);
}
