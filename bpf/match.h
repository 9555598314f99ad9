/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/*
 * Matching: an image and the facts of one event in, the rules that match out. The same code runs
 * in the kernel and on the host (explain, tests, fuzzing); it calls nothing, keeps nothing and
 * trusts no offset: each one is cut to its page. What a side has to bring, before including this:
 *
 *	lictor_handle, lictor_tables	an image as it is passed on, and opened for reading
 *	lictor_tables lictor_open(lictor_handle handle)
 *	const void *lictor_page(lictor_tables t, __u32 offset)	the page that holds offset, or NULL
 *	LICTOR_LOOP(count, step, context)	step(i, context) for i < count until it returns 1
 *
 *	LICTOR_FUNCTION	storage of a function: in the kernel, verified by itself, once
 *
 * Loops whose length depends on data are steps for LICTOR_LOOP, and what they change lives in
 * struct lictor_work, never on the stack: verifiers before 6.7 look at such a step only once and
 * would take a value on the stack for a constant.
 */
#ifndef LICTOR_MATCH_H
#define LICTOR_MATCH_H

#include "bpf/abi.h"

#define LICTOR_TEXT_SIZE 16384u	/* of the buffer that texts to classify are in: a power of two */
#define LICTOR_CHUNK 8u	/* bytes of text per step */
#define LICTOR_CARRIED 32u	/* LICTOR_AUTOMATA_MAX, and a power of two */

#define LICTOR_AT(type, page, off) \
	(*(const type *)((const char *)(page) + \
			 ((off) & ((LICTOR_PAGE_SIZE - 1) & ~((__u32)sizeof(type) - 1)))))
#define LICTOR_GET(page, off, structure, member) \
	LICTOR_AT(__typeof__(((structure *)0)->member), page, \
		  (off) + (__u32)__builtin_offsetof(structure, member))

/* What steps change. In the kernel part of a scratch buffer, so that the stack stays small. */
struct lictor_work {
	/* reading a text */
	__u64 hash;
	__u32 state;
	__u32 position;
	__u32 left;
	__u32 cursor;		/* in the image: the other text of a comparison */
	__u32 equal;
	__u32 automaton;
	__u32 carried[LICTOR_CARRIED];	/* states of automata between two pieces of a text */
	__u32 in_name;		/* of a variable, in front of its `=` */
	__u32 met;		/* a bit each: variables that have come up, */
	__u32 repeated;		/* and again */
	__u64 name;		/* hash of the name so far */
	/* matching */
	__u32 unknown;		/* a field that was asked for has a value that cannot be had */
	__u32 pad;
	__u64 candidates;	/* words in which a clause may still hold */
	__u64 found;		/* words of `word` that are not zero */
	__u64 current;		/* clauses of the word at hand that still hold */
	__u64 word[LICTOR_WORDS_MAX];
	struct lictor_hits use[LICTOR_EVENT_FIELDS_MAX];
};

/* Is out one of the first n outcomes that any view has? */
LICTOR_FUNCTION int lictor_hits_have(const struct lictor_hits *hits, __u32 n, __u16 out)
{
	__u32 i;

	if (!hits)
		return 0;
	for (i = 0; i < LICTOR_HITS_MAX; i++)
		if (i < n && hits->any_out[i] == out)
			return 1;
	return 0;
}

/* One more outcome; one too many makes the value LICTOR_UNKNOWN. */
LICTOR_FUNCTION int lictor_hit(struct lictor_hits *hits, __u16 out)
{
	__u32 i, n;

	if (!hits)
		return 0;
	n = hits->any;
	/* Not a call: the kernel's stack of calls is at its deepest here. */
	for (i = 0; i < LICTOR_HITS_MAX; i++)
		if (i < n && hits->any_out[i] == out)
			return 0;
	if (n >= LICTOR_HITS_MAX) {
		hits->state = LICTOR_UNKNOWN;
		return 0;
	}
	hits->any_out[n & (LICTOR_HITS_MAX - 1)] = out;
	hits->any = (__u8)(n + 1);
	return 0;
}

/* ---- automata ---- */

struct lictor_reading {
	lictor_tables tables;
	const void *page;	/* that holds `at`, or the text to compare with */
	const char *text;
	struct lictor_work *work;
	struct lictor_hits *hits;
	__u32 space;	/* the space's head */
	__u32 at;	/* the automaton */
	__u32 length;
	__u32 start;
	__u32 entries;	/* of texts in pieces: each NUL ends one text and begins another */
};

