//! How large a text is once it is compressed, estimated without compressing it.

use std::io::{self, Write};

/// How far back deflate looks.
const WINDOW: usize = 1 << 15;
/// The longest run of bytes that deflate repeats at once.
const MAX_MATCH: usize = 258;
/// Bits of an index into the table of places.
const TABLE_BITS: u32 = 15;
/// Bits that a repetition costs, with its length and distance.
const MATCH_BITS: usize = 24;
/// Bits that a byte costs which is no repetition: fewer than 8 in texts, but noise is no text.
const LITERAL_BITS: usize = 8;

/// Takes what is written and counts the bits that deflate would need: greedy, with one candidate for each repetition, so
/// the estimate is above what a compressor reaches.
#[derive(Default)]
pub(super) struct Deflated {
    bits: usize,
    /// The bytes that were written and are still looked at: a window, then what is not counted yet.
    bytes: Vec<u8>,
    /// How many of them are counted.
    counted: usize,
    /// For a hash of four bytes, the place after the last bytes with it; 0 where there are none.
    places: Vec<u32>,
}

impl Deflated {
    /// The size of what was written so far, in bytes.
    pub(super) fn bytes(&self) -> usize {
        (self.bits + (self.bytes.len() - self.counted) * LITERAL_BITS) / 8
    }

    /// Counts all bytes but the last ones, whose repetition may go on.
    fn count(&mut self) {
        let Deflated { bits, bytes, counted, places } = self;
        if places.is_empty() {
            places.resize(1 << TABLE_BITS, 0);
        }
        while *counted + MAX_MATCH < bytes.len() {
            let here = &bytes[*counted..*counted + MAX_MATCH];
            let key = u32::from_le_bytes([here[0], here[1], here[2], here[3]]);
            let place = &mut places[(key.wrapping_mul(0x9e37_79b1) >> (32 - TABLE_BITS)) as usize];
            let before = *place as usize;
            *place = *counted as u32 + 1;
            let length = match before.checked_sub(1).filter(|before| *counted - before <= WINDOW) {
                Some(before) => bytes[before..].iter().zip(here).take_while(|(a, b)| a == b).count(),
                None => 0,
            };
            *bits += if length >= 4 { MATCH_BITS } else { LITERAL_BITS };
            *counted += if length >= 4 { length } else { 1 };
        }
        if *counted > 16 * WINDOW {
            let gone = *counted - WINDOW;
            bytes.drain(..gone);
            *counted = WINDOW;
            places.iter_mut().for_each(|place| *place = place.saturating_sub(gone as u32));
        }
    }
}

impl Write for Deflated {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.bytes.extend_from_slice(bytes);
        if self.bytes.len() - self.counted > WINDOW {
            self.count();
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn size(text: impl Iterator<Item = String>) -> usize {
        let mut size = Deflated::default();
        text.for_each(|part| size.write_all(part.as_bytes()).unwrap());
        size.bytes()
    }

    #[test]
    fn what_repeats_is_small_and_noise_is_not() {
        let results =
            (0..20_000).map(|number| format!("{{\"ruleId\":\"aws-a\",\"level\":\"error\",\"line\":{number}}},"));
        let raw: usize = results.clone().map(|text| text.len()).sum();
        let estimate = size(results);
        assert!(estimate < raw / 4 && estimate > raw / 20, "{estimate} of {raw}");
        let mut state = 1_u64;
        let noise = (0..20_000).map(|_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            format!("{:016x}", state)
        });
        let estimate = size(noise);
        assert!(estimate > 150_000 && estimate <= 320_000, "{estimate}");
    }
}
