/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a host has for Lictor, told to people: one line a finding, and what to do about it. May
 * touch: /proc and /sys, reading.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statfs.h>
#include <sys/utsname.h>
#include <linux/magic.h>
#include <unistd.h>

#include "daemon/engine.h"

struct list {
	struct lictor_host_check *check;
	size_t room;
	size_t count;
};

static void add(struct list *list, const char *what, bool good, const char *found, const char *todo)
{
	struct lictor_host_check *check;

	if (list->count == list->room)
		return;
	check = &list->check[list->count++];
	check->what = what;
	check->good = good;
	snprintf(check->detail, sizeof(check->detail), "%s%s%s", found, good ? "" : "; ",
		 good ? "" : todo);
}

static bool read_line(const char *path, char *line, size_t room)
{
	FILE *file = fopen(path, "re");
	bool got = file && fgets(line, (int)room, file);

	if (file)
		fclose(file);
	if (got)
		line[strcspn(line, "\n")] = '\0';
	return got;
}

static void check_kernel(struct list *list)
{
	struct utsname name;
	int major = 0, minor = 0;

	if (uname(&name) < 0 || sscanf(name.release, "%d.%d", &major, &minor) != 2)
		return;
	add(list, "kernel", major > 6 || (major == 6 && minor >= 1), name.release,
	    "Lictor supports 6.1 and later");
	add(list, "BTF", access("/sys/kernel/btf/vmlinux", R_OK) == 0, "/sys/kernel/btf/vmlinux",
	    "not there: this kernel was built without CONFIG_DEBUG_INFO_BTF");
}

static void check_lsm(struct list *list)
{
	char line[256] = "not known", padded[260];
	bool known = read_line("/sys/kernel/security/lsm", line, sizeof(line));

	snprintf(padded, sizeof(padded), ",%s,", line);
	add(list, "BPF LSM", known && strstr(padded, ",bpf,"), line,
	    known ? "add bpf to lsm= on the kernel command line; till then see the hooks below" :
		    "mount securityfs: mount -t securityfs securityfs /sys/kernel/security");
}

static void check_ftrace(struct list *list)
{
	char line[16] = "";

	/* Kernels without ftrace have no such file, and no trampolines to switch off. */
	if (read_line("/proc/sys/kernel/ftrace_enabled", line, sizeof(line)))
		add(list, "kernel.ftrace_enabled", !strcmp(line, "1"), line,
		    "sysctl kernel.ftrace_enabled=1: while it is 0 no LSM program runs");
}

static void check_jit(struct list *list)
{
	char line[16] = "";

	if (read_line("/proc/sys/net/core/bpf_jit_enable", line, sizeof(line)))
		add(list, "BPF JIT", strcmp(line, "0") != 0, line,
		    "sysctl net.core.bpf_jit_enable=1: without it each event costs many times more");
}

static bool is_mounted(const char *path, long type)
{
	struct statfs fs;

	return statfs(path, &fs) == 0 && (long)fs.f_type == type;
}

bool lictor_host_unified(void)
{
	return is_mounted("/sys/fs/cgroup", CGROUP2_SUPER_MAGIC);
}

size_t lictor_host_checks(struct lictor_host_check *check, size_t room)
{
	struct list list = { .check = check, .room = room };

	check_kernel(&list);
	check_lsm(&list);
	check_ftrace(&list);
	check_jit(&list);
	add(&list, "securityfs", is_mounted("/sys/kernel/security", SECURITYFS_MAGIC),
	    "/sys/kernel/security", "mount -t securityfs securityfs /sys/kernel/security");
	add(&list, "control groups", lictor_host_unified(), "/sys/fs/cgroup",
	    "version 2 is not there: services and containers are not known");
	add(&list, "privilege", geteuid() == 0, geteuid() ? "an ordinary user" : "root",
	    "run as root to see what the kernel takes");
	return list.count;
}
