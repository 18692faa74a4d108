/* What a block is to Azure, and the list that commits them ("Put Block", "Put Block List").
 *
 * Blocks that are never committed are invisible, and Azure drops them a week after the last one was
 * sent. There is no request that removes them: what does (committing another list, Put Blob) makes
 * an object of that name visible. So an upload that fails leaves them, and says so. */
#include "azure/save.h"

#include <stdio.h>
#include <string.h>

#define LIST_MAX ((size_t)8 << 20)

/* --- blocks ---------------------------------------------------------------------------------- */

void azure_block_id(const struct azure_saving *v, unsigned number, char out[AZURE_BLOCK_ID_SIZE])
{
    uint8_t raw[AZURE_BLOCK_ID_RAW];
    struct sc_buf b = SC_BUF_INIT(AZURE_BLOCK_ID_SIZE - 1);
    memcpy(raw, v->upload, sizeof v->upload);
    sc_put_be(raw + sizeof v->upload, sizeof raw - sizeof v->upload, number);
    sc_base64_encode(&b, raw, sizeof raw);
    memcpy(out, sc_buf_str(&b), b.len);
    out[b.len] = '\0';
    sc_buf_done(&b);
}

static void block_took(void *ctx, const void *data, size_t len)
{
    const struct azure_saving *v = ctx;
    azure_summing_add(v->summing, data, len);
}

static int32_t block_sealed(void *ctx, unsigned number, struct sc_error *err)
{
    struct azure_saving *v = ctx;
    if (number > v->blocks_cap) {
        unsigned cap = v->blocks_cap ? v->blocks_cap * 2 : 64;
        struct azure_sums *p = realloc(v->blocks, cap * sizeof *p);
        if (!p)
            return sc_fail_memory(err);
        v->blocks = p;
        v->blocks_cap = cap;
    }
    int32_t rc = azure_summing_end(v->summing, &v->blocks[number - 1], err);
    if (rc == SR_STORAGE_OK)
        v->size += v->blocks[number - 1].len;
    return rc;
}

/* The store tells the sum of what it took; it may come from a proxy, or from damage in its memory.
 */
static void block_judge(struct sc_call *call, struct sc_verdict *v)
{
    const struct azure_call *c = (const struct azure_call *)call;
    const struct azure_sums *ours = call->ctx;
    azure_answer_judge(call, v);
    if (v->cls != SC_DONE || !azure_sums_differ(&call->response, ours, azure_sum_kind(c->s)))
        return;
    v->cls = SC_FEW;
    v->code = SR_STORAGE_E_CORRUPT;
    (void)snprintf(v->text, sizeof v->text,
                   "HTTP %d with another checksum than that of what was sent",
                   call->response.status);
}

static int32_t block_request(void *ctx, unsigned number, const void *data, size_t len, void *call,
                             struct sc_error *err)
{
    struct azure_saving *v = ctx;
    struct azure_call *c = call;
    char id[AZURE_BLOCK_ID_SIZE];
    int32_t rc = azure_call_begin(c, v->s, "PUT", v->key, err);
    azure_block_id(v, number, id);
    c->call.judge = block_judge;
    c->call.ctx = &c->sums;
    c->sums = v->blocks[number - 1];
    c->wants = "x-ms-request-id";
    sc_query_add(&c->query, "comp", "block");
    sc_query_add(&c->query, "blockid", id);
    if (rc == SR_STORAGE_OK && v->s->set.encryption_scope)
        rc = azure_call_header(c, err, "x-ms-encryption-scope", "%s", v->s->set.encryption_scope);
    if (rc == SR_STORAGE_OK)
        rc = azure_call_customer_key(c, err);
    return rc == SR_STORAGE_OK ? azure_call_body(c, data, len, &v->blocks[number - 1], err) : rc;
}

static int32_t block_done(void *ctx, unsigned number, void *call, struct sc_error *err)
{
    (void)ctx, (void)number, (void)call, (void)err;
    return SR_STORAGE_OK;
}

static void block_end(void *call)
{
    azure_call_end(call);
}

const struct sc_upload_ops azure_block_ops = {.call_size = sizeof(struct azure_call),
                                              .took = block_took,
                                              .sealed = block_sealed,
                                              .part = block_request,
                                              .done = block_done,
                                              .end = block_end};

/* --- the list -------------------------------------------------------------------------------- */

static int32_t list_build(const struct azure_saving *v, unsigned count, struct sc_buf *b,
                          struct sc_error *err)
{
    char id[AZURE_BLOCK_ID_SIZE];
    sc_buf_adds(b, "<?xml version=\"1.0\" encoding=\"utf-8\"?><BlockList>");
    for (unsigned i = 1; i <= count; i++) {
        azure_block_id(v, i, id);
        /* Latest: found also where an earlier try of this commit has committed them. */
        sc_buf_addf(b, "<Latest>%s</Latest>", id);
    }
    sc_buf_adds(b, "</BlockList>");
    return sc_buf_check(b, err, "the list of blocks");
}

static int32_t commit(struct azure_saving *v, const struct sc_buf *list, struct sc_error *err)
{
    struct azure_call c;
    char md5[AZURE_SUM_TEXT_SIZE];
    int32_t rc = azure_call_begin(&c, v->s, "PUT", v->key, err);
    c.wants = "etag";
    sc_call_commits(&c.call);
    sc_query_add(&c.query, "comp", "blocklist");
    if (rc == SR_STORAGE_OK)
        rc = azure_call_header(&c, err, "content-type", "application/xml");
    if (rc == SR_STORAGE_OK)
        rc = azure_saving_headers(v, &c, err);
    if (rc == SR_STORAGE_OK)
        rc = azure_summing_whole(v->summing, md5, err);
    if (rc == SR_STORAGE_OK && md5[0])
        rc = azure_call_header(&c, err, "x-ms-blob-content-md5", "%s", md5);
    if (rc == SR_STORAGE_OK)
        rc = azure_call_body(&c, list->data, list->len, NULL, err);
    if (rc == SR_STORAGE_OK)
        rc = azure_call_run(&c, err);
    if (rc != SR_STORAGE_OK && azure_call_outcome_open(&c))
        rc = sc_settle_lost(&v->settled, v->size, azure_call_may_come_late(&c), err);
    else if (rc == SR_STORAGE_OK)
        rc = sc_settle_confirm(&v->settled, v->size, err);
    if (rc == SR_STORAGE_OK)
        azure_saving_version(v, &c.call.response);
    azure_call_end(&c);
    return rc;
}

int32_t azure_blocks(struct azure_saving *v, struct sc_upload *u, struct sc_error *err)
{
    struct sc_buf list = SC_BUF_INIT(LIST_MAX);
    /* There is no block of no bytes: an empty object has none. */
    unsigned count = v->size > 0;
    int32_t rc = count > 0 ? sc_upload_run(u, err) : SR_STORAGE_OK;
    if (count > 0)
        count = sc_upload_count(u);
    if (rc == SR_STORAGE_OK)
        rc = list_build(v, count, &list, err);
    if (rc == SR_STORAGE_OK) {
        rc = commit(v, &list, err);
        if (rc != SR_STORAGE_OK)
            (void)sc_error_wrap(err, "committing its %u blocks", count);
    }
    sc_buf_done(&list);
    if (rc != SR_STORAGE_OK)
        sc_upload_stop(u);
    if (rc != SR_STORAGE_OK && rc != SR_STORAGE_E_IN_DOUBT)
        sc_log(v->s->host, SR_STORAGE_LOG_INFO,
               "blocks of %s that were sent are invisible, and Azure drops them within a week",
               v->key);
    return rc;
}
