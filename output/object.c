/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Formatting: dotted names and values come in, the text of one nested JSON object goes out. Touches
 * nothing but the line it writes.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "output/object.h"
#include "output/words.h"

struct lictor_object lictor_object_begin(struct lictor_line *line)
{
	lictor_line_text(line, "{");
	return (struct lictor_object){ .line = line, .open = "" };
}

/* Closes the objects that `open` has beyond its first `common` bytes. */
static void close_objects(struct lictor_object *object, size_t common)
{
	for (const char *dot = object->open + common; (dot = strchr(dot, '.')); dot++)
		lictor_line_text(object->line, "}");
}

void lictor_object_end(struct lictor_object *object)
{
	close_objects(object, 0);
	lictor_line_text(object->line, "}");
}

/* The bytes of the objects that both names are in, with the dot behind the last. */
static size_t shared(const char *a, const char *b)
{
	size_t common = 0;

	for (size_t i = 0; a[i] && a[i] == b[i]; i++)
		if (a[i] == '.')
			common = i + 1;
	return common;
}

static void put_name(struct lictor_line *line, const char *name, size_t length)
{
	lictor_line_add(line, "\"", 1);
	lictor_line_add(line, name, length);
	lictor_line_add(line, "\":", 2);
}

void lictor_object_name(struct lictor_object *object, const char *name)
{
	size_t common = shared(object->open, name);
	const char *part = name + common, *dot;

	close_objects(object, common);
	if (object->begun)
		lictor_line_text(object->line, ",");
	for (; (dot = strchr(part, '.')); part = dot + 1) {
		put_name(object->line, part, (size_t)(dot - part));
		lictor_line_add(object->line, "{", 1);
	}
	put_name(object->line, part, strlen(part));
	object->open = name;
	object->begun = true;
}

void lictor_object_text(struct lictor_object *object, const char *name, const char *text)
{
	if (!text)
		return;
	lictor_object_name(object, name);
	lictor_line_json(object->line, text, strlen(text));
}

void lictor_object_bytes(struct lictor_object *object, const char *name,
			 const struct lictor_bytes *bytes)
{
	if (!bytes->byte)
		return;
	lictor_object_name(object, name);
	lictor_line_json(object->line, bytes->byte, bytes->length);
}

void lictor_object_number(struct lictor_object *object, const char *name, uint64_t number)
{
	lictor_object_name(object, name);
	lictor_line_printf(object->line, "%llu", (unsigned long long)number);
}

void lictor_object_flag(struct lictor_object *object, const char *name, bool flag)
{
	lictor_object_name(object, name);
	lictor_line_text(object->line, flag ? "true" : "false");
}

void lictor_object_time(struct lictor_object *object, const char *name, struct timespec time)
{
	lictor_object_name(object, name);
	lictor_line_text(object->line, "\"");
	lictor_line_time(object->line, time);
	lictor_line_text(object->line, "\"");
}

void lictor_object_printf(struct lictor_object *object, const char *name, const char *format, ...)
{
	char text[256];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	lictor_object_text(object, name, text);
}

struct lictor_array lictor_array_begin(struct lictor_object *object, const char *name)
{
	lictor_object_name(object, name);
	lictor_line_text(object->line, "[");
	return (struct lictor_array){ .line = object->line };
}

void lictor_array_next(struct lictor_array *array)
{
	if (array->begun)
		lictor_line_text(array->line, ",");
	array->begun = true;
}

void lictor_array_add_bytes(struct lictor_array *array, const char *byte, size_t length)
{
	lictor_array_next(array);
	lictor_line_json(array->line, byte, length);
}

void lictor_array_add(struct lictor_array *array, const char *text)
{
	if (text)
		lictor_array_add_bytes(array, text, strlen(text));
}

void lictor_array_end(struct lictor_array *array)
{
	lictor_line_text(array->line, "]");
}
