/* SPDX-License-Identifier: Apache-2.0 */
/* The daemon between start and stop. */
#ifndef LICTOR_LOOP_H
#define LICTOR_LOOP_H

#include <signal.h>

#include "daemon/config.h"
#include "daemon/control.h"
#include "daemon/reload.h"
#include "daemon/service.h"

/* What the command line says; it goes before the configuration, at each reload too. */
struct lictor_options {
	const char *config_path;
	bool config_named;
	size_t dirs;
	const char **dir;
	enum lictor_mode mode;	/* DEFAULT: not said */
	bool foreground;
};

struct lictor_daemon {
	struct lictor_options options;
	struct lictor_config config;
	struct lictor_host host;
	struct lictor_engine *engine;	/* the privileged room: everything else is the worker's */
	struct lictor_service *service;
	struct lictor_clients *clients;
	struct lictor_sinks *sinks;
	uint64_t started;	/* CLOCK_BOOTTIME seconds */
	uint64_t reloads;
	uint64_t rejected;
	int stop_signal;
};

/* Defaults, the file, the command line. -EINVAL: see diags; -ENOENT: the file that was named. */
int lictor_daemon_configure(const struct lictor_options *options, struct lictor_diags *diags,
			    struct lictor_config *ret_config);
/* Compiles and installs the draft and tells of it. On failure, says why. */
int lictor_daemon_install(struct lictor_daemon *lictord, struct lictor_draft *draft,
			  struct lictor_diags *diags, enum lictor_stage *ret_stage);
/* Rules anew. On failure those in force stay; what is wrong with them is in diags too. */
int lictor_daemon_reload(struct lictor_daemon *lictord, struct lictor_diags *diags,
			 const char **ret_what);
int lictor_daemon_rotate(struct lictor_daemon *lictord);
/* "enforce, 12 rules in force, generation 3" */
void lictor_daemon_summary(const struct lictor_daemon *lictord, char *text, size_t room);
/* Blocks the signals that the loop takes. */
int lictor_loop_signals(int *ret_fd);
/* Until SIGTERM or SIGINT. */
int lictor_loop_run(struct lictor_daemon *lictord, int signals);

#endif
