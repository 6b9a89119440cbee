//! A database of countries, as MaxMind's specification has it (version 2.0): of IPv4, by records of 24 bits.

use std::net::Ipv4Addr;

/// Networks, by address and length, and the countries in which they are.
pub fn database(networks: &[(Ipv4Addr, u8, &str)]) -> Vec<u8> {
    const EMPTY: usize = usize::MAX;
    let (mut nodes, mut data) = (vec![[EMPTY; 2]], Vec::new());
    // Records of data, until the number of nodes is known.
    let mut leaves = Vec::new();
    for (address, length, country) in networks {
        let mut node = 0;
        for depth in 0..*length {
            let side = (u32::from(*address) >> (31 - depth) & 1) as usize;
            if depth + 1 == *length {
                leaves.push((node, side, data.len()));
                data.extend([map(1), text("country"), map(1), text("iso_code"), text(country)].concat());
            } else {
                if nodes[node][side] == EMPTY {
                    nodes[node][side] = nodes.len();
                    nodes.push([EMPTY; 2]);
                }
                node = nodes[node][side];
            }
        }
    }
    let count = nodes.len();
    for (node, side, at) in leaves {
        nodes[node][side] = count + 16 + at;
    }
    let records = nodes.iter().flatten().map(|record| if *record == EMPTY { count } else { *record });
    let tree = records.flat_map(|record| (record as u32).to_be_bytes()[1..].to_vec()).collect::<Vec<_>>();
    let number = |kind: u8, bytes: u8, n: usize| {
        let all = (n as u64).to_be_bytes();
        [&[kind << 5 | bytes][..], &all[8 - usize::from(bytes)..]].concat()
    };
    let metadata = [
        map(9),
        [text("binary_format_major_version"), number(5, 2, 2)].concat(),
        [text("binary_format_minor_version"), number(5, 2, 0)].concat(),
        // Extended types: 9 is a number of 64 bits, 11 a list.
        [text("build_epoch"), vec![4, 2, 0x6a, 0, 0, 0]].concat(),
        [text("database_type"), text("Test-Country")].concat(),
        [text("description"), map(0)].concat(),
        [text("ip_version"), number(5, 2, 4)].concat(),
        [text("languages"), vec![0, 4]].concat(),
        [text("node_count"), number(6, 4, count)].concat(),
        [text("record_size"), number(5, 2, 24)].concat(),
    ];
    [&tree, &[0; 16][..], &data, b"\xab\xcd\xefMaxMind.com", &metadata.concat()].concat()
}

fn map(entries: u8) -> Vec<u8> {
    vec![7 << 5 | entries]
}

/// Of at most 28 bytes.
fn text(text: &str) -> Vec<u8> {
    [&[2 << 5 | text.len() as u8], text.as_bytes()].concat()
}
