/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keys: the value of one key of a rule or an override comes in, the rule's member that it sets
 * goes out. What is not a field of an event is here. Touches nothing.
 */
#include <signal.h>
#include <string.h>

#include "rules/check.h"

const char *const rule_key_names[RULE_KEYS] = {
	[KEY_NAME] = "name",		   [KEY_DESCRIPTION] = "description",
	[KEY_ON] = "on",		   [KEY_MATCH] = "match",
	[KEY_UNLESS] = "unless",	   [KEY_ACTION] = "action",
	[KEY_MODE] = "mode",		   [KEY_SEVERITY] = "severity",
	[KEY_LIMIT] = "limit",		   [KEY_MESSAGE] = "message",
	[KEY_TAGS] = "tags",		   [KEY_ENABLED] = "enabled",
	[KEY_ON_FAILURE] = "on-failure",   [KEY_ON_UNSUPPORTED] = "on-unsupported",
	[KEY_RULE] = "rule",
};

static void refuse_key(struct check *check, const struct node *key, unsigned allowed,
		       const char *what)
{
	struct nearest nearest = nearest_to(key->text);
	const char *otherwise = NULL;
	char hint[160];

	for (int i = 0; i < RULE_KEYS; i++) {
		if (allowed >> i & 1)
			nearest_try(&nearest, rule_key_names[i]);
		else if (!strcmp(key->text, rule_key_names[i]))
			otherwise = allowed >> KEY_RULE & 1 ?
				    "an override may have mode, enabled, action, severity, limit, "
				    "tags and unless" : "this key belongs to an override";
	}
	if (lictor_field_find(key->text) >= 0)
		otherwise = "fields of events stand under \"match\" or \"unless\"";
	check_error(check, key,
		    otherwise ? otherwise : nearest_hint(&nearest, hint, sizeof(hint), NULL),
		    "unknown key \"%.*s\" in %s", SHOWN(key->text), what);
}

void keys_sort(struct check *check, const struct node *mapping, unsigned allowed, const char *what,
	       const struct node *ret_value[static RULE_KEYS])
{
	for (const struct node *key = mapping + 1; key < node_next(mapping);
	     key = node_next(node_next(key))) {
		int i = 0;

		if (key->kind != NODE_SCALAR)
			continue;
		while (i < RULE_KEYS && strcmp(key->text, rule_key_names[i]))
			i++;
		if (i < RULE_KEYS && allowed >> i & 1)
			ret_value[i] = node_next(key);
		else
			refuse_key(check, key, allowed, what);
	}
}

/* ---- words ---- */

void key_mode(struct check *check, const struct node *value, struct lictor_rule *rule)
{
	static const char *const words[] = { [LICTOR_MODE_ENFORCE] = "enforce",
					     [LICTOR_MODE_MONITOR] = "monitor" };
	int word = check_word(check, "mode", value, words, 3);

	if (word >= 0)
		rule->mode = (enum lictor_mode)word;
}

void key_severity(struct check *check, const struct node *value, struct lictor_rule *rule)
{
	int word = check_word(check, "severity", value, lictor_severity_words, 8);

	if (word >= 0)
		rule->severity = word;
}

void key_enabled(struct check *check, const struct node *value, struct lictor_rule *rule)
{
	static const char *const words[] = { "false", "true" };
	int word = check_word(check, "enabled", value, words, 2);

	if (word >= 0)
		rule->enabled = word;
}

void key_on_failure(struct check *check, const struct node *value, struct lictor_rule *rule)
{
	static const char *const words[] = { [LICTOR_FAILURE_CLOSED] = "closed",
					     [LICTOR_FAILURE_OPEN] = "open" };
	int word = check_word(check, "on-failure", value, words, 3);

	if (word >= 0)
		rule->on_failure = (enum lictor_failure)word;
}

void key_on_unsupported(struct check *check, const struct node *value, struct lictor_rule *rule)
{
	static const char *const words[] = { [LICTOR_UNSUPPORTED_REFUSE] = "refuse",
					     [LICTOR_UNSUPPORTED_DEGRADE] = "degrade" };
	int word = check_word(check, "on-unsupported", value, words, 3);

	if (word >= 0)
		rule->on_unsupported = (enum lictor_unsupported)word;
}

/* ---- action ---- */

