# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Long work in steps: each has a log, a live time, and a line when it is done. Several may run at once.
#   step_start NAME TITLE COMMAND...   begins, in a shell of its own, where `set -e` is in force
#   step_wait NAME...                  until these are done; fails when one of them did
#   step NAME TITLE COMMAND...         both

declare -A STEP_TITLE=() STEP_PID=() STEP_BEGAN=() STEP_TOOK=() STEP_CODE=()
readonly STEP_LOG_TAIL=40

step_start() {
    local name=$1 title=$2
    shift 2
    mkdir -p "$EGB_LOG"
    STEP_TITLE[$name]=$title
    STEP_BEGAN[$name]=$SECONDS
    unset "STEP_CODE[$name]"
    on_terminal || printf '  ...   %s\n' "$title"
    # A session of its own, so that everything it has started can be ended with it. A function called as a
    # condition would run without errexit: only another shell gets it back.
    # shellcheck disable=SC2016 # for the inner shell
    setsid bash -euo pipefail -c 'source "$EGB_TOP/tools/dev/load.sh"; "$@"' "$name" "$@" \
        >"$EGB_LOG/$name.log" 2>&1 </dev/null &
    STEP_PID[$name]=$!
}

step_wait() {
    local name failed=0 open
    while :; do
        open=0
        for name in "$@"; do
            if [[ -n ${STEP_PID[$name]-} ]]; then
                kill -0 "${STEP_PID[$name]}" 2>/dev/null && open=1 && continue
                step_end "$name"
            fi
        done
        ((open)) || break
        step_live
        sleep 0.2
    done
    for name in "$@"; do
        ((STEP_CODE[$name] == 0)) || failed=1
    done
    return $failed
}

step() {
    step_start "$@"
    step_wait "$1"
}

# strictly COMMAND...: with `set -e` in force, even where the caller is a condition.
strictly() {
    # shellcheck disable=SC2016 # for the inner shell
    bash -euo pipefail -c 'source "$EGB_TOP/tools/dev/load.sh"; "$@"' strictly "$@"
}

step_end() {
    local name=$1 code=0
    wait "${STEP_PID[$name]}" || code=$?
    unset "STEP_PID[$name]"
    STEP_CODE[$name]=$code
    STEP_TOOK[$name]=$((SECONDS - STEP_BEGAN[$name]))
    if ((code == 0)); then
        printf '%s  %sok%s    %-52s %7s\n' "$ERASE" "$GREEN" "$PLAIN" "${STEP_TITLE[$name]}" \
            "$(duration "${STEP_TOOK[$name]}")"
        return
    fi
    printf '%s  %sFAIL%s  %-52s %7s\n' "$ERASE" "$RED" "$PLAIN" "${STEP_TITLE[$name]}" \
        "$(duration "${STEP_TOOK[$name]}")"
    printf '        the last lines of %s:\n' "${EGB_LOG#"$PWD"/}/$name.log"
    tail -n "$STEP_LOG_TAIL" "$EGB_LOG/$name.log" | sed 's/^/        | /'
}

# One line that names what is running and for how long; on a terminal only.
step_live() {
    on_terminal || return 0
    local name line=
    for name in "${!STEP_PID[@]}"; do
        line+="${line:+, }${STEP_TITLE[$name]} $(duration $((SECONDS - STEP_BEGAN[$name])))"
    done
    printf '%s  ...   %.*s' "$ERASE" "$((${COLUMNS:-80} - 10))" "$line"
}

# Ends what is still running; for a trap on EXIT.
steps_abandon() {
    local name
    for name in "${!STEP_PID[@]}"; do
        kill -TERM -- "-${STEP_PID[$name]}" 2>/dev/null || true
    done
}
trap steps_abandon EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
