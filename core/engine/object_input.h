/* A stored object or a file as the input of a pipeline.
 *
 *     sr_object_input_store(store, key, &in, &err);   or   sr_object_input_file(path, &in, &err);
 *     sr_pipeline_start(p, sr_object_input_get(in), &err); ... sr_pipeline_finish(p, &err);
 *     sr_object_input_free(in);
 *
 * A store pushes and a pipeline pulls: a thread of this file's own runs the fetch and copies each
 * piece into the buffer that the reader waits with, so that memory stays what the two sides have
 * anyway. A read returns a full buffer, or what there is at the end. The store's handle belongs to
 * this input until it is freed.
 */
#ifndef SR_ENGINE_OBJECT_INPUT_H
#define SR_ENGINE_OBJECT_INPUT_H

#include "core/pipeline/pipeline.h"
#include "core/store/store.h"

struct sr_object_input;

/* The fetch starts at the first read. */
int sr_object_input_store(struct sr_store_rw *store, const char *key, struct sr_object_input **ret,
                          struct sr_error *err);
int sr_object_input_file(const char *path, struct sr_object_input **ret, struct sr_error *err);
const struct sr_input *sr_object_input_get(const struct sr_object_input *in);
/* Bytes of the file, or SR_SIZE_UNKNOWN. */
uint64_t sr_object_input_size(const struct sr_object_input *in);
void sr_object_input_free(struct sr_object_input *in);

#endif
