#include "gcs/object.h"

#include "common/digest.h"
#include "common/timefmt.h"

#include <string.h>

static int64_t time_of(const json_t *v, const char *name)
{
    const char *text = sc_json_text(v, name);
    int64_t t = 0;
    return text && sc_time_iso_parse(text, &t) == 0 ? t : 0;
}

static int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* A hold has no end; a bucket's retention policy and the object's own retention both must pass. */
static int64_t locked_until(const json_t *v)
{
    if (json_is_true(json_object_get(v, "temporaryHold")) ||
        json_is_true(json_object_get(v, "eventBasedHold")))
        return INT64_MAX;
    return later(time_of(v, "retentionExpirationTime"),
                 time_of(json_object_get(v, "retention"), "retainUntilTime"));
}

int32_t gcs_object_read(const json_t *v, struct gcs_object *ret, struct sc_error *err)
{
    uint64_t generation = 0;
    *ret = (struct gcs_object){.name = sc_json_text(v, "name")};
    if (!ret->name || !*ret->name)
        return sc_fail(err, SR_STORAGE_E_CORRUPT, "an object is described without a name");
    if (sc_json_u64(v, "size", &ret->size) != 0)
        return sc_fail(err, SR_STORAGE_E_CORRUPT, "no size is stated of %.200s", ret->name);
    const char *text = sc_json_text(v, "generation");
    if (sc_json_u64(v, "generation", &generation) != 0 || (text && strlen(text) > 20))
        return sc_fail(err, SR_STORAGE_E_CORRUPT, "no generation is stated of %.200s", ret->name);
    (void)snprintf(ret->generation, sizeof ret->generation, "%llu", (unsigned long long)generation);
    ret->modified = time_of(v, "updated");
    ret->old = json_object_get(v, "timeDeleted") != NULL;
    ret->locked_until = locked_until(v);
    const char *crc = sc_json_text(v, "crc32c");
    ret->has_crc32c = crc && gcs_crc_parse(crc, &ret->crc32c) == 0;
    const char *mark = sc_json_text(json_object_get(v, "metadata"), GCS_MARK_NAME);
    if (mark && strlen(mark) < sizeof ret->mark)
        memcpy(ret->mark, mark, strlen(mark) + 1);
    return SR_STORAGE_OK;
}

struct sr_storage_entry gcs_object_entry(const struct gcs_object *o, const char *key,
                                         uint8_t sum[GCS_CRC_LEN])
{
    struct sr_storage_entry e = {.size = sizeof e,
                                 .key = key ? key : o->name,
                                 .object_size = o->size,
                                 .modified = o->modified,
                                 .locked_until = o->locked_until,
                                 .version = o->generation,
                                 .flags = o->old ? SR_STORAGE_ENTRY_OLD : 0};
    if (o->has_crc32c) {
        sc_put_be(sum, GCS_CRC_LEN, o->crc32c);
        e.checksum_kind = SR_STORAGE_SUM_CRC32C;
        e.checksum_len = GCS_CRC_LEN;
        e.checksum = sum;
    }
    return e;
}
