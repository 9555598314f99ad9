/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * From facts to an outcome: begin() opens a decision, decide() matches one event and adds what it
 * found, let_pass() or observe() here, or deny() in lsm/verdict.bpf.h, reports it and gives the
 * buffer back.
 * Nothing here denies: the outcome is a number, and only programs in lsm/ turn it into an errno.
 */
#ifndef LICTOR_DECIDE_H
#define LICTOR_DECIDE_H

#include "bpf/cgroup.bpf.h"
#include "bpf/directory.bpf.h"
#include "bpf/history.bpf.h"
#include "bpf/inode.bpf.h"
#include "bpf/start.bpf.h"

/* What begin() returns. */
#define LICTOR_PASS 0
#define LICTOR_DECIDE 1
#define LICTOR_CLOSED 2

static __always_inline u32 lictor_event_at(const void *page, u32 event)
{
	return LICTOR_AT(u32, page,
			 (u32)__builtin_offsetof(struct lictor_image, event) + event * 4);
}

/*
 * Who is never stopped because something could not be found out: PID 1, and the login of a
 * terminal (root's, made by PID 1 itself), so that a host can be mended.
 */
static __always_inline bool lictor_spared(struct task_struct *task)
{
	if (task->tgid == 1)
		return true;
	return task->real_parent->tgid == 1 && task->cred->uid.val == 0 && task->signal->tty &&
	       task->signal->leader;
}

/* A buffer as it was, made ready for one decision. */
static __always_inline void lictor_clear(struct lictor_scratch *s, u64 generation, u32 needs,
					 u32 hook, u32 via)
{
	s->generation = generation;
	s->needs = needs;
	s->hook = hook;
	s->via = via;
	s->twice = 0;
	s->created = 0;
	s->scan = 0;
	s->peer = 0;
	s->loaded = LICTOR_LOADED_ALL;
	s->fs_name = 0;
	s->ascent[0].field = 0;
	s->ascent[1].field = 0;
	s->outcome.action = 0;
	s->outcome.monitored = 0;
	s->outcome.signal = 0;
	s->outcome.monitored_signal = 0;
	s->outcome.rules = 0;
	s->outcome.listed = 0;
	s->outcome.first = 0;
	s->outcome.suppressed = 0;
	s->outcome.reasons = 0;
	s->record.size = sizeof(struct lictor_record);
	s->record.texts = 0;
	s->record.file.ino = 0;
	s->record.file.dev = 0;
	s->record.file.changed_s = 0;
	s->record.image.ino = 0;
	s->record.image.changed_s = 0;
	s->record.file_gid = 0;
	s->record.flags = 0;
	__builtin_memset(s->facts.v.state, 0, sizeof(s->facts.v.state));
	s->facts.hits[LICTOR_STRING_PATH].state = LICTOR_ABSENT;
	s->facts.hits[LICTOR_STRING_TARGET].state = LICTOR_ABSENT;
	s->facts.hits[LICTOR_STRING_FS].state = LICTOR_ABSENT;
	s->facts.hits[LICTOR_STRING_SOCKET].state = LICTOR_ABSENT;
	s->facts.hits[LICTOR_STRING_ARGUMENT].state = LICTOR_ABSENT;
	s->facts.hits[LICTOR_STRING_ARGUMENT2].state = LICTOR_ABSENT;
	s->facts.hits[LICTOR_STRING_ARGS].state = LICTOR_ABSENT;
	s->facts.hits[LICTOR_STRING_ENV].state = LICTOR_ABSENT;
	s->facts.hits[LICTOR_STRING_CWD].state = LICTOR_ABSENT;
	s->facts.hits[LICTOR_STRING_VERITY].state = LICTOR_ABSENT;
	s->facts.repeated = 0;
}

static const u64 lictor_none_seen[LICTOR_RULES_MAX / 64];

