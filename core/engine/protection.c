#include "config.h"
#include "core/engine/protection.h"
#include "core/util/log.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const struct {
    const char *name, *extension;
    enum sr_compression kind;
} kinds[] = {{"gzip", "gz", SR_COMPRESS_GZIP},
             {"zstd", "zst", SR_COMPRESS_ZSTD},
             {"none", "", SR_COMPRESS_NONE}};

static int compression_from_config(const struct sr_config *cfg, struct sr_protection *p,
                                   struct sr_error *err)
{
    const char *want = sr_config_str(cfg, "BACKUP_COMPRESSION");
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strcasecmp(want, kinds[i].name) == 0) {
            p->compression = kinds[i].name;
            p->extension = kinds[i].extension;
            p->compress.kind = kinds[i].kind;
        }
    p->compress.level = (int)sr_config_int(cfg, "BACKUP_COMPRESSION_LEVEL");
    p->compress.threads = (unsigned)sr_config_int(cfg, "BACKUP_COMPRESSION_THREADS");
    if (sr_compress_check(&p->compress, err) != SR_OK)
        return sr_error_wrap(err, "BACKUP_COMPRESSION_LEVEL");
    return SR_OK;
}

int sr_passphrase_from_config(const struct sr_config *cfg, struct sr_passphrase **ret,
                              struct sr_error *err)
{
    const char *text = sr_config_str(cfg, "BACKUP_ENCRYPTION_PASSPHRASE");
    if (!text) {
        *ret = NULL;
        return SR_OK;
    }
    if (sr_passphrase_new(text, ret, err) != SR_OK)
        return sr_error_wrap(err, "BACKUP_ENCRYPTION_PASSPHRASE");
    return SR_OK;
}

int sr_protection_from_config(const struct sr_config *cfg, int64_t now, struct sr_protection *ret,
                              struct sr_error *err)
{
    struct sr_protection p = {.encryption = "none"};
    const char *recipients = sr_config_str(cfg, "GPG_RECIPIENT_KEY_ID");
    const char *passphrase = sr_config_str(cfg, "BACKUP_ENCRYPTION_PASSPHRASE");
    int rc = compression_from_config(cfg, &p, err);
    if (rc != SR_OK)
        return rc;

    if (!sr_config_bool(cfg, "BACKUP_ENCRYPTION_ENABLED")) {
        if (recipients || passphrase)
            sr_log(SR_LOG_WARN,
                   "%s is set but BACKUP_ENCRYPTION_ENABLED is off: this backup is NOT "
                   "encrypted; set BACKUP_ENCRYPTION_ENABLED=true",
                   recipients ? "GPG_RECIPIENT_KEY_ID" : "BACKUP_ENCRYPTION_PASSPHRASE");
        *ret = p;
        return SR_OK;
    }
    if (recipients && passphrase)
        return sr_fail(
            err, SR_E_CONFIG,
            "GPG_RECIPIENT_KEY_ID and BACKUP_ENCRYPTION_PASSPHRASE are both set; unset one: "
            "a backup is encrypted to keys or with a passphrase");
    if (!recipients && !passphrase)
        return sr_fail(
            err, SR_E_CONFIG,
            "BACKUP_ENCRYPTION_ENABLED is on but nothing says to whom; set GPG_RECIPIENT_KEY_ID "
            "(fingerprint, key id or e-mail) or BACKUP_ENCRYPTION_PASSPHRASE_FILE");
    if (recipients) {
        rc = sr_recipients_resolve(recipients, now, &p.recipients, err);
        if (rc != SR_OK)
            return sr_error_wrap(err, "GPG_RECIPIENT_KEY_ID");
        p.encryption = "gpg-public";
        for (size_t i = 0; i < sr_recipients_len(p.recipients); i++)
            sr_log(SR_LOG_VERBOSE, "encrypting to %s (%s)",
                   sr_recipients_fingerprint(p.recipients, i), sr_recipients_uid(p.recipients, i));
    } else {
        rc = sr_passphrase_from_config(cfg, &p.passphrase, err);
        if (rc != SR_OK)
            return rc;
        p.encryption = "gpg-symmetric";
    }
    *ret = p;
    return SR_OK;
}

/* A compressed dump is rarely more than a quarter of what the database takes with its indexes. */
#define COMPRESSED_SHARE 4

uint64_t sr_protection_estimate(const struct sr_protection *p, uint64_t database_size)
{
    return p->compress.kind == SR_COMPRESS_NONE ? database_size : database_size / COMPRESSED_SHARE;
}

void sr_protection_done(struct sr_protection *p)
{
    sr_recipients_free(p->recipients);
    sr_passphrase_free(p->passphrase);
    *p = (struct sr_protection){0};
}
