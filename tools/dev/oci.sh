# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# The OCI image of packaging/image.

oci_file() { printf '%s.oci.tar' "$(package_stem)"; }

# Out of the appliance, in which the package is installed with all that it loads.
package_oci() {
    make_image
    rm -f "$EGB_TOP/$EGB_PACKAGES"/eghostbuster*.oci.tar
    build_oci "$(image_path)" "$EGB_PACKAGES" "$(project_version)"
}

# build_oci IMAGE FOLDER VERSION: in the build root, whose Python and zlib are the same everywhere.
build_oci() {
    local stem
    stem=$(package_stem)
    in_build_root packaging/image/build-oci "$(image_in_root "$1")" "$2/$(basename "$(oci_file)")" \
        --version "$3" --architecture "${stem##*_}" --epoch "$(source_date)"
}

# run_oci_tests PATTERN: what can be said of it without podman.
run_oci_tests() {
    results_open oci
    package_oci
    in_build_root env EGB_RESULTS="$(tree)/build/log/oci.results" python3 tests/oci/run.py \
        "$EGB_PACKAGES/$(basename "$(oci_file)")" "$(image_in_root "$(image_path)")" "$1"
}

# run_podman_tests PATTERN: on a host of its own, which has podman and nothing of ours.
run_podman_tests() {
    results_open podman
    package_oci
    # What is upgraded from. It differs in nothing but its version.
    mkdir -p "$EGB_TOP/$EGB_PACKAGES/old"
    build_oci "$(image_path)" "$EGB_PACKAGES/old" 0.0.1
    EGB_OCI_ARCHIVE=$(oci_file) EGB_OCI_OLD_ARCHIVE=$EGB_TOP/$EGB_PACKAGES/old/$(basename "$(oci_file)") \
        EGB_IMAGE=$(root_path podman) EGB_RUNG=podman EGB_RESULTS=$EGB_RESULTS \
        python3 "$EGB_TOP/tests/appliance/run.py" "$1"
}
