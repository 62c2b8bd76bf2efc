/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What every object has: a ring for events, a counter for those that found no room in it, and a
 * canary.
 *
 * Objects keep all state in named maps and none in globals: maps are handed over from one run of
 * the daemon to the next through systemd's descriptor store, globals are not.
 */
#ifndef EGB_COMMON_BPF_H
#define EGB_COMMON_BPF_H

#include "kernel_types.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "wire.h"

#ifndef EGB_RING_BYTES
#define EGB_RING_BYTES (256 * 1024)
#endif

char LICENSE[] SEC("license") = "GPL";

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, EGB_RING_BYTES);
} egb_ring SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} egb_drops SEC(".maps");

static __always_inline void egb_fill_header(struct egb_header *header, __u16 type, __u16 size)
{
	header->type = type;
	header->size = size;
	header->reserved = 0;
	header->time_ns = bpf_ktime_get_ns();
}

static __always_inline void egb_count_drop(void)
{
	__u32 zero = 0;
	__u64 *drops = bpf_map_lookup_elem(&egb_drops, &zero);

	if (drops)
		(*drops)++;
}

/* For who asks which error it is: before Linux 6.4 only the lower half of what the kernel returns
 * is of its making. */
static __always_inline int egb_map_update(void *map, const void *key, const void *value,
					  __u64 flags)
{
	return (int)bpf_map_update_elem(map, key, value, flags);
}

/* Room for one record, or a counted loss. */
static __always_inline void *egb_reserve(__u16 type, __u16 size)
{
	struct egb_header *header = bpf_ringbuf_reserve(&egb_ring, size, 0);

	if (!header) {
		egb_count_drop();
		return NULL;
	}
	egb_fill_header(header, type, size);
	return header;
}

/* Run by the daemon on itself: what it writes must come back through the ring, or the kernel path
 * is dead. */
SEC("syscall")
int egb_canary(void *ctx)
{
	struct egb_header *header = bpf_ringbuf_reserve(&egb_ring, sizeof(*header), 0);

	if (!header)
		return 1;
	egb_fill_header(header, EGB_RECORD_CANARY, sizeof(*header));
	bpf_ringbuf_submit(header, BPF_RB_FORCE_WAKEUP);
	return 0;
}

#endif
