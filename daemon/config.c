/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stage: before all others. In: the YAML of lictor.conf. Out: struct lictor_config, or diagnostics
 * in the form of the rules' own. Strict: each key is known, is there once and has a value of its
 * type. May touch: the file it is given.
 */
#include "daemon/config.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <yaml.h>

#include "daemon/nearest.h"
#include "daemon/own.h"

struct reader {
	struct lictor_config *config;
	struct lictor_diags *diags;
	uint32_t file;
	yaml_document_t document;
};

typedef int set_value(struct reader *reader, yaml_node_t *value);

/* below: the keys of a mapping that may stand here; set: takes what is not a mapping. */
struct key {
	const char *name;
	const char *expected;
	set_value *set;
	size_t keys;
	const struct key *below;
};

#define KEYS(table) .keys = sizeof(table) / sizeof((table)[0]), .below = (table)
#define KEYS_MAX 16u

/* ---- values: each returns -EINVAL for what is not of its type ---- */

static const char *scalar(const yaml_node_t *node)
{
	const char *text = (const char *)node->data.scalar.value;

	if (node->type != YAML_SCALAR_NODE || strlen(text) != node->data.scalar.length)
		return NULL;
	return text;
}

static int set_text(char **text, const char *value)
{
	char *copy = strdup(value);

	if (!copy)
		return -ENOMEM;
	free(*text);
	*text = copy;
	return 0;
}

static int set_path(char **path, const yaml_node_t *node)
{
	const char *text = scalar(node);

	return text && text[0] == '/' ? set_text(path, text) : -EINVAL;
}

/* A word of a table: its number, or -EINVAL. */
static int choice(const yaml_node_t *node, const char *first, const char *second)
{
	const char *text = scalar(node);

	if (text && !strcmp(text, first))
		return 0;
	return text && !strcmp(text, second) ? 1 : -EINVAL;
}

struct unit {
	char letter;
	uint64_t factor;
};

static int set_number(uint64_t *number, const yaml_node_t *node, const struct unit *unit)
{
	const char *text = scalar(node);
	unsigned long long value;
	char *end;

	if (!text || text[0] < '0' || text[0] > '9')
		return -EINVAL;
	errno = 0;
	value = strtoull(text, &end, 10);
	if (errno || (*end && end[1]))
		return -EINVAL;
	while (unit->factor && unit->letter != *end)
		unit++;
	if (!unit->factor || __builtin_mul_overflow(value, unit->factor, number))
		return -EINVAL;
	return 0;
}

static const struct unit sizes[] = {
	{ '\0', 1 }, { 'K', 1ull << 10 }, { 'M', 1ull << 20 }, { 'G', 1ull << 30 }, { 0, 0 },
};
static const struct unit times[] = {
	{ '\0', 1 },	{ 's', 1 },	 { 'm', 60 }, { 'h', 3600 },
	{ 'd', 86400 }, { 'w', 604800 }, { 0, 0 },
};
static const struct unit counts[] = { { '\0', 1 }, { 0, 0 } };

/* ---- keys ---- */

static int set_mode(struct reader *reader, yaml_node_t *value)
{
	int word = choice(value, "enforce", "monitor");

	if (word < 0)
		return word;
	reader->config->mode = word ? LICTOR_MODE_MONITOR : LICTOR_MODE_ENFORCE;
	return 0;
}

int lictor_config_dirs(struct lictor_config *config, size_t dirs, const char *const *dir)
{
	char **copy = calloc(dirs ? dirs : 1, sizeof(*copy));
	size_t i;

	for (i = 0; copy && i < dirs; i++) {
		copy[i] = strdup(dir[i]);
		if (!copy[i])
			break;
	}
	if (!copy || i < dirs) {
		while (i--)
			free(copy[i]);
		free(copy);
		return -ENOMEM;
	}
	for (i = 0; i < config->dirs; i++)
		free(config->dir[i]);
	free(config->dir);
	config->dir = copy;
	config->dirs = dirs;
	return 0;
}

static int set_rules(struct reader *reader, yaml_node_t *value)
{
	const char **dir OWN(own_free) = NULL;
	yaml_node_item_t *item;
	size_t dirs = 0;

	if (value->type != YAML_SEQUENCE_NODE)
		return -EINVAL;
	item = value->data.sequence.items.start;
	dir = calloc((size_t)(value->data.sequence.items.top - item) + 1, sizeof(*dir));
	if (!dir)
		return -ENOMEM;
	for (; item < value->data.sequence.items.top; item++) {
		dir[dirs] = scalar(yaml_document_get_node(&reader->document, *item));
		if (!dir[dirs] || dir[dirs][0] != '/')
			return -EINVAL;
		dirs++;
	}
	return dirs ? lictor_config_dirs(reader->config, dirs, dir) : -EINVAL;
}

