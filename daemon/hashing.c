/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stage: part of enriching. In: an alert as decoded. Out: the same with hashes, those that are
 * known by now; others are asked for. May touch: the files themselves, by way of the engine.
 */
#include "daemon/hashing.h"

#include <errno.h>

#include "daemon/hash.h"
#include "daemon/own.h"

#define STEP_NS 20000000	/* twice the longest tick of a kernel's clock */
#define SOUGHT_MAX 64u		/* a second */
#define SECONDS_NS 2000000000	/* of file systems that keep whole seconds, or every other one */

struct lictor_hashing {
	struct lictor_engine *engine;
	struct lictor_hashes *hashes;
	time_t second;		/* in which so many files were looked for: */
	unsigned sought;
	char file[LICTOR_SHA256_TEXT];
	char process[LICTOR_SHA256_TEXT];
};

int lictor_hashing_new(struct lictor_engine *engine, struct lictor_hashing **ret_hashing)
{
	struct lictor_hashing *hashing OWN(own_free) = calloc(1, sizeof(*hashing));
	int error;

	if (!hashing)
		return -ENOMEM;
	hashing->engine = engine;
	error = lictor_hashes_new(&hashing->hashes);
	if (!error)
		*ret_hashing = TAKE(hashing);
	return error;
}

void lictor_hashing_free(struct lictor_hashing *hashing)
{
	lictor_hashes_free(hashing->hashes);
	free(hashing);
}

static void add_process(struct lictor_whereabouts *where, uint32_t pid)
{
	if (pid)
		where->pid[where->pids++] = pid;
}

static void add_path(struct lictor_whereabouts *where, const struct lictor_bytes *path)
{
	if (!path->byte || path->cut)
		return;
	where->path[where->paths].byte = path->byte;
	where->path[where->paths++].length = path->length;
}

/* To look for files that are no more takes time, which a flood of their records must not have. */
static bool may_seek(struct lictor_hashing *hashing)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	if (now.tv_sec != hashing->second)
		hashing->sought = 0;
	hashing->second = now.tv_sec;
	return hashing->sought++ < SOUGHT_MAX;
}

/* A file that is not known yet is looked for. */
static enum lictor_hash_state ask(struct lictor_hashing *hashing, const struct lictor_inode *inode,
				  const struct lictor_whereabouts *where, char *text)
{
	enum lictor_hash_state state = lictor_hashes_find(hashing->hashes, inode, text);
	int fd;

	if (state != LICTOR_HASH_NEW || lictor_hashes_full(hashing->hashes) || !may_seek(hashing))
		return state;
	fd = lictor_engine_find(hashing->engine, inode, where);
	if (fd < 0 && fd != -EREMOTE)
		return state;
	lictor_hashes_ask(hashing->hashes, inode, fd);
	return lictor_hashes_find(hashing->hashes, inode, text);
}

/*
 * A file system's clock moves in steps: a second change in the same step leaves the time of the
 * first.
 */
static bool is_young(const struct lictor_inode *inode, const struct timespec *at)
{
	int64_t ns = (at->tv_sec - inode->changed_s) * 1000000000ll + at->tv_nsec -
		     (int64_t)inode->changed_ns;

	return ns < (inode->changed_ns ? STEP_NS : SECONDS_NS);
}

bool lictor_hashing_alert(struct lictor_hashing *hashing, struct lictor_alert *alert)
{
	struct lictor_whereabouts program = { .pids = 0 }, file;
	enum lictor_hash_state own = LICTOR_HASH_NONE, other = LICTOR_HASH_NONE;

	add_process(&program, alert->pid);
	/* A process that ends at once has often been made by one that runs the same and goes on. */
	if (alert->ancestors)
		add_process(&program, alert->ancestor[0].pid);
	file = program;
	add_path(&program, &alert->text[LICTOR_FIELD_PROCESS_EXECUTABLE]);
	add_path(&file, &alert->text[LICTOR_FIELD_FILE_PATH]);
	add_path(&file, &alert->host_path);
	if (alert->image.changed_s)
		own = ask(hashing, &alert->image, &program, hashing->process);
	if (alert->event == LICTOR_EVENT_EXEC && alert->file.changed_s)
		other = ask(hashing, &alert->file, &file, hashing->file);
	alert->process_hash = alert->file_hash = NULL;
	if (own == LICTOR_HASH_KNOWN) {
		alert->process_hash = hashing->process;
		alert->process_hash_uncertain = is_young(&alert->image, &alert->time);
	}
	if (other == LICTOR_HASH_KNOWN) {
		alert->file_hash = hashing->file;
		alert->file_hash_uncertain = is_young(&alert->file, &alert->time);
	}
	return own == LICTOR_HASH_WAITING || other == LICTOR_HASH_WAITING;
}
