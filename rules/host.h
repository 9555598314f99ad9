/* SPDX-License-Identifier: Apache-2.0 */
/* bpf/match.h on the host: an image is a run of pages in memory. */
#ifndef LICTOR_HOST_H
#define LICTOR_HOST_H

#include <stddef.h>
#include <stdint.h>

#include "bpf/abi.h"

struct lictor_host_image {
	const unsigned char *byte;
	uint32_t pages;
};

typedef const struct lictor_host_image *lictor_handle;
typedef const struct lictor_host_image *lictor_tables;

#define LICTOR_FUNCTION static __attribute__((unused))
#define LICTOR_LOOP(count, step, context) \
	do { \
		for (uint32_t loop_index = 0; loop_index < (uint32_t)(count); loop_index++) \
			if (step(loop_index, context)) \
				break; \
	} while (0)

static inline lictor_tables lictor_open(lictor_handle handle)
{
	return handle;
}

static inline const void *lictor_page(lictor_tables tables, uint32_t offset)
{
	uint32_t page = offset >> LICTOR_PAGE_SHIFT;

	return page < tables->pages ? tables->byte + ((size_t)page << LICTOR_PAGE_SHIFT) : NULL;
}

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-function"
#pragma GCC diagnostic ignored "-Wsign-compare"
#include "bpf/match.h"
#pragma GCC diagnostic pop

#endif
