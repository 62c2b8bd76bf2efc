// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sockets that wait for an application: CLOSE_WAIT, and FIN_WAIT2 and LAST_ACK beside it.
 *
 * A busy server sends thousands of sockets a second through these states, each for a moment. They
 * must cost next to nothing, so an entry into a state leaves a mark on the socket (sk_storage: it
 * goes with the socket, cannot overflow and cannot be confused by a reused address) and nothing
 * else. The first one since the last sweep also wakes the daemon, which looks again when the
 * threshold has passed: what still waits then is worth a closer look. Only sockets that the daemon
 * has seen in a sweep report their end.
 */
/* Room for the end of some 26,000 watched sockets at once. */
#define EGB_RING_BYTES (1024 * 1024)

#include "common.bpf.h"

#include <bpf/bpf_endian.h>

#include "tcp.h"
#include "tcp_queues.bpf.h"

struct egb_tcp_mark {
	__u64 since_ns;
	__u64 quiet_ns;
	__u64 bytes_sent;
	__u64 bytes_acked;
	__u64 bytes_received;
	__u32 receive_queue;
	__u32 send_queue;
	__u32 state;
	__u32 flags;
};

struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct egb_tcp_mark);
} egb_tcp_marks SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct egb_tcp_control);
} egb_tcp_control SEC(".maps");

/* Sockets that had no room for a mark: their owner's option memory is used up. Nothing was lost by
 * that which a sweep could put right, so these are no drops.
 */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} egb_tcp_unmarked SEC(".maps");

/* 1 when the daemon has been told that something waits. It sets it back before each sweep. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} egb_tcp_announced SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct egb_tcp_peer_ports);
} egb_tcp_peer_ports SEC(".maps");

#define SOCK_DEAD_BIT 1UL

static __always_inline bool is_waiting_state(int state)
{
	return state == TCP_CLOSE_WAIT || state == TCP_FIN_WAIT2 || state == TCP_LAST_ACK;
}

static __always_inline __u64 threshold_of(int state)
{
	__u32 zero = 0;
	struct egb_tcp_control *control = bpf_map_lookup_elem(&egb_tcp_control, &zero);

	if (!control)
		return 0;
	switch (state) {
	case TCP_CLOSE_WAIT:
		return control->close_wait_after_ns;
	case TCP_FIN_WAIT2:
		return control->fin_wait2_after_ns;
	case TCP_LAST_ACK:
		return control->last_ack_after_ns;
	}
	return 0;
}

static __always_inline bool is_orphan(const struct sock *sk)
{
	return sk->__sk_common.skc_flags & SOCK_DEAD_BIT;
}

/*
 * An orphan in FIN_WAIT2 is how every connection ends that was closed from this side: the kernel's
 * own tcp_fin_timeout sees to it, and there are far too many of them to mark each.
 */
static __always_inline bool is_plain_ending(const struct sock *sk, int state)
{
	return state == TCP_FIN_WAIT2 && is_orphan(sk);
}

/* True when something moved since the mark was last brought up to date, which this does. */
static __always_inline bool take_progress(struct egb_tcp_mark *mark, const struct tcp_sock *tp,
					  __u32 state)
{
	__u32 receive_queue = unread_bytes(tp, state);
	__u32 send_queue = unsent_bytes(tp, state);
	__u64 bytes_received = received_bytes(tp, state);
	bool moved = mark->bytes_sent != tp->bytes_sent || mark->bytes_acked != tp->bytes_acked ||
		     mark->bytes_received != bytes_received ||
		     mark->receive_queue != receive_queue || mark->send_queue != send_queue;

	mark->bytes_sent = tp->bytes_sent;
	mark->bytes_acked = tp->bytes_acked;
	mark->bytes_received = bytes_received;
	mark->receive_queue = receive_queue;
	mark->send_queue = send_queue;
	return moved;
}

/* Socket and inode are one allocation. A socket on its way to be an orphan may lose it meanwhile.
 */
static __always_inline __u64 inode_of(const struct sock *sk)
{
	struct socket *socket = sk->sk_socket;
	struct socket_alloc *whole;

	if (!socket)
		return 0;
	whole = (void *)socket - bpf_core_field_offset(struct socket_alloc, socket);
	return BPF_CORE_READ(whole, vfs_inode.i_ino);
}

/* IPv4 in the first four bytes. */
static __always_inline void fill_addresses(__u8 local[16], __u8 remote[16],
					   const struct sock_common *common)
{
	__builtin_memset(local, 0, 16);
	__builtin_memset(remote, 0, 16);
	if (common->skc_family == AF_INET6) {
		bpf_core_read(local, 16, &common->skc_v6_rcv_saddr.in6_u.u6_addr8);
		bpf_core_read(remote, 16, &common->skc_v6_daddr.in6_u.u6_addr8);
	} else {
		*(__be32 *)local = common->skc_rcv_saddr;
		*(__be32 *)remote = common->skc_daddr;
	}
}

