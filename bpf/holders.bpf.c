// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who has this inode open, or works in it, in whatever mount, pid or network namespace.
 * /proc/PID/fd would need a walk over every process by path; this compares inodes instead of names.
 * Not their numbers either: what stat(2) says on overlayfs or btrfs is made up for it. So a first
 * pass finds the descriptor that the caller has of the file, and a second one whatever has the same
 * inode.
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

static __always_inline int egb_write_holder(struct seq_file *seq, const struct task_struct *task,
					    __s32 fd)
{
	struct egb_holder record;

	record.header.type = EGB_HOLDER;
	record.header.size = sizeof(record);
	record.header.reserved = 0;
	record.header.time_ns = bpf_ktime_get_ns();
	record.start_boottime_ns = task->group_leader->start_boottime;
	record.pid = task->tgid;
	record.fd = fd;
	bpf_seq_write(seq, &record, sizeof(record));
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
	return egb_write_holder(ctx->meta->seq, task, ctx->fd);
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
	return egb_write_holder(ctx->meta->seq, task, ctx->fd);
}

static __always_inline bool is_in(const struct fs_struct *fs, __u64 inode)
{
	return (__u64)fs->pwd.dentry->d_inode == inode || (__u64)fs->root.dentry->d_inode == inode;
}

/* The same for who has it as a working or a root directory. Threads may have their own. */
SEC("iter/task")
int egb_holders_inside(struct bpf_iter__task *ctx)
{
	struct egb_holders_control *control;
	struct task_struct *task = ctx->task;
	struct fs_struct *fs;
	__u32 zero = 0;

	if (!task)
		return 0;
	fs = task->fs;
	control = bpf_map_lookup_elem(&egb_holders_control, &zero);
	if (!control || !control->inode || !fs || !is_in(fs, control->inode) ||
	    (task->pid != task->tgid && fs == task->group_leader->fs))
		return 0;
	return egb_write_holder(ctx->meta->seq, task, EGB_HOLDER_INSIDE);
}
