//! Checks of what policies allow: sets of actions that lead to more rights, secrets or data, and policies open to everybody.

use super::iam::{IDENTITY, allowing, anyone, each, identity, is_narrowed, text, trust};

use super::{Cx, Findings, Native};
use crate::model::view::iam::{self, Statement, document};
use crate::model::{Lookup, Node, Resource, ResourceId};
use crate::secret::is_secret_name;

/// The checks by name.
pub const CHECKS: &[(&str, Native)] = &[
    ("aws-iam-full-iam-access", Native::Resource("terraform", IDENTITY, full_iam)),
    ("aws-iam-full-s3-access", Native::Resource("terraform", IDENTITY, full_s3)),
    ("aws-iam-privilege-escalation", Native::Resource("terraform", IDENTITY, escalation)),
    (
        "aws-iam-credential-exposure",
        Native::Resource("terraform", IDENTITY, |_, _, resource, out| {
            unlimited(resource, "gives out credentials", |action| among(CREDENTIALS, action), out);
        }),
    ),
    (
        "aws-iam-data-exfiltration",
        Native::Resource("terraform", IDENTITY, |_, _, resource, out| {
            unlimited(resource, "reads every secret, parameter or object", |action| among(DATA, action), out);
        }),
    ),
    (
        "aws-iam-permissions-management",
        Native::Resource("terraform", IDENTITY, |_, _, resource, out| {
            unlimited(resource, "changes permissions", manages_permissions, out);
        }),
    ),
    (
        "aws-iam-unconstrained-write",
        Native::Resource("terraform", IDENTITY, |_, _, resource, out| unlimited(resource, "writes", writes, out)),
    ),
    ("aws-iam-role-assumable-by-account", Native::Resource("terraform", &["aws_iam_role"], by_account)),
    (
        "aws-iam-policy-any-principal",
        Native::Resource("terraform", &["data.aws_iam_policy_document"], document_for_anyone),
    ),
    (
        "aws-s3-policy-all-actions",
        Native::Resource("terraform", &["aws_s3_bucket_policy", "aws_s3_bucket"], |_, _, resource, out| {
            resource_policy(resource, out, |statement, out| {
                let all = statement.values("Action").into_iter().find(|node| matches!(text(node), "*" | "s3:*"));
                if let Some(node) = all.filter(|_| anyone(statement).is_some() && !is_narrowed(statement)) {
                    out.fail(
                        node,
                        "policy",
                        "policy allows everybody every action, wanted named actions and principals",
                    );
                }
            });
        }),
    ),
    ("aws-kms-public-key-policy", Native::Resource("terraform", &["aws_kms_key", "aws_kms_key_policy"], public)),
    ("aws-sns-public-policy", Native::Resource("terraform", &["aws_sns_topic", "aws_sns_topic_policy"], public)),
    (
        "aws-secretsmanager-public-policy",
        Native::Resource(
            "terraform",
            &["aws_secretsmanager_secret", "aws_secretsmanager_secret_policy"],
            |cx, id, resource, out| {
                public(cx, id, resource, out);
                resource_policy(resource, out, |statement, out| {
                    let all = statement
                        .values("Action")
                        .into_iter()
                        .find(|node| matches!(text(node), "*" | "secretsmanager:*"));
                    if let Some(node) = all.filter(|_| anyone(statement).is_none() && !is_limited(statement)) {
                        out.fail(
                            node,
                            "policy",
                            "policy allows every action on the secret, wanted those that are needed",
                        );
                    }
                });
            },
        ),
    ),
    (
        "aws-ssm-plaintext-secret-parameter",
        Native::Resource("terraform", &["aws_ssm_parameter"], |_, _, parameter, out| {
            let name = parameter.body.get("name").as_str().unwrap_or("");
            let is_secret = is_secret_name(name.rsplit('/').next().unwrap_or(name)) || is_secret_name(&parameter.name);
            match parameter.body.get("type") {
                Lookup::Known(node) if is_secret && text(node) != "SecureString" => {
                    let message = format!("type is {:?} for a secret, wanted \"SecureString\"", text(node));
                    out.fail(node, "type", message);
                }
                Lookup::Unknown(_) if is_secret => out.undecided(),
                _ => {}
            }
        }),
    ),
];

