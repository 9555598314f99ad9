/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes one JSON object from dotted names: "process.parent.pid" opens and closes the objects in
 * between. Names that share their beginning have to follow one another; a name is never escaped.
 */
#ifndef LICTOR_OBJECT_H
#define LICTOR_OBJECT_H

#include "output/format.h"

struct lictor_object {
	struct lictor_line *line;
	const char *open;	/* the last name written: its objects are open */
	bool begun;
};

struct lictor_object lictor_object_begin(struct lictor_line *line);
void lictor_object_end(struct lictor_object *object);
/* The value is to follow. */
void lictor_object_name(struct lictor_object *object, const char *name);

/* NULL and absent bytes write nothing, not even the name. */
void lictor_object_text(struct lictor_object *object, const char *name, const char *text);
void lictor_object_bytes(struct lictor_object *object, const char *name,
			 const struct lictor_bytes *bytes);
void lictor_object_number(struct lictor_object *object, const char *name, uint64_t number);
void lictor_object_flag(struct lictor_object *object, const char *name, bool flag);
void lictor_object_time(struct lictor_object *object, const char *name, struct timespec time);
void lictor_object_printf(struct lictor_object *object, const char *name, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* An array: begin, each, end; without an element it is written as []. */
struct lictor_array {
	struct lictor_line *line;
	bool begun;
};

struct lictor_array lictor_array_begin(struct lictor_object *object, const char *name);
void lictor_array_add(struct lictor_array *array, const char *text);
/* One that is not a text: the caller writes its value to the line. */
void lictor_array_next(struct lictor_array *array);
void lictor_array_add_bytes(struct lictor_array *array, const char *byte, size_t length);
void lictor_array_end(struct lictor_array *array);

#endif
