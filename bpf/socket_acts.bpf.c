// SPDX-License-Identifier: GPL-2.0-only
/*
 * The harm that can be done to a TCP socket, and the question that is put to it before.
 *
 * Everything happens in iter/tcp, which holds the socket's lock: between the look at what the
 * socket is now and the act, nothing can move. An order names a socket by its cookie and says what
 * it looked like when it was judged; a socket that has changed since is left alone.
 *
 * The question is a keepalive probe. A peer that is gone answers with a reset, or never, and the
 * kernel ends the connection by itself. One that is alive acknowledges, notices nothing, and the
 * socket gets its own options back. These are kept in socket storage, which goes with the socket
 * and stays when the daemon dies.
 */
#include "kernel_types.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "socket_acts.h"
#include "tcp_halves.bpf.h"
#include "tcp_queues.bpf.h"

char LICENSE[] SEC("license") = "GPL";

extern int bpf_sock_destroy(struct sock_common *sk) __ksym __weak;

/* Written by the daemon in place: that is done in a fraction of the time that a hash takes. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, EGB_SOCKET_ORDERS);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct egb_socket_order);
} egb_socket_orders SEC(".maps");

/* So many of them count. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} egb_socket_ordered SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct egb_socket_nudge);
} egb_socket_nudge SEC(".maps");

/* A nudged socket's own options, and when its peer was last heard of before the nudge. */
struct egb_socket_before {
	__u32 heard;
	int keepalive;
	int idle_s;
	int interval_s;
	int probes;
	int user_timeout_ms;
	struct egb_socket_nudge nudge;
};

struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct egb_socket_before);
} egb_socket_before SEC(".maps");

/* The kernel's own bounds. */
#define MAX_KEEPIDLE_S 32767
#define MAX_KEEPINTVL_S 32767
#define MAX_KEEPCNT 127

/* A second of quiet, and the first probe goes out. */
#define FIRST_PROBE_S 1

static __always_inline int tell(struct egb_socket_order *order, __u32 fate, int error)
{
	order->fate = fate;
	order->error = -error;
	return 0;
}

/* Halvings until one is left of EGB_SOCKET_ORDERS. */
#define MAX_HALVINGS 17

static __always_inline __u32 ordered(void)
{
	__u32 zero = 0;
	__u32 *count = bpf_map_lookup_elem(&egb_socket_ordered, &zero);

	return count ? *count : 0;
}

/* The order about this socket, if there is one. A socket that nobody has asked for its cookie has
 * none, and is not given one here.
 */
static __always_inline struct egb_socket_order *any_order_for(const struct sock_common *common)
{
	__u64 cookie = common->skc_cookie.counter;
	__u32 begin = 0, end = cookie ? ordered() : 0, halving, middle;
	struct egb_socket_order *order;

	for (halving = 0; halving < MAX_HALVINGS && begin < end; ++halving) {
		middle = begin + (end - begin) / 2;
		order = bpf_map_lookup_elem(&egb_socket_orders, &middle);
		if (!order || order->cookie == cookie)
			return order;
		if (order->cookie < cookie)
			begin = middle + 1;
		else
			end = middle;
	}
	return NULL;
}

/* One that is not carried out yet: an iterator may meet a socket twice. */
static __always_inline struct egb_socket_order *order_for(const struct sock_common *common)
{
	struct egb_socket_order *order = any_order_for(common);

	return order && !order->fate ? order : NULL;
}

static __always_inline bool is_as_judged(const struct egb_socket_order *order,
					 const struct tcp_sock *tp, __u32 state)
{
	if (order->first_sequence && order->first_sequence != first_sequence(tp))
		return false;
	return state == order->state && tp->bytes_sent == order->bytes_sent &&
	       tp->bytes_acked == order->bytes_acked &&
	       received_bytes(tp, state) == order->bytes_received &&
	       unread_bytes(tp, state) == order->receive_queue &&
	       unsent_bytes(tp, state) == order->send_queue;
}

static __always_inline int get_option(struct tcp_sock *tp, int level, int name, int *value)
{
	return bpf_getsockopt(tp, level, name, value, sizeof(*value));
}

static __always_inline int set_option(struct tcp_sock *tp, int level, int name, int value)
{
	return bpf_setsockopt(tp, level, name, &value, sizeof(value));
}

/* An option that is no longer as we left it has been set by its application since: that stays. */
static __always_inline void put_back(struct tcp_sock *tp, int level, int name, int ours, int before)
{
	int now;

	if (before != ours && !get_option(tp, level, name, &now) && now == ours)
		set_option(tp, level, name, before);
}

