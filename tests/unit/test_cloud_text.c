/* plugins/common: buffers, secrets, text forms, checksums, times, headers, requests, redaction. */
#include "common/buf.h"
#include "common/digest.h"
#include "common/encode.h"
#include "common/redact.h"
#include "common/request.h"
#include "common/secret.h"
#include "common/timefmt.h"
#include "tests/unit/cloud_host.h"
#include "tests/unit/unit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void buffer_never_cuts(void)
{
    struct sc_error err = SC_ERROR_INIT;
    struct sc_buf b = SC_BUF_INIT(5);
    CU_ASSERT_STRING_EQUAL(sc_buf_str(&b), "");
    CU_ASSERT_EQUAL(sc_buf_adds(&b, "abc"), SR_STORAGE_OK);
    CU_ASSERT_EQUAL(sc_buf_adds(&b, "def"), SR_STORAGE_E_CORRUPT);
    CU_ASSERT_STRING_EQUAL(sc_buf_str(&b), "abc");
    CU_ASSERT_EQUAL(sc_buf_addc(&b, 'd'),
                    SR_STORAGE_E_CORRUPT); /* would fit, but what is missing
                                              before it would not be noticed */
    CU_ASSERT_EQUAL(sc_buf_addf(&b, "%d", 1), SR_STORAGE_E_CORRUPT);
    CU_ASSERT_EQUAL(sc_buf_check(&b, &err, "the list"), SR_STORAGE_E_CORRUPT);
    CU_ASSERT_STRING_EQUAL(err.text, "the list: more than 5 bytes");
    CU_ASSERT_PTR_NULL(sc_buf_steal(&b));
    sc_buf_reset(&b);
    CU_ASSERT_EQUAL(sc_buf_addf(&b, "%s-%d", "xy", 42), SR_STORAGE_OK);
    CU_ASSERT_EQUAL(sc_buf_check(&b, &err, "x"), SR_STORAGE_OK);
    char *text = sc_buf_steal(&b);
    CU_ASSERT_STRING_EQUAL(text, "xy-42");
    free(text);
    text = sc_buf_steal(&b);
    CU_ASSERT_STRING_EQUAL(text, "");
    free(text);
    sc_buf_done(&b);
}

static void buffer_grows_to_its_ceiling(void)
{
    struct sc_buf b = SC_BUF_SECRET_INIT(100000);
    for (int i = 0; i < 100000; i++)
        CU_ASSERT_EQUAL_FATAL(sc_buf_addc(&b, (char)('a' + i % 26)), SR_STORAGE_OK);
    CU_ASSERT_EQUAL(b.len, 100000);
    CU_ASSERT(b.cap <= 100001);
    CU_ASSERT_EQUAL(b.data[99999], 'a' + 99999 % 26);
    CU_ASSERT_EQUAL(b.data[100000], '\0');
    CU_ASSERT_EQUAL(sc_buf_addc(&b, 'x'), SR_STORAGE_E_CORRUPT);
    sc_buf_done(&b);
    CU_ASSERT_PTR_NULL(b.data);
}

static void error_messages(void)
{
    struct sc_error err = SC_ERROR_INIT;
    char big[3000];
    memset(big, 'x', sizeof big - 1);
    big[sizeof big - 1] = '\0';
    CU_ASSERT_EQUAL(sc_fail_errno(&err, ENOENT, "cannot open %s", "f"), SR_STORAGE_E_NOT_FOUND);
    CU_ASSERT_STRING_EQUAL(err.text, "cannot open f: No such file or directory");
    CU_ASSERT_EQUAL(sc_error_wrap(&err, "reading"), SR_STORAGE_E_NOT_FOUND);
    CU_ASSERT_EQUAL(sc_error_append(&err, "; set X"), SR_STORAGE_E_NOT_FOUND);
    CU_ASSERT_STRING_EQUAL(err.text, "reading: cannot open f: No such file or directory; set X");
    CU_ASSERT_EQUAL(sc_fail(&err, SR_STORAGE_E_DENIED, "a\r\nb\033[1m"), SR_STORAGE_E_DENIED);
    CU_ASSERT_STRING_EQUAL(err.text, "a  b [1m");
    big[SC_ERROR_TEXT_MAX - 2] = '\xc3'; /* the first byte of two is the last that fits */
    big[SC_ERROR_TEXT_MAX - 1] = '\xa4';
    CU_ASSERT_EQUAL(sc_fail(&err, SR_STORAGE_E_DENIED, "%s", big), SR_STORAGE_E_DENIED);
    CU_ASSERT_EQUAL(strlen(err.text), SC_ERROR_TEXT_MAX - 2);
    CU_ASSERT_EQUAL(sc_fail(NULL, SR_STORAGE_E_DENIED, "nobody listens"), SR_STORAGE_E_DENIED);
    CU_ASSERT_STRING_EQUAL(sc_code_name(SR_STORAGE_E_IN_DOUBT), "in-doubt");
    CU_ASSERT_STRING_EQUAL(sc_code_name(77777), "internal");
}

