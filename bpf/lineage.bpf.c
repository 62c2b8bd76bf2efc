// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who forked whom, and who died how.
 *
 * Of the living the kernel knows that itself: real_parent is who forked them, until he dies. So
 * nothing is written down at a fork. Who dies and leaves children that live gets an entry, and so
 * does each of these: orphans, whose entry says who forked them. From then on the dead between a
 * process and its living descendants are not forgotten: an entry counts its reasons to stay, which
 * are an orphan itself while it lives, and each child that has an entry and is counted. Whoever
 * stays as one of the dead is counted at its parent, which therefore has an entry too.
 *
 * Every thread that ends writes down the children it has forked itself, because they may go to
 * another process before the last of the threads comes to its end; and the last one looks at those
 * of all the others, because these may end after it. Children are handed over behind this
 * tracepoint, so an entry is always there before the kernel's own word is no longer true. Whoever
 * asks reads the kernel's word first, and then looks for an entry.
 *
 * While one daemon takes over from another, both have their programs attached: each step is taken
 * once, by whoever comes first.
 */
#include "common.bpf.h"

#include "lineage.h"

extern struct task_struct *bpf_task_from_pid(__s32 pid) __ksym __weak;
extern void bpf_task_release(struct task_struct *task) __ksym __weak;
extern int bpf_iter_task_new(struct bpf_iter_task *it, struct task_struct *task,
			     unsigned int flags) __ksym __weak;
extern struct task_struct *bpf_iter_task_next(struct bpf_iter_task *it) __ksym __weak;
extern void bpf_iter_task_destroy(struct bpf_iter_task *it) __ksym __weak;
extern void bpf_rcu_read_lock(void) __ksym __weak;
extern void bpf_rcu_read_unlock(void) __ksym __weak;

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, EGB_LINEAGE_ENTRIES);
	__type(key, __u64);
	__type(value, struct egb_lineage_entry);
} egb_lineage_kin SEC(".maps");

/* An id of 0 is nobody's. */
struct egb_lineage_grave {
	__u64 id;
	__u64 parent;
	__u64 forked_ns;
	__u64 died_ns;
	__s32 wait_status;
	__s32 session;
	__u32 was_left; /* see EGB_LINEAGE_WAS_LEFT */
	__u32 reserved;
};

/* Two for each place, which the pid alone determines. Pids follow each other, so that as a rule the
 * next but one to come here does so after 32,768 others. */
struct egb_lineage_plot {
	struct egb_lineage_grave graves[2];
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, EGB_LINEAGE_PLOTS);
	__type(key, __u32);
	__type(value, struct egb_lineage_plot);
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

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct egb_lineage_wanted);
} egb_lineage_wanted SEC(".maps");

/* What was listed last. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, EGB_LINEAGE_PAGE);
	__type(key, __u32);
	__type(value, struct egb_lineage_process);
} egb_lineage_page SEC(".maps");

/* The longest line of dead ancestors that is let go at once; at the next one's entry the rest waits
 * until reconciliation finds that nobody lives there. */
#define LINE_LENGTH 128
/* So many threads and children are looked at when one ends; what is beyond counts as a loss. */
#define STEPS 8192
/* So many of a line may die at the same moment, each before its parent has been written down. */
#define GENERATIONS 8
/* How often somebody may come between before we give up. */
#define TRIES 16

/* include/linux/sched/signal.h, kernel/bpf/task_iter.c */
#define SIGNAL_GROUP_EXIT 4
#define BPF_TASK_ITER_ALL_PROCS 0
/* include/uapi/asm-generic/signal.h */
#define SIGPIPE 13

/* Of an entry's reasons these bits are the number, and the others say whose they are. */
#define REASON_BITS 20
#define REASON_MASK ((1ULL << REASON_BITS) - 1)

/* An id that no process has: its grave is being dug. */
#define BUSY (~0ULL)

static __always_inline __u64 id_from(__u64 start_boottime, __s32 tgid)
{
	return start_boottime / EGB_LINEAGE_NS_PER_TICK << EGB_LINEAGE_PID_BITS | (__u32)tgid;
}

