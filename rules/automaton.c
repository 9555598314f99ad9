/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Globs -> one deterministic automaton. The globs are first merged into a trie of tokens, so that
 * what they have in front in common is one place; then places are grouped into states (subset
 * construction); then equal states are merged (merge.c). In: tokens, a set for each glob. Out: the
 * automaton, and sets of what its states mean. Touches memory only.
 *
 * A glob that ends in `**` has matched as soon as its star is reached: the state says so when it is
 * entered (emit) and the place is dropped. Remembering instead which of k such globs have matched
 * would need 2^k states.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "rules/automaton.h"

#define NONE UINT32_MAX
#define WORK_MAX (24u << 20) /* places in all states: beyond, the globs multiply each other */

/* ---- the trie of tokens ---- */

struct place {
	uint32_t child;   /* first */
	uint32_t sibling;
	uint32_t accept;  /* set: a glob ends here */
	uint8_t kind;     /* token that leads here */
	uint8_t single;
	const uint64_t *set;
	uint32_t mark;	  /* in the group being built */
};

struct group {		/* a state in the making: places, and what it emits */
	uint32_t first;
	uint32_t places;
	uint32_t emit;
	uint64_t hash;
};

struct builder {
	struct lictor_sets *sets;
	struct place *place;
	size_t places;
	size_t place_room;
	uint32_t *member;	/* of all groups */
	size_t members;
	size_t member_room;
	struct group *group;
	size_t groups;
	size_t group_room;
	uint32_t *slot;		/* group number + 1 */
	size_t slots;
	uint32_t *pending;	/* places of the group being built */
	size_t pendings;
	size_t pending_room;
	uint32_t emitted;
	uint32_t mark;
	struct lictor_dfa *dfa;
	size_t state_room;
	size_t cell_room;
	uint8_t sample[256];	/* a byte of each class */
	uint32_t *touched_at;	/* per class: first of the targets, or NONE */
	uint32_t *target;	/* pairs: place, next */
	size_t targets;
	size_t target_room;
};

static int grow(void **memory, size_t *room, size_t wanted, size_t size)
{
	size_t more = *room ? *room : 256;
	void *new;

	if (wanted <= *room)
		return 0;
	while (more < wanted)
		more *= 2;
	new = realloc(*memory, more * size);
	if (!new)
		return -ENOMEM;
	*memory = new;
	*room = more;
	return 0;
}

static bool same_token(const struct place *place, const struct lictor_token *token)
{
	if (place->kind != token->kind)
		return false;
	if (token->kind != LICTOR_TOKEN_SET)
		return true;
	if (!token->set || !place->set)
		return !token->set && !place->set && place->single == token->single;
	return !memcmp(place->set, token->set, 4 * sizeof(*token->set));
}

static int add_child(struct builder *b, uint32_t parent, const struct lictor_token *token,
		     uint32_t *ret_child)
{
	uint32_t child;
	int r;

	/* The newest child first: sorted globs find theirs at once. */
	for (child = b->place[parent].child; child != NONE; child = b->place[child].sibling)
		if (same_token(&b->place[child], token)) {
			*ret_child = child;
			return 0;
		}
	r = grow((void **)&b->place, &b->place_room, b->places + 1, sizeof(*b->place));
	if (r < 0)
		return r;
	child = (uint32_t)b->places++;
	b->place[child] = (struct place){
		.child = NONE,
		.sibling = b->place[parent].child,
		.kind = token->kind,
		.single = token->single,
		.set = token->set,
	};
	b->place[parent].child = child;
	*ret_child = child;
	return 0;
}

static int add_accept(struct builder *b, uint32_t place, uint32_t set)
{
	uint32_t joined = lictor_sets_join(b->sets, b->place[place].accept, set);

	if (joined == UINT32_MAX)
		return -ENOMEM;
	b->place[place].accept = joined;
	return 0;
}

static const uint64_t every_byte[4] = { ~0ull, ~0ull, ~0ull, ~0ull };

/* `**` alone: the empty text, or one byte and then anything; so the first state emits nothing. */
static int add_everything(struct builder *b, uint32_t set)
{
	const struct lictor_token any = { .kind = LICTOR_TOKEN_SET, .set = every_byte };
	const struct lictor_token all = { .kind = LICTOR_TOKEN_ALL };
	uint32_t at;
	int r = add_accept(b, 0, set);

	if (r < 0)
		return r;
	r = add_child(b, 0, &any, &at);
	if (r < 0)
		return r;
	r = add_child(b, at, &all, &at);
	return r < 0 ? r : add_accept(b, at, set);
}

