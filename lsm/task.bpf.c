/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Processes: one traces or signals another; credentials change; user namespaces are made. A call
 * that changes several ids is judged once for each id that changes, and makes one record.
 */
#include "bpf/target.bpf.h"
#include "lsm/verdict.bpf.h"

#define PTRACE_MODE_ATTACH 0x2
#define PTRACE_MODE_NOAUDIT 0x4
#define LICTOR_GROUPS_LOG 16 /* NGROUPS_MAX is 65,536 */

static __always_inline int lictor_ptrace(struct lictor_scratch *s, struct task_struct *target,
					 u32 mode)
{
	lictor_number(s, LICTOR_FIELD_PTRACE_MODE, mode);
	lictor_gather_target(s, target);
	lictor_decide(s, LICTOR_EVENT_PTRACE, 0);
	return lictor_deny(s);
}

/* NOAUDIT: /proc asks what it may show of a process, and shows less if it may not. No access. */
SEC(LICTOR_SECTION "ptrace_access_check")
int LICTOR_PROG(lsm_ptrace_access_check, struct task_struct *child, unsigned int mode)
{
	if (mode & PTRACE_MODE_NOAUDIT ||
	    KREAD(child, tgid) == (int)(bpf_get_current_pid_tgid() >> 32))
		return 0;
	LICTOR_OPEN(s, LICTOR_EVENT_PTRACE, LICTOR_EVENTS, ptrace_access_check);
	return lictor_ptrace(s, child, mode & PTRACE_MODE_ATTACH ? 1 : 0);
}

SEC(LICTOR_SECTION "ptrace_traceme")
int LICTOR_PROG(lsm_ptrace_traceme, struct task_struct *parent)
{
	LICTOR_OPEN(s, LICTOR_EVENT_PTRACE, LICTOR_EVENTS, ptrace_traceme);
	return lictor_ptrace(s, parent, 2);
}

/* Signal 0 asks whether there is a process; a process may always signal itself. */
SEC(LICTOR_SECTION "task_kill")
int LICTOR_PROG(lsm_task_kill, struct task_struct *target, struct kernel_siginfo *info, int signal)
{
	if (signal <= 0 || KREAD(target, tgid) == (int)(bpf_get_current_pid_tgid() >> 32))
		return 0;
	LICTOR_OPEN(s, LICTOR_EVENT_SIGNAL, LICTOR_EVENTS, task_kill);
	lictor_number(s, LICTOR_FIELD_SIGNAL_NAME, lictor_signal_value(signal));
	lictor_gather_target(s, target);
	lictor_decide(s, LICTOR_EVENT_SIGNAL, 0);
	return lictor_deny(s);
}

/*
 * The signal of a descriptor that somebody has made tell of input (F_SETOWN, F_SETSIG). Who writes is
 * told as the sender, and may know nothing of it: the signal is not sent, and nobody is killed.
 */
SEC(LICTOR_SECTION "file_send_sigiotask")
int LICTOR_PROG(lsm_file_send_sigiotask, struct task_struct *target, const void *owner, int signal)
{
	if (KREAD(target, tgid) == (int)(bpf_get_current_pid_tgid() >> 32))
		return 0;
	LICTOR_OPEN(s, LICTOR_EVENT_SIGNAL, LICTOR_EVENTS, file_send_sigiotask);
	lictor_number(s, LICTOR_FIELD_SIGNAL_NAME, signal <= 0 ? SIGIO : lictor_signal_value(signal));
	lictor_gather_target(s, target);
	lictor_decide(s, LICTOR_EVENT_SIGNAL, 0);
	if (s->outcome.action == LICTOR_ACTION_KILL)
		s->outcome.action = LICTOR_ACTION_BLOCK;
	else if (s->outcome.action == LICTOR_ACTION_SIGNAL)
		s->outcome.action = LICTOR_ACTION_ALERT;
	return lictor_deny(s);
}

