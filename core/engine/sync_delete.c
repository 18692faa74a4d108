/* What a sync deletes from TO, judged anew after everything was copied. */
#include "config.h"
#include "core/engine/audit.h"
#include "core/engine/retention_delete.h"
#include "core/engine/retention_judge.h"
#include "core/engine/sync_private.h"
#include "core/util/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int lists(const struct sr_catalog *c, const struct sr_sync_item *it)
{
    for (size_t i = c->len; i-- > 0;)
        if (c->sets[i].has_manifest && strcmp(c->sets[i].set, it->set) == 0 &&
            strcmp(c->sets[i].source, it->source) == 0)
            return 1;
    return 0;
}

/* Nonzero when what this source has newest in FROM is whole in TO now, and the listing that is
 * judged by tells of it: a listing that lags behind does not. */
static int newest_came(const struct sr_sync *s, const struct sr_catalog *c, const char *source)
{
    /* Items are the newest first; those of the future count for nothing here as in retention. */
    for (size_t i = 0; i < s->result->len; i++) {
        const struct sr_sync_item *it = &s->result->items[i];
        if (!s->work[i].from || strcmp(it->source, source) != 0 || it->time > s->now)
            continue;
        return (it->outcome == SR_SYNC_SAME || it->outcome == SR_SYNC_COPIED ||
                it->outcome == SR_SYNC_REPAIRED || it->outcome == SR_SYNC_ADDED) &&
               lists(c, it);
    }
    return 0;
}

static void carry_out(struct sr_sync *s, struct sr_catalog *c, size_t at, struct sr_sync_item *it)
{
    struct sr_manifest *m = NULL;
    struct sr_error e = SR_ERROR_INIT;
    struct sr_prune_item p = {.outcome = SR_PRUNE_DROPPED};
    p.reason = strdup("");
    int rc = p.reason ? sr_catalog_manifest(s->to.store, &c->sets[at], &m, &e)
                      : sr_fail(&e, SR_E_NO_MEMORY, "out of memory");
    if (rc == SR_OK)
        rc = sr_prune_delete(s->ctx, s->to.rw, &c->sets[at], m, sr_catalog_is_last(c, at), &p, &e);
    it->bytes = rc == SR_OK ? p.freed : 0;
    if (rc != SR_OK)
        sr_sync_say(it, SR_SYNC_FAILED, "not deleted: %s", e.text);
    else if (p.outcome == SR_PRUNE_LOCKED)
        sr_sync_say(it, SR_SYNC_KEPT, "not in %s, but %s keeps it locked%s%s", s->from.name,
                    s->to.name, *p.reason ? ": " : "", p.reason);
    else if (p.outcome == SR_PRUNE_KEPT)
        sr_sync_say(it, SR_SYNC_KEPT, "not in %s, but %s", s->from.name, p.reason);
    else
        c->sets[at].has_manifest = 0;
    if (rc != SR_OK && s->first.code == SR_OK)
        s->first = e;
    if (it->outcome != SR_SYNC_KEPT)
        sr_audit_event(s->ctx->audit, rc == SR_OK ? "DB_BACKUP_PURGED" : "DB_BACKUP_PURGE_FAILED",
                       "trigger", s->ctx->trigger, "outcome", rc == SR_OK ? "success" : "failure",
                       "store", s->to.name, "set", it->set, "reason",
                       rc == SR_OK ? it->reason : NULL, "error", rc == SR_OK ? NULL : e.text, NULL);
    sr_manifest_free(m);
    free(p.reason);
}

static void delete_one(struct sr_sync *s, struct sr_catalog *c,
                       const struct sr_retention_verdict *verdicts, struct sr_sync_item *it)
{
    if (!newest_came(s, c, it->source)) {
        it->bytes = 0;
        sr_sync_say(it, SR_SYNC_KEPT, "not in %s, but the newest backup of %s did not get to %s",
                    s->from.name, it->source, s->to.name);
        return;
    }
    for (size_t k = 0; k < c->len; k++) {
        const struct sr_catalog_set *set = &c->sets[k];
        if (!set->has_manifest || strcmp(set->set, it->set) != 0 ||
            strcmp(set->source, it->source) != 0)
            continue;
        if (verdicts[k].keep) {
            it->bytes = 0;
            sr_sync_say(it, SR_SYNC_KEPT, "not in %s, but %s", s->from.name, verdicts[k].reason);
        } else {
            carry_out(s, c, k, it);
        }
        return;
    }
    it->bytes = 0;
    sr_sync_say(it, SR_SYNC_DELETED, "not in %s, and gone by itself meanwhile", s->from.name);
}

int sr_sync_delete(struct sr_sync *s, struct sr_error *err)
{
    struct sr_catalog *c = NULL;
    struct sr_retention_verdict *verdicts = NULL;
    size_t planned = 0;
    for (size_t i = 0; i < s->result->len; i++)
        planned += s->work[i].todo == SR_SYNC_GONE;
    if (planned == 0 || s->o->dry_run)
        return SR_OK;
    int rc = sr_catalog_read(s->to.store, &c, err);
    if (rc == SR_OK)
        rc = sr_retention_judge_store(s->ctx, s->to.store, c, s->now, &verdicts, err);
    for (size_t i = 0; rc == SR_OK && i < s->result->len; i++)
        if (s->work[i].todo == SR_SYNC_GONE) {
            rc = sr_context_check(s->ctx, err);
            if (rc != SR_OK)
                break;
            delete_one(s, c, verdicts, &s->result->items[i]);
            s->work[i].todo = SR_SYNC_NOTHING;
        }
    free(verdicts);
    sr_catalog_free(c);
    return rc;
}
