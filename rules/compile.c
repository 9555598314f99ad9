/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Compiling: checked rules and anchors -> an image (bpf/abi.h). Each predicate of each rule is a
 * unit; the classifier stages (strings.c, numbers.c) turn values into outcomes, sets of units; the
 * last stage (vectors.c) says for each event which clauses each outcome fulfils. Errors are limits,
 * each with the rule that exceeds it. Touches memory only.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "rules/host.h"
#include "rules/image.h"

uint32_t lictor_write_room(struct lictor_writer *writer, size_t size, size_t align, bool bulk)
{
	size_t at = (writer->used + align - 1) & ~(align - 1), end;

	if (!bulk && at / LICTOR_PAGE_SIZE != (at + size - 1) / LICTOR_PAGE_SIZE)
		at = (at / LICTOR_PAGE_SIZE + 1) * LICTOR_PAGE_SIZE;
	end = at + size;
	if (end > writer->room) {
		size_t room = writer->room ? writer->room : LICTOR_PAGE_SIZE;
		unsigned char *byte;

		while (room < end)
			room *= 2;
		if (room > UINT32_MAX)
			return 0;
		byte = realloc(writer->byte, room);
		if (!byte)
			return 0;
		memset(byte + writer->room, 0, room - writer->room);
		writer->byte = byte;
		writer->room = room;
	}
	writer->used = end;
	return (uint32_t)at;
}

void *lictor_write_at(struct lictor_writer *writer, uint32_t offset)
{
	return writer->byte + offset;
}

void lictor_outcomes_begin(struct lictor_compiler *c)
{
	if (c->outcome_room)
		memset(c->outcome, 0, c->outcome_room * sizeof(*c->outcome));
	c->outcomes = 0;
}

/* c->outcome grows with the sets, which grow while tables are built. */
static int outcome_room(struct lictor_compiler *c, size_t *room)
{
	size_t wanted = lictor_sets_count(c->sets);
	uint32_t *new;

	if (wanted <= *room)
		return 0;
	new = realloc(c->outcome, wanted * 2 * sizeof(*new));
	if (!new)
		return -ENOMEM;
	memset(new + *room, 0, (wanted * 2 - *room) * sizeof(*new));
	c->outcome = new;
	*room = wanted * 2;
	return 0;
}

uint32_t lictor_outcome(struct lictor_compiler *c, uint32_t set)
{
	if (set == 0)
		return 0;
	if (outcome_room(c, &c->outcome_room) < 0)
		return UINT32_MAX;
	if (!c->outcome[set])
		c->outcome[set] = (uint32_t)++c->outcomes;
	return c->outcome[set];
}

int lictor_outcomes_end(struct lictor_compiler *c, uint32_t *ret_outs, uint32_t **ret_set)
{
	uint32_t *set;

	if (outcome_room(c, &c->outcome_room) < 0)
		return -ENOMEM;
	set = calloc(c->outcomes + 1, sizeof(*set));
	if (!set)
		return -ENOMEM;
	for (uint32_t i = 1; i < lictor_sets_count(c->sets); i++)
		if (c->outcome[i])
			set[c->outcome[i]] = i;
	*ret_outs = (uint32_t)c->outcomes;
	*ret_set = set;
	return 0;
}

/* ---- rules and their clauses ---- */

static int pick_rules(struct lictor_compiler *c)
{
	struct lictor_compiled *out = c->out;

	out->rule = calloc(c->rules->rules + 1, sizeof(*out->rule));
	if (!out->rule)
		return -ENOMEM;
	for (size_t i = 0; i < c->rules->rules; i++) {
		const struct lictor_rule *rule = &c->rules->rule[i];

		if (!rule->enabled || !rule->events)
			continue;
		if (out->rules == LICTOR_RULES_MAX) {
			lictor_diag_error(c->diags, rule->place, NULL,
					  "rule \"%s\" is one too many: the limit is %u enabled rules",
					  rule->name, LICTOR_RULES_MAX);
			return -E2BIG;
		}
		out->rule[out->rules++] = (uint32_t)i;
		out->events |= rule->events;
	}
	return 0;
}