static __always_inline void fill_socket(struct egb_tcp_socket *record, struct sock *sk,
					const struct egb_tcp_mark *mark)
{
	const struct sock_common *common = &sk->__sk_common;

	record->cookie = bpf_get_socket_cookie(sk);
	record->since_ns = mark->since_ns;
	record->quiet_ns = mark->quiet_ns;
	record->bytes_sent = mark->bytes_sent;
	record->bytes_acked = mark->bytes_acked;
	record->bytes_received = mark->bytes_received;
	record->inode = inode_of(sk);
	record->receive_queue = mark->receive_queue;
	record->send_queue = mark->send_queue;
	record->netns = common->skc_net.net->ns.inum;
	record->uid = sk->sk_uid.val;
	record->local_port = common->skc_num;
	record->remote_port = bpf_ntohs(common->skc_dport);
	record->family = common->skc_family;
	record->state = common->skc_state;
	record->flags = mark->flags | (is_orphan(sk) ? EGB_TCP_ORPHAN : 0);
	record->reserved = 0;
	fill_addresses(record->local, record->remote, common);
}

static __always_inline void announce(int state)
{
	__u32 zero = 0;
	__u32 *announced = bpf_map_lookup_elem(&egb_tcp_announced, &zero);
	struct egb_header *header;

	if (!announced || *announced || !threshold_of(state))
		return;
	header = egb_reserve(EGB_TCP_WAITING, sizeof(*header));
	if (!header)
		return;
	*announced = 1;
	bpf_ringbuf_submit(header, 0);
}

static __always_inline void count_unmarked(void)
{
	__u32 zero = 0;
	__u64 *unmarked = bpf_map_lookup_elem(&egb_tcp_unmarked, &zero);

	if (unmarked)
		(*unmarked)++;
}

static __always_inline void set_mark(struct egb_tcp_mark *mark, struct tcp_sock *tp, __u32 state,
				     __u64 since, __u32 flags)
{
	take_progress(mark, tp, state);
	mark->since_ns = since;
	mark->quiet_ns = since;
	mark->state = state;
	mark->flags = flags;
}

static __always_inline void begin_waiting(struct sock *sk, int state)
{
	struct egb_tcp_mark *mark;
	struct tcp_sock *tp;

	if (is_plain_ending(sk, state))
		return;
	tp = bpf_skc_to_tcp_sock(sk);
	if (!tp)
		return;
	mark = bpf_sk_storage_get(&egb_tcp_marks, sk, NULL, BPF_SK_STORAGE_GET_F_CREATE);
	if (!mark) {
		count_unmarked();
		return;
	}
	set_mark(mark, tp, state, bpf_ktime_get_ns(), 0);
	announce(state);
}

static __always_inline void end_waiting(struct sock *sk, int newstate)
{
	struct egb_tcp_mark *mark = bpf_sk_storage_get(&egb_tcp_marks, sk, NULL, 0);
	struct egb_tcp_end *record;

	if (!mark || !(mark->flags & EGB_TCP_WATCHED))
		return;
	record = egb_reserve(EGB_TCP_END, sizeof(*record));
	if (!record)
		return;
	record->cookie = bpf_get_socket_cookie(sk);
	record->netns = sk->__sk_common.skc_net.net->ns.inum;
	record->next_state = newstate;
	record->error = sk->sk_err;
	bpf_ringbuf_submit(record, 0);
}

SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(egb_tcp_state, struct sock *sk, int oldstate, int newstate)
{
	if (!is_waiting_state(oldstate) && !is_waiting_state(newstate))
		return 0;
	if (sk->sk_protocol != IPPROTO_TCP)
		return 0;
	if (is_waiting_state(oldstate))
		end_waiting(sk, newstate);
	if (is_waiting_state(newstate))
		begin_waiting(sk, newstate);
	return 0;
}

/*
 * A waiting socket that no tracepoint has shown us in this state: older than the daemon, created
 * while it was away, or missed because the tracepoint interrupted itself (the kernel then skips the
 * program).
 */
static __always_inline void adopt(struct sock *sk)
{
	__u32 state = sk->__sk_common.skc_state;
	struct egb_tcp_mark *mark;
	struct tcp_sock *tp;
	__u64 last_packet;

	if (!is_waiting_state(state) || sk->sk_protocol != IPPROTO_TCP ||
	    is_plain_ending(sk, state))
		return;
	tp = bpf_skc_to_tcp_sock(sk);
	if (!tp)
		return;
	mark = bpf_sk_storage_get(&egb_tcp_marks, sk, NULL, BPF_SK_STORAGE_GET_F_CREATE);
	if (!mark || mark->state == state)
		return;
	/* The FIN was a packet too: the state is at least as old as the last one. */
	last_packet = tp->tcp_mstamp * 1000;
	set_mark(mark, tp, state, last_packet, EGB_TCP_SINCE_AT_LEAST);
	/* Reading what has arrived makes no packet: with data unread, the last one says nothing of
	 * the reader. */
	if (mark->receive_queue)
		mark->quiet_ns = bpf_ktime_get_ns();
}

