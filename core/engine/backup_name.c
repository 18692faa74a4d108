#include "config.h"
#include "core/engine/claim.h"
#include "core/engine/run.h"
#include "core/util/cleanup.h"
#include "core/util/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* How many seconds later than now a set may be named before the run gives up. */
#define TRIES 120

struct taken {
    const char *set;
    int found;
};

/* Of "app" the set "app-nightly" is no namesake, although its keys begin the same. */
static int emit_found(void *ctx, const struct sr_store_entry *entry)
{
    struct taken *t = ctx;
    struct sr_key_parts parts;
    sr_key_parse(entry->key, &parts);
    t->found = sr_key_belongs(entry->key, t->set) ||
               (parts.kind != SR_KEY_OTHER && strcmp(parts.set, t->set) == 0);
    return t->found;
}

/* A store that fails is left out from here on, as long as enough are left. */
static int go_on_without(struct sr_run *r, size_t i, const struct sr_error *why,
                         struct sr_error *err)
{
    if (why->code == SR_E_CANCELLED || why->code == SR_E_NO_MEMORY || r->o->dry_run)
        return sr_error_copy(err, why);
    sr_log(SR_LOG_WARN, "going on without store %s: %s", r->result->stores[i].name, why->text);
    sr_target_fail(&r->targets[i], why);
    if ((int64_t)sr_targets_alive(r->targets, r->stores.len) <
        sr_config_int(r->ctx->cfg, "BACKUP_MIN_STORES"))
        return sr_error_copy(err, why);
    return SR_OK;
}

/* Does any store hold anything of this name already? A store that may not be listed (write-only
 * credentials) cannot be asked; its claim tells. */
static int name_taken(struct sr_run *r, const char *set, int *ret, struct sr_error *err)
{
    static const char after[] = {'-', '.'};
    struct taken t = {.set = set};
    for (size_t i = 0; i < r->stores.len; i++)
        for (size_t k = 0; k < sizeof after && !t.found && !r->targets[i].failed; k++) {
            char prefix[SR_SET_MAX + 2];
            struct sr_error e = SR_ERROR_INIT;
            (void)snprintf(prefix, sizeof prefix, "%s%c", set, after[k]);
            int rc =
                sr_store_list(sr_store_ro(r->stores.items[i]), prefix, NULL, emit_found, &t, &e);
            if (rc == SR_E_DENIED) {
                sr_log(SR_LOG_VERBOSE, "cannot look for a set named %s before writing it: %s", set,
                       e.text);
                break;
            }
            if (rc != SR_OK && (rc = go_on_without(r, i, &e, err)) != SR_OK)
                return rc;
        }
    *ret = t.found;
    return SR_OK;
}

/* --- the claim: what this run will write under the name, told to every store beforehand --- */

static int claim_object(const struct sr_run *r, const char *kind, const char *part,
                        struct sr_mark *m, struct sr_error *err)
{
    char key[SR_KEY_MAX];
    const struct sr_object_name n = {.set = r->set,
                                     .database = part,
                                     .kind = kind,
                                     .compression = r->protection.extension,
                                     .encrypted = sr_protection_encrypts(&r->protection)};
    int rc = sr_object_key(&n, key, sizeof key, err);
    if (rc == SR_OK)
        rc = sr_run_digest_in_name(r) ? sr_mark_add_end(m, key + strlen(r->set))
                                      : sr_mark_add(m, key);
    return rc == SR_E_NO_MEMORY ? sr_fail(err, rc, "out of memory") : rc;
}

static int claim_beside(const struct sr_run *r, const char *suffix, struct sr_mark *m,
                        struct sr_error *err)
{
    char key[SR_KEY_MAX];
    int rc = sr_beside_key(r->set, r->source, suffix, key, sizeof key, err);
    if (rc == SR_OK && sr_mark_add(m, key) != SR_OK)
        rc = sr_fail(err, SR_E_NO_MEMORY, "out of memory");
    return rc;
}

