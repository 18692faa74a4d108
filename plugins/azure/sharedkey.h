/* The signature of a request with an account's key: a pure function of request, account, key and
 * time ("Authorize with Shared Key" of Azure's REST reference, blobs, version 2015-02-21 and
 * later).
 *
 *     azure_sharedkey_sign(&request, "account", key, key_len, now, &err)
 *
 * Sets x-ms-date and Authorization; everything else that is signed (x-ms-version above all) is in
 * the request before. A range is sent as x-ms-range, which is signed with the others of its kind.
 * Names of headers are letters, digits and '-', for which the order that the service sorts by is
 * that of ASCII. Any thread. */
#ifndef AZURE_SHAREDKEY_H
#define AZURE_SHAREDKEY_H

#include "common/request.h"

#include <stdint.h>

/* What is signed; appended to out. Nothing of it may be logged: its query may hold secrets. */
int32_t azure_sharedkey_text(const struct sc_request *r, const char *account, struct sc_buf *out,
                             struct sc_error *err);
/* key: the bytes, no longer in base64. E_CORRUPT when the query is not encoded. */
int32_t azure_sharedkey_sign(struct sc_request *r, const char *account, const void *key,
                             size_t key_len, int64_t now, struct sc_error *err);

#endif
