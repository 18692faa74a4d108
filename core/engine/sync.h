/* Two stores kept in step: what one holds and the other lacks is copied, set by set.
 *
 *     struct sr_sync_options o = {.from = "local", .to = "dr", .jobs = 2};
 *     struct sr_sync_result r = {0};
 *     rc = sr_sync_run(&ctx, &o, &r, &err);
 *     ... r is filled as far as the run came, whatever rc ...
 *     sr_sync_result_done(&r);
 *
 * Order: both stores are listed whole, and an error on either side ends the run before anything is
 * touched; then what is to be done is decided by names, sizes and the checksums that the stores
 * tell (no manifest is fetched for a set that both list alike); then sets are copied, the newest
 * first, several at a time: claim, objects, what lies beside, and last the manifest; then, where it
 * was asked for, what is not in FROM any more is deleted from TO.
 *
 * Bytes go from store to store as they are stored: nothing is decrypted, encrypted or spooled. Each
 * object's SHA-256 is compared with the manifest's on the way, and an object whose bytes are wrong
 * never becomes visible in TO. What is whole in TO stays untouched: an object counts as whole by a
 * checksum that the store tells, or by being read again, never by its size alone. Cut off anywhere,
 * TO holds no set without all of its objects, and the next run goes on where this one ended.
 *
 * A FROM without anything of strongroom's is an error and not an empty store (recover_text.h).
 * Where TO's own check found its copy bad (a proof-failed beside it that FROM does not have as
 * well), that copy is read again whatever listings tell, and no proof of FROM's that the backup is
 * good is copied over it: only a check of TO's copy clears it.
 *
 * Not copied: sets whose signature is bad, or missing where one is demanded (trust.h), sets that
 * TO's own retention would drop at once, sets that are not encrypted where TO demands it, and sets
 * whose name another backup has in TO already. */
#ifndef SR_ENGINE_SYNC_H
#define SR_ENGINE_SYNC_H

#include "core/catalog/catalog.h"
#include "core/engine/context.h"

#define SR_SYNC_JOBS_MAX 16

struct sr_sync_options {
    const char *from, *to; /* names of stores of BACKUP_STORAGE_ADAPTER */
    int delete_gone;       /* delete from TO what is not in FROM, as far as TO's retention allows */
    int reread;            /* read again every object of TO instead of believing listings */
    int dry_run;           /* say what would be done; both stores are opened to be read only */
    unsigned jobs;         /* sets at a time, each with a handle of both stores; 0: one */
};

enum sr_sync_outcome {
    SR_SYNC_SAME,     /* in step already */
    SR_SYNC_COPIED,   /* was missing; copied whole (dry run, as for the next: would be) */
    SR_SYNC_REPAIRED, /* objects that were missing or damaged came anew */
    SR_SYNC_ADDED,    /* only what lies beside came: holds, proofs, sums */
    SR_SYNC_SKIPPED,  /* TO would drop it at once, or is just deleting it */
    SR_SYNC_REFUSED,  /* not encrypted, and TO demands it; not signed, and that is demanded */
    SR_SYNC_KEPT,     /* not in FROM, stays in TO (with delete_gone only) */
    SR_SYNC_DELETED,  /* was not in FROM, is gone from TO */
    SR_SYNC_CORRUPT,  /* damaged in FROM, or its signature is bad: not copied */
    SR_SYNC_FAILED,
};

struct sr_sync_item {
    char set[SR_SET_MAX];
    char source[SR_SOURCE_MAX];
    int64_t time; /* UTC seconds */
    enum sr_sync_outcome outcome;
    uint64_t bytes; /* copied (dry run: to be copied; as the listing tells), or freed */
    size_t objects; /* and how many objects those are, all kinds of them */
    char *reason;   /* why, for people; NULL: nothing to say */
};

struct sr_sync_result {
    struct sr_sync_item *items; /* newest first; what is in TO alone comes last */
    size_t len;
    size_t counts[SR_SYNC_FAILED + 1]; /* items of each outcome */
    uint64_t bytes;                    /* copied */
};

/* SR_OK: TO is in step (as far as rules let it be). SR_E_CORRUPT: objects of FROM are damaged or
 * missing; all else was done. SR_E_PARTIAL: some sets could not be copied, or were refused, others
 * are in step. SR_E_REFUSED: a guard held the deletion back before anything was touched, or nothing
 * but refused sets is there. SR_E_BUSY: another sync into TO is running on this host. Otherwise
 * what failed, as when no set could be copied or a store not be listed. ctx's progress is told. */
int sr_sync_run(struct sr_context *ctx, const struct sr_sync_options *o, struct sr_sync_result *ret,
                struct sr_error *err);
void sr_sync_result_done(struct sr_sync_result *r);

#endif
