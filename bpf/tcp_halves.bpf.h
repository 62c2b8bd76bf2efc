/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The connections of a network namespace in two halves, for two threads that go through them at
 * once: an iterator goes through the kernel's table of connections from one end to the other.
 * Whoever leaves a socket to the other walks on quickly, so that they do not wait for each other.
 */
#ifndef EGB_TCP_HALVES_BPF_H
#define EGB_TCP_HALVES_BPF_H

#include "kernel_types.h"

static __always_inline bool is_in_upper_half(const struct sock_common *common)
{
	__u32 mask = common->skc_net.net->ipv4.tcp_death_row.hashinfo->ehash_mask;

	return common->skc_hash & (mask ^ (mask >> 1));
}

#endif
