// SPDX-License-Identifier: GPL-2.0-only
/*
 * Processes as they begin, become another program, and end: for whoever watches at the moment.
 *
 * Up to 64 filters are in force at a time. An event is held against all of them in one pass, and
 * the bits of those that it passes travel with it: one record, however many want it. Nothing here
 * outlives the last watcher: the programs are attached while there is one.
 */
#ifndef EGB_RING_BYTES
/* Room for some 20,000 events while the daemon is busy elsewhere. */
#define EGB_RING_BYTES (4 * 1024 * 1024)
#endif

#include "common.bpf.h"

#include "paths.bpf.h"
#include "trace.h"

/* include/linux/sched.h, include/linux/sched/signal.h */
#define PF_KTHREAD 0x00200000
#define SIGNAL_GROUP_EXIT 4

/* Names and mounts along a path, and control groups above each other. */
#define PATH_STEPS 48
#define CGROUP_LEVELS 16

struct egb_trace_followed {
	__u64 filters;
	__u64 start_ticks;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct egb_trace_control);
} egb_trace_control SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct egb_trace_filters);
} egb_trace_filters SEC(".maps");

/* By pid. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, EGB_TRACE_FOLLOWED);
	__type(key, __s32);
	__type(value, struct egb_trace_followed);
} egb_trace_followed SEC(".maps");

/* The filters that want a control group and all below it: by its id, and by its name. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, EGB_TRACE_FILTERS);
	__type(key, __u64);
	__type(value, __u64);
} egb_trace_ids SEC(".maps");

struct egb_trace_unit_name {
	char name[EGB_TRACE_UNIT];
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, EGB_TRACE_FILTERS);
	__type(key, struct egb_trace_unit_name);
	__type(value, __u64);
} egb_trace_units SEC(".maps");

/* Control groups whose names were told. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, EGB_TRACE_CGROUPS);
	__type(key, __u64);
	__type(value, __u8);
} egb_trace_told_cgroups SEC(".maps");

/* The last processes of several threads whose end was told. */
struct egb_trace_life {
	__u64 start_boottime_ns;
	__u64 pid;
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, struct egb_trace_life);
	__type(value, __u8);
} egb_trace_told_ends SEC(".maps");

/* Where a record is put together, one place for each program: one of them can be interrupted by
 * another, but not by itself. The first is for what the daemon runs. */
struct egb_trace_desk {
	union {
		struct egb_trace_event event;
		struct egb_trace_cgroup cgroup;
	};
	union {
		char text[EGB_TRACE_TEXT];
		struct egb_trace_unit_name unit; /* for a look-up, before there is text */
	};
	/* Of the text. In memory, where the verifier does not follow each of its values. */
	__u32 end;
};

EGB_ASSERT_SIZE(struct egb_trace_desk, sizeof(struct egb_trace_event) + EGB_TRACE_TEXT + 8);

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, EGB_TRACE_EXIT + 1);
	__type(key, __u32);
	__type(value, struct egb_trace_desk);
} egb_trace_desks SEC(".maps");

/* What the filters ask about. */
struct facts {
	__u64 comm[EGB_TRACE_COMM / 8];
	__u64 followed;	 /* the filters that follow it */
	__u64 in_cgroup; /* the filters that want its control group by its id, */
	__u64 in_unit;	 /* and by its name */
	__u64 lived_ns;
	__u32 uid;
	__u32 wants; /* the bit of its type */
	__u32 failed;
	__u64 passed; /* the answer: the filters that let it pass */
};

static __always_inline struct egb_trace_control *control(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&egb_trace_control, &zero);
}

static __always_inline __u64 ticks_of(const struct task_struct *leader)
{
	return leader->start_boottime / EGB_TRACE_NS_PER_TICK;
}

/* The filters that follow this process; an entry may be of one that had the pid before. */
static __always_inline __u64 followers_of(const struct task_struct *leader)
{
	__s32 pid = leader->tgid;
	struct egb_trace_followed *followed = bpf_map_lookup_elem(&egb_trace_followed, &pid);

	return followed && followed->start_ticks == ticks_of(leader) ? followed->filters : 0;
}

static __always_inline __u64 wanted_by(void *map, const void *key)
{
	__u64 *filters = bpf_map_lookup_elem(map, key);

	return filters ? *filters : 0;
}

static __always_inline struct cgroup *cgroup_of(const struct task_struct *task)
{
	return BPF_CORE_READ(task, cgroups, dfl_cgrp);
}

