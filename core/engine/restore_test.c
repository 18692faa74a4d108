#include "config.h"
#include "core/engine/audit.h"
#include "core/engine/prover.h"
#include "core/engine/restore_test_run.h"
#include "core/engine/verify.h"
#include "core/engine/watch.h"
#include "core/util/cleanup.h"
#include "core/util/log.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *sr_test_outcome_word(enum sr_test_outcome o)
{
    switch (o) {
    case SR_TEST_NOT_RUN:
        break;
    case SR_TEST_PASSED:
        return "passed";
    case SR_TEST_FAILED:
        return "failed";
    case SR_TEST_UNTESTABLE:
        return "untestable";
    }
    return "not-run";
}

/* --- what the databases came to --------------------------------------------------------------- */

/* The worst: a failure before what could not be tested, that before success. */
static enum sr_test_outcome worst(const struct sr_restore_test_result *r)
{
    enum sr_test_outcome w = r->len > 0 ? SR_TEST_PASSED : SR_TEST_NOT_RUN;
    for (size_t i = 0; i < r->len; i++) {
        enum sr_test_outcome o = r->items[i].outcome;
        if (o == SR_TEST_FAILED || (o == SR_TEST_UNTESTABLE && w != SR_TEST_FAILED) ||
            (o == SR_TEST_NOT_RUN && w == SR_TEST_PASSED))
            w = o;
    }
    return w;
}

static const char *first_reason(const struct sr_tested *d)
{
    return d->reason ? d->reason : d->findings.len > 0 ? d->findings.items[0].text : "";
}

static const struct sr_tested *first_of(const struct sr_restore_test_result *r,
                                        enum sr_test_outcome o)
{
    for (size_t i = 0; i < r->len; i++)
        if (r->items[i].outcome == o)
            return &r->items[i];
    return NULL;
}

static int verdict(const struct sr_restore_test_result *r, struct sr_error *err)
{
    const struct sr_tested *d = first_of(r, r->outcome);
    if (r->outcome == SR_TEST_UNTESTABLE && d)
        return sr_fail(err, SR_E_UNTESTABLE, "%s: %s", r->set, first_reason(d));
    if (r->outcome != SR_TEST_FAILED || !d)
        return SR_OK;
    size_t more = d->findings.len > 1 ? d->findings.len - 1 + d->findings.left : 0;
    int rc = sr_fail(err, SR_E_CORRUPT, "backup %s failed its restore test: %s", r->set,
                     first_reason(d));
    if (more > 0)
        sr_error_append(err, " (and %zu more)", more);
    return rc;
}

/* --- the record ------------------------------------------------------------------------------- */

static int describe(const struct sr_testing *t, const struct sr_tested *d, struct sr_proof *p)
{
    const struct sr_pg_findings *f = &d->findings;
    if (d->rung < SR_RUNG_RESTORED)
        return SR_OK;
    int rc = sr_strlist_addf(&p->checked, "%s restored into a database of PostgreSQL %s", d->key,
                             sr_pg_server_version_text(sr_scratch_control(t->scratch)));
    if (rc == SR_OK && d->compared)
        rc = t->result->encrypted
                 ? sr_strlist_add(&p->checked,
                                  "rows of every table, indexes, foreign keys, sequences")
                 : sr_strlist_addf(&p->checked,
                                   "%" PRIu64 " rows of %" PRIu64 " tables, %" PRIu64
                                   " indexes, %" PRIu64 " foreign keys, %" PRIu64 " sequences",
                                   f->rows, f->tables, f->indexes, f->foreign_keys, f->sequences);
    if (rc == SR_OK && d->accepted.len > 0)
        rc = sr_strlist_addf(&p->checked, "%zu findings were accepted", d->accepted.len);
    return rc;
}

static int record_one(struct sr_testing *t, struct sr_prover *prover, enum sr_rung rung,
                      const struct sr_tested *bad, struct sr_error *err)
{
    struct sr_restore_test_result *r = t->result;
    struct sr_proof p = {.name = {rung, bad != NULL, 0}, .seconds = (uint64_t)(r->seconds + 0.5)};
    char *why = NULL;
    int rc = SR_OK;
    for (size_t i = 0; rc == SR_OK && i < r->len; i++) {
        p.bytes += r->items[i].bytes;
        rc = describe(t, &r->items[i], &p);
    }
    /* What is told of an encrypted backup is told where the key is, not in the store. */
    if (rc == SR_OK && bad)
        rc = sr_set_string(&p.error, r->encrypted && bad->fell > SR_RUNG_REREAD
                                         ? "what was restored is not what was dumped"
                                         : first_reason(bad));
    rc = rc == SR_OK
             ? sr_prover_record(prover, r->store, &t->set, t->manifest->digest, &p, &why, err)
             : sr_fail(err, rc, "out of memory");
    sr_proof_done(&p);
    if (rc == SR_OK && why) {
        free(r->not_recorded);
        r->not_recorded = why;
    } else if (rc == SR_OK && bad) {
        r->recorded_failed = rung;
    } else if (rc == SR_OK) {
        r->recorded = rung;
    }
    return rc;
}

