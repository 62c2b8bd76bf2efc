// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who has this inode open, in whatever mount, pid or network namespace. /proc/PID/fd would need a
 * walk over every process by path; this compares inodes instead of names. Not their numbers either:
 * what stat(2) says on overlayfs or btrfs is made up for it. So a first pass finds the descriptor
 * that the caller has of the file, and a second one whatever has the same inode.
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

static __always_inline int egb_write_holder(struct bpf_iter__task_file *ctx,
					    struct task_struct *task)
{
	struct egb_holder record;

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

/* An iterator runs in the process that reads it. */
SEC("iter/task_file")
int egb_holders_aim(struct bpf_iter__task_file *ctx)
{
	struct egb_holders_control *control;
	struct task_struct *task = ctx->task;
	struct file *file = ctx->file;
	__u32 zero = 0;

	if (!task || !file || task->tgid != (int)(bpf_get_current_pid_tgid() >> 32))
		return 0;
	control = bpf_map_lookup_elem(&egb_holders_control, &zero);
	if (!control || (int)ctx->fd != control->fd)
		return 0;
	control->inode = (__u64)file->f_inode;
	return egb_write_holder(ctx, task);
}

SEC("iter/task_file")
int egb_holders(struct bpf_iter__task_file *ctx)
{
	struct egb_holders_control *control;
	struct task_struct *task = ctx->task;
	struct file *file = ctx->file;
	__u32 zero = 0;

	if (!task || !file)
		return 0;
	control = bpf_map_lookup_elem(&egb_holders_control, &zero);
	if (!control || !control->inode || (__u64)file->f_inode != control->inode)
		return 0;
	return egb_write_holder(ctx, task);
}
