/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The last stage of compiling: for each event, what each outcome of each field means for its
 * clauses. A vector's zero words are left out, and equal vectors are written once.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "rules/image.h"

struct bits {
	uint64_t word[LICTOR_WORDS_MAX];
};

static void bit_set(struct bits *bits, uint32_t clause)
{
	bits->word[clause / 64] |= 1ull << (clause % 64);
}


/* ---- vectors in the image ---- */

static size_t pack(const struct bits *bits, uint64_t *packed)
{
	size_t words = 1;

	packed[0] = 0;
	for (uint32_t w = 0; w < LICTOR_WORDS_MAX; w++)
		if (bits->word[w]) {
			packed[0] |= 1ull << w;
			packed[words++] = bits->word[w];
		}
	return words;
}

static uint64_t hash_of(const uint64_t *word, size_t words)
{
	uint64_t hash = words;

	for (size_t i = 0; i < words; i++) {
		hash = (hash ^ word[i]) * 0x9e3779b97f4a7c15ull;
		hash ^= hash >> 29;
	}
	return hash;
}

static size_t vector_words(const uint64_t *vector)
{
	return 1 + (size_t)__builtin_popcountll(vector[0]);
}

static int vectors_grow(struct lictor_compiler *c)
{
	size_t slots = c->vector_slots ? c->vector_slots * 2 : 1024;
	uint32_t *slot = calloc(slots, sizeof(*slot));

	if (!slot)
		return -ENOMEM;
	for (size_t i = 0; i < c->vector_slots; i++) {
		const uint64_t *vector;
		size_t at;

		if (!c->vector_slot[i])
			continue;
		vector = lictor_write_at(&c->writer, c->vector_slot[i]);
		at = hash_of(vector, vector_words(vector)) & (slots - 1);
		while (slot[at])
			at = (at + 1) & (slots - 1);
		slot[at] = c->vector_slot[i];
	}
	free(c->vector_slot);
	c->vector_slot = slot;
	c->vector_slots = slots;
	return 0;
}

/* Writes the vector unless an equal one is there; 0 for the empty one. */
static int write_vector(struct lictor_compiler *c, const struct bits *bits, uint32_t *ret_at)
{
	uint64_t packed[LICTOR_WORDS_MAX + 1];
	size_t words = pack(bits, packed), at;

	*ret_at = 0;
	if (words == 1)
		return 0;
	if (c->vectors * 2 >= c->vector_slots) {
		int r = vectors_grow(c);

		if (r < 0)
			return r;
	}
	at = hash_of(packed, words) & (c->vector_slots - 1);
	for (; c->vector_slot[at]; at = (at + 1) & (c->vector_slots - 1)) {
		const uint64_t *vector = lictor_write_at(&c->writer, c->vector_slot[at]);

		if (vector[0] == packed[0] && !memcmp(vector, packed, words * sizeof(*packed))) {
			*ret_at = c->vector_slot[at];
			return 0;
		}
	}
	*ret_at = lictor_write_room(&c->writer, words * sizeof(*packed), 8, false);
	if (!*ret_at)
		return -ENOMEM;
	memcpy(lictor_write_at(&c->writer, *ret_at), packed, words * sizeof(*packed));
	c->vector_slot[at] = *ret_at;
	c->vectors++;
	return 0;
}

/* ---- clauses ---- */

/* The clause that a unit belongs to in an event; UINT32_MAX if its rule is not about the event. */
static uint32_t clause_of(const struct lictor_compiler *c, int event,
			  const struct lictor_unit *unit)
{
	const struct lictor_clauses *k = &c->clauses[event];

	if (k->match[unit->rule] == UINT32_MAX)
		return UINT32_MAX;
	return unit->block ? k->unless[unit->rule] + unit->block - 1 : k->match[unit->rule];
}

static bool fails_closed(const struct lictor_rule *rule)
{
	if (rule->on_failure != LICTOR_FAILURE_DEFAULT)
		return rule->on_failure == LICTOR_FAILURE_CLOSED;
	return rule->action >= LICTOR_ACTION_BLOCK;
}

/* Without even a buffer to decide in, only such a rule stops the event. */
static bool denies(const struct lictor_compiler *c, const struct lictor_rule *rule)
{
	bool monitor = rule->mode == LICTOR_MODE_MONITOR ||
		       (rule->mode == LICTOR_MODE_DEFAULT && c->monitor);

	return !monitor && rule->action >= LICTOR_ACTION_BLOCK && fails_closed(rule);
}

