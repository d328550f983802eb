// What Debian's libstdc++ and libgcc_s take from glibc and musl has not: with it they serve a Node.js for musl, which
// brings no C++ library of its own. Stands in as libstdc++.so.6 and needs the real one, so that its symbols are found
// before those of the C library. For the package test alone: the addon has its own C++ library inside.
#include <link.h>
#include <pthread.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

// A locale as glibc lays it out: libstdc++ reads its tables directly. musl's functions ignore it. "C" is the only one.
static struct {
  void* data[13];
  const unsigned short* classes;
  const int* lower;
  const int* upper;
  const char* names[13];
} c_locale;

const unsigned short** __ctype_b_loc(void);
const int** __ctype_tolower_loc(void);
const int** __ctype_toupper_loc(void);

void* __newlocale(int mask, const char* name, void* base) {
  (void)mask, (void)name, (void)base;
  c_locale.classes = *__ctype_b_loc();
  c_locale.lower = *__ctype_tolower_loc();
  c_locale.upper = *__ctype_toupper_loc();
  for (int i = 0; i < 13; ++i) c_locale.names[i] = "C";
  return &c_locale;
}

void* __duplocale(void* locale) { return locale; }
void __freelocale(void* locale) { (void)locale; }

size_t __strftime_l(char* out, size_t size, const char* format, const struct tm* time, void* locale) {
  (void)locale;
  return strftime(out, size, format, time);
}

char __libc_single_threaded = 0;

uint32_t arc4random(void) {
  uint32_t value;
  if (getentropy(&value, sizeof(value)) != 0) abort();
  return value;
}

// Destructors of thread_local objects.
struct destructor {
  void (*call)(void*);
  void* object;
  struct destructor* next;
};
static pthread_key_t destructors;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void run_destructors(void* list) {
  for (struct destructor *each = list, *next; each != NULL; each = next) {
    next = each->next;
    each->call(each->object);
    free(each);
  }
}

static void make_key(void) { pthread_key_create(&destructors, run_destructors); }

int __cxa_thread_atexit_impl(void (*call)(void*), void* object, void* library) {
  (void)library;
  pthread_once(&once, make_key);
  struct destructor* added = malloc(sizeof(*added));
  if (added == NULL) return -1;
  *added = (struct destructor){call, object, pthread_getspecific(destructors)};
  return pthread_setspecific(destructors, added);
}

// Where the unwinder finds the tables for an address.
struct dl_found {
  unsigned long long flags;
  void* start;
  void* end;
  void* link_map;
  void* eh_frame;
};
struct query {
  uintptr_t address;
  struct dl_found* found;
};

static int look_into(struct dl_phdr_info* info, size_t size, void* data) {
  (void)size;
  struct query* query = data;
  void* eh_frame = NULL;
  int within = 0;
  for (int i = 0; i < info->dlpi_phnum; ++i) {
    const ElfW(Phdr)* header = &info->dlpi_phdr[i];
    const uintptr_t at = info->dlpi_addr + header->p_vaddr;
    if (header->p_type == PT_GNU_EH_FRAME) eh_frame = (void*)at;
    if (header->p_type != PT_LOAD || query->address - at >= header->p_memsz) continue;
    within = 1;
    query->found->start = (void*)at;
    query->found->end = (void*)(at + header->p_memsz);
  }
  if (within) query->found->eh_frame = eh_frame;
  return within && eh_frame != NULL;
}

int _dl_find_object(void* address, struct dl_found* found) {
  struct query query = {(uintptr_t)address, found};
  return dl_iterate_phdr(look_into, &query) ? 0 : -1;
}

// libgcc_s refers to its own by a version that musl's loader does not match. Nobody here asks for features.
int __cpu_indicator_init(void) { return 0; }
unsigned int __cpu_model[4];

// std::string's private `_M_replace_cold` of GCC 13: what replaces a part may lie within the string.
void _ZNSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEE15_M_replace_coldEPcmPKcmm(
    void* string, char* at, size_t old_size, const char* replacement, size_t new_size, size_t behind) {
  (void)string;
  char* copy = malloc(new_size + 1);
  if (copy == NULL) abort();
  memcpy(copy, replacement, new_size);
  memmove(at + new_size, at + old_size, behind);
  memcpy(at, copy, new_size);
  free(copy);
}
