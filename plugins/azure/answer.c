/* What an answer means. Codes: "Status and error codes" of the REST reference (common, blobs). */
#include "azure/azure.h"

#include <stdio.h>
#include <string.h>

enum then {
    THEN_NOTHING,
    THEN_OUTCOME, /* may be the work of a try whose answer was lost */
    THEN_MEND,    /* credentials or clock are off */
};

#define KEY_ADVICE                                                                          \
    "the key or signature does not belong to the account, it has ended, or this machine's " \
    "clock is wrong"
#define ARCHIVED "the object is in the archive tier: have the store bring it back first"

static const struct meaning {
    const char *code;
    enum sc_class cls;
    int32_t error;
    enum then then;
    const char *advice; /* or NULL */
} meanings[] = {
    {"AccountBeingCreated", SC_RETRY, SR_STORAGE_E_UNAVAILABLE, THEN_NOTHING, NULL},
    {"AccountIsDisabled", SC_FINAL, SR_STORAGE_E_DENIED, THEN_NOTHING, NULL},
    {"AuthenticationFailed", SC_FINAL, SR_STORAGE_E_DENIED, THEN_MEND, KEY_ADVICE},
    {"AuthorizationFailure", SC_FINAL, SR_STORAGE_E_DENIED, THEN_NOTHING,
     "no right to that, or the account's firewall keeps this machine out"},
    {"AuthorizationPermissionMismatch", SC_FINAL, SR_STORAGE_E_DENIED, THEN_NOTHING, NULL},
    {"AuthorizationProtocolMismatch", SC_FINAL, SR_STORAGE_E_DENIED, THEN_NOTHING, NULL},
    {"AuthorizationResourceTypeMismatch", SC_FINAL, SR_STORAGE_E_DENIED, THEN_NOTHING, NULL},
    {"AuthorizationServiceMismatch", SC_FINAL, SR_STORAGE_E_DENIED, THEN_NOTHING, NULL},
    {"AuthorizationSourceIPMismatch", SC_FINAL, SR_STORAGE_E_DENIED, THEN_NOTHING, NULL},
    {"BlobAlreadyExists", SC_FINAL, SR_STORAGE_E_EXISTS, THEN_OUTCOME, NULL},
    {"BlobArchived", SC_FINAL, SR_STORAGE_E_UNSUPPORTED, THEN_NOTHING, ARCHIVED},
    {"BlobBeingRehydrated", SC_FINAL, SR_STORAGE_E_UNSUPPORTED, THEN_NOTHING,
     "it comes back from the archive tier: wait"},
    {"BlobImmutableDueToLegalHold", SC_FINAL, SR_STORAGE_E_LOCKED, THEN_OUTCOME, NULL},
    {"BlobImmutableDueToPolicy", SC_FINAL, SR_STORAGE_E_LOCKED, THEN_OUTCOME, NULL},
    {"BlobNotFound", SC_FINAL, SR_STORAGE_E_NOT_FOUND, THEN_NOTHING, NULL},
    {"BlobUsesCustomerSpecifiedEncryption", SC_FINAL, SR_STORAGE_E_CONFIG, THEN_NOTHING,
     "it was stored with a key of ours: set customer_key"},
    {"BlockCountExceedsLimit", SC_FINAL, SR_STORAGE_E_NO_SPACE, THEN_NOTHING, NULL},
    {"BlockListTooLong", SC_FINAL, SR_STORAGE_E_NO_SPACE, THEN_NOTHING, NULL},
    {"ConditionNotMet", SC_FINAL, SR_STORAGE_E_EXISTS, THEN_OUTCOME, NULL},
    {"ContainerBeingDeleted", SC_FINAL, SR_STORAGE_E_NOT_FOUND, THEN_NOTHING, NULL},
    {"ContainerDisabled", SC_FINAL, SR_STORAGE_E_DENIED, THEN_NOTHING, NULL},
    {"ContainerNotFound", SC_FINAL, SR_STORAGE_E_NOT_FOUND, THEN_NOTHING,
     "make the container, or check container and account"},
    {"Crc64Mismatch", SC_FEW, SR_STORAGE_E_CORRUPT, THEN_NOTHING, NULL},
    {"FeatureVersionMismatch", SC_FINAL, SR_STORAGE_E_UNSUPPORTED, THEN_NOTHING, NULL},
    {"InsufficientAccountPermissions", SC_FINAL, SR_STORAGE_E_DENIED, THEN_NOTHING, NULL},
    {"InternalError", SC_RETRY, SR_STORAGE_E_UNAVAILABLE, THEN_NOTHING, NULL},
    {"InvalidAuthenticationInfo", SC_FINAL, SR_STORAGE_E_DENIED, THEN_MEND, KEY_ADVICE},
    {"InvalidBlobOrBlock", SC_FEW, SR_STORAGE_E_CORRUPT, THEN_NOTHING,
     "another program may have left blocks under that name, which Azure drops a week later"},
    {"InvalidBlockList", SC_FINAL, SR_STORAGE_E_CORRUPT, THEN_OUTCOME, NULL},
    {"InvalidRange", SC_FINAL, SR_STORAGE_E_INTERNAL, THEN_NOTHING, NULL},
    {"LeaseIdMissing", SC_FINAL, SR_STORAGE_E_LOCKED, THEN_NOTHING,
     "another program holds a lease on it"},
    {"Md5Mismatch", SC_FEW, SR_STORAGE_E_CORRUPT, THEN_NOTHING, NULL},
    {"NoAuthenticationInformation", SC_FINAL, SR_STORAGE_E_DENIED, THEN_MEND, NULL},
    {"OperationTimedOut", SC_RETRY, SR_STORAGE_E_UNAVAILABLE, THEN_NOTHING, NULL},
    {"RequestBodyTooLarge", SC_FINAL, SR_STORAGE_E_NO_SPACE, THEN_NOTHING, NULL},
    {"ResourceNotFound", SC_FINAL, SR_STORAGE_E_NOT_FOUND, THEN_NOTHING, NULL},
    {"ServerBusy", SC_THROTTLED, SR_STORAGE_E_THROTTLED, THEN_NOTHING, NULL},
    {"UnauthorizedBlobOverwrite", SC_FINAL, SR_STORAGE_E_EXISTS, THEN_OUTCOME,
     "and this signature may not replace it"},
};

