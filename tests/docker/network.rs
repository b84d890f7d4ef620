//! Who is reached from a network of jobs, and who is not.

use super::{block_on, job, limits};
use crate::support::docker::{Containers, docker, networks_of};
use pyexec::{
    Job,
    executor::docker::{NetworkMode, Placement, Subnet},
};
use std::{
    net::{Ipv4Addr, TcpListener, UdpSocket},
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering::Relaxed},
    },
    time::Duration,
};

/// Tries what it is told, by name, and prints what it reaches. A socket that is bound to a device ignores routes.
const ATTEMPTS: &str = "import socket, sys, time\n\
    def attempt(name, address, kind, device):\n\
    \x20   with socket.socket(socket.AF_INET, kind) as s:\n\
    \x20       s.settimeout(2)\n\
    \x20       try:\n\
    \x20           if device: s.setsockopt(socket.SOL_SOCKET, 25, b'eth0\\0')\n\
    \x20           s.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)\n\
    \x20           s.connect(address)\n\
    \x20           if kind == socket.SOCK_DGRAM: s.send(b'x')\n\
    \x20           print('reached', name, address, kind.name, device)\n\
    \x20       except OSError: pass\n\
    def attempts(targets):\n\
    \x20   for address in targets:\n\
    \x20       for device in (False, True):\n\
    \x20           for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM): attempt('target', address, kind, device)\n";

fn networked() -> Placement {
    let mut placement = Placement::default();
    placement.network = true;
    placement
}

/// Listens everywhere on this machine, and counts who comes.
struct Canary {
    port: u16,
    heard: Arc<AtomicU32>,
}

impl Canary {
    fn start() -> Canary {
        let tcp = TcpListener::bind("0.0.0.0:0").expect("a port");
        let port = tcp.local_addr().expect("an address").port();
        let udp = UdpSocket::bind(("0.0.0.0", port)).expect("the same port");
        let heard = Arc::new(AtomicU32::new(0));
        let count = Arc::clone(&heard);
        std::thread::spawn(move || {
            while tcp.accept().is_ok() {
                count.fetch_add(1, Relaxed);
            }
        });
        let count = Arc::clone(&heard);
        std::thread::spawn(move || {
            while udp.recv(&mut [0; 16]).is_ok() {
                count.fetch_add(1, Relaxed);
            }
        });
        Canary { port, heard }
    }

    fn heard(&self) -> u32 {
        std::thread::sleep(Duration::from_millis(200));
        self.heard.load(Relaxed)
    }
}

/// The addresses by which containers could reach this machine, and what else belongs to no job.
fn targets(instance: &str, port: u16) -> String {
    let network = networks_of(instance).pop().expect("a network");
    let gateway = docker(&["network", "inspect", &network, "--format", "{{(index .IPAM.Config 0).Gateway}}"]);
    let near = gateway.rsplit_once('.').expect("an address").0.to_owned();
    let own = docker(&[
        "run",
        "--rm",
        "--network",
        "host",
        "python:3.13-slim",
        "python3",
        "-c",
        "import socket; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.connect(('192.0.2.200', 9)); print(s.getsockname()[0])",
    ]);
    let all = [gateway.as_str(), "172.17.0.1", &own, "255.255.255.255", "224.0.0.251", &format!("{near}.255")];
    let all: Vec<_> = all.iter().map(|address| format!("('{address}', {port})")).collect();
    format!("[{}, ('169.254.169.254', 80), ('169.254.0.1', {port}), ('100.100.100.200', 80)]", all.join(", "))
}

fn roomy(code: &str) -> Job {
    job(code).limits(limits(|limits| limits.wall_clock_ms = 120_000))
}

