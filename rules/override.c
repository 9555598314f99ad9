/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Overrides: the `overrides:` of all files come in, the rules that they name are changed. The
 * order of files must not matter, so no two overrides may set the same key of one rule; their
 * exceptions add up. Touches nothing.
 */
#include <string.h>

#include "rules/check.h"

#define OVERRIDES_MAX 64u /* of one rule */

/* What the overrides of one rule have set so far. */
struct changed {
	const struct node *value[RULE_KEYS];
	struct lictor_place place[OVERRIDES_MAX];
};

static const unsigned allowed = 1u << KEY_RULE | 1u << KEY_MODE | 1u << KEY_ENABLED |
				1u << KEY_ACTION | 1u << KEY_SEVERITY | 1u << KEY_LIMIT |
				1u << KEY_TAGS | 1u << KEY_UNLESS;

static struct lictor_rule *find_rule(struct check *check, const struct node *value)
{
	const char *name = check_scalar(check, "rule", value);
	struct nearest nearest = nearest_to(name ? name : "");
	uint32_t id = name ? index_find(&check->rule_index, name) : INDEX_NONE;
	char hint[160];

	if (!name || id != INDEX_NONE)
		return name ? &check->rules->rule[id] : NULL;
	if (!check->whole)
		return NULL; /* it may be in the file that could not be parsed */
	for (size_t i = 0; diags_show_next(check->diags) && i < check->rules->rules; i++)
		if (check->rules->rule[i].name)
			nearest_try(&nearest, check->rules->rule[i].name);
	check_error(check, value, nearest_hint(&nearest, hint, sizeof(hint), NULL),
		    "unknown rule \"%.*s\"", SHOWN(name));
	return NULL;
}

/* Whether an override may set the key; only `unless` may come from several. */
static bool claim(struct check *check, struct changed *changed, int key, const struct node *value)
{
	const struct node *other = changed->value[key];
	char hint[256];

	changed->value[key] = other ? other : value;
	if (!other || key == KEY_UNLESS)
		return true;
	snprintf(hint, sizeof(hint), "the other is in %.200s, line %u",
		 check->diags->source[other->file].name, other->line);
	check_error(check, value, hint, "two overrides set the \"%s\" of one rule",
		    rule_key_names[key]);
	return false;
}

static void set_key(struct check *check, int key, const struct node *value,
		    struct lictor_rule *rule)
{
	static void (*const setters[RULE_KEYS])(struct check *, const struct node *,
						struct lictor_rule *) = {
		[KEY_ACTION] = key_action,     [KEY_MODE] = key_mode,
		[KEY_SEVERITY] = key_severity, [KEY_LIMIT] = key_limit,
		[KEY_TAGS] = key_tags,	       [KEY_ENABLED] = key_enabled,
	};

	if (key == KEY_UNLESS)
		blocks_check(check, &check->scope[rule - check->rules->rule], value,
			     &rule->unlesses, &rule->unless);
	else if (setters[key])
		setters[key](check, value, rule);
	if (key == KEY_ACTION)
		action_check_events(check, rule, node_place(value));
}

static void apply(struct check *check, const struct node *mapping,
		  const struct node *const value[static RULE_KEYS], struct lictor_rule *rule,
		  struct changed *changed)
{
	if (rule->overrides == OVERRIDES_MAX) {
		check_error(check, mapping + 1, NULL, "more than %u overrides of one rule",
			    OVERRIDES_MAX);
		return;
	}
	changed->place[rule->overrides++] = node_place(value[KEY_RULE]);
	rule->override = changed->place;
	for (int key = 0; key < RULE_KEYS; key++)
		if (value[key] && key != KEY_RULE && claim(check, changed, key, value[key]))
			set_key(check, key, value[key], rule);
}

static void check_override(struct check *check, const struct node *mapping,
			   struct changed **changed)
{
	const struct node *value[RULE_KEYS] = { NULL };
	struct changed **at;
	struct lictor_rule *rule;
	size_t errors = check->diags->errors;
	bool some = false;

	keys_sort(check, mapping, allowed, "an override", value);
	for (int key = 0; key < RULE_KEYS; key++)
		some |= value[key] && key != KEY_RULE;
	if (!value[KEY_RULE])
		check_error(check, mapping + (mapping->size > 1), NULL,
			    "an override without \"rule\"");
	else if (!some && check->diags->errors == errors)
		check_error(check, mapping + 1, NULL, "an override that changes nothing");
	rule = value[KEY_RULE] ? find_rule(check, value[KEY_RULE]) : NULL;
	if (!rule)
		return;
	at = &changed[rule - check->rules->rule];
	if (!*at)
		*at = check_get(check, sizeof(**at)); /* its places live as long as the rule */
	if (*at)
		apply(check, mapping, value, rule, *at);
}

void overrides_apply(struct check *check)
{
	struct changed **changed =
		check_scratch(check, (check->rules->rules + 1) * sizeof(struct changed *));

	for (size_t i = 0; changed && i < check->trees; i++) {
		const struct node *section =
			check_section(&check->tree[i], "overrides", NODE_SEQUENCE);

		if (!section)
			continue;
		node_each(item, section) {
			if (item->kind == NODE_MAPPING)
				check_override(check, item, changed);
			else if (item->kind != NODE_BAD)
				check_error(check, item, "begin it with \"- rule: ...\"",
					    "an override has keys and values");
		}
	}
}
