package gate.kubernetes.run_as_root_test

import data.gate.kubernetes.pods_test
import data.gate.kubernetes.run_as_root

import rego.v1

test_a_container_that_says_nothing_is_denied if {
	found := run_as_root.deny with input as pods_test.one({})
	{item.path | some item in found} == {["spec", "containers", 0, "securityContext", "runAsNonRoot"]}
}

test_uid_zero_is_denied_where_it_stands if {
	spec := {"securityContext": {"runAsUser": 0, "runAsNonRoot": true}, "containers": [{"name": "app"}]}
	found := run_as_root.deny with input as pods_test.pod(spec)
	{item.path | some item in found} == {["spec", "securityContext", "runAsUser"]}
}

test_the_pod_decides_for_containers_that_say_nothing if {
	spec := {
		"securityContext": {"runAsNonRoot": true},
		"containers": [{"name": "app"}],
		"initContainers": [{"name": "prepare", "securityContext": {"runAsNonRoot": false}}],
	}
	found := run_as_root.deny with input as pods_test.pod(spec)
	{item.path | some item in found} == {["spec", "initContainers", 0, "securityContext", "runAsNonRoot"]}
}

test_a_user_above_zero_is_enough if {
	found := run_as_root.deny with input as pods_test.one({"securityContext": {"runAsUser": 10000}})
	count(found) == 0
}
