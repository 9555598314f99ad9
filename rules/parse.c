/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Parse: one YAML file comes in, a tree with positions goes out. libyaml reads the syntax; it
 * bounds neither depth nor size and lets duplicate keys, aliases and tags through, so those are
 * refused here. No scalar is given a type: that is decided by the field that it stands under.
 * Touches the texts that it is given.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "rules/tree.h"

struct parser {
	yaml_parser_t yaml;
	struct lictor_diags *diags;
	struct lictor_arena *arena;
	uint32_t file;
	struct node *node;
	size_t nodes;
	size_t room;
	unsigned documents;
	unsigned depth;
	size_t open[DEPTH_MAX]; /* the nodes that we are in */
};

void tree_done(struct tree *tree)
{
	free(tree->node);
	tree->node = NULL;
}

static void parser_done(struct parser *parser)
{
	yaml_parser_delete(&parser->yaml);
	free(parser->node);
}

struct lictor_place node_place(const struct node *node)
{
	return (struct lictor_place){ .file = node->file,
				      .line = node->line,
				      .column = node->column,
				      .width = node->width ? node->width : 1 };
}

struct lictor_place node_place_at(const struct node *node, size_t offset)
{
	struct lictor_place place = node_place(node);
	size_t characters = utf8_count(node->text, strlen(node->text));

	/* With escapes in it, or on several lines, the text has other columns than the source. */
	if (node->width >= NODE_WIDTH_MAX || node->width != characters + 2 * node->quoted)
		return place;
	place.column += node->quoted + (uint32_t)utf8_count(node->text, offset);
	place.width = 1;
	return place;
}

static struct lictor_place mark_place(const struct parser *parser, yaml_mark_t mark)
{
	return (struct lictor_place){ .file = parser->file,
				      .line = (uint32_t)mark.line + 1,
				      .column = (uint32_t)mark.column + 1,
				      .width = 1 };
}

static struct lictor_place event_place(const struct parser *parser, const yaml_event_t *event)
{
	struct lictor_place place = mark_place(parser, event->start_mark);

	if (event->end_mark.line == event->start_mark.line)
		place.width = (uint32_t)(event->end_mark.column - event->start_mark.column);
	return place;
}

/* ---- what libyaml says, in the words of somebody who writes rules ---- */

static const struct {
	const char *problem;
	const char *text; /* NULL: as libyaml says it */
	const char *hint;
} mistakes[] = {
	{ "did not find expected alphabetic or numeric character",
	  "a value that begins with \"*\" or \"&\" has to be quoted",
	  "write the pattern in single quotes: '**/name'" },
	{ "found character that cannot start any token", "no value can begin with this character",
	  "indent with spaces, not tabs, and put a value that begins with @, %, ` or a tab in "
	  "single quotes" },
	{ "mapping values are not allowed in this context", "a second \": \" on one line",
	  "begin a new line for each key, and put a value with \": \" in it in quotes" },
	{ "did not find expected ',' or ']'", "this list is not closed by \"]\"",
	  "put a pattern that contains [ ] { } or , in single quotes" },
	{ "did not find expected ',' or '}'", "these braces are not closed by \"}\"",
	  "put a pattern that contains [ ] { } or , in single quotes" },
	{ "could not find expected ':'", "a key without \":\"",
	  "a key, a colon, a space and a value are expected here" },
	{ "did not find expected key", "neither a key nor the end of the block",
	  "look at the indentation, and quote a value that begins with [ { \" or '" },
	{ "did not find expected '-' indicator", "neither \"- \" nor the end of the list",
	  "look at the indentation" },
	{ "found unexpected end of stream", "the closing quote is missing", NULL },
	{ "found unknown escape character", "unknown escape in double quotes",
	  "in single quotes a backslash is a backslash" },
	{ "did not find expected hexdecimal number", "an escape needs hexadecimal digits",
	  "in single quotes a backslash is a backslash" },
	{ "block sequence entries are not allowed in this context", "a list cannot begin here",
	  "begin it on a new line" },
	{ "found unexpected ':'", "a \":\" that belongs to no key",
	  "put a space behind the colon of a key, and a value with \":\" in quotes" },
	{ "did not find expected <document start>",
	  "something follows the end of the file's content",
	  "look at the indentation, and quote a value that begins with [ { \" or '" },
	{ "found a tab character that violates indentation", "a tab in the indentation",
	  "indent with spaces" },
	{ "found a tab character where an indentation space is expected",
	  "a tab in the indentation", "indent with spaces" },
};

