/* SPDX-License-Identifier: Apache-2.0 */
/* lictor.conf(5). */
#ifndef LICTOR_CONFIG_H
#define LICTOR_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rules/rules.h"

#define LICTOR_CONFIG_FILE "/etc/lictor/lictor.conf"
#define LICTOR_CONTROL_PATH "/run/lictor/control.sock"
#define LICTOR_CONFIG_MAX 65536u	/* bytes of a file */

struct lictor_config {
	enum lictor_mode mode;	/* ENFORCE or MONITOR */
	size_t dirs;
	char **dir;		/* of rules */
	char *log_path;		/* NULL: no JSON log */
	char *log_group;	/* NULL: leave it */
	uint64_t rotate_bytes;
	uint64_t rotate_seconds;
	unsigned keep;
	bool journal;
	bool hash;		/* records have the hashes of programs */
	char *control;
	bool degrade;		/* on-unsupported */
	enum lictor_via way;	/* to the kernel's hooks; LICTOR_VIAS: the best there is */
	bool preexisting;	/* kill rules kill what was there before them, too */
	unsigned heartbeat;	/* seconds */
};

/* The defaults, those of a file that says nothing. */
int lictor_config_init(struct lictor_config *ret_config);
void lictor_config_done(struct lictor_config *config);
/*
 * What the text says, put over what config holds: each later file says what differs. Returns 0, or
 * -EINVAL with errors in diags, or -ENOMEM; config may then hold a part of it.
 */
int lictor_config_read_text(const char *name, const char *text, size_t length,
			    struct lictor_diags *diags, struct lictor_config *config);
/* The same for a file; -ENOENT, without a diagnostic, where there is none. */
int lictor_config_read(const char *path, struct lictor_diags *diags,
		       struct lictor_config *config);
int lictor_config_dirs(struct lictor_config *config, size_t dirs, const char *const *dir);

#endif
