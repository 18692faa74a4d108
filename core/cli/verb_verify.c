#include "config.h"
#include "core/cli/options.h"
#include "core/cli/places.h"
#include "core/cli/report.h"
#include "core/cli/verbs.h"
#include "core/util/log.h"

#include <stdlib.h>
#include <string.h>

static const struct sr_option options[] = {
    {.name = "all", .help = "every backup in every store, the one that needs it most first"},
    {.name = "sample",
     .kind = SR_OPTION_VALUE,
     .type = SR_VALUE_NUMBER,
     .arg = "N",
     .needs = "all",
     .setting = "BACKUP_VERIFY_SAMPLE",
     .help = "no more than so many of them (default: BACKUP_VERIFY_SAMPLE)"},
    {.name = "for",
     .kind = SR_OPTION_VALUE,
     .type = SR_VALUE_DURATION,
     .arg = "T",
     .needs = "all",
     .setting = "BACKUP_VERIFY_TIME",
     .help = "begin with no other one after this time (default: BACKUP_VERIFY_TIME)"},
    {.name = "no-record",
     .setting = "BACKUP_PROOFS",
     .stands = "off",
     .help = "write nothing beside the backups"},
    SR_OPTION_STORE("verify what this store holds only"),
    SR_OPTION_NARROW_DATABASE,
    SR_OPTION_NARROW_LABEL,
    {.name = NULL},
};

struct verifying {
    struct sr_cli *cli;
    struct sr_prover *prover;
    struct sr_verified *done;
    size_t len;
    size_t bad, unread;             /* damaged; could not be looked at */
    unsigned *down;                 /* failures in a row of each store */
    size_t left;                    /* that a bound kept from being verified */
    struct sr_error first, obscure; /* the first of each */
};

/* So many failures of one store in a row, each of which may have cost minutes of tries, are enough.
 */
#define GIVE_UP_AFTER 3

static int is_of_a_store(int rc)
{
    return rc == SR_E_UNAVAILABLE || rc == SR_E_TIMEOUT || rc == SR_E_THROTTLED;
}

/* Nonzero for what ends the whole run. */
static int ends_all(int rc)
{
    return rc == SR_E_CANCELLED || rc == SR_E_NO_MEMORY;
}

/* What could not be looked at is neither good nor damaged, and the next one may be fine. */
static int note_unread(struct verifying *v, struct sr_verified *now, const struct sr_error *e,
                       struct sr_error *err)
{
    if (ends_all(e->code) || sr_context_check(v->cli->ctx, NULL) != SR_OK)
        return sr_error_copy(err, e);
    if (v->unread++ == 0)
        v->obscure = *e;
    now->result.rung = SR_VERIFY_FAILED;
    now->not_looked = 1;
    if (sr_set_string(&now->error, e->text) != SR_OK)
        return sr_fail(err, SR_E_NO_MEMORY, "out of memory while verifying");
    sr_log(SR_LOG_WARN, "store %s: %s of %s was not verified: %s", now->store, now->result.set,
           now->source, e->text);
    return SR_OK;
}

/* Verifies one set in one store. Damage is noted and is no reason to stop, nor is what can not be
 * looked at; a signal is returned. */
