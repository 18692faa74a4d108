/* XML answers, read into a small tree of names and texts.
 *
 *     struct sc_xml *x = NULL;
 *     if (sc_xml_parse(data, len, &x, &err) != SR_STORAGE_OK) ...        E_CORRUPT
 *     const struct sc_xml_node *root = sc_xml_root(x);
 *     if (strcmp(root->name, "ListBucketResult") != 0) ...
 *     for (n = sc_xml_child(root, "Contents"); n; n = sc_xml_next(n, "Contents"))
 *         key = sc_xml_text(n, "Key"), owner = sc_xml_text(n, "Owner/ID");
 *     sc_xml_free(x);
 *
 * Names come without their prefix, whatever the namespace: clones disagree on it. Attributes,
 * comments and processing instructions are dropped; a node's text is all character data directly
 * in it. A document type declaration is refused as soon as it begins, so no entity but the five of
 * XML itself exists; nothing is ever loaded from a file or the network. What is truncated, too deep
 * (SC_XML_DEPTH), too rich (SC_XML_NODES) or larger than SC_XML_BYTES is an error, never a smaller
 * tree. The tree is immutable; nodes and texts live until sc_xml_free. Any thread. */
#ifndef SC_XML_H
#define SC_XML_H

#include "common/error.h"

#include <stddef.h>

#define SC_XML_DEPTH 32
#define SC_XML_NODES 65536
#define SC_XML_BYTES (16u << 20)

struct sc_xml;

struct sc_xml_node {
    const char *name;
    const char *text; /* "" when there is none; white space as it came */
    const struct sc_xml_node *first, *sibling;
};

int32_t sc_xml_parse(const void *data, size_t len, struct sc_xml **ret, struct sc_error *err);
void sc_xml_free(struct sc_xml *x);
const struct sc_xml_node *sc_xml_root(const struct sc_xml *x);
/* The first child of that name, the next sibling of that name; NULL: none. n may be NULL. */
const struct sc_xml_node *sc_xml_child(const struct sc_xml_node *n, const char *name);
const struct sc_xml_node *sc_xml_next(const struct sc_xml_node *n, const char *name);
/* The text at a path of names below n, "Error/Code"; NULL when there is no such node. */
const char *sc_xml_text(const struct sc_xml_node *n, const char *path);
/* Appends text with & < > " and ' as entities, for requests. */
struct sc_buf;
void sc_xml_escape(struct sc_buf *out, const char *text);

#endif
