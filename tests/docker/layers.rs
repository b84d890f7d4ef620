//! Layers: what commands and packages put into a job's image, and what they cannot do while they do it.

use super::{block_on, gone, job, limits, with_docker};
use crate::support::docker::{Containers, docker, layers_of, options, run_in, silent};
use pyexec::executor::docker::{DockerExecutor, DockerOptions, Instance, PackageFolder, Packages, Placement, Step};
use std::{
    path::Path,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

fn with_commands(commands: &[&str]) -> Placement {
    let mut placement = Placement::default();
    placement.pre_commands = commands.iter().map(|&command| command.to_owned()).collect();
    placement
}

fn with_packages(packages: Packages) -> Placement {
    let mut placement = Placement::default();
    placement.packages = packages;
    placement
}

async fn refusal(containers: &Containers, placement: &Placement) -> String {
    match containers.prepare(placement).await {
        Err(error) if error.is_invalid_job() => error.message().to_owned(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn apt_installs_what_a_job_then_uses() {
    with_docker(async |containers| {
        let placement =
            with_commands(&["apt-get update", "apt-get install -y --no-install-recommends hello openssh-client"]);
        let code =
            "import os, subprocess\nprint(subprocess.check_output(['hello'], text=True).strip(), os.getuid() > 0)";
        let outcome = containers.prepared(job(code), &placement).await;
        assert_eq!(outcome.stdout.text, "Hello, world! True\n", "{outcome:#?}");
        // The second time it is there.
        let began = Instant::now();
        assert!(containers.prepared(job(code), &placement).await.success());
        assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    });
}

#[test]
fn packages_without_wheels_are_built_and_imported() {
    with_docker(async |containers| {
        // docopt has no wheel.
        let placement = with_packages(Packages::Build(vec!["docopt==0.6.2".to_owned()]));
        let code = "import docopt\nprint(docopt.__version__, docopt.__file__)\ntry: open(docopt.__file__, 'w')\nexcept OSError as e: print(e.strerror)";
        let outcome = containers.prepared(job(code), &placement).await;
        assert_eq!(outcome.stdout.text, "0.6.2 /environment/docopt.py\nRead-only file system\n", "{outcome:#?}");
        let missing = with_packages(Packages::Build(vec!["pyexec-there-is-no-such-package".to_owned()]));
        let message = refusal(&containers, &missing).await;
        assert!(
            message.contains("installing pyexec-there-is-no-such-package with pip failed with status 1"),
            "{message}"
        );
        assert!(message.contains("No matching distribution"), "{message}");
    });
}

fn folder_with(name: &str, code: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join(format!("{name}.py")), code).expect("written");
    folder
}

#[test]
fn a_folder_of_packages_is_imported_and_cannot_be_changed() {
    with_docker(async |containers| {
        let folder = folder_with("prepared_package", "VALUE = 42");
        std::fs::write(folder.path().join("big.bin"), vec![7; 30 << 20]).expect("written");
        let placement = with_packages(Packages::Folder(PackageFolder::new("prepared-1", folder)));
        let code = "import os, prepared_package as p\nprint(p.VALUE, p.__file__, os.stat('/environment').st_uid, os.path.getsize('/environment/big.bin'))\n\
            try: open(p.__file__, 'w')\nexcept OSError as e: print(e.strerror)";
        let outcome = containers.prepared(job(code), &placement).await;
        assert_eq!(
            outcome.stdout.text, "42 /environment/prepared_package.py 0 31457280\nRead-only file system\n",
            "{outcome:#?}"
        );
        // Commands first, then the folder.
        let folder = folder_with("prepared_package", "VALUE = open('/made').read()");
        let mut placement = with_packages(Packages::Folder(PackageFolder::new("prepared-2", folder)));
        placement.pre_commands = vec!["echo -n first > /made; test ! -e /environment".to_owned()];
        let outcome = containers.prepared(job("import prepared_package as p; print(p.VALUE)"), &placement).await;
        assert_eq!(outcome.stdout.text, "first\n", "{outcome:#?}");
    });
}

#[test]
fn a_folder_that_leads_out_or_is_gone_makes_no_layer() {
    with_docker(async |containers| {
        let folder = tempfile::tempdir().expect("a folder");
        std::os::unix::fs::symlink("/etc/passwd", folder.path().join("passwd")).expect("made");
        let leads_out = PackageFolder::new("leads-out", folder);
        let is_gone = PackageFolder::new("is-gone", Path::new("/nowhere/at/all"));
        for (packages, words) in [(leads_out, "is a link that leads out"), (is_gone, "No such file")] {
            let refused = containers.prepare(&with_packages(Packages::Folder(packages))).await;
            assert!(
                matches!(&refused, Err(error) if !error.is_invalid_job() && error.message().contains(words)),
                "{refused:?}"
            );
        }
        assert!(layers_of(&containers.instance).is_empty());
    });
}

#[test]
fn the_first_command_that_fails_ends_it_and_says_why() {
    with_docker(async |containers| {
        let said = Arc::new(Mutex::new(Vec::new()));
        let progress = {
            let said = Arc::clone(&said);
            Arc::new(move |step: Step| said.lock().expect("not poisoned").push(step.to_string()))
        };
        let placement = with_commands(&["echo one", "echo what is wrong >&2; exit 3", "echo never"]);
        let error = containers.executor().prepare(&placement, progress).await.expect_err("fails");
        assert_eq!(
            error.to_string(),
            "the command `echo what is wrong >&2; exit 3` failed with status 3:\nwhat is wrong"
        );
        let said = said.lock().expect("not poisoned").clone();
        assert_eq!(said, ["running echo one", "one", "running echo what is wrong >&2; exit 3", "what is wrong"]);
        // A failure is not kept.
        assert_eq!(refusal(&containers, &placement).await, error.to_string());
        // What a command leaves behind does not hold the next.
        let began = Instant::now();
        let outcome =
            containers.prepared(job("print(open('/x').read())"), &with_commands(&["sleep 300 & echo x > /x"])).await;
        assert_eq!(outcome.stdout.text, "x\n\n");
        assert!(began.elapsed() < Duration::from_secs(30), "{:?}", began.elapsed());
        // Nor does the end of the container's own process, nor a flood.
        let killed = containers.prepare(&with_commands(&["kill -9 -1; kill -9 1; sleep 60"])).await;
        assert!(killed.is_err() || layers_of(&containers.instance).len() == 2, "{killed:?}");
        let flood = refusal(&containers, &with_commands(&["timeout 3 yes | head -c 200000000; exit 1"])).await;
        assert!(flood.len() < 10_000, "{}", flood.len());
    });
}

/// A package whose installation looks around, as the commands of strangers do.
const LOOK_AROUND: &str = "import glob, os, socket\n\
    status = dict(line.split(':', 1) for line in open('/proc/self/status'))\n\
    found = [status['CapEff'].strip(), status['NoNewPrivs'].strip(), status['Seccomp'].strip(), os.listdir('/work') if os.path.exists('/work') else None,\n\
    \x20   os.path.exists('/var/run/docker.sock'), sorted(n for n in os.environ if 'SECRET' in n or 'PYEXEC' in n or 'INDEX' in n)]\n\
    for name, call in dict(device=lambda: os.mknod('/dev/evil', 0o60600, 0x800), chroot=lambda: os.chroot('/tmp'),\n\
    \x20   sysctl=lambda: open('/proc/sys/kernel/core_pattern', 'w'), sysfs=lambda: open('/sys/kernel/mm/ksm/run', 'w'),\n\
    \x20   packets=lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW), raw=lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, 1),\n\
    \x20   namespace=lambda: os.unshare(0x10000000), network=lambda: os.unshare(0x40000000)).items():\n\
    \x20   try: call(); found.append(name)\n\
    \x20   except (OSError, AttributeError) as e: pass\n";

#[test]
fn hostile_packages_and_commands_are_contained() {
    let Some(containers) = Containers::new(|options| {
        options.build_env = vec![("PIP_EXTRA_INDEX_URL".to_owned(), "https://user:password@index.invalid/".to_owned())];
    }) else {
        return;
    };
    block_on(async {
        let setup = format!(
            "{LOOK_AROUND}open('/seen', 'w').write(repr(found))\nfrom setuptools import setup\nsetup(name='hostile', version='1', py_modules=[])"
        );
        let make = format!(
            "mkdir -p /s/hostile-1 && cd /s/hostile-1 && cat > setup.py <<'END'\n{setup}\nEND\n\
             printf 'Metadata-Version: 1.0\\nName: hostile\\nVersion: 1\\n' > PKG-INFO && cd .. && tar czf hostile-1.tar.gz hostile-1 && rm -r hostile-1\n\
             printf '[global]\\nfind-links = /s\\nno-index = true\\nno-build-isolation = true\\n' > /etc/pip.conf"
        );
        let mut placement = with_packages(Packages::Build(vec!["hostile==1".to_owned()]));
        placement.pre_commands = vec!["python3 -m pip install setuptools".to_owned(), make];
        let code = "import os\nprint(open('/seen').read()); print(sorted(n for n in os.environ if 'PIP' in n and n != 'PIP_CERT'))";
        let job = job(code).env("SECRET", "of the job");
        let outcome = containers.prepared(job, &placement).await;
        // The index is the operator's setting for just this, and no job sees it later.
        let expected = "['00000000000000db', '1', '2', [], False, ['PIP_EXTRA_INDEX_URL']]\n[]\n";
        assert_eq!(outcome.stdout.text, expected, "{outcome:#?}");
        let image = containers.prepare(&placement).await.expect("there");
        drop(image);
        for layer in layers_of(&containers.instance) {
            assert!(!docker(&["inspect", &layer]).contains("password"));
        }
    });
}

#[test]
fn requirements_are_no_options_for_pip() {
    with_docker(async |containers| {
        for requirement in ["-r/etc/passwd", "--index-url=https://index.invalid/", "-e.", "--help"] {
            let placement = with_packages(Packages::Build(vec![requirement.to_owned()]));
            let message = refusal(&containers, &placement).await;
            assert!(message.contains("nvalid requirement"), "{message}");
            assert!(!message.contains("root:x:0"), "{message}");
        }
    });
}

#[test]
fn many_that_want_the_same_at_once_wait_for_one_build() {
    with_docker(async |containers| {
        let placement = with_commands(&["cat /proc/sys/kernel/random/uuid > /made; sleep 2"]);
        let started = Arc::new(Mutex::new(0));
        let preparing = (0..19).map(|_| {
            let started = Arc::clone(&started);
            let progress = Arc::new(move |step: Step| {
                if matches!(step, Step::Running { .. }) {
                    *started.lock().expect("not poisoned") += 1;
                }
            });
            containers.executor().prepare(&placement, progress)
        });
        // The first of them goes away.
        let preparing: Vec<_> = preparing.map(Box::pin).collect();
        let mut first = Box::pin(containers.prepare(&placement));
        tokio::select! {
            prepared = &mut first => panic!("{prepared:?}"),
            () = tokio::time::sleep(Duration::from_millis(300)) => {}
        }
        let rest = tokio::spawn({
            let containers = Arc::clone(&containers);
            let placement = placement.clone();
            async move { containers.prepare(&placement).await.map(|_| ()) }
        });
        tokio::time::sleep(Duration::from_millis(300)).await;
        drop(first);
        let all = futures_util::future::join_all(preparing).await;
        assert!(all.iter().all(Result::is_ok), "{all:?}");
        rest.await.expect("joined").expect("prepared");
        assert_eq!(layers_of(&containers.instance).len(), 1);
        assert_eq!(*started.lock().expect("not poisoned"), 19, "all were told of the one command");
    });
}

#[test]
fn a_build_that_nobody_waits_for_ends() {
    with_docker(async |containers| {
        let placement = with_commands(&["sleep 100"]);
        let waited = tokio::time::timeout(Duration::from_secs(4), containers.prepare(&placement)).await;
        assert!(waited.is_err());
        gone(&containers).await;
        assert!(layers_of(&containers.instance).is_empty());
    });
}

#[test]
fn builds_have_a_deadline_and_a_bound_on_their_disk() {
    let Some(containers) = Containers::new(|options| {
        options.build_timeout = Duration::from_secs(8);
        options.build_disk_bytes = 50 << 20;
    }) else {
        return;
    };
    block_on(async {
        let message = refusal(&containers, &with_commands(&["sleep 100"])).await;
        assert!(message.contains("longer than 8 s"), "{message}");
        let many = "for i in $(seq 100); do head -c 20000000 /dev/zero > /file$i; sleep 0.3; done";
        let message = refusal(&containers, &with_commands(&[many])).await;
        assert!(message.contains("more than 52428800 bytes of disk"), "{message}");
        let one = "head -c 100000000 /dev/zero > /big";
        let message = refusal(&containers, &with_commands(&[one])).await;
        assert!(message.contains("failed with status"), "{message}");
        gone(&containers).await;
        assert!(layers_of(&containers.instance).is_empty());
    });
}

fn reopened(containers: &Containers, change: impl FnOnce(&mut DockerOptions)) -> DockerExecutor {
    let mut options = options();
    options.instance = Instance::Exclusive(containers.instance.clone());
    change(&mut options);
    DockerExecutor::connect(options).expect("Docker")
}

#[test]
fn layers_outlive_their_process_and_come_back_when_they_were_removed() {
    with_docker(async |containers| {
        let placement = with_commands(&["cat /proc/sys/kernel/random/uuid > /made"]);
        let made = |containers: Arc<Containers>| {
            let placement = placement.clone();
            async move { containers.prepared(job("print(open('/made').read().strip())"), &placement).await.stdout.text }
        };
        let first = made(Arc::clone(&containers)).await;
        containers.executor().shutdown().await.expect("shut down");
        let again = reopened(&containers, |_| ());
        let prepared = again.prepare(&placement, silent()).await.expect("prepared");
        let nobody = || |_: pyexec::Event<'_>| ();
        let code = "print(open('/made').read().strip())";
        let run = run_in(&again, prepared.clone(), job(code), nobody()).await.expect("an outcome");
        assert_eq!(run.stdout.text, first, "not made again");
        for layer in layers_of(&containers.instance) {
            docker(&["rmi", "--force", &layer]);
        }
        let patient = job(code).limits(limits(|limits| limits.wall_clock_ms = 60_000));
        let run = run_in(&again, prepared, patient, nobody());
        let run = run.await.expect("an outcome");
        assert!(run.success() && run.stdout.text != first, "{run:#?}");
        again.shutdown().await.expect("shut down");
        assert_eq!(layers_of(&containers.instance).len(), 1);
    });
}

#[test]
fn layers_beyond_their_limit_go_and_those_in_use_stay() {
    let Some(containers) = Containers::new(|options| options.layers_max_bytes = 25 << 20) else { return };
    block_on(async {
        let ten_megabytes = |name: &str| with_commands(&[&format!("head -c 10485760 /dev/urandom > /{name}")]);
        let held = containers.prepare(&ten_megabytes("held")).await.expect("prepared");
        drop(containers.prepare(&ten_megabytes("old")).await.expect("prepared"));
        drop(containers.prepare(&ten_megabytes("new")).await.expect("prepared"));
        let began = Instant::now();
        while layers_of(&containers.instance).len() > 2 {
            assert!(began.elapsed() < Duration::from_secs(20), "{:?}", layers_of(&containers.instance));
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        let look = job("import os; print(os.listdir('/').count('held'))");
        let ran = run_in(containers.executor(), held, look, |_: pyexec::Event<'_>| ()).await;
        assert_eq!(ran.expect("an outcome").stdout.text, "1\n");
        let kept: Vec<_> = layers_of(&containers.instance);
        drop(containers.prepare(&ten_megabytes("new")).await.expect("prepared"));
        assert_eq!(
            layers_of(&containers.instance),
            kept,
            "the new one was there, and the old one was not used for longest"
        );
    });
}

#[test]
fn builds_are_made_in_turns_of_their_owners() {
    let Some(containers) = Containers::new(|options| options.builds = 1) else { return };
    let of = |owner: u64, number: u32| {
        let mut placement = with_commands(&[&format!("sleep 1 # {owner} {number}")]);
        placement.owner = owner;
        placement
    };
    let ended = Mutex::new(Vec::new());
    block_on(async {
        let build = async |owner: u64, number: u32| {
            // In this order, whatever thread comes first.
            tokio::time::sleep(Duration::from_millis(u64::from(number) * 50)).await;
            containers.prepare(&of(owner, number)).await.expect("made");
            ended.lock().expect("not poisoned").push(owner);
        };
        tokio::join!(build(1, 0), build(1, 1), build(1, 2), build(1, 3), build(2, 4));
    });
    let order = ended.into_inner().expect("not poisoned");
    // In the order in which they were asked for it would be the last.
    assert!(order.iter().position(|owner| *owner == 2) <= Some(2), "{order:?}");
}
