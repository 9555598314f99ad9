/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The language, carried out naively: one rule, one event, predicate by predicate, pattern by
 * pattern. What `lictor explain` says comes from here, and it is the referee of the compiled
 * matcher, so nothing of that is used. In: checked rules and an event's plain values. Out: whether
 * they match. Touches memory only.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "rules/evaluate.h"
#include "rules/tree.h"

/* ---- globs ---- */

struct glob {
	const char *start;
	const char *text;
	bool path;
	size_t width;		/* places in the text, its end among them */
	unsigned char *tried;	/* a bit for each place in the pattern and each in the text */
};

/* `[a-z]` from after the bracket: is the byte one of them? *ret_end is what follows. */
static bool set_has(const char *at, unsigned char byte, const char **ret_end)
{
	bool negated = *at == '!', found = false;

	for (at += negated; *at != ']'; at++) {
		unsigned char low, high;

		at += *at == '\\';
		low = high = (unsigned char)*at;
		if (at[1] == '-' && at[2] != ']') {
			at += 2;
			at += *at == '\\';
			high = (unsigned char)*at;
		}
		found |= low <= byte && byte <= high;
	}
	*ret_end = at + 1;
	return found != negated;
}

/* One piece of the pattern, not a star, against one byte. */
static bool piece_has(const struct glob *glob, const char *at, char byte, const char **ret_end)
{
	*ret_end = at + 1;
	if (*at == '[')
		return set_has(at + 1, (unsigned char)byte, ret_end) && !(glob->path && byte == '/');
	if (*at == '?')
		return !(glob->path && byte == '/');
	if (*at == '\\')
		*ret_end = ++at + 1;
	return *at == byte;
}

/* Is what is here `/ **`, at the end or before another slash? It may stand for nothing: what is
   behind it is returned, else NULL. */
static const char *vanish(const struct glob *glob, const char *at)
{
	const char *slash = at + (*at == '\\');

	if (!glob->path || strncmp(slash, "/**", 3) != 0)
		return NULL;
	return slash[3] == '/' || (!slash[3] && at != glob->start) ? slash + 3 : NULL;
}

/*
 * Is this the first time that the rest of the pattern is tried on the rest of the text? Had it
 * matched before, all would have: without this, several ** would try without end.
 */
static bool first_time(const struct glob *glob, const char *at, const char *text)
{
	size_t bit = (size_t)(at - glob->start) * glob->width + (size_t)(text - glob->text);
	unsigned char mask = (unsigned char)(1 << bit % 8), tried = glob->tried[bit / 8] & mask;

	glob->tried[bit / 8] |= mask;
	return !tried;
}

static bool matches(const struct glob *glob, const char *from, const char *text);

static bool star_matches(const struct glob *glob, const char *at, const char *text)
{
	bool all = !glob->path || at[1] == '*';
	const char *rest = at + 1 + (at[1] == '*');

	while (!matches(glob, rest, text)) {
		if (!*text || (!all && *text == '/'))
			return false;
		if (!first_time(glob, at, ++text))
			return false;
	}
	return true;
}

static bool matches(const struct glob *glob, const char *from, const char *text)
{
	if (!first_time(glob, from, text))
		return false;
	for (const char *at = from; *at || *text; text++) {
		const char *behind = vanish(glob, at);

		if (behind && matches(glob, behind, text))
			return true;
		if (*at == '*')
			return (at == from || first_time(glob, at, text)) &&
			       star_matches(glob, at, text);
		if (!*at || !*text || !piece_has(glob, at, *text, &at))
			return false;
	}
	return true;
}

/* What follows the piece at `at`: an escape, a bracket expression, or one character. */
static const char *past(const char *at)
{
	const char *end;

	if (*at == '[') {
		(void)set_has(at + 1, 0, &end);
		return end;
	}
	return at + 1 + (*at == '\\');
}

static void free_text(char **text)
{
	free(*text);
}

static void free_bytes(unsigned char **bytes)
{
	free(*bytes);
}

