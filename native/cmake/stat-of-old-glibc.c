/* stat, fstat and lstat for glibc before 2.33, which has them under other names. The wrappers that Zig links in for that keep
   an errno of their own. Part of the addon where the toolchain file says OHWS_OLD_GLIBC. */
#include <sys/stat.h>

#ifdef __x86_64__
enum { kStatVersion = 1 };
#else
enum { kStatVersion = 0 };
#endif

int __xstat(int version, const char* path, struct stat* status);
int __lxstat(int version, const char* path, struct stat* status);
int __fxstat(int version, int descriptor, struct stat* status);

int stat(const char* restrict path, struct stat* restrict status) { return __xstat(kStatVersion, path, status); }
int lstat(const char* restrict path, struct stat* restrict status) { return __lxstat(kStatVersion, path, status); }
int fstat(int descriptor, struct stat* status) { return __fxstat(kStatVersion, descriptor, status); }
