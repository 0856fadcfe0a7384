//! Other mount namespaces: of containers, and of services with a view of their own.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// The process with the lowest pid in each mount namespace other than this process's, in the order
/// of the pids; at most `limit`. Without root only namespaces of the account's own processes can be
/// seen.
pub fn other_namespaces(limit: usize) -> Vec<u32> {
    let namespace = |process: &Path| std::fs::read_link(process.join("ns/mnt")).ok();
    let own = namespace(Path::new("/proc/self"));
    let mut others: HashMap<PathBuf, u32> = HashMap::new();
    for entry in std::fs::read_dir("/proc").into_iter().flatten().flatten() {
        let name = entry.file_name();
        let pid: Option<u32> = name.to_str().and_then(|name| name.parse().ok());
        if let (Some(pid), Some(found)) = (pid, namespace(&entry.path()))
            && Some(&found) != own.as_ref()
            && (others.len() < limit || others.contains_key(&found))
        {
            let first = others.entry(found).or_insert(pid);
            *first = pid.min(*first);
        }
    }
    let mut first: Vec<u32> = others.into_values().collect();
    first.sort_unstable();
    first
}
