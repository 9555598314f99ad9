/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The privileged room: names of the host -> objects as the kernel knows them. Each place is opened
 * (O_PATH: nothing happens to it), then an iterator reads device, inode and generation from this
 * process's own descriptors: what stat(2) says is something else on btrfs and overlay. In: roots
 * of patterns; every mount of the host is added. May touch: those places.
 */
#include "daemon/loader.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "daemon/own.h"

#define AT_ONCE 256 /* descriptors open at a time */
#define DESCRIPTORS 4096 /* of all that this process has open, those that are looked at */

struct search {
	struct lictor_engine *engine;
	struct lictor_arena *arena;
	struct lictor_anchor_found *found;
	size_t count;
	size_t room;
	size_t pending;
	int fd[AT_ONCE];
	const char *path[AT_ONCE];	/* the name */
};

ssize_t lictor_engine_iterate(struct lictor_engine *engine, const char *name, pid_t pid,
			      void *buffer, size_t room)
{
	struct bpf_program *program = lictor_engine_program(engine, name);
	union bpf_iter_link_info info = { .task.pid = (uint32_t)pid };
	LIBBPF_OPTS(bpf_iter_attach_opts, options, .link_info = &info,
		    .link_info_len = sizeof(info));
	struct bpf_link *link;
	char drain[4096];
	size_t used = 0;
	ssize_t got;
	int fd;

	link = program ? bpf_program__attach_iter(program, pid ? &options : NULL) : NULL;
	if (!link)
		return program ? -errno : -ENOENT;
	fd = bpf_iter_create(bpf_link__fd(link));
	if (fd < 0) {
		bpf_link__destroy(link);
		return fd;
	}
	do {
		got = used < room ? read(fd, (char *)buffer + used, room - used) :
				    read(fd, drain, sizeof(drain));
		if (got > 0 && used < room)
			used += (size_t)got;
	} while (got > 0 || (got < 0 && (errno == EAGAIN || errno == EINTR)));
	if (got < 0)
		got = -errno;
	close(fd);
	bpf_link__destroy(link);
	return got < 0 ? got : (ssize_t)used;
}

static int add(struct search *search, const char *path, const struct lictor_root_file *opened)
{
	if (search->count == search->room) {
		size_t room = search->room ? search->room * 2 : 256;
		struct lictor_anchor_found *found = realloc(search->found, room * sizeof(*found));

		if (!found)
			return -ENOMEM;
		search->found = found;
		search->room = room;
	}
	search->found[search->count++] = (struct lictor_anchor_found){
		.path = path,
		.ino = opened->ino,
		.dev = opened->dev,
		.igeneration = opened->igeneration,
	};
	return 0;
}

int lictor_opened_read(struct lictor_engine *engine, struct lictor_opened_files *ret_files)
{
	size_t room = DESCRIPTORS * sizeof(*ret_files->file);
	struct lictor_root_file *file OWN(own_free) = malloc(room);
	ssize_t bytes;

	if (!file)
		return -ENOMEM;
	bytes = lictor_engine_iterate(engine, "read_opened", getpid(), file, room);
	if (bytes < 0)
		return (int)bytes;
	ret_files->count = (size_t)bytes / sizeof(*file);
	ret_files->file = TAKE(file);
	return 0;
}

const struct lictor_root_file *lictor_opened_find(const struct lictor_opened_files *files, int fd)
{
	for (size_t i = 0; i < files->count; i++)
		if ((int)files->file[i].fd == fd)
			return &files->file[i];
	return NULL;
}

/* Asks the kernel about the descriptors that are open, and closes them. */
static int settle(struct search *search)
{
	struct lictor_opened_files files = { 0 };
	int error = search->pending ? lictor_opened_read(search->engine, &files) : 0;

	for (size_t i = 0; i < search->pending; i++) {
		const struct lictor_root_file *opened = lictor_opened_find(&files, search->fd[i]);

		if (!error && opened)
			error = add(search, search->path[i], opened);
		close(search->fd[i]);
	}
	search->pending = 0;
	free(files.file);
	return error;
}

/*
 * May links on the way be followed? Only where nobody but root could have put them: else a link in
 * a user's directory would give this name to any object of the host.
 */
static bool links_are_roots(const char *path)
{
	char part[PATH_MAX];

	for (size_t i = 0; path[i]; i++) {
		struct stat st;

		if (path[i + 1] && path[i + 1] != '/')
			continue;
		if (i + 2 > sizeof(part))
			return false;
		memcpy(part, path, i + 1);
		part[i + 1] = '\0';
		if (lstat(part, &st) < 0 || st.st_uid != 0)
			return false;
		if (S_ISDIR(st.st_mode) && path[i + 1] && st.st_mode & (S_IWGRP | S_IWOTH))
			return false;
	}
	return true;
}

static int open_place(const char *path)
{
	struct open_how how = { .flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_NO_SYMLINKS };
	int fd = (int)syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof(how));

	if (fd < 0 && errno == ELOOP && links_are_roots(path))
		fd = open(path, O_PATH | O_CLOEXEC);
	return fd;
}

