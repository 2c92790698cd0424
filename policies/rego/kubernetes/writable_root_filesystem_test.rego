package gate.kubernetes.writable_root_filesystem_test

import data.gate.kubernetes.pods_test
import data.gate.kubernetes.writable_root_filesystem

import rego.v1

test_only_true_is_read_only if {
	every context in [{}, {"readOnlyRootFilesystem": false}, {"readOnlyRootFilesystem": "true"}] {
		found := writable_root_filesystem.deny with input as pods_test.one({"securityContext": context})
		count(found) == 1
	}
}

test_a_read_only_container_is_allowed if {
	container := {"securityContext": {"readOnlyRootFilesystem": true}}
	found := writable_root_filesystem.deny with input as pods_test.one(container)
	count(found) == 0
}
