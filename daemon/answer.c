/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stage: control socket. In: a request that was understood. Out: JSON Lines, one object each, with
 * a "type"; the last one is {"type":"end"}. Long answers are made piece by piece: one rule a line.
 * May touch: what reload and rotate touch.
 */
#include "daemon/answer.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "daemon/own.h"
#include "daemon/version.h"

#define MAPS_MAX 64u

typedef unsigned long long number;

static void member_text(struct lictor_line *line, const char *name, const char *text)
{
	lictor_line_printf(line, ",\"%s\":", name);
	if (text)
		lictor_line_json(line, text, strlen(text));
	else
		lictor_line_text(line, "null");
}

static void member_number(struct lictor_line *line, const char *name, uint64_t value)
{
	lictor_line_printf(line, ",\"%s\":%llu", name, (number)value);
}

static void end(struct lictor_line *line)
{
	lictor_line_text(line, "{\"type\":\"end\"}\n");
}

/* Text that is safe already, and is to be shown as it is: quoted, not escaped a second time. */
static void quote(struct lictor_line *line, const char *text, size_t length)
{
	size_t i;

	lictor_line_text(line, "\"");
	for (i = 0; i < length; i++) {
		if (text[i] == '"' || text[i] == '\\')
			lictor_line_add(line, "\\", 1);
		if ((unsigned char)text[i] < 0x20)
			lictor_line_printf(line, "\\u%04x", (unsigned char)text[i]);
		else
			lictor_line_add(line, &text[i], 1);
	}
	lictor_line_text(line, "\"");
}

/* ---- rules ---- */

static void rule_events(struct lictor_line *line, uint64_t events)
{
	const char *between = ",\"events\":[";
	int event;

	for (event = 0; event < LICTOR_EVENTS; event++) {
		if (!(events & 1ull << event))
			continue;
		lictor_line_printf(line, "%s\"%s\"", between, lictor_event_words[event].name);
		between = ",";
	}
	lictor_line_text(line, events ? "]" : ",\"events\":[]");
}

static void rule_overrides(struct lictor_line *line, const struct lictor_entry *entry)
{
	size_t i;

	lictor_line_text(line, ",\"overridden\":[");
	for (i = 0; i < entry->overrides; i++) {
		lictor_line_text(line, i ? "," : "");
		lictor_line_json(line, entry->override[i], strlen(entry->override[i]));
	}
	lictor_line_text(line, "]");
}

static const char *state_of(const struct lictor_entry *entry)
{
	if (!entry->enabled)
		return "disabled";
	return entry->in_force ? "in force" : "left out";
}

static void rule_line(const struct lictor_daemon *lictord, const struct lictor_entry *entry,
		      struct lictor_line *line)
{
	struct lictor_rule_count total = lictor_service_total(lictord->service, entry);

	lictor_line_text(line, "{\"type\":\"rule\"");
	member_text(line, "name", entry->name);
	member_text(line, "ruleset", entry->ruleset);
	rule_events(line, entry->events);
	member_text(line, "action", lictor_action_words[entry->action]);
	member_text(line, "mode", entry->mode == LICTOR_MODE_MONITOR ? "monitor" : "enforce");
	member_text(line, "severity", lictor_severity_words[entry->severity & 7]);
	member_text(line, "state", state_of(entry));
	member_text(line, "shortfall", entry->shortfall);
	member_text(line, "where", entry->where);
	rule_overrides(line, entry);
	member_number(line, "matched", total.matched);
	member_number(line, "reported", total.reported);
	member_number(line, "limited", total.limited);
	member_number(line, "lost", total.lost);
	lictor_line_text(line, "}\n");
}

/* first: the step of the first rule. */
static int answer_rules(struct lictor_daemon *lictord, size_t first, struct lictor_cursor *cursor,
			struct lictor_line *line)
{
	const struct lictor_ruleset *set = lictor_service_rules(lictord->service);
	size_t index = cursor->step++ - first;
	uint64_t generation = set ? set->generation : 0;

	if (!index) {
		lictor_service_count(lictord->service);
		cursor->generation = generation;
	}
	if (generation == cursor->generation && set && index < set->entries) {
		rule_line(lictord, &set->entry[index], line);
		return 1;
	}
	if (generation != cursor->generation)
		lictor_line_text(line, "{\"type\":\"error\",\"text\":\"the rules were changed "
				       "meanwhile: ask again\"}\n");
	end(line);
	return 0;
}

/* ---- status ---- */

