/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stage: lictor(1). In: the command line. Out: the command of the table that it names, run. Touches
 * nothing itself.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/cli/cli.h"
#include "daemon/config.h"
#include "daemon/nearest.h"
#include "daemon/own.h"
#include "daemon/version.h"

#define COMMANDS (sizeof(commands) / sizeof(commands[0]))
#define CONTROL_HELP \
	"  --control PATH    lictord's socket (lictor.conf's, or " LICTOR_CONTROL_PATH ")\n"

OWNABLE(struct lictor_arena, lictor_arena_free)
OWNABLE(struct lictor_diags, lictor_diags_free)

static const struct lictor_command commands[] = {
	{ "check", "[FILE|DIR...] [-o json] [--host]", "say what is wrong with rules",
	  "Reads, checks and compiles them, without installing anything. Without arguments: those\n"
	  "that lictor.conf names. Exit status: 0 nothing is wrong, 1 warnings only, 5 errors.\n"
	  "  -o json           as JSON\n"
	  "  --host            also name each rule that this kernel cannot carry out (needs\n"
	  "                    root); exit status 1 if there are any\n",
	  CLI_OUTPUT | CLI_HOST, { "json" }, 4096, lictor_cli_check },
	{ "explain", "EVENT field=value... | RECORD [--rules DIR...]",
	  "say which rules match, and why",
	  "For example: lictor explain exec file.path=/tmp/x process.executable=/bin/sh\n"
	  "  RECORD            records of the JSON log, one a line, in a file or - (standard input):\n"
	  "                    what each was by the rules that it names\n"
	  "  --rules DIR...    rules to ask (those that lictor.conf names)\n",
	  CLI_RULES, { NULL }, 256, lictor_cli_explain },
	{ "list", "[--rules DIR...] [-o json]", "list rules: events, action, mode, where from",
	  "Those in force, from lictord; with --rules, those of the files.\n"
	  "  --rules DIR...    rules to list, without asking lictord\n"
	  "  -o json           as JSON, one object a line\n" CONTROL_HELP,
	  CLI_OUTPUT | CLI_RULES | CLI_CONTROL, { "json" }, 0, lictor_cli_list },
	{ "watch", "[-o short|json]", "show what lictord tells, as it happens",
	  "  -o short          a line for people (the default)\n"
	  "  -o json           the records of the JSON log\n" CONTROL_HELP,
	  CLI_OUTPUT | CLI_CONTROL, { "short", "json" }, 0, lictor_cli_watch },
	{ "status", "[-o json]", "show state, rules, counters, hooks, memory",
	  "  -o json           as JSON, one object a line\n" CONTROL_HELP, CLI_OUTPUT | CLI_CONTROL,
	  { "json" }, 0, lictor_cli_status },
	{ "reload", "", "read the rules again",
	  "Returns when they are in force. Exit status 5: they are wrong, those in force stay.\n"
	  CONTROL_HELP, CLI_CONTROL, { NULL }, 0, lictor_cli_reload },
	{ "rotate", "", "begin a new log file", CONTROL_HELP, CLI_CONTROL, { NULL }, 0,
	  lictor_cli_rotate },
	{ "doctor", "", "say what this host lacks, and what to do",
	  "Exit status: 0 all is well, 1 findings, 6 this kernel cannot.\n" CONTROL_HELP,
	  CLI_CONTROL, { NULL }, 0, lictor_cli_doctor },
};

/* ---- what the commands share ---- */

int lictor_cli_fail(int status, const char *format, ...)
{
	va_list list;

	fputs("lictor: ", stderr);
	va_start(list, format);
	vfprintf(stderr, format, list);
	va_end(list);
	fputc('\n', stderr);
	return status;
}

bool lictor_cli_json(const struct lictor_cli *cli)
{
	return cli->output && !strcmp(cli->output, "json");
}

