//! Hints in the terms of the command line: its flags, and the variables that it reads.

use pyexec::Hint;

/// Words a hint for a person at a terminal.
pub(crate) fn words(hint: &Hint) -> String {
    match hint {
        Hint::AskForNetwork => "--network allows it".to_owned(),
        Hint::AllowNetwork => "PYEXEC_ALLOW_NETWORK=false is set here; without it --network allows it".to_owned(),
        Hint::LeaveOutTier => "leave out --executor wasm, or what takes a container".to_owned(),
        Hint::TurnOnContainers => "PYEXEC_FALLBACK=off is set here; without it Docker is used where it runs".to_owned(),
        Hint::AllowImage(image) => format!("PYEXEC_ALLOWED_IMAGES={image} allows it; or leave out --image"),
        Hint::FetchImage(image) => {
            format!("`docker pull {image}` fetches it, and PYEXEC_IMAGE_PULL=missing lets pyexec")
        }
        Hint::NameDockerSocket => {
            "PYEXEC_DOCKER_SOCKET takes unix://PATH and tcp://HOST:PORT; or forward the socket".to_owned()
        }
        Hint::ChangeNetworkMode => "PYEXEC_NETWORK_MODE names a network that needs no walls".to_owned(),
        Hint::RaiseBuildDisk => "PYEXEC_BUILD_DISK_MB allows more".to_owned(),
        Hint::InstallUv => "`pip install uv` gets it".to_owned(),
        Hint::ListenElsewhere => "is another server there? --port and --host choose where to listen".to_owned(),
        Hint::NameEntrypoint => "name the one to run with --entrypoint".to_owned(),
        // Text holds everywhere, as does what has no words here.
        hint => hint.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hints_name_what_the_command_line_has() {
        assert_eq!(words(&Hint::AskForNetwork), "--network allows it");
        assert!(words(&Hint::ListenElsewhere).contains("--port"));
        assert_eq!(words(&Hint::from("try it")), "try it");
        assert!(!words(&Hint::StartDocker).is_empty());
    }
}
