/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What was there before the rules: programs that run, files that are mapped and open, sockets that
 * are connected. Each is judged as if its process did now what it did then; what a rule is about
 * is reported, as preexisting. Descriptors that a rule may yet be about are noted (held.bpf.h).
 */
#include "bpf/held.bpf.h"
#include "bpf/net.bpf.h"

/* Opens a decision about something that the task has done; NULL: there is nothing to decide. */
static __always_inline struct lictor_scratch *lictor_scan(struct task_struct *task, u32 event,
							  u32 also, u32 hook)
{
	const struct lictor_control *c = lictor_in_force();
	struct lictor_scratch *s;
	lictor_tables tables;
	const void *page;
	u32 head, second = 0, needs = 0;

	if (!c || !c->active || (u32)task->tgid == c->daemon)
		return NULL;
	tables = lictor_open(c->active);
	page = tables ? lictor_page(tables, 0) : NULL;
	if (!page)
		return NULL;
	head = lictor_event_at(page, event);
	if (also < LICTOR_EVENTS)
		second = lictor_event_at(page, also);
	if (!head && !second)
		return NULL;
	if (head)
		needs |= LICTOR_GET(page, head, struct lictor_event_head, needs);
	if (second)
		needs |= LICTOR_GET(page, second, struct lictor_event_head, needs);
	s = lictor_scratch_get();
	if (!s) {
		lictor_count_reason(LICTOR_REASON_NO_SCRATCH);
		return NULL;
	}
	lictor_clear(s, c->active, needs, hook, LICTOR_VIA_SCAN);
	s->scan = 1;
	s->record.flags = LICTOR_RECORD_PREEXISTING;
	lictor_gather_actor(s, task);
	if (needs & LICTOR_NEED_CWD)
		lictor_gather_directory(s, lictor_climb_directory_of(s, task));
	return s;
}

/* Nothing is stopped here: the daemon kills, if it is told to. */
static __always_inline void lictor_scanned(struct lictor_scratch *s, struct task_struct *task)
{
	struct lictor_outcome *o = &s->outcome;

	if (o->rules) {
		if (o->action == LICTOR_ACTION_KILL)
			s->record.flags |= LICTOR_RECORD_KILL_DUE;
		o->action = LICTOR_ACTION_ALERT;
		lictor_gather_process(s, task);
		lictor_fill_actor(s, task);
		lictor_report(s, 0, false);
	}
	lictor_scratch_put(s);
}

/* The code that a process runs, by its program or by a mapping. */
static __always_inline void lictor_scan_code(struct task_struct *task, struct file *file, u32 hook)
{
	struct lictor_scratch *s = lictor_scan(task, LICTOR_EVENT_EXEC, LICTOR_EVENTS, hook);

	if (!s)
		return;
	lictor_gather_code(s, file, false);
	lictor_number(s, LICTOR_FIELD_FILE_MAPPED, hook == LICTOR_HOOK_mmap_file);
	lictor_decide(s, LICTOR_EVENT_EXEC, 0);
	lictor_scanned(s, task);
}

SEC("iter/task")
int scan_tasks(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;
	struct mm_struct *mm;
	struct file *file;

	if (!task || task->pid != task->tgid)
		return 0;
	mm = task->mm;
	file = mm ? mm->exe_file : NULL;
	if (file)
		lictor_scan_code(task, file, LICTOR_HOOK_bprm_check_security);
	return 0;
}

/* Each file once, at its first executable mapping: that of its text. */
SEC("iter/task_vma")
int scan_mappings(struct bpf_iter__task_vma *ctx)
{
	struct task_struct *task = ctx->task;
	struct vm_area_struct *vma = ctx->vma;
	struct mm_struct *mm;
	struct file *file;

	if (!task || !vma || task->pid != task->tgid || !(vma->vm_flags & VM_EXEC))
		return 0;
	file = vma->vm_file;
	mm = task->mm;
	if (file && mm && file != mm->exe_file)
		lictor_scan_code(task, file, LICTOR_HOOK_mmap_file);
	return 0;
}

/* Opened while this scan goes on, and judged then by the rules that it is about. */
static __always_inline bool lictor_just_opened(struct file *file)
{
	const struct lictor_control *c = lictor_in_force();
	u64 key = (u64)file;
	struct lictor_opened *opened = bpf_map_lookup_elem(&opened_files, &key);

	return c && opened && opened->generation == c->active &&
	       opened->inode == (u64)file->f_inode;
}

