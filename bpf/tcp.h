/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* The records of the kind `tcp`. */
#ifndef EGB_TCP_H
#define EGB_TCP_H

#include "wire.h"

/* Part of the names in the descriptor store: raise it when a map's layout or meaning changes. */
#define EGB_TCP_LAYOUT 3

enum {
	EGB_TCP_WAITING = 1, /* event: a sweep is due; until then nothing more is told */
	EGB_TCP_END,	     /* event: a watched socket has left its state */
	EGB_TCP_SOCKET,	     /* sweep: a waiting socket as it is now */
	EGB_TCP_HOLDER,	     /* sweep: who holds a waiting socket */
	EGB_TCP_PEER,	  /* sweep: a socket that may be the other end of one on the same machine */
	EGB_TCP_ASKED,	  /* its peer is being asked */
	EGB_TCP_ANSWERED, /* its peer has answered */
	EGB_TCP_RELEASED, /* its peer is asked no longer */
	EGB_TCP_OWNER,	  /* sweep: how many descriptors a process has that leaks sockets */
};

enum {
	EGB_TCP_SINCE_AT_LEAST = 1, /* it was waiting already when we first saw it */
	EGB_TCP_WATCHED = 2,	    /* the daemon knows of it: tell when it leaves */
	EGB_TCP_ORPHAN = 4, /* no process holds it any more: the kernel's own timers end it */
};

struct egb_tcp_socket {
	struct egb_header header;
	__u64 cookie;
	__u64 since_ns; /* in this state since */
	__u64 quiet_ns; /* no byte sent, acknowledged, received or read since */
	__u64 bytes_sent;
	__u64 bytes_acked;
	__u64 bytes_received;
	__u64 inode; /* of its file, as in /proc/PID/fd; 0 when it has none */
	__u32 receive_queue;
	__u32 send_queue;
	__u32 netns; /* inode */
	__u32 uid;
	__u8 local[16]; /* IPv4 in the first four bytes */
	__u8 remote[16];
	__u16 local_port;
	__u16 remote_port;
	__u8 family; /* AF_INET or AF_INET6; v4-mapped is AF_INET6 with such an address */
	__u8 state;
	__u8 flags;
	__u8 reserved;
	__u32 first_sequence; /* of its connection */
	__u32 spare;
};
EGB_ASSERT_SIZE(struct egb_tcp_socket, 136);

/* Short, because a process that held 20,000 sockets lets go of them all at once. */
struct egb_tcp_end {
	struct egb_header header;
	__u64 cookie;
	__u32 netns;
	__u16 next_state;
	__u16 error; /* what its application would read; 0 when it has closed it itself */
};
EGB_ASSERT_SIZE(struct egb_tcp_end, 32);

struct egb_tcp_holder {
	struct egb_header header;
	__u64 cookie;
	__u64 start_boottime_ns;
	__s32 pid;
	__s32 fd;
};
EGB_ASSERT_SIZE(struct egb_tcp_holder, 40);

/* The question to egb_tcp_holders_of, and a part of its answer. */
struct egb_tcp_holders_query {
	__s32 pid;		 /* as the kernel's first pid namespace has it */
	__s32 from_fd;		 /* where to go on */
	__u64 start_boottime_ns; /* of that process: the answer is about no other */
};
EGB_ASSERT_SIZE(struct egb_tcp_holders_query, 16);

struct egb_tcp_held {
	__u64 cookie;
	__s32 fd;
	__u32 reserved;
};
EGB_ASSERT_SIZE(struct egb_tcp_held, 16);

#define EGB_TCP_HELD 4096
#define EGB_TCP_MOVED 65536

struct egb_tcp_held_list {
	__u64 count;
	struct egb_tcp_held held[EGB_TCP_HELD];
};

struct egb_tcp_peer {
	struct egb_header header;
	__u8 local[16];
	__u8 remote[16];
	__u32 netns;
	__u16 local_port;
	__u16 remote_port;
	__u8 family;
	__u8 state;
	__u8 flags; /* EGB_TCP_ORPHAN */
	__u8 reserved[5];
};
EGB_ASSERT_SIZE(struct egb_tcp_peer, 64);

/* For EGB_TCP_ASKED, EGB_TCP_ANSWERED and EGB_TCP_RELEASED. */
struct egb_tcp_note {
	struct egb_header header;
	__u64 cookie;
};
EGB_ASSERT_SIZE(struct egb_tcp_note, 24);

/* What /proc says of a process. */
struct egb_tcp_owner {
	struct egb_header header;
	__u64 start_ticks;
	__u64 file_limit; /* RLIMIT_NOFILE, the soft one; all ones when there is none */
	__s32 pid;
	__u32 open_files;
};
EGB_ASSERT_SIZE(struct egb_tcp_owner, 40);

/* The local ports of which EGB_TCP_PEER records are wanted, a bit for each. */
struct egb_tcp_peer_ports {
	__u64 bits[1024];
};
EGB_ASSERT_SIZE(struct egb_tcp_peer_ports, 8192);

/* When the first socket began to wait, of those that no sweep has looked for yet; 0 while there is
 * none. It is the same whether so many plain endings have called for the sweep, or nobody has
 * watched since. */
struct egb_tcp_first {
	__u64 since_last_sweep_ns;
	__u64 before_ns;     /* as it was when the last sweep began */
	__u64 plain_endings; /* since then, of which none is told */
};
EGB_ASSERT_SIZE(struct egb_tcp_first, 24);

/* What the daemon tells the kernel side. 0 stands for: this state does not interest anybody. */
struct egb_tcp_control {
	__u64 close_wait_after_ns;
	__u64 fin_wait2_after_ns;
	__u64 last_ack_after_ns;
	__u64 counts_plain_endings; /* 1: many of them call for a sweep */
};
EGB_ASSERT_SIZE(struct egb_tcp_control, 32);

#endif
