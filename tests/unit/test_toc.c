#include "config.h"
#include "core/source/pg_toc.h"
#include "core/util/buf.h"
#include "core/util/cleanup.h"
#include "core/util/fs.h"
#include "tests/unit/unit.h"

#include <string.h>

SR_DEFINE_CLEANUP(struct sr_pg_toc *, sr_pg_toc_free);
#define _cleanup_toc_ _cleanup_(sr_pg_toc_freep)
#define _cleanup_buf_ _cleanup_(sr_buf_done)

static struct sr_pg_toc *toc_new(void)
{
    struct sr_error err = SR_ERROR_INIT;
    struct sr_pg_toc *t = NULL;
    ASSERT_OK(sr_pg_toc_new(&t, &err), err);
    return t;
}

static struct sr_pg_toc *toc_of(const struct sr_buf *b, size_t step)
{
    struct sr_pg_toc *t = toc_new();
    for (size_t i = 0; i < b->len; i += step)
        sr_pg_toc_feed(t, b->data + i, b->len - i < step ? b->len - i : step);
    return t;
}

static void fixture(struct sr_buf *b, const char *name)
{
    struct sr_error err = SR_ERROR_INIT;
    const char *dir = getenv("SR_SRCDIR");
    char path[4096];
    (void)snprintf(path, sizeof path, "%s/tests/unit/data/%s", dir ? dir : ".", name);
    sr_buf_init(b, 1 << 20);
    ASSERT_OK(sr_fs_read_file(path, b, &err), err);
}

static size_t patch_all(const struct sr_pg_toc *t, struct sr_buf *b)
{
    struct sr_pg_toc_patch p;
    size_t i = 0;
    for (; sr_pg_toc_patch(t, i, &p); i++) {
        if (p.at + p.len > b->len)
            return 0;
        memcpy(b->data + p.at, p.bytes, p.len);
    }
    return i;
}

/* The two fixtures are one database dumped by pg_dump 15 to a pipe and to a file. */
static void patches_give_what_pg_dump_writes_to_a_file(void)
{
    for (size_t step = 1; step <= 8192; step = step < 20 ? step + 1 : step * 3) {
        _cleanup_buf_ struct sr_buf pipe, file;
        fixture(&pipe, "pg15-pipe.dump");
        fixture(&file, "pg15-file.dump");
        CU_ASSERT_FATAL(pipe.len == file.len && pipe.len > 1000);
        CU_ASSERT_NOT_EQUAL(memcmp(pipe.data, file.data, pipe.len), 0);
        _cleanup_toc_ struct sr_pg_toc *t = toc_of(&pipe, step);
        struct sr_error err = SR_ERROR_INIT;
        ASSERT_OK(sr_pg_toc_end(t, &err), err);
        CU_ASSERT_EQUAL(sr_pg_toc_state(t), SR_TOC_READ);
        CU_ASSERT_PTR_NULL(sr_pg_toc_problem(t));
        CU_ASSERT_EQUAL(patch_all(t, &pipe), 4);
        CU_ASSERT_EQUAL(memcmp(pipe.data, file.data, pipe.len), 0);
    }
}

static void set_offsets_are_left_alone(void)
{
    _cleanup_buf_ struct sr_buf file;
    fixture(&file, "pg15-file.dump");
    _cleanup_toc_ struct sr_pg_toc *t = toc_of(&file, file.len);
    struct sr_error err = SR_ERROR_INIT;
    ASSERT_OK(sr_pg_toc_end(t, &err), err);
    struct sr_pg_toc_patch p;
    CU_ASSERT_EQUAL(sr_pg_toc_patch(t, 0, &p), 0);
}

/* No shorter archive passes: what is cut at the end of a block lacks a whole one. */
static void truncation_is_found_at_every_byte(void)
{
    _cleanup_buf_ struct sr_buf pipe;
    fixture(&pipe, "pg15-pipe.dump");
    size_t whole = pipe.len;
    for (size_t n = 0; n < whole; n++) {
        pipe.len = n;
        _cleanup_toc_ struct sr_pg_toc *t = toc_of(&pipe, 4096);
        struct sr_error err = SR_ERROR_INIT;
        if (sr_pg_toc_end(t, &err) != SR_E_CORRUPT)
            CU_FAIL("a truncated archive passed");
        CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "the archive ends after"));
    }
    pipe.len = whole;
}