static __always_inline struct cgroup *parent_of(struct cgroup *cgroup)
{
	struct cgroup_subsys_state *parent = BPF_CORE_READ(cgroup, self.parent);

	return parent ? BPF_CORE_READ(parent, cgroup) : NULL;
}

/* The filters that want the control group, or one around it. */
static __always_inline void find_wanted(const struct egb_trace_control *in_force,
					struct cgroup *cgroup, struct facts *facts,
					struct egb_trace_unit_name *unit)
{
	__u64 id;
	int i;

	if (!(in_force->active & (in_force->by_cgroup | in_force->by_unit)))
		return;
	for (i = 0; i < CGROUP_LEVELS && cgroup; i++) {
		struct kernfs_node *node = BPF_CORE_READ(cgroup, kn);

		id = BPF_CORE_READ(node, id);
		facts->in_cgroup |= wanted_by(&egb_trace_ids, &id);
		__builtin_memset(unit, 0, sizeof(*unit));
		bpf_probe_read_kernel_str(unit->name, sizeof(unit->name),
					  BPF_CORE_READ(node, name));
		facts->in_unit |= wanted_by(&egb_trace_units, unit);
		cgroup = parent_of(cgroup);
	}
}

static __always_inline bool passes(const struct egb_trace_filter *filter, __u64 bit,
				   const struct facts *facts)
{
	__u32 wants = filter->wants;

	if (!(wants & facts->wants))
		return false;
	if (wants & EGB_TRACE_OF_UID && filter->uid != facts->uid)
		return false;
	if (wants & EGB_TRACE_OF_COMM &&
	    (filter->comm[0] != facts->comm[0] || filter->comm[1] != facts->comm[1]))
		return false;
	if (wants & EGB_TRACE_FAILED && !facts->failed)
		return false;
	if (wants & EGB_TRACE_IN_CGROUP && !(facts->in_cgroup & bit))
		return false;
	if (wants & EGB_TRACE_IN_UNIT && !(facts->in_unit & bit))
		return false;
	if (wants & EGB_TRACE_OF_FOLLOWED && !(facts->followed & bit))
		return false;
	return filter->least_lived_ns <= facts->lived_ns;
}

/*
 * Holds it against all active filters. Returns whether any lets it pass. The sum is in memory,
 * where the verifier does not follow each of its values; and this is not static, so that the
 * verifier looks at it by itself and not once more for each way that leads here. The same goes for
 * add_path().
 */
__noinline int pass_filters(struct facts *facts, __u64 active)
{
	struct egb_trace_filters *filters;
	__u32 zero = 0;
	int i;

	filters = bpf_map_lookup_elem(&egb_trace_filters, &zero);
	if (!filters || !facts)
		return 0;
	for (i = 0; i < EGB_TRACE_FILTERS && active >> i; i++) {
		if (active >> i & 1 && passes(&filters->all[i], 1ULL << i, facts))
			facts->passed |= 1ULL << i;
	}
	return facts->passed != 0;
}

/* Whether there is room for one more name. */
static __always_inline bool has_room(const struct egb_trace_desk *desk)
{
	return desk->end <= EGB_TRACE_TEXT - EGB_NAME_BYTES;
}

/* The name's NUL is part of the text. */
static __always_inline void add_name(struct egb_trace_desk *desk, const void *name)
{
	__u32 end = desk->end;
	long bytes;

	if (end > EGB_TRACE_TEXT - EGB_NAME_BYTES)
		return;
	bytes = bpf_probe_read_kernel_str(&desk->text[end], EGB_NAME_BYTES, name);
	if (bytes > 0)
		desk->end = end + bytes;
}

/* Onto the desk of that program. 0 when it did not come to an end. */
__noinline int add_path(__u32 type, __u64 address)
{
	struct egb_trace_desk *desk = bpf_map_lookup_elem(&egb_trace_desks, &type);
	struct egb_place place = egb_place_of((const void *)address);
	struct dentry *left;
	int i;

	if (!desk)
		return 0;
	for (i = 0; i < PATH_STEPS && has_room(desk); i++) {
		if (!egb_go_up(&place, &left))
			return 1;
		if (left)
			add_name(desk, BPF_CORE_READ(left, d_name.name));
	}
	return 0;
}

static __always_inline void add_exe(struct egb_trace_desk *desk, __u32 type,
				    const struct task_struct *task)
{
	struct file *file = BPF_CORE_READ(task, mm, exe_file);
	__u32 begin = desk->end;

	if (!file)
		return;
	desk->event.flags |= EGB_TRACE_HAS_EXE;
	if (!add_path(type, (__u64)__builtin_preserve_access_index(&file->f_path)))
		desk->event.flags |= EGB_TRACE_EXE_CUT;
	desk->event.exe_bytes = desk->end - begin;
}

