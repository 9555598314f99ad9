/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sinks: the path of a log comes in, the file there gets a name that says when and does not end in
 * .json, or the oldest of such names go. Touches that directory.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "output/log-file.h"

#define SHAPE "########T######.######Z"	/* of what is added to the name; # is a digit */

static void close_dir(DIR **dir)
{
	if (*dir)
		closedir(*dir);
}

static int aside_name(const char *path, struct timespec time, char *ret_name, size_t room)
{
	char when[32];
	struct tm tm;
	int length;

	if (!gmtime_r(&time.tv_sec, &tm))
		return -EOVERFLOW;
	strftime(when, sizeof(when), "%Y%m%dT%H%M%S", &tm);
	length = snprintf(ret_name, room, "%s.%s.%06ldZ", path, when, time.tv_nsec / 1000);
	return length < 0 || (size_t)length >= room ? -ENAMETOOLONG : 0;
}

/* Not every file system can rename without replacing. */
static int rename_to_new(const char *path, const char *name)
{
	if (!renameat2(AT_FDCWD, path, AT_FDCWD, name, RENAME_NOREPLACE))
		return 0;
	if (errno != EINVAL && errno != ENOSYS)
		return -errno;
	if (!faccessat(AT_FDCWD, name, F_OK, AT_SYMLINK_NOFOLLOW))
		return -EEXIST;
	return rename(path, name) ? -errno : 0;
}

int lictor_log_file_move_aside(const char *path)
{
	char name[PATH_MAX];
	struct timespec time;
	int r;

	clock_gettime(CLOCK_REALTIME, &time);
	for (int tries = 0; tries < 100; tries++) {
		r = aside_name(path, time, name, sizeof(name));
		if (!r)
			r = rename_to_new(path, name);
		if (r != -EEXIST)
			return r;
		time.tv_nsec = (time.tv_nsec + 1000) % 1000000000;
	}
	return -EEXIST;
}

static bool is_aside(const char *name, const char *base, size_t length)
{
	const char *shape = SHAPE;

	if (strncmp(name, base, length) || name[length] != '.')
		return false;
	for (name += length + 1; *shape; shape++, name++)
		if (*shape == '#' ? *name < '0' || *name > '9' : *name != *shape)
			return false;
	return !*name;
}

/* How many rotated files there are, and the first of their names. */
static unsigned count_aside(DIR *dir, const char *base, char *ret_first, size_t room)
{
	const struct dirent *entry;
	unsigned count = 0;

	rewinddir(dir);
	while ((entry = readdir(dir))) {
		if (!is_aside(entry->d_name, base, strlen(base)))
			continue;
		if (!count++ || strcmp(entry->d_name, ret_first) < 0)
			snprintf(ret_first, room, "%s", entry->d_name);
	}
	return count;
}

void lictor_log_file_prune(const char *path, unsigned keep)
{
	const char *slash = strrchr(path, '/');
	char place[PATH_MAX], first[NAME_MAX + 1];
	__attribute__((cleanup(close_dir))) DIR *dir = NULL;

	snprintf(place, sizeof(place), "%.*s", slash ? (int)(slash - path) + 1 : 1,
		 slash ? path : ".");
	dir = opendir(place);
	while (dir && count_aside(dir, slash ? slash + 1 : path, first, sizeof(first)) > keep)
		if (unlinkat(dirfd(dir), first, 0))
			return;
}
