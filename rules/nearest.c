/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Did you mean: of the words tried, the one nearest to what was written, by the number of letters
 * put in, left out, changed or swapped (optimal string alignment). Touches nothing.
 */
#include <stdio.h>
#include <string.h>

#include "rules/tree.h"

#define WORD_MAX 64u
#define TRIES_MAX 1024u	/* each costs up to WORD_MAX squared steps */

/* A third of the letters may be wrong, but not more than three, and of short words only one. */
static unsigned threshold(size_t length)
{
	if (length < 6)
		return length < 2 ? 0 : 1;
	return length < 9 ? 2 : 3;
}

struct nearest nearest_to(const char *word)
{
	return (struct nearest){ .word = word, .distance = threshold(strnlen(word, WORD_MAX)) + 1 };
}

static unsigned least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

static unsigned distance(const char *a, size_t a_length, const char *b, size_t b_length)
{
	unsigned row[3][WORD_MAX + 1];
	unsigned *before = row[0], *above = row[1], *here = row[2];

	for (size_t j = 0; j <= b_length; j++)
		above[j] = (unsigned)j;
	for (size_t i = 1; i <= a_length; i++) {
		unsigned *spare = before;

		here[0] = (unsigned)i;
		for (size_t j = 1; j <= b_length; j++) {
			here[j] = least(above[j], here[j - 1]) + 1;
			here[j] = least(here[j], above[j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				here[j] = least(here[j], before[j - 2] + 1);
		}
		before = above;
		above = here;
		here = spare;
	}
	return above[b_length];
}

void nearest_try(struct nearest *nearest, const char *candidate)
{
	size_t a = strnlen(nearest->word, WORD_MAX + 1), b = strnlen(candidate, WORD_MAX + 1);
	unsigned away;

	if (a > WORD_MAX || b > WORD_MAX || nearest->tried++ >= TRIES_MAX ||
	    (a > b ? a - b : b - a) >= nearest->distance)
		return;
	away = distance(nearest->word, a, candidate, b);
	if (away >= nearest->distance)
		return;
	nearest->distance = away;
	nearest->best = candidate;
}

const char *nearest_hint(const struct nearest *nearest, char *buffer, size_t size,
			 const char *otherwise)
{
	if (!nearest->best)
		return otherwise;
	snprintf(buffer, size, "did you mean \"%s\"?", nearest->best);
	return buffer;
}
