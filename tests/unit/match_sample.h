/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random rules and random events that nearly fit them, for the tests that hold the compiled
 * matcher against rules/evaluate.c. From one seed always the same.
 */
#ifndef LICTOR_MATCH_SAMPLE_H
#define LICTOR_MATCH_SAMPLE_H

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "rules/evaluate.h"
#include "rules/host.h"
#include "rules/rules.h"
#include "rules/tree.h"

#define SAMPLE_POOL 4096	/* patterns of one space that are remembered */
#define SAMPLE_TEXT 4200
#define SAMPLE_ANCESTORS 3

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-function"

/* ---- chance ---- */

static uint64_t sample_state = 1;

static uint32_t sample_random(void)
{
	sample_state ^= sample_state << 13;
	sample_state ^= sample_state >> 7;
	sample_state ^= sample_state << 17;
	return (uint32_t)(sample_state * 0x2545f4914f6cdd1dull >> 32);
}

static uint32_t below(uint32_t limit)
{
	return (uint32_t)((uint64_t)sample_random() * limit >> 32);
}

static bool percent(uint32_t chance)
{
	return below(100) < chance;
}

#define one_of(array) ((array)[below(sizeof(array) / sizeof(*(array)))])

/* ---- a rule set ---- */

struct sample_set {
	struct lictor_arena *arena;
	struct lictor_rules rules;
	bool strict;	/* only what a rule file could say */
	bool many;	/* of exact names */
	uint64_t events;
	uint32_t event[4];
	size_t event_count;
	int field[LICTOR_FIELDS];
	size_t fields;
	const char *pool[LICTOR_SPACES][SAMPLE_POOL];
	uint32_t pooled[LICTOR_SPACES];
};

static void *sample_get(struct sample_set *set, size_t size)
{
	void *memory = lictor_arena_get(set->arena, size ? size : 1);

	if (!memory)
		abort();
	return memory;
}

static const char *sample_text(struct sample_set *set, const char *text)
{
	return lictor_arena_text(set->arena, text, strlen(text));
}

/* ---- strings ---- */

static const char *const path_parts[] = {
	"a", "b", "ab", "abc", "ba", "x1", "tmp", "bin", "sh", "bash", ".h", "lib.so", "iris.cpf",
	"a-b", "aa", "q*", "[q]", "\xc3\xa9", "x y", "\\",
};
static const char *const words[] = {
	"sh", "bash", "ab", "a", "b", "ba", "aab", "irisdb", "httpd", "ext4", "tmpfs", "overlay",
	"/run/a", "/run/a/b", "@a", "k/0", "*a", "\xff",
};

static void random_path(char *to)
{
	uint32_t depth = 1 + below(4);

	*to = '\0';
	for (uint32_t i = 0; i < depth; i++)
		strcat(strcat(to, "/"), one_of(path_parts));
	if (percent(1))
		strcpy(to, "/");
}

static bool is_path_space(enum lictor_space space)
{
	return space == LICTOR_SPACE_OBJECT || space == LICTOR_SPACE_IMAGE;
}

/* Some digits, again and again, to 64 of them. */
static void random_digest(char *to)
{
	uint32_t four = below(4096);

	strcpy(to, "sha256:");
	for (uint32_t i = 0; i < 16; i++)
		snprintf(to + 7 + 4 * i, 5, "%04x", four);
}

static void random_string(enum lictor_space space, char *to)
{
	if (space == LICTOR_SPACE_VERITY) {
		random_digest(to);
		return;
	}
	if (is_path_space(space))
		random_path(to);
	else
		strcpy(to, percent(2) ? "" : one_of(words));
	if (percent(3) && !is_path_space(space))
		strcat(to, one_of(words));
}

/* What matches exactly this. */
static void escape(const char *text, char *to)
{
	for (; *text; text++) {
		if (strchr("\\*?[]{}", *text))
			*to++ = '\\';
		*to++ = *text;
	}
	*to = '\0';
}

static void replace(char *pattern, size_t at, size_t length, const char *by)
{
	char tail[SAMPLE_TEXT];

	strcpy(tail, pattern + at + length);
	strcpy(pattern + at, by);
	strcat(pattern, tail);
}

/* A component of an escaped path: where it is, and its length. */
static size_t pick_part(const char *pattern, size_t *ret_length)
{
	size_t starts[16], count = 0, at;

	for (size_t i = 0; pattern[i] && count < 16; i++)
		if (pattern[i] == '/')
			starts[count++] = i + 1;
	at = count ? starts[below((uint32_t)count)] : 0;
	*ret_length = strcspn(pattern + at, "/");
	return at;
}

static void change_part(char *pattern)
{
	static const char *const by[] = {
		"*", "**", "*", "**", "?", "??", "[ab]", "[!a]*", "a*", "*b", "?*", "*a*", "{a,b}",
		"{a,{b,ab}*}", "[a-c]", "[!a-b]?", "{tmp,bin}", "a**", "**b", "**a**", "{,a}b",
		"[\\]a]", "[a\\-z]*", "{sh,**/x1}", "*.h", "[!\\]]*",
	};
	size_t length, at = pick_part(pattern, &length);

	replace(pattern, at, length, one_of(by));
}

static void change_byte(char *pattern)
{
	static const char *const by[] = { "?", "*", "[ab]", "[!b]", "**", "a", "b", "{a,b,}" };
	size_t length = strlen(pattern), at = length ? below((uint32_t)length) : 0;

	if (length && pattern[at] != '/' && pattern[at] != '\\' &&
	    (at == 0 || pattern[at - 1] != '\\'))
		replace(pattern, at, 1, one_of(by));
}

