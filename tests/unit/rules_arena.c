/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory of a rule set: zeroed, aligned where it must be, any size. Touches nothing.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "rules/check.h"

static void test_zeroed_and_aligned(void **state)
{
	struct lictor_arena *arena = lictor_arena_new();

	(void)state;
	for (size_t size = 1; size < 3000000; size = size * 3 / 2 + 1) {
		unsigned char *bytes = lictor_arena_get(arena, size);

		assert_non_null(bytes);
		assert_int_equal((uintptr_t)bytes % _Alignof(max_align_t), 0);
		for (size_t i = 0; i < size; i++)
			assert_int_equal(bytes[i], 0);
		memset(bytes, 0xff, size);
		assert_string_equal(lictor_arena_text(arena, "odd", 3), "odd");
	}
	lictor_arena_free(arena);
}

static void test_texts_do_not_overlap(void **state)
{
	struct lictor_arena *arena = lictor_arena_new();
	const char *text[5000];

	(void)state;
	for (int i = 0; i < 5000; i++) {
		char name[32];

		text[i] = lictor_arena_text(arena, name,
					    (size_t)snprintf(name, sizeof(name), "text %d", i));
	}
	for (int i = 0; i < 5000; i++) {
		char name[32];

		snprintf(name, sizeof(name), "text %d", i);
		assert_string_equal(text[i], name);
	}
	lictor_arena_free(arena);
}

static void test_too_large(void **state)
{
	struct lictor_arena *arena = lictor_arena_new();

	(void)state;
	assert_null(lictor_arena_get(arena, SIZE_MAX));
	assert_null(lictor_arena_get(arena, SIZE_MAX / 2));
	assert_null(lictor_arena_text(arena, "", SIZE_MAX));
	assert_non_null(lictor_arena_get(arena, 0));
	lictor_arena_free(arena);
	lictor_arena_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_zeroed_and_aligned),
		cmocka_unit_test(test_texts_do_not_overlap),
		cmocka_unit_test(test_too_large),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
