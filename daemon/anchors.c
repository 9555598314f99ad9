/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The privileged room: names of the host -> objects as the kernel knows them. Each place is opened
 * (O_PATH: nothing happens to it), then an iterator reads device, inode and generation from this
 * process's own descriptors: what stat(2) says is something else on btrfs and overlay. In: roots
 * of patterns; every mount of the host is added. May touch: those places, /proc/self/mountinfo.
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
#include <time.h>
#include <unistd.h>

#include "daemon/own.h"


#define AT_ONCE 256 /* descriptors open at a time */

struct search {
	struct lictor_engine *engine;
	struct lictor_arena *arena;
	struct lictor_anchor_found *found;
	size_t count;
	size_t room;
	size_t pending;
	int fd[AT_ONCE];
	const char *path[AT_ONCE];
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

/* Asks the kernel about the descriptors that are open, and closes them. */
static int settle(struct search *search)
{
	size_t room = (AT_ONCE + 512) * sizeof(struct lictor_root_file);
	struct lictor_root_file *list = search->pending ? malloc(room) : NULL;
	ssize_t bytes;
	int error = 0;

	if (!search->pending)
		return 0;
	bytes = list ? lictor_engine_iterate(search->engine, "read_anchors", getpid(), list, room) :
		       -ENOMEM;
	if (bytes < 0)
		error = (int)bytes;
	for (size_t i = 0; i < search->pending; i++) {
		for (size_t k = 0; !error && k < (size_t)bytes / sizeof(*list); k++)
			if ((int)list[k].fd == search->fd[i]) {
				error = add(search, search->path[i], &list[k]);
				break;
			}
		close(search->fd[i]);
	}
	search->pending = 0;
	free(list);
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

/* A place that is not there has no anchor; its pattern still holds by name. */
static int look_up(struct search *search, const char *path)
{
	int fd = open_place(path);

	if (fd < 0)
		return errno == EMFILE || errno == ENFILE || errno == ENOMEM ? -errno : 0;
	search->fd[search->pending] = fd;
	search->path[search->pending++] = path;
	return search->pending == AT_ONCE ? settle(search) : 0;
}

/* mountinfo writes blanks and backslashes as three octal digits. */
static void unescape(char *text)
{
	char *to = text;

	for (char *at = text; *at; at++) {
		unsigned code;

		if (*at == '\\' && sscanf(at + 1, "%3o", &code) == 1) {
			*to++ = (char)code;
			at += 3;
		} else {
			*to++ = *at;
		}
	}
	*to = '\0';
}

static int look_up_mounts(struct search *search)
{
	FILE *file = fopen("/proc/self/mountinfo", "re");
	char *line = NULL, *where = NULL;
	size_t size = 0;
	int error = 0;

	if (!file)
		return -errno;
	while (!error && getline(&line, &size, file) > 0) {
		char *copy;

		free(where);
		where = NULL;
		if (sscanf(line, "%*s %*s %*s %*s %ms", &where) != 1)
			continue;
		unescape(where);
		copy = lictor_arena_text(search->arena, where, strlen(where));
		error = copy ? look_up(search, copy) : -ENOMEM;
	}
	free(where);
	free(line);
	fclose(file);
	return error;
}

/* A file system that is mounted whole. */
struct whole {
	uint32_t dev;
	char *path;
};

struct wholes {
	struct whole *whole;
	size_t count;
};

static void free_wholes(struct wholes *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->whole[i].path);
	free(list->whole);
}

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static int read_wholes(struct wholes *list)
{
	FILE *file = fopen("/proc/self/mountinfo", "re");
	char *line = NULL, root[3];
	size_t size = 0;
	int error = 0;

	if (!file)
		return -errno;
	while (!error && getline(&line, &size, file) > 0) {
		struct whole *grown;
		uint32_t major, minor;
		char *path = NULL;

		if (sscanf(line, "%*s %*s %u:%u %2s %ms", &major, &minor, root, &path) != 4 ||
		    strcmp(root, "/") != 0) {
			free(path);
			continue;
		}
		unescape(path);
		grown = realloc(list->whole, (list->count + 1) * sizeof(*grown));
		if (!grown) {
			free(path);
			error = -ENOMEM;
			continue;
		}
		list->whole = grown;
		list->whole[list->count++] = (struct whole){ major << 20 | minor, path };
	}
	free(line);
	fclose(file);
	return error;
}

/* A mount is known before it is in the table of mounts, by as much as the kernel needs for it. */
#define SETTLED_NS 5000000000ull

/*
 * All names of a root that the kernel side knows; number 0, with their count, last. Returns false if
 * the table of mounts has fewer than are known, and a mount is so young that it may still come.
 */
static bool name_root(int map, const struct wholes *list, struct lictor_late_key key)
{
	const char *name[LICTOR_ANCHOR_NAMES];
	struct lictor_late known;
	size_t names = 0;

	for (size_t i = 0; i < list->count && names < LICTOR_ANCHOR_NAMES; i++)
		if (list->whole[i].dev == key.dev && strlen(list->whole[i].path) > 1 &&
		    strlen(list->whole[i].path) <= LICTOR_LATE_NAME)
			name[names++] = list->whole[i].path;
	if (!bpf_map_lookup_elem(map, &key, &known) && names < known.names && known.since_ns &&
	    now_ns() - known.since_ns < SETTLED_NS)
		return false;
	for (size_t n = names; n-- > 0;) {
		struct lictor_late late = {
			.length = (uint16_t)strlen(name[n]), .names = (uint16_t)names,
		};

		key.number = (uint32_t)n;
		memcpy(late.name, name[n], late.length);
		bpf_map_update_elem(map, &key, &late, BPF_ANY);
	}
	for (size_t n = names; n < LICTOR_ANCHOR_NAMES; n++) {
		key.number = (uint32_t)n;
		bpf_map_delete_elem(map, &key);
	}
	return true;
}

/*
 * The kernel side notes each file system that the host mounts, as it is mounted. Here its names are
 * put right when the table of mounts has changed: other mounts of the same one, those that failed,
 * those that have gone (their numbers will be used again). Nothing is opened: a descriptor would
 * keep somebody from unmounting.
 */
int lictor_engine_follow_mounts(struct lictor_engine *engine)
{
	struct wholes list OWN(free_wholes) = { 0 };
	int map = lictor_engine_map(engine, "late_anchors"), error = read_wholes(&list), left = 0;
	struct lictor_late_key key, *at = NULL, *known = NULL, *grown;
	size_t count = 0;

	while (!error && !bpf_map_get_next_key(map, at, &key)) {
		at = &key;
		if (key.number)	/* told by number 0 */
			continue;
		grown = realloc(known, (count + 1) * sizeof(*known));
		if (!grown)
			error = -ENOMEM;
		else
			(known = grown)[count++] = key;
	}
	for (size_t i = 0; i < count; i++)
		left |= !name_root(map, &list, known[i]);
	free(known);
	return error ? error : left;
}

int lictor_engine_anchors(struct lictor_engine *engine, size_t roots,
			  const struct lictor_root *root, struct lictor_arena *arena,
			  size_t *ret_anchors, struct lictor_anchor_found **ret_anchor)
{
	struct search search = { .engine = engine, .arena = arena };
	int error = look_up_mounts(&search);

	for (size_t i = 0; !error && i < roots; i++)
		error = look_up(&search, root[i].path);
	if (!error)
		error = settle(&search);
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
