//! The lists of routers and middleware.

use std::sync::Arc;

use vumi_core::component::Component;
use vumi_core::{Middleware, Result, Router};

use crate::shared::DispatcherShared;
use crate::{middleware, routers};

/// A router's configuration becomes the router.
pub trait RouterComponent: Component {
    /// Builds it; `shared` tells which connectors the dispatcher has.
    ///
    /// # Errors
    /// One sentence for a configuration that makes no sense.
    fn build(self, shared: &DispatcherShared) -> Result<Arc<dyn Router>>;
}

/// A middleware's configuration becomes the middleware.
pub trait MiddlewareComponent: Component {
    /// Builds it.
    ///
    /// # Errors
    /// One sentence for a configuration that makes no sense.
    fn build(self, given: ()) -> Result<Arc<dyn Middleware>>;
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
    pub enum RouterConfig("dispatcher"), shared DispatcherShared, built by RouterComponent(&DispatcherShared) -> Arc<dyn Router> {
        /// By the message's `transport_name`.
        Simple => routers::SimpleConfig,
    }
}

vumi_core::registry! {
    /// Every middleware.
    pub enum MiddlewareConfig("middleware"), shared NoSharedKeys, built by MiddlewareComponent(()) -> Arc<dyn Middleware> {
        /// Writes each message to the host's log.
        Logging => middleware::LoggingConfig,
    }
}
