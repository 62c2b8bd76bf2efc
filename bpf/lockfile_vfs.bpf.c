// SPDX-License-Identifier: GPL-2.0-only
/*
 * Lock files, seen where the kernel's functions that make files return.
 *
 * Opening says by itself what it has made, and where. Of the others, a hook of the security modules
 * is called before with the mount, and what it says of a name that is wanted is kept until the
 * function returns. They are called for whoever asked: io_uring and 32-bit programs are seen, too,
 * and what overlayfs does to its layers is not. Names are the kernel's own.
 *
 * Nothing here is told of what changes a file without giving or taking a name.
 */
#include "lockfile.bpf.h"

/* include/uapi/asm-generic/fcntl.h */
#define O_EXCL 00000200
/* include/linux/fs.h */
#define FMODE_CREATED 0x100000
/* include/uapi/linux/fs.h */
#define RENAME_NOREPLACE 1

/* i_ctime_nsec has flags above. */
#define NSEC_MASK 0x3fffffff
#define MAX_ERRNO 4095

/* What the task is about to do to a name. */
struct egb_lock_call {
	const struct dentry *dentry; /* the name */
	struct vfsmount *mount;	     /* where a name that is wanted is made, */
	const struct inode *inode;   /* or the watched file that loses one */
	struct egb_lock_key key;     /* of that */
};

/* By thread. What is refused between the hook and the function is never taken from here, and makes
 * room by and by. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 8192);
	__type(key, __u32);
	__type(value, struct egb_lock_call);
} egb_lock_calls SEC(".maps");

static __always_inline __u64 changed_ns(const struct inode *inode)
{
	const struct inode___before_6_11 *older = (const void *)inode;
	const struct inode___before_6_6 *oldest = (const void *)inode;

	if (bpf_core_field_exists(inode->i_ctime_sec))
		return BPF_CORE_READ(inode, i_ctime_sec) * NS_PER_SECOND +
		       (BPF_CORE_READ(inode, i_ctime_nsec) & NSEC_MASK);
	if (bpf_core_field_exists(older->__i_ctime))
		return BPF_CORE_READ(older, __i_ctime.tv_sec) * NS_PER_SECOND +
		       BPF_CORE_READ(older, __i_ctime.tv_nsec);
	return BPF_CORE_READ(oldest, i_ctime.tv_sec) * NS_PER_SECOND +
	       BPF_CORE_READ(oldest, i_ctime.tv_nsec);
}

/* Where another task was interrupted at the one desk, there is the other. */
static __always_inline struct egb_lock_desk *sit_down(__u32 *place)
{
	struct egb_lock_desk *desk;

	*place = EGB_LOCK_FIRST_PLACE;
	desk = egb_lock_sit_down(*place);
	if (desk)
		return desk;
	*place = EGB_LOCK_SECOND_PLACE;
	desk = egb_lock_sit_down(*place);
	if (!desk)
		egb_count_drop();
	return desk;
}

static __always_inline bool puts_wanted_name(struct egb_lock_desk *desk, __u32 place,
					     const struct dentry *dentry)
{
	const void *name = BPF_CORE_READ(dentry, d_name.name);

	egb_lock_note_name(desk,
			   bpf_probe_read_kernel_str(&desk->room[NAME_AT], EGB_NAME_BYTES, name));
	return egb_lock_wants(place);
}

static __always_inline void tell(struct egb_lock_desk *desk, __u32 place,
				 const struct dentry *dentry, struct vfsmount *mount,
				 const struct inode *inode, const struct egb_lock_key *key,
				 __u16 way)
{
	egb_lock_fill(desk, inode, key, changed_ns(egb_inode_below(inode)));
	egb_lock_put_root(desk, place);
	egb_lock_tell(
		desk, way, (__u32)bpf_get_current_pid_tgid(),
		egb_lock_put_base(place, (__u64)BPF_CORE_READ(dentry, d_parent), (__u64)mount));
}

/* A file got a name in a way that would have failed if there had been one. False when the name is
 * not that of a lock file. */
