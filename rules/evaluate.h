/* SPDX-License-Identifier: Apache-2.0 */
/* Rules against one event, word by word as the language says it. See evaluate.c. */
#ifndef LICTOR_EVALUATE_H
#define LICTOR_EVALUATE_H

#include "rules/rules.h"

/* One string, in the views that there are of it. */
struct lictor_seen {
	const char *own;	/* as the process sees it; NULL: it has no view of its own */
	size_t hosts;		/* as the host sees it; the same text where both agree */
	const char *host[3];
};

/* What an event has for a field. */
struct lictor_given {
	enum lictor_state_of_fact state;
	uint64_t number;	/* of a SET: a bit for each member */
	uint8_t address[16];	/* network order; IPv4 as ::ffff:a.b.c.d */
	size_t strings;		/* one, but for ancestors */
	const struct lictor_seen *string;
};

struct lictor_instance {
	int event;
	int error;		/* -ENOMEM, if ever: then no answer about it is to be trusted */
	struct lictor_given field[LICTOR_FIELDS];
};

/* Does the glob, braces and all, match all of text? path: `*`, `?` and sets stop at `/`. */
bool lictor_glob_matches(const char *pattern, bool path, const char *text, int *ret_error);

/*
 * A rename or link is judged twice: by its source, which has a target, and (second) by its target,
 * which has none and is what file.path means then. So is a mount that is moved, if the place that
 * it comes from is given as file.target_path: by where it goes, and (second) by that.
 */
bool lictor_instance_has_second(const struct lictor_instance *instance);
const struct lictor_given *lictor_instance_field(const struct lictor_instance *instance, int field,
						 bool second);

/* How a value lies to what is given: seen in some view, and seen for certain. */
struct lictor_sight {
	bool any;
	bool sure;
};

struct lictor_sight lictor_value_sight(int field, size_t values, const struct lictor_value *value,
				       const struct lictor_given *given, int *ret_error);

bool lictor_predicate_holds(const struct lictor_rule *rule, const struct lictor_predicate *predicate,
			    bool unless, struct lictor_instance *instance, bool second);
bool lictor_block_holds(const struct lictor_rule *rule, const struct lictor_block *block,
			bool unless, struct lictor_instance *instance, bool second);
bool lictor_rule_judges(const struct lictor_rule *rule, struct lictor_instance *instance,
			bool second);
/* Of an event that the rule is about, in either judging. */
bool lictor_rule_matches(const struct lictor_rule *rule, struct lictor_instance *instance);

#endif
