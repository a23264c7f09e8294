//! Accepts connections and bounds what each may hold: time before its first request, time between
//! requests, memory, streams, and their number.
//!
//! `axum::serve` has no limit on how long a client takes to send its headers, nor on how long it takes to read what
//! it is sent: a few thousand sockets that send or read a byte now and then would hold the server for ever.

mod open;
mod patient;

use std::{convert::Infallible, io, net::SocketAddr, sync::Arc, time::Duration};

use axum::{
    Router,
    body::Body,
    extract::{ConnectInfo, Request},
    response::Response,
};
use hyper::{body::Incoming, service::service_fn};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{Notify, Semaphore, watch},
    task::JoinSet,
    time::{sleep, timeout},
};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use open::{Open, Sent};
use patient::Patient;

/// How long a connection may be without a complete request head: before the first, and between two.
pub const HEAD: Duration = Duration::from_secs(20);
/// More bytes of request head than `hygiene` accepts, so that its answer comes first.
const MAX_HEAD: usize = 64 * 1024;
/// Requests at once on one HTTP/2 connection.
const STREAMS: u32 = 64;
/// How often a silent HTTP/2 connection is asked whether it is still there.
const PING: Duration = Duration::from_secs(30);
/// How long a client may take to hang up when the server stops and nothing of it is under way. One that was
/// only idle has as long as a client may stall: the end of an answer may still be on its way to a slow one.
const FAREWELL: Duration = Duration::from_secs(5);
/// How long a client may take to read anything of what it is sent.
pub const STALLED: Duration = Duration::from_secs(30);
/// A failed accept (no file descriptor is left) is tried again after this long.
const PAUSE: Duration = Duration::from_millis(100);

/// What an address bears.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// Connections at once.
    pub connections: usize,
    /// How long a connection may be without a request.
    pub idle: Duration,
}

/// Serves a router until it is told to stop, then waits for the requests under way.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    bounds: Bounds,
    stop: CancellationToken,
) -> io::Result<()> {
    let seats = Arc::new(Semaphore::new(bounds.connections));
    let mut open = JoinSet::new();
    loop {
        // Where all seats are taken nothing is accepted; the kernel keeps a short queue.
        let seat = tokio::select! {
            () = stop.cancelled() => break,
            seat = Arc::clone(&seats).acquire_owned() => seat.map_err(io::Error::other)?,
        };
        let accepted = tokio::select! {
            () = stop.cancelled() => break,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, address)) => {
                let (router, stop) = (router.clone(), stop.clone());
                open.spawn(async move {
                    let _seat = seat;
                    connection(stream, address, router, bounds.idle, stop).await;
                });
            }
            // The client gave up; the next one may be there already.
            Err(error) if is_of_the_client(&error) => {}
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                sleep(PAUSE).await;
            }
        }
        while open.try_join_next().is_some() {}
    }
    drop(listener);
    while open.join_next().await.is_some() {}
    Ok(())
}

fn is_of_the_client(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

async fn connection(
    stream: TcpStream,
    address: SocketAddr,
    router: Router,
    idle: Duration,
    stop: CancellationToken,
) {
    let _ = stream.set_nodelay(true);
    let asked = Arc::new(Notify::new());
    let (open, at_work) = watch::channel(0_usize);
    let service = {
        let asked = Arc::clone(&asked);
        service_fn(move |request: Request<Incoming>| {
            asked.notify_one();
            answer(router.clone(), request, address, Open::new(&open))
        })
    };
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(HEAD).max_buf_size(MAX_HEAD);
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(PING)
        .keep_alive_timeout(HEAD)
        .max_concurrent_streams(STREAMS)
        .max_header_list_size(u32::try_from(MAX_HEAD).unwrap_or(u32::MAX))
        .enable_connect_protocol();
    let mut serving = std::pin::pin!(
        builder.serve_connection_with_upgrades(TokioIo::new(Patient::new(stream, STALLED)), service)
    );
    // Neither timeout above runs while the first bytes have not told which protocol is spoken.
    let mut first = std::pin::pin!(timeout(HEAD, asked.notified()));
    let mut unused = std::pin::pin!(unused_for(idle, at_work.clone()));
    let mut dismissed = std::pin::pin!(unused_for(STALLED, at_work.clone()));
    let mut left = std::pin::pin!(unused_for(FAREWELL, at_work));
    let (mut began, mut idled, mut stopping) = (false, false, false);
    loop {
        tokio::select! {
            ended = serving.as_mut() => {
                if let Err(error) = ended {
                    tracing::debug!(error, "a connection ended badly");
                }
                return;
            }
            came = first.as_mut(), if !began => match came {
                Ok(()) => began = true,
                Err(_) => return,
            },
            // What is under way is let finish. Once nothing is, a client that was told to hang up has no say in it.
            () = stop.cancelled(), if !stopping => {
                stopping = true;
                serving.as_mut().graceful_shutdown();
            }
            () = unused.as_mut(), if !idled => {
                idled = true;
                serving.as_mut().graceful_shutdown();
            }
            () = left.as_mut(), if stopping => return,
            () = dismissed.as_mut(), if idled => return,
        }
    }
}

/// Returns once nothing was under way for so long.
async fn unused_for(idle: Duration, mut open: watch::Receiver<usize>) {
    loop {
        if open.wait_for(|open| *open == 0).await.is_err() {
            return;
        }
        if timeout(idle, open.changed()).await.is_err() {
            return;
        }
    }
}

async fn answer(
    router: Router,
    mut request: Request<Incoming>,
    address: SocketAddr,
    open: Open,
) -> Result<Response, Infallible> {
    request.extensions_mut().insert(ConnectInfo(address));
    // A socket over HTTP/2 goes on when its request is answered; it keeps the request.
    request.extensions_mut().insert(open.clone());
    let Ok(response) = router.oneshot(request.map(Body::new)).await;
    Ok(response.map(|body| Body::new(Sent::new(body, open))))
}
