/* The manifest of a set: what may be seen without the key. The detail: what tells about the data.
 *
 *     sr_manifest_new(&m); fill the fields (strings are owned: sr_set_string)
 *     sr_manifest_write(m, &buf, &err)
 *     sr_manifest_read(text, len, &m, &err)
 *     sr_manifest_free(m)
 *
 * The manifest is the commit mark: written last, read as hostile (bounded, typed, self-digest
 * checked, keys legal, belonging to the set and named once). Unknown members are kept out but
 * allowed (later versions add); a format version above ours is SR_E_UNSUPPORTED.
 *
 * The text is one JSON object in UTF-8, indented by two blanks, members always in the same order, a
 * newline at the end; equal manifests give equal text. Names that are not UTF-8 are written with
 * \xHH for each wrong byte. Times are ISO 8601 UTC; what is unknown is left out.
 *
 * The last member, "digest", finds damage (it proves nothing about who wrote it). It is the
 * SHA-256, in lower-case hex, of the object without that member, written without blanks or line
 * ends, members of every object sorted by the bytes of their names, strings in UTF-8 with only '"',
 * '\' and control characters below U+0020 escaped (\b \f \n \r \t, otherwise \u00XX). Members that
 * we do not know are covered too. In the shell:  jq -cSj 'del(.digest)' FILE | sha256sum
 */
#ifndef SR_CATALOG_MANIFEST_H
#define SR_CATALOG_MANIFEST_H

#include "core/util/buf.h"
#include "core/util/error.h"
#include "core/util/strlist.h"

#include <stdint.h>

#define SR_MANIFEST_FORMAT 1
#define SR_MANIFEST_MAX (16u << 20) /* bytes of text */
#define SR_DETAIL_MAX (64u << 20)   /* likewise */

struct sr_rows {
    char *table; /* as the dump spells it */
    uint64_t rows;
};

struct sr_manifest_object {
    char *key;
    char *kind;            /* "plain", "custom", "globals", "adopted" */
    char *database;        /* only when encryption is off; else NULL (it is in the detail) */
    char *compression;     /* "gzip", "zstd", "none" */
    char *encryption;      /* "none", "gpg-public", "gpg-symmetric" */
    uint64_t size;         /* bytes as stored */
    char sha256[65];       /* as stored */
    uint64_t plain_size;   /* compressed, before encryption */
    char plain_sha256[65]; /* "" unknown (adopted, and no key) */
    uint64_t raw_size;     /* the dump itself; 0 unknown */
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
    char digest[65];          /* its self-digest, of one that was read; else "" */
    char detail_sha256[65];   /* of what lies under detail_key, as a signature that was checked says
                                 it (core/engine/trust.h); "": nobody vouches for it */
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

/* Empty, the caller's. SR_OK or SR_E_NO_MEMORY. */
int sr_manifest_new(struct sr_manifest **ret);
/* Zeroed, owned by m, in place until the next one is added. NULL: no memory. */
struct sr_manifest_object *sr_manifest_add_object(struct sr_manifest *m);
/* Appends the text to out. What could not be read back is not written: SR_E_INTERNAL. Where the row
 * counts of an embedded detail would make it larger than SR_MANIFEST_MAX they are left out, which a
 * note in the text says. */
int sr_manifest_write(const struct sr_manifest *m, struct sr_buf *out, struct sr_error *err);
/* SR_E_CORRUPT or SR_E_UNSUPPORTED; *ret is the caller's. */
int sr_manifest_read(const void *text, size_t len, struct sr_manifest **ret, struct sr_error *err);
/* NULL is fine, as for all that follows. */
void sr_manifest_free(struct sr_manifest *m);

/* As for the manifest. Counts that are added twice for a table are summed when written; a table's
 * name may hold any bytes. */
int sr_detail_new(struct sr_detail **ret);
struct sr_detail_object *sr_detail_add_object(struct sr_detail *d);
int sr_detail_add_rows(struct sr_detail_object *o, const char *table, uint64_t rows);
int sr_detail_write(const struct sr_detail *d, struct sr_buf *out, struct sr_error *err);
int sr_detail_read(const void *text, size_t len, struct sr_detail **ret, struct sr_error *err);
void sr_detail_free(struct sr_detail *d);

/* Frees *field and sets it to a copy of value (NULL: none). SR_OK or SR_E_NO_MEMORY. */
int sr_set_string(char **field, const char *value);

#endif