/* What the host said of a setting that cannot be read is better than what a plugin knows. */
static void unreadable_settings(void)
{
    struct sc_error err = SC_ERROR_INIT;
    struct sc_secret s = SC_SECRET_INIT;
    struct test_host h;
    test_host_init(&h);
    h.unreadable = "key";
    CU_ASSERT_EQUAL(sc_secret_setting(&s, &h.host, "key", &err), SR_STORAGE_E_CONFIG);
    CU_ASSERT_EQUAL(sc_error_wrap(&err, "store s3"), SR_STORAGE_E_CONFIG);
    CU_ASSERT_STRING_EQUAL(err.text, "store s3: the setting key cannot be read");
    CU_ASSERT_EQUAL(sc_error_report(&h.host, &err), SR_STORAGE_E_CONFIG);
    CU_ASSERT_STRING_EQUAL(h.text, "store s3: BACKUP_S3_..._FILE names no file");
    /* What comes after it is an error of its own. */
    (void)sc_fail(&err, SR_STORAGE_E_IN_DOUBT, "the answer was lost");
    CU_ASSERT_EQUAL(sc_error_report(&h.host, &err), SR_STORAGE_E_IN_DOUBT);
    CU_ASSERT_STRING_EQUAL(h.text, "the answer was lost");
    test_host_done(&h);
}

static void secrets(void)
{
    struct sc_error err = SC_ERROR_INIT;
    struct sc_secret a = SC_SECRET_INIT, b = SC_SECRET_INIT;
    CU_ASSERT_STRING_EQUAL(sc_secret_bytes(&a), "");
    CU_ASSERT(sc_secret_equal(&a, &b));
    CU_ASSERT_EQUAL(sc_secret_set(&a, "swordfish", 9, &err), SR_STORAGE_OK);
    CU_ASSERT_FALSE(sc_secret_equal(&a, &b));
    CU_ASSERT_EQUAL(sc_secret_copy(&b, &a, &err), SR_STORAGE_OK);
    CU_ASSERT(sc_secret_equal(&a, &b));
    CU_ASSERT_EQUAL(sc_secret_set(&b, "swordfisH", 9, &err), SR_STORAGE_OK);
    CU_ASSERT_FALSE(sc_secret_equal(&a, &b));
    CU_ASSERT_EQUAL(sc_secret_set(&b, "x", SC_SECRET_MAX + 1, &err), SR_STORAGE_E_CONFIG);
    CU_ASSERT_STRING_EQUAL(sc_secret_bytes(&b), "swordfisH");
    sc_secret_done(&a);
    sc_secret_done(&b);
    sc_secret_done(&b);
    CU_ASSERT_EQUAL(b.len, 0);
}

static void secret_settings(void)
{
    struct sc_error err = SC_ERROR_INIT;
    struct sc_secret s = SC_SECRET_INIT;
    struct test_host h;
    char longer[5001];
    memset(longer, 'k', 5000);
    longer[5000] = '\0';
    test_host_init(&h);
    h.settings = (const char *[]){"key", "abc", "broken", "abc\nX-Evil: 1", "long", longer, NULL};
    CU_ASSERT_EQUAL(sc_secret_setting(&s, &h.host, "key", &err), SR_STORAGE_OK);
    CU_ASSERT_STRING_EQUAL(sc_secret_bytes(&s), "abc");
    CU_ASSERT_EQUAL(sc_secret_setting(&s, &h.host, "long", &err), SR_STORAGE_OK);
    CU_ASSERT_EQUAL(s.len, 5000);
    CU_ASSERT_EQUAL(sc_secret_setting(&s, &h.host, "none", &err), SR_STORAGE_E_NOT_FOUND);
    CU_ASSERT_EQUAL(sc_secret_setting(&s, &h.host, "broken", &err), SR_STORAGE_E_CONFIG);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "setting broken holds a control character"));
    CU_ASSERT_PTR_NULL(strstr(err.text, "abc"));
    sc_secret_done(&s);
    test_host_done(&h);
}

