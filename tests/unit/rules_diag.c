/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Diagnostics: places, marks, escapes, limits, JSON. Golden files show the usual ones. Touches
 * nothing.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "rules/check.h"

static char *show(const struct lictor_diags *diags,
		  void (*print)(const struct lictor_diags *, FILE *))
{
	char *text = calloc(1, 65536);
	FILE *out = fmemopen(text, 65536, "w");

	print(diags, out);
	fclose(out);
	return text;
}

static void expect_at(const char *name, const char *source, struct lictor_place place,
		      const char *expected)
{
	struct lictor_diags *diags = lictor_diags_new();
	char *text;

	assert_int_equal(diags_add_source(diags, name, strdup(source), strlen(source), &place.file),
			 0);
	lictor_diag_error(diags, place, NULL, "x");
	text = show(diags, lictor_diags_print);
	assert_string_equal(text, expected);
	free(text);
	lictor_diags_free(diags);
}

static struct lictor_place at(uint32_t line, uint32_t column, uint32_t width)
{
	return (struct lictor_place){ .line = line, .column = column, .width = width };
}

static void test_places(void **state)
{
	(void)state;
	expect_at("f", "one\r\ntwo\rthree\n\nfive", at(2, 1, 3),
		  "f:2:1: error: x\n    2 | two\n      | ^~~\n");
	expect_at("f", "one\r\ntwo\rthree\n\nfive", at(3, 3, 1),
		  "f:3:3: error: x\n    3 | three\n      |   ^\n");
	expect_at("f", "one\r\ntwo\rthree\n\nfive", at(4, 1, 1),
		  "f:4:1: error: x\n    4 | \n      | ^\n");
	expect_at("f", "one\r\ntwo\rthree\n\nfive", at(5, 5, 1), /* behind the end */
		  "f:5:5: error: x\n    5 | five\n      |     ^\n");
	expect_at("f", "abc", at(1, 2, 99), "f:1:2: error: x\n    1 | abc\n      |  ^~\n");
	expect_at("f", "abc", at(0, 0, 0), "f: error: x\n");
	expect_at("f", "\xef\xbb\xbf" "abc", at(1, 1, 1),
		  "f:1:1: error: x\n    1 | abc\n      | ^\n");
}

static void test_marks_align(void **state)
{
	(void)state;
	expect_at("f", "a\tb", at(1, 3, 1),
		  "f:1:3: error: x\n    1 | a       b\n      |         ^\n");
	expect_at("f", "\tb", at(1, 1, 2),
		  "f:1:1: error: x\n    1 |         b\n      | ^~~~~~~~~\n");
	expect_at("f", "ä€😀b", at(1, 4, 1), "f:1:4: error: x\n    1 | ä€😀b\n      |    ^\n");
	expect_at("f", "\x1b[31m", at(1, 2, 1),
		  "f:1:2: error: x\n    1 | \\x1b[31m\n      |     ^\n");
	expect_at("f", "\xff\xfe" "b", at(1, 3, 1),
		  "f:1:3: error: x\n    1 | \\xff\\xfeb\n      |         ^\n");
	expect_at("f", "\xe2\x80\xae" "b", at(1, 2, 1),
		  "f:1:2: error: x\n    1 | \\u202eb\n      |       ^\n");
	expect_at("a\nb\x1b", "c", at(1, 1, 1),
		  "a\\x0ab\\x1b:1:1: error: x\n    1 | c\n      | ^\n");
}

static void test_long_lines_are_cut(void **state)
{
	struct lictor_diags *diags = lictor_diags_new();
	struct lictor_place place = at(1, 5000, 4);
	char source[10001], *text, *line, *under;

	(void)state;
	memset(source, 'a', sizeof(source) - 1);
	source[10000] = '\0';
	memcpy(source + 4999, "HERE", 4);
	diags_add_source(diags, "f", strdup(source), 10000, &place.file);
	lictor_diag_error(diags, place, NULL, "x");
	text = show(diags, lictor_diags_print);
	assert_true(strlen(text) < 300);
	line = strstr(text, "| ");
	assert_memory_equal(line, "| …", 5);
	/* "…" has three bytes and is one cell wide */
	under = strchr(line, '\n') + 1;
	assert_int_equal(strstr(line, "HERE") - line - 2, strchr(under, '^') - under - 6);
	free(text);
	lictor_diags_free(diags);
}

