/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hostile rule files: each is written to a temporary directory, read by a child, and must be
 * refused within 1 s of CPU time and 64 MiB. The bound on time is wider here, so
 * that a busy machine does not fail it; with a sanitizer there are no bounds. Touches $TMPDIR.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "rules/check.h"

#define SECONDS_MAX	8
#define KIBIBYTES_MAX	(64 * 1024)
#define BYTES		((16 << 20) - 1024)
#define RULE		"{name: a, on: exec, action: alert, match: {%s}}"

#if defined(__SANITIZE_ADDRESS__)
static const bool bounded = false;
#else
static const bool bounded = true;
#endif

/* begin; then more, its turn's number for %d, the next for %n, until there is enough; end. */
struct hostile {
	const char *name;
	const char *begin;
	const char *more;
	const char *end;
	int turns;	 /* 0: to 16 MiB */
	const char *say; /* in the first error */
};

static const struct hostile files[] = {
	{ "brackets", "", "[", "", 0, "nested more than 16 deep" },
	{ "braces", "", "{a: ", "", 0, "nested more than 16 deep" },
	{ "braces, tight", "", "{a:", "", 0, "" },
	{ "dashes", "", "- ", "", 0, "nested more than 16 deep" },
	{ "lines of dashes", "", "- a\n", "", 0, "more than 1100000 keys and values" },
	{ "questions", "", "? ", "", 0, "nested more than 16 deep" },
	{ "colons", "", ": ", "", 0, "" },
	{ "quotes", "", "\"", "", 0, "" },
	{ "an open quote", "rules: \"", "a", "", 0, "the closing quote is missing" },
	{ "an open quote of lines", "rules: '", "a\n", "", 0, "the closing quote is missing" },
	{ "a long word", "rules: ", "a", "", 0, "a value of more than 65536 bytes" },
	{ "a long key", "", "a", ": b", 0, "a value of more than 65536 bytes" },
	{ "escapes", "rules: \"", "\\x41", "\"", 0, "a value of more than 65536 bytes" },
	{ "a literal", "rules: |\n", " a\n", "", 0, "a value of more than 65536 bytes" },
	{ "aliases", "lists:\n a:\n", " - *a\n", "", 0, "aliases are not allowed" },
	{ "anchors", "", "- &a a\n", "", 0, "anchors are not allowed" },
	{ "tags", "lists:\n a:\n", " - !a a\n", "", 0, "tags are not allowed" },
	{ "documents", "", "---\n", "", 0, "more than one document" },
	{ "bytes", "", "\xc0\xaf", "", 0, "is not UTF-8" },
	{ "tabs", "", "\t", "", 0, "" },
	{ "duplicate keys", "", "rules: []\n", "", 100000, "duplicate key \"rules\"" },
	{ "other keys", "", "k%d: a\n", "", 500000, "unknown key \"k0\"" },
	{ "flow keys", "lists: {", "a,", "}", 0, "more than 1100000 keys and values" },
	{ "rules", "rules:\n", "- {}\n", "", 1000000, "more than 16384 rules" },
	{ "same names", "rules:\n", "- {name: a, on: exec, action: alert}\n", "", 16384,
	  "duplicate rule \"a\"" },
	{ "lists", "lists:\n", " l%d: a\n", "", 500000, "more than 65536 lists" },
	{ "a chain of lists", "lists:\n", " l%d: $l%n\n", "", 60000,
	  "lists nested more than 16 deep" },
	{ "values", "lists: {a: [", "aaaaaaaaaaaaa,",
	  "]}\nrules: [{name: a, on: exec, action: alert, match: {file.path: $a}}]", 1090000, "a path begins with" },
	{ "users", "rules: [{name: a, on: exec, action: alert, match: {user.name: [", "nobody-%d, ",
	  "]}}]", 900000, "unknown user" },
	{ "braces in patterns", "rules: [{name: a, on: exec, action: alert, match: {file.path: [",
	  "'/{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}',", "]}}]", 250000,
	  "stand for more than 200000 patterns" },
	{ "lists in many rules", "lists: {a: [a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p]}\n"
	  "lists2: []\nrules:\n", "- {name: a%d, on: exec, action: alert, match: {process.name: "
	  "[$a,$a,$a,$a,$a,$a,$a,$a,$a,$a,$a,$a,$a,$a,$a,$a]}}\n", "", 16384,
	  "unknown key \"lists2\"" },
	{ "overrides", "rules: [{name: a, on: exec, action: alert}]\noverrides:\n",
	  "- {rule: a, unless: {process.pid: 1}}\n", "", 150000, "more than 64 overrides" },
	{ "unknown lists that are nearly known", "lists:\n"
	  " kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk: a\nrules:\n",
	  "- {name: a%d, on: exec, action: alert, match: {process.name: "
	  "$kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk%d}}\n", "", 16000,
	  "unknown list" },
};

