/* Marks: small objects by which a store itself says what is whose.
 *
 *   <set>.claim              written before the first object of a run, create-only: of several
 * hosts that want one set's name exactly one gets it. It stays as long as the set, so a name is
 * never given twice, and nothing needs to be deleted. <set>.<source>.pruning   written before
 * retention deletes the set's manifest, removed last: a hold that comes at that moment sees it, and
 * a prune that was cut off leaves word of what belonged to the set.
 *
 *     struct sr_mark m = {.kind = SR_KEY_CLAIM, .run = ..., .source = ...};
 *     sr_mark_add(&m, key)  sr_mark_add_end(&m, end)
 *     sr_mark_write(&m, &buf, &err)
 *     sr_mark_read(text, len, set, &m, &err)      // hostile: bounded, typed, keys of this set only
 *     sr_mark_done(&m)
 *
 * The text is a line "strongroom claim 1" (or "pruning"), then lines of a word, a blank and a
 * value: run, source, key, end. An `end` stands for a key whose digest is not known yet. Without
 * such a text a file of that name is not ours, and what lies beside it neither: by marks alone a
 * sweep tells the leftovers of strongroom from dumps that other scripts made under names of the
 * same shape. Pure functions; any thread.
 */
#ifndef SR_CATALOG_MARK_H
#define SR_CATALOG_MARK_H

#include "core/catalog/names.h"
#include "core/util/buf.h"
#include "core/util/strlist.h"

#define SR_MARK_MAX (4u << 20) /* bytes of text */
#define SR_RUN_ID_SIZE 33      /* 32 hex digits and NUL */

struct sr_mark {
    enum sr_key_kind kind;      /* SR_KEY_CLAIM or SR_KEY_PRUNING */
    char run[SR_RUN_ID_SIZE];   /* who wrote it: random, one for each run */
    char source[SR_SOURCE_MAX]; /* escaped */
    struct sr_strlist keys;     /* exact ones */
    struct sr_strlist ends;     /* ".sql.gz.gpg": what follows <set>-<sha256> */
};

/* A random run id; SR_E_IO when there is no randomness. */
int sr_run_id_make(char out[SR_RUN_ID_SIZE], struct sr_error *err);
/* Nonzero for 32 lower-case hex digits. */
int sr_run_id_ok(const char *s);

/* Copy; SR_OK or SR_E_NO_MEMORY. */
int sr_mark_add(struct sr_mark *m, const char *key);
int sr_mark_add_end(struct sr_mark *m, const char *end);
/* Appends the text to out; SR_E_NO_SPACE past its ceiling. */
int sr_mark_write(const struct sr_mark *m, struct sr_buf *out, struct sr_error *err);
/* Fills *ret, which the caller empties with sr_mark_done whatever comes back. SR_E_CORRUPT: not
 * ours, or it names what is not of this set; SR_E_UNSUPPORTED: of a later version. */
int sr_mark_read(const char *text, size_t len, const char *set, struct sr_mark *ret,
                 struct sr_error *err);
/* Nonzero when the mark of set speaks for this key. An end only does for a set with a time in its
 * name: a bare label is not sure enough. Never for a manifest or a mark. */
int sr_mark_covers(const struct sr_mark *m, const char *set, const char *key);
void sr_mark_done(struct sr_mark *m);

#endif
