/* A plugin's settings, read from the host and judged.
 *
 *     rc = sc_setting_string(host, "storage_class", &set->storage_class, &err);
 *     if (rc == SR_STORAGE_OK)
 *         rc = sc_setting_number(host, "part_size", &set->part_size, &err);
 *
 * The host has checked the types of the table already; what is left is that a value fits, and that
 * it holds no control character, since it may end up in a header. Every failure is E_CONFIG and
 * names the setting, but for a value that the host itself cannot read (sc_fail_setting). On the
 * thread of the call, as host->setting is. Secrets: sc_secret_setting. */
#ifndef SC_SETTING_H
#define SC_SETTING_H

#include "common/secret.h"

#include <stdint.h>

#define SC_SETTING_MAX 8192 /* bytes of a string, its NUL counted */

/* The value in buf, "" when it is unset, which *ret_set (or NULL) tells. */
int32_t sc_setting_text(const struct sr_storage_host *host, const char *key, char *buf, size_t cap,
                        int *ret_set, struct sc_error *err);
/* malloc'd; *ret stays as it is when the setting is unset or empty. */
int32_t sc_setting_string(const struct sr_storage_host *host, const char *key, char **ret,
                          struct sc_error *err);
/* Unset is an error: the table has a default. */
int32_t sc_setting_number(const struct sr_storage_host *host, const char *key, uint64_t *ret,
                          struct sc_error *err);
int32_t sc_setting_flag(const struct sr_storage_host *host, const char *key, int *ret,
                        struct sc_error *err);
/* The place of the value among names, which end with NULL. */
int32_t sc_setting_choice(const struct sr_storage_host *host, const char *key,
                          const char *const *names, unsigned *ret, struct sc_error *err);
/* A key of 32 bytes in base64, for encryption by the store; empty when it is unset. */
int32_t sc_setting_key(const struct sr_storage_host *host, const char *key, struct sc_secret *ret,
                       struct sc_error *err);

#endif
