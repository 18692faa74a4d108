/* sr_key_check: whatever it lets through can lead nowhere but below the place it is put under. */
#include "config.h"
#include "core/store/store.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sr_error err = SR_ERROR_INIT;
    char *key = malloc(size + 1);
    if (!key)
        return 0;
    memcpy(key, data, size);
    key[size] = '\0';
    if (sr_key_check(key, &err) == SR_OK) {
        size_t n = strlen(key), part = 0;
        if (n == 0 || n >= SR_KEY_MAX || key[0] == '/' || key[n - 1] == '/')
            abort();
        for (size_t i = 0; i < n; i++) {
            unsigned char c = (unsigned char)key[i];
            if (c <= ' ' || c >= 0x7f || c == '\\' || (part == 0 && (c == '.' || c == '/')))
                abort();
            part = c == '/' ? 0 : part + 1;
            if (part > SR_KEY_COMPONENT_MAX)
                abort();
        }
    } else if (err.code != SR_E_CONFIG || err.text[0] == '\0') {
        abort();
    }
    free(key);
    return 0;
}
