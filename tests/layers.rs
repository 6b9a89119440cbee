//! The import rule: a room uses only rooms that stand above it in `lib.rs`, and above the line nothing knows
//! of sockets, files or clocks.

#![expect(clippy::unwrap_used, reason = "the helpers of a test are tests too")]

use std::fs;
use std::path::{Path, PathBuf};

/// The rooms in the order of `src/lib.rs`; the pure ones come first.
const ROOMS: [&str; 17] = [
    "cookie",
    "policy",
    "consent",
    "receipt",
    "page",
    "filter",
    "html",
    "body",
    "telemetry",
    "config",
    "store",
    "api",
    "explain",
    "proxy",
    "admin",
    "server",
    "cli",
];
const PURE: usize = 7;

/// What a pure room must not name.
const IMPURE: [&str; 9] =
    ["tokio", "hyper", "rustls", "std::fs", "std::net::Tcp", "std::env", "SystemTime", "Instant::now", "tracing"];

#[test]
fn rooms_use_only_rooms_above_them() {
    let mut seen = 0;
    for (index, room) in ROOMS.iter().enumerate() {
        for file in files_of(room) {
            seen += 1;
            let text = code(&file);
            for below in &ROOMS[index + 1..] {
                let used = text.contains(&format!("crate::{below}::")) || text.contains(&format!("crate::{below};"));
                assert!(!used, "{} uses `{below}`, which stands below `{room}`", file.display());
            }
            for banned in if index < PURE { &IMPURE[..] } else { &[] } {
                assert!(!text.contains(banned), "{} is in a pure room and names `{banned}`", file.display());
            }
        }
    }
    assert!(seen > 60, "only {seen} files were looked at");
}

#[test]
fn lib_lists_the_rooms_in_this_order() {
    let lib = fs::read_to_string(root().join("lib.rs")).unwrap();
    let listed: Vec<&str> = lib.lines().filter_map(|l| l.strip_prefix("pub mod ")?.strip_suffix(';')).collect();
    assert_eq!(listed, ROOMS);
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

fn files_of(room: &str) -> Vec<PathBuf> {
    let file = root().join(format!("{room}.rs"));
    if file.exists() {
        return vec![file];
    }
    let mut files = Vec::new();
    let mut folders = vec![root().join(room)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display())) {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") {
                files.push(path);
            }
        }
    }
    assert!(!files.is_empty(), "no file in {room}");
    files
}

/// The file without comments and without its tests, which may use what they like.
fn code(file: &Path) -> String {
    if file.file_name().is_some_and(|n| n == "tests.rs") || file.components().any(|c| c.as_os_str() == "tests") {
        return String::new();
    }
    let text = fs::read_to_string(file).unwrap();
    let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    text.lines().map(|l| l.split("//").next().unwrap_or_default()).collect::<Vec<_>>().join("\n")
}
