# The C++ tests: one executable and one ctest test for each file of test/native and test/native/engine, and for each
# fuzz target of test/fuzz/targets, which as a test gets its corpus. With OHWS_FUZZ only the fuzz targets are built, for
# libFuzzer.
find_package(Threads REQUIRED)
# There is no Node executable to find zlib's functions in.
find_library(OHWS_ZLIB_LIBRARY NAMES z zlib libz.so.1 REQUIRED)

# ohws_add_native_test(<name> <source> SOURCES <more sources>... ARGUMENTS <of the test>...)
function(ohws_add_native_test name source)
  cmake_parse_arguments(PARSE_ARGV 2 test "" "" "SOURCES;ARGUMENTS")
  add_executable(${name} "${source}" ${test_SOURCES})
  target_link_libraries(${name} PRIVATE
    ohws_protocol ohws_wire ohws_options ohws_zlib "${OHWS_ZLIB_LIBRARY}" Threads::Threads)
  string(REGEX REPLACE "^test_" "" test_name "${name}")
  add_test(NAME ${test_name} COMMAND ${name} ${test_ARGUMENTS})
  set_tests_properties(${test_name} PROPERTIES TIMEOUT 120)
endfunction()

if(NOT OHWS_FUZZ)
  file(GLOB test_sources CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/test/native/*.cpp")
  foreach(source IN LISTS test_sources)
    get_filename_component(name "${source}" NAME_WE)
    ohws_add_native_test(test_${name} "${source}")
  endforeach()
endif()

# The engine needs TLS, for which there is no Node executable either.
find_library(OHWS_SSL_LIBRARY NAMES ssl libssl.so.3)
find_library(OHWS_CRYPTO_LIBRARY NAMES crypto libcrypto.so.3)
set(with_engine ON)
if(NOT TARGET ohws_engine OR NOT OHWS_SSL_LIBRARY OR NOT OHWS_CRYPTO_LIBRARY OR NOT CMAKE_SYSTEM_NAME STREQUAL "Linux")
  message(STATUS "Tests of the engine are not built: they need Linux, OHWS_BUILD_ENGINE and the system's libssl")
  set(with_engine OFF)
endif()

# ohws_link_engine(<name> <function whose calls are sent to the test's __wrap_...>...)
function(ohws_link_engine name)
  # Static libraries first, and what they need behind them.
  target_link_libraries(${name} PRIVATE ohws_engine ohws_libwebsockets)
  target_link_options(${name} PRIVATE LINKER:--no-as-needed)
  target_link_libraries(${name} PRIVATE "${OHWS_SSL_LIBRARY}" "${OHWS_CRYPTO_LIBRARY}")
  foreach(wrapped IN LISTS ARGN)
    target_link_options(${name} PRIVATE LINKER:--wrap=${wrapped})
  endforeach()
endfunction()

# ohws_add_engine_test(<name> <function whose calls are sent to the test's __wrap_...>...), of test/native/engine
function(ohws_add_engine_test name)
  ohws_add_native_test(test_${name} "${PROJECT_SOURCE_DIR}/test/native/engine/${name}_test.cpp")
  target_include_directories(test_${name} PRIVATE "${PROJECT_SOURCE_DIR}/test/native")
  ohws_link_engine(test_${name} ${ARGN})
endfunction()

if(with_engine AND NOT OHWS_FUZZ)
  ohws_add_engine_test(batches poll)
  ohws_add_engine_test(deadlines clock_gettime lws_dll2_add_sorted)
  ohws_add_engine_test(lending)
  ohws_add_engine_test(poller)
  ohws_add_engine_test(reading_on clock_gettime epoll_wait pthread_cond_clockwait)
  ohws_add_engine_test(reset)
  ohws_add_engine_test(waiting_requests lws_dll2_add_head)
endif()

set(fuzz_dir "${PROJECT_SOURCE_DIR}/test/fuzz")
file(GLOB fuzz_sources CONFIGURE_DEPENDS "${fuzz_dir}/targets/*.cpp")
if(NOT with_engine)
  list(FILTER fuzz_sources EXCLUDE REGEX "/engine\\.cpp$")
endif()
foreach(source IN LISTS fuzz_sources)
  get_filename_component(name "${source}" NAME_WE)
  if(OHWS_FUZZ)
    ohws_add_native_test(fuzz_${name} "${source}" SOURCES "${fuzz_dir}/entry.cpp" ARGUMENTS -runs=0 "${fuzz_dir}/corpus/${name}")
    target_link_options(fuzz_${name} PRIVATE -fsanitize=fuzzer)
  else()
    ohws_add_native_test(fuzz_${name} "${source}" SOURCES "${fuzz_dir}/replay.cpp" ARGUMENTS "${fuzz_dir}/corpus/${name}")
  endif()
  target_include_directories(fuzz_${name} PRIVATE "${fuzz_dir}")
endforeach()

if(TARGET fuzz_engine)
  file(GLOB script_sources CONFIGURE_DEPENDS "${fuzz_dir}/script/*.cpp")
  target_sources(fuzz_engine PRIVATE ${script_sources})
  # Its clock is the script's.
  ohws_link_engine(fuzz_engine clock_gettime)
endif()
