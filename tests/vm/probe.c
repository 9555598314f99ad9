// SPDX-License-Identifier: Apache-2.0
/*
 * The system calls that busybox cannot make, for the tests in a machine: `probe WORD ARGS...` does
 * one thing and exits with 0, or with the errno of what failed. Linked statically to build/vm-probe, and once dynamically as a program for the loader.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#define CHECK(call) do { if ((long)(call) < 0) return fault(#call); } while (0)

static int fault(const char *what)
{
	int error = errno;

	fprintf(stderr, "probe: %.60s: %s\n", what, strerror(error));
	return error;
}

/* ---- files ---- */

static const struct { const char *name; int flag; } open_words[] = {
	{ "r", O_RDONLY }, { "w", O_WRONLY }, { "rw", O_RDWR }, { "append", O_APPEND },
	{ "create", O_CREAT }, { "excl", O_EXCL }, { "trunc", O_TRUNC }, { "sync", O_SYNC },
	{ "direct", O_DIRECT }, { "nofollow", O_NOFOLLOW }, { "dir", O_DIRECTORY },
	{ "tmpfile", O_TMPFILE }, { "path", O_PATH },
};

/* FLAGS are words joined by commas. */
static int open_with(const char *path, const char *words, int mode)
{
	char *copy = strdup(words), *save = NULL;
	int flags = 0;

	for (char *word = strtok_r(copy, ",", &save); word; word = strtok_r(NULL, ",", &save)) {
		for (size_t i = 0; i < sizeof(open_words) / sizeof(open_words[0]); i++)
			flags |= strcmp(word, open_words[i].name) ? 0 : open_words[i].flag;
	}
	free(copy);
	return open(path, flags | O_CLOEXEC, mode);
}

static int do_open(char **arg)
{
	CHECK(open_with(arg[0], arg[1], arg[2] ? (int)strtol(arg[2], NULL, 8) : 0644));
	return 0;
}

static int do_write(char **arg)
{
	int fd = open_with(arg[0], arg[1], 0644);

	CHECK(fd);
	CHECK(write(fd, arg[2], strlen(arg[2])));
	return 0;
}

static int do_truncate(char **arg)
{
	CHECK(truncate(arg[0], 0));
	return 0;
}

static int do_ftruncate(char **arg)
{
	int fd = open(arg[0], O_WRONLY | O_CLOEXEC);

	CHECK(fd);
	CHECK(ftruncate(fd, 0));
	return 0;
}

/* A process that was there before the rules: opens, says so, and acts when the go-file appears.
   hold PATH GO WORD DONE: WORD is write, truncate or exec; DONE receives the errno. */
