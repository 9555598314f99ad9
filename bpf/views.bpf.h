/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * From a walk (path.bpf.h) to outcomes: classifies the process's view of an object and, where it
 * is another one, the host's; builds record texts for what cannot be built again later. Functions
 * here are global on purpose: verified once per program, however often they are called.
 */
#ifndef LICTOR_VIEWS_H
#define LICTOR_VIEWS_H

#include "bpf/path.bpf.h"

#define LICTOR_TEXT_HOST (1u << 16)	/* beside flags: it is the host's view */

/* Adds a text to the record: length bytes at s->from. What does not fit is left out. */
__noinline int lictor_record_bytes(struct lictor_scratch *s, u32 field, u32 flags, u32 length)
{
	u32 at = s ? s->record.size - (u32)sizeof(struct lictor_record) : 0;
	/* In the table of fields, those of who acts come first. */
	u32 room = (u32)(LICTOR_RECORD_MAX - sizeof(struct lictor_record)) -
		   (field >= LICTOR_FIELD_FILE_PATH ? LICTOR_RECORD_ACTOR : 0);
	struct lictor_text *text;

	if (!s || length >= LICTOR_PATH_MAX || s->record.size < sizeof(struct lictor_record) ||
	    at + length + 16 > room)
		return 0;
	asm volatile("" : "+r"(at));
	if (at > LICTOR_RECORD_MAX - sizeof(struct lictor_record) - 16)
		return 0;
	text = (struct lictor_text *)&s->texts[at];
	text->field = field;
	text->length = length;
	text->flags = (u16)flags;
	text->view = flags >> 16;
	bpf_probe_read_kernel(&s->texts[at + sizeof(*text)],
			      LICTOR_MASK(length, LICTOR_PATH_MAX - 1), (const void *)s->from);
	s->record.size += (sizeof(*text) + length + 7) & ~7u;
	s->record.texts++;
	return 0;
}

static __always_inline void lictor_record_text(struct lictor_scratch *s, u32 field, u32 flags,
					       const void *from, u32 length)
{
	s->from = (u64)from;
	lictor_record_bytes(s, field, flags, length);
}

/*
 * Classifies the text at `where` (its length in the upper half) as a string of `space`; string
 * LICTOR_STRINGS is the second view.
 */
__noinline int lictor_classify_text(struct lictor_scratch *s, u64 generation, u32 space, u32 where,
				    u32 string)
{
	lictor_tables tables;
	struct lictor_hits *hits;

	if (!s || string > LICTOR_STRINGS)
		return 0;
	hits = string == LICTOR_STRINGS ? &s->other : &s->facts.hits[string];
	tables = lictor_open(generation);
	if (!tables) {
		hits->state = LICTOR_UNKNOWN;
		lictor_reason(s, LICTOR_REASON_NO_TABLES);
		return 0;
	}
	lictor_classify(tables, space, s->text, where & (LICTOR_TEXT_SIZE - 1), where >> 16,
			&s->work, hits);
	if (hits->state == LICTOR_UNKNOWN)
		lictor_reason(s, LICTOR_REASON_TOO_MANY_HITS);
	return 0;
}

struct lictor_naming {
	lictor_tables tables;
	struct lictor_scratch *s;
	struct lictor_ascent *a;
	u32 slot;
};

/* Finds the anchor's names, one after the other: s->name, its length in s->name_length. */
static long lictor_name_step(u32 index, struct lictor_naming *n)
{
	const void *page = lictor_page(n->tables, 0);
	struct lictor_scratch *s = n->s;
	struct lictor_ascent *a = n->a;
	u32 table, slots, at;

	if (!page)
		return 1;
	table = LICTOR_GET(page, 0, struct lictor_image, anchors.off);
	slots = LICTOR_GET(page, 0, struct lictor_image, anchors.slots);
	at = table + ((n->slot + index) & (slots - 1)) * (u32)sizeof(struct lictor_anchor);
	page = lictor_page(n->tables, at);
	if (!page || !LICTOR_GET(page, at, struct lictor_anchor, names))
		return 1;
	if (LICTOR_GET(page, at, struct lictor_anchor, ino) != a->ino ||
	    LICTOR_GET(page, at, struct lictor_anchor, dev) != a->dev ||
	    LICTOR_GET(page, at, struct lictor_anchor, igeneration) != a->igeneration)
		return 0;
	if (s->names_left) {
		s->names_left--;
		return 0;
	}
	s->name = LICTOR_GET(page, at, struct lictor_anchor, name);
	s->name_length = LICTOR_GET(page, at, struct lictor_anchor, length);
	s->named = 1;
	return 1;
}

