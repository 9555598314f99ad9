/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lists: the `lists:` of all files come in, an index of them with the number of their values goes
 * out; cycles and unknown names are complaints. A list holds no values of its own yet: what its
 * scalars mean is decided by the field that it is used under. Touches nothing.
 */
#include <errno.h>
#include <string.h>

#include "rules/check.h"

static const char *list_name(const void *base, uint32_t id)
{
	return ((const struct list *)base)[id].key->text;
}

static bool is_name(const char *text)
{
	static const char letters[] = "0123456789-abcdefghijklmnopqrstuvwxyz_"
				      "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
	size_t length = strspn(text, letters);

	return length && length <= 63 && !text[length] && !strchr("0123456789-", text[0]);
}

static void collect_one(struct check *check, const struct node *key)
{
	struct list *list = &check->list[check->lists];
	uint32_t first;
	char hint[160];

	if (key->kind != NODE_SCALAR)
		return;
	if (!is_name(key->text)) {
		check_error(check, key,
			    "letters, digits, \"_\" and \"-\", 63 at most, a letter first",
			    "\"%.*s\" cannot be the name of a list", SHOWN(key->text));
		return;
	}
	*list = (struct list){ .key = key, .value = node_next(key) };
	first = index_add(&check->list_index, (uint32_t)check->lists);
	if (first == check->lists) {
		check->lists++;
		return;
	}
	list = &check->list[first];
	if (list->key->file == key->file)
		return; /* the parser said so */
	snprintf(hint, sizeof(hint), "it is already in %.100s, line %u",
		 check->diags->source[list->key->file].name, list->key->line);
	check_error(check, key, hint, "duplicate list \"%s\"", key->text);
}

const struct list *lists_peek(const struct check *check, const struct node *insert)
{
	uint32_t id = index_find(&check->list_index, insert->text + 1);

	return id != INDEX_NONE ? &check->list[id] : NULL;
}

/* The list that a scalar inserts, which is then used; or a complaint and NULL. */
static const struct list *find(struct check *check, const struct node *scalar)
{
	const char *name = scalar->text + 1;
	uint32_t id = index_find(&check->list_index, name);
	struct nearest nearest = nearest_to(name);
	char hint[160];

	if (id != INDEX_NONE) {
		check->list[id].used = true;
		return &check->list[id];
	}
	if (!check->whole)
		return NULL; /* it may be in the file that could not be parsed */
	if (diags_show_next(check->diags))
		for (size_t i = 0; i < check->lists; i++)
			nearest_try(&nearest, check->list[i].key->text);
	check_error(check, scalar,
		    nearest_hint(&nearest, hint, sizeof(hint),
				 "lists are defined under \"lists:\"; a text that begins with "
				 "\"$\" is written \\$"),
		    "unknown list \"%.*s\"", SHOWN(name));
	return NULL;
}

/* ---- counting, which finds what can be wrong with a list whatever it is used for ---- */

static size_t count_list(struct check *check, struct list *list, const struct node *from,
			 struct list *parent);

static size_t sum(size_t a, size_t b)
{
	return a + b < VALUES_MAX + 1 ? a + b : VALUES_MAX + 1;
}

static size_t count_scalar(struct check *check, const struct node *scalar, struct list *parent)
{
	const struct list *found;

	if (is_insert(scalar)) {
		found = find(check, scalar);
		return found ? count_list(check, &check->list[found - check->list], scalar, parent)
			     : 0;
	}
	if (scalar->text[0] || scalar->quoted)
		return 1;
	check_error(check, scalar, "write \"\" if an empty text is meant", "a value is missing");
	return 0;
}

static size_t count_node(struct check *check, const struct node *node, struct list *parent)
{
	size_t count = 0;

	if (node->kind == NODE_SCALAR)
		return count_scalar(check, node, parent);
	if (node->kind == NODE_MAPPING)
		check_error(check, node + 1,
			    "{not: VALUE} stands alone under a field; for exceptions there is "
			    "\"unless\"",
			    "a list holds values, not keys");
	if (node->kind != NODE_SEQUENCE)
		return 0;
	if (node->size == 1)
		check_error(check, node, "leave the key out if nothing is meant",
			    "an empty list would match nothing");
	node_each(child, node)
		count = sum(count, count_node(check, child, parent));
	return count;
}

/* Nothing reads values through lists that are in a ring, or so deep that the stack would suffer. */
static size_t refuse_list(struct check *check, const struct list *list, const struct node *from)
{
	check->lists_broken = true;
	if (list->entered && !list->done)
		check_error(check, from, NULL, "the list \"%s\" contains itself", list->key->text);
	else
		check_error(check, from, NULL, "lists nested more than %u deep", LIST_DEPTH_MAX);
	return 0;
}

static size_t count_list(struct check *check, struct list *list, const struct node *from,
			 struct list *parent)
{
	unsigned level = parent ? parent->level + 1 : 1;

	if (!list->entered && level <= LIST_DEPTH_MAX) {
		list->entered = true;
		list->level = level;
		list->count = count_node(check, list->value, list);
		list->done = true;
	}
	if (!list->done || list->depth >= LIST_DEPTH_MAX)
		return refuse_list(check, list, from);
	if (parent && parent->depth <= list->depth)
		parent->depth = list->depth + 1;
	return list->count;
}

size_t lists_count(struct check *check, const struct node *value)
{
	return count_node(check, value, NULL);
}

/* Room for all lists; 0 after a complaint, and then there are none. */
static size_t count_lists(struct check *check)
{
	size_t count = 0;

	for (size_t i = 0; i < check->trees; i++) {
		const struct node *section = check_section(&check->tree[i], "lists", NODE_MAPPING);

		for (const struct node *key = section ? section + 1 : NULL;
		     key && key < node_next(section); key = node_next(node_next(key))) {
			if (++count <= LISTS_MAX)
				continue;
			check_error(check, key, NULL, "more than %u lists", LISTS_MAX);
			check->whole = false; /* unknown ones need not be named */
			return 0;
		}
	}
	return count;
}

void lists_collect(struct check *check)
{
	size_t count = count_lists(check);

	check->list = check_scratch(check, (count + 1) * sizeof(*check->list));
	if (!check->list || index_init(&check->list_index, count, check->list, list_name)) {
		check->error = -ENOMEM;
		return;
	}
	for (size_t i = 0; count && i < check->trees; i++) {
		const struct node *section = check_section(&check->tree[i], "lists", NODE_MAPPING);

		for (const struct node *key = section ? section + 1 : NULL;
		     key && key < node_next(section); key = node_next(node_next(key)))
			collect_one(check, key);
	}
	for (size_t i = 0; i < check->lists; i++)
		count_list(check, &check->list[i], check->list[i].key, NULL);
}
