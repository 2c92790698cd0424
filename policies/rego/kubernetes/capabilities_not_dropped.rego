# METADATA
# title: Container keeps the default Linux capabilities
# description: >
#   The runtime's default set holds capabilities such as NET_RAW and SETUID that hardly any program needs and that intruders
#   use to spoof packets and to raise their rights.
# custom:
#   id: k8s-deny-capabilities-not-dropped
#   severity: medium
#   default: false
#   packs: [k8s-deny]
#   targets: [{ view: pod }]
#   fix: "Set `capabilities` to `drop: [ALL]` in the container's `securityContext` and add back the one that is needed."
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
#       apiVersion: apps/v1
#       kind: ReplicaSet
#       metadata:
#         name: web
#       spec:
#         template:
#           spec:
#             containers:
#               - name: app
#                 image: registry.example.com/app:1.4.2
#                 securityContext:
#                   capabilities:
#                     drop: [NET_RAW] # expect
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
#             capabilities:
#               drop: [ALL]
#               add: [NET_BIND_SERVICE]
package gate.kubernetes.capabilities_not_dropped

import data.gate.kubernetes.pods

import rego.v1

deny contains {"resource": container.resource, "path": path, "msg": message} if {
	some container in pods.linux_containers
	not drops_all(container.container)
	path := array.concat(container.path, ["securityContext", "capabilities", "drop"])
	message := sprintf("container %s does not drop all capabilities, wanted drop: [ALL]", [container.name])
}

drops_all(container) if {
	dropped := object.get(container, ["securityContext", "capabilities", "drop"], [])
	is_array(dropped)
	some capability in dropped
	is_string(capability)
	upper(capability) == "ALL"
}
