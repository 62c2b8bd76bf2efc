/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* The records of the process monitor, and what it is told to look for. */
#ifndef EGB_TRACE_H
#define EGB_TRACE_H

#include "wire.h"

#define EGB_TRACE_LAYOUT 1

/* Twice as many as there may be watchers: while one changes its filter, it has the old and the new.
 */
#define EGB_TRACE_FILTERS 64
#define EGB_TRACE_COMM 16
/* With the NUL; longer names are not compared. */
#define EGB_TRACE_UNIT 128
/* Bytes of the arguments that are told, NULs included. */
#define EGB_TRACE_ARGS 4096
/* Bytes of all text behind an event, or behind a control group. */
#define EGB_TRACE_TEXT 8192
/* Control groups whose names the kernel side remembers to have told. */
#define EGB_TRACE_CGROUPS 4096
/* Processes that can be followed. */
#define EGB_TRACE_FOLLOWED 32768
/* /proc/PID/stat counts in hundredths of a second. */
#define EGB_TRACE_NS_PER_TICK 10000000ULL

enum {
	EGB_TRACE_EXEC = 1,
	EGB_TRACE_FORK,
	EGB_TRACE_EXIT,
	EGB_TRACE_CGROUP, /* the names of a control group, before the first event in it */
};

/* What is known of the text behind an event. */
enum {
	EGB_TRACE_ARGS_CUT = 1,
	EGB_TRACE_HAS_EXE = 2,
	EGB_TRACE_EXE_CUT = 4, /* its beginning is missing */
	EGB_TRACE_HAS_CWD = 8,
	EGB_TRACE_CWD_CUT = 16,
};

/*
 * Behind it: the arguments, each with its NUL, except the last when they are cut; then the names
 * along the path of the executable, and along that of the working directory, the innermost first,
 * each with its NUL.
 */
struct egb_trace_event {
	struct egb_header header;
	__u64 filters; /* that it passes, a bit for each */
	__u64 start_boottime_ns;
	__u64 cgroup;
	__u64 lived_ns;	      /* exit */
	__u64 peak_rss_pages; /* exit */
	__s32 pid;	      /* all pids are those of the kernel's first pid namespace */
	__s32 ppid;
	__u32 uid;
	__s32 wait_status; /* exit: as wait(2) tells it */
	__u32 pid_ns;
	__u32 mnt_ns;
	__u32 net_ns;
	__u16 args_bytes;
	__u16 exe_bytes;
	__u16 cwd_bytes;
	__u16 flags;
	char comm[EGB_TRACE_COMM];
	__u32 reserved;
};
EGB_ASSERT_SIZE(struct egb_trace_event, 112);

/* Behind it: the names along its path, the innermost first, each with its NUL. */
struct egb_trace_cgroup {
	struct egb_header header;
	__u64 id;
};
EGB_ASSERT_SIZE(struct egb_trace_cgroup, 24);

enum {
	EGB_TRACE_WANTS_EXEC = 1 << EGB_TRACE_EXEC,
	EGB_TRACE_WANTS_FORK = 1 << EGB_TRACE_FORK,
	EGB_TRACE_WANTS_EXIT = 1 << EGB_TRACE_EXIT,
	EGB_TRACE_OF_UID = 16,
	EGB_TRACE_OF_COMM = 32,
	EGB_TRACE_FAILED = 64,	   /* exits alone: with a status other than 0, or by a signal */
	EGB_TRACE_IN_CGROUP = 128, /* in one of egb_trace_ids, or below it */
	EGB_TRACE_IN_UNIT = 256,   /* in one of egb_trace_units, or below it */
	EGB_TRACE_OF_FOLLOWED = 512,
};

/* One of the 64, as the daemon writes it before its bit becomes active. */
struct egb_trace_filter {
	__u64 least_lived_ns; /* exits alone */
	__u64 comm[EGB_TRACE_COMM / 8];
	__u32 uid;
	__u32 wants;
};
EGB_ASSERT_SIZE(struct egb_trace_filter, 32);

struct egb_trace_filters {
	struct egb_trace_filter all[EGB_TRACE_FILTERS];
};

/* Which filters are in force, and which of them need to be asked for what. */
struct egb_trace_control {
	__u64 active;
	__u64 following;
	__u64 by_cgroup;
	__u64 by_unit;
	__u64 with_cwd;
};
EGB_ASSERT_SIZE(struct egb_trace_control, 40);

/* Follow this process and all that it will fork, on behalf of these filters. */
struct egb_trace_follow {
	__u64 filters;
	__u64 start_ticks;
	__s32 pid;
	__u32 reserved;
};
EGB_ASSERT_SIZE(struct egb_trace_follow, 24);

/* These filters want (or no longer want) this control group: by id, or by the unit's name when the
 * id is 0. */
struct egb_trace_group {
	__u64 add;
	__u64 remove;
	__u64 id;
	char unit[EGB_TRACE_UNIT];
};
EGB_ASSERT_SIZE(struct egb_trace_group, 152);

#endif
