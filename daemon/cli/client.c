/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stage: lictor's end of the control socket. In: a request. Out: lines, or trees of them. May
 * touch: the socket.
 */
#include "daemon/cli/client.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#include "daemon/config.h"
#include "daemon/own.h"
#include "daemon/request.h"

#define ANSWER_SECONDS 300	/* rules may be compiling, and a slow machine verifying programs */

struct lictor_client {
	FILE *stream;
	char *line;
	size_t room;
};

OWNABLE(struct lictor_client, lictor_client_free)
OWNABLE(struct lictor_diags, lictor_diags_free)

/* What the option says, or lictor.conf where it can be read, or the default. */
static int socket_path(const struct lictor_cli *cli, struct sockaddr_un *ret_address)
{
	struct lictor_diags *diags OWN(own_lictor_diags_free) = lictor_diags_new();
	struct lictor_config config;
	const char *path = cli->control;
	int error = -ENOMEM;

	if (!diags || lictor_config_init(&config))
		return error;
	if (!path && !lictor_config_read(LICTOR_CONFIG_FILE, diags, &config))
		path = config.control;
	if (!path)
		path = LICTOR_CONTROL_PATH;
	*ret_address = (struct sockaddr_un){ .sun_family = AF_UNIX };
	error = strlen(path) < sizeof(ret_address->sun_path) ? 0 : -ENAMETOOLONG;
	if (!error)
		memcpy(ret_address->sun_path, path, strlen(path));
	lictor_config_done(&config);
	return error;
}

static int cannot_connect(const char *path, int error, bool quiet)
{
	if (error == ENOENT || error == ECONNREFUSED) {
		if (!quiet)
			lictor_cli_fail(0, "lictord is not running (nobody answers at %s)", path);
		return LICTOR_EXIT_NOT_RUNNING;
	}
	if (error == EACCES || error == EPERM)
		return lictor_cli_fail(LICTOR_EXIT_PERMISSION,
				       "%s: %s (root and members of the group lictor may ask)",
				       path, strerror(error));
	return lictor_cli_fail(LICTOR_EXIT_FINDINGS, "%s: %s", path, strerror(error));
}

static int say_request(int fd, const char *request, const char *format)
{
	char text[LICTOR_REQUEST_MAX];
	int length = snprintf(text, sizeof(text), "{\"v\":%d,\"request\":\"%s\"%s%s%s}\n",
			      LICTOR_PROTOCOL, request, format ? ",\"format\":\"" : "",
			      format ? format : "", format ? "\"" : "");

	return send(fd, text, (size_t)length, MSG_NOSIGNAL) == length ? 0 : -EPIPE;
}

int lictor_client_ask(const struct lictor_cli *cli, const char *request, const char *format,
		      bool quiet, struct lictor_client **ret_client)
{
	struct lictor_client *client OWN(own_lictor_client_free) = calloc(1, sizeof(*client));
	struct timeval patience = { .tv_sec = format ? 0 : ANSWER_SECONDS };
	struct sockaddr_un address;
	int fd OWN(own_close) = -1;
	int error = socket_path(cli, &address);

	if (error || !client)
		return lictor_cli_fail(LICTOR_EXIT_FINDINGS, "the control socket's path: %s",
				       strerror(error ? -error : ENOMEM));
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		return cannot_connect(address.sun_path, errno, quiet);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	client->stream = fdopen(fd, "r");
	if (!client->stream)
		return lictor_cli_fail(LICTOR_EXIT_FINDINGS, "%s: %s", address.sun_path,
				       strerror(errno));
	fd = -1;
	/* Where this fails, lictord has hung up: its answer, or that there is none, says more. */
	say_request(fileno(client->stream), request, format);
	*ret_client = TAKE(client);
	return LICTOR_EXIT_OK;
}

void lictor_client_free(struct lictor_client *client)
{
	if (client->stream)
		fclose(client->stream);
	free(client->line);
	free(client);
}

const char *lictor_client_line(struct lictor_client *client, size_t *ret_length)
{
	ssize_t length;

	errno = 0;
	length = getline(&client->line, &client->room, client->stream);
	if (length <= 0 || client->line[length - 1] != '\n')
		return NULL;
	client->line[--length] = '\0';
	*ret_length = (size_t)length;
	return client->line;
}

/* ---- trees ---- */

