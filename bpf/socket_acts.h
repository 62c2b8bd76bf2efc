/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* What host/socket_acts orders the kernel side to do with sockets, and what it hears of it. */
#ifndef EGB_SOCKET_ACTS_H
#define EGB_SOCKET_ACTS_H

#include "wire.h"

#define EGB_SOCKET_ACTS_LAYOUT 1

/* As many as can be ordered in one pass. */
#define EGB_SOCKET_ORDERS 1024

enum { EGB_SOCKET_FATE = 1, EGB_SOCKET_NUDGED };

enum {
	EGB_SOCKET_DONE = 1, /* as ordered */
	EGB_SOCKET_SOUND, /* all that an act demands is true, and nothing was ordered but to see */
	EGB_SOCKET_CHANGED,	/* it is not what was judged any more, and was left alone */
	EGB_SOCKET_ANSWERED,	/* its peer has answered; its options are as they were */
	EGB_SOCKET_SILENT,	/* its peer has not answered yet */
	EGB_SOCKET_ASKS_ITSELF, /* its application has its peer asked */
	EGB_SOCKET_FAILED,	/* the kernel said no: error */
};

/* A socket as it was judged, by its cookie. What moves meanwhile saves it. */
struct egb_socket_order {
	__u64 bytes_sent;
	__u64 bytes_acked;
	__u64 bytes_received;
	__u32 receive_queue;
	__u32 send_queue;
	__u32 state;
	__u32 only_look; /* 1: check everything, and do nothing */
};
EGB_ASSERT_SIZE(struct egb_socket_order, 40);

/* How a nudged socket probes its peer: after a second, then every `interval`, `probes` times. */
struct egb_socket_nudge {
	__u32 interval_s;
	__u32 probes;
};
EGB_ASSERT_SIZE(struct egb_socket_nudge, 8);

struct egb_socket_fate {
	struct egb_header header;
	__u64 cookie;
	__u32 fate;
	__s32 error; /* as errno has it, for EGB_SOCKET_FAILED */
};
EGB_ASSERT_SIZE(struct egb_socket_fate, 32);

/* A socket that is being asked, and who asked it may have died meanwhile. */
struct egb_socket_nudged {
	struct egb_header header;
	__u64 cookie;
	__u32 netns;
	__u32 reserved;
};
EGB_ASSERT_SIZE(struct egb_socket_nudged, 32);

#endif
