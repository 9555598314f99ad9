// SPDX-License-Identifier: Apache-2.0
/*
 * Mounts, by the calls that are newer than mount(2).
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "probe.h"

/* mount-new TYPE DIR: by fsopen(2), fsmount(2) and move_mount(2) */
static int do_mount_new(char **arg)
{
	int context = fsopen(arg[0], FSOPEN_CLOEXEC), fd;

	CHECK(context);
	CHECK(fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0));
	fd = fsmount(context, FSMOUNT_CLOEXEC, 0);
	CHECK(fd);
	CHECK(move_mount(fd, "", AT_FDCWD, arg[1], MOVE_MOUNT_F_EMPTY_PATH));
	return 0;
}

/* mount-move FROM TO: what is mounted at FROM */
static int do_mount_move(char **arg)
{
	CHECK(move_mount(AT_FDCWD, arg[0], AT_FDCWD, arg[1], 0));
	return 0;
}

/* mount-copy FROM [TO]: a copy of the tree, mounted or only opened */
static int do_mount_copy(char **arg)
{
	int fd = open_tree(AT_FDCWD, arg[0], OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);

	CHECK(fd);
	if (arg[1])
		CHECK(move_mount(fd, "", AT_FDCWD, arg[1], MOVE_MOUNT_F_EMPTY_PATH));
	return 0;
}

/* mount-remount DIR: to read-only, by fspick(2) */
static int do_mount_remount(char **arg)
{
	int context = fspick(AT_FDCWD, arg[0], FSPICK_CLOEXEC);

	CHECK(context);
	CHECK(fsconfig(context, FSCONFIG_SET_FLAG, "ro", NULL, 0));
	CHECK(fsconfig(context, FSCONFIG_CMD_RECONFIGURE, NULL, NULL, 0));
	return 0;
}

/* mount-remount-twice DIR: mount(2) tries it first, and what it says is not looked at */
static int do_mount_remount_twice(char **arg)
{
	int context = fspick(AT_FDCWD, arg[0], FSPICK_CLOEXEC);

	CHECK(context);
	CHECK(fsconfig(context, FSCONFIG_SET_FLAG, "ro", NULL, 0));
	mount(NULL, arg[0], NULL, MS_REMOUNT | MS_RDONLY, NULL);
	CHECK(fsconfig(context, FSCONFIG_CMD_RECONFIGURE, NULL, NULL, 0));
	return 0;
}

/* mount-attributes DIR [open]: no set-user-ID there; by its name, or a descriptor */
static int do_mount_attributes(char **arg)
{
	struct { uint64_t set, clear, propagation, userns; } change = { .set = 2 };
	int fd = arg[1] ? open(arg[0], O_PATH | O_CLOEXEC) : AT_FDCWD;

	CHECK(syscall(SYS_mount_setattr, fd, arg[1] ? "" : arg[0], arg[1] ? AT_EMPTY_PATH : 0,
		      &change, sizeof(change)));
	return 0;
}

/* umount DIR NUMBER: with these flags */
static int do_umount(char **arg)
{
	CHECK(umount2(arg[0], atoi(arg[1])));
	return 0;
}

const struct word probe_mount[] = {
	{ "mount-attributes", 1, do_mount_attributes },
	{ "mount-copy", 1, do_mount_copy },
	{ "mount-move", 2, do_mount_move },
	{ "mount-new", 2, do_mount_new },
	{ "mount-remount", 1, do_mount_remount },
	{ "mount-remount-twice", 1, do_mount_remount_twice },
	{ "umount", 2, do_umount },
	{ NULL, 0, NULL },
};
