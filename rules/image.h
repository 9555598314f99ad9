/* SPDX-License-Identifier: Apache-2.0 */
/* Inside rules/: the stages of compiling. See compile.c. */
#ifndef LICTOR_IMAGE_H
#define LICTOR_IMAGE_H

#include "rules/automaton.h"
#include "rules/rules.h"

/* ---- the image being written ---- */

struct lictor_writer {
	unsigned char *byte;
	size_t room;
	size_t used;
};

/*
 * Room for size bytes, aligned to a power of two; within one page unless bulk (then elements must
 * be aligned to their size, so that none of them crosses). Returns the offset, 0 without memory.
 */
uint32_t lictor_write_room(struct lictor_writer *writer, size_t size, size_t align, bool bulk);
void *lictor_write_at(struct lictor_writer *writer, uint32_t offset);

/* ---- units: predicates on a field, as the clauses of a rule have them ---- */

/*
 * The fields as clauses tell them apart: each variable of process.env is one of its own, since a
 * block may ask for several. The first is LICTOR_FIELD_PROCESS_ENV itself, others follow the
 * fields.
 */
#define LICTOR_COLUMNS (LICTOR_FIELDS + (int)LICTOR_VARIABLES_MAX - 1)
_Static_assert(LICTOR_COLUMNS <= 128, "a bit for each column");

static inline int lictor_column_field(int column)
{
	return column < LICTOR_FIELDS ? column : LICTOR_FIELD_PROCESS_ENV;
}

struct lictor_unit {
	const struct lictor_predicate *predicate;
	int column;
	uint32_t rule;		/* of the image */
	uint32_t block;		/* 0: match, n: the n-th unless */
	uint32_t atom;		/* of a predicate on ancestors, else 0 */
};

/* What one event's clause numbers are. */
struct lictor_clauses {
	uint32_t rules;		/* match clauses */
	uint32_t first_unless;
	uint32_t count;
	uint32_t *match;	/* [image rule]: its match clause, or UINT32_MAX */
	uint32_t *unless;	/* [image rule]: its first unless clause */
	uint16_t *owner;	/* [count] */
};

struct lictor_compiler {
	const struct lictor_rules *rules;
	const struct lictor_compiled *previous;
	struct lictor_diags *diags;
	struct lictor_compiled *out;
	struct lictor_writer writer;
	struct lictor_sets *sets;
	uint64_t seed;
	bool monitor;
	unsigned __int128 columns[LICTOR_EVENTS];	/* a bit each: that the event's rules use */
	size_t variables;
	const char *variable[LICTOR_VARIABLES_MAX];
	size_t units;
	struct lictor_unit *unit;
	struct lictor_clauses clauses[LICTOR_EVENTS];
	/* of each field with a table of its own (numbers), or of each space: set -> outcome */
	uint32_t *outcome;
	size_t outcomes;
	size_t outcome_room;
	/* results of the classifier stages, for the vectors */
	struct {
		uint32_t outs;
		uint32_t *set;		/* [outs + 1] */
		uint32_t table;
		uint32_t table6;
	} field[LICTOR_FIELDS], space[LICTOR_SPACES];
	/* interned vectors */
	uint32_t *vector_slot;
	size_t vector_slots;
	size_t vectors;
};

static inline const struct lictor_rule *lictor_unit_rule(const struct lictor_compiler *c,
							  const struct lictor_unit *unit)
{
	return &c->rules->rule[c->out->rule[unit->rule]];
}

/* Numbers a set that a table is about to use; 0 for the empty one. UINT32_MAX: -ENOMEM. */
uint32_t lictor_outcome(struct lictor_compiler *c, uint32_t set);
void lictor_outcomes_begin(struct lictor_compiler *c);
/* Takes over which set each outcome is. */
int lictor_outcomes_end(struct lictor_compiler *c, uint32_t *ret_outs, uint32_t **ret_set);

/* strings.c: automata and exact tables of one pattern space. */
int lictor_compile_space(struct lictor_compiler *c, enum lictor_space space);
/* numbers.c: interval tables of one field. */
int lictor_compile_numbers(struct lictor_compiler *c, int field);
int lictor_compile_addresses(struct lictor_compiler *c, int field);
/* vectors.c: room for the heads of every event in page 0; later, heads and vectors. */
int lictor_compile_events_room(struct lictor_compiler *c);
int lictor_compile_events(struct lictor_compiler *c);
/* anchors.c */
int lictor_compile_anchors(struct lictor_compiler *c, size_t anchors,
			   const struct lictor_anchor_found *anchor);

#endif
