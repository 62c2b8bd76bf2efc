// SPDX-License-Identifier: GPL-2.0-only
/* The process monitor with a ring that a few events fill. */
#define EGB_RING_BYTES 4096

#include "../../../bpf/trace.bpf.c"
