// SPDX-License-Identifier: Apache-2.0
/*
 * Running code: a file by its name, its descriptor, or memory; by which process, and as whom.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "probe.h"

/* ---- code ---- */

static int do_mmap(char **arg)
{
	int fd = open(arg[0], O_RDONLY | O_CLOEXEC);
	void *at;

	CHECK(fd);
	at = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);
	if (at == MAP_FAILED)
		return fault("mmap");
	return 0;
}

static int do_mprotect(char **arg)
{
	int fd = open(arg[0], O_RDONLY | O_CLOEXEC);
	void *at;

	CHECK(fd);
	at = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0);
	if (at == MAP_FAILED)
		return fault("mmap");
	CHECK(mprotect(at, 4096, PROT_READ | PROT_EXEC));
	return 0;
}

static int exec_fd(int fd, char *const *words)
{
	CHECK(syscall(SYS_execveat, fd, "", words, environ, AT_EMPTY_PATH));
	return 0;
}

/* A copy of the program in a file without a name is run. */
static int exec_copy(const char *program, const char *name, char *const *words)
{
	int from = open(program, O_RDONLY | O_CLOEXEC);
	int to = memfd_create(name, MFD_CLOEXEC);

	CHECK(from);
	CHECK(to);
	while (sendfile(to, from, NULL, 1 << 20) > 0)
		;
	return exec_fd(to, words);
}

static int do_memfd(char **arg)
{
	char *words[] = { "probe", "true", NULL };

	return exec_copy("/proc/self/exe", arg[0] ? arg[0] : "x", words);
}

/* nameless PROGRAM ARGS... */
static int do_nameless(char **arg)
{
	return exec_copy(arg[0], "nameless", arg);
}

/* environment NAME=VALUE... -- PROGRAM ARGS...: exactly that one, repeated names and all */
static int do_environment(char **arg)
{
	char **program = arg;

	while (*program && !is(*program, "--"))
		program++;
	if (!*program || !program[1])
		return EINVAL;
	*program++ = NULL;
	CHECK(execve(program[0], program, arg));
	return 0;
}

/* fexecve FILE [NAME ARGS...] */
static int do_fexecve(char **arg)
{
	char *words[] = { "probe", "true", NULL };
	int fd = open(arg[0], O_RDONLY | O_CLOEXEC);

	CHECK(fd);
	return exec_fd(fd, arg[1] && arg[2] ? arg + 1 : words);
}

static int do_deleted(char **arg)
{
	char *words[] = { "probe", "true", NULL };
	int fd = open(arg[0], O_RDONLY | O_CLOEXEC);

	CHECK(fd);
	CHECK(unlink(arg[0]));
	return exec_fd(fd, words);
}

static int do_procfd(char **arg)
{
	char path[64];
	int fd = open(arg[0], O_PATH | O_CLOEXEC);

	CHECK(fd);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	CHECK(execl(path, "probe", "true", NULL));
	return 0;
}

/* as NAME PROGRAM ARGS...: another argv[0] */
static int do_as(char **arg)
{
	char *program = arg[1];

	arg[1] = arg[0];
	CHECK(execv(program, arg + 1));
	return 0;
}

/* orphan PROGRAM ARGS...: run by a process whose parent has gone; exits with its status */
static int do_orphan(char **arg)
{
	int ends[2], status = 0;
	pid_t child, creator;

	CHECK(pipe2(ends, O_CLOEXEC));
	child = fork();
	CHECK(child);
	if (!child) {
		creator = getpid();
		if (fork() > 0)
			_exit(0);
		while (getppid() == creator)
			usleep(1000);
		child = fork();
		if (!child) {
			execv(arg[0], arg);
			_exit(errno);
		}
		waitpid(child, &status, 0);
		status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
		CHECK(write(ends[1], &status, sizeof(status)));
		_exit(0);
	}
	close(ends[1]);
	waitpid(child, NULL, 0);
	CHECK(read(ends[0], &status, sizeof(status)));
	return status;
}