static void change_path(char *pattern)
{
	static const char *const special[] = {
		"/**", "**", "/*", "/?", "/**/a", "/**/**", "/a/**/**", "/**/a/**", "/{a,b}/**",
		"**/**", "/", "/a/**/b/**/a", "/*/*", "**a", "/\\**", "/a\\/**", "/a\\/b",
		"/a/**/*", "/a/*/**", "/a**", "**/a/**/b", "/a/**/**/b",
	};
	size_t length;

	switch (below(10)) {
	case 0:
	case 1:
		strcat(pattern, "/**");
		break;
	case 2:
		replace(pattern, 0, 0, "**");
		break;
	case 3:
		length = strlen(pattern) / 2;
		replace(pattern, 0, length, "**");
		break;
	case 4:
		replace(pattern, 0, below(2), "**");
		strcat(pattern, "**");
		break;
	case 5:
	case 6:
		change_part(pattern);
		break;
	case 7:
		change_byte(pattern);
		break;
	case 8:
		strcpy(pattern, one_of(special));
		break;
	default:
		strcat(pattern, "*");
	}
}

static void change_text(char *pattern)
{
	static const char *const special[] = {
		"*", "**", "?", "??", "?*", "*a*b*", "[!a]*", "*[ab]", "{a,b}*", "*{a,sh}", "a?b",
		"*/*", "/run/**", "*/a", "[a-z]*", "\\*a",
	};

	switch (below(6)) {
	case 0:
		strcat(pattern, "*");
		break;
	case 1:
		replace(pattern, 0, 0, "*");
		break;
	case 2:
		replace(pattern, 0, 0, "*");
		strcat(pattern, "*");
		break;
	case 3:
		strcpy(pattern, one_of(special));
		break;
	default:
		change_byte(pattern);
	}
}

static bool is_utf8(const char *text)
{
	size_t left = strlen(text), size;
	uint32_t code;

	for (; left; text += size, left -= size) {
		size = utf8_next(text, left, &code);
		if (!size)
			return false;
	}
	return true;
}

static bool good_pattern(const struct sample_set *set, enum lictor_space space, const char *pattern)
{
	struct lictor_pattern_fault fault;
	size_t expansions;

	if (space == LICTOR_SPACE_NAME && set->strict && strlen(pattern) > 15)
		return false;
	if (set->strict && !is_utf8(pattern))
		return false;
	/* What is no pattern has to be a digest. */
	if (space == LICTOR_SPACE_VERITY && set->strict && *pattern &&
	    !strpbrk(pattern, "*?[{\\") &&
	    (strncmp(pattern, "sha256:", 7) || strlen(pattern) != 71 ||
	     strspn(pattern + 7, "0123456789abcdef") != 64))
		return false;
	return !lictor_pattern_check(pattern, is_path_space(space), &expansions, &fault);
}

static const char *random_pattern(struct sample_set *set, enum lictor_space space, bool exact)
{
	char text[SAMPLE_TEXT], pattern[SAMPLE_TEXT];
	const char *kept;

	do {
		if (set->pooled[space] && !exact && percent(20))
			return set->pool[space][below(set->pooled[space])];
		random_string(space, text);
		if (exact && is_path_space(space))
			snprintf(text + strlen(text), 16, "/%u", below(3000));
		else if (exact && space != LICTOR_SPACE_VERITY)
			snprintf(text, 16, "n%u", below(3000));
		escape(text, pattern);
		for (uint32_t n = exact ? 0 : below(4); n; n--)
			if (is_path_space(space))
				change_path(pattern);
			else
				change_text(pattern);
	} while (!good_pattern(set, space, pattern));
	kept = sample_text(set, pattern);
	if (set->pooled[space] < SAMPLE_POOL)
		set->pool[space][set->pooled[space]++] = kept;
	return kept;
}

/* One text that a pattern without braces matches, most of the time. */
static void instance_of(const char *at, bool path, char *to)
{
	static const char *const runs[] = { "", "a", "b", "ab", "x1", "aab" };
	static const char *const deep[] = { "", "a", "/a", "a/b", "b/", "x1/ab/a", "//" };

	while (*at) {
		if (at[0] == '*') {
			strcpy(to, path && at[1] != '*' ? one_of(runs) : one_of(deep));
			to += strlen(to);
			at += 1 + (at[1] == '*');
		} else if (*at == '[') {
			const char *end = at + 1;

			while (*end != ']')
				end += 1 + (*end == '\\');
			*to++ = at[1] == '!' ? 'x' : at[1] == '\\' ? at[2] : at[1];
			at = end + 1;
		} else if (*at == '?') {
			*to++ = "abx1"[below(4)];
			at++;
		} else {
			at += *at == '\\';
			*to++ = *at++;
		}
	}
	*to = '\0';
}

static void mutate(char *text)
{
	size_t length = strlen(text), at = below((uint32_t)length + 1);
	char by[2] = { "ab/x1"[below(5)], '\0' };

	if (percent(50) && length < SAMPLE_TEXT / 2)
		replace(text, at, 0, by);
	else if (at < length)
		replace(text, at, 1, percent(50) ? by : "");
}

static void lengthen(char *text, enum lictor_space space)
{
	uint32_t wanted = space == LICTOR_SPACE_OBJECT ? 4095 - below(40) : 15 + below(20);
	char tail[SAMPLE_TEXT];
	size_t half = strlen(text) / 2, length = strlen(text);

	strcpy(tail, text + half);
	while (length < wanted) {
		text[half++] = "abx/"[below(4)];
		length++;
	}
	strcpy(text + half, tail);
}

/* The same with a blank for each slash, as arguments have them. */
static void blank(char *text)
{
	for (; *text; text++)
		*text = *text == '/' ? ' ' : *text;
}

