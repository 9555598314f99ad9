/* SPDX-License-Identifier: Apache-2.0 */
/* One file of the JSON log: opened without trusting what is there, and holding whole lines only. */
#ifndef LICTOR_LOG_FILE_H
#define LICTOR_LOG_FILE_H

#include <stdbool.h>
#include <sys/types.h>
#include <time.h>

#define LICTOR_UUID_TEXT 37

struct lictor_log_file {
	int fd;				/* -1: none */
	dev_t dev;
	ino_t ino;
	off_t torn;			/* where a torn record is still to be cut off; -1: none */
	char uuid[LICTOR_UUID_TEXT];	/* of its header; "": it has none yet */
	time_t created;			/* says its header */
	off_t header;			/* bytes of its header */
	int grant;			/* -errno why mode or group could not be given, or 0 */
};

/*
 * Opens the log at path, creating it with mode and group (gid -1: as it comes) if there is none. A
 * link, FIFO, device or directory is refused: -ELOOP, -EINVAL. What a crash left of a last line is
 * cut off; a file that does not begin with a header of ours is moved aside first.
 */
int lictor_log_file_open(const char *path, mode_t mode, gid_t gid,
			 struct lictor_log_file *ret_file);
void lictor_log_file_close(struct lictor_log_file *file);
/* The bytes, with one write(2), or nothing. */
int lictor_log_file_append(struct lictor_log_file *file, const char *bytes, size_t length);
/* -errno, or its size. -ESTALE: it has no name any more. */
off_t lictor_log_file_size(const struct lictor_log_file *file);
/* Whether path still names this file. */
bool lictor_log_file_named(const struct lictor_log_file *file, const char *path);

/* Renames the log to PATH.20260822T120320.123456Z, which sorts by time. */
int lictor_log_file_move_aside(const char *path);
/* Removes the oldest of these until only `keep` are left. */
void lictor_log_file_prune(const char *path, unsigned keep);

#endif
