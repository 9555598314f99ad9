/* SPDX-License-Identifier: Apache-2.0 */
/* What the Elastic Common Schema calls our events, verdicts, notices and severities. */
#ifndef LICTOR_ECS_H
#define LICTOR_ECS_H

#include "output/alert.h"

#define LICTOR_ECS_VERSION "9.4.0"

struct lictor_ecs_event {
	const char *category;
	const char *type[2];
	const char *direction;	/* of the network, or NULL */
};

struct lictor_ecs_verdict {
	const char *type;
	const char *outcome;
	bool ends;	/* the process is no more */
};

struct lictor_ecs_notice {
	const char *kind;
	const char *category;
	const char *type;
	const char *outcome;
};

extern const struct lictor_ecs_event lictor_ecs_event[LICTOR_EVENTS];
extern const struct lictor_ecs_verdict lictor_ecs_verdict[LICTOR_VERDICTS];
extern const struct lictor_ecs_notice lictor_ecs_notice[LICTOR_NOTICES];
/* By journal priority 0 to 7: ECS has no scale; this is the one that Elastic's own rules use. */
extern const int lictor_ecs_severity[8];

#endif