static long lictor_walk_step(__u32 index, void *context)
{
	struct lictor_reading *r = context;
	struct lictor_work *w = r->work;
	const char *text = r->text;
	const void *page = r->page;
	__u32 at = r->at;
	__u32 states = LICTOR_GET(page, at, struct lictor_automaton, state);
	__u32 transitions = LICTOR_GET(page, at, struct lictor_automaton, transition);
	__u32 first_emit = LICTOR_GET(page, at, struct lictor_automaton, first_emit);
	__u32 step = LICTOR_GET(page, at, struct lictor_automaton, reversed) ? ~0u : 1u;
	__u32 classes = at + (__u32)__builtin_offsetof(struct lictor_automaton, class);
	__u32 state = w->state, position = w->position, left = w->left;
	__u32 emits = 0, i;

	(void)index;
	for (i = 0; i < LICTOR_CHUNK; i++) {
		__u32 row, cell;

		if (left == 0)
			break;
		left--;
		row = states + state * 8;
		cell = LICTOR_AT(__u8, page,
				 classes + (__u8)text[position & (LICTOR_TEXT_SIZE - 1)]);
		cell = transitions + (LICTOR_AT(__u32, page, row) + cell) * 8;
		if (LICTOR_AT(__u32, page, cell) == state)
			state = LICTOR_AT(__u32, page, cell + 4);
		else
			state = LICTOR_AT(__u32, page, row + 4);
		position += step;
		/* A chunk ends where something is found, so that little is kept over the call. */
		if (state - 1 >= first_emit - 1) {
			emits = state;
			break;
		}
	}
	w->state = state;
	w->position = position;
	w->left = left;
	if (emits)
		lictor_hit(r->hits, LICTOR_AT(__u16, page,
					      LICTOR_GET(page, at, struct lictor_automaton, out) +
						      emits * 4));
	return w->state == 0 || w->left == 0;
}

static long lictor_automaton_step(__u32 index, void *context)
{
	struct lictor_reading *r = context;
	struct lictor_work *w = r->work;
	const void *page = lictor_page(r->tables, 0);
	__u32 at;
	__u16 out;

	if (!page)
		return 1;
	at = LICTOR_AT(__u32, page, r->space +
		       (__u32)__builtin_offsetof(struct lictor_space_head, automaton) + index * 4);
	page = lictor_page(r->tables, at);
	if (!page)
		return 1;
	r->at = at;
	r->page = page;
	w->state = LICTOR_GET(page, at, struct lictor_automaton, start);
	w->left = r->length;
	w->position = r->start;
	if (LICTOR_GET(page, at, struct lictor_automaton, reversed))
		w->position += r->length - 1;
	if (r->length)
		LICTOR_LOOP(LICTOR_PATH_MAX, lictor_walk_step, r);
	if (w->state == 0 || w->left != 0)
		return 0;
	out = LICTOR_AT(__u16, page,
			LICTOR_GET(page, at, struct lictor_automaton, out) + w->state * 4 + 2);
	if (out)
		lictor_hit(r->hits, out);
	return 0;
}

/* ---- hashing ---- */

#define LICTOR_HASH_PRIME 0x9e3779b97f4a7c15ull

static __inline __attribute__((always_inline)) __u64 lictor_hash_byte(__u64 hash, __u8 byte)
{
	hash = (hash ^ byte) * LICTOR_HASH_PRIME;
	return hash ^ hash >> 47;
}

static __inline __attribute__((always_inline)) __u64 lictor_hash_end(__u64 hash)
{
	hash ^= hash >> 32;
	hash *= LICTOR_HASH_PRIME;
	hash ^= hash >> 29;
	return hash ? hash : 1;
}

static long lictor_hash_step(__u32 index, void *context)
{
	struct lictor_reading *r = context;
	struct lictor_work *w = r->work;
	__u64 hash = w->hash;
	__u32 position = w->position, left = w->left, i;

	(void)index;
	for (i = 0; i < LICTOR_CHUNK; i++) {
		if (left == 0)
			break;
		left--;
		hash = lictor_hash_byte(hash, (__u8)r->text[position & (LICTOR_TEXT_SIZE - 1)]);
		position++;
	}
	w->hash = hash;
	w->position = position;
	w->left = left;
	return left == 0;
}

/* Compares text from work->position with the image's text at work->cursor, work->left bytes. */
static long lictor_equal_step(__u32 index, void *context)
{
	struct lictor_reading *r = context;
	struct lictor_work *w = r->work;
	__u32 position = w->position, cursor = w->cursor, left = w->left, i;

	(void)index;
	for (i = 0; i < LICTOR_CHUNK; i++) {
		if (left == 0)
			break;
		if (r->text[position & (LICTOR_TEXT_SIZE - 1)] != LICTOR_AT(char, r->page, cursor)) {
			w->equal = 0;
			return 1;
		}
		left--;
		position++;
		cursor++;
	}
	w->position = position;
	w->cursor = cursor;
	w->left = left;
	return left == 0;
}

static long lictor_exact_step(__u32 index, void *context)
{
	struct lictor_reading *r = context;
	struct lictor_work *w = r->work;
	const void *page = lictor_page(r->tables, 0), *text;
	__u32 slots, at;
	__u64 tag;

	if (!page)
		return 1;
	slots = LICTOR_GET(page, r->space, struct lictor_space_head, exact.slots);
	at = LICTOR_GET(page, r->space, struct lictor_space_head, exact.off) +
	     (((__u32)(w->hash >> 8) + index) & (slots - 1)) * (__u32)sizeof(struct lictor_exact);
	page = lictor_page(r->tables, at);
	if (!page)
		return 1;
	tag = LICTOR_GET(page, at, struct lictor_exact, tag);
	if (tag == 0)
		return 1;
	if (tag != w->hash || LICTOR_GET(page, at, struct lictor_exact, length) != r->length)
		return 0;
	w->cursor = LICTOR_GET(page, at, struct lictor_exact, text);
	w->position = r->start;
	w->left = r->length;
	w->equal = 1;
	text = lictor_page(r->tables, w->cursor);
	if (!text)
		return 1;
	r->page = text;
	LICTOR_LOOP(LICTOR_PATH_MAX / LICTOR_CHUNK, lictor_equal_step, r);
	if (!w->equal)
		return 0;
	lictor_hit(r->hits, LICTOR_GET(page, at, struct lictor_exact, out));
	return 1;
}

