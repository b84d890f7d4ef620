//! Which distribution an imported module comes from, where the names differ. The data is in `packages.tsv`.

use std::{
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

/// The distribution that has a module, given by its full dotted name. A module that is not in the table comes from the
/// distribution of its name.
pub(crate) fn distribution_of(module: &str) -> Known<'_> {
    let mut prefix = module;
    loop {
        if let Some(&distribution) = TABLE.get(prefix) {
            let distribution = (distribution != "-").then(|| distribution.to_owned());
            return Known { module: prefix, distribution, is_guess: false };
        }
        match prefix.rsplit_once('.') {
            Some((parent, _)) => prefix = parent,
            None => {
                let is_guess = !POPULAR.contains(prefix);
                return Known { module: prefix, distribution: same_name(prefix), is_guess };
            }
        }
    }
}

fn same_name(module: &str) -> Option<String> {
    let allowed = module.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    let ends = !module.starts_with('_') && !module.ends_with('_') && !module.is_empty() && module.len() <= 100;
    (allowed && ends).then(|| {
        let parts: Vec<_> = module.split('_').filter(|part| !part.is_empty()).collect();
        parts.join("-").to_ascii_lowercase()
    })
}

fn rows() -> impl Iterator<Item = (&'static str, &'static str)> {
    include_str!("packages.tsv").lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once('\t'))
}

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
            ("cv2", "opencv-python"),
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
            ("Foo__Bar", Some("foo-bar")),
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
        assert!(seen.len() >= 150, "{}", seen.len());
        let lines = include_str!("packages.tsv").lines().filter(|line| !line.starts_with('#')).count();
        assert_eq!(lines, seen.len(), "a line has no tab");
    }
}
