/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Explain: an event in words comes in; which rules match it, and what each of their predicates
 * says, goes out. A fact that is not given is one that the event does not have; a name that is given
 * is the process's and the host's. Touches the stream it is given, and asks for users and groups.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "rules/check.h"
#include "rules/evaluate.h"

#define VALUES_SHOWN 4u
#define ANCESTORS_MAX 256u
#define ENVIRONMENT_MAX 256u

struct asked {
	struct lictor_instance instance;
	struct lictor_seen seen[LICTOR_FIELDS];
	struct lictor_seen ancestor[2][ANCESTORS_MAX];
	struct lictor_seen variable[ENVIRONMENT_MAX];
	const char *text[LICTOR_FIELDS];
	FILE *out;
};

static void free_asked(struct asked **asked)
{
	free(*asked);
}

/* Texts come from rule files and from the shell: nothing of them reaches the terminal raw. */
static void put_text(const char *text, FILE *out)
{
	size_t length = strlen(text);
	char cell[16];

	fputc('"', out);
	for (size_t at = 0; at < length;) {
		at += utf8_show(text + at, length - at, cell);
		fputs(cell, out);
	}
	fputc('"', out);
}

/* ---- facts ---- */

static int refuse(const struct asked *asked, const struct lictor_fact *fact, const char *expected)
{
	fprintf(asked->out, "%s: ", lictor_field_words[fact->field].name);
	put_text(fact->text, asked->out);
	fprintf(asked->out, " is not %s\n", expected);
	return -EINVAL;
}

static int read_number(const struct asked *asked, const struct lictor_fact *fact, uint32_t most,
		       uint32_t *ret_number)
{
	const char *end;
	uint32_t number;

	if (!number_read(fact->text, &end, &number) || *end || number > most)
		return refuse(asked, fact, most == UINT16_MAX ? "a number from 0 to 65535" :
								"a number from 0 to 4294967295");
	*ret_number = number;
	return 0;
}

static int read_name(const struct asked *asked, const struct lictor_fact *fact, bool group,
		     uint32_t *ret_number)
{
	const char *end;

	if (number_read(fact->text, &end, ret_number) && !*end)
		return 0;
	if ((group ? lictor_group_lookup : lictor_user_lookup)(fact->text, ret_number))
		return refuse(asked, fact, group ? "a group" : "a user");
	return 0;
}

static int read_mode(const struct asked *asked, const struct lictor_fact *fact,
		     uint32_t *ret_number)
{
	size_t length = strspn(fact->text, "01234567");

	if (!length || fact->text[length] || length > 5 || strtoul(fact->text, NULL, 8) > 07777)
		return refuse(asked, fact, "a file mode in octal, such as 0644");
	*ret_number = (uint32_t)strtoul(fact->text, NULL, 8);
	return 0;
}

static int read_flag(const struct asked *asked, const struct lictor_fact *fact,
		     uint32_t *ret_number)
{
	*ret_number = !strcmp(fact->text, "true");
	if (*ret_number || !strcmp(fact->text, "false"))
		return 0;
	return refuse(asked, fact, "true or false");
}

/* text: the one that is no value of the field. */
static int refuse_word(const struct asked *asked, const struct lictor_fact *fact, const char *text)
{
	char hint[200];

	fprintf(asked->out, "%s: ", lictor_field_words[fact->field].name);
	put_text(text, asked->out);
	fprintf(asked->out, " is no value of it: %s\n",
		word_hint(fact->field, text, hint, sizeof(hint)));
	return -EINVAL;
}

static int read_word(const struct asked *asked, const struct lictor_fact *fact,
		     uint32_t *ret_number)
{
	int value = lictor_value_find(fact->field, fact->text);

	if (value < 0)
		return refuse_word(asked, fact, fact->text);
	*ret_number = (uint32_t)value;
	return 0;
}

/* Members of a set, with commas between them; none for the empty text. */
static int read_members(const struct asked *asked, const struct lictor_fact *fact,
			uint64_t *ret_members)
{
	const char *at = fact->text;

	for (*ret_members = 0; *at;) {
		size_t length = strcspn(at, ",");
		char name[64];
		int bit;

		snprintf(name, sizeof(name), "%.*s", (int)(length < 63 ? length : 63), at);
		bit = lictor_value_find(fact->field, name);
		if (bit < 0)
			return refuse_word(asked, fact, name);
		*ret_members |= 1ull << bit;
		at += length + (at[length] == ',');
	}
	return 0;
}