/// Sets of actions with which a holder gives itself more rights; each alone is enough. After AWS's and Rhino Security Labs'
/// published lists.
const ESCALATIONS: &[&[&str]] = &[
    &["iam:CreatePolicyVersion"],
    &["iam:SetDefaultPolicyVersion"],
    &["iam:CreateAccessKey"],
    &["iam:CreateLoginProfile"],
    &["iam:UpdateLoginProfile"],
    &["iam:AttachUserPolicy"],
    &["iam:AttachGroupPolicy"],
    &["iam:AttachRolePolicy"],
    &["iam:PutUserPolicy"],
    &["iam:PutGroupPolicy"],
    &["iam:PutRolePolicy"],
    &["iam:AddUserToGroup"],
    &["iam:UpdateAssumeRolePolicy"],
    &["lambda:UpdateFunctionCode"],
    &["lambda:UpdateFunctionConfiguration"],
    &["glue:UpdateDevEndpoint"],
    &["codestar:CreateProject"],
    &["iam:PassRole", "ec2:RunInstances"],
    &["iam:PassRole", "lambda:CreateFunction", "lambda:InvokeFunction"],
    &["iam:PassRole", "lambda:CreateFunction", "lambda:CreateEventSourceMapping"],
    &["iam:PassRole", "cloudformation:CreateStack"],
    &["iam:PassRole", "glue:CreateDevEndpoint"],
    &["iam:PassRole", "datapipeline:CreatePipeline", "datapipeline:PutPipelineDefinition"],
    &["iam:PassRole", "ecs:RegisterTaskDefinition", "ecs:RunTask"],
    &["iam:PassRole", "sagemaker:CreateNotebookInstance"],
    &["iam:PassRole", "codebuild:CreateProject", "codebuild:StartBuild"],
];

/// Actions whose answer holds credentials.
const CREDENTIALS: &[&str] = &[
    "iam:CreateAccessKey",
    "iam:CreateLoginProfile",
    "iam:CreateServiceSpecificCredential",
    "iam:ResetServiceSpecificCredential",
    "iam:UpdateAccessKey",
    "sts:AssumeRole",
    "sts:AssumeRoleWithSAML",
    "sts:AssumeRoleWithWebIdentity",
    "sts:GetFederationToken",
    "sts:GetSessionToken",
    "redshift:GetClusterCredentials",
    "rds-db:connect",
    "gamelift:RequestUploadCredentials",
    "lightsail:GetInstanceAccessDetails",
    "codepipeline:PollForJobs",
    "cognito-identity:GetCredentialsForIdentity",
    "connect:GetFederationToken",
];

/// Actions whose answer is the data itself.
const DATA: &[&str] = &[
    "s3:GetObject",
    "ssm:GetParameter",
    "ssm:GetParameters",
    "ssm:GetParametersByPath",
    "secretsmanager:GetSecretValue",
];

/// How actions start that change things.
const WRITES: &[&str] = &[
    "create",
    "delete",
    "put",
    "update",
    "modify",
    "attach",
    "detach",
    "add",
    "remove",
    "set",
    "start",
    "stop",
    "run",
    "terminate",
    "write",
    "send",
    "publish",
    "invoke",
    "associate",
    "disassociate",
    "register",
    "deregister",
    "restore",
    "reboot",
    "import",
    "upload",
    "cancel",
    "enable",
    "disable",
    "reset",
    "revoke",
    "authorize",
    "batchwrite",
    "batchdelete",
];

