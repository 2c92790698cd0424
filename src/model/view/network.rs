//! Subnets and where their routes lead: through associations, main route tables and modules, never by names or flags.

use rustc_hash::{FxHashMap, FxHashSet};

use crate::model::{Lookup, Model, Node, ResourceId, Value};
use crate::source::Span;

/// Subnets that Terraform manages.
pub const SUBNETS: &[&str] = &["aws_subnet", "aws_default_subnet"];

/// Whether machines in a subnet can be reached from the internet, given an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exposure {
    /// Its routes lead to an internet gateway; the place that says so.
    Public(Span),
    /// They do not.
    Private,
    /// The text does not decide it.
    Unknown,
}

/// What is known of the subnets that an argument names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Placement {
    /// At least one is public; the first such subnet, if it is a resource, and the place that makes it public.
    Public(Option<ResourceId>, Span),
    /// None is.
    Private,
    /// The text does not decide it.
    Unknown,
}

/// The subnets that an argument refers to.
pub fn subnets(model: &Model, id: ResourceId, attribute: &str) -> Vec<ResourceId> {
    SUBNETS.iter().flat_map(|kind| model.referred(id, attribute, kind)).collect()
}

/// The subnets that an argument or a block names and where their routes lead; `value` is the part of it that lists them.
pub fn placement(model: &Model, id: ResourceId, attribute: &str, value: &Node) -> Placement {
    let named = subnets(model, id, attribute);
    if named.is_empty() {
        return match default_placement(model, id, attribute) {
            Placement::Unknown => registry_placement(model, id, value),
            found => found,
        };
    }
    let mut tables = Tables::default();
    let exposures: Vec<(ResourceId, Exposure)> =
        named.iter().map(|subnet| (*subnet, subnet_exposure(model, *subnet, &mut tables))).collect();
    let is_public = |exposure: &Exposure| matches!(exposure, Exposure::Public(_));
    let public = exposures.iter().filter(|(_, exposure)| is_public(exposure)).count();
    if public == 0 {
        let is_open = exposures.iter().any(|(_, exposure)| *exposure == Exposure::Unknown);
        return if is_open { Placement::Unknown } else { Placement::Private };
    }
    let mut mixed: FxHashSet<&str> = FxHashSet::default();
    if public < exposures.len() {
        // An argument that is unknown as a whole chooses among what it refers to: `var.internal ? private : public`.
        if value.is_unknown() {
            return Placement::Unknown;
        }
        mixed = mixed_resources(model, &exposures);
    }
    let found = exposures.iter().find_map(|(subnet, exposure)| match exposure {
        Exposure::Public(at) if !mixed.contains(plain(model, *subnet)) => Some(Placement::Public(Some(*subnet), *at)),
        _ => None,
    });
    found.unwrap_or(Placement::Unknown)
}

/// The address of a resource without the key of its instance.
fn plain(model: &Model, id: ResourceId) -> &str {
    let address = &*model.resource(id).address;
    if address.ends_with(']') { address.rsplit_once('[').map_or(address, |(plain, _)| plain) } else { address }
}

/// Resources of which all instances are named and only some are public: the name may stand for a choice among them that is
/// made elsewhere.
fn mixed_resources<'a>(model: &'a Model, exposures: &[(ResourceId, Exposure)]) -> FxHashSet<&'a str> {
    // Public ones, others, and those that are not named.
    let mut counts: FxHashMap<&str, [usize; 3]> = FxHashMap::default();
    for (subnet, exposure) in exposures {
        let is_public = matches!(exposure, Exposure::Public(_));
        counts.entry(plain(model, *subnet)).or_default()[usize::from(!is_public)] += 1;
    }
    for (id, _) in model.iter().filter(|(_, resource)| SUBNETS.contains(&&*resource.kind)) {
        if let Some(count) = counts.get_mut(plain(model, id)) {
            count[2] += 1;
        }
    }
    let mixed = counts.into_iter().filter(|(_, [public, others, all])| *others > 0 && public + others == *all);
    mixed.map(|(name, _)| name).collect()
}

/// Route tables that were looked at already; many subnets share one.
type Tables = FxHashMap<ResourceId, Exposure>;

