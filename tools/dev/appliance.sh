# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# The appliance: the runtime root with our package installed, as an image that appliance-ctl boots.

readonly EGB_APPLIANCE=eghostbuster
# Part of the name: a new recipe must not find the images of the old one.
readonly EGB_IMAGE_RECIPE=2
# As many as there may be checkouts at work on this machine; each takes some 190 MiB.
readonly EGB_KEPT_IMAGES=8

appliance_ctl() { "$EGB_TOOLS/appliance-ctl" "$@"; }

image_path() {
    local key
    key=$(sha256sum <"$(package_file)")
    printf '%s/images/%s-%s-%.12s' "$EGB_CACHE" "$(basename "$(root_path runtime)")" "$EGB_IMAGE_RECIPE" "$key"
}

# image_in_root PATH: as the build root sees it.
image_in_root() { if [[ -n $EGB_NATIVE ]]; then printf '%s' "$1"; else printf '/cache/%s' "${1#"$EGB_CACHE/"}"; fi; }

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
    find "$EGB_CACHE/images" -mindepth 1 -maxdepth 1 -type d -printf '%T@\t%p\n' | sort --reverse --numeric-sort |
        tail -n "+$((EGB_KEPT_IMAGES + 1))" | cut -f 2 | xargs --no-run-if-empty rm -rf
    rm -rf "$path.part"
    fill_image "$(root_path runtime)" "$path.part"
    mv "$path.part" "$path"
}

# fill_image ROOT PATH
fill_image() {
    local root=$1 path=$2
    cp --archive --reflink=auto "$root" "$path"
    cp "$(package_file)" "$path/eghostbuster.deb"
    touch "$path"
    # Not by apt: what packages-runtime.txt has brought is all there is to depend on.
    DEBIAN_FRONTEND=noninteractive chroot "$path" dpkg --install /eghostbuster.deb ||
        die "the package depends on something that tools/dev/packages-runtime.txt does not name"
    rm "$path/eghostbuster.deb"
    echo eghostbuster >"$path/etc/hostname"
    forget_making "$path"
}

# forget_making PATH: takes out of an image which machine has made it, and on which day.
forget_making() {
    local day
    day=$(($(source_date) / 86400))
    # Empty and not missing: the container's settings leave it alone.
    : >"$1/etc/resolv.conf"
    rm -f "$1"/etc/{passwd,group,shadow,gshadow,subuid,subgid}- "$1/etc/apt/apt.conf.d/99mmdebstrap"
    rm -f "$1"/var/log/{dpkg,alternatives}.log "$1"/var/cache/ldconfig/aux-cache "$1"/var/cache/debconf/*-old
    # The day of each user's last change of password.
    sed --in-place --regexp-extended "s/^([^:]*:[^:]*):[0-9]+:/\\1:$day:/" "$1/etc/shadow"
    chmod 0644 "$1"/etc/{hostname,resolv.conf}
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
