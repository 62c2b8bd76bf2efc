// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sockets that wait for an application: CLOSE_WAIT, and FIN_WAIT2 and LAST_ACK beside it.
 *
 * A busy server sends thousands of sockets a second through these states, each for a moment. They
 * must cost next to nothing, so an entry into a state leaves no trace but once: the first since the
 * last sweep is noted, and wakes the daemon, which looks within seconds. With that all has been
 * told that there is to tell, and the daemon takes the program away until it looks. What the sweep
 * then meets gets a mark (sk_storage: it goes with the socket, cannot overflow and cannot be
 * confused by a reused address), and what has waited too long reports its end: the program stays
 * while there is any of that. Since when a socket waits is in the socket itself: nothing is heard
 * from a connection that waits.
 */
/* Room for the end of 52,000 watched sockets at once: more than one pass of acts ends. The daemon
 * maps a ring twice over, so that each megabyte here counts as two of its memory. */
#define EGB_RING_BYTES (2 * 1024 * 1024)

#include "common.bpf.h"

#include <bpf/bpf_endian.h>

#include "tcp.h"
#include "tcp_halves.bpf.h"
#include "tcp_queues.bpf.h"

extern struct task_struct *bpf_task_from_pid(__s32 pid) __ksym __weak;
extern void bpf_task_release(struct task_struct *task) __ksym __weak;

struct egb_tcp_mark {
	__u64 since_ns;
	__u64 quiet_ns;
	__u64 bytes_sent;
	__u64 bytes_acked;
	__u64 bytes_received;
	__u32 receive_queue;
	__u32 send_queue;
	__u32 first_sequence; /* of the connection that was met: a socket may be used for another */
	__u16 state;
	__u16 flags;
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

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct egb_tcp_first);
} egb_tcp_first SEC(".maps");

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

static __always_inline const struct egb_tcp_control *wishes(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&egb_tcp_control, &zero);
}

static __always_inline __u64 threshold_of(int state)
{
	const struct egb_tcp_control *control = wishes();

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
	record->first_sequence = mark->first_sequence;
	record->netns = common->skc_net.net->ns.inum;
	record->uid = sk->sk_uid.val;
	record->local_port = common->skc_num;
	record->remote_port = bpf_ntohs(common->skc_dport);
	record->family = common->skc_family;
	record->state = common->skc_state;
	record->flags = mark->flags | (is_orphan(sk) ? EGB_TCP_ORPHAN : 0);
	record->reserved = 0;
	record->spare = 0;
	fill_addresses(record->local, record->remote, common);
}

static __always_inline struct egb_tcp_first *first_waiting(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&egb_tcp_first, &zero);
}

static __always_inline bool counts_plain_endings(void)
{
	const struct egb_tcp_control *control = wishes();

	return control && control->counts_plain_endings;
}

/*
 * Where connections are closed from this side and by the thousand, none may ever wait: then it is
 * cheaper to sweep, and to be away until then, than to see them all go by.
 */
#define MANY_PLAIN_ENDINGS 4096

static __always_inline bool is_worth_a_sweep(struct egb_tcp_first *first, const struct sock *sk,
					     int state)
{
	if (is_plain_ending(sk, state))
		return counts_plain_endings() && ++first->plain_endings >= MANY_PLAIN_ENDINGS;
	return threshold_of(state) != 0;
}

/* All that a socket costs that does not wait for long. */
static __always_inline void begin_waiting(const struct sock *sk, int state)
{
	struct egb_tcp_first *first = first_waiting();
	struct egb_header *header;

	if (!first || first->since_last_sweep_ns || !is_worth_a_sweep(first, sk, state))
		return;
	first->since_last_sweep_ns = bpf_ktime_get_ns();
	header = egb_reserve(EGB_TCP_WAITING, sizeof(*header));
	if (header)
		bpf_ringbuf_submit(header, 0);
}

/* Run by the daemon before a sweep: what begins to wait from now on is announced again, so that one
 * which slips in behind the iterator is not missed. */
