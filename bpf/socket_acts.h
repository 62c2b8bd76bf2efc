/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* What host/socket_acts orders the kernel side to do with sockets, and what it hears of it. */
#ifndef EGB_SOCKET_ACTS_H
#define EGB_SOCKET_ACTS_H

#include "wire.h"

#define EGB_SOCKET_ACTS_LAYOUT 4

/* As many as can be ordered in one pass. The ring of the kind tcp has room for the end of each. */
#define EGB_SOCKET_ORDERS 50000

enum { EGB_SOCKET_NUDGED = 1 };

/* What came of an order. */
enum {
	EGB_SOCKET_UNMET, /* no such socket was met */
	EGB_SOCKET_DONE,  /* as ordered */
	EGB_SOCKET_SOUND, /* all that an act demands is true, and nothing was ordered but to see */
	EGB_SOCKET_CHANGED,	/* it is not what was judged any more, and was left alone */
	EGB_SOCKET_ANSWERED,	/* its peer has answered; its options are as they were */
	EGB_SOCKET_SILENT,	/* its peer has not answered yet */
	EGB_SOCKET_ASKS_ITSELF, /* its application has its peer asked */
	EGB_SOCKET_FAILED,	/* the kernel said no: error */
	EGB_SOCKET_STAYED,	/* done, said the kernel, but a second look has met it */
};

/* A socket as it was judged, by its cookie. What moves meanwhile saves it. Orders lie in the order
 * of cookies. */
struct egb_socket_order {
	__u64 cookie;
	__u64 bytes_sent;
	__u64 bytes_acked;
	__u64 bytes_received;
	__u32 receive_queue;
	__u32 send_queue;
	__u32 state;
	__u32 only_look;      /* 1: check everything, and do nothing */
	__u32 fate;	      /* the answer */
	__s32 error;	      /* as errno has it, for EGB_SOCKET_FAILED */
	__u32 first_sequence; /* of the connection that was judged; 0: not known */
	__u32 spare;
};
EGB_ASSERT_SIZE(struct egb_socket_order, 64);

/* How a nudged socket probes its peer: after a second, then every `interval`, `probes` times. */
struct egb_socket_nudge {
	__u32 interval_s;
	__u32 probes;
};
EGB_ASSERT_SIZE(struct egb_socket_nudge, 8);

/* A socket that is being asked, and who asked it may have died meanwhile. */
struct egb_socket_nudged {
	struct egb_header header;
	__u64 cookie;
	__u32 netns;
	__u32 reserved;
};
EGB_ASSERT_SIZE(struct egb_socket_nudged, 32);

#endif
