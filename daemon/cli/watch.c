/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stage: `lictor watch`. In: lictord's live stream. Out: the same on stdout. lictord has escaped
 * it: a line is a line on any terminal. May touch: the socket.
 */
#include <string.h>

#include "daemon/cli/client.h"
#include "daemon/own.h"

OWNABLE(struct lictor_client, lictor_client_free)

static int begin(struct lictor_client *client)
{
	struct lictor_tree tree;
	size_t length;
	const char *line = lictor_client_line(client, &length);
	int status = LICTOR_EXIT_OK;

	if (!line || lictor_tree_parse(line, length, &tree))
		return lictor_cli_fail(LICTOR_EXIT_PERMISSION,
				       "lictord hung up (root and members of the group lictor may "
				       "watch; or it is just starting)");
	if (strcmp(lictor_tree_text(&tree, NULL, "type"), "watching"))
		status = lictor_cli_fail(LICTOR_EXIT_FINDINGS, "%s",
					 lictor_tree_text(&tree, NULL, "text"));
	lictor_tree_done(&tree);
	return status;
}

int lictor_cli_watch(const struct lictor_cli *cli)
{
	struct lictor_client *client OWN(own_lictor_client_free) = NULL;
	const char *form = cli->output ? cli->output : "short", *line;
	size_t length;
	int status = lictor_client_ask(cli, "watch", form, false, &client);

	if (!status)
		status = begin(client);
	if (status)
		return status;
	while ((line = lictor_client_line(client, &length))) {
		fwrite(line, 1, length, stdout);
		fputc('\n', stdout);
		if (fflush(stdout))
			return LICTOR_EXIT_FINDINGS;
	}
	return lictor_cli_fail(LICTOR_EXIT_NOT_RUNNING,
			       "lictord hung up: it has stopped, or this reader was too slow");
}
