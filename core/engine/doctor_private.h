/* What the files of the doctor share. */
#ifndef SR_ENGINE_DOCTOR_PRIVATE_H
#define SR_ENGINE_DOCTOR_PRIVATE_H

#include "core/engine/doctor.h"
#include "core/engine/protection.h"
#include "core/store/stores.h"

struct sr_doctor {
    struct sr_context *ctx;
    struct sr_doctor_result *result;
    int out_of_memory;
    uint64_t night, largest; /* bytes of the newest sets of all sources, and of the largest; 0 */
};

/* Adds a line; remedy may be NULL. */
void sr_doctor_add(struct sr_doctor *d, enum sr_doctor_level level, const char *what,
                   const char *remedy, const char *fmt, ...) __attribute__((format(printf, 5, 6)));

/* Plugins, settings of stores, the stores themselves, and what runs have left in them. */
void sr_doctor_stores(struct sr_doctor *d);

/* Retention's rules in each store, and whether what a night brings fits: disk, spool, parts. Fills
 * night and largest. */
void sr_doctor_backups(struct sr_doctor *d, const struct sr_stores *stores);

/* Where a secret key (or the passphrase) is here: whether it opens what is encrypted here. */
void sr_doctor_drill(struct sr_doctor *d, const struct sr_protection *p);

/* Signing keys; and, after the stores were listed, newest backups that are gone from them. */
void sr_doctor_signing(struct sr_doctor *d);
void sr_doctor_missed(struct sr_doctor *d);

/* Tells of a clock that is more than five minutes off this host's at `now`; both UTC seconds. */
void sr_doctor_clock(struct sr_doctor *d, const char *what, int64_t theirs, int64_t now);

#endif
