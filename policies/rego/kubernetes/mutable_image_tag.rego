# METADATA
# title: Image tag is `latest` or another that moves
# description: >
#   What runs under a tag that moves changes without a change in the repository: nobody reviewed it, and a roll-back does not
#   bring the old image back.
# custom:
#   id: k8s-deny-mutable-image-tag
#   severity: medium
#   default: false
#   packs: [k8s-deny]
#   targets: [{ view: pod }]
#   fix: Name the image by its digest, or by a tag that carries a full version.
#   bad:
#     - |
#       apiVersion: v1
#       kind: Pod
#       metadata:
#         name: web
#       spec:
#         initContainers:
#           - name: prepare
#             image: registry.example.com:5000/prepare # expect
#         containers:
#           - name: app
#             image: nginx:latest # expect
#           - name: side
#             image: envoyproxy/envoy:stable # expect
#           - name: proxy
#             image: haproxy:3 # expect
#   good: |
#     apiVersion: v1
#     kind: Pod
#     metadata:
#       name: web
#     spec:
#       containers:
#         - name: app
#           image: registry.example.com:5000/app:1.4.2
#         - name: side
#           image: envoyproxy/envoy@sha256:0b1f2f5d3c7a9e8b4d6c5a7f8e9d0c1b2a3f4e5d6c7b8a9f0e1d2c3b4a5f6e7d
#         - name: worker
#           image: registry.example.com/worker:sha-3f9c2ab
package gate.kubernetes.mutable_image_tag

import data.gate.kubernetes.pods

import rego.v1

deny contains {"resource": container.resource, "path": path, "msg": message} if {
	some container in pods.containers
	image := container.container.image
	is_string(image)
	not contains(image, "@")
	moves(tag(image))
	path := array.concat(container.path, ["image"])
	message := sprintf("container %s runs image %s, whose tag can move", [container.name, image])
}

# The tag stands after the last slash; a colon before that belongs to the port of the registry.
tag(image) := name_and_tag[1] if {
	parts := split(image, "/")
	name_and_tag := split(parts[count(parts) - 1], ":")
	count(name_and_tag) > 1
} else := "latest"

# A tag without a digit is a channel (`stable`, `main`), and a number alone is a release line.
moves(tag) if not regex.match(`[0-9]`, tag)

moves(tag) if regex.match(`^v?[0-9]{1,3}$`, tag)

moves(tag) if startswith(tag, "latest")