/* Sockets of the network namespace in which the iterator is opened, with or without a descriptor.
 */
SEC("iter/tcp")
int egb_tcp_adopt(struct bpf_iter__tcp *ctx)
{
	struct sock_common *common = ctx->sk_common;
	struct tcp_sock *tp;

	if (!common)
		return 0;
	tp = bpf_skc_to_tcp_sock(common);
	if (tp)
		adopt((struct sock *)tp);
	return 0;
}

/* Sockets of all network namespaces, as far as some process has a descriptor for them. */
SEC("iter/task_file")
int egb_tcp_adopt_files(struct bpf_iter__task_file *ctx)
{
	struct file *file = ctx->file;
	struct socket *socket;

	if (!ctx->task || !file)
		return 0;
	socket = bpf_sock_from_file(file);
	if (socket && socket->sk)
		adopt(socket->sk);
	return 0;
}

static __always_inline bool is_wanted_port(__u16 port)
{
	__u32 zero = 0;
	struct egb_tcp_peer_ports *ports = bpf_map_lookup_elem(&egb_tcp_peer_ports, &zero);

	return ports && ports->bits[(port >> 6) & 1023] >> (port & 63) & 1;
}

/* Who may be the other end of a waiting socket, in the network namespace in which the iterator is
 * opened.
 */
SEC("iter/tcp")
int egb_tcp_peers(struct bpf_iter__tcp *ctx)
{
	struct sock_common *common = ctx->sk_common;
	struct egb_tcp_peer record = {};

	if (!common || common->skc_state == TCP_LISTEN || !is_wanted_port(common->skc_num))
		return 0;
	egb_fill_header(&record.header, EGB_TCP_PEER, sizeof(record));
	record.netns = common->skc_net.net->ns.inum;
	record.local_port = common->skc_num;
	record.remote_port = bpf_ntohs(common->skc_dport);
	record.family = common->skc_family;
	record.state = common->skc_state;
	if (common->skc_state != TCP_TIME_WAIT && common->skc_flags & SOCK_DEAD_BIT)
		record.flags = EGB_TCP_ORPHAN;
	fill_addresses(record.local, record.remote, common);
	bpf_seq_write(ctx->meta->seq, &record, sizeof(record));
	return 0;
}

SEC("iter/bpf_sk_storage_map")
int egb_tcp_sweep(struct bpf_iter__bpf_sk_storage_map *ctx)
{
	struct egb_tcp_mark *mark = ctx->value;
	struct egb_tcp_socket record;
	struct sock *sk = ctx->sk;
	struct tcp_sock *tp;
	__u64 threshold, now;

	/* A mark of another state is stale, and adoption will renew it. */
	if (!mark || !sk || mark->state != sk->__sk_common.skc_state)
		return 0;
	threshold = threshold_of(mark->state);
	tp = bpf_skc_to_tcp_sock(sk);
	if (!threshold || !tp)
		return 0;
	now = bpf_ktime_get_ns();
	if (take_progress(mark, tp, mark->state))
		mark->quiet_ns = now;
	if (now - mark->quiet_ns >= threshold)
		mark->flags |= EGB_TCP_WATCHED;
	egb_fill_header(&record.header, EGB_TCP_SOCKET, sizeof(record));
	fill_socket(&record, sk, mark);
	bpf_seq_write(ctx->meta->seq, &record, sizeof(record));
	return 0;
}

/* Who holds the watched sockets: one pass over all descriptors of all processes, however many
 * sockets. */
SEC("iter/task_file")
int egb_tcp_holders(struct bpf_iter__task_file *ctx)
{
	struct task_struct *task = ctx->task;
	struct file *file = ctx->file;
	struct egb_tcp_holder record;
	struct egb_tcp_mark *mark;
	struct socket *socket;
	struct sock *sk;

	if (!task || !file)
		return 0;
	socket = bpf_sock_from_file(file);
	if (!socket)
		return 0;
	sk = socket->sk;
	if (!sk || !is_waiting_state(sk->__sk_common.skc_state))
		return 0;
	mark = bpf_sk_storage_get(&egb_tcp_marks, sk, NULL, 0);
	if (!mark || !(mark->flags & EGB_TCP_WATCHED))
		return 0;
	egb_fill_header(&record.header, EGB_TCP_HOLDER, sizeof(record));
	record.cookie = bpf_get_socket_cookie(sk);
	record.start_boottime_ns = task->group_leader->start_boottime;
	record.pid = task->tgid;
	record.fd = ctx->fd;
	bpf_seq_write(ctx->meta->seq, &record, sizeof(record));
	return 0;
}
