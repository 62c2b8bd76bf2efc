// SPDX-License-Identifier: GPL-2.0-only
/* The same by the other mechanism. */
#define EGB_RING_BYTES 4096
#define EGB_LOCKS_ROOM 4

#include "../../../bpf/lockfile_vfs.bpf.c"
