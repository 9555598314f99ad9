/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Check: the trees of all files come in, rules go out, with lists inserted and overrides applied.
 * This file is the order of the steps and the top level of a file; each step has its own file.
 * Touches nothing but memory, and the host's user database for names.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "rules/check.h"

void *check_get(struct check *check, size_t size)
{
	void *memory = lictor_arena_get(check->arena, size);

	if (!memory)
		check->error = -ENOMEM;
	return memory;
}

void *check_scratch(struct check *check, size_t size)
{
	void *memory = lictor_arena_get(check->scratch, size);

	if (!memory)
		check->error = -ENOMEM;
	return memory;
}

const char *check_scalar(struct check *check, const char *key, const struct node *value)
{
	if (value->kind == NODE_SCALAR && (value->text[0] || value->quoted))
		return value->text;
	if (value->kind == NODE_SCALAR)
		check_error(check, value, NULL, "\"%s\" has no value", key);
	else if (value->kind != NODE_BAD)
		check_error(check, value, NULL, "\"%s\" has one value, not several", key);
	return NULL;
}

int check_word(struct check *check, const char *key, const struct node *value,
	       const char *const *words, size_t count)
{
	const char *word = check_scalar(check, key, value);
	struct nearest nearest = nearest_to(word ? word : "");
	char all[256] = "one of", hint[160];
	size_t length = strlen(all);

	for (size_t i = 0; word && i < count; i++) {
		if (!words[i])
			continue;
		if (!strcmp(word, words[i]))
			return (int)i;
		nearest_try(&nearest, words[i]);
		if (length < sizeof(all))
			length += (size_t)snprintf(all + length, sizeof(all) - length, " %s",
						   words[i]);
	}
	if (word)
		check_error(check, value, nearest_hint(&nearest, hint, sizeof(hint), all),
			    "\"%.*s\" is no value of \"%s\"", SHOWN(word), key);
	return -1;
}

/* ---- the top level ---- */

static const struct {
	const char *name;
	enum node_kind kind;
	const char *text;
	const char *hint;
} sections[] = {
	{ "lists", NODE_MAPPING, "\"lists\" holds names and their values",
	  "write \"NAME: [VALUE, ...]\", without \"-\" in front" },
	{ "rules", NODE_SEQUENCE, "\"rules\" holds a list of rules",
	  "begin each rule with \"- name: ...\"" },
	{ "overrides", NODE_SEQUENCE, "\"overrides\" holds a list of overrides",
	  "begin each with \"- rule: ...\"" },
};

#define SECTIONS (sizeof(sections) / sizeof(*sections))

const struct node *check_section(const struct tree *tree, const char *name, enum node_kind kind)
{
	if (!tree->nodes || tree->node->kind != NODE_MAPPING)
		return NULL;
	for (const struct node *key = tree->node + 1; key < node_next(tree->node);
	     key = node_next(node_next(key)))
		if (key->kind == NODE_SCALAR && !strcmp(key->text, name))
			return node_next(key)->kind == kind ? node_next(key) : NULL;
	return NULL;
}

/* An empty section is fine: that is what is left when all rules in it are commented out. */
static bool is_empty(const struct node *node)
{
	return node->kind == NODE_BAD ||
	       (node->kind == NODE_SCALAR && !node->text[0] && !node->quoted);
}

static void check_section_shape(struct check *check, const struct node *key)
{
	const struct node *value = node_next(key);
	struct nearest nearest = nearest_to(key->text);
	char hint[160];

	for (size_t i = 0; i < SECTIONS; i++) {
		nearest_try(&nearest, sections[i].name);
		if (strcmp(key->text, sections[i].name))
			continue;
		if (value->kind != sections[i].kind && !is_empty(value))
			check_error(check, value + (value->kind == NODE_MAPPING && value->size > 1),
				    sections[i].hint, "%s", sections[i].text);
		return;
	}
	check_error(check, key,
		    nearest_hint(&nearest, hint, sizeof(hint),
				 "a rule file has \"lists\", \"rules\" and \"overrides\""),
		    "unknown key \"%.*s\" in a rule file", SHOWN(key->text));
}

static void check_top(struct check *check, const struct tree *tree)
{
	const struct node *root = tree->node;

	if (!tree->nodes || is_empty(root))
		return;
	if (root->kind != NODE_MAPPING) {
		check_error(check, root, "rules stand under a line \"rules:\"",
			    "a rule file has \"lists\", \"rules\" and \"overrides\"");
		return;
	}
	for (const struct node *key = root + 1; key < node_next(root);
	     key = node_next(node_next(key)))
		if (key->kind == NODE_SCALAR)
			check_section_shape(check, key);
}

void check_done(struct check *check)
{
	index_done(&check->list_index);
	index_done(&check->rule_index);
	names_done(&check->users);
	names_done(&check->groups);
	free(check->pending);
	lictor_arena_free(check->scratch);
}

int check_trees(struct check *check)
{
	static void (*const steps[])(struct check *) = { lists_collect, rules_collect,
							 overrides_apply, block_values };

	for (size_t i = 0; i < check->trees; i++)
		check_top(check, &check->tree[i]);
	for (size_t i = 0; !check->error && i < sizeof(steps) / sizeof(*steps); i++)
		steps[i](check);
	if (check->error)
		return check->error;
	if (check->diags->errors)
		return -EINVAL;
	lint_lists(check);
	lint_rules(check);
	return check->error;
}
