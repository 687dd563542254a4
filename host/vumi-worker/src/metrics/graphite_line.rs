//! Carbon's plain line protocol over TCP: `<name> <value> <timestamp>\n` (specification: metrics, section 6).
//!
//! The protocol has no answers, so a line counts as delivered when the connection took it. A connection that the other
//! side has closed is noticed before the next line.

use std::io;
use std::time::Duration;

use async_trait::async_trait;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::timeout;
use vumi_core::{Error, Result};

use super::collect::Destination;
use super::graphite::carbon_value;
use super::message::Datapoint;

/// For connecting, and for writing one message.
const LIMIT: Duration = Duration::from_secs(10);

/// A connection to Carbon, made when it is needed.
pub(super) struct LineClient {
    host: String,
    port: u16,
    stream: Option<TcpStream>,
}

impl LineClient {
    pub(super) fn new(host: &str, port: u16) -> Self {
        Self { host: host.to_owned(), port, stream: None }
    }

    async fn write(&mut self, lines: &[u8]) -> io::Result<()> {
        let mut stream = match self.stream.take().filter(is_open) {
            Some(stream) => stream,
            None => limited(TcpStream::connect((self.host.as_str(), self.port))).await?,
        };
        limited(stream.write_all(lines)).await?;
        // Kept only now: a connection that failed, or on which writing was given up half way, is not used again.
        self.stream = Some(stream);
        Ok(())
    }
}

async fn limited<T>(work: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    timeout(LIMIT, work).await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}

/// Carbon says nothing; an end of its side, or an error, means that nobody reads any more.
fn is_open(stream: &TcpStream) -> bool {
    let mut ignored = [0; 256];
    match stream.try_read(&mut ignored) {
        Ok(read) => read > 0,
        Err(error) => error.kind() == io::ErrorKind::WouldBlock,
    }
}

#[async_trait]
impl Destination for LineClient {
    async fn deliver(&mut self, points: &[Datapoint]) -> Result<()> {
        let lines = lines(points);
        if lines.is_empty() {
            return Ok(());
        }
        self.write(lines.as_bytes()).await.map_err(|error| {
            Error::temporary(format!("Carbon at {}:{} cannot be reached", self.host, self.port)).because(error)
        })
    }
}

fn lines(points: &[Datapoint]) -> String {
    let mut lines = String::new();
    for point in points {
        // A blank in a name would end it, a line break would begin another line.
        let name = point.name.replace(|c: char| c.is_whitespace() || c.is_control(), "_");
        for (at, value) in &point.values {
            lines.push_str(&format!("{name} {}\n", carbon_value(*at, *value)));
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
    use tokio::net::TcpListener;

    use super::*;

    fn point(name: &str, value: f64) -> Datapoint {
        Datapoint { name: name.into(), aggregators: vec![], values: vec![(1234.into(), value.into())] }
    }

    #[test]
    fn a_name_cannot_make_a_line() {
        assert_eq!(lines(&[point("a b\nc 1 2", 1.5), point("d", 2.0)]), "a_b_c_1_2 1.500000 1234\nd 2.000000 1234\n");
    }

    #[tokio::test]
    async fn a_closed_connection_is_made_again() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut client = LineClient::new("127.0.0.1", listener.local_addr().unwrap().port());
        client.deliver(&[point("a", 1.0)]).await.unwrap();
        let (first, _) = listener.accept().await.unwrap();
        let mut first = BufReader::new(first);
        let mut line = String::new();
        first.read_line(&mut line).await.unwrap();
        assert_eq!(line, "a 1.000000 1234\n");
        drop(first);
        // The end arrives soon; then, and not before, the old connection is given up.
        let stream = client.stream.as_ref().unwrap();
        stream.readable().await.unwrap();
        client.deliver(&[point("b", 2.0)]).await.unwrap();
        let (mut second, _) = listener.accept().await.unwrap();
        drop(client);
        let mut text = String::new();
        second.read_to_string(&mut text).await.unwrap();
        assert_eq!(text, "b 2.000000 1234\n");
    }

    #[tokio::test]
    async fn an_absent_carbon_is_a_matter_of_time() {
        let port = {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            listener.local_addr().unwrap().port()
        };
        let error = LineClient::new("127.0.0.1", port).deliver(&[point("a", 1.0)]).await.unwrap_err();
        assert!(error.is_temporary() && error.to_string().contains("cannot be reached"), "{error}");
    }
}
