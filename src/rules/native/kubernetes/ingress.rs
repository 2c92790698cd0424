//! Ingresses: TLS, redirects, what they lead to, and annotations that configure the controller.

use super::name_span;
use super::network::annotation;
use crate::model::view::selector::{each, objects, share_namespace};
use crate::model::{Lookup, Node, Resource, ResourceId};
use crate::rules::native::{Cx, Findings, Native, show};

/// The checks by name.
pub const CHECKS: &[(&str, Native)] = &[
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
    each(cx.model, cx.model.cluster().named("Service", name, Some(ingress)))
        .filter(|service| share_namespace(ingress, service) != Some(false))
        .filter(|service| match service.body.at("metadata.name") {
            Lookup::Known(own) => own.as_str() == backend.service.as_str(),
            other => other.is_unknown(),
        })
        .collect()
}

/// The ports of a service that a backend means: all if it names none.
fn meant_ports<'a>(service: &'a Resource, backend: &Backend<'_>) -> Vec<&'a Node> {
    let ports = service.body.at("spec.ports").items();
    let is_meant = |port: &&Node| match backend.port {
        None => true,
        Some(asked) => match port.get(port_key(asked)) {
            Lookup::Known(own) => own.to_text().unwrap_or_default() == asked.to_text().unwrap_or_default(),
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
            .is_some_and(|ports| ports.to_text().unwrap_or_default().contains("HTTPS"))
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
        let issued = objects(cx.model, "Certificate")
            .any(|certificate| certificate.body.at("spec.secretName").as_str() == secret.as_str());
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
        if value.to_text().unwrap_or_default() == "false" && !ingress.body.at("spec.tls").is_absent() {
            out.fail(value, "metadata.annotations", format!("{name} is false, wanted true: HTTP stays open"));
            return;
        }
    }
    let ports = annotation(ingress, "alb.ingress.kubernetes.io/listen-ports");
    let Lookup::Known(ports) = ports else { return };
    let listeners = ports.to_text().unwrap_or_default().replace("HTTPS", "");
    let redirects = ["ssl-redirect", "actions.ssl-redirect"]
        .iter()
        .any(|name| !annotation(ingress, &format!("alb.ingress.kubernetes.io/{name}")).is_absent());
    if listeners.contains("HTTP") && ports.to_text().unwrap_or_default().contains("HTTPS") && !redirects {
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
    let class = ingress.body.at("spec.ingressClassName").as_str().unwrap_or("");
    let old_class = annotation(ingress, "kubernetes.io/ingress.class").to_text().unwrap_or_default();
    if class != "nginx" && old_class != "nginx" {
        return;
    }
    let protocol = annotation(ingress, "nginx.ingress.kubernetes.io/backend-protocol");
    match protocol {
        Lookup::Unknown(_) => out.undecided(),
        Lookup::Known(value)
            if !matches!(value.to_text().unwrap_or_default().as_str(), "HTTP" | "GRPC" | "AUTO_HTTP") => {}
        Lookup::Known(value) => {
            out.fail(value, "metadata.annotations", format!("backend-protocol is {}, wanted HTTPS", show(value)));
        }
        Lookup::Absent(_) => {
            out.at(
                name_span(ingress),
                "metadata.annotations",
                "backend-protocol is not set and defaults to HTTP, wanted HTTPS",
            );
        }
    }
}
