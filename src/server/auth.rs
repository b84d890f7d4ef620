//! Who calls, and whether they may.

use crate::{
    config::ApiKey,
    server::{
        metrics::RejectReason,
        rate_limit::{RateLimits, RetryAfter},
        refusal::refusal,
        request_id::RequestId,
    },
    sync::lock,
};
use axum::{
    extract::{MatchedPath, Request, State},
    http::{
        HeaderMap, HeaderName, HeaderValue, StatusCode,
        header::{AUTHORIZATION, RETRY_AFTER, WWW_AUTHENTICATE},
    },
    middleware::Next,
    response::Response,
};
use base64::{
    Engine as _,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use sha2::{Digest, Sha256};
use std::{
    borrow::Cow,
    collections::HashMap,
    sync::{Arc, Mutex},
    time::Instant,
};
use subtle::{ConditionallySelectable, ConstantTimeEq};

/// What E2B's clients send inside a sandbox.
const TOKEN_HEADERS: [&str; 2] = ["x-access-token", "e2b-traffic-access-token"];
/// Padded or not.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);
const ANONYMOUS: &str = "anonymous";
/// Index of no key.
const NO_KEY: u64 = u64::MAX;

/// The keys that may call. None at all means that anyone may.
#[derive(Debug)]
pub(crate) struct Keys {
    /// Header that a key may come in, besides `Authorization`.
    header: HeaderName,
    digests: Vec<[u8; 32]>,
    callers: Vec<Caller>,
}

/// Names the caller: an extension of each authenticated request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Caller {
    /// Of the key.
    pub(crate) name: Arc<str>,
    /// Of the key among [`Keys`]; 0 for everyone when there are none.
    pub(crate) index: usize,
}

/// Says why a caller is not let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum AuthError {
    #[error("an API key is required: send it as `Authorization: Bearer KEY` or `X-API-Key: KEY`")]
    Missing,
    #[error("more than one API key was sent: send one, in one header")]
    Ambiguous,
    #[error("the API key cannot be read: send it as `Authorization: Bearer KEY` or `X-API-Key: KEY`")]
    Malformed,
    #[error("the API key is not known: check it, or ask the server's operator for one")]
    Unknown,
}

impl Keys {
    /// Takes the keys, and the name of the header that they may come in besides `Authorization`.
    pub(crate) fn new(keys: Vec<ApiKey>, header: HeaderName) -> Keys {
        let (digests, callers) = keys
            .into_iter()
            .enumerate()
            .map(|(index, key)| (key.digest, Caller { name: key.name.into(), index }))
            .unzip();
        Keys { header, digests, callers }
    }

    /// Callers that can be told apart: indices of [`Caller`] are below it.
    pub(crate) fn callers(&self) -> usize {
        self.callers.len().max(1)
    }

    /// Returns who sent a request with these headers.
    pub(crate) fn authenticate(&self, headers: &HeaderMap) -> Result<Caller, AuthError> {
        if self.callers.is_empty() {
            return Ok(Caller { name: ANONYMOUS.into(), index: 0 });
        }
        let authorization = only(headers, &AUTHORIZATION)?.map(key_in_authorization).transpose()?;
        let api_key = only(headers, &self.header)?.map(Cow::Borrowed);
        let key = match (authorization, api_key) {
            (Some(one), Some(other)) if one != other => return Err(AuthError::Ambiguous),
            (Some(key), _) | (None, Some(key)) => key,
            (None, None) => return Err(AuthError::Missing),
        };
        if key.is_empty() {
            return Err(AuthError::Missing);
        }
        self.find(&key).ok_or(AuthError::Unknown)
    }

    /// Takes as long for any key, known or not.
    fn find(&self, key: &str) -> Option<Caller> {
        let sent: [u8; 32] = Sha256::digest(key.as_bytes()).into();
        let mut found = NO_KEY;
        for (index, digest) in (0_u64..).zip(&self.digests) {
            found.conditional_assign(&index, digest.ct_eq(&sent));
        }
        self.callers.get(usize::try_from(found).ok()?).cloned()
    }
}

/// Returns the value of a header that may be sent once.
fn only<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a str>, AuthError> {
    let mut values = headers.get_all(name).iter();
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(AuthError::Ambiguous);
    }
    value.to_str().map(|text| Some(text.trim())).map_err(|_| AuthError::Malformed)
}

fn key_in_authorization(value: &str) -> Result<Cow<'_, str>, AuthError> {
    let (scheme, rest) = value.split_once(' ').unwrap_or((value, ""));
    let rest = rest.trim();
    if scheme.eq_ignore_ascii_case("bearer") {
        return Ok(Cow::Borrowed(rest));
    }
    if !scheme.eq_ignore_ascii_case("basic") {
        return Err(AuthError::Malformed);
    }
    let decoded =
        BASE64.decode(rest).ok().and_then(|bytes| String::from_utf8(bytes).ok()).ok_or(AuthError::Malformed)?;
    // User names can't contain colons; passwords can.
    let (_user, password) = decoded.split_once(':').ok_or(AuthError::Malformed)?;
    if !password.is_ascii() {
        return Err(AuthError::Malformed);
    }
    Ok(Cow::Owned(password.to_owned()))
}

