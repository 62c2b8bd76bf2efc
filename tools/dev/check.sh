# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Style as a test: tests/check has one program per rule.

readonly EGB_QUICK_CHECKS=(format imports layers spdx shell tidy-reasons units)

# run_quick_checks PATTERN
run_quick_checks() {
    results_open check
    run_each check "$1" quick_check "${EGB_QUICK_CHECKS[@]}"
}

quick_check() { in_build_root "tests/check/$1"; }

# After the builds: it needs the compile commands and the generated headers.
run_tidy() {
    results_open tidy
    run_each tidy '' tidy_check tidy
}

tidy_check() { in_build_root nice -n 10 "tests/check/$1" "$(build_folder dev)" "$(build_folder asan)"; }
