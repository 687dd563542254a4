//! A registry, spoken to through the distribution API. The client of the ORAS project does the protocol: tokens,
//! uploads, digests. What stands here is which bytes are taken, and which are not.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use oci_client::client::{Client, ClientConfig, ClientProtocol};
use oci_client::manifest::{OCI_IMAGE_MEDIA_TYPE, OciDescriptor, OciImageManifest, OciManifest};
use oci_client::secrets::RegistryAuth;
use oci_client::{Reference, RegistryOperation};
use reqwest::header::HeaderValue;
use vumi_core::{Error, Result};

use super::artifact::{CONFIG_TYPE, LAYER_TYPE, Names, config, digest};
use super::fault::{broken, explain};
use super::login;
use super::place::Place;
use crate::cli::RegistryOptions;
use crate::remote::MOST_BYTES;
use crate::remote::transfer::Transfer;

/// How long a registry may take to accept a connection.
const CONNECT: Duration = Duration::from_secs(10);

/// How long a registry may be silent.
const SILENCE: Duration = Duration::from_secs(60);

/// One repository of a registry.
pub(crate) struct Registry {
    client: Client,
    auth: RegistryAuth,
    place: Place,
}

/// What was pulled.
#[derive(Debug)]
pub(crate) struct Pulled {
    pub(crate) bytes: Bytes,
    /// The reference with the digest of the manifest.
    pub(crate) source: String,
}

impl Registry {
    /// Finds the login; nothing is sent yet.
    pub(crate) fn open(place: Place, options: RegistryOptions) -> Result<Self> {
        let plain = options.plain_http || place.is_loopback();
        let protocol = if plain { ClientProtocol::Http } else { ClientProtocol::Https };
        let client = Client::try_from(ClientConfig {
            protocol,
            // One request for all bytes: some registries do not take them in pieces.
            use_monolithic_push: true,
            platform_resolver: None,
            connect_timeout: Some(CONNECT),
            read_timeout: Some(SILENCE),
            user_agent: concat!("vumi-host/", env!("CARGO_PKG_VERSION")),
            ..ClientConfig::default()
        });
        let auth = match login::find(place.registry(), &|name| std::env::var(name).ok())? {
            Some(login) => RegistryAuth::Basic(login.user, login.password.reveal().to_owned()),
            None => RegistryAuth::Anonymous,
        };
        let client = client.map_err(|error| Error::permanent("no HTTP client").because(error))?;
        Ok(Self { client, auth, place })
    }

    fn reference(&self) -> &Reference {
        self.place.reference()
    }

    async fn log_in(&self, operation: RegistryOperation) -> Result<()> {
        let done = self.client.auth(self.reference(), &self.auth, operation).await;
        done.map(drop).map_err(|fault| explain(&self.place, fault))
    }

    /// Gets the component. Its digest is checked, and so is the manifest's when the reference has one.
    pub(crate) async fn pull(&self) -> Result<Pulled> {
        self.log_in(RegistryOperation::Pull).await?;
        let pulled = self.client.pull_manifest(self.reference(), &self.auth).await;
        let (manifest, manifest_digest) = pulled.map_err(|fault| explain(&self.place, fault))?;
        let (layer, size) = layer(&manifest).map_err(|why| Error::permanent(format!("{}: {why}", self.place)))?;
        let bytes = self.blob(&layer.digest, size).await?;
        Names::of(&bytes).map_err(|why| Error::permanent(format!("{} {why}", self.place)))?;
        Ok(Pulled { bytes, source: self.place.pinned(&manifest_digest) })
    }

    async fn blob(&self, digest: &str, size: u64) -> Result<Bytes> {
        // Only the digest is given: a manifest may also name other addresses for its layers, which nobody vouches for.
        let opened = self.client.pull_blob_stream(self.reference(), digest).await;
        let mut stream = opened.map_err(|fault| explain(&self.place, fault))?.stream;
        let transfer = Transfer::start("downloading", Some(size));
        let mut bytes = BytesMut::new();
        while let Some(chunk) = stream.next().await {
            let chunk = chunk.map_err(|error| broken(&self.place, error))?;
            transfer.add(chunk.len());
            bytes.extend_from_slice(&chunk);
            if bytes.len() as u64 > size {
                break;
            }
        }
        if bytes.len() as u64 != size {
            return Err(Error::permanent(format!(
                "{}: the layer has not the {size} bytes of the manifest",
                self.place
            )));
        }
        Ok(bytes.freeze())
    }

