# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Everything ./dev is made of. Steps run in shells of their own, which begin by sourcing this file.
: "${EGB_TOP:?}"
export EGB_TOOLS=$EGB_TOP/tools/dev
export EGB_CACHE=${EGB_CACHE:-/var/cache/eghostbuster}
export EGB_LOG=$EGB_TOP/build/log
export EGB_NATIVE=${EGB_NATIVE:-}
EGB_JOBS=${EGB_JOBS:-$(nproc)}
export EGB_JOBS
export PYTHONDONTWRITEBYTECODE=1

for part in message steps preconditions roots build check package oci release appliance ghosts run test kernels bench \
    tools; do
    # shellcheck source=/dev/null
    source "$EGB_TOOLS/$part.sh"
done
unset part
