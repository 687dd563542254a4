//! The routers, one file each.

mod bindings;
mod content_keyword;
mod from_addr_multiplex;
mod load_balancing;
mod parts;
mod redirect;
mod routing_table;
mod simple;
mod to_addr;
mod transport_to_transport;
mod user_grouping;
mod wasm;

pub use bindings::BindingsConfig;
pub use content_keyword::{ContentKeywordConfig, KeywordRule};
pub use from_addr_multiplex::FromAddrMultiplexConfig;
pub use load_balancing::LoadBalancingConfig;
pub use redirect::{RedirectConfig, RedirectOutboundConfig};
pub use routing_table::{RoutingTable, RoutingTableConfig};
pub use simple::SimpleConfig;
pub use to_addr::ToAddrConfig;
pub use transport_to_transport::TransportToTransportConfig;
pub use user_grouping::UserGroupingConfig;
pub use wasm::WasmConfig;
