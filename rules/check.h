/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of the check stage share: trees come in, checked rules go out. Every function
 * here complains about what is wrong by itself and goes on with what it can, so that one run finds
 * all mistakes. Not for other rooms.
 */
#ifndef LICTOR_RULES_CHECK_H
#define LICTOR_RULES_CHECK_H

#include "rules/tree.h"

#define VALUES_MAX	2000000u	/* of all rules, lists inserted */
#define VISITS_MAX	30000000u	/* nodes, lists inserted, on the way to all values */
#define EXPANSIONS_MAX	200000u		/* patterns that all braces stand for */
#define LIST_DEPTH_MAX	16u
#define LOOKUPS_MAX	1024u		/* users and groups asked for by name */

/* The host's users and groups; tests put their own here. 0, -ENOENT or another -errno. */
extern int (*lictor_user_lookup)(const char *name, uint32_t *ret_number);
extern int (*lictor_group_lookup)(const char *name, uint32_t *ret_number);

/* A list's values as one sort of field reads them: made once, shared by all predicates. */
struct list_values {
	struct list_values *next;
	unsigned sort;
	size_t count;
	const struct lictor_value *value;
};

struct list {
	const struct node *key;
	const struct node *value;
	size_t count; /* values, the lists in it inserted */
	unsigned depth; /* lists below it, the longest way */
	unsigned level; /* how it was come to when it was counted */
	bool entered;
	bool done;
	bool used;
	struct list_values *values;
};

/* A predicate whose values are still to be read. */
struct pending {
	struct lictor_predicate *predicate;
	const struct node *value;
	size_t count; /* at most */
};

struct known_name {
	const char *name;
	int error; /* of the look-up */
	uint32_t number;
};

struct names {
	struct known_name *name;
	size_t names;
	struct index index;
};

struct scope { /* the events that a block is about */
	uint64_t events;
	uint64_t named;	  /* those named one by one, not by a shorthand */
	const char *word; /* the only word of `on`, or NULL */
};

struct check {
	struct lictor_diags *diags;
	struct lictor_arena *arena;   /* of the rules */
	struct lictor_arena *scratch; /* freed with the check */
	const struct tree *tree;
	size_t trees;
	bool whole; /* every file could be parsed: what is unknown is not just in another */
	struct list *list;
	size_t lists;
	bool lists_broken; /* they cannot be inserted */
	struct index list_index;
	struct lictor_rules *rules;
	struct scope *scope; /* the `on` of each rule */
	struct index rule_index;
	struct pending *pending;
	size_t pendings;
	size_t pending_room;
	size_t values;
	size_t expansions;
	size_t visits;
	bool too_many;		     /* already said */
	struct names users;
	struct names groups;
	const struct list *list_used; /* whose values are being read, for the messages */
	const struct lictor_predicate *used_by;
	size_t lint_steps;	     /* that are left */
	int error;		     /* -ENOMEM, if ever */
};

/* Memory of the rules, or NULL and check->error is set. */
void *check_get(struct check *check, size_t size);
void *check_scratch(struct check *check, size_t size);

#define check_error(check, node, hint, ...)                                                        \
	lictor_diag_error((check)->diags, node_place(node), hint, __VA_ARGS__)

/* Reads all trees into check->rules. 0, -EINVAL or -ENOMEM. */
int check_trees(struct check *check);
void check_done(struct check *check);

/* The value of a top-level key, if it is of that kind. */
const struct node *check_section(const struct tree *tree, const char *name, enum node_kind kind);

/* ---- small things that many keys are made of ---- */

/* The text of a node that has to be one value, else a complaint that names the key, and NULL. */
const char *check_scalar(struct check *check, const char *key, const struct node *value);
/* The index of the node's word, or a complaint that names the key, and -1. */
int check_word(struct check *check, const char *key, const struct node *value,
	       const char *const *words, size_t count);
/* A number of decimal digits without leading zeros: true and *ret_end is what follows it. */
bool number_read(const char *text, const char **ret_end, uint32_t *ret_number);

/* ---- lists.c ---- */

void lists_collect(struct check *check);
/* Values of a node, lists inserted; complains about what cannot stand in a list of values. */
size_t lists_count(struct check *check, const struct node *value);
/* The list that a scalar such as $name inserts, NULL if there is none. */
const struct list *lists_peek(const struct check *check, const struct node *insert);
static inline bool is_insert(const struct node *node)
{
	return node->kind == NODE_SCALAR && node->text[0] == '$';
}

/* ---- value.c, word.c, address.c, names.c ---- */

/* Values of fields of the same sort are written in the same way. */
unsigned value_sort(int field);
int value_check(struct check *check, int field, const struct node *node,
		struct lictor_value *ret_value);
int value_error(struct check *check, struct lictor_place place, const char *hint,
		const char *format, ...) __attribute__((format(printf, 4, 5)));
int address_check(struct check *check, const struct node *node, struct lictor_value *ret_value);
int name_check(struct check *check, bool group, const struct node *node,
	       struct lictor_value *ret_value);