/* child PROGRAM ARGS...: run by fork and exec; exits with its status, 128 + N for a signal */
int do_child(char **arg)
{
	pid_t child = fork();

	CHECK(child);
	if (!child) {
		execv(arg[0], arg);
		fprintf(stderr, "probe: %s: %s\n", arg[0], strerror(errno));
		_exit(126);
	}
	return status_of(child);
}

/* comm NAME PROGRAM ARGS...: forks with another comm, and the child runs PROGRAM */
static int do_comm(char **arg)
{
	prctl(PR_SET_NAME, arg[0]);
	return do_child(arg + 1);
}

/* stopped PROGRAM ARGS...: 0 if the program was stopped by a signal before it ended */
static int do_stopped(char **arg)
{
	int status;
	pid_t child = fork();

	CHECK(child);
	if (!child) {
		execv(arg[0], arg);
		_exit(errno);
	}
	CHECK(waitpid(child, &status, WUNTRACED));
	if (!WIFSTOPPED(status))
		return WIFEXITED(status) ? 100 + WEXITSTATUS(status) : WTERMSIG(status);
	kill(child, SIGCONT);
	CHECK(waitpid(child, &status, 0));
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* ---- who ---- */

/* user REAL EFFECTIVE GROUP PROGRAM ARGS... ('-' keeps it): the program is still run as that */
static int do_user(char **arg)
{
	uid_t real = arg[0][0] == '-' ? (uid_t)-1 : (uid_t)atoi(arg[0]);
	uid_t effective = arg[1][0] == '-' ? (uid_t)-1 : (uid_t)atoi(arg[1]);

	if (arg[2][0] != '-')
		CHECK(setresgid((gid_t)atoi(arg[2]), (gid_t)atoi(arg[2]), (gid_t)atoi(arg[2])));
	CHECK(setresuid(real, effective, (uid_t)-1));
	CHECK(execv(arg[3], arg + 3));
	return 0;
}

static int do_login(char **arg)
{
	int fd = open("/proc/self/loginuid", O_WRONLY | O_CLOEXEC);

	CHECK(fd);
	CHECK(write(fd, arg[0], strlen(arg[0])));
	close(fd);
	CHECK(execv(arg[1], arg + 1));
	return 0;
}

/* private PROGRAM ARGS...: in a mount namespace of its own, as root in a user namespace */
static int do_private(char **arg)
{
	CHECK(unshare(CLONE_NEWUSER | CLONE_NEWNS));
	CHECK(execv(arg[0], arg));
	return 0;
}

static int do_chroot(char **arg)
{
	CHECK(chroot(arg[0]));
	CHECK(chdir("/"));
	CHECK(execv(arg[1], arg + 1));
	return 0;
}

/* tree DIR NAME: runs DIR/NAME through a detached copy of the mount (open_tree) */
static int do_tree(char **arg)
{
	char *words[] = { "probe", "true", NULL };
	long fd = syscall(SYS_open_tree, AT_FDCWD, arg[0], 1u | O_CLOEXEC);

	CHECK(fd);
	CHECK(syscall(SYS_execveat, (int)fd, arg[1], words, environ, 0));
	return 0;
}

const struct word probe_exec[] = {
	{ "as", 2, do_as },
	{ "child", 1, do_child },
	{ "chroot", 2, do_chroot },
	{ "comm", 2, do_comm },
	{ "deleted", 1, do_deleted },
	{ "environment", 2, do_environment },
	{ "fexecve", 1, do_fexecve },
	{ "login", 2, do_login },
	{ "memfd", 0, do_memfd },
	{ "mmap", 1, do_mmap },
	{ "mprotect", 1, do_mprotect },
	{ "nameless", 1, do_nameless },
	{ "orphan", 1, do_orphan },
	{ "private", 1, do_private },
	{ "procfd", 1, do_procfd },
	{ "stopped", 1, do_stopped },
	{ "tree", 2, do_tree },
	{ "user", 4, do_user },
	{ NULL, 0, NULL },
};