static __always_inline int lictor_late_name(struct lictor_scratch *s, struct lictor_ascent *a,
					    u32 number)
{
	struct lictor_late_key key = { a->ino, a->dev, a->igeneration, number, 0 };
	const struct lictor_late *late = bpf_map_lookup_elem(&late_anchors, &key);

	if (!late || !late->length || late->length > LICTOR_LATE_NAME)
		return 0;
	__builtin_memcpy(a->late_name, late->name, LICTOR_LATE_NAME);
	s->name_length = late->length;
	return 1;
}

/* The anchor's name number `number`: false if there is none of that number. */
__noinline int lictor_anchor_name(struct lictor_scratch *s, u64 generation, u32 which, u32 number)
{
	struct lictor_naming n = { .s = s };
	u32 of_image;

	if (!s)
		return 0;
	n.a = &s->ascent[which & 1];
	of_image = n.a->anchored - n.a->late;
	s->named_late = number >= of_image;
	if (s->named_late)
		return lictor_late_name(s, n.a, number - of_image);
	if (!number) {
		s->name = n.a->name;
		s->name_length = n.a->name_length;
		return 1;
	}
	n.tables = lictor_open(generation);
	if (!n.tables)
		return 0;
	n.slot = lictor_anchor_slot(n.a->ino, n.a->dev, n.a->igeneration);
	s->names_left = number;
	s->named = 0;
	bpf_loop(LICTOR_PROBES_MAX, lictor_name_step, &n, 0);
	return s->named;
}

static __always_inline u32 lictor_below_anchor(const struct lictor_ascent *a)
{
	return a->host_length ? a->host_length : LICTOR_PATH_MAX - a->suffix;
}

struct lictor_comparing {
	struct lictor_scratch *s;
	struct lictor_ascent *a;
	u32 at;
	u32 equal;
};

static long lictor_late_step(u32 index, struct lictor_comparing *c)
{
	c->equal = c->a->late_name[LICTOR_MASK(index, 255)] ==
		   c->s->text[LICTOR_MASK(c->at + index, LICTOR_TEXT_SIZE - 1)];
	return !c->equal;
}

/* Is the process's view of the object the anchor's name (found before) and what is below it? */
__noinline int lictor_name_agrees(struct lictor_scratch *s, u64 generation, u32 which)
{
	struct lictor_reading r = {};
	struct lictor_ascent *a;

	if (!s)
		return 0;
	a = &s->ascent[which & 1];
	r.tables = lictor_open(generation);
	if (!r.tables || a->host_length ||
	    LICTOR_PATH_MAX - a->cursor != s->name_length + lictor_below_anchor(a))
		return 0;
	if (!s->name_length)
		return 1;
	if (s->named_late) {
		struct lictor_comparing c = {
			.s = s, .a = a, .at = lictor_region_at(a->region, a->cursor), .equal = 1,
		};

		bpf_loop(s->name_length & 255, lictor_late_step, &c, 0);
		return c.equal != 0;
	}
	r.page = lictor_page(r.tables, s->name);
	if (!r.page)
		return 0;
	r.text = s->text;
	r.work = &s->work;
	s->work.position = lictor_region_at(a->region, a->cursor);
	s->work.cursor = s->name;
	s->work.left = s->name_length;
	s->work.equal = 1;
	bpf_loop(LICTOR_PATH_MAX / LICTOR_CHUNK, lictor_equal_step, &r, 0);
	return s->work.equal != 0;
}

/*
 * The host's view of the object by the anchor's name (found before): into region HOST. Returns
 * where it is, its length in the upper half; 0 if it is longer than PATH_MAX.
 */
