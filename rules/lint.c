/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lint: rules without errors come in, warnings go out: of what can never match, of rules that
 * repeat another, of exceptions that whoever is to be stopped can claim, of lists that nothing
 * uses. Touches nothing.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "rules/check.h"

#define STEPS_MAX 10000000u /* comparisons of values, in all rules */

/* ---- lists ---- */

static const char *value_text(const void *base, uint32_t id)
{
	return ((const struct node *)base)[id].text;
}

static void lint_repeat(struct check *check, struct index *index, const struct node *sequence,
			const struct node *value)
{
	uint32_t first;
	char hint[64];

	if (value->kind != NODE_SCALAR)
		return;
	first = index_add(index, (uint32_t)(value - sequence));
	if (&sequence[first] == value)
		return;
	snprintf(hint, sizeof(hint), "it is already on line %u", sequence[first].line);
	lictor_diag_warning(check->diags, node_place(value), hint, "duplicate value \"%.*s\"",
			    SHOWN(value->text));
}

static void lint_repeats(struct check *check, const struct node *sequence)
{
	OWNED(index_done) struct index index = { 0 };

	if (sequence->kind != NODE_SEQUENCE || sequence->size == 2)
		return;
	if (index_init(&index, sequence->size, sequence, value_text)) {
		check->error = -ENOMEM;
		return;
	}
	node_each(child, sequence)
		lint_repeat(check, &index, sequence, child);
}

void lint_lists(struct check *check)
{
	for (size_t i = 0; i < check->lists; i++) {
		const struct list *list = &check->list[i];

		lint_repeats(check, list->value);
		if (!list->used)
			lictor_diag_warning(check->diags, node_place(list->key), NULL,
					    "nothing uses the list \"%s\"", list->key->text);
	}
	for (size_t i = 0; i < check->pendings; i++)
		lint_repeats(check, check->pending[i].value);
}

/* ---- exceptions that can be forged ---- */

static void warn_forgeable(struct check *check, const struct lictor_predicate *predicate)
{
	const char *name = lictor_field_words[predicate->field].name, *dot = strrchr(name, '.');
	const char *variable = predicate->variable ? predicate->variable : "";
	char other[80], hint[160];

	snprintf(other, sizeof(other), "%.*s.executable", dot ? (int)(dot - name) : 0, name);
	snprintf(hint, sizeof(hint), "\"%s\" is decided by the kernel", other);
	lictor_diag_warning(check->diags, predicate->place,
			    lictor_field_find(other) >= 0 ? hint : NULL,
			    "this exception rests only on \"%s%s%.*s\", which a process can choose "
			    "for itself", name, *variable ? "." : "", SHOWN(variable));
}

/* Of an exception with several fields the others still hold what a forged name does not. */
static void lint_forgeable(struct check *check, const struct lictor_rule *rule)
{
	for (size_t i = 0; i < rule->match.predicates; i++) {
		const struct lictor_predicate *predicate = &rule->match.predicate[i];

		if (predicate->negated && lictor_field_words[predicate->field].forgeable)
			warn_forgeable(check, predicate);
	}
	for (size_t i = 0; i < rule->unlesses; i++) {
		const struct lictor_block *block = &rule->unless[i];
		size_t forged = 0;

		while (forged < block->predicates &&
		       lictor_field_words[block->predicate[forged].field].forgeable)
			forged++;
		if (forged && forged == block->predicates)
			warn_forgeable(check, &block->predicate[0]);
	}
}

/* ---- fields that only some events have a value of ---- */

static void lint_events(struct check *check, const struct lictor_rule *rule,
			const struct lictor_block *block)
{
	static const struct { int field; uint64_t events; const char *text; } only[] = {
		{ LICTOR_FIELD_FILE_MAPPED, E(EXEC), "exec" },
		{ LICTOR_FIELD_FILE_FLAGS, E(READ) | E(WRITE), "read and write" },
		{ LICTOR_FIELD_DESTINATION_IP, E(CONNECT) | E(ACCEPT) | E(DUP),
		  "connect, accept and dup" },
		{ LICTOR_FIELD_DESTINATION_PORT, E(CONNECT) | E(ACCEPT) | E(DUP),
		  "connect, accept and dup" },
		{ LICTOR_FIELD_DESTINATION_PATH, E(CONNECT), "connect" },
	};

	for (size_t i = 0; i < block->predicates; i++)
		for (size_t j = 0; j < sizeof(only) / sizeof(*only); j++)
			if (block->predicate[i].field == only[j].field &&
			    !(rule->events & only[j].events))
				lictor_diag_warning(check->diags, block->predicate[i].place, NULL,
						    "\"%s\" has a value only on %s: on "
						    "these events %s",
						    lictor_field_words[only[j].field].name,
						    only[j].text,
						    block->predicate[i].negated ?
						    "\"not\" says nothing" : "it never matches");
}

/* ---- texts that the kernel writes in another way ---- */

static bool is_plain(const char *text)
{
	return !strpbrk(text, "*?[{\\");
}

