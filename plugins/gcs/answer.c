/* What an answer means. Reasons: "HTTP status and error codes for JSON" of Google's documentation;
 * codes: those for XML. */
#include "gcs/gcs.h"

#include <stdio.h>
#include <string.h>

static const struct meaning {
    const char *reason; /* of JSON, or code of XML */
    enum sc_class cls;
    int32_t error;
    int outcome;        /* may be the work of a try whose answer was lost */
    const char *advice; /* or NULL */
} meanings[] = {
    {"accountDisabled", SC_FINAL, SR_STORAGE_E_DENIED, 0, "the account is disabled"},
    {"AccessDenied", SC_FINAL, SR_STORAGE_E_DENIED, 0, NULL},
    {"authError", SC_FINAL, SR_STORAGE_E_DENIED, 0, NULL},
    {"backendError", SC_RETRY, SR_STORAGE_E_UNAVAILABLE, 0, NULL},
    {"BadDigest", SC_FEW, SR_STORAGE_E_CORRUPT, 0, NULL},
    {"billingDisabled", SC_FINAL, SR_STORAGE_E_DENIED, 0, "the project pays for nothing any more"},
    {"conditionNotMet", SC_FINAL, SR_STORAGE_E_EXISTS, 1, NULL},
    {"customerEncryptionKeyIsIncorrect", SC_FINAL, SR_STORAGE_E_CONFIG, 0,
     "the object was encrypted with another customer_key"},
    {"EntityTooSmall", SC_FINAL, SR_STORAGE_E_CONFIG, 0, "set a larger part_size"},
    {"internalError", SC_RETRY, SR_STORAGE_E_UNAVAILABLE, 0, NULL},
    {"InternalError", SC_RETRY, SR_STORAGE_E_UNAVAILABLE, 0, NULL},
    {"InvalidPart", SC_FINAL, SR_STORAGE_E_CORRUPT, 1, NULL},
    {"NoSuchBucket", SC_FINAL, SR_STORAGE_E_NOT_FOUND, 0, "make the bucket, or check bucket"},
    {"NoSuchUpload", SC_FINAL, SR_STORAGE_E_NOT_FOUND, 1, NULL},
    {"objectUnderActiveHold", SC_FINAL, SR_STORAGE_E_LOCKED, 0, NULL},
    {"quotaExceeded", SC_FINAL, SR_STORAGE_E_THROTTLED, 0, "a quota of the project is used up"},
    {"rateLimitExceeded", SC_THROTTLED, SR_STORAGE_E_THROTTLED, 0, NULL},
    {"RequestTimeout", SC_RETRY, SR_STORAGE_E_UNAVAILABLE, 0, NULL},
    {"resourceIsEncryptedWithCustomerEncryptionKey", SC_FINAL, SR_STORAGE_E_CONFIG, 0,
     "the object was encrypted with a key of its owner: set customer_key"},
    {"retentionPolicyNotMet", SC_FINAL, SR_STORAGE_E_LOCKED, 0, NULL},
    {"ServiceUnavailable", SC_RETRY, SR_STORAGE_E_UNAVAILABLE, 0, NULL},
    {"SlowDown", SC_THROTTLED, SR_STORAGE_E_THROTTLED, 0, NULL},
    {"uploadBrokenConnection", SC_RETRY, SR_STORAGE_E_UNAVAILABLE, 0, NULL},
    {"userProjectMissing", SC_FINAL, SR_STORAGE_E_CONFIG, 0,
     "the bucket wants who asks to pay: set user_project"},
    {"userRateLimitExceeded", SC_THROTTLED, SR_STORAGE_E_THROTTLED, 0, NULL},
};

static const struct meaning *meaning_of(const char *reason)
{
    for (size_t i = 0; i < sizeof meanings / sizeof *meanings; i++)
        if (strcmp(meanings[i].reason, reason) == 0)
            return &meanings[i];
    return NULL;
}

static void said(struct gcs_call *c, const char *reason, const char *message, struct sc_verdict *v)
{
    (void)snprintf(c->reason, sizeof c->reason, "%s", reason && *reason ? reason : "unnamed");
    (void)snprintf(v->text, sizeof v->text, "HTTP %d %s%s%.300s", c->call.response.status,
                   c->reason, message && *message ? ": " : "", message ? message : "");
}

/* {"error": {"message": ..., "errors": [{"reason": ...}]}}; nonzero when it is one. */
static int json_error_read(struct gcs_call *c, const json_t *body, struct sc_verdict *v)
{
    const json_t *error = json_object_get(body, "error");
    if (!json_is_object(error))
        return 0;
    const json_t *first = json_array_get(json_object_get(error, "errors"), 0);
    said(c, sc_json_text(first, "reason"), sc_json_text(error, "message"), v);
    return 1;
}

