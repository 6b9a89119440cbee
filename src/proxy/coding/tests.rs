use proptest::prelude::*;

use super::*;

const ALL: [Coding; 4] = [Coding::Gzip, Coding::Deflate, Coding::Brotli, Coding::Zstd];
const ROOMY: Caps = Caps { bytes: u64::MAX, ratio: u32::MAX };
const PAGE: &str = "<!doctype html><title>Shop</title><p>Grüße, 世界. Buy, buy, buy, buy, buy, buy.</p>";

fn encode(coding: Coding, level: Level, text: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut encoder = Encoder::new(coding, level).unwrap();
    encoder.write(text, &mut out).unwrap();
    encoder.end(&mut out).unwrap();
    out
}

fn decode_chunks<'a>(
    codings: &[Coding],
    caps: Caps,
    chunks: impl IntoIterator<Item = &'a [u8]>,
) -> Result<Vec<u8>, Error> {
    let mut text = Vec::new();
    let mut decoder = Decoder::new(codings, caps);
    for chunk in chunks {
        decoder.write(chunk, &mut |piece: &[u8]| {
            text.extend_from_slice(piece);
            Ok::<_, Error>(())
        })?;
    }
    decoder.end()?;
    Ok(text)
}

fn decode(coding: Coding, coded: &[u8]) -> Result<Vec<u8>, Error> {
    decode_chunks(&[coding], ROOMY, [coded])
}

