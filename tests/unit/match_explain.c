/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What `lictor explain` says: facts in words, the answer in words. Touches memory only.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "rules/check.h"
#include "rules/evaluate.h"

static char rules_text[] =
	"rules:\n"
	"  - {name: no-exec, on: exec, match: {file.path: [/tmp/**, /var/tmp/**]},\n"
	"     unless: [{user.name: builder, file.path: /tmp/build/**}], action: block}\n"
	"  - {name: moved, on: rename, match: {file.path: '/etc/{passwd,shadow}',\n"
	"     process.ancestor.executable: {not: /usr/bin/dpkg}}, action: kill}\n"
	"  - {name: net, on: connect, match: {destination.ip: {not: 127.0.0.0/8},\n"
	"     destination.port: [4444, 6660-6669]}, action: {signal: SIGSTOP}, mode: monitor}\n"
	"  - {name: flags, on: write, match: {file.flags: [truncate, append], file.mode: -4000},\n"
	"     action: alert}\n"
	"  - {name: off, on: write, action: alert, enabled: false}\n"
	"  - {name: caps, on: capset, match: {capability.raised: [CAP_BPF, CAP_CHECKPOINT_RESTORE]},\n"
	"     action: block}\n"
	"  - {name: signals, on: signal, match: {signal.name: {not: [SIGCHLD, SIGCONT]},\n"
	"     target.executable: /usr/sbin/sshd, target.user: builder}, action: kill}\n"
	"  - {name: becomes, on: setuid, match: {user.target.id: 1000-2000}, action: block}\n"
	"  - {name: mounts, on: [mount, umount], match: {file.path: /etc/**, mount.flags: {not: nosuid}},\n"
	"     action: block}\n"
	"  - {name: there, on: mount, match: {mount.target: /etc/**}, action: alert}\n"
	"  - {name: modules, on: module, match: {module.name: nf_*}, action: kill}\n"
	"  - {name: listens, on: accept, match: {source.port: 22}, action: block}\n"
	"  - {name: from, on: accept, match: {source.port: 22, destination.ip: 10.0.0.0/8}, action: block}\n"
	"  - {name: refused, on: open-failed, match: {file.path: /etc/shadow}, action: kill}\n"
	"  - {name: sockets, on: socket, match: {socket.family: [packet, xdp], socket.protocol: 3},\n"
	"     action: block}\n";

static int user(const char *name, uint32_t *ret_number)
{
	*ret_number = 1001;
	return strcmp(name, "builder") ? -ENOENT : 0;
}

/* words: an event, then field=value; "" after the last. Returns what lictor_explain() does. */
static int explain(const char *event, const char *const *words, char **ret_said)
{
	char name[] = "explain.yaml", copy[8][128];
	struct lictor_source source = {
		.name = name, .text = rules_text, .length = strlen(rules_text) };
	struct lictor_diags *diags = lictor_diags_new();
	struct lictor_rules *rules = NULL;
	struct lictor_fact fact[8];
	size_t facts = 0, size;
	FILE *out = open_memstream(ret_said, &size);
	int r;

	assert_int_equal(lictor_rules_read_text(1, &source, diags, &rules), 0);
	for (; words[facts]; facts++) {
		char *equals = strchr(strcpy(copy[facts], words[facts]), '=');

		*equals = '\0';
		fact[facts] = (struct lictor_fact){ .field = lictor_field_find(copy[facts]) };
		fact[facts].text = equals + 1;
	}
	r = lictor_explain(rules, lictor_event_find(event), facts, fact, 0, NULL, out);
	fclose(out);
	lictor_rules_free(rules);
	lictor_diags_free(diags);
	return r;
}

static void expect(int wanted, const char *event, const char *const *words, const char *said)
{
	char *got = NULL;
	int r = explain(event, words, &got);

	if (r != wanted || !strstr(got, said))
		fail_msg("%d and not %d, or \"%s\" is not in:\n%s", r, wanted, said, got);
	free(got);
}

#define WORDS(...) (const char *const[]){ __VA_ARGS__, NULL }

