/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rule language: text in, checked rules out, and from those the image that the kernel matches
 * with. This and sha256.h are the headers of this room that others include. Nothing here logs or
 * touches anything but the files it is given; what is wrong comes back as diagnostics.
 *
 *	parse    YAML -> struct lictor_rules, positions kept
 *	check    names, types and values against the vocabulary; lists inserted, overrides applied
 *	compile  struct lictor_rules + anchors -> struct lictor_image (bpf/abi.h)
 *	print    struct lictor_rules -> YAML that parses to the same rules
 *	explain  one event given as text against the rules, predicate by predicate
 */
#ifndef LICTOR_RULES_H
#define LICTOR_RULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "bpf/abi.h"
#include "rules/sha256.h"

/* ---- memory: everything that a rule set points to lives and dies with its arena ---- */

struct lictor_arena;
struct lictor_arena *lictor_arena_new(void);
void lictor_arena_free(struct lictor_arena *arena);
/* Zeroed memory aligned for any type; NULL when there is none left. */
void *lictor_arena_get(struct lictor_arena *arena, size_t size);
char *lictor_arena_text(struct lictor_arena *arena, const char *bytes, size_t length);

/* ---- diagnostics ---- */

/* A place in a rule file: file is an index into lictor_diags.source; line and column from 1, the
   column in characters; width is that of the mark under it. line 0: the file as a whole. */
struct lictor_place {
	uint32_t file;
	uint32_t line;
	uint32_t column;
	uint32_t width;
};

enum lictor_diag_kind { LICTOR_DIAG_ERROR, LICTOR_DIAG_WARNING };

struct lictor_diag {
	enum lictor_diag_kind kind;
	struct lictor_place place;
	char *text;	/* without position or full stop */
	char *hint;	/* or NULL */
};

struct lictor_source {
	char *name;	/* as given by the caller */
	char *text;	/* the file's bytes, kept to quote from */
	size_t length;
};

#define LICTOR_DIAGS_SHOWN 20

struct lictor_diags {
	size_t sources;
	struct lictor_source *source;
	size_t count;		/* kept: at most LICTOR_DIAGS_SHOWN errors and as many warnings */
	struct lictor_diag *diag;
	size_t errors;		/* all, kept or not */
	size_t warnings;
};

struct lictor_diags *lictor_diags_new(void);
void lictor_diags_free(struct lictor_diags *diags);
/* Both take printf's arguments. hint may be NULL; the hint is text, not a format. */
void lictor_diag_error(struct lictor_diags *diags, struct lictor_place place, const char *hint,
		       const char *format, ...) __attribute__((format(printf, 4, 5)));
void lictor_diag_warning(struct lictor_diags *diags, struct lictor_place place, const char *hint,
			 const char *format, ...) __attribute__((format(printf, 4, 5)));
/* Sorted by place; `file:line:col: error: text`, the source line, a caret, the hint. Control
   characters of the source are shown escaped, long lines cut around the mark. */
void lictor_diags_print(const struct lictor_diags *diags, FILE *out);
/* The same as one JSON array of objects. */
void lictor_diags_print_json(const struct lictor_diags *diags, FILE *out);

/* ---- the vocabulary, made from vocab.tab ---- */

enum lictor_type {
	LICTOR_TYPE_PATH,
	LICTOR_TYPE_TEXT,
	LICTOR_TYPE_NUMBER,
	LICTOR_TYPE_ADDRESS,
	LICTOR_TYPE_PORT,
	LICTOR_TYPE_USER,
	LICTOR_TYPE_GROUP,
	LICTOR_TYPE_FLAG,
	LICTOR_TYPE_ENUM,
	LICTOR_TYPE_SET,
	LICTOR_TYPE_MODE,
};

struct lictor_event_word {
	const char *name;
	unsigned groups;
	int deny;	/* 0 no, 1 yes, 2 mostly */
	const char *doc;
};

struct lictor_field_word {
	const char *name;
	enum lictor_type type;
	enum lictor_space space;
	unsigned groups;
	bool forgeable;
	const char *doc;
};

extern const struct lictor_event_word lictor_event_words[LICTOR_EVENTS];
extern const struct lictor_field_word lictor_field_words[LICTOR_FIELDS]; /* [0] is none */
extern const char *const lictor_action_words[LICTOR_ACTIONS];	/* alert signal block kill */
#define LICTOR_SIGNALS 32
extern const char *const lictor_signal_words[LICTOR_SIGNALS];	/* by number; some NULL */
extern const char *const lictor_severity_words[8];	/* by journal priority; [0], [1] NULL */

