/* SPDX-License-Identifier: Apache-2.0 */
/* A queue of copies, of bounded size. In: records. Out: the same. May touch: nothing else. */
#include "daemon/waiting.h"

#include <stdlib.h>
#include <string.h>

bool lictor_waiting_add(struct lictor_waiting *waiting, const void *record, size_t size,
			bool killed, uint64_t until_ns)
{
	struct lictor_waiter *waiter;

	if (size > LICTOR_WAITING_BYTES - waiting->bytes)
		return false;
	waiter = malloc(sizeof(*waiter) + size);
	if (!waiter)
		return false;
	*waiter = (struct lictor_waiter){ .until_ns = until_ns, .killed = killed, .size = size };
	memcpy(waiter->record, record, size);
	if (waiting->first)
		waiting->last->next = waiter;
	else
		waiting->first = waiter;
	waiting->last = waiter;
	waiting->bytes += size;
	return true;
}

void lictor_waiting_drop(struct lictor_waiting *waiting)
{
	struct lictor_waiter *waiter = waiting->first;

	waiting->first = waiter->next;
	waiting->bytes -= waiter->size;
	free(waiter);
}