static __always_inline __u64 id_of(const struct task_struct *leader)
{
	return id_from(leader->start_boottime, leader->tgid);
}

static __always_inline __u32 pid_of(__u64 id)
{
	return id & ((1 << EGB_LINEAGE_PID_BITS) - 1);
}

static __always_inline struct egb_lineage_entry *find(__u64 id)
{
	return bpf_map_lookup_elem(&egb_lineage_kin, &id);
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

/* What was read before stays before what is read behind it. */
static __always_inline void full_barrier(void)
{
	__u64 word = 0;

	__sync_fetch_and_add(&word, 1);
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

/*
 * A reason for an entry to stay, for as long as we work with it. A place in the map may be
 * another's by the time we come to it, for the kernel gives it away as soon as an entry has gone:
 * so the number is only raised where it stands with the right id, and never from nothing.
 */
__noinline int egb_lineage_hold(__u64 id)
{
	struct egb_lineage_entry *entry = find(id);
	__u64 seen, found;
	int i;

	if (!entry)
		return false;
	seen = entry->reasons;
	for (i = 0; i < TRIES; i++) {
		if ((seen ^ id << REASON_BITS) >> REASON_BITS << REASON_BITS ||
		    !(seen & REASON_MASK))
			return false;
		found = __sync_val_compare_and_swap(&entry->reasons, seen, seen + 1);
		if (found == seen)
			return true;
		seen = found;
	}
	count_loss();
	return false;
}

static __always_inline bool hold(__u64 id)
{
	return egb_lineage_hold(id);
}

/* One more, for an entry that is held. */
static __always_inline void add_reason(__u64 id)
{
	struct egb_lineage_entry *entry = find(id);

	if (entry)
		__sync_fetch_and_add(&entry->reasons, 1);
}

/* One reason less, of those that the caller has. Who goes by that was a reason for its parent. */
__noinline int egb_lineage_let_go(__u64 id)
{
	struct egb_lineage_entry *entry;
	__u64 parent = 0;
	__u32 flags;
	int i;

	for (i = 0; i < LINE_LENGTH; i++) {
		entry = find(id);
		if (!entry)
			return 0;
		parent = entry->parent;
		flags = entry->flags;
		if ((__sync_fetch_and_add(&entry->reasons, -1) & REASON_MASK) != 1)
			return 0;
		bpf_map_delete_elem(&egb_lineage_kin, &id);
		if (!(flags & EGB_LINEAGE_COUNTED))
			return 0;
		id = parent;
	}
	entry = find(id);
	if (entry)
		__sync_fetch_and_or(&entry->flags, EGB_LINEAGE_LIVES);
	return 0;
}

/* With as many reasons as the caller has for it. */
static __always_inline int write_down(__u64 id, __u64 parent, __u64 forked_ns, __u32 flags,
				      __u32 reasons)
{
	struct egb_lineage_entry entry = {
		.id = id,
		.reasons = id << REASON_BITS | reasons,
		.parent = parent,
		.forked_ns = forked_ns,
		.flags = flags,
	};

	return egb_map_update(&egb_lineage_kin, &id, &entry, BPF_NOEXIST);
}

static __always_inline struct egb_lineage_plot *plot_of(__u32 pid)
{
	__u32 place = pid % EGB_LINEAGE_PLOTS;

	return bpf_map_lookup_elem(&egb_lineage_graves, &place);
}

static __always_inline bool has_grave(__u64 id)
{
	struct egb_lineage_plot *plot = plot_of(pid_of(id));

	return plot && (plot->graves[0].id == id || plot->graves[1].id == id);
}

/* Whether it could be read before somebody else was buried there. */
static __always_inline bool read_grave(const struct egb_lineage_grave *from, __u64 id,
				       struct egb_lineage_grave *to)
{
	if (from->id != id)
		return false;
	full_barrier();
	*to = *from;
	full_barrier();
	return *(volatile const __u64 *)&from->id == id;
}

static __always_inline bool find_grave(__u64 id, struct egb_lineage_grave *grave)
{
	struct egb_lineage_plot *plot = plot_of(pid_of(id));

	return plot && read_grave(&plot->graves[plot->graves[1].id == id], id, grave);
}

static __always_inline bool dig(struct egb_lineage_grave *grave,
				const struct egb_lineage_grave *filled)
{
	__u64 before = grave->id;

	if (before == BUSY || __sync_val_compare_and_swap(&grave->id, before, BUSY) != before)
		return false;
	grave->parent = filled->parent;
	grave->forked_ns = filled->forked_ns;
	grave->died_ns = filled->died_ns;
	grave->wait_status = filled->wait_status;
	grave->session = filled->session;
	grave->was_left = filled->was_left;
	__sync_lock_test_and_set(&grave->id, filled->id);
	return true;
}

static __always_inline void remember(const struct egb_lineage_grave *filled)
{
	struct egb_lineage_plot *plot = plot_of(pid_of(filled->id));
	bool second;

	if (!plot || plot->graves[0].id == filled->id || plot->graves[1].id == filled->id)
		return;
	second = plot->graves[1].died_ns < plot->graves[0].died_ns;
	if (!dig(second ? &plot->graves[1] : &plot->graves[0], filled) &&
	    !dig(second ? &plot->graves[0] : &plot->graves[1], filled))
		count_loss();
}

/* It lives no more: what is left of it are its descendants. */
static __always_inline void take_off_own_reason(__u64 id)
{
	struct egb_lineage_entry *entry = find(id);

	if (entry && __sync_fetch_and_and(&entry->flags, ~EGB_LINEAGE_LIVES) & EGB_LINEAGE_LIVES)
		egb_lineage_let_go(id);
}

/* An orphan that has an entry already, because it has outlived children that left some themselves.
 * Both are held. One whose parent is another has an entry that is older than our observation. */
static __always_inline void orphan(__u64 id, __u64 parent)
{
	struct egb_lineage_entry *entry = find(id);

	if (!entry || entry->flags & EGB_LINEAGE_COUNTED)
		return;
	add_reason(id);
	if (__sync_fetch_and_or(&entry->flags, EGB_LINEAGE_LIVES) & EGB_LINEAGE_LIVES)
		egb_lineage_let_go(id);
	if (entry->parent != parent)
		return;
	add_reason(parent);
	if (__sync_fetch_and_or(&entry->flags, EGB_LINEAGE_COUNTED) & EGB_LINEAGE_COUNTED)
		egb_lineage_let_go(parent);
}

/* Held by the caller afterwards, as its parent is before. */
__noinline int egb_lineage_write_down_orphan(__u64 id, __u64 parent, __u64 forked_ns)
{
	int error;
	int i;

	for (i = 0; i < TRIES; i++) {
		if (hold(id)) {
			orphan(id, parent);
			return true;
		}
		add_reason(parent);
		error = write_down(id, parent, forked_ns, EGB_LINEAGE_LIVES | EGB_LINEAGE_COUNTED,
				   2);
		if (!error)
			return true;
		egb_lineage_let_go(parent);
		if (error != -EEXIST)
			break;
	}
	count_loss();
	return false;
}

/*
 * Whether all its threads are through with everything here. One that executes another program from
 * a thread of its own puts that in the place of its leader; then it lives, and `leader` does not.
 */
static __always_inline bool is_zombie(const struct task_struct *leader)
{
	const struct signal_struct *signal = BPF_CORE_READ(leader, signal);

	return BPF_CORE_READ(signal, live.counter) == 0 && BPF_CORE_READ(leader, exit_state) &&
	       BPF_CORE_READ(signal, nr_threads) <= 1 &&
	       BPF_CORE_READ(leader, group_leader) == leader;
}

/* Of a child of a process that is held. A zombie has been written down if somebody needs it. */
__noinline int egb_lineage_leave(__u64 parent, __u64 address)
{
	const struct task_struct *child = (const void *)address;
	__u64 id;

	if (is_zombie(child))
		return 0;
	id = id_from(BPF_CORE_READ(child, start_boottime), BPF_CORE_READ(child, tgid));
	if (!egb_lineage_write_down_orphan(id, parent, BPF_CORE_READ(child, start_time)))
		return 0;
	/* It may have died meanwhile, and its end may have found no entry. */
	full_barrier();
	if (has_grave(id))
		take_off_own_reason(id);
	egb_lineage_let_go(id);
	return 0;
}

/* A walk through the children of the threads of a process. All of it are addresses. */
struct egb_lineage_walk {
	__u64 parent; /* its id */
	__u64 thread;
	__u64 node;    /* of the thread's list of children */
	__u64 threads; /* the list of threads; 0 where only one is looked at */
	__u32 steps;
	bool done;
};

static __always_inline __u64 address_at(__u64 address)
{
	__u64 value = 0;

	bpf_probe_read_kernel(&value, sizeof(value), (const void *)address);
	return value;
}

static __always_inline __u64 children_of(__u64 thread)
{
	return thread + bpf_core_field_offset(struct task_struct, children);
}

static __always_inline __u64 parent_of(__u64 task)
{
	return address_at(task + bpf_core_field_offset(struct task_struct, real_parent));
}

static __always_inline long begin_thread(struct egb_lineage_walk *walk, __u64 node)
{
	walk->done = node == walk->threads;
	walk->thread = node - bpf_core_field_offset(struct task_struct, thread_node);
	walk->node = children_of(walk->thread);
	return walk->done;
}

static __always_inline long end_thread(struct egb_lineage_walk *walk)
{
	if (walk->threads)
		return begin_thread(
			walk, address_at(walk->thread +
					 bpf_core_field_offset(struct task_struct, thread_node)));
	walk->done = true;
	return 1;
}

/* A child that was reaped meanwhile points to itself. One that has another parent by now is from
 * the list of one that has handed all of them over, and has written them down before. */
static long walk_on(struct bpf_map *map, const __u32 *key, void *value,
		    struct egb_lineage_walk *walk)
{
	__u64 next = address_at(walk->node);
	__u64 child = next - bpf_core_field_offset(struct task_struct, sibling);

	if (walk->steps++ == STEPS)
		return 1;
	if (next == children_of(walk->thread))
		return end_thread(walk);
	if (next == walk->node) {
		walk->node = children_of(walk->thread);
		return 0;
	}
	if (parent_of(child) != walk->thread)
		return end_thread(walk);
	egb_lineage_leave(walk->parent, child);
	walk->node = next;
	return 0;
}

/* Older kernels have no other loop of so many steps than that through a map: of any that is as
 * long. */
static __always_inline void leave_children(struct task_struct *task, __u64 id, bool of_all_threads)
{
	__u64 threads =
		(__u64)task->signal + bpf_core_field_offset(struct signal_struct, thread_head);
	struct egb_lineage_walk walk = {
		.parent = id,
		.thread = (__u64)task,
		.node = children_of((__u64)task),
	};

	if (of_all_threads) {
		walk.threads = threads;
		begin_thread(&walk, address_at(threads));
	}
	if (!walk.done)
		bpf_for_each_map_elem(&egb_lineage_graves, walk_on, &walk, 0);
	if (!walk.done)
		count_loss();
}

/* Held afterwards, unless it has its end behind it, or there is no room. */
__noinline int egb_lineage_hold_or_make(__u64 id, __u64 parent, __u64 forked_ns)
{
	int i;

	for (i = 0; i < TRIES; i++) {
		int error;

		if (hold(id))
			return true;
		if (has_grave(id))
			return false;
		error = write_down(id, parent, forked_ns, 0, 1);
		if (!error)
			return true;
		if (error != -EEXIST)
			return false;
	}
	return false;
}

/* The kernel's word is read before it is looked for an entry: see above. */
static __always_inline bool hold_or_make(const struct task_struct *leader, __u64 id)
{
	__u64 parent = id_of(leader->real_parent->group_leader);

	full_barrier();
	return egb_lineage_hold_or_make(id, parent, leader->start_time);
}

/*
 * One of the dead that stays is counted at its parent's entry; it is held. If the parent is dying
 * too, it may have looked for an entry before there was one, and is counted in its place. Once the
 * parent has ended, somebody else is real_parent, but then the parent has counted it.
 */
static __always_inline void count_at_parent(const struct task_struct *leader, __u64 id)
{
	int i;

	for (i = 0; i < GENERATIONS; i++) {
		struct egb_lineage_entry *entry = find(id);
		__u64 parent;

		if (!entry || entry->flags & EGB_LINEAGE_COUNTED)
			return;
		leader = leader->real_parent->group_leader;
		parent = id_of(leader);
		if (!parent || parent != entry->parent)
			return;
		if (!hold_or_make(leader, parent))
			break;
		if (__sync_fetch_and_or(&entry->flags, EGB_LINEAGE_COUNTED) & EGB_LINEAGE_COUNTED) {
			egb_lineage_let_go(parent);
			return;
		}
		if (!all_threads_have_exited(leader))
			return;
		id = parent;
	}
	count_loss();
}

/* As Death::by_itself() has it: SIGPIPE is how a part of a script ends. */
static __always_inline bool is_by_itself(__s32 wait_status)
{
	__s32 signal = wait_status & 0x7f;

	return !signal || signal == SIGPIPE;
}

/* Nobody else is buried there meanwhile but by dying at this very moment; then it is noted of him.
 */
static __always_inline void note_at_grave(__u64 id)
{
	struct egb_lineage_plot *plot = plot_of(pid_of(id));

	if (plot && plot->graves[0].id == id)
		plot->graves[0].was_left = true;
	else if (plot && plot->graves[1].id == id)
		plot->graves[1].was_left = true;
}

/* One that is held exits by itself, and has outlived those who had forked it: it may leave on
 * purpose what was theirs. They stay for as long as it is held. */
__noinline int egb_lineage_note_leaving(__u64 id)
{
	struct egb_lineage_entry *entry;
	int i;

	for (i = 0; i < LINE_LENGTH; i++) {
		entry = find(id);
		if (!entry || !(entry->flags & EGB_LINEAGE_COUNTED))
			return 0;
		id = entry->parent;
		entry = find(id);
		if (!entry || !entry->died_ns)
			return 0;
		__sync_fetch_and_or(&entry->flags, EGB_LINEAGE_WAS_LEFT);
		note_at_grave(id);
	}
	return 0;
}

/* Noted before anybody is told of its end. */
static __always_inline __u64 take_leave_of_forker(const struct task_struct *leader, __u64 id,
						  __s32 wait_status)
{
	__u64 parent = id_of(leader->real_parent->group_leader);
	struct egb_lineage_entry *entry;

	full_barrier();
	if (!hold(id))
		return parent;
	entry = find(id);
	if (entry)
		parent = entry->parent;
	if (is_by_itself(wait_status))
		egb_lineage_note_leaving(id);
	egb_lineage_let_go(id);
	return parent;
}

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, EGB_LINEAGE_WATCHED);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u64);
	__type(value, __u32);
} egb_lineage_watched SEC(".maps");

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

