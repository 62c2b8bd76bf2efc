/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What is the same however it is seen that a lock file came to be: which names are wanted, the
 * record, the files that are watched from then on, and what the daemon asks and is told of them.
 */
#ifndef EGB_LOCKFILE_BPF_H
#define EGB_LOCKFILE_BPF_H

/* Room for some thousand lock files while the daemon is busy elsewhere. */
#ifndef EGB_RING_BYTES
#define EGB_RING_BYTES (1024 * 1024)
#endif

#include "common.bpf.h"

#include "inodes.bpf.h"
#include "lockfile.h"
#include "paths.bpf.h"

/* Whether whatever sets the ctime of a watched file is seen, by whatever route it comes. */
#ifndef EGB_LOCK_SEES_CHANGES
#define EGB_LOCK_SEES_CHANGES false
#endif

#ifndef EGB_LOCKS_ROOM
#define EGB_LOCKS_ROOM EGB_LOCKS
#endif

/* Names and mounts on the way from a directory to the root. */
#define PATH_STEPS 1024
#define AT_FDCWD -100
#define NS_PER_SECOND 1000000000ULL

/* By programs that can interrupt each other, a place each; of two daemons, while one takes over
 * from the other, the programs have the same. */
enum egb_lock_place { EGB_LOCK_FIRST_PLACE, EGB_LOCK_SECOND_PLACE, EGB_LOCK_PLACES };

/*
 * Where a record is put together. The name stands in the middle of the room, as it was read; the
 * base is written before it, from its end to its beginning; and the record, when both are known,
 * before the base.
 */
#define NAME_AT (sizeof(struct egb_lock_created) + EGB_LOCK_PATH)

struct egb_lock_desk {
	struct egb_lock_created record;
	struct egb_lock_pattern tail;
	__u32 busy;
	/* In memory, where the verifier does not follow each of their values. */
	__u32 base_at;
	__u32 name_length;
	__u32 cgroup_length; /* of what stands behind the name */
	char room[NAME_AT + EGB_LOCK_PATH + EGB_LOCK_CGROUP +
		  EGB_LOCK_PATH]; /* of which the last is the verifier's */
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, EGB_LOCK_PLACES);
	__type(key, __u32);
	__type(value, struct egb_lock_desk);
} egb_lock_desks SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, EGB_LOCKS_ROOM);
	__type(key, struct egb_lock_key);
	__type(value, struct egb_lock_watched);
} egb_locks SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, EGB_LOCK_PATTERNS);
	__type(key, struct egb_lock_pattern);
	__type(value, __u32);
} egb_lock_patterns SEC(".maps");

static __always_inline struct egb_lock_key key_by(const struct inode *inode,
						  const struct egb_inode_id *id)
{
	struct egb_lock_key key = {
		.inode = egb_inode_number(inode, id),
		.device = egb_inode_device(inode, id),
	};

	return key;
}

/* Of what a program is told by the kernel's types, as its arguments are: that costs next to
 * nothing. */
static __always_inline struct egb_lock_key egb_lock_key_of(const struct inode *inode)
{
	const struct egb_inode_id id = {
		.magic = inode->i_sb->s_magic,
		.number = inode->i_ino,
		.device = inode->i_sb->s_dev,
	};

	return key_by(inode, &id);
}

/* Of any other, which is read. Of a file on overlayfs, its own inode is locked, and made, and that
 * of the upper layer is watched. */
static __always_inline struct egb_lock_key egb_lock_key_below(const struct inode *inode)
{
	const struct inode *below = egb_inode_below(inode);
	const struct super_block *file_system = BPF_CORE_READ(below, i_sb);
	const struct egb_inode_id id = {
		.magic = BPF_CORE_READ(file_system, s_magic),
		.number = BPF_CORE_READ(below, i_ino),
		.device = BPF_CORE_READ(file_system, s_dev),
	};

	return key_by(below, &id);
}

static __always_inline void egb_lock_tell_touched(const struct egb_lock_key *key,
						  struct egb_lock_watched *watched)
{
	struct egb_lock_touched *record;

	if (watched->told || __sync_lock_test_and_set(&watched->told, 1))
		return;
	record = egb_reserve(EGB_LOCK_TOUCHED, sizeof(*record));
	if (!record) {
		watched->told = 0;
		return;
	}
	record->key = *key;
	record->made_ns = watched->made_ns;
	record->changed_ns = watched->changed_ns;
	record->flags = watched->flags;
	record->reserved = 0;
	bpf_ringbuf_submit(record, 0);
}