static int claim_fill(const struct sr_run *r, struct sr_mark *m, struct sr_error *err)
{
    int rc = claim_beside(r, "sha256", m, err);
    if (rc == SR_OK && sr_protection_encrypts(&r->protection))
        rc = claim_beside(r, SR_DETAIL_SUFFIX, m, err);
    if (rc == SR_OK && r->signer)
        rc = claim_beside(r, SR_SIGNATURE_SUFFIX, m, err);
    for (size_t i = 0; rc == SR_OK && i < r->databases.len; i++) {
        char part[SR_SOURCE_MAX] = "";
        if (r->databases.len > 1)
            rc = sr_source_escape(r->databases.items[i], part, err);
        if (rc == SR_OK && r->plain)
            rc = claim_object(r, "sql", *part ? part : NULL, m, err);
        if (rc == SR_OK && r->custom)
            rc = claim_object(r, "dump", *part ? part : NULL, m, err);
    }
    if (rc == SR_OK && sr_config_bool(r->ctx->cfg, "BACKUP_GLOBALS"))
        rc = claim_object(r, "globals.sql", NULL, m, err);
    memcpy(m->run, r->id, sizeof m->run);
    memcpy(m->source, r->source, sizeof m->source);
    return rc;
}

/* Runs that share stores take them in the same order, wherever they run and whatever their settings
 * call them: whoever gets the first gets them all. */
static int by_place(const void *a, const void *b)
{
    return strcmp(sr_store_place(sr_store_ro((*(struct sr_target *const *)a)->store)),
                  sr_store_place(sr_store_ro((*(struct sr_target *const *)b)->store)));
}

int sr_run_claim(struct sr_run *r, struct sr_target *t, struct sr_error *err)
{
    struct sr_mark mark = {.kind = SR_KEY_CLAIM};
    char key[SR_KEY_MAX];
    int rc = sr_claim_key(r->set, key, sizeof key, err);
    if (rc == SR_OK && sr_strlist_has(&t->saved, key))
        return SR_OK;
    if (rc == SR_OK)
        rc = claim_fill(r, &mark, err);
    if (rc == SR_OK)
        rc = sr_claim_take(t->store, r->set, &mark, err);
    if (rc == SR_OK)
        rc = sr_target_record(t, key, 0, err);
    sr_mark_done(&mark);
    return rc;
}

/* Claims the name in every store; *ret_taken when another run was first in one of them, and then
 * none of ours is left. */
static int claim_everywhere(struct sr_run *r, int *ret_taken, struct sr_error *err)
{
    struct sr_mark mark = {.kind = SR_KEY_CLAIM};
    char key[SR_KEY_MAX];
    _cleanup_free_ struct sr_target **order = calloc(r->stores.len, sizeof(struct sr_target *));
    int rc = order ? claim_fill(r, &mark, err) : sr_fail(err, SR_E_NO_MEMORY, "out of memory");
    if (rc == SR_OK)
        rc = sr_claim_key(r->set, key, sizeof key, err);
    for (size_t i = 0; order && i < r->stores.len; i++)
        order[i] = &r->targets[i];
    if (order && r->stores.len > 1)
        qsort(order, r->stores.len, sizeof(struct sr_target *), by_place);
    for (size_t i = 0; rc == SR_OK && !*ret_taken && i < r->stores.len; i++) {
        struct sr_target *t = order[i];
        struct sr_error e = SR_ERROR_INIT;
        if (t->failed)
            continue;
        int one = sr_claim_take(t->store, r->set, &mark, &e);
        /* In doubt may mean "there": the rollback must know the key. */
        if (one == SR_OK || one == SR_E_IN_DOUBT)
            rc = sr_target_record(t, key, one != SR_OK, err);
        if (rc != SR_OK)
            break;
        if (one == SR_E_EXISTS)
            *ret_taken = 1;
        else if (one != SR_OK)
            rc = go_on_without(r, (size_t)(t - r->targets), &e, err);
    }
    sr_mark_done(&mark);
    for (size_t i = 0; rc == SR_OK && *ret_taken && i < r->stores.len; i++)
        if (!r->targets[i].failed)
            (void)sr_target_rollback(&r->targets[i]);
    return rc == SR_OK ? sr_context_check(r->ctx, err) : rc;
}

