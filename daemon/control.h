/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The control socket's clients: bounded in number, in memory and in time. None of them is waited
 * for; one that does not keep up is dropped, and counted.
 */
#ifndef LICTOR_CONTROL_H
#define LICTOR_CONTROL_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "daemon/request.h"
#include "output/sink.h"

#define LICTOR_CONTROL_CLIENTS 64u
#define LICTOR_CONTROL_QUEUE (1u << 20)	/* bytes that wait for one client */
#define LICTOR_CONTROL_QUEUES (4u << 20)	/* for all of them */
#define LICTOR_CONTROL_ASK_SECONDS 5	/* to ask within */
#define LICTOR_CONTROL_IDLE_SECONDS 15	/* without taking a byte of what waits */

struct lictor_clients;

/* How far an answer has come. */
struct lictor_cursor {
	size_t step;
	uint64_t generation;
};

/*
 * Adds the next lines of an answer. Returns 1 if there are more, 0 if these were the last, or
 * -errno: the client is dropped. Called again when what it added has been taken.
 */
typedef int lictor_answer(void *context, const struct lictor_request *request,
			  struct lictor_cursor *cursor, struct lictor_line *line);

/*
 * Listens at path. -EADDRINUSE: somebody answers there already. gid: the group that may ask, beside
 * root and our own user; (gid_t)-1: none.
 */
int lictor_clients_open(const char *path, gid_t gid, lictor_answer *answer, void *context,
			struct lictor_clients **ret_clients);
/* Listens nowhere: for clients that lictor_clients_add() brings. */
int lictor_clients_new(lictor_answer *answer, void *context, struct lictor_clients **ret_clients);
/* fd: connected, non-blocking; taken over, also on failure. */
int lictor_clients_add(struct lictor_clients *clients, int fd);
void lictor_clients_close(struct lictor_clients *clients);

/* To poll for reading; run then does what can be done without waiting. */
int lictor_clients_fd(const struct lictor_clients *clients);
void lictor_clients_run(struct lictor_clients *clients);
/* About once a second: drops those whose time is over. */
void lictor_clients_tick(struct lictor_clients *clients);

size_t lictor_clients_watchers(const struct lictor_clients *clients, enum lictor_form form);
/* line: without a newline. */
void lictor_clients_publish(struct lictor_clients *clients, enum lictor_form form,
			    const char *line, size_t length);

/* written, lost: lines to watchers, lost with those that were dropped while they waited. */
void lictor_clients_count(const struct lictor_clients *clients,
			  struct lictor_sink_count *ret_count);

struct lictor_clients_state {
	size_t clients;
	size_t watchers;
	uint64_t accepted;
	uint64_t refused;	/* not root, not of the group */
	uint64_t dropped;	/* too slow, too long, too many */
};

void lictor_clients_state(const struct lictor_clients *clients,
			  struct lictor_clients_state *ret_state);

#endif