static void test_blocks(void **state)
{
	(void)state;
	expect(1, "exec", WORDS("file.path=/tmp/x", "user.id=1000"), "no-exec: MATCHES, block\n");
	expect(1, "exec", WORDS("file.path=/tmp/x"), "+ file.path: \"/tmp/x\" is \"/tmp/**\"\n");
	expect(1, "exec", WORDS("file.path=/tmp/x"), "- user.name: (absent) is not \"builder\"\n");
	expect(0, "exec", WORDS("file.path=/tmp/build", "user.id=1001"), "  unless: holds\n");
	expect(0, "exec", WORDS("file.path=/tmp/build/x", "user.name=builder"),
	       "no-exec: does not match\n");
	expect(0, "exec", WORDS("file.path=/usr/bin/x"),
	       "- file.path: \"/usr/bin/x\" is none of \"/tmp/**\", \"/var/tmp/**\"\n");
}

static void test_targets_and_ancestors(void **state)
{
	(void)state;
	expect(1, "rename", WORDS("file.path=/etc/x", "file.target_path=/etc/passwd"),
	       "by its target as file.path:\n");
	expect(1, "rename", WORDS("file.path=/etc/passwd", "process.ancestor.executable=/bin/sh",
				  "process.ancestor.executable=/sbin/init"),
	       "(not): \"/bin/sh\", \"/sbin/init\" is not \"/usr/bin/dpkg\"\n");
	expect(0, "rename", WORDS("file.path=/etc/passwd", "process.ancestor.executable=/bin/sh",
				  "process.ancestor.executable=/usr/bin/dpkg"), "does not match\n");
}

static void test_values(void **state)
{
	(void)state;
	expect(1, "connect", WORDS("destination.ip=10.0.0.1", "destination.port=6665"),
	       "net: MATCHES, signal SIGSTOP (monitored only)\n");
	expect(0, "connect", WORDS("destination.ip=::ffff:127.0.0.1", "destination.port=6665"),
	       "- destination.ip (not): \"::ffff:127.0.0.1\" is \"127.0.0.0/8\"\n");
	expect(1, "write", WORDS("file.flags=create,append", "file.mode=06755"), "1 of 1 rules");
	expect(0, "write", WORDS("file.flags=create", "file.mode=0755"), "off: is disabled\n");
}

static void test_sets_and_pairs(void **state)
{
	(void)state;
	expect(1, "capset", WORDS("capability.raised=CAP_KILL,CAP_CHECKPOINT_RESTORE"),
	       "+ capability.raised: \"CAP_KILL,CAP_CHECKPOINT_RESTORE\" is "
	       "\"CAP_CHECKPOINT_RESTORE\"\n");
	expect(0, "capset", WORDS("capability.raised="), "- capability.raised: \"\" is none of");
	expect(0, "capset", WORDS("capability.raised=CAP_CHOWN,CAP_PERFMON"), "0 of 1 rules");
	expect(1, "signal", WORDS("signal.name=SIGKILL", "target.executable=/usr/sbin/sshd",
				  "target.user=builder", "target.pid=7"), "signals: MATCHES, kill\n");
	expect(0, "signal", WORDS("signal.name=SIGCONT", "target.executable=/usr/sbin/sshd"),
	       "- signal.name (not): \"SIGCONT\" is \"SIGCONT\"");
	expect(1, "setuid", WORDS("user.target.name=builder"), "becomes: MATCHES, block\n");
	expect(1, "socket", WORDS("socket.family=xdp", "socket.protocol=3"), "sockets: MATCHES");
}

