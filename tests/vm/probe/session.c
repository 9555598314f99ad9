// SPDX-License-Identifier: Apache-2.0
/*
 * What surrounds a process: a terminal, a control group, the file that it was run from.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "probe.h"

/* In a session of its own: with a terminal (control), by one as its standard input (stdin), both. */
static int run_at_terminal(const char *how, const char *terminal, char **program)
{
	int fd;

	CHECK(setsid());
	fd = open(terminal, O_RDWR | O_NOCTTY);
	CHECK(fd);
	if (!is(how, "stdin"))
		CHECK(ioctl(fd, TIOCSCTTY, 0));
	if (!is(how, "control"))
		CHECK(dup2(fd, STDIN_FILENO));
	CHECK(execv(program[0], program));
	return 0;
}

/* terminal control|stdin|both PROGRAM ARGS... */
static int do_terminal(char **arg)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	pid_t child;

	CHECK(master);
	CHECK(grantpt(master));
	CHECK(unlockpt(master));
	child = fork();
	CHECK(child);
	if (!child)
		_exit(run_at_terminal(arg[0], ptsname(master), arg + 1));
	return status_of(child);
}

/* cgroup DIR PROGRAM ARGS...: from within that control group */
static int do_cgroup(char **arg)
{
	char path[4096];
	int fd;

	snprintf(path, sizeof(path), "%s/cgroup.procs", arg[0]);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	CHECK(fd);
	CHECK(write(fd, "0", 1));
	close(fd);
	CHECK(execv(arg[1], arg + 1));
	return 0;
}

/* unlinked FILE WORD ARGS...: removes the file, its own program's perhaps, and goes on */
static int do_unlinked(char **arg)
{
	CHECK(unlink(arg[0]));
	return run(arg + 1);
}

/* age SECONDS WORD ARGS...: waits, and goes on in the same process */
static int do_age(char **arg)
{
	sleep((unsigned int)atoi(arg[0]));
	return run(arg + 1);
}

/* quit STATUS: the process ends, whichever thread it is */
static int do_quit(char **arg)
{
	_exit(atoi(arg[0]));
}

/* spin MILLISECONDS of processor time */
static int do_spin(char **arg)
{
	clock_t until = clock() + (clock_t)atol(arg[0]) * (CLOCKS_PER_SEC / 1000);

	while (clock() < until)
		;
	return 0;
}

static pthread_barrier_t crowd;

static void *stand(void *arg)
{
	(void)arg;
	pthread_barrier_wait(&crowd);
	while (pause())
		;
	return NULL;
}

static void *act(void *arg)
{
	pthread_barrier_wait(&crowd);
	return (void *)(intptr_t)run(arg);
}

/* crowd N WORD ARGS...: done by one of N threads, none of them the first */
static int do_crowd(char **arg)
{
	unsigned int count = (unsigned int)atoi(arg[0]);
	pthread_attr_t small;
	pthread_t thread;
	void *error;

	pthread_attr_init(&small);
	pthread_attr_setstacksize(&small, 65536);
	pthread_barrier_init(&crowd, NULL, count);
	for (unsigned int i = 1; i < count; i++)
		if (pthread_create(&thread, &small, stand, NULL))
			return EAGAIN;
	if (pthread_create(&thread, &small, act, arg + 1) || pthread_join(thread, &error))
		return EAGAIN;
	return (int)(intptr_t)error;
}

/* One of the swarm: 0 if it was refused; then it waits to be let go. */
static int be_refused(const char *file, int gate)
{
	int fd = open(file, O_WRONLY | O_CLOEXEC);
	int status = fd < 0 && errno == EPERM ? 0 : 1;
	char byte;

	while (read(gate, &byte, 1) < 0)
		;
	return status;
}

/* One more of them ends: 0 if it was refused. */
static int let_go(int gate)
{
	int status;

	CHECK(write(gate, "", 1));
	CHECK(wait(&status));
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

/* swarm TOTAL LIVE FILE: so many processes, of which so many live at a time; each must be refused
   to write to the file */
static int do_swarm(char **arg)
{
	long total = atol(arg[0]), most = atol(arg[1]), live = 0, passed = 0;
	int gate[2];
	pid_t child;

	CHECK(pipe2(gate, O_CLOEXEC));
	for (long i = 0; i < total; i++) {
		for (; live >= most; live--)
			passed += let_go(gate[1]);
		child = fork();
		CHECK(child);
		if (!child)
			_exit(be_refused(arg[2], gate[0]));
		live++;
	}
	for (; live; live--)
		passed += let_go(gate[1]);
	if (passed)
		fprintf(stderr, "probe: %ld of %ld were not refused\n", passed, total);
	return passed ? 1 : 0;
}

const struct word probe_session[] = {
	{ "age", 2, do_age },
	{ "cgroup", 2, do_cgroup },
	{ "crowd", 2, do_crowd },
	{ "quit", 1, do_quit },
	{ "spin", 1, do_spin },
	{ "swarm", 3, do_swarm },
	{ "terminal", 2, do_terminal },
	{ "unlinked", 2, do_unlinked },
	{ NULL, 0, NULL },
};
