//! Network policies and services, and what they select.

use crate::model::view::cluster::bare_label;
use crate::model::view::pod::{Pod, pod};
use crate::model::view::selector::{each, map_selects, pod_labels, selects, share_namespace};
use crate::model::{Entry, Lookup, Node, Resource, ResourceId};
use crate::rules::native::{Cx, Findings, Native, show};
use crate::rules::table::cidr_is_open;

/// The checks by name.
pub const CHECKS: &[(&str, Native)] = &[
    ("k8s-missing-network-policy", Native::Pod(unselected)),
    ("k8s-network-policy-missing-egress", Native::Resource("kubernetes", &["NetworkPolicy"], open_direction)),
    (
        "k8s-network-policy-open-egress",
        Native::Resource("kubernetes", &["NetworkPolicy"], |_, _, policy, out| open_rules(policy, "egress", "to", out)),
    ),
    (
        "k8s-network-policy-open-ingress",
        Native::Resource("kubernetes", &["NetworkPolicy"], |_, _, policy, out| {
            open_rules(policy, "ingress", "from", out)
        }),
    ),
    ("k8s-network-policy-wide-egress-port", Native::Resource("kubernetes", &["NetworkPolicy"], wide_ports)),
    ("k8s-network-policy-dangling", Native::Resource("kubernetes", &["NetworkPolicy"], dangling_policy)),
    ("k8s-network-policy-dangling-peer", Native::Resource("kubernetes", &["NetworkPolicy"], dangling_peer)),
    ("k8s-network-policy-empty-selector", Native::Resource("kubernetes", &["NetworkPolicy"], empty_selector)),
    ("k8s-service-dangling", Native::Resource("kubernetes", &["Service"], dangling_service)),
    ("k8s-load-balancer-service", Native::Resource("kubernetes", &["Service"], load_balancer)),
    ("k8s-service-monitor-dangling", Native::Resource("kubernetes", &["ServiceMonitor"], dangling_monitor)),
];

/// Objects that run pods, with the labels that these carry.
fn with_labels<'a>(cx: &Cx<'a>, found: Vec<ResourceId>) -> impl Iterator<Item = (&'a Resource, Lookup<'a>)> + use<'a> {
    each(cx.model, found).filter_map(|one| Some((one, pod_labels(one)?)))
}

/// Objects in the namespace of `near` whose pods the selector may select; all where there is none.
fn workloads<'a>(
    cx: &Cx<'a>,
    selector: Option<&Node>,
    near: &Resource,
) -> impl Iterator<Item = (&'a Resource, Lookup<'a>)> + use<'a> {
    with_labels(cx, cx.model.cluster().selected(selector, near))
}

/// True if any is, else None if any is unknown.
fn any(parts: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    let mut found = Some(false);
    for part in parts {
        match part {
            Some(true) => return Some(true),
            None => found = None,
            Some(false) => {}
        }
    }
    found
}

/// Both must hold; an unknown leaves it open.
fn both(one: Option<bool>, other: impl FnOnce() -> Option<bool>) -> Option<bool> {
    match one {
        Some(false) => Some(false),
        Some(true) => other(),
        None if other() == Some(false) => Some(false),
        None => None,
    }
}

/// Whether a policy selects the pod of a workload: same namespace, matching selector. An absent selector selects all.
fn policy_selects(policy: &Resource, workload: &Resource, labels: Lookup<'_>) -> Option<bool> {
    both(share_namespace(policy, workload), || match policy.body.at("spec.podSelector") {
        Lookup::Known(selector) => selects(selector, labels),
        Lookup::Unknown(_) => None,
        Lookup::Absent(_) => Some(true),
    })
}

/// Whether a policy of Cilium selects the pod of a workload that it may reach. Its labels may begin with their source.
fn cilium_selects(policy: &Resource, labels: Lookup<'_>) -> Option<bool> {
    let mut parts = vec![policy.body.get("spec")];
    policy.body.all("specs[]", &mut parts);
    any(parts.into_iter().filter_map(Lookup::known).map(|part| match part.get("endpointSelector") {
        Lookup::Known(selector) => selects(&without_sources(selector), labels),
        Lookup::Unknown(_) => None,
        // Of nodes.
        Lookup::Absent(_) => Some(false),
    }))
}

