//! Facts of the machine, so that figures can be compared.

use std::fs;
use std::path::Path;
use std::thread;

use usher_api::Timestamp;

/// One line: date, processor, cores, memory, kernel, and what the data lay on.
pub(crate) fn facts(folder: &Path) -> String {
    let cores = thread::available_parallelism().map_or(0, usize::from);
    let today = Timestamp::now().to_string();
    let today = today.split('T').next().unwrap_or_default();
    let kernel = rustix::system::uname();
    format!(
        "{today}: {cores} cores of {}, {} of memory, {} {}, data on {}.",
        value_of("/proc/cpuinfo", "model name")
            .unwrap_or_else(|| "an unnamed processor".to_owned()),
        memory(),
        kernel.sysname().to_string_lossy(),
        kernel.release().to_string_lossy(),
        file_system(folder).unwrap_or_else(|| "an unknown file system".to_owned()),
    )
}

fn value_of(file: &str, key: &str) -> Option<String> {
    fs::read_to_string(file).ok()?.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        (name.trim() == key).then(|| value.trim().to_owned())
    })
}

fn memory() -> String {
    value_of("/proc/meminfo", "MemTotal")
        .and_then(|total| total.split(' ').next()?.parse::<u64>().ok())
        .map_or_else(
            || "an unknown amount".to_owned(),
            |kib| format!("{} GiB", kib.div_ceil(1024 * 1024)),
        )
}

/// The type of the file system that holds `folder`: the longest mount point that it lies under.
fn file_system(folder: &Path) -> Option<String> {
    let mounts = fs::read_to_string("/proc/self/mounts").ok()?;
    mounts
        .lines()
        .filter_map(|line| {
            let mut words = line.split(' ').skip(1);
            Some((Path::new(words.next()?), words.next()?))
        })
        .filter(|(point, _)| folder.starts_with(point))
        .max_by_key(|(point, _)| point.components().count())
        .map(|(_, kind)| kind.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_facts_name_cores_kernel_and_file_system() {
        let facts = facts(Path::new("/proc/self"));
        assert!(facts.contains(" cores of "), "{facts}");
        assert!(facts.contains("Linux "), "{facts}");
        assert!(facts.ends_with("data on proc."), "{facts}");
    }
}