/* --- choosing --- */

static int store_names(const struct sr_run *r, struct sr_strlist *ret, struct sr_error *err)
{
    for (size_t i = 0; i < r->stores.len; i++)
        if (sr_strlist_add(ret, sr_store_name(sr_store_ro(r->stores.items[i]))) != SR_OK)
            return sr_fail(err, SR_E_NO_MEMORY, "out of memory");
    return SR_OK;
}

static int choose_label(const struct sr_run *r, char label[SR_LABEL_MAX + 1], struct sr_error *err)
{
    if (r->o->label && !r->o->scheduled)
        return sr_label_escape(r->o->label, label, err);
    if (r->o->scheduled)
        (void)snprintf(label, SR_LABEL_MAX + 1, "scheduled");
    else if (sr_label_escape(r->source_name, label, NULL) != SR_OK)
        (void)snprintf(label, SR_LABEL_MAX + 1, "backup"); /* the database's name makes no label */
    return SR_OK;
}

/* Takes r->set if it is free: looked for in the stores, then the journal for this host, then the
 * claims for all hosts. */
static int try_name(struct sr_run *r, const struct sr_strlist *stores, int *ret_taken,
                    struct sr_error *err)
{
    int rc = name_taken(r, r->set, ret_taken, err);
    if (rc != SR_OK || *ret_taken)
        return rc;
    rc = sr_journal_begin(r->state_dir, r->set, r->source, r->id, stores, &r->journal, err);
    if (rc == SR_E_EXISTS)
        *ret_taken = 1;
    if (rc != SR_OK)
        return *ret_taken ? SR_OK : rc;
    if (!r->o->dry_run)
        rc = claim_everywhere(r, ret_taken, err);
    if (rc == SR_OK && *ret_taken) {
        sr_log(SR_LOG_VERBOSE, "the name %s was taken by another run; trying the next", r->set);
        sr_journal_end(r->journal, 1);
        r->journal = NULL;
    }
    return rc;
}

int sr_run_name(struct sr_run *r, struct sr_error *err)
{
    char label[SR_LABEL_MAX + 1], unused[SR_SET_MAX];
    int timestamp = r->o->scheduled || sr_config_bool(r->ctx->cfg, "BACKUP_LABEL_TIMESTAMP");
    int64_t now = sr_clock_now(r->ctx->clock), named = -1;
    struct sr_strlist names = {0};
    int taken = 1;
    int rc = store_names(r, &names, err);
    if (rc == SR_OK)
        rc = choose_label(r, label, err);
    if (rc == SR_OK)
        rc = sr_run_id_make(r->id, err);
    /* When a name is taken (two runs in one second) the next second is as good. A label that fixes
     * the whole name leaves nothing to choose. */
    for (int tries = 0; rc == SR_OK && taken; tries++) {
        char before[SR_SET_MAX];
        memcpy(before, r->set, sizeof before);
        rc = sr_set_make(label, now + tries, timestamp, r->set, err);
        if (rc == SR_OK && (strcmp(before, r->set) == 0 || tries > TRIES))
            rc = sr_fail(err, SR_E_EXISTS,
                         "a backup named %s exists already, or a run that was cut off has left "
                         "something of that name, and nothing is ever replaced; choose another "
                         "label%s",
                         r->set, timestamp ? "" : " or set BACKUP_LABEL_TIMESTAMP=on");
        taken = 0;
        if (rc == SR_OK)
            rc = try_name(r, &names, &taken, err);
    }
    sr_strlist_done(&names);
    if (rc != SR_OK)
        return rc;
    sr_set_split(r->set, unused, &named);
    r->created_at = named >= 0 ? named : now;
    if (r->created_at < now - 86400)
        sr_log(SR_LOG_WARN,
               "the label ends in a time, so %s counts as that old: a later prune goes by it; end "
               "the label in something else to have the present time added",
               r->set);
    return SR_OK;
}
