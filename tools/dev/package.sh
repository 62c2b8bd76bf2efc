# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# ./dev package [deb] [rpm] [image] [oci]: into dist/.

project_version() { sed -n 's/^project(.* VERSION \([0-9.]*\).*/\1/p' "$EGB_TOP/CMakeLists.txt"; }

package_file() {
    local machine
    case $(uname -m) in
        aarch64) machine=arm64 ;;
        *) machine=amd64 ;;
    esac
    printf '%s/dist/eghostbuster_%s-1_%s.deb' "$EGB_TOP" "$(project_version)" "$machine"
}

# build_package [DEB_BUILD_OPTION]
build_package() {
    in_build_root tools/dev/build-package deb "$(project_version)" "${1-}"
    [[ -f $(package_file) ]] || die "dpkg-buildpackage made no $(package_file)"
}

build_rpm() { in_build_root tools/dev/build-package rpm "$(project_version)"; }

# A tarball that `machinectl import-tar` takes (it does not know zstd), with the settings that go with it.
build_image() {
    local name
    name=$(basename "$(package_file)" .deb)
    make_image
    tar --create --numeric-owner --xattrs --directory="$(image_path)" --gzip \
        --file="$EGB_TOP/dist/$name-appliance.tar.gz" .
    cp "$EGB_TOP/packaging/image/eghostbuster.nspawn" "$EGB_TOP/dist/$name-appliance.nspawn"
}

verb_package() {
    local kind kinds=" ${*:-deb} "
    for kind in "$@"; do
        [[ $kind =~ ^(deb|rpm|image|oci)$ ]] || die "no such package: $kind; there are deb, rpm, image and oci"
    done
    prepare_build_root
    if [[ $kinds == *" deb "* || $kinds == *" image "* || $kinds == *" oci "* ]]; then
        step package "package (deb)" build_package
    fi
    [[ $kinds != *" rpm "* ]] || step rpm "package (rpm)" build_rpm
    if [[ $kinds == *" image "* || $kinds == *" oci "* ]]; then
        start_root runtime
        wait_root runtime
    fi
    [[ $kinds != *" image "* ]] || step image "image of the appliance" build_image
    [[ $kinds != *" oci "* ]] || step oci "image (oci)" build_oci
    (cd "$EGB_TOP" && ls -l dist)
}
