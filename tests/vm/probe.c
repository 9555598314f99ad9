// SPDX-License-Identifier: Apache-2.0
/*
 * The system calls that busybox cannot make, for the tests in a machine: `probe WORD ARGS...` does
 * one thing and exits with 0, or with the errno of what failed. Linked statically to
 * build/vm-probe, and once dynamically as a program for the loader.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/aio_abi.h>
#include <linux/bpf.h>
#include <linux/capability.h>
#include <linux/fs.h>
#include <linux/hw_breakpoint.h>
#include <linux/io_uring.h>
#include <linux/kcmp.h>
#include <linux/kexec.h>
#include <linux/perf_event.h>
#include <linux/securebits.h>
#include <linux/userfaultfd.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <netpacket/packet.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timex.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

#define CHECK(call) do { if ((long)(call) < 0) return fault(#call); } while (0)

static int fault(const char *what)
{
	int error = errno;

	fprintf(stderr, "probe: %.60s: %s\n", what, strerror(error));
	return error;
}

static int run(char **arg);

static bool is(const char *word, const char *other)
{
	return word && !strcmp(word, other);
}

struct named {
	const char *name;
	int flag;
};

/* Words joined by commas; the table ends with an empty entry. */
static int flags_of(const struct named *table, const char *list)
{
	char *copy = strdup(list), *save = NULL;
	int flags = 0;

	for (char *word = strtok_r(copy, ",", &save); word; word = strtok_r(NULL, ",", &save)) {
		for (const struct named *one = table; one->name; one++)
			flags |= is(word, one->name) ? one->flag : 0;
	}
	free(copy);
	return flags;
}

