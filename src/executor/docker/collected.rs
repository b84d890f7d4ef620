//! Collects what comes back from a job beside its output, within bounds: figures and files.

use crate::{
    Project,
    executor::COLLECTED_BYTES_MAX,
    outcome::{OutputFile, RichOutput},
    project,
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use std::collections::{BTreeMap, BTreeSet};

/// Files that are not in the project's folder.
const TEMPORARY: &str = "/tmp/";
/// As many as the runner sends.
const FIGURES_MAX: usize = 32;
const FIGURES_BYTES_MAX: usize = 16 << 20;
const PNG_SIGNATURE: &[u8] = b"\x89PNG\r\n\x1a\n";

/// Figures that come back, in the order in which they were shown.
#[derive(Default)]
pub(super) struct Figures {
    pub(super) found: Vec<RichOutput>,
    bytes: usize,
    pub(super) left_out: u64,
}

impl Figures {
    /// Takes a figure, and returns it as it comes back.
    pub(super) fn add(&mut self, png: &[u8]) -> Option<&RichOutput> {
        if !png.starts_with(PNG_SIGNATURE) {
            return None;
        }
        if self.found.len() >= FIGURES_MAX || self.bytes + png.len() > FIGURES_BYTES_MAX {
            self.left_out = self.left_out.saturating_add(1);
            return None;
        }
        self.bytes += png.len();
        self.found.push(RichOutput {
            mime: "image/png".to_owned(),
            name: format!("figure-{}.png", self.found.len() + 1),
            data: BASE64_STANDARD.encode(png),
        });
        self.found.last()
    }

    /// Says what is missing, if anything is.
    pub(super) fn cut(&self) -> Option<String> {
        (self.left_out > 0).then(|| {
            format!(
                "{} more figures were left out: {FIGURES_MAX} of {} MiB together come back",
                self.left_out,
                FIGURES_BYTES_MAX >> 20
            )
        })
    }
}

/// Files that come back, by path.
pub(super) struct Files {
    project: Project,
    found: BTreeMap<String, Vec<u8>>,
    open: Option<(String, Vec<u8>)>,
    room: u64,
    count_max: u64,
    deleted: BTreeSet<String>,
    uncollected: BTreeSet<String>,
}

/// Says which files a job has changed, as far as its runner tells.
#[derive(Default)]
pub(super) struct Collected {
    pub(super) files: Vec<OutputFile>,
    /// Of its project.
    pub(super) deleted: Vec<String>,
    /// Too large to come back.
    pub(super) uncollected: Vec<String>,
}

impl Files {
    pub(super) fn new(project: &Project, count_max: u64) -> Files {
        Files {
            project: project.clone(),
            found: BTreeMap::new(),
            open: None,
            room: COLLECTED_BYTES_MAX,
            count_max,
            deleted: BTreeSet::new(),
            uncollected: BTreeSet::new(),
        }
    }

    pub(super) fn open(&mut self, path: &[u8]) {
        self.close();
        let path = normal(path);
        self.open = path.filter(|_| (self.found.len() as u64) < self.count_max).map(|path| (path, Vec::new()));
    }

    pub(super) fn write(&mut self, bytes: &[u8]) {
        let Some((_, content)) = &mut self.open else { return };
        match self.room.checked_sub(bytes.len() as u64) {
            Some(room) => {
                self.room = room;
                content.extend_from_slice(bytes);
            }
            None => {
                let (path, _) = self.open.take().unwrap_or_default();
                self.uncollected.insert(path);
            }
        }
    }

    /// Notes that a file of the project is gone.
    pub(super) fn delete(&mut self, path: &[u8]) {
        // Of others it is nothing to say.
        self.deleted.extend(normal(path).filter(|path| self.project.is_file(path)));
    }

    /// Notes that a file does not come back.
    pub(super) fn leave_out(&mut self, path: &[u8]) {
        if (self.uncollected.len() as u64) < self.count_max {
            self.uncollected.extend(normal(path));
        }
    }

    fn close(&mut self) {
        if let Some((path, content)) = self.open.take() {
            self.found.insert(path, content);
        }
    }

    pub(super) fn finish(mut self) -> Collected {
        self.close();
        let changed = |(path, content): &(String, Vec<u8>)| !self.project.has(path, content);
        let files = self.found.into_iter().filter(changed);
        Collected {
            files: files.map(|(path, content)| OutputFile { path, content: content.into() }).collect(),
            deleted: self.deleted.into_iter().collect(),
            uncollected: self.uncollected.into_iter().collect(),
        }
    }
}

/// Returns a path as outcomes have it. A name that is not text, or not in its one form, is not the runner's.
fn normal(path: &[u8]) -> Option<String> {
    let path = std::str::from_utf8(path).ok()?;
    let (top, below) = path.strip_prefix(TEMPORARY).map_or(("", path), |below| (TEMPORARY, below));
    let normal = project::relative(below).ok().filter(|normal| normal == below && !normal.is_empty())?;
    Some(format!("{top}{normal}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_bounded_and_what_is_missing_is_said() {
        let mut figures = Figures::default();
        figures.add(b"<script>");
        assert_eq!((figures.found.len(), figures.cut()), (0, None));
        for _ in 0..FIGURES_MAX {
            figures.add(PNG_SIGNATURE);
        }
        assert_eq!((figures.found.len(), figures.cut()), (FIGURES_MAX, None));
        assert_eq!((figures.found[1].name.as_str(), figures.found[1].data.as_str()), ("figure-2.png", "iVBORw0KGgo="));
        figures.add(PNG_SIGNATURE);
        assert!(figures.found.len() == FIGURES_MAX && figures.cut().is_some_and(|cut| cut.starts_with("1 more")));
        let mut figures = Figures::default();
        let large = [PNG_SIGNATURE, &[0; FIGURES_BYTES_MAX / 2]].concat();
        figures.add(&large);
        figures.add(&large);
        figures.add(PNG_SIGNATURE);
        assert_eq!((figures.found.len(), figures.left_out), (2, 1));
    }

    #[test]
    fn collected_files_are_bounded_and_stay_in_the_project() {
        let project = Project::files([("same.txt", "same")]).expect("a project");
        let mut files = Files::new(&project, 2);
        for path in
            ["../out", "/etc/passwd", "/tmp/../x", "/tmp//x", "/tmp/", "a//b", "", "same.txt", "new.txt", "third.txt"]
        {
            files.open(path.as_bytes());
            files.write(b"same");
        }
        files.open(b"\xff");
        let found: Vec<_> = files.finish().files.into_iter().map(|file| file.path).collect();
        assert_eq!(found, ["new.txt"]);
        let mut files = Files::new(&project, 2);
        files.open(b"/tmp/report.csv");
        assert_eq!(files.finish().files[0].path, "/tmp/report.csv");
        let mut files = Files::new(&project, 2);
        files.room = 3;
        files.open(b"big");
        files.write(b"1234");
        files.write(b"5");
        let collected = files.finish();
        assert!(collected.files.is_empty() && collected.uncollected == ["big"]);
        let mut files = Files::new(&project, 2);
        for path in ["same.txt", "other.txt", "../same.txt", "/tmp/same.txt"] {
            files.delete(path.as_bytes());
        }
        assert_eq!(files.finish().deleted, ["same.txt"]);
    }
}
