#include "gcs/gcs.h"

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
const struct sr_storage_setting gcs_setting_rows[] = {
    ROW("bucket", STRING, SR_STORAGE_SETTING_REQUIRED | SR_STORAGE_SETTING_PLACE,
        "Bucket that holds the objects", .fallback = NULL),
    ROW("endpoint_url", URL, 0, "Where the store is, if not at storage.googleapis.com: https://host[:port]",
        .fallback = NULL),
    ROW("emulator_host", STRING, 0, "Host and port of an emulator, which gets no credentials; endpoint_url goes before it",
        .names = "STORAGE_EMULATOR_HOST"),
    ROW("upload", CHOICE, 0,
        "How large objects go out: one after the other in a resumable session, or in parallel parts; auto: parts only where an object may be replaced",
        .fallback = "auto", .choices = "auto|resumable|multipart"),
    ROW("part_size", SIZE, 0, "Size of an upload's parts; memory is part_size times (concurrency + 1)",
        .fallback = "8MiB", .min = 5 * MIB, .max = 5120 * MIB),
    ROW("concurrency", INT, 0, "Parts under way at once", .fallback = "4", .min = 1, .max = 64),
    ROW("max_parts", INT, 0, "Parts that the store allows in one upload", .fallback = "10000", .min = 2,
        .max = 10000),
    ROW("storage_class", STRING, 0, "Storage class of new objects, as NEARLINE; unset: the bucket's own",
        .fallback = NULL),
    ROW("kms_key_name", STRING, 0,
        "Key of Cloud KMS that the store encrypts with: projects/.../cryptoKeys/NAME; unset: the bucket's own",
        .fallback = NULL),
    ROW("customer_key", STRING, SR_STORAGE_SETTING_SECRET,
        "Key of ours for encryption by the store (CSEK): 32 bytes in base64", .fallback = NULL),
    ROW("custom_time", BOOL, 0, "Give new objects the time of their saving as their custom time, for lifecycle rules",
        .fallback = "false"),
    ROW("hold", CHOICE, 0, "Hold that new objects are put under", .fallback = "none",
        .choices = "none|temporary|event"),
    ROW("object_lock_mode", CHOICE, 0, "Kind of retention where objects are locked", .fallback = "Unlocked",
        .choices = "Unlocked|Locked"),
    ROW("object_lock_days", INT, 0, "Days for which new objects are locked; 0: not, unless asked", .fallback = "0",
        .min = 0, .max = 36500),
    ROW("user_project", STRING, 0, "Project that pays for the requests", .names = "GOOGLE_CLOUD_QUOTA_PROJECT"),
    ROW("credentials", CHOICE, 0, "Where credentials may come from; auto: the first that is set up; none: requests without any",
        .fallback = "auto", .choices = "auto|file|gcloud|metadata|none"),
    ROW("application_credentials", PATH, 0, "File of credentials in JSON: a service account's key, or one that gcloud wrote",
        .names = "GOOGLE_APPLICATION_CREDENTIALS"),
    ROW("cloudsdk_config", PATH, 0, "Folder of gcloud's own files; else .config/gcloud below home",
        .names = "CLOUDSDK_CONFIG"),
    ROW("home", PATH, 0, "Folder below which gcloud's files are looked for", .names = "HOME"),
    ROW("metadata_host", STRING, 0, "Host and port of the metadata server", .names = "GCE_METADATA_HOST"),
    ROW("no_metadata", BOOL, 0, "Do not ask the metadata server", .names = "NO_GCE_CHECK", .fallback = "false"),
    ROW("service_account", STRING, 0, "Which of a machine's service accounts the metadata server is asked for",
        .fallback = "default"),
    ROW("ca_file", PATH, 0, "File of the certificate authorities to trust instead of the system's",
        .fallback = NULL),
    ROW("verify_tls", BOOL, 0, "Verify the server's certificate", .fallback = "true"),
    {0},
};
/* clang-format on */

/* What a bucket may be called is Google's affair; what would change the request is ours. */
static int32_t bucket_check(const char *bucket, struct sc_error *err)
{
    size_t len = strlen(bucket);
    if (len < 3 || strspn(bucket, "abcdefghijklmnopqrstuvwxyz0123456789.-_") != len ||
        bucket[0] == '.' || bucket[0] == '-' || strstr(bucket, ".."))
        return sc_fail(err, SR_STORAGE_E_CONFIG,
                       "the setting bucket is '%s': a bucket's name has 3 to %d small letters, "
                       "digits, '.', '-' or '_'",
                       bucket, GCS_BUCKET_MAX - 1);
    return SR_STORAGE_OK;
}

