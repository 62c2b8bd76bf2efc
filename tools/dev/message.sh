# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# What is said to people.

say() { printf '%s\n' "$*"; }

die() {
    printf '\n%s: %s\n' "${0##*/}" "$*" >&2
    exit 1
}

# A live line is for eyes only: never into a pipe, a log or a CI.
on_terminal() { [[ -t 1 && -z ${CI-} && ${TERM-dumb} != dumb ]]; }

if on_terminal; then
    readonly BOLD=$'\e[1m' RED=$'\e[31m' GREEN=$'\e[32m' YELLOW=$'\e[33m' PLAIN=$'\e[0m' ERASE=$'\r\e[K'
else
    # shellcheck disable=SC2034 # used by the other parts
    readonly BOLD='' RED='' GREEN='' YELLOW='' PLAIN='' ERASE=''
fi

heading() { printf '\n%s%s%s\n' "$BOLD" "$*" "$PLAIN"; }

# duration SECONDS
duration() {
    if (($1 >= 60)); then
        printf '%dm%02ds' $(($1 / 60)) $(($1 % 60))
    else
        printf '%ds' "$1"
    fi
}
