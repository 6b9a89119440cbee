//! What the process uses of its machine, as Linux tells it (proc(5)); elsewhere nothing is told.

use std::fs;

/// Of this moment.
#[derive(Debug, Default)]
pub(super) struct Usage {
    /// Bytes in memory.
    pub(super) memory: Option<u64>,
    /// Open files and sockets.
    pub(super) files: Option<u64>,
    /// Seconds on a processor, in our code and the system's.
    pub(super) cpu: Option<f64>,
}

/// Linux tells programs its time in hundredths of a second, whatever its own clock does.
const TICKS: f64 = 100.0;

impl Usage {
    pub(super) fn now() -> Self {
        Self {
            memory: fs::read_to_string("/proc/self/status").ok().and_then(|text| memory(&text)),
            files: fs::read_dir("/proc/self/fd").ok().map(|files| files.count() as u64),
            cpu: fs::read_to_string("/proc/self/stat").ok().and_then(|text| cpu(&text)),
        }
    }
}

fn memory(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    Some(line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()? * 1024)
}

fn cpu(stat: &str) -> Option<f64> {
    // The name of the program stands in brackets, and may hold anything.
    let mut fields = stat.rsplit_once(')')?.1.split_ascii_whitespace().skip(11);
    let mut ticks = || fields.next()?.parse::<u64>().ok();
    Some((ticks()? + ticks()?) as f64 / TICKS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_linux_says_is_read() {
        assert_eq!(memory("Name:\tx\nVmRSS:\t   12345 kB\nVmData: 1 kB\n"), Some(12345 * 1024));
        let stat = "7 (a) b) S 1 7 7 0 -1 4194560 100 0 0 0 150 50 0 0 20 0 5 0 100 1000 10";
        assert_eq!(cpu(stat), Some(2.0));
        assert_eq!((memory(""), cpu("")), (None, None));
    }
}
