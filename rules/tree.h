/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What passes between the files of this room while rules are read: the tree that a YAML file is
 * turned into, positions kept, and the small tools that several stages need. Not for other rooms.
 */
#ifndef LICTOR_RULES_TREE_H
#define LICTOR_RULES_TREE_H

#include "rules/rules.h"

#define OWNED(release) __attribute__((cleanup(release)))

/* ---- bounds on hostile input: together they keep any one file within 1 s and 64 MiB ---- */

#define FILE_BYTES_MAX	(16u << 20)
#define FILES_MAX	4096u
#define NODES_MAX	1100000u	/* of one file */
#define DEPTH_MAX	16u
#define LISTS_MAX	65536u		/* of all files */
#define SCALAR_MAX	65536u		/* bytes of one value */

/* ---- the tree of one file ---- */

enum node_kind { NODE_SCALAR, NODE_SEQUENCE, NODE_MAPPING, NODE_BAD };

#define NODE_WIDTH_MAX 8191u

/*
 * The nodes of a file stand in one array in the order in which they were written, so that a node's
 * children follow it and the next sibling is size nodes further on. A mapping's children are key,
 * value, key, value. A BAD node was already complained about; it fits everywhere.
 */
struct node {
	uint32_t line;
	uint32_t column;
	uint32_t file : 16;
	uint32_t width : 13; /* characters, quotes included; NODE_WIDTH_MAX or more: not known */
	uint32_t kind : 2;
	uint32_t quoted : 1;
	uint32_t size;	  /* nodes of this one and all below it */
	const char *text; /* of a scalar; in the arena of the rules */
};

struct tree {
	struct node *node;
	size_t nodes; /* 0: the file is empty */
};

/*
 * Parses source number file of diags. 0: a tree, maybe with complaints; -EINVAL: the rest of the
 * file could not be read and there is no tree; -ENOMEM.
 */
int tree_parse(struct lictor_diags *diags, uint32_t file, struct lictor_arena *arena,
	       struct tree *ret_tree);
void tree_done(struct tree *tree);

struct lictor_place node_place(const struct node *node);
/* The place of the byte at offset of a scalar's text, or the whole scalar if that is not known. */
struct lictor_place node_place_at(const struct node *node, size_t offset);

static inline const struct node *node_next(const struct node *node)
{
	return node + node->size;
}

#define node_each(child, parent)                                                                   \
	for (const struct node *child = (parent) + 1; child < node_next(parent);                   \
	     child = node_next(child))

/* ---- reading ---- */

int file_read(const char *path, char **ret_text, size_t *ret_length);
/* Complains about the first byte of a source that a rule file may not have. 0 or -EINVAL. */
int encoding_check(struct lictor_diags *diags, uint32_t file);
/* Makes a source of diags; takes text if it succeeds. */
int diags_add_source(struct lictor_diags *diags, const char *name, char *text, size_t length,
		     uint32_t *ret_file);
/* Whether the next error is still shown: hints that cost time are not sought in vain. */
bool diags_show_next(const struct lictor_diags *diags);

/* ---- UTF-8 ---- */

/* Length of the character at text (1..4) and its number; 0 if these bytes are not UTF-8. */
size_t utf8_next(const char *text, size_t length, uint32_t *ret_code);
/* Characters in the first length bytes; a wrong byte counts as one. */
size_t utf8_count(const char *text, size_t length);
/* Bytes of text that are shown where it is quoted in a message: all, or 80 at most. */
int shown(const char *text);
#define SHOWN(text) shown(text), (text)
/* A control or formatting character that is not shown as it is. */
bool utf8_is_control(uint32_t code);
/* The character at text as it may be shown anywhere: itself or escaped. Returns its bytes. */
size_t utf8_show(const char *text, size_t length, char ret_cell[static 16]);

/* ---- an index of names, without which duplicates would take quadratic time ---- */

#define INDEX_NONE UINT32_MAX

struct index {
	uint32_t *slot;
	size_t slots;
	uint64_t seed;
	const void *base;
	const char *(*name)(const void *base, uint32_t id);
};

int index_init(struct index *index, size_t capacity, const void *base,
	       const char *(*name)(const void *base, uint32_t id));
void index_done(struct index *index);
/* Returns the id that has the same name, or enters this one and returns it. */
uint32_t index_add(struct index *index, uint32_t id);
uint32_t index_find(const struct index *index, const char *name);

/* Bytes of the shortest text that a valid pattern matches; 0 if it has braces. */
size_t pattern_least(const char *pattern);

/* ---- did you mean ---- */

struct nearest {
	const char *word;
	const char *best; /* NULL: nothing is near */
	unsigned distance;
	unsigned tried;
};

struct nearest nearest_to(const char *word);
void nearest_try(struct nearest *nearest, const char *candidate);
/* "did you mean ...?" in buffer, or otherwise when nothing is near (may be NULL). */
const char *nearest_hint(const struct nearest *nearest, char *buffer, size_t size,
			 const char *otherwise);

static inline void arena_done(struct lictor_arena **arena)
{
	lictor_arena_free(*arena);
}

#endif
