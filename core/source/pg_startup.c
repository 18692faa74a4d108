/* Connecting with settings (libpq's options, PGOPTIONS), which not every way to a server takes:
 * some poolers refuse them, others drop them. Found out on the control connection by a setting that
 * means nothing to anybody, so that no child has to fail first. */
#include "config.h"
#include "core/source/pg_query.h"
#include "core/util/buf.h"
#include "core/util/cleanup.h"
#include "core/util/log.h"

#include <stdlib.h>
#include <string.h>

#define MARK "-c strongroom.options=1"
#define ASK "SELECT pg_catalog.current_setting('strongroom.options', true)"

/* What the user's own settings would be: the parameters' or the environment's. */
static const char *own_plain(const struct sr_pg_params *p)
{
    const char *own = sr_pg_params_get(p, "options");
    return own ? own : getenv("PGOPTIONS");
}

/* A service file can hold them too, which only libpq reads: it is asked by connecting once. */
static int own_of_service(const struct sr_pg_params *p, const char *app, const char *timeout,
                          char **ret, struct sr_error *err)
{
    struct sr_pg_conn *c = NULL;
    int rc = sr_pg_open(p, app, timeout, &c, err);
    PQconninfoOption *all = rc == SR_OK ? PQconninfo(c->pg) : NULL;
    if (rc == SR_OK && !all)
        rc = sr_fail(err, SR_E_NO_MEMORY, "connecting to the database: out of memory");
    for (const PQconninfoOption *o = all; o && o->keyword; o++)
        if (strcmp(o->keyword, "options") == 0 && o->val && !(*ret = strdup(o->val)))
            rc = sr_fail(err, SR_E_NO_MEMORY, "connecting to the database: out of memory");
    PQconninfoFree(all);
    sr_pg_close(c);
    return rc;
}

static int open_marked(const struct sr_pg_params *params, const char *own, const char *app,
                       const char *timeout, struct sr_pg_conn **ret, struct sr_error *err)
{
    struct sr_pg_params p = {0};
    struct sr_buf b;
    sr_buf_init(&b, 1 << 20);
    int rc = sr_pg_params_copy(&p, params);
    if (rc == SR_OK)
        rc = sr_buf_printf(&b, "%s%s" MARK, own ? own : "", own ? " " : "");
    if (rc == SR_OK)
        rc = sr_pg_params_set(&p, "options", sr_buf_str(&b));
    sr_buf_done(&b);
    rc = rc == SR_OK ? sr_pg_open(&p, app, timeout, ret, err)
                     : sr_fail(err, rc, "connecting to the database: %s", sr_code_name(rc));
    sr_pg_params_done(&p);
    return rc;
}

/* pgbouncer: "unsupported startup parameter: options"; from 1.20 on "unsupported startup parameter
 * in options: ..."; RDS Proxy: "... doesn't support command-line options". A server that refuses
 * for another reason does so again without them. */
static int options_refused(const struct sr_error *e)
{
    return e->code == SR_E_DATABASE &&
           (strstr(e->text, "startup parameter") || strstr(e->text, "options"));
}

/* SR_OK and *ret_arrived nonzero where the server knows the mark. */
static int mark_arrived(struct sr_pg_conn *c, int *ret_arrived, struct sr_error *err)
{
    _cleanup_free_ char *value = NULL;
    int rc = PQserverVersion(c->pg) < 90600 ? SR_OK : sr_pg_value(c, ASK, NULL, &value, err);
    *ret_arrived = PQserverVersion(c->pg) < 90600 || (value && strcmp(value, "1") == 0);
    return rc;
}

int sr_pg_open_startup(const struct sr_pg_params *params, const char *app, const char *timeout,
                       struct sr_pg_conn **ret, struct sr_error *err)
{
    struct sr_error refused = SR_ERROR_INIT;
    struct sr_pg_conn *c = NULL;
    _cleanup_free_ char *of_service = NULL;
    const char *own = own_plain(params), *service = getenv("PGSERVICE");
    int rc = SR_OK, arrived = 0;
    if (sr_pg_params_get(params, "service") || (service && *service)) {
        rc = own_of_service(params, app, timeout, &of_service, err);
        own = of_service;
    }
    if (rc != SR_OK)
        return rc;
    rc = open_marked(params, own, app, timeout, &c, &refused);
    if (rc == SR_OK)
        rc = mark_arrived(c, &arrived, err);
    else if (options_refused(&refused))
        rc = sr_pg_open(params, app, timeout, &c, err);
    else
        return sr_error_copy(err, &refused);
    if (rc == SR_OK && own && *own && !(c->own_options = strdup(own)))
        rc = sr_fail(err, SR_E_NO_MEMORY, "connecting to the database: out of memory");
    if (rc != SR_OK) {
        sr_pg_close(c);
        return rc;
    }
    c->takes_options = arrived;
    *ret = c;
    return SR_OK;
}

void sr_pg_startup_warn(const struct sr_pg_conn *c)
{
    if (c->takes_options || !c->checks_client)
        return;
    sr_log(
        SR_LOG_WARN,
        "%s takes no settings when connecting (PGOPTIONS), as some poolers do: pg_dump, psql and "
        "pg_restore run without client_connection_check_interval. Should strongroom be killed, "
        "their backends and locks stay until the pooler ends them or they next write to their "
        "client; go past the pooler where you can",
        c->text);
}