static const struct meaning *meaning_of(const char *code)
{
    for (size_t i = 0; i < sizeof meanings / sizeof *meanings; i++)
        if (strcmp(meanings[i].code, code) == 0)
            return &meanings[i];
    return NULL;
}

static void advise(struct sc_verdict *v, const char *advice)
{
    size_t used = strlen(v->text);
    if (advice && used < sizeof v->text)
        (void)snprintf(v->text + used, sizeof v->text - used, "; %s", advice);
}

/* The code stands in a header, also for HEAD, which has no body; else in <Error>. Of the message
 * only the first line is shown, and never the detail: it may hold what was signed. */
static int error_read(struct azure_call *c, const struct sc_xml *xml, struct sc_verdict *v)
{
    const struct sc_response *r = &c->call.response;
    const struct sc_xml_node *root = xml ? sc_xml_root(xml) : NULL;
    if (root && strcmp(root->name, "Error") != 0)
        root = NULL;
    const char *code = sc_headers_get(&r->headers, "x-ms-error-code");
    const char *message = sc_xml_text(root, "Message");
    if (!code || !*code)
        code = sc_xml_text(root, "Code");
    if ((!code || !*code) && !root)
        return 0;
    int line = message ? (int)strcspn(message, "\r\n") : 0;
    (void)snprintf(c->azure_code, sizeof c->azure_code, "%s", code && *code ? code : "unnamed");
    (void)snprintf(v->text, sizeof v->text, "HTTP %d %s%s%.*s", r->status, c->azure_code,
                   line > 0 ? ": " : "", line < 300 ? line : 300, message ? message : "");
    return 1;
}

/* A clock that was set, a token that can be renewed, a key that was replaced make a further try
 * worth it, at once; each is done once per call. */
