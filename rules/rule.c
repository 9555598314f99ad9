/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rules: the `rules:` of all files come in, the array of rules goes out, each checked key by key,
 * its name unique over all files. Values of fields are read later (block.c). Touches nothing.
 */
#include <errno.h>
#include <string.h>

#include "rules/check.h"

#define LIMIT_COUNT	20u
#define LIMIT_PERIOD	60u	/* seconds */
#define SEVERITY	4	/* warning */

/* ---- on ---- */

static void refuse_event(struct check *check, const struct node *node)
{
	struct nearest nearest = nearest_to(node->text);
	const char *name;
	char hint[160];

	for (int event = 0; event < LICTOR_EVENTS; event++)
		nearest_try(&nearest, lictor_event_words[event].name);
	for (size_t i = 0; (name = lictor_shorthand_name(i)); i++)
		nearest_try(&nearest, name);
	check_error(check, node, nearest_hint(&nearest, hint, sizeof(hint), NULL),
		    "unknown event \"%.*s\"", SHOWN(node->text));
}

static void add_event(struct check *check, const struct node *node, struct scope *scope)
{
	const char *word = check_scalar(check, "on", node);
	int event = word ? lictor_event_find(word) : -1;
	uint64_t events = word ? lictor_event_set(word) : 0;

	if (!word)
		return;
	if (!events) {
		refuse_event(check, node);
		return;
	}
	if (event >= 0 && scope->named & events)
		lictor_diag_warning(check->diags, node_place(node), NULL,
				    "event \"%s\" is named twice", word);
	scope->events |= events;
	if (event >= 0)
		scope->named |= events;
}

static void check_on(struct check *check, const struct node *value, struct scope *scope)
{
	if (value->kind != NODE_SEQUENCE) {
		add_event(check, value, scope);
		scope->word = scope->events ? value->text : NULL;
		return;
	}
	if (value->size == 1)
		check_error(check, value, NULL, "\"on\" names no event");
	node_each(child, value)
		add_event(check, child, scope);
	if (value->size == 2 && scope->events)
		scope->word = value[1].text;
}

/* ---- action ---- */

/* Of an end of a process nothing is left to deny or to signal. */
static bool can(int event, enum lictor_action action)
{
	if (action == LICTOR_ACTION_BLOCK)
		return lictor_event_words[event].deny;
	if (action == LICTOR_ACTION_KILL || action == LICTOR_ACTION_SIGNAL)
		return event != LICTOR_EVENT_EXIT;
	return true;
}

void action_check_events(struct check *check, const struct lictor_rule *rule,
			 struct lictor_place place)
{
	const char *verb = rule->action == LICTOR_ACTION_BLOCK ? "blocked" :
			   rule->action == LICTOR_ACTION_KILL ? "killed" : "signaled";
	bool some = false;
	int cannot = -1;

	for (int event = 0; event < LICTOR_EVENTS; event++) {
		if (!(rule->events >> event & 1))
			continue;
		if (can(event, rule->action))
			some = true;
		else
			cannot = event;
	}
	if (cannot < 0)
		return;
	if (some)
		lictor_diag_warning(check->diags, place, NULL,
				    "event \"%s\" is only reported: it cannot be %s",
				    lictor_event_words[cannot].name, verb);
	else
		lictor_diag_error(check->diags, place,
				  cannot == LICTOR_EVENT_EXIT ?
				  "the process is already ending: use \"alert\"" :
				  cannot == LICTOR_EVENT_OPEN_FAILED ?
				  "it has been refused: use \"alert\" or \"kill\"" :
				  "the kernel tells of it when it is done: use \"alert\" or \"kill\"",
				  "event \"%s\" cannot be %s", lictor_event_words[cannot].name,
				  verb);
}

/* ---- name ---- */

static const char *rule_name(const void *base, uint32_t id)
{
	return ((const struct lictor_rule *)base)[id].name;
}

static bool is_name(const char *text)
{
	size_t length = strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-");

	return length && length <= 63 && !text[length] && text[0] != '-';
}

static void check_name(struct check *check, const struct node *value, struct lictor_rule *rule)
{
	const char *name = check_scalar(check, "name", value);
	const struct lictor_rule *other;
	char hint[256];

	if (!name)
		return;
	if (!is_name(name)) {
		check_error(check, value,
			    "a-z, 0-9 and \"-\", 63 at most, a letter or digit first",
			    "\"%.*s\" cannot be the name of a rule", SHOWN(name));
		return;
	}
	rule->name = name;
	rule->place = node_place(value);
	other = &check->rules->rule[index_add(&check->rule_index,
					      (uint32_t)(rule - check->rules->rule))];
	if (other == rule)
		return;
	snprintf(hint, sizeof(hint), "it is already in %.200s, line %u",
		 check->diags->source[other->place.file].name, other->place.line);
	check_error(check, value, hint, "duplicate rule \"%s\"", name);
}