/// Subnets that a data source finds in the default VPC, of which AWS makes each public.
fn default_placement(model: &Model, id: ResourceId, attribute: &str) -> Placement {
    let kinds = ["data.aws_subnets", "data.aws_subnet_ids", "data.aws_subnet"];
    for data in kinds.iter().flat_map(|kind| model.referred(id, attribute, kind)) {
        let resource = model.resource(data);
        let filters = resource.body.get("filter").items();
        let narrows = |filter: &Node| {
            let name = filter.get("name").as_str();
            !matches!(name, Some("vpc-id" | "default-for-az" | "availability-zone" | "availabilityZone" | "state"))
        };
        if filters.iter().any(narrows) || !resource.body.get("tags").is_absent() {
            continue;
        }
        for argument in ["filter", "vpc_id"] {
            let default = model.referred(data, argument, "data.aws_vpc").into_iter().find(|vpc| {
                let body = &model.resource(*vpc).body;
                body.get("default").as_bool() == Some(true)
            });
            let vpc = default.or_else(|| model.referred(data, argument, "aws_default_vpc").first().copied());
            if let Some(vpc) = vpc {
                return Placement::Public(None, model.resource(vpc).head);
            }
        }
    }
    Placement::Unknown
}

/// The module of the registry that most VPCs are made with names its tiers in its outputs.
fn registry_placement(model: &Model, id: ResourceId, value: &Node) -> Placement {
    let mut references = Vec::new();
    collect(value, &mut references);
    let root = &model.resource(id).root;
    let mut is_private = !references.is_empty();
    for reference in references {
        let (name, output) =
            reference.strip_prefix("module.").and_then(|rest| rest.rsplit_once('.')).unwrap_or_default();
        let name = name.split('[').next().unwrap_or(name);
        let call = model.iter().map(|(_, one)| one).find(|one| {
            let source = one.body.get("source").as_str().unwrap_or("");
            &*one.kind == "module"
                && one.root == *root
                && &*one.name == name
                && source.trim_start_matches("registry.terraform.io/").starts_with("terraform-aws-modules/vpc/aws")
        });
        match call {
            Some(call) if output == "public_subnets" => return Placement::Public(None, call.head),
            Some(_) => is_private &= matches!(output, "private_subnets" | "intra_subnets"),
            None => is_private = false,
        }
    }
    if is_private { Placement::Private } else { Placement::Unknown }
}

/// What the unknown parts of a value refer to.
pub fn collect<'a>(node: &'a Node, out: &mut Vec<&'a str>) {
    match &node.value {
        Value::Unknown(unknown) => out.extend(unknown.references.iter().map(String::as_str)),
        Value::List(items) => items.iter().for_each(|item| collect(item, out)),
        Value::Map(map) => map.entries().iter().for_each(|entry| collect(&entry.node, out)),
        _ => {}
    }
}

/// Where the routes of a subnet lead: those of its own table, else of the main table of its VPC.
pub fn exposure(model: &Model, subnet: ResourceId) -> Exposure {
    subnet_exposure(model, subnet, &mut Tables::default())
}

fn subnet_exposure(model: &Model, subnet: ResourceId, known: &mut Tables) -> Exposure {
    const ASSOCIATION: &str = "aws_route_table_association";
    let mut associations = model.referring(subnet, "subnet_id", ASSOCIATION);
    // `for_each = toset(aws_subnet.a[*].id)` hides which subnet an instance means: it means all of them.
    associations.extend(
        model
            .referring(subnet, "for_each", ASSOCIATION)
            .into_iter()
            .filter(|association| subnets(model, *association, "subnet_id").is_empty()),
    );
    if !associations.is_empty() {
        let mut exposures = Vec::new();
        for association in associations {
            let tables = tables(model, association);
            if tables.is_empty() {
                exposures.push(Exposure::Unknown);
            }
            let found = tables.into_iter();
            exposures.extend(found.map(|table| *known.entry(table).or_insert_with(|| table_exposure(model, table))));
        }
        return agreed(exposures);
    }
    let resource = model.resource(subnet);
    // Addresses of the internet as a subnet's own: whatever it is meant to be, it is no private one.
    let own = ["cidr_block", "ipv6_cidr_block"].iter().filter_map(|name| resource.body.get(name).known());
    if let Some(node) = own.into_iter().find(|node| node.as_str().is_some_and(crate::rules::table::cidr_is_open)) {
        return Exposure::Public(node.span);
    }
    let is_default = &*resource.kind == "aws_default_subnet";
    if is_default || !model.referred(subnet, "vpc_id", "aws_default_vpc").is_empty() {
        // AWS makes the default VPC with an internet gateway in its main table.
        return Exposure::Public(resource.head);
    }
    match model.referred(subnet, "vpc_id", "aws_vpc").first() {
        Some(vpc) => *known.entry(*vpc).or_insert_with(|| main_exposure(model, *vpc)),
        None => Exposure::Unknown,
    }
}

