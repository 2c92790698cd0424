package gate.kubernetes.mutable_image_tag_test

import data.gate.kubernetes.pods_test
import data.gate.kubernetes.mutable_image_tag

import rego.v1

test_moving_tags_are_denied if {
	every image in [
		"nginx",
		"nginx:latest",
		"registry:5000/team/app",
		"app:stable",
		"app:main",
		"app:3",
		"app:v2",
		"app:latest-amd64",
		"app:latest-2024",
		"",
	] {
		found := mutable_image_tag.deny with input as pods_test.one({"image": image})
		count(found) == 1
	}
}

test_versions_and_digests_are_allowed if {
	every image in [
		"nginx:1.27.3",
		"registry:5000/team/app:1.4.2-alpine",
		"app:v2.1",
		"app:sha-3f9c2ab",
		"app:20240131",
		"app@sha256:0b1f2f5d3c7a9e8b4d6c5a7f8e9d0c1b2a3f4e5d6c7b8a9f0e1d2c3b4a5f6e7d",
		"app:latest@sha256:0b1f2f5d3c7a9e8b4d6c5a7f8e9d0c1b2a3f4e5d6c7b8a9f0e1d2c3b4a5f6e7d",
	] {
		found := mutable_image_tag.deny with input as pods_test.one({"image": image})
		count(found) == 0
	}
}

test_what_is_no_image_is_left_alone if {
	every container in [{}, {"image": 5}, {"image": null}] {
		found := mutable_image_tag.deny with input as pods_test.one(container)
		count(found) == 0
	}
}
