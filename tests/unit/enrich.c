/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of daemon/enrich.c and names.c, under a root directory of their own. */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/output_sample.h"

#include "daemon/enrich.h"

static char root[64];

static void put(const char *name, const char *text)
{
	char path[128];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", root, name);
	file = fopen(path, "we");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static void make(const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", root, name);
	assert_int_equal(mkdir(path, 0700), 0);
}

static int make_root(void **state)
{
	(void)state;
	strcpy(root, "/tmp/lictor-enrich-XXXXXX");
	assert_non_null(mkdtemp(root));
	make("etc");
	put("etc/passwd", "root:x:0:0:root:/root:/bin/sh\nwww-data:x:33:33::/:/bin/false\n"
			  "toor:x:0:0::/:/bin/sh\n");
	put("etc/group", "root:x:0:\nweb:x:33:a,b\n");
	return 0;
}

static int remove_root(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -r %s", root);
	return system(command);
}

static struct lictor_enrich *open_enrich(void)
{
	struct lictor_enrich *enrich = NULL;

	assert_int_equal(lictor_enrich_new_at(root, &enrich), 0);
	return enrich;
}

static void test_names(void **state)
{
	struct lictor_alert alert = sample_alert(LICTOR_EVENT_WRITE, LICTOR_VERDICT_BLOCKED);
	struct lictor_enrich *enrich = open_enrich();

	(void)state;
	lictor_enrich_alert(enrich, &alert);
	assert_string_equal(alert.user_name, "www-data");
	assert_string_equal(alert.user_effective_name, "root");	/* the first of two */
	assert_null(alert.user_audit_name);
	assert_string_equal(alert.group_name, "web");
	assert_string_equal(alert.file_owner_name, "www-data");
	sample_number(&alert, LICTOR_FIELD_USER_NAME, 34);
	alert.values.state[LICTOR_FIELD_FILE_OWNER] = LICTOR_UNKNOWN;
	lictor_enrich_alert(enrich, &alert);
	assert_null(alert.user_name);
	assert_null(alert.file_owner_name);
	lictor_enrich_free(enrich);
}

/* Of whom it acts on, and what it becomes. */
static void test_target_names(void **state)
{
	struct lictor_alert alert = sample_alert(LICTOR_EVENT_SETUID, LICTOR_VERDICT_BLOCKED);
	struct lictor_enrich *enrich = open_enrich();

	(void)state;
	alert.user_target_name = NULL;
	sample_number(&alert, LICTOR_FIELD_USER_TARGET_NAME, 33);
	sample_number(&alert, LICTOR_FIELD_TARGET_USER, 0);
	sample_number(&alert, LICTOR_FIELD_GROUP_TARGET_NAME, 33);
	lictor_enrich_alert(enrich, &alert);
	assert_string_equal(alert.user_target_name, "www-data");
	assert_string_equal(alert.target_user_name, "root");
	assert_string_equal(alert.group_target_name, "web");
	sample_number(&alert, LICTOR_FIELD_TARGET_USER, 1ull << 32);
	alert.values.state[LICTOR_FIELD_GROUP_TARGET_NAME] = LICTOR_ABSENT;
	lictor_enrich_alert(enrich, &alert);
	assert_null(alert.target_user_name);
	assert_null(alert.group_target_name);
	lictor_enrich_free(enrich);
}

/* A changed, replaced, spoiled or missing file is noticed at the next alert. */
static void test_changes(void **state)
{
	struct lictor_alert alert = sample_alert(LICTOR_EVENT_EXIT, LICTOR_VERDICT_ALLOWED);
	struct lictor_enrich *enrich = open_enrich();
	char from[128], to[128];

	(void)state;
	lictor_enrich_alert(enrich, &alert);
	assert_string_equal(alert.user_name, "www-data");
	put("etc/new", "renamed_:x:33:33::/:/bin/false\n");	/* of equal size or not */
	snprintf(from, sizeof(from), "%s/etc/new", root);
	snprintf(to, sizeof(to), "%s/etc/passwd", root);
	assert_int_equal(rename(from, to), 0);
	lictor_enrich_alert(enrich, &alert);
	assert_string_equal(alert.user_name, "renamed_");
	put("etc/passwd", ":x:33:\nx:33\n\n::::\nno:x:33x:\nbig:x:4294967295:\nbig:x:99999999999:\n"
			  "minus:x:-1:\nodd:x:33");
	lictor_enrich_alert(enrich, &alert);
	assert_string_equal(alert.user_name, "odd");
	assert_null(alert.user_audit_name);
	put("etc/passwd", "");
	lictor_enrich_alert(enrich, &alert);
	assert_null(alert.user_name);
	unlink(to);
	lictor_enrich_alert(enrich, &alert);
	assert_null(alert.user_name);
	assert_int_equal(mkfifo(to, 0600), 0);	/* is not waited for */
	lictor_enrich_alert(enrich, &alert);
	assert_null(alert.user_name);
	lictor_enrich_free(enrich);
}

static void test_large(void **state)
{
	struct lictor_alert alert = sample_alert(LICTOR_EVENT_EXIT, LICTOR_VERDICT_ALLOWED);
	struct lictor_enrich *enrich = open_enrich();
	char path[128];
	FILE *file;

	(void)state;
	snprintf(path, sizeof(path), "%s/etc/passwd", root);
	file = fopen(path, "we");
	for (int i = 100000; i > 0; i--)
		fprintf(file, "u%d:x:%d:1::/:/\n", i, i);
	fclose(file);
	sample_number(&alert, LICTOR_FIELD_USER_NAME, 99999);
	lictor_enrich_alert(enrich, &alert);
	assert_string_equal(alert.user_name, "u99999");
	sample_number(&alert, LICTOR_FIELD_USER_NAME, 1);	/* beyond the bound */
	lictor_enrich_alert(enrich, &alert);
	assert_null(alert.user_name);
	lictor_enrich_free(enrich);
}

/* The running system. */
static void test_host(void **state)
{
	struct lictor_enrich *enrich = NULL;
	struct lictor_alert alert = sample_alert(LICTOR_EVENT_EXIT, LICTOR_VERDICT_ALLOWED);
	struct lictor_host host;

	(void)state;
	assert_int_equal(lictor_enrich_new(&enrich), 0);
	sample_number(&alert, LICTOR_FIELD_USER_NAME, 0);
	lictor_enrich_alert(enrich, &alert);
	assert_string_equal(alert.user_name, "root");
	lictor_enrich_free(enrich);
	lictor_host_read("1.2.3", &host);
	assert_string_equal(host.version, "1.2.3");
	assert_true(host.name[0]);
	assert_int_equal(strlen(host.boot_id), 36);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_root, remove_root)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_names), TEST(test_target_names), TEST(test_changes), TEST(test_large),  cmocka_unit_test(test_host),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
