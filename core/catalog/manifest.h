/* The manifest of a set: what may be seen without the key. The detail: what tells about the data.
 *
 *     sr_manifest_new(&m); fill the fields (strings are owned: sr_set_string); sr_manifest_write(m,
 * &buf, &err) sr_manifest_read(text, len, &m, &err) sr_manifest_free(m)
 *
 * The manifest is the commit mark: written last, read as hostile (bounded, typed, self-digest
 * checked, keys legal and belonging to the set). Unknown members are kept out but allowed (later
 * versions add); a format version above ours is SR_E_UNSUPPORTED.
 */
#ifndef SR_CATALOG_MANIFEST_H
#define SR_CATALOG_MANIFEST_H

#include "core/util/buf.h"
#include "core/util/error.h"
#include "core/util/strlist.h"

#include <stdint.h>

#define SR_MANIFEST_FORMAT 1
#define SR_MANIFEST_MAX (4u << 20)
#define SR_DETAIL_MAX (64u << 20)

struct sr_rows {
    char *table; /* as the dump spells it */
    uint64_t rows;
};

struct sr_manifest_object {
    char *key;
    char *kind;          /* "plain", "custom", "globals", "adopted" */
    char *database;      /* only when encryption is off; else NULL (it is in the detail) */
    char *compression;   /* "gzip", "zstd", "none" */
    char *encryption;    /* "none", "gpg-public", "gpg-symmetric" */
    uint64_t size;       /* bytes as stored */
    char sha256[65];     /* as stored */
    uint64_t plain_size; /* compressed, before encryption */
    char plain_sha256[65];
    uint64_t raw_size; /* the dump itself; 0 unknown */
};

struct sr_manifest {
    int format;
    char *set, *label, *source;
    int64_t created_at; /* UTC seconds: the time in the name */
    int64_t finished_at;
    char *trigger; /* cli, scheduled, api */
    char *strongroom_version;
    char *host; /* only when encryption is off */
    struct sr_manifest_object *objects;
    size_t objects_len;
    struct sr_strlist recipients; /* fingerprints */
    struct sr_strlist tools;  /* "pg_dump 15.20", "server 15.20", "gzip ISA-L 2.30", "gpg 2.2.40" */
    struct sr_strlist notes;  /* "globals without role passwords" ... */
    char *detail_key;         /* NULL: none (encryption off: the detail is in `detail`) */
    struct sr_detail *detail; /* when encryption is off; else NULL */
};

struct sr_detail_object {
    char *key;
    char *database;
    struct sr_rows *rows;
    size_t rows_len;
};
struct sr_detail {
    char *set, *host, *server, *user;
    struct sr_detail_object *objects;
    size_t objects_len;
    struct sr_strlist roles, extensions;
};

int sr_manifest_new(struct sr_manifest **ret);
struct sr_manifest_object *sr_manifest_add_object(struct sr_manifest *m); /* NULL: no memory */
int sr_manifest_write(const struct sr_manifest *m, struct sr_buf *out, struct sr_error *err);
int sr_manifest_read(const void *text, size_t len, struct sr_manifest **ret, struct sr_error *err);
void sr_manifest_free(struct sr_manifest *m);

int sr_detail_new(struct sr_detail **ret);
struct sr_detail_object *sr_detail_add_object(struct sr_detail *d);
int sr_detail_add_rows(struct sr_detail_object *o, const char *table, uint64_t rows);
int sr_detail_write(const struct sr_detail *d, struct sr_buf *out, struct sr_error *err);
int sr_detail_read(const void *text, size_t len, struct sr_detail **ret, struct sr_error *err);
void sr_detail_free(struct sr_detail *d);

/* Frees *field and sets it to a copy of value (NULL: none). SR_OK or SR_E_NO_MEMORY. */
int sr_set_string(char **field, const char *value);

#endif
