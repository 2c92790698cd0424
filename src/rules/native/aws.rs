//! Checks of AWS that join several resources: what a root lacks, and what logs, nodes and secrets depend on.

use std::collections::BTreeMap;

use super::{Cx, Findings, Native, iam};
use crate::model::view::iam::document;
use crate::model::{Lookup, Node, Resource, ResourceId, Value};
use crate::secret::{is_secret_name, looks_like_placeholder};

/// The checks by name.
pub const CHECKS: &[(&str, Native)] = &[
    ("aws-ecr-public-policy", Native::Resource("terraform", &["aws_ecr_repository_policy"], iam::public_bucket)),
    ("aws-eks-node-role-broad-policy", Native::Resource("terraform", &["aws_eks_node_group"], node_role)),
    ("aws-cloudtrail-public-bucket", Native::Resource("terraform", &["aws_cloudtrail"], trail_bucket)),
    (
        "aws-secretsmanager-plaintext-value",
        Native::Resource("terraform", &["aws_secretsmanager_secret_version", "aws_ssm_parameter"], plaintext),
    ),
    ("aws-cloudtrail-missing", Native::Project(|cx, out| unwatched(cx, "aws_cloudtrail", out))),
    ("aws-config-missing-recorder", Native::Project(|cx, out| unwatched(cx, "aws_config_configuration_recorder", out))),
    ("aws-guardduty-missing", Native::Project(|cx, out| unwatched(cx, "aws_guardduty_detector", out))),
    ("aws-accessanalyzer-missing", Native::Project(analyzer)),
    ("aws-config-missing-hipaa-pack", Native::Project(hipaa_pack)),
    (
        "aws-cloudwatch-missing-elb-alarm",
        Native::Project(|cx, out| unalarmed(cx, is_application_balancer, &["AWS/ApplicationELB"], out)),
    ),
    (
        "aws-cloudwatch-missing-ecs-alarm",
        Native::Project(|cx, out| {
            unalarmed(cx, |one| &*one.kind == "aws_ecs_service", &["AWS/ECS", "ECS/ContainerInsights"], out);
        }),
    ),
    (
        "aws-cloudwatch-missing-rds-alarm",
        Native::Project(|cx, out| {
            unalarmed(cx, |one| matches!(&*one.kind, "aws_db_instance" | "aws_rds_cluster"), &["AWS/RDS"], out);
        }),
    ),
    (
        "aws-cloudwatch-missing-nat-alarm",
        Native::Project(|cx, out| {
            unalarmed(cx, |one| &*one.kind == "aws_nat_gateway", &["AWS/NATGateway"], out);
        }),
    ),
    (
        "aws-cloudwatch-missing-waf-alarm",
        Native::Project(|cx, out| {
            unalarmed(cx, |one| &*one.kind == "aws_wafv2_web_acl", &["AWS/WAFV2"], out);
        }),
    ),
    ("aws-cloudwatch-missing-cost-alarm", Native::Project(cost_alarm)),
];

/// The resources of one kind that an argument refers to.
fn targets(cx: &Cx, id: ResourceId, attribute: &str, kind: &str) -> Vec<ResourceId> {
    let edges = cx.model.graph.outgoing(id).iter();
    edges
        .filter(|edge| &*edge.attribute == attribute && &*cx.model.resource(edge.to).kind == kind)
        .map(|edge| edge.to)
        .collect()
}

/// The resources of one kind that refer to this one.
fn referrers<'a>(cx: &Cx<'a>, id: ResourceId, kind: &str) -> Vec<(ResourceId, &'a Resource)> {
    let mut ids: Vec<ResourceId> = cx.model.graph.incoming(id).iter().map(|edge| edge.from).collect();
    ids.sort();
    ids.dedup();
    let resources = ids.into_iter().map(|id| (id, cx.model.resource(id)));
    resources.filter(|(_, resource)| &*resource.kind == kind).collect()
}

/// What a root has of a thing and of what makes it necessary.
#[derive(Default)]
struct Root {
    need: Option<ResourceId>,
    entry: Option<ResourceId>,
    is_met: bool,
    is_open: bool,
}

