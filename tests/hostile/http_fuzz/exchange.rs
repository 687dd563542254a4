//! What goes over one connection: one request or more, in one piece or many, to its end or not.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::net::tcp::OwnedWriteHalf;

use super::answer::{self, Got};
use super::dice::Dice;
use super::shape::{Framing, Shape};

/// How long a request may stay without any end.
pub(super) const LIMIT: Duration = Duration::from_secs(10);

/// What a client does with a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Manner {
    /// Writes, and reads the answers.
    Patient,
    /// Writes in pieces that end here.
    Pieces(Vec<usize>),
    /// Writes this much, and goes away.
    Cut(usize),
    /// Writes everything, and goes away without an answer after so many microseconds.
    Vanish(u64),
    /// Writes everything, and closes its side.
    Half,
}

/// One connection.
#[derive(Clone, Debug)]
pub(super) struct Exchange {
    pub(super) bytes: Vec<u8>,
    /// For each request, whether it is HEAD.
    bare: Vec<bool>,
    manner: Manner,
}

impl Exchange {
    pub(super) fn new(shapes: &[Shape], host: &str, dice: &mut Dice) -> Self {
        let mut bytes = Vec::new();
        for (number, shape) in shapes.iter().enumerate() {
            bytes.extend(shape.bytes(host, number + 1 == shapes.len()));
        }
        // What leaves the next request's beginning open cannot be counted.
        let clear = shapes.iter().all(|shape| shape.framing == Framing::Right);
        let bare = shapes.iter().map(|shape| shape.method == b"HEAD");
        let manner = match dice.below(24) {
            0 => Manner::Cut(dice.below(bytes.len())),
            1 => Manner::Vanish(*dice.pick(&[0, 100, 2_000, 20_000])),
            2 => Manner::Half,
            3..=5 => {
                let mut ends: Vec<usize> = (0..=dice.below(4)).map(|_| dice.below(bytes.len())).collect();
                ends.sort_unstable();
                Manner::Pieces(ends)
            }
            _ => Manner::Patient,
        };
        let bare = if clear { bare.collect() } else { bare.take(1).collect() };
        Self { bytes, bare, manner }
    }

    /// One request of a client that waits for its answer.
    pub(super) fn plain(bytes: &[u8]) -> Self {
        Self { bytes: bytes.to_vec(), bare: vec![bytes.starts_with(b"HEAD ")], manner: Manner::Patient }
    }

    /// The answers that came; what is wrong otherwise.
    ///
    /// # Errors
    /// No connection, no end, no answer, or one that is no HTTP.
    pub(super) async fn play(&self, at: SocketAddr) -> Result<Vec<Got>, String> {
        let connected = tokio::time::timeout(LIMIT, TcpStream::connect(at)).await;
        let stream = connected.map_err(|_| "no connection within 10 s")?;
        let stream = stream.map_err(|error| format!("no connection, the transport has stopped: {error}"))?;
        let _ = stream.set_nodelay(true);
        let (mut reading, mut writing) = stream.into_split();
        match self.manner {
            Manner::Cut(end) => {
                let _ = tokio::time::timeout(LIMIT, writing.write_all(&self.bytes[..end])).await;
                return Ok(Vec::new());
            }
            Manner::Vanish(after) => {
                let _ = tokio::time::timeout(LIMIT, writing.write_all(&self.bytes)).await;
                tokio::time::sleep(Duration::from_micros(after)).await;
                return Ok(Vec::new());
            }
            _ => {}
        }
        let write = async {
            // The transport may answer before it has read everything, and read no more.
            let _ = self.write(&mut writing).await;
        };
        let read = async {
            let (mut buffer, mut answers) = (Vec::new(), Vec::new());
            for bare in &self.bare {
                let read = answer::read(&mut reading, &mut buffer, *bare);
                let got = tokio::time::timeout(LIMIT, read).await;
                match got.map_err(|_| format!("no end within {} s", LIMIT.as_secs()))?? {
                    None => break,
                    Some(got) => {
                        let last = got.is_last();
                        answers.push(got);
                        if last {
                            break;
                        }
                    }
                }
            }
            Ok::<_, String>((answers, buffer))
        };
        let ((), outcome) = tokio::join!(write, read);
        let (answers, rest): (Vec<Got>, Vec<u8>) = match outcome {
            // A client that has closed its side counts as gone, and may not be told anything.
            Err(_) if self.manner == Manner::Half => return Ok(Vec::new()),
            outcome => outcome?,
        };
        if answers.is_empty() && self.manner != Manner::Half {
            return Err("the connection was closed without a response".to_owned());
        }
        if answers.last().is_some_and(Got::is_last) && !rest.is_empty() {
            return Err(format!("{} bytes behind the last response", rest.len()));
        }
        Ok(answers)
    }

