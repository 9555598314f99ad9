/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The privileged room: programs into the kernel. In: the skeleton, what a rule set needs. Out:
 * programs loaded and attached, or the reason why not. May touch: bpf(2), BTF, securityfs and the
 * control group tree, reading.
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
#include <syslog.h>
#include <unistd.h>

#include "daemon/own.h"

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wcast-qual" /* in what bpftool writes */
#include "lictor.skel.h"
#pragma GCC diagnostic pop

OWNABLE(struct btf, btf__free)

static const struct {
	const char *hook;
	const char *program;
	enum lictor_via via;
	uint64_t events;
} table[LICTOR_HOOKS] = {
#define PROGRAM_LSM(id) "lsm_" #id
#define PROGRAM_TP_BTF(id) "tp_" #id
#define PROGRAM_CGROUP(id) "cg_" #id
#define X(id, way, set) \
	[LICTOR_HOOK_##id] = { #id, PROGRAM_##way(id), LICTOR_VIA_##way, set },
	LICTOR_HOOK_TABLE(X)
#undef X
};

static const char *const via_words[LICTOR_VIAS] = {
#define X(id, word) word,
	LICTOR_VIA_TABLE(X)
#undef X
};

/* Programs that are always there: they keep subjects and answer for the daemon. */
static const char *const base_programs[] = {
	"track_newtask", "track_exec", "classify_tasks", "classify_lineage", "read_anchors",
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

/* bpf among the active LSMs: without it LSM programs attach, and never run. */
static int lsm_active(void)
{
	char list[512] = ",";
	int fd = open("/sys/kernel/security/lsm", O_RDONLY | O_CLOEXEC);
	ssize_t length;

	if (fd < 0)
		return errno == ENOENT ? -ENODATA : -errno;
	length = read(fd, list + 1, sizeof(list) - 3);
	close(fd);
	if (length < 0)
		return -errno;
	list[length + 1] = ',';
	list[length + 2] = '\0';
	return strstr(list, ",bpf,") ? 0 : -EOPNOTSUPP;
}

/* While it is 0, programs attach and are never called: not even an error says so. */
static int ftrace_enabled(void)
{
	char value = '1';
	int fd = open("/proc/sys/kernel/ftrace_enabled", O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return 0;
	if (read(fd, &value, 1) != 1)
		value = '1';
	close(fd);
	return value == '0' ? -ENETDOWN : 0;
}

/* The smallest LSM program: does this kernel take any? */
static int lsm_loads(const struct btf *kernel)
{
	const struct bpf_insn program[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = 0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	LIBBPF_OPTS(bpf_prog_load_opts, options, .expected_attach_type = BPF_LSM_MAC);
	int type = btf__find_by_name_kind(kernel, "bpf_lsm_file_open", BTF_KIND_FUNC), fd;

	if (type < 0)
		return -EOPNOTSUPP;
	options.attach_btf_id = (unsigned int)type;
	fd = bpf_prog_load(BPF_PROG_TYPE_LSM, "lictor_try", "GPL", program, 2, &options);
	if (fd < 0)
		return fd;
	close(fd);
	return 0;
}

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

static void find_hooks(struct lictor_engine *engine, const struct btf *kernel)
{
	for (int i = 0; i < LICTOR_HOOKS; i++) {
		struct lictor_hook_state *state = &engine->hook[i];
		char function[64];

		state->hook = table[i].hook;
		state->via = via_words[table[i].via];
		state->events = table[i].events;
		switch (table[i].via) {
		case LICTOR_VIA_LSM:
			snprintf(function, sizeof(function), "bpf_lsm_%s", table[i].hook);
			state->error = -engine->lsm_error;
			if (btf__find_by_name_kind(kernel, function, BTF_KIND_FUNC) < 0)
				state->error = ENOENT;
			break;
		case LICTOR_VIA_CGROUP:
			state->error = -engine->cgroup_error;
			break;
		case LICTOR_VIA_TP_BTF:
		case LICTOR_VIAS:
			break;
		}
		state->loaded = !state->error;
	}
}

/* ---- loading ---- */

int lictor_engine_map(const struct lictor_engine *engine, const char *name)
{
	return bpf_object__find_map_fd_by_name(engine->batch[0].skeleton->obj, name);
}

struct bpf_program *lictor_engine_program(const struct lictor_engine *engine, const char *name)
{
	for (size_t i = 0; i < engine->batches; i++) {
		struct bpf_program *program = bpf_object__find_program_by_name(
			engine->batch[i].skeleton->obj, name);

		if (program && bpf_program__fd(program) >= 0)
			return program;
	}
	return NULL;
}

static int share_maps(const struct lictor_engine *engine, struct lictor_bpf *skeleton)
{
	struct bpf_map *map;

	bpf_object__for_each_map(map, skeleton->obj) {
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

static int load_batch(struct lictor_engine *engine, const char *const *name, size_t names)
{
	struct lictor_bpf *skeleton;
	struct bpf_program *program;
	int cpus = libbpf_num_possible_cpus(), error = 0;

	if (cpus < 0)
		return cpus;
	if (engine->batches == LICTOR_BATCHES_MAX)
		return -ENOSPC;
	skeleton = lictor_bpf__open();
	if (!skeleton)
		return -errno;
	bpf_object__for_each_program(program, skeleton->obj) {
		bool wanted = false;

		for (size_t i = 0; i < names; i++)
			wanted |= !strcmp(bpf_program__name(program), name[i]);
		bpf_program__set_autoload(program, wanted);
	}
	skeleton->rodata->lictor_cpus = (uint32_t)cpus;
	if (engine->batches)
		error = share_maps(engine, skeleton);
	else
		error = bpf_map__set_max_entries(skeleton->maps.scratch,
						 (uint32_t)cpus + LICTOR_POOL);
	if (!error)
		error = lictor_bpf__load(skeleton);
	if (error) {
		lictor_bpf__destroy(skeleton);
		return error;
	}
	engine->batch[engine->batches++].skeleton = skeleton;
	return 0;
}

int lictor_engine_load(struct lictor_engine *engine, uint64_t hooks)
{
	const char *name[LICTOR_HOOKS];
	size_t names = 0;

	for (int i = 0; i < LICTOR_HOOKS; i++)
		if (hooks >> i & 1 && i != LICTOR_HOOK_sched_process_exec &&
		    !lictor_engine_program(engine, table[i].program))
			name[names++] = table[i].program;
	return names ? load_batch(engine, name, names) : 0;
}

int lictor_engine_attach(struct lictor_engine *engine, enum lictor_hook hook)
{
	struct bpf_program *program;
	struct bpf_link *link;

	if (engine->hook[hook].attached)
		return 0;
	if (hook != LICTOR_HOOK_sched_process_exec) {
		program = lictor_engine_program(engine, table[hook].program);
		if (!program)
			return -ENOENT;
		if (table[hook].via == LICTOR_VIA_CGROUP)
			link = bpf_program__attach_cgroup(program, engine->cgroup_fd);
		else
			link = bpf_program__attach(program);
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

/* bpf_loop() came with 5.17; task storage, which it implies, with 5.11. */
static int kernel_is_new_enough(void)
{
	int loop = libbpf_probe_bpf_helper(BPF_PROG_TYPE_SOCKET_FILTER, BPF_FUNC_loop, NULL);

	if (loop < 0)
		return loop;
	return loop ? 0 : -ENOSYS;
}

static void try_cgroup(struct lictor_engine *engine)
{
	uint64_t hooks = 0;

	engine->cgroup_fd = cgroup_root();
	if (engine->cgroup_fd < 0) {
		engine->cgroup_error = engine->cgroup_fd;
		return;
	}
	for (int i = 0; i < LICTOR_HOOKS; i++)
		if (table[i].via == LICTOR_VIA_CGROUP)
			hooks |= 1ull << i;
	engine->cgroup_error = lictor_engine_load(engine, hooks);
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
	error = load_batch(engine, base_programs, sizeof(base_programs) / sizeof(*base_programs));
	if (error)
		return error;
	engine->control = mmap(NULL, sizeof(*engine->control), PROT_READ | PROT_WRITE, MAP_SHARED,
			       lictor_engine_map(engine, "control"), 0);
	if (engine->control == MAP_FAILED) {
		engine->control = NULL;
		return -errno;
	}
	engine->lsm_error = lsm_active();
	if (!engine->lsm_error)
		engine->lsm_error = ftrace_enabled();
	if (!engine->lsm_error)
		engine->lsm_error = lsm_loads(kernel);
	engine->cgroup_error = -ESRCH; /* not needed */
	if (engine->lsm_error)
		try_cgroup(engine);
	find_hooks(engine, kernel);
	error = lictor_engine_rings_open(engine);
	return error ? error : attach_trackers(engine);
}

int lictor_engine_open(lictor_engine_log *log, struct lictor_engine **ret_engine)
{
	struct lictor_engine *engine = calloc(1, sizeof(*engine));
	int error;

	if (!engine)
		return -ENOMEM;
	engine->log = log;
	engine->cgroup_fd = -1;
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

void lictor_engine_close(struct lictor_engine *engine)
{
	if (!engine)
		return;
	for (int i = 0; i < LICTOR_HOOKS; i++)
		lictor_engine_detach(engine, (enum lictor_hook)i);
	for (int i = 0; i < 2; i++)
		if (engine->tracker[i])
			bpf_link__destroy(engine->tracker[i]);
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
	while (engine->batches)
		lictor_bpf__destroy(engine->batch[--engine->batches].skeleton);
	free(engine);
}

size_t lictor_engine_hooks(const struct lictor_engine *engine,
			   const struct lictor_hook_state **ret_hook)
{
	*ret_hook = engine->hook;
	return LICTOR_HOOKS;
}

static const char *why_no_lsm(const struct lictor_engine *engine)
{
	switch (-engine->lsm_error) {
	case EOPNOTSUPP:
		return "bpf is not among the active LSMs (add it to lsm= on the kernel command line)";
	case ENODATA:
		return "securityfs is not mounted, so the active LSMs are not known";
	case ENETDOWN:
		return "kernel.ftrace_enabled is 0: LSM programs attach and never run";
	case EPERM:
		return "this kernel refuses BPF LSM programs (EPERM)";
	default:
		return "BPF LSM programs do not load";
	}
}

enum lictor_action lictor_engine_can(const struct lictor_engine *engine, enum lictor_event event,
				     const char **ret_why)
{
	bool lsm = false, cgroup = false;

	for (int i = 0; i < LICTOR_HOOKS; i++) {
		bool loads = engine->hook[i].loaded && table[i].events >> event & 1;

		lsm |= loads && table[i].via == LICTOR_VIA_LSM;
		cgroup |= loads && table[i].via == LICTOR_VIA_CGROUP;
	}
	if (lsm)
		return LICTOR_ACTION_KILL;
	if (event == LICTOR_EVENT_EXIT) {
		*ret_why = "a process that ends can only be reported";
		return LICTOR_ACTION_ALERT;
	}
	*ret_why = why_no_lsm(engine);
	if (cgroup)
		return LICTOR_ACTION_KILL;
	return event == LICTOR_EVENT_EXEC ? LICTOR_ACTION_SIGNAL : LICTOR_ACTION_NONE;
}
