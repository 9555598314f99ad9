/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Relations: two predicates, or two rules, come in; whether one rules out, covers or repeats the
 * other goes out. Only what is certain is said: two different patterns may always have something
 * in common. Touches nothing.
 */
#include <string.h>

#include "rules/check.h"

static int main_field(int field)
{
	switch (field) {
	case LICTOR_FIELD_USER_NAME:
		return LICTOR_FIELD_USER_ID;
	case LICTOR_FIELD_USER_EFFECTIVE_NAME:
		return LICTOR_FIELD_USER_EFFECTIVE_ID;
	case LICTOR_FIELD_USER_AUDIT_NAME:
		return LICTOR_FIELD_USER_AUDIT_ID;
	case LICTOR_FIELD_GROUP_NAME:
		return LICTOR_FIELD_GROUP_ID;
	case LICTOR_FIELD_USER_TARGET_NAME:
		return LICTOR_FIELD_USER_TARGET_ID;
	case LICTOR_FIELD_GROUP_TARGET_NAME:
		return LICTOR_FIELD_GROUP_TARGET_ID;
	default:
		return field;
	}
}

/* Fields that an event may have several values of at once: two different ones can both hold. */
static bool has_several(int field)
{
	return field == LICTOR_FIELD_ANCESTOR_EXECUTABLE || field == LICTOR_FIELD_ANCESTOR_NAME ||
	       field == LICTOR_FIELD_PROCESS_ENV ||
	       lictor_field_words[field].type == LICTOR_TYPE_SET ||
	       /* either name of a rename may match, and a file may be seen by several names */
	       lictor_field_words[field].type == LICTOR_TYPE_PATH;
}

bool relate_same_field(const struct lictor_predicate *a, const struct lictor_predicate *b)
{
	return main_field(a->field) == main_field(b->field);
}

/* ---- values ---- */

enum shape { SHAPE_RANGE, SHAPE_ADDRESS, SHAPE_PATTERN, SHAPE_MODE };

static enum shape shape_of(int field)
{
	switch (lictor_field_words[field].type) {
	case LICTOR_TYPE_PATH:
	case LICTOR_TYPE_TEXT:
		return SHAPE_PATTERN;
	case LICTOR_TYPE_ADDRESS:
		return SHAPE_ADDRESS;
	case LICTOR_TYPE_MODE:
		return SHAPE_MODE;
	case LICTOR_TYPE_NUMBER:
	case LICTOR_TYPE_PORT:
	case LICTOR_TYPE_USER:
	case LICTOR_TYPE_GROUP:
	case LICTOR_TYPE_FLAG:
	case LICTOR_TYPE_ENUM:
	case LICTOR_TYPE_SET:
		break;
	}
	return SHAPE_RANGE;
}

static bool is_literal(const char *pattern)
{
	return !strpbrk(pattern, "*?[{\\");
}

static bool mode_equal(const struct lictor_value *a, const struct lictor_value *b)
{
	return a->mode.op == b->mode.op && a->mode.bits == b->mode.bits;
}

static bool is_v4(const struct lictor_value *value)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

	return !memcmp(value->address.first, mapped, sizeof(mapped));
}

static bool apart(enum shape shape, const struct lictor_value *a, const struct lictor_value *b)
{
	switch (shape) {
	case SHAPE_RANGE:
		return a->range.high < b->range.low || b->range.high < a->range.low;
	case SHAPE_ADDRESS:
		return is_v4(a) != is_v4(b) ||
		       memcmp(a->address.last, b->address.first, 16) < 0 ||
		       memcmp(b->address.last, a->address.first, 16) < 0;
	case SHAPE_PATTERN:
		return is_literal(a->text) && is_literal(b->text) && strcmp(a->text, b->text);
	case SHAPE_MODE:
		return a->mode.op == '=' && b->mode.op == '=' && a->mode.bits != b->mode.bits;
	}
	return false;
}

static bool within(enum shape shape, const struct lictor_value *a, const struct lictor_value *b)
{
	switch (shape) {
	case SHAPE_RANGE:
		return a->range.low >= b->range.low && a->range.high <= b->range.high;
	case SHAPE_ADDRESS:
		return is_v4(a) == is_v4(b) &&
		       memcmp(a->address.first, b->address.first, 16) >= 0 &&
		       memcmp(a->address.last, b->address.last, 16) <= 0;
	case SHAPE_PATTERN:
		return !strcmp(a->text, b->text) || !strcmp(b->text, "**");
	case SHAPE_MODE:
		return mode_equal(a, b);
	}
	return false;
}

