#include "s3/s3.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

static int ends_with(const char *s, const char *end)
{
    size_t n = strlen(s), m = strlen(end);
    return n >= m && strcasecmp(s + n - m, end) == 0;
}

static int is_amazon(const char *host)
{
    return ends_with(host, ".amazonaws.com") || ends_with(host, ".amazonaws.com.cn");
}

/* A certificate for *.s3.region.amazonaws.com covers no name with a dot in it, and old buckets may
 * have upper case. */
static int fits_host_name(const char *bucket)
{
    return strspn(bucket, "abcdefghijklmnopqrstuvwxyz0123456789-") == strlen(bucket);
}

static int region_is_plain(const char *region)
{
    size_t len = strlen(region);
    return len > 0 && len < S3_REGION_MAX &&
           strspn(region, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") ==
               len;
}

static int32_t endpoint_read(struct s3 *s, struct sc_error *err)
{
    struct sc_request r = SC_REQUEST_INIT;
    if (!s->set.endpoint) {
        (void)snprintf(s->scheme, sizeof s->scheme, "https");
        s->amazon = 1;
        s->base_path = strdup("");
        return s->base_path ? SR_STORAGE_OK : sc_fail_memory(err);
    }
    int32_t rc = sc_request_url(&r, "GET", s->set.endpoint, err);
    if (rc == SR_STORAGE_OK && r.query.len > 0)
        rc = sc_fail(err, SR_STORAGE_E_CONFIG, "it has a query");
    if (rc != SR_STORAGE_OK) {
        sc_request_done(&r);
        return sc_error_wrap(err, "the setting endpoint_url cannot be used");
    }
    memcpy(s->scheme, r.scheme, sizeof s->scheme);
    /* One place has one name: the plugin's place is made of these. */
    for (size_t i = 0; i < sizeof s->host_name; i++)
        s->host_name[i] = r.host[i] >= 'A' && r.host[i] <= 'Z' ? (char)(r.host[i] + 32) : r.host[i];
    s->port = r.port == (strcmp(r.scheme, "https") == 0 ? 443 : 80) ? 0 : r.port;
    s->amazon = is_amazon(r.host);
    while (r.path.len > 0 && r.path.data[r.path.len - 1] == '/')
        r.path.data[--r.path.len] = '\0';
    s->base_path = strdup(sc_buf_str(&r.path));
    sc_request_done(&r);
    return s->base_path ? SR_STORAGE_OK : sc_fail_memory(err);
}

static int32_t region_choose(struct s3 *s, struct sc_error *err)
{
    _cleanup_free_ char *region = NULL;
    int32_t rc = sc_aws_region(s->host, &region, err);
    if (rc != SR_STORAGE_OK)
        return rc;
    const char *use = region && *region                                   ? region
                      : strstr(s->host_name, ".r2.cloudflarestorage.com") ? "auto"
                                                                          : "us-east-1";
    if (!region_is_plain(use))
        return sc_fail(err, SR_STORAGE_E_CONFIG, "the region '%.80s' is no region's name", use);
    (void)snprintf(s->region, sizeof s->region, "%s", use);
    return SR_STORAGE_OK;
}

int32_t s3_auth_open(struct s3 *s, struct sc_error *err)
{
    int32_t rc = endpoint_read(s, err);
    if (rc == SR_STORAGE_OK)
        rc = region_choose(s, err);
    if (rc != SR_STORAGE_OK)
        return rc;
    s->virtual_host = s->set.style == S3_STYLE_VIRTUAL ||
                      (s->set.style == S3_STYLE_AUTO && s->amazon && fits_host_name(s->set.bucket));
    if (s->virtual_host && !fits_host_name(s->set.bucket))
        sc_log(s->host, SR_STORAGE_LOG_WARN,
               "bucket %s is no plain host name; with addressing=virtual its certificate may "
               "not fit",
               s->set.bucket);
    s->clock = (struct sc_aws_clock)SC_AWS_CLOCK_INIT;
    s->signer = (struct sc_aws_signer){.host = s->host,
                                       .keys = sc_sigv4_keys_new(),
                                       .clock = &s->clock,
                                       .where = {s->region, "s3", SC_SIGV4_S3}};
    const struct sc_aws_options chain = {
        .label = s->label, .ca_file = s->set.ca_file, .ca_setting = "ca_file", .clock = &s->clock};
    rc = sc_aws_creds_new(s->host, &chain, &s->signer.creds, err);
    const struct sc_http_options http = {.label = s->label,
                                         .ca_file = s->set.ca_file,
                                         .ca_setting = "ca_file",
                                         .insecure = s->set.insecure,
                                         /* Each part has a connection of its own in any case. */
                                         .version = SC_HTTP_1_1,
                                         .connections_max = s->set.concurrency + 1};
    return rc == SR_STORAGE_OK ? sc_http_new(s->host, &http, &s->http, err) : rc;
}

void s3_auth_close(struct s3 *s)
{
    sc_http_free(s->http);
    sc_creds_free(s->signer.creds);
    sc_sigv4_keys_free(s->signer.keys);
    free(s->base_path);
}

void s3_auth_host(const struct s3 *s, char out[256])
{
    char plain[256];
    if (s->set.endpoint)
        (void)snprintf(plain, sizeof plain, "%s", s->host_name);
    else
        (void)snprintf(plain, sizeof plain, "s3.%s.amazonaws.com%s", s->region,
                       strncmp(s->region, "cn-", 3) == 0 ? ".cn" : "");
    (void)snprintf(out, 256, "%.63s%s%.190s", s->virtual_host ? s->set.bucket : "",
                   s->virtual_host ? "." : "", plain);
}

int s3_auth_adopt_region(struct s3 *s, const char *region)
{
    if (s->region_adopted || !region || !region_is_plain(region) || strcmp(region, s->region) == 0)
        return 0;
    sc_log(s->host, SR_STORAGE_LOG_WARN,
           "bucket %s is in region %s, not %s; set the region to spare a request each time",
           s->set.bucket, region, s->region);
    (void)snprintf(s->region, sizeof s->region, "%s", region);
    s->region_adopted = 1;
    return 1;
}
