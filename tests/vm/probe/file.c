// SPDX-License-Identifier: Apache-2.0
/*
 * Files: opening, changing and looking at them, in the ways that the shell has not.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/fsverity.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "probe.h"

const struct named open_words[] = {
	{ "r", O_RDONLY }, { "w", O_WRONLY }, { "rw", O_RDWR }, { "append", O_APPEND },
	{ "create", O_CREAT }, { "excl", O_EXCL }, { "trunc", O_TRUNC }, { "sync", O_SYNC },
	{ "direct", O_DIRECT }, { "nofollow", O_NOFOLLOW }, { "dir", O_DIRECTORY },
	{ "tmpfile", O_TMPFILE }, { "path", O_PATH }, { "noatime", O_NOATIME }, { NULL, 0 },
};

int open_with(const char *path, const char *words, int mode)
{
	return open(path, flags_of(open_words, words) | O_CLOEXEC, mode);
}

static int do_open(char **arg)
{
	CHECK(open_with(arg[0], arg[1], arg[2] ? (int)strtol(arg[2], NULL, 8) : 0644));
	return 0;
}

static int do_write(char **arg)
{
	int fd = open_with(arg[0], arg[1], 0644);

	CHECK(fd);
	CHECK(write(fd, arg[2], strlen(arg[2])));
	return 0;
}

static int do_truncate(char **arg)
{
	CHECK(truncate(arg[0], 0));
	return 0;
}

static int do_ftruncate(char **arg)
{
	int fd = open(arg[0], O_WRONLY | O_CLOEXEC);

	CHECK(fd);
	CHECK(ftruncate(fd, 0));
	return 0;
}

/* await FILE: waits until it is there (at most 10 s) and exits with the number in it. */
static int do_await(char **arg)
{
	char text[16] = "";
	int fd = -1;

	for (int i = 0; i < 1000; i++) {
		fd = open(arg[0], O_RDONLY | O_CLOEXEC);
		if (fd >= 0 && read(fd, text, sizeof(text) - 1) > 0)
			return atoi(text);
		if (fd >= 0)
			close(fd);
		usleep(10000);
	}
	return ETIMEDOUT;
}

/* stat PATH [link|open|x] */
static int do_stat(char **arg)
{
	struct statx more;
	struct stat st;

	if (is(arg[1], "link"))
		CHECK(lstat(arg[0], &st));
	else if (is(arg[1], "open"))
		CHECK(fstat(open(arg[0], O_PATH | O_CLOEXEC), &st));
	else if (is(arg[1], "x"))
		CHECK(statx(AT_FDCWD, arg[0], AT_STATX_FORCE_SYNC, STATX_ALL, &more));
	else
		CHECK(stat(arg[0], &st));
	return 0;
}

static int do_exchange(char **arg)
{
	CHECK(syscall(SYS_renameat2, AT_FDCWD, arg[0], AT_FDCWD, arg[1], RENAME_EXCHANGE));
	return 0;
}

/* whiteout FROM TO: renames, and leaves a device there, which an overlay takes for nothing */
static int do_whiteout(char **arg)
{
	CHECK(syscall(SYS_renameat2, AT_FDCWD, arg[0], AT_FDCWD, arg[1], RENAME_WHITEOUT));
	return 0;
}

static int do_rename(char **arg)
{
	CHECK(rename(arg[0], arg[1]));
	return 0;
}

static int do_link(char **arg)
{
	CHECK(link(arg[0], arg[1]));
	return 0;
}

static int do_setxattr(char **arg)
{
	CHECK(setxattr(arg[0], "user.probe", "x", 1, 0));
	return 0;
}

static int do_getxattr(char **arg)
{
	char value[8];

	CHECK(getxattr(arg[0], "user.probe", value, sizeof(value)));
	return 0;
}

static int do_removexattr(char **arg)
{
	CHECK(removexattr(arg[0], "user.probe"));
	return 0;
}

/* An ACL of user::rw-, group::r--, other::r-- and one named user. */
static int do_setacl(char **arg)
{
	static const unsigned char acl[] = {
		2, 0, 0, 0,
		1, 0, 6, 0, 255, 255, 255, 255, 2, 0, 4, 0, 233, 3, 0, 0,
		4, 0, 4, 0, 255, 255, 255, 255, 16, 0, 6, 0, 255, 255, 255, 255,
		32, 0, 4, 0, 255, 255, 255, 255,
	};

	CHECK(setxattr(arg[0], "system.posix_acl_access", acl, sizeof(acl), 0));
	return 0;
}

static int do_chmod(char **arg)
{
	CHECK(chmod(arg[0], (mode_t)strtol(arg[1], NULL, 8)));
	return 0;
}