static void mend(struct azure_call *c, struct sc_verdict *v)
{
    struct azure *s = c->s;
    if (!c->cred)
        return;
    if (c->cred->secret.len > 0 && !c->clock_set &&
        (sc_aws_clock_learn(&s->clock, s->host, &c->call.response) ||
         sc_aws_clock_moved(&s->clock, c->offset))) {
        c->clock_set = 1;
        v->cls = SC_AGAIN;
    } else if (!c->renewed) {
        c->renewed = 1;
        if (strcmp(c->cred->id, AZURE_BY_BEARER) == 0)
            sc_creds_refuse(s->creds, c->cred);
        else if (!sc_creds_replaced(s->creds, s->host, c->cred))
            return;
        v->cls = SC_AGAIN;
    }
}

static void judge_error(struct azure_call *c, struct sc_verdict *v)
{
    const struct meaning *m = meaning_of(c->azure_code);
    int status = c->call.response.status;
    if (m) {
        v->cls = m->cls;
        v->code = m->error;
        advise(v, m->advice);
    } else if (status < 300) {
        v->cls = SC_RETRY;
        v->code = SR_STORAGE_E_UNAVAILABLE;
    } else if (status == 400) {
        v->code = SR_STORAGE_E_CONFIG;
    } else if (strcmp(c->azure_code, "unnamed") == 0) {
        sc_verdict_not_its_own(v);
    }
    if (m && m->then == THEN_OUTCOME)
        c->lost = c->call.in_doubt;
    if ((m && m->then == THEN_MEND) || status == 401)
        mend(c, v);
}

/* Answers without a code are not Azure's own: a proxy's, a broken server's. */
static void judge_bare(struct azure_call *c, struct sc_verdict *v)
{
    int status = c->call.response.status;
    if (status == 503)
        v->cls = SC_THROTTLED;
    if (status == 409 || status == 412)
        c->lost = c->call.in_doubt;
    if (status == 400)
        v->code = SR_STORAGE_E_CONFIG;
    if (status == 401)
        mend(c, v);
    /* HEAD has no body, and its code may get lost on the way. */
    if (strcmp(c->call.request.method, "HEAD") != 0 ||
        !sc_headers_get(&c->call.response.headers, "x-ms-request-id"))
        sc_verdict_not_its_own(v);
}

static void confirms_nothing(struct azure_call *c, const char *what, struct sc_verdict *v)
{
    v->cls = SC_RETRY;
    v->code = SR_STORAGE_E_UNAVAILABLE;
    (void)snprintf(v->text, sizeof v->text, "HTTP %d %s", c->call.response.status, what);
}

/* A 2xx whose body must be XML of a certain root. */
static void judge_root(struct azure_call *c, struct sc_verdict *v)
{
    const struct sc_xml_node *root = c->xml ? sc_xml_root(c->xml) : NULL;
    char what[160];
    if (root && strcmp(root->name, c->root) == 0)
        return;
    (void)snprintf(what, sizeof what, "whose body is %s%.64s, not %s",
                   root ? "a " : "cut off or no XML", root ? root->name : "", c->root);
    confirms_nothing(c, what, v);
}

void azure_answer_judge(struct sc_call *call, struct sc_verdict *v)
{
    struct azure_call *c = (struct azure_call *)call;
    const struct sc_response *r = &call->response;
    if (r->status == 0)
        return; /* no answer: what the phase says holds */
    int good = r->status >= 200 && r->status < 300;
    if (good && c->wants) {
        const char *value = sc_headers_get(&r->headers, c->wants);
        char what[80];
        (void)snprintf(what, sizeof what, "without %.40s", c->wants);
        if (!value || !*value || strcmp(value, "\"\"") == 0)
            confirms_nothing(c, what, v);
        return;
    }
    if (good && !c->root)
        return;
    sc_xml_free(sc_steal_ptr(c->xml));
    if (r->body.len > 0)
        (void)sc_xml_parse(r->body.data, r->body.len, &c->xml, NULL);
    if (error_read(c, c->xml, v))
        judge_error(c, v);
    else if (good)
        judge_root(c, v);
    else
        judge_bare(c, v);
}
