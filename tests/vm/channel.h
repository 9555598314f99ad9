/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the test machine's guest.c and host.c say to each other over one virtio-serial port:
 * frames from the guest, single bytes from the host. Both run on the same processor, so numbers
 * go as they are.
 */
#ifndef LICTOR_TESTS_VM_CHANNEL_H
#define LICTOR_TESTS_VM_CHANNEL_H

#include <stdint.h>

enum frame_kind {
	FRAME_STDOUT,	/* bytes of the command's standard output */
	FRAME_STDERR,	/* and of its standard error */
	FRAME_LOG,	/* bytes of lictord's two outputs */
	FRAME_STATUS,	/* bytes of what `lictor status -o json` printed */
	FRAME_ALERTS,	/* bytes of alerts.json; an empty file is one empty frame */
	FRAME_END,	/* int32_t exit status, then why the machine failed, if it did; the last */
};

struct frame {
	uint32_t kind;
	uint32_t length;	/* of what follows, at most FRAME_MAX */
};

#define FRAME_MAX 65536

/* From the host: the time is up, end the command and report; or: the end was read, power off. */
#define SAY_TIMEOUT 'T'
#define SAY_GOODBYE 'G'

/* Exit statuses that are not the command's. */
#define EXIT_TIMEOUT 124
#define EXIT_MACHINE 125

#endif
