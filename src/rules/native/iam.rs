//! Checks of IAM policy documents.

use super::{Cx, Findings, Native};
use crate::model::view::iam::{Statement, document, statements};
use crate::model::{Lookup, Node, Resource, ResourceId, Value};

/// Policies of identities: what their holders may do.
pub(super) const IDENTITY: &[&str] = &[
    "aws_iam_policy",
    "aws_iam_role_policy",
    "aws_iam_user_policy",
    "aws_iam_group_policy",
    "aws_ssoadmin_permission_set_inline_policy",
    "aws_iam_role",
    "data.aws_iam_policy_document",
];

/// Roles, for their trust policies.
const ROLES: &[&str] = &["aws_iam_role"];

/// Bucket policies, on their own and inline.
const BUCKETS: &[&str] = &["aws_s3_bucket_policy", "aws_s3_bucket"];

/// The checks by name.
pub const CHECKS: &[(&str, Native)] = &[
    ("aws-iam-admin-policy", Native::Resource("terraform", IDENTITY, admin)),
    ("aws-iam-wildcard-action", Native::Resource("terraform", IDENTITY, wildcard_action)),
    ("aws-iam-service-wildcard-action", Native::Resource("terraform", IDENTITY, service_wildcard)),
    ("aws-iam-wildcard-resource", Native::Resource("terraform", IDENTITY, wildcard_resource)),
    ("aws-iam-unfiltered-passrole", Native::Resource("terraform", IDENTITY, passrole)),
    ("aws-iam-role-assumable-by-anyone", Native::Resource("terraform", ROLES, assumable)),
    ("aws-iam-github-oidc-unpinned-subject", Native::Resource("terraform", ROLES, github_subject)),
    ("aws-iam-github-oidc-missing-audience", Native::Resource("terraform", ROLES, github_audience)),
    ("aws-iam-irsa-unpinned-subject", Native::Resource("terraform", ROLES, irsa_subject)),
    ("aws-s3-public-policy", Native::Resource("terraform", BUCKETS, public_bucket)),
    ("aws-s3-plaintext-requests", Native::Resource("terraform", BUCKETS, plaintext_bucket)),
    ("aws-ecs-shared-task-role", Native::Resource("terraform", &["aws_ecs_task_definition"], shared_task_role)),
];

/// Actions that IAM can't limit to resources, by AWS's service authorization reference: those that only list or describe, and
/// these.
const UNLIMITED: &[&str] = &[
    "ecr:getauthorizationtoken",
    "ecr-public:getauthorizationtoken",
    "sts:getcalleridentity",
    "sts:getservicebearertoken",
    "cloudwatch:putmetricdata",
    "xray:puttracesegments",
    "xray:puttelemetryrecords",
    "xray:getsamplingrules",
    "xray:getsamplingtargets",
    "ec2:createnetworkinterface",
    "ec2:deletenetworkinterface",
    "s3:listallmybuckets",
    "kms:createkey",
    "kms:listaliases",
    "iam:listroles",
    "logs:describeloggroups",
    "ssm:updateinstanceinformation",
    "secretsmanager:getrandompassword",
    "tag:getresources",
    "route53:listhostedzones",
    "acm:listcertificates",
];

