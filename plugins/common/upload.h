/* An object of unknown length, sent in parts, several at once, while its bytes come in.
 *
 *     struct sc_upload *u;
 *     sc_upload_new(&(struct sc_upload_options){...}, &u, &err)    knows plan and provider
 *     sc_upload_begin(u, &single, &err)        pulls the first part, and as much of a second as
 * tells if (single)                              whether there is one send single->data,
 * single->len in one request, again as often as need be else { tell the store that parts will come,
 * where it wants to know sc_upload_run(u, &err)               all parts, to the reader's end; then
 * none is under way have the store put sc_upload_count(u) parts together
 *     }
 *     sc_upload_stop(u)                        after a failure: takes out what is under way
 *     sc_upload_free(u)
 *
 * What a part is to the store is the provider's affair: sc_upload_ops. For each part in turn
 * `sealed` is called once when all of its bytes have come (`took` saw them) and none of the next
 * one's; then `part`, which makes the request; then `done` with the answer, in whatever order
 * answers come; and `end` frees the request. A part's bytes stay where they are until `end`.
 *
 * MEMORY is the plan's (common/parts.h): each buffer is a part that is on its way, or the one that
 * fills. Parts that were throttled make the number at once smaller, down to one; several rounds of
 * parts that were not make it larger again. The source never
 * waits for the network longer than a buffer takes, nor the network for the source. One thread:
 * that of the call of save. Errors leave the upload to be stopped and freed. */
#ifndef SC_UPLOAD_H
#define SC_UPLOAD_H

#include "common/http.h"
#include "common/parts.h"

#define SC_UPLOAD_AGAIN INT32_MAX

struct sc_upload_ops {
    size_t call_size; /* of the provider's struct of a request, which begins with struct sc_call */
    /* Bytes of the object, in order. */
    void (*took)(void *ctx, const void *data, size_t len);
    int32_t (*sealed)(void *ctx, unsigned number, struct sc_error *err);
    /* Makes the request in call, which is zeroed; it is added to the client here. After an error
     * end is called all the same. */
    int32_t (*part)(void *ctx, unsigned number, const void *data, size_t len, void *call,
                    struct sc_error *err);
    /* The store has taken the part. SC_UPLOAD_AGAIN: it has not taken all of it yet, and `part` is
     * to make another request for the same bytes. */
    int32_t (*done)(void *ctx, unsigned number, void *call, struct sc_error *err);
    void (*end)(void *call);
};

struct sc_upload_options {
    const struct sr_storage_host *host;
    const struct sr_storage_reader *reader;
    struct sc_http *http;
    const struct sc_upload_ops *ops; /* static */
    void *ctx;                       /* of ops */
    const struct sc_plan *plan;      /* copied */
    unsigned concurrency;            /* parts under way at once; 1 or more */
};

/* Bytes that were pulled; borrowed. */
struct sc_buffer {
    char *data;
    size_t cap, len;
};

struct sc_upload;

/* Chooses the plan for an object: E_CONFIG, which says what to set, when its size is known and no
 * plan reaches it; else how large it can be goes to the log (verbose). */
int32_t sc_upload_plan(const struct sr_storage_host *host, const struct sr_storage_object *object,
                       const struct sc_limits *limits, struct sc_plan *ret, struct sc_error *err);

int32_t sc_upload_new(const struct sc_upload_options *options, struct sc_upload **ret,
                      struct sc_error *err);
/* NULL is nothing. What is under way is stopped. */
void sc_upload_free(struct sc_upload *u);

/* *ret_single: the whole object, sealed as part 1; NULL when there is more than one part.
 * E_CANCELLED when the bytes will never be whole, E_TIMEOUT past the host's deadline; so does run.
 */
int32_t sc_upload_begin(struct sc_upload *u, const struct sc_buffer **ret_single,
                        struct sc_error *err);
/* What a part failed with, "part 3: ..." before it; E_NO_SPACE past the plan's last part. */
int32_t sc_upload_run(struct sc_upload *u, struct sc_error *err);
void sc_upload_stop(struct sc_upload *u);
/* Parts that were sealed. */
unsigned sc_upload_count(const struct sc_upload *u);

#endif
