// SPDX-License-Identifier: Apache-2.0
/*
 * The host's end of a test machine: vm-host DIR SECONDS QEMU ARGS...
 * Starts QEMU with one end of a socket as its descriptor 3, takes the frames (channel.h) that the
 * guest sends over it, passes the command's output on to its own, and writes the rest to files in
 * DIR. Ends with the command's exit status; with 124 when the time was up; with 125, the reason
 * and the end of the log that tells most when the machine or lictord failed.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "channel.h"

#define GRACE_SECONDS 60	/* for the guest to report, after the time was up */
#define POWEROFF_SECONDS 20
#define TAIL_BYTES 3000

static struct {
	const char *dir;
	int seconds;
	pid_t qemu;
	int channel;
	int files[FRAME_END];	/* where each kind of bytes goes; -1: not open yet */
	bool ended;		/* FRAME_END came */
	int status;
	char failure[256];
} host = {
	.files = {
		[FRAME_STDOUT] = STDOUT_FILENO,
		[FRAME_STDERR] = STDERR_FILENO,
		[FRAME_LOG] = -1,
		[FRAME_STATUS] = -1,
		[FRAME_ALERTS] = -1,
	},
};

static const char *const names[FRAME_END] = {
	[FRAME_LOG] = "lictord.log",
	[FRAME_STATUS] = "status.json",
	[FRAME_ALERTS] = "alerts.json",
};

static volatile sig_atomic_t stop_signal;

static void on_signal(int number)
{
	stop_signal = number;
}

static void __attribute__((noreturn)) fail(const char *what)
{
	fprintf(stderr, "vm: %s: %s\n", what, strerror(errno));
	exit(EXIT_MACHINE);
}

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int open_file(const char *name)
{
	char path[4096];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", host.dir, name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0)
		fail(path);
	return fd;
}

static void start_qemu(char **argv)
{
	pid_t parent = getpid();
	int ends[2], log = open_file("qemu.log");

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends))
		fail("socketpair");
	host.qemu = fork();
	if (host.qemu < 0)
		fail("fork");
	if (host.qemu == 0) {
		int null = open("/dev/null", O_RDONLY);

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != parent)
			_exit(EXIT_MACHINE);
		dup2(null, STDIN_FILENO);
		dup2(log, STDOUT_FILENO);
		dup2(log, STDERR_FILENO);
		if (ends[1] == 3)
			fcntl(3, F_SETFD, 0);
		else
			dup2(ends[1], 3);
		execvp(argv[0], argv);
		fprintf(stderr, "%s: %s\n", argv[0], strerror(errno));
		_exit(EXIT_MACHINE);
	}
	close(ends[1]);
	close(log);
	host.channel = ends[0];
}

/* Waits until there is something to read: 1; 0 when the deadline or a signal came first. */
static int wait_channel(int64_t deadline)
{
	struct pollfd polled = { .fd = host.channel, .events = POLLIN };
	int64_t left;

	while (!stop_signal && (left = deadline - now_ms()) > 0) {
		if (poll(&polled, 1, left > 1000 ? 1000 : (int)left) > 0)
			return 1;
	}
	return 0;
}

/* Reads all of it: 1; 0 when the machine is gone, or the deadline or a signal came first. */
static int read_all(void *data, size_t length, int64_t deadline)
{
	char *at = data;

	while (length) {
		ssize_t n;

		if (!wait_channel(deadline))
			return 0;
		n = read(host.channel, at, length);
		if (n <= 0)
			return 0;
		at += n;
		length -= (size_t)n;
	}
	return 1;
}

/* That a reader of our outputs went away is no failure of the machine's; a full disk is one. */
static void pass_on(uint32_t kind, const char *data, size_t length)
{
	if (host.files[kind] < 0)
		host.files[kind] = open_file(names[kind]);
	while (length) {
		struct pollfd polled = { .fd = host.files[kind], .events = POLLOUT };
		ssize_t n = write(host.files[kind], data, length);

		if (n > 0) {
			data += n;
			length -= (size_t)n;
		} else if (errno == EAGAIN) {
			poll(&polled, 1, 1000);
		} else if (names[kind]) {
			fail(names[kind]);
		} else if (errno != EINTR || stop_signal) {
			return;
		}
	}
}