/* Once: who takes it out of the map tells. */
static __always_inline void tell_if_watched(__u64 id)
{
	struct egb_lineage_end *record;

	if (!bpf_map_lookup_elem(&egb_lineage_watched, &id) ||
	    bpf_map_delete_elem(&egb_lineage_watched, &id))
		return;
	record = egb_reserve(EGB_LINEAGE_END, sizeof(*record));
	if (!record)
		return;
	record->id = id;
	bpf_ringbuf_submit(record, 0);
}

/* Buried before its entry is looked for: its parent writes that first, and then looks for a grave.
 */
static __always_inline void end(const struct task_struct *leader, __u64 id)
{
	__s32 wait_status = wait_status_of(leader);
	struct egb_lineage_grave grave = {
		.id = id,
		.parent = take_leave_of_forker(leader, id, wait_status),
		.forked_ns = leader->start_time,
		.died_ns = bpf_ktime_get_ns(),
		.wait_status = wait_status,
		.session = leader->signal->pids[PIDTYPE_SID]->numbers[0].nr,
	};
	struct egb_lineage_entry *entry;

	remember(&grave);
	tell_of_first_death(grave.died_ns);
	full_barrier();
	tell_if_watched(id);
	if (!hold(id))
		return;
	entry = find(id);
	if (entry) {
		entry->wait_status = grave.wait_status;
		__sync_val_compare_and_swap(&entry->died_ns, 0, grave.died_ns);
	}
	count_at_parent(leader, id);
	take_off_own_reason(id);
	egb_lineage_let_go(id);
}

