/* What is checked and then used is the same bytes, whoever writes in between. */
#include "config.h"
#include "core/engine/restore_run.h"
#include "core/engine/witness.h"
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BLOCK ((size_t)SR_WITNESS_BLOCK)
#define LONGEST (2 * BLOCK + 5)

static unsigned char *bytes, *got; /* of LONGEST + 1 */

struct memory {
    size_t len, at, most; /* handed over at most so many at once */
};

static int memory_read(void *ctx, void *buf, size_t cap, size_t *ret_len, struct sr_error *err)
{
    struct memory *m = ctx;
    size_t n = m->len - m->at;
    (void)err;
    n = n < cap ? n : cap;
    n = n < m->most ? n : m->most;
    memcpy(buf, bytes + m->at, n);
    m->at += n;
    *ret_len = n;
    return SR_OK;
}

static void memory_interrupt(void *ctx)
{
    (void)ctx;
}

/* Reads all; what was handed over is in got. */
static int drain(const struct sr_input *in, size_t *ret_len, struct sr_error *err)
{
    size_t n = 1;
    int rc = SR_OK;
    *ret_len = 0;
    while (rc == SR_OK && n > 0 && *ret_len <= LONGEST) {
        rc = in->read(in->ctx, got + *ret_len, LONGEST + 1 - *ret_len, &n, err);
        *ret_len += rc == SR_OK ? n : 0;
    }
    return rc;
}

static int pass(struct sr_witness *w, int holds, size_t len, size_t most, size_t *ret_len,
                struct sr_error *err)
{
    struct memory m = {len, 0, most};
    const struct sr_input behind = {memory_read, memory_interrupt, &m};
    struct sr_witness_input *in = NULL;
    int rc = holds ? sr_witness_hold(w, &behind, &in, err) : sr_witness_note(w, &behind, &in, err);
    CU_ASSERT_EQUAL_FATAL(rc, SR_OK);
    rc = drain(sr_witness_input(in), ret_len, err);
    sr_witness_input_free(in);
    return rc;
}

static struct sr_witness *noted(size_t len)
{
    struct sr_error err = SR_ERROR_INIT;
    struct sr_witness *w = NULL;
    size_t n = 0;
    ASSERT_OK(sr_witness_new(&w, &err), err);
    ASSERT_OK(pass(w, 0, len, 70000, &n, &err), err);
    CU_ASSERT_EQUAL(n, len);
    return w;
}

static void same(void)
{
    const size_t lens[] = {0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK, LONGEST};
    for (size_t i = 0; i < sizeof lens / sizeof *lens; i++) {
        struct sr_error err = SR_ERROR_INIT;
        struct sr_witness *w = noted(lens[i]);
        size_t n = 1;
        for (size_t most = 99999; most <= LONGEST; most *= 100) { /* more than once */
            ASSERT_OK(pass(w, 1, lens[i], most, &n, &err), err);
            CU_ASSERT_EQUAL(n, lens[i]);
            CU_ASSERT_EQUAL(memcmp(got, bytes, n), 0);
        }
        sr_witness_free(w);
    }
}

/* One byte differs: of its block, and of what follows, nothing is handed over. */
static void changed(void)
{
    const size_t where[] = {0, BLOCK - 1, BLOCK, LONGEST - 1};
    for (size_t i = 0; i < sizeof where / sizeof *where; i++) {
        struct sr_error err = SR_ERROR_INIT;
        struct sr_witness *w = noted(LONGEST);
        size_t n = 1;
        bytes[where[i]] ^= 1;
        CU_ASSERT_EQUAL(pass(w, 1, LONGEST, 70000, &n, &err), SR_E_CORRUPT);
        CU_ASSERT_EQUAL(n, where[i] / BLOCK * BLOCK);
        CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "checked a moment ago"));
        bytes[where[i]] ^= 1;
        sr_witness_free(w);
    }
}

static void longer_or_shorter(void)
{
    const size_t lens[] = {0, BLOCK - 1, BLOCK, 2 * BLOCK};
    for (size_t i = 0; i < sizeof lens / sizeof *lens; i++) {
        struct sr_error err = SR_ERROR_INIT;
        struct sr_witness *w = noted(lens[i]);
        size_t n = 0;
        CU_ASSERT_EQUAL(pass(w, 1, lens[i] + 1, 70000, &n, &err), SR_E_CORRUPT);
        CU_ASSERT(n <= lens[i]);
        if (lens[i] > 0) {
            CU_ASSERT_EQUAL(pass(w, 1, lens[i] - 1, 70000, &n, &err), SR_E_CORRUPT);
            CU_ASSERT(n < lens[i]);
        }
        sr_witness_free(w);
    }
}

/* A check that was left in the middle vouches for nothing. */
static void not_to_the_end(void)
{
    struct sr_error err = SR_ERROR_INIT;
    struct memory m = {LONGEST, 0, BLOCK};
    const struct sr_input behind = {memory_read, memory_interrupt, &m};
    struct sr_witness *w = NULL;
    struct sr_witness_input *in = NULL;
    size_t n = 0;
    ASSERT_OK(sr_witness_new(&w, &err), err);
    ASSERT_OK(sr_witness_note(w, &behind, &in, &err), err);
    const struct sr_input *half = sr_witness_input(in);
    ASSERT_OK(half->read(half->ctx, got, BLOCK, &n, &err), err);
    sr_witness_input_free(in);
    CU_ASSERT_EQUAL(pass(w, 1, BLOCK, BLOCK, &n, &err), SR_E_INTERNAL);
    CU_ASSERT_EQUAL(n, 0);
    sr_witness_free(w);
}

