/* The inside of a save, shared by save.c and multipart.c.
 *
 *     save.c        begins, has the first part filled, decides: one PUT, or s3_multipart
 *     multipart.c   what a part is to S3; beginning, completion, abort
 */
#ifndef S3_SAVE_H
#define S3_SAVE_H

#include "common/settle.h"
#include "common/upload.h"
#include "s3/s3.h"
#include "s3/sums.h"

struct s3_saving {
    struct s3 *s;
    const char *key;
    const struct sr_storage_object *object;
    const struct sr_storage_reader *reader;
    int replace;
    int64_t retain_until; /* 0: not locked */
    int unconditional;    /* the condition may be what was refused: without it this time */
    struct sc_plan plan;
    struct s3_summing *summing;
    char upload_id[S3_UPLOAD_ID_MAX]; /* "": not begun */
    struct s3_part *parts;            /* all that were sealed */
    unsigned parts_cap;
    struct s3_sums whole;       /* the parts so far */
    struct sc_settling settled; /* its mark is in the object's metadata */
    struct sr_storage_saved *saved;
};

struct s3_part {
    char *etag;
    struct s3_sums sums;
};

/* What describes the object: metadata, mark, class, encryption, tags, lock. On PUT and on the start
 * of an upload. */
int32_t s3_saving_headers(const struct s3_saving *v, struct s3_call *c, struct sc_error *err);
/* Nonzero when the request that makes the object visible carries If-None-Match. */
int s3_saving_condition(const struct s3_saving *v);
/* Nonzero when a name that is taken is sure to be refused, or may be replaced. */
int s3_saving_guarded(const struct s3_saving *v);
/* Whether the key is taken: E_EXISTS. SR_STORAGE_OK also for who has no right to look. */
int32_t s3_saving_look(struct s3_saving *v, struct sc_error *err);
/* Makes the object visible by once(), which tells whether the answer may mean that the store knows
 * no such condition (s3_saving_refused): then looks instead, and tries without. Only when that goes
 * well it was the condition, which is told and remembered. E_EXISTS when there is an object. */
struct s3_saving_once {
    int32_t (*once)(struct s3_saving *v, void *ctx, int *ret_refused, struct sc_error *err);
    void *ctx;
};
int32_t s3_saving_try(struct s3_saving *v, const struct s3_saving_once *o, struct sc_error *err);
/* For once(), after a call that carried the condition. */
int s3_saving_refused(const struct s3_saving *v, const struct s3_call *c, struct sc_error *err);
/* Confirms the version that a good answer names. */
void s3_saving_version(struct s3_saving *v, const struct sc_response *r);
/* The store says, in that answer, that it made something else than was sent: see sc_settle_spoilt.
 */
int32_t s3_saving_spoilt(struct s3_saving *v, const struct sc_response *r, struct sc_error *err);

/* All of its parts, and their completion. */
int32_t s3_multipart(struct s3_saving *v, struct sc_upload *u, struct sc_error *err);
extern const struct sc_upload_ops s3_part_ops; /* ctx: struct s3_saving */

#endif
