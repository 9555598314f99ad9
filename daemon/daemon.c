/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stage: what the daemon does when it is told to, by main, by a signal or by a client: configure,
 * install, reload, rotate. In: files. Out: another generation in force, or none, and in both cases
 * a word about it. May touch: what reload touches.
 */
#include "daemon/loop.h"

#include <errno.h>
#include <string.h>

#include "daemon/log.h"
#include "daemon/notify.h"
#include "daemon/own.h"

struct owned_config {
	struct lictor_config config;
};

static void own_config_done(struct owned_config *owned)
{
	lictor_config_done(&owned->config);
}

OWNABLE(struct lictor_draft, lictor_draft_free)

int lictor_daemon_configure(const struct lictor_options *options, struct lictor_diags *diags,
			    struct lictor_config *ret_config)
{
	struct owned_config owned OWN(own_config_done) = { 0 };
	int error = lictor_config_init(&owned.config);

	if (!error)
		error = lictor_config_read(options->config_path, diags, &owned.config);
	if (error == -ENOENT && !options->config_named)
		error = 0;
	if (!error && options->dirs)
		error = lictor_config_dirs(&owned.config, options->dirs, options->dir);
	if (error)
		return error;
	if (options->mode != LICTOR_MODE_DEFAULT)
		owned.config.mode = options->mode;
	*ret_config = owned.config;
	owned.config = (struct lictor_config){ 0 };
	return 0;
}

void lictor_daemon_summary(const struct lictor_daemon *lictord, char *text, size_t room)
{
	const struct lictor_ruleset *set = lictor_service_rules(lictord->service);

	if (!set) {
		snprintf(text, room, "no rules in force");
		return;
	}
	snprintf(text, room, "%s, %zu of %zu rules in force, %zu degraded, generation %llu",
		 set->monitor ? "monitor" : "enforce", set->in_force, set->entries, set->degraded,
		 (unsigned long long)set->generation);
}

/* ---- install ---- */

static void breathe(void *context)
{
	struct lictor_daemon *lictord = context;

	lictor_service_drain(lictord->service);
}

static void tell_degraded(void *context, const struct lictor_shortfall *fall, const char *text)
{
	struct lictor_daemon *lictord = context;
	char *detail OWN(own_free) = NULL;

	if (asprintf(&detail, "rule %s: %s", fall->name, text) < 0)
		detail = NULL;
	lictor_service_notice(lictord->service, LICTOR_NOTICE_DEGRADED,
			      detail ? detail : fall->name, 0, NULL);
}

/* Of all of them, where diags keeps only the first. */
static void say_refused(void *context, const struct lictor_shortfall *fall, const char *text)
{
	const struct lictor_diags *diags = context;

	lictor_say(LOG_ERR, "%s:%u:%u: rule %s: %s",
		   fall->place.file < diags->sources ? diags->source[fall->place.file].name : "?",
		   fall->place.line, fall->place.column, fall->name, text);
}

static void tell_loaded(struct lictor_daemon *lictord)
{
	const struct lictor_ruleset *set = lictor_service_rules(lictord->service);
	struct lictor_counter counter[] = {
		{ "rules", set->in_force },
		{ "degraded", set->degraded },
		{ "generation", set->generation },
	};
	char text[160];

	lictor_daemon_summary(lictord, text, sizeof(text));
	lictor_service_notice(lictord->service, LICTOR_NOTICE_RULES_LOADED, text, 3, counter);
}

static void say_failed(const struct lictor_draft *draft, struct lictor_diags *diags,
		       enum lictor_stage stage, int error)
{
	if (error == -EOPNOTSUPP && stage == LICTOR_STAGE_SUPPORT) {
		lictor_draft_shortfalls(draft, true, say_refused, diags);
		lictor_say(LOG_ERR, "refused: this kernel cannot carry out these rules; "
				    "\"on-unsupported: degrade\" runs them with what it can");
		return;
	}
	if (diags->errors)
		lictor_say_diags(LOG_ERR, diags);
	lictor_say(LOG_ERR, "%s: %s", lictor_stage_text(stage), strerror(-error));
}

int lictor_daemon_install(struct lictor_daemon *lictord, struct lictor_draft *draft,
			  struct lictor_diags *diags, enum lictor_stage *ret_stage)
{
	struct lictor_ruleset *set = NULL;
	int error;

