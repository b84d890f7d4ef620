//! What the package index has or does not have, and what the operator allows of it.

use super::*;
use std::{
    io::{Read, Write},
    net::TcpListener,
    process::Command,
    thread,
};

async fn reason(options: EnvironmentOptions, text: &str, platform: Platform) -> (Reason, String) {
    let environments = Environments::new(options).unwrap();
    let refusal = environments.prepare(&required(text), platform, &|_| {}).await.unwrap_err();
    assert_eq!(unfinished(&environments.shared.store.entry(&Id::of("")).with_file_name("")), 0);
    let message = refusal.to_string();
    assert!(message.len() < 1500 && !message.contains("secret") && !message.contains('/'), "{message}");
    (refusal.reason, message)
}

#[tokio::test]
async fn what_the_index_does_not_have_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let refused = async |text: &str| reason(options(folder.path()), text, PLATFORM).await;
    let (missing, message) = refused("rich\nthis-package-does-not-exist-xyzzy").await;
    assert_eq!(missing, Reason::NotFound { package: "this-package-does-not-exist-xyzzy".to_owned() });
    assert!(message.starts_with("this-package-does-not-exist-xyzzy is not in the package index"), "{message}");
    let (version, _) = refused("attrs==99.1").await;
    assert_eq!(version, Reason::NotFound { package: "attrs==99.1".to_owned() });
}

#[tokio::test]
async fn a_package_without_wheels_is_named() {
    let folder = tempfile::tempdir().unwrap();
    for (text, platform, package) in [
        ("docopt", PLATFORM, "docopt"),
        ("numpy==1.19.0", PLATFORM, "numpy==1.19.0"),
        ("numpy==2.2.0", linux((3, 9)), "numpy==2.2.0"),
    ] {
        let (reason, message) = reason(options(folder.path()), text, platform).await;
        let python = platform.python();
        let Reason::NoWheel { packages, .. } = reason else { panic!("{text}: {reason:?}") };
        assert_eq!(packages, [package]);
        assert!(message.starts_with(&format!("{package} has no wheel for Python {python} on x86_64")), "{message}");
    }
}

#[tokio::test]
async fn nothing_older_is_taken_where_what_is_newer_needs_building() {
    let folder = tempfile::tempdir().unwrap();
    // Its newest versions need docopt, and the one before was published without a wheel.
    let (reason, message) = reason(options(folder.path()), "num2words", PLATFORM).await;
    assert_eq!(reason, Reason::NoWheel { packages: vec!["docopt==0.6.2".to_owned()], platform: PLATFORM.in_words() });
    assert!(message.starts_with("docopt==0.6.2 has no wheel for"), "{message}");
    // What is older because somebody wants it is not for want of a wheel.
    let environments = Environments::new(options(folder.path())).unwrap();
    for (text, name, version) in [
        ("num2words<0.5.7", "num2words", "0.5.6"),
        ("rich\nmarkdown-it-py<4", "markdown-it-py", "3."),
        ("pytest<8", "pytest", "7."),
    ] {
        let installed = prepare(&environments, text).await.unwrap();
        let pin = installed.pins().iter().find(|pin| pin.name == name).unwrap();
        assert!(pin.version.starts_with(version), "{pin:?}");
    }
}

#[tokio::test]
async fn a_conflict_is_explained() {
    let folder = tempfile::tempdir().unwrap();
    let (reason, message) = reason(options(folder.path()), "jinja2==3.1.4\nmarkupsafe<2.0", PLATFORM).await;
    assert!(matches!(reason, Reason::Conflict { .. }), "{reason:?}");
    assert!(message.contains("jinja2==3.1.4 depends on markupsafe>=2.0"), "{message}");
    let constrained = EnvironmentOptions { constraints: "markupsafe<2".to_owned(), ..options(folder.path()) };
    let (constrained, _) = self::reason(constrained, "jinja2==3.1.4", PLATFORM).await;
    assert!(matches!(constrained, Reason::Conflict { .. }), "{constrained:?}");
}

