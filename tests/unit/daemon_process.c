/* SPDX-License-Identifier: Apache-2.0 */
/* A process is told from a later one of its number, and only the right one killed: real ones. */
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
/* cmocka last of these: it needs them */
#include <cmocka.h>

#include "daemon/engine.h"
#include "daemon/own.h"
#include "daemon/process.h"

static uint64_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_BOOTTIME, &time);
	return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

static uint64_t tick_ns(void)
{
	return 1000000000 / (uint64_t)sysconf(_SC_CLK_TCK);
}

static void wait_ticks(unsigned int ticks)
{
	usleep((useconds_t)(ticks * tick_ns() / 1000));
}

static void end(pid_t child)
{
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
}

static bool runs(pid_t child)
{
	return !waitpid(child, NULL, WNOHANG);
}

/* A child of this name that waits to be killed; number: the one that it must have, or 0. */
static pid_t fork_as(const char *name, pid_t number)
{
	struct clone_args how = {
		.exit_signal = SIGCHLD,
		.set_tid = number ? (uintptr_t)&number : 0,
		.set_tid_size = number ? 1 : 0,
	};
	int ends[2];
	char byte;
	pid_t child;

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	child = (pid_t)syscall(SYS_clone3, &how, sizeof(how));
	if (!child) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		prctl(PR_SET_NAME, name);
		if (write(ends[1], "x", 1) == 1)
			for (;;)
				pause();
		_exit(1);
	}
	close(ends[1]);
	if (child > 0)
		assert_int_equal(read(ends[0], &byte, 1), 1);
	close(ends[0]);
	return child;
}

/* The same; ret_start_ns is less than a tick from its start. */
static pid_t start_child(const char *name, uint64_t *ret_start_ns)
{
	for (;;) {
		uint64_t before = now();
		pid_t child = fork_as(name, 0);

		assert_true(child > 0);
		if (now() - before < tick_ns()) {
			*ret_start_ns = before;
			return child;
		}
		end(child);	/* a busy machine */
	}
}

static int open_proc(void)
{
	int proc = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	assert_true(proc >= 0);
	return proc;
}

static int open_child(pid_t child)
{
	int proc OWN(own_close) = open_proc();
	int dir = -1;

	assert_int_equal(lictor_process_open(proc, (uint32_t)child, &dir), 0);
	assert_true(dir >= 0);
	return dir;
}

static void test_open(void **state)
{
	int proc OWN(own_close) = open_proc();
	uint64_t start;
	pid_t child = start_child("x", &start);
	int dir = -7;

	(void)state;
	end(child);
	assert_int_equal(lictor_process_open(proc, (uint32_t)child, &dir), -ESRCH);
	assert_int_equal(lictor_process_open(proc, INT32_MAX, &dir), -ESRCH);
	assert_int_equal(lictor_process_open(proc, 0, &dir), -EINVAL);
	assert_int_equal(lictor_process_open(proc, 1u + INT32_MAX, &dir), -EINVAL);
	assert_int_equal(lictor_process_open(proc, UINT32_MAX, &dir), -EINVAL);
	assert_int_equal(lictor_process_open(-1, (uint32_t)getpid(), &dir), -EBADF);
	assert_int_equal(dir, -7);
}

static void test_began(void **state)
{
	static const char *const names[] = { "plain", "a b", "a) 1 2 (b", ")", "((", "1) S 1 1 1 1" };

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		uint64_t start;
		pid_t child = start_child(names[i], &start);
		int dir OWN(own_close) = open_child(child);

		assert_true(lictor_process_began(dir, start));
		assert_false(lictor_process_began(dir, start + 3 * tick_ns()));
		assert_false(lictor_process_began(dir, start - 3 * tick_ns()));
		assert_false(lictor_process_began(dir, 0));
		assert_false(lictor_process_began(dir, UINT64_MAX));
		end(child);
		assert_false(lictor_process_began(dir, start));
	}
	assert_false(lictor_process_began(-1, now()));
}

