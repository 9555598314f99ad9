// SPDX-License-Identifier: Apache-2.0
/*
 * A process that changes what the kernel says of it, without executing anything.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/keyctl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/prctl.h>

#include "probe.h"

/* A part of memory, made anonymous where it is; the code that does so is in one of them. */
static int detach(char *from, char *to, int protection)
{
	size_t length = (size_t)(to - from);
	char *copy = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (copy == MAP_FAILED)
		return fault("mmap");
	memcpy(copy, from, length);
	CHECK(mprotect(copy, length, protection));
	if (mremap(copy, length, length, MREMAP_MAYMOVE | MREMAP_FIXED, from) == MAP_FAILED)
		return fault("mremap");
	return 0;
}

/* Nothing of the program's file stays mapped: until then, the kernel keeps it as the program. */
static int detach_all(void)
{
	struct { char *from, *to; int protection; } parts[16];
	char line[512], rights[5], path[256], own[256] = "";
	FILE *maps = fopen("/proc/self/maps", "re");
	unsigned long from, to;
	int count = 0, error = 0;

	if (!maps)
		return errno;
	CHECK(readlink("/proc/self/exe", own, sizeof(own) - 1));
	while (fgets(line, sizeof(line), maps) && count < 16) {
		if (sscanf(line, "%lx-%lx %4s %*s %*s %*s %255s", &from, &to, rights, path) != 4 ||
		    !is(path, own))
			continue;
		parts[count].from = (char *)from;
		parts[count].to = (char *)to;
		parts[count++].protection = (rights[0] == 'r' ? PROT_READ : 0) |
					    (rights[1] == 'w' ? PROT_WRITE : 0) |
					    (rights[2] == 'x' ? PROT_EXEC : 0);
	}
	fclose(maps);
	for (int i = 0; i < count && !error; i++)
		error = detach(parts[i].from, parts[i].to, parts[i].protection);
	return error;
}

/* disguise FILE file|map WORD ARGS...: the kernel takes FILE for the program of this process; by
   PR_SET_MM_EXE_FILE, or PR_SET_MM_MAP, which root of a user namespace may as well */
static int do_disguise(char **arg)
{
	uint64_t here = (uint64_t)(uintptr_t)&do_disguise, top = (uint64_t)(uintptr_t)sbrk(0);
	struct prctl_mm_map map = {
		.start_code = here, .end_code = here + 1, .start_data = here, .end_data = here + 1,
		.start_brk = top, .brk = top, .start_stack = (uint64_t)(uintptr_t)&map,
		.arg_start = here, .arg_end = here, .env_start = here, .env_end = here,
	};
	char now[256] = "";
	int fd = open(arg[0], O_RDONLY | O_CLOEXEC), error;

	CHECK(fd);
	error = detach_all();
	if (error)
		return error;
	map.exe_fd = (uint32_t)fd;
	if (is(arg[1], "file"))
		CHECK(prctl(PR_SET_MM, PR_SET_MM_EXE_FILE, fd, 0, 0));
	else
		CHECK(prctl(PR_SET_MM, PR_SET_MM_MAP, &map, sizeof(map), 0));
	CHECK(readlink("/proc/self/exe", now, sizeof(now) - 1));
	return is(now, arg[0]) ? run(arg + 2) : ENOEXEC;
}

/* keyring WORD ARGS...: after a child has given it a session keyring, and so other credentials */
static int do_keyring(char **arg)
{
	long before = syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_SESSION_KEYRING, 1);
	pid_t child = fork();
	long after;
	int error;

	CHECK(before);
	CHECK(child);
	if (!child) {
		if (syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL) < 0 ||
		    syscall(SYS_keyctl, KEYCTL_SESSION_TO_PARENT) < 0)
			_exit(fault("session keyring"));
		_exit(0);
	}
	error = status_of(child);
	if (error)
		return error;
	after = syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_SESSION_KEYRING, 0);
	CHECK(after);
	return after == before ? ENOKEY : run(arg);
}

/* overwrite WORD ARGS...: when nothing is left of its arguments and environment */
static int do_overwrite(char **arg)
{
	char *copy[32] = { NULL }, *from = arg[0], *to = arg[0];

	for (int i = 0; arg[i] && i < 31; i++) {
		copy[i] = strdup(arg[i]);
		to = arg[i] + strlen(arg[i]);
	}
	for (char **variable = environ; *variable; variable++)
		to = *variable + strlen(*variable);
	environ = NULL;
	memset(from, '-', (size_t)(to - from));
	return run(copy);
}

const struct word probe_disguise[] = {
	{ "disguise", 3, do_disguise },
	{ "keyring", 1, do_keyring },
	{ "overwrite", 1, do_overwrite },
	{ NULL, 0, NULL },
};
