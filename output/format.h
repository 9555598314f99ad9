/* SPDX-License-Identifier: Apache-2.0 */
/* Formatters: an alert in, text out. Pure; they know no sink. */
#ifndef LICTOR_FORMAT_H
#define LICTOR_FORMAT_H

#include "output/alert.h"

/* A growing text. `failed` is set, and stays set, when memory ran out: the text is then not used. */
struct lictor_line {
	char *byte;
	size_t length;
	size_t room;
	bool failed;
};

void lictor_line_done(struct lictor_line *line);
void lictor_line_reset(struct lictor_line *line);
void lictor_line_add(struct lictor_line *line, const char *bytes, size_t length);
void lictor_line_text(struct lictor_line *line, const char *text);
void lictor_line_printf(struct lictor_line *line, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/*
 * Valid UTF-8 stays; every other byte, control characters (C0, DEL, C1), U+2028/2029 and the
 * bidirectional marks U+202A-202E, U+2066-2069 become \xNN per byte, a backslash becomes \\: what
 * was there can be had back, and a line stays a line on any terminal.
 */
void lictor_line_escaped(struct lictor_line *line, const char *bytes, size_t length);
/* The same, then quoted as a JSON string. */
void lictor_line_json(struct lictor_line *line, const char *bytes, size_t length);

/* One JSON object in the shape of ECS 9.4, without a newline. */
void lictor_format_json(const struct lictor_alert *alert, const struct lictor_host *host,
			struct lictor_line *line);
/* One line for people, without time and newline. */
void lictor_format_short(const struct lictor_alert *alert, struct lictor_line *line);
/* The rule's message with its {field} filled in, or the event's default. */
void lictor_format_message(const struct lictor_alert *alert, struct lictor_line *line);
/* The first line of a log file: more than 1,024 bytes, one JSON object, without a newline. */
struct lictor_log_header {
	const char *uuid;
	const char *rules_digest;
	uint64_t first_sequence;
	const char *previous_uuid;	/* or NULL */
};
void lictor_format_header(const struct lictor_log_header *header, const struct lictor_host *host,
			  struct timespec time, struct lictor_line *line);

#endif
