//! A slow connection: bytes to the client pass at a limited rate, with a stall of seconds now and
//! then; bytes to the server pass as they come.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::time::{Duration, Instant};

use crate::Result;

const CHUNK_BYTES: usize = 64 << 10;
/// Bytes between stalls.
const STALL_EVERY_BYTES: u64 = 100 << 20;
const STALL: Duration = Duration::from_secs(3);

/// A port where one client is led to `server`, slowly.
pub fn connection(server: SocketAddr, bytes_per_second: u64) -> Result<u16> {
    let listener = TcpListener::bind(("127.0.0.1", 0))?;
    let port = listener.local_addr()?.port();
    std::thread::spawn(move || {
        // Either side may close at any time; the client then tells what it misses.
        let _ = lead(&listener, server, bytes_per_second);
    });
    Ok(port)
}

fn lead(listener: &TcpListener, server: SocketAddr, bytes_per_second: u64) -> std::io::Result<()> {
    let (client, _) = listener.accept()?;
    let server = TcpStream::connect(server)?;
    let (mut from_client, mut to_server) = (client.try_clone()?, server.try_clone()?);
    std::thread::spawn(move || {
        let _ = std::io::copy(&mut from_client, &mut to_server);
        let _ = to_server.shutdown(Shutdown::Write);
    });
    slowly(&server, &client, bytes_per_second)?;
    client.shutdown(Shutdown::Write)
}

#[expect(
    clippy::disallowed_methods,
    reason = "a thread of its own, whose purpose is to be slow"
)]
fn slowly(mut from: &TcpStream, mut to: &TcpStream, bytes_per_second: u64) -> std::io::Result<()> {
    let mut buffer = vec![0; CHUNK_BYTES];
    let (mut passed, mut stalls) = (0_u64, 0_u64);
    let mut since = Instant::now();
    let mut since_bytes = 0;
    loop {
        let n = from.read(&mut buffer)?;
        if n == 0 {
            return Ok(());
        }
        to.write_all(&buffer[..n])?;
        passed += n as u64;
        if passed / STALL_EVERY_BYTES > stalls {
            stalls = passed / STALL_EVERY_BYTES;
            std::thread::sleep(STALL);
            (since, since_bytes) = (Instant::now(), passed);
        }
        let due = (passed - since_bytes) as f64 / bytes_per_second as f64;
        std::thread::sleep(Duration::from_secs_f64(due).saturating_sub(since.elapsed()));
    }
}
