/* What comes of a call of the azure plugin when the store's answers are lost, late or not its own:
 * the plugin itself against the scripted server. */
#include "azure/azure.h"

#include "tests/unit/cloud_rig.h"

#define BLOCK (UINT64_C(1) << 20)
#define MADE "{'status':201,'headers':{'ETag':'e','x-ms-request-id':'1'}}"
#define NO_SUCH "{'status':404,'headers':{'x-ms-error-code':'BlobNotFound'}}"

static void rig_begin(struct rig *r, const char *rules)
{
    static const char *const base[] = {
        "container", "shop",        "account", "acc",         "account_key", "a2V5", "part_size",
        "1048576",   "concurrency", "1",       "credentials", "key",         NULL};
    rig_open(r, azure_setting_rows, rules, base, NULL);
}

/* A server that was sent all of a request and does not answer may be at it still. */
static void made_after_the_looks_began(void)
{
    enum { FOR_EVER = 99 };
    static const struct {
        const char *name, *lost; /* what the request that makes the object visible comes to */
        int blocks, absent;      /* so many looks find nothing */
        int32_t code;
        int looks;
    } rows[] = {
        {"Put Blob", "'at':'request','end':'close'", 0, 4, SR_STORAGE_OK, 5},
        {"Put Blob, never", "'at':'request','end':'close'", 0, FOR_EVER, SR_STORAGE_E_IN_DOUBT, 7},
        {"Put Blob that failed", "'reply':{'status':500}", 0, FOR_EVER, SR_STORAGE_E_UNAVAILABLE,
         2},
        {"Put Blob, when time was up inside of Azure",
         "'reply':{'status':500,'headers':{'x-ms-error-code':'OperationTimedOut'}}", 0, 4,
         SR_STORAGE_OK, 5},
        {"blocks", "'at':'request','end':'close'", 1, 4, SR_STORAGE_OK, 5},
        {"blocks, never", "'at':'request','end':'close'", 1, FOR_EVER, SR_STORAGE_E_IN_DOUBT, 7},
        {"blocks that failed", "'reply':{'status':500}", 1, FOR_EVER, SR_STORAGE_E_UNAVAILABLE, 2},
        {"blocks, when time was up inside of Azure",
         "'reply':{'status':500,'headers':{'x-ms-error-code':'OperationTimedOut'}}", 1, 4,
         SR_STORAGE_OK, 5},
    };
    char rules[1024];
    struct rig r;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int blocks = rows[i].blocks;
        (void)snprintf(rules, sizeof rules,
                       "[{'match':'PUT comp=block&','reply':" MADE "},{'match':'PUT',%s},"
                       "{'match':'HEAD','times':%d,'reply':" NO_SUCH "},"
                       "{'match':'HEAD','reply':{'status':200,'length':%s,'headers':{'ETag':'e',"
                       "'x-ms-meta-strongroomupload':'" RIG_MARK "'}}}]",
                       rows[i].lost, rows[i].absent, blocks ? "1048580" : "4");
        rig_begin(&r, rules);
        uint64_t began = test_ms();
        int32_t rc = rig_save(&r, (struct source){.left = blocks ? BLOCK + 4 : 4},
                              SR_STORAGE_SAVE_REPLACE, 0);
        int looks = rig_sent(&r, "HEAD", "/k");
        if (rc != rows[i].code || looks != rows[i].looks)
            (void)fprintf(stderr, "%s: %d, %d looks: %s\n", rows[i].name, (int)rc, looks,
                          r.host.text);
        CU_ASSERT_EQUAL(rc, rows[i].code);
        CU_ASSERT_EQUAL(looks, rows[i].looks);
        CU_ASSERT(test_ms() - began < 10000); /* the waits are the test's clock's */
        rig_end(&r);
    }
}

static void absences(void)
{
    static const struct rig_absence rows[] = {
        {"'status':404,'headers':{'x-ms-error-code':'BlobNotFound'}", -SR_STORAGE_DELETED,
         SR_STORAGE_E_NOT_FOUND, SR_STORAGE_E_NOT_FOUND},
        {"'status':404,'headers':{'x-ms-error-code':'ContainerNotFound'}", SR_STORAGE_E_NOT_FOUND,
         SR_STORAGE_E_NOT_FOUND, SR_STORAGE_E_NOT_FOUND},
        {"'status':404,'headers':{'x-ms-error-code':'ResourceNotFound'}", SR_STORAGE_E_NOT_FOUND,
         SR_STORAGE_E_NOT_FOUND, SR_STORAGE_E_NOT_FOUND},
        {"'status':404,'headers':{'x-ms-request-id':'1'}", SR_STORAGE_E_UNAVAILABLE,
         SR_STORAGE_E_UNAVAILABLE, SR_STORAGE_E_NOT_FOUND},
        {"'status':404", SR_STORAGE_E_UNAVAILABLE, SR_STORAGE_E_UNAVAILABLE,
         SR_STORAGE_E_UNAVAILABLE},
        {"'status':404,'body':'<html>default backend - 404</html>'", SR_STORAGE_E_UNAVAILABLE,
         SR_STORAGE_E_UNAVAILABLE, SR_STORAGE_E_UNAVAILABLE},
        {"'status':404,'body':'<Error/>'", SR_STORAGE_E_UNAVAILABLE, SR_STORAGE_E_UNAVAILABLE,
         SR_STORAGE_E_UNAVAILABLE},
        {.reply = ""},
    };
    struct rig r;
    rig_begin(&r, "[]");
    rig_absences(&r, rows);
    rig_end(&r);
}

static const struct unit_test tests[] = {
    {"made after the looks began", made_after_the_looks_began},
    {"404 in whose words", absences},
    {0},
};

int main(void)
{
    return unit_main("azure: outcomes", tests);
}
