# METADATA
# title: Container is privileged
# description: >
#   A privileged container has every capability and all devices of its node: whoever gets into it owns the node.
# custom:
#   id: k8s-deny-privileged
#   severity: high
#   default: false
#   packs: [k8s-deny]
#   targets: [{ view: pod }]
#   fix: Remove `privileged`, and add the one capability or device that the program needs.
#   bad:
#     - |
#       apiVersion: apps/v1
#       kind: DaemonSet
#       metadata:
#         name: agent
#       spec:
#         template:
#           spec:
#             containers:
#               - name: agent
#                 image: registry.example.com/agent:1.4.2
#                 securityContext:
#                   privileged: true # expect
#     - |
#       apiVersion: batch/v1
#       kind: Job
#       metadata:
#         name: tune
#       spec:
#         template:
#           spec:
#             restartPolicy: Never
#             initContainers:
#               - name: sysctl
#                 image: registry.example.com/sysctl:1.4.2
#                 securityContext:
#                   privileged: true # expect
#             containers:
#               - name: tune
#                 image: registry.example.com/tune:1.4.2
#   good: |
#     apiVersion: apps/v1
#     kind: DaemonSet
#     metadata:
#       name: agent
#     spec:
#       template:
#         spec:
#           containers:
#             - name: agent
#               image: registry.example.com/agent:1.4.2
#               securityContext:
#                 privileged: false
package gate.kubernetes.privileged

import data.gate.kubernetes.pods

import rego.v1

deny contains {"resource": container.resource, "path": path, "msg": message} if {
	some container in pods.containers
	pods.setting(container, "privileged") == true
	path := array.concat(container.path, ["securityContext", "privileged"])
	message := sprintf("container %s is privileged", [container.name])
}
