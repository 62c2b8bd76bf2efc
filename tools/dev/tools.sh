# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# ./dev shell and ./dev format.

verb_shell() {
    prepare_build_root
    if (($#)); then
        in_build_root "$@"
    else
        say "This is the build root, with the tree at /src. What you install here is forgotten when you leave."
        in_build_root bash
    fi
}

verb_format() {
    prepare_build_root
    in_build_root tests/check/format --fix
}
