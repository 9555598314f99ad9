/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Before rules come into force: what each process was started with, as far as it can still be
 * known, for those rules that ask for it, and for records of processes older than Lictor. May
 * sleep, since the memory of others may have to be fetched.
 */
#include "bpf/start.bpf.h"

/* The arguments as they are kept, if all of them are. */
static __always_inline bool lictor_classify_kept_args(struct lictor_scratch *s, u64 generation,
						      const struct lictor_history *history)
{
	struct lictor_hits *hits = &s->facts.hits[LICTOR_STRING_ARGS];
	struct lictor_reading reading = {
		.tables = lictor_open(generation), .text = s->text, .work = &s->work, .hits = hits,
		.start = LICTOR_REGION_SHORT * LICTOR_PATH_MAX,
	};
	u32 length;

	if (!history || !history->args_length || history->args_length != history->args_total ||
	    !reading.tables)
		return false;
	length = LICTOR_MASK(history->args_length - 1, LICTOR_ARGS_MASK);
	bpf_probe_read_kernel(&s->text[LICTOR_REGION_SHORT * LICTOR_PATH_MAX], length,
			      history->args);
	reading.length = length;
	lictor_pieces_begin(&reading, LICTOR_SPACE_ARGS);
	lictor_pieces_read(&reading);
	lictor_pieces_end(&reading);
	lictor_hits_same(hits);
	return true;
}

/* Of a process that was there before Lictor, records have what its memory says. */
static __always_inline void lictor_infer_args(struct task_struct *task, struct mm_struct *mm,
					      struct lictor_history *history)
{
	u64 from = mm->arg_start, length = mm->arg_end - from, exec = task->self_exec_id;

	if (history->args_total || !history->inferred || length > ~0u)
		return;
	history->args_total = length;
	if (length > LICTOR_ARGS_KEPT)
		length = LICTOR_ARGS_KEPT;
	if (!bpf_copy_from_user_task(history->args, LICTOR_MASK((u32)length, LICTOR_ARGS_MASK),
				     (const void *)from, task, 0))
		history->args_length = length;
	/* It executes: what has been read is of neither, and the exec has yet to write its own. */
	if (*(volatile u64 *)&task->self_exec_id != exec)
		history->args_length = 0;
}

static __always_inline void lictor_read_start(struct lictor_scratch *s, struct task_struct *task,
					      struct mm_struct *mm,
					      const struct lictor_history *history,
					      struct lictor_start *start, u64 generation)
{
	struct lictor_started *read = &start->read[generation & 1];
	u32 execs = start->execs;

	if (start->seen[generation & 1].generation == (u32)generation ||
	    (read->generation == (u32)generation && read->execs == execs))
		return;
	read->generation = 0;
	if (!lictor_classify_kept_args(s, generation, history)) {
		lictor_span_set(s, mm->arg_start, mm->arg_end, 1);
		lictor_classify_span(s, generation, task, true, LICTOR_SPACE_ARGS,
				     LICTOR_STRING_ARGS);
	}
	lictor_span_set(s, mm->env_start, mm->env_end, 0);
	lictor_classify_span(s, generation, task, true, LICTOR_SPACE_ENV, LICTOR_STRING_ENV);
	read->args = s->facts.hits[LICTOR_STRING_ARGS];
	read->env = s->facts.hits[LICTOR_STRING_ENV];
	read->execs = execs;
	__sync_lock_test_and_set(&read->generation, (u32)generation);
}

SEC("iter.s/task")
int classify_starts(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;
	const struct lictor_control *c = lictor_in_force();
	struct lictor_history *history;
	struct lictor_start *start;
	struct lictor_scratch *s;
	lictor_tables tables;
	struct mm_struct *mm;
	u64 generation;

	if (!task || !c || task->pid != task->tgid || task->flags & PF_KTHREAD)
		return 0;
	generation = c->pending;
	tables = lictor_open(generation);
	mm = task->mm;
	if (!generation || !tables || !mm)
		return 0;
	history = bpf_task_storage_get(&histories, task, 0, 0);
	if (history)
		lictor_infer_args(task, mm, history);
	if (!(lictor_starts_of(lictor_page(tables, 0)) & LICTOR_STARTS_ASKED))
		return 0;
	start = bpf_task_storage_get(&starts, task, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
	s = start ? lictor_scratch_get() : NULL;
	if (!s) {
		lictor_count_reason(start ? LICTOR_REASON_NO_SCRATCH : LICTOR_REASON_NO_SUBJECT);
		return 0;
	}
	lictor_read_start(s, task, mm, history, start, generation);
	lictor_scratch_put(s);
	return 0;
}