static int add_glob(struct builder *b, const struct lictor_glob *glob)
{
	const struct lictor_tokens *tokens = glob->tokens;
	uint32_t at = 0;

	if (tokens->tokens == 1 && tokens->token[0].kind == LICTOR_TOKEN_ALL)
		return add_everything(b, glob->set);
	for (size_t i = 0; i < tokens->tokens; i++) {
		int r = add_child(b, at, &tokens->token[i], &at);

		if (r < 0)
			return r;
	}
	return add_accept(b, at, glob->set);
}

/* ---- byte classes ---- */

static void split_classes(uint8_t *class, uint32_t *classes, const uint64_t *set)
{
	int16_t in[256], out[256];
	uint8_t new[256];
	uint32_t count = 0;

	memset(in, -1, sizeof(in));
	memset(out, -1, sizeof(out));
	for (unsigned c = 0; c < 256; c++) {
		int16_t *to = set[c / 64] >> (c % 64) & 1 ? in : out;

		if (to[class[c]] < 0)
			to[class[c]] = (int16_t)count++;
		new[c] = (uint8_t)to[class[c]];
	}
	memcpy(class, new, sizeof(new));
	*classes = count;
}

static void make_classes(struct builder *b)
{
	struct lictor_dfa *dfa = b->dfa;
	uint64_t seen[4] = { 0 };
	bool slash = false;

	memset(dfa->class, 0, sizeof(dfa->class));
	dfa->classes = 1;
	for (size_t i = 1; i < b->places; i++) {
		const struct place *place = &b->place[i];

		if (place->kind == LICTOR_TOKEN_STAR)
			slash = true;
		else if (place->kind == LICTOR_TOKEN_SET && place->set)
			split_classes(dfa->class, &dfa->classes, place->set);
		else if (place->kind == LICTOR_TOKEN_SET)
			seen[place->single / 64] |= 1ull << (place->single % 64);
	}
	if (slash)
		seen['/' / 64] |= 1ull << ('/' % 64);
	for (unsigned c = 0; c < 256; c++) {
		uint64_t one[4] = { 0 };

		if (!(seen[c / 64] >> (c % 64) & 1))
			continue;
		one[c / 64] = 1ull << (c % 64);
		split_classes(dfa->class, &dfa->classes, one);
	}
	for (unsigned c = 0; c < 256; c++)
		b->sample[dfa->class[c]] = (uint8_t)c;
}

/* ---- groups of places ---- */

static void group_begin(struct builder *b)
{
	b->mark++;
	b->pendings = 0;
	b->emitted = 0;
}

/* Adds a place and the stars that follow it, which may match nothing. */
static int group_add(struct builder *b, uint32_t at, bool arrived)
{
	struct place *place = &b->place[at];
	int r;

	if (arrived && place->kind == LICTOR_TOKEN_ALL && place->accept) {
		b->emitted = lictor_sets_join(b->sets, b->emitted, place->accept);
		if (b->emitted == UINT32_MAX)
			return -ENOMEM;
	}
	if (place->mark == b->mark)
		return 0;
	place->mark = b->mark;
	if (place->kind != LICTOR_TOKEN_ALL || place->child != NONE) {
		r = grow((void **)&b->pending, &b->pending_room, b->pendings + 1,
			 sizeof(*b->pending));
		if (r < 0)
			return r;
		b->pending[b->pendings++] = at;
	}
	for (uint32_t child = place->child; child != NONE; child = b->place[child].sibling) {
		if (b->place[child].kind == LICTOR_TOKEN_SET)
			continue;
		r = group_add(b, child, true);
		if (r < 0)
			return r;
	}
	return 0;
}