/* Are several matches about to make one outcome? */
static __always_inline void lictor_judge_several(struct lictor_scratch *s, bool several)
{
	s->twice = several;
	if (several)
		bpf_probe_read_kernel(s->seen, sizeof(s->seen), lictor_none_seen);
}

/* Who acts. */
static __always_inline void lictor_gather_actor(struct lictor_scratch *s, struct task_struct *task)
{
	lictor_gather_credentials(s, task);
	if (s->needs & LICTOR_NEED_SUBJECT)
		lictor_gather_subject(s, lictor_subject_of(task));
	if (s->needs & LICTOR_NEED_PROCESS)
		lictor_gather_process(s, task);
	if (s->needs & LICTOR_NEED_CGROUP)
		lictor_gather_cgroup(s, lictor_cgroup_of(task));
	if (s->needs & LICTOR_NEED_START)
		lictor_gather_start(s, task);
	if (s->needs & LICTOR_NEED_NAME)
		lictor_classify_name(s, s->generation, task->comm, LICTOR_STRING_NAME);
}

/*
 * Opens a decision about `event` (or `also`, LICTOR_EVENTS for none) by the current task. Returns
 * LICTOR_DECIDE and *ret_s with what the rules of these events need in s->needs; LICTOR_PASS where
 * no rule is about them; LICTOR_CLOSED where it cannot be decided and a rule fails closed.
 */
static __always_inline int lictor_begin(u32 event, u32 also, u32 hook, u32 via,
					struct lictor_scratch **ret_s)
{
	const struct lictor_control *c = lictor_in_force();
	struct task_struct *task = bpf_get_current_task_btf();
	struct lictor_scratch *s;
	lictor_tables tables;
	const void *page;
	u32 head, second = 0, needs = 0, closed = 0;
	u64 generation;

	if (!c)
		return LICTOR_PASS;
	generation = c->active;
	if (!generation)
		return LICTOR_PASS;
	tables = lictor_open(generation);
	page = tables ? lictor_page(tables, 0) : NULL;
	if (!page) {
		lictor_count_reason(LICTOR_REASON_NO_TABLES);
		return LICTOR_PASS;
	}
	head = lictor_event_at(page, event);
	if (also < LICTOR_EVENTS)
		second = lictor_event_at(page, also);
	if ((!head && !second) || (u32)task->tgid == c->daemon)
		return LICTOR_PASS;
	if (head) {
		needs |= LICTOR_GET(page, head, struct lictor_event_head, needs);
		closed |= LICTOR_GET(page, head, struct lictor_event_head, closed);
	}
	if (second) {
		needs |= LICTOR_GET(page, second, struct lictor_event_head, needs);
		closed |= LICTOR_GET(page, second, struct lictor_event_head, closed);
	}
	s = lictor_scratch_get();
	if (!s) {
		lictor_count_reason(LICTOR_REASON_NO_SCRATCH);
		return closed && !lictor_spared(task) ? LICTOR_CLOSED : LICTOR_PASS;
	}
	/* Rules that ask for it are judged when the program has been loaded. */
	if (event == LICTOR_EVENT_EXEC && hook != LICTOR_HOOK_sched_process_exec &&
	    BPF_CORE_READ_BITFIELD(task, in_execve))
		needs &= ~LICTOR_NEED_START;
	lictor_clear(s, generation, needs, hook, via);
	lictor_gather_actor(s, task);
	if (needs & LICTOR_NEED_CWD)
		lictor_gather_directory(s, lictor_climb_directory(s));
	*ret_s = s;
	return LICTOR_DECIDE;
}

static __always_inline struct lictor_rule_count *lictor_count_of(void *counts, u32 rules, u32 rule)
{
	u32 index = bpf_get_smp_processor_id() * rules + rule;

	return bpf_map_lookup_elem(counts, &index);
}

struct lictor_judging {
	struct lictor_scratch *s;
	lictor_tables tables;
	void *counts;
	struct lictor_subject *subject;
	u32 event;
};

