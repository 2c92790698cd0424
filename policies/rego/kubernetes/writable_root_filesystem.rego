# METADATA
# title: Container can write to its root file system
# description: >
#   An intruder who can write to the root file system can replace programs and leave tools behind for the life of the container.
# custom:
#   id: k8s-deny-writable-root-filesystem
#   severity: medium
#   default: false
#   packs: [k8s-deny]
#   targets: [{ view: pod }]
#   fix: Set `readOnlyRootFilesystem` to true and mount an `emptyDir` where the program has to write.
#   bad:
#     - |
#       apiVersion: v1
#       kind: Pod
#       metadata:
#         name: web
#       spec:
#         containers:
#           - name: app
#             image: registry.example.com/app:1.4.2
#             securityContext: # expect
#               runAsNonRoot: true
#     - |
#       apiVersion: apps/v1
#       kind: StatefulSet
#       metadata:
#         name: store
#       spec:
#         template:
#           spec:
#             initContainers:
#               - name: prepare
#                 image: registry.example.com/prepare:1.4.2
#                 securityContext:
#                   readOnlyRootFilesystem: false # expect
#             containers:
#               - name: app
#                 image: registry.example.com/app:1.4.2
#                 securityContext:
#                   readOnlyRootFilesystem: true
#   good: |
#     apiVersion: v1
#     kind: Pod
#     metadata:
#       name: web
#     spec:
#       containers:
#         - name: app
#           image: registry.example.com/app:1.4.2
#           securityContext:
#             readOnlyRootFilesystem: true
package gate.kubernetes.writable_root_filesystem

import data.gate.kubernetes.pods

import rego.v1

deny contains {"resource": container.resource, "path": path, "msg": message} if {
	some container in pods.linux_containers
	not pods.setting(container, "readOnlyRootFilesystem") == true
	path := array.concat(container.path, ["securityContext", "readOnlyRootFilesystem"])
	message := sprintf(
		"container %s has a writable root file system, wanted readOnlyRootFilesystem: true",
		[container.name],
	)
}
