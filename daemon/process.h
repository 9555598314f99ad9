/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One process, told from a later one of the same number. Its directory in /proc, once opened, stays
 * with the process that it was opened of: it never becomes the directory of another. When that
 * process began says whether it is the one that a record is about.
 */
#ifndef LICTOR_PROCESS_H
#define LICTOR_PROCESS_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Opens the directory of the process that has this number now. proc: a descriptor of /proc, or of a
 * directory made like it. ret_dir: for openat(2) of the process's files, and what
 * pidfd_send_signal(2) takes for a process; the caller closes it. Returns 0, or, with ret_dir
 * untouched: -EINVAL, no process has such a number; -ESRCH, none has it now; or what else openat(2)
 * said, such as -EBADF for proc.
 */
int lictor_process_open(int proc, uint32_t pid, int *ret_dir);

/*
 * Whether the process of this directory began then. start_ns: nanoseconds since boot, as in a
 * record. /proc counts in clock ticks (10 ms mostly): a tick more or less is taken for the same.
 * False as well if the process has gone, or its start cannot be read. dir stays the caller's.
 */
bool lictor_process_began(int dir, uint64_t start_ns);

#endif
