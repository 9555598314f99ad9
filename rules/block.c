/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Blocks: a `match` or `unless` as a tree comes in, predicates on fields go out. Their values are
 * read only when the blocks of all rules are known, so that too many of them are refused before
 * any memory is spent on them. Touches nothing.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "rules/check.h"

/* ---- fields ---- */

/* The events that have the field, as "known on a, b and others". */
static const char *hint_events(int field, char *buffer, size_t size)
{
	size_t length = (size_t)snprintf(buffer, size, "it is known on");
	const char *separator = " ";

	for (int event = 0; event < LICTOR_EVENTS && length < size; event++) {
		if (!lictor_event_has_field(event, field))
			continue;
		length += (size_t)snprintf(buffer + length, size - length, "%s%s", separator,
					   lictor_event_words[event].name);
		separator = ", ";
	}
	return buffer;
}

/*
 * An event that is named by itself must have the field, or the rule could never match it. Of the
 * events behind a shorthand such as `modify` one is enough: who writes `on: modify` with a
 * file.target_path means the renames and links among the modifications; for the other events the
 * field has no value, so that it holds for none of them, and with `not` for all.
 */
static bool events_have_field(const struct scope *scope, int field, int *ret_without)
{
	bool some = false;

	for (int event = 0; event < LICTOR_EVENTS; event++) {
		if (!(scope->events >> event & 1))
			continue;
		if (lictor_event_has_field(event, field)) {
			some = true;
			continue;
		}
		*ret_without = event;
		if (scope->named >> event & 1)
			return false;
	}
	return some;
}

static int refuse_unknown(struct check *check, const struct scope *scope, const char *word,
			  struct lictor_place place)
{
	struct nearest nearest = nearest_to(word);
	const char *otherwise = NULL;
	char hint[160];
	int without;

	for (int field = 1; field < LICTOR_FIELDS && diags_show_next(check->diags); field++)
		if (events_have_field(scope, field, &without))
			nearest_try(&nearest, lictor_field_words[field].name);
	for (int key = 0; key < RULE_KEYS; key++)
		if (!strcmp(word, rule_key_names[key]))
			otherwise = "this key belongs to the rule: look at the indentation";
	if (scope->word)
		lictor_diag_error(check->diags, place,
				  nearest_hint(&nearest, hint, sizeof(hint), otherwise),
				  "unknown field \"%.*s\" for event \"%s\"", SHOWN(word),
				  scope->word);
	else
		lictor_diag_error(check->diags, place,
				  nearest_hint(&nearest, hint, sizeof(hint), otherwise),
				  "unknown field \"%.*s\"", SHOWN(word));
	return -1;
}

int field_check(struct check *check, const struct scope *scope, const char *word,
		struct lictor_place place)
{
	int field = lictor_field_find(word), without = 0;
	char hint[400];

	if (field < 0)
		return refuse_unknown(check, scope, word, place);
	if (!scope->events || events_have_field(scope, field, &without))
		return field;
	lictor_diag_error(check->diags, place, hint_events(field, hint, sizeof(hint)),
			  "event \"%s\" has no field \"%s\"", lictor_event_words[without].name,
			  word);
	return -1;
}

/* ---- how many values there will be ---- */

static struct list_values *find_values(const struct list *list, int field)
{
	struct list_values *values = list->values;

	while (values && values->sort != value_sort(field))
		values = values->next;
	return values;
}

/* Values that are read anew: none where a list alone is the value, and was so before. */
static size_t reserve(struct check *check, const struct lictor_predicate *predicate,
		      const struct node *value, size_t count)
{
	int field = predicate->field;
	const struct list *found;
	struct list_values *values;
	struct list *list;

	if (value->kind != NODE_SCALAR || !is_insert(value) || predicate->variable)
		return count;
	found = lists_peek(check, value);
	if (!found || find_values(found, field))
		return 0;
	list = &check->list[found - check->list];
	values = check_scratch(check, sizeof(*values));
	if (!values)
		return 0;
	*values = (struct list_values){ .next = list->values, .sort = value_sort(field) };
	list->values = values;
	return count;
}

