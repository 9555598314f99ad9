/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Comb compression: the rows of an automaton slid over each other until none of their own cells
 * coincide. In: an automaton. Out: where each row begins, and each cell's owner and target.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "rules/automaton.h"

#define HOLES_MAX 2048u /* cells from the end that a row of several looks for room in */

struct packing {
	struct lictor_comb *comb;
	size_t room;
	uint32_t first_free;
	uint32_t width;
};

static int make_room(struct packing *p, size_t wanted)
{
	struct lictor_comb *comb = p->comb;
	size_t room = p->room ? p->room : 1024;
	uint32_t *check, *next;

	if (wanted <= p->room)
		return 0;
	while (room < wanted)
		room *= 2;
	check = realloc(comb->check, room * sizeof(*check));
	if (check)
		comb->check = check;
	next = realloc(comb->next, room * sizeof(*next));
	if (next)
		comb->next = next;
	if (!check || !next)
		return -ENOMEM;
	memset(check + p->room, 0, (room - p->room) * sizeof(*check));
	memset(next + p->room, 0, (room - p->room) * sizeof(*next));
	p->room = room;
	return 0;
}

static bool fits(const struct packing *p, const struct lictor_dfa *dfa, uint32_t state,
		 uint32_t base)
{
	const struct lictor_dfa_state *s = &dfa->state[state];

	for (uint32_t i = 0; i < s->cells; i++)
		if (p->comb->check[base + dfa->cell[s->cell + i].class])
			return false;
	return true;
}

static int place_row(struct packing *p, const struct lictor_dfa *dfa, uint32_t state)
{
	const struct lictor_dfa_state *s = &dfa->state[state];
	struct lictor_comb *comb = p->comb;
	uint32_t lead = dfa->cell[s->cell].class, at;

	while (p->first_free < p->room && comb->check[p->first_free])
		p->first_free++;
	/* The row's first cell takes a free one; wide rows give up on old holes after a while. */
	at = p->first_free;
	if (s->cells > 1 && comb->cells > at + HOLES_MAX)
		at = comb->cells - HOLES_MAX;
	for (;; at++) {
		size_t wanted = (size_t)at + p->width * 2 + 1;
		int r = wanted > p->room ? make_room(p, wanted) : 0;

		if (r < 0)
			return r;
		if (!comb->check[at] && fits(p, dfa, state, at - lead))
			break;
	}
	comb->base[state] = at - lead;
	for (uint32_t i = 0; i < s->cells; i++) {
		const struct lictor_dfa_cell *cell = &dfa->cell[s->cell + i];
		uint32_t index = at - lead + cell->class;

		comb->check[index] = state;
		comb->next[index] = cell->next;
		if (index + 1 > comb->cells)
			comb->cells = index + 1;
	}
	return 0;
}

/* States by number of cells, most first. */
static uint32_t *by_width(const struct lictor_dfa *dfa)
{
	uint32_t count[258] = { 0 };
	uint32_t *order = malloc((dfa->states + 1) * sizeof(*order));

	if (!order)
		return NULL;
	for (uint32_t s = 0; s < dfa->states; s++)
		count[256 - dfa->state[s].cells + 1]++;
	for (int i = 1; i < 258; i++)
		count[i] += count[i - 1];
	for (uint32_t s = 0; s < dfa->states; s++)
		order[count[256 - dfa->state[s].cells]++] = s;
	return order;
}

int lictor_comb_pack(const struct lictor_dfa *dfa, struct lictor_comb *ret_comb)
{
	struct lictor_comb comb = { .base = calloc(dfa->states + 1, sizeof(*comb.base)) };
	/* From the width of a row on, so that the first free cell will do for any row's first one. */
	struct packing p = { .comb = &comb, .first_free = dfa->classes, .width = dfa->classes };
	uint32_t *order = by_width(dfa);
	int r = comb.base && order ? make_room(&p, dfa->classes + 1) : -ENOMEM;

	for (uint32_t i = 0; r == 0 && i < dfa->states; i++)
		if (dfa->state[order[i]].cells)
			r = place_row(&p, dfa, order[i]);
	/* A look-up may reach a whole row beyond the last base. */
	if (r == 0)
		r = make_room(&p, (size_t)comb.cells + dfa->classes);
	comb.cells += dfa->classes;
	free(order);
	if (r < 0) {
		lictor_comb_done(&comb);
		return r;
	}
	*ret_comb = comb;
	return 0;
}

void lictor_comb_done(struct lictor_comb *comb)
{
	free(comb->base);
	free(comb->check);
	free(comb->next);
	*comb = (struct lictor_comb){ 0 };
}
