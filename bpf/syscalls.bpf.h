/* SPDX-License-Identifier: GPL-2.0-only */
/* The system call that the current task is in, as far as its own registers tell. */
#ifndef EGB_SYSCALLS_BPF_H
#define EGB_SYSCALLS_BPF_H

#include "kernel_types.h"

/* Those that name a file; one that this architecture does not have gets a number that none has. */
enum {
#if defined(__TARGET_ARCH_x86)
	EGB_NR_OPEN = 2,
	EGB_NR_MKDIR = 83,
	EGB_NR_LINK = 86,
	EGB_NR_SYMLINK = 88,
	EGB_NR_MKNOD = 133,
	EGB_NR_OPENAT = 257,
	EGB_NR_MKDIRAT = 258,
	EGB_NR_MKNODAT = 259,
	EGB_NR_LINKAT = 265,
	EGB_NR_SYMLINKAT = 266,
	EGB_NR_RENAMEAT2 = 316,
#elif defined(__TARGET_ARCH_arm64)
	EGB_NR_OPEN = -2,
	EGB_NR_MKDIR = -3,
	EGB_NR_LINK = -4,
	EGB_NR_SYMLINK = -5,
	EGB_NR_MKNOD = -6,
	EGB_NR_OPENAT = 56,
	EGB_NR_MKDIRAT = 34,
	EGB_NR_MKNODAT = 33,
	EGB_NR_LINKAT = 37,
	EGB_NR_SYMLINKAT = 36,
	EGB_NR_RENAMEAT2 = 276,
#endif
	EGB_NR_OPENAT2 = 437,
};

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)
#if defined(__TARGET_ARCH_x86)
struct pt_regs {
	unsigned long r10;
	unsigned long r8;
	unsigned long dx;
	unsigned long si;
	unsigned long di;
	unsigned long orig_ax;
};
#elif defined(__TARGET_ARCH_arm64)
struct pt_regs {
	unsigned long regs[31];
	unsigned long orig_x0;
	int syscallno;
};
#endif
#pragma clang attribute pop

/* Elsewhere than in a system call it is none of the above: on x86 the error code of a page fault
 * stands there, and none of those is one. */
static __always_inline long egb_syscall_nr(const struct pt_regs *regs)
{
#if defined(__TARGET_ARCH_x86)
	return regs->orig_ax;
#elif defined(__TARGET_ARCH_arm64)
	return regs->syscallno;
#endif
}

/* As they were at its beginning. */
#if defined(__TARGET_ARCH_x86)
#define egb_arg1(from) ((from)->di)
#define egb_arg2(from) ((from)->si)
#define egb_arg3(from) ((from)->dx)
#define egb_arg4(from) ((from)->r10)
#define egb_arg5(from) ((from)->r8)
#elif defined(__TARGET_ARCH_arm64)
#define egb_arg1(from) ((from)->orig_x0)
#define egb_arg2(from) ((from)->regs[1])
#define egb_arg3(from) ((from)->regs[2])
#define egb_arg4(from) ((from)->regs[3])
#define egb_arg5(from) ((from)->regs[4])
#endif

/* arch/x86/include/asm/thread_info.h, arch/arm64/include/asm/thread_info.h */
#define TS_COMPAT 2
#define TIF_32BIT (1UL << 22)

/* Its numbers and arguments are not those above. */
static __always_inline bool egb_is_32_bit_call(const struct task_struct *task)
{
#if defined(__TARGET_ARCH_x86)
	return task->thread_info.status & TS_COMPAT;
#elif defined(__TARGET_ARCH_arm64)
	return task->thread_info.flags & TIF_32BIT;
#endif
}

/* include/linux/sched.h */
#define PF_IO_WORKER 0x00000010
#define PF_USER_WORKER 0x00004000
#define PF_KTHREAD 0x00200000

/* Whether the task does what its registers say. One that works for the kernel has none that mean
 * anything, and a worker of io_uring those of another's call. */
static __always_inline bool egb_speaks_for_itself(const struct task_struct *task)
{
	return !(task->flags & (PF_IO_WORKER | PF_USER_WORKER | PF_KTHREAD)) &&
	       !egb_is_32_bit_call(task);
}

#endif