/* The emulator's variable often lacks a scheme. */
static int32_t endpoint_read(const struct sr_storage_host *host, struct gcs_settings *set,
                             struct sc_error *err)
{
    _cleanup_free_ char *emulator = NULL;
    int32_t rc = sc_setting_string(host, "endpoint_url", &set->endpoint, err);
    if (rc == SR_STORAGE_OK && !set->endpoint)
        rc = sc_setting_string(host, "emulator_host", &emulator, err);
    if (rc != SR_STORAGE_OK || !emulator)
        return rc;
    set->emulator = 1;
    if (asprintf(&set->endpoint, "%s%s", strstr(emulator, "://") ? "" : "http://", emulator) < 0) {
        set->endpoint = NULL;
        return sc_fail_memory(err);
    }
    return rc;
}

static int32_t uploads_read(const struct sr_storage_host *host, struct gcs_settings *set,
                            struct sc_error *err)
{
    static const char *const ways[] = {"auto", "resumable", "multipart", NULL};
    uint64_t jobs = 0, parts = 0;
    unsigned way = 0;
    int32_t rc = sc_setting_choice(host, "upload", ways, &way, err);
    if (rc == SR_STORAGE_OK)
        rc = sc_setting_number(host, "part_size", &set->part_size, err);
    if (rc == SR_STORAGE_OK)
        rc = sc_setting_number(host, "concurrency", &jobs, err);
    if (rc == SR_STORAGE_OK)
        rc = sc_setting_number(host, "max_parts", &parts, err);
    if (rc == SR_STORAGE_OK && (set->part_size < 5 * MIB || set->part_size > 5120 * MIB ||
                                jobs < 1 || jobs > 64 || parts < 2 || parts > 10000))
        rc = sc_fail(err, SR_STORAGE_E_CONFIG,
                     "part_size, concurrency or max_parts is out of range");
    set->upload = (enum gcs_upload)way;
    set->concurrency = (unsigned)jobs;
    set->max_parts = (unsigned)parts;
    return rc;
}

static int32_t objects_read(const struct sr_storage_host *host, struct gcs_settings *set,
                            struct sc_error *err)
{
    static const char *const holds[] = {"none", "temporary", "event", NULL};
    uint64_t days = 0;
    unsigned hold = 0;
    int32_t rc = sc_setting_string(host, "storage_class", &set->storage_class, err);
    if (rc == SR_STORAGE_OK)
        rc = sc_setting_string(host, "kms_key_name", &set->kms_key, err);
    if (rc == SR_STORAGE_OK)
        rc = sc_setting_key(host, "customer_key", &set->customer_key, err);
    if (rc == SR_STORAGE_OK)
        rc = sc_setting_flag(host, "custom_time", &set->custom_time, err);
    if (rc == SR_STORAGE_OK)
        rc = sc_setting_choice(host, "hold", holds, &hold, err);
    if (rc == SR_STORAGE_OK)
        rc = sc_setting_string(host, "object_lock_mode", &set->lock_mode, err);
    if (rc == SR_STORAGE_OK)
        rc = sc_setting_number(host, "object_lock_days", &days, err);
    if (rc != SR_STORAGE_OK)
        return rc;
    set->hold = (enum gcs_hold)hold;
    set->lock_days = (unsigned)days;
    if (set->kms_key && set->customer_key.len)
        return sc_fail(err, SR_STORAGE_E_CONFIG,
                       "kms_key_name and customer_key exclude each other: Google's keys, or ours");
    if (set->hold != GCS_HOLD_NONE && set->upload == GCS_UPLOAD_MULTIPART)
        return sc_fail(err, SR_STORAGE_E_CONFIG,
                       "hold and upload=multipart exclude each other: an upload in parts cannot "
                       "put its object under a hold; use upload=resumable");
    return rc;
}

int32_t gcs_settings_read(const struct sr_storage_host *host, struct gcs_settings *set,
                          struct sc_error *err)
{
    int verify = 1;
    *set = (struct gcs_settings){0};
    int32_t rc = sc_setting_text(host, "bucket", set->bucket, sizeof set->bucket, NULL, err);
    if (rc == SR_STORAGE_OK)
        rc = bucket_check(set->bucket, err);
    if (rc == SR_STORAGE_OK)
        rc = endpoint_read(host, set, err);
    if (rc == SR_STORAGE_OK)
        rc = uploads_read(host, set, err);
    if (rc == SR_STORAGE_OK)
        rc = objects_read(host, set, err);
    if (rc == SR_STORAGE_OK)
        rc = sc_setting_string(host, "user_project", &set->user_project, err);
    if (rc == SR_STORAGE_OK)
        rc = sc_setting_string(host, "ca_file", &set->ca_file, err);
    if (rc == SR_STORAGE_OK)
        rc = sc_setting_flag(host, "verify_tls", &verify, err);
    set->insecure = !verify;
    return rc;
}

void gcs_settings_done(struct gcs_settings *set)
{
    free(set->endpoint);
    free(set->storage_class);
    free(set->kms_key);
    free(set->user_project);
    sc_secret_done(&set->customer_key);
    free(set->lock_mode);
    free(set->ca_file);
    *set = (struct gcs_settings){0};
}
