//! What uv has resolved to: versions, and the wheels there are of them, as a `pylock.toml` (PEP 751) lists them.

use serde::Deserialize;

/// A version that was chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Locked {
    /// Normalised.
    pub(super) name: String,
    pub(super) version: String,
    wheels: Vec<Wheel>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Wheel {
    file: String,
    /// As the index says it; not all do.
    bytes: Option<u64>,
}

#[derive(Deserialize)]
struct File {
    #[serde(default)]
    packages: Vec<FilePackage>,
}

#[derive(Deserialize)]
struct FilePackage {
    name: String,
    version: Option<String>,
    #[serde(default)]
    wheels: Vec<FileWheel>,
}

#[derive(Deserialize)]
struct FileWheel {
    name: Option<String>,
    url: Option<String>,
    path: Option<String>,
    size: Option<u64>,
}

/// Reads the file; an error is in words for the log.
pub(super) fn read(text: &str) -> Result<Vec<Locked>, String> {
    let file: File = toml::from_str(text).map_err(|error| error.to_string())?;
    let locked = file.packages.into_iter().map(|package| {
        let version = package.version.ok_or_else(|| format!("{} has no version", package.name))?;
        let wheels = package.wheels.into_iter().filter_map(FileWheel::understood).collect();
        Ok(Locked { name: package.name, version, wheels })
    });
    locked.collect()
}

impl FileWheel {
    fn understood(self) -> Option<Wheel> {
        let place = self.name.or(self.path).or(self.url)?;
        let place = place.split(['?', '#']).next()?;
        Some(Wheel { file: place.rsplit('/').next()?.to_owned(), bytes: self.size })
    }
}

impl Locked {
    /// Returns the pin that is installed, as `name==version`.
    pub(super) fn pin(&self) -> String {
        format!("{}=={}", self.name, self.version)
    }

    /// Returns whether one of its wheels suits every machine.
    pub(super) fn suits_every_machine(&self) -> bool {
        self.wheels.iter().any(|wheel| wheel.file.ends_with("-none-any.whl"))
    }

    /// Returns the size of its smallest wheel, in bytes, where the index says it.
    pub(super) fn bytes(&self) -> Option<u64> {
        self.wheels.iter().filter_map(|wheel| wheel.bytes).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wheels_are_read_from_a_lock() {
        let text = r#"
            lock-version = "1.0"
            created-by = "uv"
            requires-python = ">=3.14"

            [[packages]]
            name = "both"
            version = "3.5.2"
            wheels = [
                { url = "https://files.example/both-3.5.2-cp314-cp314-manylinux_2_28_x86_64.whl", size = 700, hashes = {} },
                { url = "https://files.example/both-3.5.2-py3-none-any.whl", upload-time = 2026-03-19T14:22:23Z, size = 500 },
            ]

            [[packages]]
            name = "native"
            version = "1"
            wheels = [{ path = "/srv/native-1-cp314-cp314-linux_x86_64.whl" }]
        "#;
        let locked = read(text).unwrap();
        let seen: Vec<_> = locked.iter().map(|it| (it.pin(), it.suits_every_machine(), it.bytes())).collect();
        assert_eq!(seen, [("both==3.5.2".into(), true, Some(500)), ("native==1".into(), false, None)]);
        assert_eq!(read("lock-version = '1.0'").unwrap(), []);
        assert!(read("[[packages]]\nname = 'x'").unwrap_err().contains("x has no version"));
        assert!(read("no lock").is_err());
    }
}