/* -E2BIG, and a complaint, for one variable too many. */
static int column_of(struct lictor_compiler *c, uint32_t rule,
		     const struct lictor_predicate *predicate)
{
	size_t i = 0;

	if (!predicate->variable)
		return predicate->field;
	while (i < c->variables && strcmp(c->variable[i], predicate->variable))
		i++;
	if (i == LICTOR_VARIABLES_MAX) {
		lictor_diag_error(c->diags, predicate->place, NULL,
				  "rule \"%s\": \"process.env.%s\" is one variable too many: all "
				  "rules together may name %u",
				  c->rules->rule[c->out->rule[rule]].name, predicate->variable,
				  LICTOR_VARIABLES_MAX);
		return -E2BIG;
	}
	c->variable[i] = predicate->variable;
	c->variables += i == c->variables;
	return i ? LICTOR_FIELDS + (int)i - 1 : LICTOR_FIELD_PROCESS_ENV;
}

static int add_units(struct lictor_compiler *c, uint32_t rule, uint32_t block,
		     const struct lictor_block *from, size_t *room)
{
	for (size_t i = 0; i < from->predicates; i++) {
		int column = column_of(c, rule, &from->predicate[i]);

		if (column < 0)
			return column;
		if (c->units == *room) {
			size_t more = *room ? *room * 2 : 256;
			struct lictor_unit *unit = realloc(c->unit, more * sizeof(*unit));

			if (!unit)
				return -ENOMEM;
			c->unit = unit;
			*room = more;
		}
		c->unit[c->units++] = (struct lictor_unit){
			.predicate = &from->predicate[i], .column = column, .rule = rule,
			.block = block,
		};
	}
	return 0;
}

/* Fields that a unix socket has no value for: a rule that asks for one is not about it. */
static bool means_unix(const struct lictor_rule *rule)
{
	for (size_t i = 0; i < rule->match.predicates; i++) {
		const struct lictor_predicate *p = &rule->match.predicate[i];

		if (!p->negated && (p->field == LICTOR_FIELD_DESTINATION_IP ||
				    p->field == LICTOR_FIELD_DESTINATION_PORT ||
				    p->field == LICTOR_FIELD_SOURCE_IP ||
				    p->field == LICTOR_FIELD_SOURCE_PORT ||
				    p->field == LICTOR_FIELD_NETWORK_TYPE))
			return false;
	}
	return rule->events >> LICTOR_EVENT_CONNECT & 1;
}

/* Who connects is known only when a connection has been accepted. */
static bool judges_peer(const struct lictor_rule *rule)
{
	return rule->events >> LICTOR_EVENT_ACCEPT & 1 && lictor_rule_asks_for_peer(rule);
}

static int make_units(struct lictor_compiler *c)
{
	size_t room = 0;

	for (uint32_t i = 0; i < c->out->rules; i++) {
		const struct lictor_rule *rule = &c->rules->rule[c->out->rule[i]];
		int r = add_units(c, i, 0, &rule->match, &room);

		c->out->unix_connect |= means_unix(rule);
		c->out->peers |= judges_peer(rule);
		for (uint32_t u = 0; r == 0 && u < rule->unlesses; u++)
			r = add_units(c, i, u + 1, &rule->unless[u], &room);
		if (r < 0)
			return r;
	}
	for (size_t i = 0; i < c->units; i++) {
		const struct lictor_rule *rule = lictor_unit_rule(c, &c->unit[i]);

		for (int e = 0; e < LICTOR_EVENTS; e++)
			if (rule->events >> e & 1) {
				c->out->fields[e] |=
					LICTOR_FIELD_BIT(c->unit[i].predicate->field);
				c->columns[e] |= (unsigned __int128)1 << c->unit[i].column;
			}
	}
	return 0;
}

