//! What a container has beside the script: packages for every Python in it, a loopback, other names of its folders.

use super::{job, limits, stdout, with_docker};
use pyexec::executor::docker::{PackageFolder, Packages, Placement};

pub(super) fn with_package() -> Placement {
    let folder = tempfile::tempdir().expect("a folder");
    let info = folder.path().join("prepared_package-1.5.dist-info");
    std::fs::create_dir_all(&info).expect("made");
    std::fs::create_dir(folder.path().join("bin")).expect("made");
    let tool = folder.path().join("bin/prepared-tool");
    for (path, content) in [
        (folder.path().join("prepared_package.py"), "VALUE = 42\n"),
        (info.join("METADATA"), "Metadata-Version: 2.1\nName: prepared-package\nVersion: 1.5\n"),
        (info.join("RECORD"), "prepared_package.py,,\n"),
        (info.join("INSTALLER"), "uv\n"),
        (tool.clone(), "#!/usr/bin/env python3\nimport prepared_package\nprint('tool', prepared_package.VALUE)\n"),
    ] {
        std::fs::write(path, content).expect("written");
    }
    std::os::unix::fs::symlink("prepared_package.py", folder.path().join("alias.py")).expect("made");
    let executable = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(tool, executable).expect("set");
    let mut placement = Placement::default();
    placement.packages = Packages::Folder(PackageFolder::new("packages-1", folder));
    placement
}

#[test]
fn every_python_in_a_container_sees_its_packages() {
    with_docker(async |containers| {
        let code = "import multiprocessing, os, subprocess, sys\n\
            import prepared_package\n\
            def value(_): return prepared_package.VALUE\n\
            run = lambda *command: subprocess.run(command, capture_output=True, text=True).stdout.strip()\n\
            if __name__ == '__main__':\n\
            \x20   print(run(sys.executable, '-c', 'import prepared_package; print(prepared_package.VALUE)'))\n\
            \x20   print(run('python3', '-I', '-c', 'import prepared_package; print(prepared_package.VALUE)'), run('prepared-tool'))\n\
            \x20   with multiprocessing.get_context('spawn').Pool(1) as pool: print(pool.map(value, [1]))\n\
            \x20   print([line for line in run(sys.executable, '-m', 'pip', 'list').splitlines() if 'prepared' in line])\n\
            \x20   print(run(sys.executable, '-m', 'pip', 'install', 'prepared-package'))\n\
            \x20   print(os.listdir('/environment/__pycache__') != [], prepared_package.__cached__ != '')\n\
            \x20   print(sys.path.index('/environment') < min(n for n, path in enumerate(sys.path) if 'dist-packages' in path))";
        let roomy = limits(|limits| limits.memory_bytes = 512 << 20);
        let outcome = containers.prepared(job(code).limits(roomy), &with_package()).await;
        let lines: Vec<_> = outcome.stdout.text.lines().collect();
        assert_eq!(lines[..3], ["42", "42 tool 42", "[42]"], "{outcome:#?}");
        assert!(lines[3].contains("prepared-package 1.5"), "{outcome:#?}");
        let satisfied = "Requirement already satisfied: prepared-package";
        assert!(outcome.stdout.text.contains(satisfied), "{outcome:#?}");
        assert_eq!(lines[lines.len() - 2..], ["True True", "True"], "{outcome:#?}");
        assert_eq!(outcome.stderr.text, "");
    });
}

