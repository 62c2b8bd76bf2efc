# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# The rung `release`: the packages as they are given to others. It makes each of them twice, once without any help of
# the compiler cache, and so takes minutes: a whole run leaves it out, and says so.

readonly EGB_RELEASE_TESTS=(
    sums lintian rpmlint versions manual same-files bill-of-materials rpm-installed appliance-unpacked same-bits)
# Made there, and not where other rungs find theirs, as ./dev package makes them in dist/.
readonly EGB_RELEASE=build/packages/release
readonly EGB_ONCE_MORE=build/packages/once-more

test_release() {
    local kind made=1
    export EGB_PACKAGES=$EGB_RELEASE
    start_root lint
    start_root runtime
    wait_root runtime
    remove_packages
    for kind in "${EGB_PACKAGE_KINDS[@]}"; do
        try "release-$kind" "${EGB_PACKAGE_TITLE[$kind]}" release_build "$kind"
        passed_step "release-$kind" || { made='' && break; }
    done
    wait_root lint
    if [[ $made ]]; then
        sum_packages
        try release "what a package has to be" run_release_tests "$TEST_PATTERN"
    else
        not_reached release
    fi
}

# release_build KIND
release_build() {
    results_open "release-$1"
    "package_$1"
    result pass "release/$1-is-built"
}

# run_release_tests PATTERN
run_release_tests() {
    results_open release
    run_each release "$1" release_test "${EGB_RELEASE_TESTS[@]}"
}

# Called as a condition, where `set -e` is not in force.
release_test() {
    case $1 in
        lintian | rpmlint) in_root lint "tests/package/$1" ;;
        versions) in_build_root tests/package/versions deb rpm ;;
        rpm-installed) install_rpm && in_build_root tests/package/rpm-installed remove "$EGB_RPM_ROOT" ;;
        appliance-unpacked) unpack_appliance ;;
        same-bits) build_once_more && in_build_root tests/package/same-bits "$EGB_ONCE_MORE" ;;
        *) in_build_root "tests/package/$1" ;;
    esac
}

# A root file system of its own, into which rpm installs the package, and which is booted then.
readonly EGB_RPM_ROOT=build/packages/rpm-root

install_rpm() {
    rm -rf "${EGB_TOP:?}/$EGB_RPM_ROOT" &&
        cp --archive --reflink=auto "$(root_path runtime)" "$EGB_TOP/$EGB_RPM_ROOT" &&
        in_build_root tests/package/rpm-installed install "$EGB_RPM_ROOT" &&
        boot_for_service "$EGB_TOP/$EGB_RPM_ROOT"
}

# The tarball is booted as it is, and not only what it was made of.
unpack_appliance() {
    local root=$EGB_TOP/build/packages/appliance-root
    rm -rf "$root" && mkdir -p "$root" &&
        tar --extract --xattrs --acls --numeric-owner --directory="$root" --file="$(package_stem)-appliance.tar.gz" &&
        boot_for_service "$root" && rm -rf "$root"
}

# boot_for_service ROOT: what an administrator does with the service.
boot_for_service() {
    EGB_IMAGE=$1 EGB_RESULTS=/dev/null python3 "$EGB_TOP/tests/appliance/run.py" '^appliance/service/'
}

# Everything once more, with nothing as it was the first time.
build_once_more() {
    rm -rf "${EGB_TOP:?}/$EGB_ONCE_MORE" && strictly packages_once_more && strictly images_once_more
}

packages_once_more() {
    local kind
    for kind in deb rpm; do
        in_build_root tools/dev/build-package --again "$kind" "$(project_version)" "$(source_date)" "$EGB_ONCE_MORE"
    done
    bill_of_materials "$EGB_ONCE_MORE" build/package/once-more/deb
}

# Of Debian's packages installed anew, as if on another day.
images_once_more() (
    work=$EGB_CACHE/images/once-more-$BASHPID
    trap 'rm -rf "$work"' EXIT
    mkdir "$work"
    debian_root runtime "$work/root"
    another_day "$work/root"
    export TZ=Pacific/Kiritimati LC_ALL=C
    umask 027
    fill_image "$work/root" "$work/image"
    build_oci "$work/image" "$EGB_ONCE_MORE" "$(project_version)"
    in_build_root packaging/image/pack-appliance "$(image_in_root "$work/image")" "$(source_date)" \
        >"$EGB_TOP/$EGB_ONCE_MORE/$(basename "$(package_stem)")-appliance.tar.gz"
)

# another_day ROOT: what in it would be different if it had been made on another day.
another_day() {
    sed --in-place --regexp-extended 's/^([^:]*:[^:]*):[0-9]+:/\1:12345:/' "$1/etc/shadow"
    find "$1" -xdev -exec touch --no-dereference --date=@1066666666 {} +
}
