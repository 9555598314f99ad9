/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The patterns of one space -> exact tables and automata in the image. Patterns fall into classes
 * that do not multiply each other: those that begin with text are read forwards, those that begin
 * with a star and end with text backwards (both die early on what they do not know), the rest is
 * searched for. A class that outgrows a page is divided; what cannot be is named.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "rules/host.h"
#include "rules/image.h"

#define EXACT_IN_AUTOMATON 256 /* up to so many, names ride along with the globs */

struct use {
	const char *text;
	uint32_t unit;
	bool derived;	/* a directory that its `/ **` also means: stays with its globs */
	const struct lictor_value *value;
};

struct pattern {
	const char *text;
	uint32_t set;
	const struct use *use;
	struct lictor_tokens tokens;
	bool reversed;
};

struct collection {
	struct lictor_arena *arena;
	struct use *use;
	size_t uses;
	size_t use_room;
	struct pattern *pattern;
	size_t patterns;
};

static int add_use(struct collection *k, const char *text, uint32_t unit,
		   const struct lictor_value *value, bool derived)
{
	if (k->uses == k->use_room) {
		size_t room = k->use_room ? k->use_room * 2 : 256;
		struct use *use = realloc(k->use, room * sizeof(*use));

		if (!use)
			return -ENOMEM;
		k->use = use;
		k->use_room = room;
	}
	k->use[k->uses++] = (struct use){ text, unit, derived, value };
	return 0;
}

/* Does what is in front of text[at] escape it? */
static bool escapes(const char *text, size_t at)
{
	size_t backslashes = 0;

	while (backslashes < at && text[at - 1 - backslashes] == '\\')
		backslashes++;
	return backslashes % 2;
}

/* A trailing `/ **` also means the directory itself. */
static int add_text(struct collection *k, const char *text, bool path, uint32_t unit,
		    const struct lictor_value *value)
{
	size_t length = strlen(text);
	int r = add_use(k, text, unit, value, false);
	char *itself;

	if (r < 0 || !path || length <= 3 || strcmp(text + length - 3, "/**") != 0)
		return r;
	length -= 3;
	if (escapes(text, length))
		length--;
	itself = lictor_arena_text(k->arena, text, length);
	return itself ? add_use(k, itself, unit, value, true) : -ENOMEM;
}

#define DIRECTORIES_MAX 6 /* of one pattern that may be none: each doubles what it stands for */

/* In a path, `/ ** /` also means no directory at all: /a/ ** /b is /a/b, too. */
static int add_directories(struct collection *k, const char *text, bool path, uint32_t unit,
			   const struct lictor_value *value, const char *from, unsigned depth)
{
	const char *at = path && depth < DIRECTORIES_MAX ? strstr(from, "/**/") : NULL;
	size_t before;
	char *without;
	int r;

	if (!at)
		return add_text(k, text, path, unit, value);
	before = (size_t)(at - text);
	without = lictor_arena_get(k->arena, strlen(text) + 1);
	if (!without)
		return -ENOMEM;
	memcpy(without, text, before);
	memcpy(without + before, at + 3, strlen(at + 3));
	r = add_directories(k, text, path, unit, value, at + 3, depth + 1);
	return r < 0 ? r :
		       add_directories(k, without, path, unit, value, without + before, depth + 1);
}

static int collect_value(struct collection *k, const struct lictor_value *value, bool path,
			 uint32_t unit)
{
	const char *const *text;
	size_t count;
	int r;

	if (!strchr(value->text, '{'))
		return add_directories(k, value->text, path, unit, value, value->text, 0);
	r = lictor_pattern_expand(value->text, k->arena, &count, &text);
	for (size_t i = 0; r == 0 && i < count; i++)
		r = add_directories(k, text[i], path, unit, value, text[i], 0);
	return r;
}

static int collect(struct lictor_compiler *c, enum lictor_space space, struct collection *k)
{
	for (uint32_t u = 0; u < c->units; u++) {
		const struct lictor_predicate *p = c->unit[u].predicate;
		const struct lictor_field_word *field = &lictor_field_words[p->field];

		if (field->space != space)
			continue;
		for (size_t i = 0; i < p->values; i++) {
			int r = collect_value(k, &p->value[i], field->type == LICTOR_TYPE_PATH, u);

			if (r < 0)
				return r;
		}
	}
	return 0;
}

static int compare_use(const void *a, const void *b)
{
	const struct use *x = a, *y = b;
	int order = strcmp(x->text, y->text);

	if (order)
		return order;
	return x->unit != y->unit ? (x->unit < y->unit ? -1 : 1) : (int)y->derived - (int)x->derived;
}

