/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Patterns: a glob comes in; what is wrong with it, or the globs without braces that it stands
 * for, go out. Touches nothing but the arena that it is given.
 *
 *	?  [a-z]  [!a-z]	one byte; in a path not "/"
 *	*			any run; in a path without "/"
 *	**			any run
 *	{a,b}			either; may hold braces, to a depth of 4
 *	\x			the character x itself
 *
 * One byte, not one character: the kernel compares bytes, and a name need not be UTF-8. So only
 * ASCII may stand in brackets, and "{ä,ö}" says what "[äö]" cannot.
 */
#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "rules/tree.h"

#define BRACE_DEPTH_MAX	4u
#define EXPANDED_BYTES_MAX (1u << 20)
#define PATH_BYTES_MAX	(LICTOR_PATH_MAX - 1)

static int fault_at(struct lictor_pattern_fault *fault, size_t offset, const char *hint,
		    const char *format, ...) __attribute__((format(printf, 4, 5)));

static int fault_at(struct lictor_pattern_fault *fault, size_t offset, const char *hint,
		    const char *format, ...)
{
	va_list arguments;

	fault->offset = offset;
	fault->whole = false;
	va_start(arguments, format);
	vsnprintf(fault->text, sizeof(fault->text), format, arguments);
	va_end(arguments);
	snprintf(fault->hint, sizeof(fault->hint), "%s", hint ? hint : "");
	return -EINVAL;
}

static int fault_whole(struct lictor_pattern_fault *fault, const char *hint, const char *text)
{
	fault_at(fault, 0, hint, "%s", text);
	fault->whole = true;
	return -EINVAL;
}

/* ---- syntax ---- */

struct cursor {
	const char *pattern;
	size_t at;
	bool path;
	unsigned depth;
	struct lictor_pattern_fault *fault;
};

static int take_escape(struct cursor *cursor)
{
	if (!cursor->pattern[cursor->at + 1])
		return fault_at(cursor->fault, cursor->at, "write \\\\ for a backslash itself",
				"a backslash at the end escapes nothing");
	cursor->at += 2;
	return 0;
}

/* One character inside brackets, with its escape taken off. */
static int take_member(struct cursor *cursor, unsigned char *ret_member)
{
	const char *at = cursor->pattern + cursor->at;
	size_t start = cursor->at;
	unsigned char member;

	if (at[0] == '[' && at[1] && strchr(":.=", at[1]))
		return fault_at(cursor->fault, start, "write ranges, such as [a-z0-9]",
				"named character classes are not known");
	if (at[0] == '\\' && !at[1])
		return take_escape(cursor);
	cursor->at += at[0] == '\\' ? 2 : 1;
	member = (unsigned char)cursor->pattern[cursor->at - 1];
	if (member >= 0x80)
		return fault_at(cursor->fault, start, "write the characters as {a,b}",
				"brackets match one byte, and this character has several");
	if (member == '/' && cursor->path)
		return fault_at(cursor->fault, start, NULL,
				"brackets never match \"/\" in a path");
	*ret_member = member;
	return 0;
}

/* A member or a range of members. */
static int take_range(struct cursor *cursor)
{
	size_t start = cursor->at;
	unsigned char low = 0, high = 0;
	int error = take_member(cursor, &low);

	if (error || cursor->pattern[cursor->at] != '-' || !cursor->pattern[cursor->at + 1] ||
	    cursor->pattern[cursor->at + 1] == ']')
		return error;
	cursor->at++;
	error = take_member(cursor, &high);
	if (!error && low > high)
		return fault_at(cursor->fault, start, NULL, "the range %c-%c is empty", low, high);
	return error;
}

static int take_brackets(struct cursor *cursor)
{
	size_t start = cursor->at++;
	int error = 0;

	if (cursor->pattern[cursor->at] == '^')
		return fault_at(cursor->fault, cursor->at, "write [!...], or [\\^] for itself",
				"\"^\" at the beginning of brackets is ambiguous");
	if (cursor->pattern[cursor->at] == '!')
		cursor->at++;
	if (cursor->pattern[cursor->at] == ']')
		return fault_at(cursor->fault, start, "write \\] for a bracket inside brackets",
				"brackets with nothing in them");
	while (!error && cursor->pattern[cursor->at] != ']') {
		if (!cursor->pattern[cursor->at])
			return fault_at(cursor->fault, start, "write \\[ for a bracket itself",
					"\"[\" is not closed by \"]\"");
		error = take_range(cursor);
	}
	cursor->at++;
	return error;
}

static int take_braces(struct cursor *cursor);

static int take_one(struct cursor *cursor)
{
	switch (cursor->pattern[cursor->at]) {
	case '\\':
		return take_escape(cursor);
	case '[':
		return take_brackets(cursor);
	case '{':
		return take_braces(cursor);
	case ']':
	case '}':
		return fault_at(cursor->fault, cursor->at, "write a backslash in front of it if "
				"the character itself is meant",
				"\"%c\" closes nothing", cursor->pattern[cursor->at]);
	default:
		cursor->at++;
		return 0;
	}
}

