/* SPDX-License-Identifier: Apache-2.0 */
/* A kernel record -> struct lictor_alert. The record is not trusted: every length is checked. */
#ifndef LICTOR_DECODE_H
#define LICTOR_DECODE_H

#include "output/alert.h"

/* The labels of one generation's rules: label[i] belongs to image rule i. */
struct lictor_labels {
	uint64_t generation;
	size_t labels;
	const struct lictor_rule_label *label;
};

#define LICTOR_ALERT_RULES LICTOR_RECORD_RULES

struct lictor_decoded {
	struct lictor_alert alert;	/* points into the record, rule[] and args: not to be copied */
	const struct lictor_rule_label *rule[LICTOR_ALERT_RULES];
	char args[LICTOR_ARGS_KEPT];	/* joined */
};

/*
 * labels: those of record's generation, NULL if they are no longer known (rules are then not named).
 * boot_offset: CLOCK_REALTIME minus CLOCK_BOOTTIME in ns. Returns 0, or -EBADMSG and nothing in
 * ret_decoded that may be used.
 */
int lictor_decode(const void *record, size_t size, const struct lictor_labels *labels,
		  int64_t boot_offset, struct lictor_decoded *ret_decoded);
/* The generation that a record was decided by, 0 if it is too short to say. */
uint64_t lictor_decode_generation(const void *record, size_t size);

#endif
