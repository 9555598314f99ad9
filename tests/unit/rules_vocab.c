/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The vocabulary: every word is found again, no two are the same, hints are near. Touches nothing.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "rules/check.h"

static void test_events(void **state)
{
	(void)state;
	for (int event = 0; event < LICTOR_EVENTS; event++) {
		assert_int_equal(lictor_event_find(lictor_event_words[event].name), event);
		assert_true(lictor_event_set(lictor_event_words[event].name) == 1ULL << event);
		assert_true(lictor_event_words[event].doc[0]);
	}
	assert_int_equal(lictor_event_find("modify"), -1);
	assert_true(lictor_event_set("modify") & E(RENAME));
	assert_true(lictor_event_set("modify") & E(MOUNT));
	assert_false(lictor_event_set("modify") & E(READ));
	assert_true(lictor_event_set("no") == 0);
	assert_string_equal(lictor_shorthand_name(0), "modify");
	assert_null(lictor_shorthand_name(1));
}

static void test_fields(void **state)
{
	(void)state;
	assert_true(LICTOR_FIELDS <= LICTOR_FIELDS_MAX);
	for (int field = 1; field < LICTOR_FIELDS; field++) {
		const struct lictor_field_word *word = &lictor_field_words[field];
		bool pattern = word->type == LICTOR_TYPE_PATH || word->type == LICTOR_TYPE_TEXT;

		assert_int_equal(lictor_field_find(word->name), field);
		assert_int_equal(word->space != LICTOR_SPACE_NONE, pattern);
		assert_true(word->groups);
	}
	assert_int_equal(lictor_field_find("process.env.HOME"), LICTOR_FIELD_PROCESS_ENV);
	assert_int_equal(lictor_field_find(""), -1);
	assert_true(lictor_field_words[LICTOR_FIELD_PROCESS_NAME].forgeable);
	assert_false(lictor_field_words[LICTOR_FIELD_PROCESS_EXECUTABLE].forgeable);
}

static void test_which_events_have_which_fields(void **state)
{
	(void)state;
	for (int event = 0; event < LICTOR_EVENTS; event++)
		assert_true(lictor_event_has_field(event, LICTOR_FIELD_USER_ID));
	assert_true(lictor_event_has_field(LICTOR_EVENT_RENAME, LICTOR_FIELD_FILE_TARGET_PATH));
	assert_false(lictor_event_has_field(LICTOR_EVENT_CREATE, LICTOR_FIELD_FILE_TARGET_PATH));
	assert_true(lictor_event_has_field(LICTOR_EVENT_CONNECT, LICTOR_FIELD_DESTINATION_IP));
	assert_false(lictor_event_has_field(LICTOR_EVENT_EXEC, LICTOR_FIELD_DESTINATION_IP));
	assert_true(lictor_event_has_field(LICTOR_EVENT_EXIT, LICTOR_FIELD_EXIT_CODE));
	assert_false(lictor_event_has_field(LICTOR_EVENT_EXEC, LICTOR_FIELD_EXIT_CODE));
}

static void test_values(void **state)
{
	(void)state;
	assert_int_equal(lictor_value_find(LICTOR_FIELD_FILE_TYPE, "fifo"), 5);
	assert_string_equal(lictor_value_name(LICTOR_FIELD_FILE_TYPE, 5), "fifo");
	assert_int_equal(lictor_value_find(LICTOR_FIELD_FILE_TYPE, "tcp"), -1);
	assert_null(lictor_value_name(LICTOR_FIELD_FILE_TYPE, 99));
	assert_int_equal(lictor_value_find(LICTOR_FIELD_CAPABILITY_RAISED, "CAP_CHECKPOINT_RESTORE"), 40);
	assert_int_equal(lictor_value_find(LICTOR_FIELD_CAPABILITY_RAISED, "cap_chown"), -1);
	for (int severity = 2; severity < 8; severity++)
		assert_non_null(lictor_severity_words[severity]);
}

/* Who walks over names tries 0 to 63; bit 63 of a set of values is kept free (rules/possible.c). */
static void test_named_values(void **state)
{
	(void)state;
	for (int field = 1; field < LICTOR_FIELDS; field++) {
		const struct lictor_field_word *word = &lictor_field_words[field];
		bool named = word->type == LICTOR_TYPE_ENUM || word->type == LICTOR_TYPE_SET;
		int names = 0;

		for (uint32_t value = 0; value < 4096; value++) {
			const char *name = lictor_value_name(field, value);

			if (!name)
				continue;
			names++;
			assert_true(named && value < 63);
			assert_int_equal(lictor_value_find(field, name), (int)value);
		}
		assert_true(names || !named);
	}
}

static const char *near(const char *word, const char *candidate)
{
	struct nearest nearest = nearest_to(word);

	nearest_try(&nearest, candidate);
	return nearest.best;
}

static void test_nearest(void **state)
{
	struct nearest nearest = nearest_to("file.pth");
	char hint[80];

	(void)state;
	for (int field = 1; field < LICTOR_FIELDS; field++)
		nearest_try(&nearest, lictor_field_words[field].name);
	assert_string_equal(nearest_hint(&nearest, hint, sizeof(hint), NULL),
			    "did you mean \"file.path\"?");
	assert_non_null(near("exce", "exec")); /* two letters swapped are one mistake */
	assert_non_null(near("raed", "read"));
	assert_null(near("x", "y"));
	assert_null(near("open", "exec"));
	assert_null(near("", "a"));
	assert_null(near("exec", "exec-failed"));
	assert_non_null(near("destnation.ports", "destination.port"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_events),
		cmocka_unit_test(test_fields),
		cmocka_unit_test(test_which_events_have_which_fields),
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_named_values),
		cmocka_unit_test(test_nearest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
