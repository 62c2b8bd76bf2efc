# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# ./dev run [--demo]

readonly EGB_READY_SECONDS=60

verb_run() {
    local demo=''
    case ${1-} in
        '') ;;
        --demo) demo=1 ;;
        *) die "no such option of run: $1" ;;
    esac
    need_root
    need_commands
    start_root build
    start_root runtime
    wait_root build
    need_kernel
    step package "build the package" build_package noautodbgsym
    wait_root runtime
    step image "install it into the appliance" make_image
    appliance_ctl stop "$EGB_APPLIANCE"
    step boot "boot the appliance, wait for READY" boot_and_wait "$demo"

    heading "ghostctl status"
    in_appliance ghostctl status
    [[ -z $demo ]] || demo
    heading "The appliance is running and watches this machine."
    say "  ./dev exec ghostctl list      what it has found; any command can stand there, a shell too"
    say "  ./dev exec ghostctl watch     what it finds next, as it happens"
    say "  ./dev stop                    end it; nothing of it stays behind"
}

# boot_and_wait DEMO
boot_and_wait() {
    local deadline=$((SECONDS + EGB_READY_SECONDS)) files=''
    [[ -z $1 ]] || files=$EGB_TOP/tools/dev/demo-files
    appliance_ctl start "$EGB_APPLIANCE" "$(image_path)" "$files"
    until in_appliance systemctl --quiet is-active eghostbuster.service; do
        if ((SECONDS >= deadline)) || in_appliance systemctl --quiet is-failed eghostbuster.service; then
            in_appliance systemctl --no-pager --full status eghostbuster.service || true
            in_appliance journalctl --no-pager --unit eghostbuster.service || true
            return 1
        fi
        sleep 0.2
    done
}
