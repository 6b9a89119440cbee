//! What is a PROXY header, what is none, and that nothing is read beyond it.

use proptest::prelude::*;
use tokio::io::AsyncWriteExt as _;

use super::*;

fn v2(command: u8, family: u8, rest: &[u8]) -> Vec<u8> {
    let mut header = v2::PROTOCOL_PREFIX.to_vec();
    header.extend_from_slice(&[command, family]);
    header.extend_from_slice(&(rest.len() as u16).to_be_bytes());
    header.extend_from_slice(rest);
    header
}

fn ipv4(tlvs: &[u8]) -> Vec<u8> {
    [&[192, 0, 2, 7, 10, 0, 0, 1, 0, 80, 1, 187], tlvs].concat()
}

/// Both versions, cut at every byte, with the first bytes of TLS behind them: these are left where they are.
#[tokio::test]
async fn headers_are_read_to_their_end_and_no_further_however_they_arrive() {
    let line = b"PROXY TCP4 192.0.2.7 10.0.0.1 56324 443\r\n".to_vec();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    for header in [line, b"PROXY UNKNOWN\r\n".to_vec(), v2(0x21, 0x11, &ipv4(&[4, 0, 1, 0])), v2(0x20, 0, &[])] {
        let expected = parse(&header).unwrap();
        let all = [&header[..], b"\x16\x03\x01"].concat();
        for cut in 0..=all.len() {
            let mut client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
            client.set_nodelay(true).unwrap();
            let (mut stream, _) = listener.accept().await.unwrap();
            let write = async {
                client.write_all(&all[..cut]).await.unwrap();
                // The other side reads what there is.
                for _ in 0..3 {
                    tokio::task::yield_now().await;
                }
                client.write_all(&all[cut..]).await.unwrap();
            };
            let (read, ()) = tokio::join!(read(&mut stream), write);
            assert_eq!(read.unwrap(), expected, "cut at {cut}");
            let mut rest = [0; 3];
            stream.read_exact(&mut rest).await.unwrap();
            assert_eq!(&rest, b"\x16\x03\x01", "cut at {cut}");
        }
    }
    for garbage in [&b"GET / HTTP/1.1\r\n\r\n"[..], b"PROXY UNKNOWN", &[b'P'; 200], &[0x16; 40]] {
        let mut client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (mut stream, _) = listener.accept().await.unwrap();
        client.write_all(garbage).await.unwrap();
        client.shutdown().await.unwrap();
        assert!(read(&mut stream).await.is_err(), "{garbage:?}");
    }
    let endless = [b"PROXY UNKNOWN ", &[b'x'; 4096][..]].concat();
    let mut client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    let (mut stream, _) = listener.accept().await.unwrap();
    client.write_all(&endless).await.unwrap();
    assert!(read(&mut stream).await.is_err(), "nobody waits for the end of the line");
}

#[test]
fn lines() {
    let v4 = Ok(Some("192.0.2.7".parse().unwrap()));
    let v6 = Ok(Some("2001:db8::7".parse().unwrap()));
    for (line, expected) in [
        ("PROXY TCP4 192.0.2.7 10.0.0.1 56324 443\r\n", &v4),
        ("PROXY TCP4 192.0.2.7 10.0.0.1 0 65535\r\n", &v4),
        ("PROXY TCP6 2001:db8::7 ::1 56324 443\r\n", &v6),
        ("PROXY TCP6 2001:0db8:0:0:0:0:0:7 ::1 1 2\r\n", &v6),
        ("PROXY UNKNOWN\r\n", &Ok(None)),
        ("PROXY UNKNOWN ffff:f...f:ffff ffff:f...f:ffff 65535 65535\r\n", &Ok(None)),
    ] {
        assert_eq!(&parse(line.as_bytes()), expected, "{line}");
    }
    for line in [
        "PROXY TCP4 192.0.2.7 10.0.0.1 56324 443\n",
        "PROXY TCP4 192.0.2.7 10.0.0.1 56324 443",
        "PROXY TCP4 192.0.2.7 10.0.0.1 56324 443\r",
        "PROXY TCP4 192.0.2.7 10.0.0.1 56324 443\r\nGET",
        "PROXY TCP4 192.0.2.7 10.0.0.1 56324 443 \r\n",
        "PROXY TCP4  192.0.2.7 10.0.0.1 56324 443\r\n",
        "PROXY TCP4 192.0.2.7 10.0.0.1 56324\r\n",
        "PROXY TCP4 192.0.2.7 10.0.0.1 +1 443\r\n",
        "PROXY TCP4 192.0.2.7 10.0.0.1 056 443\r\n",
        "PROXY TCP4 192.0.2.7 10.0.0.1 65536 443\r\n",
        "PROXY TCP4 192.0.2.07 10.0.0.1 1 443\r\n",
        "PROXY TCP4 192.0.2 10.0.0.1 1 443\r\n",
        "PROXY TCP4 2001:db8::7 ::1 1 443\r\n",
        "PROXY TCP6 192.0.2.7 10.0.0.1 1 443\r\n",
        "PROXY TCP6 fe80::1%eth0 ::1 1 443\r\n",
        "PROXY UDP4 192.0.2.7 10.0.0.1 1 443\r\n",
        "PROXY tcp4 192.0.2.7 10.0.0.1 1 443\r\n",
        "PROXY UNKNOWN \n",
        "PROXY UNKNOWN \n\r",
        "PROXY UNKNOWN \n\r\n",
        "PROXY\r\n",
        "PROXY \r\n",
        "proxy TCP4 192.0.2.7 10.0.0.1 1 443\r\n",
        "PROXYTCP4 192.0.2.7 10.0.0.1 1 443\r\n",
        " PROXY TCP4 192.0.2.7 10.0.0.1 1 443\r\n",
        "GET / HTTP/1.1\r\n",
        "",
    ] {
        assert!(parse(line.as_bytes()).is_err(), "{line:?}");
    }
    let long = format!("PROXY UNKNOWN {}\r\n", "x".repeat(LONGEST_LINE));
    assert_eq!(parse(long.as_bytes()), Err(Error::Malformed));
}

