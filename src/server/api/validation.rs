//! What services made with FastAPI say when something is wrong: `detail`, which is a text or a list of members.

use super::ErrorBody;
use crate::server::{
    error::ApiError,
    members::{Members, Text},
};
use axum::{
    Json,
    http::{HeaderValue, StatusCode, header::RETRY_AFTER},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use serde_json::{Value, json, value::RawValue};
use utoipa::{IntoResponses, ToSchema};

/// Of a value that is shown again.
const INPUT_BYTES_MAX: usize = 1024;
/// Of a whole number in text.
const NUMBER_BYTES_MAX: usize = 32;

/// An answer that is not a success.
#[derive(Debug)]
pub(crate) struct Refused {
    status: StatusCode,
    detail: Detail,
    retry_after_s: Option<u64>,
}

/// Why a request is refused.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
pub(crate) enum Detail {
    Text(String),
    Members(Vec<WrongMember>),
}

/// The shape of every error of these services.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DetailBody {
    pub(crate) detail: Detail,
}

/// A member of a request that is not as it should be.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct WrongMember {
    /// What is wrong with it, in one word.
    #[serde(rename = "type")]
    kind: &'static str,
    /// Where it is.
    #[schema(value_type = Vec<Value>)]
    loc: Vec<Value>,
    msg: String,
    /// What it is, unless that is long.
    #[schema(value_type = Value)]
    input: Value,
}

/// The members of a request, which are all looked at before it is refused.
pub(crate) struct Fields<'a> {
    members: Members<'a>,
    wrong: Vec<WrongMember>,
}

impl Refused {
    pub(crate) fn new(status: StatusCode, detail: impl Into<String>) -> Refused {
        Refused { status, detail: Detail::Text(detail.into()), retry_after_s: None }
    }

    pub(crate) fn members(wrong: Vec<WrongMember>) -> Refused {
        Refused { status: StatusCode::UNPROCESSABLE_ENTITY, detail: Detail::Members(wrong), retry_after_s: None }
    }
}

