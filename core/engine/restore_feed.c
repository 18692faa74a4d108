#include "config.h"
#include "core/engine/restore_run.h"
#include "core/util/cleanup.h"

#include <stdlib.h>
#include <unistd.h>

#define FEED_PIECE 262144

static void wake_psql(void *arg)
{
    sr_pg_psql_interrupt(arg);
}

static void wake_archive(void *arg)
{
    sr_pg_archive_interrupt(arg);
}

static unsigned jobs_default(void)
{
    long n = sysconf(_SC_NPROCESSORS_ONLN);
    return n < 1 ? 1 : n > 4 ? 4 : (unsigned)n;
}

/* Pulls the opening to its end; write gets every piece, the head first. The opening's own verdict
 * (digests) comes before the child is told that its input is complete. */
static int pump(struct sr_opening *op, const void *head, size_t head_len,
                int (*write)(void *to, const void *data, size_t len, struct sr_error *err),
                void *to, struct sr_error *err)
{
    _cleanup_free_ char *buf = malloc(FEED_PIECE);
    size_t n = 0;
    if (!buf)
        return sr_fail(err, SR_E_NO_MEMORY, "out of memory");
    int rc = head_len ? write(to, head, head_len, err) : SR_OK;
    while (rc == SR_OK) {
        rc = sr_opening_read(op, buf, FEED_PIECE, &n, err);
        if (rc == SR_OK && n == 0)
            break;
        if (rc == SR_OK)
            rc = write(to, buf, n, err);
    }
    return rc == SR_OK ? sr_opening_end(op, err) : rc;
}

static int psql_write(void *to, const void *data, size_t len, struct sr_error *err)
{
    return sr_pg_psql_write(to, data, len, err);
}

static int archive_write(void *to, const void *data, size_t len, struct sr_error *err)
{
    return sr_pg_archive_write(to, data, len, err);
}

int sr_restore_feed(struct sr_restoring *r, struct sr_opening *op, const void *head,
                    size_t head_len, struct sr_error *err)
{
    struct sr_pg_restore_options po = {
        .conn = r->conn,
        .tool = &r->tool,
        .app = r->app,
        .spool_dir = r->spool_dir,
        .role = r->o->role,
        .clean = r->o->clean && !r->made,
        .if_exists = r->o->if_exists || r->o->clean,
        .no_owner = r->o->no_owner,
        .no_acl = r->o->no_acl,
        .single_transaction = !r->piecewise && (r->kind == SR_RESTORE_PLAIN || r->o->jobs == 1),
        .jobs = r->o->jobs ? r->o->jobs : jobs_default(),
    };
    int rc;
    if (r->kind == SR_RESTORE_PLAIN) {
        struct sr_pg_psql *p = NULL;
        rc = sr_pg_psql_start(&po, &p, err);
        if (rc != SR_OK)
            return rc;
        sr_context_on_cancel(r->ctx, wake_psql, p);
        rc = pump(op, head, head_len, psql_write, p, err);
        if (rc == SR_OK)
            rc = sr_pg_psql_finish(p, err);
        sr_context_off_cancel(r->ctx, wake_psql, p);
        sr_pg_psql_free(p);
    } else {
        struct sr_pg_archive *a = NULL;
        rc = sr_pg_archive_new(&po, &a, err);
        if (rc != SR_OK)
            return rc;
        sr_context_on_cancel(r->ctx, wake_archive, a);
        rc = pump(op, head, head_len, archive_write, a, err);
        if (rc == SR_OK)
            rc = sr_pg_archive_finish(a, err);
        sr_context_off_cancel(r->ctx, wake_archive, a);
        sr_pg_archive_free(a);
    }
    if (rc == SR_OK)
        return rc;
    sr_pg_end_backends(r->conn, r->app);
    if (sr_context_check(r->ctx, NULL) != SR_OK)
        rc = sr_context_check(r->ctx, err);
    /* Several jobs share no transaction. A database made for this restore is dropped again. */
    if (!po.single_transaction && !r->piecewise && !r->made)
        sr_error_append(err, "; part of the dump may be in %s now: restore again with --clean",
                        r->database);
    return rc;
}