static int compare(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static int rehash(struct builder *b)
{
	size_t slots = b->slots ? b->slots * 2 : 1024;
	uint32_t *slot = calloc(slots, sizeof(*slot));

	if (!slot)
		return -ENOMEM;
	for (size_t i = 0; i < b->groups; i++) {
		size_t at = b->group[i].hash & (slots - 1);

		while (slot[at])
			at = (at + 1) & (slots - 1);
		slot[at] = (uint32_t)i + 1;
	}
	free(b->slot);
	b->slot = slot;
	b->slots = slots;
	return 0;
}

/* The number of the group that was begun and filled; it is new if it equals the count before. */
static int group_end(struct builder *b, uint32_t *ret_group)
{
	uint64_t hash = b->emitted + 1;
	size_t at;
	int r;

	if (b->pendings > 1)
		qsort(b->pending, b->pendings, sizeof(*b->pending), compare);
	for (size_t i = 0; i < b->pendings; i++) {
		hash = (hash ^ b->pending[i]) * 0x9e3779b97f4a7c15ull;
		hash ^= hash >> 29;
	}
	if (b->groups * 2 >= b->slots) {
		r = rehash(b);
		if (r < 0)
			return r;
	}
	for (at = hash & (b->slots - 1); b->slot[at]; at = (at + 1) & (b->slots - 1)) {
		const struct group *group = &b->group[b->slot[at] - 1];

		if (group->hash == hash && group->emit == b->emitted &&
		    group->places == b->pendings &&
		    !memcmp(&b->member[group->first], b->pending,
			    b->pendings * sizeof(*b->pending))) {
			*ret_group = b->slot[at] - 1;
			return 0;
		}
	}
	if (b->members + b->pendings > WORK_MAX)
		return -E2BIG;
	r = grow((void **)&b->member, &b->member_room, b->members + b->pendings + 1,
		 sizeof(*b->member));
	if (r == 0)
		r = grow((void **)&b->group, &b->group_room, b->groups + 1, sizeof(*b->group));
	if (r < 0)
		return r;
	if (b->pendings)
		memcpy(&b->member[b->members], b->pending, b->pendings * sizeof(*b->pending));
	b->group[b->groups] = (struct group){
		.first = (uint32_t)b->members,
		.places = (uint32_t)b->pendings,
		.emit = b->emitted,
		.hash = hash,
	};
	b->members += b->pendings;
	b->slot[at] = (uint32_t)++b->groups;
	*ret_group = (uint32_t)b->groups - 1;
	return 0;
}

/* ---- transitions ---- */

static int touch(struct builder *b, uint32_t class, uint32_t place)
{
	int r = grow((void **)&b->target, &b->target_room, (b->targets + 1) * 2,
		     sizeof(*b->target));

	if (r < 0)
		return r;
	b->target[b->targets * 2] = place;
	b->target[b->targets * 2 + 1] = b->touched_at[class];
	b->touched_at[class] = (uint32_t)b->targets++;
	return 0;
}

static int touch_set(struct builder *b, const uint64_t *set, uint32_t place)
{
	for (uint32_t k = 0; k < b->dfa->classes; k++) {
		uint8_t c = b->sample[k];

		if (set[c / 64] >> (c % 64) & 1) {
			int r = touch(b, k, place);

			if (r < 0)
				return r;
		}
	}
	return 0;
}

/* Which places each byte leads to, stars aside. */
static int touch_children(struct builder *b, const struct group *group)
{
	for (uint32_t i = 0; i < group->places; i++) {
		uint32_t child = b->place[b->member[group->first + i]].child;

		for (; child != NONE; child = b->place[child].sibling) {
			const struct place *place = &b->place[child];
			int r = 0;

			if (place->kind != LICTOR_TOKEN_SET)
				continue;
			if (place->set)
				r = touch_set(b, place->set, child);
			else
				r = touch(b, b->dfa->class[place->single], child);
			if (r < 0)
				return r;
		}
	}
	return 0;
}

/* The stars among the group's places that the byte stays in. */
static int stay(struct builder *b, const struct group *group, bool slash)
{
	for (uint32_t i = 0; i < group->places; i++) {
		uint32_t at = b->member[group->first + i];
		uint8_t kind = b->place[at].kind;
		int r = 0;

		if (kind == LICTOR_TOKEN_ALL || (kind == LICTOR_TOKEN_STAR && !slash))
			r = group_add(b, at, false);
		if (r < 0)
			return r;
	}
	return 0;
}

static int add_cell(struct builder *b, uint32_t class, uint32_t next)
{
	struct lictor_dfa *dfa = b->dfa;
	int r = grow((void **)&dfa->cell, &b->cell_room, dfa->cells + 1, sizeof(*dfa->cell));

	if (r < 0)
		return r;
	dfa->cell[dfa->cells++] = (struct lictor_dfa_cell){ class, next };
	return 0;
}

static int row(struct builder *b, uint32_t state)
{
	struct group group = b->group[state];
	uint32_t slash = b->dfa->class['/'], fallback, first = b->dfa->cells;
	bool star = false;
	int r;

	for (uint32_t i = 0; i < group.places; i++)
		star |= b->place[b->member[group.first + i]].kind == LICTOR_TOKEN_STAR;
	b->targets = 0;
	memset(b->touched_at, 0xff, b->dfa->classes * sizeof(*b->touched_at));
	r = touch_children(b, &group);
	if (r < 0)
		return r;
	group_begin(b);
	r = stay(b, &group, false);
	if (r == 0)
		r = group_end(b, &fallback);
	for (uint32_t k = 0; r == 0 && k < b->dfa->classes; k++) {
		uint32_t next;

		if (b->touched_at[k] == NONE && !(star && k == slash))
			continue;
		group_begin(b);
		r = stay(b, &group, k == slash);
		for (uint32_t t = b->touched_at[k]; r == 0 && t != NONE; t = b->target[t * 2 + 1])
			r = group_add(b, b->target[t * 2], true);
		if (r == 0)
			r = group_end(b, &next);
		if (r == 0 && next != fallback)
			r = add_cell(b, k, next);
	}
	if (r < 0)
		return r;
	b->dfa->state[state] = (struct lictor_dfa_state){
		.fallback = fallback,
		.cell = first,
		.cells = b->dfa->cells - first,
		.emit = group.emit,
	};
	for (uint32_t i = 0; i < group.places; i++) {
		const struct place *place = &b->place[b->member[group.first + i]];
		uint32_t joined = b->dfa->state[state].accept;

		if (!place->accept || place->kind == LICTOR_TOKEN_ALL)
			continue;
		joined = lictor_sets_join(b->sets, joined, place->accept);
		if (joined == UINT32_MAX)
			return -ENOMEM;
		b->dfa->state[state].accept = joined;
	}
	return 0;
}

static size_t table_bytes(const struct lictor_dfa *dfa)
{
	return (size_t)dfa->states * 12 + (size_t)dfa->cells * 8 + 8 * 512 + 512;
}

static int explore(struct builder *b, size_t room)
{
	struct lictor_dfa *dfa = b->dfa;
	uint32_t group;
	int r;

	/* Group 0 is the empty one, the dead state; group 1 the start. */
	group_begin(b);
	r = group_end(b, &group);
	if (r < 0)
		return r;
	group_begin(b);
	r = group_add(b, 0, false);
	if (r == 0)
		r = group_end(b, &dfa->start);
	for (uint32_t state = 0; r == 0 && state < b->groups; state++) {
		r = grow((void **)&dfa->state, &b->state_room, state + 1, sizeof(*dfa->state));
		if (r == 0)
			r = row(b, state);
		dfa->states = state + 1;
		/* Merging below rarely more than halves what is found here. */
		if (r == 0 && table_bytes(dfa) > room * 3)
			r = -E2BIG;
	}
	return r;
}

/* ---- all of it ---- */

static void builder_done(struct builder *b)
{
	free(b->place);
	free(b->member);
	free(b->group);
	free(b->slot);
	free(b->pending);
	free(b->touched_at);
	free(b->target);
}

int lictor_dfa_build(const struct lictor_glob *glob, size_t globs, struct lictor_sets *sets,
		     size_t room, struct lictor_dfa *ret_dfa)
{
	struct lictor_dfa dfa = { 0 };
	__attribute__((cleanup(builder_done))) struct builder b = { .sets = sets, .dfa = &dfa };
	int r = grow((void **)&b.place, &b.place_room, 1, sizeof(*b.place));

	b.touched_at = calloc(256, sizeof(*b.touched_at));
	if (r < 0 || !b.touched_at)
		return -ENOMEM;
	b.place[b.places++] = (struct place){ .child = NONE, .kind = LICTOR_TOKEN_SET };
	for (size_t i = 0; r == 0 && i < globs; i++)
		r = add_glob(&b, &glob[i]);
	if (r == 0) {
		make_classes(&b);
		r = explore(&b, room);
	}
	if (r == 0)
		r = lictor_dfa_merge(&dfa);
	if (r == 0 && table_bytes(&dfa) > room)
		r = -E2BIG;
	if (r < 0) {
		lictor_dfa_done(&dfa);
		return r;
	}
	*ret_dfa = dfa;
	return 0;
}

void lictor_dfa_done(struct lictor_dfa *dfa)
{
	free(dfa->state);
	free(dfa->cell);
	*dfa = (struct lictor_dfa){ 0 };
}
