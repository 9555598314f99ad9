/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory of one rule set: many small things that are all freed together. Sizes come in, zeroed
 * memory goes out, carved from blocks that double in size. Touches nothing but the heap.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "rules/rules.h"

#define BLOCK_FIRST	4096u
#define BLOCK_LAST	(1u << 20)
#define ALIGNMENT	_Alignof(max_align_t)

struct block {
	struct block *next;
	size_t size;
	size_t used;
	_Alignas(max_align_t) char bytes[];
};

struct lictor_arena {
	struct block *block;
	size_t next_size;
};

struct lictor_arena *lictor_arena_new(void)
{
	struct lictor_arena *arena = calloc(1, sizeof(*arena));

	if (arena)
		arena->next_size = BLOCK_FIRST;
	return arena;
}

void lictor_arena_free(struct lictor_arena *arena)
{
	struct block *next;

	if (!arena)
		return;
	for (struct block *block = arena->block; block; block = next) {
		next = block->next;
		free(block);
	}
	free(arena);
}

/* What is too large for a block gets its own, behind the one in use, which keeps its free rest. */
static void *take_alone(struct lictor_arena *arena, size_t size)
{
	struct block *block;

	if (size > PTRDIFF_MAX - sizeof(*block))
		return NULL;
	block = calloc(1, sizeof(*block) + size);
	if (!block)
		return NULL;
	block->size = block->used = size;
	if (arena->block) {
		block->next = arena->block->next;
		arena->block->next = block;
	} else {
		arena->block = block;
	}
	return block->bytes;
}

static void *take(struct lictor_arena *arena, size_t size, size_t alignment)
{
	struct block *block = arena->block;
	size_t at = block ? (block->used + alignment - 1) & ~(alignment - 1) : 0;

	if (block && at <= block->size && size <= block->size - at) {
		block->used = at + size;
		return block->bytes + at;
	}
	if (size > arena->next_size / 2)
		return take_alone(arena, size);
	block = calloc(1, sizeof(*block) + arena->next_size);
	if (!block)
		return NULL;
	block->size = arena->next_size;
	block->used = size;
	block->next = arena->block;
	arena->block = block;
	if (arena->next_size < BLOCK_LAST)
		arena->next_size *= 2;
	return block->bytes;
}

void *lictor_arena_get(struct lictor_arena *arena, size_t size)
{
	return take(arena, size, ALIGNMENT);
}

/* Texts are not aligned: a million short ones would waste more than they hold. */
char *lictor_arena_text(struct lictor_arena *arena, const char *bytes, size_t length)
{
	char *text = length < SIZE_MAX ? take(arena, length + 1, 1) : NULL;

	if (!text)
		return NULL;
	if (length)
		memcpy(text, bytes, length);
	text[length] = '\0';
	return text;
}