/// Each Terraform root by its folder. `needs` says what makes the thing necessary; `meets` what the thing is, and None where
/// an unknown value hides it.
fn roots<'a>(
    cx: &Cx<'a>,
    needs: impl Fn(&Resource) -> bool,
    meets: impl Fn(&Resource) -> Option<bool>,
) -> BTreeMap<&'a str, Root> {
    let mut roots: BTreeMap<&str, Root> = BTreeMap::new();
    for (id, resource) in cx.model.iter().filter(|(_, resource)| resource.format == "terraform") {
        let root = roots.entry(&resource.root).or_default();
        if needs(resource) {
            root.need.get_or_insert(id);
        }
        // Only roots configure a provider or a state; a folder with neither is a module for others.
        let is_provider = &*resource.kind == "provider.aws";
        if resource.calls.is_empty() && (is_provider || resource.kind.starts_with("backend.")) {
            let keep = root.entry.filter(|known| !is_provider || &*cx.model.resource(*known).kind == "provider.aws");
            root.entry = keep.or(Some(id));
        }
        match meets(resource) {
            Some(met) => root.is_met |= met,
            None => root.is_open = true,
        }
    }
    roots
}

fn report(cx: &Cx, root: &Root, place: Option<ResourceId>, message: String, out: &mut Findings) {
    let Some(place) = place.filter(|_| root.need.is_some() && !root.is_met) else { return };
    if root.is_open {
        out.undecided();
    } else {
        out.about(place).at(cx.model.resource(place).head, "", message);
    }
}

/// A root that builds in an account but does not declare what watches the account.
fn unwatched(cx: &Cx, kind: &str, out: &mut Findings) {
    for root in roots(cx, |one| one.kind.starts_with("aws_"), |one| Some(&*one.kind == kind)).values() {
        report(cx, root, root.entry, format!("no {kind} is declared for the account"), out);
    }
}

/// A root that watches its account by other means, but not for what it shares with outsiders.
fn analyzer(cx: &Cx, out: &mut Findings) {
    let watches = |one: &Resource| matches!(&*one.kind, "aws_cloudtrail" | "aws_guardduty_detector");
    for root in roots(cx, watches, |one| Some(&*one.kind == "aws_accessanalyzer_analyzer")).values() {
        report(cx, root, root.need, "no aws_accessanalyzer_analyzer is declared for the account".into(), out);
    }
}

/// A root with something that no alarm of these namespaces watches.
fn unalarmed(cx: &Cx, needs: fn(&Resource) -> bool, namespaces: &[&str], out: &mut Findings) {
    for root in roots(cx, needs, |one| is_alarm_of(one, namespaces)).values() {
        let message = format!("no aws_cloudwatch_metric_alarm of the namespace {} is declared", namespaces[0]);
        report(cx, root, root.need, message, out);
    }
}

/// Whether a resource is an alarm on a metric of one of these namespaces; None if its namespace is unknown.
fn is_alarm_of(resource: &Resource, namespaces: &[&str]) -> Option<bool> {
    if &*resource.kind != "aws_cloudwatch_metric_alarm" {
        return Some(false);
    }
    let mut found = Vec::new();
    resource.body.all("namespace", &mut found);
    resource.body.all("metric_query.metric.namespace", &mut found);
    any_text(&found, |text| namespaces.contains(&text))
}

