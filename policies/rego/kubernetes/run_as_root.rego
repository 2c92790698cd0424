# METADATA
# title: Container may run as root
# description: >
#   A process that is root in its container is root towards the node's kernel: a flaw in the runtime, or a mounted host path,
#   then gives away the node.
# custom:
#   id: k8s-deny-run-as-root
#   severity: high
#   default: false
#   packs: [k8s-deny]
#   targets: [{ view: pod }]
#   fix: Set `runAsNonRoot` to true, or `runAsUser` to a UID above 0, in the pod's or the container's `securityContext`.
#   bad:
#     - |
#       apiVersion: v1
#       kind: Pod
#       metadata:
#         name: web
#       spec:
#         containers:
#           - name: app # expect
#             image: registry.example.com/app:1.4.2
#     - |
#       apiVersion: batch/v1
#       kind: CronJob
#       metadata:
#         name: report
#       spec:
#         schedule: "0 3 * * *"
#         jobTemplate:
#           spec:
#             template:
#               spec:
#                 securityContext:
#                   runAsNonRoot: true
#                 restartPolicy: Never
#                 initContainers:
#                   - name: prepare
#                     image: registry.example.com/prepare:1.4.2
#                     securityContext:
#                       runAsUser: 0 # expect
#                 containers:
#                   - name: app
#                     image: registry.example.com/app:1.4.2
#     - |
#       apiVersion: apps/v1
#       kind: Deployment
#       metadata:
#         name: web
#       spec:
#         template:
#           spec:
#             securityContext:
#               runAsNonRoot: false # expect
#             containers:
#               - name: app
#                 image: registry.example.com/app:1.4.2
#   good:
#     - |
#       apiVersion: apps/v1
#       kind: Deployment
#       metadata:
#         name: web
#       spec:
#         template:
#           spec:
#             securityContext:
#               runAsNonRoot: true
#             initContainers:
#               - name: prepare
#                 image: registry.example.com/prepare:1.4.2
#             containers:
#               - name: app
#                 image: registry.example.com/app:1.4.2
#     - |
#       apiVersion: v1
#       kind: Pod
#       metadata:
#         name: web
#       spec:
#         containers:
#           - name: app
#             image: registry.example.com/app:1.4.2
#             securityContext:
#               runAsUser: 10000
package gate.kubernetes.run_as_root

import data.gate.kubernetes.pods

import rego.v1

deny contains finding(container, user.path, "runs as UID 0") if {
	some container in pods.linux_containers
	user := pods.effective(container, "runAsUser")
	user.value == 0
}

deny contains finding(container, rule.path, "may run as root, wanted runAsNonRoot: true") if {
	some container in pods.linux_containers
	rule := pods.effective(container, "runAsNonRoot")
	not rule.value == true
	not has_user(container)
}

# A UID says it too, whatever the image wants. UID 0 is the other rule's finding.
has_user(container) if is_number(pods.effective(container, "runAsUser").value)

finding(container, path, defect) := {
	"resource": container.resource,
	"path": path,
	"reads": array.concat(pods.both(container, "runAsUser"), pods.both(container, "runAsNonRoot")),
	"msg": sprintf("container %s %s", [container.name, defect]),
}
