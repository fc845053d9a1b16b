//! A connection to a server that a test can cut.

use std::net::SocketAddr;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Whole,
    /// Open connections are closed, and new ones are closed at once.
    Cut,
    /// Connections stay open and carry nothing.
    Silent,
    /// The present connections stay open and never carry anything again.
    Dead,
}

pub(crate) struct Wire {
    state: watch::Sender<State>,
    address: SocketAddr,
}

impl Wire {
    pub(crate) async fn to(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (state, watched) = watch::channel(State::Whole);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                if *watched.borrow() != State::Cut {
                    tokio::spawn(carry(client, server, watched.clone()));
                }
            }
        });
        Self { state, address }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn cut(&self) {
        self.state.send_replace(State::Cut);
    }

    pub(crate) fn silence(&self) {
        self.state.send_replace(State::Silent);
    }

    pub(crate) fn kill_connections(&self) {
        self.state.send_replace(State::Dead);
    }

    pub(crate) fn mend(&self) {
        self.state.send_replace(State::Whole);
    }
}

async fn carry(mut client: TcpStream, server: SocketAddr, mut state: watch::Receiver<State>) {
    let Ok(mut server) = TcpStream::connect(server).await else { return };
    let (mut there, mut back) = (vec![0; 4096], vec![0; 4096]);
    loop {
        let now = *state.borrow_and_update();
        match now {
            State::Cut => return,
            State::Dead => std::future::pending().await,
            State::Silent | State::Whole => {}
        }
        tokio::select! {
            changed = state.changed() => if changed.is_err() { return },
            read = client.read(&mut there), if now == State::Whole => match read {
                Ok(0) | Err(_) => return,
                Ok(length) => if server.write_all(&there[..length]).await.is_err() { return },
            },
            read = server.read(&mut back), if now == State::Whole => match read {
                Ok(0) | Err(_) => return,
                Ok(length) => if client.write_all(&back[..length]).await.is_err() { return },
            },
        }
    }
}
