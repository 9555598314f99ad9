/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Formatting: the text that every formatter writes into. Bytes come in, a longer text goes out; it
 * touches nothing but its own memory, and remembers when that ran out. The text always ends with a
 * NUL that its length does not count.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "output/format.h"

void lictor_line_done(struct lictor_line *line)
{
	free(line->byte);
	*line = (struct lictor_line){};
}

void lictor_line_reset(struct lictor_line *line)
{
	line->length = 0;
	line->failed = false;
}

static bool reserve(struct lictor_line *line, size_t more)
{
	size_t need, room = line->room ? line->room : 256;
	char *byte;

	if (line->failed || __builtin_add_overflow(line->length, more, &need) ||
	    need >= SIZE_MAX / 2) {
		line->failed = true;
		return false;
	}
	if (need < line->room)
		return true;
	while (room <= need)
		room *= 2;
	byte = realloc(line->byte, room);
	if (!byte) {
		line->failed = true;
		return false;
	}
	line->byte = byte;
	line->room = room;
	return true;
}

void lictor_line_add(struct lictor_line *line, const char *bytes, size_t length)
{
	if (!reserve(line, length))
		return;
	if (length)
		memcpy(line->byte + line->length, bytes, length);
	line->length += length;
	line->byte[line->length] = '\0';
}

void lictor_line_text(struct lictor_line *line, const char *text)
{
	lictor_line_add(line, text, strlen(text));
}

void lictor_line_printf(struct lictor_line *line, const char *format, ...)
{
	char text[512];
	va_list args;
	int length;

	va_start(args, format);
	length = vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (length < 0) {
		line->failed = true;
		return;
	}
	if ((size_t)length < sizeof(text)) {
		lictor_line_add(line, text, (size_t)length);
		return;
	}
	if (!reserve(line, (size_t)length))
		return;
	va_start(args, format);
	vsnprintf(line->byte + line->length, (size_t)length + 1, format, args);
	va_end(args);
	line->length += (size_t)length;
}
