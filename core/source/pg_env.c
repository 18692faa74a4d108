/* What a child needs in its environment to reach the very server a connection reached. */
#include "config.h"
#include "core/source/pg_conn.h"
#include "core/source/pg_query.h"
#include "core/util/buf.h"

#include <string.h>

/* What of libpq's own names must not leak into a child beside the pinned values. */
static const char *const unwanted[] = {"PGSERVICE",  "PGSERVICEFILE", "PGREQUIRESSL",
                                       "PGPASSWORD", "PGHOSTADDR",    "PGREALM"};

static int add_pair(struct sr_strlist *env, const char *name, const char *value)
{
    return value && *value ? sr_strlist_addf(env, "%s=%s", name, value) : sr_strlist_add(env, name);
}

/* The value a child gets for one of libpq's keywords; everything was resolved by the connection. */
static const char *pinned(const struct sr_pg_conn *c, const PQconninfoOption *o, const char *app)
{
    if (strcmp(o->keyword, "host") == 0)
        return PQhost(c->pg);
    if (strcmp(o->keyword, "hostaddr") == 0)
        return PQhostaddr(c->pg);
    if (strcmp(o->keyword, "port") == 0)
        return PQport(c->pg);
    if (strcmp(o->keyword, "dbname") == 0)
        return PQdb(c->pg);
    if (strcmp(o->keyword, "user") == 0)
        return PQuser(c->pg);
    /* Also what came from .pgpass: the file may name the host otherwise than the pinned one. */
    if (strcmp(o->keyword, "password") == 0)
        return PQpass(c->pg);
    if (strcmp(o->keyword, "application_name") == 0)
        return app;
    return o->val;
}

/* A backend that waits for a lock or builds an index would not notice that its client is gone. */
static const char *client_check(const struct sr_pg_conn *c)
{
    return c->checks_client ? "-c client_connection_check_interval=10s" : "";
}

static int options_add(const struct sr_pg_conn *c, const char *extra, struct sr_strlist *env)
{
    struct sr_buf b;
    const char *parts[] = {c->own_options ? c->own_options : "",
                           c->takes_options ? client_check(c) : "",
                           c->takes_options && extra ? extra : ""};
    int rc = SR_OK;
    sr_buf_init(&b, 1 << 20);
    for (size_t i = 0; i < sizeof parts / sizeof *parts && rc == SR_OK; i++)
        if (*parts[i])
            rc = sr_buf_printf(&b, "%s%s", b.len > 0 ? " " : "", parts[i]);
    if (rc == SR_OK)
        rc = add_pair(env, "PGOPTIONS", sr_buf_str(&b));
    sr_buf_done(&b);
    return rc;
}

int sr_pg_child_env(const struct sr_pg_conn *c, const char *app, const char *options,
                    struct sr_strlist *ret, struct sr_error *err)
{
    PQconninfoOption *all = PQconninfo(c->pg);
    int rc = all ? SR_OK : SR_E_NO_MEMORY;
    for (size_t i = 0; i < sizeof unwanted / sizeof *unwanted && rc == SR_OK; i++)
        rc = sr_strlist_add(ret, unwanted[i]);
    for (const PQconninfoOption *o = all; rc == SR_OK && o->keyword; o++) {
        if (strcmp(o->keyword, "sslpassword") == 0 && o->val && *o->val)
            rc = sr_fail(err, SR_E_UNSUPPORTED,
                         "the connection needs sslpassword, which cannot be handed to pg_dump "
                         "without showing it; take the pass phrase off the client key "
                         "(openssl pkey) and protect the file instead");
        else if (strcmp(o->keyword, "options") == 0)
            rc = options_add(c, options, ret);
        else if (o->envvar && strcmp(o->keyword, "service") != 0)
            rc = add_pair(ret, o->envvar, pinned(c, o, app));
    }
    PQconninfoFree(all);
    /* Messages that can be read by program and support alike. */
    if (rc == SR_OK)
        rc = sr_strlist_add(ret, "LC_ALL=C");
    if (rc == SR_OK)
        rc = sr_strlist_add(ret, "PG_COLOR=never");
    return rc == SR_E_NO_MEMORY
               ? sr_fail(err, rc, "preparing the environment of a child: out of memory")
               : rc;
}

int sr_pg_dbname_arg(const char *database, char **ret, struct sr_error *err)
{
    struct sr_buf b;
    sr_buf_init(&b, 4096);
    int rc = sr_buf_adds(&b, "dbname='");
    for (; *database && rc == SR_OK; database++) {
        if (*database == '\'' || *database == '\\')
            rc = sr_buf_addc(&b, '\\');
        if (rc == SR_OK)
            rc = sr_buf_addc(&b, *database);
    }
    if (rc == SR_OK)
        rc = sr_buf_addc(&b, '\'');
    char *text = rc == SR_OK ? sr_buf_steal(&b) : NULL;
    sr_buf_done(&b);
    if (!text)
        return sr_fail(err, SR_E_CONFIG, "the database's name cannot be handed over: %s",
                       sr_code_name(rc));
    *ret = text;
    return SR_OK;
}
