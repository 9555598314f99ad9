// SPDX-License-Identifier: Apache-2.0
/*
 * The system calls that busybox cannot make, for the tests in a machine: `probe WORD ARGS...` does
 * one thing and exits with 0, or with the errno of what failed. Linked statically to
 * build/vm-probe, and once dynamically as a program for the loader. Each file has words, in the
 * table at its end; here are what they share, words that run others, and the finding.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "probe.h"

int fault(const char *what)
{
	int error = errno;

	fprintf(stderr, "probe: %.60s: %s\n", what, strerror(error));
	return error;
}

bool is(const char *word, const char *other)
{
	return word && !strcmp(word, other);
}

int flags_of(const struct named *table, const char *list)
{
	char *copy = strdup(list), *save = NULL;
	int flags = 0;

	for (char *word = strtok_r(copy, ",", &save); word; word = strtok_r(NULL, ",", &save)) {
		for (const struct named *one = table; one->name; one++)
			flags |= is(word, one->name) ? one->flag : 0;
	}
	free(copy);
	return flags;
}

int status_of(pid_t child)
{
	int status;

	CHECK(waitpid(child, &status, 0));
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* ---- words that run others, and the simplest ---- */

/* repeat N WORD ARGS...: in this one process; exits with the last one's errno */
static int do_repeat(char **arg)
{
	int error = 0;

	for (int i = atoi(arg[0]); i > 0; i--)
		error = run(arg + 1);
	return error;
}

static void *thread_run(void *arg)
{
	return (void *)(intptr_t)run(arg);
}

/* thread WORD ARGS...: done by a second thread */
static int do_thread(char **arg)
{
	pthread_t thread;
	void *error;

	if (pthread_create(&thread, NULL, thread_run, arg) || pthread_join(thread, &error))
		return EAGAIN;
	return (int)(intptr_t)error;
}

static int do_true(char **arg)
{
	(void)arg;
	return 0;
}

static int do_exit(char **arg)
{
	return atoi(arg[0]);
}

/* mark FILE: leaves a file behind, to show that code ran */
static int do_mark(char **arg)
{
	CHECK(open(arg[0], O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
	return 0;
}

const struct word probe_main[] = {
	{ "exit", 1, do_exit },
	{ "mark", 1, do_mark },
	{ "repeat", 2, do_repeat },
	{ "thread", 1, do_thread },
	{ "true", 0, do_true },
	{ NULL, 0, NULL },
};

/* ---- which ---- */

static const struct word *const rooms[] = {
	probe_main, probe_file, probe_exec, probe_ring, probe_held, probe_net, probe_route, probe_task,
	probe_credential, probe_disguise, probe_namespace, probe_mount, probe_fuse, probe_kernel,
	probe_compat, probe_session, probe_lineage,
};

static const struct word *find(const char *name, int given)
{
	for (size_t i = 0; i < sizeof(rooms) / sizeof(rooms[0]); i++)
		for (const struct word *one = rooms[i]; one->word; one++)
			if (is(name, one->word) && given >= one->args)
				return one;
	return NULL;
}

int run(char **arg)
{
	const struct word *found;
	int given = 0;

	while (arg[0] && arg[given + 1])
		given++;
	found = find(arg[0], given);
	if (found)
		return found->run(arg + 1);
	fprintf(stderr, "probe: no such word, or too few arguments: %s\n", arg[0] ? arg[0] : "");
	return EINVAL;
}

int main(int argc, char **argv)
{
	return argc > 1 ? run(argv + 1) : 0;
}