static __always_inline void put_all_back(struct tcp_sock *tp,
					 const struct egb_socket_before *before)
{
	put_back(tp, SOL_SOCKET, SO_KEEPALIVE, 1, before->keepalive);
	put_back(tp, SOL_TCP, TCP_KEEPIDLE, FIRST_PROBE_S, before->idle_s);
	put_back(tp, SOL_TCP, TCP_KEEPINTVL, before->nudge.interval_s, before->interval_s);
	put_back(tp, SOL_TCP, TCP_KEEPCNT, before->nudge.probes, before->probes);
	put_back(tp, SOL_TCP, TCP_USER_TIMEOUT, 0, before->user_timeout_ms);
}

/* What is read is what is in force, and the system's default may be more than can be set. */
static __always_inline bool can_be_put_back(const struct egb_socket_before *before)
{
	return before->idle_s >= 1 && before->idle_s <= MAX_KEEPIDLE_S && before->interval_s >= 1 &&
	       before->interval_s <= MAX_KEEPINTVL_S && before->probes >= 1 &&
	       before->probes <= MAX_KEEPCNT;
}

static __always_inline int remember(struct tcp_sock *tp, struct egb_socket_before *before)
{
	__u32 zero = 0;
	struct egb_socket_nudge *nudge = bpf_map_lookup_elem(&egb_socket_nudge, &zero);
	int error;

	if (!nudge)
		return -1;
	before->nudge = *nudge;
	before->heard = tp->rcv_tstamp;
	error = get_option(tp, SOL_SOCKET, SO_KEEPALIVE, &before->keepalive);
	error = error ?: get_option(tp, SOL_TCP, TCP_KEEPIDLE, &before->idle_s);
	error = error ?: get_option(tp, SOL_TCP, TCP_KEEPINTVL, &before->interval_s);
	error = error ?: get_option(tp, SOL_TCP, TCP_KEEPCNT, &before->probes);
	error = error ?: get_option(tp, SOL_TCP, TCP_USER_TIMEOUT, &before->user_timeout_ms);
	return error ?: can_be_put_back(before) ? error : -ERANGE;
}

/* An application's own TCP_USER_TIMEOUT would end the connection at the first probe that is not
 * answered at once, because it counts from when the peer was last heard of.
 */
static __always_inline int begin_probing(struct tcp_sock *tp,
					 const struct egb_socket_before *before)
{
	int error = set_option(tp, SOL_TCP, TCP_USER_TIMEOUT, 0);

	error = error ?: set_option(tp, SOL_TCP, TCP_KEEPCNT, before->nudge.probes);
	error = error ?: set_option(tp, SOL_TCP, TCP_KEEPINTVL, before->nudge.interval_s);
	error = error ?: set_option(tp, SOL_TCP, TCP_KEEPIDLE, FIRST_PROBE_S);
	return error ?: set_option(tp, SOL_SOCKET, SO_KEEPALIVE, 1);
}

static __always_inline bool asks_by_itself(struct tcp_sock *tp)
{
	int keepalive = 0;

	return !bpf_sk_storage_get(&egb_socket_before, tp, NULL, 0) &&
	       !get_option(tp, SOL_SOCKET, SO_KEEPALIVE, &keepalive) && keepalive;
}

static __always_inline int nudge(struct tcp_sock *tp)
{
	struct egb_socket_before *before = bpf_sk_storage_get(&egb_socket_before, tp, NULL, 0);
	int error;

	if (before) /* it is being asked already */
		return 0;
	before = bpf_sk_storage_get(&egb_socket_before, tp, NULL, BPF_SK_STORAGE_GET_F_CREATE);
	if (!before)
		return -ENOMEM;
	error = remember(tp, before);
	if (error) {
		bpf_sk_storage_delete(&egb_socket_before, tp);
		return error;
	}
	error = begin_probing(tp, before);
	if (error) {
		put_all_back(tp, before);
		bpf_sk_storage_delete(&egb_socket_before, tp);
	}
	return error;
}