/// Tokens that let a client in to one thing of a caller, without the key.
#[derive(Debug, Default)]
pub(crate) struct Tokens(Mutex<HashMap<[u8; 32], (Caller, Scope)>>);

/// Names the one thing that a token was issued for: an extension of requests that came in by one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Scope(pub(crate) Arc<str>);

impl Tokens {
    /// Makes a token.
    pub(crate) fn issue(&self, caller: &Caller, scope: &str) -> String {
        let token = format!("{}{}", uuid::Uuid::new_v4().simple(), uuid::Uuid::new_v4().simple());
        lock(&self.0).insert(Sha256::digest(&token).into(), (caller.clone(), Scope(scope.into())));
        token
    }

    /// Makes a token worthless.
    pub(crate) fn remove(&self, token: &str) {
        let digest: [u8; 32] = Sha256::digest(token).into();
        lock(&self.0).remove(&digest);
    }

    /// Returns whom a request is let in for, by the digest of what it has: how long that takes tells nothing of a token.
    fn find(&self, headers: &HeaderMap) -> Option<(Caller, Scope)> {
        let sent = TOKEN_HEADERS.iter().filter_map(|name| headers.get(*name));
        let tokens = lock(&self.0);
        sent.map(|token| Sha256::digest(token.as_bytes()).into())
            .find_map(|digest: [u8; 32]| tokens.get(&digest).cloned())
    }
}

/// State of [`admit`]. Cloning is cheap.
#[derive(Debug, Clone)]
pub(crate) struct Gate {
    keys: Arc<Keys>,
    limits: Arc<RateLimits>,
    open: &'static [&'static str],
    tokens: Arc<Tokens>,
    by_token: &'static [&'static str],
}

impl Gate {
    /// Makes a gate; `open` has the routes that need no key, as the router has them. `per_minute` is each caller's rate
    /// limit; 0 is none.
    pub(crate) fn new(keys: Keys, per_minute: u32, open: &'static [&'static str]) -> Gate {
        let limits = Arc::new(RateLimits::new(per_minute, keys.callers()));
        Gate { limits, keys: Arc::new(keys), open, tokens: Arc::default(), by_token: &[] }
    }

    /// Lets requests for these routes in by a token as well.
    #[must_use]
    pub(crate) fn with_tokens(self, tokens: Arc<Tokens>, routes: &'static [&'static str]) -> Gate {
        Gate { tokens, by_token: routes, ..self }
    }

    fn is_open(&self, request: &Request) -> bool {
        is_among(request, self.open)
    }

    fn check(&self, request: &Request) -> Result<(Caller, Option<Scope>), Refused> {
        let by_token = is_among(request, self.by_token).then(|| self.tokens.find(request.headers())).flatten();
        let (caller, scope) = match by_token {
            Some((caller, scope)) => (caller, Some(scope)),
            None => (self.keys.authenticate(request.headers()).map_err(Refused::Unauthorized)?, None),
        };
        self.limits.check(&caller, Instant::now()).map_err(Refused::RateLimited)?;
        Ok((caller, scope))
    }
}

/// Returns whether a request is for one of these routes.
fn is_among(request: &Request, routes: &[&str]) -> bool {
    // By what the router matched, not by what was written, so that no spelling of a path can slip through.
    let route = request.extensions().get::<MatchedPath>();
    route.is_some_and(|route| routes.contains(&route.as_str()))
}

/// Middleware: lets a request pass that has a key within its rate limit, with its [`Caller`] as an extension. Open routes pass
/// always, and have a [`Caller`] when there is one. Belongs on the router that has the routes ([`axum::Router::layer`]).
pub(crate) async fn admit(State(gate): State<Gate>, mut request: Request, next: Next) -> Response {
    if gate.is_open(&request) {
        if let Ok(caller) = gate.keys.authenticate(request.headers()) {
            request.extensions_mut().insert(caller);
        }
        return next.run(request).await;
    }
    match gate.check(&request) {
        Ok((caller, scope)) => {
            request.extensions_mut().insert(caller);
            if let Some(scope) = scope {
                request.extensions_mut().insert(scope);
            }
            next.run(request).await
        }
        Err(refused) => refused.into_response(request.extensions().get::<RequestId>()),
    }
}

enum Refused {
    Unauthorized(AuthError),
    RateLimited(RetryAfter),
}

impl Refused {
    fn into_response(self, request_id: Option<&RequestId>) -> Response {
        let request_id = request_id.map(|id| id.0.as_str());
        match self {
            Refused::Unauthorized(error) => {
                let mut response =
                    refusal(StatusCode::UNAUTHORIZED, "unauthorized", &error.to_string(), None, request_id);
                response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
                response.extensions_mut().insert(RejectReason::Unauthorized);
                response.extensions_mut().insert(error);
                response
            }
            Refused::RateLimited(retry_after) => {
                let seconds = retry_after.seconds();
                let error = format!("too many requests with this key: try again in {seconds} s");
                let mut response = refusal(StatusCode::TOO_MANY_REQUESTS, "rate_limited", &error, None, request_id);
                response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
                response.extensions_mut().insert(RejectReason::RateLimited);
                response
            }
        }
    }
}

#[cfg(test)]
mod tests;
