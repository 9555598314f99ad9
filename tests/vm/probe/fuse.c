// SPDX-License-Identifier: Apache-2.0
/*
 * A file system in user space, the smallest that programs can be run from: one file under another
 * name, whose bytes are read from, and written to, a descriptor that the server has opened.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "probe.h"

#define FILE_NODE 2		/* the root is 1 */

/* From 6.9: the kernel itself reads and writes the file that the server names. */
#define INIT_EXT (1u << 30)
#define INIT_PASSTHROUGH (1u << 5)	/* in the second word of flags */
#define OPEN_PASSTHROUGH (1u << 7)
struct backing { int32_t fd; uint32_t flags; uint64_t padding; };
#define BACKING_OPEN _IOW(229, 1, struct backing)

static struct fuse_attr attributes(uint64_t node, int fd)
{
	struct fuse_attr attr = { .ino = node, .mode = S_IFDIR | 0755, .nlink = 1 };
	struct stat st;

	if (node == FILE_NODE && !fstat(fd, &st)) {
		attr.mode = S_IFREG | 0755;
		attr.size = (uint64_t)st.st_size;
	}
	return attr;
}

static void answer(int device, uint64_t unique, int error, const void *body, size_t length)
{
	struct fuse_out_header head = { .len = (uint32_t)(sizeof(head) + length), .error = -error,
					.unique = unique };
	struct iovec parts[] = { { &head, sizeof(head) }, { (void *)(uintptr_t)body, length } };

	if (writev(device, parts, 2) < 0)
		fault("an answer to the kernel");
}

static struct fuse_open_out opened(int device, int fd, bool through)
{
	struct backing backing = { .fd = fd };
	struct fuse_open_out out = { 0 };

	if (through) {
		out.open_flags = OPEN_PASSTHROUGH;
		out.padding = (uint32_t)ioctl(device, BACKING_OPEN, &backing);
	}
	return out;
}

/* One request, as it was read from the device. */
static void serve_one(int device, int fd, bool through, char *request)
{
	struct fuse_in_header *head = (struct fuse_in_header *)request;
	struct fuse_init_out init = { .major = FUSE_KERNEL_VERSION, .max_write = 4096,
				      .minor = FUSE_KERNEL_MINOR_VERSION };
	struct fuse_attr_out attr = { .attr = attributes(head->nodeid, fd) };
	struct fuse_entry_out entry = { .nodeid = FILE_NODE, .attr = attributes(FILE_NODE, fd) };
	struct fuse_read_in *reads = (struct fuse_read_in *)(head + 1);
	struct fuse_write_in *writes = (struct fuse_write_in *)(head + 1);
	struct fuse_open_out open;
	struct fuse_write_out written = { 0 };
	static char bytes[1 << 17];
	ssize_t done;

	switch (head->opcode) {
	case FUSE_INIT:
		if (through) {
			init.flags = INIT_EXT;
			init.flags2 = INIT_PASSTHROUGH;
			init.unused[0] = 1;	/* how many file systems may lie below */
		}
		return answer(device, head->unique, 0, &init, sizeof(init));
	case FUSE_LOOKUP:
		return answer(device, head->unique, 0, &entry, sizeof(entry));
	case FUSE_GETATTR:
	case FUSE_SETATTR:
		return answer(device, head->unique, 0, &attr, sizeof(attr));
	case FUSE_OPEN:
		open = opened(device, fd, through);
		return answer(device, head->unique, 0, &open, sizeof(open));
	case FUSE_READ:
		done = pread(fd, bytes, reads->size < sizeof(bytes) ? reads->size : sizeof(bytes),
			     (off_t)reads->offset);
		return answer(device, head->unique, done < 0 ? errno : 0, bytes,
			      done < 0 ? 0 : (size_t)done);
	case FUSE_WRITE:
		done = pwrite(fd, writes + 1, writes->size, (off_t)writes->offset);
		written.size = done < 0 ? 0 : (uint32_t)done;
		return answer(device, head->unique, done < 0 ? errno : 0, &written,
			      done < 0 ? 0 : sizeof(written));
	case FUSE_FLUSH:
	case FUSE_RELEASE:
		return answer(device, head->unique, 0, NULL, 0);
	case FUSE_FORGET:
	case FUSE_BATCH_FORGET:
	case FUSE_INTERRUPT:
		return;
	default:
		return answer(device, head->unique, ENOSYS, NULL, 0);
	}
}

/* fuse FILE FLAGS DIR [through]: every name in DIR is that file, until DIR is unmounted; returns at
   once. through: what is read and written does not come by the server */
static int do_fuse(char **arg)
{
	static char request[1 << 16];
	int fd = open_with(arg[0], arg[1], 0), device;
	char options[96];
	pid_t child;

	CHECK(fd);
	device = open("/dev/fuse", O_RDWR | O_CLOEXEC);
	CHECK(device);
	snprintf(options, sizeof(options), "fd=%d,rootmode=40755,user_id=%u,group_id=%u", device,
		 getuid(), getgid());
	CHECK(mount("probe", arg[2], "fuse", MS_NOSUID | MS_NODEV, options));
	child = fork();
	CHECK(child);
	if (child)
		return 0;
	setsid();
	for (int null = open("/dev/null", O_RDWR), i = 0; i < 3; i++)
		dup2(null, i);
	while (read(device, request, sizeof(request)) > 0 || errno == EINTR || errno == ENOENT)
		serve_one(device, fd, is(arg[3], "through"), request);
	return 0;
}

const struct word probe_fuse[] = {
	{ "fuse", 3, do_fuse },
	{ NULL, 0, NULL },
};
