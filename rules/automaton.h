/* SPDX-License-Identifier: Apache-2.0 */
/* Inside rules/: from globs to deterministic automata. See automaton.c. */
#ifndef LICTOR_AUTOMATON_H
#define LICTOR_AUTOMATON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- a glob as tokens ---- */

enum lictor_token_kind {
	LICTOR_TOKEN_SET,	/* one byte of a set */
	LICTOR_TOKEN_STAR,	/* any run without `/` */
	LICTOR_TOKEN_ALL,	/* any run */
};

struct lictor_token {
	uint8_t kind;
	uint8_t single;		/* a set of this one byte, if set is NULL */
	const uint64_t *set;	/* 256 bits, or NULL */
};

struct lictor_tokens {
	size_t tokens;
	struct lictor_token *token;
	uint64_t (*sets)[4];
};

/* text: a glob without braces, checked. path: `*`, `?` and sets stop at `/`. 0 or -ENOMEM. */
int lictor_tokens_read(const char *text, bool path, struct lictor_tokens *ret_tokens);
void lictor_tokens_done(struct lictor_tokens *tokens);
void lictor_tokens_reverse(struct lictor_tokens *tokens);
/* No stars, one byte each: then its bytes are in ret_text (as long as the glob, at most). */
bool lictor_tokens_literal(const struct lictor_tokens *tokens, char *ret_text, size_t *ret_length);

/* ---- sets of small numbers, interned: set 0 is the empty one ---- */

struct lictor_sets;
struct lictor_sets *lictor_sets_new(void);
void lictor_sets_free(struct lictor_sets *sets);
/* Sorts, removes duplicates. Returns the set's number, or UINT32_MAX without memory. */
uint32_t lictor_sets_add(struct lictor_sets *sets, uint32_t *member, size_t members);
uint32_t lictor_sets_join(struct lictor_sets *sets, uint32_t a, uint32_t b);
size_t lictor_sets_count(const struct lictor_sets *sets);
const uint32_t *lictor_sets_get(const struct lictor_sets *sets, uint32_t set, size_t *ret_members);

/* ---- an automaton ---- */

struct lictor_glob {
	const struct lictor_tokens *tokens;
	uint32_t set;		/* what matching it means */
};

struct lictor_dfa_cell {
	uint32_t class;
	uint32_t next;
};

struct lictor_dfa_state {
	uint32_t fallback;
	uint32_t cell;		/* first of its cells */
	uint32_t cells;
	uint32_t emit;		/* set, as soon as it is entered */
	uint32_t accept;	/* set, at the end of the text */
};

struct lictor_dfa {
	uint8_t class[256];
	uint32_t classes;
	uint32_t states;	/* 0 is dead */
	uint32_t start;
	uint32_t first_emit;
	struct lictor_dfa_state *state;
	uint32_t cells;
	struct lictor_dfa_cell *cell;
};

/*
 * Builds one automaton for all globs. room: bytes that its tables may take in the image; -E2BIG
 * where they would take more (or the building would), -ENOMEM.
 */
int lictor_dfa_build(const struct lictor_glob *glob, size_t globs, struct lictor_sets *sets,
		     size_t room, struct lictor_dfa *ret_dfa);
void lictor_dfa_done(struct lictor_dfa *dfa);

/*
 * The last step of lictor_dfa_build(): merges equal states and numbers what is left, 0 dead, then
 * those that emit nothing, then those that do. dfa: state 0 is dead, each state's cells in the order
 * of their classes; its tables are replaced. -ENOMEM: it is good for lictor_dfa_done() only.
 */
int lictor_dfa_merge(struct lictor_dfa *dfa);

/* Comb-compressed rows: where each state's row begins, and who owns each cell. */
struct lictor_comb {
	uint32_t *base;		/* [states] */
	uint32_t cells;
	uint32_t *check;	/* [cells] */
	uint32_t *next;
};

int lictor_comb_pack(const struct lictor_dfa *dfa, struct lictor_comb *ret_comb);
void lictor_comb_done(struct lictor_comb *comb);

#endif