/// Whether an action with wildcards, as in a policy, takes in a named one. Case does not matter to IAM.
fn covers(pattern: &str, action: &str) -> bool {
    iam::covers(&pattern.to_lowercase(), &action.to_lowercase())
}

/// Whether a pattern takes in one of these.
fn among(actions: &[&str], pattern: &str) -> bool {
    actions.iter().any(|action| covers(pattern, action))
}

fn is_all(pattern: &str) -> bool {
    matches!(pattern, "*" | "*:*")
}

fn manages_permissions(action: &str) -> bool {
    let lower = action.to_lowercase();
    let Some((service, name)) = lower.split_once(':') else { return is_all(action) };
    let is_write = WRITES.iter().any(|verb| name.starts_with(verb)) || name.starts_with('*');
    let of_policies = ["policy", "permission", "acl", "grant"].iter().any(|word| name.contains(word));
    match service {
        "iam" => is_write,
        "kms" => matches!(name, "creategrant" | "putkeypolicy" | "retiregrant" | "revokegrant" | "*"),
        _ => is_write && of_policies,
    }
}

fn writes(action: &str) -> bool {
    let lower = action.to_lowercase();
    let Some((service, name)) = lower.split_once(':') else { return is_all(action) };
    // Of these some actions or all can't be limited to a resource.
    let can_be_limited = !matches!(service, "logs" | "xray" | "cloudwatch" | "ec2messages" | "ssmmessages");
    can_be_limited && (name == "*" || WRITES.iter().any(|verb| name.starts_with(verb)))
}

/// Whether a statement speaks of some resources or under some condition only.
fn is_limited(statement: Statement<'_>) -> bool {
    statement.conditions().next().is_some()
}

fn everywhere(statement: Statement<'_>) -> bool {
    statement.values("Resource").into_iter().any(|node| text(node) == "*")
}

/// The first action of each statement on every resource, without condition, that the list holds.
fn unlimited(resource: &Resource, what: &str, is_listed: impl Fn(&str) -> bool, out: &mut Findings) {
    identity(resource, out, |statement, attribute, out| {
        if !everywhere(statement) || is_limited(statement) {
            return;
        }
        if let Some(node) = statement.values("Action").into_iter().find(|node| is_listed(text(node))) {
            let message =
                format!("{attribute} allows {:?} on \"*\": it {what}, wanted ARNs or a condition", text(node));
            out.fail(node, attribute, message);
        }
    });
}

fn full_iam(_: &Cx, _: ResourceId, resource: &Resource, out: &mut Findings) {
    identity(resource, out, |statement, attribute, out| {
        let is_full = |action: &str| is_all(action) || action.eq_ignore_ascii_case("iam:*");
        let full = statement.values("Action").into_iter().find(|node| is_full(text(node)));
        if let Some(node) = full.filter(|_| everywhere(statement)) {
            out.fail(node, attribute, format!("{attribute} allows every action of IAM, wanted those that are needed"));
        }
    });
}

fn full_s3(_: &Cx, _: ResourceId, resource: &Resource, out: &mut Findings) {
    identity(resource, out, |statement, attribute, out| {
        let full = statement.values("Action").into_iter().find(|node| text(node).eq_ignore_ascii_case("s3:*"));
        if let Some(node) = full {
            out.fail(node, attribute, format!("{attribute} allows every action of S3, wanted those that are needed"));
        }
    });
}

fn escalation(_: &Cx, _: ResourceId, resource: &Resource, out: &mut Findings) {
    // The actions of a policy count together, whichever statement they stand in.
    let mut allowed: Vec<(String, Node)> = Vec::new();
    let mut at = String::new();
    identity(resource, out, |statement, attribute, _| {
        if everywhere(statement) && !is_limited(statement) {
            at = attribute.to_string();
            let actions = statement.values("Action").into_iter();
            allowed.extend(actions.map(|node| (text(node).to_string(), node.clone())));
        }
    });
    for set in ESCALATIONS {
        let found = set.iter().map(|action| allowed.iter().find(|(pattern, _)| covers(pattern, action)));
        let Some(found) = found.collect::<Option<Vec<_>>>() else { continue };
        let Some((_, node)) = found.first() else { continue };
        let message = format!("{at} allows {} on \"*\": with it its holder gets more rights", set.join(" with "));
        out.fail(node, at.as_str(), message);
        return;
    }
}