/* One id that changes. What is told is the last one that a rule is about. */
static __always_inline void lictor_becomes(struct lictor_scratch *s, u32 event, u32 field,
					   u32 number, u32 before)
{
	u64 kept = s->facts.v.num[field], rules = s->outcome.rules;
	bool told = s->facts.v.state[field] == LICTOR_PRESENT;

	if (number == before)
		return;
	lictor_number(s, field, number);
	lictor_number(s, field + 1, number);
	lictor_decide(s, event, told);
	if (told && s->outcome.rules == rules) {
		lictor_number(s, field, kept);
		lictor_number(s, field + 1, kept);
	}
}

_Static_assert(LICTOR_FIELD_USER_TARGET_ID == LICTOR_FIELD_USER_TARGET_NAME + 1, "pairs of fields");
_Static_assert(LICTOR_FIELD_GROUP_TARGET_ID == LICTOR_FIELD_GROUP_TARGET_NAME + 1, "pairs of fields");

SEC(LICTOR_SECTION "task_fix_setuid")
int LICTOR_PROG(lsm_task_fix_setuid, struct cred *new, const struct cred *old)
{
	LICTOR_OPEN(s, LICTOR_EVENT_SETUID, LICTOR_EVENTS, task_fix_setuid);
	lictor_judge_several(s, true);
	lictor_becomes(s, LICTOR_EVENT_SETUID, LICTOR_FIELD_USER_TARGET_NAME,
		       KREAD(new, euid.val), KREAD(old, euid.val));
	lictor_becomes(s, LICTOR_EVENT_SETUID, LICTOR_FIELD_USER_TARGET_NAME,
		       KREAD(new, uid.val), KREAD(old, uid.val));
	lictor_becomes(s, LICTOR_EVENT_SETUID, LICTOR_FIELD_USER_TARGET_NAME,
		       KREAD(new, suid.val), KREAD(old, suid.val));
	lictor_becomes(s, LICTOR_EVENT_SETUID, LICTOR_FIELD_USER_TARGET_NAME,
		       KREAD(new, fsuid.val), KREAD(old, fsuid.val));
	return lictor_deny(s);
}

SEC(LICTOR_SECTION "task_fix_setgid")
int LICTOR_PROG(lsm_task_fix_setgid, struct cred *new, const struct cred *old)
{
	LICTOR_OPEN(s, LICTOR_EVENT_SETGID, LICTOR_EVENTS, task_fix_setgid);
	lictor_judge_several(s, true);
	lictor_becomes(s, LICTOR_EVENT_SETGID, LICTOR_FIELD_GROUP_TARGET_NAME,
		       KREAD(new, egid.val), KREAD(old, egid.val));
	lictor_becomes(s, LICTOR_EVENT_SETGID, LICTOR_FIELD_GROUP_TARGET_NAME,
		       KREAD(new, gid.val), KREAD(old, gid.val));
	lictor_becomes(s, LICTOR_EVENT_SETGID, LICTOR_FIELD_GROUP_TARGET_NAME,
		       KREAD(new, sgid.val), KREAD(old, sgid.val));
	lictor_becomes(s, LICTOR_EVENT_SETGID, LICTOR_FIELD_GROUP_TARGET_NAME,
		       KREAD(new, fsgid.val), KREAD(old, fsgid.val));
	return lictor_deny(s);
}

struct lictor_groups {
	struct lictor_scratch *s;
	u64 list;	/* addresses; the kernel has sorted both */
	u64 before;
	u32 had;	/* in before */
	u32 group;
	u32 low;	/* group is in before from here on, */
	u32 high;	/* and below here, if at all */
	u32 found;
};

static u32 lictor_group_at(u64 list, u32 index)
{
	u32 gid = ~0u;

	bpf_probe_read_kernel(&gid, sizeof(gid), (const void *)(list + index * 4ull));
	return gid;
}

static long lictor_had_step(u32 index, struct lictor_groups *g)
{
	u32 middle = (g->low + g->high) / 2, gid;

	if (g->low >= g->high)
		return 1;
	gid = lictor_group_at(g->before, middle);
	g->found = gid == g->group;
	if (gid < g->group)
		g->low = middle + 1;
	else
		g->high = middle;
	return g->found;
}