static int set_log(struct reader *reader, yaml_node_t *value)
{
	if (choice(value, "false", "false") < 0)
		return -EINVAL;
	free(reader->config->log_path);
	reader->config->log_path = NULL;
	return 0;
}

static int set_log_path(struct reader *reader, yaml_node_t *value)
{
	return set_path(&reader->config->log_path, value);
}

static int set_log_group(struct reader *reader, yaml_node_t *value)
{
	const char *text = scalar(value);

	return text && *text ? set_text(&reader->config->log_group, text) : -EINVAL;
}

static int set_rotate_size(struct reader *reader, yaml_node_t *value)
{
	return set_number(&reader->config->rotate_bytes, value, sizes);
}

static int set_rotate_age(struct reader *reader, yaml_node_t *value)
{
	return set_number(&reader->config->rotate_seconds, value, times);
}

static int set_rotate_keep(struct reader *reader, yaml_node_t *value)
{
	uint64_t keep;
	int error = set_number(&keep, value, counts);

	if (error || keep > 10000)
		return error ? error : -EINVAL;
	reader->config->keep = (unsigned)keep;
	return 0;
}

static int set_flag(bool *flag, const yaml_node_t *value, const char *off, const char *on)
{
	int word = choice(value, off, on);

	if (word < 0)
		return word;
	*flag = word;
	return 0;
}

static int set_journal(struct reader *reader, yaml_node_t *value)
{
	return set_flag(&reader->config->journal, value, "false", "true");
}

static int set_hash(struct reader *reader, yaml_node_t *value)
{
	return set_flag(&reader->config->hash, value, "false", "true");
}

static int set_control(struct reader *reader, yaml_node_t *value)
{
	return set_path(&reader->config->control, value);
}

static int set_unsupported(struct reader *reader, yaml_node_t *value)
{
	return set_flag(&reader->config->degrade, value, "refuse", "degrade");
}

static int set_way(struct reader *reader, yaml_node_t *value)
{
	static const struct { const char *name; enum lictor_via way; } ways[] = {
		{ "auto", LICTOR_VIAS }, { "lsm", LICTOR_VIA_LSM },
		{ "fmod_ret", LICTOR_VIA_FMOD_RET }, { "kprobe", LICTOR_VIA_KPROBE },
	};
	const char *text = scalar(value);

	for (size_t i = 0; text && i < sizeof(ways) / sizeof(*ways); i++)
		if (!strcmp(text, ways[i].name)) {
			reader->config->way = ways[i].way;
			return 0;
		}
	return -EINVAL;
}

static int set_preexisting(struct reader *reader, yaml_node_t *value)
{
	return set_flag(&reader->config->preexisting, value, "report", "enforce");
}

static int set_heartbeat(struct reader *reader, yaml_node_t *value)
{
	uint64_t seconds;
	int error = set_number(&seconds, value, times);

	if (error || !seconds || seconds > 86400)
		return error ? error : -EINVAL;
	reader->config->heartbeat = (unsigned)seconds;
	return 0;
}

static const struct key rotate_keys[] = {
	{ "size", "a size such as 64M, 0 for never", set_rotate_size, 0, NULL },
	{ "age", "a time such as 7d, 0 for never", set_rotate_age, 0, NULL },
	{ "keep", "how many files, 0 to 10000", set_rotate_keep, 0, NULL },
};
static const struct key log_keys[] = {
	{ "path", "an absolute path", set_log_path, 0, NULL },
	{ "rotate", "a mapping of size, age and keep", NULL, KEYS(rotate_keys) },
	{ "group", "the name of a group", set_log_group, 0, NULL },
};
static const struct key top_keys[] = {
	{ "mode", "enforce or monitor", set_mode, 0, NULL },
	{ "rules", "a list of absolute paths", set_rules, 0, NULL },
	{ "log", "a mapping of path, rotate and group, or false", set_log, KEYS(log_keys) },
	{ "journal", "true or false", set_journal, 0, NULL },
	{ "hash", "true or false", set_hash, 0, NULL },
	{ "control", "an absolute path", set_control, 0, NULL },
	{ "on-unsupported", "refuse or degrade", set_unsupported, 0, NULL },
	{ "way", "auto, lsm, fmod_ret or kprobe", set_way, 0, NULL },
	{ "preexisting", "report or enforce", set_preexisting, 0, NULL },
	{ "heartbeat", "a time from 1s to 24h", set_heartbeat, 0, NULL },
};

