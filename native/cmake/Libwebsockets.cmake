# The target ohws_libwebsockets: libwebsockets with our patches, and the header ohws_lws_patches.h that says which of
# them it has.
#
#   OHWS_LWS=                 (default) the pinned release, built here as a static library; OHWS_LWS_SOURCE in the
#                             environment names another archive or source folder
#   OHWS_LWS=system           the installed libwebsockets, with none of our patches
#
# The library is built once for each source, patch set, options, compiler and sanitizer, into the user's cache folder,
# and taken from there afterwards. scripts/lws-source.mjs knows where archives and the cache are.
set(OHWS_LWS "$ENV{OHWS_LWS}" CACHE STRING "Empty for the pinned libwebsockets, 'system' for the installed one")

set(lws_script "${PROJECT_SOURCE_DIR}/scripts/lws-source.mjs")
set(lws_patches "${PROJECT_SOURCE_DIR}/native/patches")
set(lws_options "${CMAKE_CURRENT_LIST_DIR}/lws-options.cmake")
file(GLOB lws_patch_files CONFIGURE_DEPENDS "${lws_patches}/*.patch")
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS
  "${lws_script}" "${lws_options}" "${CMAKE_CURRENT_LIST_FILE}" ${lws_patch_files})

add_library(ohws_libwebsockets INTERFACE)

if(OHWS_LWS STREQUAL "system")
  find_package(libwebsockets 4.3 CONFIG REQUIRED NO_CMAKE_PACKAGE_REGISTRY)
  message(STATUS "libwebsockets ${libwebsockets_VERSION} of the system, without our patches")
  execute_process(
    COMMAND "${OHWS_NODE}" "${lws_script}" header --none "${PROJECT_BINARY_DIR}/lws/include/ohws_lws_patches.h"
    COMMAND_ERROR_IS_FATAL ANY)
  target_include_directories(ohws_libwebsockets SYSTEM INTERFACE
    "${PROJECT_BINARY_DIR}/lws/include" ${LIBWEBSOCKETS_INCLUDE_DIRS} "${OHWS_TLS_INCLUDE_DIR}")
  if(TARGET websockets_shared)
    target_link_libraries(ohws_libwebsockets INTERFACE websockets_shared)
  else()
    target_link_libraries(ohws_libwebsockets INTERFACE websockets)
  endif()
  return()
elseif(OHWS_LWS)
  message(FATAL_ERROR "OHWS_LWS is empty or 'system', not '${OHWS_LWS}'; a path goes into OHWS_LWS_SOURCE")
endif()

if(OHWS_FUZZ)
  set(lws_c_flags "-O1 -g -DNDEBUG -fno-omit-frame-pointer -fsanitize=address,fuzzer-no-link")
elseif(OHWS_SANITIZE STREQUAL "address" OR OHWS_SANITIZE STREQUAL "thread")
  set(lws_c_flags "-O1 -g -fno-omit-frame-pointer -fsanitize=${OHWS_SANITIZE}")
elseif(OHWS_SANITIZE)
  set(lws_c_flags "-O1 -g -fno-omit-frame-pointer")
else()
  # -O2 and NDEBUG: without the latter a peer can reach asserts.
  set(lws_c_flags "-O2 -DNDEBUG -ffunction-sections -fdata-sections")
endif()

# Where is the source? One line of JSON.
execute_process(
  COMMAND "${OHWS_NODE}" "${lws_script}" locate
  OUTPUT_VARIABLE lws_location RESULT_VARIABLE lws_result)
if(NOT lws_result EQUAL 0)
  message(FATAL_ERROR "No libwebsockets source, see above")
endif()
foreach(field IN ITEMS path kind identity pinned cache)
  string(JSON lws_${field} GET "${lws_location}" ${field})
endforeach()

set(lws_key_parts "${lws_identity}" "${lws_c_flags}" "${OHWS_TLS_INCLUDE_DIR}" "${OHWS_ZLIB_INCLUDE_DIR}"
  "${CMAKE_C_COMPILER}" "${CMAKE_C_COMPILER_ID}" "${CMAKE_C_COMPILER_VERSION}" "${CMAKE_SYSTEM_NAME}"
  "${CMAKE_SYSTEM_PROCESSOR}" "${CMAKE_OSX_ARCHITECTURES}" "${CMAKE_GENERATOR_PLATFORM}" "${CMAKE_SYSROOT}")
foreach(file IN LISTS lws_patch_files ITEMS
    "${OHWS_TLS_INCLUDE_DIR}/openssl/opensslv.h" "${lws_options}" "${CMAKE_CURRENT_LIST_FILE}")
  file(SHA256 "${file}" hash)
  list(APPEND lws_key_parts "${hash}")
endforeach()
string(SHA256 lws_key "${lws_key_parts}")
string(SUBSTRING "${lws_key}" 0 20 lws_key)
set(lws_prefix "${lws_cache}/libwebsockets/${lws_key}")

