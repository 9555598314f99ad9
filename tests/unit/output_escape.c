/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tests of output/escape.c and line.c: whatever comes in, what goes out is valid UTF-8 without a
 * control character or a mark that turns text round, and the bytes can be had back.
 */
#include "tests/unit/output_sample.h"

#include "output/words.h"

static void expect(const char *bytes, size_t length, const char *escaped)
{
	struct lictor_line line = {};

	lictor_line_escaped(&line, bytes, length);
	assert_false(line.failed);
	assert_string_equal(line.byte, escaped);
	assert_int_equal(line.length, strlen(escaped));
	lictor_line_done(&line);
}

#define EXPECT(bytes, escaped) expect(bytes, sizeof(bytes) - 1, escaped)

static void test_rules(void **state)
{
	(void)state;
	EXPECT("", "");
	EXPECT("/tmp/x y", "/tmp/x y");
	EXPECT("a\\b", "a\\\\b");
	EXPECT("\\x41", "\\\\x41");
	EXPECT("a\"b'", "a\"b'");
	EXPECT("\0", "\\x00");
	EXPECT("a\n\r\t\x1b[2J", "a\\x0a\\x0d\\x09\\x1b[2J");
	EXPECT("\x7f", "\\x7f");
	EXPECT("\xc2\x80\xc2\x9f\xc2\xa0", "\\xc2\\x80\\xc2\\x9f\xc2\xa0");
	EXPECT("gr\xc3\xb6\xc3\x9f" "e \xe2\x82\xac \xf0\x9f\x92\xa9",
	       "gr\xc3\xb6\xc3\x9f" "e \xe2\x82\xac \xf0\x9f\x92\xa9");
	EXPECT("\xe2\x80\xa7\xe2\x80\xa8\xe2\x80\xa9\xe2\x80\xaa",
	       "\xe2\x80\xa7\\xe2\\x80\\xa8\\xe2\\x80\\xa9\\xe2\\x80\\xaa");
	EXPECT("\xe2\x80\xae\xe2\x80\xaf", "\\xe2\\x80\\xae\xe2\x80\xaf");
	EXPECT("\xe2\x81\xa5\xe2\x81\xa6\xe2\x81\xa9\xe2\x81\xaa",
	       "\xe2\x81\xa5\\xe2\\x81\\xa6\\xe2\\x81\\xa9\xe2\x81\xaa");
}

static void test_invalid(void **state)
{
	(void)state;
	EXPECT("\xff\xfe", "\\xff\\xfe");
	EXPECT("\x80\xbf", "\\x80\\xbf");
	EXPECT("\xc0\xaf\xc1\xbf", "\\xc0\\xaf\\xc1\\xbf");
	EXPECT("\xe0\x80\xaf", "\\xe0\\x80\\xaf");
	EXPECT("\xe0\x9f\xbf\xe0\xa0\x80", "\\xe0\\x9f\\xbf\xe0\xa0\x80");
	EXPECT("\xed\x9f\xbf\xed\xa0\x80\xed\xbf\xbf\xee\x80\x80",
	       "\xed\x9f\xbf\\xed\\xa0\\x80\\xed\\xbf\\xbf\xee\x80\x80");
	EXPECT("\xf0\x8f\xbf\xbf", "\\xf0\\x8f\\xbf\\xbf");
	EXPECT("\xf4\x8f\xbf\xbf\xf4\x90\x80\x80", "\xf4\x8f\xbf\xbf\\xf4\\x90\\x80\\x80");
	EXPECT("\xf5\x80\x80\x80\xf8\x88\x80\x80\x80",
	       "\\xf5\\x80\\x80\\x80\\xf8\\x88\\x80\\x80\\x80");
	/* cut in the middle of a character, at the end and before an ordinary one */
	EXPECT("a\xc3", "a\\xc3");
	EXPECT("a\xe2\x82", "a\\xe2\\x82");
	EXPECT("a\xf0\x9f\x92", "a\\xf0\\x9f\\x92");
	EXPECT("\xe2\x82z", "\\xe2\\x82z");
	EXPECT("\xf0\x9f\xe2\x82\xac", "\\xf0\\x9f\xe2\x82\xac");
}

