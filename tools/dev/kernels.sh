# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# ./dev test kernels: the kernel side of the kind `lockfile` on other kernels than this machine's, in emulated machines
# (tests/kernels/boot). Minutes, so it is not part of a whole run.

# Lines "SUITE SEE": what there is to boot.
kernel_table() {
    local suite mechanisms see
    while read -r suite mechanisms; do
        for see in $mechanisms; do
            printf '%s %s\n' "$suite" "$see"
        done
    done < <(sed -e 's/#.*//' "$EGB_TOP/tests/kernels/table.txt" | grep -v '^ *$')
}

test_kernels() {
    start_root kernels
    try build "compile (dev)" compile dev bpf_test
    passed_step build || { not_reached kernels && return; }
    wait_root kernels
    try kernels "the kernel side on other kernels" run_kernels "$TEST_PATTERN"
}

# run_kernels PATTERN: of those whose SUITE/SEE matches it.
run_kernels() {
    local pattern=$1 suite see failed=0 suites
    results_open kernels
    mapfile -t suites < <(kernel_table | cut -d' ' -f1 | uniq)
    in_root kernels tests/kernels/boot disk "$(build_folder dev)/tests/bpf/bpf_test" "${suites[@]}"
    while read -r suite see; do
        [[ $suite/$see =~ $pattern ]] || continue
        run_kernel "$suite" "$see" || failed=1
    done < <(kernel_table)
    return $failed
}

run_kernel() {
    local name=kernels/$1/$2 output=$EGB_LOG/kernels-$1-$2.log code=0
    in_root kernels tests/kernels/boot run "$1" "$2" --gtest_color=no '--gtest_filter=Lockfile*:*/LockfileOn*' \
        >"$output" 2>&1 </dev/null || code=$?
    sed -nE "s|^\[       OK \] (\S+) .*ms\)\$|pass\t$name/\1\t|p
        s|^\[  FAILED  \] ([^ ,]+).*ms\)\$|fail\t$name/\1\tit says why in ${output#"$EGB_TOP/"}|p
        s|^\[  SKIPPED \] (\S+) .*ms\)\$|skip\t$name/\1\tit says why in ${output#"$EGB_TOP/"}|p" "$output" >>"$EGB_RESULTS"
    ((code == 0)) && grep -q '^\[  PASSED  \]' "$output" && return
    tail -n 60 "$output"
    grep -q "^fail.$name/" "$EGB_RESULTS" || result fail "$name" "see ${output#"$EGB_TOP/"}"
    return 1
}