static int verify_one(struct verifying *v, struct sr_store_rw *store,
                      const struct sr_verify_pick *pick, struct sr_error *err)
{
    struct sr_error e = SR_ERROR_INIT;
    unsigned *down = &v->down[pick->store];
    struct sr_catalog_set set = {.time = pick->time, .has_manifest = 1};
    struct sr_verified *grown = realloc(v->done, (v->len + 1) * sizeof *grown);
    if (!grown)
        return sr_fail(err, SR_E_NO_MEMORY, "out of memory while verifying");
    v->done = grown;
    struct sr_verified *now = &v->done[v->len++];
    memset(now, 0, sizeof *now);
    memcpy(set.set, pick->set, sizeof set.set);
    memcpy(set.source, pick->source, sizeof set.source);
    now->store = sr_store_name(sr_store_ro(store));
    memcpy(now->source, pick->source, sizeof now->source);
    memcpy(now->result.set, pick->set, sizeof now->result.set);
    int rc = *down < GIVE_UP_AFTER
                 ? sr_verify_set(v->cli->ctx, store, &set, &now->result, &e)
                 : sr_fail(&e, SR_E_UNAVAILABLE, "not tried: store %s failed %d times in a row",
                           now->store, GIVE_UP_AFTER);
    *down = is_of_a_store(rc) ? *down + 1 : 0;
    memcpy(now->result.set, pick->set, sizeof now->result.set);
    if (rc != SR_OK && rc != SR_E_CORRUPT)
        return note_unread(v, now, &e, err);
    if (rc == SR_E_CORRUPT) {
        now->result.rung = SR_VERIFY_FAILED;
        if (sr_set_string(&now->error, e.text) != SR_OK)
            return sr_fail(err, SR_E_NO_MEMORY, "out of memory while verifying");
        if (v->bad++ == 0)
            v->first = e;
    }
    rc = sr_verify_record(v->cli->ctx, v->prover, now->store, &set, &now->result, err);
    if (rc == SR_OK && pick->proofs > SR_PROOFS_MANY)
        rc = sr_prover_trim(v->prover, now->store, &set, err);
    return rc;
}

/* STORE:BACKUP asks for one copy alone. No other part of BACKUP can hold a colon. */
static int is_one_copy(const char *backup)
{
    return strchr(backup, ':') != NULL;
}

static int verify_backup(struct verifying *v, const struct sr_stores *stores,
                         const struct sr_verify_picks *picks, struct sr_error *err)
{
    const struct sr_args *a = v->cli->args;
    const char *backup = a->operands.items[0];
    struct sr_store_rw *first = NULL;
    struct sr_catalog_set set;
    char object[SR_KEY_MAX];
    int rc = sr_backup_locate(v->cli->ctx, stores, backup, sr_args_str(a, "database"),
                              sr_args_str(a, "label"), &first, &set, object, err);
    /* A backup is as good as each of its copies, so all are read. */
    for (size_t i = 0; rc == SR_OK && i < picks->len; i++) {
        const struct sr_verify_pick *p = &picks->items[i];
        struct sr_store_rw *store = stores->items[p->store];
        if (strcmp(p->set, set.set) != 0 || strcmp(p->source, set.source) != 0 ||
            (is_one_copy(backup) && store != first))
            continue;
        rc = sr_context_check(v->cli->ctx, err);
        if (rc == SR_OK)
            rc = verify_one(v, store, p, err);
    }
    return rc;
}

static int verify_all(struct verifying *v, const struct sr_stores *stores,
                      const struct sr_verify_picks *picks, struct sr_error *err)
{
    const struct sr_clock *clock = v->cli->ctx->clock;
    int64_t sample = sr_config_int(v->cli->cfg, "BACKUP_VERIFY_SAMPLE"),
            seconds = sr_config_int(v->cli->cfg, "BACKUP_VERIFY_TIME"),
            started = sr_clock_monotonic(clock);
    int rc = SR_OK;
    for (size_t i = 0; rc == SR_OK && i < picks->len; i++) {
        int64_t passed = (sr_clock_monotonic(clock) - started) / 1000000000;
        if ((sample > 0 && (int64_t)i >= sample) || (seconds > 0 && i > 0 && passed >= seconds)) {
            v->left = picks->len - i;
            break;
        }
        rc = sr_context_check(v->cli->ctx, err);
        if (rc == SR_OK)
            rc = verify_one(v, stores->items[picks->items[i].store], &picks->items[i], err);
    }
    return rc;
}

