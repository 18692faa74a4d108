/* Names: labels, sets, sources and the keys made of them. Pure functions.
 *
 *   set       <label>-YYYYMMDDHHMMSS, or the label alone when it ends in such a time already (or
 *             BACKUP_LABEL_TIMESTAMP=off)
 *   object    <set>[-<sha256>][.<database>].sql.gz[.gpg]; .dump.gz; .zst or nothing;
 *             .globals.sql.gz
 *   beside    <set>.<source>.manifest.json, .detail.json.gz[.gpg], .sha256, .signature, .hold,
 *             .pruning, .proof-[failed-]<rung>-<time>.json (rung.h); a source is never a reserved
 *             word (app.sql.gz.sha256 is no key of ours)
 *   claim     <set>.claim: the set's name is taken (mark.h)
 *
 * Escaping (reversible): bytes outside [A-Za-z0-9.-], a leading dot or dash, and an underscore that
 * would read as an escape become _xHH (upper-case hex); other underscores stay. In sources and
 * database parts dots are escaped too, so that they end at the next dot. What would make a key read
 * in two ways is escaped as well: the first letter of a reserved word (globals, redis, manifest,
 * ...) as a source or database part, in these the dash before a time at the end, and in labels a
 * dot after -YYYYMMDDHHMMSS and the dot of a reserved word at the end.
 *
 * A source that is too long when escaped is cut and ends in a dash and 8 hex digits of the SHA-256
 * of its whole escaped form: the one case that cannot be undone. The same is done to the database
 * part of an object's key, which has room for SR_DATABASE_PART_MAX bytes.
 */
#ifndef SR_CATALOG_NAMES_H
#define SR_CATALOG_NAMES_H

#include "core/util/error.h"

#include <stddef.h>
#include <stdint.h>

#define SR_LABEL_MAX 64       /* bytes, escaped */
#define SR_SET_MAX 80         /* bytes with NUL: label, dash, stamp */
#define SR_SOURCE_MAX 64      /* bytes with NUL, escaped */
#define SR_LABEL_TEXT_MAX 128 /* bytes with NUL, unescaped or set name */

/* An object's key must fit SR_KEY_COMPONENT_MAX with the longest set, a digest and .dump.zst.gpg.
 */
#define SR_DATABASE_PART_MAX 42

/* Checks and escapes; SR_E_CONFIG: empty, control characters, too long (says by how much). */
int sr_label_escape(const char *label, char out[SR_LABEL_MAX + 1], struct sr_error *err);
/* Any bytes, because database names may hold any; SR_E_CONFIG: empty, or longer than 4096 bytes. */
int sr_source_escape(const char *name, char out[SR_SOURCE_MAX], struct sr_error *err);
/* Undoes either; SR_E_CORRUPT when s is no escaped name or does not fit cap. */
int sr_name_unescape(const char *s, char *out, size_t cap, struct sr_error *err);

/* SR_E_CONFIG when escaped_label is not what sr_label_escape gives. */
int sr_set_make(const char *escaped_label, int64_t now, int timestamp, char out[SR_SET_MAX],
                struct sr_error *err);
/* Label part and time of a set's name; *ret_time -1 when it carries none. */
void sr_set_split(const char *set, char label[SR_SET_MAX], int64_t *ret_time);

struct sr_object_name {
    const char *set;
    const char *sha256;      /* 64 hex digits, or NULL */
    const char *database;    /* escaped part, or NULL */
    const char *kind;        /* "sql", "dump", "globals.sql", "redis.rdb" */
    const char *compression; /* "gz", "zst", "" */
    int encrypted;
};
/* SR_E_CONFIG for parts that make no name, or when cap is too small. */
int sr_object_key(const struct sr_object_name *n, char *out, size_t cap, struct sr_error *err);

enum sr_key_kind {
    SR_KEY_OTHER, /* not one of ours */
    SR_KEY_OBJECT,
    SR_KEY_MANIFEST,
    SR_KEY_DETAIL,
    SR_KEY_SUMS,
    SR_KEY_SIGNATURE,
    SR_KEY_HOLD,
    SR_KEY_PROOF,
    SR_KEY_PRUNING,
    SR_KEY_CLAIM,
};
struct sr_key_parts {
    enum sr_key_kind kind;
    char set[SR_SET_MAX];
    char source[SR_SOURCE_MAX]; /* of what lies beside a set; else "" */
    char sha256[65];            /* objects with a digest in the name; else "" */
    char suffix[128]; /* "sql.gz.gpg", "manifest.json", "proof-reread-20261120130501.json" */
    char database[SR_SOURCE_MAX]; /* objects with a database part; else "" */
};
/* Never fails: what cannot be read is SR_KEY_OTHER, with empty parts. One reading is uncertain: of
 * an object without digest whose set carries no time, "a.b.sql.gz", the set is "a.b", though it may
 * be database b of set a; who knows the sets asks sr_key_belongs. */
void sr_key_parse(const char *key, struct sr_key_parts *ret);
/* Nonzero when key can be an object of set or lie beside it: it goes on after the set's name with
 * a dot, or with a dash and a digest. */
int sr_key_belongs(const char *key, const char *set);
/* The key of the set's claim; SR_E_CONFIG when set is no name of one. */
int sr_claim_key(const char *set, char *out, size_t cap, struct sr_error *err);
/* suffix as in struct sr_key_parts. SR_E_CONFIG for what would not be read back as such. */
int sr_beside_key(const char *set, const char *source, const char *suffix, char *out, size_t cap,
                  struct sr_error *err);
/* What lies beside a set under this suffix; SR_KEY_OTHER: nothing of ours. */
enum sr_key_kind sr_beside_kind(const char *suffix);

#endif
