/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Formatting: an alert comes in, an entry of the journal in its native protocol goes out. Values
 * are escaped like everywhere, so that they are text in every reader. Touches nothing.
 */
#include <ctype.h>
#include <endian.h>
#include <stdio.h>
#include <string.h>

#include "output/datagram.h"
#include "output/words.h"

#define NAME_MAX_JOURNAL 64	/* the journal drops longer ones without a word */

static const char *const verdict_id[LICTOR_VERDICTS] = {
#define VERDICT_ID(verdict, message_id) [LICTOR_VERDICT_##verdict] = message_id,
#include "output/message-ids.tab"
};

static const char *const notice_id[LICTOR_NOTICES] = {
#define NOTICE_ID(notice, message_id) [LICTOR_NOTICE_##notice] = message_id,
#include "output/message-ids.tab"
};

void lictor_datagram_field(struct lictor_line *line, const char *name, const char *value,
			   size_t length)
{
	uint64_t size = htole64(length);

	lictor_line_text(line, name);
	if (memchr(value, '\n', length)) {
		lictor_line_text(line, "\n");
		lictor_line_add(line, (const char *)&size, sizeof(size));
	} else {
		lictor_line_text(line, "=");
	}
	lictor_line_add(line, value, length);
	lictor_line_text(line, "\n");
}

/* ---- what a field may say: each writes its value, or nothing where there is none ---- */

typedef void value_writer(const struct lictor_alert *alert, struct lictor_line *value);

static bool decision(const struct lictor_alert *alert)
{
	return alert->notice == LICTOR_NOTICE_NONE;
}

static void put(struct lictor_line *value, const char *text)
{
	if (text)
		lictor_line_escaped(value, text, strlen(text));
}

static void put_bytes(struct lictor_line *value, const struct lictor_bytes *bytes)
{
	if (bytes->byte)
		lictor_line_escaped(value, bytes->byte, bytes->length);
}

static void message_id(const struct lictor_alert *alert, struct lictor_line *value)
{
	put(value, decision(alert) ? verdict_id[alert->verdict] : notice_id[alert->notice]);
}

static void priority(const struct lictor_alert *alert, struct lictor_line *value)
{
	lictor_line_printf(value, "%d", lictor_alert_severity(alert));
}

static void identifier(const struct lictor_alert *alert, struct lictor_line *value)
{
	(void)alert;
	put(value, "lictor");
}

static void facility(const struct lictor_alert *alert, struct lictor_line *value)
{
	(void)alert;
	put(value, "10");	/* authpriv */
}

static void rule(const struct lictor_alert *alert, struct lictor_line *value)
{
	put(value, alert->rules ? alert->rule[0]->name : NULL);
}

static void ruleset(const struct lictor_alert *alert, struct lictor_line *value)
{
	put(value, alert->rules ? alert->rule[0]->ruleset : NULL);
}

static void verdict(const struct lictor_alert *alert, struct lictor_line *value)
{
	if (decision(alert))
		put(value, lictor_word_verdict(alert->verdict));
}

static void event(const struct lictor_alert *alert, struct lictor_line *value)
{
	put(value, decision(alert) ? lictor_word_event(alert->event)
				   : lictor_word_notice(alert->notice));
}

static void path(const struct lictor_alert *alert, struct lictor_line *value)
{
	put_bytes(value, &alert->text[LICTOR_FIELD_FILE_PATH]);
}

static void target_path(const struct lictor_alert *alert, struct lictor_line *value)
{
	put_bytes(value, &alert->text[LICTOR_FIELD_FILE_TARGET_PATH]);
}

static void host_path(const struct lictor_alert *alert, struct lictor_line *value)
{
	put_bytes(value, &alert->host_path);
}

static void executable(const struct lictor_alert *alert, struct lictor_line *value)
{
	put_bytes(value, &alert->text[LICTOR_FIELD_PROCESS_EXECUTABLE]);
}

static void parent(const struct lictor_alert *alert, struct lictor_line *value)
{
	put_bytes(value, &alert->text[LICTOR_FIELD_PARENT_EXECUTABLE]);
}

static void file_hash(const struct lictor_alert *alert, struct lictor_line *value)
{
	put(value, alert->file_hash);
}

