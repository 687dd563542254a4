//! The lists of routers and middleware.

use std::sync::Arc;

use vumi_core::component::Component;
use vumi_core::{Context, Middleware, Result, Router};

use crate::shared::DispatcherShared;
use crate::{middleware, routers};

/// The dispatcher that a router is built for.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// Its connectors.
    pub shared: &'a DispatcherShared,
    /// What it may reach.
    pub context: &'a Context,
}

/// A router's configuration becomes the router.
pub trait RouterComponent: Component {
    /// Looks for mistakes: above all for names that the dispatcher does not have.
    ///
    /// # Errors
    /// One sentence for a configuration that makes no sense.
    fn check(&self, shared: &DispatcherShared) -> Result<()>;

    /// Builds it. Checks first.
    ///
    /// # Errors
    /// One sentence for a configuration that makes no sense.
    fn build(self, place: Place<'_>) -> Result<Arc<dyn Router>>;
}

/// A middleware's configuration becomes the middleware.
pub trait MiddlewareComponent: Component {
    /// Looks for mistakes.
    ///
    /// # Errors
    /// One sentence for a configuration that makes no sense.
    fn check(&self, given: ()) -> Result<()> {
        let () = given;
        Ok(())
    }

    /// Builds it. Checks first.
    ///
    /// # Errors
    /// One sentence for a configuration that makes no sense.
    fn build(self, context: &Context) -> Result<Arc<dyn Middleware>>;
}

/// No keys but the class's own.
#[derive(Clone, Debug, Default, schemars::JsonSchema)]
pub struct NoSharedKeys {}

impl vumi_core::component::SharedKeys for NoSharedKeys {
    fn take<'de, A: serde::de::MapAccess<'de>>(&mut self, _: &str, _: &mut A) -> Result<bool, A::Error> {
        Ok(false)
    }
}

vumi_core::registry! {
    /// Every router.
    pub enum RouterConfig("dispatcher"), shared DispatcherShared, checked by (&DispatcherShared) -> (), built by RouterComponent(Place<'_>) -> Arc<dyn Router> {
        /// By the message's `transport_name`.
        Simple => routers::SimpleConfig,
        /// From transports to transports.
        TransportToTransport => routers::TransportToTransportConfig,
        /// By the address that a message was sent to.
        ToAddr => routers::ToAddrConfig,
        /// Many transports as one.
        FromAddrMultiplex => routers::FromAddrMultiplexConfig,
        /// By the group that the user belongs to.
        UserGrouping => routers::UserGroupingConfig,
        /// By the first word of the message.
        ContentKeyword => routers::ContentKeywordConfig,
        /// By name, each transport to its application.
        Redirect => routers::RedirectConfig,
        /// The former name of the one before.
        RedirectOutbound => routers::RedirectOutboundConfig,
        /// Over transports in turn.
        LoadBalancing => routers::LoadBalancingConfig,
        /// By connector and endpoint.
        RoutingTable => routers::RoutingTableConfig,
        /// By a table of bindings, for apps that are deployed while the host runs.
        Bindings => routers::BindingsConfig,
        /// As a component of the user's own decides.
        Wasm => routers::WasmConfig,
    }
}

vumi_core::registry! {
    /// Every middleware.
    pub enum MiddlewareConfig("middleware"), shared NoSharedKeys, checked by (()) -> (), built by MiddlewareComponent(&Context) -> Arc<dyn Middleware> {
        /// Writes each message to the host's log.
        Logging => middleware::LoggingConfig,
        /// Swaps addresses, there and back.
        AddressTranslation => middleware::AddressTranslationConfig,
        /// Tags, and what follows from them.
        Tagging => middleware::TaggingConfig,
        /// One provider for all messages.
        StaticProvider => middleware::StaticProviderConfig,
        /// The provider by the user's address.
        AddressPrefixProvider => middleware::AddressPrefixProviderConfig,
        /// When a session began and ended.
        SessionLength => middleware::SessionLengthConfig,
        /// Into the host's store.
        Storing => middleware::StoringConfig,
        /// A component of the user's own.
        Wasm => middleware::WasmConfig,
    }
}