/* Any damage: no crash, no patch outside the table of contents, splits make no difference. */
static void damage_is_harmless_and_splits_do_not_matter(void)
{
    _cleanup_buf_ struct sr_buf pipe;
    fixture(&pipe, "pg15-pipe.dump");
    for (size_t i = 0; i < pipe.len; i++) {
        char was = pipe.data[i];
        static const int values[] = {0x00, 0x01, 0x7f, 0x80, 0xff};
        for (size_t v = 0; v < sizeof values / sizeof *values; v++) {
            pipe.data[i] = (char)values[v];
            _cleanup_toc_ struct sr_pg_toc *a = toc_of(&pipe, pipe.len), *b = toc_of(&pipe, 7);
            CU_ASSERT_EQUAL(sr_pg_toc_state(a), sr_pg_toc_state(b));
            CU_ASSERT_EQUAL(sr_pg_toc_size(a), sr_pg_toc_size(b));
            CU_ASSERT_EQUAL(sr_pg_toc_end(a, NULL), sr_pg_toc_end(b, NULL));
            struct sr_pg_toc_patch p, q;
            for (size_t k = 0; sr_pg_toc_patch(a, k, &p); k++) {
                CU_ASSERT_EQUAL_FATAL(sr_pg_toc_patch(b, k, &q), 1);
                CU_ASSERT(p.at == q.at && p.len == q.len);
                CU_ASSERT_EQUAL(memcmp(p.bytes, q.bytes, p.len), 0);
                CU_ASSERT(p.at + p.len <= sr_pg_toc_size(a));
            }
        }
        pipe.data[i] = was;
    }
}

/* --- archives made here, of any version ------------------------------------------------------ */

static void put_int(struct sr_buf *b, int v)
{
    unsigned u = (unsigned)(v < 0 ? -v : v);
    sr_buf_addc(b, v < 0);
    for (int i = 0; i < 4; i++)
        sr_buf_addc(b, (char)(u >> (8 * i)));
}

static void put_str(struct sr_buf *b, const char *s)
{
    put_int(b, s ? (int)strlen(s) : -1);
    if (s)
        sr_buf_adds(b, s);
}

static void put_head(struct sr_buf *b, int minor, int entries)
{
    sr_buf_init(b, 1 << 20);
    const char magic[] = {'P', 'G', 'D', 'M', 'P', 1, (char)minor, 0, 4, 8, 1};
    sr_buf_add(b, magic, sizeof magic);
    if (minor >= 15)
        sr_buf_addc(b, 0);
    else
        put_int(b, 0);
    for (int i = 0; i < 7; i++)
        put_int(b, i);
    put_str(b, "db");
    put_str(b, "17.0");
    put_str(b, NULL);
    put_int(b, entries);
}

/* Where the offset's flag is. */
static size_t put_entry(struct sr_buf *b, int minor, int id, int flag)
{
    put_int(b, id);
    put_int(b, flag != 3);
    for (int i = 0; i < 4; i++)
        put_str(b, i == 2 ? "a table" : "");
    put_int(b, 2);
    for (int i = 0; i < 5; i++)
        put_str(b, i % 2 ? NULL : "COPY ...");
    if (minor >= 14)
        put_str(b, "heap");
    if (minor >= 16)
        put_int(b, 'r');
    put_str(b, "owner");
    put_str(b, "false");
    put_str(b, "7");
    put_str(b, "");
    put_str(b, NULL);
    size_t at = b->len;
    sr_buf_addc(b, (char)flag);
    for (int i = 0; i < 8; i++)
        sr_buf_addc(b, 0);
    return at;
}

static void put_data(struct sr_buf *b, int id, const char *data)
{
    sr_buf_addc(b, 1);
    put_int(b, id);
    if (*data)
        put_str(b, data);
    put_int(b, 0);
}

