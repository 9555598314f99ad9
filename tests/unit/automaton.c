/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Globs, case by case: what each matches, by the compiled automata (each alone, and all in one
 * image) and by the referee. Touches memory only.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "rules/evaluate.h"
#include "rules/host.h"

#define PATHS true
#define TEXTS false

static const struct {
	bool path;
	const char *pattern;
	const char *yes[8];
	const char *no[10];
} globs[] = {
	{ PATHS, "/a/b", { "/a/b" }, { "/a", "/a/b/", "/a/bc", "/a/B", "a/b", "" } },
	{ PATHS, "/", { "/" }, { "", "//", "/a" } },
	{ PATHS, "/**", { "/", "/a", "/a/b/c" }, { "", "a" } },
	{ PATHS, "**", { "", "/", "/a", "x" }, { NULL } },
	{ PATHS, "/a/**", { "/a", "/a/", "/a/b", "/a/b/c" }, { "/", "/ab", "/b/a", "/aa/b" } },
	{ PATHS, "/a/*", { "/a/b", "/a/", "/a/.h" }, { "/a", "/a/b/c", "/a/b/" } },
	{ PATHS, "/a/?", { "/a/b", "/a/*" }, { "/a/", "/a//", "/a/bc", "/a/\xc3\xa9" } },
	{ PATHS, "/a?b", { "/axb" }, { "/a/b", "/ab" } },
	{ PATHS, "/a*b", { "/ab", "/axb", "/abab" }, { "/a/b", "/axbc", "/a/x/b" } },
	{ PATHS, "/a**b", { "/ab", "/a/b", "/a/x/b", "/axb/b" }, { "/abc", "/b" } },
	{ PATHS, "**/b", { "/b", "/a/b", "/a/a/b", "x/b" }, { "b", "/ab", "/b/a", "" } },
	{ PATHS, "**b", { "b", "/ab", "/a/b" }, { "/ba", "" } },
	{ PATHS, "**/.ssh/**", { "/.ssh", "/.ssh/x", "/a/.ssh/x/y", "/a/.ssh" },
	  { "/a.ssh", "/.sshx", "/a/.ssx/h" } },
	{ PATHS, "/a/**/b", { "/a/b", "/a/x/b", "/a/x/y/b", "/a//b" },
	  { "/ab", "/a/xb", "/a/b/x", "/a" } },
	{ PATHS, "/a/**/**", { "/a", "/a/", "/a/b", "/a/b/c" }, { "/ab" } },
	{ PATHS, "/a/**/b/**", { "/a/b", "/a/x/b", "/a/x/b/y" }, { "/a/xb/y", "/a/bx" } },
	{ PATHS, "/**/a", { "/a", "/b/a", "/b/c/a" }, { "/ba", "/a/b" } },
	{ PATHS, "/[ab]", { "/a", "/b" }, { "/c", "/ab", "/", "/A" } },
	{ PATHS, "/[!ab]", { "/c", "/!", "/\xff" }, { "/a", "/b", "//", "/", "/cc" } },
	{ PATHS, "/[a-c]x", { "/ax", "/bx", "/cx" }, { "/dx", "/-x", "/x" } },
	{ PATHS, "/[a\\-c]", { "/a", "/-", "/c" }, { "/b", "/\\" } },
	{ PATHS, "/[\\]]", { "/]" }, { "/\\", "/a" } },
	{ PATHS, "/[!\\]]", { "/a", "/\\" }, { "/]", "//" } },
	{ PATHS, "/[a-]", { "/a", "/-" }, { "/b" } },
	{ PATHS, "/a[.-0]b", { "/a.b", "/a0b" }, { "/a/b", "/a1b" } },
	{ PATHS, "/{a,b}", { "/a", "/b" }, { "/c", "/{a,b}", "/ab", "/" } },
	{ PATHS, "/{a,b}/**", { "/a", "/b/x" }, { "/c", "/ab" } },
	{ PATHS, "/{,a}b", { "/b", "/ab" }, { "/a", "/aab" } },
	{ PATHS, "/{a,{b,c}d}e", { "/ae", "/bde", "/cde" }, { "/be", "/ade", "/de" } },
	{ PATHS, "/x{/**,y}", { "/x", "/x/a", "/xy" }, { "/xya", "/xa" } },
	{ PATHS, "/{a,**}/b", { "/a/b", "/b", "/x/y/b" }, { "/ab", "/xb" } },
	{ PATHS, "/[{]{a,\\,}", { "/{a", "/{," }, { "/a", "/{" } },
	{ PATHS, "/\\*", { "/*" }, { "/a", "/", "/\\*" } },
	{ PATHS, "/\\[a\\]", { "/[a]" }, { "/a" } },
	{ PATHS, "/\\{a,b\\}", { "/{a,b}" }, { "/a", "/b" } },
	{ PATHS, "/a\\\\b", { "/a\\b" }, { "/ab", "/a\\\\b" } },
	{ PATHS, "/a\\/**", { "/a", "/a/b" }, { "/a\\", "/ab" } },
	{ PATHS, "/\xc3\xa9", { "/\xc3\xa9" }, { "/\xc3", "/e" } },
	{ PATHS, "/\xc3\xa9/*", { "/\xc3\xa9/\xff" }, { "/\xc3/x" } },
	{ PATHS, "/aaab/aaab/aaac", { "/aaab/aaab/aaac" }, { "/aaab/aaac", "/aaab/aaab/aaab" } },
	{ PATHS, "**aab**", { "aab", "/aaab", "/aabaab", "/a/aaaab/x" }, { "/aba", "/aa/b" } },
	{ PATHS, "**/a*b/c?/**", { "/ab/cx", "/x/axb/cx/y" }, { "/ab/c", "/a/b/cx", "/ab/cxy" } },
	{ TEXTS, "", { "" }, { "a" } },
	{ TEXTS, "*", { "", "a", "a/b" }, { NULL } },
	{ TEXTS, "a*", { "a", "ab", "a/b" }, { "", "ba" } },
	{ TEXTS, "*a", { "a", "ba", "b/a" }, { "", "ab" } },
	{ TEXTS, "*a*", { "a", "bab", "/a/" }, { "", "bb" } },
	{ TEXTS, "a?c", { "abc", "a/c" }, { "ac", "abbc" } },
	{ TEXTS, "[!a]", { "b", "/" }, { "a", "" } },
	{ TEXTS, "?*", { "a", "/", "ab" }, { "" } },
	{ TEXTS, "*ab*ab*", { "abab", "xabxabx", "a/ab/ab" }, { "ab", "aba", "abba" } },
	{ TEXTS, "/run/**", { "/run/", "/run/a" }, { "/run", "/ru" } },
	{ TEXTS, "{k*,{a,b}}d", { "kd", "kxd", "ad", "bd" }, { "k", "d", "abd" } },
};