/* Each alternative of the first braces in its place, and so on with the rest. */
static bool alternatives(const char *pattern, const char *open, bool path, const char *text,
			 int *ret_error)
{
	OWNED(free_text) char *whole = malloc(strlen(pattern) + 1);
	const char *from = open + 1, *close = open + 1, *at;
	size_t before = (size_t)(open - pattern);

	for (int depth = 1; depth; close = past(close))
		depth += *close == '{' ? 1 : *close == '}' ? -1 : 0;
	if (!whole) {
		*ret_error = -ENOMEM;
		return false;
	}
	memcpy(whole, pattern, before);
	at = from;
	for (int depth = 1; depth; at = past(at)) {
		depth += *at == '{' ? 1 : *at == '}' ? -1 : 0;
		if ((*at != ',' || depth != 1) && depth)
			continue;
		memcpy(whole + before, from, (size_t)(at - from));
		strcpy(whole + before + (at - from), close);
		if (lictor_glob_matches(whole, path, text, ret_error))
			return true;
		from = at + 1;
	}
	return false;
}

bool lictor_glob_matches(const char *pattern, bool path, const char *text, int *ret_error)
{
	unsigned char few[512] = { 0 };
	OWNED(free_bytes) unsigned char *many = NULL;
	size_t width = strlen(text) + 1, bytes = (strlen(pattern) + 1) * width / 8 + 1;
	struct glob glob = { pattern, text, path, width, few };
	const char *at = pattern;

	while (*at && *at != '{')
		at = past(at);
	if (*at)
		return alternatives(pattern, at, path, text, ret_error);
	if (bytes > sizeof(few)) {
		glob.tried = many = calloc(1, bytes);
		if (!many) {
			*ret_error = -ENOMEM;
			return false;
		}
	}
	return matches(&glob, pattern, text);
}

/* ---- values ---- */

static bool is_v4(const uint8_t *address)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

	return !memcmp(address, mapped, sizeof(mapped));
}

static bool address_in(const struct lictor_value *value, const uint8_t *address)
{
	bool v4 = is_v4(value->address.first) && is_v4(value->address.last);

	return v4 == is_v4(address) && memcmp(value->address.first, address, 16) <= 0 &&
	       memcmp(address, value->address.last, 16) <= 0;
}

static bool mode_is(const struct lictor_value *value, uint64_t mode)
{
	uint32_t bits = value->mode.bits;

	return value->mode.op == '-' ? (mode & bits) == bits :
	       value->mode.op == '/' ? (mode & bits) != 0 : mode == bits;
}

static bool range_has(const struct lictor_value *value, uint64_t number)
{
	return value->range.low <= number && number <= value->range.high;
}

static bool set_in(const struct lictor_value *value, uint64_t members)
{
	for (uint32_t bit = 0; bit < 64; bit++)
		if ((members >> bit & 1) && range_has(value, bit))
			return true;
	return false;
}

static bool plain_hit(int field, const struct lictor_value *value, const struct lictor_given *given)
{
	switch (lictor_field_words[field].type) {
	case LICTOR_TYPE_ADDRESS:
		return address_in(value, given->address);
	case LICTOR_TYPE_MODE:
		return mode_is(value, given->number);
	case LICTOR_TYPE_SET:
		return set_in(value, given->number);
	case LICTOR_TYPE_NUMBER:
	case LICTOR_TYPE_PORT:
	case LICTOR_TYPE_USER:
	case LICTOR_TYPE_GROUP:
	case LICTOR_TYPE_FLAG:
	case LICTOR_TYPE_ENUM:
		return range_has(value, given->number);
	case LICTOR_TYPE_PATH:
	case LICTOR_TYPE_TEXT:
		break;
	}
	return false;
}

static bool one_matches(size_t values, const struct lictor_value *value, bool path,
			const char *text, int *ret_error)
{
	for (size_t i = 0; i < values; i++)
		if (lictor_glob_matches(value[i].text, path, text, ret_error))
			return true;
	return false;
}

/* A program's own view of a name cannot speak for it alone, and the host's cannot either. */
static struct lictor_sight string_sight(size_t values, const struct lictor_value *value, bool path,
					const struct lictor_seen *seen, int *ret_error)
{
	bool own = seen->own && one_matches(values, value, path, seen->own, ret_error), host = false;

	for (size_t i = 0; i < seen->hosts && !host; i++)
		host = seen->own == seen->host[i] ? own :
			one_matches(values, value, path, seen->host[i], ret_error);
	return (struct lictor_sight){ own || host, own && host };
}

