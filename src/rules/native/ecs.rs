//! Checks of ECS: what containers declare, who audits shells in them, what their number follows.

use super::compose::mounts::is_socket;
use super::compose::{DANGEROUS, capability, is_host_device, turned_off};
use super::containers::tasks;
use super::{Cx, Findings, Native, show};
use crate::model::{Lookup, Node, Resource, ResourceId};

/// The checks by name.
pub const CHECKS: &[(&str, Native)] = &[
    ("aws-ecs-container-missing-user", Native::Project(missing_user)),
    ("aws-ecs-dangerous-capability", Native::Project(dangerous_capability)),
    ("aws-ecs-host-device", Native::Project(host_device)),
    ("aws-ecs-confinement-disabled", Native::Project(confinement)),
    ("aws-ecs-docker-socket", Native::Project(docker_socket)),
    ("aws-ecs-container-without-logs", Native::Project(without_logs)),
    ("aws-ecs-exec-without-audit", Native::Resource("terraform", &["aws_ecs_service"], exec_audit)),
    (
        "aws-ecs-autoscaling-without-cpu-target",
        Native::Resource("terraform", TARGETS, |cx, id, target, out| scales_on(cx, id, target, CPU, out)),
    ),
    (
        "aws-ecs-autoscaling-without-memory-target",
        Native::Resource("terraform", TARGETS, |cx, id, target, out| scales_on(cx, id, target, MEMORY, out)),
    ),
    ("aws-ecs-autoscaling-without-headroom", Native::Resource("terraform", TARGETS, headroom)),
    ("aws-ecs-admin-role", Native::Resource("terraform", &["aws_ecs_service"], admin_role)),
    ("aws-rds-cluster-single-zone", Native::Resource("terraform", &["aws_rds_cluster"], single_zone)),
];

const TARGETS: &[&str] = &["aws_appautoscaling_target"];

fn missing_user(cx: &Cx, out: &mut Findings) {
    tasks(cx, out, |task, definition, out| {
        let families = task.body.at("runtime_platform.operating_system_family").as_str();
        // Windows has no root user to fall back to.
        if families.is_some_and(|family| family.starts_with("WINDOWS")) {
            return;
        }
        let user = definition.get("user");
        if user.is_absent() || user.as_str() == Some("") {
            out.at(
                head(definition),
                "container_definitions.user",
                "user is not set and defaults to that of the image, root if it names none; wanted an unprivileged user",
            );
        }
    });
}

/// Where a container's missing field is reported.
fn head(definition: &Node) -> crate::source::Span {
    definition.get("name").known().map_or(definition.span, |name| name.span)
}

/// The texts of a list, in which an unknown one is counted.
fn texts<'a>(definition: &'a Node, path: &str, out: &mut Findings) -> Vec<(&'a Node, &'a str)> {
    let found = definition.at(path);
    if found.is_unknown() || found.known().is_some_and(Node::has_unknown) {
        out.undecided();
    }
    let items = found.items();
    items.iter().filter_map(|node| Some((node, node.as_str()?))).collect()
}

fn dangerous_capability(cx: &Cx, out: &mut Findings) {
    tasks(cx, out, |_, definition, out| {
        for (node, _) in texts(definition, "linuxParameters.capabilities.add", out) {
            let name = capability(node);
            if DANGEROUS.contains(&name.as_str()) {
                let message =
                    format!("capabilities.add holds {name}, which leads out of the container, wanted a narrower one");
                out.fail(node, "container_definitions.linuxParameters.capabilities.add", message);
            }
        }
    });
}

fn host_device(cx: &Cx, out: &mut Findings) {
    tasks(cx, out, |_, definition, out| {
        let devices = definition.at("linuxParameters.devices").items();
        for node in devices.iter().filter_map(|device| device.get("hostPath").known()) {
            if let Some(path) = node.as_str().filter(|path| is_host_device(path)) {
                let message =
                    format!("{path} of the host is given to the container, wanted no disk or memory of the host");
                out.fail(node, "container_definitions.linuxParameters.devices", message);
            }
        }
    });
}

fn confinement(cx: &Cx, out: &mut Findings) {
    tasks(cx, out, |_, definition, out| {
        for (node, text) in texts(definition, "dockerSecurityOptions", out) {
            let off = turned_off(text);
            if let Some(name) = off.filter(|name| matches!(*name, "seccomp" | "apparmor" | "label")) {
                let message =
                    format!("dockerSecurityOptions turns {name} off, wanted the default or a profile of its own");
                out.fail(node, "container_definitions.dockerSecurityOptions", message);
            }
        }
    });
}