/* The status of a child, 128 + N for a signal. */
static int status_of(pid_t child)
{
	int status;

	CHECK(waitpid(child, &status, 0));
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* ---- files ---- */

static const struct named open_words[] = {
	{ "r", O_RDONLY }, { "w", O_WRONLY }, { "rw", O_RDWR }, { "append", O_APPEND },
	{ "create", O_CREAT }, { "excl", O_EXCL }, { "trunc", O_TRUNC }, { "sync", O_SYNC },
	{ "direct", O_DIRECT }, { "nofollow", O_NOFOLLOW }, { "dir", O_DIRECTORY },
	{ "tmpfile", O_TMPFILE }, { "path", O_PATH }, { "noatime", O_NOATIME }, { NULL, 0 },
};

static int open_with(const char *path, const char *words, int mode)
{
	return open(path, flags_of(open_words, words) | O_CLOEXEC, mode);
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

/* stat PATH [link|open|x] */
static int do_stat(char **arg)
{
	struct statx more;
	struct stat st;

	if (is(arg[1], "link"))
		CHECK(lstat(arg[0], &st));
	else if (is(arg[1], "open"))
		CHECK(fstat(open(arg[0], O_PATH | O_CLOEXEC), &st));
	else if (is(arg[1], "x"))
		CHECK(statx(AT_FDCWD, arg[0], AT_STATX_FORCE_SYNC, STATX_ALL, &more));
	else
		CHECK(stat(arg[0], &st));
	return 0;
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

/* attribute FILE NUMBER: 16: immutable, 32: only for appending */
static int do_attribute(char **arg)
{
	int fd = open(arg[0], O_RDONLY | O_CLOEXEC), flags;

	CHECK(fd);
	CHECK(ioctl(fd, FS_IOC_GETFLAGS, &flags));
	flags |= atoi(arg[1]);
	CHECK(ioctl(fd, FS_IOC_SETFLAGS, &flags));
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
	pid_t child = fork();

	CHECK(child);
	if (!child) {
		execv(arg[0], arg);
		fprintf(stderr, "probe: %s: %s\n", arg[0], strerror(errno));
		_exit(126);
	}
	return status_of(child);
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

/* ---- io_uring: one request at a time ---- */

struct ring {
	int fd;
	char *queues;
	struct io_uring_sqe *requests;
	struct io_uring_params is;
};

static int ring_open(struct ring *ring, unsigned int flags)
{
	size_t size;

	memset(&ring->is, 0, sizeof(ring->is));
	ring->is.flags = flags;
	ring->fd = (int)syscall(SYS_io_uring_setup, 1, &ring->is);
	CHECK(ring->fd);
	size = ring->is.cq_off.cqes + ring->is.cq_entries * sizeof(struct io_uring_cqe);
	ring->queues = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, ring->fd,
			    IORING_OFF_SQ_RING);
	ring->requests = mmap(NULL, sizeof(struct io_uring_sqe), PROT_READ | PROT_WRITE, MAP_SHARED,
			      ring->fd, IORING_OFF_SQES);
	if (ring->queues == MAP_FAILED || ring->requests == MAP_FAILED)
		return fault("mmap of a ring");
	return 0;
}

/* What the system call of the same name would return; errno is set. */
static int ring_do(struct ring *ring, const struct io_uring_sqe *request)
{
	unsigned int *tail = (unsigned int *)(ring->queues + ring->is.sq_off.tail);
	unsigned int *slots = (unsigned int *)(ring->queues + ring->is.sq_off.array);
	unsigned int *head = (unsigned int *)(ring->queues + ring->is.cq_off.head);
	struct io_uring_cqe *done = (struct io_uring_cqe *)(ring->queues + ring->is.cq_off.cqes);
	int result;

	ring->requests[0] = *request;
	slots[0] = 0;
	__atomic_store_n(tail, *tail + 1, __ATOMIC_RELEASE);
	if (syscall(SYS_io_uring_enter, ring->fd, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0) < 0)
		return -1;
	result = done[*head & (ring->is.cq_entries - 1)].res;
	__atomic_store_n(head, *head + 1, __ATOMIC_RELEASE);
	if (result >= 0)
		return result;
	errno = -result;
	return -1;
}

/* A request that needs no more than this; exits with its errno. */
static int ring_once(const struct io_uring_sqe *request)
{
	struct ring ring;
	int error = ring_open(&ring, 0), result;

	if (error)
		return error;
	result = ring_do(&ring, request);
	if (result < 0 && (errno == EINPROGRESS || errno == EAGAIN))
		return 0;
	CHECK(result);
	return 0;
}

static int do_uring_open(char **arg)
{
	struct io_uring_sqe request = { .opcode = IORING_OP_OPENAT, .fd = AT_FDCWD, .len = 0644 };

	request.addr = (unsigned long)arg[0];
	request.open_flags = (unsigned int)flags_of(open_words, arg[1]);
	return ring_once(&request);
}

/* uring-socket FAMILY TYPE PROTOCOL */
static int do_uring_socket(char **arg)
{
	struct io_uring_sqe request = { .opcode = IORING_OP_SOCKET, .fd = atoi(arg[0]) };

	request.off = (unsigned long long)atoi(arg[1]);
	request.len = (unsigned int)atoi(arg[2]);
	return ring_once(&request);
}

/* uring setup | sqpoll | personality | command */
static int do_uring(char **arg)
{
	struct io_uring_sqe request = { .opcode = IORING_OP_NOP };
	struct ring ring;
	int error = ring_open(&ring, is(arg[0], "sqpoll") ? IORING_SETUP_SQPOLL : 0), id;

	if (error || is(arg[0], "setup") || is(arg[0], "sqpoll"))
		return error;
	if (is(arg[0], "personality")) {
		id = (int)syscall(SYS_io_uring_register, ring.fd, IORING_REGISTER_PERSONALITY, NULL,
				  0);
		CHECK(id);
		request.personality = (unsigned short)id;
	} else {
		request.opcode = IORING_OP_URING_CMD;
		request.fd = open("/dev/null", O_RDWR | O_CLOEXEC);
		CHECK(request.fd);
	}
	CHECK(ring_do(&ring, &request));
	return 0;
}

/* ---- descriptors that were opened at another time, or by another process ---- */

static long written_by_uring(int fd, const char *text)
{
	struct io_uring_sqe request = { .opcode = IORING_OP_WRITE, .fd = fd };
	struct ring ring;

	if (ring_open(&ring, 0))
		return -1;
	request.addr = (unsigned long)text;
	request.len = (unsigned int)strlen(text);
	return ring_do(&ring, &request);
}

static long written_by_aio(int fd, const char *text)
{
	struct iocb request = { .aio_lio_opcode = IOCB_CMD_PWRITE, .aio_fildes = (unsigned int)fd,
				.aio_buf = (unsigned long)text, .aio_nbytes = strlen(text) };
	struct iocb *list = &request;
	struct io_event event;
	aio_context_t context = 0;

	if (syscall(SYS_io_setup, 1, &context) || syscall(SYS_io_submit, context, 1, &list) != 1 ||
	    syscall(SYS_io_getevents, context, 1, 1, &event, NULL) != 1)
		return -1;
	errno = event.res < 0 ? (int)-event.res : 0;
	return event.res < 0 ? -1 : event.res;
}

/* From a file of this process's own, by sendfile, copy_file_range, or a pipe and splice. */
static long written_from_file(int fd, const char *way, const char *text)
{
	int ends[2], from = open("/var/tmp", O_RDWR | O_TMPFILE | O_CLOEXEC, 0600);
	long length = (long)strlen(text);

	if (write(from, text, (size_t)length) != length || lseek(from, 0, SEEK_SET))
		return -1;
	if (is(way, "sendfile"))
		return sendfile(fd, from, NULL, (size_t)length);
	if (is(way, "copy"))
		return copy_file_range(from, NULL, fd, NULL, (size_t)length, 0);
	if (pipe2(ends, O_CLOEXEC) || write(ends[1], text, (size_t)length) != length)
		return -1;
	return splice(ends[0], NULL, fd, NULL, (size_t)length, 0);
}

/* By a mapping: writable at once, or made so. */
static long written_by_mapping(int fd, bool later)
{
	char *at = mmap(NULL, 4096, later ? PROT_READ : PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (at == MAP_FAILED || (later && mprotect(at, 4096, PROT_READ | PROT_WRITE)))
		return -1;
	at[0] = '#';
	return 0;
}

static int use(int fd, const char *way)
{
	static const char text[] = "held\n";
	struct iovec part = { (void *)(uintptr_t)text, sizeof(text) - 1 };
	long done;

	if (is(way, "nothing"))
		done = 0;
	else if (is(way, "write"))
		done = write(fd, text, sizeof(text) - 1);
	else if (is(way, "pwritev"))
		done = pwritev(fd, &part, 1, 0);
	else if (is(way, "send"))
		done = send(fd, text, sizeof(text) - 1, MSG_NOSIGNAL);
	else if (is(way, "truncate"))
		done = ftruncate(fd, 0);
	else if (is(way, "fallocate"))
		done = fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 4096);
	else if (is(way, "mmap") || is(way, "mprotect"))
		done = written_by_mapping(fd, is(way, "mprotect"));
	else if (is(way, "uring"))
		done = written_by_uring(fd, text);
	else if (is(way, "aio"))
		done = written_by_aio(fd, text);
	else
		done = written_from_file(fd, way, text);
	CHECK(done);
	return 0;
}

/* A process that was there before the rules: acts when the go-file appears, and another one that
   was there too leaves its status in DONE. */
static int hold(int fd, const char *program, char **arg)
{
	pid_t child;
	int status;

	CHECK(fd);
	if (fork() > 0)
		return 0;
	setsid();
	child = fork();
	if (!child) {
		while (access(arg[0], F_OK))
			usleep(10000);
		if (is(arg[1], "exec"))
			execl(program, program, NULL);
		_exit(is(arg[1], "exec") ? errno : use(fd, arg[1]));
	}
	status = status_of(child);
	fd = open(arg[2], O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	dprintf(fd, "%d\n", status);
	return 0;
}

/* hold PATH GO WAY DONE: opens PATH now, and uses the descriptor (or executes PATH) later */
static int do_hold(char **arg)
{
	int flags = is(arg[2], "exec") ? O_RDONLY : O_RDWR;

	return hold(open(arg[0], flags | O_CLOEXEC), arg[0], arg + 1);
}

#define HANDED 9	/* where a process expects the descriptor that another one leaves to it */

/* inherit FILE FLAGS PROGRAM ARGS...: leaves the descriptor to the program */
static int do_inherit(char **arg)
{
	int fd = open_with(arg[0], arg[1], 0644);

	CHECK(fd);
	CHECK(dup2(fd, HANDED));
	CHECK(execv(arg[2], arg + 2));
	return 0;
}

/* put WAY: uses the descriptor that was left to it */
static int do_put(char **arg)
{
	return use(HANDED, arg[0]);
}

/* give FILE FLAGS PROGRAM ARGS...: sends the descriptor to a child, by a socket left to it */
static int do_give(char **arg)
{
	char room[CMSG_SPACE(sizeof(int))] __attribute__((aligned(8))) = "";
	struct iovec data = { (void *)(uintptr_t)"x", 1 };
	struct msghdr message = { .msg_iov = &data, .msg_iovlen = 1, .msg_control = room,
				  .msg_controllen = sizeof(room) };
	struct cmsghdr *part = CMSG_FIRSTHDR(&message);
	int fd = open_with(arg[0], arg[1], 0644), ends[2];

	CHECK(fd);
	CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends));
	*part = (struct cmsghdr){ .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS,
				  .cmsg_len = CMSG_LEN(sizeof(int)) };
	memcpy(CMSG_DATA(part), &fd, sizeof(int));
	CHECK(sendmsg(ends[0], &message, 0));
	CHECK(dup2(ends[1], HANDED));
	return do_child(arg + 2);
}

/* take WAY: receives a descriptor and uses it */
static int do_take(char **arg)
{
	char room[CMSG_SPACE(sizeof(int))] __attribute__((aligned(8))), byte;
	struct iovec data = { &byte, 1 };
	struct msghdr message = { .msg_iov = &data, .msg_iovlen = 1, .msg_control = room,
				  .msg_controllen = sizeof(room) };
	struct cmsghdr *part;
	int fd;

	CHECK(recvmsg(HANDED, &message, MSG_CMSG_CLOEXEC));
	part = CMSG_FIRSTHDR(&message);
	/* The kernel does not say why it keeps a descriptor back. */
	if (!part || part->cmsg_type != SCM_RIGHTS)
		return EPERM;
	memcpy(&fd, CMSG_DATA(part), sizeof(int));
	return use(fd, arg[0]);
}

/* keep FILE FLAGS PROGRAM ARGS...: has it open while a child runs the program */
static int do_keep(char **arg)
{
	int fd = open_with(arg[0], arg[1], 0644);

	CHECK(fd);
	CHECK(dup3(fd, HANDED, O_CLOEXEC));
	return do_child(arg + 2);
}

/* fetch WAY: takes the descriptor out of the parent by pidfd_getfd(2) and uses it */
static int do_fetch(char **arg)
{
	int parent = (int)syscall(SYS_pidfd_open, getppid(), 0), fd;

	CHECK(parent);
	fd = (int)syscall(SYS_pidfd_getfd, parent, HANDED, 0);
	CHECK(fd);
	return use(fd, arg[0]);
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

/* fastopen HOST PORT [PROTOCOL] */
static int do_fastopen(char **arg)
{
	union address to;
	socklen_t length = address_of(arg[0], arg[1], &to);
	int fd = socket(to.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
			arg[2] ? atoi(arg[2]) : 0);

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

/* accept HOST PORT [FROM PORT] | accept PATH: takes one connection, made by a child */
static int do_accept(char **arg)
{
	union address at, from;
	socklen_t length = arg[1] ? address_of(arg[0], arg[1], &at) : local_of(arg[0], &at);
	int one = 1, fd = socket(at.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0), end;
	char byte;

	CHECK(fd);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (!arg[1] && arg[0][0] != '@')
		unlink(arg[0]);
	CHECK(bind(fd, &at.any, length));
	CHECK(listen(fd, 4));
	if (!fork()) {
		close(fd);
		end = socket(at.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
		setsockopt(end, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
		if (arg[1] && arg[2])
			bind(end, &from.any, address_of(arg[2], arg[3], &from));
		_exit(connect(end, &at.any, length) || read(end, &byte, 1) < 0);
	}
	CHECK(accept4(fd, NULL, NULL, SOCK_CLOEXEC));
	return 0;
}

/* accept-none HOST PORT: nobody has come */
static int do_accept_none(char **arg)
{
	union address at;
	socklen_t length = address_of(arg[0], arg[1], &at);
	int one = 1, fd = socket(at.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	CHECK(fd);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	CHECK(bind(fd, &at.any, length));
	CHECK(listen(fd, 4));
	CHECK(accept4(fd, NULL, NULL, SOCK_CLOEXEC));
	return 0;
}

/* socket FAMILY TYPE [PROTOCOL] */
static int do_socket(char **arg)
{
	CHECK(socket(atoi(arg[0]), atoi(arg[1]), arg[2] ? atoi(arg[2]) : 0));
	return 0;
}

static int do_socketpair(char **arg)
{
	int ends[2];

	CHECK(socketpair(atoi(arg[0]), atoi(arg[1]), 0, ends));
	return 0;
}

#define SOL_SCTP 132
#define SCTP_SOCKOPT_BINDX_ADD 100
#define SCTP_SOCKOPT_CONNECTX 110
#define SCTP_DSTADDRV4 7

static int sctp_socket(int type)
{
	return socket(AF_INET, type | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_SCTP);
}

static int do_sctp(char **arg)
{
	union address to;
	socklen_t length = address_of(arg[0], arg[1], &to);
	int fd = sctp_socket(SOCK_STREAM);

	CHECK(fd);
	return finish(connect(fd, &to.any, length));
}

static int do_sctp_sendto(char **arg)
{
	union address to;
	socklen_t length = address_of(arg[0], arg[1], &to);
	int fd = sctp_socket(SOCK_SEQPACKET);

	CHECK(fd);
	return finish((int)sendto(fd, "x", 1, 0, &to.any, length));
}

/* PORT HOST...: one after the other without gaps; ret_length receives their length */
static struct sockaddr_in *packed(char **arg, socklen_t *ret_length)
{
	static struct sockaddr_in list[8];
	union address one;
	int count = 0;

	for (; count < 8 && arg[count + 1]; count++) {
		address_of(arg[count + 1], arg[0], &one);
		list[count] = one.four;
	}
	*ret_length = (socklen_t)(count * (int)sizeof(list[0]));
	return list;
}

/* sctp-connectx PORT HOST... */
static int do_sctp_connectx(char **arg)
{
	socklen_t length;
	struct sockaddr_in *list = packed(arg, &length);
	int fd = sctp_socket(SOCK_SEQPACKET);

	CHECK(fd);
	return finish(setsockopt(fd, SOL_SCTP, SCTP_SOCKOPT_CONNECTX, list, length));
}

/* sctp-bindx PORT HOST... */
static int do_sctp_bindx(char **arg)
{
	socklen_t length;
	struct sockaddr_in *list = packed(arg, &length);
	int fd = sctp_socket(SOCK_SEQPACKET);

	CHECK(fd);
	CHECK(setsockopt(fd, SOL_SCTP, SCTP_SOCKOPT_BINDX_ADD, list, length));
	return 0;
}

/* sctp-more HOST PORT MORE: a message to one address, that brings along another of its peer's */
static int do_sctp_more(char **arg)
{
	char room[CMSG_SPACE(sizeof(struct in_addr))] __attribute__((aligned(8))) = "";
	union address to, more;
	socklen_t length = address_of(arg[0], arg[1], &to);
	struct iovec data = { (void *)(uintptr_t)"x", 1 };
	struct msghdr message = { .msg_name = &to, .msg_namelen = length, .msg_iov = &data,
				  .msg_iovlen = 1, .msg_control = room,
				  .msg_controllen = sizeof(room) };
	struct cmsghdr *part = CMSG_FIRSTHDR(&message);
	int fd = sctp_socket(SOCK_SEQPACKET);

	CHECK(fd);
	address_of(arg[2], arg[1], &more);
	*part = (struct cmsghdr){ .cmsg_level = IPPROTO_SCTP, .cmsg_type = SCTP_DSTADDRV4,
				  .cmsg_len = CMSG_LEN(sizeof(struct in_addr)) };
	memcpy(CMSG_DATA(part), &more.four.sin_addr, sizeof(struct in_addr));
	return finish((int)sendmsg(fd, &message, 0));
}

#define FRAME_TYPE 0x88b5	/* for experiments */

/* packet DEVICE WAY: a frame, by sendto, by a bound socket, by one of the obsolete type */
static int do_packet(char **arg)
{
	struct sockaddr_ll to = { .sll_family = AF_PACKET, .sll_protocol = htons(FRAME_TYPE),
				  .sll_halen = 6, .sll_addr = { 2, 0, 0, 0, 0, 2 } };
	struct sockaddr old = { .sa_family = AF_PACKET };
	char frame[60] = { 2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, (char)(FRAME_TYPE >> 8),
			   (char)FRAME_TYPE };
	bool obsolete = is(arg[1], "obsolete"), bound = is(arg[1], "bound");
	int fd = socket(AF_PACKET, (obsolete ? SOCK_PACKET : SOCK_RAW) | SOCK_CLOEXEC,
			htons(FRAME_TYPE));

	CHECK(fd);
	to.sll_ifindex = (int)if_nametoindex(arg[0]);
	strncpy(old.sa_data, arg[0], sizeof(old.sa_data) - 1);
	if (bound)
		CHECK(bind(fd, (struct sockaddr *)&to, sizeof(to)));
	if (bound)
		CHECK(send(fd, frame, sizeof(frame), 0));
	else if (obsolete)
		CHECK(sendto(fd, frame, sizeof(frame), 0, &old, sizeof(old)));
	else
		CHECK(sendto(fd, frame, sizeof(frame), 0, (struct sockaddr *)&to, sizeof(to)));
	return 0;
}

/* hold-tcp HOST PORT GO WAY DONE: as hold, with a connection */
static int do_hold_tcp(char **arg)
{
	union address to;
	socklen_t length = address_of(arg[0], arg[1], &to);
	int fd = socket(to.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	CHECK(fd);
	CHECK(connect(fd, &to.any, length));
	return hold(fd, NULL, arg + 2);
}

static int do_uring_connect(char **arg)
{
	struct io_uring_sqe request = { .opcode = IORING_OP_CONNECT };
	union address to;
	socklen_t length = address_of(arg[0], arg[1], &to);

	request.fd = socket(to.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	CHECK(request.fd);
	request.addr = (unsigned long)&to;
	request.off = length;
	return ring_once(&request);
}

/* ---- one process acts on another ---- */

/* pause: for ever; the process that others act on */
static int do_pause(char **arg)
{
	(void)arg;
	while (pause())
		;
	return 0;
}

static int attach(pid_t pid, int request)
{
	CHECK(ptrace(request, pid, 0, 0));
	if (request == (int)PTRACE_SEIZE)
		CHECK(ptrace(PTRACE_INTERRUPT, pid, 0, 0));
	CHECK(waitpid(pid, NULL, __WALL));
	CHECK(ptrace(PTRACE_DETACH, pid, 0, 0));
	return 0;
}

/* Its file FILE in /proc, opened in that way, and read. */
static int open_of(pid_t pid, const char *file, int flags)
{
	char path[64], bytes[8];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, file);
	fd = open(path, flags | O_CLOEXEC);
	CHECK(fd);
	if (flags == O_RDONLY)
		CHECK(read(fd, bytes, sizeof(bytes)));
	return 0;
}

static int link_of(pid_t pid, const char *file)
{
	char path[64], target[256];

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, file);
	CHECK(readlink(path, target, sizeof(target)));
	return 0;
}

/* ptrace PID WAY: attach, seize, vm-read, vm-write, mem, kcmp, or a file or link of /proc/PID */
static int do_ptrace(char **arg)
{
	pid_t pid = atoi(arg[0]);
	static char here[8];
	struct iovec own = { here, sizeof(here) }, its = { here, sizeof(here) };
	const char *way = arg[1];

	if (is(way, "attach") || is(way, "seize"))
		return attach(pid, is(way, "seize") ? PTRACE_SEIZE : PTRACE_ATTACH);
	if (is(way, "vm-read"))
		CHECK(process_vm_readv(pid, &own, 1, &its, 1, 0));
	else if (is(way, "vm-write"))
		CHECK(process_vm_writev(pid, &own, 1, &its, 1, 0));
	else if (is(way, "kcmp"))
		CHECK(syscall(SYS_kcmp, getpid(), pid, KCMP_FILES, 0, 0));
	else if (is(way, "mem"))
		return open_of(pid, way, O_RDWR);
	else if (is(way, "exe") || is(way, "cwd") || is(way, "root") || !strncmp(way, "fd/", 3))
		return link_of(pid, way);
	else
		return open_of(pid, way, O_RDONLY);
	return 0;
}

static int do_traceme(char **arg)
{
	(void)arg;
	CHECK(ptrace(PTRACE_TRACEME, 0, 0, 0));
	return 0;
}

/* By a pipe whose other process is told of data by a signal. */
static int signal_by_owner(pid_t pid, int number)
{
	int ends[2];

	CHECK(pipe2(ends, O_CLOEXEC | O_NONBLOCK));
	CHECK(fcntl(ends[0], F_SETOWN, pid));
	CHECK(fcntl(ends[0], F_SETSIG, number));
	CHECK(fcntl(ends[0], F_SETFL, O_ASYNC | O_NONBLOCK));
	CHECK(write(ends[1], "x", 1));
	return 0;
}

/* signal PID NUMBER WAY: kill, group, everyone, tgkill, tkill, queue, tgqueue, pidfd, owner */
static int do_signal(char **arg)
{
	pid_t pid = atoi(arg[0]);
	int number = atoi(arg[1]);
	siginfo_t info = { .si_signo = number, .si_code = SI_QUEUE, .si_pid = getpid(),
			   .si_uid = getuid() };
	const char *way = arg[2];

	if (is(way, "kill"))
		CHECK(kill(pid, number));
	else if (is(way, "group"))
		CHECK(kill(-getpgid(pid), number));
	else if (is(way, "everyone"))
		CHECK(kill(-1, number));
	else if (is(way, "tgkill"))
		CHECK(syscall(SYS_tgkill, pid, pid, number));
	else if (is(way, "tkill"))
		CHECK(syscall(SYS_tkill, pid, number));
	else if (is(way, "queue"))
		CHECK(syscall(SYS_rt_sigqueueinfo, pid, number, &info));
	else if (is(way, "tgqueue"))
		CHECK(syscall(SYS_rt_tgsigqueueinfo, pid, pid, number, &info));
	else if (is(way, "pidfd"))
		CHECK(syscall(SYS_pidfd_send_signal, syscall(SYS_pidfd_open, pid, 0), number, NULL,
			      0));
	else
		return signal_by_owner(pid, number);
	return 0;
}

/* signal-self NUMBER: ignored, so that it goes on */
static int do_signal_self(char **arg)
{
	signal(atoi(arg[0]), SIG_IGN);
	CHECK(kill(getpid(), atoi(arg[0])));
	CHECK(raise(atoi(arg[0])));
	return 0;
}

/* session PROGRAM ARGS...: in a session and process group of its own */
static int do_session(char **arg)
{
	if (getpid() == getpgrp() && fork() > 0)
		return 0;
	setsid();
	CHECK(execv(arg[0], arg));
	return 0;
}

/* ---- credentials ---- */

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

static void *thread_run(void *arg)
{
	return (void *)(intptr_t)run(arg);
}

/* thread WORD ARGS...: done by a second thread */
static int do_thread(char **arg)
{
	pthread_t thread;
	void *error;

	if (pthread_create(&thread, NULL, thread_run, arg) || pthread_join(thread, &error))
		return EAGAIN;
	return (int)(intptr_t)error;
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

/* ---- namespaces ---- */

static const struct named namespace_words[] = {
	{ "cgroup", CLONE_NEWCGROUP }, { "ipc", CLONE_NEWIPC }, { "mnt", CLONE_NEWNS },
	{ "net", CLONE_NEWNET }, { "pid", CLONE_NEWPID }, { "time", CLONE_NEWTIME },
	{ "user", CLONE_NEWUSER }, { "uts", CLONE_NEWUTS }, { NULL, 0 },
};

static int go_on(char **arg)
{
	if (arg[0])
		CHECK(execv(arg[0], arg));
	return 0;
}

/* unshare TYPES [PROGRAM ARGS...] */
static int do_unshare(char **arg)
{
	CHECK(unshare(flags_of(namespace_words, arg[0])));
	return go_on(arg + 1);
}

/* clone TYPES [PROGRAM ARGS...]: a child in new namespaces */
static int do_clone(char **arg)
{
	struct { uint64_t flags, ids[3], signal, rest[3]; } how = { .signal = SIGCHLD };
	pid_t child;

	how.flags = (uint64_t)flags_of(namespace_words, arg[0]) & 0xffffffff;
	child = (pid_t)syscall(SYS_clone3, &how, sizeof(how));
	CHECK(child);
	if (!child)
		_exit(go_on(arg + 1));
	return status_of(child);
}

/* clone-old TYPES [PROGRAM ARGS...]: the same by the older call */
static int do_clone_old(char **arg)
{
	int flags = flags_of(namespace_words, arg[0]) | SIGCHLD;
	pid_t child = (pid_t)syscall(SYS_clone, flags, 0, 0, 0, 0);

	CHECK(child);
	if (!child)
		_exit(go_on(arg + 1));
	return status_of(child);
}

/* setns FILE [PROGRAM ARGS...] */
static int do_setns(char **arg)
{
	CHECK(setns(open(arg[0], O_RDONLY | O_CLOEXEC), 0));
	return go_on(arg + 1);
}

/* setns-of PID TYPES [PROGRAM ARGS...]: several of a process's at once */
static int do_setns_of(char **arg)
{
	int fd = (int)syscall(SYS_pidfd_open, atoi(arg[0]), 0);

	CHECK(fd);
	CHECK(setns(fd, flags_of(namespace_words, arg[1])));
	return go_on(arg + 2);
}

/* ---- mounts ---- */

/* mount-new TYPE DIR: by fsopen(2), fsmount(2) and move_mount(2) */
static int do_mount_new(char **arg)
{
	int context = fsopen(arg[0], FSOPEN_CLOEXEC), fd;

	CHECK(context);
	CHECK(fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0));
	fd = fsmount(context, FSMOUNT_CLOEXEC, 0);
	CHECK(fd);
	CHECK(move_mount(fd, "", AT_FDCWD, arg[1], MOVE_MOUNT_F_EMPTY_PATH));
	return 0;
}

/* mount-move FROM TO: what is mounted at FROM */
static int do_mount_move(char **arg)
{
	CHECK(move_mount(AT_FDCWD, arg[0], AT_FDCWD, arg[1], 0));
	return 0;
}

/* mount-copy FROM [TO]: a copy of the tree, mounted or only opened */
static int do_mount_copy(char **arg)
{
	int fd = open_tree(AT_FDCWD, arg[0], OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);

	CHECK(fd);
	if (arg[1])
		CHECK(move_mount(fd, "", AT_FDCWD, arg[1], MOVE_MOUNT_F_EMPTY_PATH));
	return 0;
}

/* mount-remount DIR: to read-only, by fspick(2) */
static int do_mount_remount(char **arg)
{
	int context = fspick(AT_FDCWD, arg[0], FSPICK_CLOEXEC);

	CHECK(context);
	CHECK(fsconfig(context, FSCONFIG_SET_FLAG, "ro", NULL, 0));
	CHECK(fsconfig(context, FSCONFIG_CMD_RECONFIGURE, NULL, NULL, 0));
	return 0;
}

/* mount-attributes DIR [open]: no set-user-ID there; by its name, or a descriptor */
static int do_mount_attributes(char **arg)
{
	struct { uint64_t set, clear, propagation, userns; } change = { .set = 2 };
	int fd = arg[1] ? open(arg[0], O_PATH | O_CLOEXEC) : AT_FDCWD;

	CHECK(syscall(SYS_mount_setattr, fd, arg[1] ? "" : arg[0], arg[1] ? AT_EMPTY_PATH : 0,
		      &change, sizeof(change)));
	return 0;
}

/* umount DIR NUMBER: with these flags */
static int do_umount(char **arg)
{
	CHECK(umount2(arg[0], atoi(arg[1])));
	return 0;
}

/* ---- the kernel ---- */

/* module FILE [memfd|buffer]: from the file, a copy without a name, or memory */
static int do_module(char **arg)
{
	static char image[4 << 20];
	int fd = open(arg[0], O_RDONLY | O_CLOEXEC), copy;
	ssize_t length;

	CHECK(fd);
	if (!arg[1]) {
		CHECK(syscall(SYS_finit_module, fd, "", 0));
		return 0;
	}
	length = read(fd, image, sizeof(image));
	CHECK(length);
	if (is(arg[1], "buffer")) {
		CHECK(syscall(SYS_init_module, image, length, ""));
		return 0;
	}
	copy = memfd_create("copy", MFD_CLOEXEC);
	CHECK(write(copy, image, (size_t)length));
	CHECK(syscall(SYS_finit_module, copy, "", 0));
	return 0;
}

static int do_module_remove(char **arg)
{
	CHECK(syscall(SYS_delete_module, arg[0], O_NONBLOCK));
	return 0;
}

static int bpf(int command, union bpf_attr *attributes)
{
	return (int)syscall(SYS_bpf, command, attributes, sizeof(*attributes));
}

/* bpf NUMBER: any command, with nothing that it asks for */
static int do_bpf(char **arg)
{
	union bpf_attr attributes = { 0 };

	CHECK(bpf(atoi(arg[0]), &attributes));
	return 0;
}

/* bpf-map [PATH]: a map, pinned there */
static int do_bpf_map(char **arg)
{
	union bpf_attr attributes = { .map_type = BPF_MAP_TYPE_ARRAY, .key_size = 4,
				      .value_size = 4, .max_entries = 1 };
	int fd = bpf(BPF_MAP_CREATE, &attributes);

	CHECK(fd);
	if (!arg[0])
		return 0;
	memset(&attributes, 0, sizeof(attributes));
	attributes.pathname = (unsigned long)arg[0];
	attributes.bpf_fd = (unsigned int)fd;
	CHECK(bpf(BPF_OBJ_PIN, &attributes));
	return 0;
}

static int do_bpf_get(char **arg)
{
	union bpf_attr attributes = { .pathname = (unsigned long)arg[0] };

	CHECK(bpf(BPF_OBJ_GET, &attributes));
	return 0;
}

/* bpf-program TYPE: loads one that returns 0 */
static int do_bpf_program(char **arg)
{
	static const struct bpf_insn code[] = { { .code = BPF_ALU64 | BPF_MOV | BPF_K },
						{ .code = BPF_JMP | BPF_EXIT } };
	union bpf_attr attributes = { .prog_type = (unsigned int)atoi(arg[0]), .insn_cnt = 2,
				      .insns = (unsigned long)code,
				      .license = (unsigned long)"GPL" };

	CHECK(bpf(BPF_PROG_LOAD, &attributes));
	return 0;
}

/* filter: a classic one at a socket, which is not bpf(2) */
static int do_filter(char **arg)
{
	struct { uint16_t code; uint8_t yes, no; uint32_t k; } all = { .code = 6, .k = 0xffff };
	struct { unsigned short length; void *code; } filter = { 1, &all };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	(void)arg;
	CHECK(setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof(filter)));
	return 0;
}

/* perf TYPE CONFIG [FUNCTION]: counts for this process; TYPE as a number */
static int do_perf(char **arg)
{
	static int watched;
	struct perf_event_attr attributes = { .type = (unsigned int)atoi(arg[0]),
					      .size = sizeof(attributes),
					      .config = strtoull(arg[1], NULL, 0) };

	if (attributes.type == PERF_TYPE_BREAKPOINT) {
		attributes.bp_type = HW_BREAKPOINT_W;
		attributes.bp_addr = (unsigned long)&watched;
		attributes.bp_len = HW_BREAKPOINT_LEN_4;
	}
	if (arg[2])
		attributes.config1 = (unsigned long)arg[2];
	CHECK(syscall(SYS_perf_event_open, &attributes, 0, -1, -1, PERF_FLAG_FD_CLOEXEC));
	return 0;
}

/* kexec [unload]: an image of one empty page, to be started at the next reboot */
static int do_kexec(char **arg)
{
	static char page[4096] __attribute__((aligned(4096)));
	struct kexec_segment segment = { .buf = page, .bufsz = sizeof(page),
					 .mem = (void *)0x2000000, .memsz = sizeof(page) };
	unsigned long segments = is(arg[0], "unload") ? 0 : 1;

	CHECK(syscall(SYS_kexec_load, segment.mem, segments, &segment, 0ul));
	return 0;
}

static int do_kexec_file(char **arg)
{
	int fd = open(arg[0], O_RDONLY | O_CLOEXEC);

	CHECK(fd);
	CHECK(syscall(SYS_kexec_file_load, fd, -1, 1ul, "", KEXEC_FILE_NO_INITRAMFS));
	return 0;
}

/* clock SECONDS [old]: sets the clock by so much; clock zone: sets the time zone to UTC */
static int do_clock(char **arg)
{
	struct timezone utc = { 0, 0 };
	struct timespec now;
	struct timeval old;

	if (is(arg[0], "zone")) {
		CHECK(syscall(SYS_settimeofday, NULL, &utc));
		return 0;
	}
	clock_gettime(CLOCK_REALTIME, &now);
	now.tv_sec += atoi(arg[0]);
	old = (struct timeval){ now.tv_sec, now.tv_nsec / 1000 };
	if (arg[1])
		CHECK(syscall(SYS_settimeofday, &old, NULL));
	else
		CHECK(clock_settime(CLOCK_REALTIME, &now));
	return 0;
}

/* adjust WAY: to what it is already; read, frequency, slew, offset, clock, left */
static int do_adjust(char **arg)
{
	struct timex change = { 0 };

	CHECK(adjtimex(&change));
	if (is(arg[0], "read"))
		return 0;
	change.modes = is(arg[0], "frequency") || is(arg[0], "clock") ? ADJ_FREQUENCY :
		       is(arg[0], "slew") ? ADJ_OFFSET_SINGLESHOT :
		       is(arg[0], "left") ? ADJ_OFFSET_SS_READ : ADJ_SETOFFSET;
	change.offset = 0;
	change.time = (struct timeval){ 0, 0 };
	if (is(arg[0], "clock"))
		CHECK(clock_adjtime(CLOCK_REALTIME, &change));
	else
		CHECK(adjtimex(&change));
	return 0;
}

static int do_domain(char **arg)
{
	CHECK(setdomainname(arg[0], strlen(arg[0])));
	return 0;
}

/* userfaultfd [device|user]: for all faults, or for those in user mode only */
static int do_userfaultfd(char **arg)
{
	int device;

	if (!is(arg[0], "device")) {
		CHECK(syscall(SYS_userfaultfd, O_CLOEXEC | (arg[0] ? UFFD_USER_MODE_ONLY : 0)));
		return 0;
	}
	device = open("/dev/userfaultfd", O_RDWR | O_CLOEXEC);
	CHECK(device);
	CHECK(ioctl(device, USERFAULTFD_IOC_NEW, O_CLOEXEC));
	return 0;
}

/* ---- which ---- */

/* repeat N WORD ARGS...: in this one process; exits with the last one's errno */
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
	{ "accept", 1, do_accept },
	{ "accept-none", 2, do_accept_none },
	{ "adjust", 1, do_adjust },
	{ "as", 2, do_as },
	{ "attribute", 2, do_attribute },
	{ "await", 1, do_await },
	{ "bind", 2, do_bind },
	{ "bpf", 1, do_bpf },
	{ "bpf-get", 1, do_bpf_get },
	{ "bpf-map", 0, do_bpf_map },
	{ "bpf-program", 1, do_bpf_program },
	{ "caps", 1, do_caps },
	{ "child", 1, do_child },
	{ "chmod", 2, do_chmod },
	{ "chroot", 2, do_chroot },
	{ "clock", 1, do_clock },
	{ "clone", 1, do_clone },
	{ "clone-old", 1, do_clone_old },
	{ "comm", 2, do_comm },
	{ "deleted", 1, do_deleted },
	{ "domain", 1, do_domain },
	{ "exchange", 2, do_exchange },
	{ "exit", 1, do_exit },
	{ "fastopen", 2, do_fastopen },
	{ "fchmod", 2, do_fchmod },
	{ "fetch", 1, do_fetch },
	{ "fexecve", 1, do_fexecve },
	{ "filter", 0, do_filter },
	{ "ftruncate", 1, do_ftruncate },
	{ "getxattr", 1, do_getxattr },
	{ "give", 3, do_give },
	{ "hold", 4, do_hold },
	{ "hold-tcp", 5, do_hold_tcp },
	{ "inherit", 3, do_inherit },
	{ "keep", 3, do_keep },
	{ "kexec", 0, do_kexec },
	{ "kexec-file", 1, do_kexec_file },
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
	{ "module", 1, do_module },
	{ "module-remove", 1, do_module_remove },
	{ "mount-attributes", 1, do_mount_attributes },
	{ "mount-copy", 1, do_mount_copy },
	{ "mount-move", 2, do_mount_move },
	{ "mount-new", 2, do_mount_new },
	{ "mount-remount", 1, do_mount_remount },
	{ "mprotect", 1, do_mprotect },
	{ "mptcp", 2, do_mptcp },
	{ "open", 2, do_open },
	{ "orphan", 1, do_orphan },
	{ "packet", 2, do_packet },
	{ "pause", 0, do_pause },
	{ "perf", 2, do_perf },
	{ "private", 1, do_private },
	{ "procfd", 1, do_procfd },
	{ "ptrace", 2, do_ptrace },
	{ "put", 1, do_put },
	{ "raw", 1, do_raw },
	{ "removexattr", 1, do_removexattr },
	{ "rename", 2, do_rename },
	{ "repeat", 2, do_repeat },
	{ "sctp", 2, do_sctp },
	{ "sctp-bindx", 2, do_sctp_bindx },
	{ "sctp-connectx", 2, do_sctp_connectx },
	{ "sctp-more", 3, do_sctp_more },
	{ "sctp-sendto", 2, do_sctp_sendto },
	{ "sendfile", 2, do_sendfile },
	{ "sendmmsg", 3, do_sendmmsg },
	{ "sendto", 2, do_sendto },
	{ "sendto46", 2, do_sendto_four_on_six },
	{ "serve", 1, do_serve },
	{ "session", 1, do_session },
	{ "setacl", 1, do_setacl },
	{ "setgid", 2, do_setgid },
	{ "setns", 1, do_setns },
	{ "setns-of", 2, do_setns_of },
	{ "setuid", 2, do_setuid },
	{ "setxattr", 1, do_setxattr },
	{ "signal", 3, do_signal },
	{ "signal-self", 1, do_signal_self },
	{ "socket", 2, do_socket },
	{ "socketpair", 2, do_socketpair },
	{ "stat", 1, do_stat },
	{ "stopped", 1, do_stopped },
	{ "take", 1, do_take },
	{ "tcp", 2, do_tcp },
	{ "tcp-from", 4, do_tcp_from },
	{ "thread", 1, do_thread },
	{ "traceme", 0, do_traceme },
	{ "tree", 2, do_tree },
	{ "true", 0, do_true },
	{ "truncate", 1, do_truncate },
	{ "udp", 2, do_udp },
	{ "umount", 2, do_umount },
	{ "unshare", 1, do_unshare },
	{ "uring", 1, do_uring },
	{ "uring-connect", 2, do_uring_connect },
	{ "uring-open", 2, do_uring_open },
	{ "uring-socket", 3, do_uring_socket },
	{ "user", 4, do_user },
	{ "userfaultfd", 0, do_userfaultfd },
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
