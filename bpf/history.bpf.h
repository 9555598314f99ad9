/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where a process comes from: those that made it, up to PID 1, as they were when they did; what it
 * was started with; and at an exec, what it was before. The last is decided by, and by arguments
 * that were kept whole, at a load of rules; the rest is for records. A thread has its process's.
 */
#ifndef LICTOR_HISTORY_H
#define LICTOR_HISTORY_H

#include "bpf/subject.bpf.h"

#define LICTOR_ARGS_MASK 511	/* LICTOR_ARGS_KEPT fits */

static __always_inline struct lictor_history *lictor_history_of(struct task_struct *task)
{
	return lictor_way == LICTOR_VIA_CGROUP ?
		       NULL : bpf_task_storage_get(&histories, task->group_leader, 0, 0);
}

/* One process became two. */
static __always_inline void lictor_descend(struct task_struct *child, struct task_struct *creator,
					   const struct lictor_subject *mine)
{
	struct lictor_history *history, *before;
	struct lictor_ancestor *ancestor;

	/* Not known where its creator comes from: it is inferred at the next load of rules. */
	before = lictor_history_of(creator);
	if (!before || child->flags & PF_KTHREAD)
		return;
	history = bpf_task_storage_get(&histories, child, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!history)
		return;
	__builtin_memcpy(history, before, sizeof(*history));
	ancestor = &history->ancestor[history->ancestors & (LICTOR_ANCESTORS - 1)];
	history->ancestors++;
	ancestor->start_ns = mine->start_ns;
	ancestor->program = mine->program;
	ancestor->pid = creator->tgid;
	ancestor->user = creator->cred->uid.val;
}

/* Another program: what it is given. It has not run yet, and has changed nothing of it. */
static __always_inline void lictor_keep_args(struct task_struct *task)
{
	struct mm_struct *mm = task->mm;
	struct lictor_history *history;
	u64 from, length;

	history = bpf_task_storage_get(&histories, task, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!history)
		return;
	history->args_length = 0;
	history->args_total = 0;
	if (!mm)
		return;
	from = mm->arg_start;
	length = mm->arg_end - from;
	if (length > ~0u)
		length = 0;
	history->args_total = length;
	if (length > LICTOR_ARGS_KEPT)
		length = LICTOR_ARGS_KEPT;
	if (!bpf_probe_read_user(history->args, LICTOR_MASK((u32)length, LICTOR_ARGS_MASK),
				 (const void *)from))
		history->args_length = length;
}

/* The process is about to be another program. */
static __always_inline void lictor_note_before(struct task_struct *task)
{
	struct lictor_history *history = bpf_task_storage_get(&histories, task, 0, 0);

	if (!history)
		return;
	history->effective_user = task->cred->euid.val;
	history->effective_group = task->cred->egid.val;
	bpf_core_read(&history->capabilities, sizeof(history->capabilities),
		      &task->cred->cap_effective);
	bpf_probe_read_kernel(history->name, sizeof(history->name), task->comm);
	history->noted = 1;
}

/* It is. */
static __always_inline void lictor_forget_before(struct task_struct *task)
{
	struct lictor_history *history = bpf_task_storage_get(&histories, task, 0, 0);

	if (history)
		history->noted = 0;
}

/* For the record. */
static __always_inline void lictor_record_history(struct lictor_scratch *s,
						  struct task_struct *task)
{
	struct lictor_history *history;

	/* Of a task that only an iterator holds, the first one may be gone. */
	if (s->scan && task->pid != task->tgid)
		return;
	history = lictor_history_of(task);
	if (!history)
		return;
	lictor_record_text(s, LICTOR_FIELD_ANCESTOR_EXECUTABLE, 0, history,
			   LICTOR_HISTORY_TOLD);
	lictor_record_text(s, LICTOR_FIELD_PROCESS_ARGS,
			   history->args_total > history->args_length ? LICTOR_TEXT_CUT : 0,
			   history->args, history->args_length);
}

#endif
