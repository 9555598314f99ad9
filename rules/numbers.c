/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Numbers and addresses -> interval tables in the image: all ranges of all rules on a field,
 * cut where any of them begins or ends, each piece with the set of predicates that hold in it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "rules/image.h"

typedef unsigned __int128 number;

struct edge {
	number at;
	uint32_t unit;
	bool ends;	/* the range ended just before `at` */
};

struct piece {
	number start;
	uint32_t set;
};

struct sweep {
	struct edge *edge;
	size_t edges;
	size_t edge_room;
	struct piece *piece;
	size_t pieces;
	uint32_t *open;		/* per unit: ranges that are open here */
	uint32_t *active;	/* units with an open range */
	size_t actives;
};

static void sweep_done(struct sweep *s)
{
	free(s->edge);
	free(s->piece);
	free(s->open);
	free(s->active);
}

static int add_range(struct sweep *s, number first, number last, number limit, uint32_t unit)
{
	if (s->edges + 2 > s->edge_room) {
		size_t room = s->edge_room ? s->edge_room * 2 : 256;
		struct edge *edge = realloc(s->edge, room * sizeof(*edge));

		if (!edge)
			return -ENOMEM;
		s->edge = edge;
		s->edge_room = room;
	}
	s->edge[s->edges++] = (struct edge){ first, unit, false };
	if (last != limit)
		s->edge[s->edges++] = (struct edge){ last + 1, unit, true };
	return 0;
}

static int compare_edge(const void *a, const void *b)
{
	const struct edge *x = a, *y = b;

	return x->at < y->at ? -1 : x->at > y->at;
}

static void toggle(struct sweep *s, const struct edge *edge)
{
	if (edge->ends) {
		if (--s->open[edge->unit])
			return;
		for (size_t i = 0; i < s->actives; i++)
			if (s->active[i] == edge->unit) {
				s->active[i] = s->active[--s->actives];
				return;
			}
	} else if (!s->open[edge->unit]++) {
		s->active[s->actives++] = edge->unit;
	}
}

static int run(struct lictor_compiler *c, struct sweep *s)
{
	uint32_t *copy = malloc((c->units + 1) * sizeof(*copy));
	int r = copy ? 0 : -ENOMEM;

	s->piece = calloc(s->edges + 1, sizeof(*s->piece));
	s->open = calloc(c->units + 1, sizeof(*s->open));
	s->active = calloc(c->units + 1, sizeof(*s->active));
	if (!s->piece || !s->open || !s->active)
		r = -ENOMEM;
	if (r == 0 && s->edges)
		qsort(s->edge, s->edges, sizeof(*s->edge), compare_edge);
	for (size_t i = 0; r == 0 && i < s->edges;) {
		number at = s->edge[i].at;
		uint32_t set;

		/* Ends and beginnings at one place are one step: a count may not fall below zero. */
		for (size_t j = i; j < s->edges && s->edge[j].at == at; j++)
			if (!s->edge[j].ends)
				toggle(s, &s->edge[j]);
		for (; i < s->edges && s->edge[i].at == at; i++)
			if (s->edge[i].ends)
				toggle(s, &s->edge[i]);
		memcpy(copy, s->active, s->actives * sizeof(*copy));
		set = lictor_sets_add(c->sets, copy, s->actives);
		if (set == UINT32_MAX)
			r = -ENOMEM;
		else if (!s->pieces || s->piece[s->pieces - 1].set != set)
			s->piece[s->pieces++] = (struct piece){ at, set };
	}
	free(copy);
	return r;
}

static int write_table(struct lictor_compiler *c, const struct sweep *s, bool wide,
		       uint32_t *ret_table)
{
	size_t width = wide ? 16 : 4;
	uint32_t table, start, out;
	struct lictor_intervals *head;

	if (s->pieces >= 1u << 24)
		return -E2BIG;
	table = lictor_write_room(&c->writer, sizeof(*head), 16, false);
	start = lictor_write_room(&c->writer, (s->pieces + 1) * width, width, true);
	out = lictor_write_room(&c->writer, (s->pieces + 1) * 2, 2, true);
	if (!table || !start || !out)
		return -ENOMEM;
	for (size_t i = 0; i < s->pieces; i++) {
		uint32_t outcome = lictor_outcome(c, s->piece[i].set);
		uint16_t *outs = lictor_write_at(&c->writer, out);

		if (outcome == UINT32_MAX)
			return -ENOMEM;
		outs[i] = (uint16_t)outcome;
		if (wide) {
			uint64_t *to = lictor_write_at(&c->writer, start + (uint32_t)i * 16);

			to[0] = (uint64_t)(s->piece[i].start >> 64);
			to[1] = (uint64_t)s->piece[i].start;
		} else {
			uint32_t *to = lictor_write_at(&c->writer, start);

			to[i] = (uint32_t)s->piece[i].start;
		}
	}
	head = lictor_write_at(&c->writer, table);
	*head = (struct lictor_intervals){
		.count = (uint32_t)s->pieces, .start = start, .out = out,
	};
	*ret_table = table;
	return 0;
}

