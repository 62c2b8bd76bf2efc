// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who forked whom, and who died how.
 *
 * One entry per process: from its fork, or from when it was first met, until it is dead, waited for
 * and without a descendant that is still here. So a process that is not here has no living
 * descendant either, and the dead between an ancestor and its living descendants are not forgotten.
 * An entry counts its reasons to stay: itself until it is reaped, and each child that has an entry.
 *
 * While one daemon takes over from another, both have their programs attached: each step is taken
 * once, by whoever comes first.
 */
#include "common.bpf.h"

#include "lineage.h"

extern struct task_struct *bpf_task_from_pid(__s32 pid) __ksym __weak;
extern void bpf_task_release(struct task_struct *task) __ksym __weak;

struct egb_lineage_entry {
	__u64 parent;
	__u64 forked_ns;
	__u64 died_ns;
	__s32 wait_status;
	__u32 reasons;
	__u32 flags;
	__u32 owed; /* reasons that are gone and not yet taken off */
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, EGB_LINEAGE_PROCESSES);
	__type(key, __u64);
	__type(value, struct egb_lineage_entry);
} egb_lineage_all SEC(".maps");

/* A place for each of the last to die, found by its id; who comes later to the same one takes it.
 * An LRU map would know no such loss, and cost three times as much as all the rest of an exit. */
struct egb_lineage_grave {
	__u64 id;
	struct egb_lineage_death death;
	__u32 busy;
	__u32 reserved;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, EGB_LINEAGE_DEATHS);
	__type(key, __u32);
	__type(value, struct egb_lineage_grave);
} egb_lineage_graves SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct egb_lineage_since);
} egb_lineage_since SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct egb_lineage_loss);
} egb_lineage_loss SEC(".maps");

/* Whether somebody has died since the daemon last looked. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} egb_lineage_news SEC(".maps");

/* The longest line of dead ancestors that is let go at once; what is beyond is owed, and paid when
 * the dead are listed. */
#define LINE_LENGTH 64

/* include/linux/sched/signal.h */
#define SIGNAL_GROUP_EXIT 4

static __always_inline __u64 id_of(const struct task_struct *leader)
{
	return leader->start_boottime / EGB_LINEAGE_NS_PER_TICK << EGB_LINEAGE_PID_BITS |
	       (__u32)leader->tgid;
}

static __always_inline struct egb_lineage_entry *find(__u64 id)
{
	return bpf_map_lookup_elem(&egb_lineage_all, &id);
}

static __always_inline void count_loss(void)
{
	__u32 zero = 0;
	struct egb_lineage_loss *loss = bpf_map_lookup_elem(&egb_lineage_loss, &zero);

	if (!loss)
		return;
	loss->last_ns = bpf_ktime_get_ns();
	__sync_fetch_and_add(&loss->count, 1);
	egb_count_drop();
}

/* What wait(2) would tell the parent. */
static __always_inline __s32 wait_status_of(const struct task_struct *leader)
{
	const struct signal_struct *signal = leader->signal;

	return signal->flags & SIGNAL_GROUP_EXIT ? signal->group_exit_code : leader->exit_code;
}

static __always_inline bool all_threads_have_exited(const struct task_struct *task)
{
	return task->signal->live.counter == 0;
}

/* One reason less to stay. Who goes by that was a reason for its parent. */
static __always_inline void let_go(__u64 id, struct egb_lineage_entry *entry)
{
	__u64 parent;
	int i;

	for (i = 0; i < LINE_LENGTH && entry; i++) {
		if (__sync_fetch_and_add(&entry->reasons, -1) != 1)
			return;
		parent = entry->parent;
		bpf_map_delete_elem(&egb_lineage_all, &id);
		if (!parent)
			return;
		id = parent;
		entry = find(id);
	}
	if (entry)
		__sync_fetch_and_add(&entry->owed, 1);
}

/* It may have died while it was written down, when its end found no entry. */
static __always_inline void note_death(__u64 id, const struct task_struct *leader)
{
	struct egb_lineage_entry *entry = find(id);

	if (!entry)
		return;
	entry->wait_status = wait_status_of(leader);
	__sync_val_compare_and_swap(&entry->died_ns, 0, bpf_ktime_get_ns());
}

