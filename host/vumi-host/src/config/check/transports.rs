//! Each transport by itself, and the ports that they listen on: of two listeners on one port the second would fail
//! only when it starts.

use std::net::{IpAddr, Ipv4Addr};

use vumi_transport::Listening;

use super::Report;
use crate::config::system::SystemConfig;

struct Listener {
    path: Vec<String>,
    /// `None`: every address of the machine, or a name that stands for one.
    ip: Option<IpAddr>,
    port: u16,
    /// What it serves there, where others may serve something else; `None` where it needs the port for itself.
    paths: Option<Vec<String>>,
}

pub(super) fn check(config: &SystemConfig, report: &mut Report<'_>) {
    let admin = config.admin.as_ref().map(|admin| Listener {
        path: vec!["admin".into(), "listen".into()],
        ip: specified(admin.listen.ip()),
        port: admin.listen.port(),
        paths: None,
    });
    let mut seen: Vec<Listener> = admin.into_iter().collect();
    for (name, item) in &config.transports {
        let listening = match item.component.check(name) {
            Ok(listening) => listening,
            Err(error) => {
                let help = format!("see `vumi-host config explain {}`", item.component.class());
                report.wrong_key(&["transports", name], error.report(), help);
                continue;
            }
        };
        for Listening { key, host, port, paths } in listening {
            let new =
                Listener { path: vec!["transports".into(), name.clone(), key.into()], ip: address(&host), port, paths };
            if let Some((other, what, help)) = seen.iter().find_map(|other| new.clash(other)) {
                let path: Vec<&str> = new.path.iter().map(String::as_str).collect();
                report.wrong(&path, format!("{what} of {}", other.path.join(".")), help);
            }
            seen.push(new);
        }
    }
}

impl Listener {
    /// The other one, if both cannot be; what is the same, and what helps. Port 0 lets the system choose, so it meets
    /// nothing.
    fn clash<'a>(&self, other: &'a Self) -> Option<(&'a Self, String, &'static str)> {
        let meets = self.port == other.port
            && self.port != 0
            && (self.ip.is_none() || other.ip.is_none() || self.ip == other.ip);
        if !meets {
            return None;
        }
        let port = self.port;
        let (Some(mine), Some(theirs)) = (&self.paths, &other.paths) else {
            return Some((other, format!("port {port} is also the port"), "give each its own port"));
        };
        if self.ip != other.ip {
            let help = "give both the same `web_interface`, or each its own port";
            return Some((other, format!("port {port}, at another address, is also the port"), help));
        }
        let path = mine.iter().find(|path| theirs.contains(path))?;
        Some((
            other,
            format!("the path /{path} on port {port} is also that"),
            "give each its own path, or its own port",
        ))
    }
}

fn specified(ip: IpAddr) -> Option<IpAddr> {
    (!ip.is_unspecified()).then_some(ip)
}

fn address(host: &str) -> Option<IpAddr> {
    if host == "localhost" { Some(IpAddr::V4(Ipv4Addr::LOCALHOST)) } else { host.parse().ok().and_then(specified) }
}