fn raw_deflate(text: &[u8]) -> Vec<u8> {
    use std::io::Write;
    let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn every_coding_and_level_round_trips_at_every_cut() {
    for coding in ALL {
        for level in [Level::Fast, Level::Small] {
            let coded = encode(coding, level, PAGE.as_bytes());
            for cut in 0..=coded.len() {
                let (head, tail) = coded.split_at(cut);
                assert_eq!(decode_chunks(&[coding], ROOMY, [head, tail]).unwrap(), PAGE.as_bytes(), "{coding:?} {cut}");
            }
            assert_eq!(decode_chunks(&[coding], ROOMY, coded.chunks(1)).unwrap(), PAGE.as_bytes(), "{coding:?}");
        }
    }
}

#[test]
fn flush_makes_every_byte_readable_at_once() {
    for coding in ALL {
        let mut encoder = Encoder::new(coding, Level::Fast).unwrap();
        let mut decoder = Decoder::new(&[coding], ROOMY);
        for part in ["<head>", "<title>Shop", "", "</title>", PAGE] {
            let (mut coded, mut text) = (Vec::new(), Vec::new());
            encoder.write(part.as_bytes(), &mut coded).unwrap();
            encoder.flush(&mut coded).unwrap();
            decoder
                .write(&coded, &mut |piece: &[u8]| {
                    text.extend_from_slice(piece);
                    Ok::<_, Error>(())
                })
                .unwrap();
            assert_eq!(text, part.as_bytes(), "{coding:?}");
        }
    }
}

#[test]
fn cut_off_data_is_an_error_at_every_cut() {
    for coding in ALL {
        let coded = encode(coding, Level::Fast, PAGE.as_bytes());
        for cut in 1..coded.len() {
            assert_eq!(decode(coding, &coded[..cut]), Err(Error::Truncated(coding)), "{coding:?} {cut}");
        }
    }
    let raw = raw_deflate(PAGE.as_bytes());
    for cut in 1..raw.len() {
        assert_eq!(decode(Coding::Deflate, &raw[..cut]), Err(Error::Truncated(Coding::Deflate)), "{cut}");
    }
}

#[test]
fn both_ends_can_live_in_a_task_that_moves_between_threads() {
    fn is_send<T: Send>() {}
    is_send::<Decoder>();
    is_send::<Encoder>();
}

#[test]
fn an_empty_body_is_empty_in_any_coding() {
    for coding in ALL {
        assert_eq!(decode_chunks(&[coding], ROOMY, []), Ok(vec![]));
        assert_eq!(decode(coding, b""), Ok(vec![]));
        assert_eq!(decode(coding, &encode(coding, Level::Fast, b"")), Ok(vec![]));
    }
}

#[test]
fn deflate_is_read_with_and_without_zlib_header() {
    for text in [PAGE, "", "x"] {
        let raw = raw_deflate(text.as_bytes());
        for cut in 0..=raw.len() {
            let (head, tail) = raw.split_at(cut);
            assert_eq!(decode_chunks(&[Coding::Deflate], ROOMY, [head, tail]).unwrap(), text.as_bytes(), "{cut}");
        }
    }
}

#[test]
fn gzip_members_are_joined_and_garbage_after_them_ignored() {
    let member = encode(Coding::Gzip, Level::Fast, b"one,");
    let other = encode(Coding::Gzip, Level::Fast, b"two");
    let both = [&member[..], &other].concat();
    for cut in 0..=both.len() {
        let (head, tail) = both.split_at(cut);
        assert_eq!(decode_chunks(&[Coding::Gzip], ROOMY, [head, tail]).unwrap(), b"one,two", "{cut}");
    }
    for garbage in [&b"\0\0\0\0"[..], b"\n", b"\x1f", b"\x1f\x1f\x8b", b"<!-- cached -->"] {
        let coded = [&both[..], garbage].concat();
        assert_eq!(decode_chunks(&[Coding::Gzip], ROOMY, coded.chunks(1)).unwrap(), b"one,two", "{garbage:?}");
    }
    // A second member that is cut off is no garbage.
    assert_eq!(decode(Coding::Gzip, &both[..both.len() - 1]), Err(Error::Truncated(Coding::Gzip)));
}

#[test]
fn zstd_frames_are_joined() {
    let coded = [encode(Coding::Zstd, Level::Fast, b"one,"), encode(Coding::Zstd, Level::Fast, b"two")].concat();
    for cut in 0..=coded.len() {
        let (head, tail) = coded.split_at(cut);
        assert_eq!(decode_chunks(&[Coding::Zstd], ROOMY, [head, tail]).unwrap(), b"one,two", "{cut}");
    }
    assert!(decode(Coding::Zstd, &[&coded[..], b"x"].concat()).is_err());
}

#[test]
fn zstd_windows_larger_than_browsers_read_are_refused() {
    for (log, expected) in [(23, Ok(())), (24, Err(Error::Corrupt(Coding::Zstd)))] {
        use std::io::Write;
        let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), 1).unwrap();
        encoder.window_log(log).unwrap();
        // Streamed, so that the frame states its window and not its size.
        encoder.write_all(PAGE.as_bytes()).unwrap();
        encoder.flush().unwrap();
        let coded = encoder.finish().unwrap();
        assert_eq!(decode(Coding::Zstd, &coded).map(drop), expected, "{log}");
    }
}

#[test]
fn stacked_codings_are_undone_last_first() {
    let coded = encode(Coding::Brotli, Level::Fast, &encode(Coding::Gzip, Level::Fast, PAGE.as_bytes()));
    let codings = [Coding::Gzip, Coding::Brotli];
    assert_eq!(decode_chunks(&codings, ROOMY, coded.chunks(1)).unwrap(), PAGE.as_bytes());
    assert!(decode_chunks(&codings, ROOMY, [&coded[..coded.len() - 1]]).is_err());
    assert!(decode_chunks(&[Coding::Brotli, Coding::Gzip], ROOMY, [&coded[..]]).is_err());
    assert_eq!(decode_chunks(&[], ROOMY, [PAGE.as_bytes()]).unwrap(), PAGE.as_bytes());
}