static void status_rings(const struct lictor_service_state *state, struct lictor_line *line)
{
	const struct lictor_stats *stats = &state->stats;

	lictor_line_printf(line,
			   ",\"reported\":{\"verdicts\":%llu,\"reports\":%llu}"
			   ",\"lost\":{\"verdicts\":%llu,\"reports\":%llu,\"undecodable\":%llu}",
			   (number)stats->reported[LICTOR_RING_VERDICTS],
			   (number)stats->reported[LICTOR_RING_REPORTS],
			   (number)stats->lost[LICTOR_RING_VERDICTS],
			   (number)stats->lost[LICTOR_RING_REPORTS], (number)state->undecodable);
}

static void status_counts(const struct lictor_stats *stats, struct lictor_line *line)
{
	static const char *const reason[LICTOR_REASONS] = {
#define X(id, name, doc) [LICTOR_REASON_##id] = name,
		LICTOR_REASON_TABLE(X)
#undef X
	};
	const char *between = "";
	int i;

	lictor_line_text(line, ",\"decided\":{");
	for (i = 0; i < LICTOR_EVENTS; i++) {
		if (!stats->decided[i])
			continue;
		lictor_line_printf(line, "%s\"%s\":%llu", between, lictor_event_words[i].name,
				   (number)stats->decided[i]);
		between = ",";
	}
	lictor_line_text(line, "},\"undecided\":{");
	between = "";
	for (i = 1; i < LICTOR_REASONS; i++) {
		if (!stats->reason[i])
			continue;
		lictor_line_printf(line, "%s\"%s\":%llu", between, reason[i],
				   (number)stats->reason[i]);
		between = ",";
	}
	lictor_line_text(line, "}");
}

static void status_sinks(const struct lictor_daemon *lictord, struct lictor_line *line)
{
	struct lictor_sink_state state[LICTOR_SINKS_MAX];
	size_t sinks = lictor_sinks_counts(lictord->sinks, state), i;

	lictor_line_text(line, ",\"sinks\":[");
	for (i = 0; i < sinks; i++) {
		lictor_line_printf(line,
				   "%s{\"name\":\"%s\",\"written\":%llu,\"lost\":%llu,"
				   "\"errors\":%llu,\"queued\":%zu",
				   i ? "," : "", state[i].name, (number)state[i].count.written,
				   (number)state[i].count.lost, (number)state[i].count.errors,
				   state[i].count.queued);
		member_text(line, "error",
			    state[i].count.error ? strerror(state[i].count.error) : NULL);
		lictor_line_text(line, "}");
	}
	lictor_line_text(line, "]");
}

static void status_hooks(const struct lictor_daemon *lictord, struct lictor_line *line)
{
	const struct lictor_hook_state *hook = NULL;
	size_t hooks = lictor_engine_hooks(lictord->engine, &hook), i;

	lictor_line_text(line, ",\"hooks\":[");
	for (i = 0; i < hooks; i++) {
		lictor_line_printf(line,
				   "%s{\"hook\":\"%s\",\"via\":\"%s\",\"loaded\":%s,"
				   "\"attached\":%s",
				   i ? "," : "", hook[i].hook, hook[i].via,
				   hook[i].loaded ? "true" : "false",
				   hook[i].attached ? "true" : "false");
		member_text(line, "error", lictor_support_hook(&hook[i]));
		lictor_line_text(line, "}");
	}
	lictor_line_text(line, "]");
}

static void status_maps(const struct lictor_daemon *lictord, struct lictor_line *line)
{
	struct lictor_map_memory map[MAPS_MAX];
	size_t maps = lictor_engine_maps(lictord->engine, map, MAPS_MAX), i;

	member_number(line, "map_bytes", lictor_engine_memory(lictord->engine));
	lictor_line_text(line, ",\"maps\":[");
	for (i = 0; i < maps && i < MAPS_MAX; i++) {
		lictor_line_printf(line, "%s{\"name\":", i ? "," : "");
		lictor_line_json(line, map[i].name, strnlen(map[i].name, sizeof(map[i].name)));
		member_number(line, "bytes", map[i].bytes);
		lictor_line_text(line, "}");
	}
	lictor_line_text(line, "]");
}

static void status_clients(const struct lictor_daemon *lictord, struct lictor_line *line)
{
	struct lictor_clients_state state;

	lictor_clients_state(lictord->clients, &state);
	lictor_line_printf(line,
			   ",\"clients\":{\"now\":%zu,\"watching\":%zu,\"accepted\":%llu,"
			   "\"refused\":%llu,\"dropped\":%llu}",
			   state.clients, state.watchers, (number)state.accepted,
			   (number)state.refused, (number)state.dropped);
}

