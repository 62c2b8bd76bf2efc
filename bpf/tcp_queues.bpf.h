/* SPDX-License-Identifier: GPL-2.0-only */
/* What is on its way in a connection, for all programs that judge or touch one. */
#ifndef EGB_TCP_QUEUES_BPF_H
#define EGB_TCP_QUEUES_BPF_H

#include "kernel_types.h"

/* Sequence numbers run round; what lies between two of them is never negative. */
static __always_inline __u32 distance(__u32 from, __u32 to)
{
	return (__s32)(to - from) > 0 ? to - from : 0;
}

/*
 * A FIN has a sequence number too, and is no data: not the peer's, which is the last thing that
 * can be unread, and not ours, which is the last thing that can be unsent.
 */
static __always_inline __u32 unread_bytes(const struct tcp_sock *tp, __u32 state)
{
	__u32 unread = distance(tp->copied_seq, tp->rcv_nxt);

	return unread && state != TCP_FIN_WAIT2 ? unread - 1 : unread;
}

static __always_inline __u32 unsent_bytes(const struct tcp_sock *tp, __u32 state)
{
	__u32 unsent = distance(tp->snd_una, tp->write_seq);

	return unsent && state == TCP_LAST_ACK ? unsent - 1 : unsent;
}

static __always_inline __u64 received_bytes(const struct tcp_sock *tp, __u32 state)
{
	__u64 received = tp->bytes_received;

	return received && state != TCP_FIN_WAIT2 ? received - 1 : received;
}

/*
 * Where this side of the connection began to count what it sends: another number in each connection
 * that a socket is used for. The fields are read each time, because they may change meanwhile.
 */
static __always_inline __u32 first_sequence(const struct tcp_sock *tp)
{
	__u32 unacknowledged = *(volatile const __u32 *)&tp->snd_una;
	__u64 acknowledged = *(volatile const __u64 *)&tp->bytes_acked;

	return unacknowledged - (__u32)acknowledged;
}

#endif
