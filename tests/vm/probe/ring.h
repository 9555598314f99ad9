/* SPDX-License-Identifier: Apache-2.0 */
/* An io_uring with room for one request. It is closed by exiting. */
#ifndef PROBE_RING_H
#define PROBE_RING_H

#include <linux/io_uring.h>

struct ring {
	int fd;
	char *queues;
	struct io_uring_sqe *requests;
	struct io_uring_params is;
};

/* flags: IORING_SETUP_*. Returns 0 or errno. */
int ring_open(struct ring *ring, unsigned int flags);
/* What the system call of the same name would return; errno is set. */
int ring_do(struct ring *ring, const struct io_uring_sqe *request);
/* A request that needs no more than this; exits with its errno. */
int ring_once(const struct io_uring_sqe *request);

#endif
