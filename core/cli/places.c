#include "config.h"
#include "core/cli/places.h"

static void wake(void *store)
{
    sr_store_cancel(store);
}

int sr_places_open(struct sr_context *ctx, const char *only, int read_only, struct sr_places *ret,
                   struct sr_error *err)
{
    int rc = sr_stores_open_as(ctx->cfg, only, read_only, &ret->stores, err);
    if (rc != SR_OK)
        return rc;
    ret->ctx = ctx;
    for (size_t i = 0; i < ret->stores.len; i++)
        sr_context_on_cancel(ctx, wake, ret->stores.items[i]);
    return SR_OK;
}

void sr_places_close(struct sr_places *p)
{
    if (!p->ctx)
        return;
    for (size_t i = 0; i < p->stores.len; i++)
        sr_context_off_cancel(p->ctx, wake, p->stores.items[i]);
    sr_stores_close(&p->stores);
    p->ctx = NULL;
}
