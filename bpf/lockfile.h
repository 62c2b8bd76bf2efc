/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/* Lock files as they come to be, and whatever happens to them: the records of the kind `lockfile`.
 */
#ifndef EGB_LOCKFILE_H
#define EGB_LOCKFILE_H

#include "wire.h"

/* Part of the names in the descriptor store: raise it when a map's layout or meaning changes. */
#define EGB_LOCK_LAYOUT 3

/* Files that are watched at a time. */
#define EGB_LOCKS 65536
#define EGB_LOCK_PATTERNS 1024
/* So much of the end of a name is matched in the kernel. */
#define EGB_LOCK_SUFFIX 32
/* PATH_MAX, the terminating 0 included. */
#define EGB_LOCK_PATH 4096
/* Bytes of the names of a control group, and how many of them at most. */
#define EGB_LOCK_CGROUP 1024
#define EGB_LOCK_CGROUP_LEVELS 16

enum {
	EGB_LOCK_CREATED = 1, /* event: egb_lock_created */
	EGB_LOCK_TOUCHED,     /* event: egb_lock_touched */
};

/* How a name came to be. */
enum {
	EGB_LOCK_BY_OPEN = 1,
	EGB_LOCK_BY_LINK,
	EGB_LOCK_BY_SYMLINK,
	EGB_LOCK_BY_MKDIR,
	EGB_LOCK_BY_RENAME, /* with RENAME_NOREPLACE: another one could have been in the way */
};

enum {
	EGB_LOCK_PATH_CUT = 1, /* where the name was looked for cannot be told; the base is empty */
	EGB_LOCK_IS_CHROOTED = 2, /* its creator's root is not that of its mount namespace */
	EGB_LOCK_BY_FORK = 4, /* its creator runs the program of its parent, as a subshell does */
	EGB_LOCK_IS_INFERRED = 8, /* nobody saw whether the call would have failed, had there been
				     one */
};

/*
 * Which file, for as long as it is watched. The device is as the kernel has it (20 bits of minor
 * number). Both are what statx(2) says, but on overlayfs: there they are those of the file in the
 * upper layer. Its inode number is also what statx(2) says; the device need not be.
 */
struct egb_lock_key {
	__u64 inode;
	__u32 device;
	__u32 reserved;
};
EGB_ASSERT_SIZE(struct egb_lock_key, 16);

/*
 * A file that was made, by one call that would have failed had there been one (but see
 * EGB_LOCK_IS_INFERRED), under a name that a pattern matches. Behind it are three strings: from
 * where the name was looked for, as a path from the root of the mount namespace, without a slash at
 * its end ("" is that root), and the name as the caller gave it, without slashes at its end, both
 * without a terminating 0; and the names along the path of its creator's control group, the
 * innermost first, each with its 0: none where they are too long. A name that begins with a slash
 * is meant from the base, too.
 */
struct egb_lock_created {
	struct egb_header
		header; /* header.size is that of the whole; time_ns is when it was made */
	struct egb_lock_key key;
	__u64 changed_ns; /* its ctime since 1970: where it was made by open, symlink or mkdir, its
			     birth */
	__u64 creator_start_ns; /* CLOCK_BOOTTIME */
	__u64 parent_start_ns;
	__u64 creator_forked_ns; /* CLOCK_MONOTONIC */
	__s32 creator;		 /* tgid, in the first pid namespace */
	__s32 parent;
	__s32 inner_pid; /* the creator, as its own pid namespace has it */
	__u32 uid;	 /* whose the files are that it makes */
	__u32 mount_namespace;
	__u32 pid_namespace; /* of inner_pid */
	__u32 file_system;   /* its magic number */
	__u32 cgroup_length;
	__u16 way;
	__u16 flags;
	__u16 base_length;
	__u16 name_length;
	char comm[16];
};
EGB_ASSERT_SIZE(struct egb_lock_created, 120);

/* Something was done to a watched file: it was renamed, removed, written to, locked. It is told
 * once, until egb_lock_looked is called. */
