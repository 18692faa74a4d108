#include "config.h"
#include "core/engine/fan.h"
#include "core/engine/worker.h"

#include <stdio.h>

#define TICK_MS 200

int sr_crew_error(const struct sr_crew *crew, struct sr_error *err)
{
    for (size_t i = 0; i < crew->len; i++)
        if (crew->targets[i].failed)
            return sr_error_copy(err, &crew->targets[i].error);
    return sr_fail(err, SR_E_INTERNAL, "no store to save in");
}

int sr_crew_post(struct sr_crew *crew,
                 int (*work)(struct sr_target *t, void *arg, struct sr_error *err), void *arg,
                 struct sr_error *err)
{
    for (size_t i = 0; i < crew->len; i++) {
        struct sr_target *t = &crew->targets[i];
        const struct sr_job job = {.run = work, .arg = arg};
        struct sr_error e = SR_ERROR_INIT;
        if (!t->failed && sr_worker_post(t, &job, &e) != SR_OK)
            sr_target_fail(t, &e);
    }
    return sr_targets_alive(crew->targets, crew->len) > 0 ? SR_OK : sr_crew_error(crew, err);
}

void sr_crew_wait(struct sr_crew *crew)
{
    for (size_t i = 0; i < crew->len; i++) {
        struct sr_target *t = &crew->targets[i];
        char what[96];
        (void)snprintf(what, sizeof what, "storing in %s", sr_store_name(sr_store_ro(t->store)));
        while (!sr_worker_wait(t, TICK_MS))
            sr_context_progress(crew->ctx, what, atomic_load(&t->sent), crew->bytes);
    }
    sr_fan_unref(crew->last);
    crew->last = NULL;
}

void sr_crew_stop(struct sr_crew *crew, const struct sr_error *why)
{
    for (size_t i = 0; i < crew->len; i++)
        sr_worker_abort(&crew->targets[i], why);
    sr_crew_wait(crew);
}

void sr_crew_done(struct sr_crew *crew)
{
    struct sr_error why = SR_ERROR_INIT;
    sr_fail(&why, SR_E_CANCELLED, "the run is over");
    sr_crew_stop(crew, &why);
    for (size_t i = 0; i < crew->len; i++)
        sr_worker_stop(&crew->targets[i]);
}
