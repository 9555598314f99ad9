/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stage: the daemon's main thread. In: signals, ring wake-ups, clients, the clock. Out: calls to
 * whoever they are for; each returns without having waited. May touch: signals, epoll.
 */
#include "daemon/loop.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <time.h>

#include "daemon/log.h"
#include "daemon/notify.h"
#include "daemon/own.h"

#define DRAIN_MS 100	/* records of the reports ring wake nobody */
#define TICK_MS 1000
#define CANARY_MS 500

enum source { SIGNALS, RINGS, CLIENTS, MOUNTS, SOURCES };

struct loop {
	struct lictor_daemon *lictord;
	int epoll;
	int signals;
	int mounts;	/* /proc/self/mountinfo: ready when the table has changed */
	uint64_t drained;	/* ms */
	uint64_t ticked;
	uint64_t beaten;
	uint64_t asked;	/* the canary */
	int drain_error;
	bool more;	/* in the rings */
	bool unsettled;	/* mounts too young for the table of mounts to be the last word */
};

OWNABLE(struct lictor_diags, lictor_diags_free)

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000u + (uint64_t)now.tv_nsec / 1000000u;
}

int lictor_loop_signals(int *ret_fd)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGUSR1);
	signal(SIGPIPE, SIG_IGN);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return -errno;
	*ret_fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	return *ret_fd < 0 ? -errno : 0;
}

static void drain(struct loop *loop)
{
	int error = lictor_service_drain(loop->lictord->service);

	loop->more = error > 0;
	error = error < 0 ? error : 0;
	if (error && error != loop->drain_error)
		lictor_say(LOG_ERR, "draining the rings: %s", strerror(-error));
	loop->drain_error = error;
	loop->drained = now_ms();
}

static void reload(struct loop *loop)
{
	struct lictor_diags *diags OWN(own_lictor_diags_free) = lictor_diags_new();
	const char *what;

	if (diags)
		lictor_daemon_reload(loop->lictord, diags, &what);
	else
		lictor_say(LOG_ERR, "reading the rules: %s", strerror(ENOMEM));
}

static void take_signals(struct loop *loop)
{
	struct signalfd_siginfo info;

	while (read(loop->signals, &info, sizeof(info)) == sizeof(info)) {
		switch (info.ssi_signo) {
		case SIGHUP:
			reload(loop);
			break;
		case SIGUSR1:
			lictor_daemon_rotate(loop->lictord);
			break;
		default:
			lictor_say(LOG_NOTICE, "stopping: %s from process %u, user %u",
				   strsignal((int)info.ssi_signo), info.ssi_pid, info.ssi_uid);
			loop->lictord->stop_signal = (int)info.ssi_signo;
		}
	}
}

static void tell_systemd(const struct lictor_daemon *lictord)
{
	char text[160];

	lictor_daemon_summary(lictord, text, sizeof(text));
	lictor_notify_status(text);
}

static void follow_mounts(struct loop *loop)
{
	int left = lictor_engine_follow_mounts(loop->lictord->engine);

	loop->unsettled = left > 0;
	if (left < 0)
		lictor_say(LOG_WARNING, "looking up what has been mounted: %s", strerror(-left));
}

static void tick(struct loop *loop)
{
	struct lictor_daemon *lictord = loop->lictord;

	loop->ticked = now_ms();
	if (loop->unsettled)
		follow_mounts(loop);
	lictor_service_tick(lictord->service, time(NULL));
	lictor_clients_tick(lictord->clients);
	if (!loop->drain_error)
		lictor_notify_alive();
	if (loop->ticked - loop->beaten < lictord->config.heartbeat * 1000ull)
		return;
	loop->beaten = loop->ticked;
	lictor_service_heartbeat(lictord->service);
	tell_systemd(lictord);
}

static int poll_for(const struct loop *loop, enum source source, int fd)
{
	struct epoll_event event = { .events = EPOLLIN, .data.u32 = source };

	return epoll_ctl(loop->epoll, EPOLL_CTL_ADD, fd, &event) < 0 ? -errno : 0;
}

/* A table of mounts says EPOLLPRI once for every change; what it holds is read elsewhere. */
static int poll_for_mounts(struct loop *loop)
{
	struct epoll_event event = { .events = EPOLLPRI | EPOLLET, .data.u32 = MOUNTS };

	loop->mounts = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);
	if (loop->mounts < 0)
		return -errno;
	return epoll_ctl(loop->epoll, EPOLL_CTL_ADD, loop->mounts, &event) < 0 ? -errno : 0;
}

static int begin(struct loop *loop)
{
	int error;

	loop->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (loop->epoll < 0)
		return -errno;
	error = poll_for(loop, SIGNALS, loop->signals);
	if (!error)
		error = poll_for(loop, RINGS, lictor_engine_fd(loop->lictord->engine));
	if (!error)
		error = poll_for(loop, CLIENTS, lictor_clients_fd(loop->lictord->clients));
	if (!error)
		error = poll_for_mounts(loop);
	loop->drained = loop->ticked = loop->beaten = now_ms();
	return error;
}

/* The rings first, whatever else there is to do. */
static int turn(struct loop *loop)
{
	struct epoll_event event[SOURCES];
	bool ready[SOURCES] = { false };
	int count = epoll_wait(loop->epoll, event, SOURCES, loop->more ? 0 : DRAIN_MS), i;

	if (count < 0)
		return errno == EINTR ? 0 : -errno;
	for (i = 0; i < count; i++)
		ready[event[i].data.u32] = true;
	if (ready[RINGS] || loop->more || now_ms() - loop->drained >= DRAIN_MS)
		drain(loop);
	if (ready[SIGNALS])
		take_signals(loop);
	if (ready[MOUNTS])
		follow_mounts(loop);
	if (ready[CLIENTS])
		lictor_clients_run(loop->lictord->clients);
	if (now_ms() - loop->asked >= CANARY_MS) {
		loop->asked = now_ms();
		lictor_service_canary(loop->lictord->service);
	}
	if (now_ms() - loop->ticked >= TICK_MS)
		tick(loop);
	return 0;
}

int lictor_loop_run(struct lictor_daemon *lictord, int signals)
{
	struct loop loop = { .lictord = lictord, .signals = signals, .epoll = -1, .mounts = -1 };
	int error = begin(&loop);

	while (!error && !lictord->stop_signal)
		error = turn(&loop);
	if (loop.mounts >= 0)
		close(loop.mounts);
	if (loop.epoll >= 0)
		close(loop.epoll);
	return error;
}
