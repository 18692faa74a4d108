/* The checksums that go with a body, made while its bytes come in.
 *
 *     struct azure_summing *m;
 *     azure_summing_new(s, &m, &err)                 knows from the settings which ones are needed
 *     azure_summing_add(m, data, len) ...            each piece once, in order
 *     azure_summing_end(m, &sums, &err)              of all since the last end
 *     azure_summing_whole(m, text, &err)             MD5 of everything, in base64; once, at the end
 *     azure_summing_free(m)
 *
 * Azure's CRC64 is that of NVMe, in base64 with the least significant byte first. The store checks
 * the one sum that goes with a body and keeps none of them; the whole object's MD5 it keeps and
 * does not check. */
#ifndef AZURE_SUMS_H
#define AZURE_SUMS_H

#include "azure/azure.h"

struct azure_summing;

/* Never AZURE_SUM_AUTO. */
enum azure_sum azure_sum_kind(const struct azure *s);
/* The header that carries that kind; NULL for none. */
const char *azure_sum_header(enum azure_sum kind);

int32_t azure_summing_new(const struct azure *s, struct azure_summing **ret, struct sc_error *err);
void azure_summing_add(struct azure_summing *m, const void *data, size_t len);
int32_t azure_summing_end(struct azure_summing *m, struct azure_sums *ret, struct sc_error *err);
void azure_summing_free(struct azure_summing *m);

/* The value for a header: base64 of the checksum of that kind, "" for none. */
#define AZURE_SUM_TEXT_SIZE 32
void azure_sum_text(const struct azure_sums *sums, enum azure_sum kind,
                    char out[AZURE_SUM_TEXT_SIZE]);
/* "" when it is not to be recorded. */
int32_t azure_summing_whole(struct azure_summing *m, char out[AZURE_SUM_TEXT_SIZE],
                            struct sc_error *err);
/* Nonzero when the answer states a sum of the kind that was sent, and it is another one. */
int azure_sums_differ(const struct sc_response *answer, const struct azure_sums *ours,
                      enum azure_sum kind);
/* What the answer states about the object it stored: fills ret's checksum. E_CORRUPT when it
 * differs from ours. */
int32_t azure_sums_confirm(const struct sc_response *answer, const struct azure_sums *ours,
                           enum azure_sum kind, struct sr_storage_saved *ret, struct sc_error *err);

#endif