#[tokio::test]
async fn a_yanked_version_is_taken_only_by_its_number() {
    let folder = tempfile::tempdir().unwrap();
    let environments = Environments::new(options(folder.path())).unwrap();
    let installed = prepare(&environments, "attrs==21.1.0").await.unwrap();
    assert_eq!(installed.pins()[0].version, "21.1.0");
    assert!(prepare(&environments, "attrs>21.0,<21.2").await.is_err());
}

#[tokio::test]
async fn constraints_choose_versions() {
    let folder = tempfile::tempdir().unwrap();
    let constraints = "mpmath<1.3\nunused==1 ; os_name == 'nt'".to_owned();
    let environments = Environments::new(EnvironmentOptions { constraints, ..options(folder.path()) }).unwrap();
    let installed = prepare(&environments, "mpmath").await.unwrap();
    assert!(installed.pins()[0].version.starts_with("1.2"), "{:?}", installed.pins());
}

#[tokio::test]
async fn an_index_that_is_down_is_told_soon() {
    let folder = tempfile::tempdir().unwrap();
    let hanging = TcpListener::bind("127.0.0.1:0").unwrap();
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    for address in [closed, hanging.local_addr().unwrap()] {
        let options = EnvironmentOptions {
            index_url: Some(format!("http://me:secret@{address}/simple")),
            install_timeout: Duration::from_secs(40),
            ..options(folder.path())
        };
        let start = Instant::now();
        let (reason, message) = reason(options, "sympy", PLATFORM).await;
        assert_eq!(reason, Reason::IndexDown, "{address}");
        assert!(start.elapsed() < Duration::from_secs(30), "{:?}", start.elapsed());
        assert_eq!(message, "the package index cannot be reached: try again later");
    }
}

#[tokio::test]
async fn offline_only_what_is_there_is_had() {
    let folder = tempfile::tempdir().unwrap();
    let offline = EnvironmentOptions { offline: true, ..options(folder.path()) };
    assert_eq!(reason(offline.clone(), "tabulate", PLATFORM).await.0, Reason::Offline);
    let installed = prepare(&Environments::new(options(folder.path())).unwrap(), "tabulate").await.unwrap();
    // Without uv, it is the installed one; and with it, uv's downloads serve other requirements.
    let without_uv = EnvironmentOptions { uv: Some("/nonexistent/uv".into()), ..offline.clone() };
    let again = prepare(&Environments::new(without_uv).unwrap(), "tabulate").await.unwrap();
    assert_eq!(again.id(), installed.id());
    let other = prepare(&Environments::new(offline).unwrap(), "tabulate>0").await.unwrap();
    assert_ne!(other.id(), installed.id());
}

#[tokio::test]
async fn packages_that_are_not_allowed_are_refused_also_when_others_need_them() {
    let folder = tempfile::tempdir().unwrap();
    let deny = EnvironmentOptions { deny: vec!["Markup_Safe".replace("p_S", "pS")], ..options(folder.path()) };
    let denied = |asked| Reason::Denied { package: "markupsafe".to_owned(), asked };
    assert_eq!(reason(deny.clone(), "markupsafe", PLATFORM).await.0, denied(true));
    assert_eq!(reason(deny.clone(), "jinja2", PLATFORM).await.0, denied(false));
    let allow = |names: &[&str]| {
        let names = names.iter().map(ToString::to_string).collect();
        EnvironmentOptions { allow: Some(names), ..options(folder.path()) }
    };
    assert_eq!(reason(allow(&["jinja2"]), "jinja2", PLATFORM).await.0, denied(false));
    assert!(prepare(&Environments::new(allow(&["jinja2", "markupsafe"])).unwrap(), "jinja2").await.is_ok());
    // Now it is there, but still not allowed, each time.
    let environments = Environments::new(deny).unwrap();
    for _ in 0..2 {
        assert_eq!(prepare(&environments, "jinja2").await.unwrap_err().reason, denied(false));
        assert!(environments.known(&required("jinja2"), PLATFORM).is_none());
    }
}