/* nf-tables.ko is the module nf_tables. */
static bool wrong_module(const char *text, char *hint, size_t size)
{
	if (!is_plain(text) || !strchr(text, '-'))
		return false;
	snprintf(hint, size, "write \"%.60s\"", text);
	for (char *at = strchr(hint, '"'); at && *at; at++)
		if (*at == '-')
			*at = '_';
	return true;
}

/* kernel/hostname, /proc/sys/kernel/hostname: as in sysctl(8), the first of both signs says which
   one separates. */
static bool wrong_sysctl(const char *text, char *hint, size_t size)
{
	static const char proc[] = "/proc/sys/";
	size_t first = strcspn(text, "./*?[{\\");

	if (text[first] != '/')
		return false;
	if (!strncmp(text, proc, strlen(proc)))
		text += strlen(proc);
	snprintf(hint, size, "write \"%.80s\"", text);
	for (char *at = strchr(hint, '"'); at && *at; at++)
		*at = *at == '/' ? '.' : *at == '.' ? '/' : *at;
	return true;
}

/* nginx is the unit nginx.service. */
static bool wrong_unit(const char *text, char *hint, size_t size)
{
	static const char *const kinds[] = { ".service", ".scope", ".socket", ".mount", ".swap" };
	size_t length = strlen(text);

	if (!is_plain(text) || !*text)
		return false;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		size_t end = strlen(kinds[i]);

		if (length > end && !strcmp(text + length - end, kinds[i]))
			return false;
	}
	snprintf(hint, size, "write \"%.80s.service\"", text);
	return true;
}

static bool wrong_group(const char *text, char *hint, size_t size)
{
	static const char place[] = "/sys/fs/cgroup";

	if (!strncmp(text, place, strlen(place))) {
		snprintf(hint, size, "leave \"%s\" out", place);
		return true;
	}
	snprintf(hint, size, "write \"/%.80s\"", text);
	return is_plain(text) && *text != '/';
}

/* Managers show the first 12 digits. */
static bool wrong_container(const char *text, char *hint, size_t size)
{
	size_t length = strlen(text);

	if (length < 12 || length >= 64 || strspn(text, "0123456789abcdef") != length)
		return false;
	snprintf(hint, size, "write \"%s*\"", text);
	return true;
}

static void lint_texts(struct check *check, const struct lictor_block *block)
{
	static const struct {
		int field;
		bool (*wrong)(const char *text, char *hint, size_t size);
		const char *text;
	} forms[] = {
		{ LICTOR_FIELD_MODULE_NAME, wrong_module,
		  "a module has \"_\" in its name where its file may have \"-\"" },
		{ LICTOR_FIELD_SYSCTL_NAME, wrong_sysctl,
		  "a parameter is named as by sysctl(8), with dots" },
		{ LICTOR_FIELD_SERVICE_NAME, wrong_unit,
		  "a unit has its kind in its name: no process is in this one" },
		{ LICTOR_FIELD_CGROUP_PATH, wrong_group,
		  "a control group's path begins at the root of the hierarchy" },
		{ LICTOR_FIELD_CONTAINER_ID, wrong_container,
		  "this is the beginning of a container's id, which has 64 digits" },
	};
	char hint[120];

	for (size_t i = 0; i < block->predicates; i++)
		for (size_t j = 0; j < sizeof(forms) / sizeof(*forms); j++) {
			const struct lictor_predicate *predicate = &block->predicate[i];

			if (predicate->field != forms[j].field)
				continue;
			for (size_t v = 0; v < predicate->values && check->lint_steps; v++) {
				check->lint_steps--;
				if (forms[j].wrong(predicate->value[v].text, hint, sizeof(hint)))
					lictor_diag_warning(check->diags,
							    predicate->value[v].place, hint, "%s",
							    forms[j].text);
			}
		}
}

/* ---- what an action cannot do in some cases ---- */

/* Who names the event himself may expect more than the kernel can do; behind a shorthand it stands
   among others. */
static void lint_denial(struct check *check, const struct lictor_rule *rule)
{
	const struct scope *scope = &check->scope[rule - check->rules->rule];
	const struct undeniable *found;
	char hint[160];

	if (rule->action != LICTOR_ACTION_BLOCK)
		return;
	if (scope->named >> LICTOR_EVENT_EXEC & 1 && lictor_rule_asks_for_start(rule))
		lictor_diag_warning(check->diags, rule->events_place,
				    "\"kill\" says so; or leave process.args and process.env out",
				    "a program's arguments and environment are known when it has "
				    "been loaded: it is killed before its first instruction, not "
				    "blocked");
	for (int event = 0; event < LICTOR_EVENTS; event++) {
		found = scope->named >> event & 1 ? undeniable_by(rule, event) : NULL;
		if (!found)
			continue;
		snprintf(hint, sizeof(hint), "\"kill\" would end the process that does it%s%s",
			 found->field ? "; or leave this case out, by " : "",
			 found->field ? lictor_field_words[found->field].name : "");
		lictor_diag_warning(check->diags, rule->events_place, hint,
				    "event \"%s\" cannot be blocked in every case: %s can only be "
				    "reported", lictor_event_words[event].name, found->text);
	}
}

