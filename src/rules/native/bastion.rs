//! Checks of machines: what their start-up script gives away, and bastions that are reached through Session Manager.

use std::borrow::Cow;

use base64::Engine;

use super::groups::is_bastion;
use super::{Cx, Findings, Native};
use crate::model::json::from_json;
use crate::model::view::iam::{document, statements};
use crate::model::{Lookup, Node, Resource, ResourceId, Value};
use crate::secret::{find, is_literal_secret, is_secret_name};
use crate::settings_yaml;
use crate::source::Span;

/// The checks by name.
pub const CHECKS: &[(&str, Native)] = &[
    (
        "aws-ec2-secret-in-user-data",
        Native::Resource("terraform", &["aws_instance", "aws_launch_template", "aws_launch_configuration"], user_data),
    ),
    ("aws-ec2-key-pair", Native::Resource("terraform", &["aws_instance"], key_pair)),
    ("aws-ec2-bastion-without-ssm", Native::Resource("terraform", &["aws_instance"], without_ssm)),
    ("aws-ssm-session-without-logging", Native::Resource("terraform", &["aws_ssm_document"], session_log)),
    ("aws-ssm-unencrypted-session", Native::Resource("terraform", &["aws_ssm_document"], session_key)),
];

/// Managed policies with which the agent of Systems Manager can register.
const AGENT_POLICIES: &[&str] = &["AmazonSSMManagedInstanceCore", "AmazonSSMManagedEC2InstanceDefaultPolicy"];

fn user_data(cx: &Cx, _: ResourceId, machine: &Resource, out: &mut Findings) {
    for attribute in ["user_data", "user_data_base64"] {
        let (Lookup::Known(node) | Lookup::Unknown(node)) = machine.body.get(attribute) else { continue };
        let text = match &node.value {
            Value::String(text) => text,
            Value::Unknown(unknown) => match &unknown.template {
                Some(text) => text,
                None => continue,
            },
            _ => continue,
        };
        let decoded = base64::engine::general_purpose::STANDARD.decode(text.trim()).ok();
        let script = decoded.and_then(|bytes| String::from_utf8(bytes).ok()).unwrap_or_else(|| text.to_string());
        let known = find(&script).into_iter().filter_map(|hit| Some((script.get(hit.start..hit.end)?, hit.what)));
        for (secret, what) in known.chain(assignments(&script)) {
            let message =
                format!("{attribute} holds {what}, wanted a reference to a secret that the machine reads itself");
            // The script is long; the line to mend is the one with the secret, if it is written here.
            let source = cx.sources.slice(node.span);
            match source.find(secret) {
                Some(offset) => {
                    let start = node.span.start + offset as u32;
                    let at = Span::new(node.span.file, start, start + secret.len() as u32);
                    out.at(at, attribute, message).sensitive();
                }
                None => {
                    out.fail(node, attribute, message).holds(secret);
                }
            }
        }
    }
}

/// Values that a script assigns to variables with names of secrets.
fn assignments(script: &str) -> impl Iterator<Item = (&str, &'static str)> {
    script.lines().filter_map(|line| {
        let line = line.trim().trim_start_matches("export ").trim_start_matches("set ");
        let (name, value) = line.split_once('=')?;
        let is_name = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        let value = value.trim().trim_matches(['"', '\'']);
        (is_name && is_secret_name(name) && is_literal_secret(value)).then_some((value, "a secret"))
    })
}

fn key_pair(_: &Cx, _: ResourceId, instance: &Resource, out: &mut Findings) {
    if !is_bastion(instance) {
        return;
    }
    let message = "key_name lets people in by SSH past Session Manager, wanted none";
    match instance.body.get("key_name") {
        Lookup::Known(node) if node.as_str() != Some("") => {
            // A reference to a key pair leads to its name, but the argument is what is to be dropped.
            out.at(node.span, "key_name", message);
        }
        Lookup::Unknown(node) if is_computed(node) => {
            out.at(node.span, "key_name", message);
        }
        Lookup::Unknown(_) => out.undecided(),
        _ => {}
    }
}

/// Whether an unknown value is set by a resource, not left open by a variable.
fn is_computed(node: &Node) -> bool {
    matches!(&node.value, Value::Unknown(unknown) if unknown.not_null)
}

fn without_ssm(cx: &Cx, id: ResourceId, instance: &Resource, out: &mut Findings) {
    if !is_bastion(instance) {
        return;
    }
    let profile = instance.body.get("iam_instance_profile");
    let (Lookup::Known(node) | Lookup::Unknown(node)) = profile else {
        out.at(
            instance.head,
            "iam_instance_profile",
            "has no instance profile, wanted one with Session Manager's policy",
        );
        return;
    };
    let profiles = cx.model.referred(id, "iam_instance_profile", "aws_iam_instance_profile");
    let roles: Vec<ResourceId> =
        profiles.iter().flat_map(|profile| cx.model.referred(*profile, "role", "aws_iam_role")).collect();
    if roles.is_empty() {
        return out.undecided();
    }
    for role in roles {
        match admits_agent(cx, role) {
            Some(true) => {}
            None => out.undecided(),
            Some(false) => {
                let address = &cx.model.resource(role).address;
                let message = format!("the role {address} lacks AmazonSSMManagedInstanceCore, so sessions can't start");
                out.at(node.span, "iam_instance_profile", message);
            }
        }
    }
}