static int keep_pending(struct check *check, struct lictor_predicate *predicate,
			const struct node *value, size_t count)
{
	if (check->pendings == check->pending_room) {
		size_t room = check->pending_room ? 2 * check->pending_room : 64;
		struct pending *grown = realloc(check->pending, room * sizeof(*grown));

		if (!grown)
			return check->error = -ENOMEM;
		check->pending = grown;
		check->pending_room = room;
	}
	check->pending[check->pendings++] = (struct pending){ predicate, value, count };
	return 0;
}

static void expect_values(struct check *check, struct lictor_predicate *predicate,
			  const struct node *value)
{
	size_t errors = check->diags->errors, count = lists_count(check, value);

	if (check->too_many || check->lists_broken)
		return;
	check->values += reserve(check, predicate, value, count);
	if (check->values > VALUES_MAX) {
		check->too_many = true;
		lictor_diag_error(check->diags, predicate->place, NULL,
				  "more than %u values in all rules, lists inserted", VALUES_MAX);
	} else if (check->diags->errors == errors || value->kind == NODE_SEQUENCE) {
		keep_pending(check, predicate, value, count);
	}
}

/* ---- blocks ---- */

/* The VALUE of {not: VALUE}, or NULL and a complaint. */
static const struct node *check_not(struct check *check, const struct node *mapping)
{
	const struct node *key = mapping + 1;

	if (mapping->size == 1 || key->kind != NODE_SCALAR || strcmp(key->text, "not")) {
		check_error(check, mapping->size == 1 ? mapping : key,
			    "the only key under a field is \"not\": {not: VALUE}",
			    "a field has a value, a list of values, or {not: VALUE}");
		return NULL;
	}
	if (mapping->size > 1 + key->size + node_next(key)->size) {
		check_error(check, node_next(node_next(key)), NULL,
			    "nothing can stand beside \"not\"");
		return NULL;
	}
	if (node_next(key)->kind != NODE_MAPPING)
		return node_next(key);
	check_error(check, node_next(key) + (node_next(key)->size > 1),
		    "it takes a value or a list of values", "\"not\" cannot hold keys");
	return NULL;
}

/* The name of the variable behind process.env, or NULL and a complaint. */
static const char *check_variable(struct check *check, const struct node *key)
{
	const char *name = lictor_field_variable(key->text);

	if (!name)
		check_error(check, key,
			    "such as process.env.LD_PRELOAD: a name has letters, digits and _",
			    "\"%.*s\" does not name an environment variable", SHOWN(key->text));
	return name;
}

static void check_pair(struct check *check, const struct scope *scope, const struct node *key,
		       struct lictor_block *block, struct lictor_predicate *predicate)
{
	const struct node *value = node_next(key);
	bool negated = value->kind == NODE_MAPPING;
	const char *variable = NULL;
	int field = -1;

	if (key->kind == NODE_SCALAR)
		field = field_check(check, scope, key->text, node_place(key));
	if (field == LICTOR_FIELD_PROCESS_ENV) {
		variable = check_variable(check, key);
		field = variable ? field : -1;
	}
	if (negated)
		value = check_not(check, value);
	if (field < 0 || !value || value->kind == NODE_BAD)
		return;
	*predicate = (struct lictor_predicate){
		.place = node_place(key), .field = field, .variable = variable, .negated = negated
	};
	block->predicates++;
	expect_values(check, predicate, value);
}

void block_check(struct check *check, const struct scope *scope, const struct node *node,
		 struct lictor_block *ret_block)
{
	struct lictor_predicate *predicate;

	if (node->kind == NODE_BAD)
		return;
	if (node->kind != NODE_MAPPING || node->size == 1) {
		check_error(check, node,
			    "write one \"field: value\" a line; without any \"match\", a rule matches every event of its \"on\"",
			    node->kind == NODE_MAPPING ||
			    (node->kind == NODE_SCALAR && !node->text[0]) ?
			    "a block without fields" : "a block holds fields and their values");
		return;
	}
	predicate = check_get(check, node->size / 2 * sizeof(*predicate));
	if (!predicate)
		return;
	*ret_block = (struct lictor_block){ .place = node_place(node + 1), .predicate = predicate };
	for (const struct node *key = node + 1; key < node_next(node);
	     key = node_next(node_next(key)))
		check_pair(check, scope, key, ret_block, &predicate[ret_block->predicates]);
}