struct lictor_sight lictor_value_sight(int field, size_t values, const struct lictor_value *value,
				       const struct lictor_given *given, int *ret_error)
{
	bool path = lictor_field_words[field].type == LICTOR_TYPE_PATH;
	struct lictor_sight all = { false, false };
	size_t name = values && field == LICTOR_FIELD_PROCESS_ENV ? strcspn(value->text, "=") + 1 : 0;
	size_t named = 0;

	for (size_t i = 0; i < given->strings; i++) {
		struct lictor_sight one = string_sight(values, value, path, &given->string[i],
						       ret_error);

		all.any |= one.any;
		all.sure |= one.sure;
		named += name && !strncmp(given->string[i].own, value->text, name);
	}
	/* Which of two variables of one name the program takes, nobody knows. */
	all.sure &= named < 2;
	if (lictor_field_words[field].space == LICTOR_SPACE_NONE)
		for (size_t i = 0; i < values && !all.any; i++)
			all.any = all.sure = plain_hit(field, &value[i], given);
	return all;
}

/* ---- predicates, blocks, rules ---- */

bool lictor_instance_has_second(const struct lictor_instance *instance)
{
	return lictor_event_has_field(instance->event, LICTOR_FIELD_FILE_TARGET_PATH) ||
	       (instance->event == LICTOR_EVENT_MOUNT &&
		instance->field[LICTOR_FIELD_FILE_TARGET_PATH].state != LICTOR_ABSENT);
}

const struct lictor_given *lictor_instance_field(const struct lictor_instance *instance, int field,
						 bool second)
{
	static const struct lictor_given absent = { .state = LICTOR_ABSENT };

	if (second && field == LICTOR_FIELD_FILE_PATH)
		return &instance->field[LICTOR_FIELD_FILE_TARGET_PATH];
	if (field == LICTOR_FIELD_FILE_TARGET_PATH &&
	    (second || !lictor_event_has_field(instance->event, field)))
		return &absent;
	return &instance->field[field];
}

static bool fails_closed(const struct lictor_rule *rule)
{
	if (rule->on_failure == LICTOR_FAILURE_DEFAULT)
		return rule->action == LICTOR_ACTION_BLOCK || rule->action == LICTOR_ACTION_KILL;
	return rule->on_failure == LICTOR_FAILURE_CLOSED;
}

/* What is not certain counts for the rule, never for an exception from it. */
bool lictor_predicate_holds(const struct lictor_rule *rule, const struct lictor_predicate *predicate,
			    bool unless, struct lictor_instance *instance, bool second)
{
	const struct lictor_given *given = lictor_instance_field(instance, predicate->field, second);
	struct lictor_sight sight;

	if (given->state == LICTOR_ABSENT)
		return !unless && predicate->negated;
	if (given->state == LICTOR_UNKNOWN)
		return !unless && fails_closed(rule);
	sight = lictor_value_sight(predicate->field, predicate->values, predicate->value, given,
				   &instance->error);
	if (predicate->negated)
		return unless ? !sight.any : !sight.sure;
	return unless ? sight.sure : sight.any;
}

bool lictor_block_holds(const struct lictor_rule *rule, const struct lictor_block *block,
			bool unless, struct lictor_instance *instance, bool second)
{
	for (size_t i = 0; i < block->predicates; i++)
		if (!lictor_predicate_holds(rule, &block->predicate[i], unless, instance, second))
			return false;
	return true;
}

static bool block_names(const struct lictor_block *block, int field)
{
	for (size_t i = 0; i < block->predicates; i++)
		if (block->predicate[i].field == field)
			return true;
	return false;
}

/* Who names the target, where there is one, means the source by file.path. */
static bool names_target(const struct lictor_rule *rule, int event)
{
	bool names = block_names(&rule->match, LICTOR_FIELD_FILE_TARGET_PATH);

	for (size_t i = 0; i < rule->unlesses; i++)
		names |= block_names(&rule->unless[i], LICTOR_FIELD_FILE_TARGET_PATH);
	return names && lictor_event_has_field(event, LICTOR_FIELD_FILE_TARGET_PATH);
}

bool lictor_rule_judges(const struct lictor_rule *rule, struct lictor_instance *instance,
			bool second)
{
	if (!rule->enabled || !(rule->events >> instance->event & 1))
		return false;
	if (second && (!lictor_instance_has_second(instance) ||
		       names_target(rule, instance->event)))
		return false;
	if (!lictor_block_holds(rule, &rule->match, false, instance, second))
		return false;
	for (size_t i = 0; i < rule->unlesses; i++)
		if (lictor_block_holds(rule, &rule->unless[i], true, instance, second))
			return false;
	return true;
}

bool lictor_rule_matches(const struct lictor_rule *rule, struct lictor_instance *instance)
{
	return lictor_rule_judges(rule, instance, false) ||
	       lictor_rule_judges(rule, instance, true);
}