#[test]
fn pip_at_run_time_installs_where_it_is_imported_or_says_what_to_do() {
    with_docker(async |containers| {
        let outcome = containers
            .run(job("import subprocess, sys\nprint(subprocess.call([sys.executable, '-m', 'pip', 'install', '-q', 'no-such-thing']))"))
            .await;
        assert_eq!(outcome.stdout.text, "1\n", "{outcome:#?}");
        assert!(
            outcome.stderr.text.ends_with(
                "pyexec: pip cannot install no-such-thing here, for there is no network: name it in the requirements of the job\n"
            ),
            "{outcome:#?}"
        );
        let code = "import subprocess, sys, zipfile\n\
            with zipfile.ZipFile('own_thing-1-py3-none-any.whl', 'w') as wheel:\n\
            \x20   wheel.writestr('own_thing.py', 'VALUE = 7')\n\
            \x20   wheel.writestr('own_thing-1.dist-info/METADATA', 'Metadata-Version: 2.1\\nName: own-thing\\nVersion: 1\\n')\n\
            \x20   wheel.writestr('own_thing-1.dist-info/WHEEL', 'Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n')\n\
            \x20   wheel.writestr('own_thing-1.dist-info/RECORD', '')\n\
            subprocess.run([sys.executable, '-m', 'pip', 'install', '-q', './own_thing-1-py3-none-any.whl'], check=True, stderr=subprocess.DEVNULL)\n\
            import own_thing\n\
            print(own_thing.VALUE)";
        assert_eq!(stdout(&containers, code).await, "7\n");
    });
}

#[test]
fn a_server_of_its_own_is_reached_without_a_network() {
    with_docker(async |containers| {
        let code = "import asyncio, http.server, multiprocessing, socket, threading, urllib.request\n\
            class Quiet(http.server.SimpleHTTPRequestHandler):\n\
            \x20   def log_message(self, *_): pass\n\
            server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Quiet)\n\
            threading.Thread(target=server.serve_forever, daemon=True).start()\n\
            for host in ('127.0.0.1', 'localhost', socket.gethostname()):\n\
            \x20   print(urllib.request.urlopen(f'http://{host}:{server.server_port}/main.py').status)\n\
            async def answer(reader, writer): writer.write(await reader.readline()); writer.close()\n\
            async def main():\n\
            \x20   server = await asyncio.start_server(answer, 'localhost', 0)\n\
            \x20   reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname()[:2])\n\
            \x20   writer.write(b'hello\\n'); print(await reader.readline()); writer.close()\n\
            asyncio.run(main())\n\
            if __name__ == '__main__':\n\
            \x20   with multiprocessing.Manager() as manager:\n\
            \x20       shared = manager.dict(); child = multiprocessing.Process(target=shared.update, args=({'a': 1},))\n\
            \x20       child.start(); child.join(); print(dict(shared))";
        assert_eq!(stdout(&containers, code).await, "200\n200\n200\nb'hello\\n'\n{'a': 1}\n");
    });
}

#[test]
fn the_projects_folder_has_another_name_and_files_in_tmp_come_back() {
    with_docker(async |containers| {
        let code = "import getpass, os\nopen('/mnt/data/out.txt', 'w').write('1')\nopen('/tmp/report.csv', 'w').write('2')\n\
            open('/tmp/.hidden', 'w').write('3')\nprint(sorted(os.listdir('/mnt/data')), os.path.realpath('/mnt/data'), getpass.getuser())";
        let outcome = containers.run(job(code).collect_files(true)).await;
        assert_eq!(outcome.stdout.text, "['main.py', 'out.txt'] /work user\n", "{outcome:#?}");
        let files: Vec<_> = outcome.files.iter().map(|file| (file.path.as_str(), &file.content[..])).collect();
        assert_eq!(files, [("/tmp/report.csv", &b"2"[..]), ("out.txt", b"1")]);
    });
}

#[test]
fn containers_have_users_of_their_own() {
    with_docker(async |containers| {
        let user = "import os; print(os.getuid(), os.stat('/work').st_uid, os.stat('/work/main.py').st_uid)";
        let (one, other) = (stdout(&containers, user).await, stdout(&containers, user).await);
        assert_ne!(one, other);
        for said in [one, other] {
            let ids: Vec<_> = said.split_whitespace().collect();
            assert!(ids.iter().all(|id| *id == ids[0]), "{said}");
        }
    });
}
