//! Reading a response body under a limit that holds while it arrives.
//!
//! The HTTP library's own gzip decoding is off, because it hides how many bytes came over the wire: a stream of empty
//! gzip blocks decodes to nothing and could go on for ever. Here both sides are counted, and neither may pass the
//! limit.

use std::io::{self, Write};

use flate2::write::MultiGzDecoder;
use reqwest::header::{CONTENT_ENCODING, CONTENT_LENGTH, HeaderMap};
use reqwest::{Response, StatusCode};

use super::error::WebError;

/// Reads the whole body of `response`, and takes `Content-Encoding` and `Content-Length` from its headers when the
/// body was decoded and they are no longer true.
///
/// `bytes_left` shrinks by what arrived (the larger of encoded and decoded), in failure too, and while reading: when
/// the caller drops this future the count is still right.
///
/// # Errors
/// [`WebError::TooLarge`] when the body passes `data_limit` (with the text of Vumi's sandbox) or `bytes_left`;
/// [`WebError::Network`] when it breaks off or is not the gzip that it claims to be.
pub(super) async fn read(response: &mut Response, data_limit: u64, bytes_left: &mut u64) -> Result<Vec<u8>, WebError> {
    let limits = Limits { data: data_limit, run: *bytes_left };
    // Known for a body that is really coming only: a HEAD's or 304's header speaks of a body that is not.
    if let Some(length) = response.content_length()
        && length > limits.least()
    {
        return Err(limits.passed(length));
    }
    let gzip = is_gzip(response.status(), response.headers());
    let mut sink = Sink::new(gzip, limits.least());
    loop {
        let chunk = match response.chunk().await {
            Ok(Some(chunk)) => chunk,
            Ok(None) => break,
            Err(error) => return Err(WebError::from_reqwest(response.url(), &error)),
        };
        let pushed = sink.push(&chunk);
        *bytes_left = limits.run.saturating_sub(sink.received());
        pushed.map_err(|fault| limits.describe(fault))?;
    }
    let empty = sink.received() == 0;
    let finished = sink.finish();
    *bytes_left = limits.run.saturating_sub(sink.received());
    finished.map_err(|fault| limits.describe(fault))?;
    if gzip && !empty {
        response.headers_mut().remove(CONTENT_ENCODING);
        response.headers_mut().remove(CONTENT_LENGTH);
    }
    Ok(sink.into_bytes())
}

/// Whether the body is to be decoded. Part of a gzip stream (206) cannot be.
fn is_gzip(status: StatusCode, headers: &HeaderMap) -> bool {
    let mut codings = headers.get_all(CONTENT_ENCODING).iter();
    let only = codings.next().filter(|_| codings.next().is_none());
    let gzip = only.is_some_and(|value| {
        let name = value.as_bytes().trim_ascii();
        name.eq_ignore_ascii_case(b"gzip") || name.eq_ignore_ascii_case(b"x-gzip")
    });
    gzip && status != StatusCode::PARTIAL_CONTENT
}

/// What may arrive: of one body, and for the rest of the run.
#[derive(Clone, Copy)]
struct Limits {
    data: u64,
    run: u64,
}

impl Limits {
    fn least(self) -> u64 {
        self.data.min(self.run)
    }

    fn passed(self, received: u64) -> WebError {
        let Self { data, run } = self;
        if received > data {
            WebError::TooLarge(format!("Received {received} bytes, maximum of {data} bytes allowed."))
        } else {
            WebError::TooLarge(format!("Received {received} bytes, {run} bytes were left for this run's HTTP bodies."))
        }
    }

    fn describe(self, fault: Fault) -> WebError {
        match fault {
            Fault::Passed(received) => self.passed(received),
            Fault::NotGzip => {
                WebError::Network("The response body is not the gzip data that it claims to be.".to_owned())
            }
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// More bytes than the limit; how many so far.
    Passed(u64),
    NotGzip,
}

/// Collects a body, decoding it on the way.
pub(super) struct Sink {
    form: Form,
    /// Bytes from the wire.
    encoded: u64,
    limit: u64,
}

enum Form {
    Plain(Bounded),
    Gzip(Box<MultiGzDecoder<Bounded>>),
}

impl Sink {
    pub(super) fn new(gzip: bool, limit: u64) -> Self {
        let store = Bounded { bytes: Vec::new(), offered: 0, limit };
        let form = if gzip { Form::Gzip(Box::new(MultiGzDecoder::new(store))) } else { Form::Plain(store) };
        Self { form, encoded: 0, limit }
    }

    pub(super) fn push(&mut self, chunk: &[u8]) -> Result<(), Fault> {
        self.encoded = self.encoded.saturating_add(chunk.len() as u64);
        if self.encoded > self.limit {
            return Err(Fault::Passed(self.encoded));
        }
        let written = match &mut self.form {
            Form::Plain(store) => store.write_all(chunk),
            Form::Gzip(decoder) => decoder.write_all(chunk),
        };
        written.map_err(|_| self.fault())
    }

    /// Ends the body; a gzip stream must be whole, with a checksum that fits. Servers also announce gzip and send
    /// nothing at all, which is taken as an empty body.
    pub(super) fn finish(&mut self) -> Result<(), Fault> {
        let finished = match &mut self.form {
            Form::Gzip(decoder) if self.encoded > 0 => decoder.try_finish(),
            Form::Gzip(_) | Form::Plain(_) => Ok(()),
        };
        finished.map_err(|_| self.fault())
    }

    pub(super) fn into_bytes(mut self) -> Vec<u8> {
        std::mem::take(&mut self.store_mut().bytes)
    }

    /// The larger of what came over the wire and what it was decoded to.
    pub(super) fn received(&self) -> u64 {
        self.encoded.max(self.store().offered)
    }

    fn fault(&self) -> Fault {
        let offered = self.store().offered;
        if offered > self.limit { Fault::Passed(offered) } else { Fault::NotGzip }
    }

    fn store(&self) -> &Bounded {
        match &self.form {
            Form::Plain(store) => store,
            Form::Gzip(decoder) => decoder.get_ref(),
        }
    }

    fn store_mut(&mut self) -> &mut Bounded {
        match &mut self.form {
            Form::Plain(store) => store,
            Form::Gzip(decoder) => decoder.get_mut(),
        }
    }
}

/// Bytes up to a limit; it refuses the write that passes it and all that follow.
struct Bounded {
    bytes: Vec<u8>,
    offered: u64,
    limit: u64,
}

impl Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.offered > self.limit {
            return Err(io::Error::other("the body is too large"));
        }
        self.offered = self.offered.saturating_add(bytes.len() as u64);
        if self.offered > self.limit {
            return Err(io::Error::other("the body is too large"));
        }
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
