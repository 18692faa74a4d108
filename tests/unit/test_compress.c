#include "config.h"
#include "core/pipeline/codec.h"
#include "core/pipeline/step.h"
#include "core/util/subprocess.h"
#include "tests/unit/pipeline_util.h"
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>
#include <zlib.h>

enum { DUMP = 1200000 };

static void compress_to(const void *data, size_t len, size_t chunk, struct sr_compress_options o,
                        struct sr_buf *out)
{
    struct sr_error err = SR_ERROR_INIT;
    sr_buf_init(out, BLOB_MAX);
    ASSERT_OK(run_step(data, len, chunk, sr_step_compress_new(&o), out, &err), err);
}

static int decompress(const void *data, size_t len, size_t chunk, struct sr_buf *out)
{
    struct sr_error err = SR_ERROR_INIT;
    sr_buf_init(out, BLOB_MAX);
    return run_step(data, len, chunk, sr_step_decompress_new(), out, &err);
}

static int same(const struct sr_buf *b, const void *data, size_t len)
{
    return b->len == len && (len == 0 || memcmp(b->data, data, len) == 0);
}

/* What the tool itself makes of it. */
static void tool_agrees(const char *tool, const struct sr_buf *packed, const void *data, size_t len)
{
    char path[] = "/tmp/sr-test-compress-XXXXXX";
    int fd = mkstemp(path);
    CU_ASSERT_FATAL(fd >= 0);
    CU_ASSERT_EQUAL(write(fd, packed->data, packed->len), (ssize_t)packed->len);
    (void)close(fd);
    struct sr_error err = SR_ERROR_INIT;
    struct sr_buf out;
    sr_buf_init(&out, BLOB_MAX);
    char *argv[] = {(char *)tool, (char *)"-dc", path, NULL};
    if (strcmp(tool, "gunzip") == 0)
        argv[1] = (char *)"-c";
    /* gunzip wants a suffix it knows */
    char named[sizeof path + 4];
    (void)snprintf(named, sizeof named, "%s%s", path, strcmp(tool, "zstd") == 0 ? ".zst" : ".gz");
    CU_ASSERT_EQUAL(rename(path, named), 0);
    argv[2] = named;
    ASSERT_OK(sr_child_run(argv, NULL, 60000, &out, &err), err);
    CU_ASSERT(same(&out, data, len));
    sr_buf_done(&out);
    (void)unlink(named);
}

static void roundtrip(const void *data, size_t len, struct sr_compress_options o)
{
    struct sr_buf packed, again, plain;
    compress_to(data, len, 0, o, &packed);
    if (o.kind != SR_COMPRESS_NONE)
        tool_agrees(o.kind == SR_COMPRESS_GZIP ? "gunzip" : "zstd", &packed, data, len);
    CU_ASSERT_EQUAL(decompress(packed.data, packed.len, 0, &plain), SR_OK);
    CU_ASSERT(same(&plain, data, len));
    compress_to(data, len, 0, o, &again); /* the same input gives the same file */
    CU_ASSERT(same(&again, packed.data, packed.len));
    sr_buf_done(&packed);
    sr_buf_done(&again);
    sr_buf_done(&plain);
}

static void every_level_roundtrips(void)
{
    unsigned char *dump = dump_like(DUMP, 1), *rough = noise(700001, 2);
    for (int level = 0; level <= 9; level++) {
        struct sr_compress_options o = {.kind = SR_COMPRESS_GZIP, .level = level};
        roundtrip(dump, DUMP, o);
        roundtrip(rough, 700001, o);
        o.threads = level % 2 ? 2 : 3;
        roundtrip(dump, DUMP, o);
        roundtrip(rough, 700001, o);
        o.kind = SR_COMPRESS_ZSTD;
        roundtrip(dump, DUMP, o);
        o.threads = 1;
        roundtrip(rough, 700001, o);
    }
    roundtrip(dump, DUMP, (struct sr_compress_options){.kind = SR_COMPRESS_ZSTD, .level = 19});
    roundtrip(dump, DUMP, (struct sr_compress_options){.kind = SR_COMPRESS_NONE});
    free(dump);
    free(rough);
}

/* Lengths around the borders of blocks and of nothing at all. */
static void lengths_at_borders(void)
{
    static const size_t lens[] = {0,      1,      2,      65535,      65536,
                                  524287, 524288, 524289, 2 * 524288, 2 * 524288 + 1};
    unsigned char *dump = dump_like(DUMP, 3);
    for (size_t i = 0; i < sizeof lens / sizeof *lens; i++) {
        roundtrip(dump, lens[i], (struct sr_compress_options){.kind = SR_COMPRESS_GZIP});
        roundtrip(dump, lens[i],
                  (struct sr_compress_options){.kind = SR_COMPRESS_GZIP, .level = 6, .threads = 1});
        roundtrip(dump, lens[i],
                  (struct sr_compress_options){.kind = SR_COMPRESS_GZIP, .threads = 2});
        roundtrip(dump, lens[i],
                  (struct sr_compress_options){.kind = SR_COMPRESS_GZIP, .level = 9, .threads = 4});
        roundtrip(dump, lens[i], (struct sr_compress_options){.kind = SR_COMPRESS_ZSTD});
        roundtrip(dump, lens[i], (struct sr_compress_options){.kind = SR_COMPRESS_NONE});
    }
    free(dump);
}