/// A selector whose labels have no source before them: `k8s:app` is `app`.
fn without_sources(selector: &Node) -> Node {
    let Lookup::Known(labels) = selector.get("matchLabels") else { return selector.clone() };
    let entries = labels.entries().iter().map(|entry| Entry { key: bare_label(&entry.key).into(), ..entry.clone() });
    let labels = Node::map(entries.collect(), labels.span);
    let replaced = selector.entries().iter().map(|entry| match &*entry.key {
        "matchLabels" => Entry { node: labels.clone(), ..entry.clone() },
        _ => entry.clone(),
    });
    Node::map(replaced.collect(), selector.span)
}

fn unselected(cx: &Cx, id: ResourceId, pod: Pod<'_>, out: &mut Findings) {
    let workload = cx.model.resource(id);
    let labels = pod.template.at("metadata.labels");
    if pod.spec.get("hostNetwork").as_bool() == Some(true) {
        // Policies do not reach the network of the node; another rule speaks of it.
        return;
    }
    let cluster = cx.model.cluster();
    let policies = each(cx.model, cluster.selecting("NetworkPolicy", labels, workload));
    let cilium = each(cx.model, cluster.selecting("CiliumNetworkPolicy", labels, workload));
    let wide = cluster.of_kind("CiliumClusterwideNetworkPolicy").iter().map(|id| cx.model.resource(*id));
    let own = policies.map(|policy| policy_selects(policy, workload, labels));
    match any(own.chain(cilium.chain(wide).map(|policy| cilium_selects(policy, labels)))) {
        Some(true) => {}
        None => out.undecided(),
        Some(false) => {
            out.at(workload.head, "metadata.labels", "no NetworkPolicy of its namespace selects the pods, wanted one");
        }
    }
}

/// Whether a policy limits this direction. Absent types mean ingress, and egress where there are rules for it.
fn limits(policy: &Resource, direction: &str) -> Option<bool> {
    match policy.body.at("spec.policyTypes") {
        Lookup::Known(types) => any(types.items().iter().map(|one| Some(one.as_str()? == direction))),
        Lookup::Unknown(_) => None,
        Lookup::Absent(_) if direction == "Ingress" => Some(true),
        Lookup::Absent(_) => Some(!policy.body.at("spec.egress").is_absent()),
    }
}

fn open_direction(cx: &Cx, _: ResourceId, policy: &Resource, out: &mut Findings) {
    match limits(policy, "Egress") {
        Some(true) => return,
        None => return out.undecided(),
        Some(false) => {}
    }
    // Another policy may limit the egress of the same pods.
    let is_limited = |workload: &Resource, labels: Lookup<'_>| {
        each(cx.model, cx.model.cluster().selecting("NetworkPolicy", labels, workload)).any(|other| {
            limits(other, "Egress") != Some(false) && policy_selects(other, workload, labels) != Some(false)
        })
    };
    let selector = policy.body.at("spec.podSelector").known();
    let mut selected = workloads(cx, selector, policy)
        .filter(|(workload, labels)| policy_selects(policy, workload, *labels) != Some(false))
        .peekable();
    let is_covered = match selected.peek() {
        Some(_) => selected.all(|(workload, labels)| is_limited(workload, labels)),
        // Of a namespace whose workloads are elsewhere, one policy for all of them may limit it.
        None => each(cx.model, cx.model.cluster().selecting("NetworkPolicy", Lookup::Absent(&policy.body), policy))
            .any(|other| {
                limits(other, "Egress") != Some(false)
                    && policy_selects(other, policy, Lookup::Absent(&policy.body)) != Some(false)
            }),
    };
    if is_covered {
        return;
    }
    let at = policy.body.at("spec.policyTypes").node();
    let message = "the pods may send anywhere, wanted Egress among policyTypes and rules for what they need";
    match policy.body.at("spec.policyTypes") {
        Lookup::Known(types) => out.fail(types, "spec.policyTypes", message),
        _ if at.span == policy.head => out.at(policy.head, "spec.policyTypes", message),
        _ => out.at(at.span, "spec.policyTypes", message),
    };
}

