/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sinks: formatted records that could not be handed over come in, and go out in the same order. At
 * most `room` bytes wait; each record is preceded by its length and sequence. Touches its memory.
 */
#include <stdlib.h>
#include <string.h>

#include "output/queue.h"

struct prefix {
	uint64_t sequence;
	uint64_t length;
};

void lictor_queue_done(struct lictor_queue *queue)
{
	free(queue->byte);
	*queue = (struct lictor_queue){ .room = queue->room };
}

/* Room for `need` bytes behind the tail, moving what waits to the front if that gives it. */
static bool make_room(struct lictor_queue *queue, size_t need)
{
	if (!queue->byte)
		queue->byte = malloc(queue->room);
	if (!queue->byte || need > queue->room - (queue->tail - queue->head))
		return false;
	if (need > queue->room - queue->tail) {
		memmove(queue->byte, queue->byte + queue->head, queue->tail - queue->head);
		queue->tail -= queue->head;
		queue->head = 0;
	}
	return true;
}

bool lictor_queue_push(struct lictor_queue *queue, const char *bytes, size_t length,
		       uint64_t sequence)
{
	struct prefix prefix = { .sequence = sequence, .length = length };
	size_t need;

	if (__builtin_add_overflow(length, sizeof(prefix), &need) || need > queue->room ||
	    !make_room(queue, need))
		return false;
	memcpy(queue->byte + queue->tail, &prefix, sizeof(prefix));
	memcpy(queue->byte + queue->tail + sizeof(prefix), bytes, length);
	queue->tail += need;
	queue->bytes += length;
	queue->records++;
	return true;
}

struct lictor_queued lictor_queue_first(const struct lictor_queue *queue)
{
	struct prefix prefix;

	if (!queue->records)
		return (struct lictor_queued){};
	memcpy(&prefix, queue->byte + queue->head, sizeof(prefix));
	return (struct lictor_queued){ .byte = queue->byte + queue->head + sizeof(prefix),
				       .length = prefix.length,
				       .sequence = prefix.sequence };
}

void lictor_queue_pop(struct lictor_queue *queue)
{
	size_t length = lictor_queue_first(queue).length;

	queue->head += sizeof(struct prefix) + length;
	queue->bytes -= length;
	if (!--queue->records)
		lictor_queue_done(queue);
}
