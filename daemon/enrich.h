/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What only user space knows of an alert: names of users and groups (no NSS over the network: the
 * passwd and group files, read when they change).
 */
#ifndef LICTOR_ENRICH_H
#define LICTOR_ENRICH_H

#include "output/alert.h"

struct lictor_enrich;

int lictor_enrich_new(struct lictor_enrich **ret_enrich);
/* The same under another root directory than "/", for tests: ROOT/etc/passwd ... */
int lictor_enrich_new_at(const char *root, struct lictor_enrich **ret_enrich);
void lictor_enrich_free(struct lictor_enrich *enrich);
/* The texts it puts into the alert live until the next call. */
void lictor_enrich_alert(struct lictor_enrich *enrich, struct lictor_alert *alert);
void lictor_host_read(const char *version, struct lictor_host *ret_host);

#endif
