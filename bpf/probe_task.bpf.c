/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Keeps subjects true: a new task inherits, an exec settles a new identity, and at each new
 * generation of rules an iterator classifies what is running. Where the LSM way is not to be had,
 * exec is also decided here: the process is killed before the new program's first instruction.
 */
#include "bpf/script.bpf.h"
#include "bpf/target.bpf.h"

static __always_inline struct lictor_identity *lictor_identity_of(struct lictor_subject *subject,
								  u64 generation)
{
	return &subject->identity[generation & 1];
}

/* One process became two: the child's parent is what the creator is now. */
static __always_inline void lictor_inherit(struct lictor_subject *child, u64 generation,
					   struct lictor_scratch *s, const char *comm)
{
	struct lictor_identity *id = lictor_identity_of(child, generation);
	lictor_tables tables;

	if (!generation || id->generation != (u32)generation)
		return;
	tables = lictor_open(generation);
	if (!tables)
		return;
	id->parent = id->image;
	lictor_ancestors_add(generation, LICTOR_SPACE_IMAGE, &id->image, &id->images);
	lictor_classify_name(s, generation, comm, LICTOR_STRING_PARENT_NAME);
	id->parent_name = s->facts.hits[LICTOR_STRING_PARENT_NAME];
	lictor_ancestors_add(generation, LICTOR_SPACE_NAME, &id->parent_name, &id->names);
}

SEC("tp_btf/task_newtask")
int BPF_PROG(track_newtask, struct task_struct *task, u64 clone_flags)
{
	struct task_struct *creator = bpf_get_current_task_btf();
	const struct lictor_control *c = lictor_in_force();
	struct lictor_subject *mine, *child;
	struct lictor_scratch *s;
	char comm[16];

	child = bpf_task_storage_get(&subjects, task, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!child) {
		lictor_count_reason(LICTOR_REASON_NO_SUBJECT);
		return 0;
	}
	mine = bpf_task_storage_get(&subjects, creator, 0, 0);
	if (!mine)
		return 0;
	__builtin_memcpy(child, mine, sizeof(*child));
	child->leaving = 0;
	if (clone_flags & CLONE_THREAD || !c)
		return 0;
	child->start_ns = task->start_boottime;
	child->parent_start_ns = mine->start_ns;
	child->parent_pid = creator->tgid;
	child->parent_length = mine->image_length;
	__builtin_memcpy(child->parent, mine->image, sizeof(child->parent));
	child->flags &= ~(LICTOR_SUBJECT_PARENT_CUT | LICTOR_SUBJECT_PARENT_HOST |
			  LICTOR_SUBJECT_INFERRED);
	if (child->flags & LICTOR_SUBJECT_CUT)
		child->flags |= LICTOR_SUBJECT_PARENT_CUT;
	if (child->flags & LICTOR_SUBJECT_HOST)
		child->flags |= LICTOR_SUBJECT_PARENT_HOST;
	bpf_probe_read_kernel(comm, sizeof(comm), creator->comm);
	__builtin_memcpy(child->parent_name, comm, sizeof(child->parent_name));
	lictor_descend(task, creator, mine);
	lictor_pass_start(task, creator);
	s = lictor_scratch_get();
	if (!s) {
		lictor_count_reason(LICTOR_REASON_NO_SCRATCH);
		child->identity[0].generation = 0;
		child->identity[1].generation = 0;
		return 0;
	}
	lictor_inherit(child, c->active, s, comm);
	lictor_inherit(child, c->pending, s, comm);
	lictor_scratch_put(s);
	return 0;
}

/* Nothing is known of who made the process, and of its ancestors: they may be any. */
static __always_inline void lictor_orphan(struct lictor_identity *id, u64 generation)
{
	u32 i;

	id->parent.any = 0;
	id->parent.sure = 0;
	id->parent.own = 0;
	id->parent.state = LICTOR_UNKNOWN;
	id->parent_name = id->parent;
	for (i = 0; i < LICTOR_ATOMS_MAX / 64; i++) {
		id->images.any.bit[i] = ~0ull;
		id->images.sure.bit[i] = 0;
		id->names.any.bit[i] = ~0ull;
		id->names.sure.bit[i] = 0;
	}
	id->generation = (u32)generation;
}

