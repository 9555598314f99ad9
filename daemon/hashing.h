/* SPDX-License-Identifier: Apache-2.0 */
/* The hashes of an alert: of the program that acts, and of what is executed. */
#ifndef LICTOR_HASHING_H
#define LICTOR_HASHING_H

#include "daemon/engine.h"
#include "output/alert.h"

struct lictor_hashing;

int lictor_hashing_new(struct lictor_engine *engine, struct lictor_hashing **ret_hashing);
void lictor_hashing_free(struct lictor_hashing *hashing);
/*
 * Puts what is known into the alert, as texts that are good until the next call. True: more of it
 * is being found out, and will be there when this is called again.
 */
bool lictor_hashing_alert(struct lictor_hashing *hashing, struct lictor_alert *alert);

#endif