/* -1 where there is no such name. A shorthand such as "modify" is not an event: see check. */
int lictor_event_find(const char *name);
int lictor_field_find(const char *name);
/* NAME of "process.env.NAME"; NULL of any other, or if that can be no variable's name. */
const char *lictor_field_variable(const char *name);
/* The events that the word names, shorthands included; 0 where there is no such word. */
uint64_t lictor_event_set(const char *word);
/* The words for several events, i from 0; NULL after the last. */
const char *lictor_shorthand_name(size_t i);
bool lictor_event_has_field(int event, int field);
/* Name of a value of an ENUM field or of a bit of a SET field, NULL if it has none. */
const char *lictor_value_name(int field, uint32_t value);
int lictor_value_find(int field, const char *name);

/* ---- rules, checked ---- */

/* One value, of the type of the field that it stands under. */
struct lictor_value {
	struct lictor_place place;
	const char *text;	/* as written; of PATH and TEXT the pattern */
	union {
		struct { uint32_t low, high; } range;	/* NUMBER PORT USER GROUP FLAG ENUM SET(bit) */
		struct { uint8_t first[16], last[16]; } address; /* IPv4 as ::ffff:a.b.c.d */
		struct { uint16_t bits; char op; } mode; /* op: '=' exactly, '-' all, '/' any */
	};
};

/* One key of a block: the field has (or, negated, has not) one of the values. */
struct lictor_predicate {
	struct lictor_place place;	/* of the key */
	int field;			/* enum lictor_field */
	const char *variable;		/* of process.env: its values are NAME=VALUE; else NULL */
	bool negated;
	size_t values;
	const struct lictor_value *value;
};

struct lictor_block {
	struct lictor_place place;
	size_t predicates;
	const struct lictor_predicate *predicate;
};

enum lictor_mode { LICTOR_MODE_DEFAULT, LICTOR_MODE_ENFORCE, LICTOR_MODE_MONITOR };
enum lictor_failure { LICTOR_FAILURE_DEFAULT, LICTOR_FAILURE_CLOSED, LICTOR_FAILURE_OPEN };
enum lictor_unsupported { LICTOR_UNSUPPORTED_DEFAULT, LICTOR_UNSUPPORTED_REFUSE, LICTOR_UNSUPPORTED_DEGRADE };

struct lictor_rule {
	struct lictor_place place;	/* of the name's value */
	const char *name;
	const char *description;	/* or NULL */
	const char *message;		/* or NULL */
	const char *ruleset;		/* the file's name without directory and suffix */
	uint64_t events;		/* bit per enum lictor_event, shorthands expanded */
	struct lictor_place events_place;
	struct lictor_block match;	/* no predicates: every event of `on` */
	size_t unlesses;
	const struct lictor_block *unless;
	enum lictor_action action;
	int signal;			/* of action signal */
	enum lictor_mode mode;
	int severity;			/* journal priority */
	uint32_t limit_count;		/* reports per process and period; 0 = no limit */
	uint32_t limit_period;		/* seconds */
	size_t tags;
	const char *const *tag;
	bool enabled;
	enum lictor_failure on_failure;
	enum lictor_unsupported on_unsupported;
	size_t overrides;		/* places of the overrides that changed it */
	const struct lictor_place *override;
};

/*
 * Which values of the field an event that the rule matches can have, a bit each; bit 63: none. All,
 * where they are not kept: those of an ENUM, a SET or a FLAG are that depend on others (possible.c).
 */
uint64_t lictor_rule_values(const struct lictor_rule *rule, int event, int field);
/* Does it look at where a connection comes from? */
bool lictor_rule_asks_for_peer(const struct lictor_rule *rule);
/* Does it look at arguments or environment? */
bool lictor_rule_asks_for_start(const struct lictor_rule *rule);
/* At the digest of fs-verity? */
bool lictor_rule_asks_for_verity(const struct lictor_rule *rule);

struct lictor_rules {
	struct lictor_arena *arena;
	size_t rules;		/* in order of file name, then of place; disabled ones included */
	struct lictor_rule *rule;
	uint8_t digest[LICTOR_SHA256_BYTES];	/* SHA-256 over the files' names and bytes */
};

/*
 * Reads, parses and checks the files named (regular files; in this order), adding what is wrong to
 * diags. Returns 0 and *ret_rules, owned by the caller, if there was no error; else -EINVAL (there
 * is at least one error in diags) or -ENOMEM. Warnings alone do not fail.
 */
int lictor_rules_read(size_t files, const char *const *file, struct lictor_diags *diags,
		      struct lictor_rules **ret_rules);
/* The same for text in memory, named for the messages. */
int lictor_rules_read_text(size_t files, const struct lictor_source *file,
			   struct lictor_diags *diags, struct lictor_rules **ret_rules);