static int read_address(const struct asked *asked, const struct lictor_fact *fact, uint8_t *address)
{
	memset(address, 0, 16);
	memset(address + 10, 0xff, 2);
	if (inet_pton(AF_INET, fact->text, address + 12) == 1 ||
	    inet_pton(AF_INET6, fact->text, address) == 1)
		return 0;
	return refuse(asked, fact, "an IPv4 or IPv6 address");
}

static int read_string(struct asked *asked, const struct lictor_fact *fact)
{
	struct lictor_given *given = &asked->instance.field[fact->field];
	struct lictor_seen *seen = &asked->seen[fact->field];
	bool images = fact->field == LICTOR_FIELD_ANCESTOR_EXECUTABLE;

	if (images || fact->field == LICTOR_FIELD_ANCESTOR_NAME) {
		if (given->strings == ANCESTORS_MAX)
			return refuse(asked, fact, "taken: there are too many ancestors");
		seen = asked->ancestor[!images];
	}
	if (lictor_field_words[fact->field].type == LICTOR_TYPE_PATH && fact->text[0] != '/')
		return refuse(asked, fact, "an absolute path");
	if (fact->field == LICTOR_FIELD_PROCESS_ENV) {
		if (given->strings == ENVIRONMENT_MAX)
			return refuse(asked, fact, "taken: there are too many variables");
		seen = asked->variable;
	}
	given->string = seen;
	seen[given->strings++] = (struct lictor_seen){
		.own = fact->text, .hosts = 1, .host = { fact->host ? fact->host : fact->text },
	};
	return 0;
}

/* What is one number below 2^32. */
static int read_plain(const struct asked *asked, const struct lictor_fact *fact,
		      uint32_t *ret_number)
{
	switch (lictor_field_words[fact->field].type) {
	case LICTOR_TYPE_NUMBER:
		return read_number(asked, fact, UINT32_MAX, ret_number);
	case LICTOR_TYPE_PORT:
		return read_number(asked, fact, UINT16_MAX, ret_number);
	case LICTOR_TYPE_USER:
		return read_name(asked, fact, false, ret_number);
	case LICTOR_TYPE_GROUP:
		return read_name(asked, fact, true, ret_number);
	case LICTOR_TYPE_FLAG:
		return read_flag(asked, fact, ret_number);
	case LICTOR_TYPE_ENUM:
		return read_word(asked, fact, ret_number);
	case LICTOR_TYPE_MODE:
		return read_mode(asked, fact, ret_number);
	case LICTOR_TYPE_PATH:
	case LICTOR_TYPE_TEXT:
	case LICTOR_TYPE_ADDRESS:
	case LICTOR_TYPE_SET:
		break;
	}
	return -EINVAL;
}

static int read_fact(struct asked *asked, const struct lictor_fact *fact)
{
	struct lictor_given *given = &asked->instance.field[fact->field];
	enum lictor_type type = lictor_field_words[fact->field].type;
	uint32_t number = 0;
	int r;

	if (type == LICTOR_TYPE_PATH || type == LICTOR_TYPE_TEXT)
		return read_string(asked, fact);
	if (type == LICTOR_TYPE_ADDRESS)
		return read_address(asked, fact, given->address);
	if (type == LICTOR_TYPE_SET)
		return read_members(asked, fact, &given->number);
	r = read_plain(asked, fact, &number);
	given->number = number;
	return r;
}

static int take_fact(struct asked *asked, const struct lictor_fact *fact)
{
	struct lictor_given *given = &asked->instance.field[fact->field];
	bool several = fact->field == LICTOR_FIELD_ANCESTOR_EXECUTABLE ||
		       fact->field == LICTOR_FIELD_ANCESTOR_NAME ||
		       fact->field == LICTOR_FIELD_PROCESS_ENV;
	int r;

	if (!fact->text) {
		given->state = LICTOR_UNKNOWN;
		return 0;
	}
	if (given->state == LICTOR_PRESENT && !several) {
		fprintf(asked->out, "%s: given twice\n", lictor_field_words[fact->field].name);
		return -EINVAL;
	}
	r = read_fact(asked, fact);
	if (r < 0)
		return r;
	given->state = LICTOR_PRESENT;
	asked->text[fact->field] = fact->text;
	return 0;
}

