/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A glob becomes tokens: sets of bytes and stars. In: a checked glob without braces. Out: tokens
 * that the automaton builder and nobody else reads. Touches memory only.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "rules/automaton.h"

static void set_add(uint64_t *set, unsigned first, unsigned last)
{
	for (unsigned c = first; c <= last; c++)
		set[c / 64] |= 1ull << (c % 64);
}

/* `[a-z]`, `[!a-z]`: from after the bracket; returns what follows the closing one. */
static const char *read_set(const char *at, uint64_t *set)
{
	bool negated = *at == '!' || *at == '^';

	if (negated)
		at++;
	for (bool first = true; *at && (*at != ']' || first); first = false) {
		unsigned low, high;

		if (*at == '\\' && at[1])
			at++;
		low = high = (unsigned char)*at++;
		if (*at == '-' && at[1] && at[1] != ']') {
			at++;
			if (*at == '\\' && at[1])
				at++;
			high = (unsigned char)*at++;
		}
		set_add(set, low, high);
	}
	if (negated)
		for (int i = 0; i < 4; i++)
			set[i] = ~set[i];
	return *at == ']' ? at + 1 : at;
}

static void add_star(struct lictor_tokens *out, bool all)
{
	struct lictor_token *last = out->tokens ? &out->token[out->tokens - 1] : NULL;

	if (last && last->kind != LICTOR_TOKEN_SET) {
		if (all)
			last->kind = LICTOR_TOKEN_ALL;
		return;
	}
	out->token[out->tokens++] = (struct lictor_token){
		.kind = all ? LICTOR_TOKEN_ALL : LICTOR_TOKEN_STAR,
	};
}

int lictor_tokens_read(const char *text, bool path, struct lictor_tokens *ret_tokens)
{
	size_t length = strlen(text), sets = 0;
	struct lictor_tokens out = {
		.token = calloc(length + 1, sizeof(*out.token)),
		.sets = calloc(length + 1, sizeof(*out.sets)),
	};

	if (!out.token || !out.sets) {
		lictor_tokens_done(&out);
		return -ENOMEM;
	}
	for (const char *at = text; *at;) {
		struct lictor_token *token = &out.token[out.tokens];

		if (*at == '*') {
			bool all = !path || at[1] == '*';

			while (*at == '*')
				at++;
			add_star(&out, all);
			continue;
		}
		if (*at == '?' || *at == '[') {
			uint64_t *set = out.sets[sets++];

			if (*at++ == '[')
				at = read_set(at, set);
			else
				set_add(set, 1, 255);
			set[0] &= ~1ull; /* no name holds a NUL */
			if (path)
				set['/' / 64] &= ~(1ull << ('/' % 64));
			token->set = set;
		} else {
			if (*at == '\\' && at[1])
				at++;
			token->single = (uint8_t)*at++;
		}
		token->kind = LICTOR_TOKEN_SET;
		out.tokens++;
	}
	*ret_tokens = out;
	return 0;
}

void lictor_tokens_done(struct lictor_tokens *tokens)
{
	free(tokens->token);
	free(tokens->sets);
	*tokens = (struct lictor_tokens){ 0 };
}

void lictor_tokens_reverse(struct lictor_tokens *tokens)
{
	for (size_t i = 0, j = tokens->tokens; i + 1 < j; i++) {
		struct lictor_token swap = tokens->token[i];

		tokens->token[i] = tokens->token[--j];
		tokens->token[j] = swap;
	}
}

bool lictor_tokens_literal(const struct lictor_tokens *tokens, char *ret_text, size_t *ret_length)
{
	for (size_t i = 0; i < tokens->tokens; i++) {
		const struct lictor_token *token = &tokens->token[i];

		if (token->kind != LICTOR_TOKEN_SET || token->set)
			return false;
		ret_text[i] = (char)token->single;
	}
	*ret_length = tokens->tokens;
	return true;
}