static bool afford(size_t *steps, size_t a, size_t b)
{
	if (a && b > *steps / a)
		return false;
	*steps -= a * b;
	return true;
}

static bool all_apart(const struct lictor_predicate *a, const struct lictor_predicate *b,
		      size_t *steps)
{
	enum shape shape = shape_of(a->field);

	if (!afford(steps, a->values, b->values))
		return false;
	for (size_t i = 0; i < a->values; i++)
		for (size_t j = 0; j < b->values; j++)
			if (!apart(shape, &a->value[i], &b->value[j]))
				return false;
	return true;
}

static bool all_within(const struct lictor_predicate *a, const struct lictor_predicate *b,
		       size_t *steps)
{
	enum shape shape = shape_of(a->field);

	if (a->value == b->value && a->values == b->values)
		return true;
	if (!afford(steps, a->values, b->values))
		return false;
	for (size_t i = 0; i < a->values; i++) {
		size_t j = 0;

		while (j < b->values && !within(shape, &a->value[i], &b->value[j]))
			j++;
		if (j == b->values)
			return false;
	}
	return true;
}

/* ---- predicates ---- */

bool relate_conflict(const struct lictor_predicate *a, const struct lictor_predicate *b,
		     size_t *steps)
{
	if (a->negated && b->negated)
		return false;
	if (a->negated)
		return all_within(b, a, steps);
	if (b->negated)
		return all_within(a, b, steps);
	return !has_several(a->field) && all_apart(a, b, steps);
}

bool relate_implies(const struct lictor_predicate *a, const struct lictor_predicate *b,
		    size_t *steps)
{
	if (!a->negated && !b->negated)
		return all_within(a, b, steps);
	if (a->negated && b->negated)
		return all_within(b, a, steps);
	return !a->negated && !has_several(a->field) && all_apart(a, b, steps);
}

/* ---- rules ---- */

static bool same_predicate(const struct lictor_predicate *a, const struct lictor_predicate *b,
			   size_t *steps)
{
	return a->field == b->field && a->negated == b->negated && a->values == b->values &&
	       all_within(a, b, steps) && all_within(b, a, steps);
}

static bool same_block(const struct lictor_block *a, const struct lictor_block *b, size_t *steps)
{
	if (a->predicates != b->predicates)
		return false;
	for (size_t i = 0; i < a->predicates; i++) {
		size_t j = 0;

		while (j < b->predicates &&
		       !same_predicate(&a->predicate[i], &b->predicate[j], steps))
			j++;
		if (j == b->predicates)
			return false;
	}
	return true;
}

bool relate_same_rule(const struct lictor_rule *a, const struct lictor_rule *b, size_t *steps)
{
	if (a->events != b->events || a->unlesses != b->unlesses ||
	    !same_block(&a->match, &b->match, steps) || !afford(steps, a->unlesses, b->unlesses))
		return false;
	for (size_t i = 0; i < a->unlesses; i++) {
		size_t j = 0;

		while (j < b->unlesses && !same_block(&a->unless[i], &b->unless[j], steps))
			j++;
		if (j == b->unlesses)
			return false;
	}
	return true;
}

static uint64_t mix(uint64_t hash)
{
	hash = (hash ^ hash >> 31) * 0x9e3779b97f4a7c15ULL;
	return hash ^ hash >> 29;
}

/* Sums, so that order does not matter; of a long list the first value would depend on it. */
static uint64_t hash_block(const struct lictor_block *block)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < block->predicates; i++) {
		const struct lictor_predicate *predicate = &block->predicate[i];
		uint64_t hash = mix((uint64_t)predicate->field * 2 + predicate->negated) +
				predicate->values;

		if (predicate->values == 1)
			for (const char *at = predicate->value->text; *at; at++)
				hash = mix(hash + (unsigned char)*at);
		sum += mix(hash);
	}
	return sum;
}

uint64_t relate_hash(const struct lictor_rule *rule)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < rule->unlesses; i++)
		sum += mix(hash_block(&rule->unless[i]) + 1);
	return mix(rule->events) + 3 * hash_block(&rule->match) + sum;
}
