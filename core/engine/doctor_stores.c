#include "config.h"
#include "core/engine/doctor_private.h"
#include "core/plugin/plugin.h"
#include "core/store/stores.h"
#include "core/util/buf.h"
#include "core/util/cleanup.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* --- files that hold secrets --- */

/* Not a blocker: what a container runtime mounts under /run/secrets is often readable by all. */
static void check_secret_file(struct sr_doctor *d, const char *name)
{
    _cleanup_free_ char *path = NULL, *remedy = NULL;
    struct stat st;
    if (sr_config_raw_file(d->ctx->cfg, name, &path, NULL) != SR_OK || !path ||
        stat(path, &st) != 0 || !S_ISREG(st.st_mode) || !(st.st_mode & (S_IROTH | S_IWOTH)))
        return;
    if (asprintf(&remedy, "chmod o-rwx %s", path) < 0)
        remedy = NULL;
    sr_doctor_add(d, SR_DOCTOR_NOTE, "secret", remedy,
                  "every user of this machine may %s %s, which holds %s",
                  st.st_mode & S_IWOTH ? "change" : "read", path, name);
}

static void check_secrets(struct sr_doctor *d)
{
    for (const struct sr_setting *s = sr_settings; s->name; s++)
        if (s->secret || s->type == SR_TYPE_URL)
            check_secret_file(d, s->name);
}

/* --- settings of stores --- */

struct judging {
    struct sr_doctor *d;
    struct sr_buf good; /* names of stores whose settings are right, with commas between them */
};

/* Where each setting that is set came from: a credential that was inherited is seen here. */
static int sources_text(const struct sr_store_configured *s, struct sr_doctor *d,
                        struct sr_buf *text)
{
    int rc = SR_OK;
    for (const struct sr_storage_setting *r = s->view->table; rc == SR_OK && r && r->key; r++) {
        _cleanup_free_ char *name = NULL;
        char *value = NULL;
        char where[256];
        if (sr_setting_get(s->view, r->key, &value, &name, NULL) != SR_OK || !name) {
            free(value);
            continue;
        }
        explicit_bzero(value, strlen(value));
        free(value);
        if (r->flags & SR_STORAGE_SETTING_SECRET)
            check_secret_file(d, name);
        sr_config_raw_where(d->ctx->cfg, name, where, sizeof where);
        rc = sr_buf_printf(text, "%s%s%s%s%s", text->len ? ", " : "; set: ", name,
                           *where ? " (" : "", where, *where ? ")" : "");
    }
    return rc;
}

static int judge(void *ctx, const struct sr_store_configured *s, struct sr_error *err)
{
    struct judging *j = ctx;
    struct sr_strlist problems = {0};
    struct sr_buf sources;
    char what[80], remedy[80];
    int rc = sr_setting_problems(s->view, s->names, &problems, err);
    (void)snprintf(what, sizeof what, "settings of store %s", s->view->store);
    (void)snprintf(remedy, sizeof remedy, "`strongroom plugins %s` lists them with their types",
                   s->view->plugin);
    for (size_t i = 0; i < problems.len; i++)
        sr_doctor_add(j->d, SR_DOCTOR_BLOCKER, what, remedy, "%s", problems.items[i]);
    sr_buf_init(&sources, 8192);
    if (rc == SR_OK && problems.len == 0) {
        /* What does not fit is left out: there is `strongroom config` for all of it. */
        (void)sources_text(s, j->d, &sources);
        const struct sr_storage_plugin *t = sr_plugin_table(s->plugin);
        sr_doctor_add(j->d, SR_DOCTOR_OK, what, NULL, "plugin %s %s (%s)%s", t->name, t->version,
                      sr_plugin_file(s->plugin), sr_buf_str(&sources));
        rc = sr_buf_printf(&j->good, "%s%s", j->good.len ? "," : "", s->view->store);
    }
    sr_buf_done(&sources);
    sr_strlist_done(&problems);
    return rc;
}

/* --- the stores themselves --- */

static void add_right(struct sr_doctor *d, const char *what, const char *name, int code,
                      enum sr_doctor_level level)
{
    if (code > 0)
        sr_doctor_add(d, level, what, NULL, "cannot %s: %s", name, sr_code_name(code));
}

/* A backup needs to write, and is made without the other rights. */
static int stops_a_backup(const struct sr_store_rights *r)
{
    const int others[] = {r->list, r->read, r->del};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (others[i] > 0 && others[i] != SR_E_DENIED)
            return 1;
    return r->write != SR_OK;
}