/*
 * Some things have two fields, such as the name and the number of a user: what is said of one holds
 * for the other, where the event has it.
 */
static void complete(struct asked *asked)
{
	static const int pairs[][2] = {
		{ LICTOR_FIELD_USER_NAME, LICTOR_FIELD_USER_ID },
		{ LICTOR_FIELD_USER_EFFECTIVE_NAME, LICTOR_FIELD_USER_EFFECTIVE_ID },
		{ LICTOR_FIELD_USER_AUDIT_NAME, LICTOR_FIELD_USER_AUDIT_ID },
		{ LICTOR_FIELD_GROUP_NAME, LICTOR_FIELD_GROUP_ID },
		{ LICTOR_FIELD_USER_TARGET_NAME, LICTOR_FIELD_USER_TARGET_ID },
		{ LICTOR_FIELD_GROUP_TARGET_NAME, LICTOR_FIELD_GROUP_TARGET_ID },
		{ LICTOR_FIELD_FILE_PATH, LICTOR_FIELD_MOUNT_TARGET },
	};

	for (size_t i = 0; i < 2 * sizeof(pairs) / sizeof(*pairs); i++) {
		int from = pairs[i / 2][i % 2], to = pairs[i / 2][!(i % 2)];

		if (asked->instance.field[from].state != LICTOR_PRESENT ||
		    asked->instance.field[to].state == LICTOR_PRESENT ||
		    !lictor_event_has_field(asked->instance.event, to))
			continue;
		asked->instance.field[to] = asked->instance.field[from];
		asked->text[to] = asked->text[from];
	}
}

/* Who is not said to be in a container is on the host. */
static void complete_container(struct asked *asked)
{
	const struct lictor_fact host = { LICTOR_FIELD_CONTAINER_ID, "", NULL };

	if (asked->instance.field[host.field].state == LICTOR_ABSENT)
		take_fact(asked, &host);
}

/* An environment is there, whatever is in it. */
static void complete_environment(struct asked *asked)
{
	struct lictor_given *environment = &asked->instance.field[LICTOR_FIELD_PROCESS_ENV];

	if (environment->state == LICTOR_ABSENT)
		environment->state = LICTOR_PRESENT;
}

/* A mount that is moved is judged by where it comes from, too. */
static void complete_move(struct asked *asked)
{
	const struct lictor_given *operation = &asked->instance.field[LICTOR_FIELD_MOUNT_OPERATION];
	const char *source = asked->text[LICTOR_FIELD_MOUNT_SOURCE];
	static const char *const moves[] = { "move", "pivot_root" };

	for (size_t i = 0; i < sizeof(moves) / sizeof(*moves); i++)
		if (asked->instance.event == LICTOR_EVENT_MOUNT && source && *source == '/' &&
		    operation->state == LICTOR_PRESENT &&
		    (int)operation->number ==
			    lictor_value_find(LICTOR_FIELD_MOUNT_OPERATION, moves[i]))
			asked->instance.field[LICTOR_FIELD_FILE_TARGET_PATH] =
				asked->instance.field[LICTOR_FIELD_MOUNT_SOURCE];
}

/* ---- telling ---- */

static const char *text_of(const struct asked *asked, int field, bool second, size_t i)
{
	const struct lictor_given *given = lictor_instance_field(&asked->instance, field, second);

	return given->strings ? given->string[i].own : asked->text[field];
}

static void tell_given(const struct asked *asked, int field, bool second)
{
	const struct lictor_given *given = lictor_instance_field(&asked->instance, field, second);

	if (given->state == LICTOR_UNKNOWN) {
		fputs("(not known)", asked->out);
		return;
	}
	if (given->state == LICTOR_ABSENT ||
	    (field == LICTOR_FIELD_PROCESS_ENV && !given->strings)) {
		fputs("(absent)", asked->out);
		return;
	}
	for (size_t i = 0; i < given->strings || i == 0; i++) {
		fputs(i ? ", " : "", asked->out);
		put_text(text_of(asked, field, second, i), asked->out);
	}
}

