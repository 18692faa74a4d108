#include <config.h> /* not the one of this folder */
#include "core/config/layer.h"

#include <stdio.h>
#include <string.h>

/* The variables of one service, as Kubernetes makes them (and Docker's links, but for the first
 * two): <X>_SERVICE_HOST, <X>_SERVICE_PORT, <X>_SERVICE_PORT_<NAME>, <X>_PORT,
 * <X>_PORT_<N>_<PROTO>, and of the last one _PROTO, _PORT and _ADDR. */
static int has_service(const struct sr_layer *l, const char *base, size_t len)
{
    static const char *const ends[] = {"_SERVICE_HOST", "_SERVICE_PORT"};
    char name[256];
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        int n = snprintf(name, sizeof name, "%.*s%s", (int)len, base, ends[i]);
        if (n < 0 || (size_t)n >= sizeof name || !sr_layer_get(l, name))
            return 0;
    }
    return 1;
}

int sr_layer_is_injected(const struct sr_layer *l, const char *name)
{
    static const char *const parts[] = {"_SERVICE_HOST", "_SERVICE_PORT", "_PORT"};
    if (l->origin != SR_ORIGIN_ENVIRONMENT || strlen(name) > 200)
        return 0;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        size_t n = strlen(parts[i]);
        for (const char *at = name; (at = strstr(at, parts[i])) != NULL; at++)
            if ((at[n] == '\0' || at[n] == '_') && has_service(l, name, (size_t)(at - name)))
                return 1;
    }
    return 0;
}