/* The identity under one generation, for the program in ascent[0]. */
static __always_inline void lictor_settle(struct lictor_scratch *s, struct lictor_subject *subject,
					  u64 generation, bool in_force)
{
	struct lictor_identity *id = lictor_identity_of(subject, generation);
	lictor_tables tables;

	if (!generation)
		return;
	tables = lictor_open(generation);
	if (!tables)
		return;
	/* There was no memory or no buffer when it was made; the program at least is known again. */
	if (in_force && id->generation != (u32)generation) {
		lictor_classify_image(s, generation, subject);
		id->image = s->facts.hits[LICTOR_STRING_IMAGE];
		lictor_orphan(id, generation);
		return;
	}
	/* What a process ran before counts as its ancestor: exec alone sheds nothing. */
	if (id->generation == (u32)generation)
		lictor_ancestors_add(generation, LICTOR_SPACE_IMAGE, &id->image, &id->images);
	lictor_classify_image(s, generation, subject);
	id->image = s->facts.hits[LICTOR_STRING_IMAGE];
}

/* Who executes is who it was before; what is new is what the program is started with. */
static __always_inline void lictor_gather_before(struct lictor_scratch *s,
						 struct task_struct *task)
{
	const struct lictor_history *before = lictor_history_of(task);

	lictor_gather_process(s, task);
	if (!before || !before->noted) {
		s->facts.v.state[LICTOR_FIELD_USER_EFFECTIVE_NAME] = LICTOR_UNKNOWN;
		s->facts.v.state[LICTOR_FIELD_USER_EFFECTIVE_ID] = LICTOR_UNKNOWN;
		s->facts.v.state[LICTOR_FIELD_PROCESS_ELEVATED] = LICTOR_UNKNOWN;
		s->facts.v.state[LICTOR_FIELD_PROCESS_CAPABILITIES] = LICTOR_UNKNOWN;
		s->facts.hits[LICTOR_STRING_NAME].state = LICTOR_UNKNOWN;
		lictor_reason(s, LICTOR_REASON_NO_SUBJECT);
		return;
	}
	lictor_number(s, LICTOR_FIELD_USER_EFFECTIVE_NAME, before->effective_user);
	lictor_number(s, LICTOR_FIELD_USER_EFFECTIVE_ID, before->effective_user);
	lictor_number(s, LICTOR_FIELD_PROCESS_ELEVATED,
		      before->effective_user != task->cred->uid.val);
	lictor_number(s, LICTOR_FIELD_PROCESS_CAPABILITIES, before->capabilities);
	s->record.egid = before->effective_group;
	if (s->needs & LICTOR_NEED_NAME)
		lictor_classify_name(s, s->generation, before->name, LICTOR_STRING_NAME);
}

struct lictor_executing {
	struct task_struct *task;
	struct linux_binprm *bprm;
	u32 scripts;
	enum lictor_loaded loaded;
};

/* One of the files, the program last. */
static long lictor_executing_step(u32 index, struct lictor_executing *e)
{
	struct lictor_scratch *s = NULL;
	struct file *file = e->bprm->file;
	bool last;
	int begun;

	if (!file)
		return 1;
	begun = lictor_begin(LICTOR_EVENT_EXEC, LICTOR_EVENTS, LICTOR_HOOK_sched_process_exec,
			     LICTOR_VIA_TP_BTF, &s);
	if (begun == LICTOR_CLOSED)
		bpf_send_signal(SIGKILL);
	if (begun != LICTOR_DECIDE || !s)
		return 1;
	s->loaded = e->loaded;
	lictor_gather_before(s, e->task);
	if (index >= e->scripts)
		lictor_gather_last(s, e->task, file);
	else
		lictor_gather_script(s, e->task, index);
	lictor_number(s, LICTOR_FIELD_FILE_MAPPED, 0);
	lictor_decide(s, LICTOR_EVENT_EXEC, 0);
	/* PID 1 cannot be killed, and goes on. */
	last = index >= e->scripts ||
	       (s->outcome.action == LICTOR_ACTION_KILL && e->task->tgid != 1);
	/* Nothing can be denied here any more; but with SIGKILL pending the program never runs. */
	lictor_let_pass(s, 0);
	return last;
}

