/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a process was started with: its arguments and environment, as the rules classify them. They
 * are read from the new program's stack when it has been loaded and has not run. Of processes that
 * were there before the rules, lictord reads them (daemon/start.c). A thread has its process's.
 */
#ifndef LICTOR_START_H
#define LICTOR_START_H

#include "bpf/process.bpf.h"

#define LICTOR_PIECE 2048u

static __always_inline u32 lictor_starts_of(const void *page)
{
	return page ? LICTOR_GET(page, 0, struct lictor_image, starts) : 0;
}

/* A text that comes in pieces. */
struct lictor_span {
	struct lictor_scratch *s;
	struct lictor_reading reading;
};

/* One piece of a text in the current task's memory. */
static long lictor_span_step(u32 index, struct lictor_span *span)
{
	struct lictor_scratch *s = span->s;
	u32 length = s->span.left < LICTOR_PIECE ? s->span.left : LICTOR_PIECE;
	char *piece = &s->text[LICTOR_REGION_SHORT * LICTOR_PATH_MAX];

	length = LICTOR_MASK(length, 2 * LICTOR_PIECE - 1);
	if (bpf_probe_read_user(piece, length, (const void *)s->span.from)) {
		s->span.failed = 1;
		return 1;
	}
	span->reading.length = length;
	lictor_pieces_read(&span->reading);
	s->span.from += length;
	s->span.left -= length;
	return s->span.left == 0;
}

/* The text in s->span, in a space, into hits[string]. */
static __always_inline void lictor_classify_span(struct lictor_scratch *s, u64 generation,
						 u32 space, u32 string)
{
	struct lictor_hits *hits = &s->facts.hits[string];
	struct lictor_span span = { .s = s };

	span.reading.tables = lictor_open(generation);
	span.reading.text = s->text;
	span.reading.start = LICTOR_REGION_SHORT * LICTOR_PATH_MAX;
	span.reading.work = &s->work;
	span.reading.hits = hits;
	span.reading.entries = space == LICTOR_SPACE_ENV;
	if (!span.reading.tables) {
		hits->state = LICTOR_UNKNOWN;
		return;
	}
	lictor_pieces_begin(&span.reading, space);
	/* No rule asks for it: it is not read. */
	if (!lictor_pieces_automata(&span.reading))
		s->span.left = 0;
	s->span.failed = s->span.left > LICTOR_START_MAX;
	if (!s->span.failed && s->span.left)
		bpf_loop(LICTOR_START_MAX / LICTOR_PIECE, lictor_span_step, &span, 0);
	lictor_pieces_end(&span.reading);
	if (s->span.failed || s->span.left)
		hits->state = LICTOR_UNKNOWN;
	lictor_hits_same(hits);
}

/* From where to where in memory; of arguments without the last one's NUL. */
static __always_inline void lictor_span_set(struct lictor_scratch *s, u64 from, u64 end,
					    u32 without)
{
	u64 length = end - from;

	s->span.from = from;
	s->span.left = end < from || length > LICTOR_START_MAX + 1 ? ~0u :
		       length < without				   ? 0 :
								     (u32)length - without;
}

/* Of the current task, which has just loaded its program. */
__noinline int lictor_classify_start(struct lictor_scratch *s, u64 generation)
{
	struct mm_struct *mm = bpf_get_current_task_btf()->mm;

	if (!s || !mm)
		return 0;
	lictor_span_set(s, mm->arg_start, mm->arg_end, 1);
	lictor_classify_span(s, generation, LICTOR_SPACE_ARGS, LICTOR_STRING_ARGS);
	lictor_span_set(s, mm->env_start, mm->env_end, 0);
	lictor_classify_span(s, generation, LICTOR_SPACE_ENV, LICTOR_STRING_ENV);
	return 1;
}

static __always_inline struct lictor_start *lictor_start_of(struct task_struct *task)
{
	return lictor_way == LICTOR_VIA_CGROUP ?
		       NULL : bpf_task_storage_get(&starts, task->group_leader, 0, 0);
}

/* What is known of the task's process under a generation, or NULL. */
static __always_inline const struct lictor_started *lictor_started_of(struct task_struct *task,
								      u64 generation)
{
	const struct lictor_start *start = lictor_start_of(task);
	const struct lictor_read_start *read;
	const struct lictor_started *known;

	if (lictor_way == LICTOR_VIA_CGROUP)
		return NULL;
	if (start && start->under[generation & 1].generation == (u32)generation)
		return &start->under[generation & 1];
	read = bpf_task_storage_get(&read_starts, task->group_leader, 0, 0);
	if (!read)
		return NULL;
	known = &read->under[generation & 1];
	return known->generation == (u32)generation &&
			       known->execs == (start ? start->execs : 0) ? known : NULL;
}

