# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# What this machine must have, and one clear line when it has not.

# Bits of the effective capability set.
readonly CAP_SYS_ADMIN_BIT=21 CAP_PERFMON_BIT=38 CAP_BPF_BIT=39

need_root() {
    ((EUID == 0)) || die "this needs root, for mounts and for bpf(2): try it again with sudo"
}

# need_disk FOLDER MIB
need_disk() {
    local free
    mkdir -p "$1"
    free=$(($(df --output=avail -k "$1" | tail -n 1) / 1024))
    ((free >= $2)) ||
        die "$1 has $free MiB left and $2 are needed: make room, or set EGB_CACHE to a folder on another disk"
}

# Commands that are missing here, and the packages that have them.
need_commands() {
    local pair missing=()
    for pair in mmdebstrap:mmdebstrap systemd-nspawn:systemd-container python3:python3 \
        nsenter:util-linux tar:tar; do
        command -v "${pair%%:*}" >/dev/null || missing+=("${pair#*:}")
    done
    ((${#missing[@]})) || return 0
    command -v apt-get >/dev/null ||
        die "this machine lacks ${missing[*]} and has no apt-get: install them, or use Debian 12 or 13"
    step host-packages "install on this machine: ${missing[*]}" host_install "${missing[@]}" || die_of_network
}

host_install() {
    export DEBIAN_FRONTEND=noninteractive
    apt-get update
    apt-get install --yes --no-install-recommends "$@"
}

# After a failed download: says so when it was the network.
die_of_network() {
    if [[ -z ${http_proxy-} ]] && ! timeout 10 bash -c ': </dev/tcp/deb.debian.org/80' 2>/dev/null; then
        die "deb.debian.org cannot be reached: check the network, or set http_proxy"
    fi
    exit 1
}

# Prints why this kernel cannot be watched from here; nothing when it can.
kernel_trouble() {
    local effective
    [[ -r /sys/kernel/btf/vmlinux ]] || {
        say "this kernel has no BTF (/sys/kernel/btf/vmlinux): boot one with CONFIG_DEBUG_INFO_BTF=y, 5.14 or later"
        return
    }
    effective=$((16#$(sed -n 's/^CapEff:\s*//p' /proc/self/status)))
    if ! ((effective >> CAP_SYS_ADMIN_BIT & 1)) ||
        ! ((effective >> CAP_BPF_BIT & 1 && effective >> CAP_PERFMON_BIT & 1)); then
        say "bpf(2) is out of reach: this shell has no CAP_SYS_ADMIN, CAP_BPF or CAP_PERFMON; in a container, start it with --privileged"
        return
    fi
    # Asked of the kernel itself: a seccomp filter or a lockdown shows only here.
    in_build_root bpftool prog list >/dev/null 2>&1 ||
        say "bpf(2) is refused although root has the capabilities: look for a seccomp filter, or lockdown=confidentiality in /sys/kernel/security/lockdown"
}

need_kernel() {
    local trouble
    trouble=$(kernel_trouble)
    [[ -z $trouble ]] || die "$trouble"
}