/*
 * Which outcomes the space has for text[start .. start + length): into hits->any; an outcome too
 * many makes hits->state LICTOR_UNKNOWN.
 */
static __inline __attribute__((always_inline)) void
lictor_classify(lictor_tables tables, __u32 space, const char *text, __u32 start, __u32 length,
		struct lictor_work *work, struct lictor_hits *hits)
{
	struct lictor_reading r = {
		.tables = tables,
		.text = text,
		.work = work,
		.hits = hits,
		.start = start,
		.length = length,
		.space = (__u32)__builtin_offsetof(struct lictor_image, space) +
			 space * (__u32)sizeof(struct lictor_space_head),
	};
	const void *page = lictor_page(tables, 0);
	__u32 automata;

	hits->state = LICTOR_PRESENT;
	hits->any = 0;
	hits->sure = 0;
	hits->own = 0;
	if (!page) {
		hits->state = LICTOR_UNKNOWN;
		return;
	}
	r.page = page;
	if (LICTOR_GET(page, r.space, struct lictor_space_head, exact.slots)) {
		work->hash = LICTOR_GET(page, 0, struct lictor_image, seed);
		work->position = start;
		work->left = length;
		LICTOR_LOOP(LICTOR_PATH_MAX / LICTOR_CHUNK, lictor_hash_step, &r);
		work->hash = lictor_hash_end(work->hash);
		LICTOR_LOOP(LICTOR_PROBES_MAX, lictor_exact_step, &r);
	}
	automata = LICTOR_GET(page, r.space, struct lictor_space_head, automata);
	if (automata)
		LICTOR_LOOP(automata, lictor_automaton_step, &r);
	hits->own = hits->any;
}

/* ---- texts in pieces ---- */

/*
 * For texts longer than the buffer, forwards, by automata alone: begin, read each piece (text[start
 * .. start + length) is set anew each time, at most LICTOR_PATH_MAX), end.
 */
static __inline __attribute__((always_inline)) const void *
lictor_piece_automaton(struct lictor_reading *r, __u32 index)
{
	const void *page = lictor_page(r->tables, 0);

	if (!page)
		return 0;
	r->at = LICTOR_GET(page, r->space + index * 4, struct lictor_space_head, automaton[0]);
	return lictor_page(r->tables, r->at);
}

static __inline __attribute__((always_inline)) void
lictor_piece_accept(struct lictor_reading *r, const void *page, __u32 state)
{
	__u32 outs = LICTOR_GET(page, r->at, struct lictor_automaton, out);
	__u16 out = LICTOR_AT(__u16, page, outs + state * 4 + 2);

	if (state && out)
		lictor_hit(r->hits, out);
}

static long lictor_piece_step(__u32 index, void *context)
{
	struct lictor_reading *r = context;
	struct lictor_work *w = r->work;
	const char *text = r->text;
	const void *page = r->page;
	__u32 at = r->at;
	__u32 states = LICTOR_GET(page, at, struct lictor_automaton, state);
	__u32 transitions = LICTOR_GET(page, at, struct lictor_automaton, transition);
	__u32 first_emit = LICTOR_GET(page, at, struct lictor_automaton, first_emit);
	__u32 classes = at + (__u32)__builtin_offsetof(struct lictor_automaton, class);
	__u32 state = w->state, position = w->position, left = w->left;
	__u32 ends = 0, emits = 0, i;

	(void)index;
	for (i = 0; i < LICTOR_CHUNK; i++) {
		__u32 row, cell;
		__u8 byte;

		if (left == 0)
			break;
		left--;
		byte = (__u8)text[position & (LICTOR_TEXT_SIZE - 1)];
		position++;
		if (r->entries && byte == 0) {
			if (state && LICTOR_AT(__u16, page,
					       LICTOR_GET(page, at, struct lictor_automaton, out) +
						       state * 4 + 2))
				ends = state;
			state = LICTOR_GET(page, at, struct lictor_automaton, start);
			if (ends)
				break;
			continue;
		}
		if (state == 0)
			continue;
		row = states + state * 8;
		cell = LICTOR_AT(__u8, page, classes + byte);
		cell = transitions + (LICTOR_AT(__u32, page, row) + cell) * 8;
		if (LICTOR_AT(__u32, page, cell) == state)
			state = LICTOR_AT(__u32, page, cell + 4);
		else
			state = LICTOR_AT(__u32, page, row + 4);
		if (state && state >= first_emit) {
			emits = state;
			break;
		}
	}
	w->state = state;
	w->position = position;
	w->left = left;
	if (ends)
		lictor_piece_accept(r, page, ends);
	if (emits)
		lictor_hit(r->hits, LICTOR_AT(__u16, page,
					      LICTOR_GET(page, at, struct lictor_automaton, out) +
						      emits * 4));
	return w->left == 0 || (w->state == 0 && !r->entries);
}

