/* The tree is built from libxml2's SAX events, so that a document type declaration is met before
 * anything in it is read, and the bounds hold while the text is read, not after. */
#include "common/xml.h"
#include "common/buf.h"
#include "common/cleanup.h"

#include <libxml/parser.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK 16384

struct block {
    struct block *next;
    size_t used, cap;
    _Alignas(16) char data[];
};

struct sc_xml {
    struct block *blocks;
    struct sc_xml_node *root;
    size_t nodes;
};

struct level {
    struct sc_xml_node *node, *last; /* last: its youngest child */
    struct sc_buf text;
};

struct building {
    struct sc_xml *x;
    xmlParserCtxtPtr ctxt;
    struct level levels[SC_XML_DEPTH];
    size_t depth;
    struct sc_error err; /* the first thing that went wrong */
};

static void *arena(struct sc_xml *x, size_t len)
{
    len = (len + 15) & ~(size_t)15;
    struct block *b = x->blocks;
    if (!b || len > b->cap - b->used) {
        size_t cap = len > BLOCK ? len : BLOCK;
        b = malloc(sizeof *b + cap);
        if (!b)
            return NULL;
        *b = (struct block){x->blocks, 0, cap};
        x->blocks = b;
    }
    void *p = b->data + b->used;
    b->used += len;
    return p;
}

static char *arena_text(struct sc_xml *x, const char *s, size_t len)
{
    char *p = arena(x, len + 1);
    if (p) {
        memcpy(p, s, len);
        p[len] = '\0';
    }
    return p;
}

static void stop(struct building *b, int32_t code, const char *why)
{
    if (b->err.code == SR_STORAGE_OK)
        (void)sc_fail(&b->err, code, "%s", why);
    xmlStopParser(b->ctxt);
}

static void on_doctype(void *ctx, const xmlChar *name, const xmlChar *external,
                       const xmlChar *system)
{
    (void)name, (void)external, (void)system;
    stop(ctx, SR_STORAGE_E_CORRUPT, "it declares a document type, which no answer needs");
}

static void on_start(void *ctx, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri,
                     int n_namespaces, const xmlChar **namespaces, int n_attributes,
                     int n_defaulted, const xmlChar **attributes)
{
    (void)prefix, (void)uri, (void)n_namespaces, (void)namespaces, (void)n_attributes,
        (void)n_defaulted, (void)attributes;
    struct building *b = ctx;
    if (b->err.code != SR_STORAGE_OK)
        return;
    if (b->depth == SC_XML_DEPTH || b->x->nodes == SC_XML_NODES) {
        stop(b, SR_STORAGE_E_CORRUPT, "it is too deep or has too many elements");
        return;
    }
    struct sc_xml_node *n = arena(b->x, sizeof *n);
    char *copy = arena_text(b->x, (const char *)name, strlen((const char *)name));
    if (!n || !copy) {
        stop(b, SR_STORAGE_E_UNAVAILABLE, "out of memory");
        return;
    }
    *n = (struct sc_xml_node){.name = copy, .text = ""};
    b->x->nodes++;
    struct level *parent = b->depth ? &b->levels[b->depth - 1] : NULL;
    if (!parent)
        b->x->root = n;
    else if (parent->last)
        parent->last->sibling = n;
    else
        parent->node->first = n;
    if (parent)
        parent->last = n;
    struct level *l = &b->levels[b->depth++];
    l->node = n;
    l->last = NULL;
    l->text.max = SC_XML_BYTES;
    sc_buf_reset(&l->text);
}

static void on_end(void *ctx, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri)
{
    (void)name, (void)prefix, (void)uri;
    struct building *b = ctx;
    if (b->err.code != SR_STORAGE_OK || b->depth == 0)
        return;
    struct level *l = &b->levels[--b->depth];
    const char *text = l->text.len ? arena_text(b->x, l->text.data, l->text.len) : "";
    if (!text || l->text.state != SC_BUF_GOOD)
        stop(b, SR_STORAGE_E_UNAVAILABLE, "out of memory");
    else
        l->node->text = text;
}

static void on_text(void *ctx, const xmlChar *text, int len)
{
    struct building *b = ctx;
    if (b->err.code == SR_STORAGE_OK && b->depth > 0 && len > 0)
        sc_buf_add(&b->levels[b->depth - 1].text, text, (size_t)len);
}

