/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A thread that reads files. In: descriptors, and when each file changed last. Out: digests of those
 * that have not changed since, kept in sets of a few that are looked for together. May touch: the
 * contents of these files.
 */
#include "daemon/hash.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "daemon/own.h"

#define WAYS 4u
#define SETS (LICTOR_HASH_KEPT / WAYS)
#define PIECE 65536u
#define STACK (256u << 10)	/* of the thread */
#define NICE 10			/* others come first */
#define END_SECONDS 1

struct answer {
	struct lictor_inode inode;
	enum lictor_hash_state state;
	uint64_t used;
	uint8_t digest[LICTOR_SHA256_BYTES];
};

struct job {
	struct lictor_inode inode;
	int fd;
};

struct lictor_hashes {
	pthread_t thread;
	pthread_mutex_t lock;	/* of all that follows */
	pthread_cond_t asked;
	atomic_bool end;
	uint64_t clock;		/* of uses */
	size_t jobs;
	struct job job[LICTOR_HASH_QUEUE];	/* the newest is the last, and the next */
	struct answer answer[SETS][WAYS];
	uint8_t piece[PIECE];	/* the thread's own */
};

/* ---- answers; the lock is held ---- */

static bool same(const struct lictor_inode *a, const struct lictor_inode *b)
{
	return a->ino == b->ino && a->dev == b->dev && a->igeneration == b->igeneration &&
	       a->size == b->size && a->changed_s == b->changed_s &&
	       a->changed_ns == b->changed_ns;
}

static struct answer *set_of(struct lictor_hashes *hashes, const struct lictor_inode *inode)
{
	uint64_t mixed = (inode->ino ^ (uint64_t)inode->dev << 32) * 0x9e3779b97f4a7c15u;

	return hashes->answer[mixed >> 40 & (SETS - 1)];
}

static struct answer *find(struct lictor_hashes *hashes, const struct lictor_inode *inode)
{
	struct answer *set = set_of(hashes, inode);

	for (unsigned i = 0; i < WAYS; i++)
		if (set[i].state != LICTOR_HASH_NEW && same(&set[i].inode, inode))
			return &set[i];
	return NULL;
}

/* The place of the one that has not been asked for longest; NULL: all of them are waited for. */
static struct answer *make_room(struct lictor_hashes *hashes, const struct lictor_inode *inode)
{
	struct answer *set = set_of(hashes, inode), *oldest = NULL;

	for (unsigned i = 0; i < WAYS; i++)
		if (set[i].state != LICTOR_HASH_WAITING && (!oldest || set[i].used < oldest->used))
			oldest = &set[i];
	return oldest;
}

/* ---- the thread ---- */

static bool unchanged(const struct stat *st, const struct lictor_inode *inode)
{
	return S_ISREG(st->st_mode) && (uint64_t)st->st_size == inode->size &&
	       st->st_ctim.tv_sec == inode->changed_s && st->st_ctim.tv_nsec == inode->changed_ns;
}

/* Its access time is left alone where that is allowed. */
static int open_again(int fd)
{
	int flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, opened;
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	opened = open(path, flags | O_NOATIME);
	return opened < 0 && errno == EPERM ? open(path, flags) : opened;
}

static bool digest(struct lictor_hashes *hashes, const struct job *job,
		   uint8_t ret_digest[static LICTOR_SHA256_BYTES])
{
	int fd OWN(own_close) = -1;
	struct lictor_sha256 sha;
	struct stat st;
	ssize_t got;

	/* Only a regular file is opened: to open a device is to use it. */
	if (fstat(job->fd, &st) < 0 || !unchanged(&st, &job->inode) ||
	    job->inode.size > LICTOR_HASH_FILE_MAX)
		return false;
	fd = open_again(job->fd);
	if (fd < 0)
		return false;
	lictor_sha256_init(&sha);
	while (!hashes->end && (got = read(fd, hashes->piece, PIECE))) {
		if ((got < 0 && errno != EINTR) || sha.length > job->inode.size)
			return false;
		lictor_sha256_add(&sha, hashes->piece, got < 0 ? 0 : (size_t)got);
	}
	if (hashes->end || sha.length != job->inode.size)
		return false;
	lictor_sha256_done(&sha, ret_digest);
	return fstat(fd, &st) == 0 && unchanged(&st, &job->inode);
}