static int read_dirs(size_t dirs, const char *const *dir, struct lictor_diags *diags,
		     struct lictor_rules **ret_rules)
{
	struct lictor_arena *arena OWN(own_lictor_arena_free) = lictor_arena_new();
	const char *const *file = NULL;
	size_t files = 0;
	int error = arena ? lictor_rules_files(dirs, dir, diags, arena, &files, &file) : -ENOMEM;

	return error ? error : lictor_rules_read(files, file, diags, ret_rules);
}

int lictor_cli_rules(size_t dirs, const char *const *dir, struct lictor_diags *diags,
		     struct lictor_rules **ret_rules)
{
	struct lictor_config config;
	int error;

	if (dirs)
		return read_dirs(dirs, dir, diags, ret_rules);
	error = lictor_config_init(&config);
	if (error)
		return error;
	error = lictor_config_read(LICTOR_CONFIG_FILE, diags, &config);
	if (!error || error == -ENOENT)
		error = read_dirs(config.dirs, (const char *const *)config.dir, diags, ret_rules);
	lictor_config_done(&config);
	return error;
}

enum lictor_via lictor_cli_way(void)
{
	struct lictor_diags *diags OWN(own_lictor_diags_free) = lictor_diags_new();
	struct lictor_config config;
	enum lictor_via way = LICTOR_VIAS;

	if (!diags || lictor_config_init(&config))
		return way;
	if (!lictor_config_read(LICTOR_CONFIG_FILE, diags, &config))
		way = config.way;
	lictor_config_done(&config);
	return way;
}

int lictor_cli_good_rules(const struct lictor_cli *cli, struct lictor_diags *diags,
			  struct lictor_rules **ret_rules)
{
	int error = lictor_cli_rules(cli->dirs, cli->dir, diags, ret_rules);

	if (diags->errors) {
		lictor_diags_print(diags, stderr);
		return LICTOR_EXIT_RULES;
	}
	return error ? lictor_cli_fail(LICTOR_EXIT_FINDINGS, "%s", strerror(-error)) :
		       LICTOR_EXIT_OK;
}

/* ---- help ---- */

static void help(FILE *out)
{
	size_t i;

	fputs("lictor COMMAND [ARGUMENTS]\n\n", out);
	for (i = 0; i < COMMANDS; i++)
		fprintf(out, "  %-9s %s\n", commands[i].name, commands[i].summary);
	fputs("\nlictor COMMAND --help tells more. Exit status: 0 ok, 1 findings, 2 usage,\n"
	      "3 not running, 4 permission, 5 bad rules, 6 this kernel cannot.\n", out);
}

static int help_command(const struct lictor_command *command)
{
	printf("lictor %s %s\n\n%c%s.\n%s", command->name, command->arguments,
	       command->summary[0] - 'a' + 'A', command->summary + 1, command->help);
	return LICTOR_EXIT_OK;
}

static int usage(const struct lictor_command *command)
{
	fprintf(stderr, "lictor %s %s\n", command->name, command->arguments);
	return LICTOR_EXIT_USAGE;
}

/* ---- options ---- */

struct option {
	const char *name;
	const char *letter;
	unsigned which;
};

static const struct option options[] = {
	{ "--output", "-o", CLI_OUTPUT },
	{ "--rules", NULL, CLI_RULES },
	{ "--host", NULL, CLI_HOST },
	{ "--control", NULL, CLI_CONTROL },
};

struct words {
	int argc;
	char **argv;
	int at;
};

/* The option that the word names, and behind a "=" its value. */
static const struct option *find_option(const struct lictor_command *command, const char *word,
					const char **ret_value)
{
	const char *equals = strchr(word, '=');
	size_t length = equals ? (size_t)(equals - word) : strlen(word), i;

	*ret_value = equals ? equals + 1 : NULL;
	for (i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		if (!(command->options & options[i].which))
			continue;
		if (strlen(options[i].name) == length && !strncmp(options[i].name, word, length))
			return &options[i];
		if (options[i].letter && !strcmp(options[i].letter, word))
			return &options[i];
	}
	return NULL;
}

