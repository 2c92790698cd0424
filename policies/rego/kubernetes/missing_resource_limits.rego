# METADATA
# title: Container has no CPU or memory limit
# description: >
#   Without a limit one container can take the memory and CPU of its node from all others, by a flaw or on purpose.
# custom:
#   id: k8s-deny-missing-resource-limits
#   severity: medium
#   default: false
#   packs: [k8s-deny]
#   targets: [{ view: pod }]
#   fix: Set `resources.limits.cpu` and `resources.limits.memory` of the container, or of the pod.
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
#       kind: Deployment
#       metadata:
#         name: web
#       spec:
#         template:
#           spec:
#             containers:
#               - name: app
#                 image: registry.example.com/app:1.4.2
#                 resources:
#                   requests:
#                     cpu: 100m
#                     memory: 128Mi
#                   limits: # expect
#                     memory: 256Mi
#   good: |
#     apiVersion: apps/v1
#     kind: Deployment
#     metadata:
#       name: web
#     spec:
#       template:
#         spec:
#           containers:
#             - name: app
#               image: registry.example.com/app:1.4.2
#               resources:
#                 limits:
#                   cpu: 500m
#                   memory: 256Mi
package gate.kubernetes.missing_resource_limits

import data.gate.kubernetes.pods

import rego.v1

deny contains {"resource": container.resource, "path": path, "reads": [whole], "msg": message} if {
	some container in pods.containers

	# An ephemeral container can have no resources.
	container.list != "ephemeralContainers"
	some name in ["cpu", "memory"]
	not has_limit(container.container, name)
	not has_limit(container.pod, name)
	path := array.concat(container.path, ["resources", "limits", name])
	whole := array.concat(container.pod_path, ["resources", "limits", name])
	message := sprintf("container %s has no %s limit", [container.name, name])
}

# Kubernetes 1.32 and later take limits of the pod as a whole.
has_limit(holder, name) if object.get(holder, ["resources", "limits", name], null) != null