/* One tick to either side is the same, two are not; what is no number is no start. */
static void test_ticks(void **state)
{
	static const struct {
		const char *stat;
		bool began;
	} tries[] = {
		{ "7 (x) S 1 7 7 0 -1 64 1 0 0 0 0 0 0 0 20 0 1 0 998 1000\n", false },
		{ "7 (x) S 1 7 7 0 -1 64 1 0 0 0 0 0 0 0 20 0 1 0 999 1000\n", true },
		{ "7 (x) S 1 7 7 0 -1 64 1 0 0 0 0 0 0 0 20 0 1 0 1000 1000\n", true },
		{ "7 (x) S 1 7 7 0 -1 64 1 0 0 0 0 0 0 0 20 0 1 0 1001 1000\n", true },
		{ "7 (x) S 1 7 7 0 -1 64 1 0 0 0 0 0 0 0 20 0 1 0 1002 1000\n", false },
		{ "7 (x) S 1 7 7 0 -1 64 1 0 0 0 0 0 0 0 20 0 1 0 -1000 0\n", false },
		{ "7 (x) S 1 7 7 0 -1 64 1 0 0 0 0 0 0 0 20 0 1 0 ", false },
		{ "7 (x) S 1 7 7", false },
		{ "7 x S 1 7 7 0 -1 64 1 0 0 0 0 0 0 0 20 0 1 0 1000 1000\n", false },
		{ "", false },
	};
	char root[] = "/tmp/lictor-process-XXXXXX", path[64];
	int proc OWN(own_close) = -1, dir OWN(own_close) = -1;

	(void)state;
	assert_non_null(mkdtemp(root));
	snprintf(path, sizeof(path), "%s/7", root);
	assert_int_equal(mkdir(path, 0700), 0);
	proc = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(lictor_process_open(proc, 7, &dir), 0);
	assert_false(lictor_process_began(dir, 1000 * tick_ns()));
	for (size_t i = 0; i < sizeof(tries) / sizeof(tries[0]); i++) {
		int fd = openat(dir, "stat", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

		assert_int_equal(write(fd, tries[i].stat, strlen(tries[i].stat)),
				 strlen(tries[i].stat));
		close(fd);
		assert_int_equal(lictor_process_began(dir, 1000 * tick_ns()), tries[i].began);
	}
	unlinkat(dir, "stat", 0);
	unlinkat(proc, "7", AT_REMOVEDIR);
	rmdir(root);
}

static void test_kill(void **state)
{
	uint64_t start;
	pid_t child = start_child("a) 1 2 (b", &start);
	int status;

	(void)state;
	assert_int_equal(lictor_engine_kill((uint32_t)child, start + 3 * tick_ns()), -ESRCH);
	assert_int_equal(lictor_engine_kill((uint32_t)child, start - 3 * tick_ns()), -ESRCH);
	assert_int_equal(lictor_engine_kill((uint32_t)child, 0), -ESRCH);
	assert_true(runs(child));
	assert_int_equal(lictor_engine_kill((uint32_t)child, start), 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGKILL);
	assert_int_equal(lictor_engine_kill((uint32_t)child, start), -ESRCH);
	assert_int_equal(lictor_engine_kill(0, start), -EINVAL);
	assert_int_equal(lictor_engine_kill(UINT32_MAX, start), -EINVAL);
}

/* Another process gets the number: the old directory and the old start are not its. */
static void test_reused(void **state)
{
	uint64_t start;
	pid_t child = start_child("first", &start), again;
	int dir OWN(own_close) = open_child(child);

	(void)state;
	end(child);
	wait_ticks(4);
	again = fork_as("second", child);
	if (again < 0)	/* needs CAP_CHECKPOINT_RESTORE, and nobody who was faster */
		skip();
	assert_int_equal(again, child);
	assert_false(lictor_process_began(dir, start));
	assert_int_equal(syscall(SYS_pidfd_send_signal, dir, SIGKILL, NULL, 0), -1);
	assert_int_equal(errno, ESRCH);
	assert_int_equal(lictor_engine_kill((uint32_t)again, start), -ESRCH);
	assert_true(runs(again));
	end(again);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_open), cmocka_unit_test(test_began), cmocka_unit_test(test_ticks),
		cmocka_unit_test(test_kill), cmocka_unit_test(test_reused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