/* One pattern for each distinct text, with the set of units that use it. */
static int group(struct lictor_compiler *c, struct collection *k)
{
	uint32_t *member = malloc((k->uses + 1) * sizeof(*member));

	k->pattern = calloc(k->uses + 1, sizeof(*k->pattern));
	if (!member || !k->pattern) {
		free(member);
		return -ENOMEM;
	}
	if (k->uses)
		qsort(k->use, k->uses, sizeof(*k->use), compare_use);
	for (size_t i = 0, n; i < k->uses; i += n) {
		struct pattern *pattern = &k->pattern[k->patterns++];

		for (n = 0; i + n < k->uses && !strcmp(k->use[i].text, k->use[i + n].text); n++)
			member[n] = k->use[i + n].unit;
		pattern->text = k->use[i].text;
		pattern->use = &k->use[i];
		pattern->set = lictor_sets_add(c->sets, member, n);
		if (pattern->set == UINT32_MAX) {
			free(member);
			return -ENOMEM;
		}
	}
	free(member);
	return 0;
}

/* ---- exact names in great numbers ---- */

static uint64_t hash_of(uint64_t seed, const char *text, size_t length)
{
	uint64_t hash = seed;

	for (size_t i = 0; i < length; i++)
		hash = lictor_hash_byte(hash, (uint8_t)text[i]);
	return lictor_hash_end(hash);
}

static int write_text(struct lictor_compiler *c, const char *text, size_t length, uint32_t *ret_at)
{
	*ret_at = lictor_write_room(&c->writer, length ? length : 1, 1, false);
	if (!*ret_at)
		return -ENOMEM;
	memcpy(lictor_write_at(&c->writer, *ret_at), text, length);
	return 0;
}

/* Places all entries; false if one would be too many steps away. */
static bool fill_exact(struct lictor_exact *slot, uint32_t slots, const struct lictor_exact *entry,
		       size_t entries)
{
	memset(slot, 0, slots * sizeof(*slot));
	for (size_t i = 0; i < entries; i++) {
		uint32_t at = (uint32_t)(entry[i].tag >> 8) & (slots - 1), steps = 0;

		while (slot[at].tag && ++steps < LICTOR_PROBES_MAX)
			at = (at + 1) & (slots - 1);
		if (slot[at].tag)
			return false;
		slot[at] = entry[i];
	}
	return true;
}

static int write_exact(struct lictor_compiler *c, enum lictor_space space,
		       struct pattern *const *pattern, size_t patterns)
{
	struct lictor_exact *entry = calloc(patterns, sizeof(*entry)), *slot = NULL;
	struct lictor_image *image;
	uint32_t slots = 64, at;
	int r = entry ? 0 : -ENOMEM;

	for (size_t i = 0; r == 0 && i < patterns; i++) {
		char *text = malloc(strlen(pattern[i]->text) + 1);
		size_t length = 0;
		uint32_t out = lictor_outcome(c, pattern[i]->set);

		if (!text || out == UINT32_MAX) {
			free(text);
			r = -ENOMEM;
			break;
		}
		(void)lictor_tokens_literal(&pattern[i]->tokens, text, &length);
		entry[i].tag = hash_of(c->seed, text, length);
		entry[i].length = (uint16_t)length;
		entry[i].out = (uint16_t)out;
		r = write_text(c, text, length, &entry[i].text);
		free(text);
	}
	while (slots < patterns * 2)
		slots *= 2;
	for (; r == 0; slots *= 2) {
		free(slot);
		slot = calloc(slots, sizeof(*slot));
		if (!slot)
			r = -ENOMEM;
		else if (fill_exact(slot, slots, entry, patterns))
			break;
	}
	at = r == 0 ? lictor_write_room(&c->writer, slots * sizeof(*slot), sizeof(*slot), true) : 0;
	if (at) {
		memcpy(lictor_write_at(&c->writer, at), slot, slots * sizeof(*slot));
		image = lictor_write_at(&c->writer, 0);
		image->space[space].exact.off = at;
		image->space[space].exact.slots = slots;
	} else if (r == 0) {
		r = -ENOMEM;
	}
	free(entry);
	free(slot);
	return r;
}

/* ---- automata ---- */

