/* The sources of tokens, for the chain in auth.c; their ctx is the handle.
 *
 *     entra.c       asked of Entra ID's token endpoint: client secret, client certificate, workload
 *                   identity
 *     identity.c    asked of the machine: managed identity of App Service, of Arc, of an instance
 *
 * Each returns E_NOT_FOUND, with the reason as its message, when it is not set up, and else a set
 * with a bearer token, or why there is none. On the thread of the call. */
#ifndef AZURE_SOURCES_H
#define AZURE_SOURCES_H

#include "azure/azure.h"

/* What tokens are asked for: storage, in every cloud. */
#define AZURE_RESOURCE "https://storage.azure.com/"

int32_t azure_from_client_secret(void *ctx, const struct sr_storage_host *host,
                                 struct sc_cred **ret, struct sc_error *err);
int32_t azure_from_client_certificate(void *ctx, const struct sr_storage_host *host,
                                      struct sc_cred **ret, struct sc_error *err);
int32_t azure_from_workload_identity(void *ctx, const struct sr_storage_host *host,
                                     struct sc_cred **ret, struct sc_error *err);
int32_t azure_from_managed_identity(void *ctx, const struct sr_storage_host *host,
                                    struct sc_cred **ret, struct sc_error *err);

/* Marks a set as holding a bearer token, and says where it came from. */
void azure_cred_bearer(struct sc_cred *c, const char *source, const char *client_id);

/* The path of the file that Arc's challenge names: the realm of WWW-Authenticate, directly in
 * folder and ending with .key; pure. E_DENIED for anything else: whoever answers at that port shall
 * not have any file of ours read to him. */
int32_t azure_arc_file(const char *challenge, const char *folder, struct sc_buf *ret,
                       struct sc_error *err);

#endif
