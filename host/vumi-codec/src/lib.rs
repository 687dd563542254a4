//! Bytes in, typed values out: character sets and wire formats without clock or socket.
//!
//! A transport holds the socket and the timers; what the bytes *mean* is decided here, in functions that depend
//! on nothing but their arguments. That is why everything in this crate can be tested with a table of bytes, and
//! fed with garbage by the thousand: bad input gives an error or a substitute character, never a panic, and no
//! buffer grows without a bound.
//!
//! | Module | Job |
//! | --- | --- |
//! | [`charset`] | text to bytes and back: GSM 03.38 (plain and packed), UCS-2, the general encodings |
//! | [`data_coding`] | which character set an SMPP `data_coding` means, with a transport's overrides |
//! | [`segments`] | how many SMS a text needs |
//! | [`telnet`] | the telnet protocol's bytes to text lines and back |

pub mod charset;
pub mod data_coding;
pub mod segments;
pub mod telnet;