static const struct lictor_value *value_hit(const struct lictor_predicate *predicate,
					    const struct lictor_given *given, int *ret_error)
{
	for (size_t i = 0; given->state == LICTOR_PRESENT && i < predicate->values; i++)
		if (lictor_value_sight(predicate->field, 1, &predicate->value[i], given, ret_error).any)
			return &predicate->value[i];
	return NULL;
}

static void tell_values(const struct lictor_predicate *predicate, FILE *out)
{
	size_t shown = predicate->values > VALUES_SHOWN ? VALUES_SHOWN - 1 : predicate->values;

	for (size_t i = 0; i < shown; i++) {
		fputs(i ? ", " : "", out);
		put_text(predicate->value[i].text, out);
	}
	if (shown < predicate->values)
		fprintf(out, " and %zu others", predicate->values - shown);
}

/* `+` it holds, `-` it does not, `?` that is not known; then what is given, and which of the values
   it is, if any. */
static void tell_predicate(struct asked *asked, const struct lictor_rule *rule,
			   const struct lictor_predicate *predicate, bool unless, bool second)
{
	const struct lictor_given *given =
		lictor_instance_field(&asked->instance, predicate->field, second);
	bool holds = lictor_predicate_holds(rule, predicate, unless, &asked->instance, second);
	const struct lictor_value *hit = value_hit(predicate, given, &asked->instance.error);

	fprintf(asked->out, "    %c %s%s%s%s: ",
		given->state == LICTOR_UNKNOWN ? '?' : holds ? '+' : '-',
		lictor_field_words[predicate->field].name, predicate->variable ? "." : "",
		predicate->variable ? predicate->variable : "", predicate->negated ? " (not)" : "");
	tell_given(asked, predicate->field, second);
	if (hit) {
		fputs(" is ", asked->out);
		put_text(hit->text, asked->out);
	} else {
		fputs(predicate->values == 1 ? " is not " : " is none of ", asked->out);
		tell_values(predicate, asked->out);
	}
	fputc('\n', asked->out);
}

static void tell_block(struct asked *asked, const struct lictor_rule *rule,
		       const struct lictor_block *block, bool unless, bool second)
{
	bool holds = lictor_block_holds(rule, block, unless, &asked->instance, second);

	fprintf(asked->out, "  %s: %s\n", unless ? "unless" : "match",
		!block->predicates ? "every such event" : holds ? "holds" : "does not hold");
	for (size_t i = 0; i < block->predicates; i++)
		tell_predicate(asked, rule, &block->predicate[i], unless, second);
}

static void tell_judging(struct asked *asked, const struct lictor_rule *rule, bool second)
{
	tell_block(asked, rule, &rule->match, false, second);
	for (size_t i = 0; i < rule->unlesses; i++)
		tell_block(asked, rule, &rule->unless[i], true, second);
}

/* What the event is, if it is what cannot be denied of such events; else NULL. */
static const char *only_told(const struct asked *asked, const struct lictor_rule *rule)
{
	const struct undeniable *found = undeniable_of(asked->instance.event);
	const struct lictor_given *given;
	bool set;

	if (!lictor_event_words[asked->instance.event].deny)
		return "what the kernel tells of when it is done";
	if (!found)
		return NULL;
	if (!found->field)
		return lictor_rule_asks_for_peer(rule) ? found->text : NULL;
	given = &asked->instance.field[found->field];
	set = lictor_field_words[found->field].type == LICTOR_TYPE_SET;
	if (given->state != LICTOR_PRESENT || !((set ? given->number : 1ull << (given->number & 63)) &
						found->values))
		return NULL;
	return found->text;
}

/* A program that is about to run, by a rule that has to see what it is started with. */
static bool judged_when_loaded(const struct asked *asked, const struct lictor_rule *rule)
{
	const struct lictor_given *mapped = &asked->instance.field[LICTOR_FIELD_FILE_MAPPED];

	return asked->instance.event == LICTOR_EVENT_EXEC && lictor_rule_asks_for_start(rule) &&
	       !(mapped->state == LICTOR_PRESENT && mapped->number);
}

