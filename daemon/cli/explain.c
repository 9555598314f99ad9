/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stage: `lictor explain`. In: an event in words, or records of the log; rule files. Out: which
 * rules match it, predicate by predicate. May touch: the files.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/cli/cli.h"
#include "daemon/cli/record.h"
#include "daemon/nearest.h"
#include "daemon/own.h"
#include "output/format.h"

OWNABLE(struct lictor_diags, lictor_diags_free)
OWNABLE(struct lictor_rules, lictor_rules_free)

static int no_such(const char *what, const char *word, const char *near)
{
	if (near)
		return lictor_cli_fail(LICTOR_EXIT_USAGE,
				       "no %s \"%s\"; did you mean \"%s\"?", what, word, near);
	return lictor_cli_fail(LICTOR_EXIT_USAGE, "no %s \"%s\"", what, word);
}

static int unknown_event(const char *word)
{
	const char *known[LICTOR_EVENTS], *near;
	uint64_t set = lictor_event_set(word);
	int event;

	for (event = 0; event < LICTOR_EVENTS; event++)
		known[event] = lictor_event_words[event].name;
	if (set) {
		fprintf(stderr, "lictor: \"%s\" stands for several events, ask about one:", word);
		for (event = 0; event < LICTOR_EVENTS; event++)
			if (set & 1ull << event)
				fprintf(stderr, " %s", known[event]);
		fputc('\n', stderr);
		return LICTOR_EXIT_USAGE;
	}
	near = lictor_nearest(word, LICTOR_EVENTS, known);
	return no_such("event", word, near);
}

static int unknown_field(int event, const char *name)
{
	const char *known[LICTOR_FIELDS], *near;
	size_t count = 0;
	int field;

	if (lictor_field_find(name) >= 0)
		return lictor_cli_fail(LICTOR_EXIT_USAGE, "event \"%s\" has no field \"%s\"",
				       lictor_event_words[event].name, name);
	for (field = 1; field < LICTOR_FIELDS; field++)
		if (lictor_event_has_field(event, field))
			known[count++] = lictor_field_words[field].name;
	near = lictor_nearest(name, count, known);
	return no_such("field", name, near);
}

static int parse_fact(int event, const char *word, struct lictor_fact *fact)
{
	const char *equals = strchr(word, '=');
	char *name OWN(own_free) = equals ? strndup(word, (size_t)(equals - word)) : NULL;

	if (!equals)
		return lictor_cli_fail(LICTOR_EXIT_USAGE, "%s: field=value is expected", word);
	if (!name)
		return lictor_cli_fail(LICTOR_EXIT_FINDINGS, "%s", strerror(ENOMEM));
	fact->field = lictor_field_find(name);
	fact->text = equals + 1;
	if (fact->field <= 0 || !lictor_event_has_field(event, fact->field))
		return unknown_field(event, name);
	if (fact->field == LICTOR_FIELD_PROCESS_ENV) {
		if (!lictor_field_variable(name))
			return lictor_cli_fail(LICTOR_EXIT_USAGE,
					       "%s: a variable is expected, such as "
					       "process.env.LD_PRELOAD=value", word);
		/* As it stands in an environment: NAME=value. */
		fact->text = word + (lictor_field_variable(name) - name);
	}
	return LICTOR_EXIT_OK;
}

static int explain(const struct lictor_cli *cli, int event, const struct lictor_fact *fact)
{
	struct lictor_diags *diags OWN(own_lictor_diags_free) = lictor_diags_new();
	struct lictor_rules *rules OWN(own_lictor_rules_free) = NULL;
	int matches, status;

	if (!diags)
		return lictor_cli_fail(LICTOR_EXIT_FINDINGS, "%s", strerror(ENOMEM));
	status = lictor_cli_good_rules(cli, diags, &rules);
	if (status)
		return status;
	matches = lictor_explain(rules, event, cli->words - 1, fact, 0, NULL, stdout);
	if (matches == -EINVAL)
		return LICTOR_EXIT_USAGE;
	return matches < 0 ? lictor_cli_fail(LICTOR_EXIT_FINDINGS, "%s", strerror(-matches)) :
			     LICTOR_EXIT_OK;
}

/* ---- records ---- */

