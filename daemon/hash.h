/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SHA-256 of files that records are about, beside the daemon's main thread: that asks, goes on, and
 * finds the answer later. An answer belongs to a file and the moment that it changed last, and
 * is kept for as long as there is room.
 */
#ifndef LICTOR_HASHES_H
#define LICTOR_HASHES_H

#include <stdbool.h>

#include "bpf/abi.h"
#include "rules/sha256.h"

#define LICTOR_HASH_FILE_MAX (256ull << 20)	/* bytes of a file; larger ones are not read */
#define LICTOR_HASH_QUEUE 64u			/* files that wait */
#define LICTOR_HASH_KEPT 1024u			/* answers */

struct lictor_hashes;

enum lictor_hash_state {
	LICTOR_HASH_NEW,	/* nobody has asked */
	LICTOR_HASH_WAITING,
	LICTOR_HASH_KNOWN,
	LICTOR_HASH_NONE,	/* cannot be had: changed since, too large, not readable */
};

int lictor_hashes_new(struct lictor_hashes **ret_hashes);
/* Waits a second for a file that is being read; else its thread and memory end with the process. */
void lictor_hashes_free(struct lictor_hashes *hashes);
/* ret_text: written if KNOWN. inode: with the time of its change. */
enum lictor_hash_state lictor_hashes_find(struct lictor_hashes *hashes,
					  const struct lictor_inode *inode,
					  char ret_text[static LICTOR_SHA256_TEXT]);
/* Is there no room for one more to wait? */
bool lictor_hashes_full(struct lictor_hashes *hashes);
/*
 * fd: of the file, O_PATH will do; taken, and closed when it has been read. Negative: it is not to
 * be read, which is the answer.
 */
void lictor_hashes_ask(struct lictor_hashes *hashes, const struct lictor_inode *inode, int fd);

#endif
