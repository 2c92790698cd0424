//! Network policies, services and ingresses, and what they select.

use crate::model::view::pod::{Pod, pod};
use crate::model::view::selector::{each, map_selects, objects, pod_labels, selects, share_namespace};
use crate::model::{Lookup, Node, Resource, ResourceId, Value};
use crate::rules::native::{Cx, Findings, Native, show};
use crate::rules::table::cidr_is_open;
use crate::source::Span;

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
    ("k8s-ingress-exposed-workload", Native::Resource("kubernetes", &["Ingress"], exposed_workload)),
    ("k8s-ingress-dangling", Native::Resource("kubernetes", &["Ingress"], dangling_ingress)),
    ("k8s-ingress-without-tls", Native::Resource("kubernetes", &["Ingress"], plain_ingress)),
    ("k8s-ingress-missing-cert-issuer", Native::Resource("kubernetes", &["Ingress"], certificate_issuer)),
    ("k8s-ingress-redirect-disabled", Native::Resource("kubernetes", &["Ingress"], redirect)),
    (
        "k8s-ingress-snippet-annotation",
        Native::Resource("kubernetes", &["Ingress"], |_, _, ingress, out| {
            snippets(ingress, |_| true, "hands text of the manifest to NGINX", out)
        }),
    ),
    (
        "k8s-ingress-lua-snippet",
        Native::Resource("kubernetes", &["Ingress"], |_, _, ingress, out| {
            snippets(ingress, |text| text.contains("lua_") || text.contains("_by_lua"), "runs Lua in NGINX", out)
        }),
    ),
    (
        "k8s-ingress-alias-snippet",
        Native::Resource("kubernetes", &["Ingress"], |_, _, ingress, out| {
            snippets(ingress, |text| text.contains("alias"), "serves files of the controller by alias", out)
        }),
    ),
    ("k8s-ingress-unsafe-annotation", Native::Resource("kubernetes", &["Ingress"], unsafe_annotation)),
    ("k8s-ingress-plaintext-backend", Native::Resource("kubernetes", &["Ingress"], plain_backend)),
];

/// Objects that run pods which may carry the labels, with those that they carry.
fn workloads<'a>(cx: &Cx<'a>, wanted: Option<&Node>) -> impl Iterator<Item = (&'a Resource, Lookup<'a>)> + use<'a> {
    each(cx.model, cx.model.cluster().labeled(wanted)).filter_map(|one| Some((one, pod_labels(one)?)))
}

