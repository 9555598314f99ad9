/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading rules: files or texts come in, checked rules or complaints go out. The way is
 * file -> source -> tree -> rules; every file is parsed before any is checked, because rules,
 * lists and overrides refer to each other by name, whatever the order. Touches the files named.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "rules/check.h"
#include "rules/sha256.h"

static void free_trees(struct tree **tree)
{
	for (size_t i = 0; *tree && i < FILES_MAX && (*tree)[i].node; i++)
		tree_done(&(*tree)[i]);
	free(*tree);
}

static void free_rules(struct lictor_rules **rules)
{
	lictor_rules_free(*rules);
}

static void free_text(char **text)
{
	free(*text);
}

void lictor_rules_free(struct lictor_rules *rules)
{
	if (rules)
		lictor_arena_free(rules->arena); /* the rules themselves are in it */
}

static struct lictor_rules *rules_new(void)
{
	struct lictor_arena *arena = lictor_arena_new();
	struct lictor_rules *rules = arena ? lictor_arena_get(arena, sizeof(*rules)) : NULL;

	if (rules)
		rules->arena = arena;
	else
		lictor_arena_free(arena);
	return rules;
}

/* ---- sources ---- */

static const char *explain_read(int error, char *buffer, size_t size)
{
	switch (error) {
	case -ELOOP:
		return "it is a symbolic link";
	case -ENXIO: /* a fifo or socket */
	case -ENOTSUP:
		return "it is not a regular file";
	case -EISDIR:
		return "it is a directory";
	case -EFBIG:
		return "it is larger than 16 MiB";
	case -EBUSY:
		return "it is being written";
	default:
		return strerror_r(-error, buffer, size);
	}
}

static int add_file(struct lictor_diags *diags, const char *path, uint32_t *ret_file)
{
	OWNED(free_text) char *text = NULL;
	struct lictor_place place = { 0 };
	size_t length = 0;
	char buffer[128];
	int error = file_read(path, &text, &length);

	if (error == -ENOMEM || diags_add_source(diags, path, text, length, &place.file))
		return -ENOMEM;
	text = NULL;
	*ret_file = place.file;
	if (!error)
		return 0;
	lictor_diag_error(diags, place, NULL, "cannot be read: %s",
			  explain_read(error, buffer, sizeof(buffer)));
	return -EINVAL;
}

static int add_text(struct lictor_diags *diags, const struct lictor_source *source,
		    uint32_t *ret_file)
{
	OWNED(free_text) char *text = malloc(source->length + 1);
	struct lictor_place place = { 0 };

	if (!text)
		return -ENOMEM;
	if (source->length)
		memcpy(text, source->text, source->length);
	text[source->length] = '\0';
	if (diags_add_source(diags, source->name, text, source->length, &place.file))
		return -ENOMEM;
	text = NULL;
	*ret_file = place.file;
	if (source->length <= FILE_BYTES_MAX)
		return 0;
	lictor_diag_error(diags, place, NULL, "cannot be read: it is larger than 16 MiB");
	return -EINVAL;
}

/* ---- trees to rules ---- */

struct reading {
	struct lictor_diags *diags;
	struct lictor_rules *rules;
	struct tree *tree;
	size_t trees;
	bool whole;
	struct lictor_sha256 sha;
};

/* Names without their directories: the same rules elsewhere are the same rules. */
static void digest(struct lictor_sha256 *sha, const struct lictor_source *source)
{
	const char *slash = strrchr(source->name, '/');
	const char *name = slash ? slash + 1 : source->name;
	uint8_t length[8];

	for (int i = 0; i < 8; i++)
		length[i] = (uint8_t)((uint64_t)source->length >> 8 * i);
	lictor_sha256_add(sha, name, strlen(name) + 1);
	lictor_sha256_add(sha, length, sizeof(length));
	lictor_sha256_add(sha, source->text, source->length);
}

static int parse_file(struct reading *reading, uint32_t file)
{
	struct tree tree = { 0 };
	int error = tree_parse(reading->diags, file, reading->rules->arena, &tree);

	if (error == -ENOMEM)
		return error;
	digest(&reading->sha, &reading->diags->source[file]);
	if (error)
		reading->whole = false;
	else if (tree.nodes)
		reading->tree[reading->trees++] = tree;
	return 0;
}

static void done_check(struct check *check)
{
	check_done(check);
}

static int check_files(struct reading *reading)
{
	OWNED(done_check) struct check check = {
		.diags = reading->diags, .arena = reading->rules->arena,
		.scratch = lictor_arena_new(), .tree = reading->tree, .trees = reading->trees,
		.whole = reading->whole, .rules = reading->rules,
	};

	return check.scratch ? check_trees(&check) : -ENOMEM;
}

static int read_files(size_t files, const char *const *file, const struct lictor_source *source,
		      struct lictor_diags *diags, struct lictor_rules **ret_rules)
{
	OWNED(free_rules) struct lictor_rules *rules = rules_new();
	OWNED(free_trees) struct tree *tree = calloc(FILES_MAX, sizeof(*tree));
	struct reading reading = { .diags = diags, .rules = rules, .tree = tree, .whole = true };
	int error = 0;

	if (!rules || !tree)
		return -ENOMEM;
	lictor_sha256_init(&reading.sha);
	for (size_t i = 0; i < files; i++) {
		uint32_t at = 0;

		error = file ? add_file(diags, file[i], &at) : add_text(diags, &source[i], &at);
		if (!error && (i == FILES_MAX || at > UINT16_MAX)) {
			lictor_diag_error(diags, (struct lictor_place){ .file = at }, NULL,
					  "more than %u rule files", FILES_MAX);
			return -EINVAL;
		}
		reading.whole = reading.whole && !error;
		if (!error)
			error = parse_file(&reading, at);
		if (error == -ENOMEM)
			return error;
	}
	error = check_files(&reading);
	if (error || diags->errors)
		return error == -ENOMEM ? error : -EINVAL;
	lictor_sha256_done(&reading.sha, rules->digest);
	*ret_rules = rules;
	rules = NULL;
	return 0;
}

int lictor_rules_read(size_t files, const char *const *file, struct lictor_diags *diags,
		      struct lictor_rules **ret_rules)
{
	return read_files(files, file, NULL, diags, ret_rules);
}

int lictor_rules_read_text(size_t files, const struct lictor_source *file,
			   struct lictor_diags *diags, struct lictor_rules **ret_rules)
{
	return read_files(files, NULL, file, diags, ret_rules);
}