static __always_inline bool has_children(const struct task_struct *task)
{
	return (__u64)task->children.next != children_of((__u64)task);
}

/* Only CLONE_PARENT makes a child that is another's. It does not run yet, and who has forked it
 * lives. The one whose child it is may have died just now, and have taken it for his own. */
SEC("tp_btf/sched_process_fork")
int BPF_PROG(egb_lineage_fork, struct task_struct *task, struct task_struct *child)
{
	struct task_struct *leader = task->group_leader;
	struct egb_lineage_entry *entry;
	__u64 forker, before, id;

	if (child->pid != child->tgid || child->real_parent == task ||
	    child->real_parent->group_leader == leader)
		return 0;
	forker = id_of(leader);
	id = id_of(child);
	if (!hold_or_make(leader, forker)) {
		count_loss();
		return 0;
	}
	if (egb_lineage_write_down_orphan(id, forker, child->start_time)) {
		entry = find(id);
		before = entry ? entry->parent : forker;
		if (entry && before != forker) {
			add_reason(forker);
			entry->parent = forker;
			egb_lineage_let_go(before);
		}
		egb_lineage_let_go(id);
	}
	egb_lineage_let_go(forker);
	return 0;
}

/* Told by each thread on its way out; those that leave at once may all find that nobody is left.
 * Who has a grave has been through with this. */