    /// Puts the component there, and gives the reference with the digest of its manifest.
    pub(crate) async fn push(&self, component: Bytes) -> Result<String> {
        let names = Names::of(&component).map_err(|why| Error::permanent(format!("what is to be pushed {why}")))?;
        let config = Bytes::from(config(&component, &names));
        self.log_in(RegistryOperation::Push).await?;
        let manifest = OciImageManifest {
            media_type: Some(OCI_IMAGE_MEDIA_TYPE.to_owned()),
            config: descriptor(CONFIG_TYPE, &config),
            layers: vec![descriptor(LAYER_TYPE, &component)],
            ..OciImageManifest::default()
        };
        self.upload(component).await?;
        let config_digest = manifest.config.digest.clone();
        let pushed = self.client.push_blob(self.reference(), config, &config_digest).await;
        pushed.map_err(|fault| explain(&self.place, fault))?;
        let body = serde_json::to_vec(&manifest)
            .map_err(|error| Error::permanent("the manifest cannot be written").because(error))?;
        let manifest_digest = digest(&body);
        let media_type = HeaderValue::from_static(OCI_IMAGE_MEDIA_TYPE);
        let pushed = self.client.push_manifest_raw(self.reference(), body, media_type).await;
        pushed.map_err(|fault| explain(&self.place, fault))?;
        Ok(self.place.pinned(&manifest_digest))
    }

    /// Sends the component, unless the registry has it.
    async fn upload(&self, bytes: Bytes) -> Result<()> {
        let digest = digest(&bytes);
        let there = self.client.blob_exists(self.reference(), &digest).await;
        if there.map_err(|fault| explain(&self.place, fault))? {
            return Ok(());
        }
        let size = bytes.len() as u64;
        let transfer = Transfer::start("uploading", Some(size));
        let stream = transfer.stream(bytes, "the registry checks it");
        let pushed = self.client.push_blob_stream(self.reference(), stream, &digest, Some(size)).await;
        pushed.map(drop).map_err(|fault| explain(&self.place, fault))
    }
}

fn descriptor(media_type: &str, bytes: &Bytes) -> OciDescriptor {
    OciDescriptor {
        media_type: media_type.to_owned(),
        digest: digest(bytes),
        size: i64::try_from(bytes.len()).unwrap_or(i64::MAX),
        ..OciDescriptor::default()
    }
}

/// The layer that is the component, and its size; or why there is none.
fn layer(manifest: &OciManifest) -> Result<(&OciDescriptor, u64), String> {
    let OciManifest::Image(manifest) = manifest else {
        return Err("is an index of several images, not a component: name the one by its digest".into());
    };
    let [layer] = manifest.layers.as_slice() else {
        return Err(format!("has {} layers, where a component has one", manifest.layers.len()));
    };
    if layer.media_type != LAYER_TYPE {
        let found = crate::remote::table::one_line(&layer.media_type);
        return Err(format!("is no component: its layer is `{found}`, not `{LAYER_TYPE}`"));
    }
    match u64::try_from(layer.size) {
        Ok(size) if size <= MOST_BYTES => Ok((layer, size)),
        _ => Err(format!("has {} bytes, at most {MOST_BYTES} are taken", layer.size)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(layers: &[(&str, i64)]) -> OciManifest {
        let layers = layers.iter().map(|(media_type, size)| OciDescriptor {
            media_type: (*media_type).to_owned(),
            size: *size,
            ..OciDescriptor::default()
        });
        OciManifest::Image(OciImageManifest { layers: layers.collect(), ..OciImageManifest::default() })
    }

    #[test]
    fn a_component_is_one_layer_of_the_right_type_and_size() {
        let most = i64::try_from(MOST_BYTES).unwrap();
        let right = with(&[(LAYER_TYPE, most)]);
        assert_eq!(layer(&right).map(|(_, size)| size), Ok(MOST_BYTES));
        for (manifest, part) in [
            (with(&[]), "has 0 layers"),
            (with(&[(LAYER_TYPE, 1), (LAYER_TYPE, 1)]), "has 2 layers"),
            (with(&[("application/vnd.oci.image.layer.v1.tar", 1)]), "not `application/wasm`"),
            (with(&[(LAYER_TYPE, most + 1)]), "at most 67108864"),
            (with(&[(LAYER_TYPE, -1)]), "at most 67108864"),
        ] {
            let why = layer(&manifest).unwrap_err();
            assert!(why.contains(part), "{why}");
        }
    }
}
