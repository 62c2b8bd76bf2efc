# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# ./dev test: the ladder of tests/README.md, and its summary.
#
# Every step writes lines "pass|fail|skip|left TAB NAME TAB REASON [TAB SECONDS]" into build/log/STEP.results; a step
# that ends badly without one failed line counts as one failure, so that nothing can break unseen.

results_open() {
    EGB_RESULTS=$EGB_LOG/$1.results
    : >"$EGB_RESULTS"
}

result() { printf '%s\t%s\t%s\n' "$1" "$2" "${3-}" >>"$EGB_RESULTS"; }

# last_words FILE: what it ends with, as one line: the reason of a failure that has no better one.
last_words() { tail -n 4 "$1" | tr -s '[:space:]' ' ' | cut -c -300; }

# run_each RUNG PATTERN COMMAND NAME...: COMMAND NAME for each name that matches, whatever the others say.
run_each() {
    local rung=$1 pattern=$2 command=$3 test output failed=0 ran=0
    shift 3
    for test in "$@"; do
        [[ $test =~ $pattern ]] || continue
        ran=1
        printf '%s\n' "--- $test"
        output=$EGB_LOG/$rung-$test.output
        if "$command" "$test" 2>&1 | tee "$output"; then
            result pass "$rung/$test"
        else
            result fail "$rung/$test" "$(last_words "$output")"
            failed=1
        fi
    done
    ((ran)) || { result fail "$rung/$pattern" "no test of that name" && failed=1; }
    return $failed
}

readonly EGB_RUNGS=(check tidy unit replay contract bpf asan cross package oci appliance kernels podman release)
# What a whole run leaves out, and why.
declare -rA EGB_LEFT_OUT=(
    [podman]="it needs 100 MB more of packages: ./dev test podman"
    [kernels]="it takes minutes: ./dev test kernels"
    [release]="it builds every package twice, which takes minutes: ./dev test release")
TEST_RUNG=''    # the one rung that was asked for, or empty for all
TEST_PATTERN='' # of names within it
TEST_STEPS=()   # in the order of the summary