static __always_inline struct egb_lock_watched *egb_lock_find(const struct egb_lock_key *key)
{
	return bpf_map_lookup_elem(&egb_locks, key);
}

static __always_inline void egb_lock_touch(const struct egb_lock_key *key,
					   struct egb_lock_watched *watched, __u32 flags)
{
	__sync_fetch_and_or(&watched->flags, EGB_LOCK_IS_TOUCHED | flags);
	egb_lock_tell_touched(key, watched);
}

static __always_inline void egb_lock_changed(const struct egb_lock_key *key, __u64 changed_ns,
					     __u32 flags)
{
	struct egb_lock_watched *watched = egb_lock_find(key);

	if (!watched)
		return;
	watched->changed_ns = changed_ns;
	if (EGB_LOCK_SEES_CHANGES)
		watched->touched_ns = bpf_ktime_get_ns();
	egb_lock_touch(key, watched, flags);
}

/* Other inodes are made and changed on the way: the folder that the name is in, or one that
 * overlayfs copies up. */
static __always_inline bool egb_lock_fits(__u16 way, __u16 mode)
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

/* Alone at the desk, or NULL when somebody else is there. */
static __always_inline struct egb_lock_desk *egb_lock_sit_down(__u32 place)
{
	struct egb_lock_desk *desk = bpf_map_lookup_elem(&egb_lock_desks, &place);

	if (!desk || __sync_lock_test_and_set(&desk->busy, 1))
		return NULL;
	return desk;
}

static __always_inline void egb_lock_get_up(struct egb_lock_desk *desk)
{
	desk->busy = 0;
}

/* With what a read of the name has returned: how many bytes are there, with the NUL. */
static __always_inline void egb_lock_note_name(struct egb_lock_desk *desk, long bytes)
{
	desk->name_length = bytes > 0 ? bytes - 1 : 0;
}

static __always_inline char letter(const struct egb_lock_desk *desk, __u32 at)
{
	return at < EGB_LOCK_PATH ? desk->room[NAME_AT + at] : 0;
}

static long drop_slash(__u32 at, struct egb_lock_desk **seat)
{
	struct egb_lock_desk *desk = *seat;

	if (!desk->name_length || letter(desk, desk->name_length - 1) != '/')
		return 1;
	desk->name_length--;
	return 0;
}

/* "mkdir x.lock/" makes an x.lock. */
static __always_inline void drop_slashes(struct egb_lock_desk *desk)
{
	bpf_loop(EGB_LOCK_PATH, drop_slash, &desk, 0);
}

/* The last name of the path, backwards, and a slash behind it. */
static __always_inline void turn_round(struct egb_lock_desk *desk)
{
	__u32 left = desk->name_length;
	__u32 i;

	__builtin_memset(&desk->tail, 0, sizeof(desk->tail));
	desk->tail.bits = 8 * EGB_LOCK_SUFFIX;
	for (i = 0; i < EGB_LOCK_SUFFIX; i++) {
		char c = left ? letter(desk, --left) : '/';

		desk->tail.tail[i] = c;
		if (c == '/')
			break;
	}
}

/*
 * Whether the name on the desk is that of a lock file. It is not static, so that the verifier looks
 * at it by itself and not once more for each way that leads here; the same goes for those below.
 */
__noinline int egb_lock_wants(__u32 place)
{
	struct egb_lock_desk *desk = bpf_map_lookup_elem(&egb_lock_desks, &place);
	__u32 *verdict;

	if (!desk || !desk->name_length)
		return 0;
	drop_slashes(desk);
	turn_round(desk);
	verdict = bpf_map_lookup_elem(&egb_lock_patterns, &desk->tail);
	return verdict && *verdict == EGB_LOCK_WANTED;
}

