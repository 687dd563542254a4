//! TLS: to whom the connection is made is checked, and who is trusted can be told.

use std::net::TcpListener;
use std::path::Path;

use vumi_broker::{AmqpBroker, AmqpOptions};
use vumi_core::Broker;

use super::kit::*;

/// Makes the server listen with TLS as `localhost`, and write the certificate of its authority to a file. Erlang's own
/// test data makes keys and certificates on the spot.
async fn listen(server: &mut Server, authority: &Path) -> u16 {
    let port = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("bound").port();
    let file = authority.display();
    let expression = format!(
        "{{ok, _}} = application:ensure_all_started(ssl), \
         Made = [{{digest, sha256}}, {{key, {{rsa, 2048, 65537}}}}], \
         Name = {{'Extension', {{2,5,29,17}}, false, [{{dNSName, \"localhost\"}}]}}, \
         Chain = #{{root => Made, intermediates => [], peer => [{{extensions, [Name]}} | Made]}}, \
         #{{server_config := Own, client_config := Trusted}} = \
             public_key:pkix_test_data(#{{server_chain => Chain, client_chain => Chain}}), \
         rabbit_networking:start_ssl_listener({{\"127.0.0.1\", {port}}}, Own, 2), \
         [Authority | _] = proplists:get_value(cacerts, Trusted), \
         Pem = public_key:pem_encode([{{'Certificate', Authority, not_encrypted}}]), \
         ok = file:write_file(\"{file}\", Pem)"
    );
    server.with(move |server| server.eval(&expression)).await;
    port
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn amqps_checks_the_server_against_the_given_authority() {
    let mut server = Server::start().await;
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("ca.pem");
    let port = listen(&mut server, &path).await;
    let url = |host: &str| format!("amqps://guest:guest@{host}:{port}/%2f");

    let trusting = AmqpOptions { ca_file: Some(path.clone()), ..AmqpOptions::new(url("localhost")) };
    let broker = open_with(&trusting).await;
    let mut consumer = consume(&broker, Q, 1).await;
    publish(&broker, Q, vec![b'x'; 300_000]).await;
    assert_eq!(next(&mut consumer).await.body.len(), 300_000);
    broker.close().await;

    let unknown = AmqpOptions::new(url("localhost"));
    let wrong_name = AmqpOptions { ca_file: Some(path), ..AmqpOptions::new(url("127.0.0.1")) };
    for options in [unknown, wrong_name] {
        let broker = AmqpBroker::open(&options).expect("opens");
        until("a reason", async || broker.trouble().is_some()).await;
        let sentence = broker.trouble().expect("is there");
        assert!(sentence.contains("no TLS connection (") && sentence.contains("`ca_file`"), "{sentence}");
        assert!(!broker.is_connected());
    }
}
