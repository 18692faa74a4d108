# SR_ADAPTERS: --with-adapters=LIST, checked against what is known and what is found.
#
# Results: conditionals ADAPTER_<NAME>; sr_adapters_built and sr_adapters_left for
# the summary. An unknown name, or a chosen one whose library is missing, stops
# configure and names the Debian package.
AC_DEFUN([SR_ADAPTERS], [
AC_ARG_WITH([adapters],
  [AS_HELP_STRING([--with-adapters=LIST], [storage adapters to build, of: local (default: those whose libraries are found)])],
  [], [with_adapters=auto])
sr_adapters_known="local"
sr_adapters_built= sr_adapters_left=
sr_want_local=no
AS_CASE(["$with_adapters"],
  [auto|yes], [sr_adapters_auto=yes; sr_adapters_wanted="$sr_adapters_known"],
  [no|""], [AC_MSG_ERROR([--with-adapters needs at least one of: $sr_adapters_known])],
  [sr_adapters_auto=no; sr_adapters_wanted=`AS_ECHO(["$with_adapters"]) | tr ',' ' '`])
for sr_a in $sr_adapters_wanted; do
  AS_CASE([$sr_a],
    [local], [sr_want_local=yes; sr_adapters_built="$sr_adapters_built local"],
    [AC_MSG_ERROR([unknown adapter '$sr_a' in --with-adapters; known: $sr_adapters_known])])
done
AS_IF([test -z "$sr_adapters_built"], [AC_MSG_ERROR([--with-adapters names no adapter; known: $sr_adapters_known])])
AM_CONDITIONAL([ADAPTER_LOCAL], [test $sr_want_local = yes])
])