static void percent(void)
{
    struct sc_buf b = SC_BUF_INIT(4096);
    sc_percent_encode_str(&b, "a b+c~*'()/d\xc3\xa4?&=%", 1);
    CU_ASSERT_STRING_EQUAL(sc_buf_str(&b), "a%20b%2Bc~%2A%27%28%29/d%C3%A4%3F%26%3D%25");
    sc_buf_reset(&b);
    sc_percent_encode_str(&b, "x/y", 0);
    CU_ASSERT_STRING_EQUAL(sc_buf_str(&b), "x%2Fy");
    sc_buf_reset(&b);
    CU_ASSERT_EQUAL(sc_percent_decode(&b, "a%20b+c%c3%A4", 13, 0), SR_STORAGE_OK);
    CU_ASSERT_STRING_EQUAL(sc_buf_str(&b), "a b+c\xc3\xa4");
    sc_buf_reset(&b);
    CU_ASSERT_EQUAL(sc_percent_decode(&b, "a+b%2B", 6, 1), SR_STORAGE_OK);
    CU_ASSERT_STRING_EQUAL(sc_buf_str(&b), "a b+");
    static const char *const bad[] = {"%", "%4", "%4g", "ok%00", "x%%41", "%-1"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        sc_buf_reset(&b);
        CU_ASSERT_EQUAL(sc_percent_decode(&b, bad[i], strlen(bad[i]), 0), SR_STORAGE_E_CORRUPT);
        CU_ASSERT_EQUAL(b.len, 0);
    }
    sc_buf_reset(&b);
    sc_query_add(&b, "uploads", NULL);
    sc_query_add(&b, "prefix", "a/b c");
    sc_query_add(&b, "empty", "");
    CU_ASSERT_STRING_EQUAL(sc_buf_str(&b), "uploads&prefix=a%2Fb%20c&empty=");
    sc_buf_done(&b);
}

/* RFC 4648, section 10. */
static void base64_and_hex(void)
{
    static const struct {
        const char *plain, *coded, *url;
    } rows[] = {
        {"", "", ""},
        {"f", "Zg==", "Zg"},
        {"fo", "Zm8=", "Zm8"},
        {"foo", "Zm9v", "Zm9v"},
        {"foob", "Zm9vYg==", "Zm9vYg"},
        {"fooba", "Zm9vYmE=", "Zm9vYmE"},
        {"foobar", "Zm9vYmFy", "Zm9vYmFy"},
        {"\xfb\xff\xfe", "+//+", "-__-"},
    };
    struct sc_buf b = SC_BUF_INIT(4096);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        sc_buf_reset(&b);
        sc_base64_encode(&b, rows[i].plain, strlen(rows[i].plain));
        CU_ASSERT_STRING_EQUAL(sc_buf_str(&b), rows[i].coded);
        sc_buf_reset(&b);
        sc_base64url_encode(&b, rows[i].plain, strlen(rows[i].plain));
        CU_ASSERT_STRING_EQUAL(sc_buf_str(&b), rows[i].url);
        sc_buf_reset(&b);
        CU_ASSERT_EQUAL(sc_base64_decode(&b, rows[i].coded, strlen(rows[i].coded)), SR_STORAGE_OK);
        CU_ASSERT_STRING_EQUAL(sc_buf_str(&b), rows[i].plain);
    }
    static const char *const bad[] = {
        "Zg=", "Zg", "Z===", "====", "Zm9v\n", "Zm=v", "Zm9-", "=m9v"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        sc_buf_reset(&b);
        CU_ASSERT_EQUAL(sc_base64_decode(&b, bad[i], strlen(bad[i])), SR_STORAGE_E_CORRUPT);
        CU_ASSERT_EQUAL(b.len, 0);
    }
    sc_buf_done(&b);
    char hex[9];
    uint8_t bytes[4] = {0};
    sc_hex(hex, "\x00\x7f\xab\xff", 4);
    CU_ASSERT_STRING_EQUAL(hex, "007fabff");
    CU_ASSERT_EQUAL(sc_unhex(bytes, 4, "007FabFf", 8), 0);
    CU_ASSERT_EQUAL(memcmp(bytes, "\x00\x7f\xab\xff", 4), 0);
    CU_ASSERT_EQUAL(sc_unhex(bytes, 4, "007FabF", 7), -1);
    CU_ASSERT_EQUAL(sc_unhex(bytes, 4, "007FabFg", 8), -1);
}