#define GLOBS (sizeof(globs) / sizeof(*globs))

static struct lictor_compiled *compile(size_t first, size_t count)
{
	struct lictor_rule *rule = calloc(count, sizeof(*rule));
	struct lictor_predicate *predicate = calloc(count, sizeof(*predicate));
	struct lictor_value *value = calloc(count, sizeof(*value));
	struct lictor_rules rules = { .rules = count, .rule = rule };
	struct lictor_diags *diags = lictor_diags_new();
	struct lictor_compiled *compiled = NULL;

	for (size_t i = 0; i < count; i++) {
		value[i].text = globs[first + i].pattern;
		predicate[i] = (struct lictor_predicate){
			.field = globs[first + i].path ? LICTOR_FIELD_FILE_PATH : LICTOR_FIELD_FILE_FS,
			.values = 1, .value = &value[i],
		};
		rule[i] = (struct lictor_rule){
			.name = "r", .events = 1ull << LICTOR_EVENT_WRITE, .enabled = true,
			.match = { .predicates = 1, .predicate = &predicate[i] },
			.action = LICTOR_ACTION_ALERT,
		};
	}
	assert_int_equal(lictor_compile(&rules, 0, NULL, false, 1, 42, NULL, diags, &compiled), 0);
	lictor_diags_free(diags);
	free(value);
	free(predicate);
	free(rule);
	return compiled;
}