static __always_inline bool made(const struct dentry *dentry, struct vfsmount *mount,
				 const struct inode *inode, const struct egb_lock_key *key,
				 __u16 way)
{
	struct egb_lock_desk *desk;
	__u32 place;
	bool wanted;

	if (!egb_lock_fits(way, BPF_CORE_READ(inode, i_mode)))
		return false;
	desk = sit_down(&place);
	if (!desk)
		return false;
	wanted = puts_wanted_name(desk, place, dentry);
	if (wanted)
		tell(desk, place, dentry, mount, inode, key, way);
	egb_lock_get_up(desk);
	return wanted;
}

static __always_inline bool is_wanted(const struct dentry *dentry)
{
	struct egb_lock_desk *desk;
	__u32 place;
	bool wanted;

	desk = sit_down(&place);
	if (!desk)
		return false;
	wanted = puts_wanted_name(desk, place, dentry);
	egb_lock_get_up(desk);
	return wanted;
}

static __always_inline void opened(const struct open_flags *how, const struct file *file)
{
	struct vfsmount *mount;
	const struct inode *inode;
	struct egb_lock_key key;

	if ((unsigned long)file >= (unsigned long)-MAX_ERRNO || !(file->f_mode & FMODE_CREATED))
		return;
	inode = file->f_inode;
	key = egb_lock_key_below(inode);
	mount = BPF_CORE_READ(file, f_path.mnt); /* a number, as a function takes it */
	if (how->open_flag & O_EXCL &&
	    (egb_lock_is_told(&key) ||
	     made(file->f_path.dentry, mount, inode, &key, EGB_LOCK_BY_OPEN)))
		return;
	egb_lock_changed(&key, changed_ns(egb_inode_below(inode)), EGB_LOCK_IS_REMADE);
}

SEC("fexit/do_filp_open")
int BPF_PROG(egb_lock_filp_opened, int fd, void *name, const struct open_flags *how,
	     const struct file *file)
{
	opened(how, file);
	return 0;
}

/* Its name since 7.0. */
SEC("fexit/do_file_open")
int BPF_PROG(egb_lock_file_opened, int fd, void *name, const struct open_flags *how,
	     const struct file *file)
{
	opened(how, file);
	return 0;
}

static __always_inline void keep(const struct egb_lock_call *call)
{
	__u32 thread = bpf_get_current_pid_tgid();

	if (bpf_map_update_elem(&egb_lock_calls, &thread, call, BPF_ANY) != 0)
		egb_count_drop();
}

/* What was kept of the call that now returns from doing it to that name. */
static __always_inline bool take(const struct dentry *dentry, struct egb_lock_call *kept)
{
	__u32 thread = bpf_get_current_pid_tgid();
	const struct egb_lock_call *call = bpf_map_lookup_elem(&egb_lock_calls, &thread);

	if (!call || call->dentry != dentry)
		return false;
	*kept = *call;
	bpf_map_delete_elem(&egb_lock_calls, &thread);
	return true;
}

static __always_inline void begin_name(const struct path *folder, const struct dentry *name,
				       const struct dentry *dentry)
{
	struct egb_lock_call call = {.dentry = dentry, .mount = folder->mnt};

	if (is_wanted(name))
		keep(&call);
}

/* Until it is made there is no inode under the name, and the folder is locked. */
static __always_inline void end_making(const struct dentry *dentry, __u16 way)
{
	const struct inode *inode;
	struct egb_lock_call call;
	struct egb_lock_key key;

	if (!take(dentry, &call))
		return;
	inode = BPF_CORE_READ(dentry, d_inode);
	if (!inode)
		return;
	key = egb_lock_key_below(inode);
	if (!egb_lock_is_told(&key))
		made(dentry, call.mount, inode, &key, way);
}

SEC("fentry/security_path_mkdir")
int BPF_PROG(egb_lock_mkdir, const struct path *folder, struct dentry *dentry)
{
	begin_name(folder, dentry, dentry);
	return 0;
}

SEC("fexit/vfs_mkdir")
int BPF_PROG(egb_lock_mkdir_done, void *map, void *folder, struct dentry *dentry)
{
	end_making(dentry, EGB_LOCK_BY_MKDIR);
	return 0;
}

