//! XML as the networks speak it: small documents, read within limits and written by hand.
//!
//! What comes in is untrusted. [`Element::read`] makes a small tree of it that owns its texts, and refuses everything
//! that could cost more than the document is long: nothing is ever expanded but the five entities of XML itself and
//! character references, nesting and the number of nodes have a bound, and nothing is fetched. What goes out is made
//! with [`Markup`], in the form in which Python's ElementTree writes it, since some networks compare more than XML.

mod error;
mod names;
mod read;
#[cfg(test)]
mod tests;
mod tree;
mod write;

pub use error::{XmlError, XmlFault};
pub use names::MAX_NAMESPACES;
pub use read::{MAX_ATTRIBUTES, MAX_DEPTH, MAX_NODES, decode};
pub use tree::{Attribute, Descendants, Element, Node};
pub use write::{Markup, ascii, escape_attribute, escape_text};