static void every_known_version_is_read(void)
{
    for (int minor = 12; minor <= 16; minor++) {
        _cleanup_buf_ struct sr_buf b;
        put_head(&b, minor, 4);
        put_entry(&b, minor, 30, 3);
        size_t first = put_entry(&b, minor, 20, 1);
        size_t second = put_entry(&b, minor, 10, 1);
        put_entry(&b, minor, 5, 2);
        size_t toc = b.len;
        put_data(&b, 20, "some rows");
        size_t blobs = b.len;
        sr_buf_addc(&b, 3);
        put_int(&b, 10);
        sr_buf_add(&b, "\0\xff\xff\xff\xff", 5); /* a large object's number uses all its bits */
        put_str(&b, "content");
        put_int(&b, 0);
        put_int(&b, 1);
        put_int(&b, 0);
        put_int(&b, 0);
        put_data(&b, 5, "");
        for (size_t step = 1; step < 40; step++) {
            _cleanup_toc_ struct sr_pg_toc *t = toc_of(&b, step);
            struct sr_error err = SR_ERROR_INIT;
            ASSERT_OK(sr_pg_toc_end(t, &err), err);
            CU_ASSERT_EQUAL(sr_pg_toc_size(t), toc);
            struct sr_pg_toc_patch p;
            CU_ASSERT_EQUAL_FATAL(sr_pg_toc_patch(t, 0, &p), 1);
            CU_ASSERT_EQUAL(p.at, second);
            CU_ASSERT_EQUAL(p.bytes[0], 2);
            CU_ASSERT_EQUAL(p.bytes[1] | p.bytes[2] << 8, (int)blobs);
            CU_ASSERT_EQUAL_FATAL(sr_pg_toc_patch(t, 1, &p), 1);
            CU_ASSERT_EQUAL(p.at, first);
            CU_ASSERT_EQUAL(p.bytes[1] | p.bytes[2] << 8, (int)toc);
            CU_ASSERT_EQUAL(sr_pg_toc_patch(t, 2, &p), 0);
        }
    }
}

static void expect_unknown(const struct sr_buf *b, const char *why)
{
    _cleanup_toc_ struct sr_pg_toc *t = toc_of(b, b->len);
    struct sr_pg_toc_patch p;
    CU_ASSERT_EQUAL(sr_pg_toc_state(t), SR_TOC_UNKNOWN);
    CU_ASSERT_EQUAL(sr_pg_toc_end(t, NULL), SR_OK);
    CU_ASSERT_EQUAL(sr_pg_toc_patch(t, 0, &p), 0);
    CU_ASSERT_PTR_NOT_NULL_FATAL(sr_pg_toc_problem(t));
    CU_ASSERT_PTR_NOT_NULL(strstr(sr_pg_toc_problem(t), why));
}

static void what_is_not_known_is_named(void)
{
    static const struct {
        size_t at;
        char value;
        const char *why;
    } cases[] = {
        {0, 'X', "not a pg_dump archive"},
        {5, 2, "version 2.15 is not known"},
        {6, 17, "version 1.17 is not known"},
        {6, 11, "version 1.11 is not known"},
        {8, 8, "integers of 8"},
        {9, 4, "offsets of 4"},
        {10, 3, "format 3"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        _cleanup_buf_ struct sr_buf b;
        put_head(&b, 15, 1);
        b.data[cases[i].at] = cases[i].value;
        expect_unknown(&b, cases[i].why);
    }
    _cleanup_buf_ struct sr_buf none, negative, wide;
    put_head(&none, 16, 0);
    expect_unknown(&none, "has 0 entries");
    put_head(&negative, 16, 1);
    put_entry(&negative, 16, -4, 1);
    expect_unknown(&negative, "number -4");
    put_head(&wide, 16, 1);
    sr_buf_add(&wide, "\0\0\0\0\x80", 5);
    expect_unknown(&wide, "out of range");
}

/* The table of contents was read, but what follows makes no sense: nothing is patched. */
static void expect_unpatched(const struct sr_buf *b, const char *why)
{
    _cleanup_toc_ struct sr_pg_toc *t = toc_of(b, 3);
    struct sr_pg_toc_patch p;
    CU_ASSERT_EQUAL(sr_pg_toc_state(t), SR_TOC_READ);
    CU_ASSERT_EQUAL(sr_pg_toc_end(t, NULL), SR_OK);
    CU_ASSERT_EQUAL(sr_pg_toc_patch(t, 0, &p), 0);
    CU_ASSERT_PTR_NOT_NULL_FATAL(sr_pg_toc_problem(t));
    CU_ASSERT_PTR_NOT_NULL(strstr(sr_pg_toc_problem(t), why));
}

static void strange_data_leaves_the_offsets_unset(void)
{
    _cleanup_buf_ struct sr_buf type, twice, length, same;
    put_head(&type, 16, 1);
    put_entry(&type, 16, 1, 1);
    sr_buf_addc(&type, 7);
    expect_unpatched(&type, "type 7");

    put_head(&twice, 16, 1);
    put_entry(&twice, 16, 1, 1);
    put_data(&twice, 1, "x");
    put_data(&twice, 1, "y");
    expect_unpatched(&twice, "entry 1 comes twice");

    put_head(&length, 16, 1);
    put_entry(&length, 16, 1, 1);
    sr_buf_addc(&length, 1);
    put_int(&length, 1);
    put_int(&length, -5);
    expect_unpatched(&length, "negative");

    put_head(&same, 16, 2);
    put_entry(&same, 16, 9, 1);
    put_entry(&same, 16, 9, 1);
    expect_unpatched(&same, "number 9");
}

static void missing_blocks_are_counted(void)
{
    _cleanup_buf_ struct sr_buf b;
    put_head(&b, 16, 3);
    put_entry(&b, 16, 1, 1);
    put_entry(&b, 16, 2, 1);
    put_entry(&b, 16, 3, 1);
    put_data(&b, 2, "x");
    put_data(&b, 77, "nobody's");
    _cleanup_toc_ struct sr_pg_toc *t = toc_of(&b, b.len);
    struct sr_error err = SR_ERROR_INIT;
    CU_ASSERT_EQUAL(sr_pg_toc_end(t, &err), SR_E_CORRUPT);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "2 of its 3 tables"));
}