static void process_hash(const struct lictor_alert *alert, struct lictor_line *value)
{
	put(value, alert->process_hash);
}

static void uncertain(const struct lictor_alert *alert, struct lictor_line *value)
{
	put(value, alert->file_hash_uncertain ? "file.hash.sha256" : NULL);
	if (!alert->process_hash_uncertain)
		return;
	put(value, alert->file_hash_uncertain ? "," : NULL);
	put(value, "process.hash.sha256");
}

static void destination(const struct lictor_alert *alert, struct lictor_line *value)
{
	if (lictor_alert_has(alert, LICTOR_FIELD_DESTINATION_IP) ||
	    lictor_alert_has(alert, LICTOR_FIELD_DESTINATION_PATH))
		lictor_line_fill(value, alert, "{destination}");
}

static void source(const struct lictor_alert *alert, struct lictor_line *value)
{
	if (lictor_alert_has(alert, LICTOR_FIELD_SOURCE_IP))
		lictor_line_fill(value, alert, "{source}");
}

static void user(const struct lictor_alert *alert, struct lictor_line *value)
{
	if (lictor_alert_has(alert, LICTOR_FIELD_USER_NAME))
		lictor_line_field(value, alert, LICTOR_FIELD_USER_NAME);
}

static void hook(const struct lictor_alert *alert, struct lictor_line *value)
{
	put(value, alert->hook);
}

static void via(const struct lictor_alert *alert, struct lictor_line *value)
{
	put(value, alert->via);
}

static void preexisting(const struct lictor_alert *alert, struct lictor_line *value)
{
	put(value, alert->flags & LICTOR_RECORD_PREEXISTING ? "true" : NULL);
}

static void received(const struct lictor_alert *alert, struct lictor_line *value)
{
	put(value, alert->flags & LICTOR_RECORD_RECEIVED ? "true" : NULL);
}

static void held(const struct lictor_alert *alert, struct lictor_line *value)
{
	put(value, alert->flags & LICTOR_RECORD_HELD ? "true" : NULL);
}

static void sequence(const struct lictor_alert *alert, struct lictor_line *value)
{
	lictor_line_printf(value, "%llu", (unsigned long long)alert->sequence);
}

static void when(const struct lictor_alert *alert, struct lictor_line *value)
{
	lictor_line_time(value, alert->time);
}

static void pid(const struct lictor_alert *alert, struct lictor_line *value)
{
	if (alert->pid)
		lictor_line_printf(value, "%u", alert->pid);
}

static void unit(const struct lictor_alert *alert, struct lictor_line *value)
{
	put_bytes(value, &alert->text[LICTOR_FIELD_SERVICE_NAME]);
}

static const struct {
	const char *name;
	value_writer *write;
} fields[] = {
	{ "MESSAGE_ID", message_id },
	{ "MESSAGE", lictor_format_message },
	{ "PRIORITY", priority },
	{ "SYSLOG_IDENTIFIER", identifier },
	{ "SYSLOG_FACILITY", facility },
	{ "LICTOR_EVENT", event },
	{ "LICTOR_VERDICT", verdict },
	{ "LICTOR_RULE", rule },
	{ "LICTOR_RULESET", ruleset },
	{ "LICTOR_PATH", path },
	{ "LICTOR_TARGET_PATH", target_path },
	{ "LICTOR_HOST_PATH", host_path },
	{ "LICTOR_DESTINATION", destination },
	{ "LICTOR_SOURCE", source },
	{ "LICTOR_EXECUTABLE", executable },
	{ "LICTOR_PARENT_EXECUTABLE", parent },
	{ "LICTOR_FILE_HASH_SHA256", file_hash },
	{ "LICTOR_PROCESS_HASH_SHA256", process_hash },
	{ "LICTOR_UNCERTAIN", uncertain },
	{ "LICTOR_USER", user },
	{ "LICTOR_HOOK", hook },
	{ "LICTOR_VIA", via },
	{ "LICTOR_PREEXISTING", preexisting },
	{ "LICTOR_RECEIVED", received },
	{ "LICTOR_HELD", held },
	{ "LICTOR_SEQUENCE", sequence },
	{ "LICTOR_TIME", when },
	{ "OBJECT_PID", pid },
	/* `journalctl -u` looks here. The journal finds it by OBJECT_PID too, but not of a
	   process that is no more; it keeps one of two fields that say the same. */
	{ "OBJECT_SYSTEMD_UNIT", unit },
	{ "UNIT", unit },
};

