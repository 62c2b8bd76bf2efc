# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# ./dev bench [NAME] [--check] [--json] [--table NAME] [--rounds N]
# tests/bench/NAME.py measures one thing in the booted appliance and in this machine, prints a table or (with --json) one
# object, and with --check compares it with tests/bench/bars.txt. This verb builds what they need and calls them in turn.

verb_bench() {
    local argument name='' options=() bench failed=0
    while (($#)); do
        argument=$1
        shift
        case $argument in
            --check | --json | --table=* | --rounds=*) options+=("$argument") ;;
            --table | --rounds) options+=("$argument=${1-}") && shift ;;
            -*) die "no such option of bench: $argument" ;;
            *) name=$argument ;;
        esac
    done
    need_root
    mapfile -t benches < <(bench_programs "$name")
    ((${#benches[@]})) || die "no such bench: ${name:-any}; there are: $(bench_programs '' | sed 's|.*/||; s|\..*||' | paste -sd' ')"
    need_commands
    start_root build
    start_root runtime
    start_root bench
    wait_root build
    need_kernel
    # Tables and objects are for a pipe: what is done on the way goes to the other stream.
    {
        step package "build the package" build_package noautodbgsym
        wait_root runtime
        step image "install it into the appliance" make_image
        step bench-programs "compile what makes the load" compile dev bench_programs
        wait_root bench
    } >&2
    EGB_IMAGE=$(image_path)
    EGB_BUILD_ROOT=$(root_path build)
    EGB_BENCH_ROOT=$(root_path bench)
    EGB_BENCH_PROGRAMS=$(tree)/$(build_folder dev)/tests/bench
    export EGB_IMAGE EGB_BUILD_ROOT EGB_BENCH_ROOT EGB_BENCH_PROGRAMS
    for bench in "${benches[@]}"; do
        "$bench" "${options[@]}" || failed=1
    done
    return $failed
}

# bench_programs NAME: the one, or all.
bench_programs() {
    find "$EGB_TOP/tests/bench" -maxdepth 1 -type f -perm -u+x \
        \( -name "${1:-*}.py" -o -name "${1:-*}.sh" \) | sort
}
