//! Routers and middleware that are guests, for dispatchers and other workers that name one.
//!
//! A router is called `<dispatcher>.router` in records, logs and metrics, a middleware `<worker>.<instance>`: names of
//! their own, for an app of the worker's name would else share its keys and its numbers with them.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use vumi_core::{Error, GuestConfig, GuestParts, Middleware, Result, Router};
use vumi_sandbox::{ComponentCache, GuestMiddleware, GuestRouter, PartSurroundings, Sandbox};

use crate::project::Source;

/// See the module's text.
pub(crate) struct HostParts {
    pub(crate) sandbox: Arc<Sandbox>,
    pub(crate) cache: ComponentCache,
    pub(crate) around: PartSurroundings,
    /// What paths are relative to.
    pub(crate) folder: PathBuf,
}

impl HostParts {
    /// With the component's path as the process sees it; a project's folder is built first.
    fn found(&self, config: &GuestConfig) -> Result<GuestConfig> {
        let source = Source::of(&self.folder.join(Path::new(&config.component)))?;
        Ok(GuestConfig { component: source.component()?.to_string_lossy().into_owned(), ..config.clone() })
    }
}

impl GuestParts for HostParts {
    fn router(&self, name: &str, config: &GuestConfig) -> Result<Arc<dyn Router>> {
        let build = || -> Result<GuestRouter> {
            let (name, config) = (format!("{name}.router"), self.found(config)?);
            GuestRouter::new(&self.sandbox, &self.cache, &name, &config, self.around.clone())
        };
        let router = build().map_err(|error| Error::permanent(format!("dispatcher `{name}`: {}", error.report())))?;
        Ok(Arc::new(router))
    }

    fn middleware(&self, name: &str, config: &GuestConfig) -> Result<Arc<dyn Middleware>> {
        let config = self.found(config)?;
        Ok(Arc::new(GuestMiddleware::new(&self.sandbox, &self.cache, name, &config, self.around.clone())?))
    }
}
