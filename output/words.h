/* SPDX-License-Identifier: Apache-2.0 */
/* What the formatters share: the vocabulary's words, and a field's value as a rule would say it. */
#ifndef LICTOR_WORDS_H
#define LICTOR_WORDS_H

#include "output/format.h"

/* How a field's value is kept and written. */
enum lictor_sort {
	LICTOR_SORT_PATH,
	LICTOR_SORT_TEXT,
	LICTOR_SORT_NUMBER,
	LICTOR_SORT_ADDRESS,
	LICTOR_SORT_PORT,
	LICTOR_SORT_USER,
	LICTOR_SORT_GROUP,
	LICTOR_SORT_FLAG,
	LICTOR_SORT_ENUM,
	LICTOR_SORT_SET,
	LICTOR_SORT_MODE,
};

struct lictor_field_name {
	const char *name;
	enum lictor_sort sort;
};

extern const struct lictor_field_name lictor_field_names[LICTOR_FIELDS];	/* [0] is none */

/* NULL where the number has no name. */
const char *lictor_word_event(unsigned event);
const char *lictor_word_verdict(unsigned verdict);
const char *lictor_word_reason(unsigned reason);
const char *lictor_word_notice(unsigned notice);	/* of `event.action` */
const char *lictor_word_value(unsigned field, uint64_t value);
/* The word of a rule's `severity`; an impossible priority has the nearest one's. */
const char *lictor_word_severity(int severity);

/* The severity to report: a decision's or notice's own, its default where none is set. */
int lictor_alert_severity(const struct lictor_alert *alert);
bool lictor_alert_has(const struct lictor_alert *alert, unsigned field);
bool lictor_field_is_text(unsigned field);
uint64_t lictor_alert_number(const struct lictor_alert *alert, unsigned field);
/* The name of the user or group that the field has, NULL where it is not known. */
const char *lictor_alert_name(const struct lictor_alert *alert, unsigned field);

/* How an event is told: templates for lictor_line_fill(). */
struct lictor_phrase {
	const char *sentence;	/* what was done, as a noun */
	const char *object;	/* what to, behind the event's name; begins with a blank, or is empty */
};

struct lictor_phrase lictor_phrase(const struct lictor_alert *alert);
/* What is to be said about how it came about, or "". */
const char *lictor_phrase_flags(const struct lictor_alert *alert);

/* The value as a rule would say it, escaped: "-" where there is none, "?" where it is unknown. */
void lictor_line_field(struct lictor_line *line, const struct lictor_alert *alert, unsigned field);
/* A template with its {field}, {verdict}, {event}, {rule.name}, {process}, {target}, {destination},
   {source} filled in; {{ and }} are braces; what is not such a name stays as it is. */
void lictor_line_fill(struct lictor_line *line, const struct lictor_alert *alert,
		      const char *pattern);
/* Text that is escaped already, as a JSON string. */
void lictor_line_quoted(struct lictor_line *line, const char *escaped, size_t length);
/* 2026-08-22T12:03:20.123456789Z */
void lictor_line_time(struct lictor_line *line, struct timespec time);

#endif