/// Whether one of the texts passes; None if none does but one is unknown.
fn any_text(values: &[Lookup<'_>], passes: impl Fn(&str) -> bool) -> Option<bool> {
    if values.iter().filter_map(|value| value.known()?.as_str()).any(passes) {
        return Some(true);
    }
    if values.iter().any(|value| value.is_unknown()) { None } else { Some(false) }
}

fn is_application_balancer(resource: &Resource) -> bool {
    let other = |node: &Node| matches!(node.as_str(), Some("network" | "gateway"));
    matches!(&*resource.kind, "aws_lb" | "aws_alb")
        && !resource.body.get("load_balancer_type").known().is_some_and(other)
}

fn cost_alarm(cx: &Cx, out: &mut Findings) {
    let watches = |one: &Resource| match &*one.kind {
        "aws_budgets_budget" => Some(!one.body.get("notification").is_absent()),
        "aws_ce_anomaly_subscription" => Some(true),
        _ => is_alarm_of(one, &["AWS/Billing"]),
    };
    for root in roots(cx, |one| &*one.kind == "aws_cloudwatch_metric_alarm", watches).values() {
        let message = "alarms are declared, but no aws_budgets_budget with a notification and none on AWS/Billing";
        report(cx, root, root.need, message.into(), out);
    }
}

fn hipaa_pack(cx: &Cx, out: &mut Findings) {
    let is_pack = |one: &Resource| {
        if !matches!(&*one.kind, "aws_config_conformance_pack" | "aws_config_organization_conformance_pack") {
            return Some(false);
        }
        let texts = ["name", "template_s3_uri", "template_body"].map(|name| one.body.get(name));
        any_text(&texts, |text| text.to_lowercase().contains("hipaa"))
    };
    for root in roots(cx, |one| &*one.kind == "aws_config_configuration_recorder", is_pack).values() {
        report(cx, root, root.need, "no aws_config_conformance_pack for HIPAA is declared".into(), out);
    }
}

/// Whether a policy of AWS's own, by name or ARN, gives far more than a node needs.
fn is_broad_managed(policy: &str) -> bool {
    let name = policy.rsplit('/').next().unwrap_or(policy);
    name.ends_with("FullAccess") || name.contains("Administrator") || name == "PowerUserAccess"
}

fn node_role(cx: &Cx, id: ResourceId, _: &Resource, out: &mut Findings) {
    for role_id in targets(cx, id, "node_role_arn", "aws_iam_role") {
        let role = cx.model.resource(role_id);
        for policy in role.body.get("managed_policy_arns").items() {
            managed(policy, "managed_policy_arns", out.about(role_id));
        }
        wildcards(cx, role_id, role, out);
        for (policy_id, policy) in referrers(cx, role_id, "aws_iam_role_policy") {
            wildcards(cx, policy_id, policy, out);
        }
        for kind in ["aws_iam_role_policy_attachment", "aws_iam_policy_attachment"] {
            for (attachment_id, attachment) in referrers(cx, role_id, kind) {
                attached(cx, attachment_id, attachment, out);
            }
        }
    }
}

/// What an attachment gives: a policy of AWS's own, or one of the tree.
fn attached(cx: &Cx, id: ResourceId, attachment: &Resource, out: &mut Findings) {
    let policy = attachment.body.get("policy_arn");
    if let Lookup::Known(node) = policy {
        return managed(node, "policy_arn", out.about(id));
    }
    let own = targets(cx, id, "policy_arn", "aws_iam_policy");
    let looked_up = targets(cx, id, "policy_arn", "data.aws_iam_policy");
    for policy_id in &own {
        wildcards(cx, *policy_id, cx.model.resource(*policy_id), out);
    }
    for data in &looked_up {
        let body = &cx.model.resource(*data).body;
        for name in ["name", "arn"] {
            if let Lookup::Known(node) = body.get(name) {
                managed(node, name, out.about(*data));
            }
        }
    }
    if own.is_empty() && looked_up.is_empty() && policy.is_unknown() {
        out.undecided();
    }
}

fn managed(node: &Node, attribute: &str, out: &mut Findings) {
    if let Some(policy) = node.as_str().filter(|policy| is_broad_managed(policy)) {
        let name = policy.rsplit('/').next().unwrap_or(policy);
        out.fail(node, attribute, format!("gives {name} to the nodes of an EKS cluster, wanted policies for nodes"));
    }
}

/// Wildcard actions of an identity policy that nodes hold.
fn wildcards(cx: &Cx, id: ResourceId, policy: &Resource, out: &mut Findings) {
    let mut found = Findings::of(Some(id));
    iam::wildcard_action(cx, id, policy, &mut found);
    iam::service_wildcard(cx, id, policy, &mut found);
    // What another rule leaves open it counts itself.
    for mut one in found.found {
        one.message = format!("nodes of an EKS cluster hold this policy: {}", one.message);
        out.found.push(one);
    }
}

fn trail_bucket(cx: &Cx, id: ResourceId, trail: &Resource, out: &mut Findings) {
    let mut buckets = targets(cx, id, "s3_bucket_name", "aws_s3_bucket");
    if let Some(name) = trail.body.get("s3_bucket_name").as_str() {
        let same_name = |bucket: &Resource| bucket.body.get("bucket").as_str() == Some(name);
        let named = cx.model.iter().filter(|(_, one)| &*one.kind == "aws_s3_bucket" && one.root == trail.root);
        buckets.extend(named.filter(|(_, bucket)| same_name(bucket)).map(|(id, _)| id));
    }
    buckets.sort();
    buckets.dedup();
    for bucket_id in buckets {
        let bucket = cx.model.resource(bucket_id);
        let blocks = referrers(cx, bucket_id, "aws_s3_bucket_public_access_block");
        let blocked = |name: &str| blocks.iter().any(|(_, one)| one.body.get(name).as_bool() == Some(true));
        if !blocked("ignore_public_acls") {
            public_acl(bucket_id, bucket, out);
            for (acl_id, acl) in referrers(cx, bucket_id, "aws_s3_bucket_acl") {
                public_acl(acl_id, acl, out);
            }
        }
        if !blocked("restrict_public_buckets") {
            let mut policies = referrers(cx, bucket_id, "aws_s3_bucket_policy");
            policies.push((bucket_id, bucket));
            for (policy_id, policy) in policies {
                iam::public_bucket(cx, policy_id, policy, out.about(policy_id));
            }
        }
    }
}

/// A canned ACL or a grant that opens a bucket to everybody or to every AWS account.
fn public_acl(id: ResourceId, resource: &Resource, out: &mut Findings) {
    let mut values = Vec::new();
    for path in ["acl", "grant.uri", "access_control_policy.grant.grantee.uri"] {
        let start = values.len();
        resource.body.all(path, &mut values);
        for value in &values[start..] {
            let Some((node, text)) = value.known().and_then(|node| Some((node, node.as_str()?))) else { continue };
            let is_public = matches!(text, "public-read" | "public-read-write" | "authenticated-read")
                || text.ends_with("/global/AllUsers")
                || text.ends_with("/global/AuthenticatedUsers");
            if is_public {
                out.about(id).fail(
                    node,
                    path,
                    format!("{path} is {text:?} for the logs of CloudTrail, wanted private"),
                );
            }
        }
    }
}

fn plaintext(_: &Cx, _: ResourceId, resource: &Resource, out: &mut Findings) {
    let attribute = if &*resource.kind == "aws_ssm_parameter" {
        match resource.body.get("type") {
            Lookup::Known(kind) if kind.as_str() == Some("SecureString") => "value",
            Lookup::Unknown(_) => return out.undecided(),
            _ => return,
        }
    } else {
        "secret_string"
    };
    let (Lookup::Known(node) | Lookup::Unknown(node)) = resource.body.get(attribute) else { return };
    if let Some(fields) = document(node).filter(|document| matches!(document.value, Value::Map(_) | Value::List(_))) {
        return secret_fields(&fields, "", attribute, out);
    }
    if let Some(text) = node.as_str().filter(|text| !looks_like_placeholder(text)) {
        let message = format!("{attribute} is a secret written out in the code, wanted a value from elsewhere");
        out.fail(node, attribute, message).holds(text);
    }
}

/// The fields of a JSON secret whose names say that they are secret; user names and hosts beside them are not.
fn secret_fields(node: &Node, name: &str, attribute: &str, out: &mut Findings) {
    match &node.value {
        Value::Map(map) => {
            map.entries().iter().for_each(|entry| secret_fields(&entry.node, &entry.key, attribute, out));
        }
        Value::List(items) => items.iter().for_each(|item| secret_fields(item, name, attribute, out)),
        Value::String(text) if is_secret_name(name) && !looks_like_placeholder(text) => {
            let message = format!("{name} in {attribute} is written out in the code, wanted a value from elsewhere");
            out.fail(node, attribute, message).holds(text);
        }
        _ => {}
    }
}