static int write_automaton(struct lictor_compiler *c, enum lictor_space space,
			   const struct lictor_dfa *dfa, bool reversed)
{
	struct lictor_comb comb;
	struct lictor_image *image;
	struct lictor_automaton *head;
	uint32_t state, out, transition, at;
	size_t size;
	int r = lictor_comb_pack(dfa, &comb);

	if (r < 0)
		return r;
	state = (sizeof(*head) + 7) & ~7u;
	out = state + dfa->states * (uint32_t)sizeof(struct lictor_state);
	transition = (out + dfa->states * (uint32_t)sizeof(struct lictor_state_out) + 7) & ~7u;
	size = transition + (size_t)comb.cells * sizeof(struct lictor_transition);
	at = size <= LICTOR_PAGE_SIZE ? lictor_write_room(&c->writer, size, 8, false) : 0;
	if (!at) {
		lictor_comb_done(&comb);
		return size <= LICTOR_PAGE_SIZE ? -ENOMEM : -E2BIG;
	}
	head = lictor_write_at(&c->writer, at);
	*head = (struct lictor_automaton){
		.state = at + state,
		.out = at + out,
		.transition = at + transition,
		.states = dfa->states,
		.transitions = comb.cells,
		.first_emit = dfa->first_emit,
		.start = dfa->start,
		.reversed = reversed,
	};
	memcpy(head->class, dfa->class, sizeof(head->class));
	/* Arguments are joined by blanks where the kernel has a NUL. */
	if (space == LICTOR_SPACE_ARGS)
		head->class[0] = head->class[' '];
	for (uint32_t s = 0; s < dfa->states; s++) {
		struct lictor_state *to = lictor_write_at(&c->writer, at + state);
		struct lictor_state_out *outs = lictor_write_at(&c->writer, at + out);

		to[s] = (struct lictor_state){ comb.base[s], dfa->state[s].fallback };
		outs[s].emit = (uint16_t)lictor_outcome(c, dfa->state[s].emit);
		outs[s].accept = (uint16_t)lictor_outcome(c, dfa->state[s].accept);
	}
	for (uint32_t i = 0; i < comb.cells; i++) {
		struct lictor_transition *to = lictor_write_at(&c->writer, at + transition);

		to[i] = (struct lictor_transition){ comb.check[i], comb.next[i] };
	}
	lictor_comb_done(&comb);
	image = lictor_write_at(&c->writer, 0);
	image->space[space].automaton[image->space[space].automata++] = at;
	c->out->states += dfa->states;
	return 0;
}

static int too_big(struct lictor_compiler *c, const struct pattern *pattern, const char *why)
{
	lictor_diag_error(c->diags, pattern->use->value->place,
			  "fewer stars between texts, or fewer such patterns",
			  "rule \"%s\": pattern \"%s\" %s",
			  lictor_unit_rule(c, &c->unit[pattern->use->unit])->name, pattern->text, why);
	return -E2BIG;
}

static int build(struct lictor_compiler *c, enum lictor_space space,
		 struct pattern *const *pattern, size_t patterns, bool reversed)
{
	const struct lictor_image *image = lictor_write_at(&c->writer, 0);
	struct lictor_glob *glob;
	struct lictor_dfa dfa;
	int r;

	if (!patterns)
		return 0;
	if (image->space[space].automata == LICTOR_AUTOMATA_MAX)
		return too_big(c, pattern[0],
			       "does not fit: with the others it needs more automata than there are");
	glob = calloc(patterns, sizeof(*glob));
	if (!glob)
		return -ENOMEM;
	for (size_t i = 0; i < patterns; i++)
		glob[i] = (struct lictor_glob){ &pattern[i]->tokens, pattern[i]->set };
	r = lictor_dfa_build(glob, patterns, c->sets, LICTOR_PAGE_SIZE * 9 / 10, &dfa);
	free(glob);
	if (r == 0) {
		r = write_automaton(c, space, &dfa, reversed);
		lictor_dfa_done(&dfa);
	}
	if (r != -E2BIG)
		return r;
	if (patterns == 1)
		return too_big(c, pattern[0], "needs more states than an automaton may have");
	r = build(c, space, pattern, patterns / 2, reversed);
	return r < 0 ? r : build(c, space, pattern + patterns / 2, patterns - patterns / 2, reversed);
}

enum class { FORWARD, BACKWARD, SEARCH, EXACT, CLASSES };

static enum class class_of(const struct pattern *pattern)
{
	const struct lictor_tokens *tokens = &pattern->tokens;
	bool star = false;

	for (size_t i = 0; i < tokens->tokens; i++)
		star |= tokens->token[i].kind != LICTOR_TOKEN_SET || tokens->token[i].set;
	if (!star)
		return pattern->use->derived ? FORWARD : EXACT;
	if (tokens->token[0].kind == LICTOR_TOKEN_SET)
		return FORWARD;
	if (tokens->token[tokens->tokens - 1].kind == LICTOR_TOKEN_SET)
		return BACKWARD;
	return SEARCH;
}

