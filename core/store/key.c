#include "config.h"
#include "core/store/store.h"

#include <string.h>

#define ALPHABET "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-"

int sr_key_check(const char *key, struct sr_error *err)
{
    size_t total = strnlen(key, SR_KEY_MAX);
    if (total == 0)
        return sr_fail(err, SR_E_CONFIG, "a key must not be empty");
    if (total >= SR_KEY_MAX)
        return sr_fail(err, SR_E_CONFIG, "the key %.40s... is longer than %d bytes", key,
                       SR_KEY_MAX - 1);
    for (const char *part = key;; part++) {
        size_t n = strspn(part, ALPHABET);
        char c = part[n];
        if (c != '/' && c != '\0')
            return sr_fail(err, SR_E_CONFIG,
                           "the key holds the byte 0x%02x at position %zu; allowed are letters, "
                           "digits and . _ / -",
                           (unsigned)(unsigned char)c, (size_t)(part - key) + n);
        if (n == 0)
            return sr_fail(err, SR_E_CONFIG, "the key '%s' has an empty part", key);
        if (part[0] == '.')
            return sr_fail(err, SR_E_CONFIG, "the key '%s' has a part that begins with a dot", key);
        if (n > SR_KEY_COMPONENT_MAX)
            return sr_fail(err, SR_E_CONFIG,
                           "the key '%.40s...' has a part of %zu bytes, %d are allowed", key, n,
                           SR_KEY_COMPONENT_MAX);
        part += n;
        if (c == '\0')
            return SR_OK;
    }
}
