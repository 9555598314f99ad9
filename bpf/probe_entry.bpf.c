/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Functions that are watched as they are entered, where what they do has been allowed: by fentry,
 * and compiled with LICTOR_PROBING by a kprobe.
 */
#include "bpf/watch.bpf.h"

/* Another thread than the first executes: it is going to be the process, in the first one's place. */
static __always_inline void lictor_take_history(struct task_struct *task)
{
	struct lictor_history *mine, *before;

	if (task->pid == task->tgid)
		return;
	before = lictor_history_of(task);
	if (!before)
		return;
	mine = bpf_task_storage_get(&histories, task, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (mine)
		__builtin_memcpy(mine, before, sizeof(*mine));
}

/*
 * The process is about to get the new program's memory, while what is opened and mapped for that is
 * still judged as the old one's doing. It may yet fail, and keep its own.
 */
SEC(LICTOR_ENTRY "begin_new_exec")
int LICTOR_ENTRY_PROG(fe_begin_new_exec, struct linux_binprm *bprm)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct lictor_subject *subject = bpf_task_storage_get(&subjects, task, 0, 0);
	struct inode *program;

	lictor_take_history(task);
	lictor_note_before(task);
	if (!subject)
		return 0;
	program = lictor_program_of(task, subject);
	subject->leaving = program ? (u64)task->mm : 0;
	subject->flags &= ~LICTOR_SUBJECT_DELETED;
	if (program && BPF_CORE_READ(program, i_nlink) == 0)
		subject->flags |= LICTOR_SUBJECT_DELETED;
	return 0;
}

/* unshare(2) and setns(2) have been allowed; at its end a process gives its namespaces up. */
SEC(LICTOR_ENTRY "switch_task_namespaces")
int LICTOR_ENTRY_PROG(fe_switch_task_namespaces, struct task_struct *task, struct nsproxy *new)
{
	struct nsproxy *old;
	u32 types;

	if (!new || KREAD(task, pid) != (int)bpf_get_current_pid_tgid())
		return 0;
	old = KREAD(task, nsproxy);
	if (!old)
		return 0;
	types = (KREAD(old, cgroup_ns) != KREAD(new, cgroup_ns) ? LICTOR_NS_CGROUP : 0) |
		(KREAD(old, ipc_ns) != KREAD(new, ipc_ns) ? LICTOR_NS_IPC : 0) |
		(KREAD(old, mnt_ns) != KREAD(new, mnt_ns) ? LICTOR_NS_MNT : 0) |
		(KREAD(old, net_ns) != KREAD(new, net_ns) ? LICTOR_NS_NET : 0) |
		(KREAD(old, pid_ns_for_children) != KREAD(new, pid_ns_for_children) ? LICTOR_NS_PID : 0) |
		(KREAD(old, time_ns_for_children) != KREAD(new, time_ns_for_children) ? LICTOR_NS_TIME : 0) |
		(KREAD(old, uts_ns) != KREAD(new, uts_ns) ? LICTOR_NS_UTS : 0);
	if (!types)
		return 0;
	LICTOR_WATCH(s, LICTOR_EVENT_NAMESPACE, switch_task_namespaces, LICTOR_ENTRY_VIA);
	lictor_number(s, LICTOR_FIELD_NAMESPACE_TYPES, types);
	return lictor_watched(s, LICTOR_EVENT_NAMESPACE, 0);
}

/* It has been allowed; afterwards the path is the copy's. */
SEC(LICTOR_ENTRY "open_detached_copy")
int LICTOR_ENTRY_PROG(fe_open_detached_copy, struct path *path, unsigned int recursive)
{
	LICTOR_WATCH(s, LICTOR_EVENT_MOUNT, open_detached_copy, LICTOR_ENTRY_VIA);
	/* A bool: of the register only the lowest byte is its. */
	return lictor_cloned(s, KREAD(path, mnt), KREAD(path, dentry), (u8)recursive);
}

enum uts_proc {
	UTS_PROC_HOSTNAME = 4,
	UTS_PROC_DOMAINNAME = 5,
};

/* sethostname(2) and setdomainname(2), when the new name is in place. */
SEC(LICTOR_ENTRY "uts_proc_notify")
int LICTOR_ENTRY_PROG(fe_uts_proc_notify, int which)
{
	struct uts_namespace *uts = bpf_get_current_task_btf()->nsproxy->uts_ns;

	LICTOR_WATCH(s, LICTOR_EVENT_HOSTNAME, uts_proc_notify, LICTOR_ENTRY_VIA);
	if (which == (int)bpf_core_enum_value(enum uts_proc, UTS_PROC_HOSTNAME))
		lictor_argument(s, LICTOR_FIELD_HOST_HOSTNAME, LICTOR_STRING_ARGUMENT,
				&uts->name.nodename);
	else if (which == (int)bpf_core_enum_value(enum uts_proc, UTS_PROC_DOMAINNAME))
		lictor_argument(s, LICTOR_FIELD_HOST_DOMAIN, LICTOR_STRING_ARGUMENT2,
				&uts->name.domainname);
	return lictor_watched(s, LICTOR_EVENT_HOSTNAME, 0);
}

/* ---- a socket as standard input, output or error ---- */

static __always_inline int lictor_dup(struct file *file, u32 descriptor, u32 hook)
{
	struct lictor_scratch *s = NULL;
	struct socket *sock;
	struct sock *sk;

	if (descriptor > 2 || !file || (KREAD(file, f_inode, i_mode) & S_IFMT) != S_IFSOCK)
		return 0;
	sock = lictor_socket_of(file);
	sk = sock ? KREAD(sock, sk) : NULL;
	if (!sk || lictor_begin(LICTOR_EVENT_DUP, LICTOR_EVENTS, hook, LICTOR_ENTRY_VIA, &s) !=
			   LICTOR_DECIDE || !s)
		return 0;
	lictor_number(s, LICTOR_FIELD_DUP_DESCRIPTOR, descriptor);
	lictor_gather_socket(s, sk);
	lictor_gather_own_end(s, sk);
	lictor_gather_peer(s, sk);
	return lictor_watched(s, LICTOR_EVENT_DUP, 0);
}

SEC(LICTOR_ENTRY "do_dup2")
int LICTOR_ENTRY_PROG(fe_do_dup2, void *files, struct file *file, unsigned int descriptor)
{
	return lictor_dup(file, descriptor, LICTOR_HOOK_do_dup2);
}

/* All other ways to a descriptor: made, accepted, received, duplicated to the lowest that is free. */
SEC(LICTOR_ENTRY "fd_install")
int LICTOR_ENTRY_PROG(fe_fd_install, unsigned int descriptor, struct file *file)
{
	return lictor_dup(file, descriptor, LICTOR_HOOK_fd_install);
}