SEC("syscall")
int egb_tcp_begin_sweep(void *ctx)
{
	struct egb_tcp_first *first = first_waiting();

	if (!first)
		return 1;
	first->before_ns = __sync_lock_test_and_set(&first->since_last_sweep_ns, 0);
	first->plain_endings = 0;
	return 0;
}

/* Nothing is locked: who reads between the two as an acknowledgement changes them reads again. */
static __always_inline bool is_another_connection(const struct egb_tcp_mark *mark,
						  const struct tcp_sock *tp)
{
	return mark->first_sequence != first_sequence(tp) &&
	       mark->first_sequence != first_sequence(tp);
}

static __always_inline void set_mark(struct egb_tcp_mark *mark, const struct tcp_sock *tp,
				     __u32 state, __u64 since, __u32 flags)
{
	take_progress(mark, tp, state);
	mark->first_sequence = first_sequence(tp);
	mark->since_ns = since;
	mark->quiet_ns = since;
	mark->state = state;
	mark->flags = flags;
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

/* Sweeps follow each other so closely while sockets begin to wait: what begins in between began at
 * its last sign of life, or not much earlier. */
#define BETWEEN_SWEEPS_NS 7000000000ULL
#define PROCESSED_WITHIN_NS 10000000ULL

/* Whether the last sign of life may be taken for the beginning. A socket that some sweep should
 * have met already, and has not, may be of any age.
 */
static __always_inline bool began_lately(__u64 last_sign_ns)
{
	struct egb_tcp_first *first = first_waiting();
	__u64 first_ns = first ? first->before_ns ?: first->since_last_sweep_ns : 0;

	/* The packet comes before what it does. */
	return first_ns && last_sign_ns + PROCESSED_WITHIN_NS >= first_ns &&
	       last_sign_ns < first_ns + BETWEEN_SWEEPS_NS;
}

static __always_inline void mark_first_seen(struct egb_tcp_mark *mark, const struct tcp_sock *tp,
					    __u32 state)
{
	__u64 last_sign_ns = tp->tcp_mstamp * 1000;

	set_mark(mark, tp, state, last_sign_ns,
		 began_lately(last_sign_ns) ? 0 : EGB_TCP_SINCE_AT_LEAST);
	/* Reading what has arrived makes no packet, so the last one says nothing of the reader: who
	 * has had something to read may have read it just now. */
	if (mark->bytes_received)
		mark->quiet_ns = bpf_ktime_get_ns();
}

/* When the other connection was made, nobody has seen; and should it be the same one after all, it
 * moves just now. */
static __always_inline void mark_used_again(struct egb_tcp_mark *mark, const struct tcp_sock *tp,
					    __u32 state)
{
	set_mark(mark, tp, state, tp->tcp_mstamp * 1000, EGB_TCP_SINCE_AT_LEAST);
	mark->quiet_ns = bpf_ktime_get_ns();
}

/* The kernel gives up where another program gives the socket its first mark, or takes the last one
 * away, at that very moment. */
static __always_inline struct egb_tcp_mark *mark_of(struct sock *sk)
{
	struct egb_tcp_mark *mark;

	mark = bpf_sk_storage_get(&egb_tcp_marks, sk, NULL, BPF_SK_STORAGE_GET_F_CREATE);
	if (!mark)
		mark = bpf_sk_storage_get(&egb_tcp_marks, sk, NULL, BPF_SK_STORAGE_GET_F_CREATE);
	return mark;
}

/*
 * The socket's mark as it now should be. One whose owner's option memory is used up has no room
 * for a mark: it is judged by its last sign of life each time, and cannot tell of its end.
 */
static __always_inline struct egb_tcp_mark *look_at(struct sock *sk, const struct tcp_sock *tp,
						    __u32 state, struct egb_tcp_mark *passing)
{
	struct egb_tcp_mark *mark = mark_of(sk);

	if (!mark)
		mark = passing;
	barrier_var(mark); /* or the compiler reckons with it before it is known to be there */
	if (mark->state != state)
		mark_first_seen(mark, tp, state);
	else if (is_another_connection(mark, tp))
		mark_used_again(mark, tp, state);
	else if (take_progress(mark, tp, state))
		mark->quiet_ns = bpf_ktime_get_ns();
	return mark;
}

static __always_inline void tell_if_waiting(struct bpf_iter_meta *meta, struct sock *sk)
{
	__u32 state = sk->__sk_common.skc_state;
	struct egb_tcp_mark passing = {};
	struct egb_tcp_socket record;
	struct egb_tcp_mark *mark;
	struct tcp_sock *tp;
	__u64 threshold;

	if (!is_waiting_state(state) || sk->sk_protocol != IPPROTO_TCP ||
	    is_plain_ending(sk, state))
		return;
	threshold = threshold_of(state);
	tp = bpf_skc_to_tcp_sock(sk);
	if (!threshold || !tp)
		return;
	mark = look_at(sk, tp, state, &passing);
	egb_fill_header(&record.header, EGB_TCP_SOCKET, sizeof(record));
	if (record.header.time_ns - mark->quiet_ns >= threshold)
		mark->flags |= EGB_TCP_WATCHED;
	fill_socket(&record, sk, mark);
	bpf_seq_write(meta->seq, &record, sizeof(record));
}

static __always_inline int sweep(struct bpf_iter_meta *meta, struct sock_common *common)
{
	struct tcp_sock *tp;

	if (!is_waiting_state(common->skc_state))
		return 0;
	tp = bpf_skc_to_tcp_sock(common);
	if (tp)
		tell_if_waiting(meta, (struct sock *)tp);
	return 0;
}

/* Sockets of the network namespace in which the iterator is opened, with or without a descriptor.
 */
SEC("iter/tcp")
int egb_tcp_sweep(struct bpf_iter__tcp *ctx)
{
	struct sock_common *common = ctx->sk_common;

	return common ? sweep(ctx->meta, common) : 0;
}

/* The same by two threads at once, a half for each. */
SEC("iter/tcp")
int egb_tcp_sweep_lower(struct bpf_iter__tcp *ctx)
{
	struct sock_common *common = ctx->sk_common;

	return common && !is_in_upper_half(common) ? sweep(ctx->meta, common) : 0;
}

SEC("iter/tcp")
int egb_tcp_sweep_upper(struct bpf_iter__tcp *ctx)
{
	struct sock_common *common = ctx->sk_common;

	return common && is_in_upper_half(common) ? sweep(ctx->meta, common) : 0;
}

/* Sockets of all network namespaces, as far as some process has a descriptor for them. */
SEC("iter/task_file")
int egb_tcp_sweep_files(struct bpf_iter__task_file *ctx)
{
	struct file *file = ctx->file;
	struct socket *socket;

	if (!ctx->task || !file)
		return 0;
	socket = bpf_sock_from_file(file);
	if (socket && socket->sk)
		tell_if_waiting(ctx->meta, socket->sk);
	return 0;
}

static __always_inline bool is_wanted_port(__u16 port)
{
	__u32 zero = 0;
	struct egb_tcp_peer_ports *ports = bpf_map_lookup_elem(&egb_tcp_peer_ports, &zero);

	return ports && ports->bits[(port >> 6) & 1023] >> (port & 63) & 1;
}

static __always_inline int tell_if_peer(struct bpf_iter_meta *meta, struct sock_common *common)
{
	struct egb_tcp_peer record = {};

	if (common->skc_state == TCP_LISTEN || !is_wanted_port(common->skc_num))
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
	bpf_seq_write(meta->seq, &record, sizeof(record));
	return 0;
}

/* Who may be the other end of a waiting socket, in the network namespace in which the iterator is
 * opened.
 */
SEC("iter/tcp")
int egb_tcp_peers(struct bpf_iter__tcp *ctx)
{
	struct sock_common *common = ctx->sk_common;

	return common ? tell_if_peer(ctx->meta, common) : 0;
}

/* The same by two threads at once, a half for each. */
SEC("iter/tcp")
int egb_tcp_peers_lower(struct bpf_iter__tcp *ctx)
{
	struct sock_common *common = ctx->sk_common;

	return common && !is_in_upper_half(common) ? tell_if_peer(ctx->meta, common) : 0;
}

SEC("iter/tcp")
int egb_tcp_peers_upper(struct bpf_iter__tcp *ctx)
{
	struct sock_common *common = ctx->sk_common;

	return common && is_in_upper_half(common) ? tell_if_peer(ctx->meta, common) : 0;
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
	if (mark && !(mark->flags & EGB_TCP_WATCHED))
		return 0;
	egb_fill_header(&record.header, EGB_TCP_HOLDER, sizeof(record));
	record.cookie = bpf_get_socket_cookie(sk);
	record.start_boottime_ns = task->group_leader->start_boottime;
	record.pid = task->tgid;
	record.fd = ctx->fd;
	bpf_seq_write(ctx->meta->seq, &record, sizeof(record));
	return 0;
}

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct egb_tcp_held_list);
} egb_tcp_held SEC(".maps");