static void test_twenty_are_kept(void **state)
{
	struct lictor_diags *diags = lictor_diags_new();
	struct lictor_place place = at(0, 0, 0);
	char *text;

	(void)state;
	diags_add_source(diags, "f", NULL, 0, &place.file);
	for (int i = 0; i < 23; i++)
		lictor_diag_error(diags, place, "hint", "error %d", i);
	for (int i = 0; i < 21; i++)
		lictor_diag_warning(diags, place, NULL, "warning %d", i);
	assert_int_equal(diags->errors, 23);
	assert_int_equal(diags->warnings, 21);
	assert_int_equal(diags->count, 40);
	text = show(diags, lictor_diags_print);
	assert_non_null(strstr(text, "error 19\n"));
	assert_null(strstr(text, "error 20\n"));
	assert_non_null(strstr(text, "… and 3 more errors\n… and 1 more warning\n"));
	free(text);
	lictor_diags_free(diags);
}

static void test_sorted(void **state)
{
	struct lictor_diags *diags = lictor_diags_new();
	uint32_t file;
	char *text;

	(void)state;
	diags_add_source(diags, "a", strdup("x\ny\n"), 4, &file);
	diags_add_source(diags, "b", strdup("x\ny\n"), 4, &file);
	lictor_diag_error(diags, (struct lictor_place){ 1, 1, 1, 1 }, NULL, "4");
	lictor_diag_error(diags, (struct lictor_place){ 0, 2, 1, 1 }, NULL, "3");
	lictor_diag_warning(diags, (struct lictor_place){ 0, 1, 2, 1 }, NULL, "2");
	lictor_diag_error(diags, (struct lictor_place){ 0, 1, 1, 1 }, NULL, "1");
	text = show(diags, lictor_diags_print);
	assert_true(strstr(text, ": 1\n") < strstr(text, ": 2\n"));
	assert_true(strstr(text, ": 2\n") < strstr(text, ": 3\n"));
	assert_true(strstr(text, ": 3\n") < strstr(text, ": 4\n"));
	free(text);
	lictor_diags_free(diags);
}

static void test_json(void **state)
{
	struct lictor_diags *diags = lictor_diags_new();
	struct lictor_place place = at(1, 2, 3);
	char *text = show(diags, lictor_diags_print_json);

	(void)state;
	assert_string_equal(text, "[]\n");
	free(text);
	diags_add_source(diags, "f\"\n", strdup("x"), 1, &place.file);
	lictor_diag_error(diags, place, "ä\xff", "a\\b\x1b");
	lictor_diag_warning(diags, place, NULL, "w");
	text = show(diags, lictor_diags_print_json);
	assert_string_equal(text,
			    "[\n {\"file\": \"f\\\"\\u000a\", \"line\": 1, \"column\": 2, "
			    "\"width\": 3, \"kind\": \"error\", \"text\": \"a\\\\b\\u001b\", "
			    "\"hint\": \"ä\\\\xff\"},\n"
			    " {\"file\": \"f\\\"\\u000a\", \"line\": 1, \"column\": 2, "
			    "\"width\": 3, \"kind\": \"warning\", \"text\": \"w\"}\n]\n");
	free(text);
	lictor_diags_free(diags);
}

static void test_utf8(void **state)
{
	static const char *const wrong[] = { "\xc0\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80",
					     "\xe2\x82", "\x80", "\xf8\x88\x80\x80\x80" };
	uint32_t code;
	char long_text[200];

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
		assert_int_equal(utf8_next(wrong[i], strlen(wrong[i]), &code), 0);
	assert_int_equal(utf8_next("\xf0\x9f\x98\x80", 4, &code), 4);
	assert_int_equal(code, 0x1f600);
	memset(long_text, 'a', 199);
	memcpy(long_text + 79, "ä", 2);
	long_text[199] = '\0';
	assert_int_equal(shown(long_text), 79); /* not half a character */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_places),
		cmocka_unit_test(test_marks_align),
		cmocka_unit_test(test_long_lines_are_cut),
		cmocka_unit_test(test_twenty_are_kept),
		cmocka_unit_test(test_sorted),
		cmocka_unit_test(test_json),
		cmocka_unit_test(test_utf8),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