/* Takes one token of (process, rule). Returns true if this report is over the limit. */
static __always_inline bool lictor_limited(struct lictor_judging *j, u32 rule, u32 count, u64 period)
{
	struct lictor_limit_key key = {
		.pid = bpf_get_current_pid_tgid() >> 32,
		.rule = rule,
		.start_ns = j->subject ? j->subject->start_ns : 0,
		.generation = j->s->generation,
	};
	struct lictor_limit fresh = { .since_ns = j->s->now, .used = 1 };
	struct lictor_limit *limit = bpf_map_lookup_elem(&limits, &key);

	if (!count || j->s->scan)
		return false;
	if (!limit) {
		bpf_map_update_elem(&limits, &key, &fresh, BPF_ANY);
		return false;
	}
	if (j->s->now - limit->since_ns >= period) {
		limit->since_ns = j->s->now;
		limit->used = 0;
	}
	if (__sync_fetch_and_add(&limit->used, 1) >= count) {
		__sync_fetch_and_add(&limit->suppressed, 1);
		return true;
	}
	j->s->outcome.suppressed += __sync_lock_test_and_set(&limit->suppressed, 0);
	return false;
}

/* One rule that matched. */
static long lictor_judge_step(u32 index, struct lictor_judging *j)
{
	struct lictor_scratch *s = j->s;
	struct lictor_outcome *o = &s->outcome;
	struct lictor_rule_count *count;
	const void *page = lictor_page(j->tables, 0), *row;
	u32 rule = lictor_next_rule(j->tables, j->event, &s->work), at, action, flags;
	u32 signal;

	if (!page || rule == ~0u)
		return 1;
	at = LICTOR_GET(page, 0, struct lictor_image, rule_off) +
	     rule * (u32)sizeof(struct lictor_rule_entry);
	row = lictor_page(j->tables, at);
	if (!row)
		return 1;
	flags = LICTOR_GET(row, at, struct lictor_rule_entry, flags);
	if (s->created && flags & LICTOR_RULE_CREATES)
		return 0;
	if (j->event == LICTOR_EVENT_EXEC &&
	    s->loaded == (flags & LICTOR_RULE_START ? LICTOR_LOADED_NOT : LICTOR_LOADED_NOW))
		return 0;
	/* Only hooks may ask the kernel, and all that there was would be in doubt. */
	if (lictor_asks_verity && s->scan && flags & LICTOR_RULE_VERITY)
		return 0;
	if (j->event == LICTOR_EVENT_ACCEPT && (flags & LICTOR_RULE_PEER) != s->peer)
		return 0;
	if (s->twice) {
		volatile u64 *seen = &s->seen[(rule / 64) & (LICTOR_RULES_MAX / 64 - 1)];
		u64 bit = 1ull << (rule & 63);

		if (*seen & bit)
			return 0;
		*seen |= bit;
	}
	if (!o->rules)
		o->event = j->event;
	o->rules++;
	count = lictor_count_of(j->counts, LICTOR_GET(page, 0, struct lictor_image, rules), rule);
	if (count)
		__sync_fetch_and_add(&count->matched, 1);
	action = LICTOR_GET(row, at, struct lictor_rule_entry, action);
	/* It has been loaded: not to let it run is to kill it. */
	if (action == LICTOR_ACTION_BLOCK && flags & LICTOR_RULE_START &&
	    s->loaded >= LICTOR_LOADED_NOW)
		action = LICTOR_ACTION_KILL;
	signal = LICTOR_GET(row, at, struct lictor_rule_entry, signal);
	if (lictor_limited(j, rule, LICTOR_GET(row, at, struct lictor_rule_entry, limit_count),
			   LICTOR_GET(row, at, struct lictor_rule_entry, limit_period_ns))) {
		if (count)
			__sync_fetch_and_add(&count->limited, 1);
	} else if (o->listed < LICTOR_RECORD_RULES) {
		/* The rule that lictor_verdict() speaks of. */
		bool strongest = flags & LICTOR_RULE_MONITOR ?
			o->action < LICTOR_ACTION_SIGNAL && action > o->monitored &&
				action > o->action :
			action > o->action &&
				(action >= LICTOR_ACTION_SIGNAL || action >= o->monitored);

		if (strongest)
			o->first = o->listed;
		o->rule[o->listed & (LICTOR_RECORD_RULES - 1)] = rule;
		o->listed++;
	} else if (count) {
		/* A record has no room for it: told as a number only. */
		__sync_fetch_and_add(&count->reported, 1);
	}
	if (flags & LICTOR_RULE_MONITOR) {
		if (action > o->monitored) {
			o->monitored = action;
			o->monitored_signal = signal;
		}
	} else if (action > o->action) {
		o->action = action;
		o->signal = signal;
	}
	return 0;
}