/* What the other events are about: target.user -> LICTOR_TARGET_USER */
static const enum lictor_field told[] = {
	LICTOR_FIELD_SOCKET_FAMILY,	   LICTOR_FIELD_SOCKET_TYPE,
	LICTOR_FIELD_SOCKET_PROTOCOL,	   LICTOR_FIELD_TARGET_EXECUTABLE,
	LICTOR_FIELD_TARGET_NAME,	   LICTOR_FIELD_TARGET_PID,
	LICTOR_FIELD_TARGET_USER,	   LICTOR_FIELD_PTRACE_MODE,
	LICTOR_FIELD_SIGNAL_NAME,	   LICTOR_FIELD_USER_TARGET_NAME,
	LICTOR_FIELD_GROUP_TARGET_NAME,	   LICTOR_FIELD_CAPABILITY_RAISED,
	LICTOR_FIELD_CAPABILITY_OPERATION, LICTOR_FIELD_NAMESPACE_TYPES,
	LICTOR_FIELD_MOUNT_SOURCE,	   LICTOR_FIELD_MOUNT_TYPE,
	LICTOR_FIELD_MOUNT_FLAGS,	   LICTOR_FIELD_MOUNT_OPERATION,
	LICTOR_FIELD_MODULE_NAME,	   LICTOR_FIELD_MODULE_PATH,
	LICTOR_FIELD_MODULE_OPERATION,	   LICTOR_FIELD_BPF_COMMAND,
	LICTOR_FIELD_BPF_PROGRAM_TYPE,	   LICTOR_FIELD_PERF_TYPE,
	LICTOR_FIELD_CLOCK_OPERATION,	   LICTOR_FIELD_HOST_HOSTNAME,
	LICTOR_FIELD_HOST_DOMAIN,	   LICTOR_FIELD_SYSCTL_NAME,
	LICTOR_FIELD_IO_URING_OPERATION,   LICTOR_FIELD_DUP_DESCRIPTOR,
};

/* "events-lost" -> LICTOR_COUNT_EVENTS_LOST */
static void name_of(const char *prefix, const char *from, char ret_name[NAME_MAX_JOURNAL + 1])
{
	snprintf(ret_name, NAME_MAX_JOURNAL + 1, "%s%s", prefix, from);
	for (char *c = ret_name; *c; c++)
		*c = isalnum((unsigned char)*c) ? (char)toupper((unsigned char)*c) : '_';
}

static void put_counter(struct lictor_line *line, const struct lictor_counter *counter)
{
	char name[NAME_MAX_JOURNAL + 1], number[24];
	int length;

	name_of("LICTOR_COUNT_", counter->name, name);
	length = snprintf(number, sizeof(number), "%llu", (unsigned long long)counter->value);
	lictor_datagram_field(line, name, number, (size_t)length);
}

static void put_told(struct lictor_line *line, const struct lictor_alert *alert,
		     enum lictor_field field, struct lictor_line *value)
{
	char name[NAME_MAX_JOURNAL + 1];

	if (!decision(alert) || !lictor_alert_has(alert, field))
		return;
	lictor_line_reset(value);
	lictor_line_field(value, alert, field);
	name_of("LICTOR_", lictor_field_names[field].name, name);
	line->failed |= value->failed;
	if (!value->failed && value->length)
		lictor_datagram_field(line, name, value->byte, value->length);
}

void lictor_datagram_format(const struct lictor_alert *alert, struct lictor_line *line)
{
	struct lictor_line value = {};

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		lictor_line_reset(&value);
		fields[i].write(alert, &value);
		if (value.failed)
			line->failed = true;
		else if (value.length)
			lictor_datagram_field(line, fields[i].name, value.byte, value.length);
	}
	for (size_t i = 0; i < sizeof(told) / sizeof(told[0]); i++)
		put_told(line, alert, told[i], &value);
	for (size_t i = 0; i < alert->counters; i++)
		put_counter(line, &alert->counter[i]);
	lictor_line_done(&value);
}
