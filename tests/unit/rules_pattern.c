/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Patterns: which are refused and where, and what braces stand for. Touches nothing.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "rules/check.h"

static void expand(const char *pattern, const char *expected)
{
	struct lictor_arena *arena = lictor_arena_new();
	const char *const *expanded;
	char all[4096] = "";
	size_t count;

	assert_int_equal(lictor_pattern_expand(pattern, arena, &count, &expanded), 0);
	for (size_t i = 0; i < count; i++) {
		strcat(all, i ? "|" : "");
		strcat(all, expanded[i]);
	}
	assert_string_equal(all, expected);
	lictor_arena_free(arena);
}

static void test_expand(void **state)
{
	(void)state;
	expand("/a/**", "/a/**");
	expand("", "");
	expand("{a,b}", "a|b");
	expand("/{a,b}/{c,d}", "/a/c|/a/d|/b/c|/b/d");
	expand("/a{,b,c{d,e}}f", "/af|/abf|/acdf|/acef");
	expand("{{a,b},{c,d}}", "a|b|c|d");
	expand("\\{a,b\\}", "\\{a,b\\}");
	expand("{a\\,b,c\\}}", "a\\,b|c\\}");
	expand("[{,}]{[},],x}", "[{,}][},]|[{,}]x");
	expand("[\\]{]{a,b}", "[\\]{]a|[\\]{]b");
	expand("[a]{x,y},z", "[a]x,z|[a]y,z");
	expand("{,}{,}", "|||");
	expand("{/a,/b/{c,d,e}}/**", "/a/**|/b/c/**|/b/d/**|/b/e/**");
}

static void refuse(const char *pattern, bool path, size_t offset)
{
	struct lictor_pattern_fault fault;
	size_t count;

	if (lictor_pattern_check(pattern, path, &count, &fault) != -EINVAL)
		fail_msg("%s is not refused", pattern);
	if (!fault.whole && fault.offset != offset)
		fail_msg("%s is refused at %zu", pattern, fault.offset);
	assert_true(fault.text[0]);
}

static void test_refused_syntax(void **state)
{
	static const struct { const char *pattern; size_t offset; } wrong[] = {
		{ "/a\\", 2 },	    { "/[", 1 },	{ "/[a", 1 },	  { "/[]a]", 1 },
		{ "/[!]", 1 },	    { "/[!]a]", 1 },	{ "/[^a]", 2 },	  { "/[b-a]", 2 },
		{ "/[a[:x:]]", 3 }, { "/[[.a.]]", 2 },	{ "/x[a/]", 4 },  { "/[+-\\/]", 4 },
		{ "/]", 1 },	    { "/a}", 2 },	{ "/{a", 1 },	  { "/{a}", 1 },
		{ "/{}", 1 },	    { "/{a,{b}}", 4 },	{ "/a/***", 3 },  { "/[\xc3\xa4]", 2 },
		{ "/{{{{{a,b},c},d},e},f}", 5 }, { "/[a\\", 3 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
		refuse(wrong[i].pattern, true, wrong[i].offset);
}

static void test_refused_paths(void **state)
{
	static const struct { const char *pattern; size_t offset; } wrong[] = {
		{ "a", 0 },	{ "", 0 },	{ "*", 0 },	 { "*/a", 0 },	  { "/a/", 2 },
		{ "//", 1 },	{ "/a//b", 3 }, { "/.", 1 },	 { "/..", 1 },	  { "/a/./b", 3 },
		{ "/a/../b", 3 }, { "/**/", 3 }, { "**/", 2 },	 { "**//a", 3 },  { "/\\./a", 1 },
		{ "/a/\\.\\.", 3 }, { "/a\\/\\/b", 4 }, { "/{a,b/}", 0 }, { "/{a,.}/b", 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
		refuse(wrong[i].pattern, true, wrong[i].offset);
}

static void test_accepted(void **state)
{
	static const char *const right[] = { "/", "/**", "**", "**/a", "**a", "/a/**", "/a*/b?c",
					     "/...", "/.a/..b/a..", "/[a-z]", "/[!a-z]", "/[-a]",
					     "/[a-]", "/[.]/a", "/?./a", "/\\[a\\]", "/a b", "/a,b",
					     "\\/a", "/[a\\]b]", "/[[]", "{/a,**}/b", "/\xff\xfe" };
	struct lictor_pattern_fault fault;
	size_t count;

	(void)state;
	for (size_t i = 0; i < sizeof(right) / sizeof(*right); i++)
		if (lictor_pattern_check(right[i], true, &count, &fault))
			fail_msg("%s: %s at %zu", right[i], fault.text, fault.offset);
	assert_int_equal(lictor_pattern_check("a//[/]/", false, &count, &fault), 0);
	assert_int_equal(count, 1);
	assert_int_equal(lictor_pattern_check("{a,b}{c,d}", false, &count, &fault), 0);
	assert_int_equal(count, 4);
}

static void test_bounds(void **state)
{
	struct lictor_arena *arena = lictor_arena_new();
	const char *const *expanded;
	struct lictor_pattern_fault fault;
	size_t count;
	char *pattern = calloc(1, 70000);

	(void)state;
	for (int i = 0; i < 10; i++)
		strcat(pattern, "{a,b}");
	assert_int_equal(lictor_pattern_check(pattern, false, &count, &fault), 0);
	assert_int_equal(count, 1024);
	assert_int_equal(lictor_pattern_expand(pattern, arena, &count, &expanded), 0);
	assert_int_equal(count, 1024);
	strcat(pattern, "{a,b}");
	refuse(pattern, false, 0);
	assert_int_equal(lictor_pattern_expand(pattern, arena, &count, &expanded), -EINVAL);
	strcpy(pattern, "/{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}"); /* few, but each is long */
	memset(pattern + strlen(pattern), 'x', 65000);
	refuse(pattern, true, 0);
	strcpy(pattern, "/");
	memset(pattern + 1, 'x', 4094);
	pattern[4095] = '\0';
	assert_int_equal(lictor_pattern_check(pattern, true, &count, &fault), 0);
	pattern[4095] = 'x';
	pattern[4096] = '\0';
	refuse(pattern, true, 0);
	assert_int_equal(pattern_least("/a*[bc]\\d?"), 5);
	free(pattern);
	lictor_arena_free(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_expand),	       cmocka_unit_test(test_refused_syntax),
		cmocka_unit_test(test_refused_paths), cmocka_unit_test(test_accepted),
		cmocka_unit_test(test_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