static __always_inline void add_cwd(struct egb_trace_desk *desk, __u32 type,
				    const struct task_struct *task)
{
	struct fs_struct *fs = BPF_CORE_READ(task, fs);
	__u32 begin = desk->end;

	if (!fs)
		return;
	desk->event.flags |= EGB_TRACE_HAS_CWD;
	if (!add_path(type, (__u64)__builtin_preserve_access_index(&fs->pwd)))
		desk->event.flags |= EGB_TRACE_CWD_CUT;
	desk->event.cwd_bytes = desk->end - begin;
}

/* Only of the current process, right after its exec: they have just been written. */
static __always_inline void add_args(struct egb_trace_desk *desk, const struct task_struct *task)
{
	unsigned long from = BPF_CORE_READ(task, mm, arg_start);
	__u64 bytes = BPF_CORE_READ(task, mm, arg_end) - from;

	if (bytes > EGB_TRACE_ARGS) {
		bytes = EGB_TRACE_ARGS;
		desk->event.flags |= EGB_TRACE_ARGS_CUT;
	}
	if (bpf_probe_read_user(desk->text, bytes, (const void *)from) != 0) {
		desk->event.flags |= EGB_TRACE_ARGS_CUT;
		return;
	}
	desk->event.args_bytes = bytes;
	desk->end = bytes;
}

/* All records have their text at the same distance from their beginning. */
static __always_inline bool send(struct egb_trace_desk *desk, __u32 type, __u64 time_ns)
{
	struct egb_header *header = &desk->event.header;
	__u32 end = desk->end;

	if (end > EGB_TRACE_TEXT)
		return false;
	header->type = type;
	header->size = sizeof(desk->event) + end;
	header->reserved = 0;
	header->time_ns = time_ns;
	return bpf_ringbuf_output(&egb_ring, desk, sizeof(desk->event) + end, 0) == 0;
}

static __always_inline void tell(struct egb_trace_desk *desk, __u32 type, __u64 time_ns)
{
	if (!send(desk, type, time_ns))
		egb_count_drop();
}

/* Told before it is noted as told: rather twice than never. */
static __always_inline void tell_cgroup(struct egb_trace_desk *desk, struct cgroup *cgroup,
					__u64 id, __u64 time_ns)
{
	__u8 told = 1;
	int i;

	if (bpf_map_lookup_elem(&egb_trace_told_cgroups, &id))
		return;
	desk->end = 0;
	for (i = 0; i < CGROUP_LEVELS; i++) {
		struct cgroup *parent = parent_of(cgroup);

		if (!parent)
			break;
		add_name(desk, BPF_CORE_READ(cgroup, kn, name));
		cgroup = parent;
	}
	desk->cgroup.id = id;
	if (send(desk, EGB_TRACE_CGROUP, time_ns))
		bpf_map_update_elem(&egb_trace_told_cgroups, &id, &told, BPF_ANY);
}

static __always_inline __u32 pid_namespace_of(const struct task_struct *leader)
{
	struct pid *pid = BPF_CORE_READ(leader, thread_pid);
	unsigned int level = BPF_CORE_READ(pid, level);
	struct upid innermost = {};

	bpf_core_read(&innermost, sizeof(innermost), &pid->numbers[level]);
	return BPF_CORE_READ(innermost.ns, ns.inum);
}

static __always_inline void fill_event(struct egb_trace_event *event,
				       const struct task_struct *leader, const struct facts *facts,
				       __u64 cgroup)
{
	event->start_boottime_ns = leader->start_boottime;
	event->cgroup = cgroup;
	event->lived_ns = facts->lived_ns;
	event->peak_rss_pages = 0;
	event->pid = leader->tgid;
	event->ppid = BPF_CORE_READ(leader, real_parent, tgid);
	event->uid = facts->uid;
	event->wait_status = 0;
	event->pid_ns = pid_namespace_of(leader);
	event->mnt_ns = BPF_CORE_READ(leader, nsproxy, mnt_ns, ns.inum);
	event->net_ns = BPF_CORE_READ(leader, nsproxy, net_ns, ns.inum);
	event->args_bytes = 0;
	event->exe_bytes = 0;
	event->cwd_bytes = 0;
	event->flags = 0;
	event->reserved = 0;
	__builtin_memcpy(event->comm, facts->comm, sizeof(event->comm));
}

