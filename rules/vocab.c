/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The vocabulary: vocab.tab made into tables and look-ups. Words come in, numbers go out, and the
 * other way round. Touches nothing.
 */
#include <string.h>

#include "rules/rules.h"

/* An event is of some groups, a field belongs to some: it exists where they meet. */
enum {
	G_NONE = 1 << 0, G_FILE = 1 << 1, G_TARGET = 1 << 2, G_NET = 1 << 3, G_SOCKET = 1 << 4,
	G_TASK = 1 << 5, G_PTRACE = 1 << 6, G_SIGNAL = 1 << 7, G_EXIT = 1 << 8, G_SETUID = 1 << 9,
	G_SETGID = 1 << 10, G_CAPSET = 1 << 11, G_NAMESPACE = 1 << 12, G_MOUNT = 1 << 13,
	G_MODULE = 1 << 14, G_BPF = 1 << 15, G_PERF = 1 << 16, G_SETTIME = 1 << 17,
	G_HOSTNAME = 1 << 18, G_SYSCTL = 1 << 19, G_IO_URING = 1 << 20, G_DUP = 1 << 21,
	G_CODE = 1 << 22, G_ALL = (1 << 23) - 1
};
enum { DENY_NO, DENY_YES, DENY_MOSTLY };
enum { TRUST_FIXED, TRUST_FORGED };

const struct lictor_event_word lictor_event_words[LICTOR_EVENTS] = {
#define EVENT(id, name, groups, deny, doc)                                                  \
	[LICTOR_EVENT_##id] = { name, groups, DENY_##deny, doc },
#include "rules/vocab.tab"
};

const struct lictor_field_word lictor_field_words[LICTOR_FIELDS] = {
#define FIELD(id, name, type, space, groups, trust, doc)                                    \
	[LICTOR_FIELD_##id] = { name,   LICTOR_TYPE_##type, LICTOR_SPACE_##space,                  \
				groups, TRUST_##trust,	    doc },
#include "rules/vocab.tab"
};

const char *const lictor_action_words[LICTOR_ACTIONS] = {
	[LICTOR_ACTION_ALERT] = "alert",
	[LICTOR_ACTION_SIGNAL] = "signal",
	[LICTOR_ACTION_BLOCK] = "block",
	[LICTOR_ACTION_KILL] = "kill",
};

const char *const lictor_severity_words[8] = {
	[2] = "critical", [3] = "high", [4] = "warning", [5] = "notice",
	[6] = "info",	  [7] = "debug",
};

static const struct { int field; const char *name; uint32_t value; } named_values[] = {
#define NAME(field, name, value) { LICTOR_FIELD_##field, name, value },
#include "rules/vocab.tab"
};

#define NAMED_VALUES (sizeof(named_values) / sizeof(*named_values))

static const struct { const char *name; uint64_t events; } shorthands[] = {
#define SHORTHAND(name, events) { name, events },
#include "rules/vocab.tab"
};

#define SHORTHANDS (sizeof(shorthands) / sizeof(*shorthands))

int lictor_event_find(const char *name)
{
	for (int event = 0; event < LICTOR_EVENTS; event++)
		if (!strcmp(lictor_event_words[event].name, name))
			return event;
	return -1;
}

#define ENVIRONMENT "process.env."

const char *lictor_field_variable(const char *name)
{
	static const char letters[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";

	if (strncmp(name, ENVIRONMENT, strlen(ENVIRONMENT)))
		return NULL;
	name += strlen(ENVIRONMENT);
	return *name && !name[strspn(name, letters)] ? name : NULL;
}

int lictor_field_find(const char *name)
{
	if (!strncmp(name, ENVIRONMENT, strlen(ENVIRONMENT)))
		return LICTOR_FIELD_PROCESS_ENV;
	for (int field = LICTOR_FIELD_NONE + 1; field < LICTOR_FIELDS; field++)
		if (!strcmp(lictor_field_words[field].name, name))
			return field;
	return -1;
}

uint64_t lictor_event_set(const char *word)
{
	int event = lictor_event_find(word);

	if (event >= 0)
		return 1ULL << event;
	for (size_t i = 0; i < SHORTHANDS; i++)
		if (!strcmp(shorthands[i].name, word))
			return shorthands[i].events;
	return 0;
}

const char *lictor_shorthand_name(size_t i)
{
	return i < SHORTHANDS ? shorthands[i].name : NULL;
}

bool lictor_event_has_field(int event, int field)
{
	return lictor_event_words[event].groups & lictor_field_words[field].groups;
}

const char *lictor_value_name(int field, uint32_t value)
{
	for (size_t i = 0; i < NAMED_VALUES; i++)
		if (named_values[i].field == field && named_values[i].value == value)
			return named_values[i].name;
	return NULL;
}

int lictor_value_find(int field, const char *name)
{
	for (size_t i = 0; i < NAMED_VALUES; i++)
		if (named_values[i].field == field && !strcmp(named_values[i].name, name))
			return (int)named_values[i].value;
	return -1;
}
