// SPDX-License-Identifier: Apache-2.0
/*
 * PID 1 of a test machine, twice. As /init of the initramfs it loads the modules that lie beside
 * it, mounts the disk and goes over to it. As /sbin/init of the disk it mounts what a host has
 * mounted, starts lictord and waits for its READY=1, runs the command, asks lictor for its
 * status, stops lictord, and powers off. What they print and leave goes to the host in frames
 * (channel.h). Where systemd is PID 1, it does the same as one of its services. What to run is read from the directory /.vm, which is gone before anything runs.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "channel.h"

#define NOTIFY_PATH "/run/lictor-vm.notify"
#define ALERTS_PATH "/var/log/lictor/alerts.json"
#define READY_SECONDS 240	/* verifying programs takes a minute when the machine is emulated */
#define STOP_SECONDS 30
#define STATUS_SECONDS 10
#define DEVICE_SECONDS 20

struct child {
	pid_t pid;	/* 0: not running */
	int status;	/* of waitpid(), once it has run */
};

enum { STREAM_STDOUT, STREAM_STDERR, STREAM_LOG, STREAM_STATUS, STREAM_COUNT };

static const uint32_t stream_kinds[STREAM_COUNT] = {
	[STREAM_STDOUT] = FRAME_STDOUT,
	[STREAM_STDERR] = FRAME_STDERR,
	[STREAM_LOG] = FRAME_LOG,
	[STREAM_STATUS] = FRAME_STATUS,
};

static struct {
	int port, signals, notify;
	int streams[STREAM_COUNT];	/* read ends, -1: none */
	struct child daemon, command, status;
	bool ready;			/* lictord said READY=1 */
	bool timeout;			/* the host said that the time is up */
} vm = { .port = -1, .signals = -1, .notify = -1, .streams = { -1, -1, -1, -1 } };

/* Without its PID 1 the kernel panics, and the host is told the reason on the console. */
static void __attribute__((noreturn)) fail(const char *what)
{
	fprintf(stderr, "vm-guest: %s: %s\n", what, strerror(errno));
	_exit(1);
}

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void write_all(int fd, const void *data, size_t length)
{
	const char *at = data;

	while (length) {
		ssize_t n = write(fd, at, length);

		if (n < 0 && errno != EINTR)
			fail("write to the host");
		if (n > 0) {
			at += n;
			length -= (size_t)n;
		}
	}
}

static void send_frame(uint32_t kind, const void *data, size_t length)
{
	struct frame frame = { .kind = kind, .length = (uint32_t)length };

	write_all(vm.port, &frame, sizeof(frame));
	write_all(vm.port, data, length);
}

/* A device appears some time after its driver. */
static int open_device(const char *path, int flags)
{
	int64_t deadline = now_ms() + DEVICE_SECONDS * 1000;
	int fd;

	while ((fd = open(path, flags | O_CLOEXEC)) < 0 && now_ms() < deadline)
		usleep(2000);
	if (fd < 0)
		fail(path);
	return fd;
}

static void mount_fs(const char *type, const char *path, const char *options)
{
	mkdir(path, 0755);
	if (mount(type, path, type, 0, options) && errno != EBUSY)
		fprintf(stderr, "vm-guest: mount %s: %s\n", path, strerror(errno));
}

static void load_modules(void)
{
	FILE *order = fopen("/modules/order", "re");
	char path[256];

	if (!order)
		fail("/modules/order");
	while (fscanf(order, "%255s", path) == 1) {
		int fd = open(path, O_RDONLY | O_CLOEXEC);

		if (fd < 0 || (syscall(SYS_finit_module, fd, "", 0) && errno != EEXIST))
			fail(path);
		close(fd);
	}
	fclose(order);
}

