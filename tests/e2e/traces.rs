//! One trace follows a message from the transport to the app and back, across RabbitMQ and from one host to another; a
//! collector of our own takes what the hosts export.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;
use vumi_test_servers::shared_rabbitmq;
use vumi_tests::guests::{guest, scratch};
use vumi_tests::{HostBuilder, Telnet, until};

/// What the collector has.
#[derive(Default)]
struct Collected {
    /// Spans, each with the service that exported it.
    spans: Vec<(String, Span)>,
    metrics: Vec<String>,
    lines: usize,
}

/// Takes OTLP over HTTP.
struct Collector {
    address: SocketAddr,
    collected: Arc<Mutex<Collected>>,
}

impl Collector {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let collected = Arc::new(Mutex::new(Collected::default()));
        let all = Arc::clone(&collected);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let all = Arc::clone(&all);
                std::thread::spawn(move || while serve(&stream, &all).is_some() {});
            }
        });
        Self { address, collected }
    }
}

/// One request of a connection; `None` at its end.
fn serve(mut stream: &TcpStream, all: &Mutex<Collected>) -> Option<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).ok()?;
        head.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&head).to_ascii_lowercase();
    let length = head.split("content-length:").nth(1)?.lines().next()?.trim().parse().ok()?;
    let mut body = vec![0; length];
    stream.read_exact(&mut body).ok()?;
    {
        let mut all = all.lock().expect("no panic");
        if head.starts_with("post /v1/traces ") {
            let request = ExportTraceServiceRequest::decode(body.as_slice()).expect("traces");
            for spans in request.resource_spans {
                let attributes = spans.resource.map(|resource| resource.attributes).unwrap_or_default();
                let name =
                    attributes.iter().find(|pair| pair.key == "service.name").map(|pair| format!("{:?}", pair.value));
                let name = name.unwrap_or_default();
                let spans = spans.scope_spans.into_iter().flat_map(|scope| scope.spans);
                all.spans.extend(spans.map(|span| (name.clone(), span)));
            }
        } else if head.starts_with("post /v1/metrics ") {
            let request = ExportMetricsServiceRequest::decode(body.as_slice()).expect("metrics");
            let scopes = request.resource_metrics.into_iter().flat_map(|metrics| metrics.scope_metrics);
            all.metrics.extend(scopes.flat_map(|scope| scope.metrics).map(|metric| metric.name));
        } else if head.starts_with("post /v1/logs ") {
            let request = ExportLogsServiceRequest::decode(body.as_slice()).expect("logs");
            let scopes = request.resource_logs.into_iter().flat_map(|logs| logs.scope_logs);
            all.lines += scopes.map(|scope| scope.log_records.len()).sum::<usize>();
        }
    }
    stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Type: application/x-protobuf\r\nContent-Length: 0\r\n\r\n").ok()
}

#[test]
fn one_trace_follows_a_message_across_hosts_and_back() {
    let (collector, folder) = (Collector::start(), scratch());
    let broker = shared_rabbitmq().vhost("traces");
    let head = |service: &str| {
        format!(
            "broker: \"{broker}\"\nadmin: {{ listen: 127.0.0.1:0 }}\ntelemetry: {{ otlp_endpoint: \"http://{}\", \
             service_name: {service} }}\n",
            collector.address
        )
    };
    let network = format!("{}transports:\n  telnet: {{ class: telnet, telnet_port: 0 }}\n", head("network"));
    let apps = format!(
        "{}dispatchers:\n  main: {{ class: simple, transport_names: [telnet], exposed_names: [echo], route_mappings: {{ \
         telnet: [echo] }} }}\napps:\n  echo: {{ component: \"{}\" }}\n",
        head("apps"),
        guest("echo").display()
    );
    let start = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).expect("the file can be written");
        HostBuilder::run(&path).start()
    };
    let (network, apps) = (start("network.yaml", &network), start("apps.yaml", &apps));
    let mut telnet = Telnet::connect(network.telnet());
    assert_eq!(telnet.read_line().as_deref(), Some("Enter text to echo:"));
    assert_eq!(telnet.ask("follow me"), "follow me");

    // inbound (network) → dispatch → app (apps) → dispatch → outbound (network), each the parent of the next.
    let chain = until("a whole trace is exported", || {
        let all = collector.collected.lock().expect("no panic");
        let parent_of = |span: &Span| all.spans.iter().find(|(_, parent)| parent.span_id == span.parent_span_id);
        all.spans.iter().filter(|(_, span)| span.name == "outbound").find_map(|last| {
            let mut chain = vec![last.clone()];
            while let Some(parent) = chain.last().and_then(|(_, span)| parent_of(span)) {
                chain.push(parent.clone());
            }
            (chain.len() >= 5).then_some(chain)
        })
    });
    let names: Vec<&str> = chain.iter().rev().map(|(_, span)| span.name.as_str()).collect();
    assert_eq!(names, ["inbound", "dispatch", "app", "dispatch", "outbound"]);
    let services: Vec<bool> = chain.iter().rev().map(|(service, _)| service.contains("network")).collect();
    assert_eq!(services, [true, false, false, false, true], "{chain:?}");
    assert!(chain.iter().all(|(_, span)| span.trace_id == chain[0].1.trace_id));

    // Numbers and log lines are sent at the latest when a host ends.
    drop(telnet);
    for host in [network, apps] {
        let (status, ..) = host.terminate();
        assert!(status.success());
    }
    let all = collector.collected.lock().expect("no panic");
    assert!(all.metrics.iter().any(|name| name == "vumi_app_runs_total"), "{:?}", all.metrics);
    assert!(all.lines > 0);
}
