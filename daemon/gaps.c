/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The privileged room: what of an event escapes a kernel that tells of the event. In: the state of
 * each hook. Out: the parts that no hook tells of, and the fields that are never known. Touches
 * nothing.
 */
#include <errno.h>

#include "daemon/ways.h"

#define B(bit) (1ull << (bit))
#define ANY (~0ull)
#define H(id) LICTOR_HOOK_BIT(LICTOR_HOOK_##id)

/* Numbers as in rules/vocab.tab. */
#define TCP_AND_UDP (B(0) | B(1))
#define USER_NAMESPACE B(6)
enum { CLONE = 6, ATTRIBUTES };
enum { LOAD, UNLOAD };
enum { SET_CLOCK, ADJUST };

#define TRAMPOLINES "without trampolines the function that does it is not watched"
#define NO_FUNCTION "this kernel has no function to watch for it"
#define NO_HOOK "no hook that there is here tells of it"

/*
 * The hooks, of which one is enough, that tell of an event where the field has one of the values.
 * What is in several rows with the same values is seen as far as one of them is.
 */
static const struct {
	enum lictor_event event;
	int field;
	uint64_t values;
	lictor_hook_set hooks;
	const char *what;
} parts[] = {
	{ LICTOR_EVENT_EXEC, LICTOR_FIELD_FILE_MAPPED, B(1), H(mmap_file), "code that is mapped" },
	{ LICTOR_EVENT_CONNECT, LICTOR_FIELD_NETWORK_TRANSPORT, ~TCP_AND_UDP, H(socket_connect),
	  "connections but those of TCP and UDP" },
	{ LICTOR_EVENT_CONNECT, LICTOR_FIELD_NONE, ANY,
	  H(tcp_v4_pre_connect) | H(tcp_v6_pre_connect) | H(udp_pre_connect) | H(udpv6_pre_connect),
	  "connections that the kernel makes for itself" },
	{ LICTOR_EVENT_BIND, LICTOR_FIELD_NETWORK_TRANSPORT, ~TCP_AND_UDP, H(socket_bind),
	  "sockets but those of TCP and UDP" },
	{ LICTOR_EVENT_NAMESPACE, LICTOR_FIELD_NAMESPACE_TYPES, USER_NAMESPACE, H(userns_create),
	  "making a user namespace" },
	{ LICTOR_EVENT_NAMESPACE, LICTOR_FIELD_NAMESPACE_TYPES, USER_NAMESPACE, H(userns_install),
	  "entering a user namespace by setns(2)" },
	{ LICTOR_EVENT_NAMESPACE, LICTOR_FIELD_NAMESPACE_TYPES, ~USER_NAMESPACE, H(task_newtask),
	  "clone(2) into other namespaces" },
	{ LICTOR_EVENT_NAMESPACE, LICTOR_FIELD_NAMESPACE_TYPES, ~USER_NAMESPACE,
	  H(switch_task_namespaces), "unshare(2) and setns(2) of other namespaces" },
	{ LICTOR_EVENT_MOUNT, LICTOR_FIELD_MOUNT_OPERATION, ~(B(CLONE) | B(ATTRIBUTES)),
	  H(sb_mount) | H(move_mount) | H(sb_pivotroot) | H(sb_remount), "mounting and moving" },
	{ LICTOR_EVENT_MOUNT, LICTOR_FIELD_MOUNT_OPERATION, B(CLONE),
	  H(open_detached_copy) | H(vfs_open_tree), "cloning a tree (open_tree(2))" },
	{ LICTOR_EVENT_MOUNT, LICTOR_FIELD_MOUNT_OPERATION, B(ATTRIBUTES), H(mount_setattr),
	  "changing a mount's attributes (mount_setattr(2))" },
	{ LICTOR_EVENT_MODULE, LICTOR_FIELD_MODULE_OPERATION, B(LOAD),
	  H(kernel_post_read_file) | H(kernel_post_load_data), "loading a module" },
	{ LICTOR_EVENT_MODULE, LICTOR_FIELD_MODULE_OPERATION, B(UNLOAD), H(module_free),
	  "removing a module" },
	{ LICTOR_EVENT_SETTIME, LICTOR_FIELD_CLOCK_OPERATION, B(SET_CLOCK), H(settime),
	  "setting the clock" },
	{ LICTOR_EVENT_SETTIME, LICTOR_FIELD_CLOCK_OPERATION, B(ADJUST), H(do_adjtimex),
	  "adjusting the clock (adjtimex(2))" },
	{ LICTOR_EVENT_HOSTNAME, LICTOR_FIELD_NONE, ANY, H(uts_proc_notify),
	  "sethostname(2) and setdomainname(2)" },
	{ LICTOR_EVENT_HOSTNAME, LICTOR_FIELD_NONE, ANY, H(proc_do_uts_string),
	  "names written to /proc/sys/kernel" },
};
#define PARTS (sizeof(parts) / sizeof(*parts))
_Static_assert(PARTS <= LICTOR_GAPS_MAX, "parts fit the gaps");

