# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# ./dev build, and the build folders that the other verbs need.

readonly EGB_BUILD_MIB=1500

# A tree configured at /src is of no use outside of the build root, and the other way round.
build_folder() { printf 'build/%s%s' "${EGB_NATIVE:+native-}" "$1"; }

# The top of the tree as the build root sees it.
tree() { if [[ -n $EGB_NATIVE ]]; then printf '%s' "$EGB_TOP"; else printf /src; fi; }

# compile PRESET [TARGET...]
compile() {
    local preset=$1 folder
    folder=$(build_folder "$1")
    shift
    need_disk "$EGB_TOP/build" "$EGB_BUILD_MIB"
    in_build_root tools/dev/configure "$preset" "$folder"
    in_build_root cmake --build "$folder" --parallel "$EGB_JOBS" ${1+--target "$@"}
}

prepare_build_root() {
    [[ -z $EGB_NATIVE ]] || return 0
    need_root
    need_commands
    start_root build
    wait_root build
}

verb_build() {
    prepare_build_root
    step build "compile (dev)" compile dev "$@"
    say "The programs are in $(build_folder dev)."
}
