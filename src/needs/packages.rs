//! Which distribution an imported module comes from. What nobody is known to publish under a module's name is not guessed:
//! whoever publishes something by that name may be anyone.
//!
//! The data is in three files. `packages.tsv` has modules whose distribution has another name; `known.txt` has names that
//! module and distribution share, of what many people download; `popular.txt` has those of them that are so well known
//! that a program which imports one means it. That a distribution has the module after all is seen when it is installed.

use std::{
    cmp::Ordering,
    collections::{HashMap, HashSet},
    sync::LazyLock,
};

/// A module as the table knows it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Known<'a> {
    /// The module that decides: a top-level name, or a dotted one within a namespace such as `google`.
    pub(crate) module: &'a str,
    /// Normalised name (PEP 503) of what to install, if that can be said.
    pub(crate) distribution: Option<String>,
    /// Whether it is only the module's name that speaks for it: the module may as well be something else.
    pub(crate) is_guess: bool,
}

/// Top-level modules that distributions share, each of which is named by the dotted name of what it puts there.
const NAMESPACES: [&str; 11] = [
    "azure",
    "backports",
    "databricks",
    "google",
    "jaraco",
    "llama_index",
    "opentelemetry",
    "ruamel",
    "snowflake",
    "sphinxcontrib",
    "zope",
];

/// Parts of a dotted name that are looked up: no module of the tables has as many.
const PARTS_MAX: usize = 10;

/// Returns the distribution that has a module, given by its full dotted name.
pub(crate) fn distribution_of(module: &str) -> Known<'_> {
    let top = module.split('.').next().unwrap_or_default();
    let end = module.match_indices('.').nth(PARTS_MAX - 1).map_or(module.len(), |(at, _)| at);
    let mut prefix = &module[..end];
    loop {
        if let Some(&distribution) = TABLE.get(prefix) {
            let distribution = (distribution != NOBODY).then(|| distribution.to_owned());
            return Known { module: prefix, distribution, is_guess: false };
        }
        let Some((parent, _)) = prefix.rsplit_once('.') else {
            let is_guess = !POPULAR.contains(prefix);
            let distribution = same_name(prefix).filter(|name| !is_guess || is_listed(name));
            return Known { module: prefix, distribution, is_guess };
        };
        if NAMESPACES.contains(&top)
            && let Some(distribution) = in_namespace(prefix)
        {
            return Known { module: prefix, distribution: Some(distribution), is_guess: false };
        }
        prefix = parent;
    }
}

/// Returns whether a distribution, by its normalised name, is known to publish a module that programs import.
pub(crate) fn is_known(distribution: &str) -> bool {
    static VALUES: LazyLock<HashSet<&str>> = LazyLock::new(|| TABLE.values().copied().collect());
    distribution != NOBODY && (is_listed(distribution) || VALUES.contains(distribution))
}

/// The table's word for a module that no index has.
const NOBODY: &str = "-";

/// Returns the normalised name of the distribution that is called like a module.
pub(super) fn same_name(module: &str) -> Option<String> {
    let allowed = module.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    let ends = !module.starts_with('_') && !module.ends_with('_') && !module.is_empty() && module.len() <= 100;
    (allowed && ends).then(|| {
        let parts: Vec<_> = module.split('_').filter(|part| !part.is_empty()).collect();
        parts.join("-").to_ascii_lowercase()
    })
}

/// Returns the distribution named by the dotted name of a module, of whatever version its interface is.
fn in_namespace(module: &str) -> Option<String> {
    let name = same_name(&module.replace('.', "_"))?;
    let is_version = |part: &str| {
        let digits = part.strip_prefix('v').unwrap_or_default();
        digits.starts_with(|c: char| c.is_ascii_digit()) && digits.bytes().all(|byte| byte.is_ascii_alphanumeric())
    };
    let unversioned = name.rsplit_once('-').filter(|(_, last)| is_version(last)).map(|(name, _)| name.to_owned());
    std::iter::once(name).chain(unversioned).find(|name| is_listed(name))
}

/// Returns whether a name is in the list. Building a set of it would take longer than many jobs.
fn is_listed(name: &str) -> bool {
    let list = LIST.split_once('\n').map_or("", |(_, names)| names);
    let (mut low, mut high) = (0, list.len());
    while low < high {
        let middle = low.midpoint(high);
        let start = list[low..middle].rfind('\n').map_or(low, |at| low + at + 1);
        let end = list[middle..high].find('\n').map_or(high, |at| middle + at);
        match list[start..end].cmp(name) {
            Ordering::Equal => return true,
            Ordering::Less => low = end + 1,
            Ordering::Greater => high = start,
        }
    }
    false
}

fn rows() -> impl Iterator<Item = (&'static str, &'static str)> {
    include_str!("packages.tsv").lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once('\t'))
}

/// A comment, and the names, one in a line, sorted.
static LIST: &str = include_str!("known.txt");

static POPULAR: LazyLock<HashSet<&str>> = LazyLock::new(|| {
    include_str!("popular.txt").lines().filter(|line| !line.starts_with('#')).flat_map(str::split_whitespace).collect()
});

