/* SPDX-License-Identifier: Apache-2.0 */
/* The version, once. */
#ifndef LICTOR_VERSION_H
#define LICTOR_VERSION_H

#define LICTOR_VERSION "0.1.0"

#endif