/* ---- one rule ---- */

static const char *ruleset_name(struct check *check, uint32_t file)
{
	const char *path = check->diags->source[file].name, *slash = strrchr(path, '/');
	const char *base = slash ? slash + 1 : path;
	size_t length = strlen(base);
	char *name;

	if (length > 5 && !strcmp(base + length - 5, ".yaml"))
		length -= 5;
	name = lictor_arena_text(check->arena, base, length);
	if (!name)
		check->error = -ENOMEM;
	return name;
}

static void check_required(struct check *check, const struct node *mapping,
			   const struct node *const value[static RULE_KEYS])
{
	static const enum rule_key required[] = { KEY_NAME, KEY_ON, KEY_ACTION };

	for (size_t i = 0; i < sizeof(required) / sizeof(*required); i++)
		if (!value[required[i]])
			check_error(check, mapping + (mapping->size > 1), NULL,
				    "a rule without \"%s\"", rule_key_names[required[i]]);
}

static void check_rule(struct check *check, const struct node *mapping, struct lictor_rule *rule,
		       struct scope *scope)
{
	static void (*const setters[RULE_KEYS])(struct check *, const struct node *,
						struct lictor_rule *) = {
		[KEY_ACTION] = key_action,	   [KEY_MODE] = key_mode,
		[KEY_SEVERITY] = key_severity,	   [KEY_LIMIT] = key_limit,
		[KEY_TAGS] = key_tags,		   [KEY_ENABLED] = key_enabled,
		[KEY_ON_FAILURE] = key_on_failure, [KEY_ON_UNSUPPORTED] = key_on_unsupported,
	};
	const struct node *value[RULE_KEYS] = { NULL };

	keys_sort(check, mapping, (1u << RULE_KEYS) - 1 - (1u << KEY_RULE), "a rule", value);
	check_required(check, mapping, value);
	if (value[KEY_NAME])
		check_name(check, value[KEY_NAME], rule);
	if (value[KEY_DESCRIPTION])
		rule->description = check_scalar(check, "description", value[KEY_DESCRIPTION]);
	if (value[KEY_ON]) {
		check_on(check, value[KEY_ON], scope);
		rule->events = scope->events;
		rule->events_place = node_place(value[KEY_ON]);
	}
	if (value[KEY_MATCH])
		block_check(check, scope, value[KEY_MATCH], &rule->match);
	if (value[KEY_UNLESS])
		blocks_check(check, scope, value[KEY_UNLESS], &rule->unlesses, &rule->unless);
	if (value[KEY_MESSAGE])
		key_message(check, scope, value[KEY_MESSAGE], rule);
	for (int key = 0; key < RULE_KEYS; key++)
		if (setters[key] && value[key])
			setters[key](check, value[key], rule);
	if (value[KEY_ACTION])
		action_check_events(check, rule, node_place(value[KEY_ACTION]));
}

static void collect_file(struct check *check, const struct node *section)
{
	const char *ruleset = ruleset_name(check, section->file);

	node_each(item, section) {
		struct lictor_rule *rule = &check->rules->rule[check->rules->rules];

		if (item->kind == NODE_BAD)
			continue;
		if (item->kind != NODE_MAPPING) {
			check_error(check, item, "begin it with \"- name: ...\"",
				    "a rule has keys and values");
			continue;
		}
		*rule = (struct lictor_rule){ .place = node_place(item + (item->size > 1)),
					      .ruleset = ruleset,
					      .severity = SEVERITY,
					      .limit_count = LIMIT_COUNT,
					      .limit_period = LIMIT_PERIOD,
					      .enabled = true };
		check_rule(check, item, rule, &check->scope[check->rules->rules++]);
	}
}

static size_t count_rules(struct check *check)
{
	size_t count = 0;

	for (size_t i = 0; i < check->trees; i++) {
		const struct node *section = check_section(&check->tree[i], "rules", NODE_SEQUENCE);

		if (!section)
			continue;
		node_each(item, section) {
			if (++count <= LICTOR_RULES_MAX)
				continue;
			check_error(check, item + (item->size > 1), NULL,
				    "more than %u rules", LICTOR_RULES_MAX);
			check->whole = false;
			return 0;
		}
	}
	return count;
}

void rules_collect(struct check *check)
{
	size_t count = count_rules(check);

	check->rules->rule = check_get(check, (count + 1) * sizeof(*check->rules->rule));
	check->scope = check_scratch(check, (count + 1) * sizeof(*check->scope));
	if (!check->error)
		check->error = index_init(&check->rule_index, count, check->rules->rule, rule_name);
	for (size_t i = 0; count && !check->error && i < check->trees; i++) {
		const struct node *section = check_section(&check->tree[i], "rules", NODE_SEQUENCE);

		if (section)
			collect_file(check, section);
	}
}
