// SPDX-License-Identifier: GPL-2.0-only
/*
 * Lock files, seen where their inodes get a new ctime.
 *
 * Making a file sets its ctime, and so does whatever is done to it later: linking, renaming,
 * removing, writing. Since 6.13 the kernel has tracepoints there, which run inside of the system
 * call, whose registers say what it is about. They run for all files of the machine: what is asked
 * is asked in the order of what it costs. What the user's memory says may have been changed since
 * the kernel read it: it can only lead to a file of whoever did that, since the daemon looks for
 * the inode that it was told of.
 *
 * New files are told of where the file system has times that are finer than a tick (ext4, XFS,
 * btrfs, tmpfs). Elsewhere an inode that is read from the disk looks as one that has just been
 * made: by a contender whose open failed.
 */
#include "lockfile.bpf.h"

#include "syscalls.bpf.h"

/* include/uapi/asm-generic/fcntl.h; the same on all that we know the system calls of */
#define O_CREAT 00000100
#define O_EXCL 00000200
/* include/uapi/linux/fs.h, openat2.h */
#define RENAME_NOREPLACE 1
#define RESOLVE_IN_ROOT 0x10
/* include/uapi/linux/fcntl.h */
#define F_UNLCK 2

struct egb_open_how {
	__u64 flags;
	__u64 mode;
	__u64 resolve;
};

static __always_inline bool is_exclusive(__u64 flags)
{
	return (flags & (O_CREAT | O_EXCL)) == (O_CREAT | O_EXCL);
}

static __always_inline void name_at(struct egb_lock_naming *naming, __u16 way, __s32 at,
				    unsigned long name)
{
	naming->way = way;
	naming->at = at;
	naming->in_root = false;
	naming->name = (const char *)name;
}

static __always_inline bool takes_openat2(const struct pt_regs *regs,
					  struct egb_lock_naming *naming)
{
	struct egb_open_how how = {};

	if (bpf_probe_read_user(&how, sizeof(how), (const void *)egb_arg3(regs)) != 0 ||
	    !is_exclusive(how.flags))
		return false;
	name_at(naming, EGB_LOCK_BY_OPEN, egb_arg1(regs), egb_arg2(regs));
	naming->in_root = how.resolve & RESOLVE_IN_ROOT;
	return true;
}

/* The way in which the call makes a file that nobody else could have made meanwhile; false when
 * there is none. */
static __always_inline bool makes(const struct pt_regs *regs, struct egb_lock_naming *naming)
{
	switch (egb_syscall_nr(regs)) {
	case EGB_NR_OPEN:
		name_at(naming, EGB_LOCK_BY_OPEN, AT_FDCWD, egb_arg1(regs));
		return is_exclusive(egb_arg2(regs));
	case EGB_NR_OPENAT:
		name_at(naming, EGB_LOCK_BY_OPEN, egb_arg1(regs), egb_arg2(regs));
		return is_exclusive(egb_arg3(regs));
	case EGB_NR_OPENAT2:
		return takes_openat2(regs, naming);
	case EGB_NR_MKNOD:
		name_at(naming, EGB_LOCK_BY_OPEN, AT_FDCWD, egb_arg1(regs));
		return true;
	case EGB_NR_MKNODAT:
		name_at(naming, EGB_LOCK_BY_OPEN, egb_arg1(regs), egb_arg2(regs));
		return true;
	case EGB_NR_MKDIR:
		name_at(naming, EGB_LOCK_BY_MKDIR, AT_FDCWD, egb_arg1(regs));
		return true;
	case EGB_NR_MKDIRAT:
		name_at(naming, EGB_LOCK_BY_MKDIR, egb_arg1(regs), egb_arg2(regs));
		return true;
	case EGB_NR_SYMLINK:
		name_at(naming, EGB_LOCK_BY_SYMLINK, AT_FDCWD, egb_arg2(regs));
		return true;
	case EGB_NR_SYMLINKAT:
		name_at(naming, EGB_LOCK_BY_SYMLINK, egb_arg2(regs), egb_arg3(regs));
		return true;
	}
	return false;
}

