/* SPDX-License-Identifier: Apache-2.0 */
/* lictor.conf: what is taken, what is refused, and where. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
/* cmocka last of these: it needs them */
#include <cmocka.h>

#include "daemon/config.h"

struct state {
	struct lictor_config config;
	struct lictor_diags *diags;
};

static int set_up(void **state)
{
	struct state *s = calloc(1, sizeof(*s));

	assert_non_null(s);
	assert_int_equal(lictor_config_init(&s->config), 0);
	s->diags = lictor_diags_new();
	*state = s;
	return 0;
}

static int tear_down(void **state)
{
	struct state *s = *state;

	lictor_config_done(&s->config);
	lictor_diags_free(s->diags);
	free(s);
	return 0;
}

static int take(struct state *s, const char *text)
{
	return lictor_config_read_text("t.conf", text, strlen(text), s->diags, &s->config);
}

static void defaults(void **state)
{
	struct state *s = *state;

	assert_int_equal(take(s, ""), 0);
	assert_int_equal(take(s, "# only a comment\n"), 0);
	assert_int_equal(take(s, "---\n"), 0);
	assert_int_equal(s->config.mode, LICTOR_MODE_ENFORCE);
	assert_string_equal(s->config.dir[0], "/etc/lictor/rules.d");
	assert_string_equal(s->config.control, LICTOR_CONTROL_PATH);
	assert_true(s->config.journal);
	assert_true(s->config.hash);
	assert_false(s->config.degrade);
	assert_int_equal(s->config.heartbeat, 60);
}

static void everything(void **state)
{
	struct state *s = *state;

	assert_int_equal(take(s, "mode: monitor\n"
				 "rules: [/a, \"/b c\"]\n"
				 "log:\n"
				 "  path: /var/log/x.json\n"
				 "  group: siem\n"
				 "  rotate: {size: 2M, age: 3d, keep: 7}\n"
				 "journal: false\n"
				 "hash: false\n"
				 "control: /run/x.sock\n"
				 "on-unsupported: degrade\n"
				 "heartbeat: 5m\n"), 0);
	assert_int_equal(s->config.mode, LICTOR_MODE_MONITOR);
	assert_int_equal(s->config.dirs, 2);
	assert_string_equal(s->config.dir[1], "/b c");
	assert_string_equal(s->config.log_path, "/var/log/x.json");
	assert_string_equal(s->config.log_group, "siem");
	assert_int_equal(s->config.rotate_bytes, 2u << 20);
	assert_int_equal(s->config.rotate_seconds, 3 * 86400);
	assert_int_equal(s->config.keep, 7);
	assert_false(s->config.journal);
	assert_false(s->config.hash);
	assert_string_equal(s->config.control, "/run/x.sock");
	assert_true(s->config.degrade);
	assert_int_equal(s->config.heartbeat, 300);
}

/* As drop-ins will: a later text says only what differs. */
static void one_over_the_other(void **state)
{
	struct state *s = *state;

	assert_int_equal(take(s, "mode: monitor\nheartbeat: 10s\n"), 0);
	assert_int_equal(take(s, "heartbeat: 20\nlog: false\n"), 0);
	assert_int_equal(s->config.mode, LICTOR_MODE_MONITOR);
	assert_int_equal(s->config.heartbeat, 20);
	assert_null(s->config.log_path);
}

static void refuses(struct state *s, const char *text, unsigned line, unsigned column,
		    const char *words)
{
	size_t before = s->diags->count;

	assert_int_equal(take(s, text), -EINVAL);
	assert_true(s->diags->count > before);
	assert_int_equal(s->diags->diag[before].place.line, line);
	assert_int_equal(s->diags->diag[before].place.column, column);
	if (!strstr(s->diags->diag[before].text, words))
		fail_msg("\"%s\" is not in \"%s\"", words, s->diags->diag[before].text);
}