static void decimal(void)
{
    uint64_t v = 7;
    CU_ASSERT_EQUAL(sc_parse_u64("18446744073709551615", &v), 0);
    CU_ASSERT_EQUAL(v, UINT64_MAX);
    CU_ASSERT_EQUAL(sc_parse_u64("0", &v), 0);
    CU_ASSERT_EQUAL(v, 0);
    static const char *const bad[] = {"", "18446744073709551616", "-1", "+1", " 1", "1 ", "0x1"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        CU_ASSERT_EQUAL(sc_parse_u64(bad[i], &v), -1);
}

/* The check values of the catalogue of CRCs for "123456789"; RFC 1321, FIPS 180 and RFC 4231. */
static void published_check_values(void)
{
    struct sc_error err = SC_ERROR_INIT;
    uint8_t sum[SC_DIGEST_MAX];
    char hex[65];
    CU_ASSERT_EQUAL(sc_crc32c(0, "123456789", 9), 0xe3069283);
    CU_ASSERT_EQUAL(sc_crc64nvme(0, "123456789", 9), UINT64_C(0xae8b14860a799888));
    CU_ASSERT_EQUAL(sc_crc32c(0, "", 0), 0);
    CU_ASSERT_EQUAL(sc_crc64nvme(0, "", 0), 0);
    uint8_t zeros[32] = {0}; /* RFC 3720, B.4 */
    CU_ASSERT_EQUAL(sc_crc32c(0, zeros, 32), 0x8a9136aa);
    CU_ASSERT_EQUAL(sc_md5("abc", 3, sum, &err), SR_STORAGE_OK);
    sc_hex(hex, sum, SC_MD5_LEN);
    CU_ASSERT_STRING_EQUAL(hex, "900150983cd24fb0d6963f7d28e17f72");
    CU_ASSERT_EQUAL(sc_sha256("abc", 3, sum, &err), SR_STORAGE_OK);
    sc_hex(hex, sum, SC_SHA256_LEN);
    CU_ASSERT_STRING_EQUAL(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    CU_ASSERT_EQUAL(sc_hmac_sha256("Jefe", 4, "what do ya want for nothing?", 28, sum, &err),
                    SR_STORAGE_OK);
    sc_hex(hex, sum, SC_SHA256_LEN);
    CU_ASSERT_STRING_EQUAL(hex, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    struct sc_digest *d = NULL;
    CU_ASSERT_EQUAL_FATAL(sc_digest_new(SR_STORAGE_SUM_SHA1, &d, &err), SR_STORAGE_OK);
    for (int round = 0; round < 2; round++) { /* it begins anew after its end */
        sc_digest_add(d, "a", 1);
        sc_digest_add(d, "bc", 2);
        CU_ASSERT_EQUAL(sc_digest_end(d, sum), SC_SHA1_LEN);
        sc_hex(hex, sum, SC_SHA1_LEN);
        CU_ASSERT_STRING_EQUAL(hex, "a9993e364706816aba3e25717850c26c9cd0d89d");
    }
    sc_digest_free(d);
    CU_ASSERT_EQUAL(sc_digest_new(SR_STORAGE_SUM_CRC32C, &d, &err), SR_STORAGE_E_UNSUPPORTED);
    sc_put_be(sum, 4, 0x01020304);
    CU_ASSERT_EQUAL(memcmp(sum, "\1\2\3\4", 4), 0);
    CU_ASSERT(sc_equal("abc", "abc", 3));
    CU_ASSERT_FALSE(sc_equal("abc", "abd", 3));
}

/* Bit by bit, as the definition has it. */
static uint64_t crc_slow(uint64_t poly, uint64_t ones, const uint8_t *p, size_t len)
{
    uint64_t crc = ones;
    for (size_t i = 0; i < len; i++) {
        crc ^= p[i];
        for (int k = 0; k < 8; k++)
            crc = crc & 1 ? crc >> 1 ^ poly : crc >> 1;
    }
    return crc ^ ones;
}

static void crcs_agree_with_the_definition(void)
{
    uint8_t data[300];
    uint32_t seed = 1;
    for (size_t i = 0; i < sizeof data; i++) {
        seed = seed * 1103515245 + 12345;
        data[i] = (uint8_t)(seed >> 16);
    }
    for (size_t at = 0; at < 9; at++) {
        for (size_t len = 0; len + at < sizeof data; len += 7) {
            const uint8_t *p = data + at;
            size_t half = len / 3;
            uint64_t want = crc_slow(UINT64_C(0x9a6c9329ac4bc9b5), UINT64_MAX, p, len);
            uint64_t want32 = crc_slow(0x82f63b78, UINT32_MAX, p, len);
            CU_ASSERT_EQUAL(sc_crc64nvme(0, p, len), want);
            CU_ASSERT_EQUAL(sc_crc32c(0, p, len), want32);
            uint64_t a = sc_crc64nvme(0, p, half), b = sc_crc64nvme(0, p + half, len - half);
            CU_ASSERT_EQUAL(sc_crc64nvme(a, p + half, len - half), want);
            CU_ASSERT_EQUAL(sc_crc64nvme_combine(a, b, len - half), want);
            uint32_t c = sc_crc32c(0, p, half), e = sc_crc32c(0, p + half, len - half);
            CU_ASSERT_EQUAL(sc_crc32c(c, p + half, len - half), want32);
            CU_ASSERT_EQUAL(sc_crc32c_combine(c, e, len - half), want32);
        }
    }
}

static void times(void)
{
    static const struct {
        int64_t t;
        const char *http, *iso, *basic;
    } rows[] = {
        {0, "Thu, 01 Jan 1970 00:00:00 GMT", "1970-01-01T00:00:00Z", "19700101T000000Z"},
        {784111777, "Sun, 06 Nov 1994 08:49:37 GMT", "1994-11-06T08:49:37Z", "19941106T084937Z"},
        {951782399, "Mon, 28 Feb 2000 23:59:59 GMT", "2000-02-28T23:59:59Z", "20000228T235959Z"},
        {951782400, "Tue, 29 Feb 2000 00:00:00 GMT", "2000-02-29T00:00:00Z", "20000229T000000Z"},
        {1735689599, "Tue, 31 Dec 2024 23:59:59 GMT", "2024-12-31T23:59:59Z", "20241231T235959Z"},
        {4107542400, "Mon, 01 Mar 2100 00:00:00 GMT", "2100-03-01T00:00:00Z", "21000301T000000Z"},
        {253402300799, "Fri, 31 Dec 9999 23:59:59 GMT", "9999-12-31T23:59:59Z", "99991231T235959Z"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char http[SC_TIME_HTTP_SIZE], iso[SC_TIME_ISO_SIZE], basic[SC_TIME_BASIC_SIZE];
        int64_t t = -1;
        sc_time_http(rows[i].t, http);
        sc_time_iso(rows[i].t, iso);
        sc_time_basic(rows[i].t, basic);
        CU_ASSERT_STRING_EQUAL(http, rows[i].http);
        CU_ASSERT_STRING_EQUAL(iso, rows[i].iso);
        CU_ASSERT_STRING_EQUAL(basic, rows[i].basic);
        CU_ASSERT_EQUAL(sc_time_http_parse(http, &t), 0);
        CU_ASSERT_EQUAL(t, rows[i].t);
        CU_ASSERT_EQUAL(sc_time_iso_parse(iso, &t), 0);
        CU_ASSERT_EQUAL(t, rows[i].t);
    }
    static const struct {
        const char *text;
        int64_t t;
    } http[] =
        {
            {"Sunday, 06-Nov-94 08:49:37 GMT", 784111777},
            {"Sun Nov  6 08:49:37 1994", 784111777},
            {"Sun Nov 16 08:49:37 1994", 784975777},
            {"Monday, 01-Jan-24 00:00:00 GMT", 1704067200},
            {"Sun, 06 Nov 1994 08:49:37 CET", -1},
            {"Sun, 31 Feb 1994 08:49:37 GMT", -1},
            {"Sun, 06 Nov 1994 24:00:00 GMT", -1},
            {"Sun, 06 Nov 1994 08:49:60 GMT", -1},
            {"Sun, 06 Nov 1969 08:49:37 GMT", -1},
            {"Sun, 06 Nov 1994 08:49:37 GMT ", -1},
            {"Son, 06 Nov 1994 08:49:37 GMT", -1},
            {"", -1},
            {"120", -1},
            {"Sun", -1},
            {"Sun ", -1},
        },
      iso[] = {
          {"1994-11-06T08:49:37.123456Z", 784111777},
          {"1994-11-06T09:49:37+01:00", 784111777},
          {"1994-11-06T03:19:37.5-05:30", 784111777},
          {"1994-11-06T08:49:37", -1},
          {"1994-11-06", -1},
          {"1994-02-29T00:00:00Z", -1},
          {"1994-11-06T08:49:37.Z", -1},
          {"1994-11-06T08:49:37+25:00", -1},
          {"1994-11-06T08:49:37Zx", -1},
          {"", -1},
      };
    for (size_t i = 0; i < sizeof http / sizeof *http; i++) {
        int64_t t = -1;
        CU_ASSERT_EQUAL(sc_time_http_parse(http[i].text, &t), http[i].t < 0 ? -1 : 0);
        CU_ASSERT_EQUAL(t, http[i].t);
    }
    for (size_t i = 0; i < sizeof iso / sizeof *iso; i++) {
        int64_t t = -1;
        CU_ASSERT_EQUAL(sc_time_iso_parse(iso[i].text, &t), iso[i].t < 0 ? -1 : 0);
        CU_ASSERT_EQUAL(t, iso[i].t);
    }
}

static void headers(void)
{
    struct sc_error err = SC_ERROR_INIT;
    struct sc_headers h = SC_HEADERS_INIT;
    size_t pos = 0;
    CU_ASSERT_EQUAL(sc_headers_add(&h, "X-A", "  one\t ", &err), SR_STORAGE_OK);
    CU_ASSERT_EQUAL(sc_headers_addf(&h, &err, "x-b", "%d", 2), SR_STORAGE_OK);
    CU_ASSERT_EQUAL(sc_headers_add(&h, "x-a", "three", &err), SR_STORAGE_OK);
    CU_ASSERT_STRING_EQUAL(sc_headers_get(&h, "x-A"), "one");
    CU_ASSERT_STRING_EQUAL(sc_headers_next(&h, "X-a", &pos), "one");
    CU_ASSERT_STRING_EQUAL(sc_headers_next(&h, "X-a", &pos), "three");
    CU_ASSERT_PTR_NULL(sc_headers_next(&h, "X-a", &pos));
    CU_ASSERT_EQUAL(sc_headers_set(&h, "x-a", "", &err), SR_STORAGE_OK);
    CU_ASSERT_EQUAL(h.len, 2);
    CU_ASSERT_EQUAL(h.bytes, 3 + 1 + 3);
    CU_ASSERT_STRING_EQUAL(sc_headers_get(&h, "X-A"), "");
    static const char *const values[] = {"a\r\nX-Evil: 1", "a\nb", "a\rb", "\x01", "a\x7f"};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        CU_ASSERT_EQUAL(sc_headers_add(&h, "x-token", values[i], &err), SR_STORAGE_E_CONFIG);
        CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "x-token"));
        CU_ASSERT_PTR_NULL(strstr(err.text, "Evil"));
    }
    static const char *const names[] = {"", "a b", "a:", "a\n", "\xc3\xa4", "a(b)"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        CU_ASSERT_EQUAL(sc_headers_add(&h, names[i], "v", &err), SR_STORAGE_E_CONFIG);
    CU_ASSERT_EQUAL(h.len, 2);
    for (size_t i = 2; i < SC_HEADERS_MAX; i++)
        CU_ASSERT_EQUAL(sc_headers_add(&h, "n", "v", &err), SR_STORAGE_OK);
    CU_ASSERT_EQUAL(sc_headers_add(&h, "n", "v", &err), SR_STORAGE_E_CORRUPT);
    sc_headers_done(&h);
    char *big = malloc(SC_HEADERS_BYTES);
    memset(big, 'v', SC_HEADERS_BYTES - 1);
    big[SC_HEADERS_BYTES - 1] = '\0';
    CU_ASSERT_EQUAL(sc_headers_add(&h, "n", big, &err), SR_STORAGE_OK);
    CU_ASSERT_EQUAL(sc_headers_add(&h, "n", "", &err), SR_STORAGE_E_CORRUPT);
    free(big);
    sc_headers_done(&h);
}

static void requests(void)
{
    struct sc_error err = SC_ERROR_INIT;
    struct sc_request r = SC_REQUEST_INIT;
    struct sc_buf text = SC_BUF_INIT(4096);
    char host[SC_HOST_HEADER_MAX];
    static const struct {
        const char *url, *host, *path, *query; /* host: as in the header; NULL: refused */
    } rows[] = {
        {"https://a.example", "a.example", "/", ""},
        {"HTTPS://a.example:443/x?y=1", "a.example", "/x", "y=1"},
        {"http://a.example:443", "a.example:443", "/", ""},
        {"http://[::1]:9000/b/../c//d", "[::1]:9000", "/b/../c//d", ""},
        {"https://a.example?x", "a.example", "/", "x"},
        {"https://user:pw@a.example/", NULL, "", ""},
        {"ftp://a.example/", NULL, "", ""},
        {"a.example", NULL, "", ""},
        {"https://", NULL, "", ""},
        {"https:///x", NULL, "", ""},
        {"https://a b/", NULL, "", ""},
        {"https://a.example:0/", NULL, "", ""},
        {"https://a.example:65536/", NULL, "", ""},
        {"https://a.example:x/", NULL, "", ""},
        {"https://::1/", NULL, "", ""},
        {"https://[a.example]/", NULL, "", ""},
        {"https://[::1/", NULL, "", ""},
        {"https://[::1]x/", NULL, "", ""},
        {"https://a.example/x#y", NULL, "", ""},
        {"https://a.example/x y", NULL, "", ""},
        {"https://a.example/x\r\nHost: b", NULL, "", ""},
        {"https://a.example/\xc3\xa4", NULL, "", ""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int32_t rc = sc_request_url(&r, "GET", rows[i].url, &err);
        CU_ASSERT_EQUAL(rc, rows[i].host ? SR_STORAGE_OK : SR_STORAGE_E_CONFIG);
        if (rc != SR_STORAGE_OK || !rows[i].host) {
            CU_ASSERT_PTR_NULL(strstr(err.text, "pw"));
            continue;
        }
        sc_request_host_header(&r, host);
        CU_ASSERT_STRING_EQUAL(host, rows[i].host);
        CU_ASSERT_STRING_EQUAL(sc_buf_str(&r.path), rows[i].path);
        CU_ASSERT_STRING_EQUAL(sc_buf_str(&r.query), rows[i].query);
    }
    CU_ASSERT_EQUAL(sc_request_target(&r, "get", "https", "a", 0, &err), SR_STORAGE_E_CONFIG);
    CU_ASSERT_EQUAL(sc_request_target(&r, "GET", "https", "", 0, &err), SR_STORAGE_E_CONFIG);
    CU_ASSERT_EQUAL(sc_request_target(&r, "PUT", "http", "s3.example", 0, &err), SR_STORAGE_OK);
    sc_buf_reset(&r.path);
    sc_buf_reset(&r.query);
    sc_buf_adds(&r.path, "/k");
    sc_query_add(&r.query, "X-Amz-Signature", "abcdef");
    sc_query_add(&r.query, "partNumber", "7");
    CU_ASSERT_EQUAL(sc_request_check(&r, &err), SR_STORAGE_OK);
    sc_request_url_text(&r, &text, 1);
    CU_ASSERT_STRING_EQUAL(sc_buf_str(&text),
                           "http://s3.example/k?X-Amz-Signature=***&partNumber=7");
    r.flags = SC_REQUEST_TLS_ONLY;
    CU_ASSERT_EQUAL(sc_request_check(&r, &err), SR_STORAGE_E_CONFIG);
    CU_ASSERT_EQUAL(sc_request_target(&r, "PUT", "http", "127.0.0.1", 0, &err), SR_STORAGE_OK);
    CU_ASSERT_EQUAL(sc_request_check(&r, &err), SR_STORAGE_OK);
    CU_ASSERT_EQUAL(sc_headers_add(&r.headers, "host", "evil.example", &err), SR_STORAGE_OK);
    CU_ASSERT_EQUAL(sc_request_check(&r, &err), SR_STORAGE_E_INTERNAL);
    static const char *const loopback[] = {"localhost", "b.LOCALHOST", "127.0.0.1", "127.9.9.9",
                                           "::1"};
    static const char *const elsewhere[] = {"localhost.example", "127.0.0.1.example", "10.0.0.1",
                                            "fd00:ec2::23", "xlocalhost"};
    for (size_t i = 0; i < 5; i++) {
        CU_ASSERT(sc_host_is_loopback(loopback[i]));
        CU_ASSERT_FALSE(sc_host_is_loopback(elsewhere[i]));
    }
    sc_buf_done(&text);
    sc_request_done(&r);
}

static void redaction(void)
{
    static const struct {
        const char *name, *value, *shown;
    } rows[] =
        {
            {"Authorization", "AWS4-HMAC-SHA256 Credential=AK", "***"},
            {"PROXY-AUTHORIZATION", "Basic x", "***"},
            {"x-amz-security-token", "t", "***"},
            {"X-Amz-Server-Side-Encryption-Customer-Key", "k", "***"},
            {"x-amz-server-side-encryption-customer-key-MD5", "k", "***"},
            {"x-amz-server-side-encryption-customer-algorithm", "AES256", "AES256"},
            {"x-aws-ec2-metadata-token", "t", "***"},
            {"x-aws-ec2-metadata-token-ttl-seconds", "300", "300"},
            {"x-ms-encryption-key", "k", "***"},
            {"x-future-access-token", "t", "***"},
            {"Cookie", "c", "***"},
            {"content-md5", "abc=", "abc="},
            {"Location", "https://x/y?upload_id=secret&name=a", "https://x/y?upload_id=***&name=a"},
            {"x-ms-copy-source", "https://x/y?sv=1&sig=s%2B", "https://x/y?sv=1&sig=***"},
        },
      urls[] = {
          {"", "https://h/p?X-Amz-Credential=AK%2F1&X-Amz-Date=2",
           "https://h/p?X-Amz-Credential=***&X-Amz-Date=2"},
          {"", "https://h/p?x-amz-security-token=T", "https://h/p?x-amz-security-token=***"},
          {"", "https://h/p?WebIdentityToken=T&Action=A",
           "https://h/p?WebIdentityToken=***&Action=A"},
          {"", "https://h/p?a=1;assertion=J;b", "https://h/p?a=1;assertion=***;b"},
          {"", "https://h/p?%73ig=S&x", "https://h/p?%73ig=***&x"},
          {"", "https://h/p?%zz=S", "https://h/p?%zz=***"},
          {"", "https://h/p?sig", "https://h/p?sig"},
          {"", "https://h/p?key=K&start=k", "https://h/p?key=***&start=k"},
          {"", "https://h/p?continuation-token=1&list-type=2",
           "https://h/p?continuation-token=1&list-type=2"},
          {"", "http://u:p@proxy:3128/", "http://***@proxy:3128/"},
          {"", "http://u:p@x@proxy:3128?a", "http://***@proxy:3128?a"},
          {"", "https://h/p#access_token=1", "https://h/p#***"},
          {"", "https://h/a@b?c=d@e", "https://h/a@b?c=d@e"},
      };
    struct sc_buf b = SC_BUF_INIT(4096);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        sc_buf_reset(&b);
        sc_redact_header(&b, rows[i].name, rows[i].value);
        CU_ASSERT_STRING_EQUAL(sc_buf_str(&b), rows[i].shown);
    }
    for (size_t i = 0; i < sizeof urls / sizeof *urls; i++) {
        sc_buf_reset(&b);
        sc_redact_url(&b, urls[i].value);
        CU_ASSERT_STRING_EQUAL(sc_buf_str(&b), urls[i].shown);
    }
    sc_buf_done(&b);
}

static const struct unit_test tests[] = {
    {"a buffer never cuts", buffer_never_cuts},
    {"a buffer grows to its ceiling", buffer_grows_to_its_ceiling},
    {"error messages", error_messages},
    {"secrets", secrets},
    {"secrets from settings", secret_settings},
    {"settings that cannot be read", unreadable_settings},
    {"percent-encoding", percent},
    {"base64 and hex", base64_and_hex},
    {"decimal numbers", decimal},
    {"published check values", published_check_values},
    {"CRCs agree with their definition, in pieces and combined", crcs_agree_with_the_definition},
    {"times", times},
    {"headers", headers},
    {"requests and URLs", requests},
    {"redaction", redaction},
    {0},
};

int main(void)
{
    return unit_main("cloud: text", tests);
}
