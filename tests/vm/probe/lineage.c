// SPDX-License-Identifier: Apache-2.0
/*
 * Ways to make a child, and to be made one.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "probe.h"

#define STACK (256 * 1024)

static int run_words(void *arg)
{
	return run(arg);
}

/* vfork WORD ARGS...: done by a child that has executed nothing, while its maker waits */
static int do_vfork(char **arg)
{
	pid_t child = vfork();

	CHECK(child);
	if (!child)
		_exit(run(arg));
	return status_of(child);
}

/* shared WORD ARGS...: by a child that has its maker's memory, and is no thread of it */
static int do_shared(char **arg)
{
	char *stack = malloc(STACK);
	pid_t child = stack ? clone(run_words, stack + STACK, CLONE_VM | SIGCHLD, arg) : -1;

	CHECK(child);
	return status_of(child);
}

/* sibling WORD ARGS...: by a child that is given to its maker's parent */
static int do_sibling(char **arg)
{
	int ends[2], status = 0;
	pid_t child;

	CHECK(pipe2(ends, O_CLOEXEC));
	child = (pid_t)syscall(SYS_clone, CLONE_PARENT | SIGCHLD, 0, 0, 0, 0);
	CHECK(child);
	if (!child) {
		status = run(arg);
		_exit(write(ends[1], &status, sizeof(status)) < 0);
	}
	close(ends[1]);
	CHECK(read(ends[0], &status, sizeof(status)));
	return status;
}

/* reaper WORD ARGS...: whose orphans become its own */
static int do_reaper(char **arg)
{
	CHECK(prctl(PR_SET_CHILD_SUBREAPER, 1));
	return run(arg);
}

/* made-in GROUP WORD ARGS...: by a child that is made in that control group */
static int do_made_in(char **arg)
{
	struct { uint64_t flags, ids[3], signal, rest[5], group; } how = {
		.flags = 1ull << 33,	/* CLONE_INTO_CGROUP */
		.signal = SIGCHLD,
	};
	int group = open(arg[0], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	pid_t child;

	CHECK(group);
	how.group = (uint64_t)group;
	child = (pid_t)syscall(SYS_clone3, &how, sizeof(how));
	CHECK(child);
	if (!child)
		_exit(run(arg + 1));
	return status_of(child);
}

const struct word probe_lineage[] = {
	{ "made-in", 2, do_made_in },
	{ "reaper", 1, do_reaper },
	{ "shared", 1, do_shared },
	{ "sibling", 1, do_sibling },
	{ "vfork", 1, do_vfork },
	{ NULL, 0, NULL },
};
