/* plugins/common/xml: answers of stores, and what a hostile one could send instead. */
#include "common/buf.h"
#include "common/xml.h"
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int32_t parse(const char *text, struct sc_xml **ret, struct sc_error *err)
{
    return sc_xml_parse(text, strlen(text), ret, err);
}

static void a_listing_is_read(void)
{
    struct sc_error err = SC_ERROR_INIT;
    struct sc_xml *x = NULL;
    ASSERT_OK(parse("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                    "<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
                    "<Name>b</Name><!-- c --><Contents><Key>a&amp;b&#x20;&#228;</Key>"
                    "<Owner><ID>1</ID></Owner></Contents><?pi x?>"
                    "<Other/><s:Contents xmlns:s='urn:x'><Key><![CDATA[<c>]]></Key>"
                    "<Size>12<!-- -->34</Size></s:Contents></ListBucketResult>\n",
                    &x, &err),
              err);
    const struct sc_xml_node *root = sc_xml_root(x);
    CU_ASSERT_STRING_EQUAL(root->name, "ListBucketResult");
    CU_ASSERT_STRING_EQUAL(sc_xml_text(root, "Name"), "b");
    const struct sc_xml_node *n = sc_xml_child(root, "Contents");
    CU_ASSERT_STRING_EQUAL(sc_xml_text(n, "Key"), "a&b \xc3\xa4");
    CU_ASSERT_STRING_EQUAL(sc_xml_text(n, "Owner/ID"), "1");
    CU_ASSERT_PTR_NULL(sc_xml_text(n, "Owner/DisplayName"));
    CU_ASSERT_PTR_NULL(sc_xml_text(n, "Owner/ID/x"));
    n = sc_xml_next(n, "Contents");
    CU_ASSERT_STRING_EQUAL(sc_xml_text(n, "Key"), "<c>");
    CU_ASSERT_STRING_EQUAL(sc_xml_text(n, "Size"), "1234");
    CU_ASSERT_PTR_NULL(sc_xml_next(n, "Contents"));
    CU_ASSERT_STRING_EQUAL(sc_xml_text(root, "Other"), "");
    CU_ASSERT_PTR_NULL(sc_xml_child(NULL, "x"));
    CU_ASSERT_PTR_NULL(sc_xml_text(NULL, "x"));
    sc_xml_free(x);
}

/* A well-formed answer, cut at every byte: never taken for a shorter one. */
static void cut_at_every_byte(void)
{
    static const char whole[] = "<?xml version=\"1.0\"?><R><A>1</A><B>&lt;2</B></R>";
    struct sc_error err = SC_ERROR_INIT;
    struct sc_xml *x = NULL;
    for (size_t n = 0; n < sizeof whole - 1; n++) {
        CU_ASSERT_EQUAL(sc_xml_parse(whole, n, &x, &err), SR_STORAGE_E_CORRUPT);
        CU_ASSERT(strncmp(err.text, "unusable XML: ", 14) == 0);
        CU_ASSERT_PTR_NULL(x);
    }
    ASSERT_OK(sc_xml_parse(whole, sizeof whole - 1, &x, &err), err);
    sc_xml_free(x);
}

static void hostile_documents(void)
{
    static const struct {
        const char *text, *why;
    } rows[] = {
        {"<!DOCTYPE r [<!ENTITY a \"ha\"><!ENTITY b \"&a;&a;&a;\">]><r>&b;</r>", "document type"},
        {"<!DOCTYPE r SYSTEM \"file:///etc/passwd\"><r/>", "document type"},
        {"<!DOCTYPE r [<!ENTITY x SYSTEM \"file:///etc/hostname\">]><r>&x;</r>", "document type"},
        {"<!DOCTYPE r PUBLIC \"x\" \"http://127.0.0.1:1/x.dtd\"><r/>", "document type"},
        {"<!DOCTYPE r [<!ATTLIST r a CDATA \"v\">]><r/>", "document type"},
        {"<!DOCTYPE r>", "document type"},
        {"<r>&undefined;</r>", "undefined"},
        {"<r>&#0;</r>", ""},
        {"<r>&#xFFFFFFFF;</r>", ""},
        {"<r>\x01</r>", ""},
        {"<r>\xff\xfe</r>", ""},
        {"<r>\xc3</r>", ""},
        {"<?xml version=\"1.0\" encoding=\"no-such\"?><r>a</r>", ""},
        {"<r a=\"1\" a=\"2\"/>", ""},
        {"<r/><r/>", ""},
        {"<r/>junk", ""},
        {"junk<r/>", ""},
        {"<r></s>", ""},
        {"   \n ", ""},
        {"{\"json\": true}", ""},
        {"<html><body><p>Bad gateway</body></html>", ""},
    };
    struct sc_xml *x = NULL;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct sc_error err = SC_ERROR_INIT;
        CU_ASSERT_EQUAL(parse(rows[i].text, &x, &err), SR_STORAGE_E_CORRUPT);
        CU_ASSERT_PTR_NOT_NULL(strstr(err.text, rows[i].why));
        CU_ASSERT_PTR_NULL(x);
    }
}

