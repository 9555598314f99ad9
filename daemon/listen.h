/* SPDX-License-Identifier: Apache-2.0 */
/* A unix socket to listen at, and who may speak there. */
#ifndef LICTOR_LISTEN_H
#define LICTOR_LISTEN_H

#include <stdbool.h>
#include <sys/types.h>

/* 0660 root:gid. What a daemon that is gone left behind is removed; -EADDRINUSE if one is there. */
int lictor_listen_open(const char *path, gid_t gid, int *ret_fd);
/* Whether the peer of a connection is root, or we ourselves, or in the group. */
bool lictor_listen_allows(int fd, gid_t gid);

#endif
