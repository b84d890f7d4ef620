//! What the quota must be, counted anew.

use super::{DESCRIPTORS_MAX, Files, descriptor::Descriptor};
use cap_std::fs::MetadataExt;
use std::{collections::HashMap, io};

impl Files {
    /// Counts bytes and names in the job's folders, with the bytes of files that are only open; `None` before there are any.
    pub(crate) fn count(&self) -> io::Result<Option<(u64, u64)>> {
        let Some(workspace) = &self.workspace else { return Ok(None) };
        let (mut bytes, mut names) = (HashMap::new(), 0);
        let mut pending = vec![workspace.root.open_dir("work")?, workspace.root.open_dir("tmp")?];
        while let Some(folder) = pending.pop() {
            for entry in folder.entries()? {
                let entry = entry?;
                names += 1;
                let metadata = entry.metadata()?;
                if metadata.is_dir() {
                    pending.push(entry.open_dir()?);
                } else if metadata.is_file() {
                    bytes.insert(metadata.ino(), metadata.len());
                }
            }
        }
        for descriptor in self.descriptors.iter().flatten() {
            if let Descriptor::File(file) = descriptor {
                bytes.insert(file.inode, file.file.metadata()?.len());
            }
        }
        Ok(Some((bytes.values().sum(), names)))
    }

    /// Returns the number that no descriptor has or is above.
    pub(crate) fn descriptors_max(&self) -> u32 {
        u32::try_from(DESCRIPTORS_MAX).unwrap_or(u32::MAX)
    }
}