fn tables(model: &Model, association: ResourceId) -> Vec<ResourceId> {
    ["route_table_id", "for_each"]
        .iter()
        .map(|attribute| {
            let kinds = ["aws_route_table", "aws_default_route_table"];
            kinds.iter().flat_map(|kind| model.referred(association, attribute, kind)).collect::<Vec<_>>()
        })
        .find(|tables| !tables.is_empty())
        .unwrap_or_default()
}

/// A subnet has one table only; several that differ mean that the text does not say which.
fn agreed(exposures: Vec<Exposure>) -> Exposure {
    let is_public = |exposure: &Exposure| matches!(exposure, Exposure::Public(_));
    match exposures.first() {
        Some(first) if is_public(first) && exposures.iter().all(is_public) => *first,
        Some(Exposure::Private) if exposures.iter().all(|one| *one == Exposure::Private) => Exposure::Private,
        _ => Exposure::Unknown,
    }
}

fn main_exposure(model: &Model, vpc: ResourceId) -> Exposure {
    let named = model.referring(vpc, "vpc_id", "aws_main_route_table_association");
    let tables: Vec<ResourceId> = match named.is_empty() {
        true => model.referring(vpc, "default_route_table_id", "aws_default_route_table"),
        false => named.into_iter().flat_map(|association| tables(model, association)).collect(),
    };
    let on_vpc = model.referring(vpc, "route_table_id", "aws_route");
    let mut found = Exposure::Private;
    for exposure in tables.into_iter().map(|table| table_exposure(model, table)).chain(
        // `route_table_id = aws_vpc.main.main_route_table_id`
        on_vpc.into_iter().map(|route| gateway(model, route, "gateway_id", &model.resource(route).body)),
    ) {
        match exposure {
            Exposure::Public(_) => return exposure,
            Exposure::Unknown => found = exposure,
            Exposure::Private => {}
        }
    }
    found
}

fn table_exposure(model: &Model, table: ResourceId) -> Exposure {
    let mut found = Exposure::Private;
    let mut add = |exposure: Exposure| match (found, exposure) {
        (Exposure::Public(_), _) | (_, Exposure::Private) => {}
        _ => found = exposure,
    };
    match model.resource(table).body.get("route") {
        Lookup::Known(routes) => {
            routes.items().iter().for_each(|route| add(gateway(model, table, "route", route)));
        }
        Lookup::Unknown(_) => add(Exposure::Unknown),
        Lookup::Absent(_) => {}
    }
    let mut routes = model.referring(table, "route_table_id", "aws_route");
    let by_each = model.referring(table, "for_each", "aws_route");
    routes.extend(
        by_each.into_iter().filter(|route| model.referred(*route, "route_table_id", "aws_route_table").is_empty()),
    );
    for route in routes {
        add(gateway(model, route, "gateway_id", &model.resource(route).body));
    }
    found
}

/// Where one route leads. AWS calls a subnet public if it has a route to an internet gateway, whatever its destination.
fn gateway(model: &Model, owner: ResourceId, attribute: &str, route: &Node) -> Exposure {
    let node = match route.get("gateway_id") {
        Lookup::Known(node) if node.as_str().is_some_and(|id| id.starts_with("igw-")) => {
            return Exposure::Public(node.span);
        }
        Lookup::Known(_) | Lookup::Absent(_) => return Exposure::Private,
        Lookup::Unknown(node) => node,
    };
    let mut references = Vec::new();
    collect(node, &mut references);
    let is_gateway = |reference: &&str| {
        let kind = reference.trim_start_matches("data.").split('.').next();
        kind == Some("aws_internet_gateway")
            || kind == Some("aws_default_internet_gateway")
            || reference.starts_with("module.") && reference.ends_with(".igw_id")
    };
    let names_other = references.iter().any(|reference| {
        ["aws_vpn_gateway.", "aws_egress_only_internet_gateway."].iter().any(|kind| reference.starts_with(kind))
    });
    if references.iter().any(is_gateway) {
        return Exposure::Public(node.span);
    }
    // An inline route shares its table's references with its neighbors, so they can't speak for it.
    if attribute == "gateway_id" && !model.referred(owner, attribute, "aws_internet_gateway").is_empty() {
        return Exposure::Public(node.span);
    }
    if names_other { Exposure::Private } else { Exposure::Unknown }
}