impl From<ApiError> for Refused {
    fn from(error: ApiError) -> Refused {
        let (status, message, retry_after_s) = error.into_parts();
        Refused { retry_after_s, ..Refused::new(status, message) }
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let mut response = (self.status, Json(DetailBody { detail: self.detail })).into_response();
        if let Some(seconds) = self.retry_after_s {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

impl WrongMember {
    pub(crate) fn missing(place: &str, name: &str) -> WrongMember {
        let loc = vec![json!(place), json!(name)];
        WrongMember { kind: "missing", loc, msg: "Field required".to_owned(), input: Value::Null }
    }

    pub(crate) fn too_long(place: &str, name: &str, most: usize) -> WrongMember {
        let msg = format!("String should have at most {most} characters");
        WrongMember { kind: "string_too_long", loc: vec![json!(place), json!(name)], msg, input: Value::Null }
    }
}

impl<'a> Fields<'a> {
    /// Splits the object of a request.
    pub(crate) fn of(json: &'a str) -> Result<Fields<'a>, Refused> {
        let error = match Members::of(json) {
            Ok(members) => return Ok(Fields { members, wrong: Vec::new() }),
            Err(error) => error,
        };
        let (kind, loc, msg) = if json.trim().is_empty() {
            ("missing", vec![json!("body")], "Field required".to_owned())
        } else if serde_json::from_str::<&RawValue>(json).is_ok() {
            (
                "model_attributes_type",
                vec![json!("body")],
                format!("Input should be an object that can be read: {error}"),
            )
        } else {
            ("json_invalid", vec![json!("body"), json!(0)], format!("JSON decode error: {error}"))
        };
        Err(Refused::members(vec![WrongMember { kind, loc, msg, input: Value::Null }]))
    }

    /// Takes a text that must be there.
    pub(crate) fn text(&mut self, name: &'static str) -> String {
        match self.members.peek(name) {
            None => {
                self.wrong.push(WrongMember::missing("body", name));
                String::new()
            }
            Some(value) => self.parsed(name, value, "string_type", "Input should be a valid string", text),
        }
    }

    /// Takes a text that must be there and is not longer.
    pub(crate) fn short_text(&mut self, name: &'static str, chars_max: usize) -> String {
        let text = self.text(name);
        if text.chars().nth(chars_max).is_some() {
            self.wrong.push(WrongMember::too_long("body", name, chars_max));
        }
        text
    }

    /// Takes a text that need not be there.
    pub(crate) fn optional_text(&mut self, name: &'static str) -> Option<String> {
        let value = self.members.peek(name).filter(|value| value.get() != "null")?;
        Some(self.parsed(name, value, "string_type", "Input should be a valid string", text))
    }

    /// Takes a text that need not be there and is not longer.
    pub(crate) fn optional_short_text(&mut self, name: &'static str, chars_max: usize) -> Option<String> {
        let text = self.optional_text(name)?;
        if text.chars().nth(chars_max).is_some() {
            self.wrong.push(WrongMember::too_long("body", name, chars_max));
        }
        Some(text)
    }

    /// Takes a whole number that need not be there and is not negative, also one written as text.
    pub(crate) fn integer(&mut self, name: &'static str) -> Option<u64> {
        let value = self.members.peek(name).filter(|value| value.get() != "null")?;
        Some(self.parsed(name, value, "int_type", "Input should be a valid integer, 0 or more", integer))
    }

    /// Takes a list of texts that must be there.
    pub(crate) fn texts(&mut self, name: &'static str) -> Vec<String> {
        let Some(value) = self.members.peek(name) else {
            self.wrong.push(WrongMember::missing("body", name));
            return Vec::new();
        };
        match self.members.texts(name) {
            Ok(texts) if value.get().starts_with('[') => texts,
            Ok(_) => self.refuse(name, value, "list_type", "Input should be a valid list".to_owned()),
            Err(error) => {
                self.refuse(name, value, "list_type", format!("Input should be a valid list of strings: {error}"))
            }
        }
    }

    /// Takes an object of texts that need not be there.
    pub(crate) fn map(&mut self, name: &'static str) -> Vec<(String, String)> {
        let Some(value) = self.members.peek(name) else { return Vec::new() };
        let Ok(Some(object)) = self.members.object(name, "") else {
            return self.refuse(name, value, "dict_type", "Input should be a valid dictionary".to_owned());
        };
        let entries = object.into_entries().map(|(name, value)| Some((name.into_owned(), text(value)?)));
        match entries.collect() {
            Some(entries) => entries,
            None => self.refuse(name, value, "string_type", "Input should have valid strings only".to_owned()),
        }
    }

    /// Refuses the request if something was wrong.
    pub(crate) fn end(self) -> Result<(), Refused> {
        if self.wrong.is_empty() { Ok(()) } else { Err(Refused::members(self.wrong)) }
    }

    fn parsed<T: Default>(
        &mut self,
        name: &str,
        value: &RawValue,
        kind: &'static str,
        msg: &str,
        parse: impl FnOnce(&RawValue) -> Option<T>,
    ) -> T {
        parse(value).unwrap_or_else(|| self.refuse(name, value, kind, msg.to_owned()))
    }

    fn refuse<T: Default>(&mut self, name: &str, value: &RawValue, kind: &'static str, msg: String) -> T {
        let short = Some(value.get()).filter(|text| text.len() <= INPUT_BYTES_MAX);
        let input = short.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
        self.wrong.push(WrongMember { kind, loc: vec![json!("body"), json!(name)], msg, input });
        T::default()
    }
}

fn text(value: &RawValue) -> Option<String> {
    serde_json::from_str(value.get()).ok().map(|Text(text)| text.into_owned())
}

fn integer(value: &RawValue) -> Option<u64> {
    let text = value.get().trim_matches('"');
    if text.len() > NUMBER_BYTES_MAX {
        return None;
    }
    let whole = |number: f64| number >= 0.0 && number.fract() == 0.0 && number < 1e15;
    text.parse().ok().or_else(|| text.parse::<f64>().ok().filter(|number| whole(*number)).map(|number| number as u64))
}

/// Bytes, as the document describes them.
#[derive(ToSchema)]
#[schema(value_type = String, format = Binary)]
#[expect(dead_code, reason = "only described")]
pub(crate) struct Content(Vec<u8>);

/// Of every route that needs a key, as the document describes it.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "only described")]
pub(crate) enum Guarded {
    /// No valid API key, though the server has some; or a page of another site sent it
    #[response(status = 403)]
    Forbidden(ForbiddenBody),
    /// Without API keys: the request is for another host
    #[response(status = 421)]
    OtherHost(ErrorBody),
    /// Too many requests with this key, or the queue is full
    #[response(status = 429, headers(("Retry-After" = u64, description = "In seconds")))]
    RateLimited(ForbiddenBody),
}

/// One of the two shapes of an error.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "only described")]
pub(crate) enum ForbiddenBody {
    Detail(DetailBody),
    Error(ErrorBody),
}

/// Of every route with a body.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "only described")]
pub(crate) enum Malformed {
    /// The body stopped coming
    #[response(status = 408)]
    TooSlow(DetailBody),
    /// The body is too large
    #[response(status = 413)]
    TooLarge(DetailBody),
    /// A member is missing or not as described here
    #[response(status = 422)]
    Invalid(DetailBody),
}

/// Of every route that needs more than a moment.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "only described")]
pub(crate) enum TooBusy {
    /// The server is shutting down, or the service is at fault
    #[response(status = 503, headers(("Retry-After" = u64, description = "In seconds")))]
    Unavailable(DetailBody),
}
