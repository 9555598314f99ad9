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
#include <sys/syscall.h>
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
	engine->counted[slot] = 0;
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
	engine->counted[slot] = engine->next;
	engine->rules[slot] = compiled->rules;
	engine->image_bytes[slot] = (uint64_t)compiled->pages * LICTOR_PAGE_SIZE;
	return error;
}

/* An update of a map of maps returns when no program that might have seen the old state runs any
   more; this one changes nothing, and is for the waiting. */
void lictor_engine_wait(const struct lictor_engine *engine)
{
	uint32_t slot = engine->image_fd[0] < 0;

	if (engine->image_fd[slot] >= 0)
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

/* What carries out what these decide. */
static lictor_hook_set carriers_of(lictor_hook_set hooks)
{
	const lictor_hook_set connects = LICTOR_HOOK_BIT(LICTOR_HOOK_tcp_v4_pre_connect) |
					 LICTOR_HOOK_BIT(LICTOR_HOOK_tcp_v6_pre_connect) |
					 LICTOR_HOOK_BIT(LICTOR_HOOK_udp_pre_connect) |
					 LICTOR_HOOK_BIT(LICTOR_HOOK_udpv6_pre_connect);

	return hooks & connects ? LICTOR_HOOK_BIT(LICTOR_HOOK_refuse4) |
					  LICTOR_HOOK_BIT(LICTOR_HOOK_refuse6) : 0;
}

/* The hooks that the events need, by the best way there is for each. */
static lictor_hook_set hooks_for(const struct lictor_engine *engine,
				 const struct lictor_compiled *compiled)
{
	lictor_hook_set hooks = 0, others = 0;
	uint64_t by_function = 0;

	for (int i = 0; i < LICTOR_HOOKS; i++)
		if (engine->hook[i].loaded && engine->hook[i].way <= LICTOR_VIA_KPROBE)
			by_function |= engine->hook[i].events;
	for (int i = 0; i < LICTOR_HOOKS; i++) {
		const struct lictor_hook_state *hook = &engine->hook[i];
		uint64_t events = hook->events & compiled->events;

		/* These are for where the functions cannot be had. */
		if (hook->way == LICTOR_VIA_CGROUP || i == LICTOR_HOOK_sched_process_exec)
			events &= ~by_function;
		if (!hook->loaded || !events)
			continue;
		if (!compiled->unix_connect && (i == LICTOR_HOOK_unix_stream_connect ||
						i == LICTOR_HOOK_unix_may_send))
			continue;
		if (!compiled->peers && i == LICTOR_HOOK_sock_graft)
			continue;
		hooks |= LICTOR_HOOK_BIT(i);
	}
	/* Those that are about no event keep the others true. */
	for (int i = 0; hooks && i < LICTOR_HOOKS; i++)
		if (engine->hook[i].loaded && !engine->hook[i].events &&
		    (engine->hook[i].way != LICTOR_VIA_CGROUP || carriers_of(hooks) >> i & 1))
			others |= LICTOR_HOOK_BIT(i);
	return hooks | others;
}

static int attach_all(struct lictor_engine *engine, lictor_hook_set hooks, lictor_hook_set *ret_new)
{
	*ret_new = 0;
	for (int i = 0; i < LICTOR_HOOKS; i++) {
		int error;

		if (!(hooks >> i & 1) || engine->hook[i].attached)
			continue;
		error = lictor_engine_attach(engine, (enum lictor_hook)i);
		/* Somebody may have closed the root control group to other programs. */
		if (error && carriers_of(hooks) >> i & 1) {
			lictor_engine_say(engine, LOG_WARNING, "attaching %s: %s: connections of the "
					  "kernel's own may not be seen, nor denied",
					  engine->hook[i].hook, strerror(-error));
			continue;
		}
		if (error) {
			lictor_engine_say(engine, LOG_ERR, "attaching %s: %s", engine->hook[i].hook,
					  strerror(-error));
			return error;
		}
		*ret_new |= LICTOR_HOOK_BIT(i);
	}
	return 0;
}

static void detach_all(struct lictor_engine *engine, lictor_hook_set hooks)
{
	for (int i = 0; i < LICTOR_HOOKS; i++)
		if (hooks >> i & 1 && engine->hook[i].attached)
			lictor_engine_detach(engine, (enum lictor_hook)i);
}

/* ---- what was there before the rules ---- */

/* Descriptors that these rules are not about, or that are no more. */
static void forget_held(const struct lictor_engine *engine)
{
	int map = lictor_engine_map(engine, "held_files");
	uint64_t key, next;
	bool more = !bpf_map_get_next_key(map, NULL, &key);

	while (more) {
		struct lictor_held held;

		more = !bpf_map_get_next_key(map, &key, &next);
		if (!bpf_map_lookup_elem(map, &key, &held) &&
		    held.generation != engine->generation)
			bpf_map_delete_elem(map, &key);
		key = next;
	}
}

/*
 * One pass over what runs and what is open, when the rules are in force: what happens meanwhile is
 * judged as it happens. Where no descriptor is older than the rules, writing costs nothing more.
 */
static void scan(struct lictor_engine *engine, uint64_t events)
{
	static const struct { const char *program; uint64_t events; } pass[] = {
		{ "scan_files", E(READ) | E(WRITE) | E(SYSCTL) },
		{ "scan_sockets", E(CONNECT) },
		{ "scan_tasks", E(EXEC) },
		{ "scan_mappings", E(EXEC) },
	};
	ssize_t held = 0;
	char one;

	for (size_t i = 0; i < sizeof(pass) / sizeof(*pass); i++) {
		ssize_t found;

		if (!(pass[i].events & events))
			continue;
		found = lictor_engine_iterate(engine, pass[i].program, 0, &one, sizeof(one));
		if (found < 0)
			lictor_engine_say(engine, LOG_WARNING, "looking for what was there before "
					  "the rules (%s): %s", pass[i].program,
					  strerror((int)-found));
		else
			held += found;
	}
	__atomic_store_n(&engine->control->held, held ? LICTOR_HELD_SOME : 0, __ATOMIC_RELEASE);
	forget_held(engine);
	if (!held)
		detach_all(engine, LICTOR_HOOK_BIT(LICTOR_HOOK_file_permission) |
					   LICTOR_HOOK_BIT(LICTOR_HOOK_sysctl_permission) |
					   LICTOR_HOOK_BIT(LICTOR_HOOK_held_mmap) |
					   LICTOR_HOOK_BIT(LICTOR_HOOK_held_send));
}

static void flip(struct lictor_engine *engine, uint64_t generation, lictor_hook_set hooks)
{
	uint32_t old = (generation & 1) ^ 1;

	engine->control->refuses = engine->hook[LICTOR_HOOK_refuse4].attached &&
				   engine->hook[LICTOR_HOOK_refuse6].attached;
	engine->control->decide_exec = (uint32_t)(hooks >> LICTOR_HOOK_sched_process_exec & 1);
	__atomic_store_n(&engine->control->active, generation, __ATOMIC_RELEASE);
	__atomic_store_n(&engine->control->pending, 0, __ATOMIC_RELEASE);
	engine->generation = generation;
	engine->next = generation + 1;
	detach_all(engine, ~hooks);
	lictor_engine_wait(engine);
	empty_slot(engine, old, false);
}

int lictor_engine_install(struct lictor_engine *engine, const struct lictor_compiled *compiled)
{
	lictor_hook_set hooks = hooks_for(engine, compiled), new = 0;
	uint64_t generation = engine->next;
	uint32_t slot = generation & 1;
	int error;

	empty_slot(engine, slot, true);
	error = lictor_engine_load(engine, hooks);
	if (!error)
		error = lictor_engine_load_scan(engine);
	if (error)
		lictor_engine_say(engine, LOG_ERR, "loading programs: %s", strerror(-error));
	if (!error)
		error = fill_slot(engine, slot, compiled);
	if (!error)
		error = lictor_engine_note_devices(engine, slot);
	if (!error) {
		engine->control->daemon = (uint32_t)getpid();
		__atomic_store_n(&engine->control->pending, generation, __ATOMIC_RELEASE);
		lictor_engine_wait(engine);
		error = classify(engine);
	}
	/* The same: a child of one that had not been read yet. */
	for (int round = 0; !error && round < 2; round++)
		error = lictor_engine_read_starts(engine, compiled, generation);
	if (!error)
		error = attach_all(engine, hooks, &new);
	if (error) {
		__atomic_store_n(&engine->control->pending, 0, __ATOMIC_RELEASE);
		detach_all(engine, new);
		empty_slot(engine, slot, true);
		/* Processes that executed meanwhile have been classified under that number. */
		engine->next += 2;
		return error;
	}
	__atomic_store_n(&engine->control->held, LICTOR_HELD_SOME | LICTOR_HELD_SEARCH,
			 __ATOMIC_RELEASE);
	flip(engine, generation, hooks);
	error = lictor_engine_adopt_mounts(engine);
	if (error)
		lictor_engine_say(engine, LOG_WARNING, "looking up what has been mounted: %s",
				  strerror(-error));
	scan(engine, compiled->events);
	return 0;
}

bool lictor_engine_program_path(const struct lictor_engine *engine, uint64_t program,
			   struct lictor_program *ret_program)
{
	return !bpf_map_lookup_elem(lictor_engine_map(engine, "programs"), &program, ret_program) &&
	       ret_program->length <= sizeof(ret_program->path);
}

bool lictor_engine_alive(const struct lictor_engine *engine)
{
	uint64_t before = __atomic_load_n(&engine->control->canary, __ATOMIC_RELAXED);

	if (!engine->hook[LICTOR_HOOK_task_getsid].attached)
		return true;
	syscall(SYS_getsid, getpid());
	return __atomic_load_n(&engine->control->canary, __ATOMIC_RELAXED) != before;
}

uint64_t lictor_engine_guarded(const struct lictor_engine *engine, uint32_t *ret_pid,
			       char ret_name[static 16])
{
	*ret_pid = engine->control->ftrace_pid;
	memcpy(ret_name, engine->control->ftrace_name, 16);
	ret_name[15] = '\0';
	return engine->control->ftrace_refused;
}

uint64_t lictor_engine_next(const struct lictor_engine *engine)
{
	return engine->next;
}
