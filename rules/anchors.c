/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where path patterns begin: the places on the host whose objects the daemon looks up (roots), and
 * what it found, into the image (anchors).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "rules/host.h"
#include "rules/image.h"

/* Beyond so many files that rules name exactly, only their directories are looked up. */
#define EXACT_ROOTS_MAX 4096

struct roots {
	struct lictor_arena *arena;
	struct lictor_root *root;
	size_t roots;
	size_t room;
};

static int add_root(struct roots *k, const char *path, size_t length, bool exact)
{
	char *copy;

	while (length > 1 && path[length - 1] == '/')
		length--;
	if (k->roots == k->room) {
		size_t room = k->room ? k->room * 2 : 64;
		struct lictor_root *root = realloc(k->root, room * sizeof(*root));

		if (!root)
			return -ENOMEM;
		k->root = root;
		k->room = room;
	}
	copy = lictor_arena_text(k->arena, length ? path : "/", length ? length : 1);
	if (!copy)
		return -ENOMEM;
	k->root[k->roots++] = (struct lictor_root){ copy, exact };
	return 0;
}

/* The literal directory in front of the pattern; of a name without stars, that object too. */
static int add_pattern(struct roots *k, const char *text)
{
	char *literal = malloc(strlen(text) + 1);
	size_t length = 0, directory = 0;
	const char *at;
	int r = literal ? 0 : -ENOMEM;

	for (at = text; r == 0 && *at && !strchr("*?[", *at); at++) {
		if (*at == '\\' && at[1])
			at++;
		if (*at == '/')
			directory = length;
		literal[length++] = *at;
	}
	if (r == 0)
		r = add_root(k, literal, directory, false);
	if (r == 0 && !*at && length)
		r = add_root(k, literal, length, true);
	free(literal);
	return r;
}

static int add_block(struct roots *k, const struct lictor_block *block)
{
	for (size_t i = 0; i < block->predicates; i++) {
		const struct lictor_predicate *p = &block->predicate[i];

		if (lictor_field_words[p->field].type != LICTOR_TYPE_PATH)
			continue;
		for (size_t v = 0; v < p->values; v++) {
			const char *const *text;
			size_t count;
			int r = lictor_pattern_expand(p->value[v].text, k->arena, &count, &text);

			for (size_t n = 0; r == 0 && n < count; n++)
				r = add_pattern(k, text[n]);
			if (r < 0)
				return r;
		}
	}
	return 0;
}

static int compare_root(const void *a, const void *b)
{
	const struct lictor_root *x = a, *y = b;
	int order = (int)x->exact - (int)y->exact;

	return order ? order : strcmp(x->path, y->path);
}

int lictor_rules_roots(const struct lictor_rules *rules, struct lictor_arena *arena,
		       size_t *ret_roots, const struct lictor_root **ret_root)
{
	struct roots k = { .arena = arena };
	struct lictor_root *root;
	size_t kept = 0, exact = 0;
	int r = 0;

	for (size_t i = 0; r == 0 && i < rules->rules; i++) {
		const struct lictor_rule *rule = &rules->rule[i];

		if (!rule->enabled)
			continue;
		r = add_block(&k, &rule->match);
		for (size_t u = 0; r == 0 && u < rule->unlesses; u++)
			r = add_block(&k, &rule->unless[u]);
	}
	root = r == 0 ? lictor_arena_get(arena, (k.roots + 1) * sizeof(*root)) : NULL;
	if (!root) {
		free(k.root);
		return -ENOMEM;
	}
	if (k.roots)
		qsort(k.root, k.roots, sizeof(*k.root), compare_root);
	for (size_t i = 0; i < k.roots; i++) {
		if (kept && !compare_root(&root[kept - 1], &k.root[i]))
			continue;
		if (k.root[i].exact && exact++ >= EXACT_ROOTS_MAX)
			break;
		root[kept++] = k.root[i];
	}
	free(k.root);
	*ret_roots = kept;
	*ret_root = root;
	return 0;
}

static bool fill(struct lictor_anchor *slot, uint32_t slots, const struct lictor_anchor *entry,
		 size_t entries)
{
	memset(slot, 0, slots * sizeof(*slot));
	for (size_t i = 0; i < entries; i++) {
		uint32_t at = lictor_anchor_slot(entry[i].ino, entry[i].dev, entry[i].igeneration);
		uint32_t steps = 0;

		while (slot[at & (slots - 1)].names && ++steps < LICTOR_PROBES_MAX)
			at++;
		if (slot[at & (slots - 1)].names)
			return false;
		slot[at & (slots - 1)] = entry[i];
	}
	return true;
}

