//! Address blocks.
//!
//! Terraform computes with whole numbers of any size and writes what comes out as an address, so that a negative number or an
//! IPv4 address in IPv6 clothes gives what nobody would expect; the same comes out here.

use std::net::{IpAddr, Ipv6Addr};

use dashu_int::IBig;
use ipnet::IpNet;

use super::{Answer, Function, NUMBER, Place, STRING, Val, Want, function, string, text, variadic, whole};
use crate::frontend::terraform::value::Type;

/// Bits by which a prefix may shrink or grow; more lead to no address.
const MAX_NEW_BITS: i64 = 1000;

pub(super) const FUNCTIONS: &[Function] = &[
    function("cidrhost", &[STRING, NUMBER], Want::String, host),
    function("cidrnetmask", &[STRING], Want::String, |a, at| match block(&a[0])? {
        IpNet::V4(net) => Ok(string(net.netmask().to_string(), at)),
        IpNet::V6(net) if net.network().to_ipv4_mapped().is_some() => Ok(string(net.netmask().to_string(), at)),
        IpNet::V6(_) => Err("only IPv4 blocks have a netmask".into()),
    }),
    function("cidrsubnet", &[STRING, NUMBER, NUMBER], Want::String, |a, at| {
        Ok(string(subnet(block(&a[0])?, whole(&a[1], i64::MIN, i64::MAX)?, &integer(&a[2])?)?, at))
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

fn integer(value: &Val) -> Result<IBig, String> {
    value.as_number().and_then(|number| number.as_integer()).ok_or_else(|| "a whole number is required".into())
}

/// The 64 lowest bits of a number without its sign, which is all that terraform compares.
fn low(number: &IBig) -> u64 {
    let magnitude = if *number < IBig::ZERO { -number.clone() } else { number.clone() };
    u64::try_from(magnitude & IBig::from(u64::MAX)).unwrap_or(0)
}

fn bits(net: IpNet) -> (u128, u32) {
    match net {
        IpNet::V4(net) => (u128::from(u32::from(net.network())), 32),
        IpNet::V6(net) => (u128::from(net.network()), 128),
    }
}

/// The address with these bits; IPv4 in IPv6 becomes IPv4.
fn address(bits: u128, width: u32) -> IpAddr {
    if width == 32 { IpAddr::V4((bits as u32).into()) } else { IpAddr::V6(bits.into()).to_canonical() }
}

/// The bits of an address with those of a number, shifted, in between; the sign of what comes out is dropped.
fn inserted(base: u128, number: &IBig, shift: u32, width: u32) -> Result<IpAddr, String> {
    let result = IBig::from(base) | (number.clone() << shift as usize);
    let magnitude = if result < IBig::ZERO { -result } else { result };
    match u128::try_from(magnitude) {
        Ok(bits) if width == 128 || bits >> width == 0 => Ok(address(bits, width)),
        _ => Err("the result is no address".into()),
    }
}

fn subnet(net: IpNet, new_bits: i64, number: &IBig) -> Result<String, String> {
    let (base, width) = bits(net);
    let old = i64::from(net.prefix_len());
    let prefix = old.saturating_add(new_bits);
    if prefix > i64::from(width) || new_bits < -MAX_NEW_BITS {
        return Err(format!("the prefix would be {prefix} bits long"));
    }
    let most = if (0..64).contains(&new_bits) { (1u64 << new_bits) - 1 } else { u64::MAX };
    if low(number) > most {
        return Err(format!("{new_bits} more bits can't hold the number {number}"));
    }
    if prefix < 0 {
        // Terraform breaks on a number that has no place in the address.
        return if low(number) == 0 {
            Ok("<nil>".into())
        } else {
            Err("the prefix would be shorter than nothing".into())
        };
    }
    let address = inserted(base, number, width - prefix as u32, width)?;
    // Of IPv4 in IPv6 only the bits of the IPv4 address are counted.
    let length = if address.is_ipv4() && width == 128 { (prefix - 96).max(0) } else { prefix };
    Ok(format!("{address}/{length}"))
}

fn host(arguments: &[Val], at: &Place) -> Answer {
    let net = block(&arguments[0])?;
    let mut number = integer(&arguments[1])?;
    let (base, width) = bits(net);
    let last = (IBig::ONE << (width - u32::from(net.prefix_len())) as usize) - IBig::ONE;
    let mut compared = IBig::from(low(&number) as i64);
    if number < IBig::ZERO {
        compared = -&number - IBig::ONE;
        number = &last - &compared;
    }
    if compared > last {
        return Err(format!("the block has no host {number}"));
    }
    let is_mapped = matches!(net, IpNet::V6(net) if net.network().to_ipv4_mapped().is_some());
    let shift = if is_mapped { width - 32 } else { 0 };
    Ok(string(inserted(base, &number, shift, width)?.to_string(), at))
}

fn subnets(arguments: &[Val], at: &Place) -> Answer {
    let net = block(&arguments[0])?;
    let (base, width) = bits(net);
    let start = i64::from(net.prefix_len());
    // Terraform looks for the block before the first, and finds none before address zero nor before IPv4 in IPv6.
    let has_none_before = base == 0 || width == 128 && Ipv6Addr::from(base).to_ipv4_mapped().is_some();
    if has_none_before && arguments.len() > 1 {
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
