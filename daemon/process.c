/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stage: beside enrich and kill, which both have to know that a number still is the process of a
 * record. In: a number, a start. Out: the process's directory, whether it began then. May touch:
 * /proc, reading.
 */
#include "daemon/process.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/own.h"

#define STAT_TEXT 1024		/* of /proc/PID/stat: the start is well before */
#define STAT_START 22		/* its field, counted from 1 */
#define SECOND_NS 1000000000ull

int lictor_process_open(int proc, uint32_t pid, int *ret_dir)
{
	char name[16];
	int dir;

	if (!pid || pid > INT32_MAX)
		return -EINVAL;
	snprintf(name, sizeof(name), "%u", pid);
	dir = openat(proc, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return errno == ENOENT ? -ESRCH : -errno;
	*ret_dir = dir;
	return 0;
}

/* When the process started, in ticks since boot, from the text of /proc/PID/stat. */
static bool parse_start(const char *text, uint64_t *ret_ticks)
{
	const char *at = strrchr(text, ')');	/* comm may hold anything, this too */

	for (int field = 2; at && field < STAT_START; field++)
		at = strchr(at + 1, ' ');
	if (!at || at[1] < '0' || at[1] > '9')
		return false;
	*ret_ticks = strtoull(at + 1, NULL, 10);
	return true;
}

static bool read_start(int dir, uint64_t *ret_ticks)
{
	int fd OWN(own_close) = openat(dir, "stat", O_RDONLY | O_CLOEXEC);
	char text[STAT_TEXT];
	ssize_t length = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

	if (length <= 0)
		return false;
	text[length] = '\0';
	return parse_start(text, ret_ticks);
}

bool lictor_process_began(int dir, uint64_t start_ns)
{
	long second = sysconf(_SC_CLK_TCK);	/* in ticks */
	uint64_t wanted = start_ns / (SECOND_NS / (uint64_t)(second > 0 ? second : 100)), ticks;

	return read_start(dir, &ticks) &&
	       (ticks == wanted || ticks + 1 == wanted || ticks == wanted + 1);
}
