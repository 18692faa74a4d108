#include "config.h"
#include "core/pipeline/stage.h"

#include "core/pipeline/step_private.h"

#include <signal.h>
#include <stdlib.h>

static int is_transformer(const struct sr_step *s)
{
    return s->ops->run != NULL;
}

/* The first transformer from s on, or NULL; all before it are observers. */
static struct sr_step *next_transformer(struct sr_step *s, int *ret_all_light)
{
    int light = 1;
    for (; s && !is_transformer(s); s = s->next)
        light = light && s->ops->light;
    *ret_all_light = light;
    return s;
}

int sr_stages_plan(struct sr_step *steps, struct sr_stage **ret, size_t *ret_len,
                   struct sr_error *err)
{
    size_t most = 2;
    for (const struct sr_step *s = steps; s; s = s->next)
        most += (size_t)is_transformer(s);
    struct sr_stage *st = calloc(most, sizeof *st);
    if (!st)
        return sr_fail(err, SR_E_NO_MEMORY, "out of memory for the pipeline's threads");
    int light;
    size_t n = 1;
    struct sr_step *t = next_transformer(steps, &light);
    st[0].flow.after = (struct sr_observers){steps, t};
    struct sr_step *observers = t; /* between the transformer before and this one: none yet */
    while (t) {
        st[n].step = t;
        st[n].flow.before = (struct sr_observers){observers, t};
        observers = t->next;
        t = next_transformer(observers, &light);
        if (!t && (light || st[n].step->ops->light))
            st[n].flow.after = (struct sr_observers){observers, NULL};
        else if (!t)
            st[++n].flow.before = (struct sr_observers){observers, NULL};
        n++;
    }
    *ret = st;
    *ret_len = n;
    return SR_OK;
}

static void *stage_main(void *arg)
{
    struct sr_stage *st = arg;
    st->run(st->ctx, st);
    return NULL;
}

int sr_stages_start(struct sr_stage *stages, size_t n, void (*run)(void *ctx, struct sr_stage *st),
                    void *ctx, struct sr_error *err)
{
    /* A gpg that a thread starts inherits the mask: Ctrl-C at a terminal then reaches only us, and
     * we end gpg in order. What a thread itself may raise stays open. */
    sigset_t block, before;
    sigfillset(&block);
    static const int own[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGSYS};
    for (size_t i = 0; i < sizeof own / sizeof own[0]; i++)
        sigdelset(&block, own[i]);
    pthread_sigmask(SIG_SETMASK, &block, &before);
    int e = 0;
    for (size_t i = 0; e == 0 && i < n; i++) {
        stages[i].run = run;
        stages[i].ctx = ctx;
        e = pthread_create(&stages[i].thread, NULL, stage_main, &stages[i]);
        stages[i].running = e == 0;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return e == 0 ? SR_OK : sr_fail_errno(err, e, "cannot start a thread of the pipeline");
}

void sr_stages_join(struct sr_stage *stages, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (stages[i].running)
            (void)pthread_join(stages[i].thread, NULL);
    for (size_t i = 0; i < n; i++)
        stages[i].running = 0;
}
