//! Pages that are compared with the content, and copied back where they differ.

use super::mapping::page_bytes;

/// Returns whether a page is as the content has it; behind its end are zeros.
pub(super) fn is_original(content: &[u8], at: usize, page: &[u8]) -> bool {
    page == original(content, at, page.len())
}

fn original(content: &[u8], at: usize, length: usize) -> &[u8] {
    content.get(at..at + length).unwrap_or(&ZEROS[..length])
}

/// Restores pages, counts them, and notes which they were.
#[derive(Debug)]
pub(super) struct Restoring<'a> {
    page: usize,
    /// Pages from which on nothing is copied any more.
    most: usize,
    named: &'a mut PageSet,
    pub(super) changed: usize,
    pub(super) unchanged: usize,
}

/// As large as the largest page of the machines that we know.
static ZEROS: [u8; 64 << 10] = [0; 64 << 10];

impl Restoring<'_> {
    /// Notes pages in `named`; when those are more than `most`, whoever asked drops them all.
    pub(super) fn new(named: &mut PageSet, most: usize) -> Restoring<'_> {
        Restoring { page: page_bytes(), most, named, changed: 0, unchanged: 0 }
    }

    /// Makes `memory` what is in `content` at this place; behind its end are zeros.
    pub(super) fn restore(&mut self, content: &[u8], at: usize, memory: &mut [u8]) {
        for (number, page) in memory.chunks_mut(self.page).enumerate() {
            let start = at + number * self.page;
            self.named.insert(start / self.page);
            if self.named.count() > self.most {
                return;
            }
            let original = original(content, start, page.len());
            if page == original {
                self.unchanged += 1;
            } else {
                page.copy_from_slice(original);
                self.changed += 1;
            }
        }
    }
}

/// A set of pages, by their numbers.
#[derive(Debug, Default)]
pub(super) struct PageSet {
    bits: Vec<u64>,
    count: usize,
}

impl PageSet {
    fn insert(&mut self, page: usize) {
        let (word, bit) = (page / 64, 1 << (page % 64));
        if word >= self.bits.len() {
            self.bits.resize(word + 1, 0);
        }
        if self.bits[word] & bit == 0 {
            self.bits[word] |= bit;
            self.count += 1;
        }
    }

    pub(super) fn count(&self) -> usize {
        self.count
    }

    pub(super) fn clear(&mut self) {
        self.bits.clear();
        self.count = 0;
    }
}
