/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Formatting: an alert comes in, one line for people goes out: what was decided, on what, by whom,
 * by which rule. Touches nothing.
 */
#include <string.h>

#include "output/words.h"

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
	lictor_line_fill(line, alert, lictor_phrase(alert).object);
	lictor_line_text(line, lictor_phrase_flags(alert));
	lictor_line_fill(line, alert, " by {process} (pid {process.pid}, user {user.name})");
	lictor_line_fill(line, alert, " rule {rule.name}");
	if (alert->matched > 1)
		lictor_line_printf(line, " +%u", alert->matched - 1);
	if (alert->suppressed)
		lictor_line_printf(line, " (%u more not reported)", alert->suppressed);
}
