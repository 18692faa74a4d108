/* Credentials files of Google's, and what a token endpoint answers: what is taken has all that it
 * needs and asks nobody but over https or on this machine; what is refused says why. */
#include "common/oauth.h"
#include "common/request.h"
#include "gcs/identity.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int holds)
{
    if (!holds)
        abort();
}

static void url(const char *text)
{
    struct sc_request r = SC_REQUEST_INIT;
    if (text) {
        check(sc_request_url(&r, "POST", text, NULL) == SR_STORAGE_OK);
        check(strcmp(r.scheme, "https") == 0 || sc_host_is_loopback(r.host));
    }
    sc_request_done(&r);
}

static void file(const uint8_t *data, size_t size)
{
    struct sc_error err = SC_ERROR_INIT;
    struct gcs_file f;
    json_t *v = NULL;
    if (sc_json_read("F", (const char *)data, size, GCS_FILE_MAX, &v, &err) != SR_STORAGE_OK)
        return;
    if (gcs_file_read(v, "F", &f, &err) == SR_STORAGE_OK) {
        check(f.kind != GCS_KIND_SERVICE || (*f.email && *f.key && f.token_url));
        check(f.kind != GCS_KIND_USER || (*f.client_id && *f.client_secret && *f.refresh_token));
        check(f.kind != GCS_KIND_EXTERNAL || (*f.audience && (!f.source_file != !f.source_url)));
        check(f.kind != GCS_KIND_IMPERSONATED || (f.impersonation_url && json_is_object(f.source)));
        check(f.lifetime >= 60 && f.lifetime <= 43200);
        url(f.token_url);
        url(f.source_url);
        url(f.impersonation_url);
    } else {
        check(err.text[0] != '\0');
    }
    sc_json_wipe(&v);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sc_error err = SC_ERROR_INIT;
    struct sc_cred *c = NULL;
    file(data, size);
    int32_t rc = sc_oauth_parse("F", (const char *)data, size, 1000, &c, &err);
    check(rc == SR_STORAGE_OK ? c && c->token.len > 0 && c->expires >= 1000 : !c && *err.text);
    for (const char *p = c ? sc_secret_bytes(&c->token) : ""; *p; p++)
        check((unsigned char)*p > ' ' && (unsigned char)*p < 127);
    sc_cred_unref(c);
    return 0;
}