/* libxml2 calls the program's handler, or writes to standard error, where none is set. */
static void on_error(void *ctx, xmlErrorPtr e)
{
    struct building *b = ctx;
    if (b->err.code != SR_STORAGE_OK || e->level < XML_ERR_ERROR)
        return;
    (void)sc_fail(&b->err, SR_STORAGE_E_CORRUPT, "line %d: %.*s", e->line,
                  (int)strcspn(e->message ? e->message : "", "\n"), e->message ? e->message : "");
}

int32_t sc_xml_parse(const void *data, size_t len, struct sc_xml **ret, struct sc_error *err)
{
    if (len > SC_XML_BYTES)
        return sc_fail(err, SR_STORAGE_E_CORRUPT, "XML of %zu bytes; at most %u are read", len,
                       SC_XML_BYTES);
    struct building *b = calloc(1, sizeof *b);
    struct sc_xml *x = calloc(1, sizeof *x);
    xmlSAXHandler sax = {
        .initialized = XML_SAX2_MAGIC,
        .internalSubset = on_doctype,
        .startElementNs = on_start,
        .endElementNs = on_end,
        .characters = on_text,
        .ignorableWhitespace = on_text,
        .cdataBlock = on_text,
        .serror = on_error,
    };
    int32_t rc = SR_STORAGE_E_UNAVAILABLE;
    xmlParserCtxtPtr ctxt = b && x ? xmlCreatePushParserCtxt(&sax, b, NULL, 0, NULL) : NULL;
    if (!ctxt) {
        rc = sc_fail_memory(err);
        goto out;
    }
    b->x = x;
    b->ctxt = ctxt;
    (void)xmlCtxtUseOptions(ctxt, XML_PARSE_NONET);
    /* Always up to the end: what the parser did not take is an answer that was cut. */
    int failed = xmlParseChunk(ctxt, data, (int)len, 0);
    if (!failed)
        failed = xmlParseChunk(ctxt, NULL, 0, 1);
    if (failed && b->err.code == SR_STORAGE_OK)
        (void)sc_fail(&b->err, SR_STORAGE_E_CORRUPT, "it is malformed");
    if (b->err.code == SR_STORAGE_OK && (b->depth != 0 || !x->root || !ctxt->wellFormed))
        (void)sc_fail(&b->err, SR_STORAGE_E_CORRUPT, "it ends too early");
    rc = b->err.code;
    if (rc != SR_STORAGE_OK)
        (void)sc_fail(err, rc, "unusable XML: %s", b->err.text);
    else
        *ret = sc_steal_ptr(x);
out:
    for (size_t i = 0; b && i < SC_XML_DEPTH; i++)
        sc_buf_done(&b->levels[i].text);
    xmlFreeParserCtxt(ctxt);
    sc_xml_free(x);
    free(b);
    return rc;
}

void sc_xml_free(struct sc_xml *x)
{
    if (!x)
        return;
    while (x->blocks) {
        struct block *next = x->blocks->next;
        free(x->blocks);
        x->blocks = next;
    }
    free(x);
}

const struct sc_xml_node *sc_xml_root(const struct sc_xml *x)
{
    return x->root;
}

static const struct sc_xml_node *find(const struct sc_xml_node *n, const char *name, size_t len)
{
    for (; n; n = n->sibling)
        if (strncmp(n->name, name, len) == 0 && n->name[len] == '\0')
            return n;
    return NULL;
}

const struct sc_xml_node *sc_xml_child(const struct sc_xml_node *n, const char *name)
{
    return n ? find(n->first, name, strlen(name)) : NULL;
}

const struct sc_xml_node *sc_xml_next(const struct sc_xml_node *n, const char *name)
{
    return n ? find(n->sibling, name, strlen(name)) : NULL;
}

const char *sc_xml_text(const struct sc_xml_node *n, const char *path)
{
    while (n && *path) {
        size_t len = strcspn(path, "/");
        n = find(n->first, path, len);
        path += len + (path[len] == '/');
    }
    return n ? n->text : NULL;
}

void sc_xml_escape(struct sc_buf *out, const char *text)
{
    for (; *text; text++) {
        switch (*text) {
        case '&':
            sc_buf_adds(out, "&amp;");
            break;
        case '<':
            sc_buf_adds(out, "&lt;");
            break;
        case '>':
            sc_buf_adds(out, "&gt;");
            break;
        case '"':
            sc_buf_adds(out, "&quot;");
            break;
        case '\'':
            sc_buf_adds(out, "&apos;");
            break;
        default:
            sc_buf_addc(out, *text);
        }
    }
}