static int make_clauses(struct lictor_compiler *c, int event)
{
	struct lictor_clauses *k = &c->clauses[event];

	k->match = malloc((c->out->rules + 1) * sizeof(*k->match));
	k->unless = malloc((c->out->rules + 1) * sizeof(*k->unless));
	k->owner = calloc(LICTOR_CLAUSES_MAX, sizeof(*k->owner));
	if (!k->match || !k->unless || !k->owner)
		return -ENOMEM;
	for (uint32_t i = 0; i < c->out->rules; i++)
		if (c->rules->rule[c->out->rule[i]].events >> event & 1)
			k->rules++;
	k->first_unless = (k->rules + 63) / 64 * 64;
	k->count = k->first_unless;
	k->rules = 0;
	for (uint32_t i = 0; i < c->out->rules; i++) {
		const struct lictor_rule *rule = &c->rules->rule[c->out->rule[i]];

		k->match[i] = UINT32_MAX;
		if (!(rule->events >> event & 1))
			continue;
		if (k->rules >= LICTOR_CLAUSES_MAX ||
		    (rule->unlesses && k->count + rule->unlesses > LICTOR_CLAUSES_MAX)) {
			lictor_diag_error(c->diags, rule->place, NULL,
					  "rule \"%s\" is too much for event \"%s\": the limit is %u "
					  "clauses (one for each rule, one for each of its `unless`)",
					  rule->name, lictor_event_words[event].name,
					  LICTOR_CLAUSES_MAX);
			return -E2BIG;
		}
		k->match[i] = k->rules;
		k->unless[i] = k->count;
		for (size_t u = 0; u < rule->unlesses; u++)
			k->owner[k->count++] = (uint16_t)k->rules;
		k->owner[k->rules++] = (uint16_t)i;
	}
	c->out->clauses += k->rules + k->count - k->first_unless;
	return 0;
}

/* ---- atoms: predicates on ancestors, numbered for good ---- */

static char *atom_key(const struct lictor_predicate *p)
{
	size_t length = 1;
	char *key, *to;

	for (size_t i = 0; i < p->values; i++)
		length += strlen(p->value[i].text) + 1;
	to = key = malloc(length);
	for (size_t i = 0; key && i < p->values; i++) {
		to = stpcpy(to, p->value[i].text);
		*to++ = '\n';
	}
	if (key)
		*to = '\0';
	return key;
}

static const struct lictor_atom *find_atom(const struct lictor_compiled *in, int field,
					   const char *key)
{
	for (size_t i = 0; in && i < in->atoms; i++)
		if (in->atom[i].field == field && !strcmp(in->atom[i].key, key))
			return &in->atom[i];
	return NULL;
}

/* A number that neither this generation nor the one before has given away. */
static uint32_t free_atom(const struct lictor_compiler *c, int field)
{
	for (uint32_t n = 1; n < LICTOR_ATOMS_MAX; n++) {
		bool taken = false;

		for (size_t i = 0; i < c->out->atoms; i++)
			taken |= c->out->atom[i].field == field && c->out->atom[i].number == n;
		for (size_t i = 0; c->previous && i < c->previous->atoms; i++)
			taken |= c->previous->atom[i].field == field &&
				 c->previous->atom[i].number == n;
		if (!taken)
			return n;
	}
	return 0;
}

static int give_atom(struct lictor_compiler *c, struct lictor_unit *unit)
{
	struct lictor_compiled *out = c->out;
	int field = unit->predicate->field;
	char *key = atom_key(unit->predicate);
	const struct lictor_atom *known = key ? find_atom(out, field, key) : NULL;
	struct lictor_atom *atom;
	uint32_t number;

	if (!key)
		return -ENOMEM;
	if (known) {
		unit->atom = known->number;
		free(key);
		return 0;
	}
	known = find_atom(c->previous, field, key);
	number = known ? known->number : free_atom(c, field);
	atom = realloc(out->atom, (out->atoms + 1) * sizeof(*atom));
	if (!atom || !number) {
		if (atom)
			out->atom = atom;
		free(key);
		if (!atom)
			return -ENOMEM;
		lictor_diag_error(c->diags, unit->predicate->place,
				  "the rules of the generation in force count too; use a list",
				  "rule \"%s\": the limit is %u different predicates on \"%s\"",
				  lictor_unit_rule(c, unit)->name, LICTOR_ATOMS_MAX - 1,
				  lictor_field_words[field].name);
		return -E2BIG;
	}
	out->atom = atom;
	atom[out->atoms++] = (struct lictor_atom){ .key = key, .number = number, .field = field };
	unit->atom = number;
	return 0;
}

static int make_atoms(struct lictor_compiler *c)
{
	for (size_t i = 0; i < c->units; i++) {
		int field = c->unit[i].predicate->field;

		if (field == LICTOR_FIELD_ANCESTOR_EXECUTABLE ||
		    field == LICTOR_FIELD_ANCESTOR_NAME) {
			int r = give_atom(c, &c->unit[i]);

			if (r < 0)
				return r;
		}
	}
	return 0;
}