static int take_braces(struct cursor *cursor)
{
	size_t start = cursor->at++;
	unsigned commas = 0;
	int error = 0;

	if (cursor->depth++ == BRACE_DEPTH_MAX)
		return fault_at(cursor->fault, start, NULL, "braces more than %u deep",
				BRACE_DEPTH_MAX);
	while (!error && cursor->pattern[cursor->at] != '}') {
		if (!cursor->pattern[cursor->at])
			return fault_at(cursor->fault, start, "write \\{ for a brace itself",
					"\"{\" is not closed by \"}\"");
		if (cursor->pattern[cursor->at] == ',') {
			commas++;
			cursor->at++;
		} else {
			error = take_one(cursor);
		}
	}
	if (error)
		return error;
	cursor->at++;
	cursor->depth--;
	if (!commas)
		return fault_at(cursor->fault, start, "write {a,b}, or \\{ for a brace itself",
				"braces without alternatives");
	return 0;
}

static int check_syntax(const char *pattern, bool path, struct lictor_pattern_fault *fault)
{
	struct cursor cursor = { .pattern = pattern, .path = path, .fault = fault };
	int error = 0;

	while (!error && pattern[cursor.at])
		error = take_one(&cursor);
	return error;
}

/* ---- expansion ---- */

struct expansion {
	struct lictor_arena *arena;
	const char **pattern;
	size_t count;
	size_t bytes; /* of all texts made on the way */
};

/* The byte behind the piece at `at`: of a valid pattern, so that everything is closed. */
static size_t skip_piece(const char *pattern, size_t at)
{
	size_t depth = 0;

	if (pattern[at] == '\\')
		return at + 2;
	if (pattern[at] == '[') {
		for (at++; pattern[at] != ']'; at++)
			at += pattern[at] == '\\';
		return at + 1;
	}
	if (pattern[at] != '{')
		return at + 1;
	do {
		depth += pattern[at] == '{';
		depth -= pattern[at] == '}';
		at = pattern[at] == '{' || pattern[at] == '}' ? at + 1 : skip_piece(pattern, at);
	} while (depth);
	return at;
}

static size_t find_braces(const char *pattern)
{
	size_t at = 0;

	while (pattern[at] && pattern[at] != '{')
		at = skip_piece(pattern, at);
	return at;
}

static int expand(struct expansion *expansion, const char *pattern);

/* The pattern with the braces from open to close replaced by one of their alternatives. */
static int expand_alternative(struct expansion *expansion, const char *pattern, size_t open,
			      const char *text, size_t length, size_t close)
{
	size_t tail = strlen(pattern + close);
	char *whole = lictor_arena_get(expansion->arena, open + length + tail + 1);

	expansion->bytes += open + length + tail + 1;
	if (!whole)
		return -ENOMEM;
	if (expansion->bytes > EXPANDED_BYTES_MAX)
		return -E2BIG;
	memcpy(whole, pattern, open);
	memcpy(whole + open, text, length);
	memcpy(whole + open + length, pattern + close, tail);
	return expand(expansion, whole);
}

/* Every call that recurses at least doubles the count, so the depth is bounded by its limit. */
static int expand(struct expansion *expansion, const char *pattern)
{
	size_t open = find_braces(pattern), close, begin = open + 1, at = begin;
	int error = 0;

	if (!pattern[open]) {
		if (expansion->count == LICTOR_PATTERN_EXPANSIONS_MAX)
			return -E2BIG;
		expansion->pattern[expansion->count++] = pattern;
		return 0;
	}
	close = skip_piece(pattern, open);
	while (!error && at < close) {
		if (pattern[at] != ',' && at != close - 1) {
			at = skip_piece(pattern, at);
			continue;
		}
		error = expand_alternative(expansion, pattern, open, pattern + begin, at - begin,
					   close);
		begin = ++at;
	}
	return error;
}

static int expand_valid(const char *pattern, struct lictor_arena *arena, size_t *ret_count,
			const char *const **ret)
{
	struct expansion expansion = { .arena = arena };
	size_t room = pattern[find_braces(pattern)] ? LICTOR_PATTERN_EXPANSIONS_MAX : 1;
	int error;

	expansion.pattern = lictor_arena_get(arena, room * sizeof(*expansion.pattern));
	if (!expansion.pattern)
		return -ENOMEM;
	error = expand(&expansion, pattern);
	if (error)
		return error;
	*ret_count = expansion.count;
	*ret = expansion.pattern;
	return 0;
}

