/* The inside of a save, shared by save.c and blocks.c.
 *
 *     save.c     begins, has the first block filled, decides: one Put Blob, or azure_blocks
 *     blocks.c   what a block is to Azure; the list that commits them
 */
#ifndef AZURE_SAVE_H
#define AZURE_SAVE_H

#include "azure/azure.h"
#include "azure/sums.h"
#include "common/settle.h"
#include "common/upload.h"

#define AZURE_BLOCK_ID_RAW 24 /* 16 random bytes of the upload, 8 of the number */
#define AZURE_BLOCK_ID_SIZE 33

struct azure_saving {
    struct azure *s;
    const char *key;
    const struct sr_storage_object *object;
    const struct sr_storage_reader *reader;
    int replace;
    int64_t retain_until; /* 0: not locked */
    struct sc_plan plan;
    struct azure_summing *summing;
    struct azure_sums *blocks; /* all that were sealed */
    unsigned blocks_cap;
    uint64_t size;              /* of the blocks so far */
    uint8_t upload[16];         /* of this upload's block ids */
    struct sc_settling settled; /* its mark is in the object's metadata */
    struct sr_storage_saved *saved;
};

/* What describes the object: metadata, mark, tier, encryption, lock. On the request that makes it
 * visible. */
int32_t azure_saving_headers(const struct azure_saving *v, struct azure_call *c,
                             struct sc_error *err);
/* Takes over what the answer to that request says of the version it made. */
void azure_saving_version(const struct azure_saving *v, const struct sc_response *r);

/* The id of a block, the same length for each of all objects: blocks of other lengths under one
 * name are refused by the store. */
void azure_block_id(const struct azure_saving *v, unsigned number, char out[AZURE_BLOCK_ID_SIZE]);
/* All of its blocks, and their list. */
int32_t azure_blocks(struct azure_saving *v, struct sc_upload *u, struct sc_error *err);
extern const struct sc_upload_ops azure_block_ops; /* ctx: struct azure_saving */

#endif
