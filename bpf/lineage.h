/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* Who forked whom, and who died how: the records of the facility that all kinds share. */
#ifndef EGB_LINEAGE_H
#define EGB_LINEAGE_H

#include "wire.h"

/* Part of the names in the descriptor store: raise it when a map's layout or meaning changes. */
#define EGB_LINEAGE_LAYOUT 3

/* Entries, of orphans and of the dead that have left some: at most, for the daemon makes room for
 * fewer where fewer can be. */
#define EGB_LINEAGE_ENTRIES 262144
/* The last to die have a grave each, in plots of two. */
#define EGB_LINEAGE_PLOTS 32768
/* How many processes are listed at once. */
#define EGB_LINEAGE_PAGE 4096

/*
 * A process for ever, in one number: its pid, and its start time as /proc/PID/stat has it, in
 * hundredths of a second since boot.
 */
#define EGB_LINEAGE_PID_BITS 22
#define EGB_LINEAGE_NS_PER_TICK 10000000ULL

enum {
	EGB_LINEAGE_DEATH = 1, /* event: the first to die since the dead were last looked for */
	EGB_LINEAGE_PROCESS,   /* list: a process as the kernel has it now */
	EGB_LINEAGE_END,       /* event: the end of a process that is watched */
};

/* Processes whose end is waited for at a time. */
#define EGB_LINEAGE_WATCHED 65536

/* The end of a process that is watched; it is watched no more. */
struct egb_lineage_end {
	struct egb_header header;
	__u64 id;
};
EGB_ASSERT_SIZE(struct egb_lineage_end, 24);

/* A process that is in the kernel's own list. */
struct egb_lineage_process {
	struct egb_header header;
	__u64 id;
	__u64 parent;	 /* of the dead: who forked it, 0 when that was not seen; of the living: who
			    is its parent now */
	__u64 forked_ns; /* CLOCK_MONOTONIC */
	__u64 died_ns;	 /* the whole process, not a thread; 0 when that was not seen */
	__s32 wait_status;
	__u32 reserved;
};
EGB_ASSERT_SIZE(struct egb_lineage_process, 56);

enum {
	/* It has lost its parent, or never had the one that forked it, and lives: that is a reason
	 * to stay. */
	EGB_LINEAGE_LIVES = 1,
	/* It is one of its parent's reasons to stay. */
	EGB_LINEAGE_COUNTED = 2,
	/* One whom it has forked, at any depth, has outlived it and exited by itself. */
	EGB_LINEAGE_WAS_LEFT = 4,
};

/* What is known of a process beyond what the kernel itself has of it. */
struct egb_lineage_entry {
	__u64 id;
	__u64 reasons;	 /* to stay; above them, of its id what finds room there */
	__u64 parent;	 /* who forked it */
	__u64 forked_ns; /* CLOCK_MONOTONIC, as died_ns */
	__u64 died_ns;	 /* 0 while it lives */
	__s32 wait_status;
	__u32 flags;
};
EGB_ASSERT_SIZE(struct egb_lineage_entry, 48);

/* Of whom list is asked for, and how many they are. */
enum { EGB_LINEAGE_LIVING, EGB_LINEAGE_DEAD };

struct egb_lineage_wanted {
	__u64 since_ns; /* forked since then, or */
	__u64 head;	/* this one */
	__u32 who;
	__u32 part; /* of so many parts, when they are too many for one page */
	__u32 parts;
	__u32 found;
};
EGB_ASSERT_SIZE(struct egb_lineage_wanted, 32);

/* What the programs that the daemon asks return. */
enum {
	EGB_LINEAGE_KNOWN,
	EGB_LINEAGE_UNKNOWN,
	EGB_LINEAGE_CANNOT, /* this kernel does not let them look */
};

/* What the daemon asks about a process, and what it is told. */
struct egb_lineage_query {
	__u64 id;
	__u64 at_ns;
	__u64 parent;  /* 0: no other than the kernel has */
	__u64 died_ns; /* 0: that is not known */
	__s32 wait_status;
	__s32 pid;	/* as the kernel's first pid namespace has it */
	__s32 session;	/* the pid of its leader; when it died */
	__u32 level;	/* of the pid namespace of who asks; 0 is the first */
	__u32 was_left; /* whether EGB_LINEAGE_WAS_LEFT */
	__u32 reserved;
};
EGB_ASSERT_SIZE(struct egb_lineage_query, 56);

/* What the daemon says. */
struct egb_lineage_since {
	__u64 complete_ns; /* whoever is forked from then on is known with all his forebears up to
			      then, and his end; 0: from no time on */
	__u64 complete_ticks; /* not before that, as it stands in an id */
};
EGB_ASSERT_SIZE(struct egb_lineage_since, 16);

/* What the kernel side says. */
struct egb_lineage_loss {
	__u64 last_ns; /* when something was last not written down */
	__u64 count;
};
EGB_ASSERT_SIZE(struct egb_lineage_loss, 16);

#endif
