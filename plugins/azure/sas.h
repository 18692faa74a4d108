/* Shared access signatures: a query that somebody with a key has signed (pure). They are appended
 * to requests as they stand, never taken apart and put together again.
 *
 *     azure_sas_check(text, now, &expires, &err)      before each use of a fresh one */
#ifndef AZURE_SAS_H
#define AZURE_SAS_H

#include "common/error.h"

#include <stdint.h>

#define AZURE_SAS_MAX 8192

/* *ret_expires: its end (se), UTC seconds; 0 when it names none (it belongs to a stored policy).
 * E_CONFIG for what is no such signature; E_DENIED for one that has ended. */
int32_t azure_sas_check(const char *text, int64_t now, int64_t *ret_expires, struct sc_error *err);

#endif