/* A list of 65,536 groups costs as many steps, and 17 more for each that is new in it. */
static long lictor_group_step(u32 index, struct lictor_groups *g)
{
	u32 gid = lictor_group_at(g->list, index);

	if (index && gid == g->group)
		return 0;
	g->group = gid;
	g->low = 0;
	g->high = g->had;
	g->found = 0;
	bpf_loop(LICTOR_GROUPS_LOG + 1, lictor_had_step, g, 0);
	if (!g->found)
		lictor_becomes(g->s, LICTOR_EVENT_SETGID, LICTOR_FIELD_GROUP_TARGET_NAME, gid, ~0u);
	return 0;
}

SEC(LICTOR_SECTION "task_fix_setgroups")
int LICTOR_PROG(lsm_task_fix_setgroups, struct cred *new, const struct cred *old)
{
	struct lictor_groups g = {};
	struct group_info *list, *before;
	u32 count;

	LICTOR_OPEN(s, LICTOR_EVENT_SETGID, LICTOR_EVENTS, task_fix_setgroups);
	lictor_judge_several(s, true);
	list = KREAD(new, group_info);
	before = KREAD(old, group_info);
	g.s = s;
	g.list = (u64)&list->gid[0];
	g.before = (u64)&before->gid[0];
	g.had = KREAD(before, ngroups);
	count = KREAD(list, ngroups);
	bpf_loop(count & 0x1ffff, lictor_group_step, &g, 0);
	return lictor_deny(s);
}

static __always_inline u64 lictor_capabilities(const void *set)
{
	u64 bits = 0;

	bpf_probe_read_kernel(&bits, sizeof(bits), set);
	return bits;
}

static __always_inline int lictor_raises(struct lictor_scratch *s, u64 raised, u32 operation)
{
	lictor_number(s, LICTOR_FIELD_CAPABILITY_RAISED, raised);
	lictor_number(s, LICTOR_FIELD_CAPABILITY_OPERATION, operation);
	lictor_decide(s, LICTOR_EVENT_CAPSET, 0);
	return lictor_deny(s);
}

SEC(LICTOR_SECTION "capset")
int LICTOR_PROG(lsm_capset, struct cred *new, const struct cred *old, const void *effective,
		const void *inheritable, const void *permitted)
{
	u64 raised;

	LICTOR_OPEN(s, LICTOR_EVENT_CAPSET, LICTOR_EVENTS, capset);
	raised = lictor_capabilities(effective) & ~lictor_capabilities(&old->cap_effective);
	raised |= lictor_capabilities(inheritable) & ~lictor_capabilities(&old->cap_inheritable);
	raised |= lictor_capabilities(permitted) & ~lictor_capabilities(&old->cap_permitted);
	return lictor_raises(s, raised, 0);
}

#define PR_SET_SECUREBITS 28
#define PR_SET_KEEPCAPS 8
#define PR_CAP_AMBIENT 47
#define PR_CAP_AMBIENT_RAISE 2

SEC(LICTOR_SECTION "task_prctl")
int LICTOR_PROG(lsm_task_prctl, int option, unsigned long arg2, unsigned long arg3)
{
	bool ambient = option == PR_CAP_AMBIENT && arg2 == PR_CAP_AMBIENT_RAISE;

	if (!ambient && option != PR_SET_SECUREBITS && option != PR_SET_KEEPCAPS)
		return 0;
	LICTOR_OPEN(s, LICTOR_EVENT_CAPSET, LICTOR_EVENTS, task_prctl);
	return lictor_raises(s, ambient ? 1ull << (arg3 & 63) : 0, ambient ? 1 : 2);
}

#define LICTOR_NAMESPACE_USER (1u << 6)

SEC(LICTOR_SECTION "userns_create")
int LICTOR_PROG(lsm_userns_create, const struct cred *cred)
{
	LICTOR_OPEN(s, LICTOR_EVENT_NAMESPACE, LICTOR_EVENTS, userns_create);
	lictor_number(s, LICTOR_FIELD_NAMESPACE_TYPES, LICTOR_NAMESPACE_USER);
	lictor_decide(s, LICTOR_EVENT_NAMESPACE, 0);
	return lictor_deny(s);
}
