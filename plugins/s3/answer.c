/* What an answer means. Codes: "Error responses" of the S3 API reference, and what clones send. */
#include "s3/s3.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

enum then {
    THEN_NOTHING,
    THEN_REGION,  /* the bucket is elsewhere */
    THEN_OUTCOME, /* may be the work of a try whose answer was lost */
};

static const struct meaning {
    const char *code;
    enum sc_class cls;
    int32_t error;
    enum then then;
    const char *advice; /* or NULL */
} meanings[] = {
    {"AccessDenied", SC_FINAL, SR_STORAGE_E_DENIED, THEN_NOTHING, NULL},
    {"AccountProblem", SC_FINAL, SR_STORAGE_E_DENIED, THEN_NOTHING, NULL},
    {"AllAccessDisabled", SC_FINAL, SR_STORAGE_E_DENIED, THEN_NOTHING, NULL},
    {"AuthorizationHeaderMalformed", SC_FINAL, SR_STORAGE_E_CONFIG, THEN_REGION,
     "check the region"},
    {"BadDigest", SC_FEW, SR_STORAGE_E_CORRUPT, THEN_NOTHING, NULL},
    {"ConditionalRequestConflict", SC_RETRY, SR_STORAGE_E_EXISTS, THEN_OUTCOME, NULL},
    {"EntityTooLarge", SC_FINAL, SR_STORAGE_E_NO_SPACE, THEN_NOTHING, NULL},
    {"EntityTooSmall", SC_FINAL, SR_STORAGE_E_CONFIG, THEN_NOTHING,
     "this store wants a larger part_size"},
    {"ExpiredToken", SC_FINAL, SR_STORAGE_E_DENIED, THEN_NOTHING, NULL},
    {"ExpiredTokenException", SC_FINAL, SR_STORAGE_E_DENIED, THEN_NOTHING, NULL},
    {"IncompleteBody", SC_FEW, SR_STORAGE_E_UNAVAILABLE, THEN_NOTHING, NULL},
    {"InsufficientStorage", SC_FINAL, SR_STORAGE_E_NO_SPACE, THEN_NOTHING, NULL},
    {"InternalError", SC_RETRY, SR_STORAGE_E_UNAVAILABLE, THEN_NOTHING, NULL},
    {"InvalidAccessKeyId", SC_FINAL, SR_STORAGE_E_DENIED, THEN_NOTHING,
     "the store does not know the access key id"},
    {"InvalidObjectState", SC_FINAL, SR_STORAGE_E_UNSUPPORTED, THEN_NOTHING,
     "the object is in an archive class: have the store bring it back first"},
    {"InvalidPart", SC_FINAL, SR_STORAGE_E_CORRUPT, THEN_OUTCOME,
     "where a store wants parts of one size, set part_growth=off"},
    {"InvalidRegion", SC_FINAL, SR_STORAGE_E_CONFIG, THEN_REGION, "check the region"},
    {"InvalidStorageClass", SC_FINAL, SR_STORAGE_E_CONFIG, THEN_NOTHING, "check storage_class"},
    {"InvalidTag", SC_FINAL, SR_STORAGE_E_CONFIG, THEN_NOTHING, "check tags"},
    {"InvalidToken", SC_FINAL, SR_STORAGE_E_DENIED, THEN_NOTHING, NULL},
    {"NoSuchBucket", SC_FINAL, SR_STORAGE_E_NOT_FOUND, THEN_NOTHING,
     "make the bucket, or check bucket, endpoint_url and region"},
    {"NoSuchKey", SC_FINAL, SR_STORAGE_E_NOT_FOUND, THEN_NOTHING, NULL},
    {"NoSuchUpload", SC_FINAL, SR_STORAGE_E_NOT_FOUND, THEN_OUTCOME, NULL},
    {"NoSuchVersion", SC_FINAL, SR_STORAGE_E_NOT_FOUND, THEN_NOTHING, NULL},
    {"NotImplemented", SC_FINAL, SR_STORAGE_E_UNSUPPORTED, THEN_NOTHING, NULL},
    {"OperationAborted", SC_RETRY, SR_STORAGE_E_UNAVAILABLE, THEN_NOTHING, NULL},
    {"PermanentRedirect", SC_FINAL, SR_STORAGE_E_CONFIG, THEN_REGION,
     "the bucket is in another region: set it"},
    {"PreconditionFailed", SC_FINAL, SR_STORAGE_E_EXISTS, THEN_OUTCOME, NULL},
    {"QuotaExceeded", SC_FINAL, SR_STORAGE_E_NO_SPACE, THEN_NOTHING, NULL},
    {"RequestTimeTooSkewed", SC_FINAL, SR_STORAGE_E_DENIED, THEN_NOTHING,
     "this machine's clock is wrong"},
    {"RequestTimeout", SC_RETRY, SR_STORAGE_E_UNAVAILABLE, THEN_NOTHING, NULL},
    {"ServiceUnavailable", SC_RETRY, SR_STORAGE_E_UNAVAILABLE, THEN_NOTHING, NULL},
    {"SignatureDoesNotMatch", SC_FINAL, SR_STORAGE_E_DENIED, THEN_NOTHING,
     "the secret access key does not belong to the access key id"},
    {"SlowDown", SC_THROTTLED, SR_STORAGE_E_THROTTLED, THEN_NOTHING, NULL},
    {"SlowDownRead", SC_THROTTLED, SR_STORAGE_E_THROTTLED, THEN_NOTHING, NULL},
    {"SlowDownWrite", SC_THROTTLED, SR_STORAGE_E_THROTTLED, THEN_NOTHING, NULL},
    {"TemporaryRedirect", SC_FINAL, SR_STORAGE_E_UNAVAILABLE, THEN_REGION,
     "the bucket is new or in another region: set the region, or wait"},
    {"Throttling", SC_THROTTLED, SR_STORAGE_E_THROTTLED, THEN_NOTHING, NULL},
    {"ThrottlingException", SC_THROTTLED, SR_STORAGE_E_THROTTLED, THEN_NOTHING, NULL},
    {"TokenRefreshRequired", SC_FINAL, SR_STORAGE_E_DENIED, THEN_NOTHING, NULL},
    {"TooManyRequests", SC_THROTTLED, SR_STORAGE_E_THROTTLED, THEN_NOTHING, NULL},
    {"XAmzContentChecksumMismatch", SC_FEW, SR_STORAGE_E_CORRUPT, THEN_NOTHING, NULL},
    {"XAmzContentSHA256Mismatch", SC_FEW, SR_STORAGE_E_CORRUPT, THEN_NOTHING, NULL},
    {"XMinioStorageFull", SC_FINAL, SR_STORAGE_E_NO_SPACE, THEN_NOTHING, NULL},
};