static void empty_input_gives_an_empty_file(void)
{
    struct sr_buf b;
    compress_to("", 0, 0, (struct sr_compress_options){.kind = SR_COMPRESS_NONE}, &b);
    CU_ASSERT_EQUAL(b.len, 0);
    sr_buf_done(&b);
    for (unsigned threads = 1; threads <= 2; threads++) {
        compress_to("", 0, 0,
                    (struct sr_compress_options){.kind = SR_COMPRESS_GZIP, .threads = threads}, &b);
        CU_ASSERT(b.len >= 20 && memcmp(b.data, "\x1f\x8b\x08\0\0\0\0\0", 8) == 0);
        sr_buf_done(&b);
    }
}

/* Each state machine is cut at each byte, in and out. */
static void splits_at_every_byte(void)
{
    unsigned char *dump = dump_like(20000, 4);
    static const size_t chunks[] = {1, 2, 3, 7, 64};
    for (size_t k = 0; k < sizeof chunks / sizeof *chunks; k++) {
        for (int variant = 0; variant < 5; variant++) {
            struct sr_compress_options o = {.kind =
                                                variant < 3 ? SR_COMPRESS_GZIP : SR_COMPRESS_ZSTD,
                                            .level = variant == 1 ? 6 : 1,
                                            .threads = variant == 2 || variant == 4 ? 2 : 1};
            struct sr_buf packed, plain;
            compress_to(dump, 20000, chunks[k], o, &packed);
            tool_agrees(o.kind == SR_COMPRESS_GZIP ? "gunzip" : "zstd", &packed, dump, 20000);
            CU_ASSERT_EQUAL(decompress(packed.data, packed.len, chunks[k], &plain), SR_OK);
            CU_ASSERT(same(&plain, dump, 20000));
            sr_buf_done(&plain);
            sr_buf_done(&packed);
        }
    }
    free(dump);
}

/* Drives a codec by hand: in and out in pieces of the given sizes. */
static int drive(struct sr_codec *c, const unsigned char *in, size_t len, size_t in_piece,
                 size_t out_piece, struct sr_buf *out)
{
    struct sr_error err = SR_ERROR_INIT;
    struct sr_codec_io io = {0};
    unsigned char room[4096];
    size_t at = 0;
    int rc = SR_OK;
    while (rc == SR_OK && !io.done) {
        if (io.in_len == 0 && at < len) {
            io.in = in + at;
            io.in_len = len - at < in_piece ? len - at : in_piece;
            at += io.in_len;
        }
        io.eof = at == len;
        io.out = room;
        io.out_cap = out_piece;
        rc = c->ops->process(c, &io, &err);
        if (rc == SR_OK && sr_buf_add(out, room, out_piece - io.out_cap) != SR_OK)
            abort();
    }
    sr_codec_free(c);
    return rc;
}

/* Every gunzip that is built in, not only the one that is used. */
static struct sr_codec *gunzip_number(int which)
{
#ifdef HAVE_ISAL
    return which == 0 ? sr_codec_gunzip_isal_new() : sr_codec_gunzip_zlib_new();
#else
    (void)which;
    return sr_codec_gunzip_zlib_new();
#endif
}

/* Several members, with empty ones between, cut everywhere. */
static void members_follow_each_other(void)
{
    struct sr_buf all, want, one;
    sr_buf_init(&all, BLOB_MAX);
    sr_buf_init(&want, BLOB_MAX);
    unsigned char *dump = dump_like(3000, 5);
    for (int i = 0; i < 6; i++) {
        size_t len = i % 2 ? 0 : 1000u * (size_t)(i / 2 + 1);
        compress_to(dump, len, 0,
                    (struct sr_compress_options){
                        .kind = SR_COMPRESS_GZIP, .level = i < 3 ? 1 : 9, .threads = 1},
                    &one);
        (void)sr_buf_add(&all, one.data, one.len);
        (void)sr_buf_add(&want, dump, len);
        sr_buf_done(&one);
    }
    for (int which = 0; which < 2; which++) {
        for (size_t in = 1; in < 40; in++) {
            for (size_t out = 1; out < 4096; out += 1 + out) {
                struct sr_buf got;
                sr_buf_init(&got, BLOB_MAX);
                CU_ASSERT_EQUAL(
                    drive(gunzip_number(which), (unsigned char *)all.data, all.len, in, out, &got),
                    SR_OK);
                CU_ASSERT(same(&got, want.data, want.len));
                sr_buf_done(&got);
            }
        }
    }
    struct sr_buf got;
    CU_ASSERT_EQUAL(decompress(all.data, all.len, 0, &got), SR_OK);
    CU_ASSERT(same(&got, want.data, want.len));
    sr_buf_done(&got);
    sr_buf_done(&all);
    sr_buf_done(&want);
    free(dump);
}

