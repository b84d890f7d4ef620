//! All of it at once, and what is left behind.

use super::{alone, connect, good, left_in};
use crate::{
    server::support::{Server, until},
    support::{
        load::mixed,
        process::{Usage, usage},
    },
};
use std::{
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

/// Everything that the server has when nothing runs.
fn at_rest(server: &Server) -> Usage {
    until("nothing runs", || {
        let state = server.get("/health").json();
        (state["busy"] == 0 && state["queued"] == 0).then_some(())
    });
    // Threads for files stay for a while, as many as there were.
    usage(server.pid())
}

#[test]
fn thousands_of_mixed_requests_leave_nothing_behind() {
    let _alone = alone();
    let (data, temporary) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    let path = |folder: &tempfile::TempDir| folder.path().to_str().expect("UTF-8").to_owned();
    let settings = [("PYEXEC_DATA_DIR", &*path(&data)), ("TMPDIR", &*path(&temporary)), ("PYEXEC_RESULTS_MAX", "100")];
    let server = Server::start(&settings, &[]);
    let run = |requests: usize| {
        let next = AtomicUsize::new(0);
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    let mut connection = connect(&server);
                    loop {
                        let at = next.fetch_add(1, Ordering::Relaxed);
                        if at >= requests {
                            return;
                        }
                        mixed(server.addr(), &mut connection, at);
                    }
                });
            }
        });
        at_rest(&server)
    };
    let before = run(600);
    let after = run(3000);
    until("connections are closed", || (usage(server.pid()).files <= before.files + 2).then_some(()));
    assert!(after.threads <= before.threads + 4, "{before:?} {after:?}");
    assert!(after.rss_kib <= before.rss_kib + (24 << 10), "{before:?} {after:?}");
    for folder in [&data, &temporary] {
        assert_eq!(left_in(folder.path()), 0);
    }
    assert!(server.metric("pyexec_results_kept").is_some_and(|kept| kept <= 100.0));
    good(&mut connect(&server));
}
