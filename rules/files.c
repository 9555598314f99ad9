/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rule files: names of directories and files come in; a sorted list of files, and the bytes of
 * one, go out. A file is opened once and read once, and only if it is a regular file: what is
 * checked is what was read. Touches the directories and files that it is given.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rules/tree.h"

static void close_file(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static void close_directory(DIR **directory)
{
	if (*directory)
		closedir(*directory);
}

static void free_text(char **text)
{
	free(*text);
}

/* A file that grows meanwhile is cut at the limit and then refused, not read for ever. */
static int read_all(int fd, char *text, size_t size, size_t *ret_length)
{
	size_t length = 0;

	while (length < size) {
		ssize_t got = read(fd, text + length, size - length);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		if (!got)
			break;
		length += (size_t)got;
	}
	*ret_length = length;
	return 0;
}

int file_read(const char *path, char **ret_text, size_t *ret_length)
{
	/* O_NONBLOCK: a fifo must not hold up the daemon before it is seen to be one. */
	OWNED(close_file) int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	OWNED(free_text) char *text = NULL;
	struct stat status;
	size_t length = 0, size;
	int error;

	if (fd < 0 || fstat(fd, &status) < 0)
		return -errno;
	if (!S_ISREG(status.st_mode))
		return S_ISDIR(status.st_mode) ? -EISDIR : -ENOTSUP;
	if (status.st_size > (off_t)FILE_BYTES_MAX)
		return -EFBIG;
	size = (size_t)status.st_size + 1;
	text = malloc(size);
	if (!text)
		return -ENOMEM;
	error = read_all(fd, text, size, &length);
	if (error)
		return error;
	if (length == size) /* it grew since fstat: somebody is still writing */
		return -EBUSY;
	text[length] = '\0';
	*ret_text = text;
	*ret_length = length;
	text = NULL;
	return 0;
}

/* ---- the files of directories ---- */

struct listing {
	struct lictor_diags *diags;
	struct lictor_arena *arena;
	const char **file;
	size_t files;
	size_t room;
};

static void free_listing(struct listing *listing)
{
	free(listing->file);
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static int by_base_name(const void *a, const void *b)
{
	const char *one = *(const char *const *)a, *two = *(const char *const *)b;
	int order = strcmp(base_name(one), base_name(two));

	return order ? order : strcmp(one, two);
}

static int complain(struct lictor_diags *diags, const char *path, int error, const char *text)
{
	struct lictor_place place = { 0 };

	if (diags_add_source(diags, path, NULL, 0, &place.file))
		return -ENOMEM;
	if (error)
		lictor_diag_error(diags, place, NULL, "%s: %s", text, strerror(error));
	else
		lictor_diag_warning(diags, place, "rename it if it is one", "%s", text);
	return error ? -EINVAL : 0;
}

static int add_file(struct listing *listing, const char *dir, const char *name)
{
	size_t length = strlen(dir), tail = strlen(name) + 1;
	char *path = lictor_arena_get(listing->arena, length + 1 + tail);

	if (listing->files == listing->room) {
		size_t room = listing->room ? 2 * listing->room : 64;
		const char **grown = realloc(listing->file, room * sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		listing->file = grown;
		listing->room = room;
	}
	if (!path)
		return -ENOMEM;
	memcpy(path, dir, length);
	if (length && tail > 1 && dir[length - 1] != '/')
		path[length++] = '/';
	memcpy(path + length, name, tail);
	listing->file[listing->files++] = path;
	return 0;
}

static bool ends_in(const char *name, const char *suffix)
{
	size_t length = strlen(name), tail = strlen(suffix);

	return length > tail && !strcmp(name + length - tail, suffix);
}

static int add_entry(struct listing *listing, const char *dir, const char *name)
{
	if (name[0] == '.')
		return 0; /* an editor's or a package manager's */
	if (ends_in(name, ".yaml"))
		return add_file(listing, dir, name);
	if (!ends_in(name, ".yml"))
		return 0;
	if (add_file(listing, dir, name))
		return -ENOMEM;
	return complain(listing->diags, listing->file[--listing->files], 0,
			"not read: the names of rule files end in .yaml");
}

static int add_argument(struct listing *listing, const char *path)
{
	OWNED(close_directory) DIR *directory = opendir(path);
	const struct dirent *entry;
	int error = 0;

	if (!directory && errno == ENOTDIR)
		return add_file(listing, path, "");
	if (!directory)
		return complain(listing->diags, path, errno, "cannot be read");
	while (!error && (errno = 0, entry = readdir(directory)))
		error = add_entry(listing, path, entry->d_name);
	if (!error && errno)
		return complain(listing->diags, path, errno, "cannot be read");
	return error;
}

int lictor_rules_files(size_t dirs, const char *const *dir, struct lictor_diags *diags,
		       struct lictor_arena *arena, size_t *ret_files, const char *const **ret_file)
{
	OWNED(free_listing) struct listing listing = { .diags = diags, .arena = arena };
	const char **file;
	int result = 0;

	for (size_t i = 0; i < dirs; i++) {
		int error = add_argument(&listing, dir[i]);

		if (error == -ENOMEM)
			return error;
		result = error ? error : result;
	}
	if (result)
		return result;
	if (listing.files)
		qsort(listing.file, listing.files, sizeof(*listing.file), by_base_name);
	file = lictor_arena_get(arena, (listing.files + 1) * sizeof(*file));
	if (!file)
		return -ENOMEM;
	if (listing.files)
		memcpy(file, listing.file, listing.files * sizeof(*file));
	*ret_files = listing.files;
	*ret_file = file;
	return 0;
}
