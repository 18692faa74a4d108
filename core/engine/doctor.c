#include "config.h"
#include "core/engine/doctor.h"
#include "core/engine/doctor_private.h"
#include "core/engine/protection.h"
#include "core/pipeline/keys.h"
#include "core/util/cleanup.h"
#include "core/util/fs.h"
#include "core/util/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CLOCK_NOTICE 300               /* seconds */
#define KEY_EXPIRY_NOTICE (30 * 86400) /* seconds */

void sr_doctor_add(struct sr_doctor *d, enum sr_doctor_level level, const char *what,
                   const char *remedy, const char *fmt, ...)
{
    struct sr_doctor_result *r = d->result;
    struct sr_doctor_line *lines = reallocarray(r->lines, r->len + 1, sizeof *lines);
    struct sr_doctor_line l = {.level = level};
    va_list ap;
    if (!lines) {
        d->out_of_memory = 1;
        return;
    }
    r->lines = lines;
    va_start(ap, fmt);
    if (vasprintf(&l.finding, fmt, ap) < 0)
        l.finding = NULL;
    va_end(ap);
    l.what = strdup(what);
    l.remedy = remedy ? strdup(remedy) : NULL;
    if (!l.what || !l.finding)
        d->out_of_memory = 1;
    r->blockers += level == SR_DOCTOR_BLOCKER;
    r->lines[r->len++] = l;
}

void sr_doctor_clock(struct sr_doctor *d, const char *what, int64_t theirs, int64_t now)
{
    int64_t off = theirs - now;
    if (off > -CLOCK_NOTICE && off < CLOCK_NOTICE)
        return;
    sr_doctor_add(d, SR_DOCTOR_NOTE, what, "set the clocks (NTP): names and ages are made of them",
                  "its clock is %lld s %s this host's", (long long)(off < 0 ? -off : off),
                  off < 0 ? "behind" : "ahead of");
}

static void check_protection(struct sr_doctor *d)
{
    struct sr_protection p = {0};
    struct sr_error e = SR_ERROR_INIT;
    int64_t now = sr_clock_now(d->ctx->clock);
    if (sr_protection_from_config(d->ctx->cfg, now, &p, &e) != SR_OK) {
        sr_doctor_add(d, SR_DOCTOR_BLOCKER, "protection", NULL, "%s", e.text);
        return;
    }
    if (!sr_protection_encrypts(&p))
        sr_doctor_add(d, SR_DOCTOR_NOTE, "encryption",
                      "set BACKUP_ENCRYPTION_ENABLED=true and GPG_RECIPIENT_KEY_ID",
                      "off: whoever can read the store can read the data");
    for (size_t i = 0; p.recipients && i < sr_recipients_len(p.recipients); i++) {
        const char *fpr = sr_recipients_fingerprint(p.recipients, i);
        int64_t expires = sr_recipients_expires(p.recipients, i);
        char when[SR_TIME_ISO_SIZE] = "never";
        if (expires > 0)
            sr_time_iso(expires, when);
        sr_doctor_add(
            d, expires > 0 && expires < now + KEY_EXPIRY_NOTICE ? SR_DOCTOR_NOTE : SR_DOCTOR_OK,
            "recipient", NULL, "%s (%s), expires: %s; its secret key is %s", fpr,
            sr_recipients_uid(p.recipients, i), when,
            sr_secret_key_here(&fpr, 1) ? "here, so backups can be opened on this host"
                                        : "not here");
    }
    sr_doctor_add(d, SR_DOCTOR_OK, "compression", NULL, "%s", p.compression);
    sr_doctor_drill(d, &p);
    d->encryption = p.encryption;
    d->compress = p.compress;
    sr_protection_done(&p);
}

static void check_folder(struct sr_doctor *d)
{
    _cleanup_free_ char *state = NULL;
    struct sr_error e = SR_ERROR_INIT;
    unsigned long long bytes = 0;
    char size[SR_SIZE_TEXT];
    if (sr_config_state_dir(d->ctx->cfg, &state, &e) != SR_OK ||
        sr_fs_mkdirs(state, 0700, &e) != SR_OK || sr_fs_free_bytes(state, &bytes, &e) != SR_OK) {
        sr_doctor_add(d, SR_DOCTOR_BLOCKER, "folder",
                      "set BACKUP_DIR to a folder that can be written", "%s", e.text);
        return;
    }
    if (access(state, W_OK) != 0) {
        sr_doctor_add(d, SR_DOCTOR_BLOCKER, "folder",
                      "set BACKUP_DIR to a folder that can be written", "%s cannot be written",
                      state);
        return;
    }
    sr_doctor_locks(d, state);
    sr_format_size(bytes, size);
    sr_doctor_add(d, bytes < (64u << 20) ? SR_DOCTOR_NOTE : SR_DOCTOR_OK, "folder", NULL,
                  "%s, %s free", state, size);
}

int sr_doctor_run(struct sr_context *ctx, struct sr_doctor_result *ret, struct sr_error *err)
{
    struct sr_doctor d = {.ctx = ctx, .result = ret};
    static void (*const checks[])(struct sr_doctor *) = {
        check_folder,        check_protection, sr_doctor_signing,
        sr_doctor_databases, sr_doctor_stores, sr_doctor_missed,
    };
    for (size_t i = 0; i < sizeof checks / sizeof *checks; i++) {
        int rc = sr_context_check(ctx, err);
        if (rc != SR_OK)
            return rc;
        checks[i](&d);
    }
    return d.out_of_memory ? sr_fail(err, SR_E_NO_MEMORY, "out of memory") : SR_OK;
}

void sr_doctor_result_done(struct sr_doctor_result *r)
{
    for (size_t i = 0; i < r->len; i++) {
        free(r->lines[i].what);
        free(r->lines[i].finding);
        free(r->lines[i].remedy);
    }
    free(r->lines);
    *r = (struct sr_doctor_result){0};
}