static __always_inline void lictor_decide_exec(struct task_struct *task, struct linux_binprm *bprm,
					       enum lictor_loaded loaded)
{
	struct lictor_executing e = { .task = task, .bprm = bprm, .loaded = loaded };

	/* Where there is no earlier hook, nobody has seen the scripts. */
	if (loaded != LICTOR_LOADED_LATE && !lictor_first_file(bprm))
		e.scripts = lictor_scripts_count(task);
	bpf_loop(LICTOR_SCRIPTS + 1, lictor_executing_step, &e, 0);
	bpf_task_storage_delete(&scripts, task);
}

/* From now on it is another program. Called, not built in: the stack is scarce. */
static __noinline void lictor_settle_program(const struct lictor_control *c, struct file *file)
{
	struct lictor_subject *subject;
	struct lictor_scratch *s;
	lictor_tables tables;

	if (!c || !file)
		return;
	subject = bpf_task_storage_get(&subjects, bpf_get_current_task_btf(), 0,
				       BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!subject) {
		lictor_count_reason(LICTOR_REASON_NO_SUBJECT);
		return;
	}
	subject->exec_inode = 0;
	lictor_keep_object(subject, file);
	s = lictor_scratch_get();
	tables = lictor_open(c->active ? c->active : c->pending);
	if (!s || !tables) {
		lictor_count_reason(s ? LICTOR_REASON_NO_TABLES : LICTOR_REASON_NO_SCRATCH);
		subject->identity[0].generation = 0;
		subject->identity[1].generation = 0;
		subject->image_length = 0;
		subject->program = 0;
		subject->flags &= ~LICTOR_SUBJECT_HOST;
		subject->flags |= LICTOR_SUBJECT_CUT;
		if (s)
			lictor_scratch_put(s);
		return;
	}
	s->outcome.reasons = 0;
	s->record.size = sizeof(struct lictor_record);
	s->record.texts = 0;
	lictor_ascend(s, c->active ? c->active : c->pending, 0, file->f_path.mnt,
		      file->f_path.dentry);
	lictor_keep_image(s, subject);
	lictor_note_program(s, subject);
	subject->flags &= ~LICTOR_SUBJECT_INFERRED;
	lictor_settle(s, subject, c->active, true);
	lictor_settle(s, subject, c->pending, false);
	lictor_scratch_put(s);
}

SEC("tp_btf/sched_process_exec")
int BPF_PROG(track_exec, struct task_struct *task, int old_pid, struct linux_binprm *bprm)
{
	const struct lictor_control *c = lictor_in_force();
	bool waited;

	if (!c || !bprm->file || (!c->active && !c->pending))
		return 0;
	lictor_keep_args(task);
	waited = lictor_settle_start(task, c);
	if (waited || c->decide_exec)
		lictor_decide_exec(task, bprm,
				   c->decide_exec ? LICTOR_LOADED_LATE : LICTOR_LOADED_NOW);
	lictor_forget_before(task);
	lictor_settle_program(c, bprm->file);
	return 0;
}

/* What wait(2) is told of the process: of all threads the status is one. */
static __always_inline u32 lictor_exit_status(struct task_struct *task)
{
	if (task->signal->flags & SIGNAL_GROUP_EXIT)
		return task->signal->group_exit_code;
	return task->group_leader->exit_code;
}

static __always_inline u64 lictor_at_most(u64 value, u64 most)
{
	return value < most ? value : most;
}