static int do_hold(char **arg)
{
	int fd = open(arg[0], (strcmp(arg[2], "exec") ? O_RDWR : O_RDONLY) | O_CLOEXEC);
	int error = 0, status;
	pid_t child;

	CHECK(fd);
	if (fork() > 0)
		return 0;
	setsid();
	while (access(arg[1], F_OK))
		usleep(10000);
	if (!strcmp(arg[2], "write")) {
		error = write(fd, "held\n", 5) < 0 ? errno : 0;
	} else if (!strcmp(arg[2], "truncate")) {
		error = ftruncate(fd, 0) ? errno : 0;
	} else {
		child = fork();
		if (!child) {
			execl(arg[0], arg[0], NULL);
			_exit(errno);
		}
		waitpid(child, &status, 0);
		error = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	}
	fd = open(arg[3], O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	dprintf(fd, "%d\n", error);
	return 0;
}

/* await FILE: waits until it is there (at most 10 s) and exits with the number in it. */
static int do_await(char **arg)
{
	char text[16] = "";
	int fd = -1;

	for (int i = 0; i < 1000; i++) {
		fd = open(arg[0], O_RDONLY | O_CLOEXEC);
		if (fd >= 0 && read(fd, text, sizeof(text) - 1) > 0)
			return atoi(text);
		if (fd >= 0)
			close(fd);
		usleep(10000);
	}
	return ETIMEDOUT;
}

static int do_exchange(char **arg)
{
	CHECK(syscall(SYS_renameat2, AT_FDCWD, arg[0], AT_FDCWD, arg[1], RENAME_EXCHANGE));
	return 0;
}

static int do_rename(char **arg)
{
	CHECK(rename(arg[0], arg[1]));
	return 0;
}

static int do_link(char **arg)
{
	CHECK(link(arg[0], arg[1]));
	return 0;
}

static int do_setxattr(char **arg)
{
	CHECK(setxattr(arg[0], "user.probe", "x", 1, 0));
	return 0;
}

static int do_getxattr(char **arg)
{
	char value[8];

	CHECK(getxattr(arg[0], "user.probe", value, sizeof(value)));
	return 0;
}

static int do_removexattr(char **arg)
{
	CHECK(removexattr(arg[0], "user.probe"));
	return 0;
}

/* An ACL of user::rw-, group::r--, other::r-- and one named user. */
static int do_setacl(char **arg)
{
	static const unsigned char acl[] = {
		2, 0, 0, 0,
		1, 0, 6, 0, 255, 255, 255, 255, 2, 0, 4, 0, 233, 3, 0, 0,
		4, 0, 4, 0, 255, 255, 255, 255, 16, 0, 6, 0, 255, 255, 255, 255,
		32, 0, 4, 0, 255, 255, 255, 255,
	};

	CHECK(setxattr(arg[0], "system.posix_acl_access", acl, sizeof(acl), 0));
	return 0;
}

static int do_chmod(char **arg)
{
	CHECK(chmod(arg[0], (mode_t)strtol(arg[1], NULL, 8)));
	return 0;
}

static int do_fchmod(char **arg)
{
	int fd = open(arg[0], O_RDONLY | O_CLOEXEC);

	CHECK(fd);
	CHECK(fchmod(fd, (mode_t)strtol(arg[1], NULL, 8)));
	return 0;
}

static int do_sendfile(char **arg)
{
	int from = open(arg[0], O_RDONLY | O_CLOEXEC), to = open(arg[1], O_WRONLY | O_CLOEXEC);

	CHECK(from);
	CHECK(to);
	CHECK(sendfile(to, from, NULL, 4096));
	return 0;
}

static int do_mknod_socket(char **arg)
{
	CHECK(mknod(arg[0], S_IFSOCK | 0644, 0));
	return 0;
}

/* Directories below arg[0] until a path is arg[1] bytes long, ending in a file; prints nothing.
   long DIR LENGTH WORD: WORD is make, open, write or exec. The file's name is the last 200 bytes. */
static int do_long(char **arg)
{
	size_t length = (size_t)atoi(arg[1]), at;
	char name[256];

	CHECK(chdir(arg[0]));
	at = strlen(arg[0]);
	while (length - at > 256) {
		size_t step = length - at - 1 > 251 + 40 ? 250 : 100;

		memset(name, 'd', step);
		name[step] = '\0';
		if (!strcmp(arg[2], "make") && mkdir(name, 0755) && errno != EEXIST)
			return fault("mkdir");
		CHECK(chdir(name));
		at += step + 1;
	}
	memset(name, 'f', sizeof(name));
	name[length - at - 1] = '\0';
	if (!strcmp(arg[2], "make")) {
		int from = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
		int to = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);

		CHECK(to);
		while (sendfile(to, from, NULL, 1 << 20) > 0)
			;
		return 0;
	}
	if (!strcmp(arg[2], "open"))
		CHECK(open(name, O_RDONLY | O_CLOEXEC));
	if (!strcmp(arg[2], "write"))
		CHECK(open(name, O_WRONLY | O_CLOEXEC));
	if (!strcmp(arg[2], "exec"))
		CHECK(execl(name, "probe", "true", NULL));
	return 0;
}

/* ---- code ---- */

static int do_mmap(char **arg)
{
	int fd = open(arg[0], O_RDONLY | O_CLOEXEC);
	void *at;

	CHECK(fd);
	at = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);
	if (at == MAP_FAILED)
		return fault("mmap");
	return 0;
}

