/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Formatting: an alert comes in, one sentence for people goes out: the rule's own `message` with
 * its {field} filled in, or the event's default (phrase.c). Touches nothing.
 */
#include <string.h>

#include "output/words.h"

static const char *const verdict_phrase[LICTOR_VERDICTS] = {
	[LICTOR_VERDICT_ALLOWED] = "Seen: ",
	[LICTOR_VERDICT_SIGNALED] = "Signaled for ",
	[LICTOR_VERDICT_BLOCKED] = "Blocked ",
	[LICTOR_VERDICT_KILLED] = "Killed for ",
	[LICTOR_VERDICT_WOULD_SIGNAL] = "Would have signaled for ",
	[LICTOR_VERDICT_WOULD_BLOCK] = "Would have blocked ",
	[LICTOR_VERDICT_WOULD_KILL] = "Would have killed for ",
};

#define X(id, name, text) text,
static const char *const notice_text[LICTOR_NOTICES] = { NULL, LICTOR_NOTICE_TABLE(X) };
#undef X

static void put_verdict(struct lictor_line *line, const struct lictor_alert *alert)
{
	const char *verdict = lictor_word_verdict(alert->verdict);

	lictor_line_text(line, verdict ? verdict : "?");
}

static void put_event(struct lictor_line *line, const struct lictor_alert *alert)
{
	const char *event = lictor_word_event(alert->event);

	lictor_line_text(line, event ? event : "?");
}

static void put_rule(struct lictor_line *line, const struct lictor_alert *alert)
{
	const char *name = alert->rules ? alert->rule[0]->name : "?";

	lictor_line_escaped(line, name, strlen(name));
}

/* A kernel thread runs no program: its name tells more than nothing. */
static void put_process(struct lictor_line *line, const struct lictor_alert *alert)
{
	bool program = lictor_alert_has(alert, LICTOR_FIELD_PROCESS_EXECUTABLE);

	lictor_line_field(line, alert, program ? LICTOR_FIELD_PROCESS_EXECUTABLE
					       : LICTOR_FIELD_PROCESS_NAME);
}

/* The process acted on: its name where its program is not known. */
static void put_target(struct lictor_line *line, const struct lictor_alert *alert)
{
	bool program = lictor_alert_has(alert, LICTOR_FIELD_TARGET_EXECUTABLE);

	lictor_line_field(line, alert, program ? LICTOR_FIELD_TARGET_EXECUTABLE
					       : LICTOR_FIELD_TARGET_NAME);
}

static void put_peer(struct lictor_line *line, const struct lictor_alert *alert, unsigned ip,
		     unsigned port)
{
	size_t from = line->length;
	bool six;

	lictor_line_field(line, alert, ip);
	six = !line->failed && memchr(line->byte + from, ':', line->length - from);
	if (lictor_alert_has(alert, port))
		lictor_line_printf(line, "%s%llu", six ? " port " : ":",
				   (unsigned long long)lictor_alert_number(alert, port));
	if (lictor_alert_has(alert, LICTOR_FIELD_NETWORK_TRANSPORT)) {
		lictor_line_text(line, "/");
		lictor_line_field(line, alert, LICTOR_FIELD_NETWORK_TRANSPORT);
	}
}

static void put_destination(struct lictor_line *line, const struct lictor_alert *alert)
{
	if (lictor_alert_has(alert, LICTOR_FIELD_DESTINATION_PATH))
		lictor_line_field(line, alert, LICTOR_FIELD_DESTINATION_PATH);
	else
		put_peer(line, alert, LICTOR_FIELD_DESTINATION_IP, LICTOR_FIELD_DESTINATION_PORT);
}

static void put_source(struct lictor_line *line, const struct lictor_alert *alert)
{
	if (lictor_alert_has(alert, LICTOR_FIELD_SOURCE_IP))
		put_peer(line, alert, LICTOR_FIELD_SOURCE_IP, LICTOR_FIELD_SOURCE_PORT);
	else
		put_destination(line, alert);
}

/* The names that are not fields. */
static const struct {
	const char *name;
	void (*put)(struct lictor_line *line, const struct lictor_alert *alert);
} extra[] = {
	{ "verdict", put_verdict },	    { "event", put_event },
	{ "rule.name", put_rule },	    { "process", put_process },
	{ "target", put_target },
	{ "destination", put_destination }, { "source", put_source },
};

static bool is(const char *name, const char *text, size_t length)
{
	return !strncmp(name, text, length) && !name[length];
}

static bool put_named(struct lictor_line *line, const struct lictor_alert *alert,
		      const char *name, size_t length)
{
	for (size_t i = 0; i < sizeof(extra) / sizeof(extra[0]); i++) {
		if (is(extra[i].name, name, length)) {
			extra[i].put(line, alert);
			return true;
		}
	}
	for (unsigned field = 1; field < LICTOR_FIELDS; field++) {
		if (is(lictor_field_names[field].name, name, length)) {
			lictor_line_field(line, alert, field);
			return true;
		}
	}
	return false;
}

void lictor_line_fill(struct lictor_line *line, const struct lictor_alert *alert,
		      const char *pattern)
{
	while (*pattern) {
		size_t run = strcspn(pattern, "{}");
		const char *end;

		lictor_line_escaped(line, pattern, run);
		pattern += run;
		if (!*pattern)
			return;
		end = *pattern == '{' ? strchr(pattern, '}') : NULL;
		if (pattern[1] == pattern[0]) {
			lictor_line_add(line, pattern, 1);
			pattern += 2;
		} else if (end && put_named(line, alert, pattern + 1,
					    (size_t)(end - pattern) - 1)) {
			pattern = end + 1;
		} else {
			lictor_line_add(line, pattern, 1);
			pattern++;
		}
	}
}

static void format_notice(const struct lictor_alert *alert, struct lictor_line *line)
{
	lictor_line_text(line, notice_text[alert->notice]);
	if (alert->detail) {
		lictor_line_text(line, ": ");
		lictor_line_escaped(line, alert->detail, strlen(alert->detail));
	}
}

void lictor_format_message(const struct lictor_alert *alert, struct lictor_line *line)
{
	if (alert->notice != LICTOR_NOTICE_NONE) {
		format_notice(alert, line);
		return;
	}
	if (alert->rules && alert->rule[0]->message) {
		lictor_line_fill(line, alert, alert->rule[0]->message);
		return;
	}
	lictor_line_text(line, verdict_phrase[alert->verdict]);
	lictor_line_fill(line, alert, lictor_phrase(alert).sentence);
	lictor_line_text(line, lictor_phrase_flags(alert));
	lictor_line_fill(line, alert, " by {process} (pid {process.pid}, user {user.name})");
	if (alert->rules)
		lictor_line_fill(line, alert, ": rule {rule.name}");
}
