# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# tree_files: the files that people write, without what is built. Works in a clone, a work tree and a tarball.
tree_files() {
    find . \( -path ./.git -o -path ./build -o -path ./dist -o -path ./.cache -o -name __pycache__ \) -prune \
        -o -type f -printf '%P\n' | LC_ALL=C sort
}
