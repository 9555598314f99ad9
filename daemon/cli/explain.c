/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stage: `lictor explain`. In: an event in words, rule files. Out: which rules match it, predicate
 * by predicate. May touch: the files.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/cli/cli.h"
#include "daemon/nearest.h"
#include "daemon/own.h"

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
	fact->text = fact->field == LICTOR_FIELD_PROCESS_ENV ? lictor_field_variable(word) :
							       equals + 1;
	if (fact->field <= 0 || !lictor_event_has_field(event, fact->field))
		return unknown_field(event, name);
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
	matches = lictor_explain(rules, event, cli->words - 1, fact, stdout);
	if (matches == -EINVAL)
		return LICTOR_EXIT_USAGE;
	return matches < 0 ? lictor_cli_fail(LICTOR_EXIT_FINDINGS, "%s", strerror(-matches)) :
			     LICTOR_EXIT_OK;
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
	event = lictor_event_find(cli->word[0]);
	if (event < 0)
		return unknown_event(cli->word[0]);
	for (i = 1; !status && i < cli->words; i++)
		status = parse_fact(event, cli->word[i], &fact[i - 1]);
	return status ? status : explain(cli, event, fact);
}
