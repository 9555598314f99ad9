/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The privileged room: from the kernel's numbers of a file to a descriptor of it. In: where it may
 * be, which an attacker may have changed meanwhile; what is opened there is compared by the same
 * numbers. May touch: those places, without a step that another process answers.
 */
#include "daemon/loader.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "daemon/own.h"

/* Not in <linux/magic.h>. */
#define BCACHEFS_SUPER_MAGIC 0xca451a4e
#define JFS_SUPER_MAGIC 0x3153464a
#define NTFS3_SUPER_MAGIC 0x7366746e
#define ZFS_SUPER_MAGIC 0x2fc12fc1

/* What they hold is on this host's disks, or in its memory. */
static const uint32_t local[] = {
	BCACHEFS_SUPER_MAGIC, BTRFS_SUPER_MAGIC, EROFS_SUPER_MAGIC_V1, EXFAT_SUPER_MAGIC,
	EXT4_SUPER_MAGIC, F2FS_SUPER_MAGIC, HUGETLBFS_MAGIC, ISOFS_SUPER_MAGIC, JFS_SUPER_MAGIC,
	MSDOS_SUPER_MAGIC, NILFS_SUPER_MAGIC, NTFS3_SUPER_MAGIC, OVERLAYFS_SUPER_MAGIC,
	RAMFS_MAGIC, REISERFS_SUPER_MAGIC, SQUASHFS_MAGIC, TMPFS_MAGIC, UDF_SUPER_MAGIC,
	XFS_SUPER_MAGIC, ZFS_SUPER_MAGIC,
};

static int open_process(uint32_t pid, const char *what)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%u/%s", pid, what);
	return open(path, O_PATH | O_CLOEXEC);
}

static int open_below(int root, const char *byte, size_t length)
{
	struct open_how how = {
		.flags = O_PATH | O_CLOEXEC,
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_SYMLINKS | RESOLVE_CACHED,
	};
	char path[PATH_MAX];

	if (root < 0 || !length || length >= sizeof(path) || byte[0] != '/' ||
	    memchr(byte, '\0', length))
		return -1;
	memcpy(path, byte, length);
	path[length] = '\0';
	return (int)syscall(SYS_openat2, root, path, &how, sizeof(how));
}

/*
 * The same file by a mount of our own: whoever unmounts the one that it was found on is not told that
 * it is busy. Of a mount of another namespace there is none to be had.
 */
static int detach(int fd)
{
	int own = fd < 0 ? -1 : (int)syscall(SYS_open_tree, fd, "", AT_EMPTY_PATH |
					     OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);

	if (own < 0)
		return fd;
	close(fd);
	return own;
}

/* First the processes' programs, then the paths, each by the processes' roots and by the host's. */
static int open_place(const struct lictor_whereabouts *where, size_t place)
{
	size_t path = (place - where->pids) / (where->pids + 1);
	size_t by = (place - where->pids) % (where->pids + 1);
	int root OWN(own_close) = -1;

	if (place < where->pids)
		return detach(open_process(where->pid[place], "exe"));
	if (by < where->pids)
		root = open_process(where->pid[by], "root");
	else
		root = open("/", O_PATH | O_CLOEXEC);
	return detach(open_below(root, where->path[path].byte, where->path[path].length));
}

/* An overlay may lie on anything: whoever is not the host's root may lay it on a server of his. */
static bool is_local(const struct lictor_root_file *file)
{
	if (file->level && file->magic != TMPFS_MAGIC)
		return false;
	for (size_t i = 0; i < sizeof(local) / sizeof(*local); i++)
		if (local[i] == file->magic)
			return true;
	return false;
}

/* 0, -ENOENT: it is another file; or another -errno. */
static int compare(struct lictor_engine *engine, const struct lictor_inode *inode, int fd)
{
	struct lictor_opened_files files = { 0 };
	int error = lictor_opened_read(engine, &files);
	const struct lictor_root_file *file = error ? NULL : lictor_opened_find(&files, fd);

	if (!error && (!file || file->ino != inode->ino || file->dev != inode->dev ||
		       file->igeneration != inode->igeneration))
		error = -ENOENT;
	if (!error && !is_local(file))
		error = -EREMOTE;
	free(files.file);
	return error;
}

int lictor_engine_find(struct lictor_engine *engine, const struct lictor_inode *inode,
		       const struct lictor_whereabouts *where)
{
	size_t places = where->pids + where->paths * (where->pids + 1);
	int error = -ENOENT;

	for (size_t i = 0; error == -ENOENT && i < places; i++) {
		int fd = open_place(where, i);

		if (fd < 0)
			continue;
		error = compare(engine, inode, fd);
		if (!error)
			return fd;
		close(fd);
	}
	return error;
}
