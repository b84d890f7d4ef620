//! Commands that install packages by their names, and look at nothing else: what they leave is the same for every project.

/// Characters of a name with a version, extras and quotes around it.
const PLAIN: &str = "-_.+=<>!~,:[]'\"";

/// Returns whether commands may look at the project. Where that is not sure, they may.
pub(crate) fn look_around(commands: &[String]) -> bool {
    !commands.iter().flat_map(|command| command.split("&&")).all(installs_by_name)
}

fn installs_by_name(command: &str) -> bool {
    let words: Vec<_> = command.split_whitespace().collect();
    let rest = match words[..] {
        ["apt-get" | "apt", ..] => &words[1..],
        ["pip" | "pip3", "install", ..] => &words[2..],
        ["python" | "python3", "-m", "pip", "install", ..] => &words[4..],
        ["apk", "add", ..] => &words[2..],
        _ => return false,
    };
    rest.iter().all(|word| is_name(word) || is_switch(word))
}

/// Returns a path has a slash or is a dot; a file of a package that pip would take has an ending.
fn is_name(word: &str) -> bool {
    let bare = word.trim_matches(['\'', '"']);
    let is_file = [".whl", ".zip", ".gz", ".bz2", ".xz", ".tgz", ".deb"].iter().any(|ending| bare.ends_with(ending));
    bare.starts_with(|c: char| c.is_ascii_alphanumeric())
        && word.chars().all(|c| c.is_ascii_alphanumeric() || PLAIN.contains(c))
        && !is_file
        // Outside of quotes these redirect.
        && (bare != word || !word.contains(['<', '>', '!', '[']))
}

/// Returns an option that takes no value, or none from the project.
fn is_switch(word: &str) -> bool {
    const SWITCHES: [&str; 16] = [
        "-y",
        "-q",
        "-qq",
        "-yq",
        "-qy",
        "-yqq",
        "-qqy",
        "-U",
        "--yes",
        "--quiet",
        "--upgrade",
        "--no-cache-dir",
        "--no-cache",
        "--no-install-recommends",
        "--only-binary=:all:",
        "--no-input",
    ];
    SWITCHES.contains(&word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_installing_by_name_looks_at_nothing() {
        for (command, looks) in [
            ("apt-get update", false),
            ("apt-get update && apt-get install -y --no-install-recommends ffmpeg jq", false),
            ("pip install numpy==2.1 'pandas>=2,<3' requests[socks]", true),
            ("pip install numpy==2.1 'pandas>=2,<3' 'requests[socks]'", false),
            ("python3 -m pip install -q tabulate", false),
            ("apk add --no-cache git", false),
            ("pip install -r requirements.txt", true),
            ("pip install .", true),
            ("pip install ./tool", true),
            ("pip install tool.whl", true),
            ("pip install a>b", true),
            ("pip install $(cat list)", true),
            ("pip install `cat list`", true),
            ("pip install a; cat main.py", true),
            ("pip install a | tee log", true),
            ("apt-get install -y ./tool.deb", true),
            ("echo hello", true),
            ("ls", true),
            ("", true),
        ] {
            assert_eq!(look_around(&[command.to_owned()]), looks, "{command}");
        }
        assert!(!look_around(&[]));
    }
}
