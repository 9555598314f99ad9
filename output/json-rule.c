/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Formatting: the members of the JSON record that name the deciding rule, and what the tags of all
 * rules that matched say: tags, threat. Touches nothing.
 */
#include <stdio.h>
#include <string.h>

#include "output/json.h"

#define WRITER(id) \
	static void write_##id(struct lictor_object *object, const struct lictor_member *member, \
			       const struct lictor_told *told)

static const struct lictor_rule_label *deciding(const struct lictor_told *told)
{
	static const struct lictor_rule_label none = {};

	return told->alert->rules ? told->alert->rule[0] : &none;
}

WRITER(rule)
{
	lictor_object_text(object, member->name, deciding(told)->name);
}

WRITER(ruleset)
{
	lictor_object_text(object, member->name, deciding(told)->ruleset);
}

WRITER(description)
{
	lictor_object_text(object, member->name, deciding(told)->description);
}

/* Of each tag of each rule the part that `part` finds in it, once; nothing where there is none. */
static void put_tags(struct lictor_object *object, const char *name, const struct lictor_told *told,
		     size_t (*part)(const char *tag, char *ret_text, size_t room))
{
	enum { ROOM = 64, LENGTH = 128 };
	char text[ROOM][LENGTH];
	size_t texts = 0, seen;
	struct lictor_array array = {};

	for (size_t i = 0; i < told->alert->rules; i++) {
		const struct lictor_rule_label *rule = told->alert->rule[i];

		for (size_t j = 0; j < rule->tags && texts < ROOM; j++) {
			if (!part(rule->tag[j], text[texts], LENGTH))
				continue;
			for (seen = 0; strcmp(text[seen], text[texts]); seen++)
				;
			if (seen < texts)
				continue;
			if (!array.line)
				array = lictor_array_begin(object, name);
			lictor_array_add(&array, text[texts++]);
		}
	}
	if (array.line)
		lictor_array_end(&array);
}

static size_t whole(const char *tag, char *ret_text, size_t room)
{
	return (size_t)snprintf(ret_text, room, "%s", tag);
}

/* "attack.t1059.004" -> "T1059.004" if it is LETTERS, four digits and, as asked, three more. */
static size_t attack(const char *tag, const char *letters, bool sub, char *ret_text, size_t room)
{
	static const char prefix[] = "attack.";
	size_t start = strlen(letters), length;

	if (strncasecmp(tag, prefix, sizeof(prefix) - 1))
		return 0;
	tag += sizeof(prefix) - 1;
	length = start + strspn(strncasecmp(tag, letters, start) ? "" : tag + start, "0123456789");
	if (length != start + 4)
		return 0;
	if (tag[length] == '.' ? strspn(tag + length + 1, "0123456789") != 3 || tag[length + 4]
			       : tag[length] != '\0' || sub)
		return 0;
	return (size_t)snprintf(ret_text, room, "%s%.*s", letters,
				(int)(sub ? strlen(tag) - start : 4), tag + start);
}

static size_t technique(const char *tag, char *ret_text, size_t room)
{
	return attack(tag, "T", false, ret_text, room);
}

static size_t subtechnique(const char *tag, char *ret_text, size_t room)
{
	return attack(tag, "T", true, ret_text, room);
}

static size_t tactic(const char *tag, char *ret_text, size_t room)
{
	return attack(tag, "TA", false, ret_text, room);
}

WRITER(tags)
{
	put_tags(object, member->name, told, whole);
}

WRITER(technique)
{
	put_tags(object, member->name, told, technique);
}

WRITER(subtechnique)
{
	put_tags(object, member->name, told, subtechnique);
}

WRITER(tactic)
{
	put_tags(object, member->name, told, tactic);
}

WRITER(framework)
{
	char text[16];

	for (size_t i = 0; i < told->alert->rules; i++) {
		const struct lictor_rule_label *rule = told->alert->rule[i];

		for (size_t j = 0; j < rule->tags; j++) {
			if (technique(rule->tag[j], text, sizeof(text)) ||
			    tactic(rule->tag[j], text, sizeof(text))) {
				lictor_object_text(object, member->name, "MITRE ATT&CK");
				return;
			}
		}
	}
}

static const struct lictor_member table[] = {
	{ "rule.description", write_description, 0 },
	{ "rule.id", write_rule, 0 },
	{ "rule.name", write_rule, 0 },
	{ "rule.ruleset", write_ruleset, 0 },
	{ "tags", write_tags, 0 },
	{ "threat.framework", write_framework, 0 },
	{ "threat.tactic.id", write_tactic, 0 },
	{ "threat.technique.id", write_technique, 0 },
	{ "threat.technique.subtechnique.id", write_subtechnique, 0 },
};

const struct lictor_members lictor_rule_members = { sizeof(table) / sizeof(table[0]), table };
