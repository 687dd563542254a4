//! A user at a telnet client.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use crate::wait::PATIENCE;

/// One connection.
pub struct Telnet {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Telnet {
    /// Connects.
    ///
    /// # Panics
    /// When nobody listens there.
    pub fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).expect("the telnet transport listens");
        stream.set_read_timeout(Some(PATIENCE)).expect("a timeout can be set");
        stream.set_nodelay(true).expect("small writes can be sent at once");
        Self { stream, buffer: Vec::new() }
    }

    /// This side's address, as the transport sees it.
    ///
    /// # Panics
    /// When the socket is gone.
    pub fn address(&self) -> String {
        self.stream.local_addr().expect("the socket has an address").to_string()
    }

    /// Sends bytes as they are.
    ///
    /// # Panics
    /// When the connection is gone.
    pub fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream.write_all(bytes.as_ref()).expect("the connection is open");
    }

    /// A second handle, to write while another thread reads.
    ///
    /// # Panics
    /// When the socket is gone.
    pub fn writer(&self) -> TcpStream {
        self.stream.try_clone().expect("the socket can be shared")
    }

    /// Sends a line.
    pub fn line(&mut self, text: &str) {
        self.send(format!("{text}\r\n"));
    }

    /// The next line, without its end; `None` at the end of the connection.
    ///
    /// # Panics
    /// When nothing comes in time.
    pub fn read_line(&mut self) -> Option<String> {
        loop {
            if let Some(end) = self.buffer.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.buffer.drain(..=end).collect();
                return Some(String::from_utf8_lossy(&line).trim_end_matches(['\r', '\n']).to_owned());
            }
            let mut chunk = [0; 65_536];
            let read = self.stream.read(&mut chunk).expect("an answer comes in time");
            if read == 0 {
                return None;
            }
            self.buffer.extend_from_slice(chunk.get(..read).unwrap_or_default());
        }
    }

    /// Sends a line and reads the answer.
    ///
    /// # Panics
    /// When the connection ends instead.
    pub fn ask(&mut self, text: &str) -> String {
        self.line(text);
        self.read_line().expect("an answer before the end of the connection")
    }

    /// True when nothing comes within a short time.
    ///
    /// # Panics
    /// When the socket is gone.
    pub fn is_silent_for(&mut self, time: Duration) -> bool {
        self.stream.set_read_timeout(Some(time)).expect("a timeout can be set");
        let mut chunk = [0; 1];
        let silent = self.buffer.is_empty() && self.stream.peek(&mut chunk).is_err();
        self.stream.set_read_timeout(Some(PATIENCE)).expect("a timeout can be set");
        silent
    }
}
