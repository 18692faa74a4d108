#include "azure/azure.h"

#include "common/setting.h"

#include <string.h>

#define ROW(k, t, f, h, ...)                                                                \
    {                                                                                       \
        .size = sizeof(struct sr_storage_setting), .key = (k), .type = SR_STORAGE_TYPE_##t, \
        .flags = (f), .help = (h), .since = "1.0", __VA_ARGS__                              \
    }
#define MIB ((int64_t)1 << 20)

/* clang-format off */
const struct sr_storage_setting azure_setting_rows[] = {
    ROW("container", STRING, SR_STORAGE_SETTING_REQUIRED | SR_STORAGE_SETTING_PLACE,
        "Container that holds the objects", .fallback = NULL),
    ROW("account", STRING, 0, "Storage account that the container is in",
        .names = "AZURE_STORAGE_ACCOUNT"),
    ROW("endpoint_url", URL, 0, "Where the account's blobs are, if not at the usual host: https://host[:port]",
        .names = "AZURE_STORAGE_SERVICE_ENDPOINT"),
    ROW("endpoint_suffix", STRING, 0, "Cloud that the account is in, as core.chinacloudapi.cn or core.usgovcloudapi.net",
        .fallback = "core.windows.net"),
    ROW("part_size", SIZE, 0, "Size of an upload's blocks; memory is part_size times (concurrency + 1)",
        .fallback = "8MiB", .min = MIB, .max = 4000 * MIB),
    ROW("concurrency", INT, 0, "Blocks under way at once", .fallback = "4", .min = 1, .max = 64),
    ROW("max_parts", INT, 0, "Blocks of one object", .fallback = "50000", .min = 2, .max = 50000),
    ROW("checksum", CHOICE, 0, "Checksum sent with each body; auto: crc64 at Azure, else md5",
        .fallback = "auto", .choices = "auto|crc64|md5|none"),
    ROW("content_md5", BOOL, 0, "Record the MD5 of each whole object for other programs to check",
        .fallback = "true"),
    ROW("access_tier", CHOICE, 0, "Access tier of new objects; none: the account's own",
        .fallback = "none", .choices = "none|Hot|Cool|Cold|Archive"),
    ROW("encryption_scope", STRING, 0, "Encryption scope of new objects", .fallback = NULL),
    ROW("customer_key", STRING, SR_STORAGE_SETTING_SECRET,
        "Key of ours for encryption by the store: 32 bytes in base64", .fallback = NULL),
    ROW("immutability_days", INT, 0, "Days for which new objects are locked; 0: not, unless asked",
        .fallback = "0", .min = 0, .max = 146000),
    ROW("immutability_mode", CHOICE, 0, "Kind of lock where objects are locked",
        .fallback = "Unlocked", .choices = "Unlocked|Locked"),
    ROW("legal_hold", BOOL, 0, "Put a legal hold on new objects", .fallback = "false"),
    ROW("ca_file", PATH, 0, "File of the certificate authorities to trust instead of the system's",
        .fallback = NULL),
    ROW("verify_tls", BOOL, 0, "Verify the server's certificate", .fallback = "true"),
    ROW("credentials", CHOICE, 0, "Where credentials may come from; auto: the first that is set up",
        .fallback = "auto", 
        .choices = "auto|connection-string|key|sas|client-secret|client-certificate|workload-identity|managed-identity"),
    ROW("connection_string", STRING, SR_STORAGE_SETTING_SECRET,
        "Account and credentials in one text, as Azure's portal shows it",
        .names = "AZURE_STORAGE_CONNECTION_STRING"),
    ROW("account_key", STRING, SR_STORAGE_SETTING_SECRET, "Key of the account",
        .names = "AZURE_STORAGE_KEY"),
    ROW("sas_token", STRING, SR_STORAGE_SETTING_SECRET, "Shared access signature",
        .names = "AZURE_STORAGE_SAS_TOKEN"),
    ROW("tenant_id", STRING, 0, "Tenant of Entra ID that the application is in", .names = "AZURE_TENANT_ID"),
    ROW("client_id", STRING, 0, "Application, or the managed identity to use if there are several",
        .names = "AZURE_CLIENT_ID"),
    ROW("client_secret", STRING, SR_STORAGE_SETTING_SECRET, "Secret of the application",
        .names = "AZURE_CLIENT_SECRET"),
    ROW("client_certificate_path", PATH, 0, "PEM file of the application's certificate and its RSA key, read anew at each renewal",
        .names = "AZURE_CLIENT_CERTIFICATE_PATH"),
    ROW("federated_token_file", PATH, 0, "File of the token for workload identity, read anew at each renewal",
        .names = "AZURE_FEDERATED_TOKEN_FILE"),
    ROW("authority_host", STRING, 0, "Where Entra ID is, if not where the endpoint's cloud has it",
        .names = "AZURE_AUTHORITY_HOST"),
    ROW("identity_endpoint", URL, 0, "Where App Service or Arc hands out tokens", .names = "IDENTITY_ENDPOINT"),
    ROW("identity_header", STRING, SR_STORAGE_SETTING_SECRET, "What App Service wants to see with each request",
        .names = "IDENTITY_HEADER"),
    ROW("arc_endpoint", URL, 0, "Set on servers that Arc has enabled", .names = "IMDS_ENDPOINT"),
    ROW("arc_token_folder", PATH, 0, "Folder in which Arc's agent leaves the files that it names",
        .fallback = "/var/opt/azcmagent/tokens"),
    ROW("metadata_endpoint", URL, 0, "Where the instance's metadata service is, if not at 169.254.169.254",
        .names = "AZURE_POD_IDENTITY_AUTHORITY_HOST"),
    {0},
};
/* clang-format on */

