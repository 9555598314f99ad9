/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Working memory of one decision. A CPU has one buffer of its own; a program that finds it taken
 * (it preempted another one) uses one of a small common pool. Programs do not sleep, so a buffer is
 * held for microseconds, or for as long as its holder is preempted.
 */
#ifndef LICTOR_SCRATCH_H
#define LICTOR_SCRATCH_H

#include "bpf/maps.bpf.h"

/* Set by the loader before the programs are loaded. */
const volatile __u32 lictor_cpus = 1;
/*
 * The way that the programs of the LSM table run: enum lictor_via. Programs of control groups may
 * neither look at a task's storage nor send a signal.
 */
const volatile __u32 lictor_way = LICTOR_VIA_LSM;
/* security_perf_event_open() is given the attributes. */
const volatile __u32 lictor_perf_attr = 1;
/* Who holds a buffer keeps the CPU: on kernels whose verifier takes that (6.15). */
const volatile __u32 lictor_keeps_cpu = 0;

/* The kernel keeps the digests of fs-verity where only its own function finds them. */
const volatile __u32 lictor_asks_verity = 0;

extern void bpf_preempt_disable(void) __weak __ksym;
extern void bpf_preempt_enable(void) __weak __ksym;

/* value & mask, in one instruction right before its use: what the compiler would otherwise derive
   from elsewhere, the verifier cannot follow. */
#define LICTOR_MASK(value, mask) \
	({ \
		u32 masked = (value); \
		asm volatile("" : "+r"(masked)); \
		masked &(mask); \
	})

/* An image is passed on as its generation, and opened as the map of its pages. */
typedef u64 lictor_handle;
typedef void *lictor_tables;

static __always_inline const struct lictor_control *lictor_in_force(void)
{
	u32 zero = 0;

	return bpf_map_lookup_elem(&control, &zero);
}

static __always_inline lictor_tables lictor_open(lictor_handle generation)
{
	u32 slot = generation & 1;

	return bpf_map_lookup_elem(&images, &slot);
}

static __always_inline const void *lictor_page(lictor_tables tables, u32 offset)
{
	u32 index = offset >> LICTOR_PAGE_SHIFT;

	return bpf_map_lookup_elem(tables, &index);
}

#define LICTOR_FUNCTION __noinline
#define LICTOR_LOOP(count, step, context) bpf_loop(count, step, context, 0)

#include "bpf/match.h"
#include "bpf/cgroup.h"

/* Texts are built from their end, each in a region of PATH_MAX bytes. */
enum lictor_region {
	LICTOR_REGION_PATH,
	LICTOR_REGION_TARGET,
	LICTOR_REGION_HOST,	/* an object's name on the host, where that differs */
	LICTOR_REGION_SHORT,	/* comm, file system, socket, control group */
	LICTOR_REGIONS
};

_Static_assert(LICTOR_REGIONS * LICTOR_PATH_MAX == LICTOR_TEXT_SIZE, "regions fill the texts");

/* A walk from an object up to the root of its mount namespace. */
struct lictor_ascent {
	u32 field;		/* what the record calls it; 0: not walked */
	u32 region;
	u32 cursor;		/* the text so far: [cursor, LICTOR_PATH_MAX) of the region */
	u32 problem;		/* enum lictor_reason */
	u32 pseudo;		/* the object is on no mounted file system (memfd, pipe, socket) */
	u32 arrived;		/* at the mount's root */
	u32 top;		/* at the file system's */
	u32 anchored;		/* the nearest anchor is known, and has so many numbers of names: */
	u32 suffix;		/* what is below it: [suffix, LICTOR_PATH_MAX) of the region */
	u32 dev;
	u64 ino;
	u32 igeneration;
	u32 name;		/* the first of its names, in the image */
	u32 name_length;
	u32 late;		/* the last so many, not all taken, are of `late_anchors` */
	u32 mountless;		/* the hook names no mount: the text starts at the file system */
	u32 host_length;	/* of the text in the host region, if the views differ */
	char late_name[256];
	u64 mount;		/* above the first mount: addresses, read with care */
	u64 dentry;
	u64 root;
};

struct lictor_outcome {
	u32 action;		/* strongest of the rules that enforce */
	u32 monitored;		/* strongest of those that only monitor */
	u32 signal;
	u32 monitored_signal;
	u32 rules;
	u32 listed;
	u32 first;		/* of the strongest: index into rule[] */
	u32 event;		/* in which the first rule matched */
	u32 suppressed;
	u32 reasons;
	u16 rule[LICTOR_RECORD_RULES];
};

/* How far an exec is: which of its rules are judged now. */
enum lictor_loaded {
	LICTOR_LOADED_ALL,	/* it is none: a mapping, or what was there before the rules */
	LICTOR_LOADED_NOT,	/* what the program is started with is not known yet */
	LICTOR_LOADED_NOW,	/* only those that had to wait for that */
	LICTOR_LOADED_LATE,	/* all: there was no earlier hook */
};

/* A walk up a control group's path, in region SHORT. */
struct lictor_cgroup {
	u64 node;		/* address: at hand */
	u32 cursor;		/* the path so far: [cursor, LICTOR_PATH_MAX) */
	u32 unit;		/* where in the region the systemd unit's name is, */
	u32 unit_length;	/* 0: there is none */
	u32 container;		/* and where the container's id */
	u32 container_length;
	u32 supervised;		/* the group below is that of what watches a container */
	u32 problem;		/* enum lictor_reason */
	struct lictor_part part;	/* at hand */
	struct lictor_group_key key;
	struct lictor_group found;
};