/* NUL to its end, as the filters have it; the kernel leaves there what was there before. */
static __always_inline void fill_facts(struct facts *facts, const struct task_struct *leader,
				       __u32 wants)
{
	bpf_probe_read_kernel_str(facts->comm, sizeof(facts->comm), leader->comm);
	facts->uid = bpf_get_current_uid_gid();
	facts->wants = wants;
}

/* The desk with the event begun, if some filter lets it pass; its control group is told of before.
 */
static __always_inline struct egb_trace_desk *begin_event(const struct egb_trace_control *in_force,
							  const struct task_struct *leader,
							  struct facts *facts, __u32 type,
							  __u64 time_ns)
{
	struct cgroup *cgroup = cgroup_of(leader);
	struct egb_trace_desk *desk;
	__u64 id;

	desk = bpf_map_lookup_elem(&egb_trace_desks, &type);
	if (!desk)
		return NULL;
	find_wanted(in_force, cgroup, facts, &desk->unit);
	if (!pass_filters(facts, in_force->active))
		return NULL;
	id = BPF_CORE_READ(cgroup, kn, id);
	tell_cgroup(desk, cgroup, id, time_ns);
	desk->end = 0;
	desk->event.filters = facts->passed;
	fill_event(&desk->event, leader, facts, id);
	return desk;
}

static __always_inline bool wants_cwd(const struct egb_trace_control *in_force,
				      const struct egb_trace_desk *desk)
{
	return desk->event.filters & in_force->with_cwd;
}

SEC("tp_btf/sched_process_exec")
int BPF_PROG(egb_trace_exec, struct task_struct *task, int old_pid, struct linux_binprm *binary)
{
	struct egb_trace_control *in_force = control();
	__u64 now = bpf_ktime_get_ns();
	struct egb_trace_desk *desk;
	struct facts facts = {};

	if (!in_force || !in_force->active)
		return 0;
	fill_facts(&facts, task, EGB_TRACE_WANTS_EXEC);
	if (in_force->following)
		facts.followed = followers_of(task);
	desk = begin_event(in_force, task, &facts, EGB_TRACE_EXEC, now);
	if (!desk)
		return 0;
	add_args(desk, task);
	add_exe(desk, EGB_TRACE_EXEC, task);
	if (wants_cwd(in_force, desk))
		add_cwd(desk, EGB_TRACE_EXEC, task);
	tell(desk, EGB_TRACE_EXEC, now);
	return 0;
}

/* The child is followed by whoever follows its parent. The child has not run yet. */
static __always_inline __u64 inherit(const struct egb_trace_control *in_force,
				     const struct task_struct *parent,
				     const struct task_struct *child)
{
	struct egb_trace_followed followed = {
		.filters = followers_of(parent->group_leader) & in_force->active,
		.start_ticks = ticks_of(child),
	};
	__s32 pid = child->tgid;

	if (followed.filters &&
	    bpf_map_update_elem(&egb_trace_followed, &pid, &followed, BPF_ANY) != 0)
		egb_count_drop();
	return followed.filters;
}

SEC("tp_btf/sched_process_fork")
int BPF_PROG(egb_trace_fork, struct task_struct *parent, struct task_struct *child)
{
	struct egb_trace_control *in_force = control();
	__u64 now = bpf_ktime_get_ns();
	struct egb_trace_desk *desk;
	struct facts facts = {};

	if (!in_force || !in_force->active || child->pid != child->tgid ||
	    child->flags & PF_KTHREAD)
		return 0;
	fill_facts(&facts, child, EGB_TRACE_WANTS_FORK);
	if (in_force->following)
		facts.followed = inherit(in_force, parent, child);
	desk = begin_event(in_force, child, &facts, EGB_TRACE_FORK, now);
	if (!desk)
		return 0;
	add_exe(desk, EGB_TRACE_FORK, child);
	if (wants_cwd(in_force, desk))
		add_cwd(desk, EGB_TRACE_FORK, child);
	tell(desk, EGB_TRACE_FORK, now);
	return 0;
}

/* What wait(2) will tell the parent. */
static __always_inline __s32 wait_status_of(const struct task_struct *leader)
{
	const struct signal_struct *signal = leader->signal;

	return signal->flags & SIGNAL_GROUP_EXIT ? signal->group_exit_code : leader->exit_code;
}

/* Whether this thread is the one to tell that the whole process ends. Two that are the last may
 * both see that nobody is left; and by the time that one of them looks, the other may be gone. */
