//! The folders that a job has open from the start.

/// Paths of descriptors that a job has from the start. The snapshot remembers them, so their order is fixed.
pub(crate) const PREOPENED: [&str; 5] = ["/work", "/tmp", "/usr", "/dev", "/"];
pub(crate) const FIRST_PREOPENED: usize = 3;

/// Returns whether a descriptor is one of those.
pub(super) fn is_preopened(fd: usize) -> bool {
    (FIRST_PREOPENED..FIRST_PREOPENED + PREOPENED.len()).contains(&fd)
}
