//! What to do about an error: a value, which the command line and the server word in their own terms.

use std::fmt;

/// Says what to do about an error.
///
/// Its text names no flag and no setting; who shows it can word it better by its variant.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Hint {
    /// Advice that holds wherever it is read.
    Text(String),
    /// The job has no permission to use the network, which it can ask for.
    AskForNetwork,
    /// The service allows no job the network.
    AllowNetwork,
    /// The job asks for WebAssembly, and for what takes a container.
    LeaveOutTier,
    /// The service runs nothing in containers.
    TurnOnContainers,
    /// The job asks for an image that the service does not allow.
    AllowImage(String),
    /// An image is not here, and the service fetches none.
    FetchImage(String),
    /// The Docker daemon cannot be used.
    StartDocker,
    /// The Docker daemon is where it cannot be reached.
    NameDockerSocket,
    /// The Docker host cannot wall off the network of a container.
    ChangeNetworkMode,
    /// Commands and packages need more disk than builds may have.
    RaiseBuildDisk,
    /// Packages cannot be installed without uv.
    InstallUv,
    /// The service cannot listen where its settings say.
    ListenElsewhere,
    /// Several scripts could be the one to run.
    NameEntrypoint,
}

/// Words hints for those who read them.
pub type Wording = fn(&Hint) -> String;

impl fmt::Display for Hint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Hint::Text(text) => f.write_str(text),
            Hint::AskForNetwork => f.write_str("let the job use the network"),
            Hint::AllowNetwork => f.write_str("let the service allow jobs the network"),
            Hint::LeaveOutTier => f.write_str("do not ask for WebAssembly, or leave out what takes a container"),
            Hint::TurnOnContainers => f.write_str("turn containers on where Docker can be used"),
            Hint::AllowImage(image) => write!(f, "let the service allow the image {image}"),
            Hint::FetchImage(image) => {
                write!(f, "`docker pull {image}` fetches it; or let the service fetch images that are missing")
            }
            Hint::StartDocker => f.write_str("check that Docker runs, and that this user may use its socket"),
            Hint::NameDockerSocket => f.write_str("name a socket as unix://PATH or tcp://HOST:PORT, or forward one"),
            Hint::ChangeNetworkMode => {
                f.write_str("give the Docker host nf_tables, or containers a network that needs no walls")
            }
            Hint::RaiseBuildDisk => f.write_str("install less, or allow builds more disk"),
            Hint::InstallUv => f.write_str("get uv, as with `pip install uv`"),
            Hint::ListenElsewhere => f.write_str("choose another address or port"),
            Hint::NameEntrypoint => f.write_str("name the script to run as the entrypoint"),
        }
    }
}

impl From<&str> for Hint {
    fn from(text: &str) -> Hint {
        Hint::Text(text.to_owned())
    }
}

impl From<String> for Hint {
    fn from(text: String) -> Hint {
        Hint::Text(text)
    }
}