static __always_inline void lictor_hold(struct file *file, u64 generation)
{
	struct inode *inode = file->f_inode;
	struct lictor_held held = { (u64)inode, inode->i_ino, generation };
	u64 key = (u64)file;

	if (bpf_map_update_elem(&held_files, &key, &held, BPF_ANY))
		lictor_count_reason(LICTOR_REASON_NO_HELD);
}

/* May a rule about writing be about this file, whoever writes? */
static __always_inline bool lictor_may_matter(struct lictor_scratch *s)
{
	lictor_tables tables = lictor_open(s->generation);
	const void *page = tables ? lictor_page(tables, 0) : NULL;
	u32 head = page ? lictor_event_at(page, LICTOR_EVENT_WRITE) : 0;
	const struct lictor_hits *path = &s->facts.hits[LICTOR_STRING_PATH];

	if (!head)
		return false;
	return path->any || path->state == LICTOR_UNKNOWN ||
	       LICTOR_GET(page, head, struct lictor_event_head, pathless);
}

static __always_inline u64 lictor_generation_about(u32 event)
{
	const struct lictor_control *c = lictor_in_force();
	lictor_tables tables = c && c->active ? lictor_open(c->active) : NULL;
	const void *page = tables ? lictor_page(tables, 0) : NULL;

	return page && lictor_event_at(page, event) ? c->active : 0;
}

SEC("iter/task_file")
int scan_files(struct bpf_iter__task_file *ctx)
{
	struct task_struct *task = ctx->task;
	struct file *file = ctx->file;
	struct lictor_scratch *s;
	bool writes, reads;
	u32 type;
	u8 held = 1;

	if (!task || !file)
		return 0;
	writes = (file->f_mode & FMODE_WRITE) != 0;
	reads = (file->f_mode & FMODE_READ) != 0;
	type = file->f_inode->i_mode & S_IFMT;
	if (type == S_IFSOCK || type == S_IFIFO || (!writes && !reads) || lictor_just_opened(file))
		return 0;
	if (writes && file->f_path.dentry->d_sb->s_magic == PROC_SUPER_MAGIC) {
		u64 generation = lictor_generation_about(LICTOR_EVENT_SYSCTL);

		if (generation) {
			lictor_hold(file, generation);
			bpf_seq_write(ctx->meta->seq, &held, sizeof(held));
		}
	}
	s = lictor_scan(task, writes ? LICTOR_EVENT_WRITE : LICTOR_EVENT_READ,
			writes && reads ? LICTOR_EVENT_READ : LICTOR_EVENTS,
			LICTOR_HOOK_file_open);
	if (!s)
		return 0;
	lictor_number(s, LICTOR_FIELD_FILE_FLAGS, lictor_open_flags(file->f_flags));
	lictor_gather_file(s, file);
	if (writes && lictor_may_matter(s)) {
		lictor_hold(file, s->generation);
		bpf_seq_write(ctx->meta->seq, &held, sizeof(held));
	}
	lictor_judge_several(s, writes && reads);
	if (writes)
		lictor_decide(s, LICTOR_EVENT_WRITE, 0);
	if (reads)
		lictor_decide(s, LICTOR_EVENT_READ, 0);
	lictor_scanned(s, task);
	return 0;
}

SEC("iter/task_file")
int scan_sockets(struct bpf_iter__task_file *ctx)
{
	struct task_struct *task = ctx->task;
	struct file *file = ctx->file;
	struct lictor_scratch *s;
	struct socket *sock;
	struct sock *sk;
	u8 held = 1;

	if (!task || !file || (file->f_inode->i_mode & S_IFMT) != S_IFSOCK)
		return 0;
	sock = bpf_sock_from_file(file);
	sk = sock ? sock->sk : NULL;
	if (!sk)
		return 0;
	s = lictor_scan(task, LICTOR_EVENT_CONNECT, LICTOR_EVENTS, LICTOR_HOOK_socket_connect);
	if (!s)
		return 0;
	if (lictor_gather_peer(s, sk)) {
		lictor_gather_socket(s, sk);
		lictor_gather_own_end(s, sk);
		lictor_decide(s, LICTOR_EVENT_CONNECT, 0);
		if (s->outcome.rules) {
			lictor_hold(file, s->generation);
			bpf_seq_write(ctx->meta->seq, &held, sizeof(held));
		}
	}
	lictor_scanned(s, task);
	return 0;
}