/* ---- predicates that contradict each other ---- */

/* The predicate of b that no event fulfils together with one of a. */
static const struct lictor_predicate *find_conflict(struct check *check,
						    const struct lictor_block *a,
						    const struct lictor_block *b)
{
	for (size_t i = 0; i < b->predicates; i++)
		for (size_t j = 0; j < (a == b ? i : a->predicates); j++)
			if (relate_same_field(&a->predicate[j], &b->predicate[i]) &&
			    relate_conflict(&a->predicate[j], &b->predicate[i],
					    &check->lint_steps))
				return &b->predicate[i];
	return NULL;
}

static bool covers(struct check *check, const struct lictor_rule *rule,
		   const struct lictor_block *block)
{
	for (size_t i = 0; i < block->predicates; i++) {
		const struct lictor_predicate *wide = &block->predicate[i];
		size_t j = 0;

		while (j < rule->match.predicates &&
		       !(relate_same_field(&rule->match.predicate[j], wide) &&
			 relate_implies(&rule->match.predicate[j], wide,
					&check->lint_steps)))
			j++;
		if (j == rule->match.predicates)
			return false;
	}
	return block->predicates;
}

/* What is wrong with the predicate: another one, or that no event of the rule can be so. */
static const char *contradicted(const struct lictor_rule *rule,
				const struct lictor_predicate *predicate)
{
	struct lictor_block alone = { .predicates = 1, .predicate = predicate };
	struct possible possible;

	possible_begin(rule->events, &possible);
	return possible_narrow(&alone, &possible) ? "never is so on its events" :
						    "contradicts another field";
}

static void lint_unless(struct check *check, const struct lictor_rule *rule,
			const struct lictor_block *block, struct possible possible)
{
	const struct lictor_predicate *never = find_conflict(check, &rule->match, block);

	if (!never)
		never = find_conflict(check, block, block);
	if (!never)
		never = possible_narrow(block, &possible);
	if (never)
		lictor_diag_warning(check->diags, never->place, NULL,
				    "this exception never applies: \"%s\" %s",
				    lictor_field_words[never->field].name,
				    contradicted(rule, never));
	else if (covers(check, rule, block))
		lictor_diag_warning(check->diags, block->place, NULL,
				    "this exception covers all that the rule matches");
}

static void lint_rule(struct check *check, const struct lictor_rule *rule)
{
	const struct lictor_predicate *never;
	struct possible possible;

	lint_forgeable(check, rule);
	lint_denial(check, rule);
	lint_events(check, rule, &rule->match);
	lint_texts(check, &rule->match);
	possible_begin(rule->events, &possible);
	never = find_conflict(check, &rule->match, &rule->match);
	if (!never)
		never = possible_narrow(&rule->match, &possible);
	if (never)
		lictor_diag_warning(check->diags, never->place, NULL,
				    "this rule never matches: \"%s\" %s",
				    lictor_field_words[never->field].name,
				    contradicted(rule, never));
	for (size_t i = 0; i < rule->unlesses; i++) {
		lint_events(check, rule, &rule->unless[i]);
		lint_texts(check, &rule->unless[i]);
		if (!never)
			lint_unless(check, rule, &rule->unless[i], possible);
	}
}

/* ---- rules that repeat another ---- */

struct signature {
	uint64_t hash;
	const struct lictor_rule *rule;
};

static int by_hash(const void *a, const void *b)
{
	const struct signature *one = a, *two = b;

	if (one->hash != two->hash)
		return one->hash < two->hash ? -1 : 1;
	return one->rule < two->rule ? -1 : one->rule > two->rule;
}

static void lint_same(struct check *check)
{
	size_t rules = check->rules->rules, count = 0, first = 0;
	struct signature *all = check_scratch(check, (rules + 1) * sizeof(*all));
	char hint[256];

	for (size_t i = 0; all && i < rules; i++)
		if (check->rules->rule[i].enabled)
			all[count++] = (struct signature){ relate_hash(&check->rules->rule[i]),
							   &check->rules->rule[i] };
	if (count)
		qsort(all, count, sizeof(*all), by_hash);
	for (size_t i = 1; i < count; i++) {
		const struct lictor_rule *one = all[first].rule, *two = all[i].rule;

		if (all[first].hash != all[i].hash ||
		    !relate_same_rule(one, two, &check->lint_steps)) {
			first = i;
			continue;
		}
		snprintf(hint, sizeof(hint), "it is in %.200s, line %u",
			 check->diags->source[one->place.file].name, one->place.line);
		lictor_diag_warning(check->diags, two->place, hint,
				    "rule \"%s\" has the same events, match and exceptions as "
				    "\"%s\"", two->name, one->name);
	}
}

void lint_rules(struct check *check)
{
	check->lint_steps = STEPS_MAX;
	for (size_t i = 0; i < check->rules->rules; i++)
		if (check->rules->rule[i].enabled)
			lint_rule(check, &check->rules->rule[i]);
	lint_same(check);
}