/* A string of an event: mostly one that a pattern of the set nearly matches. */
static void event_string(struct sample_set *set, enum lictor_space space, char *to)
{
	random_string(space, to);
	if (set->pooled[space] && percent(80)) {
		const char *pattern = set->pool[space][below(set->pooled[space])];
		const char *const *expanded = &pattern;
		size_t count = 1;

		if (strchr(pattern, '{') &&
		    lictor_pattern_expand(pattern, set->arena, &count, &expanded))
			abort();
		instance_of(expanded[below((uint32_t)count)], is_path_space(space), to);
	}
	if (percent(12))
		mutate(to);
	if (below(2000) == 0)
		lengthen(to, space);
	if (!*to && is_path_space(space))
		strcpy(to, "/");
	if (space == LICTOR_SPACE_ARGS)
		blank(to);
	if (strlen(to) >= LICTOR_PATH_MAX)
		to[LICTOR_PATH_MAX - 1] = '\0';
}

/* ---- numbers and addresses ---- */

static void random_address(uint8_t *to)
{
	static const char *const bases[] = {
		"::ffff:10.0.0.0", "::ffff:10.1.0.0", "::ffff:192.168.0.0", "2001:db8::", "2001:db8:1::",
		"::", "::fffe:0:0", "fe80::", "::ffff:0.0.0.0", "::ffff:255.255.255.240",
		"ffff:ffff:ffff:ffff:ffff:ffff:ffff:fff0",
	};

	(void)inet_pton(AF_INET6, one_of(bases), to);
	to[15] = (uint8_t)(to[15] + below(16));
}

static void random_network(struct sample_set *set, struct lictor_value *value)
{
	uint8_t *first = value->address.first, *last = value->address.last;
	uint32_t bits = percent(40) ? 128 : percent(50) ? 120 + below(8) : below(129);
	char name[INET6_ADDRSTRLEN], text[INET6_ADDRSTRLEN + 8];
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	bool v4;

	random_address(first);
	memcpy(last, first, 16);
	for (uint32_t bit = bits; bit < 128; bit++) {
		first[bit / 8] &= (uint8_t)~(0x80 >> bit % 8);
		last[bit / 8] |= (uint8_t)(0x80 >> bit % 8);
	}
	v4 = bits >= 96 && !memcmp(first, mapped, 12);
	(void)inet_ntop(v4 ? AF_INET : AF_INET6, v4 ? first + 12 : first, name, sizeof(name));
	snprintf(text, sizeof(text), "%s/%u", name, v4 ? bits - 96 : bits);
	value->text = sample_text(set, text);
}

static uint32_t most_of(int field)
{
	switch (lictor_field_words[field].type) {
	case LICTOR_TYPE_FLAG:
		return 1;
	case LICTOR_TYPE_PORT:
		return UINT16_MAX;
	case LICTOR_TYPE_PATH:
	case LICTOR_TYPE_TEXT:
	case LICTOR_TYPE_NUMBER:
	case LICTOR_TYPE_ADDRESS:
	case LICTOR_TYPE_USER:
	case LICTOR_TYPE_GROUP:
	case LICTOR_TYPE_ENUM:
	case LICTOR_TYPE_SET:
	case LICTOR_TYPE_MODE:
		break;
	}
	return UINT32_MAX;
}

static uint32_t random_number(int field)
{
	uint32_t most = most_of(field);

	if (most == 1)
		return below(2);
	return percent(90) ? below(24) : percent(50) ? most - below(3) : most / 2 + below(3);
}

static uint32_t random_mode(void)
{
	static const uint32_t modes[] = { 0, 0600, 0644, 0755, 0777, 04755, 02755, 06755, 07777, 0400 };

	return percent(80) ? one_of(modes) : below(07777);
}

/* One more than the greatest value that has a name. */
static uint32_t named_end(int field)
{
	uint32_t end = 64;

	while (end && !lictor_value_name(field, end - 1))
		end--;
	return end;
}

static void random_named(struct sample_set *set, int field, struct lictor_value *value)
{
	uint32_t number, end = named_end(field);
	const char *name;

	do {
		number = percent(50) ? below(end) : below(end < 10 ? end : 10);
		name = lictor_value_name(field, number);
	} while (!name);
	value->range.low = value->range.high = number;
	value->text = sample_text(set, name);
}

static void random_range(struct sample_set *set, int field, struct lictor_value *value)
{
	enum lictor_type type = lictor_field_words[field].type;
	uint32_t a = random_number(field), b = percent(60) ? a : random_number(field);
	char text[40];

	if (type == LICTOR_TYPE_USER || type == LICTOR_TYPE_GROUP || type == LICTOR_TYPE_FLAG)
		b = a;
	value->range.low = a < b ? a : b;
	value->range.high = a < b ? b : a;
	if (type == LICTOR_TYPE_FLAG)
		strcpy(text, a ? "true" : "false");
	else if (a == b)
		snprintf(text, sizeof(text), "%u", a);
	else
		snprintf(text, sizeof(text), "%u-%u", value->range.low, value->range.high);
	value->text = sample_text(set, text);
}

static void random_bits(struct sample_set *set, struct lictor_value *value)
{
	char text[16];

	value->mode.op = "=-/"[below(3)];
	do
		value->mode.bits = (uint16_t)random_mode();
	while (!value->mode.bits && value->mode.op != '=');
	if (value->mode.op == '=')
		snprintf(text, sizeof(text), "%04o", value->mode.bits);
	else
		snprintf(text, sizeof(text), "%c%o", value->mode.op, value->mode.bits);
	value->text = sample_text(set, text);
}

/* ---- rules ---- */

