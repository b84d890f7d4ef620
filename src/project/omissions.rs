//! What is left out of a project, so that its user can be told.

use std::collections::BTreeMap;

/// Names that a note has in full.
const NAMED_MAX: usize = 3;
/// Of a name; the rest of it is cut.
const NAME_CHARS_MAX: usize = 80;

/// Says why an entry of a folder or an archive is left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Omission {
    /// A symbolic link to something outside.
    Link,
    /// A symbolic link where the project has a folder as well.
    LinkInTheWay,
    /// A hard link to something that is not there.
    HardLink,
    /// A device, a pipe or a socket.
    Special,
    /// A file with holes, which the archive describes in a form of its own.
    Sparse,
    /// A name that is not UTF-8.
    Name,
}

/// Counts what is left out, and remembers some of the names.
#[derive(Debug, Default)]
pub(super) struct Omissions(BTreeMap<Omission, (usize, Vec<String>)>);

impl Omissions {
    pub(super) fn add(&mut self, why: Omission, path: &str) {
        let (count, names) = self.0.entry(why).or_default();
        *count += 1;
        if names.len() < NAMED_MAX {
            names
                .push(path.chars().take(NAME_CHARS_MAX).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect());
        }
    }

    /// Returns one sentence for each reason.
    pub(super) fn notes(self) -> Vec<String> {
        self.0.into_iter().map(|(why, (count, names))| note(why, count, names)).collect()
    }
}

fn note(why: Omission, count: usize, mut names: Vec<String>) -> String {
    // A folder is read in any order.
    names.sort();
    let names = names.join(", ");
    let more = if count > NAMED_MAX { format!(" and {} more", count - NAMED_MAX) } else { String::new() };
    let was = if count == 1 { "was" } else { "were" };
    format!("{count} {} {was} left out: {names}{more}", why.describe(count == 1))
}

impl Omission {
    fn describe(self, one: bool) -> &'static str {
        match (self, one) {
            (Omission::Link, true) => "symbolic link that leads out of the project",
            (Omission::Link, false) => "symbolic links that lead out of the project",
            (Omission::LinkInTheWay, true) => "symbolic link that is also a folder",
            (Omission::LinkInTheWay, false) => "symbolic links that are also folders",
            (Omission::HardLink, true) => "hard link to a file that is not in the archive",
            (Omission::HardLink, false) => "hard links to files that are not in the archive",
            (Omission::Special, true) => "device, pipe or socket",
            (Omission::Special, false) => "devices, pipes or sockets",
            (Omission::Sparse, true) => "sparse file",
            (Omission::Sparse, false) => "sparse files",
            (Omission::Name, true) => "file whose name is not UTF-8",
            (Omission::Name, false) => "files whose names are not UTF-8",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_name_a_few_and_count_the_rest() {
        let mut omissions = Omissions::default();
        for path in ["b", "a", "c", "d", "e"] {
            omissions.add(Omission::Link, path);
        }
        omissions.add(Omission::Special, "x\n");
        assert_eq!(
            omissions.notes(),
            [
                "5 symbolic links that lead out of the project were left out: a, b, c and 2 more",
                "1 device, pipe or socket was left out: x\u{fffd}",
            ]
        );
    }
}
