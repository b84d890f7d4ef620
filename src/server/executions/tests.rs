use super::{record::samples::end, *};

fn executions() -> Arc<Executions> {
    Executions::new(MemoryStore::new(Retention { time: Duration::from_secs(60), count_max: 10, bytes_max: 1 << 20 }))
}

fn caller() -> Caller {
    Caller { name: "alice".into(), index: 0 }
}

fn request() -> Option<RequestKey> {
    Some(RequestKey { key: "key".to_owned(), digest: [1; 32] })
}

async fn accept(executions: &Arc<Executions>) -> Accepted {
    executions.accept(&caller(), request(), Terms::default()).await.expect("in memory")
}

async fn new(executions: &Arc<Executions>) -> Arc<LiveExecution> {
    match accept(executions).await {
        Accepted::New(live) => live,
        other => panic!("{other:?}"),
    }
}

async fn known(executions: &Arc<Executions>) -> Followed {
    match accept(executions).await {
        Accepted::Known(found) => found,
        other => panic!("{other:?}"),
    }
}

fn is_killed(live: &LiveExecution) -> bool {
    let mut killed = std::pin::pin!(live.killed());
    killed.as_mut().poll(&mut std::task::Context::from_waker(std::task::Waker::noop())).is_ready()
}

#[tokio::test]
async fn executions_of_others_are_not_found() {
    let executions = executions();
    let live = new(&executions).await;
    assert!(executions.find("bob", &live.id).await.unwrap().is_none());
    let found = executions.find("alice", &live.id).await.unwrap().expect("one's own");
    assert!(found.live.is_some());
}

#[tokio::test]
async fn whoever_joined_an_execution_that_is_turned_away_waits_no_longer() {
    let executions = executions();
    let first = new(&executions).await;
    let joined = known(&executions).await;
    executions.withdraw(&first).await.unwrap();
    assert!(executions.finished(&joined).await.unwrap().is_none());
    new(&executions).await;
}

#[tokio::test]
async fn an_execution_is_given_up_when_the_last_caller_has_gone() {
    let executions = executions();
    let runtime = Handle::current();
    let first = new(&executions).await;
    known(&executions).await;
    executions.give_up(&first, &runtime);
    assert!(!is_killed(&first), "the other caller still waits");
    known(&executions).await;
    executions.give_up(&first, &runtime);
    executions.give_up(&first, &runtime);
    assert!(is_killed(&first));
    // Also before its request is forgotten.
    let second = new(&executions).await;
    assert_ne!(first.id, second.id);
    executions.finish(&second, end("x"), Vec::new()).await;
    executions.give_up(&second, &runtime);
    let again = known(&executions).await;
    assert!(matches!(&again, Followed::Record(record) if record.id == second.id), "its result is there: {again:?}");
    assert!(!is_killed(&second));
}

#[tokio::test]
async fn those_who_wait_get_the_result_also_when_it_is_not_kept() {
    let executions = Executions::new(MemoryStore::new(Retention { time: Duration::ZERO, count_max: 0, bytes_max: 0 }));
    let live = new(&executions).await;
    let found = executions.find("alice", &live.id).await.unwrap().expect("it runs");
    executions.claim(&live).await.unwrap().expect("nobody else has it");
    executions.finish(&live, end("x"), Vec::new()).await;
    let record = executions.finished(&found.followed()).await.unwrap().expect("its end");
    assert!(record.end.is_some());
    assert!(executions.find("alice", &live.id).await.unwrap().is_none());
}

#[tokio::test]
async fn what_another_node_has_taken_over_is_killed_here() {
    let executions = executions();
    let live = new(&executions).await;
    executions.claim(&live).await.unwrap().expect("nobody else has it");
    executions.sweep().await.unwrap();
    assert!(!is_killed(&live), "it is held on to");
    executions.store.heartbeat(&live.id, &executions.node, Duration::ZERO).await.unwrap();
    executions.store.claim(&live.id, "another", LEASE).await.unwrap().expect("the lease has run out");
    executions.sweep().await.unwrap();
    assert!(is_killed(&live));
}

#[tokio::test]
async fn what_runs_elsewhere_is_killed_and_waited_for_through_the_store() {
    let executions = executions();
    let live = new(&executions).await;
    let found = executions.find("alice", &live.id).await.unwrap().expect("it runs");
    let elsewhere = Followed::Record(found.record);
    executions.claim(&live).await.unwrap().expect("nobody else has it");
    executions.kill(&elsewhere).await.unwrap();
    assert!(!is_killed(&live));
    executions.sweep().await.unwrap();
    assert!(is_killed(&live), "its node has heard of it");
    let (waited, ()) = tokio::join!(executions.finished(&elsewhere), executions.finish(&live, end("x"), Vec::new()));
    assert!(waited.unwrap().is_some_and(|record| record.end.is_some()));
}