static void settle(struct lictor_hashes *hashes, const struct job *job, bool known,
		   const uint8_t digest_of[static LICTOR_SHA256_BYTES])
{
	struct answer *answer = find(hashes, &job->inode);

	if (!answer)
		return;
	answer->state = known ? LICTOR_HASH_KNOWN : LICTOR_HASH_NONE;
	memcpy(answer->digest, digest_of, LICTOR_SHA256_BYTES);
}

static void *work(void *context)
{
	struct lictor_hashes *hashes = context;

	setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), NICE);
	pthread_mutex_lock(&hashes->lock);
	while (!hashes->end) {
		uint8_t result[LICTOR_SHA256_BYTES] = { 0 };
		struct job job;
		bool known;

		if (!hashes->jobs) {
			pthread_cond_wait(&hashes->asked, &hashes->lock);
			continue;
		}
		/* If there is more than can be read in time, some at least are. */
		job = hashes->job[--hashes->jobs];
		pthread_mutex_unlock(&hashes->lock);
		known = digest(hashes, &job, result);
		close(job.fd);
		pthread_mutex_lock(&hashes->lock);
		settle(hashes, &job, known, result);
	}
	pthread_mutex_unlock(&hashes->lock);
	return NULL;
}

/* It is sent no signals: they are the daemon's. */
static int start(struct lictor_hashes *hashes)
{
	pthread_attr_t attributes;
	sigset_t all, before;
	int error;

	sigfillset(&all);
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, STACK);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	error = pthread_create(&hashes->thread, &attributes, work, hashes);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attributes);
	return -error;
}

/* ---- for the daemon ---- */

int lictor_hashes_new(struct lictor_hashes **ret_hashes)
{
	struct lictor_hashes *hashes OWN(own_free) = calloc(1, sizeof(*hashes));
	int error;

	if (!hashes)
		return -ENOMEM;
	pthread_mutex_init(&hashes->lock, NULL);
	pthread_cond_init(&hashes->asked, NULL);
	error = start(hashes);
	if (!error)
		*ret_hashes = TAKE(hashes);
	return error;
}

void lictor_hashes_free(struct lictor_hashes *hashes)
{
	struct timespec until;

	pthread_mutex_lock(&hashes->lock);
	hashes->end = true;
	pthread_cond_signal(&hashes->asked);
	pthread_mutex_unlock(&hashes->lock);
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += END_SECONDS;
	/* A disk that does not answer keeps it: then it ends with the process. */
	if (pthread_timedjoin_np(hashes->thread, NULL, &until))
		return;
	for (size_t i = 0; i < hashes->jobs; i++)
		close(hashes->job[i].fd);
	pthread_cond_destroy(&hashes->asked);
	pthread_mutex_destroy(&hashes->lock);
	free(hashes);
}

enum lictor_hash_state lictor_hashes_find(struct lictor_hashes *hashes,
					  const struct lictor_inode *inode,
					  char ret_text[static LICTOR_SHA256_TEXT])
{
	enum lictor_hash_state state = LICTOR_HASH_NEW;
	struct answer *answer;

	pthread_mutex_lock(&hashes->lock);
	answer = find(hashes, inode);
	if (answer) {
		state = answer->state;
		answer->used = ++hashes->clock;
		if (state == LICTOR_HASH_KNOWN)
			lictor_sha256_text(answer->digest, ret_text);
	}
	pthread_mutex_unlock(&hashes->lock);
	return state;
}

bool lictor_hashes_full(struct lictor_hashes *hashes)
{
	bool full;

	pthread_mutex_lock(&hashes->lock);
	full = hashes->jobs == LICTOR_HASH_QUEUE;
	pthread_mutex_unlock(&hashes->lock);
	return full;
}

void lictor_hashes_ask(struct lictor_hashes *hashes, const struct lictor_inode *inode, int fd)
{
	struct answer *answer;

	pthread_mutex_lock(&hashes->lock);
	answer = make_room(hashes, inode);
	if (answer && (fd < 0 || hashes->jobs < LICTOR_HASH_QUEUE)) {
		*answer = (struct answer){ .inode = *inode, .used = ++hashes->clock,
					   .state = fd < 0 ? LICTOR_HASH_NONE :
							     LICTOR_HASH_WAITING };
		if (fd >= 0) {
			hashes->job[hashes->jobs++] = (struct job){ .inode = *inode, .fd = fd };
			pthread_cond_signal(&hashes->asked);
			fd = -1;
		}
	}
	pthread_mutex_unlock(&hashes->lock);
	if (fd >= 0)
		close(fd);
}
