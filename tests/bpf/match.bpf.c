/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The BPF build of the matcher by itself, on the maps and in the scratch buffers of the kernel
 * side: a request in, its answer out. Loaded by match_run.c only; it is attached to nothing.
 */
#include "bpf/views.bpf.h"
#include "tests/bpf/request.h"

struct match_request request;

struct feeding {
	struct lictor_scratch *s;
	struct lictor_reading reading;
	u32 which;
};

static long piece_step(u32 index, struct feeding *f)
{
	struct lictor_scratch *s = f->s;
	u32 from = index * request.piece, length = request.start_length[f->which & 1];

	if (from >= length)
		return 1;
	length -= from;
	if (length > request.piece)
		length = request.piece;
	length = LICTOR_MASK(length, LICTOR_PATH_MAX - 1);
	bpf_probe_read_kernel(s->text, length,
			      &request.start[f->which & 1][from & (REQUEST_START - 1)]);
	f->reading.length = length;
	lictor_pieces_read(&f->reading);
	return 0;
}

/* Arguments or an environment, in pieces. */
__noinline int classify_start(struct lictor_scratch *s, u32 which)
{
	struct feeding feeding = { .s = s, .which = which };

	if (!s)
		return 0;
	feeding.reading.tables = lictor_open(request.generation);
	if (!feeding.reading.tables)
		return 0;
	feeding.reading.text = s->text;
	feeding.reading.work = &s->work;
	feeding.reading.entries = which & 1;
	feeding.reading.hits = &s->facts.hits[LICTOR_STRING_ARGS + (which & 1)];
	lictor_pieces_begin(&feeding.reading, which & 1 ? LICTOR_SPACE_ENV : LICTOR_SPACE_ARGS);
	bpf_loop(REQUEST_START, piece_step, &feeding, 0);
	lictor_pieces_end(&feeding.reading);
	lictor_hits_same(feeding.reading.hits);
	if (which & 1)
		s->facts.repeated = s->work.repeated;
	return 0;
}

/* Classifies the request's string as the kernel side does. Those in pieces are last: they take the
   place of the others' text. */
static long string_step(u32 index, struct lictor_scratch **context)
{
	struct lictor_scratch *s = *context;
	const struct match_string *string = &request.string[index & (REQUEST_STRINGS - 1)];
	struct lictor_hits *hits = &s->facts.hits[index & (REQUEST_STRINGS - 1)];

	_Static_assert(LICTOR_STRINGS <= REQUEST_STRINGS, "masks");
	if (index >= LICTOR_STRINGS)
		return 1;
	if (!string->views) {
		hits->state = string->state;
		return 0;
	}
	if (index == LICTOR_STRING_ARGS || index == LICTOR_STRING_ENV) {
		classify_start(s, index - LICTOR_STRING_ARGS);
		return 0;
	}
	lictor_classify_text(s, request.generation, string->space, string->where[0], index);
	if (string->same)
		lictor_hits_same(hits);
	if (string->views == 2) {
		lictor_classify_text(s, request.generation, string->space, string->where[1],
				     LICTOR_STRINGS);
		lictor_hits_view(hits, &s->other);
	}
	return 0;
}

struct taking {
	lictor_tables tables;
	struct lictor_scratch *s;
	u32 judging;
};

static long rule_step(u32 index, struct taking *t)
{
	u32 rule = lictor_next_rule(t->tables, request.event, &t->s->work);
	u64 bit = 1ull << (rule & 63), *word;

	if (rule == ~0u)
		return 1;
	word = &request.matched[t->judging & 1][(rule & (REQUEST_RULES_MAX - 1)) / 64];
	if (*word & bit)
		request.twice = 1;
	*word |= bit;
	return 0;
}

/* One judging; lictor_decide() without what it reports and counts. */
__noinline int judge(struct lictor_scratch *s, u32 judging)
{
	struct taking t = { .s = s, .judging = judging };

	if (!s)
		return 0;
	t.tables = lictor_open(request.generation);
	if (!t.tables)
		return 0;
	lictor_match(request.generation, t.tables, request.event, &s->facts, judging, &s->work);
	bpf_loop(LICTOR_CLAUSES_MAX, rule_step, &t, 0);
	return 0;
}

SEC("syscall")
int match_request(void *context)
{
	struct lictor_scratch *s = lictor_scratch_get();
	u64 from, between;
	u32 i;

	if (!s)
		return 1;
	bpf_probe_read_kernel(s->text, LICTOR_TEXT_SIZE, request.text);
	bpf_probe_read_kernel(&s->facts.v, sizeof(s->facts.v), &request.values);
	bpf_probe_read_kernel(s->facts.ancestors, sizeof(s->facts.ancestors), request.ancestors);
	request.twice = 0;
	for (i = 0; i < REQUEST_RULES_MAX / 64; i++) {
		request.matched[0][i] = 0;
		request.matched[1][i] = 0;
	}
	from = bpf_ktime_get_ns();
	bpf_loop(LICTOR_STRINGS, string_step, &s, 0);
	between = bpf_ktime_get_ns();
	judge(s, 0);
	request.match_ns += bpf_ktime_get_ns() - between;
	request.classify_ns += between - from;
	if (request.judgings == 2)
		judge(s, 1);
	bpf_probe_read_kernel(request.hits, sizeof(request.hits), s->facts.hits);
	request.judged++;
	lictor_scratch_put(s);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
