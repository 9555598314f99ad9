/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside the engine: by which way each hook is reached on this kernel. Those of the LSM table share
 * one way (but task_prctl, see ways.c): the best that there is, or the one that was asked for. The
 * best are LSM programs, then the same functions of the kernel by their return value, then these by
 * kprobes, which cannot deny. Each other hook has a way of its own, which is there or not; only some
 * functions that are watched are reached by kprobes too, where these are the way.
 */
#ifndef LICTOR_WAYS_H
#define LICTOR_WAYS_H

#include <bpf/btf.h>

#include "daemon/loader.h"

/* LICTOR_HOOK_TABLE, by enum lictor_hook. */
struct lictor_hook_entry {
	const char *hook;	/* its name, the kernel's mostly */
	const char *program;	/* in the skeleton */
	enum lictor_via way;	/* LICTOR_VIA_LSM: whichever was chosen */
	uint64_t events;	/* that it decides: a bit per enum lictor_event */
};
extern const struct lictor_hook_entry lictor_hooks[LICTOR_HOOKS];

/*
 * Tries the ways and chooses one. kernel: BTF of vmlinux, stays the caller's. Reads engine->asked;
 * sets engine->way, and engine->way_error of each way. Returns 0, or -errno where there is none:
 * why engine->way, which then is the one asked for, or LICTOR_VIA_LSM, cannot be used.
 */
int lictor_ways_choose(struct lictor_engine *engine, const struct btf *kernel);

/*
 * Fills in engine->hook: the way of each, and whether it can be loaded (`loaded`; done when rules
 * need it, by lictor_engine_load()), or why not. Needs what lictor_ways_choose() leaves,
 * engine->cgroup_fd and cgroup_error, and the first batch: its sections name the functions that are
 * watched.
 */
void lictor_ways_find(struct lictor_engine *engine, const struct btf *kernel);

/* Why an event that is seen by watched functions only is not seen; NULL: it has other hooks. */
const char *lictor_ways_unwatched(const struct lictor_engine *engine, enum lictor_event event);

/* The kernel's function for a hook of the LSM table, such as security_file_open; cut to room. */
void lictor_ways_function(enum lictor_hook hook, char *ret_name, size_t room);

#endif
