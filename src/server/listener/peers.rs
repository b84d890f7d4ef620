//! Who holds which connections, so that no client can hold them all.
//!
//! Below the limit everyone may have as many connections as they like: behind a proxy all come from one address. At the limit
//! a newcomer takes the place of a connection that waits for its client, of the peer that has most of those connections.

use super::exchange::Exchange;
use crate::sync::lock;
use std::{
    collections::HashMap,
    net::{IpAddr, SocketAddr},
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};
use tokio::sync::Notify;

/// How long a connection may wait for its client before a newcomer can have its place. A client that is about to send its
/// next request must not lose the race.
const WAIT_MIN: Duration = Duration::from_secs(1);

/// All connections, by peer.
#[derive(Debug, Default)]
pub(super) struct Peers {
    connections: Mutex<HashMap<Peer, Vec<Arc<Connection>>>>,
}

/// Whom a connection counts for: an IPv4 address, or the network that one IPv6 client usually has to itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Peer(IpAddr);

impl Peer {
    fn of(address: SocketAddr) -> Peer {
        Peer(match address.ip().to_canonical() {
            IpAddr::V6(ip) => IpAddr::V6((ip.to_bits() & !u128::from(u64::MAX)).into()),
            ip @ IpAddr::V4(_) => ip,
        })
    }
}

#[derive(Debug)]
struct Connection {
    exchange: Arc<Exchange>,
    give_way: Notify,
}

/// What a newcomer can do when there is no place left.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Newcomer {
    /// Wait: a connection was told to end, or one will.
    Waits,
    /// Go: its peer has more than its share, and all of it is at work.
    Refused,
}

/// A connection's entry. Dropping it makes the place free.
#[derive(Debug)]
pub(super) struct Place {
    peers: Arc<Peers>,
    peer: Peer,
    connection: Arc<Connection>,
}

impl Peers {
    /// Enters a connection.
    pub(super) fn enter(self: &Arc<Peers>, address: SocketAddr, exchange: Arc<Exchange>) -> Place {
        let peer = Peer::of(address);
        let connection = Arc::new(Connection { exchange, give_way: Notify::new() });
        self.lock().entry(peer).or_default().push(Arc::clone(&connection));
        Place { peers: Arc::clone(self), peer, connection }
    }

    /// Finds a place for one more connection of a peer, of whose kind each may have `share` while others want in.
    pub(super) fn make_place(&self, newcomer: SocketAddr, share: usize) -> Newcomer {
        let newcomer = Peer::of(newcomer);
        let peers = self.lock();
        let waiting = |connection: &Connection| connection.exchange.client_waited_for();
        // Of the peers that have one that may go, the one with the most connections.
        let idle = peers
            .values()
            .filter_map(|connections| {
                let longest =
                    connections.iter().filter_map(|it| Some((waiting(it)?, it))).max_by_key(|(time, _)| *time)?;
                (longest.0 >= WAIT_MIN).then_some((connections.len(), longest.1))
            })
            .max_by_key(|(count, _)| *count);
        if let Some((_, connection)) = idle {
            connection.give_way.notify_one();
            return Newcomer::Waits;
        }
        if let Some(own) = peers.get(&newcomer).filter(|own| own.len() >= share) {
            return if own.iter().any(|it| waiting(it).is_some()) { Newcomer::Waits } else { Newcomer::Refused };
        }
        // One that holds more than its share gives way also in the middle of a request: what came last has lost least.
        let greedy = peers.iter().max_by_key(|(_, connections)| connections.len());
        if let Some((_, connections)) = greedy.filter(|(_, connections)| connections.len() > share) {
            let last = connections.iter().rfind(|it| waiting(it).is_some()).or(connections.last());
            last.inspect(|connection| connection.give_way.notify_one());
        }
        Newcomer::Waits
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Peer, Vec<Arc<Connection>>>> {
        // Nothing panics while it is held.
        lock(&self.connections)
    }
}

impl Place {
    /// Resolves when a newcomer is to have it.
    pub(super) async fn wanted(&self) {
        self.connection.give_way.notified().await;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut peers = self.peers.lock();
        if let Some(connections) = peers.get_mut(&self.peer) {
            connections.retain(|it| !Arc::ptr_eq(it, &self.connection));
            if connections.is_empty() {
                peers.remove(&self.peer);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_of_ipv6_is_one_peer_and_an_address_of_ipv4_is_one() {
        let peer = |address: &str| Peer::of(address.parse().unwrap());
        assert_eq!(peer("[2001:db8:1:2:3::4]:1"), peer("[2001:db8:1:2:ffff::]:2"));
        assert_ne!(peer("[2001:db8:1:2::1]:1"), peer("[2001:db8:1:3::1]:1"));
        assert_eq!(peer("[::ffff:192.0.2.1]:1"), peer("192.0.2.1:2"));
        assert_ne!(peer("192.0.2.1:1"), peer("192.0.2.2:1"));
        assert_ne!(peer("[::1]:1"), peer("127.0.0.1:1"));
    }
}
