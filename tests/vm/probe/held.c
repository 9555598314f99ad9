// SPDX-License-Identifier: Apache-2.0
/*
 * Descriptors that were opened at another time, or by another process, and the ways to use one.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "probe.h"
#include "ring.h"

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

#define OP_FTRUNCATE 55	/* from 6.9 */

static long truncated_by_uring(int fd)
{
	struct io_uring_sqe request = { .opcode = OP_FTRUNCATE, .fd = fd };
	struct ring ring;

	return ring_open(&ring, 0) ? -1 : ring_do(&ring, &request);
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

/* From a file of this process's own, by sendfile or copy_file_range. */
static long written_from_file(int fd, const char *way, const char *text)
{
	int from = open("/var/tmp", O_RDWR | O_TMPFILE | O_CLOEXEC, 0600);
	long length = (long)strlen(text);

	if (write(from, text, (size_t)length) != length || lseek(from, 0, SEEK_SET))
		return -1;
	if (is(way, "sendfile"))
		return sendfile(fd, from, NULL, (size_t)length);
	return copy_file_range(from, NULL, fd, NULL, (size_t)length, 0);
}

/* By splice out of a pipe, that is filled by write, by another pipe (tee), or by vmsplice. */
static long written_from_pipe(int fd, const char *way, const char *text)
{
	struct iovec part = { (void *)(uintptr_t)text, strlen(text) };
	bool tees = is(way, "tee");
	int first[2], second[2];
	long filled;

	if (pipe2(first, O_CLOEXEC) || pipe2(second, O_CLOEXEC))
		return -1;
	if (is(way, "vmsplice"))
		filled = vmsplice(first[1], &part, 1, 0);
	else
		filled = writev(first[1], &part, 1);
	if (filled < 0 || (tees && tee(first[0], second[1], part.iov_len, 0) < 0))
		return -1;
	return splice(tees ? second[0] : first[0], NULL, fd, NULL, part.iov_len, 0);
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
	struct sockaddr ignored = { .sa_family = AF_INET };
	char *taker[] = { "/usr/bin/probe", "take", "send", NULL };
	long done;

	if (is(way, "hand-on"))
		return give(fd, taker);
	if (is(way, "nothing"))
		done = 0;
	else if (is(way, "write"))
		done = write(fd, text, sizeof(text) - 1);
	else if (is(way, "pwritev"))
		done = pwritev(fd, &part, 1, 0);
	else if (is(way, "send"))
		done = send(fd, text, sizeof(text) - 1, MSG_NOSIGNAL);
	else if (is(way, "sendto"))
		done = sendto(fd, text, sizeof(text) - 1, MSG_NOSIGNAL, &ignored, sizeof(ignored));
	else if (is(way, "truncate"))
		done = ftruncate(fd, 0);
	else if (is(way, "fallocate"))
		done = fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 4096);
	else if (is(way, "mmap") || is(way, "mprotect"))
		done = written_by_mapping(fd, is(way, "mprotect"));
	else if (is(way, "uring-truncate"))
		done = truncated_by_uring(fd);
	else if (is(way, "uring"))
		done = written_by_uring(fd, text);
	else if (is(way, "aio"))
		done = written_by_aio(fd, text);
	else if (is(way, "sendfile") || is(way, "copy"))
		done = written_from_file(fd, way, text);
	else
		done = written_from_pipe(fd, way, text);
	CHECK(done);
	return 0;
}

int hold(int fd, const char *program, char **arg)
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

int give(int fd, char **program)
{
	char room[CMSG_SPACE(sizeof(int))] __attribute__((aligned(8))) = "";
	struct iovec data = { (void *)(uintptr_t)"x", 1 };
	struct msghdr message = { .msg_iov = &data, .msg_iovlen = 1, .msg_control = room,
				  .msg_controllen = sizeof(room) };
	struct cmsghdr *part = CMSG_FIRSTHDR(&message);
	int ends[2];

	CHECK(fd);
	CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends));
	*part = (struct cmsghdr){ .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS,
				  .cmsg_len = CMSG_LEN(sizeof(int)) };
	memcpy(CMSG_DATA(part), &fd, sizeof(int));
	CHECK(sendmsg(ends[0], &message, 0));
	CHECK(dup2(ends[1], HANDED));
	return do_child(program);
}

/* give FILE FLAGS PROGRAM ARGS... */
static int do_give(char **arg)
{
	return give(open_with(arg[0], arg[1], 0644), arg + 2);
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

int keep(int fd, char **program)
{
	CHECK(fd);
	CHECK(dup3(fd, HANDED, O_CLOEXEC));
	return do_child(program);
}

/* keep FILE FLAGS PROGRAM ARGS... */
static int do_keep(char **arg)
{
	return keep(open_with(arg[0], arg[1], 0644), arg + 2);
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

const struct word probe_held[] = {
	{ "fetch", 1, do_fetch },
	{ "give", 3, do_give },
	{ "hold", 4, do_hold },
	{ "inherit", 3, do_inherit },
	{ "keep", 3, do_keep },
	{ "put", 1, do_put },
	{ "take", 1, do_take },
	{ NULL, 0, NULL },
};
