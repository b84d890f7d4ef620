//! Hints in the terms of the server: members of a request, and its settings.

use crate::Hint;

/// Words a hint for a client, or for whoever runs the server.
pub(crate) fn words(hint: &Hint) -> String {
    match hint {
        Hint::AskForNetwork => "set \"network\": true in the request (--network on the command line)".to_owned(),
        Hint::AllowNetwork => "the server allows it with PYEXEC_ALLOW_NETWORK=true".to_owned(),
        Hint::LeaveOutTier => "leave \"executor\" out of the request, or what takes a container".to_owned(),
        Hint::TurnOnContainers => {
            "PYEXEC_FALLBACK=auto turns containers on, where the server can use Docker".to_owned()
        }
        Hint::AllowImage(_) => "the server's PYEXEC_ALLOWED_IMAGES lists what is allowed".to_owned(),
        Hint::FetchImage(image) => {
            format!(
                "`docker pull {image}` on the server's machine fetches it, or the server with PYEXEC_IMAGE_PULL=missing"
            )
        }
        Hint::StartDocker => "does Docker run, and may the server's user use its socket?".to_owned(),
        Hint::NameDockerSocket => {
            "the server's PYEXEC_DOCKER_SOCKET takes unix://PATH and tcp://HOST:PORT; or forward the socket".to_owned()
        }
        Hint::ChangeNetworkMode => "PYEXEC_NETWORK_MODE names a network that needs no walls".to_owned(),
        Hint::RaiseBuildDisk => "the server allows more with PYEXEC_BUILD_DISK_MB".to_owned(),
        Hint::InstallUv => "the server needs uv, as from `pip install uv`".to_owned(),
        Hint::ListenElsewhere => {
            "--host and --port, or PYEXEC_HOST and PYEXEC_PORT, say where to listen; is another server there?"
                .to_owned()
        }
        Hint::NameEntrypoint => "name the one to run with \"entrypoint\"".to_owned(),
        Hint::Text(_) => hint.to_string(),
    }
}
