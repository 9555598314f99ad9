/* SPDX-License-Identifier: Apache-2.0 */
/* What Lictor itself has to say, apart from alerts and notices: one message, one priority. */
#ifndef LICTOR_LOG_H
#define LICTOR_LOG_H

#include <stdbool.h>
#include <syslog.h>

#include "rules/rules.h"

/*
 * To the journal, without ever waiting for it. foreground: to stderr too. Where the journal is not
 * there, to stderr in any case. LOG_DEBUG, which is libbpf's and long, is left out.
 */
void lictor_log_start(bool foreground);
void lictor_say(int priority, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The same with a text that is ready, for lictor_engine_open(). */
void lictor_say_text(int priority, const char *text);
/* Each diagnostic as lictor_diags_print() writes it, as one message. */
void lictor_say_diags(int priority, const struct lictor_diags *diags);

#endif