static bool is_loaded(const struct lictor_rules *rules, const char *name)
{
	for (size_t i = 0; i < rules->rules; i++)
		if (!strcmp(rules->rule[i].name, name))
			return true;
	return false;
}

/* What stands in a file may be anybody's. */
static void print_text(const char *text)
{
	struct lictor_line line = { 0 };

	lictor_line_escaped(&line, text, strlen(text));
	lictor_line_text(&line, "\n");
	if (!line.failed)
		fwrite(line.byte, 1, line.length, stdout);
	lictor_line_done(&line);
}

/* number: of the line. */
static int explain_record(const struct lictor_rules *rules, const char *path, size_t number,
			  const char *line, size_t length)
{
	struct lictor_told_record record OWN(lictor_told_record_done) = { 0 };
	int r = lictor_told_record_read(line, length, &record);
	const char *message = lictor_told_text(&record, "message");
	bool some = false;

	if (r == -ENOMSG)
		return LICTOR_EXIT_OK;
	if (r == -EINVAL)
		return lictor_cli_fail(LICTOR_EXIT_FINDINGS, "%s:%zu: no record of Lictor's log",
				       path, number);
	if (r < 0)
		return lictor_cli_fail(LICTOR_EXIT_FINDINGS, "%s", strerror(-r));
	print_text(message ? message : lictor_event_words[record.event].name);
	for (size_t i = 0; i < record.rules; i++) {
		if (is_loaded(rules, record.rule[i])) {
			some = true;
			continue;
		}
		fputs("no rule has this name now: ", stdout);
		print_text(record.rule[i]);
	}
	if (!some)
		return LICTOR_EXIT_OK;
	r = lictor_explain(rules, record.event, record.facts, record.fact, record.rules,
			   record.rule, stdout);
	if (r == -EINVAL)
		return LICTOR_EXIT_FINDINGS;
	return r < 0 ? lictor_cli_fail(LICTOR_EXIT_FINDINGS, "%s", strerror(-r)) : LICTOR_EXIT_OK;
}

/* Every line of the file; those that are no event's record are passed over. */
static int explain_records(const struct lictor_cli *cli)
{
	bool standard = !strcmp(cli->word[0], "-");
	const char *path = standard ? "standard input" : cli->word[0];
	FILE *file OWN(own_fclose) = standard ? stdin : fopen(path, "re");
	struct lictor_diags *diags OWN(own_lictor_diags_free) = lictor_diags_new();
	struct lictor_rules *rules OWN(own_lictor_rules_free) = NULL;
	char *line OWN(own_free) = NULL;
	size_t room = 0, number = 0;
	ssize_t length;
	int status;

	if (!file)
		return lictor_cli_fail(LICTOR_EXIT_FINDINGS, "%s: %s", path, strerror(errno));
	if (!diags)
		return lictor_cli_fail(LICTOR_EXIT_FINDINGS, "%s", strerror(ENOMEM));
	status = lictor_cli_good_rules(cli, diags, &rules);
	while (!status && (length = getline(&line, &room, file)) > 0)
		status = explain_record(rules, path, ++number, line, (size_t)length);
	if (!status && ferror(file))
		status = lictor_cli_fail(LICTOR_EXIT_FINDINGS, "%s: %s", path, strerror(errno));
	return status;
}

int lictor_cli_explain(const struct lictor_cli *cli)
{
	struct lictor_fact *fact OWN(own_free) = calloc(cli->words + 1, sizeof(*fact));
	int event, status = LICTOR_EXIT_OK;
	size_t i;

	if (!fact)
		return lictor_cli_fail(LICTOR_EXIT_FINDINGS, "%s", strerror(ENOMEM));
	if (!cli->words)
		return lictor_cli_fail(LICTOR_EXIT_USAGE, "explain: an event is expected, such as "
							  "exec; then field=value...");
	if (cli->words == 1 && (!strcmp(cli->word[0], "-") || strpbrk(cli->word[0], "./")))
		return explain_records(cli);
	event = lictor_event_find(cli->word[0]);
	if (event < 0)
		return unknown_event(cli->word[0]);
	for (i = 1; !status && i < cli->words; i++)
		status = parse_fact(event, cli->word[i], &fact[i - 1]);
	return status ? status : explain(cli, event, fact);
}
