// SPDX-License-Identifier: Apache-2.0
/*
 * Credentials: the ids of users and groups, capabilities, securebits.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "probe.h"

#define UNTRUE 99	/* a call that said it failed did what it was asked */

struct ids {
	unsigned int real, effective, saved, fs;
};

static struct ids user_ids(void)
{
	struct ids ids;

	getresuid(&ids.real, &ids.effective, &ids.saved);
	ids.fs = (unsigned int)setfsuid((uid_t)-1);
	return ids;
}

static struct ids group_ids(void)
{
	struct ids ids;

	getresgid(&ids.real, &ids.effective, &ids.saved);
	ids.fs = (unsigned int)setfsgid((gid_t)-1);
	return ids;
}

static int set_user(const char *way, uid_t id)
{
	if (is(way, "setuid"))
		return setuid(id);
	if (is(way, "seteuid"))
		return seteuid(id);
	if (is(way, "setreuid"))
		return setreuid(id, id);
	if (is(way, "setresuid"))
		return setresuid(id, id, id);
	if (is(way, "real"))
		return setresuid(id, (uid_t)-1, (uid_t)-1);
	if (is(way, "saved"))
		return setresuid((uid_t)-1, (uid_t)-1, id);
	if (is(way, "thread"))
		return (int)syscall(SYS_setresuid, id, id, id);
	errno = EPERM;	/* setfsuid() does not say whether it did */
	setfsuid(id);
	return (uid_t)setfsuid((uid_t)-1) == id ? 0 : -1;
}

static int set_group(const char *way, gid_t id)
{
	gid_t list[] = { 0, id };

	if (is(way, "setgid"))
		return setgid(id);
	if (is(way, "setegid"))
		return setegid(id);
	if (is(way, "setregid"))
		return setregid(id, id);
	if (is(way, "setresgid"))
		return setresgid(id, id, id);
	if (is(way, "setgroups"))
		return setgroups(2, list);
	if (is(way, "thread"))
		return (int)syscall(SYS_setresgid, id, id, id);
	errno = EPERM;
	setfsgid(id);
	return (gid_t)setfsgid((gid_t)-1) == id ? 0 : -1;
}

/* WAY ID [PROGRAM ARGS...]: changes ids and goes on as the program */
static int become(char **arg, struct ids (*ids)(void), int (*set)(const char *way, unsigned int id))
{
	struct ids before = ids(), after;
	int error = set(arg[0], (unsigned int)atoi(arg[1])) ? fault(arg[0]) : 0;

	after = ids();
	if (error)
		return memcmp(&before, &after, sizeof(after)) ? UNTRUE : error;
	if (arg[2])
		CHECK(execv(arg[2], arg + 2));
	return 0;
}

static int do_setuid(char **arg)
{
	return become(arg, user_ids, set_user);
}

static int do_setgid(char **arg)
{
	return become(arg, group_ids, set_group);
}

/* One capability in, or not in, a set of this thread by capset(2). */
static int set_capability(char set, bool raise, unsigned int number)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];
	uint32_t *bits, bit = 1u << number % 32;

	CHECK(syscall(SYS_capget, &header, data));
	bits = set == 'e' ? &data[number / 32].effective :
	       set == 'p' ? &data[number / 32].permitted : &data[number / 32].inheritable;
	*bits = raise ? *bits | bit : *bits & ~bit;
	CHECK(syscall(SYS_capset, &header, data));
	return 0;
}

static int set_ambient(bool raise, unsigned int number)
{
	int way = raise ? PR_CAP_AMBIENT_RAISE : PR_CAP_AMBIENT_LOWER, error;

	if (!prctl(PR_CAP_AMBIENT, way, number, 0, 0))
		return 0;
	error = fault("ambient");
	return prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, number, 0, 0) == raise ? UNTRUE : error;
}

static int set_keepcaps(void)
{
	if (!prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0))
		return 0;
	return prctl(PR_GET_KEEPCAPS, 0, 0, 0, 0) == 1 ? UNTRUE : fault("keepcaps");
}

static int set_securebits(int bits)
{
	if (!prctl(PR_SET_SECUREBITS, bits, 0, 0, 0))
		return 0;
	return prctl(PR_GET_SECUREBITS, 0, 0, 0, 0) == bits ? UNTRUE : fault("securebits");
}

/* caps STEP...: such as e-21 (from the effective set), e+21, i+13, p-1, a+13 (ambient), s=1
   (securebits), keep */
static int do_caps(char **arg)
{
	int error = 0;

	for (; *arg && !error; arg++) {
		const char *step = *arg;

		if (is(step, "keep"))
			error = set_keepcaps();
		else if (step[0] == 's')
			error = set_securebits(atoi(step + 2));
		else if (step[0] == 'a')
			error = set_ambient(step[1] == '+', (unsigned int)atoi(step + 2));
		else
			error = set_capability(step[0], step[1] == '+',
					       (unsigned int)atoi(step + 2));
	}
	return error;
}

const struct word probe_credential[] = {
	{ "caps", 1, do_caps },
	{ "setgid", 2, do_setgid },
	{ "setuid", 2, do_setuid },
	{ NULL, 0, NULL },
};
