/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Values: a scalar and the field that it stands under come in, a value of the field's type goes
 * out. The field decides what a scalar means; how YAML would read it, and whether it is quoted,
 * never does. Touches nothing.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "rules/check.h"


/* A list may be read for several fields, and by way of several other lists. */
static bool was_said(const struct check *check, struct lictor_place place)
{
	for (size_t i = 0; check->list_used && i < check->diags->count; i++) {
		const struct lictor_diag *diag = &check->diags->diag[i];

		if (diag->kind == LICTOR_DIAG_ERROR && diag->place.file == place.file &&
		    diag->place.line == place.line && diag->place.column == place.column)
			return true;
	}
	return false;
}

int value_error(struct check *check, struct lictor_place place, const char *hint,
		const char *format, ...)
{
	const struct lictor_predicate *by = check->used_by;
	char text[512], from[256] = "";
	va_list arguments;

	if (!diags_show_next(check->diags)) { /* counted only: there may be a million */
		lictor_diag_error(check->diags, place, NULL, " ");
		return -EINVAL;
	}
	if (was_said(check, place))
		return -EINVAL;
	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	if (check->list_used)
		snprintf(from, sizeof(from), ", as \"%s\" at %.120s:%u needs it",
			 lictor_field_words[by->field].name,
			 check->diags->source[by->place.file].name, by->place.line);
	lictor_diag_error(check->diags, place, hint, "%s%s", text, from);
	return -EINVAL;
}

unsigned value_sort(int field)
{
	const struct lictor_field_word *word = &lictor_field_words[field];

	switch (word->type) {
	case LICTOR_TYPE_TEXT: /* arguments have lengths of their own */
		return word->space == LICTOR_SPACE_ARGUMENT ? 200 + (unsigned)field :
							      100 + word->space;
	case LICTOR_TYPE_ENUM:
	case LICTOR_TYPE_SET:
		return 200 + (unsigned)field;
	case LICTOR_TYPE_PATH:
	case LICTOR_TYPE_NUMBER:
	case LICTOR_TYPE_ADDRESS:
	case LICTOR_TYPE_PORT:
	case LICTOR_TYPE_USER:
	case LICTOR_TYPE_GROUP:
	case LICTOR_TYPE_FLAG:
	case LICTOR_TYPE_MODE:
		break;
	}
	return word->type;
}

/* ---- numbers ---- */

bool number_read(const char *text, const char **ret_end, uint32_t *ret_number)
{
	uint64_t number = 0;
	const char *at = text;

	for (; *at >= '0' && *at <= '9' && number <= UINT32_MAX; at++)
		number = number * 10 + (uint64_t)(*at - '0');
	if (at == text || number > UINT32_MAX || (text[0] == '0' && at - text > 1))
		return false;
	*ret_end = at;
	*ret_number = (uint32_t)number;
	return true;
}

static const char *hint_number(const char *text, char *buffer, size_t size)
{
	size_t digits = strspn(text, "0123456789");
	bool hex = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
	char *end;
	unsigned long long number;

	if (digits > 1 && text[0] == '0' && !text[digits])
		return "write it in decimal, without zeros in front";
	if (digits && !text[digits])
		return "the largest number is 4294967295";
	errno = 0;
	number = hex ? strtoull(text, &end, 16) : 0;
	if (!hex || *end || errno || number > UINT32_MAX)
		return "write a decimal number, or a range such as 10-20";
	snprintf(buffer, size, "in decimal it is %llu", number);
	return buffer;
}

static int number_check(struct check *check, const struct node *node, uint32_t most,
			struct lictor_value *ret_value)
{
	const char *what = most == UINT32_MAX ? "number" : "port", *end;
	uint32_t low, high;
	char hint[80];
	bool read = number_read(node->text, &end, &low);

	high = low;
	if (read && *end == '-')
		read = number_read(end + 1, &end, &high);
	if (!read || *end)
		return value_error(check, node_place(node),
				   hint_number(node->text, hint, sizeof(hint)),
				   "\"%.*s\" is not a %s", SHOWN(node->text), what);
	if (high > most)
		return value_error(check, node_place(node), NULL, "the largest %s is %u", what,
				   most);
	snprintf(hint, sizeof(hint), "write %u-%u", high, low);
	if (low > high)
		return value_error(check, node_place(node), hint,
				   "the range %u-%u is empty", low, high);
	ret_value->range.low = low;
	ret_value->range.high = high;
	return 0;
}

/* ---- words ---- */

static int flag_check(struct check *check, const struct node *node, struct lictor_value *ret_value)
{
	static const char *const yes[] = { "yes", "on", "1", "True", "TRUE", "y" };
	static const char *const no[] = { "no", "off", "0", "False", "FALSE", "n" };
	const char *hint = NULL;

	for (size_t i = 0; i < sizeof(yes) / sizeof(*yes); i++) {
		if (!strcmp(node->text, yes[i]))
			hint = "did you mean \"true\"?";
		if (!strcmp(node->text, no[i]))
			hint = "did you mean \"false\"?";
	}
	if (strcmp(node->text, "true") && strcmp(node->text, "false"))
		return value_error(check, node_place(node), hint,
				   "\"%.*s\" is neither \"true\" nor \"false\"",
				   SHOWN(node->text));
	ret_value->range.low = ret_value->range.high = node->text[0] == 't';
	return 0;
}

/* ---- permission bits ---- */

