/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Formatting: an alert comes in, its record as one JSON object in the shape of ECS 9.4 goes out.
 * A record is a list of members in order of their dotted names: every field of the vocabulary, and
 * the tables of the other json-*.c. Touches nothing.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "output/json.h"
#include "output/words.h"

/*
 * Which fields ECS has too. A field that is not here is ours: a strict ECS schema refuses it at its
 * own place, so it is written under its name inside `lictor`. KEYWORD: ECS wants the number as text.
 * ECS has host.hostname and host.domain, but as the host that tells; a name that a process sets, of
 * its own UTS namespace perhaps, must not stand there.
 */
enum place { OURS, ECS, ECS_KEYWORD };

static const enum place place[LICTOR_FIELDS] = {
	[LICTOR_FIELD_PROCESS_EXECUTABLE] = ECS,
	[LICTOR_FIELD_PROCESS_NAME] = ECS,
	[LICTOR_FIELD_PROCESS_PID] = ECS,
	[LICTOR_FIELD_PARENT_EXECUTABLE] = ECS,
	[LICTOR_FIELD_PARENT_NAME] = ECS,
	[LICTOR_FIELD_PROCESS_CWD] = ECS,
	[LICTOR_FIELD_PROCESS_INTERACTIVE] = ECS,
	[LICTOR_FIELD_USER_NAME] = ECS,
	[LICTOR_FIELD_USER_ID] = ECS_KEYWORD,
	[LICTOR_FIELD_USER_EFFECTIVE_NAME] = ECS,
	[LICTOR_FIELD_USER_EFFECTIVE_ID] = ECS_KEYWORD,
	[LICTOR_FIELD_USER_TARGET_NAME] = ECS,
	[LICTOR_FIELD_USER_TARGET_ID] = ECS_KEYWORD,
	[LICTOR_FIELD_GROUP_NAME] = ECS,
	[LICTOR_FIELD_GROUP_ID] = ECS_KEYWORD,
	[LICTOR_FIELD_SERVICE_NAME] = ECS,
	[LICTOR_FIELD_CONTAINER_ID] = ECS,
	[LICTOR_FIELD_FILE_PATH] = ECS,
	[LICTOR_FIELD_FILE_TARGET_PATH] = ECS,
	[LICTOR_FIELD_FILE_TYPE] = ECS,
	[LICTOR_FIELD_FILE_OWNER] = ECS,
	[LICTOR_FIELD_FILE_MODE] = ECS,
	[LICTOR_FIELD_DESTINATION_IP] = ECS,
	[LICTOR_FIELD_DESTINATION_PORT] = ECS,
	[LICTOR_FIELD_SOURCE_IP] = ECS,
	[LICTOR_FIELD_SOURCE_PORT] = ECS,
	[LICTOR_FIELD_NETWORK_TRANSPORT] = ECS,
	[LICTOR_FIELD_NETWORK_TYPE] = ECS,
	[LICTOR_FIELD_EXIT_CODE] = ECS,
};

/* The names that fields have inside `lictor`. */
static const char *const ours[LICTOR_FIELDS] = {
#define FIELD(id, name, type, space, groups, trust, doc) \
	[LICTOR_FIELD_##id] = "lictor." name,
#include "rules/vocab.tab"
};

static const char *name_of(unsigned field)
{
	/* In ECS `process.args` is the array of them. */
	if (field == LICTOR_FIELD_PROCESS_ARGS)
		return "process.command_line";
	return place[field] != OURS ? lictor_field_names[field].name : ours[field];
}

static void write_set(struct lictor_object *object, const char *name, unsigned field,
		      uint64_t bits)
{
	struct lictor_array array = lictor_array_begin(object, name);

	for (uint32_t bit = 0; bit < 64; bit++) {
		char number[16];
		const char *word = lictor_word_value(field, bit);

		if (!(bits >> bit & 1))
			continue;
		snprintf(number, sizeof(number), "%u", bit);
		lictor_array_add(&array, word ? word : number);
	}
	lictor_array_end(&array);
}

/* Everything else is a text that reads as in a rule. */
static void write_worded(struct lictor_object *object, const char *name,
			 const struct lictor_alert *alert, unsigned field)
{
	lictor_object_name(object, name);
	lictor_line_text(object->line, "\"");
	lictor_line_field(object->line, alert, field);
	lictor_line_text(object->line, "\"");
}

static void write_user(struct lictor_object *object, const char *name,
		       const struct lictor_alert *alert, unsigned field)
{
	const char *known = lictor_alert_name(alert, field);

	if (known)
		lictor_object_text(object, name, known);
	else if (lictor_alert_number(alert, field) != UINT32_MAX)
		lictor_object_printf(object, name, "%llu",
				     (unsigned long long)lictor_alert_number(alert, field));
}

static void write_field(struct lictor_object *object, const struct lictor_member *member,
			const struct lictor_told *told)
{
	const struct lictor_alert *alert = told->alert;
	unsigned field = member->field;
	uint64_t number = lictor_alert_number(alert, field);

	if (!lictor_alert_has(alert, field))
		return;
	switch (lictor_field_names[field].sort) {
	case LICTOR_SORT_PATH:
	case LICTOR_SORT_TEXT:
		lictor_object_bytes(object, member->name, &alert->text[field]);
		break;
	case LICTOR_SORT_USER:
	case LICTOR_SORT_GROUP:
		write_user(object, member->name, alert, field);
		break;
	case LICTOR_SORT_FLAG:
		lictor_object_flag(object, member->name, number);
		break;
	case LICTOR_SORT_SET:
		write_set(object, member->name, field, number);
		break;
	case LICTOR_SORT_NUMBER:
	case LICTOR_SORT_PORT:
		if (place[field] != ECS_KEYWORD) {
			lictor_object_number(object, member->name, number);
			break;
		}
		__attribute__((fallthrough));
	case LICTOR_SORT_ADDRESS:
	case LICTOR_SORT_ENUM:
	case LICTOR_SORT_MODE:
		write_worded(object, member->name, alert, field);
		break;
	}
}

/* ---- all members, in order of their names; made once ---- */

#define MEMBERS_MAX (LICTOR_FIELDS + 128)

static struct lictor_member members[MEMBERS_MAX];
static size_t members_used;

static void add(struct lictor_member member)
{
	if (members_used == MEMBERS_MAX)
		abort();
	members[members_used++] = member;
}

static void add_all(const struct lictor_members *table)
{
	for (size_t i = 0; i < table->count; i++)
		add(table->member[i]);
}

static int by_name(const void *a, const void *b)
{
	const struct lictor_member *left = a, *right = b;

	return strcmp(left->name, right->name);
}

static void make_members(void)
{
	for (unsigned field = 1; field < LICTOR_FIELDS; field++)
		add((struct lictor_member){
			.name = name_of(field),
			.write = write_field,
			.field = field,
		});
	add_all(&lictor_event_members);
	add_all(&lictor_rule_members);
	add_all(&lictor_host_members);
	add_all(&lictor_actor_members);
	add_all(&lictor_verdict_members);
	qsort(members, members_used, sizeof(members[0]), by_name);
}

void lictor_format_json(const struct lictor_alert *alert, const struct lictor_host *host,
			struct lictor_line *line)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	const struct lictor_told told = { .alert = alert, .host = host };
	struct lictor_object object = lictor_object_begin(line);

	pthread_once(&once, make_members);
	for (size_t i = 0; i < members_used; i++)
		members[i].write(&object, &members[i], &told);
	lictor_object_end(&object);
}
