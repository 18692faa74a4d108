#include "config.h"
#include "core/source/pg_params.h"
#include "core/util/buf.h"
#include "core/util/cleanup.h"

#include <stdlib.h>
#include <string.h>

static size_t find(const struct sr_pg_params *p, const char *key)
{
    size_t i = 0;
    while (i < p->keys.len && strcmp(p->keys.items[i], key) != 0)
        i++;
    return i;
}

static void remove_at(struct sr_pg_params *p, size_t i)
{
    explicit_bzero(p->values.items[i], strlen(p->values.items[i]));
    sr_strlist_remove(&p->keys, i);
    sr_strlist_remove(&p->values, i);
}

int sr_pg_params_set(struct sr_pg_params *p, const char *key, const char *value)
{
    size_t i = find(p, key);
    if (i < p->keys.len)
        remove_at(p, i);
    if (!value || !*value)
        return SR_OK;
    int rc = sr_strlist_add(&p->keys, key);
    if (rc != SR_OK)
        return rc;
    rc = sr_strlist_add(&p->values, value);
    if (rc != SR_OK)
        sr_strlist_remove(&p->keys, p->keys.len - 1);
    return rc;
}

const char *sr_pg_params_get(const struct sr_pg_params *p, const char *key)
{
    size_t i = find(p, key);
    return i < p->keys.len ? p->values.items[i] : NULL;
}

int sr_pg_params_copy(struct sr_pg_params *to, const struct sr_pg_params *from)
{
    int rc = SR_OK;
    for (size_t i = 0; i < from->keys.len && rc == SR_OK; i++)
        rc = sr_pg_params_set(to, from->keys.items[i], from->values.items[i]);
    return rc;
}

void sr_pg_params_done(struct sr_pg_params *p)
{
    for (size_t i = 0; i < p->values.len; i++)
        explicit_bzero(p->values.items[i], strlen(p->values.items[i]));
    sr_strlist_done(&p->keys);
    sr_strlist_done(&p->values);
}

/* --- settings --- */

/* One name of one family: which keyword it gives, and what it says. */
struct word {
    const char *name, *key, *value;
};

static const char *text_or_null(const char *s)
{
    return s && *s ? s : NULL;
}

static int same(const char *a, const char *b)
{
    return strcmp(a ? a : "", b ? b : "") == 0;
}

/* Within a family the first name of a keyword wins; the others are told when they differ. */
static int family_read(const struct word *words, struct sr_pg_params *ret,
                       struct sr_strlist *ignored)
{
    int rc = SR_OK;
    for (; words->name && rc == SR_OK; words++) {
        const char *value = text_or_null(words->value), *have = sr_pg_params_get(ret, words->key);
        if (value && !have)
            rc = sr_pg_params_set(ret, words->key, value);
        else if (value && !same(value, have))
            rc = sr_strlist_add(ignored, words->name);
    }
    return rc;
}

/* The name that a keyword of a family came from. */
static const char *name_of(const struct word *words, const char *key, const char *value)
{
    for (; words->name; words++)
        if (strcmp(words->key, key) == 0 && words->value && strcmp(words->value, value) == 0)
            return words->name;
    return key;
}

/* Adds what `lower` says and `p` does not; words tells the names for what is passed over. */
static int family_merge(struct sr_pg_params *p, const struct sr_pg_params *lower,
                        const struct word *words, struct sr_strlist *ignored)
{
    int host_differs = sr_pg_params_get(p, "host") != NULL &&
                       !same(sr_pg_params_get(p, "host"), sr_pg_params_get(lower, "host"));
    int user_differs = sr_pg_params_get(p, "user") && sr_pg_params_get(lower, "user") &&
                       !same(sr_pg_params_get(p, "user"), sr_pg_params_get(lower, "user"));
    int rc = SR_OK;
    for (size_t i = 0; i < lower->keys.len && rc == SR_OK; i++) {
        const char *key = lower->keys.items[i], *value = lower->values.items[i];
        const char *have = sr_pg_params_get(p, key);
        int elsewhere = (host_differs && strcmp(key, "port") == 0) ||
                        (user_differs && strcmp(key, "password") == 0);
        if (!have && !elsewhere)
            rc = sr_pg_params_set(p, key, value);
        else if (!same(have, value) && !(elsewhere && !have && strcmp(value, "5432") == 0))
            rc = sr_strlist_add(ignored, name_of(words, key, value));
    }
    /* libpq would take PGPORT from the environment for a host that names no port. */
    if (rc == SR_OK && host_differs && !sr_pg_params_get(p, "port") &&
        sr_pg_params_get(lower, "port"))
        rc = sr_pg_params_set(p, "port", "5432");
    return rc;
}

