// Preloaded into a process: the limit of descriptors reads as that of a container without one.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <unistd.h>

long sysconf(int name) {
  static long (*real)(int);
  if (name == _SC_OPEN_MAX) return 1073741816;
  if (real == NULL) real = (long (*)(int))dlsym(RTLD_NEXT, "sysconf");
  return real(name);
}
