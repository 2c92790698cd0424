# Documents for the tests of the policies about pods, and the tests of what these share.
package gate.kubernetes.pods_test

import data.gate.kubernetes.pods

import rego.v1

# A document with one object of this kind.
document(kind, attrs) := {"resources": [{
	"address": sprintf("%s/web", [kind]),
	"format": "kubernetes",
	"type": kind,
	"name": "web",
	"attrs": attrs,
}]}

# A document with one pod of this specification.
pod(spec) := document("Pod", {"spec": spec})

# A document with one pod with one container.
one(container) := pod({"containers": [object.union({"name": "app"}, container)]})

templates := {
	"Pod": {"spec": {"containers": [{"name": "app"}]}},
	"PodTemplate": {"template": {"spec": {"containers": [{"name": "app"}]}}},
	"Deployment": {"spec": {"template": {"spec": {"containers": [{"name": "app"}]}}}},
	"CronJob": {"spec": {"jobTemplate": {"spec": {"template": {"spec": {"containers": [{"name": "app"}]}}}}}},
}

test_containers_of_all_workloads if {
	every kind, attrs in templates {
		found := pods.containers with input as document(kind, attrs)
		count(found) == 1
	}
}

test_init_and_ephemeral_containers_count if {
	spec := {
		"containers": [{"name": "a"}],
		"initContainers": [{"name": "b"}],
		"ephemeralContainers": [{"name": "c"}],
	}
	found := pods.containers with input as pod(spec)
	{container.path | some container in found} == {
		["spec", "containers", 0],
		["spec", "initContainers", 0],
		["spec", "ephemeralContainers", 0],
	}
}

test_malformed_pods_have_no_containers if {
	every spec in [null, "x", [], {"containers": "x"}, {"containers": null}, {"containers": ["x", 1, null]}] {
		found := pods.containers with input as pod(spec)
		count(found) == 0
	}
}

test_windows_pods_have_no_linux_settings if {
	spec := {"os": {"name": "windows"}, "containers": [{"name": "a"}]}
	found := pods.linux_containers with input as pod(spec)
	count(found) == 0
}

test_the_container_outweighs_the_pod if {
	spec := {
		"securityContext": {"runAsUser": 5},
		"containers": [{"name": "a", "securityContext": {"runAsUser": 0}}, {"name": "b"}],
	}
	users := {container.name: pods.effective(container, "runAsUser").value |
		some container in pods.containers with input as pod(spec)
	}
	users == {"a": 0, "b": 5}
}