/* A list of socket addresses, and how far it has been read. */
struct lictor_addresses {
	u64 list;	/* address; packed sockaddrs */
	u32 length;
	u32 at;
	u32 event;
	u32 slot;
	u32 count;
	u32 level;	/* of the control messages that count */
	u8 kept[16];	/* the one that was judged first */
};

/* What the kernel calls struct fsverity_digest. */
#define LICTOR_VERITY_DIGEST 64u	/* bytes at most */
#define FS_VERITY_HASH_ALG_SHA256 1
#define FS_VERITY_HASH_ALG_SHA512 2

struct lictor_verity {
	u16 algorithm;		/* FS_VERITY_HASH_ALG_* */
	u16 size;		/* 0: none */
	u8 byte[LICTOR_VERITY_DIGEST];
};

struct lictor_scratch {
	u32 busy;
	u32 needs;
	u32 twice;		/* several matches make one outcome: a rule counts once */
	u64 generation;
	u32 hook;
	u32 via;
	u32 climbing;		/* the ascent at hand, */
	u64 climbing_under;	/* by the anchors of this generation */
	u32 created;		/* an open that has just made its file */
	u32 scan;		/* not the current task's doing: what was there before the rules */
	u32 peer;		/* accept: LICTOR_RULE_PEER where the peer is known, else 0 */
	u32 loaded;		/* exec: enum lictor_loaded */
	u32 name;		/* of an anchor: in the image, if it is not late */
	u32 name_length;
	u32 names_left;
	u32 named;
	u32 named_late;		/* the name is in the ascent's late_name */
	struct lictor_late late;	/* a name in the making */
	struct lictor_grafting {	/* addresses: a tree of mounts, and where it comes to be */
		struct lictor_late_key key;	/* of the root at hand */
		u64 tree;
		u64 parent;
		u64 mountpoint;
		u64 mount;	/* at hand */
		u64 leaving;	/* its children have been seen */
		u32 named;	/* the name has been given */
	} grafting;
	struct {		/* of a process's memory, what is yet to be read */
		u64 from;
		u32 left;
		u32 failed;
	} span;
	struct lictor_addresses addresses;
	struct lictor_cgroup cgroup;
	struct lictor_program program;
	struct lictor_verity verity;
	u64 from;		/* address of a text for the record */
	u64 fs_name;		/* address of the file system type's name, or 0 */
	u64 now;
	struct lictor_outcome outcome;
	struct lictor_ascent ascent[2];		/* PATH, TARGET */
	struct lictor_facts facts;
	struct lictor_hits other;		/* of a second view; string LICTOR_STRINGS */
	struct lictor_work work;
	u64 seen[LICTOR_RULES_MAX / 64];	/* rules of this outcome, if twice */
	struct lictor_record record;
	char texts[LICTOR_RECORD_MAX - sizeof(struct lictor_record) + LICTOR_PATH_MAX];
	char text[LICTOR_TEXT_SIZE + LICTOR_PATH_MAX];
};

/* Where in the texts the byte `cursor` of a region is. */
static __always_inline u32 lictor_region_at(u32 region, u32 cursor)
{
	return LICTOR_MASK(region * LICTOR_PATH_MAX + cursor, LICTOR_TEXT_SIZE - 1);
}

/*
 * CPU, then LICTOR_POOL more -> a buffer. Sized by the loader; written and read only by programs.
 * All taken: NO_SCRATCH.
 */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1 + LICTOR_POOL);
	__type(key, u32);
	__type(value, struct lictor_scratch);
} scratch SEC(".maps");

static __always_inline struct lictor_scratch *lictor_scratch_take(u32 index)
{
	struct lictor_scratch *s = bpf_map_lookup_elem(&scratch, &index);

	if (!s || __sync_lock_test_and_set(&s->busy, 1))
		return NULL;
	return s;
}

/* Called, not built in: what programs keep on their stack is scarce. */
static __noinline struct lictor_scratch *lictor_scratch_get(void)
{
	struct lictor_scratch *s;
	u32 cpu, i;

	if (lictor_keeps_cpu)
		bpf_preempt_disable();
	cpu = bpf_get_smp_processor_id();
	s = lictor_scratch_take(cpu);
	if (s)
		return s;
	for (i = 0; i < LICTOR_POOL; i++) {
		s = lictor_scratch_take(lictor_cpus + ((cpu + i) & (LICTOR_POOL - 1)));
		if (s)
			return s;
	}
	if (lictor_keeps_cpu)
		bpf_preempt_enable();
	return NULL;
}

static __always_inline void lictor_scratch_put(struct lictor_scratch *s)
{
	__sync_lock_test_and_set(&s->busy, 0);
	if (lictor_keeps_cpu)
		bpf_preempt_enable();
}

static __always_inline void lictor_count_reason(u32 reason)
{
	u32 zero = 0;
	struct lictor_stats *st = bpf_map_lookup_elem(&stats, &zero);

	if (st && reason < LICTOR_REASONS)
		__sync_fetch_and_add(&st->reason[reason], 1);
}

static __always_inline void lictor_reason(struct lictor_scratch *s, u32 reason)
{
	s->outcome.reasons |= 1u << (reason & 31);
	lictor_count_reason(reason);
}

#endif
