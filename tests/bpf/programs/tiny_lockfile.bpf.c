// SPDX-License-Identifier: GPL-2.0-only
/* Lock files with room for a few. */
#define EGB_RING_BYTES 4096
#define EGB_LOCKS_ROOM 4

#include "../../../bpf/lockfile.bpf.c"