#[test]
fn binary_headers() {
    let (v4, v6) = ("192.0.2.7".parse().unwrap(), "2001:db8::7".parse().unwrap());
    let mut ipv6 = vec![0; 36];
    ipv6[..16].copy_from_slice(&[0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7]);
    let tlv = [0x04, 0, 3, 1, 2, 3];
    for (header, expected) in [
        (v2(0x21, 0x11, &ipv4(&[])), Some(v4)),
        (v2(0x21, 0x11, &ipv4(&tlv)), Some(v4)),
        (v2(0x21, 0x11, &ipv4(&[0xff; 65_000])), Some(v4)),
        (v2(0x21, 0x21, &ipv6), Some(v6)),
        (v2(0x21, 0x00, &[]), None),
        (v2(0x21, 0x00, &tlv), None),
        (v2(0x21, 0x31, &[b'/'; 216]), None),
        (v2(0x20, 0x00, &[]), None),
        (v2(0x20, 0x11, &ipv4(&tlv)), None),
    ] {
        assert_eq!(parse(&header), Ok(expected), "{:?}", &header[12..16]);
    }
    for header in [
        v2(0x11, 0x11, &ipv4(&[])),
        v2(0x22, 0x11, &ipv4(&[])),
        v2(0x21, 0x12, &ipv4(&[])),
        v2(0x21, 0x41, &ipv4(&[])),
        v2(0x21, 0x13, &ipv4(&[])),
        v2(0x21, 0x11, &ipv4(&[])[..11]),
        v2(0x21, 0x21, &ipv6[..35]),
        v2(0x21, 0x11, &ipv4(&[]))[..27].to_vec(),
        [v2(0x21, 0x11, &ipv4(&[])), b"x".to_vec()].concat(),
    ] {
        assert_eq!(parse(&header), Err(Error::Malformed), "{:?}", &header[12..16]);
    }
}

proptest! {
    #[test]
    fn whatever_comes_nothing_panics(bytes: Vec<u8>, line in "PROXY (TCP[46]|UNKNOWN|[A-Z]*) [ -~]{0,120}(\r\n)?") {
        let _ = parse(&bytes);
        let _ = parse(&[v2::PROTOCOL_PREFIX, &bytes].concat());
        let _ = parse(line.as_bytes());
    }

    #[test]
    fn both_versions_say_the_same(source: std::net::SocketAddr, destination: std::net::SocketAddr, cut: prop::sample::Index) {
        let same = source.is_ipv4() == destination.is_ipv4();
        prop_assume!(same);
        let kind = if source.is_ipv4() { "TCP4" } else { "TCP6" };
        let (from, to) = (source.ip(), destination.ip());
        let line = format!("PROXY {kind} {from} {to} {} {}\r\n", source.port(), destination.port());
        let family = v2::Builder::with_addresses(v2::Version::Two | v2::Command::Proxy, v2::Protocol::Stream, (source, destination));
        let binary = family.build().unwrap();
        for header in [line.as_bytes(), &binary] {
            prop_assert_eq!(parse(header), Ok(Some(from)));
            // Any part of it is none.
            prop_assert!(parse(&header[..cut.index(header.len())]).is_err());
        }
    }
}