/* What a container may be called is the store's affair; what would change the request is ours. */
static int32_t container_check(const char *name, struct sc_error *err)
{
    size_t len = strlen(name);
    int special = strcmp(name, "$root") == 0;
    if (!special && (len < 3 || strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") != len ||
                     name[0] == '-' || name[len - 1] == '-' || strstr(name, "--")))
        return sc_fail(err, SR_STORAGE_E_CONFIG,
                       "the setting container is '%s': a container's name has 3 to %d small "
                       "letters, digits and single '-'",
                       name, AZURE_CONTAINER_MAX - 1);
    if (special)
        return sc_fail(err, SR_STORAGE_E_CONFIG,
                       "the setting container is '$root', which takes no names with a slash");
    return SR_STORAGE_OK;
}

static int32_t uploads_read(const struct sr_storage_host *host, struct azure_settings *set,
                            struct sc_error *err)
{
    static const char *const sums[] = {"auto", "crc64", "md5", "none", NULL};
    uint64_t parts = 0, jobs = 0;
    unsigned sum = 0;
    int32_t rc = sc_setting_number(host, "part_size", &set->part_size, err);
    if (rc == SR_STORAGE_OK)
        rc = sc_setting_number(host, "concurrency", &jobs, err);
    if (rc == SR_STORAGE_OK)
        rc = sc_setting_number(host, "max_parts", &parts, err);
    if (rc == SR_STORAGE_OK)
        rc = sc_setting_choice(host, "checksum", sums, &sum, err);
    if (rc == SR_STORAGE_OK)
        rc = sc_setting_flag(host, "content_md5", &set->content_md5, err);
    if (rc != SR_STORAGE_OK)
        return rc;
    if (set->part_size < (uint64_t)MIB || set->part_size > AZURE_BLOCK_MOST || jobs < 1 ||
        jobs > 64 || parts < 2 || parts > AZURE_BLOCKS_MOST)
        return sc_fail(err, SR_STORAGE_E_CONFIG,
                       "part_size, concurrency or max_parts is out of range");
    set->concurrency = (unsigned)jobs;
    set->max_parts = (unsigned)parts;
    set->sum = (enum azure_sum)sum;
    return rc;
}

static int32_t objects_read(const struct sr_storage_host *host, struct azure_settings *set,
                            struct sc_error *err)
{
    uint64_t days = 0;
    int32_t rc = sc_setting_string(host, "access_tier", &set->access_tier, err);
    if (rc == SR_STORAGE_OK)
        rc = sc_setting_string(host, "encryption_scope", &set->encryption_scope, err);
    if (rc == SR_STORAGE_OK)
        rc = sc_setting_key(host, "customer_key", &set->customer_key, err);
    if (rc == SR_STORAGE_OK)
        rc = sc_setting_string(host, "immutability_mode", &set->immutability_mode, err);
    if (rc == SR_STORAGE_OK)
        rc = sc_setting_number(host, "immutability_days", &days, err);
    if (rc == SR_STORAGE_OK)
        rc = sc_setting_flag(host, "legal_hold", &set->legal_hold, err);
    if (rc != SR_STORAGE_OK)
        return rc;
    set->immutability_days = (unsigned)days;
    if (set->access_tier && strcmp(set->access_tier, "none") == 0) {
        free(set->access_tier);
        set->access_tier = NULL;
    }
    if (set->encryption_scope && set->customer_key.len)
        return sc_fail(err, SR_STORAGE_E_CONFIG,
                       "encryption_scope and customer_key exclude each other: the store's keys, or "
                       "ours");
    return rc;
}

int32_t azure_settings_read(const struct sr_storage_host *host, struct azure_settings *set,
                            struct sc_error *err)
{
    int verify = 1;
    *set = (struct azure_settings){0};
    int32_t rc =
        sc_setting_text(host, "container", set->container, sizeof set->container, NULL, err);
    if (rc == SR_STORAGE_OK)
        rc = container_check(set->container, err);
    if (rc == SR_STORAGE_OK)
        rc = uploads_read(host, set, err);
    if (rc == SR_STORAGE_OK)
        rc = objects_read(host, set, err);
    if (rc == SR_STORAGE_OK)
        rc = sc_setting_string(host, "ca_file", &set->ca_file, err);
    if (rc == SR_STORAGE_OK)
        rc = sc_setting_flag(host, "verify_tls", &verify, err);
    set->insecure = !verify;
    return rc;
}

void azure_settings_done(struct azure_settings *set)
{
    free(set->access_tier);
    free(set->encryption_scope);
    sc_secret_done(&set->customer_key);
    free(set->immutability_mode);
    free(set->ca_file);
    *set = (struct azure_settings){0};
}