/* Every truncation, and every flipped byte, is told; never a clean end with other bytes. */
static void damage_is_told(void)
{
    unsigned char *dump = dump_like(2000, 6);
    for (int variant = 0; variant < 3; variant++) {
        struct sr_buf packed;
        compress_to(dump, 2000, 0,
                    (struct sr_compress_options){
                        .kind = variant < 2 ? SR_COMPRESS_GZIP : SR_COMPRESS_ZSTD, .threads = 1},
                    &packed);
        size_t silent = 0;
        for (size_t i = 0; i < packed.len; i++) {
            struct sr_buf got;
            sr_buf_init(&got, BLOB_MAX);
            struct sr_codec *c = variant < 2 ? gunzip_number(variant) : sr_codec_unzstd_new();
            CU_ASSERT_EQUAL(drive(c, (unsigned char *)packed.data, i, i ? i : 1, 4096, &got),
                            SR_E_CORRUPT);
            sr_buf_done(&got);
            packed.data[i] = (char)(packed.data[i] ^ 0x41);
            c = variant < 2 ? gunzip_number(variant) : sr_codec_unzstd_new();
            int rc = drive(c, (unsigned char *)packed.data, packed.len, 100, 4096, &got);
            packed.data[i] = (char)(packed.data[i] ^ 0x41);
            /* time, hints and system in the gzip header mean nothing */
            if (rc == SR_OK) {
                silent++;
                CU_ASSERT(same(&got, dump, 2000));
            }
            sr_buf_done(&got);
        }
        CU_ASSERT(silent <= 8);
        sr_buf_done(&packed);
    }
    free(dump);
}

static void trailing_garbage_is_told(void)
{
    static const char *const garbage[] = {"x",        "\x1f",
                                          "\x1f\x8b", "\x1f\x8b\x08garbage",
                                          "\n",       "some longer text after the end of the data"};
    unsigned char *dump = dump_like(5000, 7);
    for (int zstd = 0; zstd < 2; zstd++) {
        struct sr_buf packed, got;
        compress_to(
            dump, 5000, 0,
            (struct sr_compress_options){.kind = zstd ? SR_COMPRESS_ZSTD : SR_COMPRESS_GZIP},
            &packed);
        size_t len = packed.len;
        for (size_t i = 0; i < sizeof garbage / sizeof *garbage; i++) {
            (void)sr_buf_adds(&packed, garbage[i]);
            for (size_t chunk = 1; chunk <= 4096; chunk *= 64) {
                CU_ASSERT_EQUAL(decompress(packed.data, packed.len, chunk, &got), SR_E_CORRUPT);
                sr_buf_done(&got);
            }
            packed.len = len;
        }
        (void)sr_buf_addc(&packed, '\0');
        CU_ASSERT_EQUAL(decompress(packed.data, packed.len, 0, &got), SR_E_CORRUPT);
        sr_buf_done(&got);
        sr_buf_done(&packed);
    }
    free(dump);
}

/* gzip with name, comment, extra field and header checksum, as other tools write it. */
static void header_fields_are_read(void)
{
    z_stream z = {0};
    gz_header h = {.text = 1,
                   .time = 12345,
                   .os = 3,
                   .extra = (Bytef *)(uintptr_t) "xy\2\0ab",
                   .extra_len = 6,
                   .name = (Bytef *)(uintptr_t) "dump.sql",
                   .comment = (Bytef *)(uintptr_t) "a comment",
                   .hcrc = 1};
    unsigned char packed[4096], *dump = dump_like(3000, 8);
    CU_ASSERT_EQUAL(deflateInit2(&z, 6, Z_DEFLATED, 31, 8, 0), Z_OK);
    CU_ASSERT_EQUAL(deflateSetHeader(&z, &h), Z_OK);
    z.next_in = dump;
    z.avail_in = 3000;
    z.next_out = packed;
    z.avail_out = sizeof packed;
    CU_ASSERT_EQUAL(deflate(&z, Z_FINISH), Z_STREAM_END);
    size_t len = sizeof packed - z.avail_out;
    (void)deflateEnd(&z);
    for (int which = 0; which < 2; which++) {
        for (size_t in = 1; in < len; in = in * 2 + 1) {
            struct sr_buf got;
            sr_buf_init(&got, BLOB_MAX);
            CU_ASSERT_EQUAL(drive(gunzip_number(which), packed, len, in, 100, &got), SR_OK);
            CU_ASSERT(same(&got, dump, 3000));
            sr_buf_done(&got);
        }
    }
    free(dump);
}

