/* Settings to a target: reading the names, service files, the text for messages. */
#include "config.h"
#include "core/source/pg_target.h"
#include "core/config/config.h"
#include "core/util/buf.h"
#include "core/util/cleanup.h"
#include "core/util/fs.h"

#include <libpq-fe.h>
#include <stdlib.h>
#include <string.h>

#define SERVICE_FILE_MAX (1 << 20)

char *sr_pg_params_text(const struct sr_pg_params *p)
{
    /* What libpq takes where nothing is said: environment, the login's name, 5432. */
    PQconninfoOption *defaults = PQconndefaults();
    const char *user = sr_pg_params_get(p, "user"), *host = sr_pg_params_get(p, "host"),
               *port = sr_pg_params_get(p, "port"), *name = sr_pg_params_get(p, "dbname");
    if (!host)
        host = sr_pg_params_get(p, "hostaddr");
    for (const PQconninfoOption *o = defaults; o && o->keyword; o++) {
        if (!user && strcmp(o->keyword, "user") == 0)
            user = o->val;
        if (!host && strcmp(o->keyword, "host") == 0)
            host = o->val;
        if (!port && strcmp(o->keyword, "port") == 0)
            port = o->val;
        if (!name && strcmp(o->keyword, "dbname") == 0)
            name = o->val;
    }
    char *out = NULL;
    if (!name)
        name = user;
    if (asprintf(&out, "%s@%s:%s/%s", user ? user : "", host ? host : "local", port ? port : "5432",
                 name ? name : "") < 0)
        out = NULL;
    PQconninfoFree(defaults);
    return out;
}

static int target_new(struct sr_pg_params *p, struct sr_pg_target **ret, struct sr_error *err)
{
    struct sr_pg_target *t = calloc(1, sizeof *t);
    char *text = sr_pg_params_text(p);
    if (!t || !text) {
        free(t);
        free(text);
        sr_pg_params_done(p);
        return sr_fail(err, SR_E_NO_MEMORY, "reading the database settings: out of memory");
    }
    t->params = *p;
    t->text = text;
    *ret = t;
    return SR_OK;
}

void sr_pg_target_free(struct sr_pg_target *t)
{
    if (!t)
        return;
    sr_pg_params_done(&t->params);
    free(t->text);
    free(t);
}

const char *sr_pg_target_text(const struct sr_pg_target *t)
{
    return t->text;
}

int sr_pg_target_from_url(const char *url, struct sr_pg_target **ret, struct sr_error *err)
{
    struct sr_pg_params p = {0};
    int rc = sr_pg_params_from_text(url, "the connection string", &p, err);
    if (rc != SR_OK) {
        sr_pg_params_done(&p);
        return rc;
    }
    return target_new(&p, ret, err);
}

/* The names a target is made from, and where each lies in struct sr_pg_names. */
#define NAME(setting, member)                         \
    {                                                 \
        setting, offsetof(struct sr_pg_names, member) \
    }
static const struct {
    const char *name;
    size_t offset;
} names[] = {NAME("DATABASE_URL", database_url),
             NAME("DB_HOST", db_host),
             NAME("DB_PORT", db_port),
             NAME("POSTGRES_DB", postgres_db),
             NAME("DB_NAME", db_name),
             NAME("POSTGRES_USER", postgres_user),
             NAME("DB_USER", db_user),
             NAME("POSTGRES_PASSWORD", postgres_password),
             NAME("DB_PASSWORD", db_password),
             NAME("PGHOST", pghost),
             NAME("PGHOSTADDR", pghostaddr),
             NAME("PGPORT", pgport),
             NAME("PGDATABASE", pgdatabase),
             NAME("PGUSER", pguser),
             NAME("PGPASSWORD", pgpassword),
             NAME("PGPASSFILE", pgpassfile),
             NAME("PGSERVICE", pgservice),
             NAME("PGSSLMODE", pgsslmode),
             NAME("PGSSLROOTCERT", pgsslrootcert),
             NAME("PGSSLCERT", pgsslcert),
             NAME("PGSSLKEY", pgsslkey)};
#define NAMES (sizeof names / sizeof *names)

static void secret_free(char *s)
{
    if (s)
        explicit_bzero(s, strlen(s));
    free(s);
}

/* A service file that only the .env file names is unknown to libpq, so it is read here. */
static int service_read(const struct sr_config *cfg, const char *service, struct sr_pg_params *ret,
                        int *ret_there, struct sr_error *err)
{
    _cleanup_free_ char *path = NULL;
    struct sr_buf text;
    sr_buf_init(&text, SERVICE_FILE_MAX);
    *ret_there = 0;
    int rc = sr_config_raw(cfg, "PGSERVICEFILE", &path, err);
    if (rc != SR_OK || !path || !service)
        return rc;
    rc = sr_fs_read_file(path, &text, err);
    if (rc == SR_OK)
        rc = sr_pg_service_parse(sr_buf_str(&text), service, ret, err);
    sr_buf_wipe(&text);
    *ret_there = rc == SR_OK;
    return rc == SR_OK ? rc : sr_error_wrap(err, "PGSERVICEFILE");
}

int sr_pg_target_from_config(const struct sr_config *cfg, char **ret_note,
                             struct sr_pg_target **ret, struct sr_error *err)
{
    struct sr_pg_names n = {0};
    struct sr_pg_params p = {0}, service = {0};
    char *values[NAMES] = {NULL}, *note = NULL;
    int rc = SR_OK, has_service = 0;
    for (size_t i = 0; i < NAMES && rc == SR_OK; i++) {
        rc = sr_config_raw(cfg, names[i].name, &values[i], err);
        memcpy((char *)&n + names[i].offset, &values[i], sizeof values[i]);
    }
    if (rc == SR_OK)
        rc = service_read(cfg, n.pgservice, &service, &has_service, err);
    if (has_service)
        n.service = &service;
    if (rc == SR_OK)
        rc = sr_pg_params_from_names(&n, &p, &note, err);
    if (rc == SR_OK)
        rc = target_new(&p, ret, err);
    for (size_t i = 0; i < NAMES; i++)
        secret_free(values[i]);
    sr_pg_params_done(&service);
    if (rc == SR_OK && ret_note)
        *ret_note = sr_steal_ptr(note);
    free(note);
    return rc;
}

const char *sr_pg_target_database(const struct sr_pg_target *t)
{
    const char *name = sr_pg_params_get(&t->params, "dbname");
    /* The text ends in what libpq would fill in, and a slash in that name would be in dbname. */
    const char *slash = strrchr(t->text, '/');
    return name ? name : slash ? slash + 1 : t->text;
}
