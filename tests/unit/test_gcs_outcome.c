/* What comes of a call of the gcs plugin when Google's answers are lost, late or not its own: the
 * plugin itself against the scripted server. */
#include "gcs/gcs.h"
#include "gcs/object.h"

#include "tests/unit/cloud_rig.h"

#define PART (UINT64_C(5) << 20)
#define REASON(status, reason)                                                         \
    "{'status':" status ",'body':'{\\'error\\':{\\'message\\':\\'m\\',\\'errors\\':[{" \
    "\\'reason\\':\\'" reason "\\'}]}}'}"
#define CODE(status, code) "{'status':" status ",'body':'<Error><Code>" code "</Code></Error>'}"
#define NO_SUCH REASON("404", "notFound")
#define OURS(size)                                                                     \
    "{'body':'{\\'name\\':\\'k\\',\\'size\\':\\'" size "\\',\\'generation\\':\\'7\\'," \
    "\\'metadata\\':{\\'" GCS_MARK_NAME "\\':\\'" RIG_MARK "\\'}}'}"
#define PARTS                                                                   \
    "{'match':'POST uploads','reply':{'body':'<InitiateMultipartUploadResult>"  \
    "<UploadId>u</UploadId></InitiateMultipartUploadResult>'}},"                \
    "{'match':'PUT partNumber','reply':{'status':200,'headers':{'ETag':'e'}}}," \
    "{'match':'DELETE uploadId','reply':{'status':204}},"                       \
    "{'match':'GET max-parts=1','reply':" CODE("404", "NoSuchUpload") "},"
#define SESSION                                                                                  \
    "{'match':'POST uploadType=resumable','reply':{'headers':{'Location':'http://x/s?upload_id=" \
    "1'}}},{'match':'PUT upload_id','header':{'content-range':'^bytes 0-'},'reply':{'status':"   \
    "308,'headers':{'Range':'bytes=0-5242879'}}},{'match':'DELETE upload_id','reply':{'status'"  \
    ":499}},"

static void rig_begin(struct rig *r, const char *upload, const char *rules)
{
    const char *const more[] = {"upload", upload, NULL};
    static const char *const base[] = {
        "bucket", "shop", "part_size", "5242880", "concurrency", "1", "credentials", "none", NULL};
    rig_open(r, gcs_setting_rows, rules, base, more);
}

/* A server that was sent all of a request and does not answer may be at it still. */
static void made_after_the_looks_began(void)
{
    enum { FOR_EVER = 99 };
    static const struct {
        const char *name, *upload, *last; /* the request that makes the object visible */
        const char *lost;                 /* what it comes to */
        int absent;                       /* so many looks find nothing */
        int32_t code;
        int looks;
    } rows[] = {
        {"one request", "", "POST uploadType=multipart", "'at':'request','end':'close'", 4,
         SR_STORAGE_OK, 5},
        {"one request, never", "", "POST uploadType=multipart", "'at':'request','end':'close'",
         FOR_EVER, SR_STORAGE_E_IN_DOUBT, 7},
        {"one request that failed", "", "POST uploadType=multipart", "'reply':{'status':500}",
         FOR_EVER, SR_STORAGE_E_UNAVAILABLE, 2},
        {"a session", "resumable", "PUT upload_id", "'at':'request','end':'close'", 4,
         SR_STORAGE_OK, 5},
        {"a session, never", "resumable", "PUT upload_id", "'at':'request','end':'close'", FOR_EVER,
         SR_STORAGE_E_IN_DOUBT, 7},
        {"a session that failed", "resumable", "PUT upload_id", "'reply':{'status':500}", FOR_EVER,
         SR_STORAGE_E_UNAVAILABLE, 2},
        {"parts", "multipart", "POST uploadId", "'at':'request','end':'close'", 4, SR_STORAGE_OK,
         5},
        {"parts, never", "multipart", "POST uploadId", "'at':'request','end':'close'", FOR_EVER,
         SR_STORAGE_E_IN_DOUBT, 7},
        {"parts that failed", "multipart", "POST uploadId", "'reply':{'status':500}", FOR_EVER,
         SR_STORAGE_E_UNAVAILABLE, 2},
    };
    char rules[4096];
    struct rig r;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int large = rows[i].upload[0] != '\0';
        (void)snprintf(rules, sizeof rules,
                       "[" PARTS SESSION "{'match':'%s',%s},"
                       "{'match':'GET /o/k','times':%d,'reply':" NO_SUCH "},"
                       "{'match':'GET /o/k','reply':%s}]",
                       rows[i].last, rows[i].lost, rows[i].absent,
                       large ? OURS("5242884") : OURS("4"));
        rig_begin(&r, large ? rows[i].upload : "auto", rules);
        uint64_t began = test_ms();
        int32_t rc =
            rig_save(&r, (struct source){.left = large ? PART + 4 : 4}, SR_STORAGE_SAVE_REPLACE, 0);
        int looks = rig_sent(&r, "GET", "/o/k");
        if (rc != rows[i].code || looks != rows[i].looks)
            (void)fprintf(stderr, "%s: %d, %d looks: %s\n", rows[i].name, (int)rc, looks,
                          r.host.text);
        CU_ASSERT_EQUAL(rc, rows[i].code);
        CU_ASSERT_EQUAL(looks, rows[i].looks);
        CU_ASSERT(test_ms() - began < 10000); /* the waits are the test's clock's */
        rig_end(&r);
    }
}

