/* Names: labels, sets, sources and the keys made of them. Pure functions.
 *
 *   set       <label>-YYYYMMDDHHMMSS, or the label alone when it ends in such a time already (or
 *             BACKUP_LABEL_TIMESTAMP=off)
 *   object    <set>[-<sha256>][.<database>].sql.gz[.gpg]; .dump.gz; .zst or nothing;
 * .globals.sql.gz beside    <set>.<source>.manifest.json, .detail.json.gz[.gpg], .sha256, .hold,
 * .proof-<rung>-<time>.json
 *
 * Escaping (reversible): bytes outside [A-Za-z0-9.-], a leading dot, and an underscore that would
 * read as an escape become _xHH (upper-case hex); other underscores stay. In sources and database
 * parts dots are escaped too, so that they end at the next dot. Reserved words (globals, redis,
 * manifest, ...) as a database part have their first letter escaped.
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

/* Checks and escapes; SR_E_CONFIG: empty, control characters, too long (says by how much). */
int sr_label_escape(const char *label, char out[SR_LABEL_MAX + 1], struct sr_error *err);
int sr_source_escape(const char *name, char out[SR_SOURCE_MAX], struct sr_error *err);
/* Undoes either; SR_E_CORRUPT when s is no escaped name. */
int sr_name_unescape(const char *s, char *out, size_t cap, struct sr_error *err);

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
int sr_object_key(const struct sr_object_name *n, char *out, size_t cap, struct sr_error *err);

enum sr_key_kind {
    SR_KEY_OTHER, /* not one of ours */
    SR_KEY_OBJECT,
    SR_KEY_MANIFEST,
    SR_KEY_DETAIL,
    SR_KEY_SUMS,
    SR_KEY_HOLD,
    SR_KEY_PROOF,
};
struct sr_key_parts {
    enum sr_key_kind kind;
    char set[SR_SET_MAX];
    char source[SR_SOURCE_MAX]; /* manifest, detail, sums, hold, proof; else "" */
    char sha256[65];            /* objects with a digest in the name; else "" */
    char suffix[128]; /* "sql.gz.gpg", "manifest.json", "proof-reread-20261120130501.json" */
};
/* Never fails: what cannot be read is SR_KEY_OTHER. */
void sr_key_parse(const char *key, struct sr_key_parts *ret);
int sr_beside_key(const char *set, const char *source, const char *suffix, char *out, size_t cap,
                  struct sr_error *err);

#endif
