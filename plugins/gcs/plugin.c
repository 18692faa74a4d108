/* Registration; opening and closing; where the store is. */
#include "gcs/gcs.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int32_t gcs_report(const struct gcs *s, int32_t rc, struct sc_error *err, const char *fmt, ...)
{
    char what[SR_STORAGE_KEY_MAX + 320];
    va_list ap;
    if (rc == SR_STORAGE_OK)
        return rc;
    va_start(ap, fmt);
    (void)vsnprintf(what, sizeof what, fmt, ap);
    va_end(ap);
    (void)sc_error_wrap(err, "%s", what);
    (void)sc_error_report(s->host, err);
    return rc;
}

static int32_t gcs_load(const struct sr_storage_host *host)
{
    struct sc_error err = SC_ERROR_INIT;
    int32_t rc = sc_http_global_init(&err);
    return rc == SR_STORAGE_OK ? rc : sc_error_report(host, &err);
}

static void gcs_close(void *handle)
{
    struct gcs *s = handle;
    gcs_auth_close(s);
    gcs_settings_done(&s->set);
    free(s);
}

static int32_t gcs_open(const struct sr_storage_host *host,
                        const struct sr_storage_open_options *options, void **ret_handle)
{
    struct sc_error err = SC_ERROR_INIT;
    struct gcs *s = calloc(1, sizeof *s);
    if (!s) {
        (void)sc_fail_memory(&err);
        return sc_error_report(host, &err);
    }
    s->host = host;
    s->read_only = (options->flags & SR_STORAGE_OPEN_READ_ONLY) != 0;
    (void)snprintf(s->label, sizeof s->label, "%s", options->store);
    int32_t rc = gcs_settings_read(host, &s->set, &err);
    if (rc == SR_STORAGE_OK)
        rc = gcs_auth_open(s, &err);
    if (rc != SR_STORAGE_OK) {
        (void)gcs_report(s, rc, &err, "store %s", s->label);
        gcs_close(s);
        return rc;
    }
    *ret_handle = s;
    return rc;
}

static int32_t gcs_place(void *handle, char *buf, uint64_t cap)
{
    struct gcs *s = handle;
    struct sc_error err = SC_ERROR_INIT;
    char port[8] = "";
    if (s->port)
        (void)snprintf(port, sizeof port, ":%u", s->port);
    /* A bucket's name is unique among all of Google's. */
    int n = s->google ? snprintf(buf, (size_t)cap, "gs://%s", s->set.bucket)
                      : snprintf(buf, (size_t)cap, "gs://%s%s%s/%s", s->host_name, port,
                                 s->base_path, s->set.bucket);
    if (n >= 0 && (uint64_t)n < cap)
        return SR_STORAGE_OK;
    int32_t rc = sc_fail(&err, SR_STORAGE_E_CONFIG, "the endpoint's URL is too long");
    return gcs_report(s, rc, &err, "store %s", s->label);
}

static struct sr_storage_plugin plugin = {
    .name = "gcs",
    .version = "1.0",
    .description = "Objects in a bucket of Google Cloud Storage",
    .license = "MIT",
    .capabilities = SR_CAP_ATOMIC_CREATE | SR_CAP_RANGES | SR_CAP_SORTED_LIST | SR_CAP_LOCK |
                    SR_CAP_VERSIONS | SR_CAP_METADATA,
    .settings = gcs_setting_rows,
    .load = gcs_load,
    .open = gcs_open,
    .close = gcs_close,
    .ask_capabilities = gcs_ask_capabilities,
    .place = gcs_place,
    .save = gcs_save,
    .list = gcs_list,
    .fetch = gcs_fetch,
    .stat = gcs_stat,
    .delete_object = gcs_delete,
    .sweep = gcs_sweep,
};

SR_STORAGE_REGISTER(gcs, plugin);
