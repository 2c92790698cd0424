//! Checks of web ACLs: the rules that they lack.

use super::{Cx, Findings, Native};
use crate::model::{Lookup, Node, Resource, ResourceId};

/// Web ACLs with their rules inside.
const WEB_ACLS: &[&str] = &["aws_wafv2_web_acl"];

/// The checks by name.
pub const CHECKS: &[(&str, Native)] = &[
    (
        "aws-waf-missing-common-rules",
        Native::Resource("terraform", WEB_ACLS, |cx, id, acl, out| {
            managed_group(cx, id, acl, "AWSManagedRulesCommonRuleSet", out);
        }),
    ),
    (
        "aws-waf-missing-known-bad-inputs-rules",
        Native::Resource("terraform", WEB_ACLS, |cx, id, acl, out| {
            managed_group(cx, id, acl, "AWSManagedRulesKnownBadInputsRuleSet", out);
        }),
    ),
    (
        "aws-waf-missing-sqli-rules",
        Native::Resource("terraform", WEB_ACLS, |cx, id, acl, out| {
            managed_group(cx, id, acl, "AWSManagedRulesSQLiRuleSet", out);
        }),
    ),
    ("aws-waf-missing-rate-limit", Native::Resource("terraform", WEB_ACLS, rate_limit)),
];

/// What one rule does about a threat.
enum Effect<'a> {
    /// It has to do with something else.
    None,
    /// It stops requests.
    Stops,
    /// It, or the part that matters, only counts; the node says so.
    Counts(&'a Node),
    /// An unknown value hides it.
    Open,
}

/// Looks at every rule of a web ACL: silent if one stops requests, else a finding at what only counts or at the head.
fn judge<'a>(acl: &'a Resource, out: &mut Findings, missing: &str, effect: impl Fn(&'a Node) -> Effect<'a>) {
    let rules = match acl.body.get("rule") {
        Lookup::Known(rules) => rules.items(),
        Lookup::Unknown(_) => return out.undecided(),
        Lookup::Absent(_) => &[],
    };
    let mut counts = None;
    // Rules given as JSON are the whole list, in a form of its own.
    let mut is_open = !acl.body.get("rule_json").is_absent();
    for rule in rules {
        match effect(rule) {
            Effect::None => {}
            Effect::Stops => return,
            Effect::Counts(node) => counts = Some(node),
            Effect::Open => is_open = true,
        }
    }
    match counts {
        _ if is_open => out.undecided(),
        Some(node) => {
            out.fail(node, "rule", format!("only counts requests: {missing}"));
        }
        None => {
            out.at(acl.head, "rule", missing);
        }
    }
}

/// Whether a part of a rule is there; a block without arguments is.
fn has(rule: &Node, path: &str) -> bool {
    !rule.at(path).is_absent()
}

fn managed_group(cx: &Cx, id: ResourceId, acl: &Resource, group: &str, out: &mut Findings) {
    let associated = cx.model.graph.incoming(id).iter().map(|edge| cx.model.resource(edge.from)).any(|other| {
        &*other.kind == "aws_wafv2_web_acl_rule_group_association"
            && other.body.at("managed_rule_group.name").as_str() == Some(group)
            && other.body.get("override_action").as_str() != Some("count")
    });
    if associated {
        return;
    }
    let missing = format!("wanted a rule with the managed rule group {group} that is not overridden");
    judge(acl, out, &missing, |rule| {
        match rule.at("statement.managed_rule_group_statement.name") {
            Lookup::Known(name) if name.as_str() == Some(group) => {}
            Lookup::Unknown(_) => return Effect::Open,
            _ => return Effect::None,
        }
        match rule.at("override_action.count") {
            Lookup::Known(count) => return Effect::Counts(count.items().first().unwrap_or(count)),
            Lookup::Unknown(_) => return Effect::Open,
            Lookup::Absent(_) => {}
        }
        match muted(rule, "Log4JRCE") {
            Some(node) => Effect::Counts(node),
            None => Effect::Stops,
        }
    });
}

/// The name of a rule of the group that starts so and is excluded or only counts.
fn muted<'a>(rule: &'a Node, prefix: &str) -> Option<&'a Node> {
    let Lookup::Known(statement) = rule.at("statement.managed_rule_group_statement") else { return None };
    let statement = statement.items().first()?;
    let starts = |node: &&Node| node.as_str().is_some_and(|name| name.starts_with(prefix));
    let blocks = |kind: &str| statement.get(kind).items();
    let excluded = blocks("excluded_rule").iter().filter_map(|block| block.get("name").known());
    let counted = blocks("rule_action_override").iter().filter(|block| has(block, "action_to_use.count"));
    excluded.chain(counted.filter_map(|block| block.get("name").known())).find(starts)
}

fn rate_limit(_: &Cx, _: ResourceId, acl: &Resource, out: &mut Findings) {
    judge(acl, out, "wanted a rule with a rate_based_statement that blocks", |rule| {
        // What a rule group of one's own holds is not looked at.
        if rule.get("statement").is_unknown() || has(rule, "statement.rule_group_reference_statement") {
            return Effect::Open;
        }
        if !has(rule, "statement.rate_based_statement") {
            return Effect::None;
        }
        match rule.at("action.count") {
            Lookup::Known(count) => Effect::Counts(count.items().first().unwrap_or(count)),
            Lookup::Unknown(_) => Effect::Open,
            Lookup::Absent(_)
                if ["block", "captcha", "challenge"].iter().any(|kind| has(rule, &format!("action.{kind}"))) =>
            {
                Effect::Stops
            }
            Lookup::Absent(_) => Effect::None,
        }
    });
}