void lictor_rules_free(struct lictor_rules *rules);
/* The *.yaml files of the directories, sorted by base name; a file argument stands for itself. */
int lictor_rules_files(size_t dirs, const char *const *dir, struct lictor_diags *diags,
		       struct lictor_arena *arena, size_t *ret_files, const char *const **ret_file);

/* ---- patterns: the globs of PATH and TEXT values ---- */

#define LICTOR_PATTERN_EXPANSIONS_MAX 1024u

/* What is wrong with a pattern, and at which byte of it; whole: no single place is wrong. */
struct lictor_pattern_fault {
	size_t offset;
	bool whole;
	char text[200];
	char hint[200];	/* or "" */
};

/*
 * 0 and the number of patterns without braces that this one stands for, or -EINVAL and what is
 * wrong, or -ENOMEM. path: it has to be able to match a path.
 */
int lictor_pattern_check(const char *pattern, bool path, size_t *ret_expansions,
			 struct lictor_pattern_fault *ret_fault);
/* The patterns without braces that one stands for, escapes kept; -EINVAL if it is not valid. */
int lictor_pattern_expand(const char *pattern, struct lictor_arena *arena, size_t *ret_count,
			  const char *const **ret);

/* Canonical YAML of the rules, lists and overrides resolved, that reads back to the same rules. */
int lictor_rules_print(const struct lictor_rules *rules, FILE *out);
void lictor_rule_print(const struct lictor_rule *rule, FILE *out);

/* ---- compile ---- */

typedef unsigned __int128 lictor_field_set;	/* a bit per enum lictor_field */
#define LICTOR_FIELD_BIT(field) ((lictor_field_set)1 << (field))
_Static_assert(LICTOR_FIELDS <= 128, "fields fit their set");


/* A place on the host that the rules' patterns begin at: its anchor has to be looked up. */
struct lictor_root {
	const char *path;	/* absolute; no trailing slash but for "/" */
	bool exact;		/* the object itself is named, not what is below it */
};

/* The distinct roots of all path patterns of enabled rules. */
int lictor_rules_roots(const struct lictor_rules *rules, struct lictor_arena *arena,
		       size_t *ret_roots, const struct lictor_root **ret_root);

/* An object found at a root or at a mount point, as the kernel knows it. */
struct lictor_anchor_found {
	const char *path;
	uint64_t ino;
	uint32_t dev;
	uint32_t igeneration;
};

struct lictor_compiled {
	uint32_t pages;
	unsigned char *image;		/* pages * LICTOR_PAGE_SIZE bytes; struct lictor_image first */
	uint64_t events;		/* with at least one rule */
	bool unix_connect;		/* a rule about connect may hold for a unix socket */
	bool peers;			/* a rule about accept asks for the peer */
	lictor_field_set fields[LICTOR_EVENTS];	/* that the event's rules use */
	size_t states;			/* of all automata */
	size_t clauses;			/* of all events */
	size_t rules;			/* image rule i is source rule rule[i] */
	uint32_t *rule;
	size_t atoms;			/* predicates on ancestors and their numbers */
	struct lictor_atom *atom;
};

struct lictor_atom {
	char *key;			/* the predicate, canonically */
	uint32_t number;
	int field;			/* ANCESTOR_EXECUTABLE or ANCESTOR_NAME */
};

/*
 * Compiles the enabled rules. monitor: the daemon's mode, for rules that do not name one. seed: of
 * the image's hashes, random. previous: the generation in force, or NULL. Errors (a limit and the rule that exceeds it) go to diags: -E2BIG.
 */
int lictor_compile(const struct lictor_rules *rules, size_t anchors,
		   const struct lictor_anchor_found *anchor, bool monitor, uint64_t generation,
		   uint64_t seed, const struct lictor_compiled *previous,
		   struct lictor_diags *diags, struct lictor_compiled **ret_compiled);
void lictor_compiled_free(struct lictor_compiled *compiled);

/* ---- explain ---- */

/* `field=value` of an event that somebody asks about. */
struct lictor_fact {
	int field;		/* enum lictor_field */
	const char *text;	/* NULL: there is a value, and it is not known */
	const char *host;	/* of a path: what the host calls it, where that differs, or NULL */
};

/*
 * Writes to out which rules match an event that has these facts, predicate by predicate; names: of
 * these rules only, or of all if there are none. Returns the number of rules that match, or -EINVAL
 * (a value is not of its field's type; out says which).
 */
int lictor_explain(const struct lictor_rules *rules, int event, size_t facts,
		   const struct lictor_fact *fact, size_t names, const char *const *name,
		   FILE *out);

#endif