static int note_place(struct search *search, int fd, const char *name)
{
	search->fd[search->pending] = fd;
	search->path[search->pending++] = name;
	return search->pending == AT_ONCE ? settle(search) : 0;
}

static int opened(int fd)
{
	return fd == -EMFILE || fd == -ENFILE || fd == -ENOMEM ? fd : 0;
}

/* What is at a path gets a name. If there is nothing, the name's pattern still holds by name. */
static int look_up(struct search *search, const char *path)
{
	int fd = open_place(path);

	return fd < 0 ? opened(-errno) : note_place(search, fd, path);
}

/*
 * A mount that has its place in the table of mounts: what is there now may be another one. The way
 * there is in the kernel's memory; a server of a file system on it is not asked, and cannot keep
 * us.
 */
static int open_mount(const struct lictor_mount *mount)
{
	struct open_how how = {
		.flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_NO_SYMLINKS | RESOLVE_CACHED,
	};
	struct statx st;
	int fd = -1;

	for (int i = 0; fd < 0 && i < 3; i++)
		fd = (int)syscall(SYS_openat2, AT_FDCWD, mount->path, &how, sizeof(how));
	if (fd < 0)
		return -errno;
	if (!statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, 0, &st) &&
	    st.stx_mask & STATX_MNT_ID && (int)st.stx_mnt_id == mount->id)
		return fd;
	close(fd);
	return -ESTALE;
}

static int look_up_mount(struct search *search, const struct lictor_mount *mount, const char *name)
{
	char *kept = lictor_arena_text(search->arena, name, strlen(name));
	int fd = kept ? open_mount(mount) : -ENOMEM;

	return fd < 0 ? opened(fd) : note_place(search, fd, kept);
}

static int look_up_mounts(struct search *search)
{
	const struct lictor_mounts *mounts = &search->engine->sought;
	int error = 0;

	for (size_t i = 0; !error && i < mounts->count; i++) {
		const struct lictor_mount *mount = &mounts->mount[i];
		char name[PATH_MAX];

		error = look_up_mount(search, mount, mount->path);
		/* A part has its place in the whole, too. */
		for (size_t k = 0; !error && strcmp(mount->root, "/") && k < mounts->count; k++)
			if (lictor_mount_within(mount, &mounts->mount[k], name))
				error = look_up_mount(search, mount, name);
	}
	return error;
}

int lictor_engine_object(struct lictor_engine *engine, const struct lictor_mount *mount,
			 struct lictor_root_file *ret)
{
	struct lictor_opened_files files = { 0 };
	const struct lictor_root_file *opened;
	int fd OWN(own_close) = open_mount(mount), error;

	if (fd < 0)
		return fd;
	error = lictor_opened_read(engine, &files);
	opened = error ? NULL : lictor_opened_find(&files, fd);
	if (opened)
		*ret = *opened;
	free(files.file);
	return error || opened ? error : -ENOENT;
}

/* Those whose numbers may be used again by others when they are gone: no real ones. */
static int note_devices(struct search *search)
{
	struct lictor_engine *engine = search->engine;

	free(engine->device);
	engine->devices = 0;
	engine->device = calloc(search->count + 1, sizeof(*engine->device));
	if (!engine->device)
		return -ENOMEM;
	for (size_t i = 0; i < search->count; i++) {
		uint32_t dev = search->found[i].dev;
		size_t k = 0;

		while (k < engine->devices && engine->device[k] != dev)
			k++;
		if (k == engine->devices && !(dev >> 20))
			engine->device[engine->devices++] = dev;
	}
	return 0;
}

int lictor_engine_anchors(struct lictor_engine *engine, size_t roots,
			  const struct lictor_root *root, struct lictor_arena *arena,
			  size_t *ret_anchors, struct lictor_anchor_found **ret_anchor)
{
	struct search search = { .engine = engine, .arena = arena };
	int error;

	lictor_mounts_free(&engine->sought);
	engine->sought_ns = lictor_monotonic_ns();
	error = lictor_mounts_read(&engine->sought);
	/* Of an object's names those count that were found first: the ones that rules have. */
	for (size_t i = 0; !error && i < roots; i++)
		error = look_up(&search, root[i].path);
	if (!error)
		error = settle(&search);
	if (!error)
		error = look_up_mounts(&search);
	if (!error)
		error = settle(&search);
	if (!error)
		error = note_devices(&search);
	lictor_mounts_uncover(&engine->sought);
	while (search.pending)
		close(search.fd[--search.pending]);
	if (!error && search.count) {
		*ret_anchor = lictor_arena_get(arena, search.count * sizeof(**ret_anchor));
		if (*ret_anchor)
			memcpy(*ret_anchor, search.found, search.count * sizeof(**ret_anchor));
		else
			error = -ENOMEM;
	}
	*ret_anchors = error ? 0 : search.count;
	free(search.found);
	return error;
}
