/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stage: control socket. In: one line from whoever may open the socket, not trusted. Out: a
 * request. Touches nothing: no allocation, no recursion, each byte is looked at once.
 */
#include "daemon/request.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

const char *const lictor_ask_words[LICTOR_ASKS] = { "status", "rules", "watch", "reload",
						    "rotate" };
const char *const lictor_form_words[LICTOR_FORMS] = { "json", "short" };

struct text {
	const char *at;
	const char *end;
};

/* A token inside the line, or, of a string, what is between its quotes. */
struct token {
	const char *byte;
	size_t length;
	bool string;
};

static void skip_space(struct text *text)
{
	while (text->at < text->end && strchr(" \t\r\n", *text->at) && *text->at)
		text->at++;
}

static bool take(struct text *text, char wanted)
{
	skip_space(text);
	if (text->at == text->end || *text->at != wanted)
		return false;
	text->at++;
	return true;
}

/* No word of the protocol needs an escape, so a string that has one is just not such a word. */
static bool take_string(struct text *text, struct token *token)
{
	if (!take(text, '"'))
		return false;
	token->byte = text->at;
	token->string = true;
	for (; text->at < text->end && *text->at != '"'; text->at++) {
		if ((unsigned char)*text->at < 0x20)
			return false;
		if (*text->at == '\\' && ++text->at == text->end)
			return false;
	}
	if (text->at == text->end)
		return false;
	token->length = (size_t)(text->at++ - token->byte);
	return true;
}

/* A string, or a run of letters, digits and signs. */
static bool take_value(struct text *text, struct token *token)
{
	skip_space(text);
	if (text->at < text->end && *text->at == '"')
		return take_string(text, token);
	token->byte = text->at;
	token->string = false;
	while (text->at < text->end && *text->at &&
	       strchr("abcdefghijklmnopqrstuvwxyz0123456789+-.E", *text->at))
		text->at++;
	token->length = (size_t)(text->at - token->byte);
	return token->length > 0;
}

static bool is(const struct token *token, bool string, const char *word)
{
	return token->string == string && token->length == strlen(word) &&
	       !memcmp(token->byte, word, token->length);
}

static int find(const struct token *token, size_t words, const char *const *word)
{
	size_t i;

	for (i = 0; i < words; i++)
		if (is(token, true, word[i]))
			return (int)i;
	return -1;
}

struct members {
	bool version;
	int ask;
	int form;
};

static const char *take_member(struct text *text, struct members *members)
{
	struct token name, value;

	if (!take_string(text, &name) || !take(text, ':') || !take_value(text, &value))
		return "not a JSON object of plain values";
	if (is(&name, true, "v")) {
		members->version = is(&value, false, "1");
		if (!members->version)
			return "another version of the protocol is asked for";
	} else if (is(&name, true, "request")) {
		members->ask = find(&value, LICTOR_ASKS, lictor_ask_words);
		if (members->ask < 0)
			return "unknown request";
	} else if (is(&name, true, "format")) {
		members->form = find(&value, LICTOR_FORMS, lictor_form_words);
		if (members->form < 0)
			return "unknown format";
	}
	return NULL;
}

static const char *take_object(struct text *text, struct members *members)
{
	const char *wrong;

	if (!take(text, '{'))
		return "not a JSON object";
	do {
		wrong = take_member(text, members);
		if (wrong)
			return wrong;
	} while (take(text, ','));
	if (!take(text, '}'))
		return "not a JSON object of plain values";
	skip_space(text);
	return text->at == text->end ? NULL : "something follows the request";
}

int lictor_request_parse(const char *line, size_t length, struct lictor_request *ret_request,
			 const char **ret_why)
{
	struct members members = { .ask = -1, .form = LICTOR_FORM_JSON };
	struct text text = { line, line + length };

	*ret_why = take_object(&text, &members);
	if (!*ret_why && !members.version)
		*ret_why = "\"v\" is missing";
	if (!*ret_why && members.ask < 0)
		*ret_why = "\"request\" is missing";
	if (*ret_why)
		return -EINVAL;
	ret_request->ask = (enum lictor_ask)members.ask;
	ret_request->form = (enum lictor_form)members.form;
	return 0;
}
