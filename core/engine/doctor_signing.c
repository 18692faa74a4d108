/* The keys that sign backups: whether they can, tonight and without a question. */
#include "config.h"
#include "core/engine/doctor_private.h"
#include "core/engine/trust.h"

#include <string.h>

#define KEY_EXPIRY_NOTICE (30 * 86400) /* seconds */

static void check_keys(struct sr_doctor *d, const struct sr_signer *s)
{
    struct sr_error e = SR_ERROR_INIT;
    int64_t now = sr_clock_now(d->ctx->clock), expires = 0;
    char who[256], when[SR_TIME_ISO_SIZE] = "never";
    if (!sr_signer_signs(s)) {
        int required = sr_config_bool(d->ctx->cfg, "BACKUP_REQUIRE_SIGNATURE");
        sr_doctor_add(d, required ? SR_DOCTOR_NOTE : SR_DOCTOR_OK, "signing",
                      required
                          ? "set BACKUP_SIGN_KEY_FILE or BACKUP_SIGN_GPG_KEY where backups are "
                            "made"
                          : NULL,
                      "signatures are checked here; backups made here are not signed%s",
                      required ? ", and BACKUP_REQUIRE_SIGNATURE would refuse them" : "");
        return;
    }
    sr_signer_tell(s, who, sizeof who);
    if (sr_signer_try(s, now, &expires, &e) != SR_OK) {
        sr_doctor_add(d, SR_DOCTOR_BLOCKER, "signing", NULL, "%s: %s", who, e.text);
        return;
    }
    if (expires > 0)
        sr_time_iso(expires, when);
    int soon = expires > 0 && expires < now + KEY_EXPIRY_NOTICE;
    sr_doctor_add(d, soon ? SR_DOCTOR_NOTE : SR_DOCTOR_OK, "signing",
                  soon ? "renew the key (gpg --quick-set-expire), also where it is checked" : NULL,
                  "%s signs without a question, expires: %s", who, when);
}

void sr_doctor_signing(struct sr_doctor *d)
{
    const struct sr_signer *s = NULL;
    struct sr_error e = SR_ERROR_INIT;
    if (sr_trust_keys(d->ctx, &s, &e) != SR_OK)
        sr_doctor_add(d, SR_DOCTOR_BLOCKER, "signing", NULL, "%s", e.text);
    else if (s)
        check_keys(d, s);
}

void sr_doctor_missed(struct sr_doctor *d)
{
    for (size_t i = 0; i < d->ctx->missed.len; i++)
        sr_doctor_add(d, SR_DOCTOR_NOTE, "signed backups",
                      "look who can delete there; a restore of `latest` is refused until a newer "
                      "backup is there",
                      "%s", d->ctx->missed.items[i]);
}
