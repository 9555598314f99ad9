/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sinks: lines come in, one file of the JSON log goes out. It never holds a torn line that others
 * follow: what a write left undone is cut off before anything else is written. Touches the file at
 * the path that it is given, and its rotated brothers.
 */
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "output/log-file.h"

#define OPEN_FLAGS (O_RDWR | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY)
#define HEADER_MAX 8192

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}
#define OWN_FD __attribute__((cleanup(close_fd))) int

static int take_fd(int *fd)
{
	int taken = *fd;

	*fd = -1;
	return taken;
}

void lictor_log_file_close(struct lictor_log_file *file)
{
	close_fd(&file->fd);
	file->fd = -1;
}

static int refusal(const struct stat *st)
{
	if (S_ISREG(st->st_mode))
		return 0;
	return S_ISLNK(st->st_mode) ? -ELOOP : -EINVAL;
}

/* An open descriptor, or -errno. Nothing but a regular file is even opened. */
static int open_existing(const char *path)
{
	struct stat st;
	int refused, fd;

	if (lstat(path, &st))
		return -errno;
	refused = refusal(&st);
	if (refused)
		return refused;
	fd = open(path, OPEN_FLAGS);
	return fd < 0 ? -errno : fd;
}

/* A log that only its owner can read is better than none: the grant's failure is told apart. */
static int open_or_create(const char *path, mode_t mode, gid_t gid, int *ret_grant)
{
	int fd = open(path, OPEN_FLAGS | O_CREAT | O_EXCL, 0600);

	if (fd < 0)
		return errno == EEXIST ? open_existing(path) : -errno;
	if ((gid != (gid_t)-1 && fchown(fd, (uid_t)-1, gid)) || fchmod(fd, mode))
		*ret_grant = -errno;
	return fd;
}

/* Cuts off what stands behind the last newline. */
static int cut_torn_line(int fd, off_t size)
{
	char block[4096];
	off_t end = size;

	while (end > 0) {
		off_t from = end > (off_t)sizeof(block) ? end - (off_t)sizeof(block) : 0;
		ssize_t got = pread(fd, block, (size_t)(end - from), from);
		const char *newline;

		if (got != end - from)
			return got < 0 ? -errno : -EIO;
		newline = memrchr(block, '\n', (size_t)got);
		if (newline) {
			end = from + (newline - block) + 1;
			break;
		}
		end = from;
	}
	if (end == size)
		return 0;
	return ftruncate(fd, end) ? -errno : 0;
}

/* Takes what the file's first line says; false if that is not a header of ours. */
static bool read_header(struct lictor_log_file *file, const char *text, size_t length)
{
	static const char action[] = "\"lictor.header\"", uuid[] = "\"uuid\":\"",
			  created[] = "\"created\":";
	const char *newline = memchr(text, '\n', length), *at;

	if (!newline)
		return false;
	length = (size_t)(newline - text);
	if (!memmem(text, length, action, sizeof(action) - 1))
		return false;
	at = memmem(text, length, created, sizeof(created) - 1);
	file->created = at ? (time_t)strtoll(at + sizeof(created) - 1, NULL, 10) : 0;
	at = memmem(text, length, uuid, sizeof(uuid) - 1);
	if (!at || newline - at < (ptrdiff_t)(sizeof(uuid) - 1 + LICTOR_UUID_TEXT))
		return false;
	memcpy(file->uuid, at + sizeof(uuid) - 1, LICTOR_UUID_TEXT - 1);
	file->uuid[LICTOR_UUID_TEXT - 1] = '\0';
	file->header = (off_t)length + 1;
	return true;
}

/* Goes on with what is there. -EEXIST: it is not a log of ours. */
static int adopt(struct lictor_log_file *file, off_t size)
{
	static const char begin[] = "{\"@timestamp\":\"";
	char text[HEADER_MAX + 1] = "";
	ssize_t got;
	int r;

	if (!size)
		return 0;
	got = pread(file->fd, text, HEADER_MAX, 0);
	if (got < 0)
		return -errno;
	if (read_header(file, text, (size_t)got))
		return cut_torn_line(file->fd, size);
	/* Of a header that was being written when the machine went down nothing is lost. */
	r = size < HEADER_MAX && !memchr(text, '\n', (size_t)got) &&
	    !strncmp(text, begin, sizeof(begin) - 1);
	return r ? cut_torn_line(file->fd, size) : -EEXIST;
}

static int open_once(const char *path, mode_t mode, gid_t gid, struct lictor_log_file *ret_file)
{
	int r, grant = 0;
	OWN_FD fd = open_or_create(path, mode, gid, &grant);
	struct lictor_log_file file = { .fd = fd, .torn = -1, .grant = grant };
	struct stat st;

	if (fd < 0)
		return fd;
	if (fstat(fd, &st))
		return -errno;
	r = refusal(&st);
	if (!r)
		r = adopt(&file, st.st_size);
	if (r)
		return r;
	file.dev = st.st_dev;
	file.ino = st.st_ino;
	file.fd = take_fd(&fd);
	*ret_file = file;
	return 0;
}

int lictor_log_file_open(const char *path, mode_t mode, gid_t gid,
			 struct lictor_log_file *ret_file)
{
	int r = open_once(path, mode, gid, ret_file);

	if (r != -EEXIST)
		return r;
	r = lictor_log_file_move_aside(path);
	return r ? r : open_once(path, mode, gid, ret_file);
}

off_t lictor_log_file_size(const struct lictor_log_file *file)
{
	struct stat st;

	if (fstat(file->fd, &st))
		return -errno;
	return st.st_nlink ? st.st_size : -ESTALE;
}

bool lictor_log_file_named(const struct lictor_log_file *file, const char *path)
{
	struct stat st;

	return !lstat(path, &st) && st.st_dev == file->dev && st.st_ino == file->ino;
}

static int mend(struct lictor_log_file *file)
{
	struct stat st;

	if (file->torn < 0)
		return 0;
	if (fstat(file->fd, &st))
		return -errno;
	if (st.st_size > file->torn && ftruncate(file->fd, file->torn))
		return -errno;
	file->torn = -1;
	return 0;
}

int lictor_log_file_append(struct lictor_log_file *file, const char *bytes, size_t length)
{
	ssize_t written;
	int r = mend(file);

	if (r)
		return r;
	do
		written = write(file->fd, bytes, length);
	while (written < 0 && errno == EINTR);
	if (written < 0)
		return -errno;
	if ((size_t)written == length)
		return 0;
	/* With O_APPEND the offset is where our own bytes end, whoever else writes. */
	file->torn = written ? lseek(file->fd, 0, SEEK_CUR) - written : -1;
	r = mend(file);
	return r ? r : -ENOSPC;
}