/* Matches the facts as event; adds the rules that match to the outcome. */
__noinline int lictor_decide(struct lictor_scratch *s, u32 event, u32 second)
{
	struct lictor_judging j = { .s = s, .event = event };
	u32 zero = 0, slot;
	struct lictor_stats *st = bpf_map_lookup_elem(&stats, &zero);

	if (!s || event >= LICTOR_EVENTS)
		return 0;
	j.tables = lictor_open(s->generation);
	slot = s->generation & 1;
	j.counts = bpf_map_lookup_elem(&rule_counts, &slot);
	if (!j.tables || !j.counts) {
		lictor_reason(s, LICTOR_REASON_NO_TABLES);
		return 0;
	}
	if (st && !second)
		__sync_fetch_and_add(&st->decided[event], 1);
	lictor_match(s->generation, j.tables, event, &s->facts, second, &s->work);
	/* What was found out earlier has its reason; the rest are values with too many outcomes. */
	if (s->work.unknown && !s->outcome.reasons)
		lictor_reason(s, LICTOR_REASON_TOO_MANY_HITS);
	if (!s->work.found)
		return 0;
	s->now = bpf_ktime_get_boot_ns();
	j.subject = lictor_subject_of(bpf_get_current_task_btf());
	bpf_loop(LICTOR_CLAUSES_MAX, lictor_judge_step, &j, 0);
	/* Doubt stops everybody but those without whom nobody could put it right. */
	if (s->outcome.reasons && s->outcome.action >= LICTOR_ACTION_BLOCK &&
	    lictor_spared(bpf_get_current_task_btf()))
		s->outcome.action = LICTOR_ACTION_ALERT;
	return 0;
}

static __always_inline u32 lictor_verdict(const struct lictor_outcome *o)
{
	if (o->action >= LICTOR_ACTION_SIGNAL)
		return o->action == LICTOR_ACTION_KILL	 ? LICTOR_VERDICT_KILLED
		       : o->action == LICTOR_ACTION_BLOCK ? LICTOR_VERDICT_BLOCKED
							  : LICTOR_VERDICT_SIGNALED;
	if (o->monitored >= LICTOR_ACTION_SIGNAL)
		return o->monitored == LICTOR_ACTION_KILL    ? LICTOR_VERDICT_WOULD_KILL
		       : o->monitored == LICTOR_ACTION_BLOCK ? LICTOR_VERDICT_WOULD_BLOCK
							     : LICTOR_VERDICT_WOULD_SIGNAL;
	return LICTOR_VERDICT_ALLOWED;
}

struct lictor_counting {
	struct lictor_scratch *s;
	void *counts;
	u32 rules;
	u32 lost;
};

static long lictor_count_step(u32 index, struct lictor_counting *c)
{
	struct lictor_rule_count *count;

	if (index >= c->s->outcome.listed)
		return 1;
	count = lictor_count_of(c->counts, c->rules,
				c->s->outcome.rule[index & (LICTOR_RECORD_RULES - 1)]);
	if (count)
		__sync_fetch_and_add(c->lost ? &count->lost : &count->reported, 1);
	return 0;
}

