/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A record of the JSON log back into an event in words, for `lictor explain`. JSON is read as the
 * YAML that it is. In: one line of the log, which may hold anything. Out: facts, and the rules that
 * the record names. Touches memory only.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "daemon/cli/record.h"
#include "daemon/own.h"

#define DEPTH_MAX 16
#define KEY_MAX 256

struct reading {
	yaml_parser_t *parser;
	struct lictor_told_record *record;
	char key[KEY_MAX];	/* dotted, of the value at hand */
	int error;
};

void lictor_told_record_done(struct lictor_told_record *record)
{
	for (size_t i = 0; i < record->members; i++) {
		free(record->member[i].key);
		free(record->member[i].text);
	}
	for (size_t i = 0; i < record->facts; i++)
		free(record->joined[i]);
	free(record->member);
	free(record->fact);
	free(record->joined);
	free(record->rule);
	*record = (struct lictor_told_record){ 0 };
}

static int add_member(struct reading *reading, const yaml_event_t *event)
{
	struct lictor_told_record *record = reading->record;
	struct lictor_told_member *grown, *member;

	grown = realloc(record->member, (record->members + 1) * sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	record->member = grown;
	member = &grown[record->members++];
	member->key = strdup(reading->key);
	member->text = strdup((const char *)event->data.scalar.value);
	return member->key && member->text ? 0 : -ENOMEM;
}

static int read_value(struct reading *reading, const yaml_event_t *event, int depth);

static int read_next(struct reading *reading, yaml_event_t *event)
{
	return yaml_parser_parse(reading->parser, event) ? 0 : -EINVAL;
}

/* A key, and its value under that name. */
static int read_pair(struct reading *reading, const yaml_event_t *name, int depth)
{
	size_t before = strlen(reading->key);
	yaml_event_t value;
	int error;

	if (name->type != YAML_SCALAR_EVENT ||
	    before + name->data.scalar.length + 2 > sizeof(reading->key))
		return -EINVAL;
	snprintf(reading->key + before, sizeof(reading->key) - before, "%s%s", before ? "." : "",
		 (const char *)name->data.scalar.value);
	error = read_next(reading, &value);
	if (!error) {
		error = read_value(reading, &value, depth);
		yaml_event_delete(&value);
	}
	reading->key[before] = '\0';
	return error;
}

static int read_collection(struct reading *reading, yaml_event_type_t end, int depth)
{
	int error = depth > DEPTH_MAX ? -EINVAL : 0;
	bool ended = false;

	while (!error && !ended) {
		yaml_event_t event;

		error = read_next(reading, &event);
		if (error)
			return error;
		ended = event.type == end;
		if (!ended && end == YAML_MAPPING_END_EVENT)
			error = read_pair(reading, &event, depth + 1);
		else if (!ended)
			error = read_value(reading, &event, depth + 1);
		yaml_event_delete(&event);
	}
	return error;
}

static int read_value(struct reading *reading, const yaml_event_t *event, int depth)
{
	switch ((int)event->type) {
	case YAML_SCALAR_EVENT:
		return add_member(reading, event);
	case YAML_SEQUENCE_START_EVENT:
		return read_collection(reading, YAML_SEQUENCE_END_EVENT, depth);
	case YAML_MAPPING_START_EVENT:
		return read_collection(reading, YAML_MAPPING_END_EVENT, depth);
	default:
		return -EINVAL;
	}
}

static int read_members(const char *line, size_t length, struct lictor_told_record *record)
{
	yaml_parser_t parser OWN(yaml_parser_delete) = { 0 };
	struct reading reading = { .parser = &parser, .record = record };
	yaml_event_t event;
	int error = 0;

	if (!yaml_parser_initialize(&parser))
		return -ENOMEM;
	yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&parser, (const unsigned char *)line, length);
	for (bool begun = false; !error && !begun;) {
		error = read_next(&reading, &event);
		if (error)
			return error;
		begun = event.type == YAML_MAPPING_START_EVENT;
		if (begun)
			error = read_value(&reading, &event, 0);
		else if (event.type != YAML_STREAM_START_EVENT &&
			 event.type != YAML_DOCUMENT_START_EVENT)
			error = -EINVAL;
		yaml_event_delete(&event);
	}
	return error;
}

/* ---- what it says ---- */

const char *lictor_told_text(const struct lictor_told_record *record, const char *key)
{
	for (size_t i = 0; i < record->members; i++)
		if (!strcmp(record->member[i].key, key))
			return record->member[i].text;
	return NULL;
}

static bool lists(const struct lictor_told_record *record, const char *key, const char *text)
{
	for (size_t i = 0; i < record->members; i++)
		if (!strcmp(record->member[i].key, key) && !strcmp(record->member[i].text, text))
			return true;
	return false;
}

