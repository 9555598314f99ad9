/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stage: from an alert to the sinks. In: alerts, whole. Out: each form that somebody reads, made
 * once, to each sink. May touch: what the sinks touch.
 */
#include "daemon/sinks.h"

#include <errno.h>
#include <grp.h>
#include <libgen.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "daemon/console.h"
#include "daemon/control.h"
#include "daemon/log.h"
#include "daemon/own.h"

#define LOG_QUEUE (4u << 20)
#define JOURNAL_QUEUE (1u << 20)
#define RETRY_SECONDS 10

struct lictor_sinks {
	const struct lictor_host *host;
	struct lictor_clients *clients;
	struct lictor_log *log;
	struct lictor_journal *journal;
	struct lictor_console *console;
	char *log_path;		/* NULL: no log is wanted */
	struct lictor_log_options options;
	char digest[65];
	bool journal_wanted;
	time_t retry;		/* when to try again what could not be opened */
	uint64_t log_missed;	/* records that came while there was no log */
	int log_error;
	int journal_error;
	struct lictor_line line;
	struct lictor_line shown;
};

OWNABLE(struct lictor_sinks, lictor_sinks_close)

/* Said when it fails and when it comes back, not at each attempt. */
static void note(const char *what, const char *where, int error, int *last)
{
	if (error && error != *last)
		lictor_say(LOG_ERR, "opening the %s %s: %s; trying again", what, where,
			   strerror(-error));
	if (!error && *last)
		lictor_say(LOG_NOTICE, "opening the %s %s: works again", what, where);
	*last = error;
}

static void make_directory(const char *path)
{
	char *copy OWN(own_free) = strdup(path);

	if (copy)
		mkdir(dirname(copy), 0750);
}

static void try_open(struct lictor_sinks *sinks)
{
	if (sinks->log_path && !sinks->log) {
		make_directory(sinks->log_path);
		note("log", sinks->log_path, lictor_log_open(&sinks->options, &sinks->log),
		     &sinks->log_error);
	}
	if (sinks->journal_wanted && !sinks->journal)
		note("sink", "journal", lictor_journal_open(JOURNAL_QUEUE, &sinks->journal),
		     &sinks->journal_error);
}

/* The group file, not NSS: nothing here may wait for a network. */
static gid_t group_number(const char *name)
{
	FILE *file OWN(own_fclose) = fopen("/etc/group", "re");
	struct group *group;

	while (file && name && (group = fgetgrent(file)))
		if (!strcmp(group->gr_name, name))
			return group->gr_gid;
	return (gid_t)-1;
}

int lictor_sinks_open(const struct lictor_sinks_options *options, struct lictor_sinks **ret_sinks)
{
	struct lictor_sinks *sinks OWN(own_lictor_sinks_close) = calloc(1, sizeof(*sinks));
	const struct lictor_config *config = options->config;

	if (!sinks)
		return -ENOMEM;
	sinks->host = options->host;
	sinks->clients = options->clients;
	sinks->journal_wanted = config->journal;
	snprintf(sinks->digest, sizeof(sinks->digest), "%s", options->rules_digest);
	if (config->log_path) {
		sinks->log_path = strdup(config->log_path);
		if (!sinks->log_path)
			return -ENOMEM;
	}
	sinks->options = (struct lictor_log_options){
		.path = sinks->log_path,
		.mode = 0640,
		.gid = group_number(config->log_group),
		.rotate_bytes = config->rotate_bytes,
		.rotate_seconds = config->rotate_seconds,
		.keep = config->keep,
		.queue_bytes = LOG_QUEUE,
		.host = options->host,
		.rules_digest = sinks->digest,
	};
	if (options->foreground)
		lictor_console_open(STDOUT_FILENO, &sinks->console);
	try_open(sinks);
	*ret_sinks = TAKE(sinks);
	return 0;
}

void lictor_sinks_close(struct lictor_sinks *sinks)
{
	if (sinks->log)
		lictor_log_close(sinks->log);
	if (sinks->journal)
		lictor_journal_close(sinks->journal);
	if (sinks->console)
		lictor_console_close(sinks->console);
	lictor_line_done(&sinks->line);
	lictor_line_done(&sinks->shown);
	free(sinks->log_path);
	free(sinks);
}