/* The listed rules' report has gone out, or was lost. */
static __always_inline void lictor_count_listed(struct lictor_scratch *s, bool lost)
{
	struct lictor_counting counting = { .s = s, .lost = lost };
	lictor_tables tables = lictor_open(s->generation);
	const void *page = tables ? lictor_page(tables, 0) : NULL;
	u32 slot = s->generation & 1;

	counting.counts = bpf_map_lookup_elem(&rule_counts, &slot);
	if (!counting.counts || !page)
		return;
	counting.rules = LICTOR_GET(page, 0, struct lictor_image, rules);
	bpf_loop(LICTOR_RECORD_RULES, lictor_count_step, &counting, 0);
}

/* Of an exec, what the task was called before it. */
static __always_inline void lictor_record_name(struct lictor_scratch *s, struct task_struct *task)
{
	struct lictor_history *history = s->loaded >= LICTOR_LOADED_NOW ? lictor_history_of(task) :
									   NULL;
	const char *name = history && history->noted ? history->name : task->comm;

	bpf_probe_read_kernel(s->record.name, sizeof(s->record.name), name);
}

/* Who acted, for the record. */
static __always_inline void lictor_fill_actor(struct lictor_scratch *s, struct task_struct *task)
{
	struct lictor_subject *subject = lictor_subject_of(task);
	struct lictor_record *r = &s->record;

	r->pid = task->tgid;
	r->tid = task->pid;
	lictor_record_cgroup(s, lictor_cgroup_of(task));
	lictor_record_name(s, task);
	if (!subject) {
		r->subject_flags = 0;
		r->parent_pid = 0;
		r->start_ns = 0;
		r->parent_start_ns = 0;
		__builtin_memset(r->parent_name, 0, sizeof(r->parent_name));
		return;
	}
	r->subject_flags = subject->flags;
	r->parent_pid = subject->parent_pid;
	r->start_ns = subject->start_ns;
	r->parent_start_ns = subject->parent_start_ns;
	__builtin_memcpy(r->parent_name, subject->parent_name, sizeof(r->parent_name));
	lictor_record_text(s, LICTOR_FIELD_PROCESS_EXECUTABLE,
			   subject->flags & LICTOR_SUBJECT_CUT ? LICTOR_TEXT_CUT : 0,
			   subject->image, subject->image_length);
	lictor_record_text(s, LICTOR_FIELD_PARENT_EXECUTABLE,
			   subject->flags & LICTOR_SUBJECT_PARENT_CUT ? LICTOR_TEXT_CUT : 0,
			   subject->parent, subject->parent_length);
	lictor_record_history(s, task);
	lictor_record_program(s, task, subject);
}

static __always_inline void lictor_fill_record(struct lictor_scratch *s, u32 verdict, s32 error,
					       u32 signal)
{
	struct lictor_record *r = &s->record;
	const struct lictor_outcome *o = &s->outcome;
	u32 i;

	r->version = LICTOR_ABI_VERSION;
	r->event = o->event;
	r->verdict = verdict;
	r->time_ns = s->now;
	r->generation = s->generation;
	r->cpu = bpf_get_smp_processor_id();
	r->hook = s->hook;
	r->via = s->via;
	r->signal = signal;
	r->monitor = o->action < LICTOR_ACTION_SIGNAL && o->monitored > o->action;
	r->error = error;
	r->reasons = o->reasons;
	r->matched = o->rules;
	r->listed = o->listed;
	for (i = 0; i < LICTOR_RECORD_RULES; i++)
		r->rule[i] = o->rule[i];
	r->rule[0] = o->rule[o->first & (LICTOR_RECORD_RULES - 1)];
	r->rule[o->first & (LICTOR_RECORD_RULES - 1)] = o->rule[0];
	r->suppressed = o->suppressed;
	r->values = s->facts.v;
	if (!s->scan)
		lictor_fill_actor(s, bpf_get_current_task_btf());
}

