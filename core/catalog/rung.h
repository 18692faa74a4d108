/* The proof ladder: how far a backup is known to be good, as the names of its proofs tell.
 *
 *     dumped -> stored -> re-read -> opened -> restored -> compared
 *
 *     struct sr_proof_name n;
 *     sr_proof_name_read("proof-reread-20261120130501.json", &n)
 *     sr_proof_suffix(&n, suffix)                     // for sr_beside_key
 *     sr_standing_of(&catalog_set->proofs, now, &standing) // where the set stands now
 *
 * The first two rungs need no proof: the manifest is written last, to a store that confirmed every
 * object, so a set with a manifest is "stored". Each higher one is an object beside the set,
 * written by whoever climbed it (proof.h has what is in it): proof-<rung>-<time>.json, or, when the
 * check found the backup bad, proof-failed-<rung>-<time>.json. A rung contains those below it: what
 * was opened was re-read. Nothing is ever rewritten: later proofs stand beside earlier ones, and
 * the standing is made of all of them.
 *
 * A name is a claim; only sr_proof_read tells whether the proof is of this very manifest. Pure
 * functions; any thread. */
#ifndef SR_CATALOG_RUNG_H
#define SR_CATALOG_RUNG_H

#include "core/util/strlist.h"

#include <stdint.h>

enum sr_rung {
    SR_RUNG_NONE = 0, /* no backup at all */
    SR_RUNG_DUMPED = 1,
    SR_RUNG_STORED = 2,   /* what the manifest says */
    SR_RUNG_REREAD = 3,   /* digest and size of every stored byte */
    SR_RUNG_OPENED = 4,   /* decrypted, decompressed, structure parsed */
    SR_RUNG_RESTORED = 5, /* into a database */
    SR_RUNG_COMPARED = 6, /* and its rows, keys, indexes and sequences hold */
};

/* For people and JSON: "re-read"; a constant, never NULL ("none"). */
const char *sr_rung_name(enum sr_rung r);
/* As keys spell it: "reread". */
const char *sr_rung_word(enum sr_rung r);
/* Either spelling; SR_RUNG_NONE when it is no rung. */
enum sr_rung sr_rung_of(const char *s);

struct sr_proof_name {
    enum sr_rung rung; /* SR_RUNG_REREAD or above: climbed, or fallen off from */
    int failed;
    int64_t time; /* UTC seconds */
};

#define SR_PROOF_SUFFIX_MAX 64 /* bytes with NUL */

/* SR_OK, or SR_E_CONFIG for what is no proof's name. */
int sr_proof_suffix(const struct sr_proof_name *n, char out[SR_PROOF_SUFFIX_MAX]);
/* SR_OK, or SR_E_CORRUPT: not one of ours, or of a later version. */
int sr_proof_name_read(const char *suffix, struct sr_proof_name *ret);

/* Where a set stands after all that its proofs tell. A failure takes back every pass of its rung
 * and of higher ones that is not later than it; a later pass of that rung or a higher one clears
 * it. A pass that bears a time after now was written by a clock that ran ahead: when it was made is
 * not known, so it clears no failure at all. */
struct sr_standing {
    enum sr_rung rung; /* the highest that stands; SR_RUNG_STORED without any proof */
    int64_t since;     /* of the latest pass of that rung or a higher one, now at most; -1: none */
    enum sr_rung failed; /* the lowest rung whose failure stands; SR_RUNG_NONE */
    int64_t failed_at;   /* -1 */
    int64_t checked_at;  /* of the latest proof of any kind; -1: never checked; 0: not known when */
};

/* Of a set that has a manifest, at now (UTC seconds). Suffixes that cannot be read count for
 * nothing. */
void sr_standing_of(const struct sr_strlist *suffixes, int64_t now, struct sr_standing *ret);

#endif
