// SPDX-License-Identifier: Apache-2.0
/*
 * Namespaces: new ones, and those of others.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "probe.h"

static const struct named namespace_words[] = {
	{ "cgroup", CLONE_NEWCGROUP }, { "ipc", CLONE_NEWIPC }, { "mnt", CLONE_NEWNS },
	{ "net", CLONE_NEWNET }, { "pid", CLONE_NEWPID }, { "time", CLONE_NEWTIME },
	{ "user", CLONE_NEWUSER }, { "uts", CLONE_NEWUTS }, { NULL, 0 },
};

static int go_on(char **arg)
{
	if (arg[0])
		CHECK(execv(arg[0], arg));
	return 0;
}

/* unshare TYPES [PROGRAM ARGS...] */
static int do_unshare(char **arg)
{
	CHECK(unshare(flags_of(namespace_words, arg[0])));
	return go_on(arg + 1);
}

/* clone TYPES [PROGRAM ARGS...]: a child in new namespaces */
static int do_clone(char **arg)
{
	struct { uint64_t flags, ids[3], signal, rest[3]; } how = { .signal = SIGCHLD };
	pid_t child;

	how.flags = (uint64_t)flags_of(namespace_words, arg[0]) & 0xffffffff;
	child = (pid_t)syscall(SYS_clone3, &how, sizeof(how));
	CHECK(child);
	if (!child)
		_exit(go_on(arg + 1));
	return status_of(child);
}

/* clone-old TYPES [PROGRAM ARGS...]: the same by the older call */
static int do_clone_old(char **arg)
{
	int flags = flags_of(namespace_words, arg[0]) | SIGCHLD;
	pid_t child = (pid_t)syscall(SYS_clone, flags, 0, 0, 0, 0);

	CHECK(child);
	if (!child)
		_exit(go_on(arg + 1));
	return status_of(child);
}

/* setns FILE [PROGRAM ARGS...] */
static int do_setns(char **arg)
{
	CHECK(setns(open(arg[0], O_RDONLY | O_CLOEXEC), 0));
	return go_on(arg + 1);
}

/* setns-of PID TYPES [PROGRAM ARGS...]: several of a process's at once */
static int do_setns_of(char **arg)
{
	int fd = (int)syscall(SYS_pidfd_open, atoi(arg[0]), 0);

	CHECK(fd);
	CHECK(setns(fd, flags_of(namespace_words, arg[1])));
	return go_on(arg + 2);
}

const struct word probe_namespace[] = {
	{ "clone", 1, do_clone },
	{ "clone-old", 1, do_clone_old },
	{ "setns", 1, do_setns },
	{ "setns-of", 2, do_setns_of },
	{ "unshare", 1, do_unshare },
	{ NULL, 0, NULL },
};
