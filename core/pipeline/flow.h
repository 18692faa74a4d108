/* A transformer's view of the pipeline: pieces come in, bytes go out.
 *
 *     for (;;) {
 *         sr_flow_take(f, &data, &len, err);           // len 0: the clean end
 *         sr_flow_room(f, &out, &cap, err);            // memory of the chunk that goes out next
 *         n = transform(data, len, out, cap);
 *         sr_flow_put(f, n, err);
 *     }
 *
 * Every function returns SR_OK, or a failure after which run must return that code soon:
 * SR_E_CANCELLED when the pipeline failed elsewhere or was cancelled, or what an observer said. One
 * thread.
 */
#ifndef SR_PIPELINE_FLOW_H
#define SR_PIPELINE_FLOW_H

#include "core/pipeline/chunk.h"
#include "core/pipeline/queue.h"

#define SR_FLOW_PEEK_MAX 16

struct sr_step;

/* Observers run in order on the flow's thread: `before` on what is taken, `after` on what is put.
 * Each is a part of the pipeline's list of steps, [first, end). */
struct sr_observers {
    struct sr_step *first, *end;
};

struct sr_flow {
    struct sr_queue *in; /* NULL: the reader, which only puts */
    struct sr_queue *out;
    struct sr_chunk_pool *pool;
    struct sr_observers before, after;
    /* the flow's own */
    struct sr_chunk *taken;  /* behind the piece last taken */
    struct sr_chunk *filled; /* going out next */
    int again;               /* taken was only peeked at */
    int in_ended;
    unsigned char peeked[SR_FLOW_PEEK_MAX];
    size_t peeked_len;
};

/* The next piece, valid until the next take, pass or peek; *ret_len is 0 at the clean end, by which
 * time the observers before have finished. Taking again after the end gives the end again. */
int sr_flow_take(struct sr_flow *f, const unsigned char **ret_data, size_t *ret_len,
                 struct sr_error *err);
/* The first bytes, up to want (at most SR_FLOW_PEEK_MAX), fewer when the end comes before; they
 * will be taken again. Once, before the first take. */
int sr_flow_peek(struct sr_flow *f, size_t want, unsigned char *ret_bytes, size_t *ret_len,
                 struct sr_error *err);
/* Hands on everything from here to the end as it is, without copying where chunks are whole. */
int sr_flow_pass(struct sr_flow *f, struct sr_error *err);
/* Room for at least one byte. */
int sr_flow_room(struct sr_flow *f, unsigned char **ret_out, size_t *ret_cap, struct sr_error *err);
/* n bytes were written to the room. */
int sr_flow_put(struct sr_flow *f, size_t n, struct sr_error *err);
int sr_flow_write(struct sr_flow *f, const void *data, size_t len, struct sr_error *err);
/* Sends what is left, finishes the observers after, ends the queue. For the pipeline. */
int sr_flow_end(struct sr_flow *f, struct sr_error *err);
/* Gives back the chunks it holds. For the pipeline. */
void sr_flow_done(struct sr_flow *f);

#endif
