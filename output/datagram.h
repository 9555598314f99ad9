/* SPDX-License-Identifier: Apache-2.0 */
/* One entry of the journal, in its native protocol. */
#ifndef LICTOR_DATAGRAM_H
#define LICTOR_DATAGRAM_H

#include "output/format.h"

/* Writes all fields of the alert's entry. Every field once; names of at most 64 characters. */
void lictor_datagram_format(const struct lictor_alert *alert, struct lictor_line *line);
/* One field: NAME=value, or with its length in front where the value has newlines. */
void lictor_datagram_field(struct lictor_line *line, const char *name, const char *value,
			   size_t length);

#endif