static void write_file(const char *path, const struct hostile *file)
{
	FILE *out = fopen(path, "we");
	bool numbered = strchr(file->more, '%');
	size_t written = strlen(file->begin) + strlen(file->end);
	size_t length = strlen(file->more);

	assert_non_null(out);
	fputs(file->begin, out);
	for (int i = 0; (!file->turns || i < file->turns) && written + length < BYTES; i++) {
		for (const char *at = file->more; *at; at++) {
			if (numbered && at[0] == '%') {
				written += (size_t)fprintf(out, "%d", i + (at[1] == 'n'));
				at++;
			} else {
				fputc(*at, out);
				written++;
			}
		}
	}
	fputs(file->end, out);
	assert_int_equal(fclose(out), 0);
}

/* In the child: 0 if the file was refused for the right reason. */
static int read_file(const char *path, const char *say)
{
	struct lictor_diags *diags = lictor_diags_new();
	struct lictor_rules *rules = NULL;
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	int result = lictor_rules_read(1, &path, diags, &rules);
	bool right = result == -EINVAL && diags->errors;

	lictor_diags_print(diags, out);
	fclose(out);
	if (!right || !strstr(text, say) || size > 100000)
		print_error("%d: %.2000s\n", result, text);
	right = right && strstr(text, say) && size <= 100000;
	lictor_rules_free(rules);
	lictor_diags_free(diags);
	free(text);
	return !right;
}

static int check_file(const char *path, const struct hostile *file)
{
	struct rusage usage;
	int status, failed;
	double seconds;
	pid_t child;

	write_file(path, file);
	child = fork();
	assert_true(child >= 0);
	if (!child) {
		alarm(60);
		_exit(read_file(path, file->say));
	}
	assert_int_equal(wait4(child, &status, 0, &usage), child);
	seconds = (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
		  (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
	failed = !WIFEXITED(status) || WEXITSTATUS(status) ||
		 (bounded && (seconds > SECONDS_MAX || usage.ru_maxrss > KIBIBYTES_MAX));
	if (failed)
		print_error("%s: status %#x, %.2f s, %ld KiB\n", file->name, status, seconds,
			    usage.ru_maxrss);
	return failed;
}

static void test_files(void **state)
{
	const char *tmp = getenv("TMPDIR");
	char directory[256], path[300];
	int failed = 0;

	(void)state;
	snprintf(directory, sizeof(directory), "%s/lictor-hostile-XXXXXX", tmp ? tmp : "/tmp");
	assert_non_null(mkdtemp(directory));
	snprintf(path, sizeof(path), "%s/hostile.yaml", directory);
	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++)
		failed += check_file(path, &files[i]);
	unlink(path);
	rmdir(directory);
	assert_int_equal(failed, 0);
}

/* Lists of lists of lists: few bytes, 10 to the power of 14 values. */
static void test_list_bomb(void **state)
{
	struct lictor_diags *diags = lictor_diags_new();
	struct lictor_rules *rules = NULL;
	struct lictor_source source = { 0 };
	char name[] = "bomb.yaml";
	FILE *out = open_memstream(&source.text, &source.length);

	(void)state;
	fputs("lists:\n l0: [a,b,c,d,e,f,g,h,i,j]\n", out);
	for (int i = 1; i < 14; i++)
		fprintf(out, " l%d: [$l%d,$l%d,$l%d,$l%d,$l%d,$l%d,$l%d,$l%d,$l%d,$l%d]\n", i,
			i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1);
	fprintf(out, "rules: [" RULE "]\n", "process.name: [$l13, x]");
	fclose(out);
	source.name = name;
	assert_int_equal(lictor_rules_read_text(1, &source, diags, &rules), -EINVAL);
	assert_int_equal(diags->errors, 1);
	assert_non_null(strstr(diags->diag[0].text, "more than 2000000 values"));
	free(source.text);
	lictor_diags_free(diags);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_files),
					    cmocka_unit_test(test_list_bomb) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