struct egb_lock_touched {
	struct egb_header header;
	struct egb_lock_key key;
	__u64 made_ns;	  /* as in egb_lock_watched, */
	__u64 changed_ns; /* each, */
	__u32 flags;	  /* at that time */
	__u32 reserved;
};
EGB_ASSERT_SIZE(struct egb_lock_touched, 56);

enum {
	EGB_LOCK_IS_ADVISORY = 1, /* somebody has taken an advisory lock on it */
	EGB_LOCK_IS_TOUCHED = 2,  /* something was done to it since it was made */
	EGB_LOCK_IS_REMADE =
		4, /* the file is gone; another has its inode, made in a way that is not told */
};

/* What the kernel side knows of a watched file. */
struct egb_lock_watched {
	__u64 made_ns;	  /* header.time_ns of its egb_lock_created: another one, another file */
	__u64 changed_ns; /* its ctime, as it was last set; 0 when that was before it was watched */
	__u64 touched_ns; /* CLOCK_MONOTONIC: when that was; 0 where not all that is done is seen */
	__u32 told;	  /* not 0: that it was touched */
	__u32 flags;
	__s32 maker; /* a thread, in the first pid namespace */
	__u32 reserved;
};
EGB_ASSERT_SIZE(struct egb_lock_watched, 40);

/*
 * What the daemon gives to the programs that it runs; each of them returns 0, or 1 where it says
 *so. egb_lock_watch: watch it from now on; nothing when it is watched already. 1: there is no room.
 *	Before the first look: whatever happens afterwards is told.
 * egb_lock_looked: the next touch is to be told again, and what is known of it. To be called before
 *	one looks. 1: it is not watched.
 * egb_lock_state: what is known of it. 1: it is not watched.
 * egb_lock_forget: unless another file has its place by now; with 0 for made_ns, whatever is there.
 */
struct egb_lock_query {
	struct egb_lock_key key;
	__u64 made_ns;			 /* asked for by watch and forget */
	struct egb_lock_watched watched; /* the answer of looked, state and watch */
};
EGB_ASSERT_SIZE(struct egb_lock_query, 64);

/*
 * Where it is user space that hears of files, and the kernel side knows the rest:
 *
 * egb_lock_queue: who has made what waits to be read from a queue of fanotify, in the order in
 *	which it will be read; returns of how many that is known. Those of the last time are
 *forgotten. egb_lock_meet: watch a file that was made, and tell of it. 1: it is not told of.
 * egb_lock_touched: something was done to a watched file. 1: it is not watched.
 */
#define EGB_LOCK_MAKERS 128
/* In place of one of them: what is read was not in the queue when it was looked through. */
#define EGB_LOCK_NO_MAKER EGB_LOCK_MAKERS

struct egb_lock_meeting {
	struct egb_lock_key key; /* the answer */
	__u64 made_ns;		 /* CLOCK_MONOTONIC */
	__u64 changed_ns;	 /* as in egb_lock_created */
	__s32 file;		 /* descriptors of the daemon's: for the file, */
	__s32 folder;		 /* and for the directory in which it has the name */
	__u32 maker;		 /* its place in the queue, or EGB_LOCK_NO_MAKER */
	__u16 way;
	__u16 reserved;
	char name[256]; /* NAME_MAX, and the terminating 0 */
};
EGB_ASSERT_SIZE(struct egb_lock_meeting, 304);

struct egb_lock_listening {
	__s32 fd; /* the daemon's own, of fanotify */
	__u32 reserved;
};
EGB_ASSERT_SIZE(struct egb_lock_listening, 8);

/* The end of a name, backwards, for a longest-prefix match: "*.lock" is "kcol.", and a whole name
 * has a slash after its first letter: "lock" is "kcol/". */
struct egb_lock_pattern {
	__u32 bits;
	char tail[EGB_LOCK_SUFFIX];
};
EGB_ASSERT_SIZE(struct egb_lock_pattern, 36);

/* What stands under it: whether such names are wanted, or known to be something else. */
enum { EGB_LOCK_UNWANTED, EGB_LOCK_WANTED };

#endif
