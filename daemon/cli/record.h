/* SPDX-License-Identifier: Apache-2.0 */
/* A record of the JSON log as an event in words. See record.c. */
#ifndef LICTOR_CLI_RECORD_H
#define LICTOR_CLI_RECORD_H

#include <stddef.h>

#include "rules/rules.h"

/* A member of the record, by its dotted name; of an array, one for each element. */
struct lictor_told_member {
	char *key;
	char *text;
};

/* Facts and rules point into the members, and live as long. */
struct lictor_told_record {
	int event;
	size_t facts;
	struct lictor_fact *fact;
	size_t rules;
	const char **rule;
	size_t members;
	struct lictor_told_member *member;
	char **joined;		/* [facts]: texts that belong to no member, or NULL */
};

/*
 * Reads one line. Returns 0; -EINVAL: it is no JSON object; -ENOMSG: it is no record of an event;
 * -ENOMEM. ret is to be released either way.
 */
int lictor_told_record_read(const char *line, size_t length, struct lictor_told_record *ret);
void lictor_told_record_done(struct lictor_told_record *record);
/* The first member of this name, or NULL. */
const char *lictor_told_text(const struct lictor_told_record *record, const char *key);

#endif
