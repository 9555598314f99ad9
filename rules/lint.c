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
	char hint[160];

	snprintf(hint, sizeof(hint), "\"%.*s.executable\" is decided by the kernel",
		 dot ? (int)(dot - name) : 0, name);
	lictor_diag_warning(check->diags, predicate->place, hint,
			    "this exception rests only on \"%s\", which a process can choose for "
			    "itself", name);
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
	};

	for (size_t i = 0; i < block->predicates; i++)
		for (size_t j = 0; j < sizeof(only) / sizeof(*only); j++)
			if (block->predicate[i].field == only[j].field &&
			    !(rule->events & only[j].events))
				lictor_diag_warning(check->diags, block->predicate[i].place, NULL,
						    "\"%s\" has a value only on %s: on "
						    "these events it never matches",
						    lictor_field_words[only[j].field].name,
						    only[j].text);
}

/* ---- network fields that exclude each other ---- */

#define TCP	(1u << 0)
#define UDP	(1u << 1)
#define SCTP	(1u << 2)
#define ICMP	(1u << 3)
#define RAW	(1u << 4)
#define UNIX	(1u << 5)
#define VSOCK	(1u << 6)
#define PACKET	(1u << 7)
#define OTHER	(1u << 8)
#define V4	(1u << 9)
#define V6	(1u << 10)
#define PORTS	(TCP | UDP | SCTP | VSOCK | OTHER)
#define NETWORK	(TCP | UDP | SCTP | ICMP | RAW | OTHER)
#define TRANSPORTS (NETWORK | UNIX | VSOCK | PACKET)

static unsigned named_bits(const struct lictor_predicate *predicate)
{
	bool type = predicate->field == LICTOR_FIELD_NETWORK_TYPE;
	unsigned bits = 0;

	for (size_t i = 0; i < predicate->values; i++) {
		uint32_t number = predicate->value[i].range.low;

		bits |= !type ? 1u << number : number == 4 ? V4 : V6;
	}
	if (predicate->negated)
		return (TRANSPORTS | V4 | V6) & ~bits;
	return bits | (type ? NETWORK : V4 | V6);
}

static unsigned address_bits(const struct lictor_predicate *predicate)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	unsigned bits = NETWORK;

	for (size_t i = 0; i < predicate->values && (bits & (V4 | V6)) != (V4 | V6); i++)
		bits |= memcmp(predicate->value[i].address.first, mapped, sizeof(mapped)) ? V6 : V4;
	return bits;
}

/* The transports and families that an event can have for which the predicate holds. */
static unsigned network_bits(const struct lictor_predicate *predicate)
{
	switch (predicate->field) {
	case LICTOR_FIELD_NETWORK_TRANSPORT:
	case LICTOR_FIELD_NETWORK_TYPE:
		return named_bits(predicate);
	case LICTOR_FIELD_DESTINATION_IP:
	case LICTOR_FIELD_SOURCE_IP:
		return predicate->negated ? ~0u : address_bits(predicate);
	case LICTOR_FIELD_DESTINATION_PORT:
	case LICTOR_FIELD_SOURCE_PORT:
		return predicate->negated ? ~0u : PORTS | V4 | V6;
	case LICTOR_FIELD_DESTINATION_PATH:
		return predicate->negated ? ~0u : UNIX | V4 | V6;
	default:
		return ~0u;
	}
}

/* The predicate that leaves nothing of *bits, or NULL; *bits is what is left. */
static const struct lictor_predicate *narrow(const struct lictor_block *block, unsigned *bits)
{
	for (size_t i = 0; i < block->predicates; i++) {
		*bits &= network_bits(&block->predicate[i]);
		if (!(*bits & TRANSPORTS) || !(*bits & (V4 | V6)))
			return &block->predicate[i];
	}
	return NULL;
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

static void lint_unless(struct check *check, const struct lictor_rule *rule,
			const struct lictor_block *block, unsigned bits)
{
	const struct lictor_predicate *never = find_conflict(check, &rule->match, block);

	if (!never)
		never = find_conflict(check, block, block);
	if (!never)
		never = narrow(block, &bits);
	if (never)
		lictor_diag_warning(check->diags, never->place, NULL,
				    "this exception never applies: \"%s\" contradicts another "
				    "field",
				    lictor_field_words[never->field].name);
	else if (covers(check, rule, block))
		lictor_diag_warning(check->diags, block->place, NULL,
				    "this exception covers all that the rule matches");
}

static void lint_rule(struct check *check, const struct lictor_rule *rule)
{
	const struct lictor_predicate *never;
	unsigned bits = ~0u;

	lint_forgeable(check, rule);
	lint_events(check, rule, &rule->match);
	never = find_conflict(check, &rule->match, &rule->match);
	if (!never)
		never = narrow(&rule->match, &bits);
	if (never)
		lictor_diag_warning(check->diags, never->place, NULL,
				    "this rule never matches: \"%s\" contradicts another field",
				    lictor_field_words[never->field].name);
	for (size_t i = 0; i < rule->unlesses; i++) {
		lint_events(check, rule, &rule->unless[i]);
		if (!never)
			lint_unless(check, rule, &rule->unless[i], bits);
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
