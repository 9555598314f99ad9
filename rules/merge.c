/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Merging equal states: those that emit, accept and lead to the same become one, which makes others
 * equal; from the ends back, until none are left. (Not the smallest automaton: circles of several
 * states stay apart.) In: an automaton as it was built. Out: one that matches the same. Touches
 * memory only.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "rules/automaton.h"

#define ITSELF UINT32_MAX /* in a row: the state whose row it is */

static uint64_t row_hash(const struct lictor_dfa *dfa, uint32_t state, const uint32_t *to)
{
	const struct lictor_dfa_state *s = &dfa->state[state];
	uint64_t hash = ((uint64_t)s->emit << 32 | s->accept) + 0x51ed27;
	uint32_t fallback = to[s->fallback] == state ? ITSELF : to[s->fallback];

	hash = (hash ^ fallback) * 0x9e3779b97f4a7c15ull;
	for (uint32_t i = 0; i < s->cells; i++) {
		const struct lictor_dfa_cell *cell = &dfa->cell[s->cell + i];
		uint32_t next = to[cell->next] == state ? ITSELF : to[cell->next];

		hash ^= hash >> 29;
		hash = (hash ^ ((uint64_t)cell->class << 32 | next)) * 0x9e3779b97f4a7c15ull;
	}
	return hash ^ hash >> 32;
}

static bool row_equal(const struct lictor_dfa *dfa, uint32_t a, uint32_t b, const uint32_t *to)
{
	const struct lictor_dfa_state *x = &dfa->state[a], *y = &dfa->state[b];

#define NEXT(n, self) (to[n] == (self) ? ITSELF : to[n])
	if (x->emit != y->emit || x->accept != y->accept || x->cells != y->cells ||
	    NEXT(x->fallback, a) != NEXT(y->fallback, b))
		return false;
	for (uint32_t i = 0; i < x->cells; i++) {
		const struct lictor_dfa_cell *c = &dfa->cell[x->cell + i];
		const struct lictor_dfa_cell *d = &dfa->cell[y->cell + i];

		if (c->class != d->class || NEXT(c->next, a) != NEXT(d->next, b))
			return false;
	}
	return true;
#undef NEXT
}

/* Points each state of `to` at the first of its equals. From the last state back, since what a
   state leads to was mostly found after it. Returns how many were merged. */
static size_t merge_round(const struct lictor_dfa *dfa, uint32_t *to, uint32_t *slot, size_t slots)
{
	size_t merged = 0;

	memset(slot, 0, slots * sizeof(*slot));
	for (uint32_t state = dfa->states; state-- > 0;) {
		size_t at;

		if (to[state] != state)
			continue;
		at = row_hash(dfa, state, to) & (slots - 1);
		while (slot[at] && !row_equal(dfa, slot[at] - 1, state, to))
			at = (at + 1) & (slots - 1);
		if (!slot[at]) {
			slot[at] = state + 1;
			continue;
		}
		to[state] = slot[at] - 1;
		merged++;
	}
	for (uint32_t state = 0; state < dfa->states; state++)
		while (to[to[state]] != to[state])
			to[state] = to[to[state]];
	return merged;
}

/* New numbers: dead, then states that emit nothing, then those that do. */
static void renumber(struct lictor_dfa *dfa, uint32_t *to)
{
	uint32_t *number = to + dfa->states, count = 1, dead = to[0];
	struct lictor_dfa_state *state = NULL;

	for (int emits = 0; emits < 2; emits++) {
		if (emits)
			dfa->first_emit = count;
		for (uint32_t s = 0; s < dfa->states; s++)
			if (to[s] == s && s != dead && !!dfa->state[s].emit == emits)
				number[s] = count++;
	}
	number[dead] = 0;
	state = calloc(count, sizeof(*state));
	if (!state) {
		dfa->states = 0;
		return;
	}
	for (uint32_t s = 0; s < dfa->states; s++) {
		if (to[s] != s)
			continue;
		state[number[s]] = dfa->state[s];
		state[number[s]].fallback = number[to[dfa->state[s].fallback]];
		for (uint32_t i = 0; i < dfa->state[s].cells; i++) {
			struct lictor_dfa_cell *cell = &dfa->cell[dfa->state[s].cell + i];

			cell->next = number[to[cell->next]];
		}
	}
	dfa->start = number[to[dfa->start]];
	free(dfa->state);
	dfa->state = state;
	dfa->states = count;
}

/* Cells that say what the fallback says are left out; the others move together. */
static void compact(struct lictor_dfa *dfa)
{
	struct lictor_dfa_cell *cell = NULL;
	uint32_t kept = 0, total = 0;

	for (uint32_t s = 0; s < dfa->states; s++)
		total += dfa->state[s].cells;
	cell = calloc(total ? total : 1, sizeof(*cell));
	if (!cell) {
		dfa->states = 0;
		return;
	}
	for (uint32_t s = 0; s < dfa->states; s++) {
		struct lictor_dfa_state *state = &dfa->state[s];
		uint32_t first = kept;

		for (uint32_t i = 0; i < state->cells; i++)
			if (dfa->cell[state->cell + i].next != state->fallback)
				cell[kept++] = dfa->cell[state->cell + i];
		state->cell = first;
		state->cells = kept - first;
	}
	free(dfa->cell);
	dfa->cell = cell;
	dfa->cells = kept;
}

int lictor_dfa_merge(struct lictor_dfa *dfa)
{
	size_t slots = 16;
	uint32_t *to, *slot;

	while (slots < (size_t)dfa->states * 2)
		slots *= 2;
	to = malloc((size_t)dfa->states * 2 * sizeof(*to));
	slot = malloc(slots * sizeof(*slot));
	if (to && slot) {
		for (uint32_t s = 0; s < dfa->states; s++)
			to[s] = s;
		while (merge_round(dfa, to, slot, slots))
			;
		renumber(dfa, to);
		if (dfa->states)
			compact(dfa);
	}
	free(to);
	free(slot);
	return to && slot && dfa->states ? 0 : -ENOMEM;
}
