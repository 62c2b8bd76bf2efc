# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# The Debian 13 root file systems: `build` to compile in, `runtime` to boot, `bench` with what we are measured against.
# Each is made once from its package list and kept in the cache under the hash of that list; nobody ever writes into
# it again.

readonly EGB_SUITE=trixie
# Part of the key: a new recipe must not find the roots of the old one.
readonly EGB_ROOT_RECIPE=1
readonly EGB_ROOT_KEEP_DAYS=14
readonly EGB_ROOT_MIB=4000

# The list without its comments, comma-separated.
root_packages() {
    sed -e 's/#.*//' "$EGB_TOOLS/packages-$1.txt" | tr -s '[:space:]' '\n' | sed '/^$/d' | paste -sd,
}

root_path() {
    local key
    key=$(printf '%s %s %s' "$EGB_SUITE" "$EGB_ROOT_RECIPE" "$(root_packages "$1")" | sha256sum)
    printf '%s/roots/%s-%.12s' "$EGB_CACHE" "$1" "$key"
}

# start_root NAME: begins to make it when it is missing; step_wait root-NAME then.
start_root() {
    local path
    path=$(root_path "$1")
    [[ -z $EGB_NATIVE || $1 != build ]] || return 0
    if [[ -d $path ]]; then
        touch "$path"
        return
    fi
    need_disk "$EGB_CACHE" "$EGB_ROOT_MIB"
    step_start "root-$1" "make the $1 root (Debian $EGB_SUITE)" make_root "$1" "$path"
}

wait_root() {
    [[ -z ${STEP_PID[root-$1]-} ]] || step_wait "root-$1" || die_of_network
}

make_root() {
    local name=$1 path=$2
    mkdir -p "$EGB_CACHE/roots"
    exec 9>"$EGB_CACHE/roots/$name.lock"
    flock 9
    [[ ! -d $path ]] || return 0 # another ./dev was faster
    find "$EGB_CACHE/roots" -maxdepth 1 -name "$name-*" -mtime "+$EGB_ROOT_KEEP_DAYS" -exec rm -rf {} +
    rm -rf "$path.part"
    debian_root "$name" "$path.part"
    mv "$path.part" "$path"
}

# debian_root NAME PATH
debian_root() {
    mmdebstrap --mode=root --variant=apt --include="$(root_packages "$1")" \
        --aptopt='Acquire::Languages "none"' --aptopt='Acquire::Retries "3"' "$EGB_SUITE" "$2"
}

# in_root NAME COMMAND...: with this tree at /src, and nothing that it mounts or installs outliving it.
in_root() {
    local name=$1
    shift
    unshare --mount --propagation private -- "$EGB_TOOLS/enter-root" "$(root_path "$name")" "$@"
}

in_build_root() {
    if [[ -n $EGB_NATIVE ]]; then
        (cd "$EGB_TOP" && CCACHE_DIR=$EGB_CACHE/ccache "$@")
    else
        in_root build "$@"
    fi
}