#[test]
fn the_host_metadata_and_neighbours_are_out_of_reach_and_the_world_is_not() {
    let Some(containers) = Containers::new(|_| ()) else { return };
    let canary = Canary::start();
    block_on(async {
        // The network is there after its first use.
        let world = "import glob, re, urllib.request\n\
            lists = glob.glob('/etc/apt/sources.list') + glob.glob('/etc/apt/sources.list.d/*')\n\
            mirror = re.search(r'https?://[^\\s]+', ''.join(open(path).read() for path in lists))[0].rstrip('/')\n\
            suite = re.search('VERSION_CODENAME=(.*)', open('/etc/os-release').read())[1]\n\
            print(urllib.request.urlopen(f'{mirror}/dists/{suite}/InRelease', timeout=20).status)";
        let outcome = containers.placed(roomy(world), networked()).await.expect("an outcome");
        assert_eq!(outcome.stdout.text, "200\n", "{}", outcome.stderr.text);
        assert_eq!(networks_of(&containers.instance).len(), 1);
        let targets = targets(&containers.instance, canary.port);
        // A neighbour that listens, and says where.
        let (address, found) = tokio::sync::oneshot::channel();
        let mut address = Some(address);
        let listener = "import socket, time\ns = socket.create_server(('0.0.0.0', 7777)); u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); u.bind(('0.0.0.0', 7777))\n\
            p = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); p.connect(('203.0.113.80', 9)); print(p.getsockname()[0], flush=True)\n\
            s.settimeout(12); u.setblocking(False)\n\
            try: s.accept(); print('heard')\n\
            except OSError: pass\n\
            try: u.recv(9); print('heard')\n\
            except OSError: pass";
        let observer = move |event: pyexec::Event<'_>| {
            if let pyexec::Event::Stdout(text) = event
                && let Some(address) = address.take()
            {
                let _ = address.send(String::from_utf8_lossy(text).trim().to_owned());
            }
        };
        let listening = containers.observed(roomy(listener), networked(), observer);
        let attempting = async {
            let neighbour = found.await.expect("it listens");
            let code = format!("{ATTEMPTS}attempts({targets} + [('{neighbour}', 7777)])");
            containers.placed(roomy(&code), networked()).await.expect("an outcome")
        };
        let (listened, attempted) = tokio::join!(listening, attempting);
        assert!(attempted.success(), "{}", attempted.stderr.text);
        assert!(!attempted.stdout.text.contains("SOCK_STREAM"), "{}", attempted.stdout.text);
        assert!(attempted.stdout.text.is_empty(), "{}", attempted.stdout.text);
        let listened = listened.expect("an outcome").stdout.text;
        assert_eq!(listened.lines().count(), 1, "{listened}");
        assert_eq!(canary.heard(), 0);
        containers.executor().shutdown().await.expect("shut down");
        assert!(networks_of(&containers.instance).is_empty());
    });
}

/// Sends to each address in every way; a packet that the filter refuses is an error at once, and others are on their way.
const SENDING: &str = "import socket\n\
    def sent(address, port):\n\
    \x20   for device in (False, True):\n\
    \x20       with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:\n\
    \x20           try:\n\
    \x20               if device: s.setsockopt(socket.SOL_SOCKET, 25, b'eth0\\0')\n\
    \x20               s.sendto(b'x', (address, port))\n\
    \x20               yield True\n\
    \x20           except PermissionError: yield False\n";

#[test]
fn private_networks_are_out_of_reach_unless_they_are_allowed() {
    for allowed in ["", "10.20.0.0/16 100.64.0.0/10", "0.0.0.0/0"] {
        let subnets: Vec<Subnet> = allowed.split_whitespace().map(|text| text.parse().expect(text)).collect();
        let Some(containers) = Containers::new(|options| options.private_networks.clone_from(&subnets)) else { return };
        block_on(async {
            let all = allowed == "0.0.0.0/0";
            let some = !allowed.is_empty();
            for (address, reached) in [
                ("10.20.30.40", some),
                ("10.21.30.40", all),
                ("172.16.254.254", all),
                ("192.168.255.254", all),
                ("100.64.1.2", some),
                ("192.0.0.192", all),
                ("168.63.129.16", all),
                ("100.100.100.200", false),
                ("169.254.169.254", false),
                ("192.0.2.99", true),
                ("172.15.0.1", true),
                ("198.51.100.7", true),
            ] {
                let code = format!("{SENDING}print({{*sent({address:?}, 80), *sent({address:?}, 53)}})");
                let outcome = containers.placed(roomy(&code), networked()).await.expect("an outcome");
                let expected = if reached { "{True}\n" } else { "{False}\n" };
                assert_eq!(outcome.stdout.text, expected, "{address} with {allowed:?}: {}", outcome.stderr.text);
            }
        });
    }
}

