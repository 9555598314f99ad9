/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Running code: a program (each level of interpreters), a file mapped executable, a mapping made
 * executable.
 */
#include "lsm/verdict.bpf.h"

static __always_inline int lictor_exec_file(struct lictor_scratch *s, struct file *file,
					    bool mapped)
{
	lictor_gather_file(s, file);
	lictor_number(s, LICTOR_FIELD_FILE_MAPPED, mapped);
	lictor_decide(s, LICTOR_EVENT_EXEC, 0);
	return lictor_deny(s);
}

SEC("lsm/bprm_check_security")
int BPF_PROG(lsm_bprm_check_security, struct linux_binprm *bprm, int ret)
{
	struct lictor_subject *subject;

	LICTOR_OPEN(s, LICTOR_EVENT_EXEC, LICTOR_EVENTS, bprm_check_security);
	subject = bpf_task_storage_get(&subjects, bpf_get_current_task_btf(), 0, 0);
	if (subject)
		subject->exec_inode = (u64)bprm->file->f_inode;
	return lictor_exec_file(s, bprm->file, false);
}

/*
 * The kernel maps the program that it has just been allowed to run: the same effect, decided
 * already. Its ELF interpreter is another file, which only this hook sees.
 */
static __always_inline bool lictor_exec_decided(struct file *file)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct lictor_subject *subject = bpf_task_storage_get(&subjects, task, 0, 0);

	return subject && BPF_CORE_READ_BITFIELD(task, in_execve) &&
	       subject->exec_inode == (u64)file->f_inode;
}

SEC("lsm/mmap_file")
int BPF_PROG(lsm_mmap_file, struct file *file, unsigned long reqprot, unsigned long prot,
	     unsigned long flags, int ret)
{
	if (!file || !(prot & PROT_EXEC) || lictor_exec_decided(file))
		return ret;
	LICTOR_OPEN(s, LICTOR_EVENT_EXEC, LICTOR_EVENTS, mmap_file);
	return lictor_exec_file(s, file, true);
}

SEC("lsm/file_mprotect")
int BPF_PROG(lsm_file_mprotect, struct vm_area_struct *vma, unsigned long reqprot,
	     unsigned long prot, int ret)
{
	struct file *file = vma->vm_file;

	if (!file || !(prot & PROT_EXEC) || vma->vm_flags & VM_EXEC)
		return ret;
	LICTOR_OPEN(s, LICTOR_EVENT_EXEC, LICTOR_EVENTS, file_mprotect);
	return lictor_exec_file(s, file, true);
}
