/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* Who has a file open: the records behind host/bpf_holder_scan. */
#ifndef EGB_HOLDERS_H
#define EGB_HOLDERS_H

#include "wire.h"

#define EGB_HOLDERS_LAYOUT 1

enum { EGB_HOLDER = 1 };

struct egb_holder {
	struct egb_header header;
	__u64 start_boottime_ns;
	__s32 pid;
	__s32 fd;
};
EGB_ASSERT_SIZE(struct egb_holder, 32);

/* The file that is asked about; the device in the kernel's own encoding, major << 20 | minor. */
struct egb_holders_control {
	__u64 inode;
	__u32 device;
	__u32 reserved;
};
EGB_ASSERT_SIZE(struct egb_holders_control, 16);

#endif