SEC("tp_btf/sched_process_exit")
int BPF_PROG(egb_lineage_exit, struct task_struct *task)
{
	struct task_struct *leader = task->group_leader;
	bool is_last = all_threads_have_exited(task);
	bool has_others = task->signal->nr_threads > 1;
	__u64 id;

	if (!is_last && !has_children(task))
		return 0;
	id = id_of(leader);
	if (is_last && has_grave(id))
		return 0;
	if (has_children(task) || (is_last && has_others)) {
		if (hold_or_make(leader, id)) {
			leave_children(task, id, is_last && has_others);
			egb_lineage_let_go(id);
		} else if (!has_grave(id)) {
			count_loss();
		}
	}
	if (is_last)
		end(leader, id);
	return 0;
}

/* Run by the daemon, to learn whether pids mean the same to both, and whom it can see. */
SEC("syscall")
int egb_lineage_who_asks(struct egb_lineage_query *query)
{
	struct task_struct *task = bpf_get_current_task_btf();

	query->id = id_of(task->group_leader);
	query->pid = task->tgid;
	query->level = task->thread_pid->level;
	return EGB_LINEAGE_KNOWN;
}

/* Run by the daemon for one whose end it waits for. It may have died just now, and its end have
 * found that nobody waits. */
SEC("syscall")
int egb_lineage_watch(struct egb_lineage_query *query)
{
	__u64 id = query->id;
	__u32 one = 1;

	if (bpf_map_update_elem(&egb_lineage_watched, &id, &one, BPF_ANY)) {
		egb_count_drop();
		return EGB_LINEAGE_UNKNOWN;
	}
	full_barrier();
	if (has_grave(id))
		tell_if_watched(id);
	return EGB_LINEAGE_KNOWN;
}