static long lictor_piece_read_step(__u32 index, void *context)
{
	struct lictor_reading *r = context;
	struct lictor_work *w = r->work;
	const void *page = lictor_piece_automaton(r, index);

	if (!page)
		return 1;
	r->page = page;
	w->state = w->carried[index & (LICTOR_CARRIED - 1)];
	w->position = r->start;
	w->left = r->length;
	LICTOR_LOOP(LICTOR_PATH_MAX, lictor_piece_step, r);
	w->carried[index & (LICTOR_CARRIED - 1)] = w->state;
	return 0;
}

static long lictor_variable_step(__u32 index, void *context)
{
	struct lictor_reading *r = context;
	struct lictor_work *w = r->work;
	const void *page = lictor_page(r->tables, 0);
	__u32 bit = 1u << (index & 31);

	if (!page)
		return 1;
	if (LICTOR_GET(page, index * 8, struct lictor_image, variable[0]) != lictor_hash_end(w->name))
		return 0;
	w->repeated |= w->met & bit;
	w->met |= bit;
	return 1;
}

/* Up to the end of a name, or a chunk. */
static long lictor_naming_step(__u32 index, void *context)
{
	struct lictor_reading *r = context;
	struct lictor_work *w = r->work;
	__u64 name = w->name;
	__u32 in_name = w->in_name, position = w->position, left = w->left, named = 0, i;

	(void)index;
	for (i = 0; i < LICTOR_CHUNK; i++) {
		__u8 byte;

		if (left == 0)
			break;
		left--;
		byte = (__u8)r->text[position & (LICTOR_TEXT_SIZE - 1)];
		position++;
		if (byte == 0) {
			name = w->hash;
			in_name = 1;
		} else if (in_name && byte == '=') {
			in_name = 0;
			named = 1;
			break;
		} else if (in_name) {
			name = lictor_hash_byte(name, byte);
		}
	}
	w->name = name;
	w->in_name = in_name;
	w->position = position;
	w->left = left;
	if (named)
		LICTOR_LOOP(LICTOR_VARIABLES_MAX, lictor_variable_step, r);
	return left == 0;
}

static long lictor_piece_begin_step(__u32 index, void *context)
{
	struct lictor_reading *r = context;
	const void *page = lictor_piece_automaton(r, index);

	if (!page)
		return 1;
	r->work->carried[index & (LICTOR_CARRIED - 1)] =
		LICTOR_GET(page, r->at, struct lictor_automaton, start);
	return 0;
}

static long lictor_piece_end_step(__u32 index, void *context)
{
	struct lictor_reading *r = context;
	const void *page = lictor_piece_automaton(r, index);

	if (!page)
		return 1;
	lictor_piece_accept(r, page, r->work->carried[index & (LICTOR_CARRIED - 1)]);
	return 0;
}

static __inline __attribute__((always_inline)) __u32
lictor_pieces_automata(struct lictor_reading *r)
{
	const void *page = lictor_page(r->tables, 0);

	return page ? LICTOR_GET(page, r->space, struct lictor_space_head, automata) : 0;
}

static __inline __attribute__((always_inline)) __u64 lictor_pieces_seed(struct lictor_reading *r)
{
	const void *page = lictor_page(r->tables, 0);

	return page ? LICTOR_GET(page, 0, struct lictor_image, seed) : 0;
}

static __inline __attribute__((always_inline)) void lictor_pieces_begin(struct lictor_reading *r,
								       __u32 space)
{
	r->space = (__u32)__builtin_offsetof(struct lictor_image, space) +
		   space * (__u32)sizeof(struct lictor_space_head);
	r->hits->state = LICTOR_PRESENT;
	r->hits->any = 0;
	r->hits->sure = 0;
	LICTOR_LOOP(lictor_pieces_automata(r), lictor_piece_begin_step, r);
	r->work->hash = lictor_pieces_seed(r);
	r->work->name = r->work->hash;
	r->work->in_name = 1;
	r->work->met = 0;
	r->work->repeated = 0;
}

static __inline __attribute__((always_inline)) void lictor_pieces_read(struct lictor_reading *r)
{
	LICTOR_LOOP(lictor_pieces_automata(r), lictor_piece_read_step, r);
	if (!r->entries)
		return;
	r->work->position = r->start;
	r->work->left = r->length;
	if (r->length)
		LICTOR_LOOP(LICTOR_PATH_MAX, lictor_naming_step, r);
}

static __inline __attribute__((always_inline)) void lictor_pieces_end(struct lictor_reading *r)
{
	LICTOR_LOOP(lictor_pieces_automata(r), lictor_piece_end_step, r);
	r->hits->own = r->hits->any;
}

/* Both views of an object agree: what is so in any is so in every. */
static __inline __attribute__((always_inline)) void lictor_hits_same(struct lictor_hits *hits)
{
	__u32 i;

	for (i = 0; i < LICTOR_HITS_MAX; i++)
		hits->sure_out[i] = hits->any_out[i];
	hits->sure = hits->any;
}