static int record(struct sr_testing *t, struct sr_error *err)
{
    struct sr_restore_test_result *r = t->result;
    struct sr_prover *prover = NULL;
    const struct sr_tested *bad = NULL;
    enum sr_rung lowest = SR_RUNG_COMPARED;
    for (size_t i = 0; i < r->len; i++) {
        const struct sr_tested *d = &r->items[i];
        lowest = d->rung < lowest ? d->rung : lowest;
        if (d->outcome == SR_TEST_FAILED && (!bad || d->fell < bad->fell))
            bad = d;
    }
    if (r->len == 0 || (!bad && r->outcome != SR_TEST_PASSED))
        return SR_OK;
    int rc = sr_prover_new(t->ctx, &prover, err);
    /* A part of the set proves nothing of the whole; that a part is bad does. */
    if (rc == SR_OK && !t->whole &&
        sr_set_string(&r->not_recorded, "only a part of the backup was restored") != SR_OK)
        rc = sr_fail(err, SR_E_NO_MEMORY, "out of memory");
    if (rc == SR_OK && t->whole && lowest >= SR_RUNG_RESTORED)
        rc = record_one(t, prover, lowest, NULL, err);
    if (rc == SR_OK && bad)
        rc = record_one(t, prover, bad->fell, bad, err);
    sr_prover_free(prover);
    return rc;
}

/* --- the run ---------------------------------------------------------------------------------- */

static int is_tested(const struct sr_testing *t, const struct sr_manifest_object *o)
{
    for (size_t i = 0; i < t->objects_len; i++)
        if (t->objects[i] == o)
            return 1;
    return 0;
}

/* What of the set is not restored (roles, a second format) is verified, so that the rung is the
 * whole set's. */
static int verify_others(struct sr_testing *t, struct sr_error *err)
{
    struct sr_restore_test_result *r = t->result;
    int rc = SR_OK;
    for (size_t i = 0; t->whole && rc == SR_OK && i < t->manifest->objects_len; i++) {
        const struct sr_manifest_object *o = &t->manifest->objects[i];
        struct sr_verify_object v = {0};
        struct sr_error e = SR_ERROR_INIT;
        if (is_tested(t, o))
            continue;
        rc = sr_verify_object(t->ctx, t->store, t->manifest, o, t->passphrase, &v, &e);
        struct sr_tested *d = &r->items[r->len];
        if (rc != SR_OK && (!sr_verify_is_damage(rc) || v.fell == SR_RUNG_NONE)) {
            (void)sr_error_copy(err, &e);
        } else if (rc != SR_OK || v.rung != SR_VERIFY_OPENED) {
            r->len++;
            d->outcome = rc == SR_OK ? SR_TEST_PASSED : SR_TEST_FAILED;
            d->rung = rc == SR_OK || v.fell > SR_RUNG_REREAD ? SR_RUNG_REREAD : SR_RUNG_STORED;
            d->fell = v.fell;
            rc = sr_set_string(&d->key, o->key) == SR_OK &&
                         sr_set_string(&d->reason, v.note) == SR_OK
                     ? SR_OK
                     : sr_fail(err, SR_E_NO_MEMORY, "out of memory");
        }
        free(v.note);
    }
    return rc;
}

static int test_all(struct sr_testing *t, struct sr_error *err)
{
    struct sr_restore_test_result *r = t->result;
    if (!(r->items = calloc(t->manifest->objects_len + 1, sizeof *r->items)))
        return sr_fail(err, SR_E_NO_MEMORY, "out of memory");
    int rc = verify_others(t, err);
    for (size_t i = 0; rc == SR_OK && i < t->objects_len; i++) {
        struct sr_tested *d = &r->items[r->len++];
        for (size_t k = 0; t->manifest->detail && k < t->manifest->detail->objects_len; k++) {
            const struct sr_detail_object *x = &t->manifest->detail->objects[k];
            if (x->key && strcmp(x->key, t->objects[i]->key) == 0 &&
                sr_set_string(&d->database, x->database) != SR_OK)
                rc = sr_fail(err, SR_E_NO_MEMORY, "out of memory");
        }
        if (rc == SR_OK)
            rc = sr_test_one(t, t->objects[i], d, err);
    }
    r->outcome = worst(r);
    return rc;
}