/// Calls `check` with each statement of the identity policies that a resource holds.
pub(super) fn identity(
    resource: &Resource,
    out: &mut Findings,
    mut check: impl FnMut(Statement<'_>, &str, &mut Findings),
) {
    let body = &resource.body;
    let mut judge = |node: &Node, attribute: &str, out: &mut Findings| match document(node) {
        Some(document) => allowing(&document, out)
            .into_iter()
            .filter(|statement| statement.principals().is_empty())
            .for_each(|statement| {
                let known = out.found.len();
                check(statement, attribute, out);
                for found in &mut out.found[known..] {
                    found.in_rule(statement.body);
                }
                if out.found.len() == known && statement.body.get("Action").is_unknown() {
                    out.undecided();
                }
            }),
        None if node.is_unknown() => out.undecided(),
        None => {}
    };
    match &*resource.kind {
        "data.aws_iam_policy_document" => {
            if let Lookup::Known(node) | Lookup::Unknown(node) = body.get("json") {
                judge(node, "statement", out);
            }
        }
        "aws_iam_role" => {
            for policy in body.get("inline_policy").items() {
                if let Lookup::Known(node) | Lookup::Unknown(node) = policy.get("policy") {
                    judge(node, "inline_policy.policy", out);
                }
            }
        }
        kind => {
            let attribute =
                if kind == "aws_ssoadmin_permission_set_inline_policy" { "inline_policy" } else { "policy" };
            if let Lookup::Known(node) | Lookup::Unknown(node) = body.get(attribute) {
                judge(node, attribute, out);
            }
        }
    }
}

/// The statements of a document that allow; those that may do so are undecided.
pub(super) fn allowing<'a>(document: &'a Node, out: &mut Findings) -> Vec<Statement<'a>> {
    let mut all = statements(document);
    if all.iter().any(|statement| statement.is_undecided()) {
        out.undecided();
    }
    all.retain(|statement| statement.allows());
    all
}

/// Calls `check` with each statement of a document that allows.
pub(super) fn each(document: &Node, out: &mut Findings, mut check: impl FnMut(Statement<'_>, &mut Findings)) {
    for statement in allowing(document, out) {
        let known = out.found.len();
        check(statement, out);
        for found in &mut out.found[known..] {
            found.in_rule(statement.body);
        }
    }
}

pub(super) fn text(node: &Node) -> &str {
    node.as_str().unwrap_or("")
}

fn is_any(node: &Node) -> bool {
    matches!(text(node), "*" | "*:*")
}

fn admin(_: &Cx, _: ResourceId, resource: &Resource, out: &mut Findings) {
    identity(resource, out, |statement, attribute, out| {
        let everywhere = statement.values("Resource").into_iter().any(|node| text(node) == "*");
        if let Some(action) = statement.values("Action").into_iter().find(|node| is_any(node))
            && everywhere
        {
            out.fail(
                action,
                attribute,
                format!("{attribute} allows every action on every resource, wanted those that are needed"),
            );
        }
    });
}

pub(super) fn wildcard_action(_: &Cx, _: ResourceId, resource: &Resource, out: &mut Findings) {
    identity(resource, out, |statement, attribute, out| {
        if let Some(action) = statement.values("Action").into_iter().find(|node| is_any(node)) {
            out.fail(action, attribute, format!("{attribute} allows the action \"*\", wanted named actions"));
        }
    });
}

pub(super) fn service_wildcard(_: &Cx, _: ResourceId, resource: &Resource, out: &mut Findings) {
    identity(resource, out, |statement, attribute, out| {
        for action in statement.values("Action") {
            if text(action).ends_with(":*") && text(action) != "*:*" {
                let message = format!("{attribute} allows {:?}, wanted named actions", text(action));
                out.fail(action, attribute, message);
            }
        }
    });
}

fn wildcard_resource(_: &Cx, _: ResourceId, resource: &Resource, out: &mut Findings) {
    identity(resource, out, |statement, attribute, out| {
        let Some(everywhere) = statement.values("Resource").into_iter().find(|node| text(node) == "*") else { return };
        let limited = statement.values("Action").into_iter().find(|node| can_be_limited(text(node)));
        let is_conditioned = statement.conditions().next().is_some();
        if let Some(action) = limited
            && !is_conditioned
        {
            let message = format!("{attribute} allows {:?} on the resource \"*\", wanted ARNs", text(action));
            out.fail(everywhere, attribute, message);
        }
    });
}

/// Whether an action can be limited to resources. Listing and describing mostly can't.
fn can_be_limited(action: &str) -> bool {
    let action = action.to_lowercase();
    let Some((service, name)) = action.split_once(':') else { return false };
    let only_looks = ["list", "describe"].iter().any(|verb| name.starts_with(verb));
    !(only_looks
        || UNLIMITED.contains(&action.as_str())
        || matches!(service, "ssmmessages" | "ec2messages" | "ce" | "sts"))
}

fn passrole(_: &Cx, _: ResourceId, resource: &Resource, out: &mut Findings) {
    identity(resource, out, |statement, attribute, out| {
        let passes = statement.values("Action").into_iter().any(|node| text(node).eq_ignore_ascii_case("iam:PassRole"));
        let filtered = statement.conditions().any(|(_, key, _)| key.eq_ignore_ascii_case("iam:PassedToService"));
        let everywhere =
            statement.values("Resource").into_iter().find(|node| text(node) == "*" || text(node).ends_with(":role/*"));
        if let Some(node) = everywhere
            && passes
            && !filtered
        {
            out.fail(
                node,
                attribute,
                format!("{attribute} allows iam:PassRole for every role, wanted the roles that are passed"),
            );
        }
    });
}

/// Calls `check` with each allowing statement of a role's trust policy.
pub(super) fn trust(resource: &Resource, out: &mut Findings, check: impl FnMut(Statement<'_>, &mut Findings)) {
    match resource.body.get("assume_role_policy") {
        Lookup::Known(node) | Lookup::Unknown(node) => match document(node) {
            Some(document) => each(&document, out, check),
            None => out.undecided(),
        },
        Lookup::Absent(_) => {}
    }
}

/// Conditions that narrow who a statement with principal `*` speaks of.
pub(super) fn is_narrowed(statement: Statement<'_>) -> bool {
    const KEYS: &[&str] =
        &["aws:principal", "aws:source", "aws:calledvia", "aws:viaaws", "sts:externalid", "s3:dataaccesspoint"];
    statement.conditions().any(|(_, key, _)| {
        let key = key.to_lowercase();
        KEYS.iter().any(|known| key.starts_with(known))
    })
}

pub(super) fn anyone<'a>(statement: Statement<'a>) -> Option<&'a Node> {
    let principals = statement.principals();
    principals.into_iter().find(|(kind, node)| matches!(*kind, "*" | "AWS") && text(node) == "*").map(|(_, node)| node)
}