/* One more outcome that is certain. */
LICTOR_FUNCTION int lictor_hits_certain(struct lictor_hits *hits, __u16 out)
{
	__u32 i, n;

	if (!hits)
		return 0;
	n = hits->sure;
	for (i = 0; i < LICTOR_HITS_MAX; i++)
		if (i < n && hits->sure_out[i] == out)
			return 0;
	if (n >= LICTOR_HITS_MAX)
		return 0;
	hits->sure_out[n & (LICTOR_HITS_MAX - 1)] = out;
	hits->sure = (__u8)(n + 1);
	return 0;
}

/*
 * A name that the host has for the object, classified: `any` grows by its outcomes; those that
 * the process's own view has too are certain.
 */
LICTOR_FUNCTION int lictor_hits_view(struct lictor_hits *hits, const struct lictor_hits *other)
{
	__u32 i, own;

	if (!hits || !other)
		return 0;
	own = hits->own;
	for (i = 0; i < LICTOR_HITS_MAX; i++) {
		__u16 out = other->any_out[i];

		if (i >= other->any)
			break;
		if (lictor_hits_have(hits, own, out))
			lictor_hits_certain(hits, out);
		else
			lictor_hit(hits, out);
	}
	if (other->state == LICTOR_UNKNOWN)
		hits->state = LICTOR_UNKNOWN;
	return 0;
}

/* ---- anchors ---- */

static __inline __attribute__((always_inline)) __u32 lictor_anchor_bit(__u64 ino, __u32 dev)
{
	__u64 mix = (ino ^ dev) * LICTOR_HASH_PRIME;

	return (__u32)(mix >> 52) & (LICTOR_FILTER * 64 - 1);
}

/* Of the filter of late anchors: the word of an object whose bit this is, and where in it. */
static __inline __attribute__((always_inline)) __u32 lictor_late_word(__u32 bit)
{
	return bit / (64 / LICTOR_LATE_NAMES);
}

static __inline __attribute__((always_inline)) __u32 lictor_late_shift(__u32 bit)
{
	return bit % (64 / LICTOR_LATE_NAMES) * LICTOR_LATE_NAMES;
}

static __inline __attribute__((always_inline)) __u32
lictor_anchor_slot(__u64 ino, __u32 dev, __u32 igeneration)
{
	return (__u32)lictor_hash_end((ino ^ ((__u64)dev << 40)) * LICTOR_HASH_PRIME + igeneration);
}

/* ---- numbers and addresses ---- */

/* The outcome of value in the interval table at `table`; 0 if it is in no interval. */
LICTOR_FUNCTION int lictor_find_number(lictor_handle handle, __u32 table, __u32 value)
{
	lictor_tables tables = lictor_open(handle);
	const void *page;
	__u32 count, start, out, low = 0, i;

	if (!tables)
		return 0;
	page = lictor_page(tables, table);
	if (!page)
		return 0;
	count = LICTOR_GET(page, table, struct lictor_intervals, count);
	start = LICTOR_GET(page, table, struct lictor_intervals, start);
	out = LICTOR_GET(page, table, struct lictor_intervals, out);
	for (i = 0; i < 24 && count; i++) {
		__u32 half = count / 2, middle = low + half;

		page = lictor_page(tables, start + middle * 4);
		if (!page)
			return 0;
		if (LICTOR_AT(__u32, page, start + middle * 4) <= value) {
			low = middle + 1;
			count -= half + 1;
		} else {
			count = half;
		}
	}
	if (low == 0)
		return 0;
	page = lictor_page(tables, out + (low - 1) * 2);
	return page ? LICTOR_AT(__u16, page, out + (low - 1) * 2) : 0;
}

LICTOR_FUNCTION int lictor_find_address(lictor_handle handle, __u32 table, __u64 high, __u64 low_half)
{
	lictor_tables tables = lictor_open(handle);
	const void *page;
	__u32 count, start, out, low = 0, i;

	if (!tables)
		return 0;
	page = lictor_page(tables, table);
	if (!page)
		return 0;
	count = LICTOR_GET(page, table, struct lictor_intervals, count);
	start = LICTOR_GET(page, table, struct lictor_intervals, start);
	out = LICTOR_GET(page, table, struct lictor_intervals, out);
	for (i = 0; i < 24 && count; i++) {
		__u32 half = count / 2, middle = low + half;
		__u64 a, b;

		page = lictor_page(tables, start + middle * 16);
		if (!page)
			return 0;
		a = LICTOR_AT(__u64, page, start + middle * 16);
		b = LICTOR_AT(__u64, page, start + middle * 16 + 8);
		if (a < high || (a == high && b <= low_half)) {
			low = middle + 1;
			count -= half + 1;
		} else {
			count = half;
		}
	}
	if (low == 0)
		return 0;
	page = lictor_page(tables, out + (low - 1) * 2);
	return page ? LICTOR_AT(__u16, page, out + (low - 1) * 2) : 0;
}

static __inline __attribute__((always_inline)) __u64 lictor_big_endian(const __u8 *byte)
{
	__u64 value = 0;
	int i;

	for (i = 0; i < 8; i++)
		value = value << 8 | byte[i];
	return value;
}

/* ---- vectors ---- */

