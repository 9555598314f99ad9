/* SPDX-License-Identifier: Apache-2.0 */
/* A connection to lictord, and its answers as trees. */
#ifndef LICTOR_CLIENT_H
#define LICTOR_CLIENT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <yaml.h>

#include "daemon/cli/cli.h"

struct lictor_client;

/*
 * Connects and asks. Returns an exit status; quiet: says nothing if lictord is not running. format:
 * of a watch, or NULL.
 */
int lictor_client_ask(const struct lictor_cli *cli, const char *request, const char *format,
		      bool quiet, struct lictor_client **ret_client);
void lictor_client_free(struct lictor_client *client);
/* The next line without its newline, NULL at the end. */
const char *lictor_client_line(struct lictor_client *client, size_t *ret_length);

/* A line of JSON, which YAML reads too. */
struct lictor_tree {
	yaml_document_t document;
	const yaml_node_t *root;
};

int lictor_tree_parse(const char *line, size_t length, struct lictor_tree *ret_tree);
void lictor_tree_done(struct lictor_tree *tree);
const yaml_node_t *lictor_tree_get(struct lictor_tree *tree, const yaml_node_t *of,
				   const char *name);
/* "" where there is no such text; of: NULL for the root. */
const char *lictor_tree_text(struct lictor_tree *tree, const yaml_node_t *of, const char *name);
uint64_t lictor_tree_number(struct lictor_tree *tree, const yaml_node_t *of, const char *name);
/* Items of a list: NULL past its end. */
const yaml_node_t *lictor_tree_item(struct lictor_tree *tree, const yaml_node_t *of,
				    const char *name, size_t index);

/*
 * Reads all lines of an answer. json: they go to stdout as they are; else to each, by their type.
 * Returns the exit status.
 */
int lictor_client_each(struct lictor_client *client, bool json,
		       int (*each)(void *context, const char *type, struct lictor_tree *tree),
		       void *context);

#endif
