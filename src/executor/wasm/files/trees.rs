//! The trees that a job finds.

/// Descriptors that a job has from the start. The snapshot remembers them, so their order is fixed.
pub(crate) const PREOPENED: [(&str, Tree); 5] = [
    ("/work", Tree::Disk(DiskTree::Project)),
    ("/tmp", Tree::Disk(DiskTree::Temporary)),
    ("/usr", Tree::Virtual(VirtualTree::Library)),
    ("/dev", Tree::Virtual(VirtualTree::Devices)),
    ("/", Tree::Virtual(VirtualTree::Root)),
];
pub(crate) const FIRST_PREOPENED: usize = 3;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tree {
    Disk(DiskTree),
    Virtual(VirtualTree),
}

/// The job's directories on the host, which are made when they are first needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DiskTree {
    Project,
    Temporary,
}

/// The trees that only exist here, and cannot be changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum VirtualTree {
    Library,
    Devices,
    /// The folder of the other four.
    Root,
}