/* The same for a file that is there and gets one more name, or another. */
static __always_inline bool names(const struct pt_regs *regs, struct egb_lock_naming *naming)
{
	switch (egb_syscall_nr(regs)) {
	case EGB_NR_LINK:
		name_at(naming, EGB_LOCK_BY_LINK, AT_FDCWD, egb_arg2(regs));
		return true;
	case EGB_NR_LINKAT:
		name_at(naming, EGB_LOCK_BY_LINK, egb_arg3(regs), egb_arg4(regs));
		return true;
	case EGB_NR_RENAMEAT2:
		name_at(naming, EGB_LOCK_BY_RENAME, egb_arg3(regs), egb_arg4(regs));
		return egb_arg5(regs) & RENAME_NOREPLACE;
	}
	return false;
}

/* Other inodes are made and changed on the way: the folder that the name is in, or one that
 * overlayfs copies up. */
static __always_inline bool fits(__u16 way, __u16 mode)
{
	switch (mode & S_IFMT) {
	case S_IFREG:
		return way != EGB_LOCK_BY_MKDIR && way != EGB_LOCK_BY_SYMLINK;
	case S_IFDIR:
		return way == EGB_LOCK_BY_MKDIR;
	case S_IFLNK:
		return way != EGB_LOCK_BY_MKDIR && way != EGB_LOCK_BY_OPEN;
	}
	return false;
}

static __always_inline bool has_name(const struct inode *inode)
{
	return inode->i_dentry.first;
}

/* Until it is made, no name leads to it. One that nothing leads to any more may have to be cut
 * before it goes, by whoever needs the memory. */
static __always_inline bool is_new(const struct inode *inode)
{
	return !has_name(inode) && inode->i_nlink;
}

static __always_inline void change(const struct inode *inode, __u64 changed_ns, __u32 place)
{
	struct task_struct *task = bpf_get_current_task_btf();
	const struct pt_regs *regs = (void *)bpf_task_pt_regs(task);
	struct egb_lock_naming naming;
	bool new = is_new(inode);

	if ((new ? makes(regs, &naming) : has_name(inode) && names(regs, &naming)) &&
	    fits(naming.way, inode->i_mode) && egb_speaks_for_itself(task) &&
	    egb_lock_made(inode, changed_ns, new, &naming, place))
		return;
	egb_lock_changed(inode, changed_ns, new ? EGB_LOCK_IS_REMADE : 0);
}

static __always_inline __u64 ns_of(const struct timespec64 *time)
{
	return time->tv_sec * NS_PER_SECOND + time->tv_nsec;
}

SEC("tp_btf/ctime_ns_xchg")
int BPF_PROG(egb_lock_ctime_xchg, struct inode *inode, __u32 old, __u32 new, __u32 current)
{
	change(inode, inode->i_ctime_sec * NS_PER_SECOND + new, EGB_LOCK_FIRST_PLACE);
	return 0;
}

/* It has that ctime already: it was changed within the same tick, or what was there before the new
 * inode was. */
SEC("tp_btf/ctime_xchg_skip")
int BPF_PROG(egb_lock_ctime_skip, struct inode *inode, struct timespec64 *time)
{
	change(inode, ns_of(time), EGB_LOCK_SECOND_PLACE);
	return 0;
}

SEC("tp_btf/inode_set_ctime_to_ts")
int BPF_PROG(egb_lock_ctime_set, struct inode *inode, struct timespec64 *time)
{
	egb_lock_changed(inode, ns_of(time), 0);
	return 0;
}

/* Of a file on overlayfs, its own inode is locked and that of the upper layer is watched. */
static __always_inline void locked(const struct inode *inode, const struct file_lock *lock,
				   int error)
{
	struct egb_lock_watched *watched;
	struct egb_lock_key key;

	if (error || !lock || lock->c.flc_type == F_UNLCK)
		return;
	key = egb_lock_key_of(egb_inode_below(inode));
	watched = egb_lock_find(&key);
	if (watched)
		egb_lock_touch(&key, watched, EGB_LOCK_IS_ADVISORY);
}

SEC("tp_btf/flock_lock_inode")
int BPF_PROG(egb_lock_flock, struct inode *inode, struct file_lock *lock, int error)
{
	locked(inode, lock, error);
	return 0;
}

SEC("tp_btf/posix_lock_inode")
int BPF_PROG(egb_lock_posix, struct inode *inode, struct file_lock *lock, int error)
{
	locked(inode, lock, error);
	return 0;
}
