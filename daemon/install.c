/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The privileged room: a compiled image into the kernel. It goes into the slot that is not in
 * force; every process is classified under it; its hooks are attached; then one store puts it in
 * force. Each event is decided by one generation: an image goes only when no program that started
 * under it can still be running. May touch: maps, links.
 */
#include "daemon/loader.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

static int make_image(const struct lictor_compiled *compiled)
{
	LIBBPF_OPTS(bpf_map_create_opts, options, .map_flags = BPF_F_INNER_MAP);
	int fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "lictor_image", sizeof(uint32_t),
				LICTOR_PAGE_SIZE, compiled->pages, &options);

	for (uint32_t i = 0; fd >= 0 && i < compiled->pages; i++) {
		int error = bpf_map_update_elem(fd, &i,
						compiled->image + (size_t)i * LICTOR_PAGE_SIZE,
						BPF_ANY);

		if (error) {
			close(fd);
			return error;
		}
	}
	return fd;
}

static int make_counts(size_t rules)
{
	LIBBPF_OPTS(bpf_map_create_opts, options, .map_flags = BPF_F_INNER_MAP);
	int cpus = libbpf_num_possible_cpus();

	if (cpus < 0)
		return cpus;
	return bpf_map_create(BPF_MAP_TYPE_ARRAY, "lictor_counts", sizeof(uint32_t),
			      sizeof(struct lictor_rule_count),
			      (uint32_t)(rules ? rules : 1) * (uint32_t)cpus, &options);
}

static int put(const struct lictor_engine *engine, const char *map, uint32_t slot, int fd)
{
	return bpf_map_update_elem(lictor_engine_map(engine, map), &slot, &fd, BPF_ANY);
}

static void empty_slot(struct lictor_engine *engine, uint32_t slot, bool counts)
{
	bpf_map_delete_elem(lictor_engine_map(engine, "images"), &slot);
	if (engine->image_fd[slot] >= 0)
		close(engine->image_fd[slot]);
	engine->image_fd[slot] = -1;
	engine->image_bytes[slot] = 0;
	if (!counts)
		return;
	bpf_map_delete_elem(lictor_engine_map(engine, "rule_counts"), &slot);
	if (engine->count_fd[slot] >= 0)
		close(engine->count_fd[slot]);
	engine->count_fd[slot] = -1;
	engine->rules[slot] = 0;
}

static int fill_slot(struct lictor_engine *engine, uint32_t slot,
		     const struct lictor_compiled *compiled)
{
	int error = 0;

	engine->image_fd[slot] = make_image(compiled);
	engine->count_fd[slot] = make_counts(compiled->rules);
	if (engine->image_fd[slot] < 0)
		error = engine->image_fd[slot];
	else if (engine->count_fd[slot] < 0)
		error = engine->count_fd[slot];
	if (!error)
		error = put(engine, "images", slot, engine->image_fd[slot]);
	if (!error)
		error = put(engine, "rule_counts", slot, engine->count_fd[slot]);
	engine->rules[slot] = compiled->rules;
	engine->image_bytes[slot] = (uint64_t)compiled->pages * LICTOR_PAGE_SIZE;
	return error;
}

/* An update of a map of maps returns when no program that might have seen the old state runs any
   more; this one changes nothing, and is for the waiting. */
static void wait_for_programs(const struct lictor_engine *engine, uint32_t slot)
{
	put(engine, "images", slot, engine->image_fd[slot]);
}

/* Every process's identity under the pending generation. Twice: a task made by one that the first
   round had not reached yet may be behind it. */
static int classify(struct lictor_engine *engine)
{
	static const char *const round[] = {
		"classify_tasks", "classify_tasks", "classify_lineage",
	};

	for (size_t i = 0; i < sizeof(round) / sizeof(*round); i++) {
		ssize_t read = lictor_engine_iterate(engine, round[i], 0, NULL, 0);

		if (read < 0)
			return (int)read;
	}
	return 0;
}

/* The hooks that the events need, by the best way there is for each. */
static uint64_t hooks_for(const struct lictor_engine *engine,
			  const struct lictor_compiled *compiled)
{
	uint64_t hooks = 0, by_lsm = 0;

	for (int i = 0; i < LICTOR_HOOKS; i++)
		if (engine->hook[i].loaded && !strcmp(engine->hook[i].via, "lsm"))
			by_lsm |= engine->hook[i].events;
	for (int i = 0; i < LICTOR_HOOKS; i++) {
		const struct lictor_hook_state *hook = &engine->hook[i];
		bool lsm = !strcmp(hook->via, "lsm");

		if (!hook->loaded || !(hook->events & compiled->events))
			continue;
		if (!lsm && !(hook->events & compiled->events & ~by_lsm))
			continue;
		if (!compiled->unix_connect && (i == LICTOR_HOOK_unix_stream_connect ||
						i == LICTOR_HOOK_unix_may_send))
			continue;
		hooks |= 1ull << i;
	}
	return hooks;
}

static int attach_all(struct lictor_engine *engine, uint64_t hooks, uint64_t *ret_new)
{
	*ret_new = 0;
	for (int i = 0; i < LICTOR_HOOKS; i++) {
		int error;

		if (!(hooks >> i & 1) || engine->hook[i].attached)
			continue;
		error = lictor_engine_attach(engine, (enum lictor_hook)i);
		if (error) {
			lictor_engine_say(engine, LOG_ERR, "attaching %s: %s", engine->hook[i].hook,
					  strerror(-error));
			return error;
		}
		*ret_new |= 1ull << i;
	}
	return 0;
}

static void detach_all(struct lictor_engine *engine, uint64_t hooks)
{
	for (int i = 0; i < LICTOR_HOOKS; i++)
		if (hooks >> i & 1 && engine->hook[i].attached)
			lictor_engine_detach(engine, (enum lictor_hook)i);
}

static void flip(struct lictor_engine *engine, uint64_t generation, uint64_t hooks)
{
	uint32_t slot = generation & 1, old = slot ^ 1;

	engine->control->decide_exec = hooks >> LICTOR_HOOK_sched_process_exec & 1;
	__atomic_store_n(&engine->control->active, generation, __ATOMIC_RELEASE);
	__atomic_store_n(&engine->control->pending, 0, __ATOMIC_RELEASE);
	engine->generation = generation;
	detach_all(engine, ~hooks);
	wait_for_programs(engine, slot);
	empty_slot(engine, old, false);
}

int lictor_engine_install(struct lictor_engine *engine, const struct lictor_compiled *compiled,
			  bool monitor)
{
	uint64_t generation = engine->generation + 1, hooks = hooks_for(engine, compiled), new = 0;
	uint32_t slot = generation & 1;
	int error;

	(void)monitor;
	empty_slot(engine, slot, true);
	error = lictor_engine_load(engine, hooks);
	if (error)
		lictor_engine_say(engine, LOG_ERR, "loading programs: %s", strerror(-error));
	if (!error)
		error = fill_slot(engine, slot, compiled);
	if (!error) {
		__atomic_store_n(&engine->control->pending, generation, __ATOMIC_RELEASE);
		wait_for_programs(engine, slot);
		error = classify(engine);
	}
	if (!error)
		error = attach_all(engine, hooks, &new);
	if (error) {
		__atomic_store_n(&engine->control->pending, 0, __ATOMIC_RELEASE);
		detach_all(engine, new);
		empty_slot(engine, slot, true);
		return error;
	}
	flip(engine, generation, hooks);
	return 0;
}

uint64_t lictor_engine_generation(const struct lictor_engine *engine)
{
	return engine->generation;
}