static int do_mprotect(char **arg)
{
	int fd = open(arg[0], O_RDONLY | O_CLOEXEC);
	void *at;

	CHECK(fd);
	at = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0);
	if (at == MAP_FAILED)
		return fault("mmap");
	CHECK(mprotect(at, 4096, PROT_READ | PROT_EXEC));
	return 0;
}

static int exec_fd(int fd, char *const *words)
{
	CHECK(syscall(SYS_execveat, fd, "", words, environ, AT_EMPTY_PATH));
	return 0;
}

static int do_memfd(char **arg)
{
	char *words[] = { "probe", "true", NULL };
	int from = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	int to = memfd_create(arg[0] ? arg[0] : "x", MFD_CLOEXEC);

	CHECK(from);
	CHECK(to);
	while (sendfile(to, from, NULL, 1 << 20) > 0)
		;
	return exec_fd(to, words);
}

static int do_fexecve(char **arg)
{
	char *words[] = { "probe", "true", NULL };
	int fd = open(arg[0], O_RDONLY | O_CLOEXEC);

	CHECK(fd);
	return exec_fd(fd, words);
}

static int do_deleted(char **arg)
{
	char *words[] = { "probe", "true", NULL };
	int fd = open(arg[0], O_RDONLY | O_CLOEXEC);

	CHECK(fd);
	CHECK(unlink(arg[0]));
	return exec_fd(fd, words);
}

static int do_procfd(char **arg)
{
	char path[64];
	int fd = open(arg[0], O_PATH | O_CLOEXEC);

	CHECK(fd);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	CHECK(execl(path, "probe", "true", NULL));
	return 0;
}

/* as NAME PROGRAM ARGS...: another argv[0] */
static int do_as(char **arg)
{
	char *program = arg[1];

	arg[1] = arg[0];
	CHECK(execv(program, arg + 1));
	return 0;
}

/* orphan PROGRAM ARGS...: run by a process whose parent has gone; exits with its status */
static int do_orphan(char **arg)
{
	int ends[2], status = 0;
	pid_t child, creator;

	CHECK(pipe2(ends, O_CLOEXEC));
	child = fork();
	CHECK(child);
	if (!child) {
		creator = getpid();
		if (fork() > 0)
			_exit(0);
		while (getppid() == creator)
			usleep(1000);
		child = fork();
		if (!child) {
			execv(arg[0], arg);
			_exit(errno);
		}
		waitpid(child, &status, 0);
		status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
		CHECK(write(ends[1], &status, sizeof(status)));
		_exit(0);
	}
	close(ends[1]);
	waitpid(child, NULL, 0);
	CHECK(read(ends[0], &status, sizeof(status)));
	return status;
}