/* A slash and the name, before what is there. */
static __always_inline bool add_name(struct egb_lock_desk *desk, const struct dentry *dentry)
{
	__u32 length = BPF_CORE_READ(dentry, d_name.len);
	const void *name = BPF_CORE_READ(dentry, d_name.name);
	__u32 begin = desk->base_at;

	if (length >= EGB_NAME_BYTES || begin > NAME_AT ||
	    begin < sizeof(struct egb_lock_created) + 1 + length)
		return false;
	begin -= length + 1;
	barrier_var(
		begin); /* or the compiler reckons it anew, where the verifier knows no bounds */
	if (begin >= NAME_AT)
		return false;
	desk->room[begin] = '/';
	desk->base_at = begin;
	return bpf_probe_read_kernel(&desk->room[begin + 1], length, name) == 0;
}

struct climb {
	struct egb_lock_desk *desk;
	struct egb_place at;
	bool arrived;
};

static long climb(__u32 step, struct climb *way)
{
	struct dentry *left;

	if (egb_go_up(&way->at, &left))
		return left && !add_name(way->desk, left);
	way->arrived = true;
	return 1;
}

/* The number of the mount namespace that it is in; what is on the way to its root comes before the
 * name on the desk. 0 when it does not lead there. */
__noinline int egb_lock_climb(__u32 place, __u64 dentry, __u64 mount)
{
	struct climb way = {
		.desk = bpf_map_lookup_elem(&egb_lock_desks, &place),
		.at = egb_place_in((void *)dentry, (void *)mount),
	};

	const struct mount *root;

	if (!way.desk)
		return 0;
	way.desk->base_at = NAME_AT;
	bpf_loop(PATH_STEPS, climb, &way, 0);
	root = way.at.mount;
	return way.arrived ? BPF_CORE_READ(root, mnt_ns, ns.inum) : 0;
}

/* 0 when it does not lead to the root of the mount namespace that the task is in. */
static __always_inline int egb_lock_put_base(__u32 place, __u64 dentry, __u64 mount)
{
	const struct task_struct *task = bpf_get_current_task_btf();
	__u32 own = BPF_CORE_READ(task, nsproxy, mnt_ns, ns.inum);

	return (__u32)egb_lock_climb(place, dentry, mount) == own;
}

static __always_inline int egb_lock_put_path(__u32 place, const struct path *path)
{
	return egb_lock_put_base(place, (__u64)BPF_CORE_READ(path, dentry),
				 (__u64)BPF_CORE_READ(path, mnt));
}

/* The root that the task has becomes the base, and the record says when it is another than that of
 * the mount namespace. 0 as above. */
static __always_inline int egb_lock_put_root(struct egb_lock_desk *desk, __u32 place)
{
	const struct task_struct *task = bpf_get_current_task_btf();
	struct fs_struct *fs = BPF_CORE_READ(task, fs);
	int told = egb_lock_put_path(place, __builtin_preserve_access_index(&fs->root));

	if (desk->base_at != NAME_AT)
		desk->record.flags |= EGB_LOCK_IS_CHROOTED;
	return told;
}

/* include/linux/sched.h: forked, and has run no program since */
#define PF_FORKNOEXEC 0x00000040

static __always_inline void fill_inner_pid(struct egb_lock_created *record,
					   const struct task_struct *leader)
{
	struct pid *pid = BPF_CORE_READ(leader, thread_pid);
	unsigned int level = BPF_CORE_READ(pid, level);
	struct upid innermost = {};

	bpf_core_read(&innermost, sizeof(innermost), &pid->numbers[level]);
	record->inner_pid = innermost.nr;
	record->pid_namespace = BPF_CORE_READ(innermost.ns, ns.inum);
}

static __always_inline void egb_lock_fill_creator(struct egb_lock_created *record,
						  const struct task_struct *task)
{
	const struct task_struct *leader = BPF_CORE_READ(task, group_leader);
	const struct task_struct *parent = BPF_CORE_READ(leader, real_parent, group_leader);

	record->creator_start_ns = BPF_CORE_READ(leader, start_boottime);
	record->creator_forked_ns = BPF_CORE_READ(leader, start_time);
	record->parent_start_ns = BPF_CORE_READ(parent, start_boottime);
	record->creator = BPF_CORE_READ(leader, tgid);
	record->parent = BPF_CORE_READ(parent, tgid);
	fill_inner_pid(record, leader);
	record->uid = BPF_CORE_READ(task, cred, fsuid.val);
	record->flags = BPF_CORE_READ(leader, flags) & PF_FORKNOEXEC ? EGB_LOCK_BY_FORK : 0;
	record->mount_namespace = BPF_CORE_READ(task, nsproxy, mnt_ns, ns.inum);
	BPF_CORE_READ_INTO(&record->comm, leader, comm);
}