/// Whether a role holds a policy for the agent; None if an unknown one may be it.
fn admits_agent(cx: &Cx, role: ResourceId) -> Option<bool> {
    let is_agents = |arn: &str| AGENT_POLICIES.iter().any(|name| arn.ends_with(&format!("/{name}")));
    let mut is_open = false;
    let mut look = |value: Lookup<'_>, holder: ResourceId, attribute: &str| match value {
        Lookup::Known(node) => node.as_str().is_some_and(is_agents),
        Lookup::Absent(_) => false,
        Lookup::Unknown(_) => {
            let data = cx.model.referred(holder, attribute, "data.aws_iam_policy");
            let known = data.iter().any(|policy| {
                let name = cx.model.resource(*policy).body.get("name").as_str();
                name.is_some_and(|name| AGENT_POLICIES.contains(&name))
            });
            let own = cx.model.referred(holder, attribute, "aws_iam_policy");
            is_open |= data.is_empty() && own.is_empty();
            known || own.iter().any(|policy| speaks_for_agent(cx.model.resource(*policy)))
        }
    };
    let mut found = false;
    for attachment in cx.model.referring(role, "role", "aws_iam_role_policy_attachment") {
        found |= look(cx.model.resource(attachment).body.get("policy_arn"), attachment, "policy_arn");
    }
    let mut managed = Vec::new();
    cx.model.resource(role).body.all("managed_policy_arns[]", &mut managed);
    for value in managed {
        found |= look(value, role, "managed_policy_arns");
    }
    for exclusive in cx.model.referring(role, "role_name", "aws_iam_role_policy_attachments_exclusive") {
        let mut listed = Vec::new();
        cx.model.resource(exclusive).body.all("policy_arns[]", &mut listed);
        for value in listed {
            found |= look(value, exclusive, "policy_arns");
        }
    }
    let inline = cx.model.referring(role, "role", "aws_iam_role_policy");
    found |= inline.iter().any(|policy| speaks_for_agent(cx.model.resource(*policy)));
    if found { Some(true) } else { (!is_open).then_some(false) }
}

/// Whether a policy of one's own lets the agent open channels.
fn speaks_for_agent(policy: &Resource) -> bool {
    let (Lookup::Known(node) | Lookup::Unknown(node)) = policy.body.get("policy") else { return false };
    let Some(document) = document(node) else { return false };
    statements(&document).into_iter().filter(|statement| statement.allows()).any(|statement| {
        let actions = statement.values("Action");
        actions.iter().filter_map(|action| action.as_str()).any(|action| action.starts_with("ssmmessages:"))
    })
}

/// The inputs of a document with Session Manager's preferences, or the place where they should be.
fn inputs(document_resource: &Resource, out: &mut Findings, check: impl FnOnce(&Node, &Node, &mut Findings)) {
    match document_resource.body.get("document_type") {
        Lookup::Known(kind) if kind.as_str() == Some("Session") => {}
        Lookup::Unknown(_) => return out.undecided(),
        _ => return,
    }
    let (Lookup::Known(node) | Lookup::Unknown(node)) = document_resource.body.get("content") else { return };
    let is_yaml = document_resource.body.get("document_format").as_str() == Some("YAML");
    let parsed = match node.as_str() {
        Some(text) if is_yaml => match settings_yaml::read::<serde_json::Value>(text) {
            Ok(value) => Some(Cow::Owned(from_json(&value, node.span))),
            Err(_) => None,
        },
        _ => document(node),
    };
    let Some(content) = parsed else { return out.undecided() };
    // Port forwarding and commands have a form of their own.
    let kind = content.get("sessionType").as_str();
    if kind.is_some_and(|kind| !matches!(kind, "Standard_Stream" | "InteractiveCommands" | "NonInteractiveCommands")) {
        return;
    }
    match content.get("inputs") {
        Lookup::Unknown(_) => out.undecided(),
        Lookup::Known(inputs) => check(inputs, node, out),
        Lookup::Absent(_) => check(&content, node, out),
    }
}

/// Whether a text of the preferences is set; None where it is not known. A reference counts as set.
fn is_set(inputs: &Node, name: &str) -> bool {
    match inputs.get(name) {
        Lookup::Known(node) => node.as_str() != Some(""),
        Lookup::Unknown(_) => true,
        Lookup::Absent(_) => false,
    }
}

fn session_log(_: &Cx, _: ResourceId, resource: &Resource, out: &mut Findings) {
    inputs(resource, out, |inputs, content, out| {
        let targets = [
            ("s3BucketName", "s3EncryptionEnabled", "the bucket"),
            ("cloudWatchLogGroupName", "cloudWatchEncryptionEnabled", "the log group"),
        ];
        let used: Vec<_> = targets.iter().filter(|(name, ..)| is_set(inputs, name)).collect();
        if used.is_empty() {
            let message = "content.inputs names neither s3BucketName nor cloudWatchLogGroupName, wanted one";
            out.at(content.span, "content.inputs", message);
        }
        for (_, flag, what) in used {
            // Both flags are true unless they are switched off.
            if let Lookup::Known(node) = inputs.get(flag)
                && node.as_bool() == Some(false)
            {
                let attribute = format!("content.inputs.{flag}");
                out.fail(node, &attribute, format!("{attribute} is false: {what} takes the log unencrypted"));
            }
        }
    });
}

fn session_key(_: &Cx, _: ResourceId, resource: &Resource, out: &mut Findings) {
    inputs(resource, out, |inputs, content, out| {
        if !is_set(inputs, "kmsKeyId") {
            let node = inputs.get("kmsKeyId").known().unwrap_or(content);
            let message = "content.inputs.kmsKeyId is not set, wanted a KMS key that encrypts the session";
            out.at(node.span, "content.inputs.kmsKeyId", message);
        }
    });
}