static __inline __attribute__((always_inline)) __u32 lictor_popcount(__u64 v)
{
	v -= (v >> 1) & 0x5555555555555555ull;
	v = (v & 0x3333333333333333ull) + ((v >> 2) & 0x3333333333333333ull);
	v = (v + (v >> 4)) & 0x0f0f0f0f0f0f0f0full;
	return (__u32)((v * 0x0101010101010101ull) >> 56);
}

static __inline __attribute__((always_inline)) __u32 lictor_lowest(__u64 v)
{
	return lictor_popcount((v & -v) - 1);
}

static __inline __attribute__((always_inline)) __u64
lictor_vector_summary(lictor_tables tables, __u32 vector)
{
	const void *page;

	if (!vector)
		return 0;
	page = lictor_page(tables, vector);
	return page ? LICTOR_AT(__u64, page, vector) : 0;
}

static __inline __attribute__((always_inline)) __u64
lictor_vector_word(lictor_tables tables, __u32 vector, __u32 word)
{
	const void *page;
	__u64 summary, bit = 1ull << (word & 63);

	if (!vector)
		return 0;
	page = lictor_page(tables, vector);
	if (!page)
		return 0;
	summary = LICTOR_AT(__u64, page, vector);
	if (!(summary & bit))
		return 0;
	return LICTOR_AT(__u64, page, vector + 8 + lictor_popcount(summary & (bit - 1)) * 8);
}

/* ---- matching ---- */

struct lictor_matching {
	lictor_handle handle;
	lictor_tables tables;
	const struct lictor_facts *facts;
	struct lictor_work *work;
	__u32 head;	/* the event's */
	__u32 word;
	__u32 second;	/* judging the target of a rename or link: see lictor_match() */
};

struct lictor_set_reading {
	lictor_handle handle;
	struct lictor_hits *hits;
	__u32 table;
	__u64 mask;
};

static long lictor_set_step(__u32 index, void *context)
{
	struct lictor_set_reading *r = context;
	__u16 out;

	if (!(r->mask >> (index & 63)))
		return 1;
	if (!(r->mask >> (index & 63) & 1))
		return 0;
	out = (__u16)lictor_find_number(r->handle, r->table, index);
	if (out)
		lictor_hit(r->hits, out);
	return 0;
}

/* The atoms of a set as outcomes. */
LICTOR_FUNCTION int lictor_atoms_hits(const struct lictor_ancestors *set, struct lictor_hits *hits)
{
	volatile __u8 *any, *sure;
	__u32 i, j;

	if (!set || !hits)
		return 0;
	any = &hits->any;
	sure = &hits->sure;
	for (i = 0; i < LICTOR_ATOMS_MAX / 64; i++) {
		__u64 left = set->any.bit[i];

		for (j = 0; j <= LICTOR_HITS_MAX && left; j++, left &= left - 1) {
			__u32 bit = lictor_lowest(left) & 63;

			if (*any >= LICTOR_HITS_MAX) {
				hits->state = LICTOR_UNKNOWN;
				return 0;
			}
			hits->any_out[*any & (LICTOR_HITS_MAX - 1)] = (__u16)(i * 64 + bit);
			*any = (__u8)(*any + 1);
			if (set->sure.bit[i] >> bit & 1) {
				hits->sure_out[*sure & (LICTOR_HITS_MAX - 1)] =
					(__u16)(i * 64 + bit);
				*sure = (__u8)(*sure + 1);
			}
		}
	}
	return 0;
}

/* The field's value as outcomes: work->use[index]. */
static __inline __attribute__((always_inline)) void
lictor_use(struct lictor_matching *m, const void *page, __u32 at, struct lictor_hits *use)
{
	const struct lictor_facts *facts = m->facts;
	__u32 field = LICTOR_GET(page, at, struct lictor_field_head, field);
	__u32 kind = LICTOR_GET(page, at, struct lictor_field_head, kind);
	__u32 slot = LICTOR_GET(page, at, struct lictor_field_head, slot);
	__u32 table = LICTOR_GET(page, at, struct lictor_field_head, table);

	if (field >= LICTOR_FIELDS_MAX)
		field = 0;
	if (m->second) {
		if (field == LICTOR_FIELD_FILE_PATH)
			slot = LICTOR_STRING_TARGET;
		else if (field == LICTOR_FIELD_FILE_TARGET_PATH)
			slot = LICTOR_STRINGS;
	}
	use->any = 0;
	use->sure = 0;
	use->own = 0;
	if (kind == LICTOR_KIND_STRING) {
		if (slot >= LICTOR_STRINGS) {
			use->state = LICTOR_ABSENT;
			return;
		}
		*use = facts->hits[slot];
		/* Of a variable that stands there twice, no value is certain. */
		if (table && facts->repeated >> ((table - 1) & 31) & 1)
			use->sure = 0;
		return;
	}
	if (kind == LICTOR_KIND_ANCESTOR) {
		use->state = facts->v.state[field];
		lictor_atoms_hits(&facts->ancestors[slot & 1], use);
		return;
	}
	use->state = facts->v.state[field];
	if (use->state != LICTOR_PRESENT)
		return;
	if (kind == LICTOR_KIND_SET) {
		struct lictor_set_reading r = {
			.handle = m->handle, .hits = use, .table = table,
			.mask = facts->v.num[field],
		};

		LICTOR_LOOP(64, lictor_set_step, &r);
	} else {
		__u16 out;

		if (kind == LICTOR_KIND_ADDRESS) {
			const __u8 *address = facts->v.address[slot & 1];
			__u64 high = lictor_big_endian(address);
			__u64 low = lictor_big_endian(address + 8);

			if (high == 0 && low >> 32 == 0xffff)
				out = (__u16)lictor_find_number(m->handle, table, (__u32)low);
			else
				out = (__u16)lictor_find_address(
					m->handle,
					LICTOR_GET(page, at, struct lictor_field_head, table6),
					high, low);
		} else {
			out = (__u16)lictor_find_number(m->handle, table, (__u32)facts->v.num[field]);
		}
		if (out)
			lictor_hit(use, out);
	}
	lictor_hits_same(use);
}