static int finish(struct lictor_compiler *c, int field, int r)
{
	const char *name = lictor_field_words[field].name;

	if (r == 0)
		r = lictor_outcomes_end(c, &c->field[field].outs, &c->field[field].set);
	if (r == 0 && c->field[field].outs > LICTOR_OUTS_MAX)
		r = -E2BIG;
	if (r == -E2BIG)
		for (size_t u = c->units; u-- > 0;)
			if (c->unit[u].predicate->field == field) {
				lictor_diag_error(c->diags, c->unit[u].predicate->place, NULL,
						  "rule \"%s\": \"%s\" has too many ranges: the "
						  "limits are 16 million pieces, 65,535 different "
						  "outcomes",
						  lictor_unit_rule(c, &c->unit[u])->name, name);
				break;
			}
	return r;
}

static bool mode_holds(const struct lictor_value *value, uint32_t mode)
{
	uint32_t bits = value->mode.bits;

	switch (value->mode.op) {
	case '-':
		return (mode & bits) == bits;
	case '/':
		return (mode & bits) != 0;
	default:
		return mode == bits;
	}
}

static int add_mode(struct sweep *s, const struct lictor_value *value, uint32_t unit)
{
	for (uint32_t mode = 0; mode <= 07777; mode++)
		if (mode_holds(value, mode)) {
			int r = add_range(s, mode, mode, UINT32_MAX, unit);

			if (r < 0)
				return r;
		}
	return 0;
}

int lictor_compile_numbers(struct lictor_compiler *c, int field)
{
	__attribute__((cleanup(sweep_done))) struct sweep s = { 0 };
	int r = 0;

	for (uint32_t u = 0; r == 0 && u < c->units; u++) {
		const struct lictor_predicate *p = c->unit[u].predicate;

		if (p->field != field)
			continue;
		for (size_t i = 0; r == 0 && i < p->values; i++) {
			if (lictor_field_words[field].type == LICTOR_TYPE_MODE)
				r = add_mode(&s, &p->value[i], u);
			else
				r = add_range(&s, p->value[i].range.low, p->value[i].range.high,
					      UINT32_MAX, u);
		}
	}
	if (r == 0)
		r = run(c, &s);
	lictor_outcomes_begin(c);
	if (r == 0)
		r = write_table(c, &s, false, &c->field[field].table);
	return finish(c, field, r);
}

static number big_endian(const uint8_t *byte)
{
	number value = 0;

	for (int i = 0; i < 16; i++)
		value = value << 8 | byte[i];
	return value;
}

/* IPv4 addresses are a table of their own; an IPv6 range never speaks for them. */
static int address_table(struct lictor_compiler *c, int field, bool wide, uint32_t *ret_table)
{
	__attribute__((cleanup(sweep_done))) struct sweep s = { 0 };
	int r = 0;

	for (uint32_t u = 0; r == 0 && u < c->units; u++) {
		const struct lictor_predicate *p = c->unit[u].predicate;

		if (p->field != field)
			continue;
		for (size_t i = 0; r == 0 && i < p->values; i++) {
			number first = big_endian(p->value[i].address.first);
			number last = big_endian(p->value[i].address.last);
			bool four = first >> 32 == 0xffff && last >> 32 == 0xffff;

			if (four == wide)
				continue;
			if (four)
				r = add_range(&s, (uint32_t)first, (uint32_t)last, UINT32_MAX, u);
			else
				r = add_range(&s, first, last, ~(number)0, u);
		}
	}
	if (r == 0)
		r = run(c, &s);
	return r < 0 ? r : write_table(c, &s, wide, ret_table);
}

int lictor_compile_addresses(struct lictor_compiler *c, int field)
{
	int r;

	lictor_outcomes_begin(c);
	r = address_table(c, field, false, &c->field[field].table);
	if (r == 0)
		r = address_table(c, field, true, &c->field[field].table6);
	return finish(c, field, r);
}