fn assumable(_: &Cx, _: ResourceId, resource: &Resource, out: &mut Findings) {
    trust(resource, out, |statement, out| {
        if let Some(node) = anyone(statement)
            && !is_narrowed(statement)
        {
            out.fail(
                node,
                "assume_role_policy",
                "assume_role_policy lets \"*\" assume the role, wanted named principals",
            );
        }
    });
}

/// The federated principal of a statement whose text holds `part`.
fn federated<'a>(statement: Statement<'a>, part: &str) -> Option<&'a Node> {
    let holds = |node: &Node| match &node.value {
        Value::String(text) => text.contains(part),
        Value::Unknown(unknown) => unknown.template.as_ref().is_some_and(|text| text.contains(part)),
        _ => false,
    };
    statement.principals().into_iter().find(|(kind, node)| *kind == "Federated" && holds(node)).map(|(_, node)| node)
}

fn values(node: &Node) -> Vec<&Node> {
    match &node.value {
        Value::List(items) => items.iter().collect(),
        _ => vec![node],
    }
}

const GITHUB: &str = "token.actions.githubusercontent.com";

fn github_subject(_: &Cx, _: ResourceId, resource: &Resource, out: &mut Findings) {
    trust(resource, out, |statement, out| {
        let speaks_of_github = || statement.conditions().any(|(_, key, _)| key.starts_with(GITHUB));
        let by_condition =
            || statement.principals().into_iter().map(|(_, node)| node).next().filter(|_| speaks_of_github());
        let Some(principal) = federated(statement, GITHUB).or_else(by_condition) else { return };
        let subjects: Vec<&Node> = statement
            .conditions()
            .filter(|(_, key, _)| key.ends_with(":sub"))
            .flat_map(|(_, _, node)| values(node))
            .collect();
        if subjects.is_empty() {
            let message = "assume_role_policy lets every GitHub workflow assume the role, wanted a condition on :sub";
            out.fail(principal, "assume_role_policy", message);
        }
        for subject in subjects {
            if subject.is_unknown() {
                out.undecided();
            } else if !pins_repository(text(subject)) {
                let message = format!(
                    "assume_role_policy accepts the subject {:?}, wanted repo:ORGANIZATION/REPOSITORY:…",
                    text(subject)
                );
                out.fail(subject, "assume_role_policy", message);
            }
        }
    });
}