static __inline __attribute__((always_inline)) __u32 lictor_field_at(__u32 head, __u32 index)
{
	return head + (__u32)__builtin_offsetof(struct lictor_event_head, field) +
	       index * (__u32)sizeof(struct lictor_field_head);
}

static __inline __attribute__((always_inline)) __u32
lictor_hit_vector(lictor_tables tables, __u32 table, __u32 outs, __u16 out)
{
	const void *page = lictor_page(tables, table + out * 4u);

	if (!page || out > outs)
		return 0;
	return LICTOR_AT(__u32, page, table + out * 4u);
}

/* In which words a clause may hold, given what the field at `at` of page 0 has. */
LICTOR_FUNCTION __u64 lictor_field_summary(lictor_handle handle, __u32 at,
					   const struct lictor_hits *use)
{
	lictor_tables tables = lictor_open(handle);
	const void *page;
	__u32 i, hit, outs;
	__u64 summary;

	if (!tables || !use)
		return 0;
	page = lictor_page(tables, 0);
	if (!page)
		return 0;
	if (use->state == LICTOR_ABSENT)
		return lictor_vector_summary(
			tables, LICTOR_GET(page, at, struct lictor_field_head, absent));
	if (use->state == LICTOR_UNKNOWN)
		return lictor_vector_summary(
			tables, LICTOR_GET(page, at, struct lictor_field_head, unknown));
	summary = lictor_vector_summary(tables,
					LICTOR_GET(page, at, struct lictor_field_head, flip));
	hit = LICTOR_GET(page, at, struct lictor_field_head, hit);
	outs = LICTOR_GET(page, at, struct lictor_field_head, outs);
	for (i = 0; i < LICTOR_HITS_MAX; i++) {
		if (i >= use->any)
			break;
		summary |= lictor_vector_summary(
			tables, lictor_hit_vector(tables, hit, outs, use->any_out[i]));
	}
	return summary;
}

/* The clauses of word that hold as far as this field goes. */
LICTOR_FUNCTION __u64 lictor_field_word(lictor_handle handle, __u32 at,
					const struct lictor_hits *use, __u32 word)
{
	lictor_tables tables = lictor_open(handle);
	const void *page;
	__u32 i, hit, outs;
	__u64 any = 0, sure = 0, generous;

	if (!tables || !use)
		return 0;
	page = lictor_page(tables, 0);
	if (!page)
		return 0;
	if (use->state == LICTOR_ABSENT)
		return lictor_vector_word(
			tables, LICTOR_GET(page, at, struct lictor_field_head, absent), word);
	if (use->state == LICTOR_UNKNOWN)
		return lictor_vector_word(
			tables, LICTOR_GET(page, at, struct lictor_field_head, unknown), word);
	hit = LICTOR_GET(page, at, struct lictor_field_head, hit);
	outs = LICTOR_GET(page, at, struct lictor_field_head, outs);
	for (i = 0; i < LICTOR_HITS_MAX; i++) {
		if (i >= use->any)
			break;
		any |= lictor_vector_word(
			tables, lictor_hit_vector(tables, hit, outs, use->any_out[i]), word);
	}
	for (i = 0; i < LICTOR_HITS_MAX; i++) {
		if (i >= use->sure)
			break;
		sure |= lictor_vector_word(
			tables, lictor_hit_vector(tables, hit, outs, use->sure_out[i]), word);
	}
	generous = lictor_vector_word(
		tables, LICTOR_GET(page, at, struct lictor_field_head, generous), word);
	any = (any & generous) | (sure & ~generous);
	return any ^ lictor_vector_word(
			     tables, LICTOR_GET(page, at, struct lictor_field_head, flip), word);
}

static long lictor_field_step(__u32 index, void *context)
{
	struct lictor_matching *m = context;
	struct lictor_work *w = m->work;
	const void *page = lictor_page(m->tables, 0);
	__u32 at = lictor_field_at(m->head, index);
	struct lictor_hits *use = &w->use[index & (LICTOR_EVENT_FIELDS_MAX - 1)];

	if (!page)
		return 1;
	lictor_use(m, page, at, use);
	if (use->state == LICTOR_UNKNOWN)
		w->unknown = 1;
	w->candidates &= lictor_field_summary(m->handle, at, use);
	return !(w->candidates & LICTOR_GET(page, m->head, struct lictor_event_head, match));
}