struct cgroup_climb {
	struct egb_lock_desk *desk;
	struct cgroup *at;
	bool arrived;
};

/* Its name, behind what is there; the root has none that counts. */
static long add_group(__u32 step, struct cgroup_climb *way)
{
	struct cgroup *group = way->at;
	struct cgroup_subsys_state *parent = BPF_CORE_READ(group, self.parent);
	struct egb_lock_desk *desk = way->desk;
	__u32 end = desk->name_length + desk->cgroup_length;
	long bytes;

	if (!parent) {
		way->arrived = true;
		return 1;
	}
	if (desk->cgroup_length > EGB_LOCK_CGROUP - EGB_NAME_BYTES ||
	    end > EGB_LOCK_PATH + EGB_LOCK_CGROUP)
		return 1;
	bytes = bpf_probe_read_kernel_str(&desk->room[NAME_AT + end], EGB_NAME_BYTES,
					  BPF_CORE_READ(group, kn, name));
	if (bytes <= 0)
		return 1;
	desk->cgroup_length += bytes;
	way->at = BPF_CORE_READ(parent, cgroup);
	return 0;
}

/* Behind the name on the desk: of which unit and container the process is, whom nobody may be able
 * to ask soon after. */
static __always_inline void egb_lock_put_group(struct egb_lock_desk *desk,
					       const struct task_struct *task)
{
	struct cgroup_climb way = {
		.desk = desk,
		.at = BPF_CORE_READ(task, cgroups, dfl_cgrp),
	};

	desk->cgroup_length = 0;
	bpf_loop(EGB_LOCK_CGROUP_LEVELS + 1, add_group, &way, 0);
	if (!way.arrived)
		desk->cgroup_length = 0;
}

/* What begins with the record and ends with the control group; 0 when there is no sense in it. */
static __always_inline long send(struct egb_lock_desk *desk)
{
	__u32 base_at = desk->base_at;
	__u32 size;

	if (base_at < sizeof(desk->record) || base_at > NAME_AT ||
	    desk->name_length >= EGB_LOCK_PATH || desk->cgroup_length > EGB_LOCK_CGROUP)
		return -1;
	size = sizeof(desk->record) + (NAME_AT - base_at) + desk->name_length + desk->cgroup_length;
	desk->record.header.size = size;
	desk->record.cgroup_length = desk->cgroup_length;
	desk->record.base_length = NAME_AT - base_at;
	desk->record.name_length = desk->name_length;
	base_at -= sizeof(desk->record);
	if (base_at > EGB_LOCK_PATH ||
	    size > sizeof(desk->record) + 2 * EGB_LOCK_PATH + EGB_LOCK_CGROUP)
		return -1;
	bpf_probe_read_kernel(&desk->room[base_at], sizeof(desk->record), &desk->record);
	return bpf_ringbuf_output(&egb_ring, &desk->room[base_at], size, 0);
}

/* A file that has a name already, and gets another, is the same: that it was locked stays true. */
static __always_inline __u32 flags_to_keep(const struct egb_lock_created *record)
{
	const struct egb_lock_watched *watched;

	if (record->way != EGB_LOCK_BY_LINK && record->way != EGB_LOCK_BY_RENAME)
		return 0;
	watched = egb_lock_find(&record->key);
	return watched ? watched->flags & EGB_LOCK_IS_ADVISORY : 0;
}

/* The file is watched before it is told: whatever happens to it once it is known is told. */
static __always_inline void watch_and_tell(struct egb_lock_desk *desk, __s32 maker)
{
	struct egb_lock_watched fresh = {
		.made_ns = desk->record.header.time_ns,
		.changed_ns = desk->record.changed_ns,
		.touched_ns = EGB_LOCK_SEES_CHANGES ? desk->record.header.time_ns : 0,
		.maker = maker,
		.flags = flags_to_keep(&desk->record),
	};
	int error;

	/* No room is no loss: what is not watched is never touched, and whoever fills the map must
	 * not keep all others from being proven. That the kernel was too busy to add it, is one. */
	error = egb_map_update(&egb_locks, &desk->record.key, &fresh, BPF_ANY);
	if (error && error != -E2BIG)
		egb_count_drop();
	if (error)
		return;
	if (send(desk) != 0) {
		egb_count_drop();
		bpf_map_delete_elem(&egb_locks, &desk->record.key);
	}
}

