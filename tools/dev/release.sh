# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# The rung `release`: the packages as they are given to others. It builds each of them twice, once without any help of the
# compiler cache, and so takes minutes: a whole run leaves it out, and says so.

readonly EGB_RELEASE_TESTS=(lintian rpmlint versions manual same-files bill-of-materials rpm-installed same-bits)
readonly EGB_ONCE_MORE=build/packages/once-more

test_release() {
    start_root lint
    start_root runtime
    try release-deb "${EGB_PACKAGE_TITLE[deb]}" release_build deb
    try release-rpm "${EGB_PACKAGE_TITLE[rpm]}" release_build rpm
    wait_root lint
    wait_root runtime
    if passed_step release-deb && passed_step release-rpm; then
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

# run_release_tests PATTERN: all of them, whatever the others say; a result line each.
run_release_tests() {
    local test failed=0 ran=0
    results_open release
    for test in "${EGB_RELEASE_TESTS[@]}"; do
        [[ $test =~ $1 ]] || continue
        ran=1
        printf '%s\n' "--- $test"
        if release_test "$test"; then
            result pass "release/$test"
        else
            result fail "release/$test"
            failed=1
        fi
    done
    ((ran)) || { result fail "release/$1" "no test of that name" && failed=1; }
    return $failed
}

# Called as a condition, where `set -e` is not in force.
release_test() {
    case $1 in
        lintian | rpmlint) in_root lint "tests/package/$1" ;;
        versions) in_build_root tests/package/versions deb rpm ;;
        rpm-installed) install_rpm && in_build_root tests/package/rpm-installed remove "$EGB_RPM_ROOT" ;;
        same-bits) build_once_more && in_build_root tests/package/same-bits "$EGB_ONCE_MORE" ;;
        *) in_build_root "tests/package/$1" ;;
    esac
}

# A root file system of its own, into which rpm installs the package; then booted, with what an administrator does.
readonly EGB_RPM_ROOT=build/packages/rpm-root

install_rpm() {
    rm -rf "${EGB_TOP:?}/$EGB_RPM_ROOT" &&
        cp --archive --reflink=auto "$(root_path runtime)" "$EGB_TOP/$EGB_RPM_ROOT" &&
        in_build_root tests/package/rpm-installed install "$EGB_RPM_ROOT" &&
        EGB_IMAGE=$EGB_TOP/$EGB_RPM_ROOT EGB_RESULTS=/dev/null \
            python3 "$EGB_TOP/tests/appliance/run.py" '^appliance/service/'
}

build_once_more() {
    local kind
    rm -rf "${EGB_TOP:?}/$EGB_ONCE_MORE"
    for kind in deb rpm; do
        in_build_root tools/dev/build-package --again "$kind" "$(project_version)" "$(source_date)" "$EGB_ONCE_MORE" || return
    done
}
