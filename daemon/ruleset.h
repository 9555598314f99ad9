/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the daemon keeps of a rule set once the kernel has its image: names, places and totals. The
 * rules themselves, which can be large, are gone by then.
 */
#ifndef LICTOR_RULESET_H
#define LICTOR_RULESET_H

#include "daemon/decode.h"
#include "daemon/support.h"

/* A rule as written. */
struct lictor_entry {
	const char *name;
	const char *ruleset;
	const char *where;	/* file:line */
	size_t overrides;
	const char **override;	/* file:line each */
	uint64_t events;	/* as written */
	enum lictor_action action;
	int signal;
	enum lictor_mode mode;	/* never DEFAULT */
	int severity;
	bool enabled;
	bool in_force;		/* for at least one of its events */
	const char *shortfall;	/* what it lost on this kernel, or NULL */
	struct lictor_rule_count before;	/* of generations before */
	struct lictor_rule_count now;	/* of this one, when last counted */
};

struct lictor_ruleset {
	struct lictor_arena *arena;
	uint64_t generation;
	char digest[LICTOR_SHA256_TEXT];
	bool monitor;		/* the daemon's mode */
	size_t entries;		/* in the order of the files */
	struct lictor_entry *entry;
	uint32_t *by_name;	/* entries, sorted */
	struct lictor_labels labels;	/* of the image's rules */
	uint32_t *image_entry;	/* image rule i is of this entry */
	size_t in_force;
	size_t degraded;
	struct lictor_compiled *compiled;	/* the next compilation goes by it */
};

/* From the rules as written: before lictor_support_apply(). diags: the names of their files. */
int lictor_ruleset_new(const struct lictor_rules *rules, const struct lictor_diags *diags,
		       bool monitor, struct lictor_ruleset **ret_set);
void lictor_ruleset_free(struct lictor_ruleset *set);
/* From the rules as compiled; takes compiled over, also on failure. */
int lictor_ruleset_seal(struct lictor_ruleset *set, const struct lictor_rules *rules,
			const struct lictor_support *support, struct lictor_compiled *compiled,
			uint64_t generation);
const struct lictor_entry *lictor_ruleset_find(const struct lictor_ruleset *set, const char *name);
/* Reads the kernel's counters into the entries' `now`. */
int lictor_ruleset_count(struct lictor_ruleset *set, const struct lictor_engine *engine);
/* Puts what an older set's rules had `before` (or `now`) under the rules of the same names. */
void lictor_ruleset_inherit(struct lictor_ruleset *set, const struct lictor_ruleset *older,
			    bool now);
void lictor_count_add(struct lictor_rule_count *sum, const struct lictor_rule_count *more);

#endif
