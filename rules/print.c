/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Print: checked rules come in, YAML in one fixed form goes out, lists inserted and overrides
 * applied: what is in force, and it reads back to the same rules. Values are printed as they were
 * written, so that a user's name stays a name. Touches the stream that it is given.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "rules/tree.h"

#define LINE_MAX_WIDTH 80u

/* ---- scalars ---- */

/* What some YAML reader would take for another type than text. */
static bool looks_typed(const char *text)
{
	static const char *const words[] = { "true", "false", "yes", "no",  "on",   "off", "null",
					     "y",    "n",     "~",   "inf", "nan", "none" };

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (!strcasecmp(text, words[i]))
			return true;
	return text[0] >= '0' && text[0] <= '9' && !text[strspn(text, "0123456789.xXeE_+-:oabcdf")];
}

static bool needs_quotes(const char *text)
{
	static const char first[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				    "/_.$";
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				    "/_.$-+@%=~*?!()^; ";

	return !text[0] || text[strlen(text) - 1] == ' ' || !strchr(first, text[0]) ||
	       text[strspn(text, plain)] || !strcmp(text, "...");
}

static void print_quoted(const char *text, FILE *out)
{
	size_t length = strlen(text), size;

	fputc('"', out);
	for (size_t at = 0; at < length; at += size) {
		uint32_t code = 0;

		size = utf8_next(text + at, length - at, &code);
		size += !size; /* cannot be: what was read was UTF-8 */
		if (code == '"' || code == '\\')
			fprintf(out, "\\%c", (char)code);
		else if (code == '\n' || code == '\t')
			fputs(code == '\n' ? "\\n" : "\\t", out);
		else if (utf8_is_control(code))
			fprintf(out, code > 0xffff ? "\\U%08" PRIX32 : "\\u%04" PRIX32, code);
		else
			fprintf(out, "%.*s", (int)size, text + at);
	}
	fputc('"', out);
}

static void print_text(const char *text, FILE *out)
{
	if (needs_quotes(text) || looks_typed(text))
		print_quoted(text, out);
	else
		fputs(text, out);
}

static void print_value(const struct lictor_predicate *predicate, size_t i, FILE *out)
{
	enum lictor_type type = lictor_field_words[predicate->field].type;
	bool pattern = type == LICTOR_TYPE_PATH || type == LICTOR_TYPE_TEXT;
	const char *text = predicate->value[i].text;

	if (predicate->variable)
		text += strlen(predicate->variable) + 1;
	if (!pattern && !needs_quotes(text))
		fputs(text, out);
	else
		print_text(text, out);
}

/* ---- fields ---- */

/* Whether the values fit on the rest of the line as [a, b]; a guess that only has to be stable. */
static bool fits(const struct lictor_predicate *predicate, unsigned used)
{
	size_t width = used + strlen(lictor_field_words[predicate->field].name);

	width += predicate->variable ? strlen(predicate->variable) + 1 : 0;

	for (size_t i = 0; i < predicate->values && width <= LINE_MAX_WIDTH; i++)
		width += strlen(predicate->value[i].text) + 4;
	return width <= LINE_MAX_WIDTH;
}

static void print_flow(const struct lictor_predicate *predicate, FILE *out)
{
	if (predicate->values != 1)
		fputc('[', out);
	for (size_t i = 0; i < predicate->values; i++) {
		fputs(i ? ", " : "", out);
		print_value(predicate, i, out);
	}
	if (predicate->values != 1)
		fputc(']', out);
}

static void print_predicate(const struct lictor_predicate *predicate, unsigned indent, FILE *out)
{
	fputs(lictor_field_words[predicate->field].name, out);
	if (predicate->variable)
		fprintf(out, ".%s", predicate->variable);
	fputc(':', out);
	if (predicate->values == 1 || fits(predicate, indent)) {
		fputs(predicate->negated ? " {not: " : " ", out);
		print_flow(predicate, out);
		fputs(predicate->negated ? "}\n" : "\n", out);
		return;
	}
	if (predicate->negated)
		fprintf(out, "\n%*snot:", (int)indent + 2, "");
	fputc('\n', out);
	for (size_t i = 0; i < predicate->values; i++) {
		fprintf(out, "%*s- ", (int)indent + (predicate->negated ? 4 : 2), "");
		print_value(predicate, i, out);
		fputc('\n', out);
	}
}

/* lead: what stands in front of the first predicate, as wide as indent. */
static void print_block(const struct lictor_block *block, const char *lead, FILE *out)
{
	unsigned indent = (unsigned)strlen(lead);

	for (size_t i = 0; i < block->predicates; i++) {
		if (i)
			fprintf(out, "%*s", (int)indent, "");
		else
			fputs(lead, out);
		print_predicate(&block->predicate[i], indent, out);
	}
}

/* ---- keys ---- */

/* Shorthands first: a field that only some of its events have is only allowed with the word. */
static void print_on(uint64_t events, FILE *out)
{
	const char *separator = "", *name;
	bool several;
	uint64_t left = events;

	for (size_t i = 0; (name = lictor_shorthand_name(i)); i++)
		if ((events & lictor_event_set(name)) == lictor_event_set(name))
			left &= ~lictor_event_set(name);
	several = left ? (left & (left - 1)) || left != events : false;
	fprintf(out, "    on: %s", several ? "[" : "");
	for (size_t i = 0; (name = lictor_shorthand_name(i)); i++) {
		if ((events & lictor_event_set(name)) != lictor_event_set(name))
			continue;
		fprintf(out, "%s%s", separator, name);
		separator = ", ";
	}
	for (int event = 0; event < LICTOR_EVENTS; event++) {
		if (!(left >> event & 1))
			continue;
		fprintf(out, "%s%s", separator, lictor_event_words[event].name);
		separator = ", ";
	}
	fputs(several ? "]\n" : "\n", out);
}

static void print_blocks(const struct lictor_rule *rule, FILE *out)
{
	if (rule->match.predicates) {
		fputs("    match:\n", out);
		print_block(&rule->match, "      ", out);
	}
	if (!rule->unlesses)
		return;
	fputs("    unless:\n", out);
	for (size_t i = 0; i < rule->unlesses; i++)
		print_block(&rule->unless[i], "      - ", out);
}

static void print_key(const char *key, const char *text, FILE *out)
{
	if (!text)
		return;
	fprintf(out, "    %s: ", key);
	print_text(text, out);
	fputc('\n', out);
}

static void print_limit(const struct lictor_rule *rule, FILE *out)
{
	static const struct { uint32_t seconds; char name; } unit[] = {
		{ 86400, 'd' }, { 3600, 'h' }, { 60, 'm' }, { 1, 's' } };
	size_t i = 0;

	if (!rule->limit_count) {
		fputs("    limit: none\n", out);
		return;
	}
	while (rule->limit_period % unit[i].seconds)
		i++;
	fprintf(out, "    limit: {count: %u, per: %u%c}\n", rule->limit_count,
		rule->limit_period / unit[i].seconds, unit[i].name);
}

static void print_action(const struct lictor_rule *rule, FILE *out)
{
	if (rule->action == LICTOR_ACTION_SIGNAL)
		fprintf(out, "    action: {signal: %s}\n", lictor_signal_words[rule->signal]);
	else
		fprintf(out, "    action: %s\n", lictor_action_words[rule->action]);
}

static void print_tags(const struct lictor_rule *rule, FILE *out)
{
	if (!rule->tags)
		return;
	fputs("    tags: [", out);
	for (size_t i = 0; i < rule->tags; i++) {
		fputs(i ? ", " : "", out);
		print_text(rule->tag[i], out);
	}
	fputs("]\n", out);
}

void lictor_rule_print(const struct lictor_rule *rule, FILE *out)
{
	static const char *const modes[] = { NULL, "enforce", "monitor" };
	static const char *const failures[] = { NULL, "closed", "open" };
	static const char *const unsupported[] = { NULL, "refuse", "degrade" };

	fputs("  - name: ", out);
	print_text(rule->name, out);
	fputc('\n', out);
	print_key("description", rule->description, out);
	print_on(rule->events, out);
	print_blocks(rule, out);
	print_action(rule, out);
	print_key("mode", modes[rule->mode], out);
	print_key("severity", lictor_severity_words[rule->severity], out);
	print_limit(rule, out);
	print_key("message", rule->message, out);
	print_tags(rule, out);
	fprintf(out, "    enabled: %s\n", rule->enabled ? "true" : "false");
	print_key("on-failure", failures[rule->on_failure], out);
	print_key("on-unsupported", unsupported[rule->on_unsupported], out);
}

int lictor_rules_print(const struct lictor_rules *rules, FILE *out)
{
	fputs(rules->rules ? "rules:\n" : "rules: []\n", out);
	for (size_t i = 0; i < rules->rules; i++) {
		fputs(i ? "\n" : "", out);
		lictor_rule_print(&rules->rule[i], out);
	}
	return ferror(out) ? -EIO : 0;
}
