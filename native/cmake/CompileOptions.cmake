# Options of our own code only: libwebsockets is built apart from it and comes in as system headers.
add_library(ohws_options INTERFACE)

if(MSVC)
  message(FATAL_ERROR "Visual C++ is not supported: `npm run prebuild -- win32-x64` on Linux makes the addon for Windows")
endif()
target_compile_options(ohws_options INTERFACE
  -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror
  $<$<COMPILE_LANGUAGE:CXX>:-fno-exceptions>
  $<$<COMPILE_LANGUAGE:CXX>:-fno-rtti>)
if(WIN32)
  target_compile_definitions(ohws_options INTERFACE NOMINMAX NOUSER WIN32_LEAN_AND_MEAN)
endif()

set(OHWS_SANITIZE_FLAGS "")
if(OHWS_SANITIZE)
  if(NOT OHWS_SANITIZE MATCHES "^(address|thread|undefined)$")
    message(FATAL_ERROR "OHWS_SANITIZE is address, thread or undefined, not '${OHWS_SANITIZE}'")
  endif()
  set(OHWS_SANITIZE_FLAGS -fsanitize=${OHWS_SANITIZE})
  if(OHWS_SANITIZE STREQUAL "undefined")
    list(APPEND OHWS_SANITIZE_FLAGS -fno-sanitize-recover=all -fno-sanitize=vptr)
  endif()
  # -UNDEBUG: asserts stay on. It comes after the build type's own flags.
  target_compile_options(ohws_options INTERFACE ${OHWS_SANITIZE_FLAGS} -UNDEBUG -O1 -g -fno-omit-frame-pointer)
  target_link_options(ohws_options INTERFACE ${OHWS_SANITIZE_FLAGS})
endif()

# libFuzzer's counters for all of our code, and those of llvm-cov. Asserts stay on here too.
if(OHWS_FUZZ)
  if(NOT CMAKE_CXX_COMPILER_ID MATCHES "Clang" OR OHWS_SANITIZE)
    message(FATAL_ERROR "OHWS_FUZZ needs Clang, and sanitizes by itself")
  endif()
  set(fuzz_flags -fsanitize=address,undefined -fno-sanitize-recover=all -fno-sanitize=vptr
    -fprofile-instr-generate -fcoverage-mapping)
  target_compile_options(ohws_options INTERFACE
    ${fuzz_flags} -fsanitize=fuzzer-no-link -UNDEBUG -O1 -g -fno-omit-frame-pointer)
  target_link_options(ohws_options INTERFACE ${fuzz_flags})
endif()
