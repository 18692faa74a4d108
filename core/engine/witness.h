/* That bytes which are read twice are the same both times: first to be checked, then to be used.
 *
 *     sr_witness_new(&w, &err)
 *     sr_witness_note(w, input, &in, &err)     // reads through `in`: each block's digest is kept
 *     sr_witness_hold(w, input, &in, &err)     // reads through `in`: a block is handed on only
 * when
 *                                              // it has the digest that was kept, as often as
 * liked sr_witness_input(in)                     // what a pipeline takes sr_witness_input_free(in)
 *     sr_witness_free(w)                       // after its inputs
 *
 * Whoever can write to a store can exchange an object between the two reads. The digest of the
 * whole would tell at the end, when what came first has been run by the database already; here
 * nothing that was not checked gets beyond the block that it stands in. Memory: 32 bytes for each
 * SR_WITNESS_BLOCK of the object, and one block while holding. An input is of one thread at a time
 * and uses, never owns, the input behind it; noting ends at that input's clean end. */
#ifndef SR_ENGINE_WITNESS_H
#define SR_ENGINE_WITNESS_H

#include "core/pipeline/pipeline.h"

#define SR_WITNESS_BLOCK (4u << 20) /* bytes */

struct sr_witness;
struct sr_witness_input;

int sr_witness_new(struct sr_witness **ret, struct sr_error *err);
void sr_witness_free(struct sr_witness *w); /* NULL is fine */

/* Forgets what was noted before. behind stays the caller's and must outlive *ret. */
int sr_witness_note(struct sr_witness *w, const struct sr_input *behind,
                    struct sr_witness_input **ret, struct sr_error *err);
/* Reading is SR_E_CORRUPT where a byte differs, or where there are fewer or more than were noted;
 * SR_E_INTERNAL when noting did not come to the end. */
int sr_witness_hold(struct sr_witness *w, const struct sr_input *behind,
                    struct sr_witness_input **ret, struct sr_error *err);
const struct sr_input *sr_witness_input(const struct sr_witness_input *in);
void sr_witness_input_free(struct sr_witness_input *in); /* NULL is fine */

#endif