/*
 * Whether it is known already that this inode was made: file systems set the ctime of a new one
 * more than once, and while one daemon takes over from another the programs of both are attached.
 * An inode that was let go and taken again meanwhile was touched in between.
 */
static __always_inline bool egb_lock_is_told(const struct egb_lock_key *key)
{
	const struct egb_lock_watched *watched = egb_lock_find(key);

	return watched && watched->maker == (__s32)bpf_get_current_pid_tgid() &&
	       !(watched->flags & EGB_LOCK_IS_TOUCHED) &&
	       bpf_ktime_get_ns() - watched->made_ns < NS_PER_SECOND;
}

static __always_inline void egb_lock_fill(struct egb_lock_desk *desk, const struct inode *inode,
					  const struct egb_lock_key *key, __u64 changed_ns)
{
	const struct task_struct *task = bpf_get_current_task_btf();
	struct egb_lock_created *record = &desk->record;

	egb_fill_header(&record->header, EGB_LOCK_CREATED, 0);
	record->key = *key;
	record->changed_ns = changed_ns;
	record->file_system = BPF_CORE_READ(inode, i_sb, s_magic);
	egb_lock_fill_creator(record, task);
	egb_lock_put_group(desk, task);
}

/* A file got a name from a thread: the one on the desk, behind a base that is there, too, or cannot
 * be `told`. */
static __always_inline void egb_lock_tell(struct egb_lock_desk *desk, __u16 way, __s32 maker,
					  bool told)
{
	desk->record.way = way;
	if (!told) {
		desk->base_at = NAME_AT;
		desk->record.flags |= EGB_LOCK_PATH_CUT;
	}
	watch_and_tell(desk, maker);
}

/* include/uapi/linux/fcntl.h */
#define F_UNLCK 2

static __always_inline __u8 type_of(const struct file_lock *lock)
{
	const struct file_lock___before_6_9 *old = (const void *)lock;

	return bpf_core_field_exists(lock->c.flc_type) ? BPF_CORE_READ(lock, c.flc_type)
						       : BPF_CORE_READ(old, fl_type);
}

/* Whether it is taken by that, and not let go or asked for in vain. */
static __always_inline bool egb_lock_is_taken(const struct file_lock *lock, int error)
{
	return !error && lock && type_of(lock) != F_UNLCK;
}

static __always_inline void locked(const struct inode *inode, const struct file_lock *lock,
				   int error)
{
	struct egb_lock_watched *watched;
	struct egb_lock_key key;

	if (!egb_lock_is_taken(lock, error))
		return;
	key = egb_lock_key_below(inode);
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

/* Those below are run by the daemon. */

SEC("syscall")
int egb_lock_watch(struct egb_lock_query *query)
{
	struct egb_lock_watched fresh = {.made_ns = query->made_ns};
	struct egb_lock_key key = query->key;
	struct egb_lock_watched *watched;

	bpf_map_update_elem(&egb_locks, &key, &fresh, BPF_NOEXIST);
	watched = egb_lock_find(&key);
	if (!watched)
		return 1;
	query->watched = *watched;
	return 0;
}

SEC("syscall")
int egb_lock_looked(struct egb_lock_query *query)
{
	struct egb_lock_key key = query->key;
	struct egb_lock_watched *watched = egb_lock_find(&key);

	if (!watched)
		return 1;
	__sync_lock_test_and_set(&watched->told, 0);
	query->watched = *watched;
	return 0;
}

SEC("syscall")
int egb_lock_state(struct egb_lock_query *query)
{
	struct egb_lock_key key = query->key;
	struct egb_lock_watched *watched = egb_lock_find(&key);

	if (!watched)
		return 1;
	query->watched = *watched;
	return 0;
}

SEC("syscall")
int egb_lock_forget(struct egb_lock_query *query)
{
	struct egb_lock_key key = query->key;
	struct egb_lock_watched *watched = egb_lock_find(&key);

	if (watched && (!query->made_ns || watched->made_ns == query->made_ns))
		bpf_map_delete_elem(&egb_locks, &key);
	return 0;
}

#endif
