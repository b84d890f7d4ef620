//! What every store of executions has to do, whatever it keeps them in.

use super::{
    events::{Event, EventKind, Stream, Update},
    record::{ExecutionRecord, Terms, samples::end},
    store::{ExecutionStore, Lease, Put, Query, RequestKey},
};
use crate::{outcome::OutputFile, server::api::Status};
use bytes::Bytes;
use futures_util::StreamExt;
use std::time::{Duration, SystemTime};

const LEASE: Duration = Duration::from_secs(60);

/// Checks all of it, each on a store of its own.
pub(super) async fn all<S: ExecutionStore>(store: impl Fn() -> S) {
    records_are_found_and_listed_by_owner(&store()).await;
    pages_are_newest_first(&store()).await;
    the_same_request_leads_to_the_same_execution(&store()).await;
    a_request_that_is_forgotten_leads_to_a_new_execution(&store()).await;
    updates_reach_the_record_and_followers_in_order(&store()).await;
    followers_go_on_where_they_were(&store()).await;
    what_was_removed_is_followed_no_longer(&store()).await;
    one_node_holds_an_execution(&store()).await;
    a_kill_reaches_whoever_holds_it(&store()).await;
    the_end_is_final(&store()).await;
}

async fn put(store: &dyn ExecutionStore, owner: &str, request: Option<RequestKey>) -> Put {
    store.put(ExecutionRecord::new(owner, Terms::default()), request).await.expect("put")
}

async fn new(store: &dyn ExecutionStore, owner: &str) -> String {
    let record = ExecutionRecord::new(owner, Terms::default());
    let id = record.id.clone();
    assert!(matches!(store.put(record, None).await, Ok(Put::New)));
    id
}

fn request(key: &str, digest: u8) -> Option<RequestKey> {
    Some(RequestKey { key: key.to_owned(), digest: [digest; 32] })
}

async fn page(store: &dyn ExecutionStore, query: Query<'_>) -> Option<(Vec<String>, bool)> {
    let page = store.list(&query).await.expect("list")?;
    Some((page.records.iter().map(|record| record.id.clone()).collect(), page.is_last))
}

async fn events(store: &dyn ExecutionStore, id: &str, after: u64) -> Vec<Event> {
    store.events_after(id, after).await.expect("events").expect("known").collect().await
}

fn stdout(text: &str) -> Update {
    Update::Output(Stream::Stdout, text.to_owned())
}

async fn records_are_found_and_listed_by_owner(store: &dyn ExecutionStore) {
    let (first, second) = (new(store, "alice").await, new(store, "bob").await);
    let record = store.get(&first).await.expect("get").expect("there");
    assert_eq!((&*record.id, &*record.owner, record.status()), (&*first, "alice", Status::Pending));
    assert!(store.get("exe_unknown").await.expect("get").is_none());
    let all = |owner| Query { owner, status: None, after: None, limit: 10 };
    assert_eq!(page(store, all("alice")).await, Some((vec![first.clone()], true)));
    assert_eq!(page(store, all("carol")).await, Some((Vec::new(), true)));
    assert_eq!(page(store, Query { after: Some(&first), ..all("bob") }).await, None, "that is another's");
    assert_eq!(page(store, Query { after: Some("exe_unknown"), ..all("bob") }).await, None);
    assert_eq!(page(store, all("bob")).await, Some((vec![second], true)));
}

async fn pages_are_newest_first(store: &dyn ExecutionStore) {
    let mut all = Vec::new();
    for _ in 0..5 {
        all.push(new(store, "alice").await);
    }
    store.append_event(&all[2], Update::Started(SystemTime::now()));
    let query = Query { owner: "alice", status: None, after: None, limit: 2 };
    assert_eq!(page(store, query).await, Some((vec![all[4].clone(), all[3].clone()], false)));
    let next = Query { after: Some(&all[3]), limit: 3, ..query };
    assert_eq!(page(store, next).await, Some((vec![all[2].clone(), all[1].clone(), all[0].clone()], true)));
    let running = Query { status: Some(Status::Running), ..query };
    assert_eq!(page(store, running).await, Some((vec![all[2].clone()], true)));
}

async fn the_same_request_leads_to_the_same_execution(store: &dyn ExecutionStore) {
    let first = ExecutionRecord::new("alice", Terms::default());
    let id = first.id.clone();
    assert!(matches!(store.put(first, request("key", 1)).await, Ok(Put::New)));
    assert!(matches!(put(store, "alice", request("key", 1)).await, Put::Known(record) if record.id == id));
    assert!(matches!(put(store, "alice", request("key", 2)).await, Put::Conflict));
    assert!(matches!(put(store, "bob", request("key", 2)).await, Put::New), "keys are their owner's");
    store.finish(&id, end("x"), Vec::new()).await.expect("finished");
    assert!(matches!(put(store, "alice", request("key", 1)).await, Put::Known(record) if record.end.is_some()));
}

async fn a_request_that_is_forgotten_leads_to_a_new_execution(store: &dyn ExecutionStore) {
    let first = ExecutionRecord::new("alice", Terms::default());
    let id = first.id.clone();
    assert!(matches!(store.put(first, request("key", 1)).await, Ok(Put::New)));
    store.forget_request(&id).await.expect("forgotten");
    assert!(matches!(put(store, "alice", request("key", 2)).await, Put::New));
    store.forget_request(&id).await.expect("nothing to forget");
    assert!(matches!(put(store, "alice", request("key", 2)).await, Put::Known(record) if record.id != id));
}