/* child PROGRAM ARGS...: run by fork and exec; exits with its status, 128 + N for a signal */
static int do_child(char **arg)
{
	int status;
	pid_t child = fork();

	CHECK(child);
	if (!child) {
		execv(arg[0], arg);
		fprintf(stderr, "probe: %s: %s\n", arg[0], strerror(errno));
		_exit(126);
	}
	CHECK(waitpid(child, &status, 0));
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* comm NAME PROGRAM ARGS...: forks with another comm, and the child runs PROGRAM */
static int do_comm(char **arg)
{
	prctl(PR_SET_NAME, arg[0]);
	return do_child(arg + 1);
}

/* stopped PROGRAM ARGS...: 0 if the program was stopped by a signal before it ended */
static int do_stopped(char **arg)
{
	int status;
	pid_t child = fork();

	CHECK(child);
	if (!child) {
		execv(arg[0], arg);
		_exit(errno);
	}
	CHECK(waitpid(child, &status, WUNTRACED));
	if (!WIFSTOPPED(status))
		return WIFEXITED(status) ? 100 + WEXITSTATUS(status) : WTERMSIG(status);
	kill(child, SIGCONT);
	CHECK(waitpid(child, &status, 0));
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* ---- who ---- */

/* user REAL EFFECTIVE GROUP PROGRAM ARGS... ('-' keeps it): the program is still run as that */
static int do_user(char **arg)
{
	uid_t real = arg[0][0] == '-' ? (uid_t)-1 : (uid_t)atoi(arg[0]);
	uid_t effective = arg[1][0] == '-' ? (uid_t)-1 : (uid_t)atoi(arg[1]);

	if (arg[2][0] != '-')
		CHECK(setresgid((gid_t)atoi(arg[2]), (gid_t)atoi(arg[2]), (gid_t)atoi(arg[2])));
	CHECK(setresuid(real, effective, (uid_t)-1));
	CHECK(execv(arg[3], arg + 3));
	return 0;
}

static int do_login(char **arg)
{
	int fd = open("/proc/self/loginuid", O_WRONLY | O_CLOEXEC);

	CHECK(fd);
	CHECK(write(fd, arg[0], strlen(arg[0])));
	close(fd);
	CHECK(execv(arg[1], arg + 1));
	return 0;
}

/* private PROGRAM ARGS...: in a mount namespace of its own, as root in a user namespace */
static int do_private(char **arg)
{
	CHECK(unshare(CLONE_NEWUSER | CLONE_NEWNS));
	CHECK(execv(arg[0], arg));
	return 0;
}

static int do_chroot(char **arg)
{
	CHECK(chroot(arg[0]));
	CHECK(chdir("/"));
	CHECK(execv(arg[1], arg + 1));
	return 0;
}

/* tree DIR NAME: runs DIR/NAME through a detached copy of the mount (open_tree) */
static int do_tree(char **arg)
{
	char *words[] = { "probe", "true", NULL };
	long fd = syscall(SYS_open_tree, AT_FDCWD, arg[0], 1u | O_CLOEXEC);

	CHECK(fd);
	CHECK(syscall(SYS_execveat, (int)fd, arg[1], words, environ, 0));
	return 0;
}

/* ---- the network ---- */

union address {
	struct sockaddr any;
	struct sockaddr_in four;
	struct sockaddr_in6 six;
	struct sockaddr_un local;
};

static socklen_t address_of(const char *host, const char *port, union address *to)
{
	memset(to, 0, sizeof(*to));
	if (inet_pton(AF_INET, host, &to->four.sin_addr) == 1) {
		to->four.sin_family = AF_INET;
		to->four.sin_port = htons((uint16_t)atoi(port));
		return sizeof(to->four);
	}
	inet_pton(AF_INET6, host, &to->six.sin6_addr);
	to->six.sin6_family = AF_INET6;
	to->six.sin6_port = htons((uint16_t)atoi(port));
	return sizeof(to->six);
}

/* '@' begins an abstract name */
static socklen_t local_of(const char *path, union address *to)
{
	size_t length = strlen(path);

	memset(to, 0, sizeof(*to));
	to->local.sun_family = AF_UNIX;
	memcpy(to->local.sun_path, path, length);
	if (path[0] == '@') {
		to->local.sun_path[0] = '\0';
		return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
	}
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length + 1);
}

/* Not waiting for an answer that does not come: a connection under way is a connection made. */
static int finish(int result)
{
	if (result < 0 && (errno == EINPROGRESS || errno == EAGAIN))
		return 0;
	return result < 0 ? fault("connect or send") : 0;
}

static int do_tcp(char **arg)
{
	union address to;
	socklen_t length = address_of(arg[0], arg[1], &to);
	int fd = socket(to.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	CHECK(fd);
	return finish(connect(fd, &to.any, length));
}

static int do_tcp_from(char **arg)
{
	union address from, to;
	socklen_t from_length = address_of(arg[0], arg[1], &from), length = address_of(arg[2], arg[3], &to);
	int fd = socket(to.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	CHECK(fd);
	CHECK(bind(fd, &from.any, from_length));
	return finish(connect(fd, &to.any, length));
}

static int do_udp(char **arg)
{
	union address to;
	socklen_t length = address_of(arg[0], arg[1], &to);
	int fd = socket(to.any.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	CHECK(fd);
	return finish(connect(fd, &to.any, length));
}

/* sendto HOST PORT [unspec]: the address family that IPv4 takes for its own */
static int do_sendto(char **arg)
{
	union address to;
	socklen_t length = address_of(arg[0], arg[1], &to);
	int fd = socket(to.any.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	CHECK(fd);
	if (arg[2])
		to.any.sa_family = AF_UNSPEC;
	return finish((int)sendto(fd, "x", 1, 0, &to.any, length));
}

static int do_sendmmsg(char **arg)
{
	union address first, second;
	socklen_t length = address_of(arg[0], arg[2], &first);
	struct iovec data = { "x", 1 };
	struct mmsghdr messages[2] = { 0 };
	int fd = socket(first.any.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0), sent;

	address_of(arg[1], arg[2], &second);
	for (int i = 0; i < 2; i++) {
		messages[i].msg_hdr.msg_name = i ? &second : &first;
		messages[i].msg_hdr.msg_namelen = length;
		messages[i].msg_hdr.msg_iov = &data;
		messages[i].msg_hdr.msg_iovlen = 1;
	}
	CHECK(fd);
	sent = sendmmsg(fd, messages, 2, 0);
	CHECK(sent);
	return sent == 2 ? 0 : 1;
}

static int do_fastopen(char **arg)
{
	union address to;
	socklen_t length = address_of(arg[0], arg[1], &to);
	int fd = socket(to.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	CHECK(fd);
	return finish((int)sendto(fd, "x", 1, MSG_FASTOPEN | MSG_NOSIGNAL, &to.any, length));
}

/* An IPv4 address on an IPv6 datagram socket. */
static int do_sendto_four_on_six(char **arg)
{
	union address to;
	socklen_t length = address_of(arg[0], arg[1], &to);
	int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	CHECK(fd);
	return finish((int)sendto(fd, "x", 1, 0, &to.any, length));
}

static int do_mptcp(char **arg)
{
	union address to;
	socklen_t length = address_of(arg[0], arg[1], &to);
	int fd = socket(to.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 262);

	CHECK(fd);
	return finish(connect(fd, &to.any, length));
}

static int do_raw(char **arg)
{
	union address to;
	socklen_t length = address_of(arg[0], "0", &to);
	int fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, 253);

	CHECK(fd);
	return finish((int)sendto(fd, "xxxxxxxx", 8, 0, &to.any, length));
}

static int do_bind(char **arg)
{
	union address at;
	socklen_t length = address_of(arg[0], arg[1], &at);
	int one = 1, fd = socket(at.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	CHECK(fd);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	CHECK(bind(fd, &at.any, length));
	return 0;
}

static int do_listen(char **arg)
{
	union address at;
	socklen_t length = address_of(arg[0], arg[1], &at);
	int one = 1, fd = socket(at.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	CHECK(fd);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	CHECK(bind(fd, &at.any, length));
	CHECK(listen(fd, 4));
	return 0;
}

/* serve HOST PORT | serve PATH: listens in the background for ever; returns once it does */
static int do_serve(char **arg)
{
	union address at;
	socklen_t length = arg[1] ? address_of(arg[0], arg[1], &at) : local_of(arg[0], &at);
	int one = 1, fd = socket(at.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	CHECK(fd);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (!arg[1] && arg[0][0] != '@')
		unlink(arg[0]);
	CHECK(bind(fd, &at.any, length));
	CHECK(listen(fd, 64));
	if (fork() > 0)
		return 0;
	setsid();
	for (int null = open("/dev/null", O_RDWR), i = 0; i < 3; i++)
		dup2(null, i);
	for (;;)
		close(accept(fd, NULL, NULL));
}

static int do_local(char **arg)
{
	union address to;
	socklen_t length = local_of(arg[0], &to);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	CHECK(fd);
	CHECK(connect(fd, &to.any, length));
	return 0;
}

/* Sends a datagram to a unix socket without connecting. */
static int do_local_sendto(char **arg)
{
	union address to;
	socklen_t length = local_of(arg[0], &to);
	int own = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	CHECK(own);
	CHECK(fd);
	if (arg[0][0] != '@')
		unlink(arg[0]);
	CHECK(bind(own, &to.any, length));
	CHECK(sendto(fd, "x", 1, 0, &to.any, length));
	return 0;
}

/* ---- which ---- */

/* repeat N WORD ARGS...: in this one process; exits with the last one's errno */
static int run(char **arg);

static int do_repeat(char **arg)
{
	int error = 0;

	for (int i = atoi(arg[0]); i > 0; i--)
		error = run(arg + 1);
	return error;
}

static int do_true(char **arg)
{
	(void)arg;
	return 0;
}

static int do_exit(char **arg)
{
	return atoi(arg[0]);
}

/* mark FILE: leaves a file behind, to show that code ran */
static int do_mark(char **arg)
{
	CHECK(open(arg[0], O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
	return 0;
}

static const struct {
	const char *word;
	int args;
	int (*run)(char **arg);
} words[] = {
	{ "as", 2, do_as },
	{ "await", 1, do_await },
	{ "bind", 2, do_bind },
	{ "child", 1, do_child },
	{ "chmod", 2, do_chmod },
	{ "chroot", 2, do_chroot },
	{ "comm", 2, do_comm },
	{ "deleted", 1, do_deleted },
	{ "exchange", 2, do_exchange },
	{ "exit", 1, do_exit },
	{ "fastopen", 2, do_fastopen },
	{ "fchmod", 2, do_fchmod },
	{ "fexecve", 1, do_fexecve },
	{ "ftruncate", 1, do_ftruncate },
	{ "getxattr", 1, do_getxattr },
	{ "hold", 4, do_hold },
	{ "link", 2, do_link },
	{ "listen", 2, do_listen },
	{ "local", 1, do_local },
	{ "local-sendto", 1, do_local_sendto },
	{ "login", 2, do_login },
	{ "long", 3, do_long },
	{ "mark", 1, do_mark },
	{ "memfd", 0, do_memfd },
	{ "mknod-socket", 1, do_mknod_socket },
	{ "mmap", 1, do_mmap },
	{ "mprotect", 1, do_mprotect },
	{ "mptcp", 2, do_mptcp },
	{ "open", 2, do_open },
	{ "orphan", 1, do_orphan },
	{ "private", 1, do_private },
	{ "procfd", 1, do_procfd },
	{ "raw", 1, do_raw },
	{ "removexattr", 1, do_removexattr },
	{ "rename", 2, do_rename },
	{ "repeat", 2, do_repeat },
	{ "sendfile", 2, do_sendfile },
	{ "sendmmsg", 3, do_sendmmsg },
	{ "sendto", 2, do_sendto },
	{ "sendto46", 2, do_sendto_four_on_six },
	{ "serve", 1, do_serve },
	{ "setacl", 1, do_setacl },
	{ "setxattr", 1, do_setxattr },
	{ "stopped", 1, do_stopped },
	{ "tcp", 2, do_tcp },
	{ "tcp-from", 4, do_tcp_from },
	{ "tree", 2, do_tree },
	{ "true", 0, do_true },
	{ "truncate", 1, do_truncate },
	{ "udp", 2, do_udp },
	{ "user", 4, do_user },
	{ "write", 3, do_write },
};

static int run(char **arg)
{
	int given = 0;

	while (arg[0] && arg[given + 1])
		given++;
	for (size_t i = 0; arg[0] && i < sizeof(words) / sizeof(words[0]); i++) {
		if (!strcmp(arg[0], words[i].word) && given >= words[i].args)
			return words[i].run(arg + 1);
	}
	fprintf(stderr, "probe: no such word, or too few arguments: %s\n", arg[0] ? arg[0] : "");
	return EINVAL;
}

int main(int argc, char **argv)
{
	return argc > 1 ? run(argv + 1) : 0;
}
