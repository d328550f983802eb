/* What an addon for Windows takes from the executable that loads it, whatever that is called: an import table would want
   `node.exe`. Each name has a slot (`__imp_NAME`, as compilers call it for declarations with dllimport) and a function that
   jumps there; DllMain fills the slots. Where the executable lacks a name, as Electron and Bun do, the addon does not load
   (ERROR_DLL_INIT_FAILED). Under the loader's lock. */
#include <windows.h>

#if defined(__x86_64__)
#define JUMP_TO(slot) "jmpq *" slot "(%rip)\n"
#elif defined(__aarch64__)
#define JUMP_TO(slot) "adrp x16, " slot "\nldr x16, [x16, :lo12:" slot "]\nbr x16\n"
#endif

/* Until it is filled, a slot holds the name. */
#define NODE_IMPORT(name)                                       \
  __asm__(                                                      \
      ".text\n.p2align 4\n.globl " #name "\n" #name ":\n"       \
      JUMP_TO("__imp_" #name)                                   \
      ".section .slots, \"dw\"\n"                               \
      ".globl __imp_" #name "\n__imp_" #name ":\n.quad 1f\n"    \
      ".section .rdata, \"dr\"\n1: .asciz \"" #name "\"\n");

__asm__(".section .slots, \"dw\"\n.p2align 3\nohws_node_imports:\n");
#include "node-imports.inc"
__asm__(".section .slots, \"dw\"\n.quad 0\n.text\n");

extern FARPROC ohws_node_imports[];

BOOL WINAPI DllMain(HINSTANCE self, DWORD reason, LPVOID reserved) {
  (void)self;
  (void)reserved;
  if (reason != DLL_PROCESS_ATTACH) return TRUE;
  HMODULE executable = GetModuleHandleW(NULL);
  for (FARPROC* slot = ohws_node_imports; *slot != NULL; ++slot) {
    *slot = GetProcAddress(executable, (LPCSTR)*slot);
    if (*slot == NULL) return FALSE;
  }
  return TRUE;
}
