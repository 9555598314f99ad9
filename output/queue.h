/* SPDX-License-Identifier: Apache-2.0 */
/* A sink's bounded queue of records, oldest first. It holds no memory while it is empty. */
#ifndef LICTOR_QUEUE_H
#define LICTOR_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct lictor_queue {
	char *byte;
	size_t room;	/* bytes that it may hold, its own words for each record included */
	size_t head;	/* the oldest record */
	size_t tail;	/* behind the newest */
	size_t bytes;	/* of the records */
	size_t records;
};

struct lictor_queued {
	const char *byte;	/* NULL: the queue is empty; good until the next push or pop */
	size_t length;
	uint64_t sequence;
};

/* False if it is full or out of memory: the record is not in. */
bool lictor_queue_push(struct lictor_queue *queue, const char *bytes, size_t length,
		       uint64_t sequence);
struct lictor_queued lictor_queue_first(const struct lictor_queue *queue);
void lictor_queue_pop(struct lictor_queue *queue);
void lictor_queue_done(struct lictor_queue *queue);

#endif