static void carry_atoms(struct lictor_compiler *c)
{
	struct lictor_image *image = lictor_write_at(&c->writer, 0);

	for (size_t i = 0; i < c->out->atoms; i++) {
		const struct lictor_atom *atom = &c->out->atom[i];
		int which = atom->field == LICTOR_FIELD_ANCESTOR_NAME;

		if (find_atom(c->previous, atom->field, atom->key))
			image->carried[which].bit[atom->number / 64] |= 1ull << (atom->number % 64);
	}
}

/* ---- the stages in order ---- */

static int compile_values(struct lictor_compiler *c)
{
	lictor_field_set used = 0;
	int r = 0;

	for (int e = 0; e < LICTOR_EVENTS; e++)
		used |= c->out->fields[e];
	for (int space = 1; r == 0 && space < LICTOR_SPACES; space++) {
		bool wanted = false;

		for (int f = 1; f < LICTOR_FIELDS; f++)
			wanted |= (used >> f & 1) && lictor_field_words[f].space == (enum lictor_space)space;
		if (wanted)
			r = lictor_compile_space(c, (enum lictor_space)space);
	}
	for (int f = 1; r == 0 && f < LICTOR_FIELDS; f++) {
		if (!(used >> f & 1) || lictor_field_words[f].space != LICTOR_SPACE_NONE)
			continue;
		if (lictor_field_words[f].type == LICTOR_TYPE_ADDRESS)
			r = lictor_compile_addresses(c, f);
		else
			r = lictor_compile_numbers(c, f);
	}
	return r;
}

/* Fields that a file has when it is opened and not when it is about to be created, or with other
   values: a rule that asks for one is judged at both. */
static bool same_at_create(const struct lictor_block *block)
{
	for (size_t i = 0; i < block->predicates; i++)
		switch (block->predicate[i].field) {
		case LICTOR_FIELD_FILE_FLAGS:
		case LICTOR_FIELD_FILE_LINKS:
		case LICTOR_FIELD_FILE_MODE:
		case LICTOR_FIELD_FILE_SETUID:
		case LICTOR_FIELD_FILE_OWNER:
		case LICTOR_FIELD_FILE_FOREIGN:
		case LICTOR_FIELD_FILE_DELETED:
		case LICTOR_FIELD_FILE_MEMFD:
		case LICTOR_FIELD_FILE_OVERLAY_UPPER:
			return false;
		default:
			break;
		}
	return true;
}

static bool judged_at_create(const struct lictor_rule *rule)
{
	bool same = rule->events >> LICTOR_EVENT_CREATE & 1 && same_at_create(&rule->match);

	for (size_t i = 0; i < rule->unlesses; i++)
		same &= same_at_create(&rule->unless[i]);
	return same;
}

/* By which the kernel side knows that one stands twice in an environment. */
static void write_variables(struct lictor_compiler *c)
{
	struct lictor_image *image = lictor_write_at(&c->writer, 0);

	for (size_t i = 0; i < c->variables; i++) {
		uint64_t hash = c->seed;

		for (const char *at = c->variable[i]; *at; at++)
			hash = lictor_hash_byte(hash, (uint8_t)*at);
		image->variable[i] = lictor_hash_end(hash);
	}
}

static int write_rules(struct lictor_compiler *c)
{
	uint32_t at = lictor_write_room(&c->writer,
					(c->out->rules + 1) * sizeof(struct lictor_rule_entry), 16,
					false);
	struct lictor_rule_entry *entry;
	struct lictor_image *image;

	if (!at)
		return -ENOMEM;
	image = lictor_write_at(&c->writer, 0);
	image->rules = (uint32_t)c->out->rules;
	image->rule_off = at;
	entry = lictor_write_at(&c->writer, at);
	for (size_t i = 0; i < c->out->rules; i++) {
		const struct lictor_rule *rule = &c->rules->rule[c->out->rule[i]];
		bool monitor = rule->mode == LICTOR_MODE_MONITOR ||
			       (rule->mode == LICTOR_MODE_DEFAULT && c->monitor);

		if (lictor_rule_asks_for_start(rule))
			image->starts |= rule->events >> LICTOR_EVENT_EXEC & 1 ?
						 LICTOR_STARTS_EXEC | LICTOR_STARTS_ASKED :
						 LICTOR_STARTS_ASKED;
		entry[i] = (struct lictor_rule_entry){
			.action = (uint8_t)rule->action,
			.signal = (uint8_t)rule->signal,
			.flags = (uint8_t)((monitor ? LICTOR_RULE_MONITOR : 0) |
					   (judged_at_create(rule) ? LICTOR_RULE_CREATES : 0) |
					   (judges_peer(rule) ? LICTOR_RULE_PEER : 0) |
					   (lictor_rule_asks_for_start(rule) ? LICTOR_RULE_START : 0) |
					   (lictor_rule_asks_for_verity(rule) ? LICTOR_RULE_VERITY : 0)),
			.severity = (uint8_t)rule->severity,
			.limit_count = rule->limit_count,
			.limit_period_ns = rule->limit_period * 1000000000ull,
		};
	}
	return 0;
}