const char *const lictor_signal_words[LICTOR_SIGNALS] = {
#define S(name) [name] = #name
	S(SIGHUP), S(SIGINT), S(SIGQUIT), S(SIGILL), S(SIGTRAP), S(SIGABRT), S(SIGBUS), S(SIGFPE),
	S(SIGKILL), S(SIGUSR1), S(SIGSEGV), S(SIGUSR2), S(SIGPIPE), S(SIGALRM), S(SIGTERM),
	S(SIGCHLD), S(SIGCONT), S(SIGSTOP), S(SIGTSTP), S(SIGTTIN), S(SIGTTOU), S(SIGURG),
	S(SIGXCPU), S(SIGXFSZ), S(SIGVTALRM), S(SIGPROF), S(SIGWINCH), S(SIGIO), S(SIGPWR),
	S(SIGSYS),
#undef S
};

static void action_signal(struct check *check, const struct node *value, struct lictor_rule *rule)
{
	char hint[40];
	int word;

	for (int i = 1; value->kind == NODE_SCALAR && i < LICTOR_SIGNALS; i++) {
		if (!lictor_signal_words[i] || strcmp(lictor_signal_words[i] + 3, value->text))
			continue;
		snprintf(hint, sizeof(hint), "write %s", lictor_signal_words[i]);
		check_error(check, value, hint, "the names of signals begin with SIG");
		return;
	}
	word = check_word(check, "signal", value, lictor_signal_words, LICTOR_SIGNALS);
	if (word == SIGKILL) {
		check_error(check, value, "\"action: kill\" denies what the process does as well",
			    "SIGKILL is not sent by \"signal\"");
		return;
	}
	if (word < 0)
		return;
	rule->action = LICTOR_ACTION_SIGNAL;
	rule->signal = word;
}

void key_action(struct check *check, const struct node *value, struct lictor_rule *rule)
{
	static const char *const words[] = {
		[LICTOR_ACTION_ALERT] = "alert", [LICTOR_ACTION_BLOCK] = "block",
		[LICTOR_ACTION_KILL] = "kill", [LICTOR_ACTION_SIGNAL] = "{signal: SIGNAME}",
	};
	const struct node *key = value + 1;
	int word;

	if (value->kind == NODE_MAPPING) {
		if (value->size == 3 && key->kind == NODE_SCALAR && !strcmp(key->text, "signal"))
			action_signal(check, node_next(key), rule);
		else
			check_error(check, value->size > 1 ? key : value, NULL,
				    "an action is alert, block, kill or {signal: SIGNAME}");
		return;
	}
	if (value->kind == NODE_SCALAR &&
	    !strncmp(value->text + (value->text[0] == '{'), "signal", 6)) {
		check_error(check, value, "write {signal: SIGSTOP}",
			    "the action \"signal\" needs the name of a signal");
		return;
	}
	word = check_word(check, "action", value, words, sizeof(words) / sizeof(*words));
	if (word < 0)
		return;
	rule->action = (enum lictor_action)word;
	rule->signal = 0;
}

/* ---- limit ---- */

static bool read_duration(const char *text, uint32_t *ret_seconds)
{
	static const char units[] = "smhd";
	static const uint32_t seconds[] = { 1, 60, 3600, 86400 };
	const char *end, *unit;
	uint32_t number;

	if (!number_read(text, &end, &number) || !*end || end[1])
		return false;
	unit = strchr(units, *end);
	if (!unit || !number || number > UINT32_MAX / seconds[unit - units])
		return false;
	*ret_seconds = number * seconds[unit - units];
	return true;
}

static void limit_count(struct check *check, const struct node *value, struct lictor_rule *rule)
{
	const char *text = check_scalar(check, "count", value), *end;
	uint32_t number;

	if (!text)
		return;
	if (number_read(text, &end, &number) && !*end && number)
		rule->limit_count = number;
	else
		check_error(check, value, "for no limit write \"limit: none\"",
			    "\"%.*s\" is not a number of reports from 1 on", SHOWN(text));
}

static void limit_period(struct check *check, const struct node *value, struct lictor_rule *rule)
{
	const char *text = check_scalar(check, "per", value);

	if (text && !read_duration(text, &rule->limit_period))
		check_error(check, value, "a number and its unit: 10s, 5m, 1h or 1d",
			    "\"%.*s\" is not a period of time", SHOWN(text));
}

static void limit_part(struct check *check, const struct node *key, struct lictor_rule *rule,
		       unsigned *seen)
{
	const char *name = key->kind == NODE_SCALAR ? key->text : "";

	if (!strcmp(name, "count")) {
		*seen |= 1;
		limit_count(check, node_next(key), rule);
	} else if (!strcmp(name, "per")) {
		*seen |= 2;
		limit_period(check, node_next(key), rule);
	} else if (key->kind == NODE_SCALAR) {
		check_error(check, key, "a limit is {count: 20, per: 1m}",
			    "unknown key \"%.*s\" in a limit", SHOWN(name));
	}
}

