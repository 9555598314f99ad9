/* SPDX-License-Identifier: Apache-2.0 */
/* The names in a passwd or group file, read again when the file changes. */
#ifndef LICTOR_NAMES_H
#define LICTOR_NAMES_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

struct lictor_name {
	uint32_t id;
	uint32_t name;	/* where it stands in text */
};

struct lictor_names {
	char *path;
	char *text;
	size_t names;	/* in order of id, then of place */
	struct lictor_name *name;
	struct timespec changed;	/* of the file that was read */
	dev_t dev;
	ino_t ino;
	off_t size;
};

/* Lines of "name:password:id:...", as both files have. path is taken over. */
void lictor_names_init(struct lictor_names *names, char *path);
void lictor_names_done(struct lictor_names *names);
/* Reads the file if it is not the one that was read. Without a file there are no names. */
void lictor_names_refresh(struct lictor_names *names);
/* The first name that the file has for the number, or NULL. Good until the next refresh. */
const char *lictor_names_find(const struct lictor_names *names, uint32_t id);

#endif
