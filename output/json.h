/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of the JSON record: tables of its members, merged by json.c. */
#ifndef LICTOR_JSON_H
#define LICTOR_JSON_H

#include "output/object.h"

/* What is told. */
struct lictor_told {
	const struct lictor_alert *alert;
	const struct lictor_host *host;
};

/* One member of the record. write() leaves it out by writing nothing. */
struct lictor_member {
	const char *name;
	void (*write)(struct lictor_object *object, const struct lictor_member *member,
		      const struct lictor_told *told);
	unsigned field;	/* of members that are fields */
};

struct lictor_members {
	size_t count;
	const struct lictor_member *member;
};

extern const struct lictor_members lictor_event_members;	/* event, log, message */
extern const struct lictor_members lictor_rule_members;		/* rule, tags, threat */
extern const struct lictor_members lictor_host_members;		/* agent, ecs, host; of no alert */
extern const struct lictor_members lictor_actor_members;	/* process, file beyond fields */
extern const struct lictor_members lictor_verdict_members;	/* lictor */

#endif
