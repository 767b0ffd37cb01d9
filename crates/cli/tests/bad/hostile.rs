//! A server on loopback that answers as no server should, or passes a request on and meddles.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// The size of the huge reply.
const HUGE_BYTES: usize = 200 * 1024 * 1024;

/// What it does with a request.
#[derive(Debug, Clone)]
pub(crate) enum What {
    /// 200 MB of JSON, with or without its length.
    Huge {
        length: bool,
    },
    Malformed,
    /// Less than was promised.
    Cut,
    Html,
    /// 401, repeating the credentials that were sent.
    Denied,
    /// 500, a page that repeats the whole request.
    Echo,
    /// To another host.
    Redirect(String),
    /// One byte at a time.
    Drip,
    /// The answer of the real server.
    Forward,
    /// The answer of the real server with a word replaced.
    Rewrite(&'static str, &'static str),
    /// Let the real server do it, and lose the answer.
    Lose,
}

pub(crate) struct Hostile {
    pub(crate) url: String,
    /// Connections that were made to it.
    pub(crate) visits: Arc<AtomicUsize>,
}

struct Asked {
    head: String,
    body: Vec<u8>,
}

impl Hostile {
    /// A server that chooses by method and path. `behind` is the address that it passes requests to.
    pub(crate) fn start(
        behind: &str,
        choose: impl Fn(&str, &str) -> What + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let visits = Arc::new(AtomicUsize::new(0));
        let (count, choose) = (visits.clone(), Arc::new(choose));
        let behind = behind.trim_start_matches("http://").to_owned();
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                count.fetch_add(1, Ordering::SeqCst);
                let (choose, behind) = (choose.clone(), behind.clone());
                std::thread::spawn(move || {
                    // A client that hangs up in the middle is what is hoped for.
                    let _hung_up = serve(client, &behind, choose.as_ref());
                });
            }
        });
        Self { url, visits }
    }

    /// A server that does the same with every request.
    pub(crate) fn always(what: What) -> Self {
        Self::start("127.0.0.1:9", move |_, _| what.clone())
    }
}

fn serve(
    mut client: TcpStream,
    behind: &str,
    choose: &(dyn Fn(&str, &str) -> What + Send + Sync),
) -> std::io::Result<()> {
    let asked = read_request(&mut client)?;
    let mut words = asked.head.split(' ');
    let what = choose(words.next().unwrap(), words.next().unwrap());
    let (status, kind, body) = match what {
        What::Huge { length } => return huge(&mut client, length),
        What::Drip => return drip(&mut client),
        What::Cut => {
            client
                .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 900\r\n\r\n{\"items\": [{\"id")?;
            return Ok(());
        }
        What::Redirect(to) => {
            let head = format!("HTTP/1.1 302 Found\r\nlocation: {to}/v1/company\r\n");
            let rest = "content-length: 0\r\nconnection: close\r\n\r\n";
            return client.write_all(format!("{head}{rest}").as_bytes());
        }
        What::Forward => return client.write_all(&pass_on(behind, &asked)?),
        What::Lose => {
            pass_on(behind, &asked)?;
            return Ok(());
        }
        What::Rewrite(from, to) => {
            let answer = String::from_utf8(pass_on(behind, &asked)?).unwrap();
            let (_, body) = answer.split_once("\r\n\r\n").unwrap();
            ("200 OK", "application/json", body.replace(from, to))
        }
        What::Malformed => ("200 OK", "application/json", "{\"items\": [}".to_owned()),
        What::Html => (
            "200 OK",
            "text/html",
            "<!DOCTYPE html><html><body>Please log in</body></html>".to_owned(),
        ),
        What::Denied => {
            let detail = format!("not known: {}", asked.secret());
            let problem = serde_json::json!({"code": "UNAUTHORIZED", "detail": detail});
            ("401 Unauthorized", "application/json", problem.to_string())
        }
        What::Echo => (
            "422 Unprocessable",
            "application/json",
            serde_json::json!({"code": "DEBUG", "detail": asked.head}).to_string(),
        ),
    };
    let head = format!(
        "HTTP/1.1 {status}\r\ncontent-type: {kind}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    client.write_all(head.as_bytes())?;
    client.write_all(body.as_bytes())
}

impl Asked {
    fn secret(&self) -> String {
        let lines = self.head.lines();
        let mut own = lines.filter(|line| line.to_lowercase().starts_with("authorization:"));
        own.next().unwrap_or_default().to_owned()
    }
}

fn read_request(client: &mut TcpStream) -> std::io::Result<Asked> {
    let mut bytes = Vec::new();
    let mut buffer = [0_u8; 4096];
    let end = loop {
        if let Some(at) = bytes.windows(4).position(|part| part == b"\r\n\r\n") {
            break at + 4;
        }
        let read = client.read(&mut buffer)?;
        if read == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        bytes.extend_from_slice(&buffer[..read]);
    };
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let length = head
        .lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .map_or(0, |(_, value)| value.trim().parse().unwrap());
    let mut body = bytes[end..].to_vec();
    while body.len() < length {
        let read = client.read(&mut buffer)?;
        body.extend_from_slice(&buffer[..read]);
    }
    Ok(Asked { head, body })
}

/// Ask the server behind.
fn pass_on(behind: &str, asked: &Asked) -> std::io::Result<Vec<u8>> {
    let mut server = TcpStream::connect(behind)?;
    let head = asked.head.trim_end().to_owned() + "\r\nconnection: close\r\n\r\n";
    server.write_all(head.as_bytes())?;
    server.write_all(&asked.body)?;
    let mut answer = Vec::new();
    server.read_to_end(&mut answer)?;
    Ok(answer)
}

fn huge(client: &mut TcpStream, length: bool) -> std::io::Result<()> {
    let promise = if length {
        format!("content-length: {HUGE_BYTES}\r\n")
    } else {
        String::new()
    };
    let head = format!("HTTP/1.1 200 OK\r\n{promise}connection: close\r\n\r\n{{\"items\": [\"");
    client.write_all(head.as_bytes())?;
    let chunk = vec![b'x'; 64 * 1024];
    for _ in 0..HUGE_BYTES / chunk.len() {
        client.write_all(&chunk)?;
    }
    Ok(())
}

fn drip(client: &mut TcpStream) -> std::io::Result<()> {
    client.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 4000\r\n\r\n")?;
    for _ in 0..4000 {
        client.write_all(b" ")?;
        std::thread::sleep(Duration::from_millis(100));
    }
    Ok(())
}
