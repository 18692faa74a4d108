/* Where strongroom's own programs are. What users look up by name is in subprocess.h.
 *
 * Decided by the path of the running program alone, as the kernel knows it; neither the working
 * folder nor the environment has a say in which helper runs. Any thread. */
#ifndef SR_UTIL_PROGRAM_H
#define SR_UTIL_PROGRAM_H

#include "core/util/error.h"

/* The running program's path; malloc'd. */
int sr_program_self(char **ret, struct sr_error *err);
/* strongroom-child as it belongs to the program at `self`: below pkglibexecdir when self lies in
 * an installed bindir, else beside self or up to two folders above (a build tree). malloc'd. */
int sr_program_child_helper(const char *self, char **ret, struct sr_error *err);

#endif
