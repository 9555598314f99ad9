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
#include <sys/syscall.h>
#include <unistd.h>

#include "daemon/own.h"

#define PLACES 5

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

static size_t open_places(const struct lictor_whereabouts *where, int fd[static PLACES])
{
	int own OWN(own_close) = where->pid ? open_process(where->pid, "root") : -1;
	int host OWN(own_close) = open("/", O_PATH | O_CLOEXEC);
	size_t count = 0;

	fd[count] = where->pid ? open_process(where->pid, "exe") : -1;
	count += fd[count] >= 0;
	for (size_t i = 0; i < where->paths; i++) {
		fd[count] = open_below(own, where->path[i].byte, where->path[i].length);
		count += fd[count] >= 0;
		fd[count] = open_below(host, where->path[i].byte, where->path[i].length);
		count += fd[count] >= 0;
	}
	return count;
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

/* Its descriptor among those that are open, -ENOENT, or -EREMOTE. */
static int pick(const struct lictor_inode *inode, size_t count, const int *fd,
		const struct lictor_opened_files *files)
{
	for (size_t i = 0; i < count; i++) {
		const struct lictor_root_file *file = lictor_opened_find(files, fd[i]);

		if (file && file->ino == inode->ino && file->dev == inode->dev &&
		    file->igeneration == inode->igeneration)
			return is_local(file) ? fd[i] : -EREMOTE;
	}
	return -ENOENT;
}

int lictor_engine_find(struct lictor_engine *engine, const struct lictor_inode *inode,
		       const struct lictor_whereabouts *where)
{
	struct lictor_opened_files files = { 0 };
	int fd[PLACES], found = -ENOENT;
	size_t count = open_places(where, fd), i;

	if (count)
		found = lictor_opened_read(engine, &files);
	if (count && !found)
		found = pick(inode, count, fd, &files);
	for (i = 0; i < count; i++)
		if (fd[i] != found)
			close(fd[i]);
	free(files.file);
	return found;
}
