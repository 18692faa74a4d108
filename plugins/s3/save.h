/* The inside of a save, shared by save.c and multipart.c.
 *
 *     save.c        begins, fills the first part, decides: one PUT, or s3_multipart
 *     multipart.c   parts in parallel, each filled while others are on their way
 */
#ifndef S3_SAVE_H
#define S3_SAVE_H

#include "s3/parts.h"
#include "s3/s3.h"
#include "s3/sums.h"

struct s3_saving {
    struct s3 *s;
    const char *key;
    const struct sr_storage_object *object;
    const struct sr_storage_reader *reader;
    int replace;
    int64_t retain_until;    /* 0: not locked */
    char mark[S3_MARK_SIZE]; /* of this upload, in the object's metadata */
    struct s3_plan plan;
    struct s3_summing *summing;
    int eof; /* the reader has come to its end */
    struct sr_storage_saved *saved;
};

/* Room for a part; data is not initialised. */
struct s3_buffer {
    char *data;
    size_t cap, len;
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
/* The answer to that request said that it knows no such condition: remembers it, and looks instead.
 * E_EXISTS when there is an object now. */
int32_t s3_saving_no_condition(struct s3_saving *v, struct sc_error *err);
/* One pull: at most up to b->cap, waiting at most timeout_ms; *ret_again when nothing came. Sums
 * what came. v->eof at the end. E_CANCELLED when the bytes will never be whole, E_TIMEOUT past the
 * host's deadline. */
int32_t s3_saving_pull(struct s3_saving *v, struct s3_buffer *b, int timeout_ms, int *ret_again,
                       struct sc_error *err);
/* The answer to the request that makes the object visible was lost, or says what may be our own
 * work: looks. SR_STORAGE_OK: it is there, whole, and ours. Else how it failed: *err, which holds
 * why it was lost, is what stays when the object is not there. */
int32_t s3_saving_settle(struct s3_saving *v, uint64_t size, struct sc_error *err);
/* After success: what the store says it holds. E_CORRUPT, and the object is removed, when it is not
 * what was sent; else never fails: who may only write cannot look. */
int32_t s3_saving_confirm_size(struct s3_saving *v, uint64_t size, struct sc_error *err);

/* Everything after the first part: first and second are full and what followed; both are freed. */
int32_t s3_multipart(struct s3_saving *v, struct s3_buffer *first, const struct s3_sums *first_sums,
                     struct s3_buffer *second, struct sc_error *err);

#endif
