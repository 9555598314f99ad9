/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Formatting: the facts about one log file come in, its first line goes out: unlike any other
 * file's, and longer than the 1,024 bytes that tailers take for a file's fingerprint. What makes it
 * unique comes first. Touches nothing.
 */
#include <string.h>

#include "output/json.h"

#define HEADER_LEAST 1100

static void put_event(struct lictor_object *object)
{
	static const char *const word[][2] = {
		{ "event.action", "lictor.header" }, { "event.dataset", "lictor.notice" },
		{ "event.kind", "event" },	     { "event.module", "lictor" },
		{ "event.outcome", "success" },
	};
	struct lictor_array array;

	for (size_t i = 0; i < sizeof(word) / sizeof(word[0]); i++)
		lictor_object_text(object, word[i][0], word[i][1]);
	array = lictor_array_begin(object, "event.category");
	lictor_array_add(&array, "file");
	lictor_array_end(&array);
	array = lictor_array_begin(object, "event.type");
	lictor_array_add(&array, "creation");
	lictor_array_end(&array);
}

void lictor_format_header(const struct lictor_log_header *header, const struct lictor_host *host,
			  struct timespec time, struct lictor_line *line)
{
	const struct lictor_told told = { .host = host };
	const size_t from = line->length;
	struct lictor_object object = lictor_object_begin(line);

	lictor_object_time(&object, "@timestamp", time);
	lictor_object_printf(&object, "message", "Lictor's log file %s begins", header->uuid);
	put_event(&object);
	for (size_t i = 0; i < lictor_host_members.count; i++)
		lictor_host_members.member[i].write(&object, &lictor_host_members.member[i], &told);
	lictor_object_text(&object, "lictor.file.uuid", header->uuid);
	lictor_object_number(&object, "lictor.file.created", (uint64_t)time.tv_sec);
	lictor_object_number(&object, "lictor.file.first_sequence", header->first_sequence);
	lictor_object_name(&object, "lictor.file.previous_uuid");
	if (header->previous_uuid)
		lictor_line_json(line, header->previous_uuid, strlen(header->previous_uuid));
	else
		lictor_line_text(line, "null");
	lictor_object_text(&object, "lictor.file.rules_digest",
			   header->rules_digest ? header->rules_digest : "");
	lictor_object_name(&object, "lictor.file.padding");
	lictor_line_text(line, "\"");
	while (!line->failed && line->length - from < HEADER_LEAST)
		lictor_line_text(line, "................");
	lictor_line_text(line, "\"");
	lictor_object_end(&object);
}
