package gate.kubernetes.missing_resource_limits_test

import data.gate.kubernetes.pods_test
import data.gate.kubernetes.missing_resource_limits

import rego.v1

test_each_missing_limit_is_a_finding if {
	found := missing_resource_limits.deny with input as pods_test.one({"resources": {"requests": {"cpu": 1}}})
	{item.path[5] | some item in found} == {"cpu", "memory"}
}

test_limits_of_the_container_or_of_the_pod_are_allowed if {
	limits := {"limits": {"cpu": "500m", "memory": "256Mi"}}
	every spec in [
		{"containers": [{"name": "app", "resources": limits}]},
		{"resources": limits, "containers": [{"name": "app"}]},
	] {
		found := missing_resource_limits.deny with input as pods_test.pod(spec)
		count(found) == 0
	}
}

test_an_ephemeral_container_needs_none if {
	found := missing_resource_limits.deny with input as pods_test.pod({"ephemeralContainers": [{"name": "debug"}]})
	count(found) == 0
}