int lictor_pattern_expand(const char *pattern, struct lictor_arena *arena, size_t *ret_count,
			  const char *const **ret)
{
	struct lictor_pattern_fault fault;
	int error = check_syntax(pattern, false, &fault);

	if (!error)
		error = expand_valid(pattern, arena, ret_count, ret);
	return error == -E2BIG ? -EINVAL : error;
}

/* ---- what a pattern can match, braces expanded ---- */

/* "." and "..", with or without escapes; with a wildcard it is something else. */
static bool is_dots(const char *component, size_t length)
{
	size_t dots = 0;

	for (size_t i = 0; i < length; i++, dots++) {
		if (component[i] == '\\')
			i++;
		if (component[i] != '.' || dots == 2)
			return false;
	}
	return dots;
}

static int check_component(const char *component, size_t length, size_t offset,
			   struct lictor_pattern_fault *fault)
{
	static const char hint[] = "paths are matched as the kernel resolves them: without \"//\", "
				   "\"/./\", \"/../\" and a slash at the end";

	if (!length && !component[0])
		return fault_at(fault, offset ? offset - 1 : 0, hint,
				"no path ends in a slash: this can never match");
	if (!length)
		return fault_at(fault, offset, hint, "no path has \"//\": this can never match");
	if (is_dots(component, length))
		return fault_at(fault, offset, hint, "no path has \"/%.*s\": this can never match",
				(int)length, component);
	return 0;
}

static int check_components(const char *pattern, struct lictor_pattern_fault *fault)
{
	size_t at = pattern[0] == '/' ? 1 : !strncmp(pattern, "\\/", 2) ? 2 : 0, begin = at;
	int error = 0;

	if (!pattern[at])
		return 0; /* "/" alone */
	while (!error) {
		while (pattern[at] && pattern[at] != '/') {
			/* An escaped slash is a slash. */
			if (pattern[at] == '\\' && pattern[at + 1] == '/')
				break;
			at = skip_piece(pattern, at);
		}
		error = check_component(pattern + begin, at - begin, begin, fault);
		if (!pattern[at])
			break;
		at += pattern[at] == '\\' ? 2 : 1;
		begin = at;
	}
	return error;
}

size_t pattern_least(const char *pattern)
{
	size_t length = 0;

	if (pattern[find_braces(pattern)])
		return 0;
	for (size_t at = 0; pattern[at]; at = skip_piece(pattern, at))
		length += pattern[at] != '*';
	return length;
}

static int check_path(const char *pattern, struct lictor_pattern_fault *fault)
{
	if (pattern[0] != '/' && strncmp(pattern, "**", 2) && strncmp(pattern, "\\/", 2))
		return fault_at(fault, 0, pattern[0] == '*' ? "write \"**\" for any directory" :
				"write it from \"/\" on, or begin with \"**\"",
				"a path begins with \"/\" or \"**\"");
	if (pattern_least(pattern) > PATH_BYTES_MAX)
		return fault_whole(fault, NULL, "no path is longer than 4095 bytes: "
						"this can never match");
	return check_components(pattern, fault);
}

static int check_expanded(const char *pattern, bool path, struct lictor_pattern_fault *fault)
{
	for (size_t at = 0; pattern[at]; at = skip_piece(pattern, at))
		if (!strncmp(pattern + at, "***", 3))
			return fault_at(fault, at, "\"*\" stops at a slash, \"**\" does not",
					"more than two asterisks");
	return path ? check_path(pattern, fault) : 0;
}

/* What is wrong only with an expansion has no place in the pattern: name the expansion. */
static int check_expansions(const char *pattern, bool path, size_t *ret_expansions,
			    struct lictor_pattern_fault *fault)
{
	OWNED(arena_done) struct lictor_arena *arena = lictor_arena_new();
	const char *const *expanded;
	size_t count = 0;
	int error = arena ? expand_valid(pattern, arena, &count, &expanded) : -ENOMEM;

	if (error == -E2BIG)
		return fault_whole(fault, "write a list of shorter patterns",
				   "these braces stand for more than 1024 patterns or 1 MiB");
	for (size_t i = 0; !error && i < count; i++) {
		struct lictor_pattern_fault inner;

		error = check_expanded(expanded[i], path, &inner);
		if (!error)
			continue;
		fault_at(fault, 0, inner.hint, "%.120s: as \"%.*s\"", inner.text,
			 SHOWN(expanded[i]));
		fault->whole = true;
	}
	if (!error)
		*ret_expansions = count;
	return error;
}

int lictor_pattern_check(const char *pattern, bool path, size_t *ret_expansions,
			 struct lictor_pattern_fault *ret_fault)
{
	int error = check_syntax(pattern, path, ret_fault);

	if (error)
		return error;
	if (pattern[find_braces(pattern)])
		return check_expansions(pattern, path, ret_expansions, ret_fault);
	error = check_expanded(pattern, path, ret_fault);
	if (!error)
		*ret_expansions = 1;
	return error;
}
