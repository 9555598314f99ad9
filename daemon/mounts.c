/* SPDX-License-Identifier: Apache-2.0 */
/* The host's table of mounts. In: /proc/self/mountinfo. Out: a list of it. */
#include "daemon/mounts.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/own.h"

/* mountinfo writes blanks and backslashes as three octal digits. */
static void unescape(char *text)
{
	char *to = text;

	for (char *at = text; *at; at++) {
		unsigned code;

		if (*at == '\\' && strspn(at + 1, "01234567") >= 3 &&
		    sscanf(at + 1, "%3o", &code) == 1) {
			*to++ = (char)code;
			at += 3;
		} else {
			*to++ = *at;
		}
	}
	*to = '\0';
}

void lictor_mounts_free(struct lictor_mounts *mounts)
{
	for (size_t i = 0; i < mounts->count; i++) {
		free(mounts->mount[i].root);
		free(mounts->mount[i].path);
	}
	free(mounts->mount);
	*mounts = (struct lictor_mounts){ 0 };
}

static int add(struct lictor_mounts *mounts, size_t *room, const char *line)
{
	struct lictor_mount mount = { 0 };
	uint32_t major, minor;

	if (mounts->count == *room) {
		size_t more = *room ? *room * 2 : 64;
		struct lictor_mount *grown = realloc(mounts->mount, more * sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		mounts->mount = grown;
		*room = more;
	}
	errno = 0;
	if (sscanf(line, "%d %d %u:%u %m[^ ] %m[^ ]", &mount.id, &mount.parent, &major, &minor,
		   &mount.root, &mount.path) != 6) {
		free(mount.root);
		return errno ? -errno : 0;
	}
	unescape(mount.root);
	unescape(mount.path);
	mount.dev = major << 20 | minor;
	mounts->mount[mounts->count++] = mount;
	return 0;
}

static int compare(const void *a, const void *b)
{
	const struct lictor_mount *x = a, *y = b;
	int order = (x->dev > y->dev) - (x->dev < y->dev);

	if (!order)
		order = strcmp(x->root, y->root);
	return order ? order : strcmp(x->path, y->path);
}

int lictor_mounts_read(struct lictor_mounts *ret)
{
	struct lictor_mounts mounts OWN(lictor_mounts_free) = { 0 };
	FILE *file = fopen("/proc/self/mountinfo", "re");
	char *line OWN(own_free) = NULL;
	size_t size = 0, room = 0;
	int error = 0;

	if (!file)
		return -errno;
	while (!error && getline(&line, &size, file) > 0)
		error = add(&mounts, &room, line);
	/* Half a table would make others forget what is in the other half. */
	if (!error && ferror(file))
		error = -EIO;
	fclose(file);
	if (error)
		return error;
	if (mounts.count)
		qsort(mounts.mount, mounts.count, sizeof(*mounts.mount), compare);
	*ret = mounts;
	mounts = (struct lictor_mounts){ 0 };
	return 0;
}

const struct lictor_mount *lictor_mounts_find(const struct lictor_mounts *mounts,
					      const struct lictor_mount *mount)
{
	return mounts->count ? bsearch(mount, mounts->mount, mounts->count, sizeof(*mount), compare) :
			       NULL;
}

static bool is_covered(const struct lictor_mounts *mounts, const struct lictor_mount *mount)
{
	for (size_t i = 0; i < mounts->count; i++)
		if (mounts->mount[i].parent == mount->id &&
		    !strcmp(mounts->mount[i].path, mount->path))
			return true;
	return false;
}

void lictor_mounts_keep(struct lictor_mounts *mounts, const bool *keep)
{
	size_t kept = 0;

	for (size_t i = 0; i < mounts->count; i++) {
		if (keep[i]) {
			mounts->mount[kept++] = mounts->mount[i];
		} else {
			free(mounts->mount[i].root);
			free(mounts->mount[i].path);
		}
	}
	mounts->count = kept;
}

void lictor_mounts_uncover(struct lictor_mounts *mounts)
{
	bool *shown = calloc(mounts->count + 1, sizeof(*shown));

	for (size_t i = 0; shown && i < mounts->count; i++)
		shown[i] = !is_covered(mounts, &mounts->mount[i]);
	if (shown)
		lictor_mounts_keep(mounts, shown);
	free(shown);
}

bool lictor_mount_within(const struct lictor_mount *part, const struct lictor_mount *whole,
			 char ret_name[static PATH_MAX])
{
	size_t shown = strcmp(whole->root, "/") ? strlen(whole->root) : 0;
	const char *place = strcmp(whole->path, "/") ? whole->path : "";

	return part->dev == whole->dev && strncmp(part->root, whole->root, shown) == 0 &&
	       part->root[shown] == '/' && part->root[shown + 1] &&
	       (size_t)snprintf(ret_name, PATH_MAX, "%s%s", place, part->root + shown) < PATH_MAX;
}
