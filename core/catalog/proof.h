/* Proof objects: what was checked of a backup, when, by whom, and how it came out.
 *
 *     struct sr_proof p = {.name = {SR_RUNG_REREAD, 0, now}, ...};   // strings owned:
 * sr_set_string sr_proof_write(&p, &buf, &err)            // saved under sr_beside_key(set, source,
 * suffix) sr_proof_read(text, len, &where, &p, &err) sr_proof_done(&p)
 *
 * One lies beside the set for each rung that somebody climbed (rung.h), and one for each that it
 * fell off from: nothing that was written before needs to change, so object lock works. It carries
 * the digest of the manifest, which in its turn carries those of all objects: a proof that was laid
 * beside another set, or whose set was replaced, proves nothing and is told as such. Read as
 * hostile: bounded, typed, its own digest (as in manifest.h) checked, and what it says of itself
 * must be what its name says.
 *
 * The text is one JSON object like a manifest's. Of an encrypted backup it tells nothing that the
 * manifest does not: no tables, no counts, no words of a database.
 *
 *     {"format": 1, "set": ..., "source": ..., "manifest": <digest of the manifest>,
 *      "rung": "re-read", "outcome": "passed" | "failed", "time": <ISO 8601>, "host": ...,
 *      "store": <name there>, "strongroom": <version>, "bytes": <read from the store>,
 *      "seconds": ..., "checked": [<text>...], "error": <text, where it failed>, "digest": ...}
 *
 * Pure functions; any thread. */
#ifndef SR_CATALOG_PROOF_H
#define SR_CATALOG_PROOF_H

#include "core/catalog/names.h"
#include "core/catalog/rung.h"
#include "core/util/buf.h"
#include "core/util/error.h"
#include "core/util/strlist.h"

#define SR_PROOF_FORMAT 1
#define SR_PROOF_MAX (64u << 10) /* bytes of text */
#define SR_PROOF_CHECKED_MAX 48  /* entries of "checked" */
#define SR_PROOF_TEXT_MAX 4096   /* bytes of a text in it */

struct sr_proof {
    char set[SR_SET_MAX];
    char source[SR_SOURCE_MAX];
    char manifest[65]; /* sr_manifest.digest of the set */
    struct sr_proof_name name;
    char *host, *store, *strongroom_version;
    uint64_t bytes; /* read from the store; 0: not known */
    uint64_t seconds;
    struct sr_strlist checked;
    char *error; /* of a failure; else NULL */
};

/* Appends the text to out. Long texts are cut, and so is a long list. SR_E_CONFIG: fields that
 * make no proof. */
int sr_proof_write(const struct sr_proof *p, struct sr_buf *out, struct sr_error *err);

/* Where the proof was found, and what it must therefore be a proof of. */
struct sr_proof_where {
    const char *set, *source, *suffix;
    const char *manifest; /* the digest, 64 hex digits */
};
/* SR_E_CORRUPT: rubbish, or not of this set and manifest (the text says which); SR_E_UNSUPPORTED:
 * of a later version. On success *ret is emptied by the caller with sr_proof_done. */
int sr_proof_read(const void *text, size_t len, const struct sr_proof_where *where,
                  struct sr_proof *ret, struct sr_error *err);
void sr_proof_done(struct sr_proof *p);

#endif
