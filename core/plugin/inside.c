#include "config.h"
#include "core/plugin/inside.h"

#include <stddef.h>

static _Thread_local const char *volatile inside;

const char *sr_plugin_inside_set(const char *file)
{
    const char *before = inside;
    inside = file;
    return before;
}

const char *sr_plugin_inside(void)
{
    return inside;
}
