/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The privileged room: kills a process that broke a rule before the rule came. In the kernel a
 * program can signal only the task that runs it, so this is the one verdict that is carried out
 * here. May touch: /proc, reading; one process.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "daemon/engine.h"
#include "daemon/own.h"

/* In clock ticks since boot; 0: there is no such process. */
static uint64_t start_of(uint32_t pid)
{
	char path[32], text[1024];
	const char *at;
	ssize_t length;
	int fd;

	snprintf(path, sizeof(path), "/proc/%u/stat", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	length = read(fd, text, sizeof(text) - 1);
	close(fd);
	text[length > 0 ? length : 0] = '\0';
	at = strrchr(text, ')');	/* comm may hold anything, this too */
	for (int field = 2; at && field < 22; field++)
		at = strchr(at + 1, ' ');
	return at ? strtoull(at, NULL, 10) : 0;
}

/* The descriptor is of the process that has the number now; its start tells whether it is the one. */
int lictor_engine_kill(uint32_t pid, uint64_t start_ns)
{
	uint64_t wanted = start_ns / (1000000000ull / (uint64_t)sysconf(_SC_CLK_TCK)), found;
	int fd OWN(own_close) = (int)syscall(SYS_pidfd_open, pid, 0);

	if (fd < 0)
		return -errno;
	found = start_of(pid);
	if (!start_ns || found + 1 < wanted || found > wanted + 1)
		return -ESRCH;
	return syscall(SYS_pidfd_send_signal, fd, SIGKILL, NULL, 0) < 0 ? -errno : 0;
}