static __always_inline bool tells_the_end(const struct task_struct *task)
{
	struct egb_trace_life life = {
		.start_boottime_ns = task->group_leader->start_boottime,
		.pid = task->tgid,
	};
	__u8 told = 1;

	if (task->signal->live.counter != 0)
		return false;
	if (task->signal->nr_threads == 1)
		return !bpf_map_lookup_elem(&egb_trace_told_ends, &life);
	return egb_map_update(&egb_trace_told_ends, &life, &told, BPF_NOEXIST) != -EEXIST;
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(egb_trace_exit, struct task_struct *task)
{
	struct egb_trace_control *in_force = control();
	struct task_struct *leader = task->group_leader;
	__u64 now = bpf_ktime_get_ns();
	struct egb_trace_desk *desk;
	struct facts facts = {};
	__s32 pid = task->tgid;

	if (!in_force || !in_force->active || task->flags & PF_KTHREAD || !tells_the_end(task))
		return 0;
	fill_facts(&facts, leader, EGB_TRACE_WANTS_EXIT);
	facts.lived_ns = now - leader->start_time;
	facts.failed = wait_status_of(leader) != 0;
	if (in_force->following) {
		facts.followed = followers_of(leader);
		bpf_map_delete_elem(&egb_trace_followed, &pid);
	}
	desk = begin_event(in_force, leader, &facts, EGB_TRACE_EXIT, now);
	if (!desk)
		return 0;
	desk->event.wait_status = wait_status_of(leader);
	desk->event.peak_rss_pages = task->signal->maxrss;
	/* Here until 6.15 the memory is gone, and with it what says which file this was. */
	add_exe(desk, EGB_TRACE_EXIT, task);
	if (wants_cwd(in_force, desk))
		add_cwd(desk, EGB_TRACE_EXIT, task);
	tell(desk, EGB_TRACE_EXIT, now);
	return 0;
}

/* Run by the daemon, as are those below. What is in force is said last: each filter is whole by
 * then. */
SEC("syscall")
int egb_trace_arm(struct egb_trace_control *wanted)
{
	struct egb_trace_control *in_force = control();

	if (!in_force)
		return 1;
	in_force->following = wanted->following;
	in_force->by_cgroup = wanted->by_cgroup;
	in_force->by_unit = wanted->by_unit;
	in_force->with_cwd = wanted->with_cwd;
	__sync_lock_test_and_set(&in_force->active, wanted->active);
	return 0;
}

/* 1 when there is no room. */
SEC("syscall")
int egb_trace_follow(struct egb_trace_follow *wanted)
{
	struct egb_trace_followed fresh = {
		.filters = wanted->filters,
		.start_ticks = wanted->start_ticks,
	};
	struct egb_trace_followed *known;
	__s32 pid = wanted->pid;

	known = bpf_map_lookup_elem(&egb_trace_followed, &pid);
	if (known && known->start_ticks == fresh.start_ticks) {
		__sync_fetch_and_or(&known->filters, fresh.filters);
		return 0;
	}
	return bpf_map_update_elem(&egb_trace_followed, &pid, &fresh, BPF_ANY) != 0;
}

static long unfollow(struct bpf_map *map, const void *pid, void *followed, void *filters)
{
	__sync_fetch_and_and(&((struct egb_trace_followed *)followed)->filters, ~*(__u64 *)filters);
	return 0;
}

/* The filters are no longer in force, so nobody inherits them while this is under way. */
SEC("syscall")
int egb_trace_unfollow(struct egb_trace_follow *wanted)
{
	__u64 filters = wanted->filters;

	if (wanted->pid) {
		__s32 pid = wanted->pid;

		bpf_map_delete_elem(&egb_trace_followed, &pid);
		return 0;
	}
	bpf_for_each_map_elem(&egb_trace_followed, unfollow, &filters, 0);
	return 0;
}

static __always_inline int change_group(void *map, const void *key, __u64 add, __u64 remove)
{
	__u64 *known = bpf_map_lookup_elem(map, key);
	__u64 filters = (known ? *known | add : add) & ~remove;

	if (!filters) {
		bpf_map_delete_elem(map, key);
		return 0;
	}
	return bpf_map_update_elem(map, key, &filters, BPF_ANY) != 0;
}

/* 1 when there is no room. */
SEC("syscall")
int egb_trace_group(struct egb_trace_group *wanted)
{
	struct egb_trace_desk *desk;
	__u64 id = wanted->id;
	__u32 ours = 0;

	if (id)
		return change_group(&egb_trace_ids, &id, wanted->add, wanted->remove);
	desk = bpf_map_lookup_elem(&egb_trace_desks, &ours);
	if (!desk)
		return 1;
	__builtin_memcpy(&desk->unit, wanted->unit, sizeof(desk->unit));
	return change_group(&egb_trace_units, &desk->unit, wanted->add, wanted->remove);
}