/// The labels that a selector wants.
fn wanted(selector: &Node) -> Option<&Node> {
    selector.get("matchLabels").known()
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

fn name_span(resource: &Resource) -> Span {
    resource.body.at("metadata.name").known().map_or(resource.head, |name| name.span)
}

fn unselected(cx: &Cx, id: ResourceId, pod: Pod<'_>, out: &mut Findings) {
    let workload = cx.model.resource(id);
    let labels = pod.template.at("metadata.labels");
    if pod.spec.get("hostNetwork").known().and_then(Node::as_bool) == Some(true) {
        // Policies do not reach the network of the node; another rule speaks of it.
        return;
    }
    let policies = each(cx.model, cx.model.cluster().selecting("NetworkPolicy", labels));
    match any(policies.map(|policy| policy_selects(policy, workload, labels))) {
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
        each(cx.model, cx.model.cluster().selecting("NetworkPolicy", labels)).any(|other| {
            limits(other, "Egress") != Some(false) && policy_selects(other, workload, labels) != Some(false)
        })
    };
    let selector = policy.body.at("spec.podSelector").known();
    let mut selected = workloads(cx, selector.and_then(wanted))
        .filter(|(workload, labels)| policy_selects(policy, workload, *labels) != Some(false))
        .peekable();
    let is_covered = match selected.peek() {
        Some(_) => selected.all(|(workload, labels)| is_limited(workload, labels)),
        // Of a namespace whose workloads are elsewhere, one policy for all of them may limit it.
        None => {
            each(cx.model, cx.model.cluster().selecting("NetworkPolicy", Lookup::Absent(&policy.body))).any(|other| {
                limits(other, "Egress") != Some(false)
                    && policy_selects(other, policy, Lookup::Absent(&policy.body)) != Some(false)
            })
        }
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
    let ports = rule.get("ports").known().map(Node::items).unwrap_or_default();
    !ports.is_empty() && ports.iter().all(|port| port.get("port").known().and_then(Node::as_f64) == Some(53.0))
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
    let candidates = workloads(cx, wanted(selector));
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
            let found = any(workloads(cx, wanted(selector))
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

fn dangling_service(cx: &Cx, _: ResourceId, service: &Resource, out: &mut Findings) {
    let Lookup::Known(selector) = service.body.at("spec.selector") else { return };
    if !is_core(service) || selector.entries().is_empty() {
        return;
    }
    let is_selected = |(workload, labels): &(&Resource, Lookup<'_>)| {
        both(share_namespace(service, workload), || map_selects(selector, *labels)) != Some(false)
    };
    let selected: Vec<&Resource> =
        workloads(cx, Some(selector)).filter(is_selected).map(|(workload, _)| workload).collect();
    if selected.is_empty() {
        out.fail(selector, "spec.selector", "selects no workload of the tree, wanted the labels of one");
        return;
    }
    for port in service.body.at("spec.ports").known().map(Node::items).unwrap_or_default() {
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

fn annotation<'a>(resource: &'a Resource, name: &str) -> Lookup<'a> {
    match resource.body.at("metadata.annotations") {
        Lookup::Known(annotations) => annotations.get(name),
        other => other,
    }
}

/// An annotation's value; YAML may have made a boolean of it.
fn text(node: &Node) -> String {
    match &node.value {
        Value::String(text) => text.to_string(),
        Value::Bool(bool) => bool.to_string(),
        Value::Number(number) => number.to_string(),
        _ => String::new(),
    }
}

fn load_balancer(_: &Cx, _: ResourceId, service: &Resource, out: &mut Findings) {
    let Lookup::Known(kind) = service.body.at("spec.type") else { return };
    if !is_core(service) || kind.as_str() != Some("LoadBalancer") {
        return;
    }
    for (name, values) in INTERNAL {
        match annotation(service, name) {
            Lookup::Known(value) if values.iter().any(|wanted| text(value).eq_ignore_ascii_case(wanted)) => return,
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
        Lookup::Known(names) if names.get("any").known().and_then(Node::as_bool) == Some(true) => Some(true),
        Lookup::Known(names) if !names.get("matchNames").is_absent() => {
            let own = crate::model::view::selector::namespace(service)?;
            any(names.get("matchNames").known()?.items().iter().map(|name| Some(name.as_str()? == own)))
        }
        Lookup::Unknown(_) => None,
        _ => share_namespace(monitor, service),
    };
    let found = any(objects(cx.model, "Service")
        .map(|service| both(in_reach(service), || selects(selector, service.body.at("metadata.labels")))));
    if found == Some(false) {
        out.fail(selector, "spec.selector", "selects no service of the tree, wanted the labels of one");
    }
}

/// A backend of an ingress: the name of its service, its port if it names one, and the path to both.
struct Backend<'a> {
    service: &'a Node,
    port: Option<&'a Node>,
    path: &'static str,
}

/// The key of a service's port that this number or name stands under.
fn port_key(port: &Node) -> &'static str {
    if port.as_f64().is_some() { "port" } else { "name" }
}

fn backends(ingress: &Resource) -> Vec<Backend<'_>> {
    let paths = [
        ("spec.defaultBackend.service", "name"),
        ("spec.backend", "serviceName"),
        ("spec.rules.http.paths.backend.service", "name"),
        ("spec.rules.http.paths.backend", "serviceName"),
    ];
    let mut all = Vec::new();
    for (path, name) in paths {
        let mut found = Vec::new();
        ingress.body.all(path, &mut found);
        for node in found.into_iter().filter_map(Lookup::known) {
            let Lookup::Known(service) = node.get(name) else { continue };
            let ports = [node.at("port.number"), node.at("port.name"), node.get("servicePort")];
            all.push(Backend { service, port: ports.into_iter().find_map(Lookup::known), path });
        }
    }
    all
}

/// The services of the tree that a backend means.
fn services<'a>(cx: &Cx<'a>, ingress: &Resource, backend: &Backend<'_>) -> Vec<&'a Resource> {
    let name = backend.service.as_str().unwrap_or_default();
    each(cx.model, cx.model.cluster().named("Service", name))
        .filter(|service| share_namespace(ingress, service) != Some(false))
        .filter(|service| match service.body.at("metadata.name") {
            Lookup::Known(own) => own.as_str() == backend.service.as_str(),
            other => other.is_unknown(),
        })
        .collect()
}

/// The ports of a service that a backend means: all if it names none.
fn meant_ports<'a>(service: &'a Resource, backend: &Backend<'_>) -> Vec<&'a Node> {
    let ports = service.body.at("spec.ports").known().map(Node::items).unwrap_or_default();
    let is_meant = |port: &&Node| match backend.port {
        None => true,
        Some(asked) => match port.get(port_key(asked)) {
            Lookup::Known(own) => text(own) == text(asked),
            other => other.is_unknown(),
        },
    };
    ports.iter().filter(is_meant).collect()
}

fn dangling_ingress(cx: &Cx, _: ResourceId, ingress: &Resource, out: &mut Findings) {
    for backend in backends(ingress) {
        let services = services(cx, ingress, &backend);
        if services.is_empty() {
            let message = format!("{} is no service of the tree in its namespace, wanted one", show(backend.service));
            out.fail(backend.service, backend.path, message);
        } else if let Some(asked) = backend.port
            && services.iter().all(|service| meant_ports(service, &backend).is_empty())
        {
            let message = format!("the service has no port {}, wanted one that it has", show(asked));
            out.fail(asked, backend.path, message);
        }
    }
}

/// A backend that leads to a port of a service of the tree.
fn exposed_workload(cx: &Cx, _: ResourceId, ingress: &Resource, out: &mut Findings) {
    for backend in backends(ingress) {
        let mut services = services(cx, ingress, &backend).into_iter();
        if let Some(service) = services.find(|service| !meant_ports(service, &backend).is_empty()) {
            out.fail(
                backend.service,
                backend.path,
                format!("{} is open to the controller's clients", show(backend.service)),
            )
            .related(service.head, "the service");
        }
    }
}

/// Annotations by which an ingress gets its certificate elsewhere than from `spec.tls`.
const CERTIFICATES: &[&str] = &[
    "alb.ingress.kubernetes.io/certificate-arn",
    "ingress.gcp.kubernetes.io/pre-shared-cert",
    "networking.gke.io/managed-certificates",
    "appgw.ingress.kubernetes.io/appgw-ssl-certificate",
    "nginx.ingress.kubernetes.io/ssl-passthrough",
];

fn plain_ingress(_: &Cx, _: ResourceId, ingress: &Resource, out: &mut Findings) {
    if CERTIFICATES.iter().any(|name| !annotation(ingress, name).is_absent())
        || annotation(ingress, "alb.ingress.kubernetes.io/listen-ports")
            .known()
            .is_some_and(|ports| text(ports).contains("HTTPS"))
    {
        return;
    }
    let tls = match ingress.body.at("spec.tls") {
        Lookup::Unknown(_) => return out.undecided(),
        Lookup::Known(tls) if !tls.items().is_empty() => tls,
        other => {
            out.at(other.node().span, "spec.tls", "spec.tls is not set, wanted a certificate for every host");
            return;
        }
    };
    let mut covered = Vec::new();
    tls.all("hosts[]", &mut covered);
    let mut hosts = Vec::new();
    ingress.body.all("spec.rules.host", &mut hosts);
    for host in hosts.into_iter().filter_map(Lookup::known) {
        let Some(name) = host.as_str() else { continue };
        let covers = |one: &Lookup<'_>| match one {
            // An entry without hosts covers those of the rules, by the wildcard of its certificate.
            Lookup::Absent(_) | Lookup::Unknown(_) => true,
            Lookup::Known(node) => node.as_str().is_some_and(|wild| match wild.strip_prefix("*.") {
                Some(domain) => name == wild || name.split_once('.').is_some_and(|(_, rest)| rest == domain),
                None => wild == name,
            }),
        };
        if !covered.iter().any(covers) {
            out.fail(host, "spec.rules.host", format!("spec.tls covers no host {}, wanted a certificate", show(host)));
        }
    }
}

fn certificate_issuer(cx: &Cx, _: ResourceId, ingress: &Resource, out: &mut Findings) {
    let Lookup::Known(tls) = ingress.body.at("spec.tls") else { return };
    let issuers = ["cert-manager.io/cluster-issuer", "cert-manager.io/issuer", "kubernetes.io/tls-acme"];
    if issuers.iter().any(|name| !annotation(ingress, name).is_absent()) {
        return;
    }
    let mut secrets = Vec::new();
    tls.all("secretName", &mut secrets);
    for secret in secrets.into_iter().filter_map(Lookup::known) {
        let issued = objects(cx.model, "Certificate").any(|certificate| {
            certificate.body.at("spec.secretName").known().and_then(Node::as_str) == secret.as_str()
        });
        if !issued {
            out.fail(
                secret,
                "spec.tls.secretName",
                "nothing issues and renews the certificate, wanted an annotation of cert-manager or a Certificate",
            );
        }
    }
}

fn redirect(_: &Cx, _: ResourceId, ingress: &Resource, out: &mut Findings) {
    for name in ["ssl-redirect", "force-ssl-redirect"] {
        let name = format!("nginx.ingress.kubernetes.io/{name}");
        let Lookup::Known(value) = annotation(ingress, &name) else { continue };
        if text(value) == "false" && !ingress.body.at("spec.tls").is_absent() {
            out.fail(value, "metadata.annotations", format!("{name} is false, wanted true: HTTP stays open"));
            return;
        }
    }
    let ports = annotation(ingress, "alb.ingress.kubernetes.io/listen-ports");
    let Lookup::Known(ports) = ports else { return };
    let listeners = text(ports).replace("HTTPS", "");
    let redirects = ["ssl-redirect", "actions.ssl-redirect"]
        .iter()
        .any(|name| !annotation(ingress, &format!("alb.ingress.kubernetes.io/{name}")).is_absent());
    if listeners.contains("HTTP") && text(ports).contains("HTTPS") && !redirects {
        out.fail(
            ports,
            "metadata.annotations",
            "the HTTP listener does not redirect, wanted alb.ingress.kubernetes.io/ssl-redirect",
        );
    }
}

/// Annotations of the NGINX controller that hold configuration, whose text satisfies `is_bad`.
fn snippets(ingress: &Resource, is_bad: fn(&str) -> bool, what: &str, out: &mut Findings) {
    let Lookup::Known(annotations) = ingress.body.at("metadata.annotations") else { return };
    for entry in annotations.entries().iter().filter(|entry| entry.key.ends_with("-snippet")) {
        let is_nginx = entry.key.starts_with("nginx.ingress.kubernetes.io/") || entry.key.starts_with("nginx.org/");
        if is_nginx && entry.node.as_str().is_some_and(is_bad) {
            out.fail(&entry.node, "metadata.annotations", format!("{} {what}, wanted none", entry.key));
        }
    }
}

/// Annotations whose values the controller puts into its configuration, and which were used to inject some
/// (CVE-2025-1097, CVE-2025-1098, CVE-2025-24514, CVE-2021-25742).
const INJECTABLE: &[&str] = &["auth-tls-match-cn", "auth-url", "mirror-target", "mirror-host", "mirror-request-body"];

fn unsafe_annotation(_: &Cx, _: ResourceId, ingress: &Resource, out: &mut Findings) {
    let Lookup::Known(annotations) = ingress.body.at("metadata.annotations") else { return };
    for entry in annotations.entries() {
        let Some(name) = entry.key.strip_prefix("nginx.ingress.kubernetes.io/") else { continue };
        let value = entry.node.as_str().unwrap_or_default();
        let breaks_out = value.contains(['#', '{', '}', ';', '\n', '"']);
        if INJECTABLE.contains(&name) && breaks_out {
            let message = format!("{} holds characters that end a directive of NGINX, wanted a plain value", entry.key);
            out.fail(&entry.node, "metadata.annotations", message);
        }
    }
}

fn plain_backend(_: &Cx, _: ResourceId, ingress: &Resource, out: &mut Findings) {
    let class = ingress.body.at("spec.ingressClassName").known().and_then(Node::as_str).unwrap_or("");
    let old_class = annotation(ingress, "kubernetes.io/ingress.class").known().map(text).unwrap_or_default();
    if class != "nginx" && old_class != "nginx" {
        return;
    }
    let protocol = annotation(ingress, "nginx.ingress.kubernetes.io/backend-protocol");
    match protocol {
        Lookup::Unknown(_) => out.undecided(),
        Lookup::Known(value) if !matches!(text(value).as_str(), "HTTP" | "GRPC" | "AUTO_HTTP") => {}
        Lookup::Known(value) => {
            out.fail(value, "metadata.annotations", format!("backend-protocol is {}, wanted HTTPS", show(value)));
        }
        Lookup::Absent(_) => {
            out.at(name_span(ingress), "metadata.annotations", "backend-protocol is not set and HTTP, wanted HTTPS");
        }
    }
}
