// SPDX-License-Identifier: GPL-2.0-only
/*
 * Lock files that user space hears of by fanotify, where the kernel does not let a program see how
 * they are made.
 *
 * What fanotify tells has neither a creator whom a daemon in another pid namespace could know, nor
 * a path. Both are found here: the creator in the queue, which holds the processes that have made
 * what is in it, before it is read; and the path from a descriptor that the daemon has opened by
 * what it was told. Advisory locks are seen as by every mechanism; those that somebody has taken on
 * a file before it was heard of, too, are kept for a while.
 */
#include "lockfile.bpf.h"

/* include/linux/sched.h */
#define PF_KTHREAD 0x00200000

#ifndef EGB_LOCKED_ROOM
#define EGB_LOCKED_ROOM 8192
#endif

/* The queue as it was looked through last. Of one who is gone there is nothing but the pid. */
struct egb_lock_queue {
	struct egb_lock_created makers[EGB_LOCK_MAKERS];
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct egb_lock_queue);
} egb_lock_makers SEC(".maps");

/* Files that are not watched, and when an advisory lock was last taken on each. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, EGB_LOCKED_ROOM);
	__type(key, struct egb_lock_key);
	__type(value, __u64);
} egb_lock_lately SEC(".maps");

static __always_inline void locked_lately(const struct inode *inode, const struct file_lock *lock,
					  int error)
{
	__u64 now = bpf_ktime_get_ns();
	struct egb_lock_key key;

	if (!egb_lock_is_taken(lock, error))
		return;
	key = egb_lock_key_below(inode);
	if (!egb_lock_find(&key))
		bpf_map_update_elem(&egb_lock_lately, &key, &now, BPF_ANY);
}

SEC("tp_btf/flock_lock_inode")
int BPF_PROG(egb_lock_flock_lately, struct inode *inode, struct file_lock *lock, int error)
{
	locked_lately(inode, lock, error);
	return 0;
}

SEC("tp_btf/posix_lock_inode")
int BPF_PROG(egb_lock_posix_lately, struct inode *inode, struct file_lock *lock, int error)
{
	locked_lately(inode, lock, error);
	return 0;
}

/* The leader of the process; NULL when it is gone. */
static __always_inline const struct task_struct *leader_of(const struct pid *pid)
{
	const struct hlist_node *node = BPF_CORE_READ(pid, tasks[PIDTYPE_TGID].first);

	if (!node)
		return NULL;
	return (void *)node - bpf_core_field_offset(struct task_struct, pid_links) -
	       PIDTYPE_TGID * sizeof(*node);
}

/* What has overflown has no process. */
static __always_inline void note_maker(struct egb_lock_created *maker, const struct pid *pid)
{
	const struct task_struct *leader = pid ? leader_of(pid) : NULL;

	__builtin_memset(maker, 0, sizeof(*maker));
	if (pid)
		maker->creator = BPF_CORE_READ(pid, numbers[0].nr);
	if (leader)
		egb_lock_fill_creator(maker, leader);
	if (leader && BPF_CORE_READ(leader, flags) & PF_KTHREAD)
		maker->creator = 0;
}

struct queue_walk {
	struct egb_lock_queue *queue;
	const struct list_head *head;
	const struct list_head *at;
	__u32 found;
};

static long look_at_one(__u32 place, struct queue_walk *walk)
{
	const struct list_head *node = walk->at;
	const struct fanotify_event *event;

	if (place >= EGB_LOCK_MAKERS || !node || node == walk->head)
		return 1;
	event = (void *)node - bpf_core_field_offset(struct fsnotify_event, list) -
		bpf_core_field_offset(struct fanotify_event, fse);
	note_maker(&walk->queue->makers[place], BPF_CORE_READ(event, pid));
	walk->at = BPF_CORE_READ(node, next);
	walk->found = place + 1;
	return 0;
}

static __always_inline const struct file *file_of_ours(__s32 fd)
{
	return egb_file_of(bpf_get_current_task_btf(), fd);
}

