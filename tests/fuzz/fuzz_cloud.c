/* What a store, or whoever stands in for it, may answer: XML; header values, times, URLs and
 * percent-encoded keys. The first byte chooses. */
#include "common/encode.h"
#include "common/redact.h"
#include "common/request.h"
#include "common/retry.h"
#include "common/timefmt.h"
#include "common/xml.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int holds)
{
    if (!holds)
        abort();
}

static size_t count_nodes(const struct sc_xml_node *n, unsigned depth)
{
    size_t total = 0;
    check(depth <= SC_XML_DEPTH);
    for (; n; n = n->sibling)
        total += (strlen(n->name) > 0) + count_nodes(n->first, depth + 1);
    return total;
}

static void read_xml(const uint8_t *data, size_t size)
{
    struct sc_xml *x = NULL;
    struct sc_error err = SC_ERROR_INIT;
    if (sc_xml_parse(data, size, &x, &err) != SR_STORAGE_OK) {
        check(err.code != SR_STORAGE_OK && err.text[0] != '\0' && !x);
        return;
    }
    check(count_nodes(sc_xml_root(x), 1) <= SC_XML_NODES);
    (void)sc_xml_text(sc_xml_root(x), "Contents/Key");
    sc_xml_free(x);
}

static void read_header(const char *text)
{
    struct sc_headers h = SC_HEADERS_INIT;
    int64_t t = 0;
    if (sc_headers_add(&h, "Retry-After", text, NULL) == SR_STORAGE_OK) {
        check(!strpbrk(sc_headers_get(&h, "retry-after"), "\r\n"));
        check(sc_retry_after(&h, 1700000000) >= -1);
    }
    sc_headers_done(&h);
    if (sc_time_http_parse(text, &t) == 0) { /* what was read can be written and read again */
        char again[SC_TIME_HTTP_SIZE];
        int64_t u = -1;
        sc_time_http(t, again);
        check(sc_time_http_parse(again, &u) == 0 && u == t);
    }
    (void)sc_time_iso_parse(text, &t);
}

static void read_url(const char *text)
{
    struct sc_request r = SC_REQUEST_INIT;
    struct sc_buf shown = SC_BUF_INIT(1 << 20);
    sc_redact_url(&shown, text);
    if (sc_request_url(&r, "GET", text, NULL) == SR_STORAGE_OK) {
        char host[SC_HOST_HEADER_MAX];
        sc_request_host_header(&r, host);
        check(!strpbrk(host, " \r\n/@?#") && r.path.data[0] == '/');
        sc_buf_reset(&shown);
        sc_request_url_text(&r, &shown, 0);
        check(!strpbrk(sc_buf_str(&shown), " \r\n#"));
    }
    sc_buf_done(&shown);
    sc_request_done(&r);
}

static void read_encoded(const char *text, size_t size)
{
    struct sc_buf plain = SC_BUF_INIT(1 << 20), coded = SC_BUF_INIT(4 << 20);
    if (sc_percent_decode(&plain, text, size, 0) == SR_STORAGE_OK) {
        struct sc_buf again = SC_BUF_INIT(1 << 20);
        sc_percent_encode(&coded, sc_buf_str(&plain), plain.len, 0);
        check(sc_percent_decode(&again, sc_buf_str(&coded), coded.len, 0) == SR_STORAGE_OK);
        check(again.len == plain.len &&
              memcmp(sc_buf_str(&again), sc_buf_str(&plain), plain.len) == 0);
        sc_buf_done(&again);
    }
    sc_buf_reset(&plain);
    sc_buf_reset(&coded);
    if (sc_base64_decode(&plain, text, size) == SR_STORAGE_OK) {
        sc_base64_encode(&coded, sc_buf_str(&plain), plain.len);
        check(coded.len == size);
    }
    sc_buf_done(&plain);
    sc_buf_done(&coded);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    char *text = malloc(size);
    if (!text)
        return 0;
    memcpy(text, data + 1, size - 1);
    text[size - 1] = '\0';
    switch (data[0] % 4) {
    case 0:
        read_xml(data + 1, size - 1);
        break;
    case 1:
        read_header(text);
        break;
    case 2:
        read_url(text);
        break;
    default:
        read_encoded(text, size - 1);
    }
    free(text);
    return 0;
}
