/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Words: a text and a field with named values come in, the value goes out, or what may have been
 * meant: the same name in other letters or as a C header has it, names that it is part of, the
 * nearest one. Names are taken as they are written in lictor-rules(5) only. Touches nothing.
 */
#include <ctype.h>
#include <string.h>

#include "rules/check.h"

#define VALUES 64u	/* numbers of ENUM values and bits of SETs are below it */
#define SHOWN_MOST 8u

/* What others call it. */
static const struct { int field; const char *other; const char *name; } aliases[] = {
	{ LICTOR_FIELD_SOCKET_FAMILY, "inet", "ipv4" },
	{ LICTOR_FIELD_SOCKET_FAMILY, "inet6", "ipv6" },
	{ LICTOR_FIELD_SOCKET_FAMILY, "local", "unix" },
	{ LICTOR_FIELD_SOCKET_TYPE, "datagram", "dgram" },
	{ LICTOR_FIELD_SIGNAL_NAME, "poll", "SIGIO" },
	{ LICTOR_FIELD_SIGNAL_NAME, "iot", "SIGABRT" },
	{ LICTOR_FIELD_SIGNAL_NAME, "rtmin", "SIGRT" },
	{ LICTOR_FIELD_SIGNAL_NAME, "rtmax", "SIGRT" },
	{ LICTOR_FIELD_NAMESPACE_TYPES, "newns", "mnt" },
	{ LICTOR_FIELD_NAMESPACE_TYPES, "mount", "mnt" },
	{ LICTOR_FIELD_NAMESPACE_TYPES, "network", "net" },
	{ LICTOR_FIELD_MOUNT_FLAGS, "ro", "readonly" },
	{ LICTOR_FIELD_MOUNT_FLAGS, "rdonly", "readonly" },
	{ LICTOR_FIELD_MOUNT_FLAGS, "lazy", "detach" },
	{ LICTOR_FIELD_MODULE_OPERATION, "insert", "load" },
	{ LICTOR_FIELD_MODULE_OPERATION, "remove", "unload" },
};

static char fold(char c)
{
	return c == '-' ? '_' : (char)tolower((unsigned char)c);
}

static bool same(const char *a, const char *b, size_t length)
{
	size_t i = 0;

	while (i < length && fold(a[i]) == fold(b[i]))
		i++;
	return i == length;
}

/* CAP_SYS_ADMIN ends in sys_admin, SOCK_RAW in raw, SIGKILL in kill; whole words only. */
static bool ends_in(const char *longer, const char *shorter)
{
	size_t a = strlen(longer), b = strlen(shorter);

	if (b < 2 || a < b || !same(longer + a - b, shorter, b))
		return false;
	return a == b || longer[a - b - 1] == '_' || (a - b == 3 && same(longer, "sig", 3));
}

static bool contains(const char *longer, const char *shorter)
{
	size_t a = strlen(longer), b = strlen(shorter);

	for (size_t i = 0; b > 2 && i + b <= a; i++)
		if (same(longer + i, shorter, b))
			return true;
	return false;
}

static bool by_number(int field, const char *text, const char *name)
{
	const char *end;
	uint32_t number;

	return number_read(text, &end, &number) && !*end && number < VALUES &&
	       lictor_value_name(field, number) == name;
}

static bool by_form(int field, const char *text, const char *name)
{
	(void)field;
	return ends_in(name, text) || ends_in(text, name);
}

static bool by_alias(int field, const char *text, const char *name)
{
	for (size_t i = 0; i < sizeof(aliases) / sizeof(*aliases); i++)
		if (aliases[i].field == field && !strcmp(aliases[i].name, name) &&
		    ends_in(text, aliases[i].other))
			return true;
	return false;
}

static bool by_part(int field, const char *text, const char *name)
{
	(void)field;
	return contains(name, text) || contains(text, name);
}

static bool by_any(int field, const char *text, const char *name)
{
	(void)field;
	(void)text;
	return name;
}

/* "did you mean", or "one of", for the names that it may be by this measure; NULL for none. */
static const char *hint_by(bool (*may_be)(int field, const char *text, const char *name),
			   int field, const char *text, char *buffer, size_t size)
{
	size_t length = (size_t)snprintf(buffer, size, "one of"), count = 0;
	const char *only = NULL;

	for (uint32_t value = 0; value < VALUES; value++) {
		const char *name = lictor_value_name(field, value);

		if (!name || !may_be(field, text, name))
			continue;
		only = name;
		count++;
		if (length < size)
			length += (size_t)snprintf(buffer + length, size - length, " %s", name);
	}
	if (!count || length >= size || (count > SHOWN_MOST && may_be != by_any))
		return NULL;
	if (count == 1)
		snprintf(buffer, size, "did you mean \"%s\"?", only);
	return buffer;
}

static const char *hint_nearest(int field, const char *text, char *buffer, size_t size)
{
	struct nearest nearest = nearest_to(text);

	for (uint32_t value = 0; value < VALUES; value++)
		if (lictor_value_name(field, value))
			nearest_try(&nearest, lictor_value_name(field, value));
	return nearest_hint(&nearest, buffer, size, NULL);
}

const char *word_hint(int field, const char *text, char *buffer, size_t size)
{
	const char *hint = hint_by(by_number, field, text, buffer, size);

	if (!hint)
		hint = hint_by(by_form, field, text, buffer, size);
	if (!hint)
		hint = hint_by(by_alias, field, text, buffer, size);
	if (!hint)
		hint = hint_nearest(field, text, buffer, size);
	if (!hint)
		hint = hint_by(by_part, field, text, buffer, size);
	if (!hint)
		hint = hint_by(by_any, field, text, buffer, size);
	return hint ? hint : "lictor-rules(5) lists them";
}

int word_check(struct check *check, int field, const struct node *node,
	       struct lictor_value *ret_value)
{
	int number = lictor_value_find(field, node->text);
	char hint[200];

	if (number >= 0) {
		ret_value->range.low = ret_value->range.high = (uint32_t)number;
		return 0;
	}
	return value_error(check, node_place(node),
			   diags_show_next(check->diags) ?
			   word_hint(field, node->text, hint, sizeof(hint)) : NULL,
			   "\"%.*s\" is no value of \"%s\"", SHOWN(node->text),
			   lictor_field_words[field].name);
}