# FILTER is RUNG, RUNG/PATTERN, or a pattern over the names of what ctest and the appliance run.
test_filter() {
    local rung
    for rung in "${EGB_RUNGS[@]}"; do
        if [[ ${1-} == "$rung" || ${1-} == "$rung"/* ]]; then
            TEST_RUNG=$rung
            TEST_PATTERN=${1#"$rung"}
            TEST_PATTERN=${TEST_PATTERN#/}
            [[ ! $TEST_PATTERN || ! $rung =~ ^(tidy|cross)$ ]] ||
                die "$rung is one test, and has no parts: ./dev test $rung"
            return
        fi
    done
    TEST_PATTERN=${1-}
}

# wants RUNG...: whether any of them is to run. A pattern alone means named tests, not style or packages.
wants() {
    local rung
    for rung in "$@"; do
        [[ $TEST_RUNG == "$rung" || (-z $TEST_RUNG && -z ${EGB_LEFT_OUT[$rung]-}) ]] || continue
        [[ -z $TEST_PATTERN || $TEST_RUNG == "$rung" ]] && return 0
        [[ $rung =~ ^(unit|replay|contract|bpf|appliance)$ ]] && return 0
    done
    return 1
}

# try STEP TITLE COMMAND...: a step of the ladder; a failure is for the summary to tell.
try() {
    try_start "$@"
    try_wait "$1"
}

try_start() {
    TEST_STEPS+=("$1")
    rm -f "$EGB_LOG/$1.results"
    step_start "$@"
}

try_wait() { step_wait "$1" || TEST_FAILED=1; }

passed_step() { [[ ${STEP_CODE[$1]-1} == 0 ]]; }

# What this machine cannot run: told in the summary, never silent.
leave_out() {
    TEST_STEPS+=("$1")
    printf 'skip\t%s\t%s\n' "$1" "$2" >"$EGB_LOG/$1.results"
    printf '  %sskip%s  %s: %s\n' "$YELLOW" "$PLAIN" "$1" "$2"
}

# What a whole run does not try: told, and by whom it is run.
tell_left_out() {
    local rung
    for rung in "${EGB_RUNGS[@]}"; do
        [[ -n ${EGB_LEFT_OUT[$rung]-} ]] || continue
        TEST_STEPS+=("left-$rung")
        printf 'left\t%s\t%s\n' "$rung" "${EGB_LEFT_OUT[$rung]}" >"$EGB_LOG/left-$rung.results"
    done
}

# What a failure has kept from running is failed too.
not_reached() {
    local rung
    for rung in "$@"; do
        ! wants "$rung" || {
            TEST_STEPS+=("$rung")
            printf 'fail\t%s\tnot reached\n' "$rung" >"$EGB_LOG/$rung.results"
        }
    done
}

verb_test() {
    local trouble=''
    TEST_FAILED=0
    test_filter "$@"
    need_root
    need_commands
    rm -rf "$EGB_LOG"
    mkdir -p "$EGB_LOG"
    start_root build
    ! wants oci appliance podman kernels || start_root runtime
    ! wants podman || start_root podman
    wait_root build
    ! wants bpf appliance podman || trouble=$(kernel_trouble)

    heading "Tests"
    ! wants check || try check "style: format, imports, layers, SPDX, shell, units" run_quick_checks "$TEST_PATTERN"
    if ! wants unit replay contract bpf cross asan check tidy package oci appliance kernels podman release; then
        die "nothing matches $*"
    fi
    test_compiled "$trouble"
    ! wants kernels || test_kernels
    ! wants release || test_release
    [[ -n $TEST_RUNG$TEST_PATTERN ]] || tell_left_out
    test_summary
    return "$TEST_FAILED"
}

# Everything that needs a compiler. The package is built while tests run, and the booted tests, which mostly wait, share
# the machine with the compilers. A whole run has the unit tests once, under the sanitizers: to compile them twice would
# take most of its time.
test_compiled() {
    local trouble=$1 programs=()
    [[ -n $TEST_RUNG$TEST_PATTERN ]] || programs=(all_but_unit_tests)
    if wants tidy unit replay contract bpf cross; then
        try build "compile (dev)" compile dev "${programs[@]}"
        passed_step build || {
            not_reached tidy unit replay contract bpf cross asan package oci appliance podman
            return
        }
    fi
    ! wants package oci appliance podman || try_start package "package (deb)" build_package noautodbgsym
    ! wants unit replay contract bpf || try ctest "what ctest holds" run_ctest "$TEST_RUNG" "$TEST_PATTERN" "$trouble"
    ! wants package oci appliance podman || test_package "$trouble"
    ! wants cross || try cross "BPF objects for x86_64 and arm64" compile dev bpf_cross
    ! wants asan || try asan "unit tests under asan and ubsan" run_asan "$TEST_PATTERN"
    ! wants tidy || try tidy "clang-tidy" run_tidy
    [[ -z ${STEP_PID[appliance]-} ]] || try_wait appliance
}

# What becomes of the package: images, booted. The appliance goes on running.
test_package() {
    local trouble=$1
    try_wait package
    ! wants oci appliance podman || wait_root runtime
    if ! passed_step package; then
        not_reached oci appliance podman
        return
    fi
    ! wants package || try package-contents "what is in the package" run_package_tests "$TEST_PATTERN"
    ! wants oci || try oci "OCI image: valid, and its programs run" run_oci_tests "$TEST_PATTERN"
    if [[ -n $trouble ]]; then
        ! wants appliance || leave_out appliance "$trouble"
        ! wants podman || leave_out podman "$trouble"
        return
    fi
    ! wants appliance || try_start appliance "appliance: booted tests" run_appliance_tests "$TEST_PATTERN"
    if wants podman; then
        wait_root podman
        try podman "podman: the OCI image on a host of its own" run_podman_tests "$TEST_PATTERN"
    fi
}

# run_package_tests PATTERN: what of the package can be asked in no time.
run_package_tests() {
    results_open package-contents
    run_each package "$1" package_test versions manual
}

package_test() { in_build_root "tests/package/$1"; }

# run_ctest RUNG PATTERN TROUBLE: one run for all the rungs that ctest holds; what this kernel refuses is left out by
# label. Steps run in shells of their own, so what was asked for comes as arguments.
run_ctest() {
    local rung=$1 pattern=$2 trouble=$3 code=0 select=()
    results_open ctest
    if [[ -n $rung$pattern ]]; then
        select+=(-R "${rung:+^$rung/.*}$pattern")
    else
        select+=(-E '^unit')
    fi
    if [[ -n $trouble ]]; then
        select+=(-LE '^bpf$')
        result skip bpf "$trouble"
    fi
    in_build_root ctest --test-dir "$(build_folder dev)" --parallel "$EGB_JOBS" --output-on-failure \
        --output-junit "$(tree)/build/log/ctest.xml" "${select[@]}" || code=$?
    in_build_root python3 tools/dev/ctest_results.py build/log/ctest.xml >>"$EGB_RESULTS"
    return $code
}

# run_asan PATTERN: of programs; each is a layer, or a kind.
run_asan() {
    local code=0
    results_open asan
    compile asan unit_tests
    rm -rf "$(build_folder asan)/results"
    in_build_root nice -n 10 ctest --test-dir "$(build_folder asan)" --parallel "$EGB_JOBS" --output-on-failure \
        --tests-regex "^unit/.*$1" --output-junit "$(tree)/build/log/asan.xml" || code=$?
    in_build_root python3 tools/dev/ctest_results.py --prefix asan/ --each-of "$(build_folder asan)/results" \
        build/log/asan.xml >>"$EGB_RESULTS"
    return $code
}

# broken_step STEP: the line of results of one that has none for its failure.
broken_step() { printf 'fail\t%s\tbuild/log/%s.log ends with: %s\n' "$1" "$1" "$(last_words "$EGB_LOG/$1.log")"; }

# Rows by rung: the part of a test's name before the first slash.
test_summary() {
    local step files=()
    for step in "${TEST_STEPS[@]}"; do
        if [[ ! -s $EGB_LOG/$step.results ]]; then
            if [[ $step =~ ^(ctest|asan|oci|appliance|podman|release)$ ]] && passed_step "$step"; then
                # Nothing that was asked for may be missing unseen.
                printf '%s\t%s\t%s\n' "$([[ -n $TEST_PATTERN ]] && echo skip || echo fail)" "$step" \
                    "no test of it matches ${TEST_PATTERN:-anything}"
            elif passed_step "$step"; then
                printf 'pass\t%s\t\n' "$step"
            else
                broken_step "$step"
            fi >"$EGB_LOG/$step.results"
        elif [[ -n ${STEP_CODE[$step]-} && ${STEP_CODE[$step]} != 0 ]] &&
            ! grep -q '^fail' "$EGB_LOG/$step.results"; then
            broken_step "$step" >>"$EGB_LOG/$step.results"
        fi
        printf '%s\t%s\n' "$step" "${STEP_TOOK[$step]-0}" >>"$EGB_LOG/times"
        files+=("$EGB_LOG/$step.results")
    done
    # Tests have a slash in their names, and steps none.
    [[ -z $TEST_PATTERN ]] || grep -qE $'^[a-z]+\t[^\t]*/' "${files[@]}" || {
        printf 'fail\ttest\tnothing matches %s\n' "$TEST_PATTERN" >"$EGB_LOG/test.results"
        files+=("$EGB_LOG/test.results")
    }
    heading "Summary"
    python3 "$EGB_TOOLS/summary.py" --seconds "$SECONDS" --times "$EGB_LOG/times" "${files[@]}" || TEST_FAILED=1
}
