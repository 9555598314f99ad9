/* SPDX-License-Identifier: Apache-2.0 */
/* Lines on a standard stream that is never waited for. */
#ifndef LICTOR_CONSOLE_H
#define LICTOR_CONSOLE_H

#include "output/sink.h"

struct lictor_console;

/* fd: of a standard stream, which stays as it is: what it stands for is opened anew if it can. */
int lictor_console_open(int fd, struct lictor_console **ret_console);
void lictor_console_close(struct lictor_console *console);
/* line: without a newline. What the reader does not take at once is counted as lost. */
void lictor_console_write(struct lictor_console *console, const char *line, size_t length);
void lictor_console_count(const struct lictor_console *console,
			  struct lictor_sink_count *ret_count);

#endif