static int mode_check(struct check *check, const struct node *node, struct lictor_value *ret_value)
{
	bool exact = node->text[0] != '-' && node->text[0] != '/';
	const char *digits = node->text + !exact;
	size_t length = strspn(digits, "01234567");
	unsigned long bits = strtoul(digits, NULL, 8);

	if (digits[length] || length < (exact ? 3 : 1) || length > 5 || bits > 07777)
		return value_error(check, node_place(node),
				   "octal digits: 0644 exactly, -4000 all of these bits, "
				   "/6000 any of these bits",
				   "\"%.*s\" is not a file mode", SHOWN(node->text));
	if (!exact && !bits)
		return value_error(check, node_place(node), NULL,
				   "\"%s\" names no bit: it matches %s", node->text,
				   node->text[0] == '-' ? "everything" : "nothing");
	ret_value->mode.bits = (uint16_t)bits;
	ret_value->mode.op = exact ? '=' : node->text[0];
	return 0;
}

/* ---- patterns ---- */

static int count_expansions(struct check *check, const struct node *node, size_t expansions)
{
	if (check->expansions > EXPANSIONS_MAX)
		return -EINVAL; /* said before */
	if (expansions > 1)
		check->expansions += expansions;
	if (check->expansions <= EXPANSIONS_MAX)
		return 0;
	return value_error(check, node_place(node), NULL,
			   "the braces of all patterns stand for more than %u patterns",
			   EXPANSIONS_MAX);
}

/* What the kernel keeps of a text has an end. */
static const struct { int field; size_t most; } lengths[] = {
	{ LICTOR_FIELD_PROCESS_NAME, 15 },  { LICTOR_FIELD_PARENT_NAME, 15 },
	{ LICTOR_FIELD_ANCESTOR_NAME, 15 }, { LICTOR_FIELD_TARGET_NAME, 15 },
	{ LICTOR_FIELD_DESTINATION_PATH, 108 }, /* sockaddr_un */
	{ LICTOR_FIELD_MODULE_NAME, 55 },   { LICTOR_FIELD_HOST_HOSTNAME, 64 },
	{ LICTOR_FIELD_HOST_DOMAIN, 64 },
};

static int text_length_check(struct check *check, int field, const struct node *node)
{
	bool name = lictor_field_words[field].space == LICTOR_SPACE_NAME;
	size_t most = SIZE_MAX;
	char hint[80];

	for (size_t i = 0; i < sizeof(lengths) / sizeof(*lengths); i++)
		if (lengths[i].field == field)
			most = lengths[i].most;
	if (pattern_least(node->text) <= most)
		return 0;
	snprintf(hint, sizeof(hint), "the kernel keeps the first 15: \"%.15s\"", node->text);
	return value_error(check, node_place(node), name ? hint : NULL,
			   "\"%s\" has at most %zu bytes: this can never match",
			   lictor_field_words[field].name, most);
}

/* A pattern may be anything; what is none, and no digest, would never match. */
static int digest_check(struct check *check, const struct node *node)
{
	static const struct { const char *algorithm; size_t digits; } known[] = {
		{ "sha256:", 64 }, { "sha512:", 128 },
	};

	if (!node->text[0] || strpbrk(node->text, "*?[{\\"))
		return 0;
	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++) {
		size_t length = strlen(known[i].algorithm);
		const char *digits = node->text + length;

		if (!strncmp(node->text, known[i].algorithm, length) &&
		    strlen(digits) == known[i].digits &&
		    strspn(digits, "0123456789abcdef") == known[i].digits)
			return 0;
	}
	return value_error(check, node_place(node),
			   "sha256: and 64 digits 0-9 and a-f (sha512: 128), as \"fsverity digest\" "
			   "writes it, or a pattern", "\"%.*s\" is no digest of fs-verity",
			   SHOWN(node->text));
}

static int pattern_value_check(struct check *check, int field, const struct node *node)
{
	bool path = lictor_field_words[field].type == LICTOR_TYPE_PATH;
	struct lictor_pattern_fault fault;
	size_t expansions;
	int error;

	if (check->expansions > EXPANSIONS_MAX && strchr(node->text, '{'))
		return -EINVAL; /* said before; each may cost a millisecond */
	error = lictor_pattern_check(node->text, path, &expansions, &fault);

	if (error == -ENOMEM)
		return check->error = error;
	if (error)
		return value_error(check,
				   fault.whole ? node_place(node) :
						 node_place_at(node, fault.offset),
				   fault.hint[0] ? fault.hint : NULL, "%s", fault.text);
	error = count_expansions(check, node, expansions);
	if (!error && field == LICTOR_FIELD_FILE_FSVERITY)
		error = digest_check(check, node);
	return error ? error : text_length_check(check, field, node);
}

int value_check(struct check *check, int field, const struct node *node,
		struct lictor_value *ret_value)
{
	*ret_value = (struct lictor_value){ .place = node_place(node), .text = node->text };
	switch (lictor_field_words[field].type) {
	case LICTOR_TYPE_PATH:
	case LICTOR_TYPE_TEXT:
		return pattern_value_check(check, field, node);
	case LICTOR_TYPE_NUMBER:
		return number_check(check, node, UINT32_MAX, ret_value);
	case LICTOR_TYPE_PORT:
		return number_check(check, node, UINT16_MAX, ret_value);
	case LICTOR_TYPE_ADDRESS:
		return address_check(check, node, ret_value);
	case LICTOR_TYPE_USER:
		return name_check(check, false, node, ret_value);
	case LICTOR_TYPE_GROUP:
		return name_check(check, true, node, ret_value);
	case LICTOR_TYPE_FLAG:
		return flag_check(check, node, ret_value);
	case LICTOR_TYPE_ENUM:
	case LICTOR_TYPE_SET:
		return word_check(check, field, node, ret_value);
	case LICTOR_TYPE_MODE:
		return mode_check(check, node, ret_value);
	}
	return -EINVAL;
}
