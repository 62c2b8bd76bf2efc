/* SPDX-License-Identifier: GPL-2.0-only */
/* Where a file or a directory is: the way from it to the root of its mount namespace. */
#ifndef EGB_PATHS_BPF_H
#define EGB_PATHS_BPF_H

#include "kernel_types.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

/* No file system of Linux has longer names; with the NUL. */
#define EGB_NAME_BYTES 256

struct egb_place {
	struct dentry *dentry;
	struct mount *mount;
};

static __always_inline struct egb_place egb_place_in(struct dentry *dentry, struct vfsmount *mount)
{
	struct egb_place place = {
		.dentry = dentry,
		.mount = (void *)mount - bpf_core_field_offset(struct mount, mnt),
	};

	return place;
}

static __always_inline struct egb_place egb_place_of(const struct path *path)
{
	return egb_place_in(BPF_CORE_READ(path, dentry), BPF_CORE_READ(path, mnt));
}

/* One step towards the root; false when it has been there. `left` is the dentry that is now behind
 * it, or NULL where the step was out of a mount. */
static __always_inline bool egb_go_up(struct egb_place *place, struct dentry **left)
{
	struct dentry *dentry = place->dentry;
	struct dentry *parent = BPF_CORE_READ(dentry, d_parent);
	struct mount *mount = place->mount;

	*left = NULL;
	if (dentry == BPF_CORE_READ(mount, mnt.mnt_root) || dentry == parent) {
		struct mount *around = BPF_CORE_READ(mount, mnt_parent);

		if (around == mount)
			return false;
		place->dentry = BPF_CORE_READ(mount, mnt_mountpoint);
		place->mount = around;
		return true;
	}
	*left = dentry;
	place->dentry = parent;
	return true;
}

/* What a task has open under that number; NULL when there is nothing. */
static __always_inline struct file *egb_file_of(const struct task_struct *task, __s32 fd)
{
	const struct fdtable *table = BPF_CORE_READ(task, files, fdt);
	struct file **files = BPF_CORE_READ(table, fd);
	struct file *file = NULL;

	if (fd < 0 || (__u32)fd >= BPF_CORE_READ(table, max_fds))
		return NULL;
	bpf_probe_read_kernel(&file, sizeof(file), files + fd);
	return file;
}

static __always_inline const struct path *egb_path_of(const struct file *file)
{
	return file ? __builtin_preserve_access_index(&file->f_path) : NULL;
}

#endif
