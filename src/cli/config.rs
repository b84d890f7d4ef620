//! `pyexec config`, and the flags that it shares with `pyexec serve`.

use super::{
    Result,
    console::{note, print},
};
use clap::{Arg, ArgMatches, Args, Command, FromArgMatches};
use pyexec::config::{self, KEYS, Loaded, Settings, Sources, Value};
use std::{collections::BTreeMap, fmt::Write, path::PathBuf, sync::LazyLock};

#[derive(Debug, Args)]
#[command(
    after_help = "Exit code 2, with everything that is wrong on stderr, if the server would not start with these \
                        settings."
)]
pub(crate) struct Arguments {
    /// Print JSON
    #[arg(long, conflicts_with = "example")]
    json: bool,

    /// Print a file of settings with all defaults, to start from
    #[arg(long)]
    example: bool,

    #[command(flatten)]
    settings: SettingsOptions,
}

/// A flag for the file, and one for each setting.
#[derive(Default)]
pub(crate) struct SettingsOptions {
    file: Option<PathBuf>,
    flags: BTreeMap<String, String>,
}

pub(crate) fn run(arguments: Arguments) -> Result<u8> {
    if arguments.example {
        print(&config::example())?;
        return Ok(0);
    }
    let loaded = arguments.settings.load()?;
    print(&if arguments.json { json(&loaded.values) } else { table(&loaded.values) })?;
    Ok(0)
}

impl SettingsOptions {
    /// Returns the settings, together with the file and the environment. Warnings go to stderr.
    pub(crate) fn load(self) -> Result<Loaded> {
        let loaded = Settings::load(&Sources::of_process(self.flags, self.file))?;
        for warning in &loaded.warnings {
            note!("warning: {warning}");
        }
        Ok(loaded)
    }
}

/// Names of the flags: clap keeps them for the life of the process.
static FLAGS: LazyLock<Vec<String>> = LazyLock::new(|| KEYS.iter().map(config::Key::flag).collect());

/// Adds a flag for each setting.
pub(crate) fn flags(command: Command) -> Command {
    KEYS.iter().zip(FLAGS.iter()).fold(command, |command, (key, flag)| {
        let default = if key.default.is_empty() { String::new() } else { format!(" [default: {}]", key.default) };
        let warning =
            if key.secret { "; other users of this machine see flags, so prefer the variable or a file" } else { "" };
        command.arg(
            Arg::new(key.name)
                .long(flag.as_str())
                .value_name(key.placeholder())
                .help(format!("{}{warning} [env: {}]{default}", capitalized(key.help), key.variable()))
                .help_heading("Settings")
                .allow_negative_numbers(true),
        )
    })
}

/// Returns the flags of [`flags`] that were given, by the name of their setting.
pub(crate) fn given(matches: &ArgMatches) -> BTreeMap<String, String> {
    KEYS.iter().filter_map(|key| Some((key.name.to_owned(), matches.get_one::<String>(key.name)?.clone()))).collect()
}

impl Args for SettingsOptions {
    fn augment_args(command: Command) -> Command {
        let file = Arg::new("config")
            .long("config")
            .value_name("FILE")
            .value_parser(clap::value_parser!(PathBuf))
            .help("TOML file of settings; variables and flags override it [env: PYEXEC_CONFIG]");
        flags(command.arg(file))
    }

    fn augment_args_for_update(command: Command) -> Command {
        SettingsOptions::augment_args(command)
    }
}

impl FromArgMatches for SettingsOptions {
    fn from_arg_matches(matches: &ArgMatches) -> Result<SettingsOptions, clap::Error> {
        Ok(SettingsOptions { file: matches.get_one::<PathBuf>("config").cloned(), flags: given(matches) })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = SettingsOptions::from_arg_matches(matches)?;
        Ok(())
    }
}

impl std::fmt::Debug for SettingsOptions {
    /// Leaves out values: there may be secrets among them.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SettingsOptions").field("file", &self.file).field("flags", &self.flags.keys()).finish()
    }
}

fn table(values: &[Value]) -> String {
    let name = values.iter().map(|value| value.key.name.len()).max().unwrap_or(0);
    let text = values.iter().map(|value| shown(value).chars().count()).max().unwrap_or(0);
    values.iter().fold(String::new(), |mut table, value| {
        let _ = writeln!(table, "{:name$}  {:text$}  {}", value.key.name, shown(value), value.source);
        table
    })
}

fn shown(value: &Value) -> &str {
    if value.text.is_empty() { "-" } else { &value.text }
}

fn json(values: &[Value]) -> String {
    let entry = |value: &Value| {
        let entry = serde_json::json!({ "value": value.json(), "source": value.source.to_string() });
        (value.key.name.to_owned(), entry)
    };
    let object: serde_json::Map<_, _> = values.iter().map(entry).collect();
    format!("{:#}\n", serde_json::Value::Object(object))
}

fn capitalized(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_setting_is_a_flag() {
        let command = SettingsOptions::augment_args(Command::new("serve"));
        let matches = command
            .try_get_matches_from(["serve", "--default-timeout", "5", "--page-reuse", "false", "--config", "x.toml"])
            .unwrap();
        let options = SettingsOptions::from_arg_matches(&matches).unwrap();
        let flags = [("default_timeout", "5"), ("page_reuse", "false")];
        assert_eq!(options.flags, flags.map(|(name, text)| (name.to_owned(), text.to_owned())).into());
        assert_eq!(options.file, Some("x.toml".into()));
        SettingsOptions::augment_args(Command::new("serve")).debug_assert();
    }

    #[test]
    fn neither_table_nor_json_shows_a_key() {
        let key = "0123456789abcdef";
        let flags = [("api_keys".to_owned(), format!("a:{key},fedcba9876543210"))];
        let loaded = Settings::load(&Sources { flags: flags.into(), ..Sources::default() }).unwrap();
        let shown = table(&loaded.values);
        assert!(shown.contains("(2 keys)") && !shown.contains(key), "{shown}");
        let shown = json(&loaded.values);
        assert!(shown.contains("(2 keys)") && !shown.contains(key), "{shown}");
        let options = SettingsOptions { file: None, flags: [("api_keys".to_owned(), key.to_owned())].into() };
        assert!(!format!("{options:?}").contains(key));
    }
}
