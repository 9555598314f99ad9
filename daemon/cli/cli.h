/* SPDX-License-Identifier: Apache-2.0 */
/* lictor(1): a table of commands, each a file. */
#ifndef LICTOR_CLI_H
#define LICTOR_CLI_H

#include <stdbool.h>
#include <stddef.h>

#include "daemon/exit.h"
#include "rules/rules.h"

/* Options that a command may have. */
#define CLI_OUTPUT	(1u << 0)	/* -o FORMAT */
#define CLI_RULES	(1u << 1)	/* --rules DIR... */
#define CLI_HOST	(1u << 2)	/* --host */
#define CLI_CONTROL	(1u << 3)	/* --control PATH */

struct lictor_cli {
	const char *output;	/* of -o, or NULL */
	bool host;
	const char *control;	/* or NULL */
	size_t dirs;
	const char **dir;	/* of --rules */
	size_t words;
	const char **word;	/* what is no option */
};

/* Returns the exit status. */
typedef int lictor_cli_run(const struct lictor_cli *cli);

struct lictor_command {
	const char *name;
	const char *arguments;
	const char *summary;	/* one line */
	const char *help;	/* more lines */
	unsigned options;
	const char *outputs[4];	/* that -o may name */
	size_t words_max;
	lictor_cli_run *run;
};

lictor_cli_run lictor_cli_check;
lictor_cli_run lictor_cli_explain;
lictor_cli_run lictor_cli_list;
lictor_cli_run lictor_cli_watch;
lictor_cli_run lictor_cli_status;
lictor_cli_run lictor_cli_reload;
lictor_cli_run lictor_cli_rotate;
lictor_cli_run lictor_cli_doctor;

bool lictor_cli_json(const struct lictor_cli *cli);
/* `lictor: what failed: reason` on stderr; gives status back. */
int lictor_cli_fail(int status, const char *format, ...) __attribute__((format(printf, 2, 3)));

/*
 * The rules of the paths given, or else of the configuration. What is wrong is in diags. Returns 0
 * or -errno.
 */
int lictor_cli_rules(size_t dirs, const char *const *dir, struct lictor_diags *diags,
		     struct lictor_rules **ret_rules);
/* The way that the configuration names, for lictor_engine_open(). */
enum lictor_via lictor_cli_way(void);
/* Those of --rules or of the configuration, without errors: those are shown. Gives a status. */
int lictor_cli_good_rules(const struct lictor_cli *cli, struct lictor_diags *diags,
			  struct lictor_rules **ret_rules);

#endif
