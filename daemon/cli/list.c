/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stage: `lictor list`. In: lictord's rules, or files. Out: a line a rule. May touch: the socket,
 * or the files.
 */
#include <errno.h>
#include <string.h>

#include "daemon/cli/client.h"
#include "daemon/own.h"
#include "output/format.h"

OWNABLE(struct lictor_client, lictor_client_free)
OWNABLE(struct lictor_diags, lictor_diags_free)
OWNABLE(struct lictor_rules, lictor_rules_free)

static void join(struct lictor_tree *tree, const char *name, const char *between,
		 struct lictor_line *line)
{
	const yaml_node_t *item;
	size_t i;

	for (i = 0; (item = lictor_tree_item(tree, NULL, name, i)); i++) {
		lictor_line_text(line, i ? between : "");
		lictor_line_text(line, lictor_tree_text(tree, item, NULL));
	}
}

static int show(void *context, const char *type, struct lictor_tree *tree)
{
	struct lictor_line line = { 0 };
	const char *state = lictor_tree_text(tree, NULL, "state");
	const char *shortfall = lictor_tree_text(tree, NULL, "shortfall");

	(void)context;
	if (strcmp(type, "rule"))
		return LICTOR_EXIT_OK;
	lictor_line_printf(&line, "%-32s %-6s %-8s ", lictor_tree_text(tree, NULL, "name"),
			   lictor_tree_text(tree, NULL, "action"),
			   lictor_tree_text(tree, NULL, "mode"));
	join(tree, "events", ",", &line);
	lictor_line_printf(&line, "  %s", lictor_tree_text(tree, NULL, "where"));
	if (lictor_tree_item(tree, NULL, "overridden", 0)) {
		lictor_line_text(&line, ", overridden at ");
		join(tree, "overridden", ", ", &line);
	}
	if (*state && strcmp(state, "in force"))
		lictor_line_printf(&line, "  [%s]", state);
	if (*shortfall)
		lictor_line_printf(&line, "  [%s]", shortfall);
	if (!line.failed)
		printf("%.*s\n", (int)line.length, line.byte);
	lictor_line_done(&line);
	return LICTOR_EXIT_OK;
}

static void add_place(struct lictor_line *line, const struct lictor_diags *diags,
		      struct lictor_place place)
{
	char *text OWN(own_free) = NULL;
	const char *file = place.file < diags->sources ? diags->source[place.file].name : "?";
	int length = asprintf(&text, "%s:%u", file, place.line);

	if (length < 0)
		text = NULL;
	else
		lictor_line_json(line, text, (size_t)length);
}

/* The same line as lictord's, as far as a file can say it. */
static void file_rule(const struct lictor_rule *rule, const struct lictor_diags *diags,
		      struct lictor_line *line)
{
	static const char *const mode[] = { "default", "enforce", "monitor" };
	const char *between = "";
	size_t i;

	lictor_line_printf(line, "{\"type\":\"rule\",\"name\":\"%s\",\"ruleset\":", rule->name);
	lictor_line_json(line, rule->ruleset, strlen(rule->ruleset));
	lictor_line_text(line, ",\"events\":[");
	for (i = 0; i < LICTOR_EVENTS; i++) {
		if (!(rule->events & 1ull << i))
			continue;
		lictor_line_printf(line, "%s\"%s\"", between, lictor_event_words[i].name);
		between = ",";
	}
	lictor_line_printf(line, "],\"action\":\"%s\",\"mode\":\"%s\",\"severity\":\"%s\"",
			   lictor_action_words[rule->action], mode[rule->mode],
			   lictor_severity_words[rule->severity & 7]);
	lictor_line_printf(line, ",\"state\":%s,\"where\":",
			   rule->enabled ? "null" : "\"disabled\"");
	add_place(line, diags, rule->place);
	lictor_line_text(line, ",\"overridden\":[");
	for (i = 0; i < rule->overrides; i++) {
		lictor_line_text(line, i ? "," : "");
		add_place(line, diags, rule->override[i]);
	}
	lictor_line_text(line, "]}");
}

static int list_file_rule(const struct lictor_cli *cli, const struct lictor_rule *rule,
			  const struct lictor_diags *diags)
{
	struct lictor_line line = { 0 };
	struct lictor_tree tree;
	int status = LICTOR_EXIT_OK;

	file_rule(rule, diags, &line);
	if (line.failed)
		status = lictor_cli_fail(LICTOR_EXIT_FINDINGS, "%s", strerror(ENOMEM));
	else if (lictor_cli_json(cli))
		printf("%.*s\n", (int)line.length, line.byte);
	else if (!lictor_tree_parse(line.byte, line.length, &tree)) {
		show(NULL, "rule", &tree);
		lictor_tree_done(&tree);
	}
	lictor_line_done(&line);
	return status;
}

static int list_files(const struct lictor_cli *cli)
{
	struct lictor_diags *diags OWN(own_lictor_diags_free) = lictor_diags_new();
	struct lictor_rules *rules OWN(own_lictor_rules_free) = NULL;
	int status;
	size_t i;

	if (!diags)
		return lictor_cli_fail(LICTOR_EXIT_FINDINGS, "%s", strerror(ENOMEM));
	status = lictor_cli_good_rules(cli, diags, &rules);
	for (i = 0; !status && i < rules->rules; i++)
		status = list_file_rule(cli, &rules->rule[i], diags);
	return status;
}

int lictor_cli_list(const struct lictor_cli *cli)
{
	struct lictor_client *client OWN(own_lictor_client_free) = NULL;
	int status;

	if (cli->dirs)
		return list_files(cli);
	status = lictor_client_ask(cli, "rules", NULL, false, &client);
	return status ? status : lictor_client_each(client, lictor_cli_json(cli),
						    lictor_cli_json(cli) ? NULL : show, NULL);
}