static void __attribute__((noreturn)) enter_root(void)
{
	mount_fs("devtmpfs", "/dev", "mode=0755");
	load_modules();
	close(open_device("/dev/vda", O_RDONLY));
	mkdir("/root", 0700);
	if (mount("/dev/vda", "/root", "ext4", 0, NULL))
		fail("mount the root file system");
	if (mount("/dev", "/root/dev", NULL, MS_MOVE, NULL) || chdir("/root") ||
	    mount(".", "/", NULL, MS_MOVE, NULL) || chroot(".") || chdir("/"))
		fail("go over to the root file system");
	execl("/sbin/init", "/sbin/init", NULL);
	fail("/sbin/init");
}

static void lo_up(void)
{
	struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &request))
		fprintf(stderr, "vm-guest: lo: %s\n", strerror(errno));
	close(fd);
}

static void furnish(void)
{
	if (mount(NULL, "/", NULL, MS_REC | MS_SHARED, NULL))	/* as systemd does */
		fail("share the root mount");
	mount_fs("proc", "/proc", NULL);
	mount_fs("sysfs", "/sys", NULL);
	mount_fs("securityfs", "/sys/kernel/security", NULL);
	mount_fs("debugfs", "/sys/kernel/debug", NULL);
	mount_fs("tracefs", "/sys/kernel/tracing", NULL);
	mount_fs("bpf", "/sys/fs/bpf", "mode=0700");
	mount_fs("cgroup2", "/sys/fs/cgroup", NULL);
	mount_fs("devpts", "/dev/pts", "mode=0620,gid=5");
	mount_fs("tmpfs", "/dev/shm", "mode=1777");
	mount_fs("tmpfs", "/run", "mode=0755");
	if (access("/.vm/tmpfs-tmp", F_OK) == 0)
		mount_fs("tmpfs", "/tmp", "mode=1777");
	symlink("/proc/self/fd", "/dev/fd");
	symlink("/proc/self/fd/0", "/dev/stdin");
	symlink("/proc/self/fd/1", "/dev/stdout");
	symlink("/proc/self/fd/2", "/dev/stderr");
	mkdir("/run/lictor", 0755);
	mkdir("/run/systemd", 0755);
	sethostname("lictor-vm", 9);
	lo_up();
}

/* The words of a file, each ended by a NUL, as an argv; NULL if there is no such file. */
static char **read_words(const char *path)
{
	struct stat st;
	char **words, *text;
	size_t count = 0;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return NULL;
	if (fstat(fd, &st) || !(text = malloc((size_t)st.st_size + 1)) ||
	    read(fd, text, (size_t)st.st_size) != st.st_size)
		fail(path);
	close(fd);
	for (off_t i = 0; i < st.st_size; i++)
		count += text[i] == '\0';
	words = calloc(count + 1, sizeof(*words));
	if (!words)
		fail(path);
	for (size_t i = 0; i < count; i++) {
		words[i] = text;
		text += strlen(text) + 1;
	}
	return words;
}

static void notify_init(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = NOTIFY_PATH };

	vm.notify = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (vm.notify < 0 || bind(vm.notify, (struct sockaddr *)&address, sizeof(address)) ||
	    chmod(NOTIFY_PATH, 0777))
		fail(NOTIFY_PATH);
}

static void signals_init(void)
{
	sigset_t mask;

	sigemptyset(&mask);
	sigaddset(&mask, SIGCHLD);
	sigprocmask(SIG_BLOCK, &mask, NULL);
	vm.signals = signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK);
	if (vm.signals < 0)
		fail("signalfd");
}

/* A pipe whose read end is the stream; returns its write end. */
static int stream_open(int stream)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC))
		fail("pipe");
	fcntl(ends[0], F_SETFL, O_NONBLOCK);
	vm.streams[stream] = ends[0];
	return ends[1];
}

static void child_start(struct child *child, char **argv, int out, int err)
{
	child->pid = fork();
	if (child->pid < 0)
		fail("fork");
	if (child->pid == 0) {
		sigset_t none;
		int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

		setsid();
		sigemptyset(&none);
		sigprocmask(SIG_SETMASK, &none, NULL);
		dup2(null, STDIN_FILENO);
		dup2(out, STDOUT_FILENO);
		dup2(err, STDERR_FILENO);
		execvp(argv[0], argv);
		fprintf(stderr, "%s: %s\n", argv[0], strerror(errno));
		_exit(errno == ENOENT ? 127 : 126);
	}
}