static void random_value(struct sample_set *set, int field, bool exact, struct lictor_value *value)
{
	switch (lictor_field_words[field].type) {
	case LICTOR_TYPE_PATH:
	case LICTOR_TYPE_TEXT:
		value->text = random_pattern(set, lictor_field_words[field].space, exact);
		break;
	case LICTOR_TYPE_ADDRESS:
		random_network(set, value);
		break;
	case LICTOR_TYPE_ENUM:
	case LICTOR_TYPE_SET:
		random_named(set, field, value);
		break;
	case LICTOR_TYPE_MODE:
		random_bits(set, value);
		break;
	case LICTOR_TYPE_NUMBER:
	case LICTOR_TYPE_PORT:
	case LICTOR_TYPE_USER:
	case LICTOR_TYPE_GROUP:
	case LICTOR_TYPE_FLAG:
		random_range(set, field, value);
		break;
	}
}

static const char *const sample_variables[] = { "A", "AB", "b_1", "PATH" };

#define SAMPLE_VARIABLES (sizeof(sample_variables) / sizeof(*sample_variables))

/* As they are when rules have been read. */
static void start_value(struct sample_set *set, const struct lictor_predicate *predicate,
			struct lictor_value *value)
{
	char text[SAMPLE_TEXT + 16];

	snprintf(text, sizeof(text), "%s%s%s", predicate->variable ? predicate->variable : "",
		 predicate->variable ? "=" : "", value->text);
	if (predicate->field == LICTOR_FIELD_PROCESS_ARGS) {
		blank(text);
		if (!good_pattern(set, LICTOR_SPACE_ARGS, text))
			return;
	}
	value->text = sample_text(set, text);
}

static void random_predicate(struct sample_set *set, int field, const char *variable,
			     struct lictor_predicate *out)
{
	bool exact = set->many && percent(30);
	size_t values = exact ? 100 + below(300) : percent(60) ? 1 : 1 + below(4);
	struct lictor_value *value = sample_get(set, values * sizeof(*value));

	for (size_t i = 0; i < values; i++)
		random_value(set, field, exact, &value[i]);
	*out = (struct lictor_predicate){
		.field = field, .variable = variable, .negated = percent(25), .values = values,
		.value = value,
	};
	for (size_t i = 0; i < values; i++)
		if (field == LICTOR_FIELD_PROCESS_ARGS || field == LICTOR_FIELD_PROCESS_ENV)
			start_value(set, out, &value[i]);
}

static bool fits_events(const struct sample_set *set, int field, uint64_t events)
{
	bool all = true, any = false;

	for (int e = 0; e < LICTOR_EVENTS; e++)
		if (events >> e & 1) {
			all &= lictor_event_has_field(e, field);
			any |= lictor_event_has_field(e, field);
		}
	return set->strict ? all : any;
}

static void random_block(struct sample_set *set, uint64_t events, size_t predicates,
			 struct lictor_block *block)
{
	struct lictor_predicate *predicate = sample_get(set, predicates * sizeof(*predicate));
	uint64_t used[2] = { 0 };
	size_t variables = 0;

	for (size_t tries = 0; block->predicates < predicates && tries < 50; tries++) {
		int field = set->field[below((uint32_t)set->fields)];

		if ((used[field / 64] >> (field % 64) & 1) || !fits_events(set, field, events))
			continue;
		if (field != LICTOR_FIELD_PROCESS_ENV || variables == SAMPLE_VARIABLES - 1)
			used[field / 64] |= 1ull << (field % 64);
		random_predicate(set, field,
				 field == LICTOR_FIELD_PROCESS_ENV ?
					 sample_variables[variables++] : NULL,
				 &predicate[block->predicates++]);
	}
	block->predicate = predicate;
}

static void random_action(struct lictor_rule *rule)
{
	bool deny = true, ends = rule->events >> LICTOR_EVENT_EXIT & 1;

	for (int e = 0; e < LICTOR_EVENTS; e++)
		if (rule->events >> e & 1)
			deny &= lictor_event_words[e].deny != 0;
	rule->action = ends ? LICTOR_ACTION_ALERT : LICTOR_ACTION_ALERT + below(4);
	if (rule->action == LICTOR_ACTION_BLOCK && !deny)
		rule->action = LICTOR_ACTION_KILL;
	if (rule->action == LICTOR_ACTION_SIGNAL)
		rule->signal = 15;
}

static void random_rule(struct sample_set *set, size_t number, size_t unlesses,
			struct lictor_rule *rule)
{
	struct lictor_block *unless = sample_get(set, unlesses * sizeof(*unless));
	char name[24];

	snprintf(name, sizeof(name), "r%zu", number);
	*rule = (struct lictor_rule){
		.name = sample_text(set, name), .ruleset = "sample", .unless = unless,
		.severity = 4, .limit_count = 20, .limit_period = 60, .enabled = !percent(3),
		.on_failure = (enum lictor_failure)below(3),
	};
	for (uint32_t n = set->strict ? 1 : 1 + below(2); n; n--)
		rule->events |= 1ull << set->event[below((uint32_t)set->event_count)];
	random_action(rule);
	random_block(set, rule->events, percent(4) ? 0 : 1 + below(percent(20) ? 4 : 2), &rule->match);
	for (size_t u = 0; u < unlesses; u++) {
		random_block(set, rule->events, 1 + below(2), &unless[rule->unlesses]);
		rule->unlesses += unless[rule->unlesses].predicates > 0;
	}
}

