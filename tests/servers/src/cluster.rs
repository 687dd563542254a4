//! A Redis Cluster of masters that share the 16384 slots evenly, without replicas.

use crate::must;
use crate::process::{PATIENCE, free_port, until};
use crate::redis::Redis;

/// How many slots a Redis Cluster has.
const SLOTS: usize = 16_384;

/// A private Redis Cluster; it ends when this is dropped.
#[derive(Debug)]
pub struct RedisCluster {
    nodes: Vec<Redis>,
}

impl RedisCluster {
    /// Starts as many masters as asked for, three at least, and waits until each of them calls the cluster whole.
    #[track_caller]
    pub fn start(nodes: usize) -> Self {
        must(Self::try_start(nodes))
    }

    /// The same; the error is a sentence that says what is missing.
    pub fn try_start(nodes: usize) -> Result<Self, String> {
        if nodes < 3 {
            return Err(format!("a Redis Cluster needs three masters at least, not {nodes}"));
        }
        let (mut started, mut buses) = (Vec::new(), Vec::new());
        for node in 0..nodes {
            let bus = free_port()?.to_string();
            let redis = Redis::try_with(&["--cluster-enabled", "yes", "--cluster-port", &bus, "--databases", "1"])?;
            let (first, last) = (SLOTS * node / nodes, SLOTS * (node + 1) / nodes - 1);
            redis.try_command(&["CLUSTER", "ADDSLOTSRANGE", &first.to_string(), &last.to_string()])?;
            // Each has an epoch of its own from the start: no two nodes have to settle a conflict first.
            redis.try_command(&["CLUSTER", "SET-CONFIG-EPOCH", &(node + 1).to_string()])?;
            started.push(redis);
            buses.push(bus);
        }
        let cluster = Self { nodes: started };
        let (first, others) = cluster.nodes.split_first().ok_or("the cluster has no nodes")?;
        for (node, bus) in others.iter().zip(buses.iter().skip(1)) {
            first.try_command(&["CLUSTER", "MEET", "127.0.0.1", &node.port().to_string(), bus])?;
        }
        let whole = |node: &Redis| {
            let known = format!("cluster_known_nodes:{nodes}\r\n");
            node.try_command(&["CLUSTER", "INFO"])
                .is_ok_and(|info| info.contains("cluster_state:ok") && info.contains(&known))
        };
        until(PATIENCE, || cluster.nodes.iter().all(whole).then_some(()))
            .ok_or("the Redis Cluster does not become whole")?;
        Ok(cluster)
    }

    /// The URL of each node; a client needs one of them, and learns the others from it.
    pub fn urls(&self) -> Vec<String> {
        self.nodes.iter().map(|node| format!("redis://127.0.0.1:{}", node.port())).collect()
    }

    /// The nodes, to stop, kill or pause one.
    pub fn nodes(&mut self) -> &mut [Redis] {
        &mut self.nodes
    }
}
