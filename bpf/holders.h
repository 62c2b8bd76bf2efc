/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* Who has a file open, or works in it: the records behind host/bpf_holder_scan. */
#ifndef EGB_HOLDERS_H
#define EGB_HOLDERS_H

#include "wire.h"

#define EGB_HOLDERS_LAYOUT 2

enum { EGB_HOLDER = 1 };

/* In place of a descriptor: it is a working or root directory. */
enum { EGB_HOLDER_INSIDE = -1 };

struct egb_holder {
	struct egb_header header;
	__u64 start_boottime_ns;
	__s32 pid;
	__s32 fd;
};
EGB_ASSERT_SIZE(struct egb_holder, 32);

/* The file that is asked about: a descriptor of the caller; its inode is filled in by the kernel
 * side. */
struct egb_holders_control {
	__u64 inode;
	__s32 fd;
	__u32 reserved;
};
EGB_ASSERT_SIZE(struct egb_holders_control, 16);

#endif