static __always_inline void lictor_gather_exit(struct lictor_scratch *s, struct task_struct *task)
{
	u32 status = lictor_exit_status(task), signal = status & 0x7f;
	u64 time = task->signal->sum_sched_runtime + task->se.sum_exec_runtime;

	if (signal)
		lictor_number(s, LICTOR_FIELD_SIGNAL_NAME, lictor_signal_value(signal));
	else
		lictor_number(s, LICTOR_FIELD_EXIT_CODE, status >> 8 & 0xff);
	lictor_number(s, LICTOR_FIELD_EXIT_CPU_TIME, lictor_at_most(time / 1000000, ~0u));
	lictor_number(s, LICTOR_FIELD_EXIT_MEMORY_PEAK,
		      lictor_at_most(task->signal->maxrss * PAGE_KIB, ~0u));
}

/* Threads that end at the same time may all find that none is left: the first to say so counts. */
static __always_inline bool lictor_ends(struct task_struct *task)
{
	struct lictor_history *history;

	if (task->signal->live.counter != 0)
		return false;
	history = lictor_history_of(task);
	return !history || !__sync_lock_test_and_set(&history->ended, 1);
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(tp_sched_process_exit, struct task_struct *task)
{
	struct lictor_scratch *s = NULL;

	if (!lictor_ends(task))
		return 0;
	if (lictor_begin(LICTOR_EVENT_EXIT, LICTOR_EVENTS, LICTOR_HOOK_sched_process_exit,
			 LICTOR_VIA_TP_BTF, &s) != LICTOR_DECIDE ||
	    !s)
		return 0;
	lictor_gather_exit(s, task);
	lictor_decide(s, LICTOR_EVENT_EXIT, 0);
	lictor_observe(s, 0);
	return 0;
}

/* What the creator ran is kept, whole: whoever is the parent now does not matter. */
static __always_inline bool lictor_parent_known(const struct lictor_subject *subject)
{
	return subject->parent_length && subject->parent_length <= LICTOR_IMAGE_TEXT &&
	       !(subject->flags & LICTOR_SUBJECT_PARENT_CUT);
}

/* The image of a task that has just come to be known, whose program ascent[0] is about. */
__noinline int lictor_meet(struct lictor_scratch *s, struct lictor_subject *subject,
			   u64 generation)
{
	if (!s || !subject)
		return 0;
	lictor_keep_image(s, subject);
	lictor_classify_image(s, generation, subject);
	lictor_identity_of(subject, generation)->image = s->facts.hits[LICTOR_STRING_IMAGE];
	return 0;
}

/* All of an identity under a generation; known: but for the image, which has just been met. */
__noinline int lictor_prepare(struct lictor_scratch *s, struct lictor_subject *subject,
			      u64 generation, u32 known)
{
	struct lictor_identity *id, *old;
	lictor_tables tables = lictor_open(generation);
	u32 i;

	if (!s || !subject || !tables)
		return 0;
	id = lictor_identity_of(subject, generation);
	old = lictor_identity_of(subject, generation + 1);
	/* What was kept at exec is what the process is; what was not kept whole is not known. */
	if (!known) {
		id->image.state = LICTOR_ABSENT;
		id->image.any = 0;
		id->image.sure = 0;
	}
	if (!known && subject->flags & LICTOR_SUBJECT_CUT) {
		id->image.state = LICTOR_UNKNOWN;
	} else if (!known && subject->image_length && subject->image_length <= LICTOR_IMAGE_TEXT) {
		lictor_classify_kept(s, generation, subject->image, subject->image_length,
				     subject->flags & LICTOR_SUBJECT_HOST, LICTOR_STRING_IMAGE);
		id->image = s->facts.hits[LICTOR_STRING_IMAGE];
	}
	if (lictor_parent_known(subject)) {
		lictor_classify_kept(s, generation, subject->parent, subject->parent_length,
				     subject->flags & LICTOR_SUBJECT_PARENT_HOST,
				     LICTOR_STRING_PARENT);
		id->parent = s->facts.hits[LICTOR_STRING_PARENT];
	} else {
		id->parent.state = LICTOR_ABSENT;
		id->parent.any = 0;
		id->parent.sure = 0;
	}
	lictor_classify_name(s, generation, subject->parent_name, LICTOR_STRING_PARENT_NAME);
	id->parent_name = s->facts.hits[LICTOR_STRING_PARENT_NAME];
	__builtin_memset(&id->images, 0, sizeof(id->images));
	__builtin_memset(&id->names, 0, sizeof(id->names));
	if (old->generation) {
		const void *page = lictor_page(tables, 0);

		for (i = 0; page && i < LICTOR_ATOMS_MAX / 64; i++) {
			u64 carried = LICTOR_GET(page, 0, struct lictor_image,
						 carried[LICTOR_ANCESTOR_IMAGES].bit[i]);
			u64 names = LICTOR_GET(page, 0, struct lictor_image,
					       carried[LICTOR_ANCESTOR_NAMES].bit[i]);

			id->images.any.bit[i] = old->images.any.bit[i] & carried;
			id->images.sure.bit[i] = old->images.sure.bit[i] & carried;
			id->names.any.bit[i] = old->names.any.bit[i] & names;
			id->names.sure.bit[i] = old->names.sure.bit[i] & names;
		}
	}
	lictor_ancestors_add(generation, LICTOR_SPACE_NAME, &id->parent_name, &id->names);
	id->generation = generation;
	return 0;
}

/*
 * For each task, before a generation comes into force: its image under that generation. Tasks that
 * were there before Lictor get their subject here, inferred from what the kernel says of them now.
 */
SEC("iter/task")
int classify_tasks(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;
	const struct lictor_control *c = lictor_in_force();
	struct lictor_subject *subject;
	struct lictor_identity *id;
	struct lictor_scratch *s;
	lictor_tables tables;
	struct mm_struct *mm;
	struct file *file = NULL;
	bool fresh;
	u64 generation;

	if (!task || !c)
		return 0;
	generation = c->pending;
	tables = lictor_open(generation);
	if (!generation || !tables)
		return 0;
	subject = bpf_task_storage_get(&subjects, task, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
	s = lictor_scratch_get();
	if (!subject || !s) {
		lictor_count_reason(s ? LICTOR_REASON_NO_SUBJECT : LICTOR_REASON_NO_SCRATCH);
		if (s)
			lictor_scratch_put(s);
		return 0;
	}
	s->outcome.reasons = 0;
	s->record.size = sizeof(struct lictor_record);
	s->record.texts = 0;
	id = lictor_identity_of(subject, generation);
	if (id->generation == (u32)generation) {
		lictor_scratch_put(s);
		return 0;
	}
	mm = task->mm;
	if (mm)
		file = mm->exe_file;
	fresh = !subject->start_ns;
	if (fresh) {
		struct task_struct *parent = task->real_parent;

		subject->start_ns = task->group_leader->start_boottime;
		subject->flags = LICTOR_SUBJECT_INFERRED;
		subject->parent_pid = parent->tgid;
		subject->parent_start_ns = parent->group_leader->start_boottime;
		bpf_probe_read_kernel(subject->parent_name, sizeof(subject->parent_name),
				      parent->comm);
		if (task->flags & PF_KTHREAD)
			subject->flags |= LICTOR_SUBJECT_KERNEL;
	}
	/* Only of a task that has just come to be known is exe_file read: a process can change it. */
	if (fresh && file) {
		lictor_ascend(s, generation, 0, file->f_path.mnt, file->f_path.dentry);
		lictor_keep_object(subject, file);
		lictor_meet(s, subject, generation);
		lictor_note_program(s, subject);
	}
	lictor_prepare(s, subject, generation, fresh && file);
	lictor_scratch_put(s);
	return 0;
}

struct lictor_lineage {
	struct task_struct *task;
	struct lictor_history *history;	/* to be made, or NULL */
	struct lictor_identity *id;
	lictor_tables tables;
	u64 generation;
	u32 known;	/* the creator is */
};

static long lictor_lineage_step(u32 index, struct lictor_lineage *l)
{
	struct task_struct *parent = l->task->real_parent;
	struct lictor_subject *subject;
	struct lictor_identity *id;

	if (!parent || parent->pid == 0)
		return 1;
	parent = parent->group_leader;
	subject = bpf_task_storage_get(&subjects, parent, 0, 0);
	if (subject && l->history && index < LICTOR_ANCESTORS) {
		u32 at = l->history->ancestors - 1 - index;
		struct lictor_ancestor *ancestor =
			&l->history->ancestor[at & (LICTOR_ANCESTORS - 1)];

		ancestor->start_ns = subject->start_ns;
		ancestor->program = subject->program;
		ancestor->pid = parent->tgid;
		ancestor->user = parent->cred->uid.val;
	}
	if (subject) {
		id = lictor_identity_of(subject, l->generation);
		if (index == 0 && !l->known)
			l->id->parent = id->image;
		lictor_ancestors_add(l->generation, LICTOR_SPACE_IMAGE, &id->image, &l->id->images);
		lictor_ancestors_add(l->generation, LICTOR_SPACE_NAME, &id->parent_name,
				     &l->id->names);
	}
	l->task = parent;
	return 0;
}

static long lictor_depth_step(u32 index, struct lictor_lineage *l)
{
	struct task_struct *parent = l->task->real_parent;

	if (!parent || parent->pid == 0 || !l->history)
		return 1;
	l->task = parent->group_leader;
	l->history->ancestors++;
	return 0;
}

/* A process whose making nobody saw: those that are its parents now. */
static __always_inline void lictor_infer_history(struct lictor_lineage *l)
{
	struct task_struct *task = l->task;

	if (task->pid != task->tgid || task->flags & PF_KTHREAD ||
	    bpf_task_storage_get(&histories, task, 0, 0))
		return;
	l->history = bpf_task_storage_get(&histories, task, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!l->history)
		return;
	bpf_loop(256, lictor_depth_step, l, 0);
	l->task = task;
	l->history->inferred = l->history->ancestors;
}

/* Second pass, when every task has its image: what the living ancestors are. */
SEC("iter/task")
int classify_lineage(struct bpf_iter__task *ctx)
{
	struct lictor_lineage l = { .task = ctx->task };
	const struct lictor_control *c = lictor_in_force();
	struct lictor_subject *subject;

	if (!l.task || !c)
		return 0;
	l.generation = c->pending;
	l.tables = lictor_open(l.generation);
	if (!l.generation || !l.tables)
		return 0;
	subject = bpf_task_storage_get(&subjects, l.task, 0, 0);
	if (!subject)
		return 0;
	l.id = lictor_identity_of(subject, l.generation);
	l.known = lictor_parent_known(subject);
	lictor_infer_history(&l);
	bpf_loop(256, lictor_lineage_step, &l, 0);
	return 0;
}

/* The kernel's own numbers of the files that the loader has opened. */
SEC("iter/task_file")
int read_opened(struct bpf_iter__task_file *ctx)
{
	struct task_struct *task = ctx->task;
	struct file *file = ctx->file;
	struct lictor_root_file opened = {};
	struct nsproxy *namespaces;
	struct lictor_control *c;
	struct inode *inode;
	u32 zero = 0;

	if (!file || !task)
		return 0;
	/* The daemon's namespaces are the host's. */
	c = bpf_map_lookup_elem(&control, &zero);
	namespaces = task->nsproxy;
	if (c && namespaces) {
		c->host.cgroup = (u64)namespaces->cgroup_ns;
		c->host.ipc = (u64)namespaces->ipc_ns;
		c->host.mnt = (u64)namespaces->mnt_ns;
		c->host.net = (u64)namespaces->net_ns;
		c->host.time = (u64)namespaces->time_ns;
		c->host.uts = (u64)namespaces->uts_ns;
	}
	inode = file->f_inode;
	opened.fd = ctx->fd;
	opened.ino = inode->i_ino;
	opened.dev = inode->i_sb->s_dev;
	opened.igeneration = inode->i_generation;
	opened.magic = inode->i_sb->s_magic;
	opened.level = inode->i_sb->s_user_ns->level;
	bpf_seq_write(ctx->meta->seq, &opened, sizeof(opened));
	return 0;
}
