/* SPDX-License-Identifier: Apache-2.0 */
/* Records that are to be told later, in their order. */
#ifndef LICTOR_WAITING_H
#define LICTOR_WAITING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LICTOR_WAITING_BYTES (1u << 20)	/* of records */

struct lictor_waiter {
	struct lictor_waiter *next;
	uint64_t until_ns;	/* CLOCK_MONOTONIC */
	bool killed;		/* its process, by the daemon */
	size_t size;
	_Alignas(8) char record[];
};

struct lictor_waiting {
	struct lictor_waiter *first;	/* NULL: none */
	struct lictor_waiter *last;
	size_t bytes;
};

/* Copied. False: there is no room. */
bool lictor_waiting_add(struct lictor_waiting *waiting, const void *record, size_t size,
			bool killed, uint64_t until_ns);
/* Takes the first one away. */
void lictor_waiting_drop(struct lictor_waiting *waiting);

#endif
