/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What every other program hangs on. kernel.ftrace_enabled=0 takes all trampolines and kprobes out
 * of the kernel's text without a word; nothing of that sort runs by itself any more. Programs of
 * control groups do: this one refuses the write, on whatever mount of procfs it is made.
 */
#include "bpf/decide.bpf.h"

SEC("cgroup/sysctl")
int guard_ftrace(struct bpf_sysctl *ctx)
{
	static const char guarded[] = "kernel/ftrace_enabled";
	char name[sizeof(guarded) + 1] = {}, value[4] = {};
	struct lictor_control *c;
	u32 zero = 0, i;

	if (!ctx->write)
		return 1;
	if (bpf_sysctl_get_name(ctx, name, sizeof(name), 0) != sizeof(guarded) - 1)
		return 1;
	for (i = 0; i < sizeof(guarded); i++)
		if (name[i] != guarded[i])
			return 1;
	c = bpf_map_lookup_elem(&control, &zero);
	if (!c || !c->active)
		return 1;
	bpf_sysctl_get_new_value(ctx, value, sizeof(value));
	if (value[0] == '1')
		return 1;
	c->ftrace_pid = bpf_get_current_pid_tgid() >> 32;
	bpf_get_current_comm(c->ftrace_name, sizeof(c->ftrace_name));
	__sync_fetch_and_add(&c->ftrace_refused, 1);
	return 0;
}
