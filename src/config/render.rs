//! The table of settings, written out.

use super::{
    keys::{Key, Kind, entries},
    table::KEYS,
};
use std::fmt::Write;

/// Renders the table for the README.
pub fn markdown_table() -> String {
    let mut table = "| setting | default | allowed | meaning |\n|---|---|---|---|\n".to_owned();
    for key in KEYS {
        let default = if key.default.is_empty() { "–".to_owned() } else { format!("`{}`", key.default) };
        let _ = writeln!(table, "| `{}` | {default} | {} | {} |", key.name, key.allowed(), key.help);
    }
    table
}

/// Renders a TOML file with every setting, its meaning and its default, as comments.
pub fn example() -> String {
    let mut file = "# Settings of `pyexec serve`. Each line is a default: remove the # in front of it to change it.\n\
                    # Variables and flags override this file: for port, PYEXEC_PORT and --port.\n"
        .to_owned();
    for key in KEYS {
        let _ = write!(file, "\n# {} ({})\n#{} = {}\n", key.help, key.allowed(), key.name, default_in_toml(key));
    }
    file
}

fn default_in_toml(key: &Key) -> String {
    match key.kind {
        Kind::Number(..) | Kind::Seconds(..) | Kind::Flag(_) => key.default.to_owned(),
        Kind::Text(..) | Kind::Path(_) => format!("{:?}", key.default),
        Kind::List(..) => format!("{:?}", entries(key.default)),
    }
}
