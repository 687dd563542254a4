//! Each transport by itself, and the ports that they listen on: of two listeners on one port the second would fail
//! only when it starts.

use std::net::{IpAddr, Ipv4Addr};

use super::Report;
use crate::config::system::SystemConfig;
use crate::config::yaml::Node;

struct Listener {
    path: Vec<String>,
    /// `None`: every address of the machine, or a name that stands for one.
    ip: Option<IpAddr>,
    port: u16,
}

pub(super) fn check(config: &SystemConfig, report: &mut Report<'_>) {
    for (name, item) in &config.transports {
        // Building opens nothing: a transport begins to listen or to connect only when it runs.
        let checked = item.component.check(name).and_then(|()| item.component.clone().build(name).map(drop));
        if let Err(error) = checked {
            let help = format!("see `vumi-host config explain {}`", item.component.class());
            report.wrong_key(&["transports", name], error.report(), help);
        }
    }
    let admin = config.admin.as_ref().map(|admin| Listener {
        path: vec!["admin".into(), "listen".into()],
        ip: specified(admin.listen.ip()),
        port: admin.listen.port(),
    });
    let mut seen: Vec<Listener> = admin.into_iter().collect();
    for entry in report.tree.get("transports").map(|section| section.value.entries()).unwrap_or_default() {
        let Some((key, ip, port)) = listener(&entry.value) else { continue };
        let new = Listener { path: vec!["transports".into(), entry.key.clone(), key.into()], ip, port };
        if let Some(other) = seen.iter().find(|other| new.meets(other)) {
            let path: Vec<&str> = new.path.iter().map(String::as_str).collect();
            let sentence = format!("port {port} is also the port of {}", other.path.join("."));
            report.wrong(&path, sentence, "give each its own port");
        }
        seen.push(new);
    }
}

impl Listener {
    /// Port 0 lets the system choose, so it meets nothing.
    fn meets(&self, other: &Self) -> bool {
        self.port == other.port && self.port != 0 && (self.ip.is_none() || other.ip.is_none() || self.ip == other.ip)
    }
}

fn specified(ip: IpAddr) -> Option<IpAddr> {
    (!ip.is_unspecified()).then_some(ip)
}

/// Where a transport listens, from the keys that Vumi has for it: `twisted_endpoint` (`tcp:9010`,
/// `tcp:port=9010:interface=127.0.0.1`), else `telnet_port` with `telnet_host`. Without an address only this machine
/// can connect.
fn listener(transport: &Node) -> Option<(&'static str, Option<IpAddr>, u16)> {
    const LOOPBACK: Option<IpAddr> = Some(IpAddr::V4(Ipv4Addr::LOCALHOST));
    let text = |key: &str| transport.get(key).and_then(|entry| entry.value.text());
    let address = |text: &str| if text == "localhost" { LOOPBACK } else { text.parse().ok().and_then(specified) };
    let Some(endpoint) = text("twisted_endpoint") else {
        let port = text("telnet_port")?.trim().parse().ok()?;
        return Some(("telnet_port", text("telnet_host").map_or(LOOPBACK, address), port));
    };
    let (mut ip, mut port) = (LOOPBACK, None);
    for part in endpoint.strip_prefix("tcp:")?.split(':') {
        match part.split_once('=') {
            Some(("interface", value)) => ip = address(value),
            Some(("port", value)) => port = value.parse().ok(),
            Some(_) => {}
            None => port = port.or_else(|| part.parse().ok()),
        }
    }
    Some(("twisted_endpoint", ip, port?))
}
