/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The canary: the daemon asks for its own session twice a second, and this program, attached like
 * all others, says that it has been run. When it is not, none of them is.
 */
#include "bpf/decide.bpf.h"
#include "lsm/verdict.bpf.h"

SEC(LICTOR_SECTION "task_getsid")
int LICTOR_PROG(lsm_task_getsid, struct task_struct *task)
{
	u32 zero = 0;
	struct lictor_control *c = bpf_map_lookup_elem(&control, &zero);

	if (c && c->daemon == bpf_get_current_pid_tgid() >> 32)
		__sync_fetch_and_add(&c->canary, 1);
	return 0;
}