/* 0, or why it could not be written down. */
static __always_inline long add(const struct task_struct *leader, __u64 parent, __u32 flags)
{
	__u64 id = id_of(leader);
	struct egb_lineage_entry entry = {
		.parent = parent,
		.forked_ns = leader->start_time,
		.reasons = 1,
		.flags = flags,
	};
	long error;

	if (all_threads_have_exited(leader)) {
		entry.died_ns = bpf_ktime_get_ns();
		entry.wait_status = wait_status_of(leader);
		entry.flags |= EGB_LINEAGE_DIED_BEFORE;
	}
	error = bpf_map_update_elem(&egb_lineage_all, &id, &entry, BPF_NOEXIST);
	if (error && error != -EEXIST)
		count_loss();
	if (!error && !entry.died_ns && all_threads_have_exited(leader))
		note_death(id, leader);
	return error;
}

/* One that we have not seen begin. Its parent is the one that it has now, if that one is known. */
static __always_inline void adopt(const struct task_struct *leader)
{
	__u64 parent = id_of(leader->real_parent->group_leader);
	struct egb_lineage_entry *entry = find(parent);

	if (entry)
		__sync_fetch_and_add(&entry->reasons, 1);
	if (add(leader, entry ? parent : 0, EGB_LINEAGE_ADOPTED) && entry)
		let_go(parent, entry);
}

SEC("tp_btf/sched_process_fork")
int BPF_PROG(egb_lineage_fork, struct task_struct *task, struct task_struct *child)
{
	struct task_struct *leader = task->group_leader;
	__u64 parent = id_of(leader);
	struct egb_lineage_entry *entry;

	if (child->pid != child->tgid)
		return 0;
	entry = find(parent);
	if (!entry) {
		adopt(leader);
		entry = find(parent);
	}
	/* The child does not run yet, and its parent lives: neither can go meanwhile. */
	if (!add(child, entry ? parent : 0, 0) && entry)
		__sync_fetch_and_add(&entry->reasons, 1);
	return 0;
}

static __always_inline struct egb_lineage_grave *grave_of(__u64 id)
{
	/* Pids follow each other, and so do the graves of who was started together. */
	__u32 place = (id + (id >> EGB_LINEAGE_PID_BITS) * 40503) % EGB_LINEAGE_DEATHS;

	return bpf_map_lookup_elem(&egb_lineage_graves, &place);
}

static __always_inline void remember(__u64 id, const struct egb_lineage_death *death)
{
	struct egb_lineage_grave *grave = grave_of(id);

	if (!grave || __sync_lock_test_and_set(&grave->busy, 1))
		return;
	grave->id = id;
	grave->death = *death;
	__sync_lock_test_and_set(&grave->busy, 0);
}

static __always_inline void tell_of_first_death(__u64 now)
{
	__u32 zero = 0;
	__u64 *first = bpf_map_lookup_elem(&egb_lineage_news, &zero);
	struct egb_header *header;

	if (!first || *first || __sync_val_compare_and_swap(first, 0, now))
		return;
	header = egb_reserve(EGB_LINEAGE_DEATH, sizeof(*header));
	if (header)
		bpf_ringbuf_submit(header, 0);
}

/* Told by each thread on its way out: the last one speaks for the process. Two that leave at once
 * may both be the last. */
SEC("tp_btf/sched_process_exit")
int BPF_PROG(egb_lineage_exit, struct task_struct *task)
{
	struct task_struct *leader = task->group_leader;
	struct egb_lineage_death death = {};
	struct egb_lineage_entry *entry;
	__u64 id;

	if (!all_threads_have_exited(task))
		return 0;
	id = id_of(leader);
	death.died_ns = bpf_ktime_get_ns();
	death.wait_status = wait_status_of(leader);
	entry = find(id);
	if (entry) {
		entry->wait_status = death.wait_status;
		if (__sync_val_compare_and_swap(&entry->died_ns, 0, death.died_ns))
			return 0;
	}
	remember(id, &death);
	tell_of_first_death(death.died_ns);
	return 0;
}

static __always_inline void bury(__u64 id)
{
	struct egb_lineage_entry *entry = find(id);

	if (!entry || __sync_fetch_and_or(&entry->flags, EGB_LINEAGE_REAPED) & EGB_LINEAGE_REAPED)
		return;
	let_go(id, entry);
}

/* Somebody has waited for it, or nobody needs to. */
SEC("tp_btf/sched_process_free")
int BPF_PROG(egb_lineage_free, struct task_struct *task)
{
	if (task->pid == task->tgid)
		bury(id_of(task));
	return 0;
}

/* Run by the daemon, to learn whether pids mean the same to both. */
SEC("syscall")
int egb_lineage_who_asks(struct egb_lineage_query *query)
{
	struct task_struct *task = bpf_get_current_task_btf();

	query->id = id_of(task->group_leader);
	query->pid = task->tgid;
	return 0;
}