static int complain_syntax(const struct parser *parser)
{
	const yaml_parser_t *yaml = &parser->yaml;
	const char *problem = yaml->problem ? yaml->problem : "not YAML";
	struct lictor_place place = mark_place(parser, yaml->problem_mark);

	if (yaml->error == YAML_MEMORY_ERROR)
		return -ENOMEM;
	if (!strcmp(problem, "found unexpected end of stream") && yaml->context)
		place = mark_place(parser, yaml->context_mark); /* where the quote was opened */
	for (size_t i = 0; i < sizeof(mistakes) / sizeof(*mistakes); i++) {
		if (strcmp(mistakes[i].problem, problem))
			continue;
		lictor_diag_error(parser->diags, place, mistakes[i].hint, "%s", mistakes[i].text);
		return -EINVAL;
	}
	lictor_diag_error(parser->diags, place, NULL, "%s", problem);
	return -EINVAL;
}

/* ---- events to nodes ---- */

static int add_node(struct parser *parser, enum node_kind kind, const yaml_event_t *event)
{
	struct lictor_place place = event_place(parser, event);
	struct node *node;

	if (parser->nodes == NODES_MAX) {
		lictor_diag_error(parser->diags, place, "spread them over several files",
				  "more than %u keys and values in one file", NODES_MAX);
		return -EINVAL;
	}
	if (parser->nodes == parser->room) {
		size_t room = parser->room ? 2 * parser->room : 256;

		node = realloc(parser->node, room * sizeof(*node));
		if (!node)
			return -ENOMEM;
		parser->node = node;
		parser->room = room;
	}
	node = &parser->node[parser->nodes++];
	*node = (struct node){ .line = place.line,
			       .column = place.column,
			       .file = parser->file & 0xffff,
			       .width = place.width < NODE_WIDTH_MAX ? place.width & 0x1fff :
								       NODE_WIDTH_MAX,
			       .kind = kind & 3,
			       .size = 1 };
	return 0;
}

/* Reports what a node may not carry. */
static void refuse_marks(struct parser *parser, const yaml_event_t *event, const void *anchor,
			 const char *tag)
{
	struct lictor_place place = event_place(parser, event);

	place.width = 1;
	if (anchor)
		lictor_diag_error(parser->diags, place,
				  "name the values under \"lists:\" and insert them with $name; "
				  "text that begins with \"&\" has to be quoted",
				  "anchors are not allowed");
	if (tag)
		lictor_diag_error(parser->diags, place,
				  "text that begins with \"!\" has to be quoted",
				  "tags are not allowed");
}

static int add_alias(struct parser *parser, const yaml_event_t *event)
{
	const char *name = (const char *)event->data.alias.anchor;
	char hint[160];

	snprintf(hint, sizeof(hint), "a pattern that begins with \"*\" has to be quoted: '*%.*s'",
		 SHOWN(name));
	lictor_diag_error(parser->diags, event_place(parser, event), hint,
			  "aliases are not allowed");
	return add_node(parser, NODE_BAD, event);
}

static int add_scalar(struct parser *parser, const yaml_event_t *event)
{
	const char *text = (const char *)event->data.scalar.value;
	size_t length = event->data.scalar.length;
	enum node_kind kind = NODE_SCALAR;
	struct node *node;
	int error;

	refuse_marks(parser, event, event->data.scalar.anchor,
		     (const char *)event->data.scalar.tag);
	if (memchr(text, '\0', length)) {
		lictor_diag_error(parser->diags, event_place(parser, event), NULL,
				  "a NUL character is not allowed in a value");
		kind = NODE_BAD;
	}
	if (length > SCALAR_MAX) {
		lictor_diag_error(parser->diags, event_place(parser, event), NULL,
				  "a value of more than %u bytes", SCALAR_MAX);
		kind = NODE_BAD;
	}
	error = add_node(parser, kind, event);
	if (error || kind == NODE_BAD)
		return error;
	node = &parser->node[parser->nodes - 1];
	node->quoted = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
	if (event->data.scalar.style == YAML_LITERAL_SCALAR_STYLE ||
	    event->data.scalar.style == YAML_FOLDED_SCALAR_STYLE)
		node->width = NODE_WIDTH_MAX;
	node->text = lictor_arena_text(parser->arena, text, length);
	return node->text ? 0 : -ENOMEM;
}