static void choose_fields(struct sample_set *set)
{
	uint32_t chance = percent(30) ? 100 : 15 + below(60);

	for (int f = LICTOR_FIELDS - 1; f > 0; f--)
		if (fits_events(set, f, set->events) &&
		    set->fields < LICTOR_EVENT_FIELDS_MAX &&
		    (percent(chance) || lictor_field_words[f].space == LICTOR_SPACE_OBJECT))
			set->field[set->fields++] = f;
	while (!set->fields)
		set->field[set->fields++] = LICTOR_FIELD_PROCESS_NAME;
}

static const uint32_t sample_events[] = {
	LICTOR_EVENT_EXEC, LICTOR_EVENT_WRITE, LICTOR_EVENT_RENAME, LICTOR_EVENT_LINK,
	LICTOR_EVENT_CONNECT, LICTOR_EVENT_BIND, LICTOR_EVENT_EXIT, LICTOR_EVENT_READ,
	LICTOR_EVENT_RENAME, LICTOR_EVENT_CONNECT, LICTOR_EVENT_MOUNT, LICTOR_EVENT_MOUNT,
	LICTOR_EVENT_UMOUNT, LICTOR_EVENT_ACCEPT, LICTOR_EVENT_SOCKET, LICTOR_EVENT_PTRACE,
	LICTOR_EVENT_SIGNAL, LICTOR_EVENT_SETUID, LICTOR_EVENT_SETGID, LICTOR_EVENT_CAPSET,
	LICTOR_EVENT_NAMESPACE, LICTOR_EVENT_MODULE, LICTOR_EVENT_BPF, LICTOR_EVENT_HOSTNAME,
	LICTOR_EVENT_SYSCTL, LICTOR_EVENT_USERFAULTFD, LICTOR_EVENT_DUP,
};

static struct sample_set *sample_set_new(size_t rules, uint32_t unlesses, bool strict, bool many)
{
	struct lictor_arena *arena = lictor_arena_new();
	struct sample_set *set = arena ? lictor_arena_get(arena, sizeof(*set)) : NULL;

	if (!set)
		abort();
	set->arena = arena;
	set->strict = strict;
	set->many = many;
	for (set->event_count = 0; set->event_count < 1 + below(3); set->event_count++) {
		set->event[set->event_count] = one_of(sample_events);
		if (strict)
			set->event[set->event_count] = set->event[0];
		set->events |= 1ull << set->event[set->event_count];
	}
	choose_fields(set);
	set->rules.rule = sample_get(set, rules * sizeof(*set->rules.rule));
	for (size_t i = 0; i < rules; i++)
		random_rule(set, i, below(unlesses + 1), &set->rules.rule[set->rules.rules++]);
	return set;
}

static void sample_set_free(struct sample_set *set)
{
	lictor_arena_free(set->arena);
}

/* ---- events ---- */

struct sample_event {
	struct lictor_instance instance;
	struct lictor_instance strict;	/* nothing in which the views differ is certain */
	bool differ;
	struct lictor_seen seen[LICTOR_FIELDS][SAMPLE_ANCESTORS];
	struct lictor_seen unsure[LICTOR_FIELDS][SAMPLE_ANCESTORS];
	char *text;
	size_t used;
	size_t room;
};

static const char *keep_text(struct sample_event *event, const char *text)
{
	char *to = event->text + event->used;

	if (event->used + strlen(text) + 1 > event->room)
		abort();
	event->used += strlen(text) + 1;
	return strcpy(to, text);
}

static bool views_may_differ(int field)
{
	return lictor_field_words[field].type == LICTOR_TYPE_PATH;
}

static void random_seen(struct sample_set *set, struct sample_event *event, int field,
			struct lictor_seen *seen, struct lictor_seen *unsure)
{
	enum lictor_space space = lictor_field_words[field].space;
	char text[SAMPLE_TEXT];

	if (field == LICTOR_FIELD_PROCESS_ENV) {
		strcpy(text, one_of(sample_variables));
		strcat(text, percent(95) ? "=" : "");
	}
	event_string(set, space, text + (field == LICTOR_FIELD_PROCESS_ENV ? strlen(text) : 0));
	seen->own = keep_text(event, text);
	seen->hosts = 1;
	seen->host[0] = seen->own;
	*unsure = *seen;
	if (!views_may_differ(field) || percent(80))
		return;
	event->differ = true;
	*unsure = (struct lictor_seen){ .hosts = 1, .host = { seen->own } };
	seen->hosts = percent(70);
	if (!seen->hosts)
		return;
	if (percent(70))
		event_string(set, space, text);
	else
		mutate(text);
	if (!*text)
		strcpy(text, "/");
	seen->host[0] = unsure->host[1] = keep_text(event, text);
	unsure->hosts = 2;
}

/* Fields that an event may have any number of strings of. */
static bool has_several(int field)
{
	return field == LICTOR_FIELD_ANCESTOR_EXECUTABLE || field == LICTOR_FIELD_ANCESTOR_NAME ||
	       field == LICTOR_FIELD_PROCESS_ENV;
}

static bool is_ancestor(int field)
{
	return field == LICTOR_FIELD_ANCESTOR_EXECUTABLE || field == LICTOR_FIELD_ANCESTOR_NAME;
}

static enum lictor_state_of_fact random_state(int field)
{
	if (field == LICTOR_FIELD_FILE_TARGET_PATH || is_ancestor(field))
		return percent(3) ? LICTOR_UNKNOWN : LICTOR_PRESENT;
	return percent(92) ? LICTOR_PRESENT : percent(60) ? LICTOR_ABSENT : LICTOR_UNKNOWN;
}

static uint64_t random_members(int field)
{
	uint64_t all = percent(5) ? ~0ull : ~0ull >> (64 - named_end(field));
	uint64_t some = (uint64_t)sample_random() << 32 | sample_random();

	for (uint32_t n = below(3); n; n--)
		some &= (uint64_t)sample_random() << 32 | sample_random();
	return percent(20) ? 1ull << below(64) : some & all;
}

