/* SPDX-License-Identifier: Apache-2.0 */
/* The host's table of mounts, and the names that it gives to what it shows. */
#ifndef LICTOR_MOUNTS_H
#define LICTOR_MOUNTS_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct lictor_mount {
	int id;
	int parent;		/* the mount that it is on */
	uint32_t dev;		/* as the kernel counts: major << 20 | minor */
	char *root;		/* what is shown: its place in the file system */
	char *path;		/* where, from the root of the host */
};

struct lictor_mounts {
	size_t count;
	struct lictor_mount *mount;
};

/* Reads /proc/self/mountinfo, sorted. Returns 0 or -errno; the list is the caller's to free. */
int lictor_mounts_read(struct lictor_mounts *ret);
void lictor_mounts_free(struct lictor_mounts *mounts);
/* The same is shown at the same place. */
const struct lictor_mount *lictor_mounts_find(const struct lictor_mounts *mounts,
					      const struct lictor_mount *mount);
/* Takes out those whose place shows another mount, which was mounted over them. */
void lictor_mounts_uncover(struct lictor_mounts *mounts);
/* Takes out those that are not to be kept. */
void lictor_mounts_keep(struct lictor_mounts *mounts, const bool *keep);
/*
 * What `part` shows has another name where `whole` shows more of the same file system. False: it
 * does not, or the name is longer than PATH_MAX.
 */
bool lictor_mount_within(const struct lictor_mount *part, const struct lictor_mount *whole,
			 char ret_name[static PATH_MAX]);

#endif
