/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a process is at the moment of an event, beside its identity: its terminal, capabilities, age
 * and namespaces, and what has become of the file that it was executed from.
 */
#ifndef LICTOR_PROCESS_H
#define LICTOR_PROCESS_H

#include "bpf/subject.bpf.h"

static __always_inline struct lictor_subject *lictor_subject_of(struct task_struct *task)
{
	return lictor_way == LICTOR_VIA_CGROUP ? NULL :
						 bpf_task_storage_get(&subjects, task, 0, 0);
}

/* Not found out: in doubt if rules ask for it; a record goes without. */
static __always_inline void lictor_unknown(struct lictor_scratch *s, u32 field, u32 reason)
{
	if (!(s->needs & LICTOR_NEED_PROCESS))
		return;
	s->facts.v.state[field] = LICTOR_UNKNOWN;
	lictor_reason(s, reason);
}

/* A file of a terminal is the one that the terminal's own note of it leads back to. */
static __always_inline bool lictor_is_terminal(const struct file *file)
{
	const struct tty_file_private *note = BPF_CORE_READ(file, private_data);

	return (BPF_CORE_READ(file, f_inode, i_mode) & S_IFMT) == S_IFCHR && note &&
	       BPF_CORE_READ(note, file) == file;
}

static __always_inline void lictor_gather_stdin(struct lictor_scratch *s, struct task_struct *task)
{
	struct file **table = NULL, *file = NULL;
	struct files_struct *files = task->files;

	/* It ends, and has closed all of them. */
	if (!files)
		return;
	if (bpf_core_read(&table, sizeof(table), &files->fdt->fd) ||
	    bpf_probe_read_kernel(&file, sizeof(file), table)) {
		lictor_unknown(s, LICTOR_FIELD_PROCESS_INTERACTIVE,
			       LICTOR_REASON_PROCESS_UNREADABLE);
		return;
	}
	lictor_number(s, LICTOR_FIELD_PROCESS_INTERACTIVE, file && lictor_is_terminal(file));
}

/* Of the file that was executed, not of what the process would have taken for it (PR_SET_MM). */
static __always_inline void lictor_gather_program(struct lictor_scratch *s,
						  struct task_struct *task,
						  const struct lictor_subject *subject)
{
	struct inode *inode;

	if (task->flags & PF_KTHREAD)
		return;
	lictor_number(s, LICTOR_FIELD_PROCESS_MEMFD,
		      (subject->flags & LICTOR_SUBJECT_MEMFD) != 0);
	lictor_number(s, LICTOR_FIELD_PROCESS_SETUID,
		      (subject->flags & LICTOR_SUBJECT_SETUID) != 0);
	/* It ends, and has given its memory back. */
	if (!task->mm)
		return;
	/* It has the new program's memory already, and is judged as what it was before. */
	if (subject->leaving && subject->leaving != (u64)task->mm) {
		lictor_number(s, LICTOR_FIELD_PROCESS_DELETED,
			      (subject->flags & LICTOR_SUBJECT_DELETED) != 0);
		return;
	}
	inode = lictor_program_of(task, subject);
	if (inode)
		lictor_number(s, LICTOR_FIELD_PROCESS_DELETED, BPF_CORE_READ(inode, i_nlink) == 0);
	else
		lictor_unknown(s, LICTOR_FIELD_PROCESS_DELETED, LICTOR_REASON_PROCESS_UNREADABLE);
}

static __always_inline void lictor_gather_namespaces(struct lictor_scratch *s,
						     struct task_struct *task)
{
	const struct lictor_control *c = lictor_in_force();
	struct nsproxy *namespaces = task->nsproxy;
	struct pid *pid = task->thread_pid;

	if (pid)
		lictor_number(s, LICTOR_FIELD_NAMESPACE_PID, pid->level != 0);
	else
		lictor_unknown(s, LICTOR_FIELD_NAMESPACE_PID, LICTOR_REASON_PROCESS_UNREADABLE);
	lictor_number(s, LICTOR_FIELD_NAMESPACE_USER, task->cred->user_ns->level != 0);
#define NAMESPACE(field, member, hosts) \
	do { \
		if (namespaces && c) \
			lictor_number(s, LICTOR_FIELD_NAMESPACE_##field, \
				      (u64)namespaces->member != c->host.hosts); \
		else \
			lictor_unknown(s, LICTOR_FIELD_NAMESPACE_##field, \
				       LICTOR_REASON_PROCESS_UNREADABLE); \
	} while (0)
	NAMESPACE(CGROUP, cgroup_ns, cgroup);
	NAMESPACE(IPC, ipc_ns, ipc);
	NAMESPACE(MNT, mnt_ns, mnt);
	NAMESPACE(NET, net_ns, net);
	NAMESPACE(TIME, time_ns, time);
	NAMESPACE(UTS, uts_ns, uts);
#undef NAMESPACE
}

/* The state of the process, where rules ask for it, and for each record. */
static __noinline void lictor_gather_process(struct lictor_scratch *s, struct task_struct *task)
{
	const struct lictor_subject *subject = lictor_subject_of(task);
	u64 age = bpf_ktime_get_boot_ns() - task->group_leader->start_boottime, capabilities = 0;

	/* This one is always found out: then all of it has been gathered, for the rules. */
	if (!s || s->facts.v.state[LICTOR_FIELD_PROCESS_TTY] == LICTOR_PRESENT)
		return;
	lictor_number(s, LICTOR_FIELD_PROCESS_TTY, task->signal->tty != NULL);
	lictor_number(s, LICTOR_FIELD_PROCESS_START_AGE, age / 1000000000);
	lictor_number(s, LICTOR_FIELD_PROCESS_ELEVATED,
		      task->cred->euid.val != task->cred->uid.val);
	bpf_core_read(&capabilities, sizeof(capabilities), &task->cred->cap_effective);
	lictor_number(s, LICTOR_FIELD_PROCESS_CAPABILITIES, capabilities);
	lictor_gather_stdin(s, task);
	lictor_gather_namespaces(s, task);
	/* One without a start was made when nothing was known of its maker. */
	if (subject && subject->start_ns) {
		lictor_gather_program(s, task, subject);
		return;
	}
	lictor_unknown(s, LICTOR_FIELD_PROCESS_MEMFD, LICTOR_REASON_NO_SUBJECT);
	lictor_unknown(s, LICTOR_FIELD_PROCESS_SETUID, LICTOR_REASON_NO_SUBJECT);
	lictor_unknown(s, LICTOR_FIELD_PROCESS_DELETED, LICTOR_REASON_NO_SUBJECT);
}

#endif
