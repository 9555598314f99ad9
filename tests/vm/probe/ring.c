// SPDX-License-Identifier: Apache-2.0
/*
 * io_uring, one request at a time; ring.h is for the files that make requests of their own.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "probe.h"
#include "ring.h"

int ring_open(struct ring *ring, unsigned int flags)
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

int ring_do(struct ring *ring, const struct io_uring_sqe *request)
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

int ring_once(const struct io_uring_sqe *request)
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

/* uring-name OP NAME [OTHER]: rename, link and symlink (to NAME, at OTHER), unlink, rmdir, mkdir,
   setxattr, fsetxattr */
static int do_uring_name(char **arg)
{
	static const struct named opcodes[] = {
		{ "rename", IORING_OP_RENAMEAT }, { "link", IORING_OP_LINKAT },
		{ "symlink", IORING_OP_SYMLINKAT }, { "unlink", IORING_OP_UNLINKAT },
		{ "rmdir", IORING_OP_UNLINKAT }, { "mkdir", IORING_OP_MKDIRAT },
		{ "setxattr", IORING_OP_SETXATTR }, { "fsetxattr", IORING_OP_FSETXATTR },
		{ NULL, 0 },
	};
	struct io_uring_sqe request = { .fd = AT_FDCWD, .addr = (unsigned long)arg[1],
					.addr2 = (unsigned long)arg[2] };
	const char *op = arg[0];

	request.opcode = (unsigned char)flags_of(opcodes, op);
	if (is(op, "rename") || is(op, "link"))
		request.len = (unsigned int)AT_FDCWD;
	if (is(op, "mkdir"))
		request.len = 0755;
	if (is(op, "rmdir"))
		request.unlink_flags = AT_REMOVEDIR;
	if (is(op, "fsetxattr")) {
		request.fd = open(arg[1], O_RDONLY | O_CLOEXEC);
		CHECK(request.fd);
	}
	if (is(op, "setxattr") || is(op, "fsetxattr")) {
		request.addr = (unsigned long)"user.probe";
		request.addr2 = (unsigned long)"x";
		request.addr3 = (unsigned long)arg[1];
		request.len = 1;
	}
	return ring_once(&request);
}

/* uring-direct FILE TEXT: opened into the ring's own table, without a descriptor, and written */
static int do_uring_direct(char **arg)
{
	struct io_uring_sqe opens = { .opcode = IORING_OP_OPENAT, .fd = AT_FDCWD,
				      .addr = (unsigned long)arg[0], .open_flags = O_WRONLY,
				      .file_index = 1 };
	struct io_uring_sqe writes = { .opcode = IORING_OP_WRITE, .flags = IOSQE_FIXED_FILE,
				       .addr = (unsigned long)arg[1],
				       .len = (unsigned int)strlen(arg[1]) };
	int empty = -1, error;
	struct ring ring;

	error = ring_open(&ring, 0);
	if (error)
		return error;
	CHECK(syscall(SYS_io_uring_register, ring.fd, IORING_REGISTER_FILES, &empty, 1));
	CHECK(ring_do(&ring, &opens));
	CHECK(ring_do(&ring, &writes));
	return 0;
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

const struct word probe_ring[] = {
	{ "uring", 1, do_uring },
	{ "uring-direct", 2, do_uring_direct },
	{ "uring-name", 2, do_uring_name },
	{ "uring-open", 2, do_uring_open },
	{ "uring-socket", 3, do_uring_socket },
	{ NULL, 0, NULL },
};