static void status_rules(const struct lictor_daemon *lictord, struct lictor_line *line)
{
	const struct lictor_ruleset *set = lictor_service_rules(lictord->service);

	if (!set)
		return;
	member_text(line, "mode", set->monitor ? "monitor" : "enforce");
	member_number(line, "generation", set->generation);
	member_text(line, "digest", set->digest);
	member_number(line, "rules", set->entries);
	member_number(line, "in_force", set->in_force);
	member_number(line, "degraded", set->degraded);
	member_number(line, "clauses", set->compiled->clauses);
	member_number(line, "states", set->compiled->states);
	member_number(line, "image_bytes", (uint64_t)set->compiled->pages << LICTOR_PAGE_SHIFT);
}

static void status_line(struct lictor_daemon *lictord, struct lictor_line *line)
{
	struct lictor_service_state state;
	struct timespec now;

	lictor_service_state(lictord->service, &state);
	clock_gettime(CLOCK_BOOTTIME, &now);
	lictor_line_printf(line, "{\"v\":%d,\"type\":\"status\"", LICTOR_PROTOCOL);
	member_text(line, "version", LICTOR_VERSION);
	member_text(line, "state", "running");
	member_number(line, "pid", (uint64_t)getpid());
	member_number(line, "uptime", (uint64_t)now.tv_sec - lictord->started);
	status_rules(lictord, line);
	member_number(line, "reloads", lictord->reloads);
	member_number(line, "rejected", lictord->rejected);
	member_number(line, "sequence", state.sequence);
	member_number(line, "rss_bytes", state.rss_bytes);
	status_rings(&state, line);
	status_counts(&state.stats, line);
	status_sinks(lictord, line);
	status_clients(lictord, line);
	status_hooks(lictord, line);
	status_maps(lictord, line);
	lictor_line_text(line, "}\n");
}

static int answer_status(struct lictor_daemon *lictord, struct lictor_cursor *cursor,
			 struct lictor_line *line)
{
	if (cursor->step)
		return answer_rules(lictord, 1, cursor, line);
	cursor->step++;
	status_line(lictord, line);
	return 1;
}

/* ---- what is to be done ---- */

static void diagnostics(const struct lictor_diags *diags, struct lictor_line *line)
{
	char *text OWN(own_free) = NULL;
	size_t length = 0;
	FILE *out = open_memstream(&text, &length);
	char *at, *newline;

	if (!out)
		return;
	lictor_diags_print(diags, out);
	fclose(out);
	for (at = text; at && (newline = strchr(at, '\n')); at = newline + 1) {
		lictor_line_text(line, "{\"type\":\"diagnostic\",\"text\":");
		quote(line, at, (size_t)(newline - at));
		lictor_line_text(line, "}\n");
	}
}

OWNABLE(struct lictor_diags, lictor_diags_free)

static void done(struct lictor_line *line, const char *what, int error, const char *text)
{
	lictor_line_printf(line, "{\"v\":%d,\"type\":\"%s\",\"errno\":%d", LICTOR_PROTOCOL, what,
			   -error);
	member_text(line, "text", text);
	lictor_line_text(line, "}\n");
}

static int answer_reload(struct lictor_daemon *lictord, struct lictor_line *line)
{
	struct lictor_diags *diags OWN(own_lictor_diags_free) = lictor_diags_new();
	const char *what = NULL;
	char text[160];
	int error;

	if (!diags)
		return -ENOMEM;
	error = lictor_daemon_reload(lictord, diags, &what);
	if (error)
		snprintf(text, sizeof(text), "%s: %s; the rules in force stay", what,
			 strerror(-error));
	else
		lictor_daemon_summary(lictord, text, sizeof(text));
	done(line, "reload", error, text);
	diagnostics(diags, line);
	end(line);
	return 0;
}

static int answer_rotate(struct lictor_daemon *lictord, struct lictor_line *line)
{
	int error = lictor_daemon_rotate(lictord);

	done(line, "rotate", error,
	     !error ? "the log was rotated" :
	     error == -ENODATA ? "no log is kept" : strerror(-error));
	end(line);
	return 0;
}

int lictor_daemon_answer(void *context, const struct lictor_request *request,
			 struct lictor_cursor *cursor, struct lictor_line *line)
{
	struct lictor_daemon *lictord = context;

	if (!lictord->service)
		return -EAGAIN;
	switch (request->ask) {
	case LICTOR_ASK_STATUS:
		return answer_status(lictord, cursor, line);
	case LICTOR_ASK_RULES:
		return answer_rules(lictord, 0, cursor, line);
	case LICTOR_ASK_RELOAD:
		return answer_reload(lictord, line);
	case LICTOR_ASK_ROTATE:
		return answer_rotate(lictord, line);
	case LICTOR_ASK_WATCH:
	case LICTOR_ASKS:
		break;
	}
	return -EINVAL;
}
