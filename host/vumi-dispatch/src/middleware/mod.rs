//! The middleware, one file each.

mod address_prefix_provider;
mod address_translation;
mod logging;
mod parts;
mod pattern;
mod session_length;
mod static_provider;
mod storing;
mod tagging;
#[cfg(test)]
mod testing;
mod wasm;

pub use address_prefix_provider::{AddressPrefixProviderConfig, NormalizeMsisdn};
pub use address_translation::AddressTranslationConfig;
pub use logging::{Level, LoggingConfig};
pub use session_length::{NamespaceType, SessionLengthConfig};
pub use static_provider::StaticProviderConfig;
pub use storing::{Foreign, StoringConfig};
pub use tagging::{Incoming, Outgoing, TaggingConfig};
pub use wasm::WasmConfig;
