/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The privileged room: programs into the kernel. In: the skeleton, the way to each hook, what a rule
 * set needs. Out: programs loaded and attached, or the reason why not. May touch: bpf(2), BTF, the
 * mounts and the control group tree, reading.
 */
#include "daemon/loader.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <syslog.h>
#include <unistd.h>

#include "daemon/own.h"
#include "daemon/ways.h"

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wcast-qual" /* in what bpftool writes */
#include "lictor.skel.h"
#include "lictor-probing.skel.h"
#pragma GCC diagnostic pop

OWNABLE(struct btf, btf__free)

/* Programs that are always there: they keep subjects and answer for the daemon. */
static const char *const base_programs[] = {
	"track_newtask", "track_exec", "classify_tasks", "classify_lineage", "read_opened",
};

void lictor_engine_say(const struct lictor_engine *engine, int priority, const char *format, ...)
{
	char text[512];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	if (engine->log)
		engine->log(priority, text);
}

static int quiet(enum libbpf_print_level level, const char *format, va_list arguments)
{
	if (level != LIBBPF_WARN || !getenv("LICTOR_LIBBPF"))
		return 0;
	return vfprintf(stderr, format, arguments);
}

/* ---- what the kernel has ---- */

static int cgroup_root(void)
{
	char line[4096];
	FILE *file = fopen("/proc/self/mountinfo", "re");
	int fd = -ENOENT;

	if (!file)
		return -errno;
	while (fd < 0 && fgets(line, sizeof(line), file)) {
		char root[1024], where[1024];

		if (!strstr(line, " - cgroup2 ") ||
		    sscanf(line, "%*d %*d %*s %1023s %1023s", root, where) != 2 ||
		    strcmp(root, "/") != 0)
			continue;
		fd = open(where, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (fd < 0)
			fd = -errno;
	}
	fclose(file);
	return fd;
}

/* Arguments that came and went: looked up in the kernel's own description of its hooks. */
static bool perf_has_attributes(const struct btf *kernel)
{
	int id = btf__find_by_name_kind(kernel, "security_perf_event_open", BTF_KIND_FUNC);
	const struct btf_type *type = id < 0 ? NULL : btf__type_by_id(kernel, (uint32_t)id);

	type = type ? btf__type_by_id(kernel, type->type) : NULL;
	return !type || btf_vlen(type) > 1;
}

/* Has an inode a member of its own for what fs-verity says of it? */
static bool inode_has_verity(const struct btf *kernel)
{
	int id = btf__find_by_name_kind(kernel, "inode", BTF_KIND_STRUCT);
	const struct btf_type *type = id < 0 ? NULL : btf__type_by_id(kernel, (uint32_t)id);

	for (int i = 0; type && i < btf_vlen(type); i++)
		if (!strcmp(btf__name_by_offset(kernel, btf_members(type)[i].name_off),
			    "i_verity_info"))
			return true;
	return false;
}

/* ---- loading ---- */

int lictor_engine_map(const struct lictor_engine *engine, const char *name)
{
	return bpf_object__find_map_fd_by_name(engine->batch[0].object, name);
}

struct bpf_program *lictor_engine_program(const struct lictor_engine *engine, const char *name)
{
	for (size_t i = 0; i < engine->batches; i++) {
		struct bpf_program *program = bpf_object__find_program_by_name(
			engine->batch[i].object, name);

		if (program && bpf_program__fd(program) >= 0)
			return program;
	}
	return NULL;
}

static int share_maps(const struct lictor_engine *engine, struct bpf_object *object)
{
	struct bpf_map *map;

	bpf_object__for_each_map(map, object) {
		int fd, error;

		if (bpf_map__is_internal(map))
			continue;
		fd = lictor_engine_map(engine, bpf_map__name(map));
		error = fd < 0 ? fd : bpf_map__reuse_fd(map, fd);
		if (error)
			return error;
	}
	return 0;
}

static void destroy_typed(void *skeleton)
{
	lictor_bpf__destroy(skeleton);
}

static void destroy_probing(void *skeleton)
{
	lictor_probing__destroy(skeleton);
}

/* Opens one of the two objects and sets what its programs read as constants. */
static int open_object(struct lictor_engine *engine, enum lictor_via way, uint32_t cpus,
		       struct lictor_batch *ret)
{
	if (way == LICTOR_VIA_KPROBE) {
		struct lictor_probing *skeleton = lictor_probing__open();

		if (!skeleton)
			return -errno;
		skeleton->rodata->lictor_cpus = cpus;
		skeleton->rodata->lictor_way = way;
		skeleton->rodata->lictor_perf_attr = engine->perf_attr;
		skeleton->rodata->lictor_keeps_cpu = engine->keeps_cpu;
		skeleton->rodata->lictor_asks_verity = engine->asks_verity &&
						       engine->way == LICTOR_VIA_LSM;
		*ret = (struct lictor_batch){ skeleton->obj, skeleton, destroy_probing };
	} else {
		struct lictor_bpf *skeleton = lictor_bpf__open();

		if (!skeleton)
			return -errno;
		skeleton->rodata->lictor_cpus = cpus;
		skeleton->rodata->lictor_way = way;
		skeleton->rodata->lictor_perf_attr = engine->perf_attr;
		skeleton->rodata->lictor_keeps_cpu = engine->keeps_cpu;
		skeleton->rodata->lictor_asks_verity = engine->asks_verity &&
						       engine->way == LICTOR_VIA_LSM;
		*ret = (struct lictor_batch){ skeleton->obj, skeleton, destroy_typed };
	}
	return 0;
}

/* A program of the LSM table by the return value of the function: its body is the same. */
static int set_way(enum lictor_via way, struct bpf_program *program)
{
	const char *name = bpf_program__name(program);
	char function[80];
	int hook = 0, error;

	if (strncmp(name, "lsm_", 4) != 0 || way != LICTOR_VIA_FMOD_RET)
		return 0;
	while (hook < LICTOR_HOOKS && strcmp(lictor_hooks[hook].program, name) != 0)
		hook++;
	if (hook == LICTOR_HOOKS)
		return 0;
	lictor_ways_function((enum lictor_hook)hook, function, sizeof(function));
	error = bpf_program__set_type(program, BPF_PROG_TYPE_TRACING);
	/* It returns nothing that could be changed. */
	if (!error)
		error = bpf_program__set_expected_attach_type(
			program, hook == LICTOR_HOOK_sock_graft ? BPF_TRACE_FENTRY :
								  BPF_MODIFY_RETURN);
	return error ? error : bpf_program__set_attach_target(program, 0, function);
}

static int load_batch(struct lictor_engine *engine, enum lictor_via way, const char *const *name,
		      size_t names)
{
	struct lictor_batch batch;
	struct bpf_program *program;
	struct bpf_map *scratch;
	int cpus = libbpf_num_possible_cpus(), error;

	if (cpus < 0)
		return cpus;
	if (engine->batches == LICTOR_BATCHES_MAX)
		return -ENOSPC;
	error = open_object(engine, way, (uint32_t)cpus, &batch);
	if (error)
		return error;
	bpf_object__for_each_program(program, batch.object) {
		bool wanted = false;

		for (size_t i = 0; i < names; i++)
			wanted |= !strcmp(bpf_program__name(program), name[i]);
		bpf_program__set_autoload(program, wanted);
		if (wanted && !error)
			error = set_way(way, program);
	}
	scratch = bpf_object__find_map_by_name(batch.object, "scratch");
	if (!error && engine->batches)
		error = share_maps(engine, batch.object);
	else if (!error)
		error = bpf_map__set_max_entries(scratch, (uint32_t)cpus + LICTOR_POOL);
	if (!error)
		error = bpf_object__load(batch.object);
	if (error) {
		batch.destroy(batch.skeleton);
		return error;
	}
	engine->batch[engine->batches++] = batch;
	return 0;
}

/*
 * Programs that share a way share a batch; those that are no functions' go with the LSM's, but those
 * of control groups, which may do less.
 */
int lictor_engine_load(struct lictor_engine *engine, lictor_hook_set hooks)
{
	const char *name[LICTOR_HOOKS];
	int error = 0;

	for (int way = LICTOR_VIA_LSM; !error && way < LICTOR_VIAS; way++) {
		size_t names = 0;

		for (int i = 0; i < LICTOR_HOOKS; i++) {
			int own = engine->hook[i].way;

			if (lictor_hooks[i].way == LICTOR_VIA_CGROUP)
				own = LICTOR_VIA_CGROUP;
			else if (own > LICTOR_VIA_KPROBE)
				own = LICTOR_VIA_LSM;
			if (own == way && hooks >> i & 1 && i != LICTOR_HOOK_sched_process_exec &&
			    !lictor_engine_program(engine, lictor_hooks[i].program))
				name[names++] = lictor_hooks[i].program;
		}
		if (names)
			error = load_batch(engine, (enum lictor_via)way, name, names);
	}
	return error;
}

int lictor_engine_load_scan(struct lictor_engine *engine)
{
	static const char *const name[] = {
		"scan_files", "scan_sockets", "scan_tasks", "scan_mappings",
	};

	if (lictor_engine_program(engine, name[0]))
		return 0;
	return load_batch(engine, LICTOR_VIA_LSM, name, sizeof(name) / sizeof(*name));
}

static struct bpf_link *attach_program(const struct lictor_engine *engine, enum lictor_hook hook,
				       const struct bpf_program *program)
{
	char function[80];

	switch ((int)engine->hook[hook].way) {
	case LICTOR_VIA_CGROUP:
		return bpf_program__attach_cgroup(program, engine->cgroup_fd);
	case LICTOR_VIA_FMOD_RET:
		return bpf_program__attach_trace(program);
	case LICTOR_VIA_KPROBE:
		/* Of a function that is no hook's, the section has the name. */
		if (lictor_hooks[hook].way != LICTOR_VIA_LSM)
			return bpf_program__attach(program);
		lictor_ways_function(hook, function, sizeof(function));
		return bpf_program__attach_kprobe(program, false, function);
	default:
		return bpf_program__attach(program);
	}
}

int lictor_engine_attach(struct lictor_engine *engine, enum lictor_hook hook)
{
	struct bpf_program *program;
	struct bpf_link *link;

	if (engine->hook[hook].attached)
		return 0;
	if (hook != LICTOR_HOOK_sched_process_exec) {
		program = lictor_engine_program(engine, lictor_hooks[hook].program);
		if (!program)
			return -ENOENT;
		link = attach_program(engine, hook, program);
		if (!link)
			return -errno;
		engine->link[hook] = link;
	}
	engine->hook[hook].attached = true;
	return 0;
}

void lictor_engine_detach(struct lictor_engine *engine, enum lictor_hook hook)
{
	if (engine->link[hook])
		bpf_link__destroy(engine->link[hook]);
	engine->link[hook] = NULL;
	engine->hook[hook].attached = false;
}

static int attach_trackers(struct lictor_engine *engine)
{
	for (int i = 0; i < 2; i++) {
		struct bpf_program *program = lictor_engine_program(engine, base_programs[i]);

		engine->tracker[i] = program ? bpf_program__attach(program) : NULL;
		if (!engine->tracker[i])
			return program ? -errno : -ENOENT;
	}
	return 0;
}

/* Without a tree of control groups there is nothing to attach it to: the canary is left. */
static void attach_guard(struct lictor_engine *engine)
{
	static const char *const name[] = { "guard_ftrace" };
	struct bpf_program *program;

	engine->guard_error = engine->cgroup_fd < 0 ? engine->cgroup_fd :
						      load_batch(engine, LICTOR_VIA_LSM, name, 1);
	if (engine->guard_error)
		return;
	program = lictor_engine_program(engine, name[0]);
	engine->guard = program ? bpf_program__attach_cgroup(program, engine->cgroup_fd) : NULL;
	if (!engine->guard)
		engine->guard_error = -errno;
}

/* bpf_loop() came with 5.17; task storage, which it implies, with 5.11. */
static int kernel_is_new_enough(void)
{
	int loop = libbpf_probe_bpf_helper(BPF_PROG_TYPE_SOCKET_FILTER, BPF_FUNC_loop, NULL);

	if (loop < 0)
		return loop;
	return loop ? 0 : -ENOSYS;
}

static int try_cgroup(struct lictor_engine *engine)
{
	lictor_hook_set hooks = 0;

	if (engine->cgroup_fd < 0)
		return engine->cgroup_fd;
	for (int i = 0; i < LICTOR_HOOKS; i++)
		if (lictor_hooks[i].way == LICTOR_VIA_CGROUP && lictor_hooks[i].events)
			hooks |= LICTOR_HOOK_BIT(i);
	return lictor_engine_load(engine, hooks);
}

static int load_base(struct lictor_engine *engine)
{
	return load_batch(engine, LICTOR_VIA_LSM, base_programs,
			  sizeof(base_programs) / sizeof(*base_programs));
}

static int open_all(struct lictor_engine *engine)
{
	struct btf *kernel OWN(own_btf__free) = btf__load_vmlinux_btf();
	int error;

	if (!kernel)
		return -ENOSYS;
	error = kernel_is_new_enough();
	if (error)
		return error;
	engine->reads_verity = inode_has_verity(kernel);
	engine->asks_verity = !engine->reads_verity &&
		btf__find_by_name_kind(kernel, "bpf_get_fsverity_digest", BTF_KIND_FUNC) > 0;
	engine->keeps_cpu = btf__find_by_name_kind(kernel, "bpf_preempt_disable", BTF_KIND_FUNC) > 0;
	error = load_base(engine);
	/* The first verifiers that know of it refuse what these programs are made of. */
	if (error && engine->keeps_cpu) {
		engine->keeps_cpu = 0;
		error = load_base(engine);
	}
	if (error)
		return error;
	engine->control = mmap(NULL, sizeof(*engine->control), PROT_READ | PROT_WRITE, MAP_SHARED,
			       lictor_engine_map(engine, "control"), 0);
	if (engine->control == MAP_FAILED) {
		engine->control = NULL;
		return -errno;
	}
	/* Of what is displayed only: without random numbers names are easier to confuse. */
	if (getrandom(&engine->control->seed, sizeof(engine->control->seed), GRND_NONBLOCK) < 0)
		engine->control->seed = lictor_monotonic_ns();
	engine->perf_attr = perf_has_attributes(kernel);
	engine->cgroup_fd = cgroup_root();
	engine->control->unified = lictor_host_unified();
	engine->cgroup_error = -ESRCH; /* not needed */
	if (lictor_ways_choose(engine, kernel))
		engine->cgroup_error = try_cgroup(engine);
	lictor_ways_find(engine, kernel);
	attach_guard(engine);
	error = lictor_engine_rings_open(engine);
	return error ? error : attach_trackers(engine);
}

int lictor_engine_open(lictor_engine_log *log, enum lictor_via way, struct lictor_engine **ret_engine)
{
	struct lictor_engine *engine = calloc(1, sizeof(*engine));
	int error;

	if (!engine)
		return -ENOMEM;
	engine->log = log;
	engine->asked = way;
	engine->cgroup_fd = -1;
	engine->next = 1;
	for (int i = 0; i < 2; i++)
		engine->image_fd[i] = engine->count_fd[i] = -1;
	libbpf_set_print(quiet);
	error = open_all(engine);
	if (error) {
		lictor_engine_close(engine);
		return error;
	}
	*ret_engine = engine;
	return 0;
}

static void drop_batch(struct lictor_batch *batch)
{
	batch->destroy(batch->skeleton);
}

void lictor_engine_close(struct lictor_engine *engine)
{
	if (!engine)
		return;
	for (int i = 0; i < LICTOR_HOOKS; i++)
		lictor_engine_detach(engine, (enum lictor_hook)i);
	for (int i = 0; i < 2; i++)
		if (engine->tracker[i])
			bpf_link__destroy(engine->tracker[i]);
	if (engine->guard)
		bpf_link__destroy(engine->guard);
	for (int i = 0; i < LICTOR_RINGS; i++)
		if (engine->ring[i])
			ring_buffer__free(engine->ring[i]);
	if (engine->control)
		munmap(engine->control, sizeof(*engine->control));
	for (int i = 0; i < 2; i++) {
		if (engine->image_fd[i] >= 0)
			close(engine->image_fd[i]);
		if (engine->count_fd[i] >= 0)
			close(engine->count_fd[i]);
	}
	if (engine->cgroup_fd >= 0)
		close(engine->cgroup_fd);
	lictor_mounts_free(&engine->sought);
	lictor_mounts_free(&engine->table);
	free(engine->device);
	while (engine->batches)
		drop_batch(&engine->batch[--engine->batches]);
	free(engine);
}