static bool names_target(const struct lictor_rule *rule)
{
	for (size_t i = 0; i < rule->match.predicates; i++)
		if (rule->match.predicate[i].field == LICTOR_FIELD_FILE_TARGET_PATH)
			return true;
	for (size_t u = 0; u < rule->unlesses; u++)
		for (size_t i = 0; i < rule->unless[u].predicates; i++)
			if (rule->unless[u].predicate[i].field == LICTOR_FIELD_FILE_TARGET_PATH)
				return true;
	return false;
}

/* A match clause holds unless a field says no; an `unless` clause that exists, too. */
static void every_clause(const struct lictor_compiler *c, int event, struct bits *bits)
{
	const struct lictor_clauses *k = &c->clauses[event];

	for (uint32_t i = 0; i < k->rules; i++)
		bit_set(bits, i);
	for (uint32_t i = k->first_unless; i < k->count; i++)
		bit_set(bits, i);
}

struct field_bits {
	struct bits flip, absent, unknown, generous;
};

static void field_bits(const struct lictor_compiler *c, int event, int column,
		       struct field_bits *out)
{
	const struct lictor_clauses *k = &c->clauses[event];

	memset(out, 0, sizeof(*out));
	every_clause(c, event, &out->flip);
	for (size_t u = 0; u < c->units; u++) {
		const struct lictor_unit *unit = &c->unit[u];
		uint32_t clause = clause_of(c, event, unit);

		if (clause != UINT32_MAX && unit->column == column)
			out->flip.word[clause / 64] &= ~(1ull << (clause % 64));
	}
	/* So far: clauses that do not mention the field. */
	out->absent = out->flip;
	out->unknown = out->flip;
	for (size_t u = 0; u < c->units; u++) {
		const struct lictor_unit *unit = &c->unit[u];
		uint32_t clause = clause_of(c, event, unit);
		bool negated = unit->predicate->negated, match = unit->block == 0;

		if (clause == UINT32_MAX || unit->column != column)
			continue;
		if (negated)
			bit_set(&out->flip, clause);
		if (negated && match)
			bit_set(&out->absent, clause);
		if (match && fails_closed(lictor_unit_rule(c, unit)))
			bit_set(&out->unknown, clause);
		if (match != negated)
			bit_set(&out->generous, clause);
	}
	/* The target of a rename or link is judged with no target of its own; a rule that names the
	   target means the source by file.path, and has been judged before. */
	if (column == LICTOR_FIELD_FILE_TARGET_PATH && lictor_event_has_field(event, column))
		for (uint32_t i = 0; i < k->rules; i++) {
			const struct lictor_rule *rule =
				&c->rules->rule[c->out->rule[k->owner[i]]];

			if (names_target(rule))
				out->absent.word[i / 64] &= ~(1ull << (i % 64));
		}
}

/* ---- what outcomes mean ---- */

static int hit_table(struct lictor_compiler *c, int event, int column, uint32_t outs,
		     const uint32_t *set, uint32_t *ret_table)
{
	uint32_t table = lictor_write_room(&c->writer, (outs + 1) * sizeof(uint32_t), 4, true);

	if (!table)
		return -ENOMEM;
	for (uint32_t o = 1; o <= outs; o++) {
		struct bits bits = { 0 };
		uint32_t vector, *row;
		size_t members;
		const uint32_t *unit = lictor_sets_get(c->sets, set[o], &members);
		int r;

		for (size_t i = 0; i < members; i++) {
			uint32_t clause = UINT32_MAX;

			if (c->unit[unit[i]].column == column)
				clause = clause_of(c, event, &c->unit[unit[i]]);
			if (clause != UINT32_MAX)
				bit_set(&bits, clause);
		}
		r = write_vector(c, &bits, &vector);
		if (r < 0)
			return r;
		row = lictor_write_at(&c->writer, table);
		row[o] = vector;
	}
	*ret_table = table;
	return 0;
}

static int atom_table(struct lictor_compiler *c, int event, int column, uint32_t *ret_table)
{
	uint32_t table = lictor_write_room(&c->writer, LICTOR_ATOMS_MAX * sizeof(uint32_t), 4, true);

	if (!table)
		return -ENOMEM;
	for (uint32_t atom = 1; atom < LICTOR_ATOMS_MAX; atom++) {
		struct bits bits = { 0 };
		uint32_t vector, *row;
		int r;

		for (size_t u = 0; u < c->units; u++) {
			uint32_t clause = UINT32_MAX;

			if (c->unit[u].atom == atom && c->unit[u].column == column)
				clause = clause_of(c, event, &c->unit[u]);
			if (clause != UINT32_MAX)
				bit_set(&bits, clause);
		}
		r = write_vector(c, &bits, &vector);
		if (r < 0)
			return r;
		row = lictor_write_at(&c->writer, table);
		row[atom] = vector;
	}
	*ret_table = table;
	return 0;
}

