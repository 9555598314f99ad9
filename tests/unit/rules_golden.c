/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Golden files: each tests/golden/ok/NAME.yaml is read and printed as NAME.ok says (and warned of
 * as NAME.err says), each bad/NAME.yaml is refused with what NAME.err says. A NAME+2.yaml beside it
 * is a second file of the same rule set. LICTOR_GOLDEN_UPDATE=1 writes what came out instead.
 * Run from the root of the tree. Touches tests/golden.
 */
#include <dirent.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "rules/check.h"

#define PATH_LENGTH 512

static int user(const char *name, uint32_t *ret_number)
{
	static const struct { const char *name; uint32_t number; } users[] = {
		{ "root", 0 }, { "alice", 1000 }, { "builder", 1001 }, { "svc.web-1$", 1002 } };

	*ret_number = 5000;
	if (!strncmp(name, "many-", 5))
		return 0;
	for (size_t i = 0; i < sizeof(users) / sizeof(*users); i++) {
		if (strcmp(users[i].name, name))
			continue;
		*ret_number = users[i].number;
		return 0;
	}
	return strcmp(name, "ldap-is-down") ? -ENOENT : -EIO;
}

static int group(const char *name, uint32_t *ret_number)
{
	*ret_number = 10;
	return strcmp(name, "wheel") ? -ENOENT : 0;
}

static char *read_text(const char *path, size_t *ret_length)
{
	FILE *file = fopen(path, "re");
	char *text = calloc(1, 1 << 20);

	*ret_length = file && text ? fread(text, 1, (1 << 20) - 1, file) : 0;
	if (file) {
		fclose(file);
		return text;
	}
	free(text);
	return NULL;
}

/* Compares with the file's content; no file is the same as an empty one. */
static int compare(const char *path, const char *got)
{
	size_t length;
	char *expected;
	int differs;

	if (getenv("LICTOR_GOLDEN_UPDATE")) {
		FILE *file = got[0] ? fopen(path, "we") : NULL;

		if (!got[0])
			unlink(path);
		if (file) {
			fputs(got, file);
			fclose(file);
		}
		return 0;
	}
	expected = read_text(path, &length);
	differs = strcmp(expected ? expected : "", got);
	if (differs)
		print_error("%s: expected\n%s\nbut got\n%s\n", path, expected ? expected : "", got);
	free(expected);
	return !!differs;
}

static const char *base_name(const char *path)
{
	return strrchr(path, '/') + 1;
}

/* Reads NAME.yaml and NAME+2.yaml; printed rules and diagnostics go to the two texts. */
static int read_case(const char *dir, const char *name, char **ret_print, char **ret_diags)
{
	struct lictor_diags *diags = lictor_diags_new();
	struct lictor_source source[2] = { 0 };
	char path[2][PATH_LENGTH];
	struct lictor_rules *rules = NULL;
	size_t size, files = 0;
	FILE *out;
	int result;

	for (int i = 0; i < 2; i++) {
		snprintf(path[i], PATH_LENGTH, "tests/golden/%s/%s%s.yaml", dir, name,
			 i ? "+2" : "");
		source[files].text = read_text(path[i], &source[files].length);
		source[files].name = path[i] + (base_name(path[i]) - path[i]);
		files += !!source[files].text;
	}
	result = lictor_rules_read_text(files, source, diags, &rules);
	out = open_memstream(ret_print, &size);
	if (rules)
		assert_int_equal(lictor_rules_print(rules, out), 0);
	fclose(out);
	out = open_memstream(ret_diags, &size);
	lictor_diags_print(diags, out);
	fclose(out);
	lictor_rules_free(rules);
	lictor_diags_free(diags);
	for (size_t i = 0; i < files; i++)
		free(source[i].text);
	return result;
}

/* What was printed reads back to the same print, without the lists that were inserted. */
static int check_fixpoint(const char *name, char *print)
{
	char file[] = "print.yaml";
	struct lictor_source source = { .name = file, .text = print, .length = strlen(print) };
	struct lictor_diags *diags = lictor_diags_new();
	struct lictor_rules *rules = NULL;
	char *again = NULL;
	size_t size;
	FILE *out = open_memstream(&again, &size);
	int result = lictor_rules_read_text(1, &source, diags, &rules);

	if (result)
		lictor_diags_print(diags, stderr);
	else
		lictor_rules_print(rules, out);
	fclose(out);
	result = result || strcmp(print, again);
	if (result)
		print_error("%s: the print reads back as\n%s\n", name, again);
	free(again);
	lictor_rules_free(rules);
	lictor_diags_free(diags);
	return result;
}

static int check_case(const char *dir, const char *name, bool good)
{
	char ok[PATH_LENGTH], err[PATH_LENGTH], *print = NULL, *diags = NULL;
	int failed = 0, result = read_case(dir, name, &print, &diags);

	snprintf(ok, sizeof(ok), "tests/golden/%s/%s.ok", dir, name);
	snprintf(err, sizeof(err), "tests/golden/%s/%s.err", dir, name);
	if (result != (good ? 0 : -EINVAL)) {
		print_error("%s/%s: returned %d\n%s\n", dir, name, result, diags);
		failed = 1;
	}
	failed |= compare(err, diags);
	if (good)
		failed |= compare(ok, print) | check_fixpoint(name, print);
	else if (!diags[0])
		failed = 1;
	free(print);
	free(diags);
	return failed;
}

static void check_directory(const char *dir, bool good)
{
	char path[PATH_LENGTH];
	struct dirent **entry;
	int entries, failed = 0, cases = 0;

	snprintf(path, sizeof(path), "tests/golden/%s", dir);
	entries = scandir(path, &entry, NULL, alphasort);
	assert_true(entries > 0);
	for (int i = 0; i < entries; i++) {
		char *dot = strstr(entry[i]->d_name, ".yaml");

		if (dot && !strchr(entry[i]->d_name, '+')) {
			*dot = '\0';
			failed += check_case(dir, entry[i]->d_name, good);
			cases++;
		}
		free(entry[i]);
	}
	free(entry);
	print_message("%d files in %s, %d failed\n", cases, path, failed);
	assert_true(cases > 0);
	assert_int_equal(failed, 0);
}

static void test_ok(void **state)
{
	(void)state;
	check_directory("ok", true);
}

static void test_bad(void **state)
{
	(void)state;
	check_directory("bad", false);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_ok), cmocka_unit_test(test_bad) };

	lictor_user_lookup = user;
	lictor_group_lookup = group;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