static long lictor_word_field_step(__u32 index, void *context)
{
	struct lictor_matching *m = context;
	struct lictor_work *w = m->work;

	w->current &= lictor_field_word(m->handle, lictor_field_at(m->head, index),
					&w->use[index & (LICTOR_EVENT_FIELDS_MAX - 1)], m->word);
	return w->current == 0;
}

/* The clauses of one word that hold: work->word[index]. */
static long lictor_word_step(__u32 index, void *context)
{
	struct lictor_matching *m = context;
	struct lictor_work *w = m->work;
	const void *page = lictor_page(m->tables, 0);
	__u64 bit = 1ull << (index & 63);

	if (!page)
		return 1;
	if (!(w->candidates & bit))
		return (w->candidates >> (index & 63)) == 0;
	w->current = ~0ull;
	m->word = index;
	LICTOR_LOOP(LICTOR_GET(page, m->head, struct lictor_event_head, fields),
		    lictor_word_field_step, m);
	if (w->current) {
		w->word[index & (LICTOR_WORDS_MAX - 1)] = w->current;
		w->found |= bit;
	}
	return 0;
}

/* Takes the lowest clause from work->word; ~0 when there is none left. */
static __inline __attribute__((always_inline)) __u32 lictor_take(struct lictor_work *w, __u64 words)
{
	__u64 found = w->found & words, clauses;
	__u32 word, bit;

	if (!found)
		return ~0u;
	word = lictor_lowest(found) & (LICTOR_WORDS_MAX - 1);
	clauses = w->word[word];
	bit = lictor_lowest(clauses) & 63;
	clauses &= clauses - 1;
	w->word[word] = clauses;
	if (!clauses)
		w->found &= ~(1ull << word);
	return word * 64 + bit;
}

static __inline __attribute__((always_inline)) __u32
lictor_owner(lictor_tables tables, const void *page, __u32 head, __u32 clause)
{
	__u32 owner = LICTOR_GET(page, head, struct lictor_event_head, owner) + clause * 2;
	const void *other = lictor_page(tables, owner);

	return other ? LICTOR_AT(__u16, other, owner) : 0;
}

/* One `unless` that holds clears the match clause that it belongs to. */
static long lictor_unless_step(__u32 index, void *context)
{
	struct lictor_matching *m = context;
	struct lictor_work *w = m->work;
	const void *page = lictor_page(m->tables, 0);
	__u32 clause, owner, word;

	(void)index;
	if (!page)
		return 1;
	clause = lictor_take(w, ~LICTOR_GET(page, m->head, struct lictor_event_head, match));
	if (clause == ~0u)
		return 1;
	owner = lictor_owner(m->tables, page, m->head, clause);
	word = owner / 64 & (LICTOR_WORDS_MAX - 1);
	if (w->found & 1ull << word) {
		w->word[word] &= ~(1ull << (owner & 63));
		if (!w->word[word])
			w->found &= ~(1ull << word);
	}
	return 0;
}

/*
 * Leaves the match clauses of the event that hold in work->word, flagged in work->found; take
 * them with lictor_next_rule(). second: file.path is the target and there is no
 * file.target_path: a rename or link is judged once for each of its two objects, so that either
 * may be what a rule's file.path means, and an exception holds for the object it names only.
 */
static __inline __attribute__((always_inline)) void
lictor_match(lictor_handle handle, lictor_tables tables, __u32 event, const struct lictor_facts *facts, __u32 second,
	     struct lictor_work *work)
{
	struct lictor_matching m = {
		.handle = handle, .tables = tables, .facts = facts, .work = work,
		.second = second,
	};
	const void *page = lictor_page(tables, 0);
	__u64 match;

	work->found = 0;
	work->unknown = 0;
	if (!page || event >= LICTOR_EVENTS)
		return;
	m.head = LICTOR_AT(__u32, page,
			   (__u32)__builtin_offsetof(struct lictor_image, event) + event * 4);
	if (!m.head)
		return;
	match = LICTOR_GET(page, m.head, struct lictor_event_head, match);
	work->candidates = LICTOR_GET(page, m.head, struct lictor_event_head, words);
	LICTOR_LOOP(LICTOR_GET(page, m.head, struct lictor_event_head, fields), lictor_field_step,
		    &m);
	if (!(work->candidates & match))
		return;
	LICTOR_LOOP(LICTOR_WORDS_MAX, lictor_word_step, &m);
	if (!(work->found & match))
		work->found = 0;
	else if (work->found & ~match)
		LICTOR_LOOP(LICTOR_CLAUSES_MAX, lictor_unless_step, &m);
}

/* The next rule that matched, ~0 after the last one. */
static __inline __attribute__((always_inline)) __u32
lictor_next_rule(lictor_tables tables, __u32 event, struct lictor_work *work)
{
	const void *page = lictor_page(tables, 0);
	__u32 clause, head;

	if (!page || event >= LICTOR_EVENTS || !work->found)
		return ~0u;
	head = LICTOR_AT(__u32, page,
			 (__u32)__builtin_offsetof(struct lictor_image, event) + event * 4);
	clause = lictor_take(work, ~0ull);
	return lictor_owner(tables, page, head, clause);
}

#endif
