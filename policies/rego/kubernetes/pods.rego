# What the policies about pods share: where a pod's specification stands in each kind of workload, and its containers.
package gate.kubernetes.pods

import rego.v1

paths := {
	"Pod": ["spec"],
	"PodTemplate": ["template", "spec"],
	"Deployment": ["spec", "template", "spec"],
	"DaemonSet": ["spec", "template", "spec"],
	"StatefulSet": ["spec", "template", "spec"],
	"ReplicaSet": ["spec", "template", "spec"],
	"ReplicationController": ["spec", "template", "spec"],
	"Job": ["spec", "template", "spec"],
	"CronJob": ["spec", "jobTemplate", "spec", "template", "spec"],
}

# Every pod specification with the address of its object and its path in it.
specs contains {"resource": resource.address, "path": path, "spec": spec} if {
	some resource in input.resources
	path := paths[resource.type]
	spec := object.get(resource.attrs, path, null)
	is_object(spec)
}

# Every container. Init and ephemeral ones count: they run on the same node with the same rights.
containers contains {
	"resource": pod.resource,
	"path": array.concat(pod.path, [list, index]),
	"pod_path": pod.path,
	"pod": pod.spec,
	"list": list,
	"name": name,
	"container": container,
} if {
	some pod in specs
	some list in ["containers", "initContainers", "ephemeralContainers"]
	is_array(pod.spec[list])
	some index, container in pod.spec[list]
	is_object(container)
	name := sprintf("%v", [object.get(container, "name", index)])
}

# Containers to which Linux security settings apply: a pod for Windows has no capabilities, UIDs or root file system to lock.
linux_containers contains container if {
	some container in containers
	object.get(container.pod, ["os", "name"], "linux") != "windows"
}

# A setting of a container's security context.
setting(container, name) := object.get(container.container, ["securityContext", name], null)

# The same setting of the pod, which holds where the container says nothing.
pod_setting(container, name) := object.get(container.pod, ["securityContext", name], null)

# What is in force, and the path that says so: the container's where nothing says it.
effective(container, name) := {"value": value, "path": path} if {
	value := setting(container, name)
	value != null
	path := array.concat(container.path, ["securityContext", name])
} else := {"value": value, "path": path} if {
	value := pod_setting(container, name)
	value != null
	path := array.concat(container.pod_path, ["securityContext", name])
} else := {"value": null, "path": array.concat(container.path, ["securityContext", name])}

# Both places where such a setting may stand: while one is not known, nothing is decided.
both(container, name) := [
	array.concat(container.path, ["securityContext", name]),
	array.concat(container.pod_path, ["securityContext", name]),
]