/* The cookie of a waiting socket; 0 for any other file. Nothing is locked: a file that is closed
 * and its memory used again is told by what does not fit together.
 */
static __always_inline __u64 waiting_cookie(struct file *address)
{
	struct file *file = bpf_core_cast(address, struct file);
	struct socket *socket;
	struct sock *sk;

	if ((file->f_inode->i_mode & S_IFMT) != S_IFSOCK)
		return 0;
	socket = bpf_core_cast(file->private_data, struct socket);
	if (socket->file != address)
		return 0;
	sk = socket->sk;
	if ((sk->__sk_common.skc_family != AF_INET && sk->__sk_common.skc_family != AF_INET6) ||
	    sk->sk_protocol != IPPROTO_TCP || !is_waiting_state(sk->__sk_common.skc_state))
		return 0;
	return sk->__sk_common.skc_cookie.counter;
}

/* False when there is no room. The count is in memory, where the verifier does not follow each of
 * its values.
 */
static __always_inline bool add_held(struct egb_tcp_held_list *list, __u64 cookie, int fd)
{
	__u64 at = list->count;

	if (at >= EGB_TCP_HELD)
		return false;
	list->held[at].cookie = cookie;
	list->held[at].fd = fd;
	list->count = at + 1;
	return true;
}

static __always_inline void list_held(const struct fdtable *table, int from,
				      struct egb_tcp_held_list *list)
{
	struct file **files = BPF_CORE_READ(table, fd);
	int end = BPF_CORE_READ(table, max_fds);
	int fd;