/// A volume of the task that is the socket of the container runtime, where a container mounts it.
fn docker_socket(cx: &Cx, out: &mut Findings) {
    tasks(cx, out, |task, definition, out| {
        let mounts = definition.get("mountPoints").items();
        let mut volumes = Vec::new();
        task.body.all("volume[]", &mut volumes);
        for volume in volumes.into_iter().filter_map(Lookup::known) {
            let text = |key: &str| volume.get(key).as_str();
            let is_mounted = mounts
                .iter()
                .any(|mount| mount.get("sourceVolume").as_str().is_some_and(|name| Some(name) == text("name")));
            if let (Some(path), Lookup::Known(node), true) = (text("host_path"), volume.get("host_path"), is_mounted)
                && is_socket(path)
            {
                let message =
                    format!("{path} is mounted: with it the container is root on the host, wanted no runtime socket");
                out.fail(node, "volume.host_path", message);
            }
        }
    });
}

fn without_logs(cx: &Cx, out: &mut Findings) {
    tasks(cx, out, |_, definition, out| {
        // A log router writes its own log through the one it runs.
        let is_router = !definition.get("firelensConfiguration").is_absent();
        if definition.get("logConfiguration").is_absent() && !is_router {
            let message = "logConfiguration is not set: what the container writes is lost, wanted a log driver";
            out.at(head(definition), "container_definitions.logConfiguration", message);
        }
    });
}

fn exec_audit(cx: &Cx, id: ResourceId, service: &Resource, out: &mut Findings) {
    let node = match service.body.get("enable_execute_command") {
        Lookup::Known(node) if node.as_bool() == Some(true) => node,
        Lookup::Unknown(_) => return out.undecided(),
        _ => return,
    };
    let clusters = cx.model.referred(id, "cluster", "aws_ecs_cluster");
    if clusters.is_empty() {
        return out.undecided();
    }
    for cluster in clusters {
        let cluster = cx.model.resource(cluster);
        // Logging that is switched off has a rule of its own, at the cluster.
        match cluster.body.at("configuration.execute_command_configuration") {
            Lookup::Known(_) => {}
            Lookup::Unknown(_) => out.undecided(),
            Lookup::Absent(_) => {
                let message = format!(
                    "enable_execute_command is true, but {} has no execute_command_configuration that logs sessions",
                    cluster.address
                );
                out.fail(node, "enable_execute_command", message).related(cluster.head, "the cluster");
            }
        }
    }
}

/// What an ECS service may scale on.
#[derive(Clone, Copy)]
struct Metric {
    predefined: &'static str,
    custom: &'static str,
    /// Above this the policy acts too late to matter; by the reference systems.
    limit: f64,
}

const CPU: Metric = Metric { predefined: "ECSServiceAverageCPUUtilization", custom: "CPUUtilization", limit: 80.0 };
const MEMORY: Metric =
    Metric { predefined: "ECSServiceAverageMemoryUtilization", custom: "MemoryUtilization", limit: 100.0 };

/// Policies and schedules of a target: those that refer to it, and those that name the same service as it does.
fn policies<'a>(cx: &Cx<'a>, id: ResourceId, target: &Resource, kind: &str) -> Vec<&'a Resource> {
    let service = cx.model.referred(id, "resource_id", "aws_ecs_service");
    let name = target.body.get("resource_id").as_str();
    let candidates = cx.model.iter().filter(|(_, one)| &*one.kind == kind && one.root == target.root);
    candidates
        .filter(|(policy, one)| {
            let edges = cx.model.graph.outgoing(*policy);
            let same_name = name.is_some() && one.body.get("resource_id").as_str() == name;
            same_name
                || edges.iter().any(|edge| edge.to == id)
                || edges.iter().any(|edge| &*edge.attribute == "resource_id" && service.contains(&edge.to))
        })
        .map(|(_, one)| one)
        .collect()
}

