/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Formatting: an alert comes in, one line for people goes out: what was decided, on what, by whom,
 * by which rule. Touches nothing.
 */
#include <string.h>

#include "output/words.h"

/* What the event acts on; of the others only the process is told. */
static const char *const object[LICTOR_EVENTS] = {
	[LICTOR_EVENT_EXEC] = " {file.path}",
	[LICTOR_EVENT_EXIT] = " status {process.exit_code}",
	[LICTOR_EVENT_READ] = " {file.path}",
	[LICTOR_EVENT_WRITE] = " {file.path}",
	[LICTOR_EVENT_CREATE] = " {file.path}",
	[LICTOR_EVENT_DELETE] = " {file.path}",
	[LICTOR_EVENT_RENAME] = " {file.path} -> {file.target_path}",
	[LICTOR_EVENT_LINK] = " {file.path} -> {file.target_path}",
	[LICTOR_EVENT_SYMLINK] = " {file.path}",
	[LICTOR_EVENT_MKDIR] = " {file.path}",
	[LICTOR_EVENT_RMDIR] = " {file.path}",
	[LICTOR_EVENT_MKNOD] = " {file.path} ({file.type})",
	[LICTOR_EVENT_CHMOD] = " {file.path} {file.mode}",
	[LICTOR_EVENT_CHOWN] = " {file.path}",
	[LICTOR_EVENT_XATTR] = " {file.path}",
	[LICTOR_EVENT_STAT] = " {file.path}",
	[LICTOR_EVENT_CONNECT] = " {destination}",
	[LICTOR_EVENT_BIND] = " {source}",
	[LICTOR_EVENT_LISTEN] = " {source}",
	[LICTOR_EVENT_ACCEPT] = " {destination}",
	[LICTOR_EVENT_PTRACE] = " {target.executable}",
	[LICTOR_EVENT_SIGNAL] = " {signal.name} {target.executable}",
	[LICTOR_EVENT_OPEN_FAILED] = " {file.path}",
};

static void format_notice(const struct lictor_alert *alert, struct lictor_line *line)
{
	lictor_line_printf(line, "%s ", lictor_word_notice(alert->notice));
	lictor_format_message(alert, line);
	for (size_t i = 0; i < alert->counters; i++) {
		lictor_line_text(line, i ? " " : " (");
		lictor_line_escaped(line, alert->counter[i].name, strlen(alert->counter[i].name));
		lictor_line_printf(line, "=%llu",
				   (unsigned long long)alert->counter[i].value);
	}
	if (alert->counters)
		lictor_line_text(line, ")");
}

void lictor_format_short(const struct lictor_alert *alert, struct lictor_line *line)
{
	if (alert->notice != LICTOR_NOTICE_NONE) {
		format_notice(alert, line);
		return;
	}
	lictor_line_fill(line, alert, "{verdict} {event}");
	lictor_line_fill(line, alert, object[alert->event] ? object[alert->event] : "");
	lictor_line_fill(line, alert, " by {process} (pid {process.pid}, user {user.name})");
	lictor_line_fill(line, alert, " rule {rule.name}");
	if (alert->matched > 1)
		lictor_line_printf(line, " +%u", alert->matched - 1);
	if (alert->suppressed)
		lictor_line_printf(line, " (%u more not reported)", alert->suppressed);
}