__noinline int lictor_host_text(struct lictor_scratch *s, u64 generation, u32 which, u32 record)
{
	lictor_tables tables;
	struct lictor_ascent *a;
	const void *page;
	u32 below, length, to;

	if (!s)
		return 0;
	a = &s->ascent[which & 1];
	tables = lictor_open(generation);
	page = tables ? lictor_page(tables, s->name) : NULL;
	below = lictor_below_anchor(a);
	length = s->name_length;
	if (!page || below >= LICTOR_PATH_MAX || length + below >= LICTOR_PATH_MAX) {
		lictor_reason(s, page ? LICTOR_REASON_PATH_TOO_LONG : LICTOR_REASON_NO_TABLES);
		return 0;
	}
	to = lictor_region_at(LICTOR_REGION_HOST, LICTOR_PATH_MAX - below);
	if (!a->host_length)
		bpf_probe_read_kernel(&s->text[to], LICTOR_MASK(below, LICTOR_PATH_MAX - 1),
				      &s->text[lictor_region_at(a->region, a->suffix)]);
	to = lictor_region_at(LICTOR_REGION_HOST, LICTOR_PATH_MAX - below - length);
	bpf_probe_read_kernel(&s->text[to], LICTOR_MASK(length, LICTOR_PATH_MAX - 1),
			      s->named_late ? a->late_name : (const char *)page + (s->name & (LICTOR_PAGE_SIZE - 1)));
	length += below;
	if (length == 0) {
		to = lictor_region_at(LICTOR_REGION_HOST, LICTOR_PATH_MAX - 1);
		s->text[to] = '/';
		length = 1;
	}
	if (a->field && record)
		lictor_record_text(s, a->field, a->mountless ? 0 : LICTOR_TEXT_HOST, &s->text[to],
				   length);
	return to | length << 16;
}

/*
 * The outcomes of the object that ascent[which] is about, in `space`: into facts.hits[string].
 * Returns true if the process's view of it is the host's too.
 */
__noinline int lictor_views(struct lictor_scratch *s, u64 generation, u32 which, u32 space,
			    u32 string)
{
	struct lictor_ascent *a;
	struct lictor_hits *hits;
	u32 length, where, agreed = LICTOR_OBJECT_NAMES, i;

	if (!s || string >= LICTOR_STRINGS)
		return 0;
	a = &s->ascent[which & 1];
	hits = &s->facts.hits[string];
	hits->any = 0;
	hits->sure = 0;
	hits->own = 0;
	hits->state = LICTOR_PRESENT;
	if (a->pseudo) {
		hits->state = LICTOR_ABSENT;
		return 0;
	}
	if (a->problem) {
		hits->state = LICTOR_UNKNOWN;
		lictor_reason(s, a->problem);
		return 0;
	}
	if (!a->mountless || !a->anchored) {
		length = LICTOR_PATH_MAX - a->cursor;
		where = lictor_region_at(a->region, a->cursor);
		if (length == 0) {
			where = lictor_region_at(a->region, LICTOR_PATH_MAX - 1);
			s->text[where] = '/';
			length = 1;
		}
		lictor_classify_text(s, generation, space, where | length << 16, string);
		if (!a->anchored)
			return 0;
		for (i = 0; i < LICTOR_OBJECT_NAMES && i < a->anchored; i++) {
			if (!lictor_anchor_name(s, generation, which, i))
				continue;
			if (lictor_name_agrees(s, generation, which)) {
				agreed = i;
				break;
			}
		}
		if (agreed < LICTOR_OBJECT_NAMES && a->anchored == 1) {
			lictor_hits_same(hits);
			return 1;
		}
	}
	/* The host's other names for it: each one counts, and where the process's is among them,
	   all of them are certain. */
	for (i = 0; i < LICTOR_OBJECT_NAMES && i < a->anchored; i++) {
		if (i == agreed)
			continue;
		if (!lictor_anchor_name(s, generation, which, i))
			continue;
		where = lictor_host_text(s, generation, which, agreed == LICTOR_OBJECT_NAMES);
		if (!where) {
			hits->state = LICTOR_UNKNOWN;
			return 0;
		}
		lictor_classify_text(s, generation, space, where, LICTOR_STRINGS);
		lictor_hits_view(hits, &s->other);
	}
	if (!a->mountless && agreed == LICTOR_OBJECT_NAMES)
		return 0;
	lictor_hits_same(hits);
	return 1;
}

/* A short text at region SHORT. */
__noinline int lictor_short(struct lictor_scratch *s, u64 generation, u32 length, u32 space,
			    u32 string)
{
	if (!s || string >= LICTOR_STRINGS || length >= LICTOR_PATH_MAX)
		return 0;
	lictor_classify_text(s, generation, space,
			     LICTOR_REGION_SHORT * LICTOR_PATH_MAX | length << 16, string);
	lictor_hits_same(&s->facts.hits[string]);
	return 0;
}

#endif