/// Whether all ports of a rule are those of DNS.
fn is_dns(rule: &Node) -> bool {
    let ports = rule.get("ports").items();
    !ports.is_empty() && ports.iter().all(|port| port.get("port").as_f64() == Some(53.0))
}

/// Rules of a direction without a peer, and blocks that stand for the internet.
fn open_rules(policy: &Resource, direction: &str, peer: &str, out: &mut Findings) {
    let Lookup::Known(rules) =
        policy.body.get("spec").known().map_or(Lookup::Absent(&policy.body), |spec| spec.get(direction))
    else {
        return;
    };
    for rule in rules.items().iter().filter(|rule| direction == "ingress" || !is_dns(rule)) {
        let attribute = format!("spec.{direction}.{peer}");
        match rule.get(peer) {
            Lookup::Unknown(_) => out.undecided(),
            Lookup::Absent(_) => {
                out.fail(
                    rule,
                    &*attribute,
                    format!("a rule without {peer} holds for every address, wanted named peers"),
                );
            }
            Lookup::Known(peers) if peers.items().is_empty() => {
                out.fail(peers, &*attribute, format!("an empty {peer} holds for every address, wanted named peers"));
            }
            Lookup::Known(peers) => {
                let mut blocks = Vec::new();
                peers.all("ipBlock.cidr", &mut blocks);
                for block in blocks.into_iter().filter_map(Lookup::known) {
                    if block.as_str().is_some_and(cidr_is_open) {
                        let message = format!("{} is the whole internet, wanted a narrower range", show(block));
                        out.fail(block, format!("{attribute}.ipBlock.cidr"), message);
                    }
                }
            }
        }
    }
}

fn wide_ports(_: &Cx, _: ResourceId, policy: &Resource, out: &mut Findings) {
    let Lookup::Known(rules) = policy.body.at("spec.egress") else { return };
    for rule in rules.items() {
        match rule.get("ports") {
            Lookup::Unknown(_) => out.undecided(),
            Lookup::Known(ports) if !ports.items().is_empty() => {}
            _ => {
                out.fail(rule, "spec.egress.ports", "the rule allows every port, wanted the ports that are needed");
            }
        }
    }
}

/// Whether a selector names anything.
fn is_empty(selector: &Node) -> bool {
    ["matchLabels", "matchExpressions"].iter().all(|part| match selector.get(part) {
        Lookup::Known(node) => node.entries().is_empty() && node.items().is_empty(),
        Lookup::Unknown(_) => false,
        Lookup::Absent(_) => true,
    })
}

fn dangling_policy(cx: &Cx, _: ResourceId, policy: &Resource, out: &mut Findings) {
    let Lookup::Known(selector) = policy.body.at("spec.podSelector") else { return };
    if is_empty(selector) {
        return;
    }
    let candidates = workloads(cx, Some(selector), policy);
    if any(candidates.map(|(workload, labels)| policy_selects(policy, workload, labels))) == Some(false) {
        out.fail(selector, "spec.podSelector", "selects no workload of the tree, wanted the labels of one");
    }
}

fn dangling_peer(cx: &Cx, _: ResourceId, policy: &Resource, out: &mut Findings) {
    for (direction, peer) in [("ingress", "from"), ("egress", "to")] {
        let mut peers = Vec::new();
        policy.body.all(&format!("spec.{direction}.{peer}[]"), &mut peers);
        for one in peers.into_iter().filter_map(Lookup::known) {
            let (Lookup::Known(selector), true) = (one.get("podSelector"), one.get("namespaceSelector").is_absent())
            else {
                continue;
            };
            if is_empty(selector) {
                continue;
            }
            let found = any(workloads(cx, Some(selector), policy)
                .map(|(workload, labels)| both(share_namespace(policy, workload), || selects(selector, labels))));
            if found == Some(false) {
                let attribute = format!("spec.{direction}.{peer}.podSelector");
                out.fail(selector, attribute, "selects no workload of the tree, wanted the labels of one");
            }
        }
    }
}

