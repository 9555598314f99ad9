/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stage: `lictor check`. In: rule files. Out: what is wrong with them, and with --host what this
 * kernel cannot carry out. May touch: the files; with --host, the kernel, without attaching.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include "daemon/cli/cli.h"
#include "daemon/engine.h"
#include "daemon/own.h"
#include "daemon/support.h"
#include "output/format.h"

OWNABLE(struct lictor_diags, lictor_diags_free)
OWNABLE(struct lictor_rules, lictor_rules_free)
OWNABLE(struct lictor_engine, lictor_engine_close)

static void no_log(int priority, const char *text)
{
	if (priority <= LOG_WARNING)
		lictor_cli_fail(0, "%s", text);
}

/* Limits show when the image is made; its anchors and hashes do not matter for that. */
static int compile(const struct lictor_rules *rules, struct lictor_diags *diags)
{
	struct lictor_compiled *compiled = NULL;
	int error = lictor_compile(rules, 0, NULL, false, 1, 1, NULL, diags, &compiled);

	if (compiled)
		lictor_compiled_free(compiled);
	return error;
}

static int open_engine(struct lictor_engine **ret_engine)
{
	int error = lictor_engine_open(no_log, lictor_cli_way(), ret_engine);

	if (!error)
		return LICTOR_EXIT_OK;
	return lictor_cli_fail(error == -EPERM || error == -EACCES ? LICTOR_EXIT_PERMISSION :
								     LICTOR_EXIT_KERNEL,
			       "--host: %s; lictor doctor tells more", strerror(-error));
}

struct host {
	size_t rules;	/* that fall short */
	size_t written;	/* in the files */
	const struct lictor_diags *diags;
	bool json;
};

static void show_rule(struct host *host, const struct lictor_shortfall *fall, const char *text)
{
	struct lictor_line line = { 0 };
	const char *file = fall->place.file < host->diags->sources ?
				   host->diags->source[fall->place.file].name : "?";

	if (host->json) {
		lictor_line_text(&line, host->rules ? ",{\"rule\":" : "{\"rule\":");
		lictor_line_json(&line, fall->name, strlen(fall->name));
		lictor_line_text(&line, ",\"file\":");
		lictor_line_json(&line, file, strlen(file));
		lictor_line_printf(&line, ",\"line\":%u,\"column\":%u,\"text\":", fall->place.line,
				   fall->place.column);
		lictor_line_json(&line, text, strlen(text));
		lictor_line_text(&line, "}");
	} else {
		lictor_line_escaped(&line, file, strlen(file));
		lictor_line_printf(&line, ":%u:%u: rule %s: %s\n", fall->place.line,
				   fall->place.column, fall->name, text);
	}
	if (!line.failed)
		fwrite(line.byte, 1, line.length, stdout);
	lictor_line_done(&line);
	host->rules++;
}

static int show_host(struct lictor_rules *rules, struct host *host)
{
	struct lictor_engine *engine OWN(own_lictor_engine_close) = NULL;
	const struct lictor_shortfall *fall;
	struct lictor_support support = { 0 };
	const char *text;
	size_t i;
	int status = open_engine(&engine);

	if (status)
		return status;
	if (lictor_support_apply(engine, false, true, rules, &support))
		return lictor_cli_fail(LICTOR_EXIT_FINDINGS, "--host: %s", strerror(ENOMEM));
	fall = support.shortfall;
	for (i = 0; i < support.shortfalls; i++) {
		if (i && fall[i].rule == fall[i - 1].rule)
			continue;
		text = lictor_support_text(&support, fall[i].rule, rules->arena);
		show_rule(host, &fall[i], text ? text : fall[i].why);
	}
	return host->rules ? LICTOR_EXIT_FINDINGS : LICTOR_EXIT_OK;
}

static void print(const struct lictor_cli *cli, const struct lictor_diags *diags)
{
	if (!lictor_cli_json(cli)) {
		lictor_diags_print(diags, stdout);
		return;
	}
	fputs(cli->host ? "{\"diagnostics\":" : "", stdout);
	lictor_diags_print_json(diags, stdout);
}

static int status_of(const struct lictor_diags *diags, int error)
{
	if (diags->errors)
		return LICTOR_EXIT_RULES;
	if (error)
		return lictor_cli_fail(LICTOR_EXIT_FINDINGS, "%s", strerror(-error));
	return diags->warnings ? LICTOR_EXIT_FINDINGS : LICTOR_EXIT_OK;
}

static void sum_up(const struct lictor_diags *diags, const struct host *host)
{
	if (host->rules)
		fprintf(stderr, "lictor: %zu of %zu rules cannot be carried out here as written\n",
			host->rules, host->written);
	if (diags->errors || diags->warnings)
		fprintf(stderr, "lictor: %zu error%s, %zu warning%s\n", diags->errors,
			diags->errors == 1 ? "" : "s", diags->warnings,
			diags->warnings == 1 ? "" : "s");
	else if (!host->rules)
		printf("%zu rules, nothing wrong\n", host->written);
}

int lictor_cli_check(const struct lictor_cli *cli)
{
	struct lictor_diags *diags OWN(own_lictor_diags_free) = lictor_diags_new();
	struct lictor_rules *rules OWN(own_lictor_rules_free) = NULL;
	struct host host = { .diags = diags, .json = lictor_cli_json(cli) };
	int error, status, found = LICTOR_EXIT_OK;

	if (!diags)
		return lictor_cli_fail(LICTOR_EXIT_FINDINGS, "%s", strerror(ENOMEM));
	error = lictor_cli_rules(cli->words, cli->word, diags, &rules);
	if (!error)
		error = compile(rules, diags);
	host.written = rules ? rules->rules : 0;
	print(cli, diags);
	status = status_of(diags, error);
	if (cli->host && host.json)
		fputs(",\"host\":[", stdout);
	if (cli->host && rules && status != LICTOR_EXIT_RULES)
		found = show_host(rules, &host);
	if (cli->host && host.json)
		puts("]}");
	if (!host.json && (rules || diags->errors))
		sum_up(diags, &host);
	return found > status ? found : status;
}