	list->count = 0;
	bpf_for (fd, from, end) {
		struct file *file = NULL;
		__u64 cookie;

		bpf_probe_read_kernel(&file, sizeof(file), files + fd);
		cookie = file ? waiting_cookie(file) : 0;
		if (cookie && !add_held(list, cookie, fd))
			break;
	}
}

/*
 * What egb_tcp_holders tells, of one process, and for a reader in another pid namespace: the
 * iterator lists the processes of its reader's own. Returns how many sockets stand in
 * egb_tcp_held; when that is full, there may be more behind the last. EGB_TCP_MOVED: the process
 * got another table meanwhile, or ended, and what was read may be somebody else's.
 */
SEC("syscall")
int egb_tcp_holders_of(struct egb_tcp_holders_query *query)
{
	struct egb_tcp_held_list *list;
	struct task_struct *task;
	struct fdtable *table;
	__u32 zero = 0;
	bool moved;

	list = bpf_map_lookup_elem(&egb_tcp_held, &zero);
	if (!list)
		return 0;
	task = bpf_task_from_pid(query->pid);
	if (!task)
		return 0;
	query->start_boottime_ns = BPF_CORE_READ(task, group_leader, start_boottime);
	table = BPF_CORE_READ(task, files, fdt);
	list_held(table, query->from_fd, list);
	moved = table != BPF_CORE_READ(task, files, fdt);
	bpf_task_release(task);
	return moved ? EGB_TCP_MOVED : list->count;
}