/// A policy without any selector holds for every pod, and its rules for every namespace. An empty one is meant so.
fn empty_selector(_: &Cx, _: ResourceId, policy: &Resource, out: &mut Findings) {
    let Lookup::Absent(at) = policy.body.at("spec.podSelector") else { return };
    let mut peers = Vec::new();
    for path in ["spec.ingress.from[]", "spec.egress.to[]", "spec"] {
        policy.body.all(path, &mut peers);
    }
    let names = |peer: &Lookup<'_>| {
        let Some(peer) = peer.known() else { return false };
        ["podSelector", "namespaceSelector"].iter().any(|part| !peer.get(part).is_absent())
    };
    if !peers.iter().any(names) {
        out.at(at.span, "spec.podSelector", "no selector names pods or namespaces, wanted the labels of a workload");
    }
}

/// A service of the core API, not Knative's of the same kind.
fn is_core(service: &Resource) -> bool {
    &*service.api_version == "v1"
}

/// Kinds of which the Prometheus operator makes pods, and the value of the label `app.kubernetes.io/name` that these carry; a
/// second label has the kind for a key and the name of the object for a value.
const OPERATED: &[(&str, &str)] = &[
    ("Prometheus", "prometheus"),
    ("PrometheusAgent", "prometheus-agent"),
    ("Alertmanager", "alertmanager"),
    ("ThanosRuler", "thanos-ruler"),
];

/// Whether an object in the namespace makes an operator run pods that a service may mean.
fn is_operated(cx: &Cx, service: &Resource, selector: &Node) -> bool {
    OPERATED.iter().any(|(kind, label)| {
        let mut makers = each(cx.model, cx.model.cluster().of_kind_near(kind, service));
        let is_meant = |maker: &Resource| {
            selector.entries().iter().any(|entry| {
                let value = entry.node.as_str().unwrap_or_default();
                value == *label || (&*entry.key == *label && value == &*maker.name)
            })
        };
        makers.any(|maker| maker.api_version.starts_with("monitoring.coreos.com/") && is_meant(maker))
    })
}

fn dangling_service(cx: &Cx, _: ResourceId, service: &Resource, out: &mut Findings) {
    let Lookup::Known(selector) = service.body.at("spec.selector") else { return };
    // A name elsewhere has no pods, whatever its selector says.
    let is_name = service.body.at("spec.type").as_str() == Some("ExternalName");
    if !is_core(service) || is_name || selector.entries().is_empty() {
        return;
    }
    let is_selected = |(workload, labels): &(&Resource, Lookup<'_>)| {
        both(share_namespace(service, workload), || map_selects(selector, *labels)) != Some(false)
    };
    let candidates = with_labels(cx, cx.model.cluster().labeled(selector, service));
    let selected: Vec<&Resource> = candidates.filter(is_selected).map(|(workload, _)| workload).collect();
    if selected.is_empty() && is_operated(cx, service, selector) {
        return;
    }
    if selected.is_empty() {
        out.fail(selector, "spec.selector", "selects no workload of the tree, wanted the labels of one");
        return;
    }
    for port in service.body.at("spec.ports").items() {
        let target = match port.get("targetPort") {
            Lookup::Absent(_) => port.get("port"),
            found => found,
        };
        let Lookup::Known(target) = target else { continue };
        if !selected.iter().any(|workload| pod(workload).is_none_or(|pod| serves(pod, target))) {
            let message = format!("the selected pods list no port {}, wanted one that they list", show(target));
            out.fail(target, "spec.ports.targetPort", message);
        }
    }
}

/// Whether a pod serves the port, by number or name. Pods that list no ports may serve any number, but no name.
fn serves(pod: Pod<'_>, target: &Node) -> bool {
    let mut found = Vec::new();
    for container in pod.containers() {
        container.body.all("ports[]", &mut found);
    }
    let listed: Vec<&Node> = found.iter().filter(|port| !port.is_absent()).map(|port| port.node()).collect();
    let number = target.as_f64();
    if listed.is_empty() {
        return number.is_some();
    }
    listed.iter().any(|port| match port.get(if number.is_some() { "containerPort" } else { "name" }) {
        Lookup::Unknown(_) => true,
        Lookup::Absent(_) => false,
        Lookup::Known(own) => match number {
            Some(number) => own.as_f64() == Some(number),
            None => own.as_str() == target.as_str(),
        },
    })
}

