# METADATA
# title: Pod shares namespaces or files of its node
# description: >
#   A pod in the node's network, process or IPC namespace sees and reaches what runs beside it, and a host path gives it files
#   of the node: both lead out of the container.
# custom:
#   id: k8s-deny-host-namespaces
#   severity: high
#   default: false
#   packs: [k8s-deny]
#   targets: [{ view: pod }]
#   fix: Remove `hostNetwork`, `hostPID` and `hostIPC`, and use a volume other than `hostPath`.
#   bad:
#     - |
#       apiVersion: v1
#       kind: Pod
#       metadata:
#         name: debug
#       spec:
#         hostPID: true # expect
#         hostNetwork: true # expect
#         containers:
#           - name: app
#             image: registry.example.com/app:1.4.2
#     - |
#       apiVersion: apps/v1
#       kind: DaemonSet
#       metadata:
#         name: agent
#       spec:
#         template:
#           spec:
#             hostIPC: true # expect
#             containers:
#               - name: agent
#                 image: registry.example.com/agent:1.4.2
#             volumes:
#               - name: logs
#                 hostPath: # expect
#                   path: /var/log
#   good: |
#     apiVersion: v1
#     kind: Pod
#     metadata:
#       name: web
#     spec:
#       hostNetwork: false
#       containers:
#         - name: app
#           image: registry.example.com/app:1.4.2
#       volumes:
#         - name: tmp
#           emptyDir: {}
package gate.kubernetes.host_namespaces

import data.gate.kubernetes.pods

import rego.v1

deny contains {"resource": pod.resource, "path": path, "msg": message} if {
	some pod in pods.specs
	some name in ["hostNetwork", "hostPID", "hostIPC"]
	pod.spec[name] == true
	path := array.concat(pod.path, [name])
	message := sprintf("%s is true: the pod shares that namespace with its node", [name])
}

deny contains {"resource": pod.resource, "path": path, "msg": message} if {
	some pod in pods.specs
	is_array(pod.spec.volumes)
	some index, volume in pod.spec.volumes
	is_object(volume.hostPath)
	path := array.concat(pod.path, ["volumes", index, "hostPath"])
	message := sprintf(
		"volume %v mounts %v of the node",
		[object.get(volume, "name", index), object.get(volume.hostPath, "path", "a path")],
	)
}
