# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# The OCI image of packaging/image.

oci_file() { printf '%s/dist/%s.oci.tar' "$EGB_TOP" "$(basename "$(package_file)" .deb)"; }

# Out of the appliance, in which the package is installed with all that it loads.
build_oci() {
    local file
    file=$(oci_file)
    make_image
    "$EGB_TOP/packaging/image/build-oci" "$(image_path)" "$file" --version "$(project_version)" \
        --architecture "$(basename "$(package_file)" .deb | sed 's/.*_//')" --epoch "$(stat --format=%Y "$EGB_TOP/CHANGELOG.md")"
}

# What can be said of it without podman.
run_oci_tests() {
    results_open oci
    build_oci
    EGB_RESULTS=$EGB_RESULTS python3 "$EGB_TOP/tests/oci/run.py" "$(oci_file)" "$(image_path)"
}

# run_podman_tests PATTERN: on a host of its own, which has podman and nothing of ours.
run_podman_tests() {
    results_open podman
    build_oci
    EGB_IMAGE=$(root_path podman) EGB_OCI_ARCHIVE=$(oci_file) EGB_RUNG=podman EGB_RESULTS=$EGB_RESULTS \
        python3 "$EGB_TOP/tests/appliance/run.py" "$1"
}
