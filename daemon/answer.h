/* SPDX-License-Identifier: Apache-2.0 */
/* What clients of the control socket hear. */
#ifndef LICTOR_ANSWER_H
#define LICTOR_ANSWER_H

#include "daemon/loop.h"

/* A lictor_answer; context is the struct lictor_daemon. */
int lictor_daemon_answer(void *context, const struct lictor_request *request,
			 struct lictor_cursor *cursor, struct lictor_line *line);

#endif
