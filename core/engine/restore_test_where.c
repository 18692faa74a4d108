#include "config.h"
#include "core/engine/guard.h"
#include "core/engine/restore_test_run.h"
#include "core/util/cleanup.h"
#include "core/util/fs.h"
#include "core/util/log.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int target_of(const struct sr_config *cfg, struct sr_pg_target **ret, int *ret_own,
                     struct sr_error *err)
{
    const char *url = sr_config_str(cfg, "BACKUP_RESTORE_TEST_URL");
    _cleanup_free_ char *note = NULL;
    *ret_own = url != NULL;
    if (url) {
        int rc = sr_pg_target_from_url(url, ret, err);
        return rc == SR_OK ? rc : sr_error_wrap(err, "BACKUP_RESTORE_TEST_URL");
    }
    int rc = sr_pg_target_from_config(cfg, &note, ret, err);
    if (rc == SR_OK && note)
        sr_log(SR_LOG_INFO, "%s", note);
    return rc;
}

/* --- the note that a test is going on: an empty file, which sweep looks for ------------------- */

static char *notes_dir(const struct sr_config *cfg)
{
    _cleanup_free_ char *state = NULL;
    return sr_config_state_dir(cfg, &state, NULL) == SR_OK ? sr_fs_join(state, "tests") : NULL;
}

/* A host whose BACKUP_DIR cannot be written to tests all the same; the next test clears up. */
static void note_begin(struct sr_testing *t)
{
    _cleanup_free_ char *dir = notes_dir(t->ctx->cfg);
    char name[SR_SCRATCH_NAME_SIZE];
    if (!dir || sr_fs_mkdirs(dir, 0700, NULL) != SR_OK || sr_scratch_name_make(name, NULL) != SR_OK)
        return;
    t->note = sr_fs_join(dir, name);
    int fd = t->note ? open(t->note, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600) : -1;
    if (fd >= 0) {
        (void)close(fd);
        return;
    }
    free(t->note);
    t->note = NULL;
}

static void note_end(struct sr_testing *t)
{
    if (t->note)
        (void)unlink(t->note);
    free(t->note);
    t->note = NULL;
}

/* How many notes there are; with take they are removed. */
static size_t notes(const char *dir, int take)
{
    DIR *d = opendir(dir);
    size_t n = 0;
    if (!d)
        return 0;
    for (const struct dirent *e; (e = readdir(d));)
        if (sr_scratch_name_ok(e->d_name)) {
            n++;
            if (take)
                (void)unlinkat(dirfd(d), e->d_name, 0);
        }
    (void)closedir(d);
    return n;
}

int sr_restore_test_sweep(struct sr_context *ctx, int dry_run, struct sr_strlist *ret,
                          struct sr_error *err)
{
    _cleanup_free_ char *dir = notes_dir(ctx->cfg);
    struct sr_pg_target *target = NULL;
    int own = 0, clear = 0;
    if (!dir || notes(dir, 0) == 0)
        return SR_OK;
    int rc = target_of(ctx->cfg, &target, &own, err);
    if (rc == SR_OK)
        rc = sr_scratch_sweep(target, dry_run, ret, &clear, err);
    if (rc == SR_OK && clear && !dry_run)
        (void)notes(dir, 1);
    sr_pg_target_free(target);
    return rc == SR_OK ? rc : sr_error_wrap(err, "removing what a restore test that died has left");
}

/* --- the server ------------------------------------------------------------------------------- */

int sr_test_where(struct sr_testing *t, struct sr_error *err)
{
    const char *name = sr_config_str(t->ctx->cfg, "TEST_DB_NAME");
    int own = 0;
    int rc = target_of(t->ctx->cfg, &t->pg, &own, err);
    if (rc == SR_OK) {
        note_begin(t);
        rc = sr_scratch_open(t->pg, &t->result->removed, &t->scratch, err);
    }
    if (rc != SR_OK)
        return rc;
    struct sr_pg_conn *c = sr_scratch_control(t->scratch);
    if (!name)
        name = "strongroom_test";
    /* The production guard is for the server that the settings mean for everything else. */
    rc = own ? sr_guard_check_named(t->ctx->cfg, sr_pg_host(c), name, err)
             : sr_guard_check(t->ctx->cfg, sr_pg_host(c), name, t->o->force, err);
    if (rc == SR_E_REFUSED)
        sr_error_append(err, "; BACKUP_RESTORE_TEST_URL names a server for restore tests");
    if (rc == SR_OK && asprintf(&t->result->server, "%s@%s:%s (PostgreSQL %s)", sr_pg_user(c),
                                *sr_pg_host(c) ? sr_pg_host(c) : "local", sr_pg_port(c),
                                sr_pg_server_version_text(c)) < 0) {
        t->result->server = NULL;
        rc = sr_fail(err, SR_E_NO_MEMORY, "out of memory");
    }
    return rc;
}