fn scales_on(cx: &Cx, id: ResourceId, target: &Resource, metric: Metric, out: &mut Findings) {
    if !is_ecs(target, out) {
        return;
    }
    let policies = policies(cx, id, target, "aws_appautoscaling_policy");
    let mut is_open = false;
    let mut late = None;
    for policy in &policies {
        let body = &policy.body;
        let kind = body.get("policy_type").as_str().unwrap_or("StepScaling");
        let configuration = "target_tracking_scaling_policy_configuration";
        if kind != "TargetTrackingScaling" {
            // Steps follow an alarm on any metric.
            is_open = true;
            continue;
        }
        let predefined = body.at(&format!("{configuration}.predefined_metric_specification.predefined_metric_type"));
        let custom = body.at(&format!("{configuration}.customized_metric_specification.metric_name"));
        is_open |= predefined.is_unknown() || custom.is_unknown();
        let text = |lookup: Lookup<'_>| lookup.as_str().map(str::to_string);
        if text(predefined).as_deref() != Some(metric.predefined) && text(custom).as_deref() != Some(metric.custom) {
            continue;
        }
        match body.at(&format!("{configuration}.target_value")) {
            Lookup::Known(node) if node.as_f64().is_some_and(|value| value > metric.limit) => late = Some(node),
            _ => return,
        }
    }
    if let Some(node) = late {
        let message = format!("target_value is {}, wanted at most {}", show(node), metric.limit);
        out.fail(node, "target_tracking_scaling_policy_configuration.target_value", message);
    } else if is_open {
        out.undecided();
    } else if policies.is_empty() && !self::policies(cx, id, target, "aws_appautoscaling_scheduled_action").is_empty() {
        // Scaling by the clock is a choice too.
    } else {
        out.at(target.head, "", format!("no target-tracking policy on {} is linked to it", metric.predefined));
    }
}

fn is_ecs(target: &Resource, out: &mut Findings) -> bool {
    let namespace = target.body.get("service_namespace");
    if namespace.is_unknown() {
        out.undecided();
    }
    namespace.as_str() == Some("ecs")
}

fn headroom(_: &Cx, _: ResourceId, target: &Resource, out: &mut Findings) {
    if !is_ecs(target, out) {
        return;
    }
    let (least, most) = (target.body.get("min_capacity"), target.body.get("max_capacity"));
    let (Some(from), Some(to)) = (least.known(), most.known()) else { return out.undecided() };
    let (Some(from_number), Some(to_number)) = (from.as_f64(), to.as_f64()) else { return };
    if to_number <= from_number {
        let message = format!("max_capacity is {}, wanted more than min_capacity {}", show(to), show(from));
        out.fail(to, "max_capacity", message);
    } else if from_number < 1.0 {
        out.fail(from, "min_capacity", format!("min_capacity is {}, wanted at least 1", show(from)));
    }
}

/// A service's role by its name, or by what is attached to it.
fn admin_role(cx: &Cx, id: ResourceId, service: &Resource, out: &mut Findings) {
    let (Lookup::Known(node) | Lookup::Unknown(node)) = service.body.get("iam_role") else { return };
    let by_name = |name: &str| name.to_lowercase().contains("admin");
    let is_admin = |role: &ResourceId| {
        let resource = cx.model.resource(*role);
        let attached = cx.model.referring(*role, "role", "aws_iam_role_policy_attachment");
        let is_admins = |id: &ResourceId| {
            let arn = cx.model.resource(*id).body.get("policy_arn").as_str();
            arn.is_some_and(|arn| arn.ends_with(":policy/AdministratorAccess"))
        };
        by_name(&resource.name) || attached.iter().any(is_admins)
    };
    let roles = cx.model.referred(id, "iam_role", "aws_iam_role");
    if node.as_str().is_some_and(by_name) || roles.iter().any(is_admin) {
        out.fail_at_choice(
            node,
            "iam_role",
            "iam_role is an administrator's role, wanted one for the load balancer only",
        );
    }
}

fn single_zone(cx: &Cx, id: ResourceId, cluster: &Resource, out: &mut Findings) {
    let engine = match cluster.body.get("engine") {
        Lookup::Known(node) => node.as_str().unwrap_or(""),
        Lookup::Unknown(_) => return out.undecided(),
        Lookup::Absent(_) => "aurora",
    };
    let mode = cluster.body.get("engine_mode").as_str();
    // Multi-AZ clusters of other engines and Aurora Serverless v1 bring their own instances.
    if !engine.starts_with("aurora") || mode == Some("serverless") {
        return;
    }
    let instances = cx.model.referring(id, "cluster_identifier", "aws_rds_cluster_instance");
    let is_unknown = |id: &ResourceId| {
        let body = &cx.model.resource(*id).body;
        body.get("count").is_unknown() || body.get("for_each").is_unknown()
    };
    if instances.iter().any(is_unknown) {
        return out.undecided();
    }
    if instances.len() < 2 {
        let message = format!("{} aws_rds_cluster_instance belongs to it, wanted two or more", instances.len());
        let message = message.replace("0 aws_rds_cluster_instance belongs", "no aws_rds_cluster_instance belongs");
        out.at(cluster.head, "", message);
    }
}
