# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# ./dev package [KIND...]: into dist/. What is only tested is built into build/packages, and what is in dist/ stays as
# it was.

# The kinds of packages, in the order in which they are made. Each has a title, and a function package_KIND that puts
# its files into $EGB_PACKAGES; one that is made of another's package names that kind in EGB_PACKAGE_NEEDS.
readonly EGB_PACKAGE_KINDS=(deb rpm oci image)
declare -rA EGB_PACKAGE_TITLE=(
    [deb]="Debian package, and its debugging symbols"
    [rpm]="RPM package, and its source"
    [oci]="OCI image"
    [image]="image of the appliance"
)
declare -rA EGB_PACKAGE_NEEDS=([oci]=deb [image]=deb)

# Steps are shells of their own, and read this file again: where another folder was meant, it stays so.
export EGB_PACKAGES=${EGB_PACKAGES:-build/packages}

project_version() { sed -n 's/^project(.* VERSION \([0-9.]*\).*/\1/p' "$EGB_TOP/CMakeLists.txt"; }

# The date of whatever is packaged: of the last commit, so that every clone makes the same package.
source_date() {
    if [[ -n ${SOURCE_DATE_EPOCH-} ]]; then
        printf '%s\n' "$SOURCE_DATE_EPOCH"
    elif [[ ! -e $EGB_TOP/.git ]]; then
        stat --format=%Y "$EGB_TOP/CHANGELOG.md"
    elif command -v git >/dev/null; then
        git -c safe.directory="$EGB_TOP" -C "$EGB_TOP" log -1 --format=%ct
    else
        in_build_root git -c safe.directory="$(tree)" log -1 --format=%ct
    fi
}

package_file() {
    local machine
    case $(uname -m) in
        aarch64) machine=arm64 ;;
        *) machine=amd64 ;;
    esac
    printf '%s/%s/eghostbuster_%s-1_%s.deb' "$EGB_TOP" "$EGB_PACKAGES" "$(project_version)" "$machine"
}

# As which the others are called, but for what comes behind.
package_stem() { package_file | sed 's/\.deb$//'; }

# build_package DEB_BUILD_OPTION
build_package() {
    in_build_root tools/dev/build-package deb "$(project_version)" "$(source_date)" "$EGB_PACKAGES" "$1"
    [[ -f $(package_file) ]] || die "dpkg-buildpackage made no $(package_file)"
}

package_deb() {
    build_package ''
    rm -f "$EGB_TOP/$EGB_PACKAGES"/eghostbuster*.spdx.json
    bill_of_materials "$EGB_PACKAGES" build/package/deb
}

# bill_of_materials FOLDER BUILD: of the package in the folder, beside it, by what stands in BUILD of how it was built.
bill_of_materials() {
    local name
    name=$(basename "$(package_stem)")
    in_build_root tools/dev/bill-of-materials "$1/$name.deb" "$2/$name.buildinfo" "$(source_date)" \
        >"$EGB_TOP/$1/$name.spdx.json"
}

package_rpm() { in_build_root tools/dev/build-package rpm "$(project_version)" "$(source_date)" "$EGB_PACKAGES"; }

# The tarball of the appliance, with the settings that go with it.
package_image() {
    local name
    name=$(package_stem)-appliance
    make_image
    rm -f "$EGB_TOP/$EGB_PACKAGES"/eghostbuster*-appliance.*
    in_build_root packaging/image/pack-appliance "$(image_in_root "$(image_path)")" "$(source_date)" >"$name.tar.gz"
    cp "$EGB_TOP/packaging/image/eghostbuster.nspawn" "$name.nspawn"
}

usage_package() {
    local kind
    cat <<'TEXT'
Usage: ./dev package [KIND...]

Makes packages into dist/, all kinds of them when none is named:

TEXT
    for kind in "${EGB_PACKAGE_KINDS[@]}"; do
        printf '  %-8s %s%s\n' "$kind" "${EGB_PACKAGE_TITLE[$kind]}" \
            "${EGB_PACKAGE_NEEDS[$kind]+ (makes ${EGB_PACKAGE_NEEDS[$kind]} too)}"
    done
    cat <<'TEXT'

What is of ours in dist/ goes first, so that all that is there then is of one commit; dist/SHA256SUMS has the sums of
it (`sha256sum --check SHA256SUMS`). With deb comes the bill of materials, SPDX 2.3 in JSON: what it is linked with and
what it was built with, with versions and licences.

A clean checkout of a commit makes the same packages and images, bit for bit, with the same versions of Debian's
packages; SOURCE_DATE_EPOCH says another date than the commit's. `./dev test release` proves it, and checks everything
else that a package has to be.
TEXT
}

# packages_wanted KIND...: in the order in which they are made, with what they need.
packages_wanted() {
    local kind wanted=" $* " needed
    for kind in "$@"; do
        needed=${EGB_PACKAGE_NEEDS[$kind]-}
        wanted+="${needed:+$needed }"
    done
    for kind in "${EGB_PACKAGE_KINDS[@]}"; do
        [[ $wanted != *" $kind "* ]] || printf '%s\n' "$kind"
    done
}

verb_package() {
    local kind kinds known
    known=" ${EGB_PACKAGE_KINDS[*]} "
    for kind in "$@"; do
        [[ $known == *" $kind "* ]] || die "no such kind of package: $kind; there are:$known(./dev package --help)"
    done
    (($#)) || set -- "${EGB_PACKAGE_KINDS[@]}"
    mapfile -t kinds < <(packages_wanted "$@")
    export EGB_PACKAGES=dist
    prepare_build_root
    [[ ! " ${kinds[*]} " =~ " "(oci|image)" " ]] || { start_root runtime && wait_root runtime; }
    remove_packages
    for kind in "${kinds[@]}"; do
        step "package-$kind" "${EGB_PACKAGE_TITLE[$kind]}" "package_$kind"
    done
    sum_packages
    heading "In dist/"
    (cd "$EGB_TOP/dist" && du --apparent-size --human-readable -- SHA256SUMS eghostbuster*)
}

# Of earlier runs, which may have been of other commits. What else lies there is somebody's.
remove_packages() { rm -f "$EGB_TOP/$EGB_PACKAGES"/{eghostbuster[-_]*,SHA256SUMS}; }

sum_packages() { (cd "$EGB_TOP/$EGB_PACKAGES" && sha256sum -- eghostbuster[-_]* >SHA256SUMS); }