/* ---- the walk ---- */

static struct lictor_place place_of(const struct reader *reader, const yaml_node_t *node)
{
	size_t width = node->end_mark.line == node->start_mark.line ?
			       node->end_mark.column - node->start_mark.column : 1;

	return (struct lictor_place){
		.file = reader->file,
		.line = (uint32_t)node->start_mark.line + 1,
		.column = (uint32_t)node->start_mark.column + 1,
		.width = width ? (uint32_t)width : 1,
	};
}

static void unknown_key(struct reader *reader, const yaml_node_t *node, size_t keys,
			const struct key *table)
{
	const char *known[KEYS_MAX], *word = scalar(node), *near;
	char hint[64];
	size_t i;

	for (i = 0; i < keys; i++)
		known[i] = table[i].name;
	near = word ? lictor_nearest(word, keys, known) : NULL;
	if (near)
		snprintf(hint, sizeof(hint), "did you mean \"%s\"?", near);
	lictor_diag_error(reader->diags, place_of(reader, node), near ? hint : NULL,
			  "unknown key \"%s\"", word ? word : "?");
}

static int read_mapping(struct reader *reader, const yaml_node_t *node, size_t keys,
			const struct key *table);

static int read_value(struct reader *reader, yaml_node_t *value, const struct key *key)
{
	int error = -EINVAL;

	if (value->type == YAML_MAPPING_NODE && key->below)
		return read_mapping(reader, value, key->keys, key->below);
	if (key->set)
		error = key->set(reader, value);
	if (error == -EINVAL) {
		lictor_diag_error(reader->diags, place_of(reader, value), NULL,
				  "\"%s\" must be %s", key->name, key->expected);
		error = 0;
	}
	return error;
}

static int read_pair(struct reader *reader, const yaml_node_pair_t *pair, size_t keys,
		     const struct key *table, unsigned *seen)
{
	yaml_node_t *name = yaml_document_get_node(&reader->document, pair->key);
	yaml_node_t *value = yaml_document_get_node(&reader->document, pair->value);
	const char *word = scalar(name);
	size_t i = 0;

	while (i < keys && (!word || strcmp(word, table[i].name)))
		i++;
	if (i == keys) {
		unknown_key(reader, name, keys, table);
		return 0;
	}
	if (*seen & 1u << i)
		lictor_diag_error(reader->diags, place_of(reader, name), NULL,
				  "\"%s\" is there twice", word);
	*seen |= 1u << i;
	return read_value(reader, value, &table[i]);
}

static int read_mapping(struct reader *reader, const yaml_node_t *node, size_t keys,
			const struct key *table)
{
	const yaml_node_pair_t *pair = node->data.mapping.pairs.start;
	unsigned seen = 0;
	int error = 0;

	for (; !error && pair < node->data.mapping.pairs.top; pair++)
		error = read_pair(reader, pair, keys, table, &seen);
	return error;
}

static int read_document(struct reader *reader)
{
	yaml_node_t *root = yaml_document_get_root_node(&reader->document);

	if (!root)
		return 0;
	if (root->type == YAML_SCALAR_NODE && !root->data.scalar.length)
		return 0;
	if (root->type != YAML_MAPPING_NODE) {
		lictor_diag_error(reader->diags, place_of(reader, root), NULL,
				  "a mapping of keys and values is expected");
		return 0;
	}
	return read_mapping(reader, root, sizeof(top_keys) / sizeof(top_keys[0]), top_keys);
}

static void syntax_error(struct reader *reader, const yaml_parser_t *parser)
{
	struct lictor_place place = {
		.file = reader->file,
		.line = (uint32_t)parser->problem_mark.line + 1,
		.column = (uint32_t)parser->problem_mark.column + 1,
		.width = 1,
	};

	lictor_diag_error(reader->diags, place, NULL, "not YAML: %s",
			  parser->problem ? parser->problem : "out of memory");
}