/* --- an object opened twice --- */

static int opened(struct sr_context *ctx, const struct sr_opening_options *oo, size_t *ret_len,
                  struct sr_error *err)
{
    struct sr_opening *op = NULL;
    size_t n = 1;
    *ret_len = 0;
    int rc = sr_opening_start(ctx, oo, &op, err);
    while (rc == SR_OK && n > 0) {
        rc = sr_opening_read(op, got + *ret_len, LONGEST + 1 - *ret_len, &n, err);
        *ret_len += rc == SR_OK ? n : 0;
    }
    if (rc == SR_OK)
        rc = sr_opening_end(op, err);
    sr_opening_free(op);
    return rc;
}

static void put(const char *path, int flags, off_t at, const void *data, size_t len)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | flags, 0600);
    CU_ASSERT_FATAL(fd >= 0 && pwrite(fd, data, len, at) == (ssize_t)len && close(fd) == 0);
}

static void replaced_between(void)
{
    char path[] = "/tmp/sr-test-witness-XXXXXX";
    struct sr_error err = SR_ERROR_INIT;
    struct sr_context ctx;
    struct sr_witness *w = NULL;
    size_t n = 0;
    int fd = mkostemp(path, O_CLOEXEC);
    CU_ASSERT_FATAL(fd >= 0 && close(fd) == 0);
    sr_context_init(&ctx, NULL, &sr_clock_system, NULL, "cli");
    put(path, O_TRUNC, 0, bytes, LONGEST);
    ASSERT_OK(sr_witness_new(&w, &err), err);
    struct sr_opening_options oo = {
        .what = "checking", .file = path, .depth = SR_OPEN_STORED, .note = w};
    ASSERT_OK(opened(&ctx, &oo, &n, &err), err);
    CU_ASSERT_EQUAL(n, LONGEST);
    oo.depth = SR_OPEN_RAW;
    oo.note = NULL;
    oo.hold = w;
    ASSERT_OK(opened(&ctx, &oo, &n, &err), err);
    CU_ASSERT_EQUAL(n, LONGEST);
    put(path, 0, (off_t)BLOCK + 7, "DROP", 4);
    CU_ASSERT_EQUAL(opened(&ctx, &oo, &n, &err), SR_E_CORRUPT);
    CU_ASSERT(n <= BLOCK); /* who is slower than the thread that reads gets no more of it */
    CU_ASSERT_PTR_NULL(memmem(got, n, "DROP", 4));
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, path));
    sr_witness_free(w);
    sr_context_done(&ctx);
    (void)unlink(path);
}

/* A restore of what a manifest vouches for: what is fed to the database is what was checked. */
static void restored(void)
{
    static const char honest[] = "SELECT 1;\n", forged[] = "SELECT 6;\n";
    char path[] = "/tmp/sr-test-witness-XXXXXX", seen[64];
    struct sr_error err = SR_ERROR_INIT;
    struct sr_context ctx;
    struct sr_restore_result result = {0};
    struct sr_opening *op = NULL;
    struct sr_manifest_object object = {
        .size = 10, .sha256 = "b4e0497804e46e0a0b0b8c31975b062152d551bac49c3c2e80932567b4085dcd"};
    struct sr_restoring r = {.ctx = &ctx, .result = &result, .file = path, .object = &object};
    size_t n = 0;
    int fd = mkostemp(path, O_CLOEXEC);
    CU_ASSERT_FATAL(fd >= 0 && close(fd) == 0);
    sr_context_init(&ctx, NULL, &sr_clock_system, NULL, "cli");
    put(path, O_TRUNC, 0, honest, 10);
    ASSERT_OK(sr_restore_check(&r, &err), err);
    put(path, O_TRUNC, 0, forged, 10);
    ASSERT_OK(sr_restore_open(&r, "restoring", &op, &err), err);
    CU_ASSERT_EQUAL(sr_opening_read(op, seen, sizeof seen, &n, &err), SR_E_CORRUPT);
    sr_opening_free(op);
    op = NULL;
    put(path, O_TRUNC, 0, honest, 10);
    sr_error_clear(&err);
    ASSERT_OK(sr_restore_open(&r, "restoring", &op, &err), err);
    ASSERT_OK(sr_opening_read(op, seen, sizeof seen, &n, &err), err);
    CU_ASSERT(n == 10 && memcmp(seen, honest, 10) == 0);
    sr_opening_free(op);
    sr_witness_free(r.witness);
    sr_restore_result_done(&result);
    sr_context_done(&ctx);
    (void)unlink(path);
}

static const struct unit_test tests[] = {{"the same bytes", same},
                                         {"one byte differs", changed},
                                         {"longer or shorter", longer_or_shorter},
                                         {"not checked to the end", not_to_the_end},
                                         {"an object replaced between two reads", replaced_between},
                                         {"what is restored was checked", restored},
                                         {0}};

int main(void)
{
    bytes = malloc(LONGEST + 1);
    got = malloc(LONGEST + 1);
    for (size_t i = 0; bytes && i <= LONGEST; i++)
        bytes[i] = (unsigned char)(i * 2654435761u >> 13);
    int rc = bytes && got ? unit_main("witness", tests) : 2;
    free(bytes);
    free(got);
    return rc;
}