#[test]
fn bombs_stop_early_in_small_pieces() {
    let zeros = vec![0; 6 << 20];
    for coding in ALL {
        let bomb = encode(coding, Level::Small, &zeros);
        for (caps, error) in [
            (Caps { bytes: 3 << 20, ratio: u32::MAX }, Error::TooLarge),
            (Caps { bytes: u64::MAX, ratio: 100 }, Error::TooDense),
        ] {
            let (mut seen, mut largest) = (0, 0);
            let mut decoder = Decoder::new(&[coding], caps);
            let result = decoder.write(&bomb, &mut |piece: &[u8]| {
                seen += piece.len();
                largest = largest.max(piece.len());
                Ok::<_, Error>(())
            });
            assert_eq!(result, Err(error), "{coding:?}");
            assert!(error.is_limit());
            assert!(largest <= 64 << 10, "{coding:?} {largest}");
            // The ratio sees the whole chunk at once only where the engine reads ahead.
            assert!(seen <= 4 << 20, "{coding:?} {seen}");
        }
    }
}

#[test]
fn caps_hold_up_to_the_last_byte() {
    let text = vec![b' '; 2 << 20];
    for coding in ALL {
        let coded = encode(coding, Level::Fast, &text);
        let capped =
            |bytes, ratio| decode_chunks(&[coding], Caps { bytes, ratio }, [&coded[..]]).map(|text| text.len());
        let (bytes, all) = (text.len() as u64, u32::MAX);
        assert_eq!(capped(bytes, all), Ok(text.len()), "{coding:?}");
        assert_eq!(capped(bytes - 1, all), Err(Error::TooLarge), "{coding:?}");
        // Decompressors read ahead or behind by a little, so that the ratio is not told to the last byte.
        let ratio = u32::try_from(text.len() / coded.len()).unwrap();
        assert_eq!(capped(u64::MAX, ratio * 2), Ok(text.len()), "{coding:?}");
        assert_eq!(capped(u64::MAX, ratio / 2), Err(Error::TooDense), "{coding:?}");
    }
}

#[test]
fn a_bomb_inside_another_coding_is_seen() {
    let inner = encode(Coding::Gzip, Level::Fast, &vec![0; 8 << 20]);
    let coded = encode(Coding::Gzip, Level::Fast, &inner);
    let caps = Caps { bytes: 2 << 20, ratio: 50 };
    let result = decode_chunks(&[Coding::Gzip, Coding::Gzip], caps, [&coded[..]]);
    assert!(result.unwrap_err().is_limit());
}

#[test]
fn repetitive_pages_below_the_floor_are_no_bombs() {
    let text = vec![b' '; 900 << 10];
    for coding in ALL {
        let coded = encode(coding, Level::Fast, &text);
        assert_eq!(decode_chunks(&[coding], Caps { bytes: 1 << 20, ratio: 10 }, [&coded[..]]).unwrap(), text);
    }
}

#[test]
fn the_sink_can_stop_the_decoder() {
    let coded = encode(Coding::Gzip, Level::Fast, &vec![b'x'; 1 << 20]);
    let mut calls = 0;
    let mut decoder = Decoder::new(&[Coding::Gzip], ROOMY);
    let result = decoder.write(&coded, &mut |_| {
        calls += 1;
        Err(Error::TooLarge)
    });
    assert_eq!((result, calls), (Err(Error::TooLarge), 1));
}

proptest! {
    #[test]
    fn garbage_never_panics_and_never_passes_for_a_whole_page(bytes in prop::collection::vec(any::<u8>(), 1..200)) {
        for coding in ALL {
            let caps = Caps { bytes: 1 << 20, ratio: 1000 };
            let whole = decode_chunks(&[coding], caps, [&bytes[..]]);
            prop_assert_eq!(whole, decode_chunks(&[coding], caps, bytes.chunks(1)), "{:?}", coding);
        }
    }

    #[test]
    fn any_body_survives_any_chunking(
        parts in prop::collection::vec(prop::collection::vec(0u8..8, 0..3000), 0..6),
        size in 1usize..5000,
    ) {
        for coding in ALL {
            let mut coded = Vec::new();
            let mut encoder = Encoder::new(coding, Level::Fast).unwrap();
            for part in &parts {
                encoder.write(part, &mut coded).unwrap();
                encoder.flush(&mut coded).unwrap();
            }
            encoder.end(&mut coded).unwrap();
            prop_assert_eq!(decode_chunks(&[coding], ROOMY, coded.chunks(size)).unwrap(), parts.concat());
        }
    }
}