void key_limit(struct check *check, const struct node *value, struct lictor_rule *rule)
{
	static const char hint[] = "write {count: 20, per: 1m}, or none";
	unsigned seen = 0;

	if (value->kind == NODE_SCALAR && !strcmp(value->text, "none")) {
		rule->limit_count = rule->limit_period = 0;
		return;
	}
	if (value->kind == NODE_BAD)
		return;
	if (value->kind != NODE_MAPPING) {
		check_error(check, value, hint, "a limit needs \"count\" and \"per\"");
		return;
	}
	for (const struct node *key = value + 1; key < node_next(value);
	     key = node_next(node_next(key)))
		limit_part(check, key, rule, &seen);
	if (seen != 3)
		check_error(check, value, hint, "a limit needs \"count\" and \"per\"");
}

/* ---- tags ---- */

/* The part behind the first dot is somebody else's identifier and keeps its case. */
static bool is_tag(const char *text)
{
	static const char lower[] = "abcdefghijklmnopqrstuvwxyz0123456789-";
	static const char any[] = "abcdefghijklmnopqrstuvwxyz0123456789-."
				  "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
	size_t first = strspn(text, lower);

	if (!first || strlen(text) > 128)
		return false;
	return !text[first] ||
	       (text[first] == '.' && text[first + 1] && !text[first + strspn(text + first, any)]);
}

static void tag_check(struct check *check, const struct node *node, const char **tag, size_t *tags)
{
	const char *text = check_scalar(check, "tags", node);

	if (!text)
		return;
	if (is_tag(text))
		tag[(*tags)++] = text;
	else
		check_error(check, node,
			    "a-z, 0-9, \"-\" and \".\", as in pci-dss.11.5.2 or attack.T1059",
			    "\"%.*s\" cannot be a tag", SHOWN(text));
}

void key_tags(struct check *check, const struct node *value, struct lictor_rule *rule)
{
	const char **tag = check_get(check, (value->size + 1) * sizeof(*tag));
	size_t tags = 0;

	if (!tag)
		return;
	if (value->kind == NODE_SEQUENCE)
		node_each(child, value)
			tag_check(check, child, tag, &tags);
	else
		tag_check(check, value, tag, &tags);
	rule->tags = tags;
	rule->tag = tag;
}

/* ---- message ---- */

/* The byte behind the placeholder that begins at the brace, or 0 after a complaint. */
static size_t placeholder_check(struct check *check, const struct scope *scope,
				const struct node *value, size_t brace)
{
	const char *begin = value->text + brace + 1;
	size_t length = strcspn(begin, "{}");
	char name[80];
	struct lictor_place place = node_place_at(value, brace);
	int field;

	if (begin[length] != '}' || !length || length >= sizeof(name)) {
		lictor_diag_error(check->diags, place,
				  "a placeholder is {FIELD}; for a brace itself write {{ or }}",
				  "this brace begins no placeholder");
		return 0;
	}
	memcpy(name, begin, length);
	name[length] = '\0';
	if (place.width == 1)
		place.width = (uint32_t)utf8_count(name, length) + 2;
	field = field_check(check, scope, name, place);
	if (field == LICTOR_FIELD_PROCESS_ENV)
		lictor_diag_error(check->diags, place, NULL,
				  "no record has environment variables, which may hold secrets");
	return field < 0 || field == LICTOR_FIELD_PROCESS_ENV ? 0 : brace + length + 2;
}

void key_message(struct check *check, const struct scope *scope, const struct node *value,
		 struct lictor_rule *rule)
{
	const char *text = check_scalar(check, "message", value);
	size_t at = 0, next;

	if (!text)
		return;
	rule->message = text;
	while (text[at += strcspn(text + at, "{}")]) {
		if (text[at] == text[at + 1]) {
			at += 2;
			continue;
		}
		if (text[at] == '}') {
			lictor_diag_error(check->diags, node_place_at(value, at),
					  "for a brace itself write }}",
					  "this brace ends no placeholder");
			return;
		}
		next = placeholder_check(check, scope, value, at);
		at = next ? next : at + 1 + strcspn(text + at + 1, "{}");
		at += !next && text[at] == '}';
	}
}