static int open_node(struct parser *parser, enum node_kind kind, const yaml_event_t *event,
		     const void *anchor, const char *tag)
{
	int error;

	refuse_marks(parser, event, anchor, tag);
	if (parser->depth == DEPTH_MAX) {
		lictor_diag_error(parser->diags, event_place(parser, event), NULL,
				  "nested more than %u deep", DEPTH_MAX);
		return -EINVAL;
	}
	error = add_node(parser, kind, event);
	if (!error)
		parser->open[parser->depth++] = parser->nodes - 1;
	return error;
}

static const char *key_name(const void *base, uint32_t id)
{
	return ((const struct node *)base)[id].text;
}

static int check_key(struct parser *parser, struct index *index, const struct node *key)
{
	uint32_t first;
	char hint[64];

	if (key->kind == NODE_BAD)
		return 0;
	if (key->kind != NODE_SCALAR) {
		lictor_diag_error(parser->diags, node_place(key), NULL, "a key has to be text");
		return 0;
	}
	first = index_add(index, (uint32_t)(key - parser->node));
	if (&parser->node[first] == key)
		return 0;
	snprintf(hint, sizeof(hint), "it is already on line %u", parser->node[first].line);
	lictor_diag_error(parser->diags, node_place(key), hint, "duplicate key \"%.*s\"",
			  SHOWN(key->text));
	return 0;
}

static int check_keys(struct parser *parser, const struct node *mapping)
{
	OWNED(index_done) struct index index = { 0 };
	const struct node *key = mapping + 1;

	if (index_init(&index, mapping->size / 2, parser->node, key_name))
		return -ENOMEM;
	while (key < node_next(mapping)) {
		check_key(parser, &index, key);
		key = node_next(node_next(key));
	}
	return 0;
}

static int close_node(struct parser *parser)
{
	size_t at = parser->open[--parser->depth];
	struct node *node = &parser->node[at];

	node->size = (uint32_t)(parser->nodes - at);
	if (node->kind == NODE_MAPPING)
		return check_keys(parser, node);
	return 0;
}

static int open_document(struct parser *parser, const yaml_event_t *event)
{
	if (event->data.document_start.tag_directives.start !=
	    event->data.document_start.tag_directives.end)
		refuse_marks(parser, event, NULL, "");
	if (!parser->documents++)
		return 0;
	lictor_diag_error(parser->diags, mark_place(parser, event->start_mark),
			  "put the rest into a file of its own",
			  "more than one document in a file");
	return -EINVAL;
}

static int take_event(struct parser *parser, const yaml_event_t *event)
{
	switch (event->type) {
	case YAML_DOCUMENT_START_EVENT:
		return open_document(parser, event);
	case YAML_ALIAS_EVENT:
		return add_alias(parser, event);
	case YAML_SCALAR_EVENT:
		return add_scalar(parser, event);
	case YAML_SEQUENCE_START_EVENT:
		return open_node(parser, NODE_SEQUENCE, event, event->data.sequence_start.anchor,
				 (const char *)event->data.sequence_start.tag);
	case YAML_MAPPING_START_EVENT:
		return open_node(parser, NODE_MAPPING, event, event->data.mapping_start.anchor,
				 (const char *)event->data.mapping_start.tag);
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		return close_node(parser);
	case YAML_NO_EVENT:
	case YAML_STREAM_START_EVENT:
	case YAML_STREAM_END_EVENT:
	case YAML_DOCUMENT_END_EVENT:
		return 0;
	}
	return 0;
}

static int take_events(struct parser *parser)
{
	int error = 0;
	bool end = false;

	while (!error && !end) {
		OWNED(yaml_event_delete) yaml_event_t event = { 0 };

		if (!yaml_parser_parse(&parser->yaml, &event))
			return complain_syntax(parser);
		end = event.type == YAML_STREAM_END_EVENT;
		error = take_event(parser, &event);
	}
	return error;
}

int tree_parse(struct lictor_diags *diags, uint32_t file, struct lictor_arena *arena,
	       struct tree *ret_tree)
{
	OWNED(parser_done) struct parser parser = { .diags = diags, .arena = arena, .file = file };
	const struct lictor_source *source = &diags->source[file];
	int error = encoding_check(diags, file);

	if (error)
		return error;
	if (!yaml_parser_initialize(&parser.yaml))
		return -ENOMEM;
	yaml_parser_set_encoding(&parser.yaml, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&parser.yaml, (const unsigned char *)source->text,
				     source->length);
	error = take_events(&parser);
	if (error)
		return error;
	*ret_tree = (struct tree){ .node = parser.node, .nodes = parser.nodes };
	parser.node = NULL;
	return 0;
}