/* How the kernel side has a field: X(field, kind, slot, needs) */
#define STRING LICTOR_KIND_STRING
#define FIELD_TABLE(X) \
	X(PROCESS_EXECUTABLE, STRING, LICTOR_STRING_IMAGE, LICTOR_NEED_SUBJECT) \
	X(PARENT_EXECUTABLE, STRING, LICTOR_STRING_PARENT, LICTOR_NEED_SUBJECT) \
	X(PARENT_NAME, STRING, LICTOR_STRING_PARENT_NAME, LICTOR_NEED_SUBJECT) \
	X(ANCESTOR_EXECUTABLE, LICTOR_KIND_ANCESTOR, LICTOR_ANCESTOR_IMAGES, LICTOR_NEED_SUBJECT) \
	X(ANCESTOR_NAME, LICTOR_KIND_ANCESTOR, LICTOR_ANCESTOR_NAMES, LICTOR_NEED_SUBJECT) \
	X(PROCESS_NAME, STRING, LICTOR_STRING_NAME, LICTOR_NEED_NAME) \
	X(FILE_PATH, STRING, LICTOR_STRING_PATH, LICTOR_NEED_PATH) \
	X(FILE_TARGET_PATH, STRING, LICTOR_STRING_TARGET, LICTOR_NEED_TARGET) \
	X(FILE_FS, STRING, LICTOR_STRING_FS, LICTOR_NEED_FS) \
	X(DESTINATION_PATH, STRING, LICTOR_STRING_SOCKET, LICTOR_NEED_SOCKET) \
	X(TARGET_EXECUTABLE, STRING, LICTOR_STRING_TARGET_IMAGE, 0) \
	X(TARGET_NAME, STRING, LICTOR_STRING_TARGET_NAME, 0) \
	X(MOUNT_TARGET, STRING, LICTOR_STRING_PATH, LICTOR_NEED_PATH) \
	X(MOUNT_SOURCE, STRING, LICTOR_STRING_ARGUMENT, 0) \
	X(MOUNT_TYPE, STRING, LICTOR_STRING_ARGUMENT2, 0) \
	X(MODULE_PATH, STRING, LICTOR_STRING_PATH, LICTOR_NEED_PATH) \
	X(MODULE_NAME, STRING, LICTOR_STRING_ARGUMENT, 0) \
	X(HOST_HOSTNAME, STRING, LICTOR_STRING_ARGUMENT, 0) \
	X(HOST_DOMAIN, STRING, LICTOR_STRING_ARGUMENT2, 0) \
	X(SYSCTL_NAME, STRING, LICTOR_STRING_ARGUMENT, 0) \
	X(DESTINATION_IP, LICTOR_KIND_ADDRESS, LICTOR_ADDRESS_DESTINATION, 0) \
	X(SOURCE_IP, LICTOR_KIND_ADDRESS, LICTOR_ADDRESS_SOURCE, 0) \
	X(CGROUP_PATH, STRING, LICTOR_STRING_CGROUP, LICTOR_NEED_CGROUP) \
	X(SERVICE_NAME, STRING, LICTOR_STRING_UNIT, LICTOR_NEED_CGROUP) \
	X(CONTAINER_ID, STRING, LICTOR_STRING_CONTAINER, LICTOR_NEED_CGROUP) \
	X(PROCESS_ARGS, STRING, LICTOR_STRING_ARGS, LICTOR_NEED_START) \
	X(PROCESS_ENV, STRING, LICTOR_STRING_ENV, LICTOR_NEED_START) \
	X(PROCESS_CWD, STRING, LICTOR_STRING_CWD, LICTOR_NEED_CWD) \
	X(FILE_FSVERITY, STRING, LICTOR_STRING_VERITY, LICTOR_NEED_VERITY) \
	X(PROCESS_TTY, LICTOR_KIND_NUMBER, 0, LICTOR_NEED_PROCESS) \
	X(PROCESS_INTERACTIVE, LICTOR_KIND_NUMBER, 0, LICTOR_NEED_PROCESS) \
	X(PROCESS_START_AGE, LICTOR_KIND_NUMBER, 0, LICTOR_NEED_PROCESS) \
	X(PROCESS_CAPABILITIES, LICTOR_KIND_SET, 0, LICTOR_NEED_PROCESS) \
	X(PROCESS_MEMFD, LICTOR_KIND_NUMBER, 0, LICTOR_NEED_PROCESS) \
	X(PROCESS_DELETED, LICTOR_KIND_NUMBER, 0, LICTOR_NEED_PROCESS) \
	X(PROCESS_SETUID, LICTOR_KIND_NUMBER, 0, LICTOR_NEED_PROCESS) \
	X(PROCESS_ELEVATED, LICTOR_KIND_NUMBER, 0, LICTOR_NEED_PROCESS) \
	X(NAMESPACE_PID, LICTOR_KIND_NUMBER, 0, LICTOR_NEED_PROCESS) \
	X(NAMESPACE_MNT, LICTOR_KIND_NUMBER, 0, LICTOR_NEED_PROCESS) \
	X(NAMESPACE_NET, LICTOR_KIND_NUMBER, 0, LICTOR_NEED_PROCESS) \
	X(NAMESPACE_USER, LICTOR_KIND_NUMBER, 0, LICTOR_NEED_PROCESS) \
	X(NAMESPACE_CGROUP, LICTOR_KIND_NUMBER, 0, LICTOR_NEED_PROCESS) \
	X(NAMESPACE_IPC, LICTOR_KIND_NUMBER, 0, LICTOR_NEED_PROCESS) \
	X(NAMESPACE_TIME, LICTOR_KIND_NUMBER, 0, LICTOR_NEED_PROCESS) \
	X(NAMESPACE_UTS, LICTOR_KIND_NUMBER, 0, LICTOR_NEED_PROCESS) \
	X(FILE_FLAGS, LICTOR_KIND_SET, 0, 0) \
	X(CAPABILITY_RAISED, LICTOR_KIND_SET, 0, 0) \
	X(NAMESPACE_TYPES, LICTOR_KIND_SET, 0, 0) \
	X(MOUNT_FLAGS, LICTOR_KIND_SET, 0, 0)