/* A table is passing from its block's number to its end; what was taken gets "no data". */
static void what_passes_is_known_and_can_be_taken(void)
{
    _cleanup_buf_ struct sr_buf b;
    put_head(&b, 16, 3);
    put_entry(&b, 16, 1, 1);
    put_entry(&b, 16, 2, 1);
    put_entry(&b, 16, 3, 2);
    size_t toc = b.len;
    put_data(&b, 2, "rows of two");
    size_t second = b.len;
    put_data(&b, 1, "rows of one");
    size_t third = b.len;
    put_data(&b, 3, "an offset that is set");
    _cleanup_toc_ struct sr_pg_toc *t = toc_new();
    for (size_t i = 0; i < b.len; i++) {
        int id = 0;
        uint64_t at = 0;
        sr_pg_toc_feed(t, b.data + i, 1);
        int passing = sr_pg_toc_passing(t, &id, &at);
        int in_two = i >= toc + 5 && i + 1 < second, in_one = i >= second + 5 && i + 1 < third;
        CU_ASSERT_EQUAL(passing, in_two || in_one);
        CU_ASSERT(!in_two || (id == 2 && at == toc));
        CU_ASSERT(!in_one || (id == 1 && at == second));
        CU_ASSERT_EQUAL(sr_pg_toc_block_end(t, 2), i + 1 < second ? 0 : second);
        CU_ASSERT_EQUAL(sr_pg_toc_block_end(t, 1), i + 1 < third ? 0 : third);
    }
    CU_ASSERT_EQUAL(sr_pg_toc_block_end(t, 3), 0);
    CU_ASSERT_EQUAL(sr_pg_toc_block_end(t, 99), 0);
    sr_pg_toc_taken(t, 2);
    sr_pg_toc_taken(t, 99);
    struct sr_pg_toc_patch p;
    CU_ASSERT_EQUAL_FATAL(sr_pg_toc_patch(t, 0, &p), 1);
    CU_ASSERT_EQUAL(p.bytes[0], 2);
    CU_ASSERT_EQUAL_FATAL(sr_pg_toc_patch(t, 1, &p), 1);
    CU_ASSERT_EQUAL(p.bytes[0], 3);
}

static const struct unit_test tests[] = {
    {"patches give what pg_dump writes to a file", patches_give_what_pg_dump_writes_to_a_file},
    {"set offsets are left alone", set_offsets_are_left_alone},
    {"truncation is found at every byte", truncation_is_found_at_every_byte},
    {"damage is harmless, splits do not matter", damage_is_harmless_and_splits_do_not_matter},
    {"every known version is read", every_known_version_is_read},
    {"what is not known is named", what_is_not_known_is_named},
    {"strange data leaves the offsets unset", strange_data_leaves_the_offsets_unset},
    {"missing blocks are counted", missing_blocks_are_counted},
    {"what passes is known and can be taken", what_passes_is_known_and_can_be_taken},
    {0},
};

int main(void)
{
    sr_pg_toc_free(NULL);
    return unit_main("toc", tests);
}
