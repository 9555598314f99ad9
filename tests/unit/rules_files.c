/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rule files and directories: what is read, in which order, and what is refused. Large but honest
 * lists are fast. Touches a temporary directory.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "rules/check.h"

static char directory[256];

static const char *in(const char *name)
{
	static char path[2][512];
	static int turn;

	turn = !turn;
	snprintf(path[turn], sizeof(path[turn]), "%s/%s", directory, name);
	return path[turn];
}

static void write_file(const char *name, const char *text)
{
	FILE *file = fopen(in(name), "we");

	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static void test_order(void **state)
{
	struct lictor_diags *diags = lictor_diags_new();
	struct lictor_arena *arena = lictor_arena_new();
	char dirs[2][512];
	const char *argument[3] = { dirs[0], dirs[1], NULL };
	const char *const *file;
	size_t files;

	(void)state;
	snprintf(dirs[0], sizeof(dirs[0]), "%s", in("a"));
	snprintf(dirs[1], sizeof(dirs[1]), "%s/", in("b"));
	argument[2] = "/somewhere/15.conf";
	assert_int_equal(mkdir(dirs[0], 0700) | mkdir(dirs[1], 0700), 0);
	write_file("a/20.yaml", "");
	write_file("a/.hidden.yaml", "");
	write_file("a/notes.txt", "");
	write_file("a/old.yml", "");
	write_file("b/10.yaml", "");
	write_file("b/20.yaml", "");
	/* 15.conf is given by name, so it is not looked at before it is read */
	assert_int_equal(lictor_rules_files(2, argument, diags, arena, &files, &file), 0);
	assert_int_equal(files, 3);
	assert_string_equal(strrchr(file[0], '/'), "/10.yaml");
	assert_null(strstr(file[0], "//"));
	assert_string_equal(file[1], in("a/20.yaml"));
	assert_string_equal(file[2], in("b/20.yaml"));
	assert_int_equal(diags->warnings, 1);
	assert_int_equal(lictor_rules_files(3, argument, diags, arena, &files, &file), -EINVAL);
	assert_int_equal(lictor_rules_files(1, file, diags, arena, &files, &file), 0);
	assert_int_equal(files, 1);
	assert_int_equal(lictor_rules_files(0, NULL, diags, arena, &files, &file), 0);
	assert_int_equal(files, 0);
	lictor_arena_free(arena);
	lictor_diags_free(diags);
}

static void expect_refused(const char *path, const char *say)
{
	struct lictor_diags *diags = lictor_diags_new();
	struct lictor_rules *rules = NULL;

	assert_int_equal(lictor_rules_read(1, &path, diags, &rules), -EINVAL);
	assert_null(rules);
	assert_int_equal(diags->errors, 1);
	if (!strstr(diags->diag[0].text, say))
		fail_msg("%s: %s", path, diags->diag[0].text);
	assert_int_equal(diags->diag[0].place.line, 0);
	lictor_diags_free(diags);
}

static void test_refused(void **state)
{
	(void)state;
	write_file("real.yaml", "");
	assert_int_equal(symlink("real.yaml", in("link.yaml")), 0);
	assert_int_equal(mkfifo(in("fifo.yaml"), 0600), 0);
	write_file("large.yaml", "");
	assert_int_equal(truncate(in("large.yaml"), (16 << 20) + 1), 0);
	expect_refused(in("link.yaml"), "it is a symbolic link");
	expect_refused(in("fifo.yaml"), "it is not a regular file");
	expect_refused("/dev/null", "it is not a regular file");
	expect_refused(directory, "it is a directory");
	expect_refused(in("large.yaml"), "it is larger than 16 MiB");
	expect_refused(in("missing.yaml"), "No such file or directory");
}

static void test_digest(void **state)
{
	/* by sha256sum of: "d.yaml", NUL, 9 in eight bytes, "rules: []" */
	static const uint8_t expected[4] = { 0xb2, 0x0a, 0x76, 0x86 };
	struct lictor_diags *diags = lictor_diags_new();
	struct lictor_rules *one = NULL, *two = NULL;
	const char *path;

	(void)state;
	write_file("d.yaml", "rules: []");
	path = in("d.yaml");
	assert_int_equal(lictor_rules_read(1, &path, diags, &one), 0);
	write_file("d.yaml", "rules: [ ]");
	path = in("d.yaml");
	assert_int_equal(lictor_rules_read(1, &path, diags, &two), 0);
	assert_memory_equal(one->digest, expected, sizeof(expected));
	assert_memory_not_equal(one->digest, two->digest, 32);
	lictor_rules_free(one);
	lictor_rules_free(two);
	lictor_diags_free(diags);
}

static void write_large(const char *name, int from, int values, const char *format)
{
	FILE *file = fopen(in(name), "we");

	assert_non_null(file);
	fprintf(file, "lists:\n  l%d:\n", from);
	for (int i = from; i < from + values; i++) {
		fputs("  - ", file);
		if (*format == '/')
			fprintf(file, "/opt/vendor/lib/module-%d.so\n", i);
		else
			fprintf(file, "%d.%d.%d.0/24\n", 1 + i / 65536, i / 256 % 256, i % 256);
	}
	fclose(file);
}

static void read_large(size_t files, const char *const *file, size_t values)
{
	struct lictor_diags *diags = lictor_diags_new();
	struct lictor_rules *rules = NULL;
	clock_t begin = clock();
	size_t found = 0;

	assert_int_equal(lictor_rules_read(files, file, diags, &rules), 0);
	for (size_t i = 0; i < rules->rules; i++)
		found += rules->rule[i].match.predicate->values;
	assert_int_equal(found, values);
	assert_int_equal(diags->warnings, 0);
	print_message("%zu values in %.2f s\n", values,
		      (double)(clock() - begin) / CLOCKS_PER_SEC);
	lictor_rules_free(rules);
	lictor_diags_free(diags);
}

static void test_large_lists(void **state)
{
	char path[3][512];
	const char *file[3] = { path[0], path[1], path[2] };

	(void)state;
	write_large("l1.yaml", 0, 500000, "");
	write_large("l2.yaml", 500000, 500000, "");
	write_file("l3.yaml", "rules: [{name: a, on: connect, action: alert, match: "
			      "{destination.ip: [$l0, $l500000]}}]");
	for (int i = 0; i < 3; i++)
		snprintf(path[i], sizeof(path[i]), "%s/l%d.yaml", directory, i + 1);
	read_large(3, file, 1000000);
	write_large("l2.yaml", 0, 100000, "/");
	write_file("l3.yaml", "rules: [{name: a, on: exec, action: block, match: "
			      "{file.path: $l0}}]");
	read_large(2, file + 1, 100000);
}

static int make_directory(void **state)
{
	const char *tmp = getenv("TMPDIR");

	(void)state;
	snprintf(directory, sizeof(directory), "%s/lictor-files-XXXXXX", tmp ? tmp : "/tmp");
	return !mkdtemp(directory);
}

static int remove_directory(void **state)
{
	static const char *const names[] = { "a/20.yaml", "a/.hidden.yaml", "a/notes.txt",
					     "a/old.yml", "b/10.yaml", "b/20.yaml", "real.yaml",
					     "link.yaml", "fifo.yaml", "large.yaml", "d.yaml",
					     "l1.yaml", "l2.yaml", "l3.yaml" };

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		unlink(in(names[i]));
	rmdir(in("a"));
	rmdir(in("b"));
	return rmdir(directory);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_order),
					    cmocka_unit_test(test_refused),
					    cmocka_unit_test(test_digest),
					    cmocka_unit_test(test_large_lists) };

	return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
