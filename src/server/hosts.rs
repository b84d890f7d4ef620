//! Asks of requests that they name this server: a page whose own name is made to lead here (DNS rebinding) counts as this
//! server's for a browser, and could have anything run where no key is asked for.

use super::{refusal::refusal, request_id};
use axum::{
    extract::{Request, State},
    http::{StatusCode, header::HOST, uri::Authority},
    middleware::Next,
    response::Response,
};
use std::{net::IpAddr, sync::Arc};

/// Names that requests may be for; `None` is any.
#[derive(Debug, Clone)]
pub(crate) struct Hosts(Option<Arc<[String]>>);

impl Hosts {
    /// Allows any name, where a key is asked for.
    pub(crate) fn any() -> Hosts {
        Hosts(None)
    }

    /// Allows this machine, its addresses, and what else the settings name.
    pub(crate) fn own(allowed: &[String]) -> Hosts {
        if allowed.iter().any(|host| host == "*") {
            return Hosts(None);
        }
        let machine = rustix::system::uname().nodename().to_string_lossy().to_ascii_lowercase();
        let names = ["localhost".to_owned(), machine].into_iter().chain(allowed.iter().cloned());
        Hosts(Some(names.filter(|name| !name.is_empty()).collect()))
    }

    fn allows(&self, request: &Request) -> bool {
        let Some(names) = &self.0 else { return true };
        let authority = request.uri().authority().cloned();
        let header = request.headers().get(HOST).map(|host| host.to_str().unwrap_or_default().parse::<Authority>());
        match (authority, header) {
            // No browser leaves it out.
            (None, None) => true,
            (Some(authority), None) => is_own(names, authority.host()),
            (authority, Some(Ok(header))) => {
                is_own(names, header.host()) && authority.is_none_or(|authority| is_own(names, authority.host()))
            }
            (_, Some(Err(_))) => false,
        }
    }
}

fn is_own(names: &[String], host: &str) -> bool {
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    // What a page was loaded from by its address, nobody's name led to.
    let is_address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>().is_ok();
    is_address || host.ends_with(".localhost") || names.iter().any(|name| name.trim_end_matches('.') == host)
}

/// Middleware: refuses requests for other names.
pub(crate) async fn known(State(hosts): State<Hosts>, request: Request, next: Next) -> Response {
    if hosts.allows(&request) {
        return next.run(request).await;
    }
    let error = "the request is for another host than this server";
    let hint = "the setting allowed_hosts (PYEXEC_ALLOWED_HOSTS) lists the names that it is called by";
    refusal(StatusCode::MISDIRECTED_REQUEST, "unknown_host", error, Some(hint), request_id::current().as_deref())
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::Body;

    fn allows(hosts: &Hosts, uri: &str, host: Option<&str>) -> bool {
        let mut request = Request::builder().uri(uri);
        if let Some(host) = host {
            request = request.header("host", host);
        }
        hosts.allows(&request.body(Body::empty()).unwrap())
    }

    #[test]
    fn only_names_of_this_server_are_taken() {
        let own = Hosts::own(&["pyexec.example".to_owned(), "inner.".to_owned()]);
        for host in [
            "localhost",
            "LOCALHOST:8080",
            "localhost.",
            "a.localhost:80",
            "127.0.0.1:8080",
            "[::1]:8080",
            "192.0.2.1",
            "pyexec.example:1",
            "inner",
        ] {
            assert!(allows(&own, "/", Some(host)), "{host}");
        }
        for host in [
            "evil.example",
            "localhost.evil.example",
            "pyexec.example.evil",
            "127.0.0.1.evil",
            "",
            "a b",
            "notlocalhost",
        ] {
            assert!(!allows(&own, "/", Some(host)), "{host}");
        }
        assert!(allows(&own, "/", None), "HTTP 1.0");
        assert!(!allows(&own, "http://evil.example/", Some("localhost")));
        assert!(!allows(&own, "http://evil.example/", None));
        for any in [Hosts::any(), Hosts::own(&["*".to_owned()])] {
            assert!(allows(&any, "/", Some("evil.example")));
        }
    }
}