/*
 * Fields that programs of a way cannot find out. doubt: then rules that fail closed hold. Of
 * another process's program not so: each signal and each trace of the host would be in doubt.
 */
static const struct {
	int field;
	enum lictor_via via;
	bool doubt;
	const char *why;
} unknowns[] = {
	{ LICTOR_FIELD_TARGET_EXECUTABLE, LICTOR_VIA_KPROBE, false,
	  "kprobes do not know the program of the process acted on" },
#define X(field) \
	{ LICTOR_FIELD_##field, LICTOR_VIA_CGROUP, true, \
	  "control groups' programs do not know what a process runs" },
	X(PROCESS_EXECUTABLE) X(PARENT_EXECUTABLE) X(PARENT_NAME) X(ANCESTOR_EXECUTABLE)
	X(ANCESTOR_NAME) X(PROCESS_ARGS) X(PROCESS_ENV) X(PROCESS_MEMFD) X(PROCESS_DELETED)
	X(PROCESS_SETUID)
#undef X
};

static lictor_hook_set hooks_there(const struct lictor_engine *engine)
{
	lictor_hook_set there = 0;

	for (int i = 0; i < LICTOR_HOOKS; i++)
		if (engine->hook[i].loaded)
			there |= LICTOR_HOOK_BIT(i);
	return there;
}

static const char *why_not(const struct lictor_engine *engine, lictor_hook_set hooks)
{
	for (int i = 0; i < LICTOR_HOOKS; i++)
		if (hooks & LICTOR_HOOK_BIT(i) && lictor_hooks[i].way == LICTOR_VIA_FENTRY)
			return engine->hook[i].error == ENOENT ? NO_FUNCTION : TRAMPOLINES;
	return NO_HOOK;
}

size_t lictor_engine_gaps(const struct lictor_engine *engine, struct lictor_gap *ret_gap)
{
	lictor_hook_set there = hooks_there(engine);
	uint64_t seen;
	size_t gaps = 0;

	for (size_t i = 0; i < PARTS; i++) {
		if (parts[i].hooks & there)
			continue;
		seen = parts[i].field ? 0 : ANY;
		for (size_t j = 0; j < PARTS; j++)
			if (parts[j].event == parts[i].event &&
			    parts[j].field == parts[i].field && parts[j].hooks & there)
				seen |= parts[j].values;
		ret_gap[gaps++] = (struct lictor_gap){
			.event = parts[i].event,
			.field = parts[i].field,
			.values = parts[i].values,
			.lost = parts[i].values & ~seen,
			.what = parts[i].what,
			.why = why_not(engine, parts[i].hooks),
		};
	}
	return gaps;
}

const char *lictor_ways_unwatched(const struct lictor_engine *engine, enum lictor_event event)
{
	lictor_hook_set hooks = 0;

	for (int i = 0; i < LICTOR_HOOKS; i++)
		if (lictor_hooks[i].events >> event & 1) {
			if (lictor_hooks[i].way != LICTOR_VIA_FENTRY)
				return NULL;
			hooks |= LICTOR_HOOK_BIT(i);
		}
	return why_not(engine, hooks);
}

/* Do all hooks that tell of the event have this way? */
static bool only_via(const struct lictor_engine *engine, enum lictor_event event,
		     enum lictor_via via)
{
	bool some = false;

	for (int i = 0; i < LICTOR_HOOKS; i++) {
		if (!engine->hook[i].loaded || !(lictor_hooks[i].events >> event & 1))
			continue;
		if (engine->hook[i].way != via)
			return false;
		some = true;
	}
	return some;
}

static bool knows_verity(const struct lictor_engine *engine, const char **ret_why)
{
	*ret_why = "this kernel has no fs-verity";
	if (engine->asks_verity)
		*ret_why = "on this kernel only BPF LSM programs can ask for digests of fs-verity";
	return engine->reads_verity || (engine->asks_verity && engine->way == LICTOR_VIA_LSM);
}

bool lictor_engine_knows(const struct lictor_engine *engine, enum lictor_event event, int field,
			 bool *ret_doubt, const char **ret_why)
{
	if (field == LICTOR_FIELD_PERF_TYPE && !engine->perf_attr) {
		*ret_doubt = true;
		*ret_why = "this kernel does not tell the type of a perf event";
		return false;
	}
	if (field == LICTOR_FIELD_FILE_FSVERITY && !knows_verity(engine, ret_why)) {
		*ret_doubt = false;
		return false;
	}
	for (size_t i = 0; i < sizeof(unknowns) / sizeof(*unknowns); i++)
		if (unknowns[i].field == field && only_via(engine, event, unknowns[i].via)) {
			*ret_doubt = unknowns[i].doubt;
			*ret_why = unknowns[i].why;
			return false;
		}
	return true;
}
