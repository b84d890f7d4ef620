use super::*;
use crate::{
    Job, Limits,
    executor::{
        run_in_wasm,
        wasm::{WasmExecutor, WasmOptions, clock::Clock, host::Host, instance::Instance},
    },
};
use std::{io::Write, time::Duration};

/// More than a slot keeps, so that a job that writes all of it has it dropped.
const PAGES: usize = SLOT_BYTES_MAX / 4096 + 64;
/// Zeros between the content and the end of what a memory starts with.
const BEHIND: usize = 16;
const CAPACITY: usize = 64 << 20;

/// A small generator of numbers: the same ones in each run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % end
    }
}

fn original(page: usize) -> impl Iterator<Item = u8> {
    (0..page * PAGES).map(move |at| (at / page * 7 + at) as u8)
}

fn home(tracking: Tracking) -> Arc<Home> {
    let mut file = tempfile::tempfile().unwrap();
    let bytes: Vec<u8> = original(page_bytes()).collect();
    file.write_all(&bytes).unwrap();
    let content = Arc::new(content(file, 0, bytes.len()).unwrap());
    Allocator::new(4, true).home(content, tracking)
}

fn kinds() -> Vec<Tracking> {
    match Tracking::best() {
        Tracking::None => vec![Tracking::None],
        Tracking::Present => vec![Tracking::None, Tracking::Present],
        Tracking::Protection => vec![Tracking::None, Tracking::Present, Tracking::Protection],
    }
}

#[test]
fn a_memory_is_as_new_whatever_was_done_to_the_one_before() {
    let page = page_bytes();
    let minimum = (PAGES + BEHIND) * page;
    let fresh: Vec<u8> = original(page).chain(std::iter::repeat_n(0, BEHIND * page)).collect();
    for tracking in kinds() {
        let home = home(tracking);
        let mut numbers = Numbers(tracking as u64);
        for job in 0..300 {
            let mut slot = home.take(minimum, CAPACITY, 1 << 20).unwrap();
            assert!(slot.space.accessible() == fresh, "{tracking:?}, job {job}");
            let mut expected = fresh.clone();
            let writes = match numbers.below(20) {
                0 => PAGES + BEHIND,
                1..4 => 400,
                _ => numbers.below(40),
            };
            for number in 0..writes {
                if numbers.below(50) == 0 && slot.space.accessible().len() < CAPACITY / 2 {
                    let size = slot.space.accessible().len() + numbers.below(64) * page;
                    slot.space.grow_to(size).unwrap();
                    expected.resize(size, 0);
                }
                let place = if writes > 400 { number } else { numbers.below(expected.len() / page) };
                let at = place * page + numbers.below(page);
                slot.space.accessible()[at] ^= 0x55;
                expected[at] ^= 0x55;
                if numbers.below(10) == 0 {
                    assert_eq!(slot.space.accessible()[at], expected[at]);
                }
            }
            if numbers.below(10) == 0 {
                slot.space.reclaim().unwrap();
            }
            assert!(slot.space.accessible() == expected, "{tracking:?}, job {job}");
            if job % 10 == 0 {
                let told: Vec<usize> = changed(&home.content, slot.space.accessible())
                    .into_iter()
                    .flat_map(|range| range.step_by(page))
                    .collect();
                let is_changed =
                    |&at: &usize| fresh.get(at..at + page).unwrap_or(&vec![0; page]) != &expected[at..at + page];
                assert_eq!(told, (0..expected.len()).step_by(page).filter(is_changed).collect::<Vec<_>>());
            }
            home.put(slot);
        }
        assert_eq!(home.count.load(Ordering::Relaxed), 1, "the slot was used again");
    }
}

#[test]
fn what_free_slots_keep_is_bounded() {
    let page = page_bytes();
    for tracking in kinds() {
        let home = home(tracking);
        for _ in 0..3 {
            let mut slots: Vec<_> =
                (0..12).map(|_| home.take((PAGES + BEHIND) * page, CAPACITY, 1 << 20).unwrap()).collect();
            for slot in &mut slots {
                slot.space.accessible()[..SLOT_BYTES_MAX - page].fill(1);
            }
            slots.into_iter().for_each(|slot| home.put(slot));
            assert!(home.count.load(Ordering::Relaxed) <= 4);
            assert!(home.shared.kept_bytes.load(Ordering::Relaxed) <= RESIDENT_BYTES);
        }
    }
}

#[test]
fn images_share_what_their_slots_keep() {
    let page = page_bytes();
    let first = home(Tracking::best());
    let content = Arc::clone(&first.content);
    let allocator = Allocator::new(64, true);
    let (idle, busy) =
        (allocator.home(Arc::clone(&content), Tracking::best()), allocator.home(content, Tracking::best()));
    let run = |home: &Home, count: usize| {
        let mut slots: Vec<_> =
            (0..count).map(|_| home.take((PAGES + BEHIND) * page, CAPACITY, 1 << 20).unwrap()).collect();
        for slot in &mut slots {
            slot.space.accessible()[..SLOT_BYTES_MAX / 2].fill(1);
        }
        slots.into_iter().for_each(|slot| home.put(slot));
    };
    for _ in 0..2 {
        run(&idle, 10);
    }
    for _ in 0..12 {
        run(&busy, 10);
    }
    assert!(allocator.shared.kept_bytes.load(Ordering::Relaxed) <= RESIDENT_BYTES);
    assert_eq!(idle.count.load(Ordering::Relaxed), usize::from(Tracking::best() == Tracking::None) * 10);
}

#[tokio::test]
async fn nothing_of_a_job_is_in_the_memory_of_the_next() {
    let executor = WasmExecutor::new(&WasmOptions::default(), &|_| ()).unwrap();
    let pattern = "import ctypes\nkept = [bytes(f'secret-{i}-' * 20, 'ascii') for i in range(30000)]\n";
    let jobs = [
        ("ended", String::new()),
        ("huge", "big = bytearray(b'secret-x' * (25 << 20))\n".to_owned()),
        ("cancelled", "while True: pass\n".to_owned()),
        ("out of memory", "big = []\nwhile True: big.append(bytearray(b'secret-x' * 100000))\n".to_owned()),
        ("trapped", "ctypes.string_at(0xfffffff0, 64)\n".to_owned()),
        ("out of stack", "import sys\nsys.setrecursionlimit(10**9)\ndef f(): f()\nf()\n".to_owned()),
    ];
    for round in 0..3 {
        for (name, rest) in &jobs {
            let job = Job::code(format!("{pattern}{rest}"));
            let _ = tokio::time::timeout(Duration::from_secs(2), run_in_wasm(&executor, job, None)).await;
            let limits = Limits::default();
            let host = Host::new(crate::Project::script(""), &limits, executor.studio.library.clone(), Clock::start());
            let mut next = Instance::new(executor.image.clone(), host);
            next.start().await.unwrap();
            let memory = next.memory().unwrap();
            assert_eq!(executor.image.changed(memory), Vec::<Range<usize>>::new(), "after a job that {name}, {round}");
            let content = executor.image.content();
            assert!(memory[..content.len()] == *content, "after a job that {name}, {round}");
            assert!(memory[content.len()..].iter().all(|&byte| byte == 0));
            assert!(!memory.windows(8).any(|bytes| bytes == b"secret-x"));
        }
    }
}