#define BEGUN(id, when) \
    "<Upload><Key>k</Key><UploadId>" id "</UploadId><Initiated>" when "</Initiated></Upload>"
#define NO_PARTS "{'body':'<ListPartsResult></ListPartsResult>'}"

/* The answer to the beginning of an upload was lost: what may be another host's stays. The save
 * begins at 00:00:00 on this machine's clock, a second behind Google's. */
static void beginning_lost(void)
{
    static const struct {
        const char *name, *uploads, *parts;
        int ended, told;
    } rows[] = {
        {"ours", BEGUN("v", "2026-01-03T00:00:01.000Z"), NO_PARTS, 1, 0},
        {"one that was begun before", BEGUN("v", "2026-01-03T00:00:00.900Z"), NO_PARTS, 0, 0},
        {"one that has a part", BEGUN("v", "2026-01-03T00:00:01.000Z"),
         "{'body':'<ListPartsResult><Part><PartNumber>1</PartNumber></Part></ListPartsResult>'}", 0,
         0},
        {"two that may be ours",
         BEGUN("v", "2026-01-03T00:00:01.000Z") BEGUN("w", "2026-01-03T00:00:02.000Z"), NO_PARTS, 0,
         1},
    };
    char rules[4096];
    struct rig r;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        (void)snprintf(rules, sizeof rules,
                       "[{'match':'POST uploads','times':1,'at':'request','end':'close'},"
                       "{'match':'GET uploads','reply':{'headers':{'Date':'Sat, 03 Jan 2026 "
                       "00:00:01 GMT'},'body':'<ListMultipartUploadsResult><IsTruncated>false"
                       "</IsTruncated>%s</ListMultipartUploadsResult>'}},"
                       "{'match':'GET max-parts=1','reply':%s}," PARTS
                       "{'match':'POST uploadId','reply':{'body':'<CompleteMultipartUploadResult>"
                       "<ETag>e</ETag></CompleteMultipartUploadResult>'}},"
                       "{'match':'GET /o/k','reply':" OURS("5242884") "}]",
                       rows[i].uploads, rows[i].parts);
        rig_begin(&r, "multipart", rules);
        r.host.wall = 1767398400; /* 2026-01-03T00:00:00Z */
        CU_ASSERT_EQUAL(rig_save(&r, (struct source){.left = PART + 4}, SR_STORAGE_SAVE_REPLACE, 0),
                        SR_STORAGE_OK);
        int ended = rig_sent(&r, "DELETE", "uploadId=v") + rig_sent(&r, "DELETE", "uploadId=w");
        int told = strstr(sc_buf_str(&r.host.log), "an empty one may be left") != NULL;
        if (ended != rows[i].ended || told != rows[i].told)
            (void)fprintf(stderr, "%s: %d ended, told %d\n", rows[i].name, ended, told);
        CU_ASSERT_EQUAL(ended, rows[i].ended);
        CU_ASSERT_EQUAL(told, rows[i].told);
        CU_ASSERT_EQUAL(rig_sent(&r, "DELETE", "uploadId=u"), 0);
        rig_end(&r);
    }
}