static int run(struct sr_cli *cli, struct sr_error *err)
{
    int all = sr_args_flag(cli->args, "all") > 0;
    struct sr_places places = {0};
    struct sr_verify_picks picks = {0};
    struct verifying v = {.cli = cli, .first = SR_ERROR_INIT};
    if (all == (cli->args->operands.len > 0))
        return sr_fail(err, SR_E_USAGE,
                       all ? "verify takes BACKUP or --all, not both"
                           : "verify needs BACKUP, or --all; see `strongroom help verify`");
    int rc = sr_places_open_reachable(cli->ctx, sr_args_str(cli->args, "store"), &places, err);
    if (rc == SR_OK)
        rc = sr_prover_new(cli->ctx, &v.prover, err);
    if (rc == SR_OK && !(v.down = calloc(places.stores.len + 1, sizeof *v.down)))
        rc = sr_fail(err, SR_E_NO_MEMORY, "out of memory");
    if (rc == SR_OK)
        rc = sr_verify_picks(cli->ctx, &places.stores, &picks, err);
    if (rc == SR_OK)
        rc = all ? verify_all(&v, &places.stores, &picks, err)
                 : verify_backup(&v, &places.stores, &picks, err);
    if (v.bad > 0)
        rc = v.bad == 1
                 ? sr_error_copy(err, &v.first)
                 : sr_fail(err, SR_E_CORRUPT, "%zu of %zu backups are damaged; the first: %s",
                           v.bad, v.len, v.first.text);
    else if (rc == SR_OK && v.unread > 0)
        rc = v.unread < v.len ? sr_fail(err, SR_E_PARTIAL,
                                        "%zu of %zu backups could not be verified; the first: %s",
                                        v.unread, v.len, v.obscure.text)
                              : sr_error_copy(err, &v.obscure);
    else if (rc == SR_OK && places.stores.closed_len > 0 &&
             (all || !is_one_copy(cli->args->operands.items[0])))
        rc = sr_fail(err, SR_E_PARTIAL, "verified in %zu of %zu stores: %s", places.stores.len,
                     places.stores.len + places.stores.closed_len,
                     places.stores.closed[0].error.text);
    if (v.len > 0 || rc == SR_OK)
        sr_report_verified(cli->out, v.done, v.len, v.left);
    for (size_t i = 0; i < v.len; i++) {
        sr_verify_result_done(&v.done[i].result);
        free(v.done[i].error);
    }
    free(v.done);
    free(v.down);
    sr_verify_picks_done(&picks);
    sr_prover_free(v.prover);
    sr_places_close(&places);
    return rc;
}

const struct sr_verb sr_verb_verify = {
    .name = "verify",
    .summary = "re-read what is stored: digests, and with the key the dump's structure",
    .synopsis = "BACKUP | --all [--sample N] [--for T] [--no-record]\n"
                "[--store STORE] [--database DB] [--label PREFIX]",
    .about =
        "Reads every stored byte again and compares size and digest with the manifest. Where "
        "the key is here (or nothing is encrypted) the dump is also decrypted, decompressed, "
        "its plaintext digest compared and its structure read to the end.\n"
        "\n"
        "Each object reaches a rung: \"re-read\" (the stored bytes agree) or \"opened\" (so does "
        "what is inside). A missing key is no failure. Every store that holds the backup is "
        "read, unless --store or STORE: names one. Exit code 13 tells damage (a "
        "manifest that cannot be read is damage too), 3 that a store could not be opened, or a "
        "backup not be looked at, and all others are sound.\n"
        "\n"
        "What was found is written beside the backup in the store it was read from, with time and "
        "host, as an object of its own (SET.SOURCE.proof-RUNG-TIME.json, proof-failed-RUNG for "
        "damage); `list` and `show` tell it. Where that is not allowed it says so and goes on.\n"
        "\n"
        "Where a key is set (BACKUP_SIGN_*) the signature is checked first; where it is bad, or "
        "missing and BACKUP_REQUIRE_SIGNATURE is on, nothing is read, and the exit code is 13.\n"
        "\n"
        "With --all the backups that were never checked come first, then those whose last check is "
        "longest ago; --sample and --for bound a run, and the next one goes on with the rest.\n"
        "\n" SR_ABOUT_BACKUP,
    .examples = "strongroom verify latest\nstrongroom verify --all --store dr\n"
                "strongroom verify --all --sample 5 --for 2h",
    .options = options,
    .operand = "BACKUP",
    .operands_max = 1,
    .needs = SR_NEEDS_CONFIG | SR_NEEDS_CONTEXT | SR_NEEDS_AUDIT,
    .looks_up = 1,
    .acts = 1,
    .run = run,
};
