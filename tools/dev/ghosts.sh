# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# The demonstration of ./dev run --demo: a process of this machine that forgets a socket, and what is said of it.

readonly EGB_DEMO_SECONDS=30

# The planter, and what it reads until it is to end, so that the trap can end both whatever happens.
DEMO_PID=''
DEMO_INPUT_PID=''

demo_end() {
    [[ -z $DEMO_PID ]] || kill "$DEMO_PID" "$DEMO_INPUT_PID" 2>/dev/null || true
    DEMO_PID=''
}

demo() {
    local deadline=$((SECONDS + EGB_DEMO_SECONDS)) id='' input
    heading "A process of this machine forgets a socket"
    exec {input}< <(exec sleep $((2 * EGB_DEMO_SECONDS)))
    DEMO_INPUT_PID=$!
    python3 "$EGB_TOP/tests/harness/forgetful.py" --comm egb-demo >"$EGB_LOG/forgetful" <&"$input" &
    DEMO_PID=$!
    trap 'demo_end; steps_abandon' EXIT
    say "  pid $DEMO_PID has accepted a connection, its peer has hung up, and it never closes its end."
    say "  The appliance waits three seconds before it calls that a ghost, and five for an objection (the defaults are"
    say "  much longer). It acts upon nothing else on this machine."
    until id=$(in_appliance ghostctl list --json --kind tcp --pid "$DEMO_PID" | demo_first_id) && [[ -n $id ]]; do
        ((SECONDS < deadline)) || die "it was not found within $EGB_DEMO_SECONDS s: ./dev exec journalctl -u eghostbuster"
        sleep 0.5
    done
    heading "ghostctl list"
    in_appliance ghostctl list
    heading "ghostctl explain $id"
    in_appliance ghostctl explain "$id"
    until in_appliance ghostctl history --ghost "$id" --verdict cleaned --json | grep -q '"cleaned"'; do
        ((SECONDS < deadline)) || die "it was not laid to rest within $EGB_DEMO_SECONDS s: ./dev exec journalctl -u eghostbuster"
        sleep 0.5
    done
    heading "ghostctl history --ghost $id"
    in_appliance ghostctl history --ghost "$id"
    demo_end
}

# The id of the first row of `ghostctl list --json`.
demo_first_id() {
    python3 -c 'import json, sys; rows = json.load(sys.stdin)["ghosts"]; print(rows[0]["id"] if rows else "")'
}