static void absences(void)
{
    static const struct rig_absence rows[] = {
        {"'status':404,'body':'{\\'error\\':{\\'message\\':\\'No such object: shop/k\\',"
         "\\'errors\\':[{\\'reason\\':\\'notFound\\'}]}}'",
         -SR_STORAGE_DELETED, SR_STORAGE_E_NOT_FOUND, SR_STORAGE_E_NOT_FOUND},
        {"'status':404,'body':'{\\'error\\':{\\'message\\':\\'The specified bucket does not "
         "exist.\\',\\'errors\\':[{\\'reason\\':\\'notFound\\'}]}}'",
         SR_STORAGE_E_NOT_FOUND, SR_STORAGE_E_NOT_FOUND, SR_STORAGE_E_NOT_FOUND},
        /* As an object's bytes are refused. */
        {"'status':404,'headers':{'x-guploader-uploadid':'A'},'body':'No such object: shop/k'",
         SR_STORAGE_E_NOT_FOUND, SR_STORAGE_E_NOT_FOUND, SR_STORAGE_E_NOT_FOUND},
        {"'status':404", SR_STORAGE_E_UNAVAILABLE, SR_STORAGE_E_UNAVAILABLE,
         SR_STORAGE_E_UNAVAILABLE},
        {"'status':404,'body':'<html>default backend - 404</html>'", SR_STORAGE_E_UNAVAILABLE,
         SR_STORAGE_E_UNAVAILABLE, SR_STORAGE_E_UNAVAILABLE},
        {"'status':404,'body':'{\\'error\\':{\\'message\\':\\'no such route\\'}}'",
         SR_STORAGE_E_UNAVAILABLE, SR_STORAGE_E_UNAVAILABLE, SR_STORAGE_E_UNAVAILABLE},
        {.reply = ""},
    };
    struct rig r;
    rig_begin(&r, "auto", "[]");
    rig_absences(&r, rows);
    rig_end(&r);
}

/* Emulators give neither reasons nor Google's headers. */
static void absences_emulated(void)
{
    static const struct rig_absence rows[] = {
        {"'status':404,'body':'No such object: shop/k'", -SR_STORAGE_DELETED,
         SR_STORAGE_E_NOT_FOUND, SR_STORAGE_E_NOT_FOUND},
        {"'status':404,'body':'{\\'error\\':{\\'message\\':\\'Not Found\\'}}'", -SR_STORAGE_DELETED,
         SR_STORAGE_E_NOT_FOUND, SR_STORAGE_E_NOT_FOUND},
        {.reply = ""},
    };
    struct rig r;
    rig_begin(&r, "auto", "[]");
    for (const char **s = r.settings; *s; s += 2)
        if (strcmp(*s, "endpoint_url") == 0)
            *s = "emulator_host";
    r.plugin->close(r.handle);
    const struct sr_storage_open_options o = {.size = sizeof o, .store = "gcs"};
    CU_ASSERT_EQUAL_FATAL(r.plugin->open(&r.host.host, &o, &r.handle), SR_STORAGE_OK);
    rig_absences(&r, rows);
    rig_end(&r);
}

static const struct unit_test tests[] = {
    {"made after the looks began", made_after_the_looks_began},
    {"the answer to the beginning is lost", beginning_lost},
    {"404 in whose words", absences},
    {"404 of an emulator", absences_emulated},
    {0},
};

int main(void)
{
    return unit_main("gcs: outcomes", tests);
}