/* Run by the daemon when it knows that from then on nothing was missed. */
SEC("syscall")
int egb_lineage_complete(struct egb_lineage_query *query)
{
	struct egb_lineage_since *since;
	__u32 zero = 0;

	since = bpf_map_lookup_elem(&egb_lineage_since, &zero);
	if (!since)
		return EGB_LINEAGE_UNKNOWN;
	since->complete_ns = query->at_ns;
	since->complete_ticks = bpf_ktime_get_boot_ns() / EGB_LINEAGE_NS_PER_TICK;
	return EGB_LINEAGE_KNOWN;
}

/* Run by the daemon for an orphan of whose end nothing was seen: it is no more. */
SEC("syscall")
int egb_lineage_bury(struct egb_lineage_query *query)
{
	struct egb_lineage_entry *entry;
	__u64 id = query->id;

	if (!hold(id))
		return EGB_LINEAGE_UNKNOWN;
	entry = find(id);
	if (entry)
		__sync_val_compare_and_swap(&entry->died_ns, 0, bpf_ktime_get_ns());
	take_off_own_reason(id);
	egb_lineage_let_go(id);
	return EGB_LINEAGE_KNOWN;
}

static __always_inline void answer_from_grave(struct egb_lineage_query *query,
					      const struct egb_lineage_grave *grave)
{
	query->parent = grave->parent;
	query->died_ns = grave->died_ns;
	query->wait_status = grave->wait_status;
	query->session = grave->session;
	query->was_left = grave->was_left;
}

