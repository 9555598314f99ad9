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
#define DESCRIPTORS 1024	/* that this process may have open */

/* Not in <linux/magic.h>. */
#define GFS2_SUPER_MAGIC 0x01161970
#define LUSTRE_SUPER_MAGIC 0x0bd00bd0
#define ORANGEFS_SUPER_MAGIC 0x20030528

/* Their files are read from another process, or from another host. */
static const uint32_t served[] = {
	FUSE_SUPER_MAGIC, NFS_SUPER_MAGIC, SMB_SUPER_MAGIC, CIFS_SUPER_MAGIC, SMB2_SUPER_MAGIC,
	V9FS_MAGIC, CEPH_SUPER_MAGIC, AFS_SUPER_MAGIC, AFS_FS_MAGIC, CODA_SUPER_MAGIC,
	OCFS2_SUPER_MAGIC, GFS2_SUPER_MAGIC, LUSTRE_SUPER_MAGIC, ORANGEFS_SUPER_MAGIC,
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

static bool is_served(uint32_t magic)
{
	for (size_t i = 0; i < sizeof(served) / sizeof(*served); i++)
		if (served[i] == magic)
			return true;
	return false;
}

/* Its descriptor among those that are open, -ENOENT, or -EREMOTE. */
static int pick(const struct lictor_inode *inode, size_t count, const int *fd, size_t files,
		const struct lictor_root_file *file)
{
	for (size_t i = 0; i < files; i++) {
		if (file[i].ino != inode->ino || file[i].dev != inode->dev ||
		    file[i].igeneration != inode->igeneration)
			continue;
		for (size_t k = 0; k < count; k++)
			if (fd[k] == (int)file[i].fd)
				return is_served(file[i].magic) ? -EREMOTE : fd[k];
	}
	return -ENOENT;
}

int lictor_engine_find(struct lictor_engine *engine, const struct lictor_inode *inode,
		       const struct lictor_whereabouts *where)
{
	size_t room = DESCRIPTORS * sizeof(struct lictor_root_file), count, i;
	struct lictor_root_file *list OWN(own_free) = malloc(room);
	int fd[PLACES], found = -ENOENT;
	ssize_t bytes;

	if (!list)
		return -ENOMEM;
	count = open_places(where, fd);
	bytes = count ? lictor_engine_iterate(engine, "read_opened", getpid(), list, room) : 0;
	if (bytes > 0)
		found = pick(inode, count, fd, (size_t)bytes / sizeof(*list), list);
	for (i = 0; i < count; i++)
		if (fd[i] != found)
			close(fd[i]);
	return bytes < 0 ? (int)bytes : found;
}
