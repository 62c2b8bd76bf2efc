/* SPDX-License-Identifier: GPL-2.0-only */
/* Which file an inode is to stat(2). */
#ifndef EGB_INODES_BPF_H
#define EGB_INODES_BPF_H

#include "kernel_types.h"

#include <bpf/bpf_core_read.h>

/* include/uapi/linux/magic.h */
#define XFS_SUPER_MAGIC 0x58465342
#define BTRFS_SUPER_MAGIC 0x9123683E
#define OVERLAYFS_SUPER_MAGIC 0x794c7630

/* What an inode is to stat(2), from what every file system keeps in it: its number, and that of the
 * device it is on. */
struct egb_inode_id {
	unsigned long magic;
	__u64 number;
	__u32 device;
};

/* On XFS an inode is new before it has been given its number, where the file system has one of its
 * own beside it: Linux 7.3 has no more. */
static __always_inline __u64 egb_inode_number(const struct inode *inode,
					      const struct egb_inode_id *id)
{
	if (id->magic == XFS_SUPER_MAGIC && bpf_core_field_exists(struct xfs_inode, i_ino)) {
		const struct xfs_inode *whole =
			(void *)inode - bpf_core_field_offset(struct xfs_inode, i_vnode);

		return BPF_CORE_READ(whole, i_ino);
	}
	return id->number;
}

/* On btrfs each subvolume has a number of its own, and numbers its inodes for itself. */
static __always_inline __u32 egb_inode_device(const struct inode *inode,
					      const struct egb_inode_id *id)
{
	if (id->magic == BTRFS_SUPER_MAGIC && bpf_core_type_exists(struct btrfs_inode)) {
		const struct btrfs_inode *whole =
			(void *)inode - bpf_core_field_offset(struct btrfs_inode, vfs_inode);

		return BPF_CORE_READ(whole, root, anon_dev);
	}
	return id->device;
}

/* What an inode of overlayfs stands for, when it can be written to; any other is itself. */
static __always_inline const struct inode *egb_inode_below(const struct inode *inode)
{
	if (BPF_CORE_READ(inode, i_sb, s_magic) == OVERLAYFS_SUPER_MAGIC &&
	    bpf_core_type_exists(struct ovl_inode)) {
		const struct ovl_inode *whole =
			(void *)inode - bpf_core_field_offset(struct ovl_inode, vfs_inode);

		return BPF_CORE_READ(whole, __upperdentry, d_inode);
	}
	return inode;
}

#endif
