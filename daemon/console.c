/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stage: sink. In: lines. Out: the same on stdout or stderr, for whoever runs lictord in front of
 * them. A terminal that is stopped or a pipe that nobody reads must not stall the rings, and
 * O_NONBLOCK on the stream itself would change it for the shell too: so a pipe or terminal is
 * opened anew. May touch: the descriptor.
 */
#include "daemon/console.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>

#include "daemon/own.h"

#define CONSOLE_REST 65536u	/* bytes of lines that were taken in part */

struct lictor_console {
	int fd;
	bool ours;
	bool socket;
	struct lictor_line rest;
	struct lictor_sink_count count;
};

int lictor_console_open(int fd, struct lictor_console **ret_console)
{
	struct lictor_console *console;
	struct stat st;
	char path[32];

	if (fstat(fd, &st) < 0)
		return -errno;
	console = calloc(1, sizeof(*console));
	if (!console)
		return -ENOMEM;
	console->fd = fd;
	console->socket = S_ISSOCK(st.st_mode);
	if (S_ISCHR(st.st_mode) || S_ISFIFO(st.st_mode)) {
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		console->fd = open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
		console->ours = console->fd >= 0;
		if (!console->ours)
			console->fd = fd;
	}
	*ret_console = console;
	return 0;
}

void lictor_console_close(struct lictor_console *console)
{
	if (console->ours)
		close(console->fd);
	lictor_line_done(&console->rest);
	free(console);
}

static ssize_t give(struct lictor_console *console, const char *bytes, size_t length)
{
	ssize_t given = console->socket ?
				send(console->fd, bytes, length, MSG_DONTWAIT | MSG_NOSIGNAL) :
				write(console->fd, bytes, length);

	if (given >= 0) {
		console->count.error = 0;
		return given;
	}
	console->count.error = errno;
	console->count.errors++;
	return 0;
}

/* A line that was begun is finished first, so that what comes out are whole lines. */
static bool flush_rest(struct lictor_console *console)
{
	struct lictor_line *rest = &console->rest;
	size_t given;

	if (!rest->length)
		return true;
	given = (size_t)give(console, rest->byte, rest->length);
	memmove(rest->byte, rest->byte + given, rest->length - given);
	rest->length -= given;
	return !rest->length;
}

void lictor_console_write(struct lictor_console *console, const char *line, size_t length)
{
	struct lictor_line *rest = &console->rest;

	if (!flush_rest(console) || length >= CONSOLE_REST) {
		console->count.lost++;
		return;
	}
	lictor_line_reset(rest);
	lictor_line_add(rest, line, length);
	lictor_line_add(rest, "\n", 1);
	if (rest->failed) {
		console->count.lost++;
		lictor_line_done(rest);
		*rest = (struct lictor_line){ 0 };
		return;
	}
	console->count.written++;
	flush_rest(console);
}

void lictor_console_count(const struct lictor_console *console,
			  struct lictor_sink_count *ret_count)
{
	*ret_count = console->count;
	ret_count->queued = console->rest.length;
}
