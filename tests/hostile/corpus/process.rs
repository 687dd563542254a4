//! What this process uses, as the kernel sees it.

use std::fs;
use std::time::{Duration, Instant};

/// See the module's text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Usage {
    /// Resident memory, in KiB.
    pub resident: u64,
    /// Threads.
    pub threads: u64,
    /// Open file descriptors.
    pub files: u64,
}

impl Usage {
    /// Now.
    pub fn now() -> Self {
        let status = fs::read_to_string("/proc/self/status").expect("the kernel tells of this process");
        let field = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
            line.split_whitespace().next().and_then(|word| word.parse().ok()).unwrap_or_default()
        };
        // Reading the folder opens one more.
        let files = fs::read_dir("/proc/self/fd").expect("the kernel tells of its files").count() as u64 - 1;
        Self { resident: field("VmRSS:"), threads: field("Threads:"), files }
    }

    /// As little as it comes down to while what has ended is tidied up: waits until nothing has shrunk for a while.
    pub fn settled() -> Self {
        let (mut least, mut since) = (Self::now(), Instant::now());
        while since.elapsed() < Duration::from_millis(500) {
            std::thread::sleep(Duration::from_millis(20));
            let now = Self::now();
            if now.threads < least.threads || now.files < least.files || now.resident < least.resident {
                (least, since) = (now, Instant::now());
            }
        }
        Self::now()
    }

    /// Whether this is no more than `before`, with a twentieth more of memory allowed.
    pub fn within(&self, before: &Self) -> bool {
        self.resident * 100 <= before.resident * 105 && self.threads <= before.threads && self.files <= before.files
    }
}