static bool known_output(const struct lictor_command *command, const char *output)
{
	size_t i;

	for (i = 0; command->outputs[i]; i++)
		if (!strcmp(command->outputs[i], output))
			return true;
	lictor_cli_fail(0, "-o %s: %s%s%s is expected", output, command->outputs[0],
			command->outputs[1] ? " or " : "",
			command->outputs[1] ? command->outputs[1] : "");
	return false;
}

/* Returns 0 or -EINVAL, which has been said. */
static int take_option(const struct lictor_command *command, struct words *words,
		       struct lictor_cli *cli)
{
	const char *word = words->argv[words->at++], *value;
	const struct option *option = find_option(command, word, &value);

	if (!option || (option->which == CLI_HOST && value)) {
		lictor_cli_fail(0, "%s %s: no such option", command->name, word);
		return -EINVAL;
	}
	if (option->which == CLI_HOST) {
		cli->host = true;
		return 0;
	}
	if (!value && words->at < words->argc)
		value = words->argv[words->at++];
	if (!value) {
		lictor_cli_fail(0, "%s: a value is expected", word);
		return -EINVAL;
	}
	if (option->which == CLI_OUTPUT) {
		cli->output = value;
		return known_output(command, value) ? 0 : -EINVAL;
	}
	if (option->which == CLI_CONTROL) {
		cli->control = value;
		return 0;
	}
	cli->dir[cli->dirs++] = value;
	while (words->at < words->argc && words->argv[words->at][0] != '-')
		cli->dir[cli->dirs++] = words->argv[words->at++];
	return 0;
}

static int run(const struct lictor_command *command, struct words *words, struct lictor_cli *cli)
{
	const char *word;
	bool plain = false;

	while (words->at < words->argc) {
		word = words->argv[words->at];
		if (!plain && (!strcmp(word, "--help") || !strcmp(word, "-h")))
			return help_command(command);
		if (!plain && !strcmp(word, "--")) {
			plain = true;
			words->at++;
		} else if (!plain && word[0] == '-' && word[1]) {
			if (take_option(command, words, cli))
				return usage(command);
		} else {
			cli->word[cli->words++] = words->argv[words->at++];
		}
	}
	if (cli->words <= command->words_max)
		return command->run(cli);
	lictor_cli_fail(0, "%s: %s is one argument too many", command->name,
			cli->word[command->words_max]);
	return usage(command);
}

static int unknown(const char *word)
{
	const char *known[COMMANDS], *near;
	size_t i;

	for (i = 0; i < COMMANDS; i++)
		known[i] = commands[i].name;
	near = lictor_nearest(word, COMMANDS, known);
	if (near)
		return lictor_cli_fail(LICTOR_EXIT_USAGE,
				       "no command \"%s\"; did you mean \"%s\"?", word, near);
	return lictor_cli_fail(LICTOR_EXIT_USAGE, "no command \"%s\"; lictor --help lists them",
			       word);
}

int main(int argc, char **argv)
{
	const char **dir OWN(own_free) = calloc((size_t)argc + 1, sizeof(*dir));
	const char **word OWN(own_free) = calloc((size_t)argc + 1, sizeof(*word));
	struct lictor_cli cli = { .dir = dir, .word = word };
	struct words words = { argc, argv, 2 };
	int status;
	size_t i;

	if (!dir || !word)
		return lictor_cli_fail(LICTOR_EXIT_FINDINGS, "%s", strerror(ENOMEM));
	if (argc < 2) {
		help(stderr);
		return LICTOR_EXIT_USAGE;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help")) {
		help(stdout);
		return LICTOR_EXIT_OK;
	}
	if (!strcmp(argv[1], "--version")) {
		puts("lictor " LICTOR_VERSION);
		return LICTOR_EXIT_OK;
	}
	for (i = 0; i < COMMANDS; i++)
		if (!strcmp(argv[1], commands[i].name))
			break;
	if (i == COMMANDS)
		return unknown(argv[1]);
	status = run(&commands[i], &words, &cli);
	if (fflush(stdout) && !status)
		status = lictor_cli_fail(LICTOR_EXIT_FINDINGS, "stdout: %s", strerror(errno));
	return status;
}