static const struct meaning *meaning_of(const char *code)
{
    for (size_t i = 0; i < sizeof meanings / sizeof *meanings; i++)
        if (strcmp(meanings[i].code, code) == 0)
            return &meanings[i];
    return NULL;
}

/* Reads <Error>, as far as it can be read, into the call and the verdict's text; the region that it
 * names goes to region. Nonzero when the body is one. */
static int error_read(struct s3_call *c, const struct sc_xml *xml, struct sc_verdict *v,
                      char region[S3_REGION_MAX])
{
    const struct sc_xml_node *root = xml ? sc_xml_root(xml) : NULL;
    if (!root || strcmp(root->name, "Error") != 0)
        return 0;
    const char *code = sc_xml_text(root, "Code"), *message = sc_xml_text(root, "Message");
    const char *where = sc_xml_text(root, "Region");
    (void)snprintf(c->aws_code, sizeof c->aws_code, "%s", code && *code ? code : "unnamed");
    (void)snprintf(v->text, sizeof v->text, "HTTP %d %s%s%.300s", c->call.response.status,
                   c->aws_code, message && *message ? ": " : "", message ? message : "");
    (void)snprintf(region, S3_REGION_MAX, "%s", where ? where : "");
    return 1;
}

static void advise(struct sc_verdict *v, const char *advice)
{
    size_t used = strlen(v->text);
    if (advice && used < sizeof v->text)
        (void)snprintf(v->text + used, sizeof v->text - used, "; %s", advice);
}

/* A region that was learnt makes a further try worth it, at once. */
static void act(struct s3_call *c, enum then then, const char *region, struct sc_verdict *v)
{
    const char *named = sc_headers_get(&c->call.response.headers, "x-amz-bucket-region");
    if (then == THEN_OUTCOME)
        c->lost = c->call.in_doubt;
    if (then == THEN_REGION && s3_auth_adopt_region(c->s, *region ? region : named))
        v->cls = SC_AGAIN;
}