fn by_account(_: &Cx, _: ResourceId, role: &Resource, out: &mut Findings) {
    trust(role, out, |statement, out| {
        let is_account = |node: &Node| {
            let text = text(node);
            let is_number = |text: &str| text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit());
            is_number(text) || text.starts_with("arn:") && text.ends_with(":root")
        };
        let account = statement.principals().into_iter().find(|(kind, node)| *kind == "AWS" && is_account(node));
        if let Some((_, node)) = account.filter(|_| !is_limited(statement)) {
            let message = "assume_role_policy lets everything in the account assume the role, wanted named roles";
            out.fail(node, "assume_role_policy", message);
        }
    });
}

/// Kinds whose policies other rules judge, or whose policies are open by design.
const JUDGED: &[&str] = &[
    "aws_iam_role",
    "aws_s3_bucket_policy",
    "aws_s3_bucket",
    "aws_kms_key",
    "aws_kms_key_policy",
    "aws_sns_topic",
    "aws_sns_topic_policy",
    "aws_secretsmanager_secret",
    "aws_secretsmanager_secret_policy",
    "aws_ecr_repository_policy",
    "aws_vpc_endpoint",
];

fn document_for_anyone(cx: &Cx, id: ResourceId, resource: &Resource, out: &mut Findings) {
    if cx.model.graph.incoming(id).iter().any(|edge| JUDGED.contains(&&*cx.model.resource(edge.from).kind)) {
        return;
    }
    let (Lookup::Known(json) | Lookup::Unknown(json)) = resource.body.get("json") else { return };
    let Some(document) = document(json) else { return };
    for statement in allowing(&document, out) {
        if let Some(node) = anyone(statement).filter(|_| !is_limited(statement)) {
            let message = "statement allows the principal \"*\", wanted named principals";
            out.fail(node, "statement.principals", message).in_rule(statement.body);
        }
    }
}

/// Calls `check` with each allowing statement of a policy on a resource.
fn resource_policy(resource: &Resource, out: &mut Findings, check: impl Fn(Statement<'_>, &mut Findings)) {
    let (Lookup::Known(policy) | Lookup::Unknown(policy)) = resource.body.get("policy") else { return };
    let Some(document) = document(policy) else { return out.undecided() };
    each(&document, out, check);
}

fn public(_: &Cx, _: ResourceId, resource: &Resource, out: &mut Findings) {
    resource_policy(resource, out, |statement, out| {
        // Keys have conditions of their own that name callers.
        let by_key = |(_, key, _): (&str, &str, &Node)| {
            matches!(key.to_lowercase().as_str(), "kms:calleraccount" | "kms:viaservice")
        };
        if let Some(node) = anyone(statement).filter(|_| !is_narrowed(statement) && !statement.conditions().any(by_key))
        {
            let message = "policy allows the principal \"*\", wanted named principals or a narrowing condition";
            out.fail(node, "policy", message);
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_covers_what_iam_would_let_it_cover() {
        assert!(covers("iam:*", "iam:PutRolePolicy"));
        assert!(covers("IAM:put*policy", "iam:PutRolePolicy"));
        assert!(covers("s3:Get?bject", "s3:GetObject"));
        assert!(covers("*", "s3:GetObject"));
        assert!(!covers("s3:Get", "s3:GetObject"));
        assert!(!covers("s3:GetObjectAcl", "s3:GetObject"));
        assert!(!covers("s3:*Acl", "s3:GetObject"));
    }
}
