/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stage: start and stop of lictord. In: the command line. Out: an exit status. From here on the
 * privileged room is the engine alone; service, sinks and control make up the worker. May touch:
 * what those touch.
 */
#include <errno.h>
#include <getopt.h>
#include <grp.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "daemon/answer.h"
#include "daemon/enrich.h"
#include "daemon/exit.h"
#include "daemon/log.h"
#include "daemon/loop.h"
#include "daemon/notify.h"
#include "daemon/own.h"
#include "daemon/version.h"

#define CHECKS_MAX 32u
#define GROUP "lictor"

OWNABLE(struct lictor_diags, lictor_diags_free)
OWNABLE(struct lictor_draft, lictor_draft_free)

static const char usage[] =
	"lictord [--config FILE] [--rules DIR...] [--foreground] [--mode enforce|monitor]\n"
	"\n"
	"Watches and decides what processes do, by rules that the kernel carries out.\n"
	"\n"
	"  -c, --config FILE   lictor.conf(5) (" LICTOR_CONFIG_FILE ")\n"
	"  -r, --rules DIR...  directories or files of rules, instead of the configuration's\n"
	"  -m, --mode MODE     enforce or monitor, instead of the configuration's\n"
	"  -f, --foreground    messages on stderr, alerts on stdout\n"
	"  -h, --help\n"
	"      --version\n"
	"\n"
	"SIGHUP reads the rules again, SIGUSR1 rotates the log, SIGTERM stops.\n";

/* ---- command line ---- */

static int add_dir(struct lictor_options *options, const char *dir)
{
	const char **grown = realloc(options->dir, (options->dirs + 1) * sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	options->dir = grown;
	options->dir[options->dirs++] = dir;
	return 0;
}

static int set_mode(struct lictor_options *options, const char *word)
{
	if (!strcmp(word, "enforce"))
		options->mode = LICTOR_MODE_ENFORCE;
	else if (!strcmp(word, "monitor"))
		options->mode = LICTOR_MODE_MONITOR;
	else
		fprintf(stderr, "lictord: --mode %s: enforce or monitor is expected\n", word);
	return options->mode == LICTOR_MODE_DEFAULT ? -EINVAL : 0;
}

/* --rules takes all words up to the next option. Returns the exit status, or -1 to go on. */
static int parse_options(int argc, char **argv, struct lictor_options *options)
{
	static const struct option known[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "rules", required_argument, NULL, 'r' },
		{ "mode", required_argument, NULL, 'm' },
		{ "foreground", no_argument, NULL, 'f' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ 0 },
	};
	int option, error = 0;

	while (!error && (option = getopt_long(argc, argv, "+c:r:m:fh", known, NULL)) != -1) {
		switch (option) {
		case 'c':
			options->config_path = optarg;
			options->config_named = true;
			break;
		case 'r':
			error = add_dir(options, optarg);
			while (!error && optind < argc && argv[optind][0] != '-')
				error = add_dir(options, argv[optind++]);
			break;
		case 'm':
			error = set_mode(options, optarg);
			break;
		case 'f':
			options->foreground = true;
			break;
		case 'h':
			fputs(usage, stdout);
			return LICTOR_EXIT_OK;
		case 'V':
			puts("lictord " LICTOR_VERSION);
			return LICTOR_EXIT_OK;
		default:
			error = -EINVAL;
		}
	}
	if (!error && optind == argc)
		return -1;
	if (!error)
		fprintf(stderr, "lictord: %s: no arguments are expected\n", argv[optind]);
	fputs("lictord --help tells more\n", stderr);
	return LICTOR_EXIT_USAGE;
}

/* ---- start ---- */

static gid_t own_group(void)
{
	FILE *file OWN(own_fclose) = fopen("/etc/group", "re");
	struct group *group;

	while (file && (group = fgetgrent(file)))
		if (!strcmp(group->gr_name, GROUP))
			return group->gr_gid;
	return (gid_t)-1;
}

static int configure(struct lictor_daemon *lictord, struct lictor_diags *diags)
{
	const char *path = lictord->options.config_path;
	int error = lictor_daemon_configure(&lictord->options, diags, &lictord->config);

	if (diags->errors)
		lictor_say_diags(LOG_ERR, diags);
	else if (error)
		lictor_say(LOG_ERR, "%s: %s", path, strerror(-error));
	return error ? LICTOR_EXIT_RULES : LICTOR_EXIT_OK;
}

static int read_rules(struct lictor_daemon *lictord, struct lictor_diags *diags,
		      struct lictor_draft **ret_draft)
{
	int error = lictor_draft_read(&lictord->config, diags, ret_draft);

	if (diags->errors || diags->warnings)
		lictor_say_diags(error ? LOG_ERR : LOG_WARNING, diags);
	if (error && !diags->errors)
		lictor_say(LOG_ERR, "%s: %s", lictor_stage_text(LICTOR_STAGE_READ),
			   strerror(-error));
	return error ? LICTOR_EXIT_RULES : LICTOR_EXIT_OK;
}

static int open_control(struct lictor_daemon *lictord)
{
	const char *path = lictord->config.control;
	int error = lictor_clients_open(path, own_group(), lictor_daemon_answer, lictord,
					&lictord->clients);

	if (!error)
		return LICTOR_EXIT_OK;
	if (error == -EADDRINUSE)
		lictor_say(LOG_ERR, "%s: another lictord answers there", path);
	else
		lictor_say(LOG_ERR, "%s: %s", path, strerror(-error));
	return error == -EACCES || error == -EPERM ? LICTOR_EXIT_PERMISSION : LICTOR_EXIT_FINDINGS;
}