    async fn write(&self, writing: &mut OwnedWriteHalf) -> std::io::Result<()> {
        let mut from = 0;
        if let Manner::Pieces(ends) = &self.manner {
            for end in ends {
                writing.write_all(&self.bytes[from..*end]).await?;
                from = *end;
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        }
        writing.write_all(&self.bytes[from..]).await?;
        if self.manner == Manner::Half {
            writing.shutdown().await?;
        }
        Ok(())
    }

    /// As a step of a golden case.
    pub(super) fn step(&self) -> String {
        let manner = match &self.manner {
            Manner::Patient => String::new(),
            other => format!("   # the client: {other:?}"),
        };
        match std::str::from_utf8(&self.bytes) {
            Ok(text) if text.chars().all(|c| !c.is_control() || "\r\n\t".contains(c)) => {
                let text = serde_json::Value::from(text.replace("${", "$${")).to_string();
                format!("      - raw: {text}{manner}")
            }
            _ => {
                let hex: String = self.bytes.iter().map(|byte| format!("{byte:02x}")).collect();
                format!("      - raw_hex: \"{hex}\"{manner}")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncReadExt;
    use tokio::net::TcpListener;

    use super::*;

    /// What is said of a server that answers like this.
    async fn told(answer: &'static [u8]) -> Result<Vec<Got>, String> {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let at = listener.local_addr().unwrap();
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let _ = stream.read(&mut [0; 9_999]).await;
            let _ = stream.write_all(answer).await;
        });
        let bytes = Shape::get("/").bytes("h", true);
        Exchange { bytes, bare: vec![false], manner: Manner::Patient }.play(at).await
    }

    #[tokio::test]
    async fn bad_servers_are_told() {
        let fine = told(b"HTTP/1.1 500 X\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").await.unwrap();
        assert_eq!(fine.iter().map(|got| got.status).collect::<Vec<_>>(), [500]);
        assert!(told(b"").await.unwrap_err().contains("without a response"));
        assert!(told(b"nonsense\r\n\r\n").await.unwrap_err().contains("no status line"));
        let more = b"HTTP/1.1 200 X\r\nContent-Length: 0\r\nConnection: close\r\n\r\nHTTP/1.1 200 X\r\n\r\n";
        assert!(told(more).await.unwrap_err().contains("behind the last"));
    }

    #[test]
    fn a_step_is_yaml_that_can_be_read() {
        for path in ["/a?x=%20\"${b}\\", "/\u{1}"] {
            let bytes = Shape::get(path).bytes("h", true);
            let exchange = Exchange { bytes: bytes.clone(), bare: Vec::new(), manner: Manner::Half };
            let head = "spec: x\nchecks: 0\nclass: x\ncases:\n  - name: x\n    steps:\n";
            let golden = vumi_tests::golden::read("x", &format!("{head}{}\n", exchange.step())).unwrap();
            let again = match &golden.cases[0].value.steps[0].value {
                vumi_tests::golden::Step::Raw(step) => {
                    vumi_tests::golden::Bindings::default().fill(&step.raw).unwrap().into_bytes()
                }
                vumi_tests::golden::Step::RawHex(step) => step.bytes().unwrap(),
                other => panic!("{other:?}"),
            };
            assert_eq!(again, bytes);
        }
    }
}
