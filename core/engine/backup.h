/* One run: everything from the check of the recipients to the manifest and the purge after it.
 *
 *     struct sr_backup_options o = {...};   // what the command line said; the rest is in the
 * settings struct sr_backup_result r = {0}; rc = sr_backup_run(&ctx, &o, &r, &err);
 *     ... r is filled as far as the run came, whatever rc ...
 *     sr_backup_result_done(&r);
 *
 * Order: recipients, stores, database, preflight, locks, name; then objects; then sums, detail,
 * manifest in every store that holds all objects, as soon as it does; then a second attempt for the
 * stores that failed, from one that did not; then retention. Whatever fails before the manifest
 * takes the run's objects out of the stores again.
 */
#ifndef SR_ENGINE_BACKUP_H
#define SR_ENGINE_BACKUP_H

#include "core/catalog/manifest.h"
#include "core/engine/context.h"

struct sr_backup_options {
    const char *label;           /* NULL: "backup" */
    int scheduled;               /* label scheduled-YYYYMMDDHHMMSS, no digest in names */
    struct sr_strlist databases; /* empty: BACKUP_DATABASES, else the connection's own */
    int all_databases;
    const char *format; /* "plain", "custom", "plain,custom"; NULL: BACKUP_FORMAT */
    const char *to;     /* stores, comma-separated; NULL: all of BACKUP_STORAGE_ADAPTER */
    struct sr_strlist exclude_tables, exclude_table_data, schemas; /* added to the settings' */
    struct sr_strlist pg_dump_options;                             /* after -- */
    int stream; /* no digest in the name, nothing spooled */
    int spool;  /* digest in the name even where that needs a spool (the default) */
    int dry_run;
};

struct sr_backup_store {
    char name[64];
    int ok;
    int retried; /* a second attempt was made, from another store */
    char error[SR_ERROR_TEXT_MAX];
    double seconds;
    uint64_t spooled;     /* bytes that waited on the disk for it */
    int64_t retain_until; /* what it holds is locked until then, UTC seconds; 0: not */
};

struct sr_backup_result {
    struct sr_manifest *manifest; /* NULL when the run did not come so far */
    struct sr_detail *detail;     /* rows per table, owned here also when the manifest holds none */
    struct sr_backup_store *stores;
    size_t stores_len;
    struct sr_strlist pruned;   /* sets that retention deleted */
    struct sr_strlist plan;     /* dry run: lines that say what would be done */
    struct sr_strlist problems; /* SR_E_DENIED by preflight: every object that cannot be read */
    struct sr_strlist grants;   /* and the statements that would allow it */
    double seconds;
};

/* SR_OK; SR_E_PARTIAL: at least BACKUP_MIN_STORES hold the set, another store failed; SR_E_BUSY:
 * another run of this database; SR_E_EXISTS: the name is taken; SR_E_KEY: recipients; else what
 * failed. */
int sr_backup_run(struct sr_context *ctx, const struct sr_backup_options *o,
                  struct sr_backup_result *ret, struct sr_error *err);
void sr_backup_result_done(struct sr_backup_result *r);

#endif