static void test_mounts(void **state)
{
	(void)state;
	expect(2, "mount", WORDS("file.path=/etc/x", "mount.flags=bind,recursive"),
	       "there: MATCHES, alert\n");
	expect(1, "mount", WORDS("mount.target=/etc/x", "mount.flags=nosuid"),
	       "- mount.flags (not): \"nosuid\" is \"nosuid\"");
	expect(1, "umount", WORDS("file.path=/etc", "mount.flags=detach"), "mounts: MATCHES, block\n");
	/* either end of a move may be what file.path means, where it goes is mount.target */
	expect(1, "mount", WORDS("mount.operation=move", "mount.source=/etc/x", "file.path=/mnt"),
	       "by its source as file.path:\n");
	expect(0, "mount", WORDS("mount.operation=bind", "mount.source=/etc/x", "file.path=/mnt"),
	       "there: does not match\n");
	expect(1, "mount", WORDS("mount.operation=move", "mount.source=/etc/x", "file.path=/mnt"),
	       "there: does not match\n");
}

static void test_what_cannot_be_denied(void **state)
{
	(void)state;
	expect(2, "mount", WORDS("file.path=/etc/x", "mount.operation=clone"),
	       "mounts: MATCHES, block (only reported: cloning a tree and changing a mount's attributes "
	       "cannot be denied)\n");
	expect(2, "mount", WORDS("file.path=/etc/x", "mount.operation=mount"),
	       "mounts: MATCHES, block\n");
	expect(1, "module", WORDS("module.name=nf_x", "module.operation=unload"),
	       "modules: MATCHES, kill (the process ends, but removing a module cannot be denied)\n");
	expect(2, "accept", WORDS("source.port=22", "destination.ip=10.1.1.1"),
	       "from: MATCHES, block (only reported: a connection whose peer is asked for cannot");
	expect(1, "accept", WORDS("source.port=22"), "listens: MATCHES, block\n");
	expect(1, "open-failed", WORDS("file.path=/etc/shadow"), "refused: MATCHES, kill (the process");
}

static void test_bad_values(void **state)
{
	(void)state;
	expect(-EINVAL, "write", WORDS("file.flags=append,bogus"),
	       "\"bogus\" is no value of it: one of append create");
	expect(-EINVAL, "capset", WORDS("capability.raised=CAP_KILL,cap_bpf"),
	       "\"cap_bpf\" is no value of it: did you mean \"CAP_BPF\"?");
	expect(-EINVAL, "signal", WORDS("signal.name=9"), "did you mean \"SIGKILL\"?");
	expect(-EINVAL, "signal", WORDS("signal.name=x\x1b[2J"), "\"x\\x1b[2J\" is no value of it");
	expect(-EINVAL, "write", WORDS("file.mode=0888"), "is not a file mode");
	expect(-EINVAL, "write", WORDS("file.setuid=yes"), "is not true or false");
	expect(-EINVAL, "write", WORDS("file.path=a\x1b[2J"), "\"a\\x1b[2J\" is not an absolute");
	expect(-EINVAL, "write", WORDS("file.path=/a", "file.path=/b"), "file.path: given twice");
	expect(-EINVAL, "write", WORDS("user.name=nobody-here"), "is not a user");
	expect(-EINVAL, "connect", WORDS("destination.port=65536"), "a number from 0 to 65535");
	expect(-EINVAL, "connect", WORDS("destination.ip=10.0.0"), "is not an IPv4 or IPv6 address");
}

/* What could be tried in more ways than there is time for. */
static void test_many_stars(void **state)
{
	static char text[4096];
	int error = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(text) - 1; i++)
		text[i] = "ab/"[i % 3];
	assert_false(lictor_glob_matches("**a**b**a**b**a**b**a**b**a**b**c", true, text, &error));
	assert_true(lictor_glob_matches("**a**b**a**b**a**b**a**b**a**b**", true, text, &error));
	assert_false(lictor_glob_matches("*a*b*a*b*a*b*a*b*a*b*c", false, text, &error));
	assert_false(lictor_glob_matches("/**/**/**/**/**/**/**/**/**/c", true, text, &error));
	assert_int_equal(error, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_blocks),
		cmocka_unit_test(test_targets_and_ancestors),
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_sets_and_pairs),
		cmocka_unit_test(test_mounts),
		cmocka_unit_test(test_what_cannot_be_denied),
		cmocka_unit_test(test_bad_values),
		cmocka_unit_test(test_many_stars),
	};

	lictor_user_lookup = user;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