static uint64_t random_fact(int field)
{
	switch (lictor_field_words[field].type) {
	case LICTOR_TYPE_MODE:
		return random_mode();
	case LICTOR_TYPE_SET:
		return random_members(field);
	case LICTOR_TYPE_ENUM:
		return below(percent(50) ? named_end(field) + 2 : 9);
	case LICTOR_TYPE_PATH:
	case LICTOR_TYPE_TEXT:
	case LICTOR_TYPE_NUMBER:
	case LICTOR_TYPE_ADDRESS:
	case LICTOR_TYPE_PORT:
	case LICTOR_TYPE_USER:
	case LICTOR_TYPE_GROUP:
	case LICTOR_TYPE_FLAG:
		break;
	}
	return random_number(field);
}

static void random_given(struct sample_set *set, struct sample_event *event, int field)
{
	struct lictor_given *given = &event->instance.field[field];
	struct lictor_given *strict = &event->strict.field[field];

	given->state = random_state(field);
	if (lictor_field_words[field].space != LICTOR_SPACE_NONE) {
		given->strings = has_several(field) ? below(SAMPLE_ANCESTORS + 1) : 1;
		for (size_t i = 0; i < given->strings; i++)
			random_seen(set, event, field, &event->seen[field][i],
				    &event->unsure[field][i]);
		given->string = event->seen[field];
	} else if (lictor_field_words[field].type == LICTOR_TYPE_ADDRESS) {
		random_address(given->address);
	} else {
		given->number = random_fact(field);
	}
	*strict = *given;
	strict->string = event->unsure[field];
}

/* wanted: bit per field that matters. */
static void sample_event_make(struct sample_set *set, int about, lictor_field_set wanted,
			      struct sample_event *event)
{
	event->used = 0;
	event->differ = false;
	memset(&event->instance, 0, sizeof(event->instance));
	memset(&event->strict, 0, sizeof(event->strict));
	event->instance.event = event->strict.event = about;
	if (about == LICTOR_EVENT_RENAME || about == LICTOR_EVENT_LINK)
		wanted |= LICTOR_FIELD_BIT(LICTOR_FIELD_FILE_TARGET_PATH) |
			  LICTOR_FIELD_BIT(LICTOR_FIELD_FILE_PATH);
	for (int f = 1; f < LICTOR_FIELDS; f++)
		if ((wanted >> f & 1) && lictor_event_has_field(about, f))
			random_given(set, event, f);
	/* Where it is mounted has two names; where a mount is moved from is its second object. */
	if (about == LICTOR_EVENT_MOUNT && percent(50))
		random_given(set, event, LICTOR_FIELD_FILE_TARGET_PATH);
	if (wanted >> LICTOR_FIELD_FILE_PATH & 1 &&
	    lictor_event_has_field(about, LICTOR_FIELD_MOUNT_TARGET)) {
		event->instance.field[LICTOR_FIELD_MOUNT_TARGET] =
			event->instance.field[LICTOR_FIELD_FILE_PATH];
		event->strict.field[LICTOR_FIELD_MOUNT_TARGET] =
			event->strict.field[LICTOR_FIELD_FILE_PATH];
	}
}

/* What overflowed while it was classified is not known, for the referee either. */
static void sample_event_unknown(struct sample_event *event, int field)
{
	event->instance.field[field].state = LICTOR_UNKNOWN;
	event->strict.field[field].state = LICTOR_UNKNOWN;
}

static void sample_event_init(struct sample_event *event)
{
	event->room = (size_t)LICTOR_FIELDS * SAMPLE_ANCESTORS * 2 * LICTOR_PATH_MAX;
	event->text = malloc(event->room);
	if (!event->text)
		abort();
}

/* Where the kernel side has a string: its slot, or LICTOR_STRINGS. */
static int sample_slot(int field)
{
	switch (field) {
	case LICTOR_FIELD_FILE_PATH:
	case LICTOR_FIELD_MOUNT_TARGET:
	case LICTOR_FIELD_MODULE_PATH:
		return LICTOR_STRING_PATH;
	case LICTOR_FIELD_FILE_TARGET_PATH:
		return LICTOR_STRING_TARGET;
	case LICTOR_FIELD_PROCESS_EXECUTABLE:
		return LICTOR_STRING_IMAGE;
	case LICTOR_FIELD_PARENT_EXECUTABLE:
		return LICTOR_STRING_PARENT;
	case LICTOR_FIELD_PROCESS_NAME:
		return LICTOR_STRING_NAME;
	case LICTOR_FIELD_PARENT_NAME:
		return LICTOR_STRING_PARENT_NAME;
	case LICTOR_FIELD_FILE_FS:
		return LICTOR_STRING_FS;
	case LICTOR_FIELD_DESTINATION_PATH:
		return LICTOR_STRING_SOCKET;
	case LICTOR_FIELD_CGROUP_PATH:
		return LICTOR_STRING_CGROUP;
	case LICTOR_FIELD_SERVICE_NAME:
		return LICTOR_STRING_UNIT;
	case LICTOR_FIELD_CONTAINER_ID:
		return LICTOR_STRING_CONTAINER;
	case LICTOR_FIELD_PROCESS_ARGS:
		return LICTOR_STRING_ARGS;
	case LICTOR_FIELD_PROCESS_ENV:
		return LICTOR_STRING_ENV;
	case LICTOR_FIELD_PROCESS_CWD:
		return LICTOR_STRING_CWD;
	case LICTOR_FIELD_FILE_FSVERITY:
		return LICTOR_STRING_VERITY;
	case LICTOR_FIELD_TARGET_EXECUTABLE:
		return LICTOR_STRING_TARGET_IMAGE;
	case LICTOR_FIELD_TARGET_NAME:
		return LICTOR_STRING_TARGET_NAME;
	case LICTOR_FIELD_MOUNT_SOURCE:
	case LICTOR_FIELD_MODULE_NAME:
	case LICTOR_FIELD_HOST_HOSTNAME:
	case LICTOR_FIELD_SYSCTL_NAME:
		return LICTOR_STRING_ARGUMENT;
	case LICTOR_FIELD_MOUNT_TYPE:
	case LICTOR_FIELD_HOST_DOMAIN:
		return LICTOR_STRING_ARGUMENT2;
	default:
		return LICTOR_STRINGS;
	}
}

