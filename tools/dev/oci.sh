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
