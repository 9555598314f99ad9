/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stage: `lictor doctor`. In: what the kernel offers, and what a running lictord made of it. Out:
 * `ok` and `!!` lines, with what to do. May touch: the socket; as root, without a running lictord,
 * the kernel, without attaching.
 */
#include <errno.h>
#include <string.h>

#include "daemon/cli/client.h"
#include "daemon/engine.h"
#include "daemon/own.h"
#include "daemon/support.h"

#define CHECKS_MAX 32u

OWNABLE(struct lictor_client, lictor_client_free)
OWNABLE(struct lictor_engine, lictor_engine_close)

struct findings {
	size_t bad;
	bool cannot;
};

static void finding(struct findings *findings, bool good, const char *what, const char *detail)
{
	printf("%s  %s%s%s\n", good ? "ok" : "!!", what, *detail ? ": " : "", detail);
	findings->bad += !good;
}

static void check_host(struct findings *findings)
{
	struct lictor_host_check check[CHECKS_MAX];
	size_t checks = lictor_host_checks(check, CHECKS_MAX), i;

	for (i = 0; i < checks && i < CHECKS_MAX; i++)
		finding(findings, check[i].good, check[i].what, check[i].detail);
}

/* What this kernel does not have is no fault of the host: rules that need it are named below. */
static void hook_line(struct findings *findings, const char *what, const char *error)
{
	if (error && !strcmp(error, LICTOR_HOOK_MISSING))
		printf("--  %s: %s\n", what, error);
	else
		finding(findings, !error, what, error ? error : "");
}

/* ---- without a running lictord ---- */

static void quiet(int priority, const char *text)
{
	(void)priority;
	(void)text;
}

static void check_engine(struct findings *findings)
{
	struct lictor_engine *engine OWN(own_lictor_engine_close) = NULL;
	const struct lictor_hook_state *hook = NULL;
	char what[80];
	size_t hooks, i;
	int error = lictor_engine_open(quiet, lictor_cli_way(), &engine);

	if (error) {
		findings->cannot = error != -EPERM && error != -EACCES;
		finding(findings, false, "loading the kernel side", strerror(-error));
		return;
	}
	hooks = lictor_engine_hooks(engine, &hook);
	for (i = 0; i < hooks; i++) {
		snprintf(what, sizeof(what), "hook %s via %s", hook[i].hook, hook[i].via);
		hook_line(findings, what, lictor_support_hook(&hook[i]));
	}
}

/* ---- with one ---- */

static void check_hooks(struct findings *findings, struct lictor_tree *tree)
{
	const yaml_node_t *hook;
	const char *error;
	char what[128];
	size_t i;

	for (i = 0; (hook = lictor_tree_item(tree, NULL, "hooks", i)); i++) {
		error = lictor_tree_text(tree, hook, "error");
		snprintf(what, sizeof(what), "hook %s via %s%s",
			 lictor_tree_text(tree, hook, "hook"), lictor_tree_text(tree, hook, "via"),
			 *error || strcmp(lictor_tree_text(tree, hook, "attached"), "true") ?
				 "" : ", attached");
		hook_line(findings, what, *error ? error : NULL);
	}
}

static void check_sinks(struct findings *findings, struct lictor_tree *tree)
{
	const yaml_node_t *sink;
	const char *error;
	char what[64], detail[256];
	size_t i;

	for (i = 0; (sink = lictor_tree_item(tree, NULL, "sinks", i)); i++) {
		error = lictor_tree_text(tree, sink, "error");
		snprintf(what, sizeof(what), "sink %s", lictor_tree_text(tree, sink, "name"));
		snprintf(detail, sizeof(detail), "%s written, %s lost%s%s",
			 lictor_tree_text(tree, sink, "written"),
			 lictor_tree_text(tree, sink, "lost"), *error ? "; " : "", error);
		finding(findings, !*error && !lictor_tree_number(tree, sink, "lost"), what, detail);
	}
}

static void check_losses(struct findings *findings, struct lictor_tree *tree)
{
	const yaml_node_t *lost = lictor_tree_get(tree, NULL, "lost");
	uint64_t all = 0;
	char detail[160];

	if (!lost)
		return;
	all += lictor_tree_number(tree, lost, "verdicts");
	all += lictor_tree_number(tree, lost, "reports");
	snprintf(detail, sizeof(detail), "%llu records lost%s", (unsigned long long)all,
		 all ? " (what they reported was still carried out; give the noisy rules a limit)" :
		       "");
	finding(findings, !all, "rings", detail);
}

static int check_daemon(void *context, const char *type, struct lictor_tree *tree)
{
	struct findings *findings = context;
	const char *shortfall = lictor_tree_text(tree, NULL, "shortfall");
	char what[160];

	if (!strcmp(type, "status")) {
		snprintf(what, sizeof(what), "lictord runs: mode %s, %s rules in force",
			 lictor_tree_text(tree, NULL, "mode"),
			 lictor_tree_text(tree, NULL, "in_force"));
		finding(findings, lictor_tree_number(tree, NULL, "in_force") > 0, what, "");
		check_hooks(findings, tree);
		check_losses(findings, tree);
		check_sinks(findings, tree);
	}
	if (!strcmp(type, "rule") && *shortfall) {
		snprintf(what, sizeof(what), "rule %s", lictor_tree_text(tree, NULL, "name"));
		finding(findings, false, what, shortfall);
	}
	return LICTOR_EXIT_OK;
}

int lictor_cli_doctor(const struct lictor_cli *cli)
{
	struct lictor_client *client OWN(own_lictor_client_free) = NULL;
	struct findings findings = { 0 };
	int status;

	check_host(&findings);
	status = lictor_client_ask(cli, "status", NULL, true, &client);
	if (!status)
		status = lictor_client_each(client, false, check_daemon, &findings);
	else if (status == LICTOR_EXIT_NOT_RUNNING) {
		puts("--  lictord is not running");
		if (!geteuid())
			check_engine(&findings);
		status = LICTOR_EXIT_OK;
	}
	if (findings.cannot)
		return LICTOR_EXIT_KERNEL;
	return findings.bad ? LICTOR_EXIT_FINDINGS : status;
}