static const struct {
	uint8_t kind;
	uint8_t slot;
	uint32_t needs;
} access_of[LICTOR_FIELDS] = {
#define X(field, kind, slot, needs) [LICTOR_FIELD_##field] = { kind, slot, needs },
	FIELD_TABLE(X)
#undef X
};

static int compile_field(struct lictor_compiler *c, int event, int column,
			 const struct field_bits *bits, struct lictor_field_head *ret_head)
{
	int field = lictor_column_field(column);
	enum lictor_space space = lictor_field_words[field].space;
	struct lictor_field_head head = {
		.field = (uint16_t)field,
		.kind = access_of[field].kind,
		.slot = access_of[field].slot,
	};
	int r;

	if (field == LICTOR_FIELD_PROCESS_ENV)
		head.table = column == field ? 1 : (uint32_t)(column - LICTOR_FIELDS) + 2;
	/* A shorthand's rule may name what only some of its events have. */
	if (head.kind == LICTOR_KIND_STRING && !lictor_event_has_field(event, field))
		head.slot = LICTOR_STRINGS;
	if (head.kind == LICTOR_KIND_ANCESTOR) {
		head.outs = LICTOR_ATOMS_MAX - 1;
		r = atom_table(c, event, column, &head.hit);
	} else if (space != LICTOR_SPACE_NONE) {
		head.outs = c->space[space].outs;
		r = hit_table(c, event, column, head.outs, c->space[space].set, &head.hit);
	} else {
		head.outs = c->field[field].outs;
		head.table = c->field[field].table;
		head.table6 = c->field[field].table6;
		r = hit_table(c, event, column, head.outs, c->field[field].set, &head.hit);
	}
	if (r == 0)
		r = write_vector(c, &bits->flip, &head.flip);
	if (r == 0)
		r = write_vector(c, &bits->absent, &head.absent);
	if (r == 0)
		r = write_vector(c, &bits->unknown, &head.unknown);
	if (r == 0)
		r = write_vector(c, &bits->generous, &head.generous);
	*ret_head = head;
	return r;
}

struct ranked {
	int column;
	unsigned unmentioned;
};

static int compare_rank(const void *a, const void *b)
{
	const struct ranked *x = a, *y = b;

	return x->unmentioned < y->unmentioned ? -1 : x->unmentioned > y->unmentioned;
}

