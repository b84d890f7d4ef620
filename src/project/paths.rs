//! Paths in a project: relative, in one form, and never leading out.

use crate::{Error, Result};
use std::path::{Component, Path};

const COMPONENT_BYTES_MAX: usize = 255;
pub(super) const DEPTH_MAX: usize = 64;
pub(super) const PATH_BYTES_MAX: usize = 4096;

/// Returns a path in its one form, or nothing: no `.`, no `..`, no root.
pub(crate) fn relative(path: &str) -> Result<String> {
    let bad = |why: &str| Err(Error::invalid(format!("bad file name {path:?}: {why}")));
    if path.len() > PATH_BYTES_MAX {
        return Err(Error::invalid(format!("a file name of {} bytes is too long", path.len())));
    }
    if path.contains('\0') {
        return bad("it contains NUL");
    }
    let mut parts = Vec::new();
    for component in Path::new(path).components() {
        match component {
            Component::Normal(part) => parts.push(part.to_str().unwrap_or_default()),
            Component::CurDir => {}
            Component::ParentDir => return bad("it contains '..'"),
            Component::RootDir | Component::Prefix(_) => return bad("it is absolute"),
        }
    }
    if parts.len() > DEPTH_MAX {
        return bad("it is too deep");
    }
    if parts.iter().any(|part| part.len() > COMPONENT_BYTES_MAX) {
        return bad("a part of it is too long");
    }
    Ok(parts.join("/"))
}

/// Returns whether a file is none of the project's but has what macOS knows of another, as archives from there do.
pub(crate) fn is_of_macos(path: &str) -> bool {
    path.starts_with("__MACOSX/") || path.rsplit('/').next().is_some_and(|name| name.starts_with("._"))
}

/// Returns the parents of a path: those of `a/b/c` are `a` and `a/b`.
pub(super) fn parents(path: &str) -> impl Iterator<Item = &str> {
    path.match_indices('/').map(|(at, _)| &path[..at])
}

pub(super) fn folder_of(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// Returns whether no `..` on the way to a link's target leaves the project, as it is written.
pub(super) fn stays_inside(link: &str, target: &str) -> bool {
    let mut depth = parents(link).count();
    let mut parts = Path::new(target).components();
    !target.contains('\0')
        && parts.all(|part| match part {
            Component::Normal(_) => {
                depth += 1;
                true
            }
            Component::CurDir => true,
            Component::ParentDir if depth > 0 => {
                depth -= 1;
                true
            }
            Component::ParentDir | Component::RootDir | Component::Prefix(_) => false,
        })
}

/// Returns the target of a link on disk, from the folder that the link is in, if it can be written in this project.
pub(super) fn target_from(link: &str, target: &Path, root: &Path) -> Option<String> {
    if !target.is_absolute() {
        return target.to_str().map(str::to_owned);
    }
    let inside = target.strip_prefix(root).ok()?.to_str()?;
    let up = "../".repeat(parents(link).count());
    Some(if inside.is_empty() && up.is_empty() { ".".to_owned() } else { format!("{up}{inside}") })
}

/// Returns whether no user would call a file a script: it is hidden, or of a tool's folder.
pub(super) fn is_hidden(path: &str) -> bool {
    let of_a_tool = |part: &str| matches!(part, "__MACOSX" | "node_modules" | "site-packages" | "__pycache__");
    path.split('/').any(|part| part.starts_with('.') || of_a_tool(part))
}

/// Returns where a link leads with `rest`, which was asked for below it.
pub(super) fn through_link(link: &str, target: &str, rest: &str) -> Option<String> {
    let mut parts: Vec<&str> = link.split('/').collect();
    parts.pop();
    for part in target.split('/').chain(rest.split('/')) {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()?),
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}