async fn updates_reach_the_record_and_followers_in_order(store: &dyn ExecutionStore) {
    let id = new(store, "alice").await;
    let started = SystemTime::now();
    for update in [
        Update::Started(started),
        Update::Progress(Some("installing".to_owned())),
        Update::Progress(None),
        stdout("old"),
        Update::Restarted("a socket".to_owned()),
        stdout("new"),
        Update::Output(Stream::Stderr, "error".to_owned()),
    ] {
        store.append_event(&id, update);
    }
    let record = store.get(&id).await.expect("get").expect("there");
    assert_eq!((record.started_at, record.status(), &record.progress), (Some(started), Status::Running, &None));
    let printed = store.printed(&id).await.expect("printed");
    assert_eq!((&*printed.stdout, &*printed.stderr, printed.truncated), ("new", "error", false));
    store.finish(&id, end("new"), Vec::new()).await.expect("finished");
    let kinds: Vec<_> = events(store, &id, 0).await.into_iter().map(|event| event.kind).collect();
    let output = |stream, text: &str| EventKind::Output(stream, text.to_owned());
    let expected = [
        EventKind::State(Status::Pending),
        EventKind::State(Status::Running),
        EventKind::Progress("installing".to_owned()),
        output(Stream::Stdout, "old"),
        EventKind::Restarted("a socket".to_owned()),
        output(Stream::Stdout, "new"),
        output(Stream::Stderr, "error"),
        EventKind::State(Status::Completed),
        EventKind::Ended,
    ];
    assert_eq!(kinds, expected);
}

async fn followers_go_on_where_they_were(store: &dyn ExecutionStore) {
    let id = new(store, "alice").await;
    let mut following = store.events_after(&id, 0).await.expect("events").expect("known");
    store.append_event(&id, stdout("a"));
    let (first, second) = (following.next().await.expect("one"), following.next().await.expect("two"));
    assert_eq!((first.number, second.number), (1, 2));
    store.append_event(&id, stdout("b"));
    store.finish(&id, end("ab"), Vec::new()).await.expect("finished");
    let rest = events(store, &id, second.number).await;
    assert_eq!(rest, following.collect::<Vec<_>>().await, "live or later, it is the same");
    assert_eq!(rest.first().map(|event| event.number), Some(3));
    assert_eq!(events(store, &id, 1000).await, []);
    assert!(store.events_after("exe_unknown", 0).await.expect("events").is_none());
}

async fn what_was_removed_is_followed_no_longer(store: &dyn ExecutionStore) {
    let record = ExecutionRecord::new("alice", Terms::default());
    let id = record.id.clone();
    assert!(matches!(store.put(record, request("key", 1)).await, Ok(Put::New)));
    let following = store.events_after(&id, 0).await.expect("events").expect("known");
    store.remove(&id).await.expect("removed");
    assert!(following.collect::<Vec<_>>().await.iter().all(|event| event.kind != EventKind::Ended));
    assert!(store.get(&id).await.expect("get").is_none());
    assert!(matches!(put(store, "alice", request("key", 2)).await, Put::New), "its key is free");
    store.append_event(&id, stdout("nobody hears it"));
}

async fn one_node_holds_an_execution(store: &dyn ExecutionStore) {
    let id = new(store, "alice").await;
    let held = Some(Lease { is_killed: false });
    assert_eq!(store.heartbeat(&id, "one", LEASE).await.expect("heartbeat"), None, "nobody has it");
    assert_eq!(store.claim(&id, "one", LEASE).await.expect("claim"), held);
    assert_eq!(store.claim(&id, "two", LEASE).await.expect("claim"), None);
    assert_eq!(store.heartbeat(&id, "one", Duration::ZERO).await.expect("heartbeat"), held);
    assert_eq!(store.claim(&id, "two", LEASE).await.expect("claim"), held, "the lease has run out");
    assert_eq!(store.heartbeat(&id, "one", LEASE).await.expect("heartbeat"), None, "another has it now");
    assert_eq!(store.get(&id).await.expect("get").expect("there").attempts, 2);
    assert_eq!(store.claim("exe_unknown", "one", LEASE).await.expect("claim"), None);
}

async fn a_kill_reaches_whoever_holds_it(store: &dyn ExecutionStore) {
    let id = new(store, "alice").await;
    store.claim(&id, "one", LEASE).await.expect("claim");
    store.request_kill(&id).await.expect("asked");
    let killed = Some(Lease { is_killed: true });
    assert_eq!(store.heartbeat(&id, "one", Duration::ZERO).await.expect("heartbeat"), killed);
    assert_eq!(store.claim(&id, "two", LEASE).await.expect("claim"), killed, "also one that comes later");
    store.request_kill("exe_unknown").await.expect("nothing to kill");
}

async fn the_end_is_final(store: &dyn ExecutionStore) {
    let id = new(store, "alice").await;
    let files = vec![OutputFile { path: "a/b.txt".to_owned(), content: Bytes::from_static(b"made") }];
    let kept = store.finish(&id, end("x"), files).await.expect("finished").expect("it had not ended");
    assert_eq!(kept.status(), Status::Completed);
    assert!(store.finish(&id, end("y"), Vec::new()).await.expect("finished").is_none());
    store.append_event(&id, Update::Progress(Some("late".to_owned())));
    assert_eq!(store.claim(&id, "one", LEASE).await.expect("claim"), None);
    assert_eq!(store.heartbeat(&id, "one", LEASE).await.expect("heartbeat"), None);
    let record = store.get(&id).await.expect("get").expect("there");
    assert_eq!((record.end.as_ref().map(|end| &*end.stdout.text), &record.progress), (Some("x"), &None));
    assert_eq!(events(store, &id, 0).await.last().map(|event| &event.kind), Some(&EventKind::Ended));
    assert_eq!(store.file(&id, "a/b.txt").await.expect("file").as_deref(), Some(&b"made"[..]));
    assert_eq!(store.file(&id, "a").await.expect("file"), None);
    assert_eq!(store.kept().0, 1);
}
