package gate.kubernetes.privileged_test

import data.gate.kubernetes.pods_test
import data.gate.kubernetes.privileged

import rego.v1

test_a_privileged_container_is_denied if {
	found := privileged.deny with input as pods_test.one({"securityContext": {"privileged": true}})
	{item.path | some item in found} == {["spec", "containers", 0, "securityContext", "privileged"]}
}

test_an_ephemeral_container_counts if {
	spec := {"ephemeralContainers": [{"name": "debug", "securityContext": {"privileged": true}}]}
	found := privileged.deny with input as pods_test.pod(spec)
	count(found) == 1
}

test_other_containers_are_allowed if {
	every container in [{}, {"securityContext": {"privileged": false}}, {"securityContext": null}] {
		found := privileged.deny with input as pods_test.one(container)
		count(found) == 0
	}
}