SEC("iter/tcp")
int egb_socket_ask(struct bpf_iter__tcp *ctx)
{
	struct sock_common *common = ctx->sk_common;
	struct egb_socket_order *order;
	struct tcp_sock *tp;
	int error;

	if (!common)
		return 0;
	order = order_for(common);
	tp = order ? bpf_skc_to_tcp_sock(common) : NULL;
	if (!tp)
		return 0;
	/* While something is on its way, the kernel sends no probe. What has arrived and is not
	 * read would be lost to a reader who takes a reset for the end.
	 */
	if (!is_as_judged(order, tp, common->skc_state) || order->send_queue ||
	    order->receive_queue)
		return tell(order, EGB_SOCKET_CHANGED, 0);
	/* Its kernel asks already, as patiently as its application has told it to. */
	if (asks_by_itself(tp))
		return tell(order, EGB_SOCKET_ASKS_ITSELF, 0);
	if (order->only_look)
		return tell(order, EGB_SOCKET_SOUND, 0);
	error = nudge(tp);
	return tell(order, error ? EGB_SOCKET_FAILED : EGB_SOCKET_DONE, error);
}

/* Which of the nudged have answered? They are left in peace. With `only_look` unset, all are. */
SEC("iter/tcp")
int egb_socket_answers(struct bpf_iter__tcp *ctx)
{
	struct sock_common *common = ctx->sk_common;
	struct egb_socket_before *before;
	struct egb_socket_order *order;
	struct tcp_sock *tp;
	bool answered;

	if (!common)
		return 0;
	order = order_for(common);
	tp = order ? bpf_skc_to_tcp_sock(common) : NULL;
	before = tp ? bpf_sk_storage_get(&egb_socket_before, tp, NULL, 0) : NULL;
	if (!before)
		return 0;
	answered = tp->rcv_tstamp != before->heard;
	if (answered || !order->only_look) {
		put_all_back(tp, before);
		bpf_sk_storage_delete(&egb_socket_before, tp);
	}
	return tell(order, answered ? EGB_SOCKET_ANSWERED : EGB_SOCKET_SILENT, 0);
}

static __always_inline int destroy(struct sock_common *common)
{
	struct egb_socket_order *order;
	struct tcp_sock *tp;
	int error;

	order = order_for(common);
	tp = order ? bpf_skc_to_tcp_sock(common) : NULL;
	if (!tp)
		return 0;
	if (!is_as_judged(order, tp, common->skc_state))
		return tell(order, EGB_SOCKET_CHANGED, 0);
	if (!bpf_sock_destroy)
		return tell(order, EGB_SOCKET_FAILED, -EOPNOTSUPP);
	if (order->only_look)
		return tell(order, EGB_SOCKET_SOUND, 0);
	error = bpf_sock_destroy(common);
	return tell(order, error ? EGB_SOCKET_FAILED : EGB_SOCKET_DONE, error);
}

SEC("iter/tcp")
int egb_socket_destroy(struct bpf_iter__tcp *ctx)
{
	struct sock_common *common = ctx->sk_common;

	return common ? destroy(common) : 0;
}

/* The same by two threads at once, a half for each. */
SEC("iter/tcp")
int egb_socket_destroy_lower(struct bpf_iter__tcp *ctx)
{
	struct sock_common *common = ctx->sk_common;

	return common && !is_in_upper_half(common) ? destroy(common) : 0;
}

SEC("iter/tcp")
int egb_socket_destroy_upper(struct bpf_iter__tcp *ctx)
{
	struct sock_common *common = ctx->sk_common;

	return common && is_in_upper_half(common) ? destroy(common) : 0;
}

/* Whether this kernel has what the programs above need: 0 when it does. */
SEC("syscall")
int egb_socket_can_destroy(void *ctx)
{
	return bpf_sock_destroy ? 0 : 1;
}

/* A second look: which of those that were ended are still here? */
SEC("iter/tcp")
int egb_socket_look(struct bpf_iter__tcp *ctx)
{
	struct sock_common *common = ctx->sk_common;
	struct egb_socket_order *order;

	if (!common)
		return 0;
	order = any_order_for(common);
	return order && order->fate == EGB_SOCKET_DONE ? tell(order, EGB_SOCKET_STAYED, 0) : 0;
}

/* Those that an earlier run of the daemon has nudged, and whose options are not their own yet. */
SEC("iter/bpf_sk_storage_map")
int egb_socket_nudged(struct bpf_iter__bpf_sk_storage_map *ctx)
{
	struct egb_socket_nudged record;
	struct sock *sk = ctx->sk;

	if (!ctx->value || !sk)
		return 0;
	record.header.type = EGB_SOCKET_NUDGED;
	record.header.size = sizeof(record);
	record.header.reserved = 0;
	record.header.time_ns = bpf_ktime_get_ns();
	record.cookie = sk->__sk_common.skc_cookie.counter;
	record.netns = sk->__sk_common.skc_net.net->ns.inum;
	record.reserved = 0;
	bpf_seq_write(ctx->meta->seq, &record, sizeof(record));
	return 0;
}