/* Only the daemon takes from the queue; others put in behind what is there. */
SEC("syscall")
int egb_lock_queue(struct egb_lock_listening *listening)
{
	const struct file *file = file_of_ours(listening->fd);
	const struct fsnotify_group *group = file ? BPF_CORE_READ(file, private_data) : NULL;
	struct queue_walk walk = {};
	__u32 zero = 0;

	walk.queue = bpf_map_lookup_elem(&egb_lock_makers, &zero);
	if (!walk.queue || !group)
		return 0;
	walk.head = __builtin_preserve_access_index(&group->notification_list);
	walk.at = BPF_CORE_READ(group, notification_list.next);
	bpf_loop(EGB_LOCK_MAKERS, look_at_one, &walk, 0);
	return walk.found;
}

/* False when nobody can have it as a lock who works for the kernel. */
static __always_inline bool put_maker(struct egb_lock_created *record, __u32 place,
				      const struct inode *inode)
{
	struct egb_lock_queue *queue;
	__u32 zero = 0;

	queue = bpf_map_lookup_elem(&egb_lock_makers, &zero);
	__builtin_memset(record, 0, sizeof(*record));
	if (queue && place < EGB_LOCK_MAKERS) {
		__builtin_memcpy(record, &queue->makers[place], sizeof(*record));
		if (!record->creator)
			return false;
	}
	/* Who has made a file owns it, where he cannot be asked any more. */
	if (!record->creator_start_ns)
		record->uid = BPF_CORE_READ(inode, i_uid.val);
	return true;
}

static __always_inline bool was_locked(const struct egb_lock_key *key, __u64 made_ns)
{
	const __u64 *locked_ns = bpf_map_lookup_elem(&egb_lock_lately, key);
	bool since = locked_ns && *locked_ns >= made_ns;

	bpf_map_delete_elem(&egb_lock_lately, key);
	return since;
}

static __always_inline int meet(struct egb_lock_desk *desk, __u32 place,
				struct egb_lock_meeting *meeting)
{
	const struct file *folder = file_of_ours(meeting->folder);
	const struct file *file = file_of_ours(meeting->file);
	struct egb_lock_created *record = &desk->record;
	struct egb_lock_watched *watched;
	const struct inode *inode;
	struct egb_lock_key key;

	if (!folder || !file)
		return 1;
	inode = BPF_CORE_READ(file, f_inode);
	if (!put_maker(record, meeting->maker, inode))
		return 1;
	key = egb_lock_key_below(inode);
	egb_fill_header(&record->header, EGB_LOCK_CREATED, 0);
	record->header.time_ns = meeting->made_ns;
	record->key = key;
	record->changed_ns = meeting->changed_ns;
	record->file_system = BPF_CORE_READ(inode, i_sb, s_magic);
	record->flags |= EGB_LOCK_IS_INFERRED;
	meeting->key = key;
	desk->cgroup_length = 0; /* who lives is asked, and of others nothing follows */
	egb_lock_note_name(desk, bpf_probe_read_kernel_str(&desk->room[NAME_AT], EGB_NAME_BYTES,
							   meeting->name));
	/* Its name is that in the mount namespace through which the daemon has opened it. */
	record->mount_namespace = egb_lock_climb(place, (__u64)BPF_CORE_READ(folder, f_path.dentry),
						 (__u64)BPF_CORE_READ(folder, f_path.mnt));
	egb_lock_tell(desk, meeting->way, record->creator, record->mount_namespace);
	watched = egb_lock_find(&key);
	if (watched && was_locked(&key, meeting->made_ns))
		egb_lock_touch(&key, watched, EGB_LOCK_IS_ADVISORY);
	return 0;
}

SEC("syscall")
int egb_lock_meet(struct egb_lock_meeting *meeting)
{
	const __u32 place = EGB_LOCK_FIRST_PLACE;
	struct egb_lock_desk *desk = egb_lock_sit_down(place);
	int untold;

	if (!desk) {
		egb_count_drop();
		return 1;
	}
	untold = meet(desk, place, meeting);
	egb_lock_get_up(desk);
	return untold;
}

SEC("syscall")
int egb_lock_touched(struct egb_lock_query *query)
{
	struct egb_lock_key key = query->key;
	struct egb_lock_watched *watched = egb_lock_find(&key);

	if (!watched)
		return 1;
	egb_lock_touch(&key, watched, 0);
	return 0;
}
