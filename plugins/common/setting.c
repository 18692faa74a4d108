#include "common/setting.h"
#include "common/encode.h"

#include <string.h>

#define KEY_LEN 32

int32_t sc_setting_text(const struct sr_storage_host *host, const char *key, char *buf, size_t cap,
                        int *ret_set, struct sc_error *err)
{
    int64_t n = host->setting(host, key, buf, cap);
    if (ret_set)
        *ret_set = n >= 0;
    if (n == -2)
        return sc_fail_setting(err, key);
    if (n >= (int64_t)cap)
        return sc_fail(err, SR_STORAGE_E_CONFIG, "the setting %s has more than %zu bytes", key,
                       cap - 1);
    if (n < 0)
        buf[0] = '\0';
    for (const char *p = buf; *p; p++)
        if ((unsigned char)*p < 0x20 || (unsigned char)*p == 0x7f)
            return sc_fail(err, SR_STORAGE_E_CONFIG, "the setting %s holds a control character",
                           key);
    return SR_STORAGE_OK;
}

int32_t sc_setting_string(const struct sr_storage_host *host, const char *key, char **ret,
                          struct sc_error *err)
{
    char buf[SC_SETTING_MAX];
    int32_t rc = sc_setting_text(host, key, buf, sizeof buf, NULL, err);
    if (rc != SR_STORAGE_OK || !buf[0])
        return rc;
    *ret = strdup(buf);
    return *ret ? SR_STORAGE_OK : sc_fail_memory(err);
}

int32_t sc_setting_number(const struct sr_storage_host *host, const char *key, uint64_t *ret,
                          struct sc_error *err)
{
    char buf[32];
    int set = 0;
    int32_t rc = sc_setting_text(host, key, buf, sizeof buf, &set, err);
    if (rc == SR_STORAGE_OK && (!set || sc_parse_u64(buf, ret) != 0))
        rc = sc_fail(err, SR_STORAGE_E_CONFIG, "the setting %s is no number: '%s'", key, buf);
    return rc;
}

int32_t sc_setting_flag(const struct sr_storage_host *host, const char *key, int *ret,
                        struct sc_error *err)
{
    uint64_t v = 0;
    int32_t rc = sc_setting_number(host, key, &v, err);
    *ret = v != 0;
    return rc;
}

int32_t sc_setting_choice(const struct sr_storage_host *host, const char *key,
                          const char *const *names, unsigned *ret, struct sc_error *err)
{
    char buf[32];
    int32_t rc = sc_setting_text(host, key, buf, sizeof buf, NULL, err);
    for (unsigned i = 0; rc == SR_STORAGE_OK && names[i]; i++)
        if (strcmp(names[i], buf) == 0) {
            *ret = i;
            return rc;
        }
    return rc != SR_STORAGE_OK
               ? rc
               : sc_fail(err, SR_STORAGE_E_CONFIG, "the setting %s cannot be '%s'", key, buf);
}

int32_t sc_setting_key(const struct sr_storage_host *host, const char *key, struct sc_secret *ret,
                       struct sc_error *err)
{
    struct sc_secret text = SC_SECRET_INIT;
    struct sc_buf raw = SC_BUF_SECRET_INIT(2 * KEY_LEN);
    int32_t rc = sc_secret_setting(&text, host, key, err);
    if (rc == SR_STORAGE_E_NOT_FOUND)
        return SR_STORAGE_OK;
    if (rc == SR_STORAGE_OK &&
        (sc_base64_decode(&raw, sc_secret_bytes(&text), text.len) != SR_STORAGE_OK ||
         sc_buf_check(&raw, NULL, "") != SR_STORAGE_OK || raw.len != KEY_LEN))
        rc = sc_fail(err, SR_STORAGE_E_CONFIG,
                     "the setting %s is not %d bytes in base64; make one with: openssl rand "
                     "-base64 %d",
                     key, KEY_LEN, KEY_LEN);
    if (rc == SR_STORAGE_OK)
        rc = sc_secret_set(ret, raw.data, raw.len, err);
    sc_secret_done(&text);
    sc_buf_done(&raw);
    return rc;
}
