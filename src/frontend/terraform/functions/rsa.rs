//! `rsadecrypt`: RSA with the padding of PKCS #1 v1.5 (RFC 8017, section 7.2.2), for keys in PEM.
//!
//! The key stands in the tree that is scanned and nothing answers from outside, so that the time a decryption takes tells
//! nobody anything: plain arithmetic will do.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use dashu_int::UBig;
use dashu_int::fast_div::ConstDivisor;

use super::{Answer, Function, Place, STRING, Val, Want, bounded, function, text};

pub(super) const FUNCTIONS: &[Function] = &[function("rsadecrypt", &[STRING, STRING], Want::String, decrypt)];

/// Bits of a modulus; more take too long.
const MAX_BITS: usize = 16_384;
/// `rsaEncryption` (1.2.840.113549.1.1.1), in DER.
const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
const INTEGER: u8 = 0x02;
const OCTETS: u8 = 0x04;
const OBJECT_ID: u8 = 0x06;
const SEQUENCE: u8 = 0x30;

struct Key {
    modulus: UBig,
    exponent: UBig,
}

fn decrypt(arguments: &[Val], at: &Place) -> Answer {
    let cipher = super::encoding::decode(text(&arguments[0])).map_err(|_| "the cipher text is no Base64")?;
    let key = key(text(&arguments[1]))?;
    let refused = || "the cipher text was not encrypted for this key".to_string();
    let cipher = UBig::from_be_bytes(&cipher);
    if cipher >= key.modulus {
        return Err(refused());
    }
    let ring = ConstDivisor::new(key.modulus);
    let padded = ring.reduce(cipher).pow(&key.exponent).residue().to_be_bytes();
    // Its leading zero byte is gone: a two, eight bytes or more that are not zero, a zero, the text.
    let end =
        padded.iter().position(|byte| *byte == 0).filter(|end| *end >= 9 && padded[0] == 2).ok_or_else(refused)?;
    bounded(String::from_utf8(padded[end + 1..].to_vec()).map_err(|_| "the result is not UTF-8")?, at)
}

/// The private key in the first block of a PEM text.
fn key(pem: &str) -> Result<Key, String> {
    let none = || "the private key is no PEM block".to_string();
    let (_, rest) = pem.split_once("-----BEGIN ").ok_or_else(none)?;
    let (label, rest) = rest.split_once("-----").ok_or_else(none)?;
    let (body, _) = rest.split_once(&format!("-----END {label}-----")).ok_or_else(none)?;
    if body.contains("ENCRYPTED") {
        return Err("the private key is protected by a passphrase".into());
    }
    let encoded: String = body.lines().filter(|line| !line.contains(':')).flat_map(str::split_whitespace).collect();
    let bytes = STANDARD.decode(encoded).map_err(|_| none())?;
    let found = match label {
        "RSA PRIVATE KEY" => pkcs1(&bytes),
        "PRIVATE KEY" => pkcs8(&bytes),
        "OPENSSH PRIVATE KEY" => openssh(&bytes),
        other => return Err(format!("{other:?} is no RSA private key")),
    };
    found.ok_or_else(|| "the private key is damaged, protected by a passphrase, or not for RSA".into())
}

/// RFC 8017, appendix A.1.2: version, modulus, public exponent, private exponent, the two primes, and what follows from them.
fn pkcs1(bytes: &[u8]) -> Option<Key> {
    let mut inner = element(&mut &bytes[..], SEQUENCE)?;
    let mut next = || element(&mut inner, INTEGER).map(UBig::from_be_bytes);
    let [_, modulus, _, exponent, p, q] = [next()?, next()?, next()?, next()?, next()?, next()?];
    checked(modulus, exponent, p, q)
}

/// RFC 5208: version, algorithm, and the key of the algorithm in an octet string.
fn pkcs8(bytes: &[u8]) -> Option<Key> {
    let mut inner = element(&mut &bytes[..], SEQUENCE)?;
    element(&mut inner, INTEGER)?;
    let mut algorithm = element(&mut inner, SEQUENCE)?;
    (element(&mut algorithm, OBJECT_ID)? == RSA).then(|| element(&mut inner, OCTETS).and_then(pkcs1))?
}

/// OpenSSH's own format (PROTOCOL.key): cipher, key derivation, its options, number of keys, public key, private part.
fn openssh(bytes: &[u8]) -> Option<Key> {
    fn string<'b>(rest: &mut &'b [u8]) -> Option<&'b [u8]> {
        let (length, after) = rest.split_first_chunk::<4>()?;
        let (found, after) = after.split_at_checked(u32::from_be_bytes(*length) as usize)?;
        *rest = after;
        Some(found)
    }
    let mut rest = bytes.strip_prefix(b"openssh-key-v1\0")?;
    if string(&mut rest)? != b"none" {
        return None;
    }
    string(&mut rest)?;
    string(&mut rest)?;
    rest = rest.get(4..)?;
    string(&mut rest)?;
    // Two equal numbers come first, by which a wrong passphrase would show.
    let mut private = string(&mut rest)?.get(8..)?;
    if string(&mut private)? != b"ssh-rsa" {
        return None;
    }
    let mut next = || string(&mut private).map(UBig::from_be_bytes);
    let [modulus, _, exponent, _, p, q] = [next()?, next()?, next()?, next()?, next()?, next()?];
    checked(modulus, exponent, p, q)
}

fn checked(modulus: UBig, exponent: UBig, p: UBig, q: UBig) -> Option<Key> {
    use dashu_int::ops::BitTest as _;
    let fits = (88..=MAX_BITS).contains(&modulus.bit_len()) && exponent < modulus && p * q == modulus;
    fits.then_some(Key { modulus, exponent })
}

/// The content of the next element in DER if it has this tag, and the rest after it.
fn element<'b>(rest: &mut &'b [u8], tag: u8) -> Option<&'b [u8]> {
    let (first, after) = rest.split_first()?;
    let (length, mut after) = after.split_first()?;
    let length = match *length {
        short @ 0..0x80 => usize::from(short),
        long => {
            let (digits, behind) = after.split_at_checked(usize::from(long & 0x7f))?;
            after = behind;
            if digits.len() > 4 {
                return None;
            }
            digits.iter().fold(0, |length, digit| length << 8 | usize::from(*digit))
        }
    };
    let (content, after) = after.split_at_checked(length)?;
    *rest = after;
    (*first == tag).then_some(content)
}