static void sample_values(const struct sample_event *event, struct lictor_values *values)
{
	memset(values->state, 0, sizeof(values->state));
	for (int f = 1; f < LICTOR_FIELDS; f++) {
		const struct lictor_given *given = &event->instance.field[f];

		values->state[f] = (uint8_t)given->state;
		values->num[f] = given->number;
	}
	memcpy(values->address[LICTOR_ADDRESS_DESTINATION],
	       event->instance.field[LICTOR_FIELD_DESTINATION_IP].address, 16);
	memcpy(values->address[LICTOR_ADDRESS_SOURCE],
	       event->instance.field[LICTOR_FIELD_SOURCE_IP].address, 16);
}

/* ---- the host's matcher ---- */

struct sample_host {
	struct lictor_host_image image;
	struct lictor_facts facts;
	struct lictor_work work;
	size_t overflows;
	char text[LICTOR_TEXT_SIZE];
	char start[2][SAMPLE_ANCESTORS * LICTOR_PATH_MAX];	/* arguments, environment */
	size_t start_length[2];
};

static void host_classify(struct sample_host *host, enum lictor_space space, const char *text,
			  struct lictor_hits *hits)
{
	uint32_t length = (uint32_t)strlen(text), at = below(LICTOR_TEXT_SIZE - LICTOR_PATH_MAX);

	memcpy(host->text + at, text, length);
	lictor_classify(&host->image, space, host->text, at, length, &host->work, hits);
}

/* What the kernel has of the strings: arguments, or an environment. Returns its length. */
static size_t sample_start(int field, const struct lictor_given *given, char *to)
{
	size_t length = 0;

	for (size_t i = 0; i < given->strings; i++) {
		const char *own = given->string[i].own;

		memcpy(to + length, own, strlen(own) + 1);
		length += strlen(own) + (field == LICTOR_FIELD_PROCESS_ENV);
	}
	for (size_t i = 0; field == LICTOR_FIELD_PROCESS_ARGS && i < length; i++)
		if (to[i] == ' ' && percent(70))
			to[i] = '\0';
	return length;
}

/* In pieces of any length, as far as they go. */
static void host_start(struct sample_host *host, enum lictor_space space, const char *text,
		       size_t length, struct lictor_hits *hits)
{
	struct lictor_reading reading = {
		.tables = &host->image, .text = host->text, .work = &host->work, .hits = hits,
		.entries = space == LICTOR_SPACE_ENV,
	};
	size_t most = percent(50) ? LICTOR_PATH_MAX : 1 + below(40);

	lictor_pieces_begin(&reading, space);
	while (length) {
		reading.start = below(LICTOR_TEXT_SIZE - LICTOR_PATH_MAX);
		reading.length = below((uint32_t)most + 1);
		if (reading.length > length)
			reading.length = (uint32_t)length;
		memcpy(host->text + reading.start, text, reading.length);
		lictor_pieces_read(&reading);
		text += reading.length;
		length -= reading.length;
	}
	lictor_pieces_end(&reading);
	lictor_hits_same(hits);
	if (space == LICTOR_SPACE_ENV)
		host->facts.repeated = host->work.repeated;
}

static void host_seen(struct sample_host *host, enum lictor_space space,
		      const struct lictor_seen *seen, struct lictor_hits *hits)
{
	struct lictor_hits other;

	host_classify(host, space, seen->own, hits);
	if (seen->hosts && seen->host[0] == seen->own)
		lictor_hits_same(hits);
	for (size_t i = 0; i < seen->hosts && seen->host[i] != seen->own; i++) {
		host_classify(host, space, seen->host[i], &other);
		lictor_hits_view(hits, &other);
	}
}

/* As bpf/subject.bpf.h does when a task is born. */
static void host_join(const struct sample_host *host, uint32_t atoms, uint8_t count,
		      const uint16_t *out, struct lictor_atoms *to)
{
	for (uint8_t i = 0; i < count; i++) {
		uint32_t at = atoms + out[i] * (uint32_t)sizeof(*to);
		const struct lictor_atoms *row = (const void *)(host->image.byte + at);

		for (size_t w = 0; w < LICTOR_ATOMS_MAX / 64; w++)
			to->bit[w] |= row->bit[w];
	}
}

static bool host_ancestors(struct sample_host *host, int field, const struct lictor_given *given)
{
	enum lictor_space space = lictor_field_words[field].space;
	const struct lictor_image *image = (const void *)host->image.byte;
	struct lictor_ancestors *set =
		&host->facts.ancestors[field == LICTOR_FIELD_ANCESTOR_NAME];
	bool known = true;

	memset(set, 0, sizeof(*set));
	for (size_t i = 0; i < given->strings; i++) {
		struct lictor_hits hits;

		host_seen(host, space, &given->string[i], &hits);
		known &= hits.state == LICTOR_PRESENT;
		if (!image->space[space].atoms)
			continue;
		host_join(host, image->space[space].atoms, hits.any, hits.any_out, &set->any);
		host_join(host, image->space[space].atoms, hits.sure, hits.sure_out, &set->sure);
	}
	return known;
}

