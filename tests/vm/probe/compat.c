// SPDX-License-Identifier: Apache-2.0
/*
 * The same system calls as a 32-bit program makes them: int $0x80 reaches them from any program.
 * What they point to must lie below 4 GiB, as the data of a static program does.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "probe.h"

#if defined(__x86_64__)

enum call {
	OPEN = 5, UNLINK = 10, EXECVE = 11, CHMOD = 15, MOUNT = 21, PTRACE = 26, KILL = 37, RENAME = 38,
	TRUNCATE = 92, SOCKETCALL = 102, DELETE_MODULE = 129, SETUID = 213, UNSHARE = 310,
	CONNECT = 362, MOUNT_SETATTR = 442,
};

static long call32(enum call call, uint32_t a, uint32_t b, uint32_t c, uint32_t d, uint32_t e)
{
	long result;

	__asm__ volatile("int $0x80"
			 : "=a"(result)
			 : "a"((long)call), "b"((long)a), "c"((long)b), "d"((long)c), "S"((long)d),
			   "D"((long)e)
			 : "memory", "r8", "r9", "r10", "r11");
	if ((int)result >= -4095 && (int)result < 0) {
		errno = -(int)result;
		return -1;
	}
	return (int)result;
}

/* A copy of a text where 32 bits reach it; room for a call's few. */
static uint32_t low(const char *text)
{
	static char room[8][256];
	static unsigned used;
	char *to = room[used++ % 8];

	if (!text)
		return 0;
	strncpy(to, text, sizeof(room[0]) - 1);
	return (uint32_t)(uintptr_t)to;
}

/* compat-write FILE: opened for writing and written to */
static int do_write(char **arg)
{
	int fd = (int)call32(OPEN, low(arg[0]), O_WRONLY | O_APPEND, 0, 0, 0);

	CHECK(fd);
	CHECK(write(fd, "x", 1));
	return 0;
}

/* compat-exec PROGRAM ARG */
static int do_exec(char **arg)
{
	static uint32_t words[3];

	words[0] = low(arg[0]);
	words[1] = low(arg[1]);
	CHECK(call32(EXECVE, words[0], (uint32_t)(uintptr_t)words, 0, 0, 0));
	return 0;
}

static int do_unlink(char **arg)
{
	CHECK(call32(UNLINK, low(arg[0]), 0, 0, 0, 0));
	return 0;
}

static int do_rename(char **arg)
{
	CHECK(call32(RENAME, low(arg[0]), low(arg[1]), 0, 0, 0));
	return 0;
}

static int do_chmod(char **arg)
{
	CHECK(call32(CHMOD, low(arg[0]), 0777, 0, 0, 0));
	return 0;
}

static int do_truncate(char **arg)
{
	CHECK(call32(TRUNCATE, low(arg[0]), 0, 0, 0, 0));
	return 0;
}

/* compat-connect IP PORT [socketcall] */
static int do_connect(char **arg)
{
	static struct sockaddr_in to = { .sin_family = AF_INET };
	static uint32_t three[3];
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

	CHECK(fd);
	inet_pton(AF_INET, arg[0], &to.sin_addr);
	to.sin_port = htons((uint16_t)atoi(arg[1]));
	three[0] = (uint32_t)fd;
	three[1] = (uint32_t)(uintptr_t)&to;
	three[2] = sizeof(to);
	if (arg[2] ? call32(SOCKETCALL, 3, (uint32_t)(uintptr_t)three, 0, 0, 0) < 0 :
		     call32(CONNECT, three[0], three[1], three[2], 0, 0) < 0)
		return errno == EINPROGRESS || errno == ECONNREFUSED ? 0 : fault("connect");
	return 0;
}

/* compat-mount SOURCE TARGET TYPE [DATA] */
static int do_mount(char **arg)
{
	CHECK(call32(MOUNT, low(arg[0]), low(arg[1]), low(arg[2]), 0, low(arg[3])));
	return 0;
}

/* compat-attributes DIR: no set-user-ID there */
static int do_attributes(char **arg)
{
	static struct { uint64_t set, clear, propagation, userns; } change = { .set = 2 };

	CHECK(call32(MOUNT_SETATTR, (uint32_t)AT_FDCWD, low(arg[0]), 0,
		     (uint32_t)(uintptr_t)&change, sizeof(change)));
	return 0;
}

/* compat-setuid USER */
static int do_setuid(char **arg)
{
	CHECK(call32(SETUID, (uint32_t)atoi(arg[0]), 0, 0, 0, 0));
	return 0;
}

/* compat-kill PID SIGNAL */
static int do_kill(char **arg)
{
	CHECK(call32(KILL, (uint32_t)atoi(arg[0]), (uint32_t)atoi(arg[1]), 0, 0, 0));
	return 0;
}

/* compat-trace PID: attaches to it */
static int do_trace(char **arg)
{
	CHECK(call32(PTRACE, 16, (uint32_t)atoi(arg[0]), 0, 0, 0));
	return 0;
}

/* compat-unshare FLAGS */
static int do_unshare(char **arg)
{
	CHECK(call32(UNSHARE, (uint32_t)strtoul(arg[0], NULL, 0), 0, 0, 0, 0));
	return 0;
}

/* compat-module-remove NAME */
static int do_module_remove(char **arg)
{
	CHECK(call32(DELETE_MODULE, low(arg[0]), O_NONBLOCK, 0, 0, 0));
	return 0;
}

#endif

const struct word probe_compat[] = {
#if defined(__x86_64__)
	{ "compat-attributes", 1, do_attributes },
	{ "compat-chmod", 1, do_chmod },
	{ "compat-connect", 2, do_connect },
	{ "compat-exec", 2, do_exec },
	{ "compat-kill", 2, do_kill },
	{ "compat-module-remove", 1, do_module_remove },
	{ "compat-mount", 3, do_mount },
	{ "compat-rename", 2, do_rename },
	{ "compat-setuid", 1, do_setuid },
	{ "compat-trace", 1, do_trace },
	{ "compat-truncate", 1, do_truncate },
	{ "compat-unlink", 1, do_unlink },
	{ "compat-unshare", 1, do_unshare },
	{ "compat-write", 1, do_write },
#endif
	{ NULL, 0, NULL },
};
