/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The privileged room: kills a process that broke a rule before the rule came. In the kernel a
 * program can signal only the task that runs it, so this is the one verdict that is carried out
 * here. May touch: /proc, reading; one process.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "daemon/engine.h"
#include "daemon/own.h"
#include "daemon/process.h"

/* Looked at and killed through one descriptor: a later process of the same number is not hit. */
int lictor_engine_kill(uint32_t pid, uint64_t start_ns)
{
	int proc OWN(own_close) = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	int dir OWN(own_close) = -1;
	int error = proc < 0 ? -errno : lictor_process_open(proc, pid, &dir);

	if (error)
		return error;
	if (!start_ns || !lictor_process_began(dir, start_ns))
		return -ESRCH;
	return syscall(SYS_pidfd_send_signal, dir, SIGKILL, NULL, 0) < 0 ? -errno : 0;
}
