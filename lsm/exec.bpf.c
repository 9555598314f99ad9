/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Running code: a program (each level of interpreters), a file mapped executable, a mapping made
 * executable.
 */
#include "lsm/verdict.bpf.h"
#include "bpf/script.bpf.h"

static __always_inline int lictor_exec_file(struct lictor_scratch *s, struct file *file,
					    struct linux_binprm *bprm)
{
	u32 before = s->outcome.reasons;

	lictor_gather_code(s, file, true);
	lictor_number(s, LICTOR_FIELD_FILE_MAPPED, !bprm);
	if (bprm)
		lictor_note_file(s, bprm, before);
	if (BPF_CORE_READ_BITFIELD(bpf_get_current_task_btf(), in_execve))
		s->loaded = LICTOR_LOADED_NOT;
	lictor_decide(s, LICTOR_EVENT_EXEC, 0);
	return lictor_deny(s);
}

SEC(LICTOR_SECTION "bprm_check_security")
int LICTOR_PROG(lsm_bprm_check_security, struct linux_binprm *bprm)
{
	struct file *file = KREAD(bprm, file);
	struct lictor_subject *subject;

	lictor_begin_files(bprm);
	LICTOR_OPEN(s, LICTOR_EVENT_EXEC, LICTOR_EVENTS, bprm_check_security);
	subject = bpf_task_storage_get(&subjects, bpf_get_current_task_btf(), 0, 0);
	if (subject)
		subject->exec_inode = (u64)KREAD(file, f_inode);
	return lictor_exec_file(s, file, bprm);
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
	       subject->exec_inode == (u64)KREAD(file, f_inode);
}

/* What will be applied: the hook is told, security_mmap_file() is about to work it out. */
static __always_inline u64 lictor_mapped_as(void *ctx, u64 asked)
{
	if (lictor_way == LICTOR_VIA_LSM)
		return ((u64 *)ctx)[2];
	if (asked & PROT_READ && bpf_get_current_task_btf()->personality & READ_IMPLIES_EXEC)
		asked |= PROT_EXEC;
	return asked;
}

SEC(LICTOR_SECTION "mmap_file")
int LICTOR_PROG(lsm_mmap_file, struct file *file, unsigned long asked)
{
	u64 prot = lictor_mapped_as(ctx, asked);

	if (!file || !(prot & PROT_EXEC) || lictor_exec_decided(file))
		return 0;
	LICTOR_OPEN(s, LICTOR_EVENT_EXEC, LICTOR_EVENTS, mmap_file);
	return lictor_exec_file(s, file, NULL);
}

SEC(LICTOR_SECTION "file_mprotect")
int LICTOR_PROG(lsm_file_mprotect, struct vm_area_struct *vma, unsigned long reqprot,
	     unsigned long prot)
{
	struct file *file = KREAD(vma, vm_file);

	if (!file || !(prot & PROT_EXEC) || KREAD(vma, vm_flags) & VM_EXEC)
		return 0;
	LICTOR_OPEN(s, LICTOR_EVENT_EXEC, LICTOR_EVENTS, file_mprotect);
	return lictor_exec_file(s, file, NULL);
}