static int do_fchmod(char **arg)
{
	int fd = open(arg[0], O_RDONLY | O_CLOEXEC);

	CHECK(fd);
	CHECK(fchmod(fd, (mode_t)strtol(arg[1], NULL, 8)));
	return 0;
}

/* patch FILE OLD NEW: where OLD first is within its first 4 MB, NEW is written */
static int do_patch(char **arg)
{
	static char bytes[4 << 20];
	int fd = open(arg[0], O_RDWR | O_CLOEXEC);
	ssize_t length;
	char *at;

	CHECK(fd);
	length = read(fd, bytes, sizeof(bytes));
	CHECK(length);
	at = memmem(bytes, (size_t)length, arg[1], strlen(arg[1]));
	if (!at)
		return ENOENT;
	CHECK(pwrite(fd, arg[2], strlen(arg[2]), at - bytes));
	CHECK(fsync(fd));
	return 0;
}

/* attribute FILE NUMBER: 16: immutable, 32: only for appending */
static int do_attribute(char **arg)
{
	int fd = open(arg[0], O_RDONLY | O_CLOEXEC), flags;

	CHECK(fd);
	CHECK(ioctl(fd, FS_IOC_GETFLAGS, &flags));
	flags |= atoi(arg[1]);
	CHECK(ioctl(fd, FS_IOC_SETFLAGS, &flags));
	return 0;
}

static int do_sendfile(char **arg)
{
	int from = open(arg[0], O_RDONLY | O_CLOEXEC), to = open(arg[1], O_WRONLY | O_CLOEXEC);

	CHECK(from);
	CHECK(to);
	CHECK(sendfile(to, from, NULL, 4096));
	return 0;
}

static int do_mknod_socket(char **arg)
{
	CHECK(mknod(arg[0], S_IFSOCK | 0644, 0));
	return 0;
}

/* Directories below arg[0] until a path is arg[1] bytes long, ending in a file; prints nothing.
   long DIR LENGTH WORD: WORD is make, open, write or exec. The file's name is the last 200 bytes. */
static int do_long(char **arg)
{
	size_t length = (size_t)atoi(arg[1]), at;
	char name[256];

	CHECK(chdir(arg[0]));
	at = strlen(arg[0]);
	while (length - at > 256) {
		size_t step = length - at - 1 > 251 + 40 ? 250 : 100;

		memset(name, 'd', step);
		name[step] = '\0';
		if (!strcmp(arg[2], "make") && mkdir(name, 0755) && errno != EEXIST)
			return fault("mkdir");
		CHECK(chdir(name));
		at += step + 1;
	}
	memset(name, 'f', sizeof(name));
	name[length - at - 1] = '\0';
	if (!strcmp(arg[2], "make")) {
		int from = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
		int to = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);

		CHECK(to);
		while (sendfile(to, from, NULL, 1 << 20) > 0)
			;
		return 0;
	}
	if (!strcmp(arg[2], "open"))
		CHECK(open(name, O_RDONLY | O_CLOEXEC));
	if (!strcmp(arg[2], "write"))
		CHECK(open(name, O_WRONLY | O_CLOEXEC));
	if (!strcmp(arg[2], "exec"))
		CHECK(execl(name, "probe", "true", NULL));
	return 0;
}

/* verity FILE: from now on nobody writes to it, and the kernel vouches for what it holds */
static int do_verity(char **arg)
{
	struct fsverity_enable_arg enable = { .version = 1, .hash_algorithm = FS_VERITY_HASH_ALG_SHA256,
					      .block_size = 4096 };
	int fd = open(arg[0], O_RDONLY | O_CLOEXEC);

	CHECK(fd);
	CHECK(ioctl(fd, FS_IOC_ENABLE_VERITY, &enable));
	return 0;
}

const struct word probe_file[] = {
	{ "attribute", 2, do_attribute },
	{ "await", 1, do_await },
	{ "chmod", 2, do_chmod },
	{ "exchange", 2, do_exchange },
	{ "fchmod", 2, do_fchmod },
	{ "ftruncate", 1, do_ftruncate },
	{ "getxattr", 1, do_getxattr },
	{ "link", 2, do_link },
	{ "long", 3, do_long },
	{ "mknod-socket", 1, do_mknod_socket },
	{ "open", 2, do_open },
	{ "patch", 3, do_patch },
	{ "removexattr", 1, do_removexattr },
	{ "rename", 2, do_rename },
	{ "sendfile", 2, do_sendfile },
	{ "setacl", 1, do_setacl },
	{ "setxattr", 1, do_setxattr },
	{ "stat", 1, do_stat },
	{ "truncate", 1, do_truncate },
	{ "whiteout", 2, do_whiteout },
	{ "write", 3, do_write },
	{ "verity", 1, do_verity },
	{ NULL, 0, NULL },
};
