//! A web server for the guests to ask, on a loopback port: `/status/CODE/BODY`, `/bytes/COUNT`, `/hang`.

use std::net::SocketAddr;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// Starts it on the current runtime.
pub async fn serve() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
    let address = listener.local_addr().expect("it has an address");
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            // A guest that went away is no business of the server's.
            tokio::spawn(async move { answer(stream).await.ok() });
        }
    });
    address
}

async fn answer(stream: TcpStream) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    let mut first = String::new();
    stream.read_line(&mut first).await?;
    let mut length = 0;
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await? == 0 || line.trim().is_empty() {
            break;
        }
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap_or(0);
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await?;
    let path = first.split(' ').nth(1).unwrap_or("/").to_owned();
    let words: Vec<&str> = path.trim_start_matches('/').split('/').collect();
    let (code, body) = match words.as_slice() {
        ["status", code, body] => (*code, body.as_bytes().to_vec()),
        ["bytes", count] => ("200", vec![b'x'; count.parse().unwrap_or(0)]),
        ["hang"] => std::future::pending().await,
        _ => ("404", Vec::new()),
    };
    let head = format!("HTTP/1.1 {code} x\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(&body).await?;
    stream.flush().await
}