/// `repo:ORG/REPO:…` without a wildcard in organization or repository.
fn pins_repository(subject: &str) -> bool {
    let Some(rest) = subject.strip_prefix("repo:") else { return false };
    let Some((organization, rest)) = rest.split_once('/') else { return false };
    let repository = rest.split(':').next().unwrap_or("");
    !organization.is_empty()
        && !repository.is_empty()
        && !organization.contains(['*', '?'])
        && !repository.contains(['*', '?'])
}

fn github_audience(_: &Cx, _: ResourceId, resource: &Resource, out: &mut Findings) {
    trust(resource, out, |statement, out| {
        let Some(principal) = federated(statement, GITHUB) else { return };
        if !statement.conditions().any(|(_, key, _)| key.ends_with(":aud")) {
            let message = "assume_role_policy has no condition on :aud, wanted sts.amazonaws.com";
            out.fail(principal, "assume_role_policy", message);
        }
    });
}

fn irsa_subject(_: &Cx, _: ResourceId, resource: &Resource, out: &mut Findings) {
    trust(resource, out, |statement, out| {
        let Some(principal) = federated(statement, "oidc.eks.") else { return };
        let mut subjects = statement.conditions().filter(|(_, key, _)| key.ends_with(":sub")).peekable();
        if subjects.peek().is_none() {
            let message =
                "assume_role_policy lets every pod of the cluster assume the role, wanted a condition on :sub";
            out.fail(principal, "assume_role_policy", message);
        }
        for subject in subjects.flat_map(|(_, _, node)| values(node)) {
            if text(subject).contains('*') {
                let message =
                    format!("assume_role_policy accepts {:?}, wanted one namespace and service account", text(subject));
                out.fail(subject, "assume_role_policy", message);
            }
        }
    });
}

fn bucket_policy(resource: &Resource) -> Option<&Node> {
    match resource.body.get("policy") {
        Lookup::Known(node) | Lookup::Unknown(node) => Some(node),
        Lookup::Absent(_) => None,
    }
}

pub(super) fn public_bucket(_: &Cx, _: ResourceId, resource: &Resource, out: &mut Findings) {
    let Some(policy) = bucket_policy(resource) else { return };
    let Some(document) = document(policy) else { return out.undecided() };
    for statement in allowing(&document, out) {
        if let Some(node) = anyone(statement)
            && !is_narrowed(statement)
        {
            out.fail(
                node,
                "policy",
                "policy allows the principal \"*\", wanted named principals or a narrowing condition",
            );
        }
    }
}

fn plaintext_bucket(_: &Cx, _: ResourceId, resource: &Resource, out: &mut Findings) {
    let Some(policy) = bucket_policy(resource) else { return };
    let Some(document) = document(policy) else { return out.undecided() };
    let refuses = statements(&document).into_iter().any(|statement| {
        let wanted = if statement.allows() { "true" } else { "false" };
        statement.conditions().any(|(_, key, node)| {
            key.eq_ignore_ascii_case("aws:SecureTransport")
                && values(node).iter().any(|node| node.as_bool() == (wanted == "true").into())
        })
    });
    if !refuses {
        out.fail(
            policy,
            "policy",
            "policy answers requests without TLS, wanted a Deny when aws:SecureTransport is false",
        );
    }
}

fn shared_task_role(cx: &Cx, id: ResourceId, resource: &Resource, out: &mut Findings) {
    let target = |attribute: &str| -> Vec<ResourceId> {
        cx.model
            .graph
            .outgoing(id)
            .iter()
            .filter(|edge| &*edge.attribute == attribute && &*cx.model.resource(edge.to).kind == "aws_iam_role")
            .map(|edge| edge.to)
            .collect()
    };
    let (Lookup::Known(task) | Lookup::Unknown(task)) = resource.body.get("task_role_arn") else { return };
    let execution = resource.body.get("execution_role_arn");
    let same_text = task.as_str().is_some() && task.as_str() == execution.as_str();
    let (a, b) = (target("task_role_arn"), target("execution_role_arn"));
    if same_text || (!a.is_empty() && a == b) {
        out.fail(task, "task_role_arn", "task_role_arn is the execution role too, wanted a role of its own");
    }
}