static int accept_read(struct sr_testing *t, struct sr_error *err)
{
    static const enum sr_pg_finding_kind kinds[] = {SR_FINDING_INDEX, SR_FINDING_FOREIGN_KEY,
                                                    SR_FINDING_CONSTRAINT, SR_FINDING_SEQUENCE};
    if (sr_config_list(t->ctx->cfg, "BACKUP_RESTORE_TEST_ACCEPT", &t->accept) != SR_OK)
        return sr_fail(err, SR_E_NO_MEMORY, "out of memory");
    for (size_t i = 0; i < t->accept.len; i++) {
        int known = 0;
        for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++)
            known |= strcmp(t->accept.items[i], sr_pg_finding_word(kinds[k])) == 0;
        if (!known)
            return sr_fail(err, SR_E_CONFIG,
                           "BACKUP_RESTORE_TEST_ACCEPT: '%s' is none of index, foreign-key, "
                           "constraint, sequence",
                           t->accept.items[i]);
    }
    return SR_OK;
}

static int run(struct sr_testing *t, struct sr_error *err)
{
    struct sr_restore_test_result *r = t->result;
    int64_t started = sr_clock_monotonic(t->ctx->clock);
    int rc = accept_read(t, err);
    if (rc == SR_OK)
        rc = sr_test_find(t, err);
    if (rc == SR_OK)
        sr_audit_event(t->ctx->audit, "db_restore_test_started", "trigger", t->ctx->trigger, "set",
                       r->set, "store", r->store, NULL);
    if (rc == SR_OK)
        rc = sr_test_where(t, err);
    if (rc == SR_OK)
        rc = sr_test_able(t, err);
    if (rc == SR_OK)
        rc = test_all(t, err);
    else if (rc == SR_E_UNTESTABLE)
        r->outcome = SR_TEST_UNTESTABLE;
    r->seconds = (double)(sr_clock_monotonic(t->ctx->clock) - started) / 1e9;
    if (rc == SR_OK)
        rc = record(t, err);
    sr_test_leave(t);
    if (rc == SR_OK)
        rc = verdict(r, err);
    /* A copy of the data that nobody knows of is worse than a test that was not made. */
    if (rc == SR_OK && r->left.len > 0)
        rc = sr_fail(err, SR_E_DATABASE,
                     "the test passed, but %s stays behind on %s; `strongroom sweep` and the next "
                     "test try again",
                     r->left.items[0], r->server);
    return rc;
}

static void tell(struct sr_testing *t, int rc, const struct sr_error *err)
{
    struct sr_restore_test_result *r = t->result;
    const char *set = *r->set ? r->set : t->o->backup;
    char seconds[32];
    (void)snprintf(seconds, sizeof seconds, "%.3f", r->seconds);
    if (rc == SR_OK)
        sr_audit_event(t->ctx->audit, "db_restore_test_succeeded", "trigger", t->ctx->trigger,
                       "outcome", "success", "set", set, "store", r->store, "server", r->server,
                       "rung", sr_rung_name(r->recorded), "#duration_seconds", seconds, NULL);
    else
        sr_audit_event(t->ctx->audit, "db_restore_test_failed", "trigger", t->ctx->trigger,
                       "outcome", rc == SR_E_UNTESTABLE ? "untestable" : "failure", "set", set,
                       "store", r->store, "server", r->server, "error", err->text, NULL);
}

int sr_restore_test_run(struct sr_context *ctx, const struct sr_restore_test_options *o,
                        struct sr_restore_test_result *ret, struct sr_error *err)
{
    struct sr_error own = SR_ERROR_INIT;
    struct sr_testing t = {.ctx = ctx, .o = o, .result = ret};
    if (!err)
        err = &own;
    int rc = run(&t, err);
    tell(&t, rc, err);
    free(t.objects);
    sr_manifest_free(t.manifest);
    sr_passphrase_free(t.passphrase);
    sr_strlist_done(&t.accept);
    sr_unwatch_stores(ctx, &t.stores);
    sr_stores_close(&t.stores);
    return rc;
}

void sr_restore_test_result_done(struct sr_restore_test_result *r)
{
    for (size_t i = 0; i < r->len; i++) {
        struct sr_tested *d = &r->items[i];
        free(d->key);
        free(d->database);
        free(d->scratch);
        free(d->reason);
        sr_pg_findings_done(&d->findings);
        sr_strlist_done(&d->accepted);
    }
    free(r->items);
    free(r->store);
    free(r->server);
    free(r->not_recorded);
    sr_strlist_done(&r->stubs);
    sr_strlist_done(&r->removed);
    sr_strlist_done(&r->left);
    sr_strlist_done(&r->notes);
    *r = (struct sr_restore_test_result){0};
}
