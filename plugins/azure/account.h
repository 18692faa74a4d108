/* Connection strings of Azure Storage, and where an account's blobs are (pure).
 *
 *     struct azure_connection c;
 *     rc = azure_connection_parse(&c, text, &err);        "AccountName=...;AccountKey=...;..."
 *     rc = azure_account_endpoint(account, suffix, protocol, &buf, &err);
 *     azure_connection_done(&c);
 *
 * The text is split at ';', each piece at its first '=', since keys end in '='. Names are compared
 * without regard to case. A name that Azure does not know is E_CONFIG, which tells its place: a
 * misspelt AccountKey would otherwise go unseen, and the text is a secret. */
#ifndef AZURE_ACCOUNT_H
#define AZURE_ACCOUNT_H

#include "common/buf.h"
#include "common/secret.h"

#define AZURE_ACCOUNT_MAX 64
#define AZURE_CONNECTION_MAX 16384

/* The account of Azurite, Microsoft's emulator, and its key, which is public. */
#define AZURE_EMULATOR_ACCOUNT "devstoreaccount1"
#define AZURE_EMULATOR_KEY \
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="

/* Each NULL or empty when the text does not say. */
struct azure_connection {
    char *account, *blob_endpoint, *suffix, *protocol;
    struct sc_secret key; /* as it stands there, in base64 */
    struct sc_secret sas; /* without a question mark at its start */
};

/* E_CONFIG; c is then as after azure_connection_done. With UseDevelopmentStorage the emulator's
 * account, key and endpoint are filled in. */
int32_t azure_connection_parse(struct azure_connection *c, const char *text, struct sc_error *err);
void azure_connection_done(struct azure_connection *c);

/* https://ACCOUNT.blob.SUFFIX; protocol NULL: https, suffix NULL: the public cloud's. E_CONFIG for
 * what could lead elsewhere. */
int32_t azure_account_endpoint(const char *account, const char *suffix, const char *protocol,
                               struct sc_buf *ret, struct sc_error *err);
/* The account that an endpoint of Azure's own names by its host, or one like an emulator's by the
 * first component of its path; "" when it does not tell. */
void azure_account_of(const char *host, const char *base_path, char ret[AZURE_ACCOUNT_MAX]);
/* Nonzero for a host of one of Azure's clouds. */
int azure_is_microsoft(const char *host);
/* Where Entra ID is for a cloud, by the host of its storage: "https://login.microsoftonline.com".
 */
const char *azure_authority_of(const char *host);

#endif
