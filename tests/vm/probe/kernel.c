// SPDX-License-Identifier: Apache-2.0
/*
 * What changes the kernel: modules, BPF, perf, kexec, the clock, userfaultfd.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/hw_breakpoint.h>
#include <linux/kexec.h>
#include <linux/perf_event.h>
#include <linux/userfaultfd.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>

#include "probe.h"

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

const struct word probe_kernel[] = {
	{ "adjust", 1, do_adjust },
	{ "bpf", 1, do_bpf },
	{ "bpf-get", 1, do_bpf_get },
	{ "bpf-map", 0, do_bpf_map },
	{ "bpf-program", 1, do_bpf_program },
	{ "clock", 1, do_clock },
	{ "domain", 1, do_domain },
	{ "filter", 0, do_filter },
	{ "kexec", 0, do_kexec },
	{ "kexec-file", 1, do_kexec_file },
	{ "module", 1, do_module },
	{ "module-remove", 1, do_module_remove },
	{ "perf", 2, do_perf },
	{ "userfaultfd", 0, do_userfaultfd },
	{ NULL, 0, NULL },
};
