/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Interned sets of small numbers: which predicates a value fulfils. Equal sets have one number, so
 * that a list of 100,000 entries under one rule has one outcome. Touches memory only.
 */
#include <stdlib.h>
#include <string.h>

#include "rules/automaton.h"

struct set {
	uint32_t first;
	uint32_t members;
	uint64_t hash;
};

struct lictor_sets {
	uint32_t *member;
	size_t members;
	size_t member_room;
	struct set *set;
	size_t sets;
	size_t set_room;
	uint32_t *slot; /* set number + 1 */
	size_t slots;
};

static uint64_t hash_of(const uint32_t *member, size_t members)
{
	uint64_t hash = members;

	for (size_t i = 0; i < members; i++) {
		hash = (hash ^ member[i]) * 0x9e3779b97f4a7c15ull;
		hash ^= hash >> 29;
	}
	return hash;
}

static bool grow(void **memory, size_t *room, size_t wanted, size_t size)
{
	size_t more = *room ? *room : 64;
	void *new;

	if (wanted <= *room)
		return true;
	while (more < wanted)
		more *= 2;
	new = realloc(*memory, more * size);
	if (!new)
		return false;
	*memory = new;
	*room = more;
	return true;
}

static bool rehash(struct lictor_sets *sets)
{
	size_t slots = sets->slots ? sets->slots * 2 : 256;
	uint32_t *slot = calloc(slots, sizeof(*slot));

	if (!slot)
		return false;
	for (size_t i = 0; i < sets->sets; i++) {
		size_t at = sets->set[i].hash & (slots - 1);

		while (slot[at])
			at = (at + 1) & (slots - 1);
		slot[at] = (uint32_t)i + 1;
	}
	free(sets->slot);
	sets->slot = slot;
	sets->slots = slots;
	return true;
}

static int compare(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

struct lictor_sets *lictor_sets_new(void)
{
	struct lictor_sets *sets = calloc(1, sizeof(*sets));

	if (sets && lictor_sets_add(sets, NULL, 0) == 0)
		return sets;
	lictor_sets_free(sets);
	return NULL;
}

void lictor_sets_free(struct lictor_sets *sets)
{
	if (!sets)
		return;
	free(sets->member);
	free(sets->set);
	free(sets->slot);
	free(sets);
}

uint32_t lictor_sets_add(struct lictor_sets *sets, uint32_t *member, size_t members)
{
	size_t kept = 0, at;
	uint64_t hash;

	if (members > 1)
		qsort(member, members, sizeof(*member), compare);
	for (size_t i = 0; i < members; i++)
		if (!kept || member[kept - 1] != member[i])
			member[kept++] = member[i];
	if (sets->sets * 2 >= sets->slots && !rehash(sets))
		return UINT32_MAX;
	hash = hash_of(member, kept);
	for (at = hash & (sets->slots - 1); sets->slot[at]; at = (at + 1) & (sets->slots - 1)) {
		const struct set *set = &sets->set[sets->slot[at] - 1];

		if (set->hash == hash && set->members == kept &&
		    (!kept || !memcmp(&sets->member[set->first], member, kept * sizeof(*member))))
			return sets->slot[at] - 1;
	}
	if (!grow((void **)&sets->member, &sets->member_room, sets->members + kept,
		  sizeof(*sets->member)) ||
	    !grow((void **)&sets->set, &sets->set_room, sets->sets + 1, sizeof(*sets->set)))
		return UINT32_MAX;
	if (kept)
		memcpy(&sets->member[sets->members], member, kept * sizeof(*member));
	sets->set[sets->sets] = (struct set){
		.first = (uint32_t)sets->members, .members = (uint32_t)kept, .hash = hash,
	};
	sets->members += kept;
	sets->slot[at] = (uint32_t)++sets->sets;
	return (uint32_t)sets->sets - 1;
}

uint32_t lictor_sets_join(struct lictor_sets *sets, uint32_t a, uint32_t b)
{
	uint32_t *both, result;
	size_t n, m;

	if (a == b || !b)
		return a;
	if (!a)
		return b;
	n = sets->set[a].members;
	m = sets->set[b].members;
	both = malloc((n + m) * sizeof(*both));
	if (!both)
		return UINT32_MAX;
	memcpy(both, &sets->member[sets->set[a].first], n * sizeof(*both));
	memcpy(both + n, &sets->member[sets->set[b].first], m * sizeof(*both));
	result = lictor_sets_add(sets, both, n + m);
	free(both);
	return result;
}

size_t lictor_sets_count(const struct lictor_sets *sets)
{
	return sets->sets;
}

const uint32_t *lictor_sets_get(const struct lictor_sets *sets, uint32_t set, size_t *ret_members)
{
	*ret_members = sets->set[set].members;
	return &sets->member[sets->set[set].first];
}
