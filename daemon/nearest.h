/* SPDX-License-Identifier: Apache-2.0 */
/* "Did you mean". */
#ifndef LICTOR_NEAREST_H
#define LICTOR_NEAREST_H

#include <stddef.h>

/* The word that is most like this one, NULL if none is like it. */
const char *lictor_nearest(const char *word, size_t words, const char *const *known);

#endif
