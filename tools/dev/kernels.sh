# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# ./dev test kernels: the kernel side of the kind `lockfile`, and the daemon in its appliance, on other kernels than this
# machine's, in emulated machines (tests/kernels/boot). Minutes, so it is not part of a whole run.

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
    wait_root runtime
    passed_step package || try package "package (deb)" build_package noautodbgsym
    if ! passed_step build || ! passed_step package; then
        not_reached kernels
        return
    fi
    wait_root kernels
    try kernels "other kernels: the kernel side, and the daemon" run_kernels "$TEST_PATTERN"
}

# run_kernels PATTERN: of those whose SUITE/SEE or SUITE/daemon matches it.
run_kernels() {
    local pattern=$1 suite see failed=0 suites
    results_open kernels
    mapfile -t suites < <(kernel_table | cut -d' ' -f1 | uniq)
    in_root kernels tests/kernels/boot disk program "$(build_folder dev)/tests/bpf/bpf_test" "${suites[@]}"
    while read -r suite see; do
        [[ $suite/$see =~ $pattern ]] || continue
        run_kernel "$suite" "$see" || failed=1
    done < <(kernel_table)
    make_image
    in_root kernels tests/kernels/boot disk appliance "/cache/images/$(basename "$(image_path)")" "${suites[@]}"
    for suite in "${suites[@]}"; do
        [[ $suite/daemon =~ $pattern ]] || continue
        run_daemon "$suite" || failed=1
    done
    return $failed
}

# What it prints is in a log of its own: of each kernel, too, what `ghostctl doctor` says.
run_daemon() {
    local name=kernels/$1/daemon output=$EGB_LOG/kernels-$1-daemon.log code=0
    in_root kernels tests/kernels/boot run appliance "$1" >"$output" 2>&1 </dev/null || code=$?
    sed -nE "s|^pass (\S+)\$|pass\t$name/\1\t|p; s|^fail (\S+): (.*)|fail\t$name/\1\t\2|p" "$output" >>"$EGB_RESULTS"
    ((code == 0)) && grep -q '^pass ' "$output" && ! grep -q '^fail ' "$output" && return
    tell_failed_machine "$name" "$output"
}

run_kernel() {
    local name=kernels/$1/$2 output=$EGB_LOG/kernels-$1-$2.log code=0
    in_root kernels tests/kernels/boot run program "$1" "$2" --gtest_color=no '--gtest_filter=Lockfile*:*/LockfileOn*' \
        >"$output" 2>&1 </dev/null || code=$?
    sed -nE "s|^\[       OK \] (\S+) .*ms\)\$|pass\t$name/\1\t|p
        s|^\[  FAILED  \] ([^ ,]+).*ms\)\$|fail\t$name/\1\tit says why in ${output#"$EGB_TOP/"}|p
        s|^\[  SKIPPED \] (\S+) .*ms\)\$|skip\t$name/\1\tit says why in ${output#"$EGB_TOP/"}|p" "$output" >>"$EGB_RESULTS"
    ((code == 0)) && grep -q '^\[  PASSED  \]' "$output" && return
    tell_failed_machine "$name" "$output"
}

# tell_failed_machine NAME OUTPUT: the end of what it has printed; it has failed as a whole where none of its tests has.
tell_failed_machine() {
    tail -n 60 "$2"
    grep -q "^fail.$1/" "$EGB_RESULTS" || result fail "$1" "see ${2#"$EGB_TOP/"}"
    return 1
}
