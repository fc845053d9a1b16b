//! A client that sends exact bytes, and keeps cookies like a browser.

use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// The origin of the tests' pages.
pub const ORIGIN: &str = "https://app.example";
pub const PASSWORD: &str = "correct horse battery staple";

/// A request before it is sent.
#[derive(Clone)]
pub struct Request {
    method: String,
    path: String,
    headers: Vec<(String, Vec<u8>)>,
    body: Vec<u8>,
}

/// The answer to a request.
#[derive(Clone, Debug)]
pub struct Response {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Request {
    pub fn new(method: &str, path: &str) -> Self {
        Self { method: method.into(), path: path.into(), headers: Vec::new(), body: Vec::new() }
    }

    /// Adds a header and keeps others with the same name.
    pub fn header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.headers.push((name.into(), value.as_ref().into()));
        self
    }

    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    pub fn json(self, value: &Value) -> Self {
        self.header("Content-Type", "application/json").body(value.to_string())
    }

    /// Sends the request and reads the whole answer.
    #[track_caller]
    pub fn send(&self, address: SocketAddr) -> Response {
        self.try_send(address).unwrap_or_else(|error| panic!("{} {}: {error}", self.method, self.path))
    }

    /// Sends as [`send`](Self::send) does, if the server may have stopped.
    pub fn try_send(&self, address: SocketAddr) -> std::io::Result<Response> {
        let mut stream = self.start(address)?;
        let mut answer = Vec::new();
        // A server that refuses a body without reading it may close the connection after its answer.
        let read = stream.read_to_end(&mut answer);
        match Response::parse(&answer, self.method == "HEAD") {
            Some(response) => Ok(response),
            None => Err(read.err().unwrap_or_else(|| std::io::Error::other("the answer is broken off"))),
        }
    }

    /// Sends the request and reads nothing.
    pub fn start(&self, address: SocketAddr) -> std::io::Result<TcpStream> {
        let mut stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(Duration::from_secs(30)))?;
        let mut text = format!("{} {} HTTP/1.1\r\nHost: {address}\r\n", self.method, self.path).into_bytes();
        for (name, value) in &self.headers {
            text.extend_from_slice(name.as_bytes());
            text.extend_from_slice(b": ");
            text.extend_from_slice(value);
            text.extend_from_slice(b"\r\n");
        }
        let length = self.body.len();
        text.extend_from_slice(format!("Content-Length: {length}\r\nConnection: close\r\n\r\n").as_bytes());
        text.extend_from_slice(&self.body);
        // The server may also close the connection before it has read everything.
        let _ = stream.write_all(&text);
        Ok(stream)
    }
}

impl Response {
    /// Parses an answer. `bare` means that the body is missing, although a length is given.
    fn parse(answer: &[u8], bare: bool) -> Option<Self> {
        let answer = String::from_utf8(answer.into()).ok()?;
        let (head, body) = answer.split_once("\r\n\r\n")?;
        let mut lines = head.lines();
        let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
        let split = |line: &str| {
            let (name, value) = line.split_once(": ")?;
            Some((name.to_ascii_lowercase(), value.to_owned()))
        };
        let headers: Vec<_> = lines.filter_map(split).collect();
        let length = headers.iter().find(|(name, _)| name == "content-length");
        let complete = bare || length.is_none_or(|(_, length)| *length == body.len().to_string());
        complete.then(|| Self { status, headers, body: body.to_owned() })
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }

    pub fn set_cookies(&self) -> impl Iterator<Item = &str> {
        self.headers.iter().filter(|(name, _)| name == "set-cookie").map(|(_, value)| value.as_str())
    }

    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("{} {:?}", self.status, self.body))
    }

    /// Returns status and code of a refusal, which must hold nothing else and must not set or delete a cookie.
    #[track_caller]
    pub fn refusal(&self) -> (u16, String) {
        let body = self.json();
        let code = body["error"].as_str().unwrap_or_else(|| panic!("{} {body}", self.status)).to_owned();
        assert_eq!(body, json!({ "error": code }));
        assert_eq!(self.set_cookies().count(), 0, "{} {code} sets a cookie", self.status);
        assert_eq!(self.header("cache-control"), Some("no-store"));
        (self.status, code)
    }

    #[track_caller]
    pub fn assert_refused(&self, status: u16, code: &str) {
        assert_eq!(self.refusal(), (status, code.into()));
    }
}