static bool compiled_matches(const struct lictor_compiled *compiled, bool path, const char *text,
			     uint32_t wanted)
{
	static struct lictor_work work;
	static struct lictor_facts facts;
	static char buffer[LICTOR_TEXT_SIZE];
	const struct lictor_host_image image = { compiled->image, compiled->pages };
	uint32_t length = (uint32_t)strlen(text), at = 77, rule;
	bool matched = false;

	memset(&facts, 0, sizeof(facts));
	memset(buffer, 'a', sizeof(buffer));
	memcpy(buffer + at, text, length);
	lictor_classify(&image, path ? LICTOR_SPACE_OBJECT : LICTOR_SPACE_FS, buffer, at, length,
			&work, &facts.hits[path ? LICTOR_STRING_PATH : LICTOR_STRING_FS]);
	lictor_hits_same(&facts.hits[path ? LICTOR_STRING_PATH : LICTOR_STRING_FS]);
	lictor_match(&image, &image, LICTOR_EVENT_WRITE, &facts, 0, &work);
	while ((rule = lictor_next_rule(&image, LICTOR_EVENT_WRITE, &work)) != ~0u)
		matched |= rule == wanted;
	return matched;
}

static void expect(const struct lictor_compiled *compiled, size_t glob, uint32_t rule,
		   const char *text, bool wanted)
{
	bool path = globs[glob].path;
	int error = 0;

	if (lictor_glob_matches(globs[glob].pattern, path, text, &error) != wanted || error)
		fail_msg("the referee says that \"%s\" %s \"%s\"", globs[glob].pattern,
			 wanted ? "does not match" : "matches", text);
	if (compiled_matches(compiled, path, text, rule) != wanted)
		fail_msg("the automaton says that \"%s\" %s \"%s\"", globs[glob].pattern,
			 wanted ? "does not match" : "matches", text);
}

static void expect_all(const struct lictor_compiled *compiled, size_t glob, uint32_t rule)
{
	for (size_t i = 0; i < 8 && globs[glob].yes[i]; i++)
		expect(compiled, glob, rule, globs[glob].yes[i], true);
	for (size_t i = 0; i < 10 && globs[glob].no[i]; i++)
		expect(compiled, glob, rule, globs[glob].no[i], false);
}

static void test_each_alone(void **state)
{
	(void)state;
	for (size_t i = 0; i < GLOBS; i++) {
		struct lictor_compiled *compiled = compile(i, 1);

		expect_all(compiled, i, 0);
		lictor_compiled_free(compiled);
	}
}

/* In threes, so that no text fulfils more patterns than are kept. */
static void test_three_together(void **state)
{
	(void)state;
	for (size_t i = 0; i + 3 <= GLOBS; i++) {
		struct lictor_compiled *compiled = compile(i, 3);

		for (uint32_t rule = 0; rule < 3; rule++)
			expect_all(compiled, i + rule, rule);
		lictor_compiled_free(compiled);
	}
}

/* Texts at the limit, and patterns as long. */
static void test_long_texts(void **state)
{
	static char text[LICTOR_PATH_MAX];
	static const char *const patterns[] = { "**/x", "/a/**", "**b**", "/**a" };
	static const bool hits[] = { false, true, false, true };
	struct lictor_value value = { 0 };
	struct lictor_predicate predicate = {
		.field = LICTOR_FIELD_FILE_PATH, .values = 1, .value = &value };
	struct lictor_rule rule = {
		.name = "r", .events = 1ull << LICTOR_EVENT_WRITE, .enabled = true,
		.match = { .predicates = 1, .predicate = &predicate },
		.action = LICTOR_ACTION_ALERT };
	struct lictor_rules rules = { .rules = 1, .rule = &rule };

	(void)state;
	for (size_t i = 0; i < LICTOR_PATH_MAX - 1; i++)
		text[i] = i % 2 ? 'a' : '/';
	text[LICTOR_PATH_MAX - 2] = 'a';
	for (size_t i = 0; i < 5; i++) {
		struct lictor_diags *diags = lictor_diags_new();
		struct lictor_compiled *compiled = NULL;

		value.text = i < 4 ? patterns[i] : text;
		assert_int_equal(lictor_compile(&rules, 0, NULL, false, 1, 7, NULL, diags,
						&compiled), 0);
		assert_int_equal(compiled_matches(compiled, true, text, 0), i < 4 ? hits[i] : true);
		lictor_compiled_free(compiled);
		lictor_diags_free(diags);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_alone),
		cmocka_unit_test(test_three_together),
		cmocka_unit_test(test_long_texts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
