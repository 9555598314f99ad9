/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stage: beside all others. In: a priority and a text. Out: a message in the journal, by its native
 * protocol, and a line on stderr. Never waits: what the reader does not take at once is gone, which
 * is right for words that repeat what notices and counters say. May touch: its two descriptors.
 */
#include "daemon/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/un.h>

#include "daemon/console.h"
#include "daemon/own.h"

#define JOURNAL "/run/systemd/journal/socket"

static bool to_stderr = true;
static int journal = -1;
static struct lictor_console *console;

void lictor_log_start(bool foreground)
{
	to_stderr = foreground && !getenv("JOURNAL_STREAM");
	if (journal < 0)
		journal = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (!console)
		lictor_console_open(STDERR_FILENO, &console);
}

/* A field in the form that takes any byte: name, newline, length, bytes, newline. */
static bool send_journal(int priority, const char *text, size_t length)
{
	static const struct sockaddr_un to = { .sun_family = AF_UNIX, .sun_path = JOURNAL };
	uint64_t little = __builtin_bswap64(htobe64(length));
	char head[96];
	int size = snprintf(head, sizeof(head),
			    "PRIORITY=%d\nSYSLOG_FACILITY=10\nSYSLOG_IDENTIFIER=lictor\nMESSAGE\n",
			    priority);
	struct iovec part[] = {
		{ head, (size_t)size },
		{ &little, sizeof(little) },
		{ (void *)(uintptr_t)text, length },
		{ (void *)(uintptr_t)"\n", 1 },
	};
	struct msghdr message = {
		.msg_name = (void *)(uintptr_t)&to,
		.msg_namelen = sizeof(to),
		.msg_iov = part,
		.msg_iovlen = sizeof(part) / sizeof(part[0]),
	};

	return journal >= 0 && sendmsg(journal, &message, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0;
}

void lictor_say_text(int priority, const char *text)
{
	size_t length = strlen(text);
	char *line OWN(own_free) = NULL;
	int size;

	if (priority >= LOG_DEBUG)
		return;
	while (length && text[length - 1] == '\n')
		length--;
	if (send_journal(priority, text, length) && !to_stderr)
		return;
	size = asprintf(&line, "lictord: %.*s", (int)length, text);
	if (size < 0) {
		line = NULL;
		return;
	}
	if (console)
		lictor_console_write(console, line, (size_t)size);
	else
		fprintf(stderr, "%s\n", line);
}

void lictor_say(int priority, const char *format, ...)
{
	char *text OWN(own_free) = NULL;
	va_list list;
	int size;

	va_start(list, format);
	size = vasprintf(&text, format, list);
	va_end(list);
	if (size < 0)
		text = NULL;
	lictor_say_text(priority, text ? text : format);
}

void lictor_say_diags(int priority, const struct lictor_diags *diags)
{
	char *text OWN(own_free) = NULL;
	size_t length = 0;
	FILE *out = open_memstream(&text, &length);

	if (!out)
		return;
	lictor_diags_print(diags, out);
	fclose(out);
	if (length)
		lictor_say_text(priority, text);
}