static void mistakes(void **state)
{
	struct state *s = *state;

	refuses(s, "mode: enforce\nmoed: x\n", 2, 1, "unknown key \"moed\"");
	assert_string_equal(s->diags->diag[0].hint, "did you mean \"mode\"?");
	refuses(s, "log: {rotate: {kep: 3}}\n", 1, 16, "unknown key \"kep\"");
	refuses(s, "mode: stop\n", 1, 7, "enforce or monitor");
	refuses(s, "mode: [enforce]\n", 1, 7, "enforce or monitor");
	refuses(s, "mode: {enforce: 1}\n", 1, 7, "enforce or monitor");
	refuses(s, "rules: /a\n", 1, 8, "list");
	refuses(s, "rules: []\n", 1, 8, "list");
	refuses(s, "rules: [a]\n", 1, 8, "absolute");
	refuses(s, "control: c.sock\n", 1, 10, "absolute");
	refuses(s, "log: true\n", 1, 6, "mapping");
	refuses(s, "log: {path: x}\n", 1, 13, "absolute");
	refuses(s, "log: {rotate: 3}\n", 1, 15, "mapping");
	refuses(s, "log: {rotate: {size: -1}}\n", 1, 22, "size");
	refuses(s, "log: {rotate: {size: 99999999999G}}\n", 1, 22, "size");
	refuses(s, "log: {rotate: {size: 999999999999999999999}}\n", 1, 22, "size");
	refuses(s, "log: {rotate: {keep: 1K}}\n", 1, 22, "keep");
	refuses(s, "heartbeat: 0\n", 1, 12, "heartbeat");
	refuses(s, "heartbeat: 1y\n", 1, 12, "heartbeat");
	refuses(s, "heartbeat: 1mm\n", 1, 12, "heartbeat");
	refuses(s, "- a\n", 1, 1, "mapping");
}

static void hostile(void **state)
{
	static const char *const text[] = {
		"mode: enforce\nmode: enforce\n", "a: &a [*a]\n", "? {a: b}\n: c\n", "{mode: ",
		"\xff\xfe\xff", "--- {}\n--- {}\n", "\"mode\\0\": enforce\n", "!!binary x: y\n",
		"mode: \"enforce\\0\"\n", "x", "*x", "%YAML 9.9\n---\n{}\n",
	};
	struct state *s = *state;
	char deep[20001];
	size_t i;

	for (i = 0; i < sizeof(text) / sizeof(text[0]); i++)
		if (take(s, text[i]) != -EINVAL)
			fail_msg("taken: %s", text[i]);
	memset(deep, '[', 20000);
	deep[20000] = '\0';
	assert_int_equal(take(s, deep), -EINVAL);
}

static void files(void **state)
{
	struct state *s = *state;
	char name[] = "/tmp/lictor-config-XXXXXX";
	int fd = mkstemp(name);
	static char big[LICTOR_CONFIG_MAX + 1];

	assert_true(fd >= 0);
	assert_int_equal(lictor_config_read("/nonexistent/x", s->diags, &s->config), -ENOENT);
	assert_int_equal(s->diags->errors, 0);
	assert_int_equal(write(fd, "heartbeat: 9s\n", 14), 14);
	assert_int_equal(lictor_config_read(name, s->diags, &s->config), 0);
	assert_int_equal(s->config.heartbeat, 9);
	memset(big, '#', sizeof(big));
	assert_int_equal(pwrite(fd, big, sizeof(big), 0), sizeof(big));
	assert_int_equal(lictor_config_read(name, s->diags, &s->config), -EINVAL);
	assert_int_equal(lictor_config_read("/dev/zero", s->diags, &s->config), -EINVAL);
	assert_int_equal(lictor_config_read("/tmp", s->diags, &s->config), -EINVAL);
	assert_int_equal(s->diags->errors, 3);
	close(fd);
	unlink(name);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(defaults, set_up, tear_down),
		cmocka_unit_test_setup_teardown(everything, set_up, tear_down),
		cmocka_unit_test_setup_teardown(one_over_the_other, set_up, tear_down),
		cmocka_unit_test_setup_teardown(mistakes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(hostile, set_up, tear_down),
		cmocka_unit_test_setup_teardown(files, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