static void tell_json(struct lictor_sinks *sinks, const struct lictor_alert *alert)
{
	struct lictor_line *line = &sinks->line;
	bool watched = lictor_clients_watchers(sinks->clients, LICTOR_FORM_JSON);

	if (!sinks->log && !watched) {
		sinks->log_missed += sinks->log_path != NULL;
		return;
	}
	lictor_line_reset(line);
	lictor_format_json(alert, sinks->host, line);
	if (line->failed) {
		sinks->log_missed++;
		lictor_line_done(line);
		*line = (struct lictor_line){ 0 };
		return;
	}
	if (sinks->log)
		lictor_log_write(sinks->log, line->byte, line->length, alert->sequence);
	else
		sinks->log_missed += sinks->log_path != NULL;
	if (watched)
		lictor_clients_publish(sinks->clients, LICTOR_FORM_JSON, line->byte,
				       line->length);
}

static void tell_short(struct lictor_sinks *sinks, const struct lictor_alert *alert)
{
	struct lictor_line *line = &sinks->shown;
	bool watched = lictor_clients_watchers(sinks->clients, LICTOR_FORM_SHORT);
	struct tm local;
	char clock[32];

	if (!sinks->console && !watched)
		return;
	lictor_line_reset(line);
	localtime_r(&alert->time.tv_sec, &local);
	strftime(clock, sizeof(clock), "%H:%M:%S ", &local);
	lictor_line_text(line, clock);
	lictor_format_short(alert, line);
	if (line->failed) {
		lictor_line_done(line);
		*line = (struct lictor_line){ 0 };
		return;
	}
	if (sinks->console)
		lictor_console_write(sinks->console, line->byte, line->length);
	if (watched)
		lictor_clients_publish(sinks->clients, LICTOR_FORM_SHORT, line->byte,
				       line->length);
}

void lictor_sinks_tell(struct lictor_sinks *sinks, const struct lictor_alert *alert)
{
	tell_json(sinks, alert);
	if (sinks->journal)
		lictor_journal_write(sinks->journal, alert);
	tell_short(sinks, alert);
}

void lictor_sinks_digest(struct lictor_sinks *sinks, const char *rules_digest)
{
	snprintf(sinks->digest, sizeof(sinks->digest), "%s", rules_digest);
	if (sinks->log)
		lictor_log_digest(sinks->log, sinks->digest);
}

bool lictor_sinks_tick(struct lictor_sinks *sinks, time_t now)
{
	if (now >= sinks->retry) {
		try_open(sinks);
		sinks->retry = now + RETRY_SECONDS;
	}
	if (sinks->journal)
		lictor_journal_tick(sinks->journal);
	return sinks->log && lictor_log_tick(sinks->log, now);
}

int lictor_sinks_rotate(struct lictor_sinks *sinks)
{
	return sinks->log ? lictor_log_rotate(sinks->log) : -ENODATA;
}

size_t lictor_sinks_counts(const struct lictor_sinks *sinks,
			   struct lictor_sink_state state[LICTOR_SINKS_MAX])
{
	size_t count = 0;

	memset(state, 0, LICTOR_SINKS_MAX * sizeof(*state));
	if (sinks->log_path) {
		state[count].name = "json";
		if (sinks->log)
			lictor_log_count(sinks->log, &state[count].count);
		else
			state[count].count.error = -sinks->log_error;
		state[count++].count.lost += sinks->log_missed;
	}
	if (sinks->journal_wanted) {
		state[count].name = "journal";
		if (sinks->journal)
			lictor_journal_count(sinks->journal, &state[count].count);
		else
			state[count].count.error = -sinks->journal_error;
		count++;
	}
	if (sinks->console) {
		state[count].name = "console";
		lictor_console_count(sinks->console, &state[count++].count);
	}
	state[count].name = "watch";
	lictor_clients_count(sinks->clients, &state[count++].count);
	return count;
}
