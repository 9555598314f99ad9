/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SHA-256 against the vectors of FIPS 180-4 and NIST, in pieces of every size. Touches nothing.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "rules/sha256.h"

static void check(const char *text, size_t length, size_t piece, const char *expected)
{
	uint8_t digest[LICTOR_SHA256_BYTES];
	char hex[LICTOR_SHA256_TEXT];
	struct lictor_sha256 sha;

	lictor_sha256_init(&sha);
	for (size_t at = 0; at < length; at += piece)
		lictor_sha256_add(&sha, text + at, length - at < piece ? length - at : piece);
	lictor_sha256_done(&sha, digest);
	lictor_sha256_text(digest, hex);
	assert_string_equal(hex, expected);
}

static void test_vectors(void **state)
{
	static const char two_blocks[] = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";

	(void)state;
	check("", 0, 1, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	check("abc", 3, 3, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	for (size_t piece = 1; piece < 60; piece++)
		check(two_blocks, 56, piece,
		      "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

static void test_million(void **state)
{
	char *text = malloc(1000000);

	(void)state;
	memset(text, 'a', 1000000);
	for (size_t piece = 1; piece < 1000000; piece = piece * 7 + 3)
		check(text, 1000000, piece,
		      "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
	free(text);
}

/* Lengths around the end of a block, where the padding changes its shape. */
static void test_padding(void **state)
{
	static const struct { size_t length; const char *digest; } vectors[] = {
		{ 55, "9f4390f8d30c2dd92ec9f095b65e2b9ae9b0a925a5258e241c9f1e910f734318" },
		{ 56, "b35439a4ac6f0948b6d6f9e3c6af0f5f590ce20f1bde7090ef7970686ec6738a" },
		{ 64, "ffe054fe7ae0cb6dc65c3af9b61d5209f439851db43d0ba5997337df154668eb" },
	};
	char text[64];

	(void)state;
	memset(text, 'a', sizeof(text));
	for (size_t i = 0; i < 3; i++)
		check(text, vectors[i].length, 64, vectors[i].digest);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_vectors),
					    cmocka_unit_test(test_million),
					    cmocka_unit_test(test_padding) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