static void reap(void)
{
	struct signalfd_siginfo info;
	struct child *children[] = { &vm.daemon, &vm.command, &vm.status };
	int status;
	pid_t pid;

	while (read(vm.signals, &info, sizeof(info)) > 0)
		;
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		for (size_t i = 0; i < sizeof(children) / sizeof(children[0]); i++) {
			if (children[i]->pid == pid)
				*children[i] = (struct child){ .status = status };
		}
	}
}

static void read_notify(void)
{
	char text[4096];
	ssize_t n;

	while ((n = recv(vm.notify, text, sizeof(text) - 1, 0)) >= 0) {
		text[n] = '\0';
		for (char *next, *line = text; line; line = next) {
			next = strchr(line, '\n');
			if (next)
				*next++ = '\0';
			vm.ready |= strcmp(line, "READY=1") == 0;
		}
	}
}

/* Passes on what is there to be read; does not wait for more. */
static void stream_drain(int stream)
{
	static char data[FRAME_MAX];
	ssize_t n;

	if (vm.streams[stream] < 0)
		return;
	while ((n = read(vm.streams[stream], data, sizeof(data))) > 0)
		send_frame(stream_kinds[stream], data, (size_t)n);
	if (n == 0) {
		close(vm.streams[stream]);
		vm.streams[stream] = -1;
	}
}

/* Waits for one thing to happen, at most until the deadline, and sees to it. */
static void turn(int64_t deadline)
{
	struct pollfd polls[3 + STREAM_COUNT] = {
		{ .fd = vm.signals, .events = POLLIN },
		{ .fd = vm.notify, .events = POLLIN },
		{ .fd = vm.port, .events = POLLIN },
	};
	int64_t left = deadline - now_ms();
	char said;

	for (int i = 0; i < STREAM_COUNT; i++)
		polls[3 + i] = (struct pollfd){ .fd = vm.streams[i], .events = POLLIN };
	if (poll(polls, 3 + STREAM_COUNT, left < 0 ? 0 : (int)left) <= 0)
		return;
	if (polls[2].revents & POLLIN && read(vm.port, &said, 1) == 1)
		vm.timeout |= said == SAY_TIMEOUT;
	for (int i = 0; i < STREAM_COUNT; i++)
		stream_drain(i);
	read_notify();
	reap();
}

static void child_kill(struct child *child)
{
	if (!child->pid)
		return;
	kill(-child->pid, SIGKILL);
	while (child->pid)
		turn(now_ms() + 1000);
}