/* What is known of a process that is not with the kernel any more, or not as it was. */
SEC("syscall")
int egb_lineage_ask(struct egb_lineage_query *query)
{
	struct egb_lineage_grave grave;
	struct egb_lineage_entry *entry;
	__u64 id = query->id;

	query->parent = 0;
	query->died_ns = 0;
	if (find_grave(id, &grave)) {
		answer_from_grave(query, &grave);
		return EGB_LINEAGE_KNOWN;
	}
	if (!hold(id))
		return EGB_LINEAGE_UNKNOWN;
	entry = find(id);
	if (entry) {
		query->parent = entry->parent;
		query->died_ns = entry->died_ns;
		query->wait_status = entry->wait_status;
		query->was_left = entry->flags & EGB_LINEAGE_WAS_LEFT;
	}
	egb_lineage_let_go(id);
	return EGB_LINEAGE_KNOWN;
}

static __always_inline bool covers(const struct egb_lineage_grave *grave, __s32 pid, __u64 at_ns,
				   struct egb_lineage_grave *found)
{
	__u64 id = grave->id;

	return id != BUSY && pid_of(id) == (__u32)pid && read_grave(grave, id, found) &&
	       found->forked_ns <= at_ns && at_ns <= found->died_ns;
}

/* Which of the dead had that pid then. */
SEC("syscall")
int egb_lineage_ask_pid(struct egb_lineage_query *query)
{
	struct egb_lineage_plot *plot = plot_of(query->pid);
	struct egb_lineage_grave grave;

	if (!plot || (!covers(&plot->graves[0], query->pid, query->at_ns, &grave) &&
		      !covers(&plot->graves[1], query->pid, query->at_ns, &grave)))
		return EGB_LINEAGE_UNKNOWN;
	query->id = grave.id;
	answer_from_grave(query, &grave);
	return EGB_LINEAGE_KNOWN;
}

/* Which of those that are there has had it since then. */
SEC("syscall")
int egb_lineage_find_pid(struct egb_lineage_query *query)
{
	struct task_struct *task;
	int answer = EGB_LINEAGE_UNKNOWN;

	if (!bpf_ksym_exists(bpf_task_from_pid))
		return EGB_LINEAGE_CANNOT;
	task = bpf_task_from_pid(query->pid);
	if (!task)
		return EGB_LINEAGE_UNKNOWN;
	if (task->pid == task->tgid && task->start_time <= query->at_ns) {
		query->id = id_of(task);
		answer = EGB_LINEAGE_KNOWN;
	}
	bpf_task_release(task);
	return answer;
}