static TABLE: LazyLock<HashMap<&str, &str>> = LazyLock::new(|| rows().collect());

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_differ_are_known() {
        for (module, distribution) in [
            ("PIL", "pillow"),
            ("PIL.Image", "pillow"),
            ("cv2", "opencv-python-headless"),
            ("sklearn.linear_model", "scikit-learn"),
            ("skimage", "scikit-image"),
            ("bs4", "beautifulsoup4"),
            ("yaml", "pyyaml"),
            ("dotenv", "python-dotenv"),
            ("dateutil.parser", "python-dateutil"),
            ("psycopg2", "psycopg2-binary"),
            ("pymysql", "pymysql"),
            ("jwt", "pyjwt"),
            ("nacl", "pynacl"),
            ("attr", "attrs"),
            ("grpc", "grpcio"),
            ("decouple", "python-decouple"),
            ("fitz", "pymupdf"),
            ("docx", "python-docx"),
            ("serial", "pyserial"),
            ("usb", "pyusb"),
            ("magic", "python-magic"),
            ("google.protobuf", "protobuf"),
            ("google.cloud.storage.blob", "google-cloud-storage"),
            ("ruamel.yaml", "ruamel-yaml"),
            ("mpl_toolkits.mplot3d", "matplotlib"),
            ("strawberry.fastapi", "strawberry-graphql"),
            ("kafka", "kafka-python"),
            ("websocket", "websocket-client"),
            ("azure.ai.formrecognizer", "azure-ai-formrecognizer"),
            ("azure.identity.DefaultAzureCredential", "azure-identity"),
            ("google.cloud.dialogflow_v2", "google-cloud-dialogflow"),
            ("google.cloud.bigquery_storage_v1.types", "google-cloud-bigquery-storage"),
            ("opentelemetry.instrumentation.flask", "opentelemetry-instrumentation-flask"),
            ("opentelemetry.trace", "opentelemetry-api"),
            ("llama_index.core", "llama-index-core"),
        ] {
            assert_eq!(distribution_of(module).distribution.as_deref(), Some(distribution), "{module}");
        }
    }

    #[test]
    fn other_names_are_their_own_distribution() {
        for (module, distribution) in [
            ("numpy", Some("numpy")),
            ("numpy.linalg", Some("numpy")),
            ("typing_extensions", Some("typing-extensions")),
            ("Huggingface__Hub", Some("huggingface-hub")),
            ("cowsay", Some("cowsay")),
            ("a2a", Some("a2a")),
            ("zxcvbn", Some("zxcvbn")),
            ("pyfiglet.fonts", Some("pyfiglet")),
            ("surely_nobody_is_known_by_this_name", None),
            ("_private", None),
            ("naïve", None),
            ("google.unheard_of", None),
            ("js", None),
        ] {
            assert_eq!(distribution_of(module).distribution.as_deref(), distribution, "{module}");
        }
        assert_eq!(distribution_of("google.protobuf.message").module, "google.protobuf");
        assert_eq!(distribution_of("numpy.linalg").module, "numpy");
    }

    /// An index has something by most of these names, and nobody who imports one means that.
    #[test]
    fn a_name_that_says_nothing_is_no_distribution() {
        for module in [
            "utils",
            "util",
            "helpers",
            "helper",
            "maths",
            "config",
            "common",
            "core",
            "data",
            "models",
            "model",
            "tools",
            "test",
            "tests",
            "app",
            "main",
            "lib",
            "settings",
            "constants",
            "database",
            "db",
            "server",
            "client",
            "logger",
            "parser",
            "player",
            "game",
            "board",
            "my_module",
            "test_helpers",
            "data_utils",
            "request",
            "numpi",
            "panda",
            "beautifulsoup",
            "BeautifulSoup",
            "apex",
            "clip",
            "crypto",
            "opencv",
            "Utils",
            "win32api",
        ] {
            assert_eq!(distribution_of(module).distribution, None, "{module}");
        }
    }

    #[test]
    fn the_list_is_sorted_and_found_whole() {
        let names: Vec<_> = LIST.lines().skip(1).collect();
        assert!(names.len() > 5_000 && names.is_sorted_by(|a, b| a < b), "{}", names.len());
        assert!(LIST.starts_with('#') && LIST.ends_with('\n') && LIST.is_ascii());
        for name in &names {
            assert!(is_listed(name), "{name}");
        }
        for name in ["", "-", "a", "nump", "numpyy", "zzzzzz", "#", "numpy\n"] {
            assert!(!is_listed(name), "{name:?}");
        }
        assert!(is_known("opencv-python-headless") && is_known("numpy") && !is_known("-") && !is_known("utils"));
    }

    #[test]
    fn the_table_is_well_formed() {
        let mut seen = HashSet::new();
        for (module, distribution) in rows() {
            assert!(seen.insert(module), "{module} is there twice");
            let normal = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
            assert!(!distribution.is_empty() && distribution.chars().all(normal), "{module}: {distribution}");
            assert!(
                distribution == "-" || same_name(module).as_deref() != Some(distribution) || module.contains('.'),
                "{module} needs no row"
            );
        }
        assert!(seen.len() >= 400, "{}", seen.len());
        let lines = include_str!("packages.tsv").lines().filter(|line| !line.starts_with('#')).count();
        assert_eq!(lines, seen.len(), "a line has no tab");
    }
}