/* So do credentials that were renewed, or a clock that was set. */
static void mend(struct s3_call *c, const char *code, struct sc_verdict *v)
{
    if (sc_aws_signer_mends(&c->s->signer, &c->use, &c->call.response, code))
        v->cls = SC_AGAIN;
}

/* Answers without a body (HEAD), and bodies that are no XML, speak by their status alone. */
static void judge_bare(struct s3_call *c, struct sc_verdict *v)
{
    const struct sc_response *r = &c->call.response;
    if ((r->status == 301 || r->status == 307 || r->status == 400 || r->status == 403) &&
        sc_headers_get(&r->headers, "x-amz-bucket-region"))
        act(c, THEN_REGION, "", v);
    if (r->status == 503)
        v->cls = SC_THROTTLED;
    if (r->status == 409 || r->status == 412 || r->status == 404)
        c->lost = c->call.in_doubt;
    if (r->status == 400)
        v->code = SR_STORAGE_E_CONFIG;
    /* To HEAD no store can say more: see s3_head. */
    if (strcmp(c->call.request.method, "HEAD") != 0)
        sc_verdict_not_its_own(v);
    /* A HEAD that is refused does not say why; an expired token is the one cause that can be
     * mended. */
    if (r->status == 400 && v->cls != SC_AGAIN && strcmp(c->call.request.method, "HEAD") == 0 &&
        c->use.cred && c->use.cred->token.len > 0)
        mend(c, "ExpiredToken", v);
}

static void judge_error(struct s3_call *c, const char *region, struct sc_verdict *v)
{
    const struct meaning *m = meaning_of(c->aws_code);
    int status = c->call.response.status;
    if (m) {
        v->cls = m->cls;
        v->code = m->error;
        advise(v, m->advice);
        act(c, m->then, region, v);
    } else if (strncmp(c->aws_code, "KMS.", 4) == 0) {
        v->cls = SC_FINAL;
        v->code = SR_STORAGE_E_CONFIG;
    } else if (status < 300) {
        /* An error inside a 200 (the keep-alive of slow calls): as if it were a 500. */
        v->cls = SC_RETRY;
        v->code = SR_STORAGE_E_UNAVAILABLE;
    } else if (status == 400) {
        v->code = SR_STORAGE_E_CONFIG;
    } else if (strcmp(c->aws_code, "unnamed") == 0) {
        sc_verdict_not_its_own(v);
    }
    mend(c, c->aws_code, v);
}

/* A 2xx whose body must be XML of a certain root. */
static void judge_root(struct s3_call *c, struct sc_verdict *v)
{
    const struct sc_xml_node *root = c->xml ? sc_xml_root(c->xml) : NULL;
    if (root && (strcmp(root->name, c->root) == 0 ||
                 (c->root_else && strcmp(root->name, c->root_else) == 0)))
        return;
    v->cls = SC_RETRY;
    v->code = SR_STORAGE_E_UNAVAILABLE;
    (void)snprintf(v->text, sizeof v->text, "HTTP %d whose body is %s%.64s, not %s",
                   c->call.response.status, root ? "a " : "cut off or no XML",
                   root ? root->name : "", c->root);
}

void s3_answer_judge(struct sc_call *call, struct sc_verdict *v)
{
    struct s3_call *c = (struct s3_call *)call;
    const struct sc_response *r = &call->response;
    char region[S3_REGION_MAX] = "";
    if (r->status == 0)
        return; /* no answer: what the phase says holds */
    int good = r->status >= 200 && r->status < 300;
    if (good && c->wants_etag && !c->root) {
        char etag[S3_ETAG_MAX];
        s3_etag_copy(r, etag);
        if (!etag[0]) {
            *v = (struct sc_verdict){.cls = SC_RETRY, .code = SR_STORAGE_E_UNAVAILABLE};
            (void)snprintf(v->text, sizeof v->text, "HTTP %d without an ETag", r->status);
        }
        return;
    }
    if (good && !c->root)
        return;
    sc_xml_free(sc_steal_ptr(c->xml));
    if (r->body.len > 0)
        (void)sc_xml_parse(r->body.data, r->body.len, &c->xml, NULL);
    if (error_read(c, c->xml, v, region))
        judge_error(c, region, v);
    else if (good)
        judge_root(c, v);
    else
        judge_bare(c, v);
}