static void say_checks(void)
{
	struct lictor_host_check check[CHECKS_MAX];
	size_t checks = lictor_host_checks(check, CHECKS_MAX), i;

	for (i = 0; i < checks && i < CHECKS_MAX; i++)
		if (!check[i].good)
			lictor_say(LOG_ERR, "%s: %s", check[i].what, check[i].detail);
}

static int open_engine(struct lictor_daemon *lictord)
{
	int error = lictor_engine_open(lictor_say_text, lictord->config.way, &lictord->engine);

	if (!error)
		return LICTOR_EXIT_OK;
	say_checks();
	lictor_say(LOG_ERR, "loading the kernel side: %s", strerror(-error));
	return error == -EPERM || error == -EACCES ? LICTOR_EXIT_PERMISSION : LICTOR_EXIT_KERNEL;
}

static int open_worker(struct lictor_daemon *lictord, const struct lictor_draft *draft)
{
	struct lictor_sinks_options options = {
		.config = &lictord->config,
		.host = &lictord->host,
		.rules_digest = lictor_draft_digest(draft),
		.clients = lictord->clients,
		.foreground = lictord->options.foreground,
	};
	int error = lictor_sinks_open(&options, &lictord->sinks);

	if (!error)
		error = lictor_service_new(lictord->engine, lictord->sinks, lictord->config.hash,
					   &lictord->service);
	if (error)
		lictor_say(LOG_ERR, "starting the worker: %s", strerror(-error));
	return error ? LICTOR_EXIT_FINDINGS : LICTOR_EXIT_OK;
}

static int status_of(enum lictor_stage stage, int error)
{
	if (stage == LICTOR_STAGE_READ || stage == LICTOR_STAGE_COMPILE)
		return LICTOR_EXIT_RULES;
	return error == -EPERM || error == -EACCES ? LICTOR_EXIT_PERMISSION : LICTOR_EXIT_KERNEL;
}

static int install(struct lictor_daemon *lictord, struct lictor_draft *draft,
		   struct lictor_diags *diags)
{
	enum lictor_stage stage;
	int error;

	lictor_service_notice(lictord->service, LICTOR_NOTICE_START, "lictord " LICTOR_VERSION, 0,
			      NULL);
	error = lictor_daemon_install(lictord, draft, diags, &stage);
	if (!error)
		return LICTOR_EXIT_OK;
	lictor_service_notice(lictord->service, LICTOR_NOTICE_STOP, lictor_stage_text(stage), 0,
			      NULL);
	return status_of(stage, error);
}

/* Rules first: whoever has a mistake in them wants to hear of it without a kernel at hand. */
static int start(struct lictor_daemon *lictord)
{
	struct lictor_diags *config_diags OWN(own_lictor_diags_free) = lictor_diags_new();
	struct lictor_diags *diags OWN(own_lictor_diags_free) = lictor_diags_new();
	struct lictor_draft *draft OWN(own_lictor_draft_free) = NULL;
	int status;

	if (!config_diags || !diags)
		return LICTOR_EXIT_FINDINGS;
	status = configure(lictord, config_diags);
	if (!status)
		status = read_rules(lictord, diags, &draft);
	if (!status)
		status = open_control(lictord);
	if (!status)
		status = open_engine(lictord);
	if (!status)
		status = open_worker(lictord, draft);
	if (!status)
		status = install(lictord, draft, diags);
	return status;
}

/* ---- between start and stop ---- */

static int serve(struct lictor_daemon *lictord, int signals)
{
	struct lictor_counter counter = { "signal", 0 };
	char text[160];
	int error;

	lictor_daemon_summary(lictord, text, sizeof(text));
	lictor_notify_ready(text);
	error = lictor_loop_run(lictord, signals);
	lictor_notify_stopping();
	if (error)
		lictor_say(LOG_CRIT, "waiting for events: %s", strerror(-error));
	lictor_service_finish(lictord->service);
	counter.value = (uint64_t)lictord->stop_signal;
	lictor_service_notice(lictord->service, LICTOR_NOTICE_STOP, error ? strerror(-error) : NULL,
			      1, &counter);
	return error ? LICTOR_EXIT_FINDINGS : LICTOR_EXIT_OK;
}

static void stop(struct lictor_daemon *lictord)
{
	if (lictord->service)
		lictor_service_free(lictord->service);
	if (lictord->sinks)
		lictor_sinks_close(lictord->sinks);
	if (lictord->clients)
		lictor_clients_close(lictord->clients);
	if (lictord->engine)
		lictor_engine_close(lictord->engine);
	lictor_config_done(&lictord->config);
	free(lictord->options.dir);
}

int main(int argc, char **argv)
{
	struct lictor_daemon lictord OWN(stop) = { .options.config_path = LICTOR_CONFIG_FILE };
	int status = parse_options(argc, argv, &lictord.options), error;
	int signals OWN(own_close) = -1;
	struct timespec now;

	if (status >= 0)
		return status;
	lictor_log_start(lictord.options.foreground);
	error = lictor_loop_signals(&signals);
	if (error) {
		lictor_say(LOG_ERR, "taking signals: %s", strerror(-error));
		return LICTOR_EXIT_FINDINGS;
	}
	clock_gettime(CLOCK_BOOTTIME, &now);
	lictord.started = (uint64_t)now.tv_sec;
	lictor_host_read(LICTOR_VERSION, &lictord.host);
	status = start(&lictord);
	return status ? status : serve(&lictord, signals);
}
