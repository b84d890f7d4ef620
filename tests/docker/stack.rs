//! A job's stack is that of a script: nothing of the runner is below it.

use super::{block_on, job, stdout, with_docker};
use crate::support::docker::Containers;
use pyexec::{Job, Want, executor::docker::Placement, outcome::Ending};

async fn stderr(containers: &Containers, job: Job) -> String {
    let outcome = containers.run(job).await;
    assert_eq!(outcome.ending, Ending::Exited { exit_code: 1 }, "{outcome:#?}");
    outcome.stderr.text
}

#[test]
fn nothing_of_the_runner_is_on_the_stack() {
    let Some(containers) = Containers::new(|_| ()) else { return };
    block_on(async {
        for image in ["python:3.13-slim", "python:3.11-slim"] {
            let mut placement = Placement::default();
            placement.image = Some(image.to_owned());
            let code = "import inspect, sys, threading, traceback, warnings\n\
                print([frame.name for frame in traceback.extract_stack()], sys._getframe().f_back, len(inspect.stack()), sys.exc_info())\n\
                print(threading.current_thread() is threading.main_thread(), hasattr(sys, 'last_value'), sys.excepthook is sys.__excepthook__)\n\
                def deep(n):\n    try: return deep(n + 1)\n    except RecursionError: return n\n\
                print(990 < deep(1) < 1000)\n\
                class Last:\n    def __del__(self): print('deleted', len(inspect.stack()))\n\
                last = Last()\n\
                import atexit; atexit.register(print, 'at exit')\n\
                sys.exit(3)";
            let outcome = containers.placed(job(code), placement).await.expect("an outcome");
            assert_eq!(
                (outcome.stdout.text.as_str(), outcome.ending.clone()),
                (
                    "['<module>'] None 1 (None, None, None)\nTrue False True\nTrue\nat exit\ndeleted 1\n",
                    Ending::Exited { exit_code: 3 }
                ),
                "{outcome:#?}"
            );
        }
    });
}

#[test]
fn tracebacks_have_the_lines_of_the_script_and_of_nothing_else() {
    with_docker(async |containers| {
        let code = "def f():\n    exec('\\n\\n1/0')\nf()";
        let expected = "Traceback (most recent call last):\n  File \"/work/main.py\", line 3, in <module>\n    f()\n    ~^^\n  \
            File \"/work/main.py\", line 2, in f\n    exec('\\n\\n1/0')\n    ~~~~^^^^^^^^^^^\n  File \"<string>\", line 3, in <module>\n\
            ZeroDivisionError: division by zero\n";
        for want in [Want::Nothing, Want::LastExpression] {
            assert_eq!(stderr(&containers, job(code).want(want)).await, expected);
        }
        let call = Want::Call { function: "f".to_owned(), arguments: serde_json::json!([1]).into() };
        assert_eq!(
            stderr(&containers, job("def f(x):\n    raise KeyError(x)").want(call)).await,
            "Traceback (most recent call last):\n  File \"/work/main.py\", line 2, in f\n    raise KeyError(x)\nKeyError: 1\n"
        );
    });
}

#[test]
fn a_syntax_error_has_no_traceback() {
    with_docker(async |containers| {
        for want in [Want::Nothing, Want::LastExpression] {
            assert_eq!(
                stderr(&containers, job("x = 1\nfor n in x\n    pass").want(want)).await,
                "  File \"/work/main.py\", line 2\n    for n in x\n              ^\nSyntaxError: expected ':'\n"
            );
        }
    });
}