/* One document, and nothing after it. */
static int read_yaml(struct reader *reader, const char *text, size_t length)
{
	yaml_parser_t parser OWN(yaml_parser_delete);
	int error = -EINVAL;

	if (!yaml_parser_initialize(&parser))
		return -ENOMEM;
	yaml_parser_set_input_string(&parser, (const unsigned char *)text, length);
	if (!yaml_parser_load(&parser, &reader->document)) {
		syntax_error(reader, &parser);
		return -EINVAL;
	}
	error = read_document(reader);
	yaml_document_delete(&reader->document);
	if (error)
		return error;
	if (!yaml_parser_load(&parser, &reader->document)) {
		syntax_error(reader, &parser);
		return -EINVAL;
	}
	if (yaml_document_get_root_node(&reader->document))
		lictor_diag_error(reader->diags,
				  place_of(reader, yaml_document_get_root_node(&reader->document)),
				  NULL, "there is a second document");
	yaml_document_delete(&reader->document);
	return 0;
}

/* ---- what others call ---- */

int lictor_config_init(struct lictor_config *ret_config)
{
	static const char *const dir[] = { "/etc/lictor/rules.d" };
	struct lictor_config config = {
		.mode = LICTOR_MODE_ENFORCE,
		.rotate_bytes = 64u << 20,
		.rotate_seconds = 0,
		.keep = 8,
		.journal = true,
		.hash = true,
		.way = LICTOR_VIAS,
		.heartbeat = 60,
	};
	int error = lictor_config_dirs(&config, 1, dir);

	if (!error)
		error = set_text(&config.log_path, "/var/log/lictor/alerts.json");
	if (!error)
		error = set_text(&config.log_group, "adm");
	if (!error)
		error = set_text(&config.control, LICTOR_CONTROL_PATH);
	if (error)
		lictor_config_done(&config);
	else
		*ret_config = config;
	return error;
}

void lictor_config_done(struct lictor_config *config)
{
	size_t i;

	for (i = 0; i < config->dirs; i++)
		free(config->dir[i]);
	free(config->dir);
	free(config->log_path);
	free(config->log_group);
	free(config->control);
	*config = (struct lictor_config){ 0 };
}

/* The diagnostics quote from the text, so they get a copy of it. */
static int add_source(struct lictor_diags *diags, const char *name, const char *text, size_t length)
{
	struct lictor_source source = { strdup(name), malloc(length + 1), length }, *grown = NULL;
	size_t room = 1;

	while (room <= diags->sources) /* as the rules room does it: to the next power of two */
		room *= 2;
	if (source.name && source.text)
		grown = realloc(diags->source, room * sizeof(*grown));
	if (!grown) {
		free(source.name);
		free(source.text);
		return -ENOMEM;
	}
	memcpy(source.text, text, length);
	source.text[length] = '\0';
	grown[diags->sources++] = source;
	diags->source = grown;
	return 0;
}

int lictor_config_read_text(const char *name, const char *text, size_t length,
			    struct lictor_diags *diags, struct lictor_config *config)
{
	struct reader reader = { .config = config, .diags = diags };
	size_t errors = diags->errors;
	int error;

	reader.file = (uint32_t)diags->sources;
	error = add_source(diags, name, text, length);
	if (!error)
		error = read_yaml(&reader, text, length);
	if (!error && diags->errors > errors)
		error = -EINVAL;
	return error;
}

static int whole_file(struct reader *reader, const char *path, const char *what)
{
	if (add_source(reader->diags, path, "", 0))
		return -ENOMEM;
	lictor_diag_error(reader->diags, (struct lictor_place){ .file = reader->file }, NULL, "%s",
			  what);
	return -EINVAL;
}

int lictor_config_read(const char *path, struct lictor_diags *diags, struct lictor_config *config)
{
	struct reader reader = { .diags = diags, .file = (uint32_t)diags->sources };
	int fd OWN(own_close) = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	char *text OWN(own_free) = malloc(LICTOR_CONFIG_MAX + 1);
	ssize_t length = 0, part = 1;
	struct stat st;

	if (!text)
		return -ENOMEM;
	if (fd < 0 && errno == ENOENT)
		return -ENOENT;
	if (fd < 0 || fstat(fd, &st) < 0)
		return whole_file(&reader, path, strerror(errno));
	if (!S_ISREG(st.st_mode))
		return whole_file(&reader, path, "not a regular file");
	while (part > 0 && length <= (ssize_t)LICTOR_CONFIG_MAX) {
		part = read(fd, text + length, LICTOR_CONFIG_MAX + 1 - (size_t)length);
		length += part > 0 ? part : 0;
	}
	if (part < 0)
		return whole_file(&reader, path, strerror(errno));
	if (length > (ssize_t)LICTOR_CONFIG_MAX)
		return whole_file(&reader, path, "longer than 64 KiB");
	return lictor_config_read_text(path, text, (size_t)length, diags, config);
}
