/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stage: `lictor reload` and `lictor rotate`. In: lictord's word on how it went. Out: the same, and
 * the diagnostics of rules that were refused. May touch: the socket.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/cli/client.h"
#include "daemon/own.h"

OWNABLE(struct lictor_client, lictor_client_free)

static int status_of(int error)
{
	switch (error) {
	case 0:
		return LICTOR_EXIT_OK;
	case EINVAL:
	case E2BIG:
		return LICTOR_EXIT_RULES;
	case EOPNOTSUPP:
	case ENOSYS:
		return LICTOR_EXIT_KERNEL;
	case EPERM:
	case EACCES:
		return LICTOR_EXIT_PERMISSION;
	default:
		return LICTOR_EXIT_FINDINGS;
	}
}

static int show(void *context, const char *type, struct lictor_tree *tree)
{
	const char *text = lictor_tree_text(tree, NULL, "text");
	int error;

	if (!strcmp(type, "diagnostic")) {
		fprintf(stderr, "%s\n", text);
		return LICTOR_EXIT_OK;
	}
	if (strcmp(type, context))
		return LICTOR_EXIT_OK;
	error = (int)lictor_tree_number(tree, NULL, "errno");
	if (error)
		return lictor_cli_fail(status_of(error), "%s", text);
	puts(text);
	return LICTOR_EXIT_OK;
}

static int ask(const struct lictor_cli *cli, const char *what)
{
	struct lictor_client *client OWN(own_lictor_client_free) = NULL;
	char *word OWN(own_free) = strdup(what);
	int status;

	if (!word)
		return lictor_cli_fail(LICTOR_EXIT_FINDINGS, "%s", strerror(ENOMEM));
	status = lictor_client_ask(cli, what, NULL, false, &client);
	return status ? status : lictor_client_each(client, false, show, word);
}

int lictor_cli_reload(const struct lictor_cli *cli)
{
	return ask(cli, "reload");
}

int lictor_cli_rotate(const struct lictor_cli *cli)
{
	return ask(cli, "rotate");
}
