/* Registration; opening and closing; where the store is. */
#include "s3/s3.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int32_t s3_report(const struct s3 *s, int32_t rc, struct sc_error *err, const char *fmt, ...)
{
    char what[SR_STORAGE_KEY_MAX + 64];
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

static int32_t s3_load(const struct sr_storage_host *host)
{
    struct sc_error err = SC_ERROR_INIT;
    int32_t rc = sc_http_global_init(&err);
    return rc == SR_STORAGE_OK ? rc : sc_error_report(host, &err);
}

static void s3_close(void *handle)
{
    struct s3 *s = handle;
    s3_auth_close(s);
    s3_settings_done(&s->set);
    free(s);
}

static int32_t s3_open(const struct sr_storage_host *host,
                       const struct sr_storage_open_options *options, void **ret_handle)
{
    struct sc_error err = SC_ERROR_INIT;
    struct s3 *s = calloc(1, sizeof *s);
    if (!s) {
        (void)sc_fail_memory(&err);
        return sc_error_report(host, &err);
    }
    s->host = host;
    s->read_only = (options->flags & SR_STORAGE_OPEN_READ_ONLY) != 0;
    (void)snprintf(s->label, sizeof s->label, "%s", options->store);
    int32_t rc = s3_settings_read(host, &s->set, &err);
    if (rc == SR_STORAGE_OK)
        rc = s3_auth_open(s, &err);
    if (rc != SR_STORAGE_OK) {
        (void)s3_report(s, rc, &err, "store %s", s->label);
        s3_close(s);
        return rc;
    }
    *ret_handle = s;
    return rc;
}

static int32_t s3_place(void *handle, char *buf, uint64_t cap)
{
    struct s3 *s = handle;
    struct sc_error err = SC_ERROR_INIT;
    char port[8] = "", host[sizeof s->host_name];
    size_t len = strlen(s->host_name);
    (void)snprintf(host, sizeof host, "%s", s->host_name);
    if (len > 0 && host[len - 1] == '.') /* the same name, written in full */
        host[len - 1] = '\0';
    if (s->port)
        (void)snprintf(port, sizeof port, ":%u", s->port);
    /* A bucket's name is unique among all of Amazon's, whatever the region. */
    int n = s->amazon ? snprintf(buf, (size_t)cap, "s3://amazonaws.com/%s", s->set.bucket)
                      : snprintf(buf, (size_t)cap, "s3://%s%s%s/%s", host, port, s->base_path,
                                 s->set.bucket);
    if (n >= 0 && (uint64_t)n < cap)
        return SR_STORAGE_OK;
    int32_t rc = sc_fail(&err, SR_STORAGE_E_CONFIG, "the endpoint's URL is too long");
    return s3_report(s, rc, &err, "store %s", s->label);
}

static struct sr_storage_plugin plugin = {
    .name = "s3",
    .version = "1.0",
    .description = "Objects in a bucket of Amazon S3, or of a store that speaks its language",
    .license = "MIT",
    .capabilities = SR_CAP_ATOMIC_CREATE | SR_CAP_RANGES | SR_CAP_SORTED_LIST | SR_CAP_LOCK |
                    SR_CAP_VERSIONS | SR_CAP_METADATA,
    .settings = s3_setting_rows,
    .load = s3_load,
    .open = s3_open,
    .close = s3_close,
    .ask_capabilities = s3_ask_capabilities,
    .place = s3_place,
    .save = s3_save,
    .list = s3_list,
    .fetch = s3_fetch,
    .stat = s3_stat,
    .delete_object = s3_delete,
    .delete_many = s3_delete_many,
    .sweep = s3_sweep,
};

SR_STORAGE_REGISTER(s3, plugin);