static void what_is_not_compressed_passes(void)
{
    static const char *const texts[] = {
        "", "\x1f", "(\xb5/", "-- PostgreSQL database dump", "PGDMP", "P*M\x17", "\x8b\x1f"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        for (size_t chunk = 1; chunk < 10; chunk += 2) {
            struct sr_error err = SR_ERROR_INIT;
            struct sr_pipeline_options po = {.chunk_size = chunk, .outlets = 1};
            struct sr_pipeline *p = NULL;
            struct memory_input in;
            memory_input_init(&in, texts[i], strlen(texts[i]));
            ASSERT_OK(sr_pipeline_new(&po, &p, &err), err);
            struct sr_step *d = sr_step_decompress_new();
            struct sr_step *sha = sr_step_count_new(SR_PHASE_BACK_RAW);
            ASSERT_OK(sr_pipeline_add(p, d, &err), err);
            ASSERT_OK(sr_pipeline_add(p, sha, &err), err);
            ASSERT_OK(sr_pipeline_start(p, &in.input, &err), err);
            struct collector c = {0};
            collector_start(&c, p, 0);
            collector_join(&c);
            ASSERT_OK(sr_pipeline_finish(p, &err), err);
            CU_ASSERT(same(&c.got, texts[i], strlen(texts[i])));
            CU_ASSERT_EQUAL(sr_step_decompress_kind(d), SR_COMPRESS_NONE);
            CU_ASSERT_EQUAL(sr_step_count_result(sha), strlen(texts[i]));
            sr_buf_done(&c.got);
            sr_pipeline_free(p);
        }
    }
}

/* A frame whose window is larger than our memory is refused, not tried. */
static void huge_window_is_refused(void)
{
    /* magic; no checksum, no size, window descriptor: 2^(10+20) */
    static const unsigned char bomb[] = {0x28, 0xb5, 0x2f, 0xfd, 0x00, 20 << 3, 1, 0, 0};
    struct sr_buf got;
    CU_ASSERT_EQUAL(decompress(bomb, sizeof bomb, 0, &got), SR_E_CORRUPT);
    sr_buf_done(&got);
}

static void settings_are_checked(void)
{
    struct sr_error err = SR_ERROR_INIT;
    struct sr_compress_options o = {.kind = SR_COMPRESS_GZIP, .level = 9, .threads = 64};
    ASSERT_OK(sr_compress_check(&o, &err), err);
    o.level = 10;
    CU_ASSERT_EQUAL(sr_compress_check(&o, &err), SR_E_CONFIG);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "1 to 9"));
    o.level = -1;
    CU_ASSERT_EQUAL(sr_compress_check(&o, &err), SR_E_CONFIG);
    o.kind = SR_COMPRESS_ZSTD;
    o.level = 19;
    ASSERT_OK(sr_compress_check(&o, &err), err);
    o.level = 20;
    CU_ASSERT_EQUAL(sr_compress_check(&o, &err), SR_E_CONFIG);
    o.level = 0;
    o.threads = 65;
    CU_ASSERT_EQUAL(sr_compress_check(&o, &err), SR_E_CONFIG);
    o = (struct sr_compress_options){.kind = (enum sr_compression)9};
    CU_ASSERT_EQUAL(sr_compress_check(&o, &err), SR_E_CONFIG);
    o = (struct sr_compress_options){.kind = SR_COMPRESS_NONE, .level = 5};
    ASSERT_OK(sr_compress_check(&o, &err), err);
    CU_ASSERT(strlen(sr_compress_backend(SR_COMPRESS_GZIP)) > 4);
    CU_ASSERT_PTR_NOT_NULL(strstr(sr_compress_backend(SR_COMPRESS_ZSTD), "zstd "));
    CU_ASSERT_STRING_EQUAL(sr_compress_backend(SR_COMPRESS_NONE), "none");
}

int main(void)
{
    static const struct unit_test tests[] = {
        {"every level roundtrips", every_level_roundtrips},
        {"lengths at borders", lengths_at_borders},
        {"empty input gives an empty file", empty_input_gives_an_empty_file},
        {"splits at every byte", splits_at_every_byte},
        {"members follow each other", members_follow_each_other},
        {"damage is told", damage_is_told},
        {"trailing garbage is told", trailing_garbage_is_told},
        {"header fields are read", header_fields_are_read},
        {"what is not compressed passes", what_is_not_compressed_passes},
        {"huge window is refused", huge_window_is_refused},
        {"settings are checked", settings_are_checked},
        {NULL, NULL}};
    return unit_main("compress", tests);
}
