/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The privileged room: by which way each hook is reached on this kernel. In: the kernel's BTF, what
 * it says of itself, the smallest programs, tried. Out: the state of each hook, and what that lets
 * rules do. May touch: bpf(2), to try; securityfs, procfs and sysfs, reading.
 */
#include "daemon/ways.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

const struct lictor_hook_entry lictor_hooks[LICTOR_HOOKS] = {
#define PROGRAM_LSM(id) "lsm_" #id
#define PROGRAM_TP_BTF(id) "tp_" #id
#define PROGRAM_FENTRY(id) "fe_" #id
#define PROGRAM_CGROUP(id) "cg_" #id
#define X(id, way, set) \
	[LICTOR_HOOK_##id] = { #id, PROGRAM_##way(id), LICTOR_VIA_##way, set },
	LICTOR_HOOK_TABLE(X)
#undef X
};

/* Watched as they are entered: kprobes do for that as well. See bpf/watch.bpf.h. */
#define ENTERED \
	(LICTOR_HOOK_BIT(LICTOR_HOOK_switch_task_namespaces) | \
	 LICTOR_HOOK_BIT(LICTOR_HOOK_open_detached_copy) | LICTOR_HOOK_BIT(LICTOR_HOOK_do_dup2) | \
	 LICTOR_HOOK_BIT(LICTOR_HOOK_fd_install) | LICTOR_HOOK_BIT(LICTOR_HOOK_uts_proc_notify) | \
	 LICTOR_HOOK_BIT(LICTOR_HOOK_graft_tree) | LICTOR_HOOK_BIT(LICTOR_HOOK_mnt_set_mountpoint) | \
	 LICTOR_HOOK_BIT(LICTOR_HOOK_begin_new_exec))

static const char *const via_words[LICTOR_VIAS] = {
#define X(id, word) word,
	LICTOR_VIA_TABLE(X)
#undef X
};

/* ---- to the hooks of the LSM table ---- */

/* bpf among the active LSMs: without it LSM programs attach, and never run. */
static int lsm_error(void)
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
static int ftrace_error(void)
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

/* The smallest program of a type: does this kernel take any? */
static int loads(const struct btf *kernel, enum bpf_prog_type type, enum bpf_attach_type attach,
		 const char *function)
{
	const struct bpf_insn program[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = 0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	LIBBPF_OPTS(bpf_prog_load_opts, options, .expected_attach_type = attach);
	int id = function ? btf__find_by_name_kind(kernel, function, BTF_KIND_FUNC) : 0, fd;

	if (id < 0)
		return -EOPNOTSUPP;
	options.attach_btf_id = (unsigned int)id;
	fd = bpf_prog_load(type, "lictor_try", "GPL", program, 2, &options);
	if (fd < 0)
		return fd;
	close(fd);
	return 0;
}

/* Programs may load and yet never run: what else a way needs. */
static int try_way(const struct btf *kernel, enum lictor_via way)
{
	int error = ftrace_error();

	if (way == LICTOR_VIA_LSM && !error)
		error = lsm_error();
	if (error)
		return error;
	switch ((int)way) {
	case LICTOR_VIA_LSM:
		return loads(kernel, BPF_PROG_TYPE_LSM, BPF_LSM_MAC, "bpf_lsm_file_open");
	case LICTOR_VIA_FMOD_RET:
		return loads(kernel, BPF_PROG_TYPE_TRACING, BPF_MODIFY_RETURN,
			     "security_file_open");
	case LICTOR_VIA_FENTRY:
		return loads(kernel, BPF_PROG_TYPE_TRACING, BPF_TRACE_FENTRY, "security_file_open");
	default:
		if (access("/sys/bus/event_source/devices/kprobe/type", F_OK) < 0)
			return -EOPNOTSUPP;
		return loads(kernel, BPF_PROG_TYPE_KPROBE, 0, NULL);
	}
}

int lictor_ways_choose(struct lictor_engine *engine, const struct btf *kernel)
{
	static const enum lictor_via order[] = {
		LICTOR_VIA_LSM, LICTOR_VIA_FMOD_RET, LICTOR_VIA_KPROBE,
	};
	bool chosen = false;

	engine->way = engine->asked < LICTOR_VIAS ? engine->asked : LICTOR_VIA_LSM;
	for (size_t i = 0; i < sizeof(order) / sizeof(*order); i++) {
		engine->way_error[order[i]] = try_way(kernel, order[i]);
		if (chosen || engine->way_error[order[i]] ||
		    (engine->asked < LICTOR_VIAS && engine->asked != order[i]))
			continue;
		engine->way = order[i];
		chosen = true;
	}
	engine->way_error[LICTOR_VIA_FENTRY] = engine->way == LICTOR_VIA_KPROBE && chosen ?
		-EOPNOTSUPP : try_way(kernel, LICTOR_VIA_FENTRY);
	return engine->way_error[engine->way];
}

/* ---- to each hook ---- */

/* What the kernel calls a hook of the LSM table: of some functions there are several here. */
static const char *kernel_hook(enum lictor_hook hook)
{
	switch ((int)hook) {
	case LICTOR_HOOK_sysctl_open:
		return "file_open";
	case LICTOR_HOOK_sysctl_permission:
	case LICTOR_HOOK_held_send:
		return "file_permission";
	case LICTOR_HOOK_socket_receive:
		return "file_receive";
	case LICTOR_HOOK_held_mmap:
		return "mmap_file";
	case LICTOR_HOOK_anchor_move:
		return "move_mount";
	default:
		return lictor_hooks[hook].hook;
	}
}

void lictor_ways_function(enum lictor_hook hook, char *ret_name, size_t room)
{
	const char *base = kernel_hook(hook);

	if (hook == LICTOR_HOOK_bprm_check_security)
		base = "bprm_check";
	else if (hook == LICTOR_HOOK_settime)
		base = "settime64";
	else if (hook == LICTOR_HOOK_userns_create)
		base = "create_user_ns";
	snprintf(ret_name, room, "security_%s", base);
}

/* Where a program of the FENTRY table hangs: the function that its section names. */
static const char *watched_function(const struct lictor_engine *engine, enum lictor_hook hook)
{
	const struct bpf_program *program = bpf_object__find_program_by_name(
		engine->batch[0].object, lictor_hooks[hook].program);
	const char *slash = program ? strchr(bpf_program__section_name(program), '/') : NULL;

	return slash ? slash + 1 : "";
}

/*
 * The way to one hook. Of prctl(2) the capability module has carried out its part before other LSMs
 * are asked: only before all of them can it be denied.
 */
static enum lictor_via way_of(const struct lictor_engine *engine, enum lictor_hook hook)
{
	if (engine->way == LICTOR_VIA_KPROBE && ENTERED & LICTOR_HOOK_BIT(hook))
		return LICTOR_VIA_KPROBE;
	if (lictor_hooks[hook].way != LICTOR_VIA_LSM)
		return lictor_hooks[hook].way;
	if (hook == LICTOR_HOOK_task_prctl && engine->way == LICTOR_VIA_LSM &&
	    !engine->way_error[LICTOR_VIA_FMOD_RET])
		return LICTOR_VIA_FMOD_RET;
	return engine->way;
}

static bool in_kernel(const struct lictor_engine *engine, const struct btf *kernel,
		      enum lictor_hook hook)
{
	char function[80], traced[80];

	switch ((int)lictor_hooks[hook].way) {
	case LICTOR_VIA_LSM:
		if (way_of(engine, hook) == LICTOR_VIA_LSM)
			snprintf(function, sizeof(function), "bpf_lsm_%s", kernel_hook(hook));
		else
			lictor_ways_function(hook, function, sizeof(function));
		return btf__find_by_name_kind(kernel, function, BTF_KIND_FUNC) >= 0;
	case LICTOR_VIA_FENTRY:
		return btf__find_by_name_kind(kernel, watched_function(engine, hook),
					      BTF_KIND_FUNC) >= 0;
	case LICTOR_VIA_TP_BTF:
		snprintf(traced, sizeof(traced), "btf_trace_%s", lictor_hooks[hook].hook);
		return btf__find_by_name_kind(kernel, traced, BTF_KIND_TYPEDEF) >= 0;
	default:
		return true;
	}
}

static int way_error(const struct lictor_engine *engine, enum lictor_hook hook)
{
	/* These carry out what watched functions decide. */
	if (hook == LICTOR_HOOK_refuse4 || hook == LICTOR_HOOK_refuse6)
		return engine->cgroup_fd < 0 ? engine->cgroup_fd :
					       engine->way_error[LICTOR_VIA_FENTRY];
	switch ((int)lictor_hooks[hook].way) {
	case LICTOR_VIA_LSM:
		return engine->way_error[engine->way];
	case LICTOR_VIA_FENTRY:
		return engine->way_error[way_of(engine, hook)];
	case LICTOR_VIA_CGROUP:
		return engine->cgroup_error;
	default:
		return 0;
	}
}

void lictor_ways_find(struct lictor_engine *engine, const struct btf *kernel)
{
	for (int i = 0; i < LICTOR_HOOKS; i++) {
		struct lictor_hook_state *state = &engine->hook[i];

		state->hook = lictor_hooks[i].hook;
		state->way = way_of(engine, (enum lictor_hook)i);
		state->via = via_words[state->way];
		state->events = lictor_hooks[i].events;
		state->error = -way_error(engine, (enum lictor_hook)i);
		if (!in_kernel(engine, kernel, (enum lictor_hook)i))
			state->error = ENOENT;
		state->loaded = !state->error;
	}
}

/* ---- what rules can do by them ---- */

size_t lictor_engine_hooks(const struct lictor_engine *engine,
			   const struct lictor_hook_state **ret_hook)
{
	*ret_hook = engine->hook;
	return LICTOR_HOOKS;
}

static const char *why_no_way(const struct lictor_engine *engine)
{
	switch (-engine->way_error[LICTOR_VIA_LSM]) {
	case EOPNOTSUPP:
		return "bpf is not among the active LSMs (add it to lsm= on the kernel command line)";
	case ENODATA:
		return "securityfs is not mounted, so the active LSMs are not known";
	case ENETDOWN:
		return "kernel.ftrace_enabled is 0: programs attach and never run";
	case EPERM:
		return "this kernel refuses BPF LSM programs (EPERM)";
	case 0:
		return "kprobes were asked for, and cannot deny";
	default:
		return "BPF LSM programs do not load";
	}
}

enum lictor_action lictor_engine_can(const struct lictor_engine *engine, enum lictor_event event,
				     const char **ret_why)
{
	bool denies = false, probes = false, watches = false, cgroup = false;

	for (int i = 0; i < LICTOR_HOOKS; i++) {
		const struct lictor_hook_state *hook = &engine->hook[i];

		if (!hook->loaded || !(lictor_hooks[i].events >> event & 1))
			continue;
		denies |= hook->way == LICTOR_VIA_LSM || hook->way == LICTOR_VIA_FMOD_RET;
		probes |= hook->way == LICTOR_VIA_KPROBE;
		watches |= lictor_hooks[i].way == LICTOR_VIA_FENTRY ||
			   lictor_hooks[i].way == LICTOR_VIA_TP_BTF;
		cgroup |= hook->way == LICTOR_VIA_CGROUP;
	}
	if (denies)
		return LICTOR_ACTION_KILL;
	if (event == LICTOR_EVENT_EXIT) {
		*ret_why = "a process that ends can only be reported";
		return LICTOR_ACTION_ALERT;
	}
	/* That nothing denies them, is in the vocabulary: a kill is the signal. */
	if (watches && !lictor_event_words[event].deny)
		return LICTOR_ACTION_KILL;
	*ret_why = why_no_way(engine);
	if (cgroup)
		return LICTOR_ACTION_BLOCK;
	if (probes || watches)
		return LICTOR_ACTION_SIGNAL;
	if (lictor_ways_unwatched(engine, event))
		*ret_why = lictor_ways_unwatched(engine, event);
	return LICTOR_ACTION_NONE;
}
