//! Types of WASI preview 1, and its trait, generated from `preview1.witx`.
//!
//! wasmtime-wasi has the same, with an implementation that is not used here and seventy crates that it takes.

// Calls have as many arguments as they have.
#![allow(clippy::too_many_arguments)]

wiggle::from_witx!({
    witx: ["src/executor/wasm/preview1.witx"],
    async: {
        wasi_snapshot_preview1::{
            fd_advise, fd_close, fd_datasync, fd_fdstat_get, fd_filestat_get, fd_filestat_set_size,
            fd_filestat_set_times, fd_read, fd_pread, fd_seek, fd_sync, fd_readdir, fd_write, fd_pwrite, fd_renumber,
            path_create_directory, path_filestat_get, path_filestat_set_times, path_link, path_open, path_readlink,
            path_remove_directory, path_rename, path_symlink, path_unlink_file, poll_oneoff
        }
    },
    errors: { errno => trappable Error },
});

use std::num::TryFromIntError;
use types::{Errno, Error};
use wiggle::{GuestError, GuestErrorType};

impl GuestErrorType for Errno {
    fn success() -> Errno {
        Errno::Success
    }
}

impl From<TryFromIntError> for Error {
    fn from(_: TryFromIntError) -> Error {
        Errno::Overflow.into()
    }
}

impl From<GuestError> for Error {
    /// Traps where the guest's own memory is not what a pointer says; other nonsense is an errno for the guest.
    fn from(error: GuestError) -> Error {
        match error {
            GuestError::PtrOverflow | GuestError::PtrOutOfBounds(_) | GuestError::PtrNotAligned(..) => {
                Error::trap(error.into())
            }
            GuestError::InvalidFlagValue(_) | GuestError::InvalidEnumValue(_) => Errno::Inval.into(),
            GuestError::InvalidUtf8(_) => Errno::Ilseq.into(),
            GuestError::TryFromIntError(_) => Errno::Overflow.into(),
            GuestError::SliceLengthsDiffer => Errno::Fault.into(),
            GuestError::InFunc { err, .. } => Error::from(*err),
        }
    }
}