#[tokio::test]
async fn a_source_package_runs_no_code_here() {
    let folder = tempfile::tempdir().unwrap();
    let (package, canary) = (folder.path().join("evil-1.0"), folder.path().join("canary"));
    fs::create_dir(&package).unwrap();
    // It can be built without anything else.
    let project = "[build-system]\nrequires = []\nbuild-backend = 'setup'\nbackend-path = ['.']\n";
    fs::write(package.join("pyproject.toml"), project).unwrap();
    fs::write(package.join("setup.py"), format!("open({canary:?}, 'w').close()\n")).unwrap();
    fs::write(package.join("PKG-INFO"), "Metadata-Version: 2.1\nName: evil\nVersion: 1.0\n").unwrap();
    let archive = folder.path().join("evil-1.0.tar.gz");
    let mut tar = Command::new("tar");
    tar.arg("-czf").arg(&archive).arg("-C").arg(folder.path()).arg("evil-1.0");
    assert!(tar.status().unwrap().success());
    let index = serve(fs::read(archive).unwrap());
    let options = EnvironmentOptions { index_url: Some(index), ..options(folder.path()) };
    let refusal = prepare(&Environments::new(options).unwrap(), "evil").await.map(drop).unwrap_err();
    assert!(!canary.exists(), "{refusal}");
    let packages = vec!["evil==1.0".to_owned()];
    assert_eq!(refusal.reason, Reason::NoWheel { packages, platform: PLATFORM.in_words() });
}

/// Returns an index with one source package.
fn serve(archive: Vec<u8>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut request = [0; 4096];
            let count = stream.read(&mut request).unwrap_or(0);
            let listed = request[..count].starts_with(b"GET /simple/evil/ ");
            let page: &[u8] = b"<a href='/evil-1.0.tar.gz'>evil-1.0.tar.gz</a>";
            let (kind, body) = if listed { ("text/html", page) } else { ("application/gzip", &*archive) };
            let head = format!(
                "HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
                body.len()
            );
            let _ = stream.write_all(&[head.as_bytes(), body].concat());
        }
    });
    format!("http://{address}/simple")
}

/// Makes a wheel: a name, what it requires, and whether it cannot be unpacked.
const WHEEL: &str = r#"
import sys, zipfile
path, name, requires, broken = sys.argv[1:]
file = name.replace("-", "_")
info = f"{file}-1.0.dist-info"
metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n"
metadata += f"Requires-Dist: {requires}\n" if requires else ""
with zipfile.ZipFile(f"{path}/{file}-1.0-py3-none-any.whl", "w") as wheel:
    wheel.writestr(f"{file}.py", "x = 1\n")
    wheel.writestr(f"{info}/METADATA", metadata)
    wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: x\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
    wheel.writestr(f"{info}/RECORD", f"{file}.py,,\n{info}/METADATA,,\n{info}/WHEEL,,\n{info}/RECORD,,\n")
    if broken:
        link = zipfile.ZipInfo("link")
        link.external_attr = 0o120777 << 16
        wheel.writestr(link, "/root")
        wheel.writestr("link/x", "x")
"#;

/// Serves an index with these wheels of version 1.0: a name, what it requires, and whether it is broken.
fn serve_wheels(folder: &Path, wheels: &[(&str, &str, bool)]) -> String {
    for (name, requires, broken) in wheels {
        let arguments = [folder.to_str().unwrap(), name, requires, if *broken { "broken" } else { "" }];
        let made = Command::new("python3").args(["-c", WHEEL]).args(arguments).status().unwrap();
        assert!(made.success());
    }
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let folder = folder.to_owned();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut request = [0; 4096];
            let count = stream.read(&mut request).unwrap_or(0);
            let request = String::from_utf8_lossy(&request[..count]).into_owned();
            let path = request.split(' ').nth(1).unwrap_or_default();
            let (status, kind, body) = if !request.starts_with("GET ") {
                ("405 Method Not Allowed", "text/plain", Vec::new())
            } else if let Some(name) = path.strip_prefix("/simple/") {
                let file = format!("{}-1.0-py3-none-any.whl", name.trim_end_matches('/').replace('-', "_"));
                match folder.join(&file).exists() {
                    true => ("200 OK", "text/html", format!("<a href='/{file}'>{file}</a>").into_bytes()),
                    false => ("404 Not Found", "text/html", Vec::new()),
                }
            } else {
                ("200 OK", "application/zip", fs::read(folder.join(&path[1..])).unwrap_or_default())
            };
            let head = format!(
                "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
                body.len()
            );
            let _ = stream.write_all(&[head.as_bytes(), &body].concat());
        }
    });
    format!("http://{address}/simple")
}

