/* SPDX-License-Identifier: Apache-2.0 */
/*
 * In a machine whose clock counts instructions (-icount shift=0): what one call of each kind
 * costs, in instructions, the median of nine rounds. In: nothing. Out: `operation figure` lines.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define ROUNDS 9
#define CALLS 400

static unsigned long now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (unsigned long)time.tv_sec * 1000000000ul + (unsigned long)time.tv_nsec;
}

static int file;

static void do_getppid(void)
{
	syscall(SYS_getppid);
}

static void do_pread(void)
{
	char byte;

	if (pread(file, &byte, 1, 0) != 1)
		abort();
}

static void do_open(void)
{
	close(open("/data/bench/a/b/file", O_RDONLY | O_CLOEXEC));
}

static void do_open_write(void)
{
	close(open("/data/bench/a/b/file", O_WRONLY | O_CLOEXEC));
}

static void do_rename(void)
{
	if (rename("/data/bench/a/b/one", "/data/bench/a/b/two") < 0 ||
	    rename("/data/bench/a/b/two", "/data/bench/a/b/one") < 0)
		abort();
}

static void do_create(void)
{
	close(open("/data/bench/a/b/new", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
	unlink("/data/bench/a/b/new");
}

static void do_fork(void)
{
	pid_t child = fork();

	if (child == 0)
		_exit(0);
	waitpid(child, NULL, 0);
}

static void do_exec(void)
{
	pid_t child = vfork();

	if (child == 0) {
		execl("/bin/bench", "bench", "nothing", (char *)NULL);
		_exit(127);
	}
	waitpid(child, NULL, 0);
}

static int compare(const void *a, const void *b)
{
	const unsigned long *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static void measure(const char *name, void (*call)(void), unsigned calls)
{
	unsigned long round[ROUNDS];

	for (int r = 0; r < ROUNDS; r++) {
		unsigned long start;

		for (unsigned i = 0; i < 10; i++)
			call();
		start = now();
		for (unsigned i = 0; i < calls; i++)
			call();
		round[r] = (now() - start) / calls;
	}
	qsort(round, ROUNDS, sizeof(*round), compare);
	printf("%s %lu\n", name, round[ROUNDS / 2]);
}

int main(int argc, char **argv)
{
	if (argc > 1 && !strcmp(argv[1], "nothing"))
		return 0;
	mkdir("/data/bench", 0755);
	mkdir("/data/bench/a", 0755);
	mkdir("/data/bench/a/b", 0755);
	file = open("/data/bench/a/b/file", O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	if (file < 0 || write(file, "x", 1) != 1)
		return 1;
	close(open("/data/bench/a/b/one", O_WRONLY | O_CREAT, 0644));
	measure("getppid", do_getppid, CALLS * 4);
	measure("pread", do_pread, CALLS);
	measure("open+close", do_open, CALLS);
	measure("open(w)+close", do_open_write, CALLS);
	measure("rename", do_rename, CALLS / 2);
	measure("create+unlink", do_create, CALLS / 2);
	measure("fork+exit", do_fork, 40);
	measure("vfork+exec+exit", do_exec, 20);
	return 0;
}
