/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An index of names: an open-addressing hash table of numbers whose names the caller can tell.
 * The hash is seeded at random, so that no rule file can be written to make it slow. Touches
 * nothing but the heap and the kernel's random numbers.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "rules/tree.h"

/* One seed a process; two threads that both find it unset at worst hash with different ones. */
static uint64_t get_seed(void)
{
	static uint64_t seed;

	/* Without random numbers (very early at boot) the tables are only easier to attack. */
	if (!seed && getrandom(&seed, sizeof(seed), GRND_NONBLOCK) < 0)
		seed = (uint64_t)(uintptr_t)&seed;
	return seed;
}

int index_init(struct index *index, size_t capacity, const void *base,
	       const char *(*name)(const void *base, uint32_t id))
{
	size_t slots = 8;

	while (slots < capacity * 3 / 2)
		slots *= 2;
	*index = (struct index){
				 .slots = slots, .seed = get_seed(), .base = base, .name = name };
	index->slot = malloc(slots * sizeof(*index->slot));
	if (!index->slot)
		return -ENOMEM;
	memset(index->slot, 0xff, slots * sizeof(*index->slot));
	return 0;
}

void index_done(struct index *index)
{
	free(index->slot);
	index->slot = NULL;
}

static uint64_t mix(uint64_t hash)
{
	hash ^= hash >> 32;
	hash *= 0xd6e8feb86659fd93ULL;
	return hash ^ hash >> 32;
}

static uint64_t hash_name(const struct index *index, const char *name)
{
	size_t length = strlen(name);
	uint64_t hash = index->seed + length;

	for (size_t at = 0; at < length; at += 8) {
		uint64_t word = 0;

		memcpy(&word, name + at, length - at < 8 ? length - at : 8);
		hash = mix((hash ^ word) + index->seed);
	}
	return hash;
}

static uint32_t *find_slot(const struct index *index, const char *name)
{
	size_t at = hash_name(index, name) & (index->slots - 1);

	while (index->slot[at] != INDEX_NONE &&
	       strcmp(index->name(index->base, index->slot[at]), name))
		at = (at + 1) & (index->slots - 1);
	return &index->slot[at];
}

uint32_t index_add(struct index *index, uint32_t id)
{
	uint32_t *slot = find_slot(index, index->name(index->base, id));

	if (*slot == INDEX_NONE)
		*slot = id;
	return *slot;
}

uint32_t index_find(const struct index *index, const char *name)
{
	return index->slot ? *find_slot(index, name) : INDEX_NONE;
}
