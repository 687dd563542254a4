//! Components in OCI registries: `vumi-host push`, `vumi-host pull`, and `deploy` with an `oci://` reference.
//!
//! A component is an artifact as the WebAssembly ecosystem stores it: a manifest with one layer, the component's bytes,
//! as `application/wasm`, and a small configuration that names its imports and exports. Other tools read what is pushed
//! here, and the other way round.

mod artifact;
mod client;
mod fault;
mod login;
mod place;

use std::path::PathBuf;

pub(crate) use artifact::Names;
pub(crate) use client::Registry;
pub(crate) use place::{Place, SCHEME};

use crate::cli::{Pull, Push};
use crate::commands::{Failure, say};
use crate::remote;

/// `vumi-host push`.
pub(crate) async fn push(given: &Push) -> Result<(), Failure> {
    let place = Place::parse(&given.to).map_err(Failure::Usage)?;
    if place.digest().is_some() {
        return Err(Failure::Usage(format!(
            "{place}: what is pushed gets its digest by itself: name a tag, as in …:1.4"
        )));
    }
    let registry = Registry::open(place, given.registry)?;
    let component = remote::local_component(&given.what).await?;
    let source = registry.push(component).await?;
    say(&source)
}

/// `vumi-host pull`.
pub(crate) async fn pull(given: &Pull) -> Result<(), Failure> {
    let place = Place::parse(&given.from).map_err(Failure::Usage)?;
    let output = given.output.clone().unwrap_or_else(|| PathBuf::from(place.file_name()));
    let pulled = Registry::open(place, given.registry)?.pull().await?;
    remote::save(&pulled.bytes, &output)?;
    say(&format!("{}: {} bytes from {}", output.display(), pulled.bytes.len(), pulled.source))
}
