// SPDX-License-Identifier: Apache-2.0
/* Records of the log, read back into events in words. */
#include <dirent.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/cli/record.h"

static const char record_text[] =
	"{\"@timestamp\":\"2026-08-22T12:00:00Z\",\"event\":{\"action\":\"write\",\"dataset\":\"lictor.alert\"},"
	"\"file\":{\"path\":\"/mnt/a\\\"b\\u00e4\",\"mode\":\"0644\",\"uid\":\"7\",\"owner\":\"someone\"},"
	"\"user\":{\"id\":\"1001\",\"name\":\"builder\"},\"process\":{\"executable\":\"\",\"command_line\":\"x y\","
	"\"interactive\":false,\"args\":[\"x\",\"y\"]},\"lictor\":{\"host_path\":\"/tmp/b\",\"rules\":[\"one\",\"two\"],"
	"\"ancestors\":[{\"executable\":\"/bin/sh\",\"pid\":4},{\"executable\":\"/sbin/init\"}],"
	"\"process\":{\"capabilities\":[\"CAP_CHOWN\",\"CAP_KILL\"]},\"unknown\":[\"service.name\"],"
	"\"truncated\":[\"process.args\"]}}\n";

static const struct lictor_fact *fact_of(const struct lictor_told_record *record, int field,
					 size_t number)
{
	for (size_t i = 0; i < record->facts; i++)
		if (record->fact[i].field == field && !number--)
			return &record->fact[i];
	return NULL;
}

static void test_facts(void **state)
{
	struct lictor_told_record record;
	const struct lictor_fact *fact;

	(void)state;
	assert_int_equal(lictor_told_record_read(record_text, strlen(record_text), &record), 0);
	assert_int_equal(record.event, LICTOR_EVENT_WRITE);
	assert_int_equal(record.rules, 2);
	assert_string_equal(record.rule[1], "two");
	fact = fact_of(&record, LICTOR_FIELD_FILE_PATH, 0);
	assert_string_equal(fact->text, "/mnt/a\"b\xc3\xa4");
	assert_string_equal(fact->host, "/tmp/b");
	assert_string_equal(fact_of(&record, LICTOR_FIELD_FILE_OWNER, 0)->text, "7");
	assert_string_equal(fact_of(&record, LICTOR_FIELD_USER_NAME, 0)->text, "1001");
	assert_string_equal(fact_of(&record, LICTOR_FIELD_PROCESS_CAPABILITIES, 0)->text,
			    "CAP_CHOWN,CAP_KILL");
	assert_string_equal(fact_of(&record, LICTOR_FIELD_ANCESTOR_EXECUTABLE, 1)->text, "/sbin/init");
	assert_null(fact_of(&record, LICTOR_FIELD_ANCESTOR_EXECUTABLE, 2));
	/* No path at all; and what nobody knows. */
	assert_null(fact_of(&record, LICTOR_FIELD_PROCESS_EXECUTABLE, 0));
	assert_null(fact_of(&record, LICTOR_FIELD_SERVICE_NAME, 0)->text);
	assert_null(fact_of(&record, LICTOR_FIELD_PROCESS_ARGS, 0)->text);
	assert_null(fact_of(&record, LICTOR_FIELD_PROCESS_ENV, 0)->text);
	lictor_told_record_done(&record);
}

static int reads(const char *text)
{
	struct lictor_told_record record;
	int r = lictor_told_record_read(text, strlen(text), &record);

	lictor_told_record_done(&record);
	return r;
}

static void test_others(void **state)
{
	char deep[400];

	(void)state;
	assert_int_equal(reads(""), -EINVAL);
	assert_int_equal(reads("\n"), -EINVAL);
	assert_int_equal(reads("[1, 2]"), -EINVAL);
	assert_int_equal(reads("{\"a\":"), -EINVAL);
	assert_int_equal(reads("{\"a\":\"\\q\"}"), -EINVAL);
	assert_int_equal(reads("{}"), -ENOMSG);
	assert_int_equal(reads("{\"event\":{\"action\":\"write\"}}"), -ENOMSG);
	assert_int_equal(reads("{\"event\":{\"action\":\"no\",\"dataset\":\"lictor.alert\"}}"), -ENOMSG);
	assert_int_equal(reads("{\"event\":{\"action\":\"lictor.rules-loaded\","
			       "\"dataset\":\"lictor.notice\"}}"), -ENOMSG);
	memset(deep, '[', sizeof(deep) - 1);
	deep[sizeof(deep) - 1] = '\0';
	memcpy(deep, "{\"a\":", 5);
	assert_int_equal(reads(deep), -EINVAL);
}

/* Wherever a line ends, it is read or refused. */
static void test_cut(void **state)
{
	(void)state;
	for (size_t length = 0; length < strlen(record_text); length++) {
		char *cut = strndup(record_text, length);
		int r = reads(cut);

		assert_true(r == 0 || r == -EINVAL || r == -ENOMSG);
		free(cut);
	}
}

/* What this version writes, it reads. */
static void test_golden(void **state)
{
	const char *top = getenv("LICTOR_TOP");
	char path[4096], *line = NULL;
	struct dirent *entry;
	size_t room = 0, files = 0;
	DIR *dir;

	(void)state;
	snprintf(path, sizeof(path), "%s/tests/golden/json", top ? top : ".");
	dir = opendir(path);
	assert_non_null(dir);
	while ((entry = readdir(dir))) {
		struct lictor_told_record record;
		FILE *file;
		int r;

		if (!strstr(entry->d_name, ".json"))
			continue;
		snprintf(path, sizeof(path), "%s/tests/golden/json/%s", top ? top : ".",
			 entry->d_name);
		file = fopen(path, "re");
		assert_non_null(file);
		assert_true(getline(&line, &room, file) > 0);
		r = lictor_told_record_read(line, strlen(line), &record);
		if (r != 0 && r != -ENOMSG)
			fail_msg("%s: %d", entry->d_name, r);
		if (r == 0)
			assert_true(record.facts > 0);
		files += r == 0;
		lictor_told_record_done(&record);
		fclose(file);
	}
	free(line);
	closedir(dir);
	assert_true(files > 30);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_facts),
		cmocka_unit_test(test_others),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_golden),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