/* Takes one frame; 0 when there are no more. */
static int take_frame(int64_t deadline)
{
	static char data[FRAME_MAX];
	struct frame frame;
	int32_t status;

	if (!read_all(&frame, sizeof(frame), deadline))
		return 0;
	if (frame.kind > FRAME_END || frame.length > sizeof(data) ||
	    !read_all(data, frame.length, deadline))
		return 0;
	if (frame.kind != FRAME_END) {
		pass_on(frame.kind, data, frame.length);
		return 1;
	}
	memcpy(&status, data, sizeof(status));
	snprintf(host.failure, sizeof(host.failure), "%.*s",
		 (int)(frame.length - sizeof(status)), data + sizeof(status));
	host.status = status;
	host.ended = true;
	return 0;
}

static void say(char word)
{
	send(host.channel, &word, 1, MSG_NOSIGNAL);
}

/* Waits for QEMU's end, which is a given when the guest powers off; then ends it. */
static void stop_qemu(int seconds)
{
	int64_t deadline = now_ms() + seconds * 1000;

	while (!stop_signal && now_ms() < deadline) {
		if (waitpid(host.qemu, NULL, WNOHANG) == host.qemu)
			return;
		usleep(10000);
	}
	kill(host.qemu, SIGKILL);
	waitpid(host.qemu, NULL, 0);
}

static void print_tail(const char *name)
{
	char path[4096], text[TAIL_BYTES + 1];
	struct stat st;
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "%s/%s", host.dir, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	if (fstat(fd, &st) == 0 && st.st_size > TAIL_BYTES)
		lseek(fd, -TAIL_BYTES, SEEK_END);
	n = read(fd, text, TAIL_BYTES);
	if (n > 0)
		fprintf(stderr, "vm: the end of %s:\n%.*s\n", name, (int)n, text);
	close(fd);
}

static int report(bool timeout)
{
	if (stop_signal)
		return 128 + stop_signal;
	if (host.ended && !host.failure[0]) {
		if (timeout && host.status == EXIT_TIMEOUT)
			fprintf(stderr, "vm: the command did not end within %d s\n", host.seconds);
		return host.status;
	}
	fprintf(stderr, "vm: %s\n", host.ended ? host.failure :
		timeout ? "the time was up, and the machine did not answer" :
		"the machine stopped before the command ended");
	print_tail("lictord.log");
	if (host.ended)
		return EXIT_MACHINE;
	print_tail("console.log");
	print_tail("qemu.log");
	return timeout ? EXIT_TIMEOUT : EXIT_MACHINE;
}

int main(int argc, char **argv)
{
	struct sigaction action = { .sa_handler = on_signal };
	bool timeout = false;
	int64_t deadline;

	if (argc < 4) {
		fputs("usage: vm-host DIR SECONDS QEMU ARGS...\n", stderr);
		return 2;
	}
	host.dir = argv[1];
	host.seconds = atoi(argv[2]);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGHUP, &action, NULL);
	signal(SIGPIPE, SIG_IGN);
	start_qemu(argv + 3);

	deadline = now_ms() + host.seconds * 1000;
	for (;;) {
		if (!timeout && now_ms() >= deadline) {
			timeout = true;
			deadline += GRACE_SECONDS * 1000;
			say(SAY_TIMEOUT);
		}
		if (!timeout && !wait_channel(deadline) && !stop_signal)
			continue;
		/* A frame that has begun is given time to end, so that none is cut at the timeout. */
		if (!take_frame(deadline + (timeout ? 0 : GRACE_SECONDS * 1000)))
			break;
	}
	if (host.ended)
		say(SAY_GOODBYE);
	stop_qemu(host.ended ? POWEROFF_SECONDS : 1);
	return report(timeout);
}
