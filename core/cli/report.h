/* Results of the engine as tables for people or JSON documents.
 *
 * Each takes a result as the engine filled it and prints it through o; nothing is freed or kept.
 * The JSON forms have the names that the manual promises; bytes, ISO 8601 UTC, null for unknown.
 * Pure but for the output. */
#ifndef SR_CLI_REPORT_H
#define SR_CLI_REPORT_H

#include "core/cli/output.h"
#include "core/engine/backup.h"
#include "core/engine/doctor.h"
#include "core/engine/listing.h"
#include "core/engine/prover.h"
#include "core/engine/restore.h"
#include "core/engine/restore_test.h"
#include "core/engine/retention.h"
#include "core/engine/sweep.h"
#include "core/engine/sync.h"
#include "core/engine/verify.h"

/* rc: what sr_backup_run returned. Objects are shown only when the set is stored. */
void sr_report_backup(struct sr_output *o, const struct sr_backup_result *r, int rc);
/* The plan of a dry run. */
void sr_report_plan(struct sr_output *o, const struct sr_backup_result *r);

/* now: UTC seconds, for ages. missed: what this host has seen in stores and is gone (may be NULL).
 */
void sr_report_list(struct sr_output *o, const struct sr_listing *l,
                    const struct sr_strlist *missed, int64_t now);

/* store: where the manifest was read, and its proofs. trust: its signature. closed: why the detail
 * was not opened, or NULL. */
void sr_report_manifest(struct sr_output *o, const char *store, const struct sr_catalog_set *set,
                        const struct sr_manifest *m, const struct sr_proofs *proofs,
                        const struct sr_trust *trust, const char *closed);

/* {"state": ..., "by": ..., "why": ...}; NULL: no memory. */
json_t *sr_trust_json(const struct sr_trust *t);
/* "signed by HMAC key ...", "bad: ..."; out has room for SR_TRUST_TEXT bytes. */
#define SR_TRUST_TEXT 1024
void sr_trust_text(const struct sr_trust *t, char out[SR_TRUST_TEXT]);

struct sr_verified {
    const char *store;
    char source[SR_SOURCE_MAX];
    struct sr_verify_result result;
    char *error;    /* what is wrong with it as a whole, or why it is not known; NULL; malloc'd */
    int not_looked; /* the error says nothing of the backup: it could not be looked at */
};
/* left: how many a bound kept from being verified. */
void sr_report_verified(struct sr_output *o, const struct sr_verified *v, size_t len, size_t left);

/* dry_run: nothing was deleted. at: the moment it was judged for, UTC seconds. */
void sr_report_prune(struct sr_output *o, const struct sr_prune_result *r, int dry_run, int64_t at);
void sr_report_restore(struct sr_output *o, const struct sr_restore_result *r);
void sr_report_sync(struct sr_output *o, const struct sr_sync_options *options,
                    const struct sr_sync_result *r);
void sr_report_restore_test(struct sr_output *o, const struct sr_restore_test_result *r);
void sr_report_sweep(struct sr_output *o, const struct sr_sweep_result *r, int dry_run);
void sr_report_doctor(struct sr_output *o, const struct sr_doctor_result *r);

#define SR_AGE_TEXT 32  /* with NUL */
#define SR_SPAN_TEXT 48 /* with NUL */

/* The label as it was given, from its escaped form in a manifest; the escaped one where that is no
 * escaped name. out has room for SR_LABEL_TEXT_MAX bytes. */
void sr_report_label(const char *escaped, char *out);
/* "3 h", "5 d": how long ago. */
void sr_report_age(int64_t seconds, char out[SR_AGE_TEXT]);
/* "0.4 s", "3 min 5 s". */
void sr_report_seconds(double seconds, char out[SR_SPAN_TEXT]);

#endif
