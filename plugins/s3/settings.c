#include "s3/s3.h"

#include "common/aws_settings.h"
#include "common/setting.h"

#include <stdio.h>
#include <string.h>

#define ROW(k, t, f, h, ...)                                                                \
    {                                                                                       \
        .size = sizeof(struct sr_storage_setting), .key = (k), .type = SR_STORAGE_TYPE_##t, \
        .flags = (f), .help = (h), .since = "1.0", __VA_ARGS__                              \
    }
#define MIB ((int64_t)1 << 20)

/* clang-format off */
const struct sr_storage_setting s3_setting_rows[] = {
    ROW("bucket", STRING, SR_STORAGE_SETTING_REQUIRED | SR_STORAGE_SETTING_PLACE,
        "Bucket that holds the objects", .fallback = NULL),
    ROW("endpoint_url", URL, 0, "Where the store is, if not at Amazon: https://host[:port]",
        .names = "AWS_S3_ENDPOINT_URL AWS_ENDPOINT_URL_S3 AWS_ENDPOINT_URL"),
    ROW("addressing", CHOICE, 0, "Bucket in the path or in the host's name; auto: path but for Amazon",
        .fallback = "auto", .choices = "auto|path|virtual"),
    ROW("part_size", SIZE, 0, "Size of an upload's parts; memory is part_size times (concurrency + 1)",
        .fallback = "8MiB", .min = 5 * MIB, .max = 5120 * MIB),
    ROW("concurrency", INT, 0, "Parts under way at once", .fallback = "4", .min = 1, .max = 64),
    ROW("max_parts", INT, 0, "Parts that the store allows in one upload (Scaleway: 1000)",
        .fallback = "10000", .min = 2, .max = 10000),
    ROW("part_growth", CHOICE, 0, "Whether later parts grow; off: all alike; auto: on but for R2",
        .fallback = "auto", .choices = "auto|on|off"),
    ROW("checksum", CHOICE, 0, "Checksum sent with each body; auto: crc64nvme at Amazon, else md5",
        .fallback = "auto", .choices = "auto|md5|crc64nvme|crc32c|sha256|none"),
    ROW("sign_payload", BOOL, 0, "Sign bodies also over https, where TLS protects them",
        .fallback = "false"),
    ROW("create_only", CHOICE, 0,
        "How an existing object is kept from being replaced: by If-None-Match, or by looking first",
        .fallback = "auto", .choices = "auto|condition|look"),
    ROW("list_version", CHOICE, 0, "Version of the listing call; auto: 2, else 1",
        .fallback = "auto", .choices = "auto|1|2"),
    ROW("list_encoding", BOOL, 0, "Ask for listings with encoded keys", .fallback = "true"),
    ROW("storage_class", STRING, 0, "Storage class of new objects, as STANDARD_IA", .fallback = NULL),
    ROW("tags", STRING, 0, "Tags of new objects: name=value&name=value, encoded as in a URL",
        .fallback = NULL),
    ROW("sse", CHOICE, 0, "Encryption by the store itself", .fallback = "none",
        .choices = "none|AES256|aws:kms"),
    ROW("sse_kms_key_id", STRING, 0, "Key for aws:kms; unset: the account's own", .fallback = NULL),
    ROW("sse_customer_key", STRING, SR_STORAGE_SETTING_SECRET,
        "Key of ours for encryption by the store (SSE-C): 32 bytes in base64", .fallback = NULL),
    ROW("object_lock_mode", CHOICE, 0, "Kind of lock where objects are locked",
        .fallback = "GOVERNANCE", .choices = "GOVERNANCE|COMPLIANCE"),
    ROW("object_lock_days", INT, 0, "Days for which new objects are locked; 0: not, unless asked",
        .fallback = "0", .min = 0, .max = 36500),
    ROW("requester_pays", BOOL, 0, "Pay for requests to somebody else's bucket", .fallback = "false"),
    ROW("ca_file", PATH, 0, "File of the certificate authorities to trust instead of the system's",
        .names = "AWS_CA_BUNDLE"),
    ROW("verify_tls", BOOL, 0, "Verify the server's certificate", .fallback = "true"),
    SC_AWS_SETTINGS
    {0},
};
/* clang-format on */

/* What a bucket may be called is the store's affair; what would change the request is ours. */
static int32_t bucket_check(const char *bucket, struct sc_error *err)
{
    size_t len = strlen(bucket);
    if (len < 3 ||
        strspn(bucket, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                       "0123456789.-_") != len ||
        bucket[0] == '.' || bucket[0] == '-' || strstr(bucket, ".."))
        return sc_fail(err, SR_STORAGE_E_CONFIG,
                       "the setting bucket is '%s': a bucket's name has 3 to %d letters, digits, "
                       "'.', '-' or '_'",
                       bucket, S3_BUCKET_MAX - 1);
    return SR_STORAGE_OK;
}

