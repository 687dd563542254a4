//! `kill -9` in the middle of uploads and activations: the host comes back with the old or the new version, whole.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use vumi_tests::deploy::{activate, roll_back, upload};
use vumi_tests::guests::{scratch, stamp, stamper};
use vumi_tests::{Host, HostBuilder, Telnet, until};

/// How often the host is killed.
const KILLS: u64 = 12;

fn start(folder: &Path) -> Host {
    let file = folder.join("vumi.yaml");
    let text = "
admin: { listen: 127.0.0.1:0 }
transports:
  telnet: { class: telnet, telnet_host: 127.0.0.1, telnet_port: 0 }
dispatchers:
  main: { class: simple, transport_names: [telnet], exposed_names: [shop], route_mappings: { telnet: [shop] } }
";
    std::fs::write(&file, text).unwrap();
    HostBuilder::run(&file).data_dir(&folder.join("data")).args(["--log", "warn"]).start()
}

/// Uploads, switches and goes back until the host is gone; notes what was confirmed last.
fn deploy(admin: SocketAddr, from: u64, confirmed: &AtomicU64) {
    for number in from.. {
        let Ok(answer) = upload(admin, "shop", &stamper(number), "activate=true") else { return };
        if answer.status != 201 {
            return;
        }
        confirmed.store(number, Ordering::SeqCst);
        let gone = std::panic::catch_unwind(|| {
            roll_back(admin, "shop");
            activate(admin, "shop", number);
        });
        if gone.is_err() {
            return;
        }
    }
}

/// What the app says of itself, and what the catalog says of it, agree.
fn whole(host: &Host, confirmed: u64) -> u64 {
    let shop = host.get("/api/v1/deployments/shop");
    let active = shop["active"].as_u64().expect("a version answers");
    // Versions are numbered as they are stamped: the n-th upload carries the stamp n.
    assert!(active + 1 >= confirmed, "version {active} answers although {confirmed} was confirmed: {shop}");
    let versions = shop["versions"].as_array().expect("versions");
    assert!(versions.iter().any(|version| version["number"].as_u64() >= Some(confirmed)), "{shop}");
    let mut phone = Telnet::connect(host.listening("telnet"));
    let answer = until("the app answers", || {
        phone.line("stamp");
        phone.read_line().filter(|line| line.starts_with("STAMP"))
    });
    assert!(answer.starts_with(&stamp(active)), "{answer} is not of version {active}");
    // Every version can be had whole.
    for version in versions {
        let number = version["number"].as_u64().unwrap();
        let path = format!("/api/v1/deployments/shop/versions/{number}/component");
        assert_eq!(vumi_tests::http::get(host.admin, &path).body, stamper(number), "version {number} is damaged");
    }
    versions.iter().filter_map(|version| version["number"].as_u64()).max().unwrap_or(0)
}

#[test]
fn killed_in_the_middle_it_comes_back_with_one_version_whole() {
    let folder = scratch();
    let mut host = start(folder.path());
    let mut next = 1;
    for kill in 0..KILLS {
        let confirmed = Arc::new(AtomicU64::new(next - 1));
        let (admin, note) = (host.admin, Arc::clone(&confirmed));
        let before = confirmed.load(Ordering::SeqCst);
        let worker = std::thread::spawn(move || deploy(admin, next, &note));
        until("a version is confirmed", || (confirmed.load(Ordering::SeqCst) > before).then_some(()));
        // A moment that is another one each time: uploading, compiling, writing, switching.
        std::thread::sleep(Duration::from_millis(kill * 37 % 400));
        host.kill();
        worker.join().unwrap();
        host = start(folder.path());
        next = whole(&host, confirmed.load(Ordering::SeqCst)) + 1;
    }
    println!("killed {KILLS} times; {} versions, each whole", next - 1);
}
