// SPDX-License-Identifier: Apache-2.0
/*
 * One process acts on another: tracing it, reading what /proc has of it, signals.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/kcmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "probe.h"

/* pause: for ever; the process that others act on */
static int do_pause(char **arg)
{
	(void)arg;
	while (pause())
		;
	return 0;
}

static int attach(pid_t pid, int request)
{
	CHECK(ptrace(request, pid, 0, 0));
	if (request == (int)PTRACE_SEIZE)
		CHECK(ptrace(PTRACE_INTERRUPT, pid, 0, 0));
	CHECK(waitpid(pid, NULL, __WALL));
	CHECK(ptrace(PTRACE_DETACH, pid, 0, 0));
	return 0;
}

/* Its file FILE in /proc, opened in that way, and read. */
static int open_of(pid_t pid, const char *file, int flags)
{
	char path[64], bytes[8];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, file);
	fd = open(path, flags | O_CLOEXEC);
	CHECK(fd);
	if (flags == O_RDONLY)
		CHECK(read(fd, bytes, sizeof(bytes)));
	return 0;
}

static int link_of(pid_t pid, const char *file)
{
	char path[64], target[256];

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, file);
	CHECK(readlink(path, target, sizeof(target)));
	return 0;
}

/* ptrace PID WAY: attach, seize, vm-read, vm-write, mem, kcmp, or a file or link of /proc/PID */
static int do_ptrace(char **arg)
{
	pid_t pid = atoi(arg[0]);
	static char here[8];
	struct iovec own = { here, sizeof(here) }, its = { here, sizeof(here) };
	const char *way = arg[1];

	if (is(way, "attach") || is(way, "seize"))
		return attach(pid, is(way, "seize") ? PTRACE_SEIZE : PTRACE_ATTACH);
	if (is(way, "vm-read"))
		CHECK(process_vm_readv(pid, &own, 1, &its, 1, 0));
	else if (is(way, "vm-write"))
		CHECK(process_vm_writev(pid, &own, 1, &its, 1, 0));
	else if (is(way, "kcmp"))
		CHECK(syscall(SYS_kcmp, getpid(), pid, KCMP_FILES, 0, 0));
	else if (is(way, "mem"))
		return open_of(pid, way, O_RDWR);
	else if (is(way, "exe") || is(way, "cwd") || is(way, "root") || !strncmp(way, "fd/", 3))
		return link_of(pid, way);
	else
		return open_of(pid, way, O_RDONLY);
	return 0;
}

static int do_traceme(char **arg)
{
	(void)arg;
	CHECK(ptrace(PTRACE_TRACEME, 0, 0, 0));
	return 0;
}

/* By a pipe whose other process is told of data by a signal. */
static int signal_by_owner(pid_t pid, int number)
{
	int ends[2];

	CHECK(pipe2(ends, O_CLOEXEC | O_NONBLOCK));
	CHECK(fcntl(ends[0], F_SETOWN, pid));
	CHECK(fcntl(ends[0], F_SETSIG, number));
	CHECK(fcntl(ends[0], F_SETFL, O_ASYNC | O_NONBLOCK));
	CHECK(write(ends[1], "x", 1));
	return 0;
}

/* signal PID NUMBER WAY: kill, group, everyone, tgkill, tkill, queue, tgqueue, pidfd, owner */
static int do_signal(char **arg)
{
	pid_t pid = atoi(arg[0]);
	int number = atoi(arg[1]);
	siginfo_t info = { .si_signo = number, .si_code = SI_QUEUE, .si_pid = getpid(),
			   .si_uid = getuid() };
	const char *way = arg[2];

	if (is(way, "kill"))
		CHECK(kill(pid, number));
	else if (is(way, "group"))
		CHECK(kill(-getpgid(pid), number));
	else if (is(way, "everyone"))
		CHECK(kill(-1, number));
	else if (is(way, "tgkill"))
		CHECK(syscall(SYS_tgkill, pid, pid, number));
	else if (is(way, "tkill"))
		CHECK(syscall(SYS_tkill, pid, number));
	else if (is(way, "queue"))
		CHECK(syscall(SYS_rt_sigqueueinfo, pid, number, &info));
	else if (is(way, "tgqueue"))
		CHECK(syscall(SYS_rt_tgsigqueueinfo, pid, pid, number, &info));
	else if (is(way, "pidfd"))
		CHECK(syscall(SYS_pidfd_send_signal, syscall(SYS_pidfd_open, pid, 0), number, NULL,
			      0));
	else
		return signal_by_owner(pid, number);
	return 0;
}

/* signal-self NUMBER: ignored, so that it goes on */
static int do_signal_self(char **arg)
{
	signal(atoi(arg[0]), SIG_IGN);
	CHECK(kill(getpid(), atoi(arg[0])));
	CHECK(raise(atoi(arg[0])));
	return 0;
}

/* session PROGRAM ARGS...: in a session and process group of its own */
static int do_session(char **arg)
{
	if (getpid() == getpgrp() && fork() > 0)
		return 0;
	setsid();
	CHECK(execv(arg[0], arg));
	return 0;
}

const struct word probe_task[] = {
	{ "pause", 0, do_pause },
	{ "ptrace", 2, do_ptrace },
	{ "session", 1, do_session },
	{ "signal", 3, do_signal },
	{ "signal-self", 1, do_signal_self },
	{ "traceme", 0, do_traceme },
	{ NULL, 0, NULL },
};
