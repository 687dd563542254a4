//! An HTTP client that does what networks do: holds a response open, goes away, sends anything.

use std::io::{ErrorKind, Result};
use std::net::SocketAddr;

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::form;
use super::pattern::Bindings;
use super::step::{RequestStep, from_hex, parts};
use super::wire::{self, Received};

/// A request that was sent. Dropped, its connection is closed.
#[derive(Debug)]
pub struct Open {
    task: JoinHandle<Result<Received>>,
}

impl Open {
    /// True when the response is there, or the connection is closed.
    pub fn is_answered(&self) -> bool {
        self.task.is_finished()
    }

    /// Waits for the response.
    ///
    /// # Errors
    /// Those of the connection, and what is no HTTP.
    pub async fn response(mut self) -> Result<Received> {
        (&mut self.task).await.unwrap_or_else(|error| Err(std::io::Error::other(error)))
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Connects and sends; resolves when everything is written, or answered before that.
///
/// # Errors
/// When there is no connection.
pub async fn send(to: SocketAddr, bytes: Vec<u8>) -> Result<Open> {
    let stream = TcpStream::connect(to).await?;
    let (told, written) = oneshot::channel();
    let bare = bytes.starts_with(b"HEAD ");
    let task = tokio::spawn(async move {
        let (mut reading, mut writing) = stream.into_split();
        let write = async {
            let outcome = writing.write_all(&bytes).await;
            // Whoever waits may be gone.
            let _ = told.send(());
            match outcome {
                // The server may answer before it has read everything, and read no more.
                Err(error) if !matches!(error.kind(), ErrorKind::BrokenPipe | ErrorKind::ConnectionReset) => Err(error),
                _ => Ok(()),
            }
        };
        let mut buffer = Vec::new();
        let mut read = std::pin::pin!(wire::response(&mut reading, &mut buffer, bare));
        tokio::select! {
            biased;
            response = &mut read => response,
            written = write => {
                written?;
                read.await
            }
        }
    });
    // An error means that the response came first.
    let _ = written.await;
    Ok(Open { task })
}

/// The bytes of a step's request.
///
/// # Errors
/// A placeholder that stands for nothing, and a body that cannot be read.
pub fn bytes(step: &RequestStep, host: &str, bindings: &mut Bindings) -> std::result::Result<Vec<u8>, String> {
    let (method, target) = parts(&step.request)?;
    let target = bindings.fill(target)?;
    let (body, content_type) = body(step, bindings)?;
    let mut headers = Vec::new();
    for (name, value) in step.headers.given() {
        headers.push((name.to_owned(), bindings.fill(value)?));
    }
    let given = |name: &str| step.headers.0.iter().any(|(there, _)| there.eq_ignore_ascii_case(name));
    let mut ours = vec![("Host", host.to_owned()), ("Connection", "close".to_owned())];
    ours.extend(content_type.map(|content_type| ("Content-Type", content_type.to_owned())));
    if body.is_some() || matches!(method, "POST" | "PUT") {
        ours.push(("Content-Length", body.as_ref().map_or(0, Vec::len).to_string()));
    }
    let ours = ours.into_iter().filter(|(name, _)| !given(name)).map(|(name, value)| (name.to_owned(), value));
    let mut bytes = format!("{method} {target} HTTP/1.1\r\n").into_bytes();
    for (name, value) in ours.chain(headers) {
        bytes.extend(format!("{name}: {value}\r\n").into_bytes());
    }
    bytes.extend(b"\r\n");
    bytes.extend(body.unwrap_or_default());
    Ok(bytes)
}

type BodyAndType = (Option<Vec<u8>>, Option<&'static str>);

fn body(step: &RequestStep, bindings: &mut Bindings) -> std::result::Result<BodyAndType, String> {
    if let Some(body) = &step.body {
        return Ok((Some(bindings.fill(body)?.into_bytes()), None));
    }
    if let Some(form) = &step.form {
        let mut filled = Vec::new();
        for (name, value) in form.given() {
            filled.push((name, bindings.fill(value)?));
        }
        let body = form::encode(filled.iter().map(|(name, value)| (*name, value.as_str())));
        return Ok((Some(body.into_bytes()), Some("application/x-www-form-urlencoded")));
    }
    if let Some(json) = &step.json {
        return Ok((Some(bindings.fill_value(json)?.to_string().into_bytes()), Some("application/json")));
    }
    if let Some(hex) = &step.body_hex {
        return Ok((Some(from_hex(hex).ok_or("`body_hex` is no hexadecimal")?), None));
    }
    Ok((step.body_size.map(|size| vec![b'x'; size]), None))
}
