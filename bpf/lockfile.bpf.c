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
 * New files are told of where the file system has multigrain timestamps, which are finer than a
 * tick when somebody looks (ext4, XFS, btrfs, tmpfs). Elsewhere an inode that is read from the disk
 * looks as one that has just been made: by a contender whose open failed.
 */
#define EGB_LOCK_SEES_CHANGES true

#include "lockfile.bpf.h"

#include "syscalls.bpf.h"

/* include/uapi/asm-generic/fcntl.h; the same on all that we know the system calls of */
#define O_CREAT 00000100
#define O_EXCL 00000200
/* include/uapi/linux/fs.h, openat2.h */
#define RENAME_NOREPLACE 1
#define RESOLVE_IN_ROOT 0x10

struct egb_open_how {
	__u64 flags;
	__u64 mode;
	__u64 resolve;
};

/* A name that a file gets. */
struct egb_lock_naming {
	const char *name; /* in the memory of the process */
	__s32 at;	  /* the directory that it is looked for in, */
	bool in_root;	  /* and that is the root of all, for this name */
	__u16 way;
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

/* False when it cannot be told. */
static __always_inline bool put_base(struct egb_lock_desk *desk, __u32 place,
				     const struct egb_lock_naming *naming)
{
	const struct task_struct *task = bpf_get_current_task_btf();
	struct fs_struct *fs = BPF_CORE_READ(task, fs);
	int told = egb_lock_put_root(desk, place);
	const struct path *path;

	if (desk->room[NAME_AT] == '/' && !naming->in_root)
		return told;
	path = naming->at == AT_FDCWD ? __builtin_preserve_access_index(&fs->pwd)
				      : egb_path_of(egb_file_of(task, naming->at));
	return path && egb_lock_put_path(place, path);
}

/* With the name on the desk. False when it is not that of a lock file. */
static __always_inline bool put_together(struct egb_lock_desk *desk, const struct inode *inode,
					 const struct egb_lock_key *key, __u64 changed_ns,
					 const struct egb_lock_naming *naming, __u32 place)
{
	egb_lock_note_name(
		desk, bpf_probe_read_user_str(&desk->room[NAME_AT], EGB_LOCK_PATH, naming->name));
	if (!egb_lock_wants(place))
		return false;
	egb_lock_fill(desk, inode, key, changed_ns);
	egb_lock_tell(desk, naming->way, (__u32)bpf_get_current_pid_tgid(),
		      put_base(desk, place, naming));
	return true;
}

/* A file got a name in a way that would have failed if there had been one. False when the name is
 * not that of a lock file. */
static __always_inline bool made(const struct inode *inode, const struct egb_lock_key *key,
				 __u64 changed_ns, const struct egb_lock_naming *naming,
				 __u32 place)
{
	struct egb_lock_desk *desk = egb_lock_sit_down(place);
	bool wanted;

	if (!desk) {
		egb_count_drop();
		return false;
	}
	wanted = put_together(desk, inode, key, changed_ns, naming, place);
	egb_lock_get_up(desk);
	return wanted;
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

/* Whether it is a lock file that is told of by now. */
static __always_inline bool is_told_of(const struct inode *inode, const struct egb_lock_key *key,
				       __u64 changed_ns, __u32 place)
{
	struct task_struct *task = bpf_get_current_task_btf();
	const struct pt_regs *regs = (void *)bpf_task_pt_regs(task);
	struct egb_lock_naming naming;
	bool new = is_new(inode);

	if (!(new ? makes(regs, &naming) : has_name(inode) && names(regs, &naming)) ||
	    !egb_lock_fits(naming.way, inode->i_mode) || !egb_speaks_for_itself(task))
		return false;
	/* Another name for the same inode is rather told twice than never. */
	return (new && egb_lock_is_told(key)) || made(inode, key, changed_ns, &naming, place);
}

static __always_inline void change(const struct inode *inode, __u64 changed_ns, __u32 place)
{
	struct egb_lock_key key = egb_lock_key_of(inode);

	if (!is_told_of(inode, &key, changed_ns, place))
		egb_lock_changed(&key, changed_ns, is_new(inode) ? EGB_LOCK_IS_REMADE : 0);
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
	struct egb_lock_key key = egb_lock_key_of(inode);

	egb_lock_changed(&key, ns_of(time), 0);
	return 0;
}