/* The event's fields, those first that leave the fewest clauses standing by themselves. */
static int rank_fields(struct lictor_compiler *c, int event, struct ranked *ret, size_t *ret_count)
{
	size_t count = 0;

	for (int f = 1; f < LICTOR_COLUMNS; f++) {
		struct field_bits bits;
		unsigned standing = 0;

		if (!(c->columns[event] >> f & 1))
			continue;
		if (count == LICTOR_EVENT_FIELDS_MAX) {
			for (size_t u = 0; u < c->units; u++)
				if (c->unit[u].column == f &&
				    clause_of(c, event, &c->unit[u]) != UINT32_MAX) {
					lictor_diag_error(
						c->diags, c->unit[u].predicate->place, NULL,
						"rule \"%s\": \"%s\" is one field too many: the "
						"rules of event \"%s\" may use %u",
						lictor_unit_rule(c, &c->unit[u])->name,
						lictor_field_words[lictor_column_field(f)].name,
						lictor_event_words[event].name,
						LICTOR_EVENT_FIELDS_MAX);
					break;
				}
			return -E2BIG;
		}
		field_bits(c, event, f, &bits);
		for (uint32_t w = 0; w < LICTOR_WORDS_MAX; w++)
			standing += (unsigned)__builtin_popcountll(bits.flip.word[w]);
		ret[count++] = (struct ranked){ f, standing };
	}
	/* Rules without predicates: a field that is always absent says which clauses there are. */
	if (!count)
		ret[count++] = (struct ranked){ LICTOR_FIELD_NONE, 0 };
	qsort(ret, count, sizeof(*ret), compare_rank);
	*ret_count = count;
	return 0;
}

static uint64_t words_between(uint32_t first, uint32_t end)
{
	uint64_t words = 0;

	for (uint32_t w = first / 64; w < (end + 63) / 64; w++)
		words |= 1ull << w;
	return words;
}

/* File events always know their paths: the record names what it is about. */
static uint32_t needs_of(int event)
{
	uint32_t needs = 0;

	if (lictor_event_has_field(event, LICTOR_FIELD_FILE_PATH) ||
	    lictor_event_has_field(event, LICTOR_FIELD_MODULE_PATH))
		needs |= LICTOR_NEED_PATH;
	if (lictor_event_has_field(event, LICTOR_FIELD_FILE_TARGET_PATH))
		needs |= LICTOR_NEED_TARGET;
	return needs;
}

/* Can only an object of certain paths be meant? */
static bool names_path(const struct lictor_block *block)
{
	for (size_t i = 0; i < block->predicates; i++)
		if (block->predicate[i].field == LICTOR_FIELD_FILE_PATH &&
		    !block->predicate[i].negated)
			return true;
	return false;
}

static int compile_event(struct lictor_compiler *c, int event)
{
	const struct lictor_clauses *k = &c->clauses[event];
	struct lictor_image *image = lictor_write_at(&c->writer, 0);
	uint32_t at = image->event[event], owner;
	struct lictor_event_head head = { .needs = needs_of(event) };
	struct ranked rank[LICTOR_EVENT_FIELDS_MAX + 1];
	size_t fields;
	int r = rank_fields(c, event, rank, &fields);

	if (r < 0)
		return r;
	for (size_t i = 0; i < fields; i++) {
		struct field_bits bits;

		field_bits(c, event, rank[i].column, &bits);
		r = compile_field(c, event, rank[i].column, &bits, &head.field[i]);
		if (r < 0)
			return r;
		head.needs |= access_of[lictor_column_field(rank[i].column)].needs;
	}
	owner = lictor_write_room(&c->writer, (k->count + 1) * sizeof(uint16_t), 2, true);
	if (!owner)
		return -ENOMEM;
	memcpy(lictor_write_at(&c->writer, owner), k->owner, k->count * sizeof(uint16_t));
	head.fields = (uint32_t)fields;
	head.owner = owner;
	head.match = words_between(0, k->rules);
	head.words = head.match | words_between(k->first_unless, k->count);
	for (uint32_t i = 0; i < k->rules; i++)
		head.pathless += !names_path(&c->rules->rule[c->out->rule[k->owner[i]]].match);
	for (uint32_t i = 0; i < k->rules; i++)
		head.closed |= denies(c, &c->rules->rule[c->out->rule[k->owner[i]]]);
	memcpy(lictor_write_at(&c->writer, at), &head, sizeof(head));
	return 0;
}

int lictor_compile_events_room(struct lictor_compiler *c)
{
	for (int e = 0; e < LICTOR_EVENTS; e++) {
		struct lictor_image *image;
		uint32_t at;

		if (!(c->out->events >> e & 1))
			continue;
		at = lictor_write_room(&c->writer, sizeof(struct lictor_event_head), 8, false);
		if (!at)
			return -ENOMEM;
		image = lictor_write_at(&c->writer, 0);
		image->event[e] = at;
	}
	return 0;
}

int lictor_compile_events(struct lictor_compiler *c)
{
	for (int e = 0; e < LICTOR_EVENTS; e++) {
		int r = c->out->events >> e & 1 ? compile_event(c, e) : 0;

		if (r < 0)
			return r;
	}
	return 0;
}