/* What a shell's $? would be. */
static int exit_status(int status)
{
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/* Each of the stages returns NULL, or why the machine failed, in words that stay. */

static const char *why(const char *what, int status)
{
	static char text[128];

	snprintf(text, sizeof(text), "%s (%s %d)", what,
		 WIFSIGNALED(status) ? "signal" : "exit status",
		 WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
	return text;
}

static const char *start_daemon(char **argv)
{
	int64_t deadline = now_ms() + READY_SECONDS * 1000;
	int log = stream_open(STREAM_LOG);

	setenv("NOTIFY_SOCKET", NOTIFY_PATH, 1);
	child_start(&vm.daemon, argv, log, log);
	unsetenv("NOTIFY_SOCKET");
	close(log);
	while (vm.daemon.pid && !vm.ready && !vm.timeout && now_ms() < deadline)
		turn(deadline);
	if (!vm.daemon.pid)
		return why("lictord ended before it was ready", vm.daemon.status);
	if (!vm.ready) {
		child_kill(&vm.daemon);
		return "lictord was not ready in time";
	}
	return NULL;
}

static const char *run_command(char **argv)
{
	int out = stream_open(STREAM_STDOUT), err = stream_open(STREAM_STDERR);
	bool with_daemon = vm.daemon.pid;

	child_start(&vm.command, argv, out, err);
	close(out);
	close(err);
	while (vm.command.pid && !vm.timeout && (vm.daemon.pid || !with_daemon))
		turn(now_ms() + 3600 * 1000);
	child_kill(&vm.command);
	stream_drain(STREAM_STDOUT);
	stream_drain(STREAM_STDERR);
	if (with_daemon && !vm.daemon.pid)
		return why("lictord ended before the command did", vm.daemon.status);
	return NULL;
}

static void ask_status(void)
{
	char *argv[] = { "/usr/bin/lictor", "status", "-o", "json", NULL };
	int64_t deadline = now_ms() + STATUS_SECONDS * 1000;
	int out = stream_open(STREAM_STATUS), null = open("/dev/null", O_WRONLY | O_CLOEXEC);

	child_start(&vm.status, argv, out, null);
	close(out);
	close(null);
	while (vm.status.pid && now_ms() < deadline)
		turn(deadline);
	child_kill(&vm.status);
	stream_drain(STREAM_STATUS);
}

static const char *stop_daemon(void)
{
	int64_t deadline = now_ms() + STOP_SECONDS * 1000;

	kill(vm.daemon.pid, SIGTERM);
	while (vm.daemon.pid && now_ms() < deadline)
		turn(deadline);
	if (vm.daemon.pid) {
		child_kill(&vm.daemon);
		return "lictord did not end at SIGTERM";
	}
	if (vm.daemon.status)
		return why("lictord failed while it was stopped", vm.daemon.status);
	return NULL;
}

static void send_alerts(void)
{
	static char data[FRAME_MAX];
	int fd = open(ALERTS_PATH, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0 && errno == ENOENT)
		return;
	send_frame(FRAME_ALERTS, data, 0);
	while ((n = read(fd, data, sizeof(data))) > 0)
		send_frame(FRAME_ALERTS, data, (size_t)n);
	if (n < 0)
		fprintf(stderr, "vm-guest: %s: %s\n", ALERTS_PATH, strerror(errno));
	close(fd);
}

static void send_end(int status, const char *failure)
{
	int32_t number = status;
	char data[256];
	size_t length = failure ? strlen(failure) : 0;
	char said = 0;

	memcpy(data, &number, sizeof(number));
	if (failure)
		memcpy(data + sizeof(number), failure, length);
	send_frame(FRAME_END, data, sizeof(number) + length);
	while (said != SAY_GOODBYE && read(vm.port, &said, 1) == 1)
		;
}

static int run_job(const char **ret_failure)
{
	char **daemon = read_words("/.vm/daemon"), **command = read_words("/.vm/command");
	const char *failure = NULL, *stopping;

	unlink("/.vm/daemon");
	unlink("/.vm/command");
	unlink("/.vm/tmpfs-tmp");
	rmdir("/.vm");
	if (daemon)
		failure = start_daemon(daemon);
	if (!failure)
		failure = run_command(command);
	if (vm.daemon.pid) {
		ask_status();
		stopping = stop_daemon();
		if (!failure)
			failure = stopping;
	}
	stream_drain(STREAM_LOG);
	send_alerts();
	*ret_failure = failure;
	if (failure)
		return EXIT_MACHINE;
	return vm.timeout ? EXIT_TIMEOUT : exit_status(vm.command.status);
}

int main(int argc, char **argv)
{
	static char *environment[] = { "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root",
				       "USER=root", "LOGNAME=root", "SHELL=/bin/sh", NULL };
	const char *failure;
	int status;

	if (argc > 0 && strcmp(argv[0], "/init") == 0)
		enter_root();
	environ = environment;
	if (getpid() == 1)
		furnish();
	vm.port = open_device("/dev/vport0p1", O_RDWR);
	signals_init();
	notify_init();
	status = run_job(&failure);
	send_end(status, failure);
	sync();
	reboot(RB_POWER_OFF);
	fail("power off");
}