/* The way back, as the documentation describes it. */
static size_t unescape(const char *text, size_t length, char *ret_bytes)
{
	size_t bytes = 0;

	for (size_t i = 0; i < length; i++) {
		if (text[i] != '\\') {
			ret_bytes[bytes++] = text[i];
		} else if (text[i + 1] == '\\') {
			ret_bytes[bytes++] = '\\';
			i++;
		} else {
			char hex[3] = { text[i + 2], text[i + 3] };

			assert_int_equal(text[i + 1], 'x');
			ret_bytes[bytes++] = (char)strtoul(hex, NULL, 16);
			i += 3;
		}
	}
	return bytes;
}

static void check_both_ways(const char *bytes, size_t length)
{
	struct lictor_line line = {}, json = {}, quoted = {};
	char *back = malloc(length + 1);

	lictor_line_escaped(&line, bytes, length);
	lictor_line_text(&line, "");
	assert_int_equal(unescape(line.byte, line.length, back), length);
	assert_memory_equal(back, bytes, length);

	/* JSON of bytes is JSON of their escaped text */
	lictor_line_text(&json, "{\"a\":");
	lictor_line_json(&json, bytes, length);
	lictor_line_text(&json, "}");
	lictor_line_text(&quoted, "{\"a\":");
	lictor_line_quoted(&quoted, line.byte, line.length);
	lictor_line_text(&quoted, "}");
	assert_string_equal(json.byte, quoted.byte);
	if (!json_is_valid(json.byte, json.length))
		fail_msg("not JSON: %s", json.byte);
	for (size_t i = 0; i < line.length; i++)
		assert_true((unsigned char)line.byte[i] >= 0x20 && line.byte[i] != 0x7f);
	free(back);
	lictor_line_done(&line);
	lictor_line_done(&json);
	lictor_line_done(&quoted);
}

static void test_every_byte_and_pair(void **state)
{
	(void)state;
	for (unsigned a = 0; a < 256; a++) {
		char pair[2] = { (char)a };

		check_both_ways(pair, 1);
		for (unsigned b = 0; b < 256; b++) {
			pair[1] = (char)b;
			check_both_ways(pair, 2);
		}
	}
}

static void test_random(void **state)
{
	uint64_t seed = 88172645463325252u;
	char bytes[80];

	(void)state;
	for (int i = 0; i < 20000; i++) {
		size_t length = random_next(&seed) % sizeof(bytes);

		random_bytes(&seed, bytes, length);
		check_both_ways(bytes, length);
	}
}

/* Every code point that is not a harmful one stays as it is. */
static void test_every_point(void **state)
{
	(void)state;
	for (uint32_t p = 0x80; p < 0x110000; p++) {
		bool harmful = p < 0xa0 || p == 0x2028 || p == 0x2029 ||
			       (p >= 0x202a && p <= 0x202e) || (p >= 0x2066 && p <= 0x2069) ||
			       (p >= 0xd800 && p < 0xe000);
		int size = p < 0x800 ? 2 : p < 0x10000 ? 3 : 4;
		struct lictor_line line = {};
		char bytes[4];

		for (int i = size - 1; i > 0; i--)
			bytes[i] = (char)(0x80 | (p >> 6 * (size - 1 - i) & 0x3f));
		bytes[0] = (char)((0xf00u >> size & 0xff) | p >> 6 * (size - 1));
		lictor_line_escaped(&line, bytes, (size_t)size);
		if (harmful)
			assert_int_equal(line.length, 4 * size);
		else
			assert_memory_equal(line.byte, bytes, size);
		lictor_line_done(&line);
	}
}

static void test_long_printf(void **state)
{
	struct lictor_line line = {};
	char text[2000];

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	lictor_line_printf(&line, "%s-%d", text, 7);
	assert_int_equal(line.length, sizeof(text) - 1 + 2);
	assert_string_equal(line.byte + sizeof(text) - 1, "-7");
	lictor_line_reset(&line);
	assert_int_equal(line.length, 0);
	lictor_line_add(&line, NULL, SIZE_MAX / 2);
	assert_true(line.failed);
	lictor_line_text(&line, "a");
	assert_true(line.failed);
	lictor_line_done(&line);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rules),	     cmocka_unit_test(test_invalid),
		cmocka_unit_test(test_every_byte_and_pair), cmocka_unit_test(test_random),
		cmocka_unit_test(test_every_point),  cmocka_unit_test(test_long_printf),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