static int xml_error_read(struct gcs_call *c, const struct sc_xml *xml, struct sc_verdict *v)
{
    const struct sc_xml_node *root = xml ? sc_xml_root(xml) : NULL;
    if (!root || strcmp(root->name, "Error") != 0)
        return 0;
    const char *message = sc_xml_text(root, "Message"), *more = sc_xml_text(root, "Details");
    said(c, sc_xml_text(root, "Code"), more && *more ? more : message, v);
    return 1;
}

static void advise(struct sc_verdict *v, const char *advice)
{
    size_t used = strlen(v->text);
    if (advice && used < sizeof v->text)
        (void)snprintf(v->text + used, sizeof v->text - used, "; %s", advice);
}

static void judge_reason(struct gcs_call *c, struct sc_verdict *v)
{
    const struct meaning *m = meaning_of(c->reason);
    int status = c->call.response.status;
    if (m) {
        v->cls = m->cls;
        v->code = m->error;
        advise(v, m->advice);
        if (m->outcome)
            c->lost = c->call.in_doubt;
    } else if (status < 300) {
        /* An error inside a 200: as if it were a 500. */
        v->cls = SC_RETRY;
        v->code = SR_STORAGE_E_UNAVAILABLE;
    } else if (strcmp(c->reason, "unnamed") == 0 && !c->s->set.emulator) {
        sc_verdict_not_its_own(v); /* emulators give no reasons */
    }
}

/* A token that the store takes no more is renewed once: long uploads outlive their tokens. */
static void mend(struct gcs_call *c, struct sc_verdict *v)
{
    if (c->call.response.status != 401 || c->renewed || !c->cred)
        return;
    c->renewed = 1;
    sc_creds_refuse(c->s->creds, c->cred);
    v->cls = SC_AGAIN;
}

/* A 2xx whose body must be what was asked for. */
static void judge_good(struct gcs_call *c, struct sc_verdict *v)
{
    const struct sc_response *r = &c->call.response;
    const struct sc_xml_node *root = c->xml ? sc_xml_root(c->xml) : NULL;
    const char *etag = sc_headers_get(&r->headers, "etag");
    const char *what = NULL;
    if (c->wants_json && !c->json)
        what = "whose body is cut off or no JSON";
    else if (c->root && (!root || strcmp(root->name, c->root) != 0))
        what = "whose body is cut off or not the XML that was asked for";
    else if (c->wants_etag && (!etag || !*etag))
        what = "without an ETag";
    if (!what)
        return;
    *v = (struct sc_verdict){.cls = SC_RETRY, .code = SR_STORAGE_E_UNAVAILABLE};
    (void)snprintf(v->text, sizeof v->text, "HTTP %d %s", r->status, what);
}

/* A refusal without a reason. To who asks for an object's bytes Google says in plain text that
 * there are none; what comes from Google bears this header, and what comes from emulators none. */
static void judge_bare(struct gcs_call *c, struct sc_verdict *v)
{
    const struct sc_response *r = &c->call.response;
    if (r->status == 409 || r->status == 412 || r->status == 404)
        c->lost = c->call.in_doubt;
    if (!c->s->set.emulator && !sc_headers_get(&r->headers, "x-guploader-uploadid"))
        sc_verdict_not_its_own(v);
}

void gcs_answer_judge(struct sc_call *call, struct sc_verdict *v)
{
    struct gcs_call *c = (struct gcs_call *)call;
    const struct sc_response *r = &call->response;
    if (r->status == 0)
        return; /* no answer: what the phase says holds */
    int good = r->status >= 200 && r->status < 300, is_error = 0;
    /* A body that was cut short is none; the phase has said so already. */
    if (r->phase == SC_PHASE_DONE && r->body.len > 0 && (!good || c->wants_json || c->root)) {
        json_decref(sc_steal_ptr(c->json));
        sc_xml_free(sc_steal_ptr(c->xml));
        if (r->body.data[strspn(r->body.data, " \t\r\n")] == '{')
            (void)sc_json_read("Google", r->body.data, r->body.len, GCS_REPLY_MAX, &c->json, NULL);
        else
            (void)sc_xml_parse(r->body.data, r->body.len, &c->xml, NULL);
        is_error = json_error_read(c, c->json, v) || xml_error_read(c, c->xml, v);
    }
    if (is_error)
        judge_reason(c, v);
    else if (!good)
        judge_bare(c, v);
    else if (v->cls == SC_DONE)
        judge_good(c, v);
    if (r->status == 400 && v->cls == SC_FINAL && v->code == SR_STORAGE_E_INTERNAL)
        v->code = SR_STORAGE_E_CONFIG;
    mend(c, v);
}
