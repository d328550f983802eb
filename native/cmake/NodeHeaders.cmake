# Finds, by asking Node itself:
#   ohws_node_api             target: node-api-headers and node-addon-api, with their definitions
#   ohws_zlib                 target: zlib's header; the functions are the Node executable's
#   OHWS_TLS_INCLUDE_DIR      folder with openssl/ssl.h, OHWS_ZLIB_INCLUDE_DIR the one with zlib.h
# Node's own headers come first, so that we compile against the OpenSSL that the executable exports. OHWS_TLS_PREFIX
# names a folder with include/ and lib/ instead: static libraries that become part of the addon.
set(OHWS_TLS_PREFIX "" CACHE PATH "Empty for the TLS of the Node executable; or where libssl.a, libcrypto.a, libz.a are")
find_program(OHWS_NODE NAMES node nodejs HINTS "$ENV{npm_node_execpath}" "$ENV{NODE}" REQUIRED
  DOC "The Node.js executable that the addon is built for")

set(node_query [=[
const path = require('node:path');
const folder = (name, inside) => {
  try {
    return path.join(path.dirname(require.resolve(`${name}/package.json`, { paths: [process.argv[1]] })), inside);
  } catch {
    return '';
  }
};
const prefixes = [process.env.npm_config_nodedir, path.resolve(process.execPath, '../..'), path.resolve(process.execPath, '..')];
console.log([
  folder('node-api-headers', 'include'),
  folder('node-addon-api', '.'),
  ...prefixes.filter(Boolean).map((p) => path.join(p, 'include', 'node')),
].map((p) => p.replaceAll('\\', '/')).join(';'));
]=])
execute_process(
  COMMAND "${OHWS_NODE}" -e "${node_query}" "${PROJECT_SOURCE_DIR}"
  OUTPUT_VARIABLE node_answer OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
list(POP_FRONT node_answer node_api_dir node_addon_api_dir)

if(NOT EXISTS "${node_api_dir}/node_api.h" OR NOT EXISTS "${node_addon_api_dir}/napi.h")
  message(FATAL_ERROR "node-api-headers and node-addon-api are missing: run npm ci first")
endif()

add_library(ohws_node_api INTERFACE)
target_include_directories(ohws_node_api SYSTEM INTERFACE "${node_api_dir}" "${node_addon_api_dir}")
target_compile_definitions(ohws_node_api INTERFACE
  NAPI_VERSION=8
  NODE_ADDON_API_DISABLE_CPP_EXCEPTIONS
  # A worker that is being terminated lets nobody throw: that is no reason to abort.
  NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS
  NODE_ADDON_API_DISABLE_DEPRECATED)

if(OHWS_TLS_PREFIX)
  set(node_answer "${OHWS_TLS_PREFIX}/include")
endif()
find_path(OHWS_TLS_INCLUDE_DIR openssl/ssl.h HINTS ${node_answer} DOC "Folder that holds openssl/ssl.h")
find_path(OHWS_ZLIB_INCLUDE_DIR zlib.h HINTS ${node_answer} DOC "Folder that holds zlib.h")
if(NOT OHWS_TLS_INCLUDE_DIR OR NOT OHWS_ZLIB_INCLUDE_DIR)
  message(FATAL_ERROR "No OpenSSL or zlib headers: neither beside the Node executable (include/node) nor in the system; "
    "install libssl-dev and zlib1g-dev, or set npm_config_nodedir to Node's prefix")
endif()
message(STATUS "TLS headers: ${OHWS_TLS_INCLUDE_DIR}")

add_library(ohws_zlib INTERFACE)
target_include_directories(ohws_zlib SYSTEM INTERFACE "${OHWS_ZLIB_INCLUDE_DIR}")