static int compare_anchor(const void *a, const void *b)
{
	const struct lictor_anchor *x = a, *y = b;

	if (x->ino != y->ino)
		return x->ino < y->ino ? -1 : 1;
	if (x->dev != y->dev)
		return x->dev < y->dev ? -1 : 1;
	if (x->igeneration != y->igeneration)
		return x->igeneration < y->igeneration ? -1 : 1;
	return x->name < y->name ? -1 : x->name > y->name;
}

static bool same_object(const struct lictor_anchor *a, const struct lictor_anchor *b)
{
	return a->ino == b->ino && a->dev == b->dev && a->igeneration == b->igeneration;
}

/* Counts each object's names; beyond LICTOR_ANCHOR_NAMES it keeps those found first. */
static size_t count_names(struct lictor_writer *writer, struct lictor_anchor *entry, size_t entries)
{
	size_t kept = 0;

	if (entries)
		qsort(entry, entries, sizeof(*entry), compare_anchor);
	for (size_t i = 0, n; i < entries; i += n) {
		size_t first = kept;

		for (n = 0; i + n < entries && same_object(&entry[i], &entry[i + n]); n++) {
			const struct lictor_anchor *new = &entry[i + n];
			bool known = kept - first == LICTOR_ANCHOR_NAMES;

			for (size_t k = first; k < kept; k++)
				known |= entry[k].length == new->length &&
					 !memcmp(lictor_write_at(writer, entry[k].name),
						 lictor_write_at(writer, new->name), new->length);
			if (!known)
				entry[kept++] = *new;
		}
		for (size_t k = first; k < kept; k++)
			entry[k].names = (uint16_t)(kept - first);
	}
	return kept;
}

int lictor_compile_anchors(struct lictor_compiler *c, size_t anchors,
			   const struct lictor_anchor_found *anchor)
{
	struct lictor_anchor *entry = calloc(anchors + 1, sizeof(*entry)), *slot = NULL;
	struct lictor_image *image;
	size_t entries = 0;
	uint32_t slots = 16, at = 0;
	int r = entry ? 0 : -ENOMEM;

	for (size_t i = 0; r == 0 && i < anchors; i++) {
		size_t length = strcmp(anchor[i].path, "/") ? strlen(anchor[i].path) : 0;

		if (length >= LICTOR_PATH_MAX)
			continue;
		entry[entries] = (struct lictor_anchor){
			.ino = anchor[i].ino,
			.dev = anchor[i].dev,
			.igeneration = anchor[i].igeneration,
			.name = lictor_write_room(&c->writer, length ? length : 1, 1, false),
			.length = (uint16_t)length,
			.names = 1,
		};
		if (!entry[entries].name)
			r = -ENOMEM;
		else
			memcpy(lictor_write_at(&c->writer, entry[entries++].name), anchor[i].path, length);
	}
	if (r == 0)
		entries = count_names(&c->writer, entry, entries);
	for (; r == 0; slots *= 2) {
		if (slots < entries * 2)
			continue;
		free(slot);
		slot = calloc(slots, sizeof(*slot));
		if (!slot || slots * sizeof(*slot) > LICTOR_PAGE_SIZE)
			r = slot ? -E2BIG : -ENOMEM;
		else if (fill(slot, slots, entry, entries))
			break;
	}
	if (r == 0) {
		at = lictor_write_room(&c->writer, slots * sizeof(*slot), 8, false);
		r = at ? 0 : -ENOMEM;
	}
	if (r == 0) {
		memcpy(lictor_write_at(&c->writer, at), slot, slots * sizeof(*slot));
		image = lictor_write_at(&c->writer, 0);
		image->anchors = (struct lictor_table_hash){ at, slots };
		for (size_t i = 0; i < entries; i++) {
			uint32_t bit = lictor_anchor_bit(entry[i].ino, entry[i].dev);

			image->anchor_filter[bit / 64] |= 1ull << (bit % 64);
		}
	}
	free(entry);
	free(slot);
	return r;
}
