# SR_ADAPTERS: --with-adapters=LIST, checked against what is known and what is found.
#
# Results: conditionals ADAPTER_<NAME>, and ADAPTER_CLOUD for what the cloud adapters share (built and
# tested as soon as one of them is asked for and its libraries are there); sr_adapters_built and sr_adapters_left for
# the summary. An unknown name stops configure, and so does a chosen adapter that
# cannot be built; the message names the Debian package that is missing. An adapter
# is a folder plugins/NAME with a Makefile.inc, and a line in SR_ADAPTER_WHY_NOT.
#
# SR_ADAPTER_WHY_NOT: sets sr_why to what keeps $sr_a from being built, else to nothing.
AC_DEFUN([SR_ADAPTER_WHY_NOT], [
  sr_why=
  AS_CASE([$sr_a],
    [s3|gcs|azure], [
      sr_cloud_wanted=yes
      AS_IF([test "$sr_xml" = no], [sr_why="libxml-2.0 not found: apt-get install libxml2-dev"])
      AS_IF([test "$sr_curl" = no], [sr_why="libcurl >= 7.87 not found: apt-get install libcurl4-openssl-dev"])])
  AS_IF([test -z "$sr_why" && test ! -f "$srcdir/plugins/$sr_a/Makefile.inc"],
    [sr_why="not part of strongroom $PACKAGE_VERSION"])
])

AC_DEFUN([SR_ADAPTERS], [
AC_ARG_WITH([adapters],
  [AS_HELP_STRING([--with-adapters=LIST], [storage adapters to build, of: local,s3,gcs,azure (default: those that can be built)])],
  [], [with_adapters=auto])
sr_adapters_known="local s3 gcs azure"
sr_adapters_built= sr_adapters_left= sr_cloud_wanted=no
AS_CASE(["$with_adapters"],
  [auto|yes], [sr_adapters_auto=yes; sr_adapters_wanted="$sr_adapters_known"],
  [no|""], [AC_MSG_ERROR([--with-adapters needs at least one of: $sr_adapters_known])],
  [sr_adapters_auto=no; sr_adapters_wanted=`AS_ECHO(["$with_adapters"]) | tr ',' ' '`])
for sr_a in $sr_adapters_wanted; do
  AS_CASE([" $sr_adapters_known "],
    [*" $sr_a "*], [],
    [AC_MSG_ERROR([unknown adapter '$sr_a' in --with-adapters; known: $sr_adapters_known])])
  SR_ADAPTER_WHY_NOT
  AS_IF([test -z "$sr_why"], [sr_adapters_built="$sr_adapters_built $sr_a"],
    [test $sr_adapters_auto = yes], [sr_adapters_left="$sr_adapters_left
                $sr_a: $sr_why"],
    [AC_MSG_ERROR([adapter $sr_a cannot be built: $sr_why])])
done
AS_IF([test -z "$sr_adapters_built"], [AC_MSG_ERROR([--with-adapters names no adapter; known: $sr_adapters_known])])
sr_cloud=no
AS_IF([test $sr_cloud_wanted = yes && test "$sr_curl" = yes && test "$sr_xml" = yes], [sr_cloud=yes])
AM_CONDITIONAL([ADAPTER_CLOUD], [test $sr_cloud = yes])
AM_CONDITIONAL([ADAPTER_LOCAL], [SR_ADAPTER_IS_BUILT([local])])
AM_CONDITIONAL([ADAPTER_S3], [SR_ADAPTER_IS_BUILT([s3])])
AM_CONDITIONAL([ADAPTER_GCS], [SR_ADAPTER_IS_BUILT([gcs])])
AM_CONDITIONAL([ADAPTER_AZURE], [SR_ADAPTER_IS_BUILT([azure])])
])

# SR_ADAPTER_IS_BUILT(NAME): a shell condition.
AC_DEFUN([SR_ADAPTER_IS_BUILT], [echo " $sr_adapters_built " | grep " $1 " >/dev/null])