int lictor_tree_parse(const char *line, size_t length, struct lictor_tree *ret_tree)
{
	yaml_parser_t parser OWN(yaml_parser_delete);

	if (!yaml_parser_initialize(&parser))
		return -ENOMEM;
	yaml_parser_set_input_string(&parser, (const unsigned char *)line, length);
	if (!yaml_parser_load(&parser, &ret_tree->document))
		return -EBADMSG;
	ret_tree->root = yaml_document_get_root_node(&ret_tree->document);
	if (ret_tree->root && ret_tree->root->type == YAML_MAPPING_NODE)
		return 0;
	lictor_tree_done(ret_tree);
	return -EBADMSG;
}

void lictor_tree_done(struct lictor_tree *tree)
{
	yaml_document_delete(&tree->document);
}

const yaml_node_t *lictor_tree_get(struct lictor_tree *tree, const yaml_node_t *of,
				   const char *name)
{
	const yaml_node_pair_t *pair;
	const yaml_node_t *key;

	of = of ? of : tree->root;
	if (of->type != YAML_MAPPING_NODE)
		return NULL;
	for (pair = of->data.mapping.pairs.start; pair < of->data.mapping.pairs.top; pair++) {
		key = yaml_document_get_node(&tree->document, pair->key);
		if (key->type == YAML_SCALAR_NODE &&
		    !strcmp((const char *)key->data.scalar.value, name))
			return yaml_document_get_node(&tree->document, pair->value);
	}
	return NULL;
}

static const char *text_of(const yaml_node_t *node)
{
	if (!node || node->type != YAML_SCALAR_NODE)
		return "";
	if (node->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
	    !strcmp((const char *)node->data.scalar.value, "null"))
		return "";
	return (const char *)node->data.scalar.value;
}

const char *lictor_tree_text(struct lictor_tree *tree, const yaml_node_t *of, const char *name)
{
	return text_of(name ? lictor_tree_get(tree, of, name) : of);
}

uint64_t lictor_tree_number(struct lictor_tree *tree, const yaml_node_t *of, const char *name)
{
	return strtoull(lictor_tree_text(tree, of, name), NULL, 10);
}

const yaml_node_t *lictor_tree_item(struct lictor_tree *tree, const yaml_node_t *of,
				    const char *name, size_t index)
{
	const yaml_node_t *list = lictor_tree_get(tree, of, name);

	if (!list || list->type != YAML_SEQUENCE_NODE ||
	    index >= (size_t)(list->data.sequence.items.top - list->data.sequence.items.start))
		return NULL;
	return yaml_document_get_node(&tree->document, list->data.sequence.items.start[index]);
}

static int one(const char *line, size_t length, bool *ret_end,
	       int (*each)(void *context, const char *type, struct lictor_tree *tree),
	       void *context)
{
	struct lictor_tree tree;
	const char *type;
	int status = LICTOR_EXIT_OK;

	if (lictor_tree_parse(line, length, &tree))
		return lictor_cli_fail(LICTOR_EXIT_FINDINGS, "lictord's answer is not JSON");
	type = lictor_tree_text(&tree, NULL, "type");
	*ret_end = !strcmp(type, "end");
	if (!strcmp(type, "error"))
		status = lictor_cli_fail(LICTOR_EXIT_FINDINGS, "%s",
					 lictor_tree_text(&tree, NULL, "text"));
	else if (each && !*ret_end)
		status = each(context, type, &tree);
	lictor_tree_done(&tree);
	return status;
}

int lictor_client_each(struct lictor_client *client, bool json,
		       int (*each)(void *context, const char *type, struct lictor_tree *tree),
		       void *context)
{
	int status = LICTOR_EXIT_OK, last;
	bool end = false, any = false;
	const char *line;
	size_t length;

	while (!end && (line = lictor_client_line(client, &length))) {
		any = true;
		last = one(line, length, &end, each, context);
		if (json && !end)
			puts(line);
		status = last ? last : status;
	}
	if (end || status)
		return status;
	if (errno == EAGAIN)
		return lictor_cli_fail(LICTOR_EXIT_FINDINGS, "lictord has not answered in %d seconds",
				       ANSWER_SECONDS);
	if (!any)
		return lictor_cli_fail(LICTOR_EXIT_PERMISSION,
				       "lictord hung up (root and members of the group lictor may "
				       "ask; or it is just starting)");
	return lictor_cli_fail(LICTOR_EXIT_FINDINGS, "lictord hung up in the middle");
}
