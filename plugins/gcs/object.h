/* An object as Google describes it in JSON (pure: no network).
 *
 *     struct gcs_object o;
 *     gcs_object_read(json, &o, &err)      the resource "Objects" of the JSON API
 *
 * What is optional there and missing is zero here. Numbers of 64 bits come as texts. One thread at
 * a time; o.name is borrowed from the JSON. */
#ifndef GCS_OBJECT_H
#define GCS_OBJECT_H

#include "common/json.h"
#include "common/settle.h"

#include <strongroom/storage.h>

#define GCS_GENERATION_MAX 24
#define GCS_CRC_LEN 4
#define GCS_CRC_TEXT 9 /* its base64, with NUL */

/* The object's metadata that holds the mark of the upload that made it: by it a lost answer is
 * cleared up. */
#define GCS_MARK_NAME "strongroom-upload"

/* What is asked for of each object. */
#define GCS_OBJECT_FIELDS                                                           \
    "name,size,updated,generation,crc32c,timeDeleted,temporaryHold,eventBasedHold," \
    "retentionExpirationTime,retention/retainUntilTime,metadata/" GCS_MARK_NAME

struct gcs_object {
    const char *name;
    uint64_t size;
    int64_t modified;     /* UTC seconds */
    int64_t locked_until; /* 0: not locked; INT64_MAX: until a hold is lifted */
    char generation[GCS_GENERATION_MAX];
    char mark[SC_MARK_SIZE];
    int has_crc32c;
    uint32_t crc32c;
    int old; /* a generation that is no longer the current one */
};

/* E_CORRUPT for one without a name, a size or a generation, or with one that is none. */
int32_t gcs_object_read(const json_t *v, struct gcs_object *ret, struct sc_error *err);
/* The entry of a listing; its key is o->name unless key says otherwise. sum has room for
 * GCS_CRC_LEN bytes, which live as long as the entry. */
struct sr_storage_entry gcs_object_entry(const struct gcs_object *o, const char *key,
                                         uint8_t sum[GCS_CRC_LEN]);

/* sums.c: base64 of the four bytes, most significant first. */
void gcs_crc_text(uint32_t crc, char out[GCS_CRC_TEXT]);
/* 0, or -1 when it is no such text. */
int gcs_crc_parse(const char *text, uint32_t *ret);
struct sc_headers;
/* The CRC-32C of x-goog-hash, which may come several times, and with several sums at once; 0, or -1
 * when there is none. */
int gcs_crc_stated(const struct sc_headers *h, uint32_t *ret);

#endif