/* Dead: all its threads have exited, and its end has been told. */
static __always_inline bool is_dead(const struct task_struct *leader, __u64 id)
{
	return all_threads_have_exited(leader) && (has_grave(id) || is_zombie(leader));
}

static __always_inline bool is_wanted(const struct egb_lineage_wanted *wanted,
				      const struct task_struct *leader, __u64 id)
{
	if (!leader->tgid || (leader->start_time < wanted->since_ns && id != wanted->head))
		return false;
	return is_dead(leader, id) == (wanted->who == EGB_LINEAGE_DEAD);
}

/* Of the dead, what the kernel has forgotten is in their graves. */
static __always_inline void fill_record(struct egb_lineage_process *record,
					const struct egb_lineage_wanted *wanted,
					const struct task_struct *leader, __u64 id)
{
	struct egb_lineage_grave grave = {};

	egb_fill_header(&record->header, EGB_LINEAGE_PROCESS, sizeof(*record));
	record->id = id;
	record->forked_ns = leader->start_time;
	record->reserved = 0;
	record->died_ns = 0;
	record->wait_status = 0;
	if (wanted->who == EGB_LINEAGE_LIVING) {
		record->parent = id_of(leader->real_parent->group_leader);
		return;
	}
	record->wait_status = wait_status_of(leader);
	find_grave(id, &grave);
	record->parent = grave.parent;
	record->died_ns = grave.died_ns;
}

static __always_inline void write_to_page(struct egb_lineage_wanted *wanted,
					  const struct task_struct *leader, __u64 id)
{
	__u32 place = wanted->found;
	struct egb_lineage_process *record;

	record = bpf_map_lookup_elem(&egb_lineage_page, &place);
	if (record)
		fill_record(record, wanted, leader, id);
	wanted->found++;
}

/* All that are wanted, as far as there is room for them on the page, behind as many as are said to
 * have been found. It sees into all pid namespaces, which iter/task does not. */
SEC("syscall")
int egb_lineage_list(struct egb_lineage_wanted *wanted)
{
	struct egb_lineage_wanted asked = *wanted;
	int answer = EGB_LINEAGE_UNKNOWN;
	struct task_struct *task;
	struct bpf_iter_task it;

	if (!asked.parts)
		return answer;
	if (!bpf_ksym_exists(bpf_iter_task_new) || !bpf_ksym_exists(bpf_rcu_read_lock))
		return EGB_LINEAGE_CANNOT;
	bpf_rcu_read_lock();
	if (bpf_iter_task_new(&it, NULL, BPF_TASK_ITER_ALL_PROCS) == 0)
		answer = EGB_LINEAGE_KNOWN;
	while ((task = bpf_iter_task_next(&it))) {
		struct task_struct *leader = task->group_leader;
		__u64 id = id_of(leader);

		if (pid_of(id) % asked.parts == asked.part && is_wanted(&asked, leader, id))
			write_to_page(&asked, leader, id);
	}
	bpf_iter_task_destroy(&it);
	bpf_rcu_read_unlock();
	wanted->found = asked.found;
	return answer;
}

/* The same for older kernels, and for a reader in the first pid namespace: egb_lineage_wanted says
 * who is. A process with two threads may be about to have one in the place of the other: it is
 * written twice rather than not at all. */
SEC("iter/task")
int egb_lineage_walk(struct bpf_iter__task *ctx)
{
	struct egb_lineage_process record;
	struct egb_lineage_wanted *wanted;
	struct task_struct *task = ctx->task;
	struct task_struct *leader;
	__u32 zero = 0;
	__u64 id;

	wanted = bpf_map_lookup_elem(&egb_lineage_wanted, &zero);
	if (!task || !wanted || (task->pid != task->tgid && task->signal->nr_threads > 2))
		return 0;
	leader = task->group_leader;
	id = id_of(leader);
	if (!is_wanted(wanted, leader, id))
		return 0;
	fill_record(&record, wanted, leader, id);
	bpf_seq_write(ctx->meta->seq, &record, sizeof(record));
	return 0;
}
