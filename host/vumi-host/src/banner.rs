//! What a person sees first: what listens where, and what to try next.

use std::fmt::Write;

use vumi_admin::Control;
use vumi_admin::model::SystemInfo;

use crate::system::System;

/// Prints the banner to standard output.
pub(crate) async fn print(system: &System) {
    let Ok(info) = system.desk().system().await else { return };
    // Whoever started the host may not read what it says.
    let _ = std::io::Write::write_all(&mut std::io::stdout(), text(system, &info).as_bytes());
}

fn text(system: &System, info: &SystemInfo) -> String {
    let mut out = String::new();
    // Writing to a String cannot fail.
    let _ = writeln!(out, "\nvumi-host {} is running", info.version);
    for app in system.apps() {
        let (hash, bytes) = app.component();
        let short: String = hash.chars().take(12).collect();
        let _ = writeln!(out, "  app        {} ({} kB, {short})", app.name(), bytes.div_ceil(1_000));
    }
    for place in info.listening.iter().filter(|place| place.name != "admin" && place.address != place.name) {
        let _ = writeln!(out, "  {:<10} {}", place.name, place.address);
    }
    if let Some(admin) = system.admin() {
        let _ = writeln!(out, "  phones     http://{admin}/   (API: /api/v1/openapi.json, metrics: /metrics)");
    }
    for engine in system.engines() {
        let _ = writeln!(out, "  {:<10} {}", engine.what, engine.place);
    }
    match &info.data_dir {
        None if info.durable => {}
        Some(folder) => {
            let _ = writeln!(out, "  data       {folder}");
        }
        None => {
            let _ = writeln!(out, "  data       in memory only: start with --data-dir FOLDER to keep it");
        }
    }
    if !info.pagemap_scan {
        let _ =
            writeln!(out, "  note       this kernel has no PAGEMAP_SCAN (Linux 6.7): each message costs a little more");
    }
    for warning in &info.warnings {
        let _ = writeln!(out, "  warning    {warning}");
    }
    let telnet = info.listening.iter().find(|place| place.name == "telnet");
    if let (Some((host, port)), Some(admin)) = (telnet.and_then(|place| place.address.rsplit_once(':')), system.admin())
    {
        let _ = writeln!(out, "\nTry it:  telnet {host} {port}      or open http://{admin}/ in a browser.");
    }
    let _ = writeln!(out, "Ctrl-C stops it.\n");
    out
}
