/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stage: from numbers of users and groups to names. In: a passwd or group file, of bounded size,
 * read anew when it changes. Out: names. May touch: that file, reading. Not NSS: it may wait for a
 * network.
 */
#include "daemon/names.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/own.h"

#define TEXT_MAX (8u << 20)
#define NAMES_MAX 65536u

void lictor_names_init(struct lictor_names *names, char *path)
{
	*names = (struct lictor_names){ .path = path };
}

static void forget(struct lictor_names *names)
{
	free(names->text);
	free(names->name);
	lictor_names_init(names, names->path);
}

void lictor_names_done(struct lictor_names *names)
{
	forget(names);
	free(names->path);
	names->path = NULL;
}

/* "name:password:id[:...]" -> the id; the name's end gets a NUL. */
static bool parse_line(char *line, uint32_t *ret_id)
{
	char *colon = strchr(line, ':'), *id, *end;
	unsigned long long number;

	id = colon && colon > line ? strchr(colon + 1, ':') : NULL;
	if (!id || id[1] < '0' || id[1] > '9')
		return false;
	number = strtoull(id + 1, &end, 10);
	if ((*end && *end != ':') || number >= UINT32_MAX)
		return false;
	*colon = '\0';
	*ret_id = (uint32_t)number;
	return true;
}

static int by_id(const void *a, const void *b)
{
	const struct lictor_name *left = a, *right = b;

	if (left->id != right->id)
		return left->id < right->id ? -1 : 1;
	return left->name < right->name ? -1 : left->name > right->name;
}

static void parse(struct lictor_names *names, size_t length)
{
	size_t lines = 1, at = 0;

	for (size_t i = 0; i < length; i++)
		lines += names->text[i] == '\n';
	if (lines > NAMES_MAX)
		lines = NAMES_MAX;
	names->name = calloc(lines, sizeof(*names->name));
	while (names->name && at < length && names->names < lines) {
		size_t next = at + strcspn(names->text + at, "\n");

		names->text[next] = '\0';
		if (parse_line(names->text + at, &names->name[names->names].id))
			names->name[names->names++].name = (uint32_t)at;
		at = next + 1;
	}
	if (names->names)
		qsort(names->name, names->names, sizeof(*names->name), by_id);
}

/* The file's bytes and a NUL; what exceeds the bound is left out. */
static char *read_text(int fd, off_t size, size_t *ret_length)
{
	size_t room = size < 0 || size > TEXT_MAX ? TEXT_MAX : (size_t)size, length = 0;
	char *text OWN(own_free) = malloc(room + 1);
	ssize_t got;

	while (text && length < room && (got = read(fd, text + length, room - length)) > 0)
		length += (size_t)got;
	if (!text)
		return NULL;
	text[length] = '\0';
	*ret_length = strlen(text);
	return TAKE(text);
}

static bool same(const struct lictor_names *names, const struct stat *st)
{
	return names->text && names->dev == st->st_dev && names->ino == st->st_ino &&
	       names->size == st->st_size && names->changed.tv_sec == st->st_ctim.tv_sec &&
	       names->changed.tv_nsec == st->st_ctim.tv_nsec;
}

void lictor_names_refresh(struct lictor_names *names)
{
	int fd OWN(own_close) = -1;
	size_t length = 0;
	struct stat st;

	if (!stat(names->path, &st) && same(names, &st))
		return;
	forget(names);
	fd = open(names->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0 || fstat(fd, &st) || !S_ISREG(st.st_mode))
		return;
	names->text = read_text(fd, st.st_size, &length);
	if (!names->text)
		return;
	names->dev = st.st_dev;
	names->ino = st.st_ino;
	names->size = st.st_size;
	names->changed = st.st_ctim;
	parse(names, length);
}

const char *lictor_names_find(const struct lictor_names *names, uint32_t id)
{
	size_t low = 0, high = names->names;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (names->name[middle].id < id)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == names->names || names->name[low].id != id)
		return NULL;
	return names->text + names->name[low].name;
}
