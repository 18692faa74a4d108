/* The inside of a save, shared by save.c, resumable.c and multipart.c.
 *
 *     save.c        begins, has the first part filled, decides: one request, or one of
 *     resumable.c   a session that takes chunks one after the other
 *     multipart.c   parts in parallel
 *
 * WHICH OF THE TWO. A session ends under ifGenerationMatch=0: of two savers of a name exactly one
 * succeeds. Uploads in parts know no preconditions ("XML API multipart uploads", Considerations),
 * and their completion replaces what is there. So parts are used by themselves only where something
 * may be replaced anyway (SR_STORAGE_SAVE_REPLACE); elsewhere only when the operator says so, and
 * then the guard is to look just before the completion. That this account may delete nothing, and
 * that Google would refuse to replace anything therefore, is no guard either: rights are given for
 * names and with conditions too, of which a question about the bucket tells nothing. Composing
 * objects that were uploaded in parallel would be guarded, but needs the right to read and delete,
 * and under a retention policy the pieces stay; they are listed, and billed, beside the backups
 * meanwhile. */
#ifndef GCS_SAVE_H
#define GCS_SAVE_H

#include "common/settle.h"
#include "common/upload.h"
#include "gcs/gcs.h"

#define GCS_CHUNK_UNIT (UINT64_C(256) << 10) /* every chunk but the last is a multiple of it */
#define GCS_OBJECT_MOST (UINT64_C(5) << 40)
#define GCS_PART_MOST (UINT64_C(5) << 30)

struct gcs_part {
    char *etag;
    uint32_t crc32c;
    uint64_t len;
};

struct gcs_saving {
    struct gcs *s;
    const char *key;
    const struct sr_storage_object *object;
    const struct sr_storage_reader *reader;
    int replace;
    int64_t retain_until; /* 0: not locked */
    int in_parts;         /* by multipart.c; else by resumable.c */
    struct sc_plan plan;
    struct sc_settling settled; /* its mark is in the object's metadata */
    struct sr_storage_saved *saved;

    /* What came from the reader so far. */
    uint32_t crc32c; /* of all of it */
    uint64_t len;
    uint32_t part_crc32c; /* since the last part was sealed */
    uint64_t part_len;

    /* resumable.c */
    struct sc_buf session_path, session_query; /* the session's; empty: none */
    uint64_t persisted;                        /* bytes that Google has, from the start */
    int open;                                  /* the answer to the last chunk was lost */
    int late;                                  /* and it may be at work still */
    int made;                                  /* the object is there: made_as */
    struct gcs_object made_as;                 /* its name is NULL */

    /* multipart.c */
    char upload_id[GCS_UPLOAD_ID_MAX]; /* "": not begun */
    struct gcs_part *parts;
    unsigned parts_cap;
};

/* The object's description in JSON, malloc'd: class, metadata with the mark, hold, lock, custom
 * time. crc32c: NULL, or the whole object's, by which Google refuses what was damaged on the way.
 */
int32_t gcs_saving_describe(const struct gcs_saving *v, const uint32_t *crc32c, char **ret,
                            struct sc_error *err);
/* Query and headers of the request that begins or makes an object in JSON: condition, keys. */
int32_t gcs_saving_begin(const struct gcs_saving *v, struct gcs_call *c, struct sc_error *err);
/* What Google says that it made: E_CORRUPT, and the object is removed, when it is not what was
 * sent; else what it confirms goes to v->saved. */
int32_t gcs_saving_confirm(struct gcs_saving *v, const struct gcs_object *o, struct sc_error *err);
/* That generation, which we made, is not what was sent: see sc_settle_spoilt. NULL or "": the
 * answer did not name it, and only what bears our mark is removed. */
int32_t gcs_saving_spoilt(struct gcs_saving *v, const char *generation, struct sc_error *err);
/* Whether the key is taken: E_EXISTS. SR_STORAGE_OK also for who has no right to look. */
int32_t gcs_saving_look(struct gcs_saving *v, struct sc_error *err);

/* Everything of it, its end and what is left of a failure. */
int32_t gcs_resumable(struct gcs_saving *v, struct sc_upload *u, struct sc_error *err);
extern const struct sc_upload_ops gcs_chunk_ops; /* ctx: struct gcs_saving */
int32_t gcs_multipart(struct gcs_saving *v, struct sc_upload *u, struct sc_error *err);
extern const struct sc_upload_ops gcs_part_ops; /* likewise */

/* Sums what came; for both kinds of ops. */
void gcs_saving_took(void *ctx, const void *data, size_t len);

#endif