/// Annotations by which clouds keep a load balancer inside their network, and the values that mean it; none for any.
const INTERNAL: &[(&str, &[&str])] = &[
    ("service.beta.kubernetes.io/aws-load-balancer-internal", &["true", "0.0.0.0/0"]),
    ("service.beta.kubernetes.io/aws-load-balancer-scheme", &["internal"]),
    ("service.beta.kubernetes.io/azure-load-balancer-internal", &["true"]),
    ("networking.gke.io/load-balancer-type", &["Internal"]),
    ("cloud.google.com/load-balancer-type", &["Internal"]),
    ("service.beta.kubernetes.io/openstack-internal-load-balancer", &["true"]),
    ("service.kubernetes.io/ibm-load-balancer-cloud-provider-ip-type", &["private"]),
    ("service.beta.kubernetes.io/oci-load-balancer-internal", &["true"]),
    ("service.beta.kubernetes.io/alibaba-cloud-loadbalancer-address-type", &["intranet"]),
];

pub(super) fn annotation<'a>(resource: &'a Resource, name: &str) -> Lookup<'a> {
    match resource.body.at("metadata.annotations") {
        Lookup::Known(annotations) => annotations.get(name),
        other => other,
    }
}

/// Parts of the names of images that are there to take traffic from outside.
const GATEWAYS: &[&str] = &[
    "ingress",
    "traefik",
    "contour",
    "envoy",
    "istio/proxyv2",
    "kong",
    "haproxy",
    "emissary",
    "ambassador",
    "gateway",
];

/// Whether the pods behind a service are those of an ingress controller or gateway.
fn serves_gateway(cx: &Cx, service: &Resource) -> bool {
    let Lookup::Known(selector) = service.body.at("spec.selector") else { return false };
    with_labels(cx, cx.model.cluster().labeled(selector, service)).any(|(workload, labels)| {
        share_namespace(service, workload) != Some(false)
            && map_selects(selector, labels) == Some(true)
            && pod(workload).is_some_and(|pod| {
                pod.containers().any(|container| {
                    let image = container.body.get("image").as_str().unwrap_or("");
                    GATEWAYS.iter().any(|name| image.contains(name))
                })
            })
    })
}

fn load_balancer(cx: &Cx, _: ResourceId, service: &Resource, out: &mut Findings) {
    let Lookup::Known(kind) = service.body.at("spec.type") else { return };
    if !is_core(service) || kind.as_str() != Some("LoadBalancer") || serves_gateway(cx, service) {
        return;
    }
    for (name, values) in INTERNAL {
        match annotation(service, name) {
            Lookup::Known(value)
                if values.iter().any(|wanted| value.to_text().unwrap_or_default().eq_ignore_ascii_case(wanted)) =>
            {
                return;
            }
            Lookup::Unknown(_) => return out.undecided(),
            _ => {}
        }
    }
    out.fail(kind, "spec.type", "the service gets a load balancer of its own, wanted ClusterIP or an internal one");
}

fn dangling_monitor(cx: &Cx, _: ResourceId, monitor: &Resource, out: &mut Findings) {
    let Lookup::Known(selector) = monitor.body.at("spec.selector") else { return };
    if is_empty(selector) {
        return;
    }
    let wanted = monitor.body.at("spec.namespaceSelector");
    let in_reach = |service: &Resource| match wanted {
        Lookup::Known(names) if names.get("any").as_bool() == Some(true) => Some(true),
        Lookup::Known(names) if !names.get("matchNames").is_absent() => {
            let own = crate::model::view::selector::namespace(service)?;
            any(names.get("matchNames").known()?.items().iter().map(|name| Some(name.as_str()? == own)))
        }
        Lookup::Unknown(_) => None,
        _ => share_namespace(monitor, service),
    };
    let near = Some(monitor).filter(|_| wanted.is_absent());
    let found = any(each(cx.model, cx.model.cluster().services(selector, near))
        .map(|service| both(in_reach(service), || selects(selector, service.body.at("metadata.labels")))));
    if found == Some(false) {
        out.fail(selector, "spec.selector", "selects no service of the tree, wanted the labels of one");
    }
}