/*
 * Reports what decide() found, and sends the signal that is due. error: with which the call fails,
 * or 0; denied: because of this decision, which is the hook's to carry out.
 */
__noinline int lictor_report(struct lictor_scratch *s, s32 error, bool denied)
{
	u32 verdict, signal = 0, zero = 0, ring, size, i;
	struct lictor_stats *st = bpf_map_lookup_elem(&stats, &zero);
	struct lictor_outcome *o;
	long failed;

	if (!s)
		return 0;
	o = &s->outcome;
	verdict = lictor_verdict(o);
	if (o->action == LICTOR_ACTION_KILL)
		signal = SIGKILL;
	else if (o->action == LICTOR_ACTION_SIGNAL)
		signal = o->signal;
	/* Kernel threads and PID 1 are sent none: what is left is to deny, where that can be. */
	if (signal && !s->scan && (lictor_way == LICTOR_VIA_CGROUP || bpf_send_signal(signal))) {
		signal = 0;
		verdict = denied ? LICTOR_VERDICT_BLOCKED : LICTOR_VERDICT_ALLOWED;
	}
	if (!o->listed)
		return 0;
	for (i = 0; i < 2; i++) {
		struct lictor_ascent *a = &s->ascent[i];
		u32 cursor = a->cursor;

		if (!a->field || !lictor_has_text(a))
			continue;
		if (cursor == LICTOR_PATH_MAX && a->problem)
			continue;
		if (cursor == LICTOR_PATH_MAX)
			cursor--;
		lictor_record_text(s, a->field, a->problem ? LICTOR_TEXT_CUT : 0,
				   &s->text[lictor_region_at(a->region, cursor)],
				   LICTOR_PATH_MAX - cursor);
	}
	if (s->fs_name) {
		char *fs = &s->text[LICTOR_REGION_SHORT * LICTOR_PATH_MAX];
		long length = bpf_probe_read_kernel_str(fs, 32, (const void *)s->fs_name);

		if (length > 1)
			lictor_record_text(s, LICTOR_FIELD_FILE_FS, 0, fs, (length - 1) & 31);
	}
	if (!s->scan) {
		lictor_gather_process(s, bpf_get_current_task_btf());
		lictor_record_directory(s);
	}
	lictor_fill_record(s, verdict, error, signal);
	size = s->record.size;
	if (size < sizeof(struct lictor_record) || size > LICTOR_RECORD_MAX)
		size = sizeof(struct lictor_record);
	ring = verdict == LICTOR_VERDICT_ALLOWED ? LICTOR_RING_REPORTS : LICTOR_RING_VERDICTS;
	if (ring == LICTOR_RING_REPORTS)
		failed = bpf_ringbuf_output(&reports, &s->record, size, BPF_RB_NO_WAKEUP);
	else
		failed = bpf_ringbuf_output(&verdicts, &s->record, size, 0);
	if (st)
		__sync_fetch_and_add(failed ? &st->lost[ring] : &st->reported[ring], 1);
	lictor_count_listed(s, failed);
	return 0;
}

/*
 * Ends a decision that denies nothing: what was to be blocked is reported as let pass; what was to
 * be killed gets its signal. error: with which the call fails anyway, or 0.
 */
static __always_inline void lictor_let_pass(struct lictor_scratch *s, s32 error)
{
	struct lictor_outcome *o = &s->outcome;

	if (o->action == LICTOR_ACTION_BLOCK)
		o->action = LICTOR_ACTION_ALERT;
	if (o->rules)
		lictor_report(s, error, false);
	lictor_scratch_put(s);
}

/* The same where no way at all could deny: a rule that only monitors would not have blocked it. */
static __always_inline void lictor_observe(struct lictor_scratch *s, s32 error)
{
	if (s->outcome.monitored == LICTOR_ACTION_BLOCK)
		s->outcome.monitored = LICTOR_ACTION_ALERT;
	lictor_let_pass(s, error);
}

#endif
