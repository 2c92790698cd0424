package gate.kubernetes.host_namespaces_test

import data.gate.kubernetes.pods_test
import data.gate.kubernetes.host_namespaces

import rego.v1

test_each_shared_namespace_is_denied if {
	spec := {"hostNetwork": true, "hostPID": true, "hostIPC": true}
	found := host_namespaces.deny with input as pods_test.pod(spec)
	{item.path | some item in found} == {["spec", "hostNetwork"], ["spec", "hostPID"], ["spec", "hostIPC"]}
}

test_a_host_path_is_denied if {
	spec := {"volumes": [{"name": "tmp", "emptyDir": {}}, {"name": "logs", "hostPath": {"path": "/var/log"}}]}
	found := host_namespaces.deny with input as pods_test.pod(spec)
	{item.path | some item in found} == {["spec", "volumes", 1, "hostPath"]}
}

test_a_pod_of_its_own_is_allowed if {
	every spec in [{}, {"hostNetwork": false, "volumes": []}, {"volumes": null}, {"volumes": [{"hostPath": null}]}] {
		found := host_namespaces.deny with input as pods_test.pod(spec)
		count(found) == 0
	}
}