/* Other encodings that name themselves are turned into UTF-8. */
static void encodings(void)
{
    struct sc_error err = SC_ERROR_INIT;
    struct sc_xml *x = NULL;
    ASSERT_OK(parse("<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><r>\xe4</r>", &x, &err), err);
    CU_ASSERT_STRING_EQUAL(sc_xml_root(x)->text, "\xc3\xa4");
    sc_xml_free(x);
    x = NULL;
    ASSERT_OK(parse("\xef\xbb\xbf<r>\xc3\xa4</r>", &x, &err), err);
    CU_ASSERT_STRING_EQUAL(sc_xml_root(x)->text, "\xc3\xa4");
    sc_xml_free(x);
    x = NULL;
    CU_ASSERT_EQUAL(
        sc_xml_parse("\xff\xfe<\0!\0D\0O\0C\0T\0Y\0P\0E\0 \0r\0>\0<\0r\0/\0>\0", 32, &x, &err),
        SR_STORAGE_E_CORRUPT);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "document type"));
}

static void bounds(void)
{
    struct sc_error err = SC_ERROR_INIT;
    struct sc_buf b = SC_BUF_INIT(SC_XML_BYTES + 64);
    struct sc_xml *x = NULL;
    for (int depth = SC_XML_DEPTH; depth <= SC_XML_DEPTH + 1; depth++) {
        sc_buf_reset(&b);
        for (int i = 0; i < depth; i++)
            sc_buf_adds(&b, "<a>");
        for (int i = 0; i < depth; i++)
            sc_buf_adds(&b, "</a>");
        int32_t rc = sc_xml_parse(b.data, b.len, &x, &err);
        CU_ASSERT_EQUAL(rc, depth == SC_XML_DEPTH ? SR_STORAGE_OK : SR_STORAGE_E_CORRUPT);
        if (rc == SR_STORAGE_OK)
            sc_xml_free(x);
        x = NULL;
    }
    for (int nodes = SC_XML_NODES; nodes <= SC_XML_NODES + 1; nodes++) {
        sc_buf_reset(&b);
        sc_buf_adds(&b, "<a>");
        for (int i = 1; i < nodes; i++)
            sc_buf_adds(&b, "<b/>");
        sc_buf_adds(&b, "</a>");
        int32_t rc = sc_xml_parse(b.data, b.len, &x, &err);
        CU_ASSERT_EQUAL(rc, nodes == SC_XML_NODES ? SR_STORAGE_OK : SR_STORAGE_E_CORRUPT);
        if (rc == SR_STORAGE_OK)
            sc_xml_free(x);
        x = NULL;
    }
    sc_buf_reset(&b);
    while (b.len <= SC_XML_BYTES)
        sc_buf_adds(&b, "                                                               ");
    CU_ASSERT_EQUAL(sc_xml_parse(b.data, b.len, &x, &err), SR_STORAGE_E_CORRUPT);
    CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "at most"));
    CU_ASSERT_PTR_NULL(x);
    sc_buf_done(&b);
}

static void texts_for_requests(void)
{
    struct sc_buf b = SC_BUF_INIT(100);
    sc_xml_escape(&b, "a<b>&\"c'");
    CU_ASSERT_STRING_EQUAL(sc_buf_str(&b), "a&lt;b&gt;&amp;&quot;c&apos;");
    sc_buf_done(&b);
}

static const struct unit_test tests[] = {
    {"a listing is read", a_listing_is_read},
    {"an answer cut at every byte", cut_at_every_byte},
    {"hostile documents", hostile_documents},
    {"encodings", encodings},
    {"bounds", bounds},
    {"texts for requests", texts_for_requests},
    {0},
};

int main(void)
{
    return unit_main("cloud: XML", tests);
}
