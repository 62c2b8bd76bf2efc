/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * The layout of what crosses from the kernel side to the daemon: one header for C and C++. Each
 * kind has its records in <kind>.h and begins them with an egb_header.
 */
#ifndef EGB_WIRE_H
#define EGB_WIRE_H

#ifdef __cplusplus
#include <linux/types.h>
#define EGB_ASSERT_SIZE(type, size)                                                                \
	static_assert(sizeof(type) == (size), "the wire layout of " #type)
#else
#define EGB_ASSERT_SIZE(type, size)                                                                \
	_Static_assert(sizeof(type) == (size), "the wire layout of " #type)
#endif

/* Record types are unique within an object; the canary's is the same in all. */
enum { EGB_RECORD_CANARY = 0xffff };

struct egb_header {
	__u16 type;
	__u16 size;
	__u32 reserved;
	__u64 time_ns; /* CLOCK_MONOTONIC */
};
EGB_ASSERT_SIZE(struct egb_header, 16);

#endif
