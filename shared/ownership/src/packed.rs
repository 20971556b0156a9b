//! Names of up to 16 bytes as numbers, which are compared and hashed at once.

/// A name of up to 16 bytes, packed into a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShortName(pub(crate) u128);

impl ShortName {
    /// The first `length` bytes of `window`, if there are 1 to 16 and all are graphic ASCII characters: `!` to `~`.
    ///
    /// All bytes are looked at together, so this takes less time than to look at one after another.
    ///
    /// # Example
    ///
    /// ```
    /// use ownership::ShortName;
    ///
    /// let line = b"GB-00445790,0.25";
    /// assert!(ShortName::graphic(*line, 11).is_some());
    /// assert!(ShortName::graphic(*b"Caf\xe9,0.25       ", 4).is_none());
    /// ```
    #[inline]
    #[must_use]
    pub fn graphic(window: [u8; 16], length: usize) -> Option<Self> {
        const HIGH: u128 = ONES << 7;
        if !(1..=16).contains(&length) {
            return None;
        }
        let unused = if length == 16 { 0 } else { u128::MAX >> (8 * length) };
        let packed = u128::from_be_bytes(window) & !unused;
        let filled = packed | (unused & (ONES * b'~' as u128));
        // Byte by byte nothing is carried over: with high bits set, what is taken off leaves them set from `!` on, and
        // without, one more sets them behind `~`.
        let is_graphic =
            (filled | filled.wrapping_add(ONES)) & HIGH == 0 && ((filled | HIGH) - ONES * b'!' as u128) & HIGH == HIGH;
        is_graphic.then_some(Self(packed))
    }
}

/// A one in each byte.
const ONES: u128 = u128::MAX / 255;

/// The bytes of a name as a number whose order is that of names, filled up with
/// zeros; `None` if it has more than 16, or zeros of its own.
#[inline]
pub(crate) fn pack(name: &str) -> Option<u128> {
    if name.len() > 16 {
        return None;
    }
    let packed = prefix(name);
    let filled = packed | u128::MAX.checked_shr(8 * crate::names::to_u32(name.len())).unwrap_or(0);
    let has_zero = filled.wrapping_sub(ONES) & !filled & (ONES << 7) != 0;
    (!has_zero).then_some(packed)
}

/// The first 16 bytes of a name, filled up with zeros: numbers whose order is
/// that of names, where they differ.
#[inline]
pub(crate) fn prefix(name: &str) -> u128 {
    let mut bytes = [0; 16];
    let length = name.len().min(16);
    bytes[..length].copy_from_slice(&name.as_bytes()[..length]);
    u128::from_be_bytes(bytes)
}

/// How many bytes the name has that was packed into a number.
pub(crate) fn packed_len(packed: u128) -> usize {
    16 - packed.trailing_zeros() as usize / 8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_name_is_graphic() {
        for byte in 0..=u8::MAX {
            for position in 0..16 {
                let mut window = *b"abcdefghijklmnop";
                window[position] = byte;
                for length in 0..=17 {
                    let name = window.get(..length).unwrap_or_default();
                    let is_graphic = !name.is_empty() && name.iter().all(u8::is_ascii_graphic);
                    let found = ShortName::graphic(window, length);
                    let expected = is_graphic.then(|| pack(std::str::from_utf8(name).unwrap()).unwrap());
                    assert_eq!(found.map(|name| name.0), expected, "{window:?} {length}");
                }
            }
        }
    }

    #[test]
    fn packed_names_are_told_apart_and_in_order() {
        let names = ["", "A", "A\u{1}", "AA", "B", "É", "ÉÉÉÉÉÉÉÉ", "é"];
        let packed: Vec<u128> = names.iter().map(|name| pack(name).unwrap()).collect();
        assert!(packed.is_sorted_by(|a, b| a < b), "{packed:x?}");
        for (name, &packed) in names.iter().zip(&packed) {
            assert_eq!(packed_len(packed), name.len());
        }
        for name in ["A\0", "\0", "A\0B", "12345678901234567"] {
            assert_eq!(pack(name), None, "{name:?}");
        }
    }
}
