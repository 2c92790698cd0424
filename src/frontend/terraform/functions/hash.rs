//! Hashes and identifiers.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use md5::Md5;
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha512};
use uuid::Uuid;

use super::filesystem::read;
use super::{Answer, Function, PATH, Place, STRING, Val, Want, function, string, text};

pub(super) const FUNCTIONS: &[Function] = &[
    function("base64sha256", &[STRING], Want::String, |a, at| encoded(Sha256::digest(text(&a[0])), at)),
    function("base64sha512", &[STRING], Want::String, |a, at| encoded(Sha512::digest(text(&a[0])), at)),
    function("filebase64sha256", &[PATH], Want::String, |a, at| encoded(Sha256::digest(read(at, text(&a[0]))?), at)),
    function("filebase64sha512", &[PATH], Want::String, |a, at| encoded(Sha512::digest(read(at, text(&a[0]))?), at)),
    function("filemd5", &[PATH], Want::String, |a, at| hex(Md5::digest(read(at, text(&a[0]))?), at)),
    function("filesha1", &[PATH], Want::String, |a, at| hex(Sha1::digest(read(at, text(&a[0]))?), at)),
    function("filesha256", &[PATH], Want::String, |a, at| hex(Sha256::digest(read(at, text(&a[0]))?), at)),
    function("filesha512", &[PATH], Want::String, |a, at| hex(Sha512::digest(read(at, text(&a[0]))?), at)),
    function("md5", &[STRING], Want::String, |a, at| hex(Md5::digest(text(&a[0])), at)),
    function("sha1", &[STRING], Want::String, |a, at| hex(Sha1::digest(text(&a[0])), at)),
    function("sha256", &[STRING], Want::String, |a, at| hex(Sha256::digest(text(&a[0])), at)),
    function("sha512", &[STRING], Want::String, |a, at| hex(Sha512::digest(text(&a[0])), at)),
    function("uuidv5", &[STRING, STRING], Want::String, named_uuid),
];

fn encoded(digest: impl AsRef<[u8]>, at: &Place) -> Answer {
    Ok(string(STANDARD.encode(digest), at))
}

fn hex(digest: impl AsRef<[u8]>, at: &Place) -> Answer {
    Ok(string(digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect::<String>(), at))
}

/// RFC 9562, version 5.
fn named_uuid(arguments: &[Val], at: &Place) -> Answer {
    let namespace = match text(&arguments[0]) {
        "dns" => Uuid::NAMESPACE_DNS,
        "url" => Uuid::NAMESPACE_URL,
        "oid" => Uuid::NAMESPACE_OID,
        "x500" => Uuid::NAMESPACE_X500,
        other => Uuid::parse_str(other).map_err(|_| format!("{other:?} is no namespace"))?,
    };
    Ok(string(Uuid::new_v5(&namespace, text(&arguments[1]).as_bytes()).to_string(), at))
}
