//! Address blocks.

use std::net::IpAddr;

use ipnet::IpNet;

use super::{Answer, Function, NUMBER, Place, STRING, Val, Want, function, string, text, variadic, whole};
use crate::frontend::terraform::value::Type;

pub(super) const FUNCTIONS: &[Function] = &[
    function("cidrhost", &[STRING, NUMBER], Want::String, host),
    function("cidrnetmask", &[STRING], Want::String, |a, at| match block(&a[0])? {
        IpNet::V4(net) => Ok(string(net.netmask().to_string(), at)),
        IpNet::V6(_) => Err("only IPv4 blocks have a netmask".into()),
    }),
    function("cidrsubnet", &[STRING, NUMBER, NUMBER], Want::String, |a, at| {
        let index = whole(&a[2], 0, i64::MAX)? as u128;
        subnet(block(&a[0])?, whole(&a[1], -128, 128)?, index).map(|net| string(net.to_string(), at))
    }),
    variadic("cidrsubnets", &[STRING], NUMBER, Want::List(&Want::String), subnets),
];

/// An address block; leading zeros in its numbers are decimal, as terraform has always read them.
fn block(value: &Val) -> Result<IpNet, String> {
    let text = text(value);
    let refused = || format!("{text:?} is no address block");
    let (address, length) = text.split_once('/').ok_or_else(refused)?;
    if !length.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(refused());
    }
    let plain = match address.contains(':') {
        true => address.to_string(),
        false => address
            .split('.')
            .map(|part| match part.trim_start_matches('0') {
                "" if !part.is_empty() => "0",
                trimmed => trimmed,
            })
            .collect::<Vec<_>>()
            .join("."),
    };
    let address: IpAddr = plain.parse().map_err(|_| refused())?;
    IpNet::new(address, length.parse().map_err(|_| refused())?).map(|net| net.trunc()).map_err(|_| refused())
}

fn bits(net: IpNet) -> (u128, u32) {
    match net {
        IpNet::V4(net) => (u128::from(u32::from(net.network())), 32),
        IpNet::V6(net) => (u128::from(net.network()), 128),
    }
}

fn address(bits: u128, width: u32) -> IpAddr {
    if width == 32 { IpAddr::V4((bits as u32).into()) } else { IpAddr::V6(bits.into()) }
}

fn subnet(net: IpNet, new_bits: i64, index: u128) -> Result<IpNet, String> {
    let (base, width) = bits(net);
    let prefix = i64::from(net.prefix_len()) + new_bits;
    if prefix < 0 || prefix > i64::from(width) {
        return Err(format!("the prefix would be {prefix} bits long"));
    }
    if new_bits < 128 && index >= 1u128 << new_bits.max(0) {
        return Err(format!("{new_bits} more bits can't hold the number {index}"));
    }
    let shift = width - prefix as u32;
    let offset = if shift >= 128 { 0 } else { index << shift };
    IpNet::new(address(base | offset, width), prefix as u8).map(|net| net.trunc()).map_err(|error| error.to_string())
}

fn host(arguments: &[Val], at: &Place) -> Answer {
    let net = block(&arguments[0])?;
    let index = whole(&arguments[1], i64::MIN, i64::MAX)?;
    let (base, width) = bits(net);
    let size = width - u32::from(net.prefix_len());
    let fits = size >= 64
        || if index < 0 { index.unsigned_abs() <= 1u64 << size } else { index.unsigned_abs() < 1u64 << size };
    if !fits {
        return Err(format!("the block has no host {index}"));
    }
    let mask = if size >= 128 { u128::MAX } else { (1u128 << size) - 1 };
    let offset = (index as i128 as u128) & mask;
    Ok(string(address(base | offset, width).to_string(), at))
}

fn subnets(arguments: &[Val], at: &Place) -> Answer {
    let net = block(&arguments[0])?;
    let (base, width) = bits(net);
    let start = i64::from(net.prefix_len());
    // Terraform looks for the block before the first, and finds none before address zero.
    if base == 0 && arguments.len() > 1 {
        return Err("there is no room in a block that begins at address zero".into());
    }
    // The end of what is taken already, counted from the start of the block; none past the last of all addresses.
    let mut taken: Option<u128> = Some(0);
    let size = width - u32::from(net.prefix_len());
    let mut found = Vec::new();
    for bits in &arguments[1..] {
        let prefix = start + whole(bits, 1, 32).map_err(|error| format!("a prefix grows by 1 to 32 bits: {error}"))?;
        if prefix > i64::from(width) {
            return Err(format!("the prefix would be {prefix} bits long"));
        }
        let step = 1u128 << (width - prefix as u32);
        let room = || "the block has no more room".to_string();
        let aligned = taken.and_then(|taken| taken.div_ceil(step).checked_mul(step)).ok_or_else(room)?;
        let last = aligned.checked_add(step - 1).ok_or_else(room)?;
        if size < 128 && last >= 1u128 << size {
            return Err(room());
        }
        taken = last.checked_add(1);
        let net = IpNet::new(address(base + aligned, width), prefix as u8).map_err(|error| error.to_string())?;
        found.push(string(net.to_string(), at));
    }
    Ok(Val::list(Type::String, found, at.span))
}
