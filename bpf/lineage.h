/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* Who forked whom, and who died how: the records of the facility that all kinds share. */
#ifndef EGB_LINEAGE_H
#define EGB_LINEAGE_H

#include "wire.h"

/* Part of the names in the descriptor store: raise it when a map's layout or meaning changes. */
#define EGB_LINEAGE_LAYOUT 1

/* Processes that live, that nobody has waited for, or that have left such behind: at most, for the
 * daemon makes room for fewer where fewer can be. */
#define EGB_LINEAGE_PROCESSES 262144
/* The last to die: room for this many. */
#define EGB_LINEAGE_DEATHS 65536

/*
 * A process for ever, in one number: its pid, and its start time as /proc/PID/stat has it, in
 * hundredths of a second since boot.
 */
#define EGB_LINEAGE_PID_BITS 22
#define EGB_LINEAGE_NS_PER_TICK 10000000ULL

enum {
	EGB_LINEAGE_DEATH = 1, /* event: the first to die since the dead were last looked for */
	EGB_LINEAGE_PROCESS,   /* list: a process as it is known now */
};

enum {
	EGB_LINEAGE_ADOPTED = 1, /* older than the observation: its parent is the one it had then */
	EGB_LINEAGE_REAPED = 2,	 /* dead, and waited for: only its descendants keep it here */
	EGB_LINEAGE_DIED_BEFORE = 4, /* it was dead already when we first saw it */
};

struct egb_lineage_process {
	struct egb_header header;
	__u64 id;
	__u64 parent;	 /* who forked it; 0 when that is not known */
	__u64 forked_ns; /* CLOCK_MONOTONIC */
	__u64 died_ns;	 /* the whole process, not a thread; 0 while it lives */
	__s32 wait_status;
	__u32 flags;
	__u32 reasons; /* to stay: itself until it is reaped, and each child that is here */
	__u32 reserved;
};
EGB_ASSERT_SIZE(struct egb_lineage_process, 64);

struct egb_lineage_death {
	__u64 died_ns;
	__s32 wait_status; /* as wait(2) tells it: exit status, signal, core */
	__u32 flags;
};
EGB_ASSERT_SIZE(struct egb_lineage_death, 16);

/* What egb_lineage_death_of returns. */
enum { EGB_LINEAGE_IS_DEAD, EGB_LINEAGE_IS_ALIVE, EGB_LINEAGE_IS_UNKNOWN };

/* What the daemon asks about a process, and what it is told. */
struct egb_lineage_query {
	__u64 id;
	struct egb_lineage_death death;
	__s32 pid; /* as the kernel's first pid namespace has it */
	__u32 reserved;
};
EGB_ASSERT_SIZE(struct egb_lineage_query, 32);

/* What the daemon says. */
struct egb_lineage_since {
	__u64 complete_ns; /* from then on every fork and every death is known; 0: from no time on
			    */
};
EGB_ASSERT_SIZE(struct egb_lineage_since, 8);

/* What the kernel side says. */
struct egb_lineage_loss {
	__u64 last_ns; /* when there was last no room for a process */
	__u64 count;
};
EGB_ASSERT_SIZE(struct egb_lineage_loss, 16);

#endif
