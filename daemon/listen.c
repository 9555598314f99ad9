/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stage: control socket. In: a path and a group. Out: a listening socket that only they can reach.
 * May touch: the socket's file and the directory in front of it.
 */
#include "daemon/listen.h"

#include <errno.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "daemon/own.h"

#define BACKLOG 64

static int address_of(const char *path, struct sockaddr_un *ret_address)
{
	*ret_address = (struct sockaddr_un){ .sun_family = AF_UNIX };
	if (strlen(path) >= sizeof(ret_address->sun_path))
		return -ENAMETOOLONG;
	memcpy(ret_address->sun_path, path, strlen(path));
	return 0;
}

static int make_directory(const char *path)
{
	char *copy OWN(own_free) = strdup(path);

	if (!copy)
		return -ENOMEM;
	return mkdir(dirname(copy), 0755) < 0 && errno != EEXIST ? -errno : 0;
}

/* Only a socket that refuses connections is taken away. */
static int remove_stale(const struct sockaddr_un *address)
{
	int fd OWN(own_close) = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct stat st;

	if (fd < 0)
		return -errno;
	if (!connect(fd, (const struct sockaddr *)address, sizeof(*address)) || errno == EAGAIN)
		return -EADDRINUSE;
	if (errno == ENOENT)
		return 0;
	if (errno != ECONNREFUSED || lstat(address->sun_path, &st) < 0)
		return -errno;
	if (!S_ISSOCK(st.st_mode))
		return -ENOTSOCK;
	return unlink(address->sun_path) < 0 && errno != ENOENT ? -errno : 0;
}

static int bind_narrow(int fd, const struct sockaddr_un *address)
{
	mode_t before = umask(0177);
	int error = bind(fd, (const struct sockaddr *)address, sizeof(*address)) < 0 ? -errno : 0;

	umask(before);
	return error;
}

int lictor_listen_open(const char *path, gid_t gid, int *ret_fd)
{
	int fd OWN(own_close) = -1;
	struct sockaddr_un address;
	int error = address_of(path, &address);

	if (!error)
		error = make_directory(path);
	if (!error)
		error = remove_stale(&address);
	if (error)
		return error;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	error = bind_narrow(fd, &address);
	if (error)
		return error;
	if (gid != (gid_t)-1 && (chown(path, (uid_t)-1, gid) < 0 || chmod(path, 0660) < 0))
		return -errno;
	if (listen(fd, BACKLOG) < 0)
		return -errno;
	*ret_fd = fd;
	fd = -1;
	return 0;
}

static bool in_groups(int fd, gid_t gid)
{
	gid_t group[256];
	socklen_t size = sizeof(group), i;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, group, &size) < 0)
		return false;
	for (i = 0; i < size / sizeof(group[0]); i++)
		if (group[i] == gid)
			return true;
	return false;
}

bool lictor_listen_allows(int fd, gid_t gid)
{
	struct ucred peer;
	socklen_t size = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0)
		return false;
	if (!peer.uid || peer.uid == geteuid())
		return true;
	return gid != (gid_t)-1 && (peer.gid == gid || in_groups(fd, gid));
}
