/* Names that no store may have, because its settings would look like core's. */
#ifndef SR_STORE_RESERVED_H
#define SR_STORE_RESERVED_H

/* The setting (or family of settings) that a store of this name would collide with; static, NULL:
 * the name is free. */
const char *sr_store_name_reserved(const char *name);

#endif