#[test]
fn a_jobs_own_hooks_are_called_as_a_scripts() {
    with_docker(async |containers| {
        let hook = "import sys, traceback\ndef hook(kind, *_): print(kind.__name__, len(traceback.extract_stack()))\n";
        assert_eq!(
            containers.run(job(&format!("{hook}sys.excepthook = hook\n1/0"))).await.stdout.text,
            "ZeroDivisionError 1\n"
        );
        let unraisable = "class D:\n    def __del__(self): 1/0\n";
        assert_eq!(
            stdout(
                &containers,
                &format!("import sys\nsys.unraisablehook = lambda u: print(u.exc_type.__name__)\n{unraisable}D()")
            )
            .await,
            "ZeroDivisionError\n"
        );
        // It is not told of the script's own end.
        let own = "import sys\nsys.unraisablehook = print\n";
        let outcome = containers.run(job(&format!("{own}sys.exit(4)"))).await;
        assert_eq!((outcome.stdout.text.as_str(), outcome.ending), ("", Ending::Exited { exit_code: 4 }));
        let outcome = containers.run(job(&format!("{own}1/0"))).await;
        assert_eq!(outcome.exception.map(|exception| exception.kind).as_deref(), Some("ZeroDivisionError"));
        let outcome = containers.run(job(&format!("{unraisable}D()\nprint('on')"))).await;
        assert_eq!(outcome.stdout.text, "on\n");
        assert!(outcome.stderr.text.starts_with("Exception ignored in"), "{}", outcome.stderr.text);
    });
}

#[test]
fn a_job_out_of_memory_says_so_whatever_filled_it() {
    let Some(containers) = Containers::new(|_| ()) else { return };
    block_on(async {
        for filling in
            ["x.append([])", "x.append((1, 2, 3, len(x)))", "x.append(bytes(70))", "x.append(str(len(x)) * 100)"]
        {
            let outcome = containers.run(job(&format!("x = []\nwhile True: {filling}"))).await;
            let kind = outcome.exception.as_ref().map(|exception| exception.kind.as_str());
            assert_eq!(kind, Some("MemoryError"), "{filling}: {outcome:#?}");
            assert_eq!(outcome.ending, Ending::Exited { exit_code: 1 }, "{filling}");
            assert!(!outcome.stderr.text.contains("hook"), "{}", outcome.stderr.text);
        }
    });
}

#[test]
fn cells_await_at_their_top_and_call_run_beside_it() {
    with_docker(async |containers| {
        let code = "import asyncio\n\
            async def double(n):\n    await asyncio.sleep(0.01)\n    return n * 2\n\
            assert asyncio.run(double(1)) == 2\n\
            task = asyncio.create_task(double(7))\n\
            print(await task)\n\
            await asyncio.gather(double(2), double(5))";
        let outcome = containers.run(job(code).want(Want::LastExpression)).await;
        assert_eq!(
            (outcome.stdout.text.as_str(), outcome.result.as_deref()),
            ("14\n", Some("[4, 10]")),
            "{outcome:#?}"
        );
        // A script is no cell.
        assert!(stderr(&containers, job("await x")).await.contains("SyntaxError: 'await' outside function"));
        let failing = "import asyncio\nasync def f():\n    1/0\nawait f()";
        let said = stderr(&containers, job(failing).want(Want::LastExpression)).await;
        assert!(said.starts_with("Traceback (most recent call last):\n  File \"/work/main.py\", line 4"), "{said}");
    });
}

#[test]
fn lines_of_notebooks_that_install_are_passed_over() {
    with_docker(async |containers| {
        let code = "!pip install -q tabulate \\\n    more\nif True:\n    %pip install other\nprint('''\n!pip install x''')\nnames = [1]\nprint(names)";
        assert_eq!(stdout(&containers, code).await, "\n!pip install x\n[1]\n");
        assert!(stderr(&containers, job("!pip install x\n1/0")).await.contains("line 2, in <module>"));
        assert!(stderr(&containers, job("!ls")).await.contains("SyntaxError"));
        assert_eq!(stdout(&containers, "!sudo pip install x\n%conda install -c y x\nprint(1)").await, "1\n");
        assert!(stderr(&containers, job("!pip install-x")).await.contains("SyntaxError"));
        let cell = |code: &str| job(code).want(Want::LastExpression);
        let shown = containers.run(cell("%matplotlib inline\ndisplay([1], None)")).await;
        assert_eq!(shown.stdout.text, "[1]\nNone\n", "{shown:#?}");
        let said = stderr(&containers, cell("x = 1\n!ls -la")).await;
        assert!(said.contains("subprocess.run('ls -la', shell=True)"), "{said}");
    });
}