/* Texts that are longer than a buffer are read once, piece by piece, and forwards. */
static bool comes_in_pieces(enum lictor_space space)
{
	return space == LICTOR_SPACE_ARGS || space == LICTOR_SPACE_ENV;
}

static int classify(struct collection *k, bool path, bool pieces, struct pattern **class[CLASSES],
		    size_t count[CLASSES])
{
	for (size_t i = 0; i < k->patterns; i++) {
		struct pattern *pattern = &k->pattern[i];
		enum class in;
		int r = lictor_tokens_read(pattern->text, path, &pattern->tokens);

		if (r < 0)
			return r;
		in = class_of(pattern);
		if (pieces && in == BACKWARD)
			in = SEARCH;
		if (in == BACKWARD)
			lictor_tokens_reverse(&pattern->tokens);
		class[in][count[in]++] = pattern;
	}
	if (pieces || count[EXACT] <= EXACT_IN_AUTOMATON) {
		for (size_t i = 0; i < count[EXACT]; i++)
			class[FORWARD][count[FORWARD]++] = class[EXACT][i];
		count[EXACT] = 0;
	}
	return 0;
}

/* For spaces that ancestors are classified in: the atoms of each outcome. */
static int write_atoms(struct lictor_compiler *c, enum lictor_space space)
{
	struct lictor_image *image;
	struct lictor_atoms *row;
	uint32_t at;

	if (!c->out->atoms || (space != LICTOR_SPACE_IMAGE && space != LICTOR_SPACE_NAME))
		return 0;
	at = lictor_write_room(&c->writer, (c->space[space].outs + 1) * sizeof(*row), sizeof(*row),
			       true);
	if (!at)
		return -ENOMEM;
	row = lictor_write_at(&c->writer, at);
	for (uint32_t o = 1; o <= c->space[space].outs; o++) {
		size_t members;
		const uint32_t *unit = lictor_sets_get(c->sets, c->space[space].set[o], &members);

		for (size_t i = 0; i < members; i++) {
			uint32_t atom = c->unit[unit[i]].atom;

			if (atom)
				row[o].bit[atom / 64] |= 1ull << (atom % 64);
		}
	}
	image = lictor_write_at(&c->writer, 0);
	image->space[space].atoms = at;
	return 0;
}

static int compile(struct lictor_compiler *c, enum lictor_space space, bool path,
		   struct collection *k, struct pattern **class[CLASSES])
{
	size_t count[CLASSES] = { 0 };
	struct lictor_image *image;
	int r = classify(k, path, comes_in_pieces(space), class, count);

	lictor_outcomes_begin(c);
	if (r == 0)
		r = build(c, space, class[FORWARD], count[FORWARD], false);
	if (r == 0)
		r = build(c, space, class[BACKWARD], count[BACKWARD], true);
	if (r == 0)
		r = build(c, space, class[SEARCH], count[SEARCH], false);
	if (r == 0 && count[EXACT])
		r = write_exact(c, space, class[EXACT], count[EXACT]);
	if (r == 0)
		r = lictor_outcomes_end(c, &c->space[space].outs, &c->space[space].set);
	if (r == 0 && c->space[space].outs > LICTOR_OUTS_MAX)
		r = too_big(c, &k->pattern[k->patterns - 1],
			    "is one too many: its field has more than 65,535 different outcomes");
	if (r < 0)
		return r;
	image = lictor_write_at(&c->writer, 0);
	image->space[space].outs = c->space[space].outs;
	return write_atoms(c, space);
}

static void collection_done(struct collection *k)
{
	for (size_t i = 0; i < k->patterns; i++)
		lictor_tokens_done(&k->pattern[i].tokens);
	free(k->pattern);
	free(k->use);
	lictor_arena_free(k->arena);
}

int lictor_compile_space(struct lictor_compiler *c, enum lictor_space space)
{
	__attribute__((cleanup(collection_done))) struct collection k = {
		.arena = lictor_arena_new(),
	};
	struct pattern **class[CLASSES] = { NULL };
	bool path = space == LICTOR_SPACE_OBJECT || space == LICTOR_SPACE_IMAGE;
	int r = k.arena ? collect(c, space, &k) : -ENOMEM;

	if (r == 0)
		r = group(c, &k);
	for (int i = 0; r == 0 && i < CLASSES; i++) {
		class[i] = calloc(k.patterns + 1, sizeof(**class));
		if (!class[i])
			r = -ENOMEM;
	}
	if (r == 0)
		r = compile(c, space, path, &k, class);
	for (int i = 0; i < CLASSES; i++)
		free(class[i]);
	return r;
}