	lictor_service_preexisting(lictord->service, lictord->config.preexisting);
	error = lictor_draft_compile(draft, lictord->engine,
				     lictor_service_rules(lictord->service), breathe, lictord,
				     ret_stage);
	if (!error) {
		*ret_stage = LICTOR_STAGE_INSTALL;
		lictor_service_retire(lictord->service);
		error = lictor_draft_install(draft, lictord->engine, &set);
	}
	if (error) {
		say_failed(draft, diags, *ret_stage, error);
		return error;
	}
	lictor_service_adopt(lictord->service, set);
	lictor_draft_shortfalls(draft, false, tell_degraded, lictord);
	tell_loaded(lictord);
	return 0;
}

/* ---- reload ---- */

static void tell_rejected(struct lictor_daemon *lictord, const struct lictor_diags *diags,
			  const char *what, int error)
{
	struct lictor_counter counter = { "errors", diags->errors };
	const struct lictor_diag *diag = diags->diag, *end = diag + diags->count;
	char *detail OWN(own_free) = NULL;
	uint32_t index;

	while (diag < end && diag->kind != LICTOR_DIAG_ERROR)
		diag++;
	if (diag < end) {
		index = diag->place.file;
		if (asprintf(&detail, "%s:%u:%u: %s",
			     index < diags->sources ? diags->source[index].name : "?",
			     diag->place.line, diag->place.column,
			     diag->text ? diag->text : what) < 0)
			detail = NULL;
	} else if (asprintf(&detail, "%s: %s", what, strerror(-error)) < 0) {
		detail = NULL;
	}
	lictord->rejected++;
	lictor_service_notice(lictord->service, LICTOR_NOTICE_RULES_REJECTED, detail, 1, &counter);
	lictor_say(LOG_ERR, "the rules were refused; those in force stay");
}

static bool differ(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) != 0 : a != b;
}

/* What is bound to sockets and files that are open stays until the next start. */
static void take_config(struct lictor_daemon *lictord, struct lictor_config *config)
{
	const struct lictor_config *old = &lictord->config;

	if (differ(old->log_path, config->log_path) || differ(old->log_group, config->log_group) ||
	    differ(old->control, config->control) || old->journal != config->journal ||
	    old->hash != config->hash || old->way != config->way ||
	    old->rotate_bytes != config->rotate_bytes ||
	    old->rotate_seconds != config->rotate_seconds || old->keep != config->keep)
		lictor_say(LOG_WARNING, "%s: what it says of log, journal, hash, control and way holds "
					"from the next start on", lictord->options.config_path);
	lictor_config_done(&lictord->config);
	lictord->config = *config;
	*config = (struct lictor_config){ 0 };
}

static int try_reload(struct lictor_daemon *lictord, struct lictor_diags *diags,
		      const char **ret_what)
{
	struct lictor_draft *draft OWN(own_lictor_draft_free) = NULL;
	struct owned_config owned OWN(own_config_done) = { 0 };
	enum lictor_stage stage = LICTOR_STAGE_READ;
	int error;

	*ret_what = lictord->options.config_path;
	error = lictor_daemon_configure(&lictord->options, diags, &owned.config);
	if (!error) {
		*ret_what = lictor_stage_text(stage);
		error = lictor_draft_read(&owned.config, diags, &draft);
	}
	if (error) {
		lictor_say_diags(LOG_ERR, diags);
		if (!diags->errors)
			lictor_say(LOG_ERR, "%s: %s", *ret_what, strerror(-error));
		return error;
	}
	if (diags->warnings)
		lictor_say_diags(LOG_WARNING, diags);
	lictor_service_drain(lictord->service);
	error = lictor_daemon_install(lictord, draft, diags, &stage);
	*ret_what = lictor_stage_text(stage);
	if (!error)
		take_config(lictord, &owned.config);
	return error;
}

int lictor_daemon_reload(struct lictor_daemon *lictord, struct lictor_diags *diags,
			 const char **ret_what)
{
	char text[160];
	int error;

	lictor_notify_reloading();
	lictord->reloads++;
	error = try_reload(lictord, diags, ret_what);
	if (error)
		tell_rejected(lictord, diags, *ret_what, error);
	lictor_daemon_summary(lictord, text, sizeof(text));
	lictor_notify_ready(text);
	return error;
}

int lictor_daemon_rotate(struct lictor_daemon *lictord)
{
	int error = lictor_sinks_rotate(lictord->sinks);

	if (!error)
		lictor_service_notice(lictord->service, LICTOR_NOTICE_ROTATED, NULL, 0, NULL);
	else
		lictor_say(LOG_ERR, "rotating the log: %s", strerror(-error));
	return error;
}