static int compile_all(struct lictor_compiler *c, size_t anchors,
		       const struct lictor_anchor_found *anchor, uint64_t generation)
{
	struct lictor_image *image;
	int r = pick_rules(c);

	if (r == 0)
		r = make_units(c);
	if (r == 0)
		r = make_atoms(c);
	for (int e = 0; r == 0 && e < LICTOR_EVENTS; e++)
		if (c->out->events >> e & 1)
			r = make_clauses(c, e);
	if (r < 0)
		return r;
	(void)lictor_write_room(&c->writer, sizeof(*image), 8, false);
	if (!c->writer.byte)
		return -ENOMEM;
	image = lictor_write_at(&c->writer, 0);
	image->magic = LICTOR_IMAGE_MAGIC;
	image->version = LICTOR_ABI_VERSION;
	image->generation = (uint32_t)generation;
	image->seed = c->seed;
	carry_atoms(c);
	write_variables(c);
	r = lictor_compile_events_room(c);
	if (r == 0)
		r = write_rules(c);
	if (r == 0)
		r = lictor_compile_anchors(c, anchors, anchor);
	if (r == 0)
		r = compile_values(c);
	if (r == 0)
		r = lictor_compile_events(c);
	return r;
}

static void compiler_done(struct lictor_compiler *c)
{
	for (int e = 0; e < LICTOR_EVENTS; e++) {
		free(c->clauses[e].match);
		free(c->clauses[e].unless);
		free(c->clauses[e].owner);
	}
	for (int f = 0; f < LICTOR_FIELDS; f++)
		free(c->field[f].set);
	for (int s = 0; s < LICTOR_SPACES; s++)
		free(c->space[s].set);
	lictor_sets_free(c->sets);
	free(c->unit);
	free(c->outcome);
	free(c->vector_slot);
	free(c->writer.byte);
}

int lictor_compile(const struct lictor_rules *rules, size_t anchors,
		   const struct lictor_anchor_found *anchor, bool monitor, uint64_t generation,
		   uint64_t seed, const struct lictor_compiled *previous,
		   struct lictor_diags *diags, struct lictor_compiled **ret_compiled)
{
	__attribute__((cleanup(compiler_done))) struct lictor_compiler c = {
		.rules = rules,
		.previous = previous,
		.diags = diags,
		.seed = seed,
		.monitor = monitor,
		.sets = lictor_sets_new(),
		.out = calloc(1, sizeof(struct lictor_compiled)),
	};
	unsigned char *image;
	int r;

	if (!c.sets || !c.out) {
		free(c.out);
		return -ENOMEM;
	}
	r = compile_all(&c, anchors, anchor, generation);
	if (r < 0) {
		lictor_compiled_free(c.out);
		return r;
	}
	c.out->pages = (uint32_t)((c.writer.used + LICTOR_PAGE_SIZE - 1) / LICTOR_PAGE_SIZE);
	image = realloc(c.writer.byte, (size_t)c.out->pages * LICTOR_PAGE_SIZE);
	if (!image) {
		lictor_compiled_free(c.out);
		return -ENOMEM;
	}
	c.writer.byte = NULL;
	c.out->image = image;
	((struct lictor_image *)(void *)image)->pages = c.out->pages;
	*ret_compiled = c.out;
	return 0;
}

void lictor_compiled_free(struct lictor_compiled *compiled)
{
	if (!compiled)
		return;
	for (size_t i = 0; i < compiled->atoms; i++)
		free(compiled->atom[i].key);
	free(compiled->atom);
	free(compiled->rule);
	free(compiled->image);
	free(compiled);
}