/* What the settings demand of the store or of tonight's backup; a run is refused for each. */
static void check_demands(struct sr_doctor *d, const char *what, const struct sr_store *s)
{
    int64_t now = sr_clock_now(d->ctx->clock), until = 0;
    char text[SR_TIME_ISO_SIZE];
    struct sr_error e = SR_ERROR_INIT;
    if (sr_store_lock_until(s, now, &until, &e) != SR_OK)
        sr_doctor_add(d, SR_DOCTOR_BLOCKER, what, NULL, "%s", e.text);
    if (until > 0) {
        sr_time_iso(until, text);
        sr_doctor_add(d, SR_DOCTOR_OK, what, NULL, "locks what it gets: tonight's until %s", text);
    }
    sr_error_clear(&e);
    if (d->encryption &&
        sr_store_check_encryption(s, "tonight's backup", d->encryption, &e) != SR_OK)
        sr_doctor_add(d, SR_DOCTOR_BLOCKER, what, "set BACKUP_ENCRYPTION_ENABLED=on", "%s", e.text);
}

static void check_store(struct sr_doctor *d, struct sr_store_rw *s)
{
    struct sr_store_rights rights = {-1, -1, -1, -1, 0};
    struct sr_error e = SR_ERROR_INIT;
    char what[80];
    int before = d->result->blockers;
    (void)snprintf(what, sizeof what, "store %s", sr_store_name(sr_store_ro(s)));
    check_demands(d, what, sr_store_ro(s));
    int rc = sr_store_check(s, &rights, &e);
    /* Also where it fails: credentials from another place than was thought are why, often enough.
     */
    const struct sr_strlist *choices = sr_store_choices(sr_store_ro(s));
    for (size_t i = 0; i < choices->len; i++)
        sr_doctor_add(d, SR_DOCTOR_OK, what, NULL, "%s", choices->items[i]);
    if (rc != SR_OK && stops_a_backup(&rights)) {
        sr_doctor_add(d, SR_DOCTOR_BLOCKER, what, NULL, "%s", e.text);
        return;
    }
    if (rights.modified > 0)
        sr_doctor_clock(d, what, rights.modified, sr_clock_now(d->ctx->clock));
    add_right(d, what, "write", rights.write, SR_DOCTOR_BLOCKER);
    add_right(d, what, "list (no retention, no restore from here)", rights.list, SR_DOCTOR_NOTE);
    add_right(d, what, "read (no verify, no restore from here)", rights.read, SR_DOCTOR_NOTE);
    add_right(d, what, "delete (no retention)", rights.del, SR_DOCTOR_NOTE);
    if (!(sr_store_caps(sr_store_ro(s)) & SR_STORE_CAP_ATOMIC_CREATE))
        sr_doctor_add(d, SR_DOCTOR_NOTE, what,
                      "give each host that writes there a prefix of its own",
                      "cannot create an object under one name only once: backups that begin in the "
                      "same second on two hosts may fail");
    if (d->result->blockers == before)
        sr_doctor_add(d, SR_DOCTOR_OK, what, NULL, "%s", sr_store_place(sr_store_ro(s)));
}

static void check_open(struct sr_doctor *d, const char *names)
{
    struct sr_stores stores = {0};
    struct sr_error e = SR_ERROR_INIT;
    if (sr_stores_open_reachable(d->ctx->cfg, names, 0, &stores, &e) != SR_OK) {
        sr_doctor_add(d, SR_DOCTOR_BLOCKER, "stores", NULL, "%s", e.text);
        return;
    }
    for (size_t i = 0; i < stores.closed_len; i++) {
        char what[80];
        (void)snprintf(what, sizeof what, "store %s", stores.closed[i].name);
        sr_doctor_add(d, SR_DOCTOR_BLOCKER, what, NULL, "%s", stores.closed[i].error.text);
    }
    int64_t least = sr_config_int(d->ctx->cfg, "BACKUP_MIN_STORES");
    size_t all = stores.len + stores.closed_len;
    if (least > (int64_t)all)
        sr_doctor_add(d, SR_DOCTOR_BLOCKER, "stores", "lower it, or name more stores",
                      "BACKUP_MIN_STORES is %lld, and %zu can be written to", (long long)least,
                      all);
    for (size_t i = 0; i < stores.len; i++)
        check_store(d, stores.items[i]);
    sr_doctor_backups(d, &stores);
    sr_doctor_leftovers(d, &stores);
    sr_stores_close(&stores);
}

void sr_doctor_stores(struct sr_doctor *d)
{
    struct judging j = {.d = d};
    struct sr_strlist bad = {0};
    struct sr_error e = SR_ERROR_INIT;
    check_secrets(d);
    sr_buf_init(&j.good, 65536);
    if (sr_stores_each(d->ctx->cfg, &bad, judge, &j, &e) != SR_OK)
        sr_doctor_add(d, SR_DOCTOR_BLOCKER, "stores", NULL, "%s", e.text);
    for (size_t i = 0; i < bad.len; i++)
        sr_doctor_add(d, SR_DOCTOR_BLOCKER, "stores", "see BACKUP_STORAGE_ADAPTER", "%s",
                      bad.items[i]);
    /* Those that are right are tried although others are not: all blockers at once. */
    if (j.good.len > 0)
        check_open(d, sr_buf_str(&j.good));
    sr_buf_done(&j.good);
    sr_strlist_done(&bad);
}
