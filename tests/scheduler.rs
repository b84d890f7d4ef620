//! Slots as a program has them that uses the library: nobody runs without one, and owners take turns.

use futures_util::{future::join_all, poll};
use pyexec::{Attempt, Event, Job, Plan, Pyexec, Ready};
use std::{pin::pin, task::Poll};

fn with_slots(slots: u32) -> Pyexec {
    Pyexec::builder().slots(slots).without_docker("turn it on").build().expect("the interpreter")
}

fn block_on(work: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime").block_on(work);
}

/// Each has room for one instance, so that one more at a time would fail.
#[test]
fn more_jobs_than_slots_wait_for_each_other() {
    let pyexec = with_slots(1);
    block_on(async {
        let jobs = (0..20).map(|n| pyexec.run(Job::code(format!("import time\ntime.sleep(0.01)\nprint({n})"))));
        for (n, outcome) in join_all(jobs).await.into_iter().enumerate() {
            assert_eq!(outcome.expect("an outcome").stdout.text, format!("{n}\n"));
        }
    });
}

#[test]
fn owners_take_turns() {
    let pyexec = with_slots(1);
    block_on(async {
        let first = ready(&pyexec, 1).await;
        let slot = pyexec.slot(&first).await;
        let many = [ready(&pyexec, 1).await, ready(&pyexec, 1).await];
        let other = ready(&pyexec, 2).await;
        let mut many = many.each_ref().map(|ready| Box::pin(pyexec.slot(ready)));
        let mut other = pin!(pyexec.slot(&other));
        for waiting in &mut many {
            assert!(poll!(waiting).is_pending());
        }
        assert!(poll!(&mut other).is_pending());
        // Its slot is free when the job is over.
        let attempt = pyexec.attempt(first, slot, |_: Event<'_>| ()).await.expect("it runs");
        assert!(matches!(attempt, Attempt::Done(outcome) if outcome.stdout.text == "1\n"));
        let Poll::Ready(slot) = poll!(&mut many[0]) else { panic!("it was the first in the queue") };
        drop(slot);
        assert!(poll!(&mut many[1]).is_pending());
        let Poll::Ready(slot) = poll!(&mut other) else { panic!("it is the turn of the other owner") };
        drop(slot);
        assert!(poll!(&mut many[1]).is_ready());
    });
}

#[test]
fn a_slot_is_of_the_service_that_gave_it() {
    let (one, another) = (with_slots(1), with_slots(1));
    block_on(async {
        let job = ready(&one, 0).await;
        let slot = another.slot(&job).await;
        let error = one.attempt(job, slot, |_: Event<'_>| ()).await.expect_err("refused").to_string();
        assert!(error.contains("slot"), "{error}");
    });
}

async fn ready(pyexec: &Pyexec, owner: u64) -> Ready {
    let plan: Plan = pyexec.plan(Job::code("print(1)").owner(owner)).await.expect("a plan");
    plan.into_ready().expect("nothing is to be provisioned")
}