if(NOT EXISTS "${lws_prefix}/complete")
  set(lws_work "${PROJECT_BINARY_DIR}/lws")
  file(REMOVE_RECURSE "${lws_work}")
  file(MAKE_DIRECTORY "${lws_work}/unpacked")

  message(STATUS "Unpacking libwebsockets from ${lws_path}")
  if(lws_kind STREQUAL "archive")
    file(ARCHIVE_EXTRACT INPUT "${lws_path}" DESTINATION "${lws_work}/unpacked")
    file(GLOB lws_unpacked "${lws_work}/unpacked/*/CMakeLists.txt" "${lws_work}/unpacked/CMakeLists.txt")
    list(GET lws_unpacked 0 lws_source)
    get_filename_component(lws_source "${lws_source}" DIRECTORY)
  else()
    file(COPY "${lws_path}/" DESTINATION "${lws_work}/unpacked" PATTERN ".git" EXCLUDE)
    set(lws_source "${lws_work}/unpacked")
  endif()

  set(lws_patch_mode --strict)
  if(NOT lws_pinned)
    set(lws_patch_mode --lenient)
  endif()
  execute_process(
    COMMAND "${OHWS_NODE}" "${lws_script}" patch ${lws_patch_mode} "${lws_source}" "${lws_work}/ohws_lws_patches.h"
    COMMAND_ERROR_IS_FATAL ANY)

  # The file that is renamed into place last makes the cache entry valid, so two builds at a time do no harm.
  string(RANDOM LENGTH 8 lws_random)
  set(lws_install "${lws_prefix}.${lws_random}")
  set(lws_for_windows OFF)
  if(WIN32)
    set(lws_for_windows ON)
  endif()
  message(STATUS "Configuring libwebsockets")
  execute_process(
    COMMAND "${CMAKE_COMMAND}" -G "${CMAKE_GENERATOR}" -DOHWS_FOR_WINDOWS=${lws_for_windows} -C "${lws_options}" -S "${lws_source}" -B "${lws_work}/build"
      "-DCMAKE_C_COMPILER=${CMAKE_C_COMPILER}" "-DCMAKE_TOOLCHAIN_FILE=${CMAKE_TOOLCHAIN_FILE}"
      "-DCMAKE_MAKE_PROGRAM=${CMAKE_MAKE_PROGRAM}"
      "-DCMAKE_OSX_ARCHITECTURES=${CMAKE_OSX_ARCHITECTURES}"
      -DCMAKE_BUILD_TYPE=Release "-DCMAKE_C_FLAGS_RELEASE=${lws_c_flags}"
      "-DOPENSSL_INCLUDE_DIRS=${OHWS_TLS_INCLUDE_DIR}" "-DZLIB_INCLUDE_DIRS=${OHWS_ZLIB_INCLUDE_DIR}"
      "-DCMAKE_INSTALL_PREFIX=${lws_install}"
    OUTPUT_FILE "${lws_work}/configure.log" ERROR_FILE "${lws_work}/configure.log" RESULT_VARIABLE lws_result)
  if(NOT lws_result EQUAL 0)
    file(READ "${lws_work}/configure.log" lws_log)
    message(FATAL_ERROR "libwebsockets does not configure:\n${lws_log}")
  endif()

  cmake_host_system_information(RESULT lws_jobs QUERY NUMBER_OF_LOGICAL_CORES)
  message(STATUS "Building libwebsockets (once, about half a minute of processor time)")
  execute_process(
    COMMAND "${CMAKE_COMMAND}" --build "${lws_work}/build" --config Release --parallel ${lws_jobs}
    COMMAND_ERROR_IS_FATAL ANY)
  execute_process(
    COMMAND "${CMAKE_COMMAND}" --install "${lws_work}/build" --config Release
    OUTPUT_QUIET COMMAND_ERROR_IS_FATAL ANY)
  file(INSTALL "${lws_work}/ohws_lws_patches.h" DESTINATION "${lws_install}/include" MESSAGE_NEVER)
  file(INSTALL "${lws_source}/LICENSE" DESTINATION "${lws_install}" MESSAGE_NEVER OPTIONAL)
  file(TOUCH "${lws_install}/complete")
  if(NOT EXISTS "${lws_prefix}/complete")
    file(REMOVE_RECURSE "${lws_prefix}")
    file(RENAME "${lws_install}" "${lws_prefix}")
  else()
    file(REMOVE_RECURSE "${lws_install}")
  endif()
  file(REMOVE_RECURSE "${lws_work}")
endif()
message(STATUS "libwebsockets: ${lws_prefix}")

# For scripts/build.mjs: a build folder whose library has been cleared away has to be configured anew.
set(OHWS_LWS_PREFIX "${lws_prefix}" CACHE INTERNAL "")
find_library(lws_library NAMES websockets websockets_static PATHS "${lws_prefix}/lib" NO_DEFAULT_PATH NO_CACHE REQUIRED)
target_include_directories(ohws_libwebsockets SYSTEM INTERFACE
  "${lws_prefix}/include" "${OHWS_TLS_INCLUDE_DIR}" "${OHWS_ZLIB_INCLUDE_DIR}")
target_link_libraries(ohws_libwebsockets INTERFACE "${lws_library}")
if(WIN32)
  target_link_libraries(ohws_libwebsockets INTERFACE ws2_32 userenv psapi iphlpapi crypt32 bcrypt)
endif()
if(OHWS_TLS_PREFIX)
  foreach(name IN ITEMS ssl crypto z)
    find_library(tls_${name} NAMES "lib${name}${CMAKE_STATIC_LIBRARY_SUFFIX}" PATHS "${OHWS_TLS_PREFIX}/lib"
      NO_DEFAULT_PATH NO_CACHE REQUIRED)
    target_link_libraries(ohws_libwebsockets INTERFACE "${tls_${name}}")
  endforeach()
  target_link_libraries(ohws_libwebsockets INTERFACE ${CMAKE_DL_LIBS} Threads::Threads)
endif()
