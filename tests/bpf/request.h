/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/* One event that the BPF build of the matcher is asked about, and its answer. */
#ifndef LICTOR_MATCH_REQUEST_H
#define LICTOR_MATCH_REQUEST_H

#include "bpf/match.h"

#define REQUEST_RULES_MAX 4096u
#define REQUEST_STRINGS 32u	/* a power of two */
#define REQUEST_START 16384u	/* bytes of arguments or environment, a power of two */

/* Where the texts of a string are, each with its length in the upper half. */
struct match_string {
	__u32 state;
	__u32 space;
	__u32 views;	/* 0: no text; 1: one; 2: two that differ */
	__u32 same;	/* one, and it is the host's too */
	__u32 where[2];
};

struct match_request {
	__u64 generation;
	__u32 event;
	__u32 judgings;	/* 2 for what has two objects */
	struct match_string string[REQUEST_STRINGS];
	struct lictor_values values;
	struct lictor_ancestors ancestors[LICTOR_ANCESTOR_SLOTS];
	char text[LICTOR_TEXT_SIZE];
	/* of LICTOR_STRING_ARGS and LICTOR_STRING_ENV, read in pieces */
	__u32 start_length[2];
	__u32 piece;
	__u32 pad2;
	char start[2][REQUEST_START];
	/* the answer */
	__u64 judged;	/* requests, ever */
	__u64 classify_ns;
	__u64 match_ns;
	__u32 twice;	/* a rule came twice in one judging */
	__u32 pad;
	struct lictor_hits hits[LICTOR_STRINGS];
	__u64 matched[2][REQUEST_RULES_MAX / 64];
};

#endif
