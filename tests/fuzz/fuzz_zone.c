/* Files of the time zone database: what is read gives offsets of less than 26 hours, and the first
 * moment of a day has that date. */
#include "config.h"
#include "core/util/zone.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const int64_t times[] = {INT64_MIN,  -62167219200, -1,           0,        951782400,
                                    1795179901, 4102444800,   253402300799, INT64_MAX};
    struct sr_zone *z = NULL;
    if (sr_zone_read(data, size, &z, NULL) != SR_OK)
        return 0;
    for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
        int32_t o = sr_zone_offset(z, times[i]);
        if (o <= -26 * 3600 || o >= 26 * 3600)
            abort();
        (void)sr_zone_day_start(z, sr_zone_day(z, times[i]));
    }
    sr_zone_free(z);
    return 0;
}