/* "postgis 3.3.2" of the detail: its name. */
static int extension_add(const char *text, struct sr_strlist *ret)
{
    return sr_strlist_addn(ret, text, strcspn(text, " "));
}

static int extensions_check(struct sr_testing *t, struct sr_error *err)
{
    struct sr_strlist have = {0}, need = {0};
    const struct sr_detail *d = t->manifest->detail;
    char missing[512] = "";
    int several = 0;
    /* Of several databases in one set nobody knows whose extension it is. */
    if (!d || t->manifest->objects_len == 0 || !t->whole || t->objects_len > 1)
        return SR_OK;
    int rc = sr_pg_column(sr_scratch_control(t->scratch),
                          "SELECT name FROM pg_catalog.pg_available_extensions", NULL, &have, err);
    for (size_t i = 0; rc == SR_OK && i < d->extensions.len; i++)
        if (extension_add(d->extensions.items[i], &need) != SR_OK)
            rc = sr_fail(err, SR_E_NO_MEMORY, "out of memory");
    for (size_t i = 0; rc == SR_OK && i < need.len; i++) {
        size_t used = strlen(missing);
        if (sr_strlist_has(&have, need.items[i]))
            continue;
        several += *missing != '\0';
        (void)snprintf(missing + used, sizeof missing - used, "%s%s", used ? ", " : "",
                       need.items[i]);
    }
    if (rc == SR_OK && *missing)
        rc = sr_fail(err, SR_E_UNTESTABLE,
                     "cannot be tested here: extension%s %s %s missing on %s; install the package, "
                     "or name another server with BACKUP_RESTORE_TEST_URL",
                     several ? "s" : "", missing, several ? "are" : "is", t->result->server);
    sr_strlist_done(&have);
    sr_strlist_done(&need);
    return rc;
}

/* The major version of the server that the dump was taken from; 0: unknown. */
static int dumped_from(const struct sr_manifest *m)
{
    static const char word[] = "postgresql ";
    for (size_t i = 0; i < m->tools.len; i++)
        if (strncmp(m->tools.items[i], word, sizeof word - 1) == 0)
            return atoi(m->tools.items[i] + sizeof word - 1);
    return 0;
}

int sr_test_knows_roles(const struct sr_testing *t)
{
    return t->manifest->detail && t->manifest->detail->roles.len > 0;
}

static int roles_check(struct sr_testing *t, struct sr_error *err)
{
    struct sr_strlist missing = {0};
    int rc = t->manifest->detail ? sr_scratch_roles(t->scratch, &t->manifest->detail->roles,
                                                    &t->result->stubs, &missing, err)
                                 : SR_OK;
    if (rc == SR_OK && missing.len > 0 &&
        sr_strlist_addf(&t->result->notes,
                        "role %s%s is not on this server and could not be made: what belongs to it "
                        "is restored as the testing role's",
                        missing.items[0], missing.len > 1 ? " (and others)" : "") != SR_OK)
        rc = sr_fail(err, SR_E_NO_MEMORY, "out of memory");
    if (rc == SR_OK && (!sr_test_knows_roles(t) || !sr_scratch_is_superuser(t->scratch)) &&
        sr_strlist_addf(&t->result->notes, "owners and grants were not restored: %s",
                        sr_test_knows_roles(t) ? "the testing role is no superuser"
                                               : "the backup does not tell its roles") != SR_OK)
        rc = sr_fail(err, SR_E_NO_MEMORY, "out of memory");
    sr_strlist_done(&missing);
    return rc;
}

int sr_test_able(struct sr_testing *t, struct sr_error *err)
{
    int from = dumped_from(t->manifest),
        to = sr_pg_server_version(sr_scratch_control(t->scratch)) / 10000;
    int rc = extensions_check(t, err);
    if (rc == SR_OK)
        rc = roles_check(t, err);
    if (rc == SR_OK && from > to &&
        sr_strlist_addf(
            &t->result->notes,
            "the dump is from PostgreSQL %d, this server is %d: older servers may refuse "
            "some of it",
            from, to) != SR_OK)
        rc = sr_fail(err, SR_E_NO_MEMORY, "out of memory");
    return rc;
}

void sr_test_leave(struct sr_testing *t)
{
    sr_scratch_close(t->scratch, &t->result->left);
    t->scratch = NULL;
    /* What could not be removed is for sweep to find. */
    if (t->result->left.len > 0) {
        free(t->note);
        t->note = NULL;
    }
    note_end(t);
    sr_pg_target_free(t->pg);
    t->pg = NULL;
}
