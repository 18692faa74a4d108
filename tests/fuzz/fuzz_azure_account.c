/* What comes from settings and headers as text of Azure's own kinds: connection strings, endpoints
 * made of them, shared access signatures, Arc's challenge. The first byte chooses. */
#include "azure/account.h"
#include "azure/sas.h"
#include "azure/sources.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int holds)
{
    if (!holds)
        abort();
}

static void connection(const char *text)
{
    struct azure_connection c;
    struct sc_error err = SC_ERROR_INIT;
    struct sc_buf url = SC_BUF_INIT(512);
    char account[AZURE_ACCOUNT_MAX];
    int32_t rc = azure_connection_parse(&c, text, &err);
    check(rc == SR_STORAGE_OK ? err.code == SR_STORAGE_OK : err.text[0] != '\0');
    check(rc != SR_STORAGE_OK || c.account || c.blob_endpoint);
    check(rc == SR_STORAGE_OK || (!c.account && c.key.len == 0 && c.sas.len == 0));
    if (rc == SR_STORAGE_OK && c.account &&
        azure_account_endpoint(c.account, c.suffix, c.protocol, &url, &err) == SR_STORAGE_OK) {
        struct sc_request r = SC_REQUEST_INIT;
        /* What is made of it is a URL without anything behind its host. */
        check(sc_request_url(&r, "GET", sc_buf_str(&url), &err) == SR_STORAGE_OK);
        check(r.query.len == 0 && strcmp(sc_buf_str(&r.path), "/") == 0 && r.port == 0);
        azure_account_of(r.host, "", account);
        sc_request_done(&r);
    }
    azure_account_of("127.0.0.1", text, account);
    check(strlen(account) < sizeof account);
    sc_buf_done(&url);
    azure_connection_done(&c);
}

static void signature(const char *text)
{
    struct sc_error err = SC_ERROR_INIT;
    int64_t expires = 0;
    int32_t rc = azure_sas_check(text, 1795255200, &expires, &err);
    check(rc == SR_STORAGE_OK ? expires == 0 || expires > 1795255200 : err.text[0] != '\0');
    /* What is appended to a query stays within it, and within one line. */
    check(rc != SR_STORAGE_OK || !text[strcspn(text, "#? \r\n")]);
}

static void challenge(const char *text)
{
    struct sc_error err = SC_ERROR_INIT;
    struct sc_buf path = SC_BUF_INIT(8192);
    if (azure_arc_file(text, "/tokens", &path, &err) == SR_STORAGE_OK) {
        const char *p = sc_buf_str(&path);
        check(strncmp(p, "/tokens/", 8) == 0 && !strchr(p + 8, '/') && p[8] != '.');
        check(strcmp(p + strlen(p) - 4, ".key") == 0);
    }
    sc_buf_done(&path);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    char *text = strndup((const char *)data + 1, size - 1);
    if (!text)
        return 0;
    switch (data[0] % 3) {
    case 0:
        connection(text);
        break;
    case 1:
        signature(text);
        break;
    default:
        challenge(text);
    }
    free(text);
    return 0;
}