void blocks_check(struct check *check, const struct scope *scope, const struct node *node,
		  size_t *blocks, const struct lictor_block **block)
{
	size_t count = node->kind == NODE_SEQUENCE ? 0 : 1;
	struct lictor_block *all;

	if (node->kind == NODE_SEQUENCE) {
		node_each(child, node)
			count++;
		if (!count)
			check_error(check, node, "leave the key out if nothing is meant",
				    "an empty list of exceptions");
	}
	all = check_get(check, (*blocks + count + 1) * sizeof(*all));
	if (!all)
		return;
	if (*blocks)
		memcpy(all, *block, *blocks * sizeof(*all));
	*block = all;
	if (node->kind != NODE_SEQUENCE) {
		block_check(check, scope, node, &all[(*blocks)++]);
		return;
	}
	node_each(item, node)
		block_check(check, scope, item, &all[(*blocks)++]);
}

/* ---- values ---- */

static size_t read_values(struct check *check, int field, const struct node *node,
			  struct lictor_value *to);

static size_t read_list(struct check *check, int field, const struct list *list,
			struct lictor_value *to)
{
	const struct list *outer = check->list_used;
	size_t count;

	check->list_used = list;
	count = read_values(check, field, list->value, to);
	check->list_used = outer;
	return count;
}

static size_t read_insert(struct check *check, int field, const struct node *insert,
			  struct lictor_value *to)
{
	const struct list *list = lists_peek(check, insert);
	const struct list_values *values = list ? find_values(list, field) : NULL;

	if (!values || !values->value)
		return list && list->count ? read_list(check, field, list, to) : 0;
	memcpy(to, values->value, values->count * sizeof(*to));
	return values->count;
}

/* What stands in an environment is NAME=VALUE. */
static int name_variable(struct check *check, struct lictor_value *value)
{
	const char *name = check->used_by->variable;
	size_t room = strlen(name) + strlen(value->text) + 2;
	char *text = check_get(check, room);

	if (!text)
		return -ENOMEM;
	snprintf(text, room, "%s=%s", name, value->text);
	value->text = text;
	return 0;
}

static size_t read_values(struct check *check, int field, const struct node *node,
			  struct lictor_value *to)
{
	size_t count = 0;

	/* Lists of lists of lists can be long ways to few values. */
	if (check->error || node->kind == NODE_BAD || node->kind == NODE_MAPPING ||
	    check->visits++ > VISITS_MAX)
		return 0;
	if (node->kind == NODE_SCALAR && is_insert(node))
		return read_insert(check, field, node, to);
	if (node->kind == NODE_SCALAR) {
		if (!node->text[0] && !node->quoted)
			return 0; /* missing: said when it was counted */
		return value_check(check, field, node, to) ||
		       (check->used_by->variable && name_variable(check, to)) ? 0 : 1;
	}
	node_each(child, node)
		count += read_values(check, field, child, to + count);
	return count;
}

/* The values of a list that stands alone, which all predicates of the same sort share. */
static const struct list_values *share_list(struct check *check, int field,
					    const struct node *insert)
{
	const struct list *list = lists_peek(check, insert);
	struct list_values *values = list ? find_values(list, field) : NULL;
	struct lictor_value *value;

	if (!values || values->value)
		return values;
	value = check_get(check, (list->count + 1) * sizeof(*value));
	if (!value)
		return NULL;
	values->count = read_list(check, field, list, value);
	values->value = value;
	return values;
}

static void read_predicate(struct check *check, const struct pending *pending)
{
	struct lictor_predicate *predicate = pending->predicate;
	const struct node *node = pending->value;
	const struct list_values *shared;
	struct lictor_value *value;

	check->used_by = predicate;
	if (node->kind == NODE_SCALAR && is_insert(node) && !predicate->variable) {
		shared = share_list(check, predicate->field, node);
		if (!shared)
			return;
		predicate->value = shared->value;
		predicate->values = shared->count;
		return;
	}
	value = check_get(check, (pending->count + 1) * sizeof(*value));
	if (!value)
		return;
	predicate->value = value;
	predicate->values = read_values(check, predicate->field, node, value);
}

void block_values(struct check *check)
{
	if (check->too_many || check->lists_broken)
		return;
	for (size_t i = 0; i < check->pendings && !check->error; i++) {
		read_predicate(check, &check->pending[i]);
		if (check->visits <= VISITS_MAX)
			continue;
		lictor_diag_error(check->diags, check->pending[i].predicate->place, NULL,
				  "the lists are inserted into each other too often");
		return;
	}
}
