/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stage: beside install. In: rules, what the kernel lost of them, the image's order. Out: the names
 * by which records, status and totals are told, for as long as a generation's records may come. May
 * touch: memory, and the engine's counters, reading.
 */
#include "daemon/ruleset.h"

#include <errno.h>
#include <string.h>

#include "daemon/own.h"

OWNABLE(struct lictor_ruleset, lictor_ruleset_free)

static const char *keep(struct lictor_ruleset *set, const char *text)
{
	return text ? lictor_arena_text(set->arena, text, strlen(text)) : NULL;
}

static const char *keep_place(struct lictor_ruleset *set, const struct lictor_diags *diags,
			      struct lictor_place place)
{
	char *text OWN(own_free) = NULL;
	const char *name = place.file < diags->sources ? diags->source[place.file].name : "?";

	if (asprintf(&text, "%s:%u", name, place.line) < 0)
		text = NULL;
	return keep(set, text);
}

static int fill(struct lictor_ruleset *set, const struct lictor_rule *rule,
		const struct lictor_diags *diags, struct lictor_entry *entry)
{
	size_t i;

	entry->name = keep(set, rule->name);
	entry->ruleset = keep(set, rule->ruleset);
	entry->where = keep_place(set, diags, rule->place);
	entry->events = rule->events;
	entry->action = rule->action;
	entry->signal = rule->signal;
	entry->mode = rule->mode;
	if (entry->mode == LICTOR_MODE_DEFAULT)
		entry->mode = set->monitor ? LICTOR_MODE_MONITOR : LICTOR_MODE_ENFORCE;
	entry->severity = rule->severity;
	entry->enabled = rule->enabled;
	entry->override = lictor_arena_get(set->arena, (rule->overrides + 1) * sizeof(char *));
	if (!entry->name || !entry->ruleset || !entry->where || !entry->override)
		return -ENOMEM;
	for (i = 0; i < rule->overrides; i++) {
		entry->override[i] = keep_place(set, diags, rule->override[i]);
		if (!entry->override[i])
			return -ENOMEM;
	}
	entry->overrides = rule->overrides;
	return 0;
}

static int compare(const void *a, const void *b, void *context)
{
	const struct lictor_entry *entry = context;

	return strcmp(entry[*(const uint32_t *)a].name, entry[*(const uint32_t *)b].name);
}

int lictor_ruleset_new(const struct lictor_rules *rules, const struct lictor_diags *diags,
		       bool monitor, struct lictor_ruleset **ret_set)
{
	struct lictor_ruleset *set OWN(own_lictor_ruleset_free) = calloc(1, sizeof(*set));
	int error = 0;
	size_t i;

	if (!set)
		return -ENOMEM;
	set->arena = lictor_arena_new();
	set->monitor = monitor;
	lictor_sha256_text(rules->digest, set->digest);
	if (!set->arena)
		return -ENOMEM;
	set->entry = lictor_arena_get(set->arena, (rules->rules + 1) * sizeof(*set->entry));
	set->by_name = lictor_arena_get(set->arena, (rules->rules + 1) * sizeof(*set->by_name));
	if (!set->entry || !set->by_name)
		return -ENOMEM;
	for (i = 0; !error && i < rules->rules; i++) {
		set->by_name[i] = (uint32_t)i;
		error = fill(set, &rules->rule[i], diags, &set->entry[i]);
	}
	if (error)
		return error;
	set->entries = rules->rules;
	qsort_r(set->by_name, set->entries, sizeof(*set->by_name), compare, set->entry);
	*ret_set = TAKE(set);
	return 0;
}

void lictor_ruleset_free(struct lictor_ruleset *set)
{
	if (set->compiled)
		lictor_compiled_free(set->compiled);
	if (set->arena)
		lictor_arena_free(set->arena);
	free(set);
}