/* Run by the daemon for each process that is older than the observation. */
SEC("syscall")
int egb_lineage_adopt(struct egb_lineage_query *query)
{
	struct task_struct *task = bpf_task_from_pid(query->pid);

	if (!task)
		return 1;
	if (task->pid == task->tgid)
		adopt(task);
	bpf_task_release(task);
	return 0;
}

/* Run by the daemon for a process of whose end nothing was seen: it is no more. */
SEC("syscall")
int egb_lineage_bury(struct egb_lineage_query *query)
{
	__u64 id = query->id;
	struct egb_lineage_entry *entry = find(id);

	if (!entry)
		return 1;
	__sync_val_compare_and_swap(&entry->died_ns, 0, bpf_ktime_get_ns());
	if (entry->reasons)
		bury(id);
	else
		bpf_map_delete_elem(&egb_lineage_all, &id);
	return 0;
}

SEC("syscall")
int egb_lineage_death_of(struct egb_lineage_query *query)
{
	__u64 id = query->id;
	struct egb_lineage_entry *entry = find(id);
	struct egb_lineage_grave *grave;
	bool found;

	if (entry && !entry->died_ns)
		return EGB_LINEAGE_IS_ALIVE;
	if (entry) {
		query->death.died_ns = entry->died_ns;
		query->death.wait_status = entry->wait_status;
		query->death.flags = entry->flags;
		/* One that has just been let go may have been another's by the time it was read. */
		if (find(id) == entry)
			return EGB_LINEAGE_IS_DEAD;
	}
	grave = grave_of(id);
	if (!grave || __sync_lock_test_and_set(&grave->busy, 1))
		return EGB_LINEAGE_IS_UNKNOWN;
	found = grave->id == id;
	if (found)
		query->death = grave->death;
	__sync_lock_test_and_set(&grave->busy, 0);
	return found ? EGB_LINEAGE_IS_DEAD : EGB_LINEAGE_IS_UNKNOWN;
}

static __always_inline void write_entry(struct bpf_iter_meta *meta, __u64 id,
					const struct egb_lineage_entry *entry)
{
	struct egb_lineage_process record;

	egb_fill_header(&record.header, EGB_LINEAGE_PROCESS, sizeof(record));
	record.id = id;
	record.parent = entry->parent;
	record.forked_ns = entry->forked_ns;
	record.died_ns = entry->died_ns;
	record.wait_status = entry->wait_status;
	record.flags = entry->flags;
	record.reasons = entry->reasons;
	record.reserved = 0;
	bpf_seq_write(meta->seq, &record, sizeof(record));
}

SEC("iter/bpf_map_elem")
int egb_lineage_list(struct bpf_iter__bpf_map_elem *ctx)
{
	struct egb_lineage_entry *entry = ctx->value;
	__u64 *id = ctx->key;

	if (id && entry)
		write_entry(ctx->meta, *id, entry);
	return 0;
}

static __always_inline void pay(__u64 id)
{
	struct egb_lineage_entry *entry = find(id);
	__u32 owed = entry ? __sync_lock_test_and_set(&entry->owed, 0) : 0;

	if (!owed)
		return;
	__sync_fetch_and_add(&entry->reasons, 1 - owed);
	let_go(id, entry);
}

/* Where the kernel lets nobody be found by his pid (it does since 6.2), as far as we have been
 * told.
 */
static __always_inline bool is_still_there(__u64 id)
{
	struct task_struct *task;
	bool found;

	if (!bpf_ksym_exists(bpf_task_from_pid))
		return true;
	task = bpf_task_from_pid(id & ((1 << EGB_LINEAGE_PID_BITS) - 1));
	if (!task)
		return false;
	found = id_of(task) == id;
	bpf_task_release(task);
	return found;
}

/* Those that are dead, and that nobody has waited for. Not every kernel tells of each that is freed
 * (6.18 was seen not to of a tenth of those that init waits for), so each is looked up. */
SEC("iter/bpf_map_elem")
int egb_lineage_list_dead(struct bpf_iter__bpf_map_elem *ctx)
{
	struct egb_lineage_entry *entry = ctx->value;
	__u64 *key = ctx->key;
	__u64 id;

	if (!key || !entry || !entry->died_ns)
		return 0;
	id = *key;
	if (entry->owed)
		pay(id);
	if (entry->flags & EGB_LINEAGE_REAPED)
		return 0;
	if (is_still_there(id))
		write_entry(ctx->meta, id, entry);
	else
		bury(id);
	return 0;
}