static bool host_atoms_fit(const struct lictor_ancestors *set)
{
	int count = 0;

	for (size_t w = 0; w < LICTOR_ATOMS_MAX / 64; w++)
		count += __builtin_popcountll(set->any.bit[w]);
	return count <= (int)LICTOR_HITS_MAX;
}

static bool host_set_fits(const struct sample_host *host, int about, int field, uint64_t members)
{
	const struct lictor_image *image = (const void *)host->image.byte;
	const struct lictor_event_head *head = (const void *)(host->image.byte + image->event[about]);
	struct lictor_hits hits = { .state = LICTOR_PRESENT };

	for (uint32_t i = 0; i < head->fields; i++)
		if (head->field[i].field == field && head->field[i].kind == LICTOR_KIND_SET)
			for (uint32_t bit = 0; bit < 64; bit++)
				if (members >> bit & 1) {
					int out = lictor_find_number(&host->image,
								     head->field[i].table, bit);

					if (out)
						lictor_hit(&hits, (uint16_t)out);
				}
	return hits.state == LICTOR_PRESENT;
}

/* The event as facts; what overflows becomes unknown in the event, too. */
static void host_facts(struct sample_host *host, lictor_field_set wanted, struct sample_event *event)
{
	sample_values(event, &host->facts.v);
	if (lictor_instance_has_second(&event->instance))
		wanted |= LICTOR_FIELD_BIT(LICTOR_FIELD_FILE_TARGET_PATH);
	for (int f = 1; f < LICTOR_FIELDS; f++) {
		const struct lictor_given *given = &event->instance.field[f];
		int slot = sample_slot(f);
		bool fits = true;

		if (!(wanted >> f & 1))
			continue;
		if (is_ancestor(f) && given->state == LICTOR_PRESENT)
			fits = host_ancestors(host, f, given) &&
			       host_atoms_fit(&host->facts.ancestors[f == LICTOR_FIELD_ANCESTOR_NAME]);
		else if (lictor_field_words[f].type == LICTOR_TYPE_SET && given->state == LICTOR_PRESENT)
			fits = host_set_fits(host, event->instance.event, f, given->number);
		if (slot >= LICTOR_STRING_ARGS && slot <= LICTOR_STRING_ENV &&
		    given->state == LICTOR_PRESENT) {
			char *start = host->start[slot - LICTOR_STRING_ARGS];
			size_t length = sample_start(f, given, start);

			host->start_length[slot - LICTOR_STRING_ARGS] = length;
			host_start(host, lictor_field_words[f].space, start, length,
				   &host->facts.hits[slot]);
			fits = host->facts.hits[slot].state == LICTOR_PRESENT;
		} else if (slot < LICTOR_STRINGS && given->state == LICTOR_PRESENT) {
			host_seen(host, lictor_field_words[f].space, given->string,
				  &host->facts.hits[slot]);
			fits = host->facts.hits[slot].state == LICTOR_PRESENT;
		} else if (slot < LICTOR_STRINGS &&
			   (f == LICTOR_FIELD_FILE_TARGET_PATH ||
			    lictor_event_has_field(event->instance.event, f))) {
			host->facts.hits[slot].state = (uint8_t)given->state;
		}
		if (fits)
			continue;
		host->overflows++;
		sample_event_unknown(event, f);
		host->facts.v.state[f] = LICTOR_UNKNOWN;
	}
}

/* Sets bit r of ret_rules for each image rule r that matches. Returns false if one came twice. */
static bool host_match(struct sample_host *host, int about, uint32_t second, uint64_t *ret_rules)
{
	uint64_t seen[LICTOR_RULES_MAX / 64] = { 0 };
	uint32_t rule;

	lictor_match(&host->image, &host->image, (uint32_t)about, &host->facts, second, &host->work);
	while ((rule = lictor_next_rule(&host->image, (uint32_t)about, &host->work)) != ~0u) {
		if (seen[rule / 64] >> (rule % 64) & 1)
			return false;
		seen[rule / 64] |= 1ull << (rule % 64);
		ret_rules[rule / 64] |= 1ull << (rule % 64);
	}
	return true;
}

/* ---- telling ---- */

static void tell_seen(const struct lictor_given *given)
{
	for (size_t i = 0; i < given->strings; i++) {
		fprintf(stderr, " own '%s'", given->string[i].own);
		for (size_t h = 0; h < given->string[i].hosts; h++)
			fprintf(stderr, " host '%s'", given->string[i].host[h]);
	}
}

static void tell_event(const struct sample_event *event)
{
	static const char *const states[] = { "absent", "present", "unknown" };

	fprintf(stderr, "event %s\n", lictor_event_words[event->instance.event].name);
	for (int f = 1; f < LICTOR_FIELDS; f++) {
		const struct lictor_given *given = &event->instance.field[f];

		if (given->state == LICTOR_ABSENT)
			continue;
		fprintf(stderr, "  %s %s", lictor_field_words[f].name, states[given->state]);
		tell_seen(given);
		if (lictor_field_words[f].type == LICTOR_TYPE_ADDRESS)
			for (int i = 0; i < 16; i++)
				fprintf(stderr, "%s%02x", i % 2 ? "" : ":", given->address[i]);
		else if (!given->strings)
			fprintf(stderr, " %lu (0%lo)", (unsigned long)given->number,
				(unsigned long)given->number);
		fputc('\n', stderr);
	}
}

#pragma GCC diagnostic pop

#endif
