/* What the files of the doctor share; nobody else includes it.
 *
 *     doctor.c              the order of things; protection, the folder
 *     doctor_database.c     databases, their server, PostgreSQL's programs
 *     doctor_drill.c        whether what is encrypted here is opened here
 *     doctor_stores.c       plugins, settings, rights, what settings demand of stores
 *     doctor_backups.c      what a night brings, whether it fits, retention's rules
 *     doctor_leftovers.c    what dead runs left, and who is alive
 *     doctor_signing.c      keys to sign and to check with, and what was missed
 */
#ifndef SR_ENGINE_DOCTOR_PRIVATE_H
#define SR_ENGINE_DOCTOR_PRIVATE_H

#include "core/catalog/names.h"
#include "core/engine/doctor.h"
#include "core/engine/protection.h"
#include "core/store/stores.h"

struct sr_doctor {
    struct sr_context *ctx;
    struct sr_doctor_result *result;
    int out_of_memory;
    const char *encryption;              /* as a manifest says it; NULL: not known */
    struct sr_compress_options compress; /* of tonight's backup */
    char source[SR_SOURCE_MAX];          /* "": not known */
    uint64_t on_server;                  /* bytes that the databases take there */
    uint64_t estimate, estimate_largest; /* bytes of their dumps as stored, and of the largest */
    /* Bytes of the newest sets of all sources, and of the largest; of a source that has none yet
     * the estimate instead. 0: nothing is known. */
    uint64_t night, largest;
    int estimated;
};

/* Adds a line; remedy may be NULL. */
void sr_doctor_add(struct sr_doctor *d, enum sr_doctor_level level, const char *what,
                   const char *remedy, const char *fmt, ...) __attribute__((format(printf, 5, 6)));

/* Databases, server and programs; fills source, on_server and the estimates. */
void sr_doctor_databases(struct sr_doctor *d);

/* Runs that are alive on this host, by the locks that they hold below state. */
void sr_doctor_locks(struct sr_doctor *d, const char *state);

/* What runs that were cut off left, here and in the stores, by place and kind. */
void sr_doctor_leftovers(struct sr_doctor *d, const struct sr_stores *stores);

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
