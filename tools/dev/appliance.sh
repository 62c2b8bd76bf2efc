# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# The appliance: the runtime root with our package installed, as an image that appliance-ctl boots.

readonly EGB_APPLIANCE=eghostbuster

appliance_ctl() { "$EGB_TOOLS/appliance-ctl" "$@"; }

image_path() {
    local key
    key=$(sha256sum <"$(package_file)")
    printf '%s/images/%s-%.12s' "$EGB_CACHE" "$(basename "$(root_path runtime)")" "$key"
}

make_image() {
    local path
    path=$(image_path)
    mkdir -p "$EGB_CACHE/images"
    (
        flock 9
        make_image_at "$path"
    ) 9>"$EGB_CACHE/images/lock"
}

# Called with the lock held.
make_image_at() {
    local path=$1
    # Touched, so that the one that is in use is never among the old ones below.
    [[ ! -d $path ]] || { touch "$path" && return 0; }
    find "$EGB_CACHE/images" -mindepth 1 -maxdepth 1 -type d -mtime +0 -exec rm -rf {} +
    rm -rf "$path.part"
    cp --archive --reflink=auto "$(root_path runtime)" "$path.part"
    cp "$(package_file)" "$path.part/eghostbuster.deb"
    touch "$path.part"
    # Not by apt: what packages-runtime.txt has brought is all there is to depend on.
    DEBIAN_FRONTEND=noninteractive chroot "$path.part" dpkg --install /eghostbuster.deb ||
        die "the package depends on something that tools/dev/packages-runtime.txt does not name"
    rm "$path.part/eghostbuster.deb"
    echo eghostbuster >"$path.part/etc/hostname"
    mv "$path.part" "$path"
}

# in_appliance COMMAND...
in_appliance() { appliance_ctl exec "$EGB_APPLIANCE" "$@"; }

verb_exec() {
    need_root
    (($#)) || die "which command? for example: ./dev exec ghostctl list"
    appliance_ctl leader "$EGB_APPLIANCE" >/dev/null 2>&1 || die "the appliance is not running: ./dev run starts it"
    in_appliance "$@"
}

verb_stop() {
    need_root
    appliance_ctl stop "$EGB_APPLIANCE"
    say "The appliance is stopped, and nothing of it is left in the kernel."
}

# run_appliance_tests PATTERN
run_appliance_tests() {
    results_open appliance
    make_image
    EGB_IMAGE=$(image_path) EGB_PACKAGE=$(package_file) EGB_RESULTS=$EGB_RESULTS \
        EGB_BUILD_ROOT=$([[ -n $EGB_NATIVE ]] || root_path build) \
        python3 "$EGB_TOP/tests/appliance/run.py" "$1"
}
