# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# The OCI image of packaging/image.

oci_file() { printf '%s.oci.tar' "$(package_stem)"; }

# Out of the appliance, in which the package is installed with all that it loads.
package_oci() {
    local stem
    stem=$(package_stem)
    make_image
    rm -f "$EGB_TOP/$EGB_PACKAGES"/eghostbuster*.oci.tar
    "$EGB_TOP/packaging/image/build-oci" "$(image_path)" "$(oci_file)" --version "$(project_version)" \
        --architecture "${stem##*_}" --epoch "$(source_date)"
}

# What can be said of it without podman.
run_oci_tests() {
    results_open oci
    package_oci
    EGB_RESULTS=$EGB_RESULTS python3 "$EGB_TOP/tests/oci/run.py" "$(oci_file)" "$(image_path)"
}

# run_podman_tests PATTERN: on a host of its own, which has podman and nothing of ours.
run_podman_tests() {
    results_open podman
    package_oci
    EGB_IMAGE=$(root_path podman) EGB_OCI_ARCHIVE=$(oci_file) EGB_RUNG=podman EGB_RESULTS=$EGB_RESULTS \
        python3 "$EGB_TOP/tests/appliance/run.py" "$1"
}
