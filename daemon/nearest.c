/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stage: messages about words that nobody knows (keys of lictor.conf, subcommands). In: the word
 * and those that exist. Out: the nearest by edit distance. Pure.
 */
#include "daemon/nearest.h"

#include <string.h>

#define WORD_MAX 32u

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Insertions, deletions and replacements that make one word the other. */
static size_t distance(const char *a, const char *b)
{
	size_t row[WORD_MAX + 1], width = strlen(b), diagonal, above, i, j;

	for (j = 0; j <= width; j++)
		row[j] = j;
	for (i = 0; a[i]; i++) {
		diagonal = row[0];
		row[0] = i + 1;
		for (j = 0; j < width; j++) {
			above = row[j + 1];
			row[j + 1] = least(least(above, row[j]) + 1, diagonal + (a[i] != b[j]));
			diagonal = above;
		}
	}
	return row[width];
}

const char *lictor_nearest(const char *word, size_t words, const char *const *known)
{
	size_t length = strlen(word), best = length / 3 + 2, i, far;
	const char *found = NULL;

	if (length > WORD_MAX)
		return NULL;
	for (i = 0; i < words; i++) {
		if (strlen(known[i]) > WORD_MAX)
			continue;
		far = distance(word, known[i]);
		if (far < best && far < strlen(known[i])) {
			best = far;
			found = known[i];
		}
	}
	return found;
}