static int32_t uploads_read(const struct sr_storage_host *host, struct s3_settings *set,
                            struct sc_error *err)
{
    static const char *const growth[] = {"auto", "on", "off", NULL};
    uint64_t parts = 0, jobs = 0;
    unsigned grows = 0;
    int32_t rc = sc_setting_number(host, "part_size", &set->part_size, err);
    if (rc == SR_STORAGE_OK)
        rc = sc_setting_number(host, "concurrency", &jobs, err);
    if (rc == SR_STORAGE_OK)
        rc = sc_setting_number(host, "max_parts", &parts, err);
    if (rc == SR_STORAGE_OK)
        rc = sc_setting_choice(host, "part_growth", growth, &grows, err);
    if (rc != SR_STORAGE_OK)
        return rc;
    if (set->part_size < S3_PART_LEAST || set->part_size > S3_PART_MOST || jobs < 1 || jobs > 64 ||
        parts < 2 || parts > S3_PARTS_MOST)
        return sc_fail(err, SR_STORAGE_E_CONFIG,
                       "part_size, concurrency or max_parts is out of range");
    set->concurrency = (unsigned)jobs;
    set->max_parts = (unsigned)parts;
    set->constant_parts = grows == 2;
    if (grows == 0 && set->endpoint && strstr(set->endpoint, ".r2.cloudflarestorage.com"))
        set->constant_parts = 1;
    return rc;
}

static int32_t objects_read(const struct sr_storage_host *host, struct s3_settings *set,
                            struct sc_error *err)
{
    uint64_t days = 0;
    int32_t rc = sc_setting_string(host, "storage_class", &set->storage_class, err);
    if (rc == SR_STORAGE_OK)
        rc = sc_setting_string(host, "tags", &set->tags, err);
    if (rc == SR_STORAGE_OK)
        rc = sc_setting_string(host, "sse", &set->sse, err);
    if (rc == SR_STORAGE_OK)
        rc = sc_setting_string(host, "sse_kms_key_id", &set->sse_kms_key_id, err);
    if (rc == SR_STORAGE_OK)
        rc = sc_setting_key(host, "sse_customer_key", &set->sse_key, err);
    if (rc == SR_STORAGE_OK)
        rc = sc_setting_string(host, "object_lock_mode", &set->lock_mode, err);
    if (rc == SR_STORAGE_OK)
        rc = sc_setting_number(host, "object_lock_days", &days, err);
    if (rc != SR_STORAGE_OK)
        return rc;
    set->lock_days = (unsigned)days;
    int sse = set->sse && strcmp(set->sse, "none") != 0;
    if (sse && set->sse_key.len)
        return sc_fail(err, SR_STORAGE_E_CONFIG,
                       "sse and sse_customer_key exclude each other: the store's keys, or ours");
    if (set->sse_kms_key_id && (!sse || strcmp(set->sse, "aws:kms") != 0))
        return sc_fail(err, SR_STORAGE_E_CONFIG, "sse_kms_key_id needs sse=aws:kms");
    if (!sse) {
        free(set->sse);
        set->sse = NULL;
    }
    return rc;
}

int32_t s3_settings_read(const struct sr_storage_host *host, struct s3_settings *set,
                         struct sc_error *err)
{
    static const char *const styles[] = {"auto", "path", "virtual", NULL};
    static const char *const sums[] = {"auto",   "md5",  "crc64nvme", "crc32c",
                                       "sha256", "none", NULL};
    static const char *const creates[] = {"auto", "condition", "look", NULL};
    static const char *const lists[] = {"auto", "2", "1", NULL};
    unsigned style = 0, sum = 0, create = 0, list = 0;
    int verify = 1;
    *set = (struct s3_settings){0};
    int32_t rc = sc_setting_text(host, "bucket", set->bucket, sizeof set->bucket, NULL, err);
    if (rc == SR_STORAGE_OK)
        rc = bucket_check(set->bucket, err);
    if (rc == SR_STORAGE_OK)
        rc = sc_setting_string(host, "endpoint_url", &set->endpoint, err);
    if (rc == SR_STORAGE_OK)
        rc = sc_setting_choice(host, "addressing", styles, &style, err);
    if (rc == SR_STORAGE_OK)
        rc = uploads_read(host, set, err);
    if (rc == SR_STORAGE_OK)
        rc = sc_setting_choice(host, "checksum", sums, &sum, err);
    if (rc == SR_STORAGE_OK)
        rc = sc_setting_flag(host, "sign_payload", &set->sign_payload, err);
    if (rc == SR_STORAGE_OK)
        rc = sc_setting_choice(host, "create_only", creates, &create, err);
    if (rc == SR_STORAGE_OK)
        rc = sc_setting_choice(host, "list_version", lists, &list, err);
    if (rc == SR_STORAGE_OK)
        rc = sc_setting_flag(host, "list_encoding", &set->url_encoding, err);
    if (rc == SR_STORAGE_OK)
        rc = objects_read(host, set, err);
    if (rc == SR_STORAGE_OK)
        rc = sc_setting_flag(host, "requester_pays", &set->requester_pays, err);
    if (rc == SR_STORAGE_OK)
        rc = sc_setting_string(host, "ca_file", &set->ca_file, err);
    if (rc == SR_STORAGE_OK)
        rc = sc_setting_flag(host, "verify_tls", &verify, err);
    set->style = (enum s3_style)style;
    set->sum = (enum s3_sum)sum;
    set->create = (enum s3_create)create;
    set->list = (enum s3_list)list;
    set->insecure = !verify;
    return rc;
}

void s3_settings_done(struct s3_settings *set)
{
    free(set->endpoint);
    free(set->storage_class);
    free(set->tags);
    free(set->sse);
    free(set->sse_kms_key_id);
    sc_secret_done(&set->sse_key);
    free(set->lock_mode);
    free(set->ca_file);
    *set = (struct s3_settings){0};
}
