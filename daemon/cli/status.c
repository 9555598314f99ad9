/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stage: `lictor status`. In: lictord's status. Out: the same for people, or as it came. May touch:
 * the socket.
 */
#include <string.h>

#include "daemon/cli/client.h"
#include "daemon/own.h"

OWNABLE(struct lictor_client, lictor_client_free)

typedef unsigned long long number;

static number get(struct lictor_tree *tree, const yaml_node_t *of, const char *name)
{
	return lictor_tree_number(tree, of, name);
}

static void show_bytes(const char *what, uint64_t bytes)
{
	if (bytes < 10240)
		printf("  %-24s %llu B\n", what, (number)bytes);
	else if (bytes < 10 * 1048576)
		printf("  %-24s %.1f KiB\n", what, (double)bytes / 1024);
	else
		printf("  %-24s %.1f MiB\n", what, (double)bytes / 1048576);
}

static void show_head(struct lictor_tree *tree)
{
	number up = get(tree, NULL, "uptime");

	printf("lictord %s, pid %llu, up %llud %02llu:%02llu:%02llu\n",
	       lictor_tree_text(tree, NULL, "version"), get(tree, NULL, "pid"), up / 86400,
	       up / 3600 % 24, up / 60 % 60, up % 60);
	printf("mode %s, generation %llu: %llu of %llu rules in force, %llu degraded\n",
	       lictor_tree_text(tree, NULL, "mode"), get(tree, NULL, "generation"),
	       get(tree, NULL, "in_force"), get(tree, NULL, "rules"), get(tree, NULL, "degraded"));
	printf("%llu clauses, %llu states; reloads %llu, refused %llu\n",
	       get(tree, NULL, "clauses"), get(tree, NULL, "states"), get(tree, NULL, "reloads"),
	       get(tree, NULL, "rejected"));
}

static void show_members(struct lictor_tree *tree, const char *what, const char *name)
{
	const yaml_node_t *of = lictor_tree_get(tree, NULL, name), *key, *value;
	const yaml_node_pair_t *pair;

	if (!of || of->type != YAML_MAPPING_NODE)
		return;
	printf("%s:", what);
	for (pair = of->data.mapping.pairs.start; pair < of->data.mapping.pairs.top; pair++) {
		key = yaml_document_get_node(&tree->document, pair->key);
		value = yaml_document_get_node(&tree->document, pair->value);
		printf("%s %s %s", pair == of->data.mapping.pairs.start ? "" : ",",
		       lictor_tree_text(tree, key, NULL), lictor_tree_text(tree, value, NULL));
	}
	puts(pair == of->data.mapping.pairs.start ? " none" : "");
}

static void show_sinks(struct lictor_tree *tree)
{
	const yaml_node_t *sink;
	const char *error;
	size_t i;

	puts("\nsinks");
	for (i = 0; (sink = lictor_tree_item(tree, NULL, "sinks", i)); i++) {
		error = lictor_tree_text(tree, sink, "error");
		printf("  %-8s %llu written, %llu lost, %llu bytes waiting%s%s\n",
		       lictor_tree_text(tree, sink, "name"), get(tree, sink, "written"),
		       get(tree, sink, "lost"), get(tree, sink, "queued"), *error ? ": " : "",
		       error);
	}
}

static void show_hooks(struct lictor_tree *tree)
{
	const yaml_node_t *hook;
	const char *error;
	size_t i;

	puts("\nhooks");
	for (i = 0; (hook = lictor_tree_item(tree, NULL, "hooks", i)); i++) {
		error = lictor_tree_text(tree, hook, "error");
		printf("  %-24s via %-7s %s%s%s\n", lictor_tree_text(tree, hook, "hook"),
		       lictor_tree_text(tree, hook, "via"),
		       !strcmp(lictor_tree_text(tree, hook, "attached"), "true") ? "attached" :
		       !strcmp(lictor_tree_text(tree, hook, "loaded"), "true")	 ? "not needed" :
										   "not loaded",
		       *error ? ": " : "", error);
	}
}

static void show_memory(struct lictor_tree *tree)
{
	const yaml_node_t *map;
	size_t i;

	puts("\nmemory");
	show_bytes("lictord, resident", get(tree, NULL, "rss_bytes"));
	show_bytes("kernel, maps", get(tree, NULL, "map_bytes"));
	for (i = 0; (map = lictor_tree_item(tree, NULL, "maps", i)); i++)
		show_bytes(lictor_tree_text(tree, map, "name"), get(tree, map, "bytes"));
}

static void show_rule(struct lictor_tree *tree, bool *heading)
{
	const char *state = lictor_tree_text(tree, NULL, "state");

	if (*heading)
		printf("\n%-32s %12s %12s %12s %12s\n", "rules", "matched", "reported", "limited",
		       "lost");
	*heading = false;
	printf("  %-30s %12llu %12llu %12llu %12llu", lictor_tree_text(tree, NULL, "name"),
	       get(tree, NULL, "matched"), get(tree, NULL, "reported"), get(tree, NULL, "limited"),
	       get(tree, NULL, "lost"));
	if (strcmp(state, "in force"))
		printf("  %s", state);
	if (*lictor_tree_text(tree, NULL, "shortfall"))
		printf("  (%s)", lictor_tree_text(tree, NULL, "shortfall"));
	putchar('\n');
}

static int show(void *context, const char *type, struct lictor_tree *tree)
{
	if (!strcmp(type, "rule"))
		show_rule(tree, context);
	if (strcmp(type, "status"))
		return LICTOR_EXIT_OK;
	show_head(tree);
	show_members(tree, "decided", "decided");
	show_members(tree, "could not be decided", "undecided");
	show_members(tree, "reported", "reported");
	show_members(tree, "lost", "lost");
	show_members(tree, "clients", "clients");
	show_sinks(tree);
	show_hooks(tree);
	show_memory(tree);
	return LICTOR_EXIT_OK;
}

int lictor_cli_status(const struct lictor_cli *cli)
{
	struct lictor_client *client OWN(own_lictor_client_free) = NULL;
	bool heading = true, json = lictor_cli_json(cli);
	int status = lictor_client_ask(cli, "status", NULL, false, &client);

	return status ? status : lictor_client_each(client, json, json ? NULL : show, &heading);
}