#[tokio::test]
async fn a_broken_wheel_holds_up_nobody_else() {
    let folder = tempfile::tempdir().unwrap();
    let index = serve_wheels(folder.path(), &[("broken", "", true), ("fine", "", false)]);
    let options = EnvironmentOptions { index_url: Some(index), ..options(folder.path()) };
    let environments = Environments::new(options).unwrap();
    let refusal = prepare(&environments, "broken").await.unwrap_err();
    assert_eq!(refusal.reason, Reason::Broken { package: "broken==1.0".to_owned() });
    assert!(refusal.to_string().starts_with("broken==1.0 in the package index is broken"), "{refusal}");
    prepare(&environments, "fine").await.unwrap();
}

#[tokio::test]
async fn only_one_opencv_is_installed_whoever_requires_which() {
    let folder = tempfile::tempdir().unwrap();
    let wheels = [
        ("opencv-python", "", false),
        ("opencv-python-headless", "", false),
        ("opencv-contrib-python-headless", "", false),
        ("needs-one", "opencv-python>=1", false),
        ("needs-other", "opencv-contrib-python-headless", false),
    ];
    let index = serve_wheels(folder.path(), &wheels);
    let options = EnvironmentOptions { index_url: Some(index), ..options(folder.path()) };
    let environments = Environments::new(options).unwrap();
    for (text, installed) in [
        ("opencv-python", &["opencv-python-headless"][..]),
        ("needs-one", &["needs-one", "opencv-python-headless"]),
        ("needs-one\nopencv-python-headless", &["needs-one", "opencv-python-headless"]),
        ("needs-one\nneeds-other", &["needs-one", "needs-other", "opencv-contrib-python-headless"]),
    ] {
        let made = prepare(&environments, text).await.unwrap();
        assert_eq!(made.pins().iter().map(|pin| &*pin.name).collect::<Vec<_>>(), installed, "{text}");
    }
}

#[tokio::test]
async fn files_are_compared_with_the_hashes_of_the_requirements() {
    let folder = tempfile::tempdir().unwrap();
    let index = serve_wheels(folder.path(), &[("one", "two", false), ("two", "", false)]);
    let wheel = fs::read(folder.path().join("one-1.0-py3-none-any.whl")).unwrap();
    let right = crate::cache::hex(&<sha2::Sha256 as sha2::Digest>::digest(wheel));
    let options = EnvironmentOptions { index_url: Some(index), ..options(folder.path()) };
    let environments = Environments::new(options).unwrap();
    let wrong = "0".repeat(64);
    let refusal = prepare(&environments, &format!("one==1.0 --hash=sha256:{wrong}")).await.unwrap_err();
    assert_eq!(refusal.reason, Reason::HashMismatch { package: "one==1.0".to_owned() });
    let both = format!("one==1.0 --hash=sha256:{wrong} --hash=sha256:{right}");
    assert_eq!(prepare(&environments, &both).await.unwrap().pins().len(), 2);
}

#[tokio::test]
async fn addresses_are_for_a_build_container_where_they_are_allowed() {
    let folder = tempfile::tempdir().unwrap();
    let text = "rich\ngit+https://example.com/some/tool.git@v1#egg=tool\n";
    let refusal = prepare(&Environments::new(options(folder.path())).unwrap(), text).await.unwrap_err();
    assert!(matches!(refusal.reason, Reason::NotAccepted { .. }), "{refusal:?}");
    assert!(refusal.to_string().contains("URLs are not accepted"), "{refusal}");
    let allowed = EnvironmentOptions { allow_urls: true, ..options(folder.path()) };
    let refusal = prepare(&Environments::new(allowed).unwrap(), text).await.unwrap_err();
    let packages = vec!["tool.git".to_owned()];
    assert_eq!(refusal.reason, Reason::NoWheel { packages, platform: PLATFORM.in_words() });
}