/// A device with its cookies and, in the memory of its page, an access token.
#[derive(Clone)]
pub struct Browser {
    pub address: SocketAddr,
    pub cookies: BTreeMap<String, String>,
    pub access: String,
}

impl Browser {
    pub fn new(address: SocketAddr) -> Self {
        Self { address, cookies: BTreeMap::new(), access: String::new() }
    }

    /// Creates a device of a user that registers and logs in.
    #[track_caller]
    pub fn of_new_user(address: SocketAddr, name: &str) -> Self {
        let mut browser = Self::new(address);
        assert_eq!(browser.register(name, PASSWORD).status, 201);
        browser.assert_login(name);
        browser
    }

    /// Creates another device of the same user.
    #[track_caller]
    pub fn logged_in(address: SocketAddr, name: &str) -> Self {
        let mut browser = Self::new(address);
        browser.assert_login(name);
        browser
    }

    #[track_caller]
    pub fn assert_login(&mut self, name: &str) {
        let response = self.login(name, PASSWORD);
        assert_eq!(response.status, 200, "{}", response.body);
    }

    pub fn register(&self, name: &str, password: &str) -> Response {
        let body = json!({ "name": name, "password": password });
        self.request("POST", "/register").json(&body).send(self.address)
    }

    pub fn login(&mut self, name: &str, password: &str) -> Response {
        let body = json!({ "name": name, "password": password });
        let response = self.request("POST", "/login").json(&body).send(self.address);
        self.keep(&response);
        response
    }

    pub fn refresh(&mut self) -> Response {
        let response = self.refresh_request().send(self.address);
        self.keep(&response);
        response
    }

    pub fn refresh_request(&self) -> Request {
        self.request("POST", "/token/refresh")
    }

    #[track_caller]
    pub fn assert_refresh(&mut self) {
        let response = self.refresh();
        assert_eq!(response.status, 200, "{}", response.body);
    }

    pub fn logout(&mut self) -> Response {
        let response = self.request("POST", "/logout").send(self.address);
        self.keep(&response);
        response
    }

    /// Calls the API with the access token.
    pub fn api(&mut self, method: &str, path: &str) -> Response {
        let request = self.request(method, path).header("Authorization", format!("Bearer {}", self.access));
        let response = request.send(self.address);
        self.keep(&response);
        response
    }

    /// Returns the status of an API call with this device's access token.
    pub fn api_status(&self) -> u16 {
        self.clone().api("GET", "/").status
    }

    /// Builds a request as a script on this server's page would send it.
    pub fn request(&self, method: &str, path: &str) -> Request {
        let request =
            Request::new(method, path).header("Origin", ORIGIN).header("Sec-Fetch-Site", "same-origin");
        if self.cookies.is_empty() { request } else { request.header("Cookie", self.cookie_header()) }
    }

    pub fn cookie_header(&self) -> String {
        let pairs: Vec<String> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        pairs.join("; ")
    }

    pub fn refresh_token(&self) -> &str {
        &self.cookies["__Host-refresh"]
    }

    /// Stores the cookies and the access token of an answer, as a browser and a page do.
    pub fn keep(&mut self, response: &Response) {
        for cookie in response.set_cookies() {
            let mut parts = cookie.split("; ");
            let (name, value) = parts.next().unwrap().split_once('=').unwrap();
            let attributes: Vec<&str> = parts.collect();
            // Browsers require this for the prefix.
            assert!(name.starts_with("__Host-") && attributes.contains(&"Secure"), "{cookie}");
            assert!(attributes.contains(&"Path=/") && !cookie.contains("Domain"), "{cookie}");
            assert!(attributes.contains(&"HttpOnly") && attributes.contains(&"SameSite=Strict"), "{cookie}");
            if attributes.contains(&"Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.into(), value.into());
            }
        }
        if response.status == 200 && response.body.contains("access_token") {
            assert_eq!(response.header("cache-control"), Some("no-store"));
            self.access = response.json()["access_token"].as_str().unwrap().into();
        }
    }
}