SEC("fentry/security_path_symlink")
int BPF_PROG(egb_lock_symlink, const struct path *folder, struct dentry *dentry)
{
	begin_name(folder, dentry, dentry);
	return 0;
}

SEC("fexit/vfs_symlink")
int BPF_PROG(egb_lock_symlink_done, void *map, void *folder, struct dentry *dentry)
{
	end_making(dentry, EGB_LOCK_BY_SYMLINK);
	return 0;
}

/* The file under that name was there before, and got it in the way that is kept of the call, or in
 * another. */
static __always_inline void end_naming(const struct dentry *dentry, const struct inode *inode,
				       bool succeeded, __u16 way)
{
	struct egb_lock_key key = egb_lock_key_below(inode);
	struct egb_lock_call call;
	bool kept = take(dentry, &call);

	if (!succeeded || (kept && made(dentry, call.mount, inode, &key, way)))
		return;
	egb_lock_changed(&key, changed_ns(egb_inode_below(inode)), 0);
}

SEC("fentry/security_path_link")
int BPF_PROG(egb_lock_link, struct dentry *old, const struct path *folder, struct dentry *dentry)
{
	begin_name(folder, dentry, dentry);
	return 0;
}

SEC("fexit/vfs_link")
int BPF_PROG(egb_lock_link_done, struct dentry *old, void *map, void *folder, struct dentry *dentry)
{
	end_naming(dentry, BPF_CORE_READ(old, d_inode), BPF_CORE_READ(dentry, d_inode) != NULL,
		   EGB_LOCK_BY_LINK);
	return 0;
}

/* It is the old name's entry that has the new one afterwards. */
SEC("fentry/security_path_rename")
int BPF_PROG(egb_lock_rename, const struct path *old_folder, struct dentry *old,
	     const struct path *folder, struct dentry *dentry, unsigned int flags)
{
	if (flags & RENAME_NOREPLACE)
		begin_name(folder, dentry, old);
	return 0;
}

SEC("fexit/vfs_rename")
int BPF_PROG(egb_lock_rename_done, struct renamedata *names, int error)
{
	const struct dentry *dentry = names->old_dentry;
	const struct inode *over = BPF_CORE_READ(names, new_dentry, d_inode);
	struct egb_lock_key key;

	end_naming(dentry, BPF_CORE_READ(dentry, d_inode), !error, EGB_LOCK_BY_RENAME);
	if (error || !over)
		return 0;
	key = egb_lock_key_below(over);
	egb_lock_changed(&key, changed_ns(egb_inode_below(over)), 0);
	return 0;
}

/* Afterwards nothing may lead from the name to the file. */
static __always_inline void begin_removing(const struct dentry *dentry)
{
	struct egb_lock_call call = {.dentry = dentry, .inode = BPF_CORE_READ(dentry, d_inode)};

	if (!call.inode)
		return;
	call.key = egb_lock_key_below(call.inode);
	if (egb_lock_find(&call.key))
		keep(&call);
}

/* That it was tried in vain is told as well, and only costs a look. */
static __always_inline void end_removing(const struct dentry *dentry)
{
	struct egb_lock_call call;

	if (take(dentry, &call))
		egb_lock_changed(&call.key, changed_ns(egb_inode_below(call.inode)), 0);
}

SEC("fentry/security_path_unlink")
int BPF_PROG(egb_lock_unlink, const struct path *folder, struct dentry *dentry)
{
	begin_removing(dentry);
	return 0;
}

SEC("fexit/vfs_unlink")
int BPF_PROG(egb_lock_unlink_done, void *map, void *folder, struct dentry *dentry)
{
	end_removing(dentry);
	return 0;
}

SEC("fentry/security_path_rmdir")
int BPF_PROG(egb_lock_rmdir, const struct path *folder, struct dentry *dentry)
{
	begin_removing(dentry);
	return 0;
}

SEC("fexit/vfs_rmdir")
int BPF_PROG(egb_lock_rmdir_done, void *map, void *folder, struct dentry *dentry)
{
	end_removing(dentry);
	return 0;
}
