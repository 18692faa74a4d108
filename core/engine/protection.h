/* How a run's bytes are compressed and protected, from the settings, checked before anything
 * starts.
 *
 *     sr_protection_from_config(cfg, now, &p, &err);
 *     ... p.compress, p.recipients or p.passphrase go into the pipeline ...
 *     sr_protection_done(&p);
 */
#ifndef SR_ENGINE_PROTECTION_H
#define SR_ENGINE_PROTECTION_H

#include "core/config/config.h"
#include "core/pipeline/keys.h"
#include "core/pipeline/step.h"

struct sr_protection {
    struct sr_compress_options compress;
    const char *compression;          /* "gzip", "zstd", "none": as the manifest says it */
    const char *extension;            /* "gz", "zst", "" */
    const char *encryption;           /* "none", "gpg-public", "gpg-symmetric" */
    struct sr_recipients *recipients; /* one of the two, or neither */
    struct sr_passphrase *passphrase;
};

/* SR_E_CONFIG: settings that contradict each other; SR_E_KEY: a recipient that cannot be used at
 * `now` (UTC seconds). */
int sr_protection_from_config(const struct sr_config *cfg, int64_t now, struct sr_protection *ret,
                              struct sr_error *err);
/* For reading: the passphrase where one is set, else NULL in *ret. */
int sr_passphrase_from_config(const struct sr_config *cfg, struct sr_passphrase **ret,
                              struct sr_error *err);
static inline int sr_protection_encrypts(const struct sr_protection *p)
{
    return p->recipients || p->passphrase;
}
/* Bytes that one dump of a database is likely to take as it is stored: an estimate for when no
 * earlier backup tells, from the bytes that the database takes on its server. */
uint64_t sr_protection_estimate(const struct sr_protection *p, uint64_t database_size);
void sr_protection_done(struct sr_protection *p);

#endif