/* libpq lets a service file win over PG* in the environment but not over what it is handed; names
 * that would wrongly win over the service are left out. */
static void drop_under_service(struct sr_pg_params *pg, struct sr_strlist *ignored)
{
    static const struct {
        const char *key, *name;
    } words[] = {
        {"host", "PGHOST"}, {"port", "PGPORT"}, {"user", "PGUSER"}, {"dbname", "PGDATABASE"}};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (!sr_pg_params_get(pg, words[i].key))
            continue;
        (void)sr_pg_params_set(pg, words[i].key, NULL);
        (void)sr_strlist_add(ignored, words[i].name);
    }
}

int sr_pg_service_parse(const char *text, const char *service, struct sr_pg_params *ret,
                        struct sr_error *err)
{
    struct sr_pg_params p = {0};
    int inside = 0, seen = 0, rc = SR_OK;
    for (const char *next; *text && rc == SR_OK; text = next) {
        size_t len = strcspn(text, "\n");
        next = text + len + (text[len] == '\n');
        while (len > 0 && strchr(" \t\r", text[len - 1]))
            len--;
        while (len > 0 && (*text == ' ' || *text == '\t')) {
            text++;
            len--;
        }
        if (len > 1 && *text == '[' && text[len - 1] == ']') {
            inside = strlen(service) == len - 2 && memcmp(text + 1, service, len - 2) == 0;
            seen |= inside;
            continue;
        }
        const char *eq = memchr(text, '=', len);
        if (!inside || !eq || *text == '#')
            continue;
        _cleanup_free_ char *key = strndup(text, (size_t)(eq - text));
        _cleanup_free_ char *value = strndup(eq + 1, len - (size_t)(eq - text) - 1);
        rc = key && value ? SR_OK : SR_E_NO_MEMORY;
        /* As in libpq, the first line of a keyword holds. */
        if (rc == SR_OK && !sr_pg_params_get(&p, key))
            rc = sr_pg_params_set(&p, key, value);
        if (value)
            explicit_bzero(value, strlen(value));
    }
    if (rc == SR_OK && !seen)
        rc = sr_fail(err, SR_E_CONFIG, "PGSERVICEFILE has no section [%s], which PGSERVICE names",
                     service);
    else if (rc != SR_OK)
        rc = sr_fail(err, rc, "cannot read the service file: out of memory");
    if (rc != SR_OK) {
        sr_pg_params_done(&p);
        return rc;
    }
    sr_pg_params_done(ret);
    *ret = p;
    return SR_OK;
}

static int note_make(const char *used, const struct sr_strlist *ignored, char **ret_note)
{
    struct sr_buf b;
    sr_buf_init(&b, 4096);
    int rc = SR_OK;
    if (ignored->len == 0) {
        *ret_note = NULL;
        return SR_OK;
    }
    rc =
        sr_buf_printf(&b, "%s is used; other settings say something else and are not used: ", used);
    for (size_t i = 0; i < ignored->len && rc == SR_OK; i++)
        rc = sr_buf_printf(&b, "%s%s", i > 0 ? ", " : "", ignored->items[i]);
    char *note = rc == SR_OK ? sr_buf_steal(&b) : NULL;
    sr_buf_done(&b);
    if (!note)
        return SR_E_NO_MEMORY;
    *ret_note = note;
    return SR_OK;
}

