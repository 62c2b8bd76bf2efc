// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who has this inode open, in whatever mount, pid or network namespace. /proc/PID/fd would need a
 * walk over every process by path; this is one pass, and compares inodes instead of names.
 */
#include "kernel_types.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "holders.h"

char LICENSE[] SEC("license") = "GPL";

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct egb_holders_control);
} egb_holders_control SEC(".maps");

SEC("iter/task_file")
int egb_holders(struct bpf_iter__task_file *ctx)
{
	struct egb_holders_control *control;
	struct task_struct *task = ctx->task;
	struct file *file = ctx->file;
	struct egb_holder record;
	struct inode *inode;
	__u32 zero = 0;

	if (!task || !file)
		return 0;
	control = bpf_map_lookup_elem(&egb_holders_control, &zero);
	inode = file->f_inode;
	if (!control || !inode || inode->i_ino != control->inode ||
	    inode->i_sb->s_dev != control->device)
		return 0;
	record.header.type = EGB_HOLDER;
	record.header.size = sizeof(record);
	record.header.reserved = 0;
	record.header.time_ns = bpf_ktime_get_ns();
	record.start_boottime_ns = task->group_leader->start_boottime;
	record.pid = task->tgid;
	record.fd = ctx->fd;
	bpf_seq_write(ctx->meta->seq, &record, sizeof(record));
	return 0;
}