static int label(struct lictor_ruleset *set, const struct lictor_rule *rule,
		 const struct lictor_entry *entry, struct lictor_rule_label *ret_label)
{
	const char **tag = lictor_arena_get(set->arena, (rule->tags + 1) * sizeof(*tag));
	size_t i;

	if (!tag)
		return -ENOMEM;
	for (i = 0; i < rule->tags; i++) {
		tag[i] = keep(set, rule->tag[i]);
		if (!tag[i])
			return -ENOMEM;
	}
	*ret_label = (struct lictor_rule_label){
		.name = entry->name,
		.ruleset = entry->ruleset,
		.description = keep(set, rule->description),
		.message = keep(set, rule->message),
		.severity = rule->severity,
		.action = (int)rule->action,
		.tags = rule->tags,
		.tag = tag,
	};
	if (rule->description && !ret_label->description)
		return -ENOMEM;
	if (rule->message && !ret_label->message)
		return -ENOMEM;
	return 0;
}

static int name_shortfalls(struct lictor_ruleset *set, const struct lictor_support *support)
{
	size_t i, rule;

	for (i = 0; i < support->shortfalls; i++) {
		rule = support->shortfall[i].rule;
		if (set->entry[rule].shortfall)
			continue;
		set->entry[rule].shortfall = lictor_support_text(support, rule, set->arena);
		if (!set->entry[rule].shortfall)
			return -ENOMEM;
		set->degraded++;
	}
	return 0;
}

int lictor_ruleset_seal(struct lictor_ruleset *set, const struct lictor_rules *rules,
			const struct lictor_support *support, struct lictor_compiled *compiled,
			uint64_t generation)
{
	struct lictor_rule_label *labels;
	struct lictor_entry *entry;
	size_t i, count = compiled->rules;
	int error;

	set->compiled = compiled;
	labels = lictor_arena_get(set->arena, (count + 1) * sizeof(*labels));
	set->image_entry = lictor_arena_get(set->arena, (count + 1) * sizeof(*set->image_entry));
	if (!labels || !set->image_entry)
		return -ENOMEM;
	for (i = 0; i < count; i++) {
		set->image_entry[i] = (uint32_t)support->origin[compiled->rule[i]];
		entry = &set->entry[set->image_entry[i]];
		set->in_force += !entry->in_force;
		entry->in_force = true;
		error = label(set, &rules->rule[compiled->rule[i]], entry, &labels[i]);
		if (error)
			return error;
	}
	set->generation = generation;
	set->labels = (struct lictor_labels){ generation, count, labels };
	return name_shortfalls(set, support);
}

const struct lictor_entry *lictor_ruleset_find(const struct lictor_ruleset *set, const char *name)
{
	size_t low = 0, high = set->entries, middle;
	int order;

	while (low < high) {
		middle = low + (high - low) / 2;
		order = strcmp(name, set->entry[set->by_name[middle]].name);
		if (!order)
			return &set->entry[set->by_name[middle]];
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

void lictor_count_add(struct lictor_rule_count *sum, const struct lictor_rule_count *more)
{
	sum->matched += more->matched;
	sum->reported += more->reported;
	sum->limited += more->limited;
	sum->lost += more->lost;
}

int lictor_ruleset_count(struct lictor_ruleset *set, const struct lictor_engine *engine)
{
	struct lictor_rule_count *count OWN(own_free) = NULL;
	size_t rules = set->labels.labels, i;
	int error;

	count = calloc(rules + 1, sizeof(*count));
	if (!count)
		return -ENOMEM;
	error = lictor_engine_rule_counts(engine, set->generation, rules, count);
	if (error)
		return error;
	for (i = 0; i < set->entries; i++)
		set->entry[i].now = (struct lictor_rule_count){ 0 };
	for (i = 0; i < rules; i++)
		lictor_count_add(&set->entry[set->image_entry[i]].now, &count[i]);
	return 0;
}

/* Both lists of names are sorted: one walk over both. */
void lictor_ruleset_inherit(struct lictor_ruleset *set, const struct lictor_ruleset *older,
			    bool now)
{
	struct lictor_entry *to;
	const struct lictor_entry *from;
	size_t i = 0, j = 0;
	int order;

	while (i < set->entries && j < older->entries) {
		to = &set->entry[set->by_name[i]];
		from = &older->entry[older->by_name[j]];
		order = strcmp(to->name, from->name);
		if (!order)
			lictor_count_add(&to->before, now ? &from->now : &from->before);
		i += order <= 0;
		j += order >= 0;
	}
}