int sr_pg_params_from_names(const struct sr_pg_names *n, struct sr_pg_params *ret, char **ret_note,
                            struct sr_error *err)
{
    const struct word db_words[] = {{"DB_HOST", "host", n->db_host},
                                    {"DB_PORT", "port", n->db_port},
                                    {"DB_NAME", "dbname", n->db_name},
                                    {"POSTGRES_DB", "dbname", n->postgres_db},
                                    {"DB_USER", "user", n->db_user},
                                    {"POSTGRES_USER", "user", n->postgres_user},
                                    {"DB_PASSWORD", "password", n->db_password},
                                    {"POSTGRES_PASSWORD", "password", n->postgres_password},
                                    {NULL, NULL, NULL}};
    const struct word pg_words[] = {{"PGHOST", "host", n->pghost},
                                    {"PGHOSTADDR", "hostaddr", n->pghostaddr},
                                    {"PGPORT", "port", n->pgport},
                                    {"PGDATABASE", "dbname", n->pgdatabase},
                                    {"PGUSER", "user", n->pguser},
                                    {"PGPASSWORD", "password", n->pgpassword},
                                    {"PGPASSFILE", "passfile", n->pgpassfile},
                                    {"PGSERVICE", "service", n->pgservice},
                                    {"PGSSLMODE", "sslmode", n->pgsslmode},
                                    {"PGSSLROOTCERT", "sslrootcert", n->pgsslrootcert},
                                    {"PGSSLCERT", "sslcert", n->pgsslcert},
                                    {"PGSSLKEY", "sslkey", n->pgsslkey},
                                    {NULL, NULL, NULL}};
    struct sr_pg_params p = {0}, db = {0}, pg = {0};
    struct sr_strlist ignored = {0};
    char *note = NULL;
    int rc = SR_OK;
    if (text_or_null(n->database_url)) {
        rc = sr_pg_params_from_text(n->database_url, "DATABASE_URL", &p, err);
        if (rc != SR_OK)
            goto out;
    }
    const char *used = p.keys.len > 0 ? "DATABASE_URL" : NULL;
    rc = family_read(db_words, &db, &ignored);
    if (!used && db.keys.len > 0)
        used = "the DB_*, POSTGRES_* family";
    if (rc == SR_OK)
        rc = family_read(pg_words, &pg, &ignored);
    if (rc == SR_OK)
        rc = family_merge(&p, &db, db_words, &ignored);
    if (n->service && rc == SR_OK) {
        rc = family_merge(&p, n->service, pg_words, &ignored);
        (void)sr_pg_params_set(&pg, "service", NULL);
    }
    if (rc == SR_OK && (sr_pg_params_get(&pg, "service") || sr_pg_params_get(&p, "service")))
        drop_under_service(&pg, &ignored);
    if (rc == SR_OK && sr_pg_params_get(&pg, "hostaddr") && sr_pg_params_get(&p, "host") &&
        !sr_pg_params_get(&p, "hostaddr")) {
        rc = sr_fail(err, SR_E_CONFIG,
                     "PGHOSTADDR is set, which would send the connection elsewhere than the host "
                     "that %s names; unset one of the two",
                     used);
        goto out;
    }
    if (rc == SR_OK)
        rc = family_merge(&p, &pg, pg_words, &ignored);
    if (rc == SR_OK)
        rc = note_make(used ? used : "the PGSERVICE file", &ignored, &note);
    if (rc != SR_OK) {
        rc = sr_fail(err, rc, "reading the database settings: %s", sr_code_name(rc));
        goto out;
    }
    sr_pg_params_done(ret);
    *ret = p;
    memset(&p, 0, sizeof p);
    *ret_note = note;
out:
    sr_pg_params_done(&p);
    sr_pg_params_done(&db);
    sr_pg_params_done(&pg);
    sr_strlist_done(&ignored);
    return rc;
}
