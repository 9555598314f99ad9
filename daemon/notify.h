/* SPDX-License-Identifier: Apache-2.0 */
/* What systemd is told. Without systemd, nothing happens. */
#ifndef LICTOR_NOTIFY_H
#define LICTOR_NOTIFY_H

void lictor_notify_ready(const char *status);
void lictor_notify_reloading(void);
void lictor_notify_stopping(void);
void lictor_notify_status(const char *status);
/* To be called only after the rings were drained. Keeps to half the interval that was asked for. */
void lictor_notify_alive(void);

#endif
