// SPDX-License-Identifier: GPL-2.0-only
/* An object of which every kernel refuses one half. */
#include "common.bpf.h"

SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(half_good, struct sock *sk, int oldstate, int newstate)
{
	return 0;
}

SEC("tp_btf/no_kernel_has_this_tracepoint")
int BPF_PROG(half_bad, void *nothing)
{
	return 0;
}
