/* The rows of a plugin's settings from which AWS credentials are found.
 *
 *     static const struct sr_storage_setting settings[] = {
 *         {... the plugin's own ...},
 *         SC_AWS_SETTINGS
 *         {0},
 *     };
 *
 * The keys that a store has of its own (access_key_id, ..., profile) and those of the environment
 * (aws_access_key_id, ..., aws_profile) are rows apart. The host tells a value, not the name that
 * gave it; were they one row, a store's own key could meet the session token of the environment,
 * and the store's own profile could not go before the environment's keys. */
#ifndef SC_AWS_SETTINGS_H
#define SC_AWS_SETTINGS_H

#include <strongroom/storage.h>

/* key, type, flags, well-known names, help; the default and the choices follow as designators. */
#define SC_AWS_ROW(k, t, f, n, h, ...)                                                      \
    {                                                                                       \
        .size = sizeof(struct sr_storage_setting), .key = (k), .type = SR_STORAGE_TYPE_##t, \
        .flags = (f), .names = (n), .help = (h), .since = "1.0", __VA_ARGS__                \
    }

/* clang-format off */
#define SC_AWS_SETTINGS                                                                                              \
    SC_AWS_ROW("region", STRING, 0, "AWS_REGION AWS_DEFAULT_REGION",                                                 \
               "Region that requests are signed for; else the profile's", .fallback = NULL),                         \
    SC_AWS_ROW("credentials", CHOICE, 0, NULL, "Where credentials may come from; auto: the first that is set up",    \
               .fallback = "auto",                                                                                   \
               .choices = "auto|keys|environment|profile|web-identity|container|instance"),                          \
    SC_AWS_ROW("access_key_id", STRING, 0, NULL, "Access key id of this store alone", .fallback = NULL),             \
    SC_AWS_ROW("secret_access_key", STRING, SR_STORAGE_SETTING_SECRET, NULL,                                         \
               "Secret access key that belongs to access_key_id", .fallback = NULL),                                 \
    SC_AWS_ROW("session_token", STRING, SR_STORAGE_SETTING_SECRET, NULL,                                             \
               "Session token that belongs to access_key_id, if it is a temporary one", .fallback = NULL),           \
    SC_AWS_ROW("profile", STRING, 0, NULL,                                                                           \
               "Profile of this store alone; goes before the keys of the environment", .fallback = NULL),            \
    SC_AWS_ROW("aws_access_key_id", STRING, 0, "AWS_ACCESS_KEY_ID",                                                  \
               "Access key id that all stores share", .fallback = NULL),                                             \
    SC_AWS_ROW("aws_secret_access_key", STRING, SR_STORAGE_SETTING_SECRET, "AWS_SECRET_ACCESS_KEY",                  \
               "Secret access key that belongs to AWS_ACCESS_KEY_ID", .fallback = NULL),                             \
    SC_AWS_ROW("aws_session_token", STRING, SR_STORAGE_SETTING_SECRET, "AWS_SESSION_TOKEN AWS_SECURITY_TOKEN",       \
               "Session token that belongs to AWS_ACCESS_KEY_ID", .fallback = NULL),                                 \
    SC_AWS_ROW("aws_profile", STRING, 0, "AWS_PROFILE AWS_DEFAULT_PROFILE",                                          \
               "Profile that is used when no keys are set", .fallback = "default"),                                  \
    SC_AWS_ROW("shared_credentials_file", PATH, 0, "AWS_SHARED_CREDENTIALS_FILE",                                    \
               "File of profiles with keys; else .aws/credentials below home", .fallback = NULL),                    \
    SC_AWS_ROW("config_file", PATH, 0, "AWS_CONFIG_FILE",                                                            \
               "File of profiles with roles and the like; else .aws/config below home", .fallback = NULL),           \
    SC_AWS_ROW("home", PATH, 0, "HOME", "Folder below which .aws is looked for", .fallback = NULL),                  \
    SC_AWS_ROW("search_path", STRING, 0, "PATH",                                                                     \
               "Folders in which a credential_process without a path is looked for", .fallback = NULL),              \
    SC_AWS_ROW("role_arn", STRING, 0, "AWS_ROLE_ARN", "Role that is taken by web identity", .fallback = NULL),       \
    SC_AWS_ROW("role_session_name", STRING, 0, "AWS_ROLE_SESSION_NAME",                                              \
               "Name of the session in the cloud's audit log", .fallback = "strongroom"),                            \
    SC_AWS_ROW("web_identity_token_file", PATH, 0, "AWS_WEB_IDENTITY_TOKEN_FILE",                                    \
               "File of the token for web identity (IRSA), read anew at each renewal", .fallback = NULL),            \
    SC_AWS_ROW("container_credentials_relative_uri", STRING, 0, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",            \
               "Path at the agent of ECS", .fallback = NULL),                                                        \
    SC_AWS_ROW("container_credentials_full_uri", URL, 0, "AWS_CONTAINER_CREDENTIALS_FULL_URI",                       \
               "URL of the container's agent (EKS Pod Identity)", .fallback = NULL),                                 \
    SC_AWS_ROW("container_authorization_token", STRING, SR_STORAGE_SETTING_SECRET,                                   \
               "AWS_CONTAINER_AUTHORIZATION_TOKEN",                                                                  \
               "Token for the container's agent; its _FILE is read anew at each renewal", .fallback = NULL),         \
    SC_AWS_ROW("ec2_metadata_disabled", BOOL, 0, "AWS_EC2_METADATA_DISABLED",                                        \
               "Do not ask the instance's metadata service", .fallback = "false"),                                   \
    SC_AWS_ROW("ec2_metadata_v1_disabled", BOOL, 0, "AWS_EC2_METADATA_V1_DISABLED",                                  \
               "Never fall back to version 1 of the metadata service", .fallback = "false"),                         \
    SC_AWS_ROW("ec2_metadata_service_endpoint", URL, 0, "AWS_EC2_METADATA_SERVICE_ENDPOINT",                         \
               "Where the metadata service is", .fallback = NULL),                                                   \
    SC_AWS_ROW("ec2_metadata_service_endpoint_mode", STRING, 0, "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE",            \
               "IPv4 or IPv6: the metadata service's own address", .fallback = "IPv4"),                              \
    SC_AWS_ROW("sts_regional_endpoints", CHOICE, 0, "AWS_STS_REGIONAL_ENDPOINTS",                                    \
               "legacy: the one global STS instead of the region's", .fallback = "regional",                         \
               .choices = "regional|legacy"),                                                                        \
    SC_AWS_ROW("sts_endpoint_url", URL, 0, "AWS_ENDPOINT_URL_STS AWS_ENDPOINT_URL",                                  \
               "Where STS is, if not at AWS", .fallback = NULL),
/* clang-format on */

#endif