/// The daemon asks for it, from within: a name server is private more often than not.
#[test]
fn names_are_looked_up_where_private_networks_are_out_of_reach() {
    // Of the host, and not its own address.
    let servers = std::fs::read_to_string("/etc/resolv.conf").unwrap_or_default();
    let mut servers = servers.lines().filter_map(|line| line.strip_prefix("nameserver ")?.parse::<Ipv4Addr>().ok());
    if !servers.next().is_some_and(|server| server.is_private()) {
        return;
    }
    let Some(containers) = Containers::new(|_| ()) else { return };
    block_on(async {
        let code = "import socket\nprint(socket.getaddrinfo('pypi.org', 443) != [])";
        let outcome = containers.placed(roomy(code), networked()).await.expect("an outcome");
        assert_eq!(outcome.stdout.text, "True\n", "{}", outcome.stderr.text);
    });
}

#[test]
fn commands_of_a_build_do_not_reach_the_host() {
    let Some(containers) = Containers::new(|_| ()) else { return };
    let canary = Canary::start();
    block_on(async {
        containers.placed(job(""), networked()).await.expect("an outcome");
        let targets = targets(&containers.instance, canary.port);
        let mut placement = Placement::default();
        placement.pre_commands = vec![format!(
            "cat > /attempts.py <<'END'\n{ATTEMPTS}attempts({targets})\nEND\npython3 /attempts.py > /reached"
        )];
        let outcome = containers.prepared(job("print(repr(open('/reached').read()))"), &placement).await;
        assert_eq!(outcome.stdout.text, "''\n", "{}", outcome.stderr.text);
        assert_eq!(canary.heard(), 0);
    });
}

/// Which shows that the canary hears, and what the walls are for.
#[test]
fn a_named_network_is_taken_as_it_is() {
    let Some(containers) = Containers::new(|options| options.network_mode = NetworkMode::Named("bridge".to_owned()))
    else {
        return;
    };
    let canary = Canary::start();
    block_on(async {
        let code = format!("{ATTEMPTS}attempt('gateway', ('172.17.0.1', {}), socket.SOCK_STREAM, False)", canary.port);
        let outcome = containers.placed(job(&code), networked()).await.expect("an outcome");
        assert!(outcome.stdout.text.starts_with("reached gateway"), "{outcome:#?}");
        assert_eq!(canary.heard(), 1);
        assert!(networks_of(&containers.instance).is_empty());
    });
}

#[test]
fn a_job_does_not_run_where_it_cannot_be_walled_off() {
    // A default image whose Python does not do what the helper asks for.
    let tag = format!("pyexec-test-{}", uuid::Uuid::new_v4().simple());
    let Some(containers) = Containers::new(|options| {
        options.default_image = format!("{tag}:3.13");
    }) else {
        return;
    };
    block_on(async {
        let folder = tempfile::tempdir().expect("a folder");
        let site = "import socket\ndef no(*_): raise OSError(93, 'no filter here')\nsocket.socket.bind = no\n";
        std::fs::write(folder.path().join("sitecustomize.py"), site).expect("written");
        let file = "FROM python:3.13-slim\nCOPY sitecustomize.py /site/\nENV PYTHONPATH=/site\n";
        std::fs::write(folder.path().join("Dockerfile"), file).expect("written");
        docker(&["build", "--quiet", "--tag", &format!("{tag}:3.13"), folder.path().to_str().expect("a path")]);
        let mut placement = networked();
        placement.python = Some("3.11".to_owned());
        let refused = containers.placed(job("print('runs')"), placement).await;
        docker(&["rmi", "--force", &format!("{tag}:3.13")]);
        let message = refused.expect_err("it does not run").to_string();
        assert!(message.contains("cannot be walled off") && message.contains("no filter here"), "{message}");
    });
}
