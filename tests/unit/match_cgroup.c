/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of bpf/cgroup.h: what the names of control groups say. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "rules/host.h"
#include "bpf/cgroup.h"

#define HEX16 "0123456789abcdef"
#define HEX64 HEX16 HEX16 HEX16 HEX16

static struct lictor_part part;

static __u32 put(const char *name)
{
	/* What was there before must not count. */
	memset(&part, 'a', sizeof(part));
	memcpy(part.byte, name, strlen(name));
	return (__u32)strlen(name);
}

static void expect_container(const char *name, __u32 supervised, const char *id)
{
	__u32 length = put(name), from = 0;
	__u32 count = lictor_container_part(&part, length, supervised, &from);

	if (!id && count)
		fail_msg("%s: %.*s", name, (int)count, name + from);
	if (id && (count != strlen(id) || memcmp(name + from, id, count)))
		fail_msg("%s: %.*s is not %s", name, (int)count, name + from, id);
}

static void test_containers(void **state)
{
	static const char *const numbered[] = {
		"", "docker-", "libpod-", "crio-", "cri-containerd-", "nerdctl-", "kata-x-",
	};
	char name[256];

	(void)state;
	for (size_t i = 0; i < sizeof(numbered) / sizeof(numbered[0]); i++) {
		snprintf(name, sizeof(name), "%s" HEX64, numbered[i]);
		expect_container(name, 0, HEX64);
		expect_container(name, 1, HEX64);
		strcat(name, ".scope");
		expect_container(name, 0, HEX64);
		name[strlen(name) - 7] = 'g';	/* no digit */
		expect_container(name, 0, NULL);
	}
	expect_container("libpod-conmon-" HEX64 ".scope", 0, NULL);
	expect_container("crio-conmon-" HEX64 ".scope", 0, NULL);
	expect_container("conmon-" HEX64, 0, HEX64);	/* a container of that name: more before it */
	expect_container("x" HEX64 ".scope", 0, NULL);
	expect_container(HEX64 ".service", 0, NULL);
	expect_container(HEX64 ".slice", 0, NULL);
	expect_container("pod" HEX16 "_4f5a", 0, NULL);
	expect_container("crun-web.scope", 0, "web");
	expect_container("runc-db-1.scope", 0, "db-1");
	expect_container("crun-.scope", 0, NULL);
	expect_container("runc-db", 0, NULL);
	expect_container("lxc.payload.web", 0, "web");
	expect_container("lxc.monitor.web", 0, NULL);
	expect_container("lxc.payload.", 0, NULL);
	expect_container("lxc.payload.scope", 0, "scope");
	expect_container("lxc.payload.a.scope", 0, "a.scope");
	expect_container("machine-qemux.scope", 0, "qemux");
	expect_container("machine-debian.scope", 0, "debian");
	expect_container("machine-debian.scope", 1, NULL);
	expect_container("machine-qemu\\x2d1\\x2dvm.scope", 0, NULL);
	expect_container("systemd-nspawn@debian.service", 0, "debian");
	expect_container("systemd-nspawn@debian.service", 1, NULL);
	expect_container("systemd-nspawn@.service", 0, NULL);
	expect_container("systemd-nspawn@x.scope", 0, NULL);
	expect_container("nginx.service", 0, NULL);
	expect_container("session-3.scope", 0, NULL);
	expect_container(".scope", 0, NULL);
	expect_container("a", 0, NULL);
}

static void expect_unit(const char *name, int is)
{
	__u32 length = put(name);

	if (lictor_is_unit(&part, length) != is)
		fail_msg("%s", name);
}

static void test_units(void **state)
{
	(void)state;
	expect_unit("nginx.service", 1);
	expect_unit("getty@tty1.service", 1);
	expect_unit("session-3.scope", 1);
	expect_unit("init.scope", 1);
	expect_unit("dbus.socket", 1);
	expect_unit("srv-data.mount", 1);
	expect_unit("dev-sdb1.swap", 1);
	expect_unit("system.slice", 0);
	expect_unit(".service", 0);
	expect_unit("nginx.servic", 0);
	expect_unit("nginxservice", 0);
	expect_unit("e", 0);
}

static void test_supervisors(void **state)
{
	(void)state;
	assert_true(lictor_is_supervisor(&part, put("supervisor")));
	assert_false(lictor_is_supervisor(&part, put("supervisors")));
	assert_false(lictor_is_supervisor(&part, put("upervisor")));
	assert_false(lictor_is_supervisor(&part, put("payload")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_containers),
		cmocka_unit_test(test_units),
		cmocka_unit_test(test_supervisors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