static void tell_denial(const struct asked *asked, const struct lictor_rule *rule)
{
	const char *told = rule->action >= LICTOR_ACTION_BLOCK ? only_told(asked, rule) : NULL;

	if (rule->action >= LICTOR_ACTION_BLOCK && judged_when_loaded(asked, rule))
		fputs(" (the program is killed before its first instruction)", asked->out);
	if (told && rule->action == LICTOR_ACTION_BLOCK)
		fprintf(asked->out, " (only reported: %s cannot be denied)", told);
	else if (told)
		fprintf(asked->out, " (the process ends, but %s cannot be denied)", told);
}

/* Does it ask for a field whose value nobody knows? */
static bool is_in_doubt(const struct asked *asked, const struct lictor_rule *rule)
{
	for (size_t i = 0; i < rule->match.predicates; i++)
		if (asked->instance.field[rule->match.predicate[i].field].state == LICTOR_UNKNOWN)
			return true;
	for (size_t u = 0; u < rule->unlesses; u++)
		for (size_t i = 0; i < rule->unless[u].predicates; i++)
			if (asked->instance.field[rule->unless[u].predicate[i].field].state ==
			    LICTOR_UNKNOWN)
				return true;
	return false;
}

static void tell_head(const struct asked *asked, const struct lictor_rule *rule, bool matches)
{
	fprintf(asked->out, "%s: %s", rule->name,
		matches			   ? "MATCHES" :
		is_in_doubt(asked, rule) ? "cannot be told" : "does not match");
	if (matches && rule->action == LICTOR_ACTION_SIGNAL)
		fprintf(asked->out, ", signal %s", lictor_signal_words[rule->signal]);
	else if (matches)
		fprintf(asked->out, ", %s", lictor_action_words[rule->action]);
	if (matches)
		tell_denial(asked, rule);
	if (matches && rule->mode == LICTOR_MODE_MONITOR)
		fputs(" (monitored only)", asked->out);
	fputc('\n', asked->out);
}

/* A second object is judged too, where there is one and the rule leaves it open. */
static bool tell_rule(struct asked *asked, const struct lictor_rule *rule)
{
	bool target = asked->instance.field[LICTOR_FIELD_FILE_TARGET_PATH].state == LICTOR_PRESENT &&
		      lictor_instance_has_second(&asked->instance);
	bool first = lictor_rule_judges(rule, &asked->instance, false);
	bool second = target && lictor_rule_judges(rule, &asked->instance, true);

	if (!rule->enabled) {
		fprintf(asked->out, "%s: is disabled\n", rule->name);
		return false;
	}
	tell_head(asked, rule, first || second);
	tell_judging(asked, rule, false);
	if (second && !first) {
		fprintf(asked->out, "  by its %s as file.path:\n",
			asked->instance.event == LICTOR_EVENT_MOUNT ? "source" : "target");
		tell_judging(asked, rule, true);
	}
	return first || second;
}

static bool is_named(const struct lictor_rule *rule, size_t names, const char *const *name)
{
	for (size_t i = 0; i < names; i++)
		if (!strcmp(rule->name, name[i]))
			return true;
	return !names;
}

int lictor_explain(const struct lictor_rules *rules, int event, size_t facts,
		   const struct lictor_fact *fact, size_t names, const char *const *name,
		   FILE *out)
{
	OWNED(free_asked) struct asked *asked = calloc(1, sizeof(*asked));
	int matches = 0, about = 0;

	if (!asked)
		return -ENOMEM;
	asked->out = out;
	asked->instance.event = event;
	for (size_t i = 0; i < facts; i++) {
		int r = take_fact(asked, &fact[i]);

		if (r < 0)
			return r;
	}
	complete(asked);
	complete_container(asked);
	complete_environment(asked);
	complete_move(asked);
	for (size_t i = 0; i < rules->rules; i++) {
		if (!(rules->rule[i].events >> event & 1) ||
		    !is_named(&rules->rule[i], names, name))
			continue;
		about += rules->rule[i].enabled;
		matches += tell_rule(asked, &rules->rule[i]);
	}
	fprintf(out, "%d of %d rules for \"%s\" match\n", matches, about,
		lictor_event_words[event].name);
	return asked->instance.error ? asked->instance.error : matches;
}
