# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Style as a test: tests/check has one program per rule.

readonly EGB_QUICK_CHECKS=(format imports layers spdx shell tidy-reasons units)

# Runs them all, whatever the others say; a result line each.
run_quick_checks() {
    local check failed=0
    results_open check
    for check in "${EGB_QUICK_CHECKS[@]}"; do
        if in_build_root "tests/check/$check"; then
            result pass "check/$check"
        else
            result fail "check/$check"
            failed=1
        fi
    done
    return $failed
}

# After the builds: it needs the compile commands and the generated headers.
run_tidy() {
    results_open tidy
    in_build_root nice -n 10 tests/check/tidy "$(build_folder dev)" "$(build_folder asan)" && result pass check/tidy && return
    result fail check/tidy
    return 1
}
