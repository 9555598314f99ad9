/* SPDX-License-Identifier: Apache-2.0 */
/* What the exit status of lictord and lictor says. */
#ifndef LICTOR_EXIT_H
#define LICTOR_EXIT_H

enum lictor_exit {
	LICTOR_EXIT_OK,
	LICTOR_EXIT_FINDINGS,	/* warnings, or a failure that has no number of its own */
	LICTOR_EXIT_USAGE,
	LICTOR_EXIT_NOT_RUNNING,
	LICTOR_EXIT_PERMISSION,
	LICTOR_EXIT_RULES,	/* rules or configuration are wrong */
	LICTOR_EXIT_KERNEL,	/* this kernel cannot */
};

#endif
