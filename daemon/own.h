/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ownership that can be seen where it is declared:
 *
 *	char *text OWN(own_free) = NULL;
 *	struct lictor_rules *rules OWN(own_lictor_rules_free) = NULL;
 *	*ret_text = TAKE(text);
 */
#ifndef LICTOR_OWN_H
#define LICTOR_OWN_H

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define OWN(release) __attribute__((cleanup(release)))
#define TAKE(pointer) \
	({ \
		__typeof__(pointer) taken_ = (pointer); \
		(pointer) = NULL; \
		taken_; \
	})
/* Makes own_<release>() of a function that frees a type. */
#define OWNABLE(type, release) \
	static inline void own_##release(type **owned) \
	{ \
		if (*owned) \
			release(*owned); \
	}

static inline void own_free(void *owned)
{
	free(*(void **)owned);
}

static inline void own_close(int *owned)
{
	if (*owned >= 0)
		close(*owned);
}

static inline void own_fclose(FILE **owned)
{
	if (*owned)
		fclose(*owned);
}

#endif