/* Facts that rules ask for. A kernel thread was started with nothing. */
static __noinline void lictor_gather_start(struct lictor_scratch *s, struct task_struct *task)
{
	const struct lictor_started *known;
	u32 state = LICTOR_PRESENT;

	if (!s)
		return;
	known = lictor_started_of(task, s->generation);
	s->facts.repeated = 0;
	if (known) {
		s->facts.repeated = known->repeated;
		s->facts.hits[LICTOR_STRING_ARGS] = known->args;
		s->facts.hits[LICTOR_STRING_ENV] = known->env;
		if (known->args.state != LICTOR_UNKNOWN && known->env.state != LICTOR_UNKNOWN)
			return;
	} else {
		state = task->flags & PF_KTHREAD ? LICTOR_ABSENT : LICTOR_UNKNOWN;
		s->facts.hits[LICTOR_STRING_ARGS].state = state;
		s->facts.hits[LICTOR_STRING_ENV].state = state;
	}
	s->facts.v.state[LICTOR_FIELD_PROCESS_ARGS] = s->facts.hits[LICTOR_STRING_ARGS].state;
	s->facts.v.state[LICTOR_FIELD_PROCESS_ENV] = s->facts.hits[LICTOR_STRING_ENV].state;
	if (state != LICTOR_ABSENT)
		lictor_reason(s, LICTOR_REASON_START_UNREADABLE);
}

/* One process became two: the child has been started with what its maker was. */
static __always_inline void lictor_pass_start(struct task_struct *child,
					      struct task_struct *creator)
{
	struct lictor_start *start, *before = lictor_start_of(creator);
	struct lictor_read_start *read, *read_before;

	if (child->flags & PF_KTHREAD)
		return;
	read_before = bpf_task_storage_get(&read_starts, creator->group_leader, 0, 0);
	start = before ? bpf_task_storage_get(&starts, child, 0,
					      BPF_LOCAL_STORAGE_GET_F_CREATE) : NULL;
	read = read_before ? bpf_task_storage_get(&read_starts, child, 0,
						  BPF_LOCAL_STORAGE_GET_F_CREATE) : NULL;
	if (start)
		__builtin_memcpy(start, before, sizeof(*start));
	if (read)
		__builtin_memcpy(read, read_before, sizeof(*read));
	if ((before && !start) || (read_before && !read))
		lictor_count_reason(LICTOR_REASON_NO_SUBJECT);
}

/* What the process has just been started with, as one generation of rules classifies it. */
static __always_inline void lictor_start_under(struct lictor_scratch *s,
					       struct lictor_start *start, u64 generation)
{
	lictor_tables tables;
	struct lictor_started *seen;

	if (!generation)
		return;
	tables = lictor_open(generation);
	if (!tables || !(lictor_starts_of(lictor_page(tables, 0)) & LICTOR_STARTS_ASKED))
		return;
	if (!lictor_classify_start(s, generation))
		return;
	seen = &start->under[generation & 1];
	seen->args = s->facts.hits[LICTOR_STRING_ARGS];
	seen->env = s->facts.hits[LICTOR_STRING_ENV];
	seen->repeated = s->work.repeated;
	seen->generation = (u32)generation;
}

/* Another program. Returns whether a rule about exec has waited for that. */
static __always_inline bool lictor_settle_start(struct task_struct *task,
						const struct lictor_control *c)
{
	lictor_tables active = lictor_open(c->active), pending = lictor_open(c->pending);
	u32 in_force = 0, asked = 0;
	struct lictor_scratch *s;
	struct lictor_start *start;

	if (c->active && active)
		in_force = lictor_starts_of(lictor_page(active, 0));
	if (c->pending && pending)
		asked = lictor_starts_of(lictor_page(pending, 0));
	asked |= in_force;
	start = bpf_task_storage_get(&starts, task, 0,
				     asked ? BPF_LOCAL_STORAGE_GET_F_CREATE : 0);
	if (start) {
		start->execs++;
		start->under[0].generation = 0;
		start->under[1].generation = 0;
	}
	if (!asked)
		return false;
	s = start ? lictor_scratch_get() : NULL;
	if (s) {
		lictor_start_under(s, start, c->active);
		lictor_start_under(s, start, c->pending);
		lictor_scratch_put(s);
	} else {
		lictor_count_reason(start ? LICTOR_REASON_NO_SCRATCH : LICTOR_REASON_NO_SUBJECT);
		/* Without the count that makes it stale, it would be taken for the new program's. */
		if (!start)
			bpf_task_storage_delete(&read_starts, task);
	}
	return in_force & LICTOR_STARTS_EXEC;
}

#endif