/* Fields that the log has under another name than rules have. */
static const struct {
	int field;
	const char *key, *host;	/* host: the object's name on the host, where that is another */
} otherwise[] = {
	{ LICTOR_FIELD_PROCESS_ARGS, "process.command_line", NULL },
	{ LICTOR_FIELD_ANCESTOR_EXECUTABLE, "lictor.ancestors.executable", NULL },
	/* By number: the names are those of the host that wrote it. */
	{ LICTOR_FIELD_USER_NAME, "user.id", NULL },
	{ LICTOR_FIELD_USER_EFFECTIVE_NAME, "user.effective.id", NULL },
	{ LICTOR_FIELD_USER_AUDIT_NAME, "lictor.user.audit.id", NULL },
	{ LICTOR_FIELD_GROUP_NAME, "group.id", NULL },
	{ LICTOR_FIELD_FILE_OWNER, "file.uid", NULL },
	{ LICTOR_FIELD_FILE_PATH, "file.path", "lictor.host_path" },
	{ LICTOR_FIELD_FILE_TARGET_PATH, "file.target_path", "lictor.host_target_path" },
	{ LICTOR_FIELD_MOUNT_SOURCE, "lictor.mount.source", "lictor.host_source" },
};

static int add_fact(struct lictor_told_record *record, int field, char *joined,
		    const char *text, const char *host)
{
	struct lictor_fact *fact = realloc(record->fact, (record->facts + 1) * sizeof(*fact));
	char **kept;

	if (fact)
		record->fact = fact;
	kept = realloc(record->joined, (record->facts + 1) * sizeof(*kept));
	if (kept)
		record->joined = kept;
	if (!fact || !kept) {
		free(joined);
		return -ENOMEM;
	}
	kept[record->facts] = joined;
	fact[record->facts++] = (struct lictor_fact){ field, text, host };
	return 0;
}

/* The members of a set, with commas between them. */
static int add_set(struct lictor_told_record *record, int field, const char *key)
{
	char *joined = NULL;
	size_t length = 0;
	FILE *out = open_memstream(&joined, &length);

	if (!out)
		return -ENOMEM;
	for (size_t i = 0; i < record->members; i++)
		if (!strcmp(record->member[i].key, key))
			fprintf(out, "%s%s", ftell(out) > 0 ? "," : "", record->member[i].text);
	if (fclose(out)) {
		free(joined);
		return -ENOMEM;
	}
	return add_fact(record, field, joined, joined, NULL);
}

static int add_field(struct lictor_told_record *record, int field)
{
	const char *name = lictor_field_words[field].name, *host = NULL, *text;
	char ours[KEY_MAX];
	const char *key = name;
	int error = 0;

	snprintf(ours, sizeof(ours), "lictor.%s", name);
	if (!lictor_told_text(record, key))
		key = ours;
	for (size_t i = 0; i < sizeof(otherwise) / sizeof(*otherwise); i++)
		if (otherwise[i].field == field) {
			key = otherwise[i].key;
			host = otherwise[i].host ? lictor_told_text(record, otherwise[i].host) :
						   NULL;
		}
	text = lictor_told_text(record, key);
	/* What was cut, or is never told, is as good as what could not be had. */
	if (field == LICTOR_FIELD_PROCESS_ENV || lists(record, "lictor.unknown", name) ||
	    (text && lists(record, "lictor.truncated", name)))
		return add_fact(record, field, NULL, NULL, NULL);
	/* A program or file that has no name has no path to compare. */
	if (!text || (!*text && lictor_field_words[field].type == LICTOR_TYPE_PATH))
		return 0;
	if (lictor_field_words[field].type == LICTOR_TYPE_SET)
		return add_set(record, field, key);
	if (field != LICTOR_FIELD_ANCESTOR_EXECUTABLE)
		return add_fact(record, field, NULL, text, host);
	for (size_t i = 0; !error && i < record->members; i++)
		if (!strcmp(record->member[i].key, key))
			error = add_fact(record, field, NULL, record->member[i].text, NULL);
	return error;
}

int lictor_told_record_read(const char *line, size_t length, struct lictor_told_record *ret)
{
	const char *action;
	int error;

	*ret = (struct lictor_told_record){ 0 };
	error = read_members(line, length, ret);
	if (error)
		return error;
	action = lictor_told_text(ret, "event.action");
	ret->event = action && lists(ret, "event.dataset", "lictor.alert") ?
			     lictor_event_find(action) : -1;
	if (ret->event < 0)
		return -ENOMSG;
	for (int field = 1; !error && field < LICTOR_FIELDS; field++)
		if (lictor_event_has_field(ret->event, field))
			error = add_field(ret, field);
	ret->rule = calloc(ret->members + 1, sizeof(*ret->rule));
	if (!ret->rule)
		return -ENOMEM;
	for (size_t i = 0; i < ret->members; i++)
		if (!strcmp(ret->member[i].key, "lictor.rules"))
			ret->rule[ret->rules++] = ret->member[i].text;
	return error;
}
