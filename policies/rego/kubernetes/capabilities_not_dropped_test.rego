package gate.kubernetes.capabilities_not_dropped_test

import data.gate.kubernetes.pods_test
import data.gate.kubernetes.capabilities_not_dropped

import rego.v1

test_anything_but_all_is_denied if {
	every drop in [[], ["NET_RAW"], "ALL", null, [5]] {
		container := {"securityContext": {"capabilities": {"drop": drop}}}
		found := capabilities_not_dropped.deny with input as pods_test.one(container)
		count(found) == 1
	}
}

test_all_is_allowed_in_any_case if {
	every drop in [["ALL"], ["all"], ["NET_RAW", "ALL"]] {
		container := {"securityContext": {"capabilities": {"drop": drop}}}
		found := capabilities_not_dropped.deny with input as pods_test.one(container)
		count(found) == 0
	}
}