void names_done(struct names *names);
int word_check(struct check *check, int field, const struct node *node,
	       struct lictor_value *ret_value);
/* Which of the field's names may be meant by a text that is none. */
const char *word_hint(int field, const char *text, char *buffer, size_t size);

/* ---- block.c ---- */

void block_check(struct check *check, const struct scope *scope, const struct node *node,
		 struct lictor_block *ret_block);
/* The blocks of an `unless`, behind those that there are. */
void blocks_check(struct check *check, const struct scope *scope, const struct node *node,
		  size_t *blocks, const struct lictor_block **block);
/* The field that a word names and that the events have, or a complaint and -1. */
int field_check(struct check *check, const struct scope *scope, const char *word,
		struct lictor_place place);
/* Reads the values of all blocks seen. */
void block_values(struct check *check);

/* ---- rule.c, keys.c, override.c ---- */

enum rule_key {
	KEY_NAME, KEY_DESCRIPTION, KEY_ON, KEY_MATCH, KEY_UNLESS, KEY_ACTION, KEY_MODE,
	KEY_SEVERITY, KEY_LIMIT, KEY_MESSAGE, KEY_TAGS, KEY_ENABLED, KEY_ON_FAILURE, KEY_ON_UNSUPPORTED, KEY_RULE,
	RULE_KEYS
};

extern const char *const rule_key_names[RULE_KEYS];

/* Sorts the pairs of a mapping by key; allowed: bit per key. what: "a rule", "an override". */
void keys_sort(struct check *check, const struct node *mapping, unsigned allowed, const char *what,
	       const struct node *ret_value[static RULE_KEYS]);
/* The keys that a rule and an override have in common, by what they set. */
void key_action(struct check *check, const struct node *value, struct lictor_rule *rule);
void key_mode(struct check *check, const struct node *value, struct lictor_rule *rule);
void key_severity(struct check *check, const struct node *value, struct lictor_rule *rule);
void key_limit(struct check *check, const struct node *value, struct lictor_rule *rule);
void key_tags(struct check *check, const struct node *value, struct lictor_rule *rule);
void key_enabled(struct check *check, const struct node *value, struct lictor_rule *rule);
void key_on_failure(struct check *check, const struct node *value, struct lictor_rule *rule);
void key_on_unsupported(struct check *check, const struct node *value, struct lictor_rule *rule);
void key_message(struct check *check, const struct scope *scope, const struct node *value,
		 struct lictor_rule *rule);

void rules_collect(struct check *check);
void overrides_apply(struct check *check);
/* What the action cannot do on the rule's events: an error or a warning at place. */
void action_check_events(struct check *check, const struct lictor_rule *rule,
			 struct lictor_place place);

/* ---- lint.c: warnings about rules without errors ---- */

void lint_rules(struct check *check);
void lint_lists(struct check *check);

/* ---- possible.c: which values an event can have together ---- */

enum possible_sort {
	POSSIBLE_TRANSPORT, POSSIBLE_TYPE, POSSIBLE_MOUNT, POSSIBLE_MODULE, POSSIBLE_BPF,
	POSSIBLE_CAPABILITY, POSSIBLE_CLOCK, POSSIBLE_NAMESPACE, POSSIBLE_MAPPED, POSSIBLE_NAME,
	POSSIBLE_SORTS
};

struct possible { /* a bit for each value that is left; 63: none */
	uint64_t events;
	uint64_t value[POSSIBLE_SORTS];
};

/* What there can be before anything is asked of the events. */
void possible_begin(uint64_t events, struct possible *ret);
/* Leaves what fits the block; the predicate after which nothing is left, or NULL. */
const struct lictor_predicate *possible_narrow(const struct lictor_block *block,
					       struct possible *possible);

/* What cannot be denied of an event that mostly can: these values of the field. */
struct undeniable {
	int event;
	int field;	/* none: what asks for the peer */
	uint64_t values;
	const char *text;
};

/* NULL where everything or nothing of the event can be denied. */
const struct undeniable *undeniable_of(int event);
/* The same, NULL also where the rule is not about such a case. */
const struct undeniable *undeniable_by(const struct lictor_rule *rule, int event);

/* ---- relate.c: how the values of two predicates on one field lie to each other ---- */

/*
 * steps is what comparing may still cost: the lints of a rule set are bounded, and what is too
 * large to be compared is taken to be unrelated, so that no warning is ever wrong for it.
 */
/* The same field, or its name and its number. */
bool relate_same_field(const struct lictor_predicate *a, const struct lictor_predicate *b);
/* Whether no event fulfils both. */
bool relate_conflict(const struct lictor_predicate *a, const struct lictor_predicate *b,
		     size_t *steps);
/* Whether every event that fulfils a fulfils b. */
bool relate_implies(const struct lictor_predicate *a, const struct lictor_predicate *b,
		    size_t *steps);
/* Whether the blocks of both are the same but for order. */
bool relate_same_rule(const struct lictor_rule *a, const struct lictor_rule *b, size_t *steps);
/* A number that is the same for rules that are the same in this sense. */
uint64_t relate_hash(const struct lictor_rule *rule);

#endif
