/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stage: the service manager. In: what the daemon is about. Out: datagrams of sd_notify(3). May
 * touch: the socket that NOTIFY_SOCKET names.
 */
#include "daemon/notify.h"

#include <stdint.h>
#include <systemd/sd-daemon.h>
#include <time.h>

static uint64_t now_usec(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000u + (uint64_t)now.tv_nsec / 1000u;
}

void lictor_notify_ready(const char *status)
{
	sd_notifyf(0, "READY=1\nSTATUS=%s", status);
}

void lictor_notify_reloading(void)
{
	sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%llu\nSTATUS=Reading rules",
		   (unsigned long long)now_usec());
}

void lictor_notify_stopping(void)
{
	sd_notify(0, "STOPPING=1\nSTATUS=Draining");
}

void lictor_notify_status(const char *status)
{
	sd_notifyf(0, "STATUS=%s", status);
}

void lictor_notify_alive(void)
{
	static uint64_t last;
	uint64_t interval, now = now_usec();

	if (sd_watchdog_enabled(0, &interval) <= 0 || now - last < interval / 4)
		return;
	last = now;
	sd_notify(0, "WATCHDOG=1");
}
