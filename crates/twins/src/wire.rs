//! Requests and replies as bytes, without a network.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// A request as it arrives at a twin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WireRequest {
    /// The method in capitals.
    pub method: String,
    /// The path, without query.
    pub path: String,
    /// Names and values of the query, decoded.
    pub query: Vec<(String, String)>,
    /// Header names in lower case, and values.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl WireRequest {
    /// A request by method and address (the scheme and host of the address are skipped).
    pub fn new(method: &str, url: &str, headers: &[(String, String)], body: Vec<u8>) -> Self {
        let rest = url.split_once("://").map_or(url, |(_, rest)| {
            rest.find('/').and_then(|at| rest.get(at..)).unwrap_or("/")
        });
        let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
        let query = query
            .split('&')
            .filter(|pair| !pair.is_empty())
            .map(|pair| {
                let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
                (decoded(name), decoded(value))
            })
            .collect();
        Self {
            method: method.to_owned(),
            path: path.to_owned(),
            query,
            headers: headers
                .iter()
                .map(|(name, value)| (name.to_ascii_lowercase(), value.clone()))
                .collect(),
            body,
        }
    }

    /// The first value of a query name.
    pub fn param(&self, name: &str) -> Option<&str> {
        self.query
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// The first value of a header, by lower-case name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// Whether the request may change something.
    pub fn writes(&self) -> bool {
        self.method != "GET"
    }

    /// The parts of the path, decoded.
    pub fn segments(&self) -> Vec<String> {
        self.path
            .split('/')
            .filter(|part| !part.is_empty())
            .map(decoded)
            .collect()
    }

    /// The body as JSON of a known form.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, WireReply> {
        serde_json::from_slice(&self.body).map_err(|error| {
            problem(
                400,
                "MALFORMED",
                &format!("the body is no valid request: {error}"),
            )
        })
    }
}

/// Percent-decoding; what is no valid escape stays as it is.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'+' => bytes.push(b' '),
            b'%' => {
                let ahead: Vec<u8> = rest.clone().take(2).collect();
                let value = std::str::from_utf8(&ahead)
                    .ok()
                    .filter(|hex| hex.len() == 2)
                    .and_then(|hex| u8::from_str_radix(hex, 16).ok());
                if let Some(value) = value {
                    bytes.push(value);
                    rest.nth(1);
                } else {
                    bytes.push(byte);
                }
            }
            other => bytes.push(other),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// A whole reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WireReply {
    /// The status code.
    pub status: u16,
    /// Header names in lower case, and values.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl WireReply {
    /// The same with one header more.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }
}

/// A JSON reply.
pub fn reply<T: Serialize>(status: u16, body: &T) -> WireReply {
    WireReply {
        status,
        headers: vec![("content-type".to_owned(), "application/json".to_owned())],
        body: serde_json::to_vec(body).unwrap_or_default(),
    }
}

/// A problem of RFC 9457 with a stable code.
pub fn problem(status: u16, code: &str, detail: &str) -> WireReply {
    problem_with(status, code, detail, json!({}))
}

/// A problem with further members.
pub fn problem_with(status: u16, code: &str, detail: &str, more: Value) -> WireReply {
    let mut body = json!({
        "type": format!("https://counterfoil.dev/problems/{code}"),
        "title": code.replace('_', " ").to_lowercase(),
        "status": status,
        "code": code,
        "detail": detail,
    });
    if let (Some(body), Value::Object(more)) = (body.as_object_mut(), more) {
        body.extend(more);
    }
    WireReply {
        status,
        headers: vec![(
            "content-type".to_owned(),
            "application/problem+json".to_owned(),
        )],
        body: serde_json::to_vec(&body).unwrap_or_default(),
    }
}

/// There is nothing at this address.
pub fn no_such_address() -> WireReply {
    problem(404, "NO_SUCH_ADDRESS", "there is nothing at this address")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_fall_into_path_and_query() {
        let request = WireRequest::new(
            "GET",
            "http://erp.twin:1/v1/lines/a%20b?keys=A%2CB&x=%zz&y",
            &[("X-Y".to_owned(), "1".to_owned())],
            Vec::new(),
        );
        assert_eq!(request.segments(), ["v1", "lines", "a b"]);
        assert_eq!(request.param("keys"), Some("A,B"));
        assert_eq!(request.param("x"), Some("%zz"));
        assert_eq!(request.param("y"), Some(""));
        assert_eq!(request.header("x-y"), Some("1"));
        let bare = WireRequest::new("GET", "http://host", &[], Vec::new());
        assert_eq!(bare.path, "/");
    }
}
